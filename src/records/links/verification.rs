//! Links that are in use from the moment that their account was compared with the one that is expected, or never.

use sqlx::{query, query_as, query_scalar};

use super::attempts::move_to_failure;
use super::ending::ending_jobs_of;
use super::intents::{IntentProgress, count_link, end_mismatched, may_begin};
use super::jobs::add_jobs;
use super::links::{is_superseded, move_link};
use super::outbox::{attempt_failed, final_no, intent_over, link_created};
use super::{Backend, Connection};
use crate::core::ids::{AttemptId, LinkId};
use crate::core::time::Timestamp;
use crate::records::{
    AttemptState, IntentState, Job, Link, LinkState, LinkVerification, RecordsError, Result, VerificationOutcome,
};

impl Backend {
    /// See [`crate::records::LinkRecords::verify_link`].
    pub(super) async fn verify(
        &self,
        link: &Link,
        verification: &LinkVerification<'_>,
        at: Timestamp,
    ) -> Result<VerificationOutcome> {
        // Nobody begins anything new for this person meanwhile.
        self.transaction_about(link.tag.as_bytes(), async |tx| {
            let state = query_scalar("SELECT state FROM links WHERE id = $1").bind(link.id);
            if state.fetch_optional(&mut *tx).await? != Some(LinkState::Verifying) {
                return Ok(VerificationOutcome::AlreadySettled);
            }
            let outcome = decide(tx, link, verification, at).await?;
            if outcome != VerificationOutcome::Linked {
                let unlink = std::slice::from_ref(verification.unlink);
                move_link(tx, link.id, LinkState::Removing, unlink, at).await?;
            }
            Ok(outcome)
        })
        .await
    }

    /// See [`crate::records::LinkRecords::undo_link`].
    pub(super) async fn undo(&self, link: &Link, to: AttemptState, jobs: &[Job], at: Timestamp) -> Result<bool> {
        let reason = final_no(to).ok_or_else(|| RecordsError::new("an attempt is not undone like that"))?;
        self.transaction(async |tx| {
            // Before the link is: the attempt of one that nobody was told of ends with it, for want of another reason.
            let undoing = query(
                "UPDATE attempts SET state = $2, moved_at = $3, sealed_grant = NULL, exchanged = NULL, returned = NULL \
                 WHERE id = $1 AND state IN ('granted', 'linked') AND EXISTS (SELECT 1 FROM links WHERE id = $4 \
                 AND state IN ('verifying', 'active', 'reauth_required'))",
            );
            let undoing = undoing.bind(link.attempt).bind(to).bind(at).bind(link.id);
            if undoing.execute(&mut *tx).await?.rows_affected() > 0 {
                attempt_failed(tx, link.attempt, reason, at).await?;
            }
            move_link(tx, link.id, LinkState::Removing, jobs, at).await
        })
        .await
    }
}

/// What becomes of a link, with everything that the partner is told of it.
async fn decide(
    tx: &mut Connection,
    link: &Link,
    verification: &LinkVerification<'_>,
    at: Timestamp,
) -> Result<VerificationOutcome> {
    if !verification.matches {
        move_to_failure(tx, link.attempt, AttemptState::Undone, "mismatched", at).await?;
        if let Some(intent) = end_mismatched(tx, link, at).await? {
            intent_over(tx, (link.partner, intent), IntentState::Mismatched, None, at).await?;
        }
        return Ok(VerificationOutcome::Mismatched);
    }
    if is_superseded(tx, link).await? {
        return Ok(VerificationOutcome::Superseded);
    }
    let link = Link {
        state: LinkState::Active,
        created_at: at,
        ..link.clone()
    };
    let answered = count_link(tx, &link).await?;
    if answered == IntentProgress::Closed {
        return Ok(VerificationOutcome::IntentClosed);
    }
    query(
        "UPDATE links SET state = 'active', unannounced = FALSE, moved_at = $2 \
         WHERE id = $1 AND state = 'verifying'",
    )
    .bind(link.id)
    .bind(at)
    .execute(&mut *tx)
    .await?;
    add_jobs(tx, verification.follow_up).await?;
    take_into_use(tx, &link, answered).await?;
    Ok(VerificationOutcome::Linked)
}

/// Settles the submission of a link that is in use from now on, and tells the partner of both it and its intent.
pub(super) async fn take_into_use(tx: &mut Connection, link: &Link, answered: IntentProgress) -> Result<()> {
    // The link is durable, so its attempt is `Linked`, whatever was thought before; only what was undone stays undone.
    query(
        "UPDATE attempts SET state = CASE WHEN state IN ('undone', 'other_account') THEN state ELSE 'linked' END, sealed_grant = NULL, exchanged = NULL, \
         returned = NULL, moved_at = $2 WHERE id = $1",
    )
    .bind(link.attempt)
    .bind(link.created_at)
    .execute(&mut *tx)
    .await?;
    add_jobs(tx, &ending_jobs_of(link)).await?;
    link_created(tx, link).await?;
    if let IntentProgress::Completed(intent) = answered {
        let (which, state) = ((link.partner, intent), IntentState::Completed);
        intent_over(tx, which, state, Some(link.id), link.created_at).await?;
    }
    Ok(())
}

/// What a new link is for its intent. One that is to be compared counts only when that is done.
pub(super) async fn answer_of(tx: &mut Connection, link: &Link) -> Result<IntentProgress> {
    if link.state != LinkState::Verifying {
        return count_link(tx, link).await;
    }
    let intent = query_scalar("SELECT intent FROM consents WHERE id = $1").bind(link.consent);
    let intent = intent.fetch_one(&mut *tx).await?;
    Ok(if may_begin(tx, intent).await? {
        IntentProgress::Counted
    } else {
        IntentProgress::Closed
    })
}

/// Whether the partner has never been told of a link. The submission of one that is out of use before that has come to
/// nothing.
pub(super) async fn is_unannounced(tx: &mut Connection, id: LinkId, at: Timestamp) -> Result<bool> {
    let link = query_as("SELECT unannounced, attempt FROM links WHERE id = $1").bind(id);
    let (unannounced, attempt): (bool, AttemptId) = link.fetch_one(&mut *tx).await?;
    if unannounced {
        move_to_failure(tx, attempt, AttemptState::Undone, "undone", at).await?;
    }
    Ok(unannounced)
}
