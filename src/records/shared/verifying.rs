//! Links that are in use from the moment that their account was compared with the one that is expected, or never.

use sqlx::Row as _;

use super::attempts::moved;
use super::happening::{attempt_failed, intent_over, link_created};
use super::intents::{Answered, answer, may_begin, mismatch};
use super::links::{is_superseded, moved_link};
use super::{Backend, Connection, add_job, fixed, within};
use crate::core::ids::{AttemptId, IntentId, LinkId};
use crate::core::time::Timestamp;
use crate::records::words::Word;
use crate::records::{AttemptState, IntentState, Link, LinkState, LinkVerification, Result, VerificationOutcome, sql};

impl Backend {
    /// See [`crate::records::LinkRecords::verify_link`].
    pub(super) async fn verified(
        &self,
        link: &Link,
        verifying: &LinkVerification<'_>,
        at: Timestamp,
    ) -> Result<VerificationOutcome> {
        within(async {
            // Nobody begins anything new for this person meanwhile.
            let mut transaction = self.write_about(link.tag.as_bytes()).await?;
            if state(&mut transaction, link.id).await? != Some(LinkState::Verifying) {
                return Ok(VerificationOutcome::AlreadySettled);
            }
            let verified = decide(&mut transaction, link, verifying, at).await?;
            if verified != VerificationOutcome::Linked {
                let unlink = std::slice::from_ref(verifying.unlink);
                moved_link(&mut transaction, link.id, LinkState::Removing, unlink, at).await?;
            }
            transaction.commit().await?;
            Ok(verified)
        })
        .await
    }
}

/// What becomes of a link, with everything that the partner is told of it.
async fn decide(
    connection: &mut Connection,
    link: &Link,
    verifying: &LinkVerification<'_>,
    at: Timestamp,
) -> Result<VerificationOutcome> {
    if !verifying.matches {
        if moved(&mut *connection, link.attempt, AttemptState::Undone, at).await? {
            attempt_failed(&mut *connection, link.attempt, "mismatched", at).await?;
        }
        if let Some(intent) = mismatch(&mut *connection, link, at).await? {
            let which = (link.partner, intent);
            intent_over(&mut *connection, which, IntentState::Mismatched, None, at).await?;
        }
        return Ok(VerificationOutcome::Mismatched);
    }
    if is_superseded(&mut *connection, link).await? {
        return Ok(VerificationOutcome::Superseded);
    }
    let link = Link {
        state: LinkState::Active,
        created_at: at,
        ..link.clone()
    };
    let answered = answer(&mut *connection, &link).await?;
    if answered == Answered::Over {
        return Ok(VerificationOutcome::IntentClosed);
    }
    sqlx::query(sql::VERIFIED)
        .bind(&link.id.as_bytes()[..])
        .bind(at.as_millis())
        .execute(&mut *connection)
        .await?;
    for job in verifying.follow_up {
        add_job(&mut *connection, job).await?;
    }
    in_use(connection, &link, answered).await?;
    Ok(VerificationOutcome::Linked)
}

/// Settles the submission of a link that is in use from now on, and tells the partner of both it and its request.
pub(super) async fn in_use(connection: &mut Connection, link: &Link, answered: Answered) -> Result<()> {
    sqlx::query(sql::LINKED)
        .bind(&link.attempt.as_bytes()[..])
        .bind(link.created_at.as_millis())
        .execute(&mut *connection)
        .await?;
    link_created(&mut *connection, link).await?;
    if let Answered::Completed(intent) = answered {
        let (which, state) = ((link.partner, intent), IntentState::Completed);
        intent_over(connection, which, state, Some(link.id), link.created_at).await?;
    }
    Ok(())
}

/// What a new link is for its request. One that is to be compared counts only when that is done.
pub(super) async fn answers(connection: &mut Connection, link: &Link) -> Result<Answered> {
    if link.state != LinkState::Verifying {
        return answer(connection, link).await;
    }
    let intent = sqlx::query(sql::CONSENT)
        .bind(&link.consent.as_bytes()[..])
        .fetch_one(&mut *connection)
        .await?;
    let intent = IntentId::from_bytes(fixed(&intent, "intent")?);
    Ok(if may_begin(connection, intent).await? {
        Answered::Counted
    } else {
        Answered::Over
    })
}

/// Whether the partner has never been told of a link. The submission of one that is out of use before that has come to
/// nothing.
pub(super) async fn is_untold(connection: &mut Connection, id: LinkId, at: Timestamp) -> Result<bool> {
    let row = sqlx::query(sql::UNTOLD)
        .bind(&id.as_bytes()[..])
        .fetch_one(&mut *connection)
        .await?;
    if row.try_get::<i64, _>("untold")? == 0 {
        return Ok(false);
    }
    let attempt = AttemptId::from_bytes(fixed(&row, "attempt")?);
    if moved(&mut *connection, attempt, AttemptState::Undone, at).await? {
        attempt_failed(connection, attempt, "undone", at).await?;
    }
    Ok(true)
}

async fn state(connection: &mut Connection, id: LinkId) -> Result<Option<LinkState>> {
    let word: Option<String> = sqlx::query_scalar(sql::LINK_STATE)
        .bind(&id.as_bytes()[..])
        .fetch_optional(connection)
        .await?;
    word.map(|word| LinkState::read(&word)).transpose()
}
