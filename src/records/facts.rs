//! What the conversation wants to know of a person, out of the rows that a backend found.

use std::time::Duration;

use super::{Attempt, AttemptState, Link, SubscriberHistory};
use crate::core::pin::Pin;
use crate::core::time::Timestamp;
use crate::providers::SubmissionStep;

/// How far back refused and unknown logins are told of.
pub(super) const REFUSALS_WINDOW: Duration = Duration::from_hours(24);

/// Sorts the attempts a backend found, newest first, the live links and the code into what the conversation wants to know.
pub(super) fn facts_of(
    attempts: Vec<Attempt>,
    links: Vec<Link>,
    pin: Option<Pin>,
    since: Timestamp,
) -> SubscriberHistory {
    let got_somewhere = |state| {
        matches!(
            state,
            AttemptState::Accepted | AttemptState::Granted | AttemptState::Linked
        )
    };
    let counts = |attempt: &&Attempt| {
        attempt.step == SubmissionStep::Login
            && attempt.created_at > since
            && matches!(
                attempt.state,
                AttemptState::Refused | AttemptState::Sending | AttemptState::Unknown | AttemptState::Lapsed
            )
    };
    SubscriberHistory {
        links,
        pin,
        last_institution: attempts
            .iter()
            .find(|attempt| got_somewhere(attempt.state))
            .map(|attempt| (attempt.institution.clone(), attempt.provider.clone())),
        failed_logins: attempts
            .iter()
            .filter(counts)
            .map(|attempt| (attempt.institution.clone(), attempt.created_at))
            .collect(),
        pending_attempt: attempts.into_iter().next().filter(|attempt| attempt.state.is_pending()),
    }
}
