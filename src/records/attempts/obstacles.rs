//! What stands in the way of a submission. The live value may have lost any number of writes, so nothing of it is believed:
//! what may be sent is decided here, by rows that nobody else writes meanwhile.

use sqlx::{AssertSqlSafe, query_as, query_scalar};

use super::Connection;
use crate::core::attempt::{Refusal, WRONG_CODES, login_wait};
use crate::core::time::Timestamp;
use crate::providers::SubmissionStep;
use crate::records::attempts::FAILED_LOGINS_WINDOW;
use crate::records::columns::sql_list;
use crate::records::{Attempt, AttemptState, Begun, Result};

/// Why an attempt is not to be begun, if it is not, in a transaction about its person.
pub(super) async fn obstacle(tx: &mut Connection, attempt: &Attempt) -> Result<Option<Begun>> {
    if let Some(known) = in_the_way(tx, attempt).await? {
        return Ok(Some(Begun::Refused(Box::new(known))));
    }
    Ok(match attempt.step {
        SubmissionStep::Login => failed_logins(tx, attempt).await?.map(Begun::TooManyLogins),
        SubmissionStep::Code => too_many_codes(tx, attempt).await?.then_some(Begun::TooManyCodes),
        SubmissionStep::Choose => None,
    })
}

/// The same attempt; or another one that may still come to something at this bank, that the live value does not know
/// of, or whose consent has led to a link. The newest of them.
async fn in_the_way(tx: &mut Connection, attempt: &Attempt) -> Result<Option<Attempt>> {
    let pending = AttemptState::ALL.iter().filter(|state| state.is_pending());
    let pending = sql_list(pending.map(|state| state.as_str()));
    // The consent that a renewal rests on has led to a link, which is what it renews.
    let answered = attempt.renews.is_none().then_some(attempt.consent);
    let known = query_as(AssertSqlSafe(format!(
        "SELECT * FROM attempts WHERE tag = $1 AND (id = $2 OR (series = $5 AND ordinal >= $6) \
         OR (provider = $3 AND provider_institution = $4 AND ordinal > 0 AND state IN {pending}) \
         OR (consent = $7 AND renews IS NULL AND state IN ('granted', 'linked'))) \
         ORDER BY CASE WHEN id = $2 THEN 0 ELSE 1 END, nth DESC LIMIT 1"
    )));
    let known = known.bind(attempt.tag).bind(attempt.id);
    let known = known.bind(&attempt.provider).bind(&attempt.provider_institution);
    let known = known.bind(attempt.series).bind(attempt.ordinal).bind(answered);
    Ok(known.fetch_optional(tx).await?)
}

/// When logins failed at this bank, if they are too many for another one.
async fn failed_logins(tx: &mut Connection, attempt: &Attempt) -> Result<Option<Vec<Timestamp>>> {
    let now = attempt.created_at;
    let counts = AttemptState::ALL.iter().filter(|state| state.counts_as_failed());
    let failed = query_scalar(AssertSqlSafe(format!(
        "SELECT created_at FROM attempts WHERE tag = $1 AND provider_institution = $2 AND step = 'login' AND ordinal > 0 \
         AND state IN {} AND created_at > $3",
        sql_list(counts.map(|state| state.as_str()))
    )));
    let failed = failed.bind(attempt.tag).bind(&attempt.provider_institution);
    let failed: Vec<Timestamp> = failed.bind(now.minus(FAILED_LOGINS_WINDOW)).fetch_all(tx).await?;
    let refusals: Vec<_> = failed
        .iter()
        .map(|&at| Refusal {
            institution: attempt.provider_institution.clone(),
            at,
        })
        .collect();
    Ok(login_wait(&refusals, &attempt.provider_institution, now).map(|_| failed))
}

async fn too_many_codes(tx: &mut Connection, attempt: &Attempt) -> Result<bool> {
    let wrong =
        query_scalar("SELECT COUNT(*) FROM attempts WHERE tag = $1 AND session_digest = $2 AND state = 'wrong_code'");
    let wrong: i64 = wrong
        .bind(attempt.tag)
        .bind(&attempt.session_digest[..])
        .fetch_one(tx)
        .await?;
    Ok(wrong >= i64::from(WRONG_CODES))
}
