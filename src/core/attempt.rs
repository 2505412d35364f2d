//! The rules of an attempt: one submission of secrets to a provider, sent at most once.
//!
//! ```text
//! PENDING(owner, lease) --> SENT --> ACCEPTED | REFUSED | GRANTED --> LINKED
//!       |                    |
//!       | lease over         | lease over, timeout, reset
//!       v                    v
//!    EXPIRED: ask again   UNKNOWN --> any answer, late | LAPSED
//!
//! SENT | UNKNOWN | opening a session --> WAITING(until) --> ACCEPTED | REFUSED | GRANTED | LAPSED
//! ```
//!
//! Only the node that won the swap holds the last secret, in memory. It marks the attempt SENT in the store, then SENDING
//! in the records, before the first byte leaves; a node that cannot mark it in both does not send. PENDING past its lease is therefore harmless, SENT past
//! its lease is UNKNOWN (somebody may have sent), and no state leads back to sending. A connection that was refused is
//! tried once more by the same owner while it is SENT: nothing has left.
//!
//! WAITING has left our hands: the provider goes on without a secret, and may be asked how far it is at any time, by
//! anyone. It has no owner and no lease to send under, and nothing leads from it to SENT nor to UNKNOWN; past its end it is
//! asked once more.
//!
//! The store may lose its last writes, and with them the mark. What it calls PENDING or EXPIRED may then have been sent
//! all the same; the records lose nothing and know better, and what they say (silence, a grant, a link) is taken in these
//! states too. What they call open, on the other hand, was never sent, whatever the store calls it: to settle it is to
//! close it there, in one write that only one of both wins, its owner before sending, or the job that settles it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ids::{AttemptId, NodeId};
use super::linking::SubmissionStep;
use super::time::Timestamp;

/// One submission, as kept in the live value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveAttempt {
    /// The same id as in the records.
    pub id: AttemptId,
    pub step: SubmissionStep,
    pub state: LiveAttemptState,
    /// The node that holds the secret.
    pub owner: NodeId,
    pub begun_at: Timestamp,
    /// Until when the owner may send, and be waited for. Outlives the provider's timeout. Of one that waits: until when the
    /// provider goes on by itself.
    pub lease_until: Timestamp,
}

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LiveAttemptState {
    /// Not sent yet; only the owner can.
    Pending,
    /// May be on its way.
    Sent,
    /// The provider took it and asks for more.
    Accepted,
    /// The provider said no, or it was never tried.
    Refused,
    /// The provider goes on without a secret: a page to open, something to approve elsewhere, or only time to pass.
    Waiting,
    /// The provider handed out a grant; it is being redeemed.
    Granted,
    Linked,
    /// The owner never sent it: ask again.
    Expired,
    /// Nobody knows.
    Unknown,
    /// It was looked for long enough.
    Lapsed,
}

/// What can happen to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEvent {
    /// This node is about to send it.
    Send(NodeId),
    Accept,
    /// The provider goes on without a secret, until then.
    Wait(Timestamp),
    /// An explicit no, or the owner gave up before anything left.
    Refuse,
    Grant,
    Link,
    /// A timeout or a reset.
    NoAnswer,
    /// Time passed; the lease may be over.
    Tick,
    /// The search for it was given up.
    Lapse,
}

/// The transition is not allowed; nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attempt that is {0:?} cannot take {1:?}")]
pub struct IllegalTransition(pub LiveAttemptState, pub AttemptEvent);

impl LiveAttemptState {
    /// Whether, for all the store can tell, the provider may have granted it.
    fn may_have_been_granted(self) -> bool {
        !matches!(self, Self::Accepted | Self::Refused | Self::Linked)
    }

    /// Whether, for all the store can tell, the provider may go on by itself.
    fn may_wait(self) -> bool {
        self.may_have_been_granted() && !matches!(self, Self::Granted | Self::Lapsed)
    }
}

impl LiveAttempt {
    /// Applies the event, if that is allowed now.
    ///
    /// # Errors
    /// When it is not; the attempt is then unchanged.
    pub fn apply(&mut self, event: AttemptEvent, now: Timestamp) -> Result<LiveAttemptState, IllegalTransition> {
        let over = now > self.lease_until;
        let next = match (self.state, event) {
            (LiveAttemptState::Pending, AttemptEvent::Send(node)) if node == self.owner && !over => {
                LiveAttemptState::Sent
            }
            (
                LiveAttemptState::Pending
                | LiveAttemptState::Sent
                | LiveAttemptState::Unknown
                | LiveAttemptState::Waiting,
                AttemptEvent::Refuse,
            ) => LiveAttemptState::Refused,
            (LiveAttemptState::Sent | LiveAttemptState::Unknown | LiveAttemptState::Waiting, AttemptEvent::Accept) => {
                LiveAttemptState::Accepted
            }
            (state, AttemptEvent::Wait(until)) if state.may_wait() => {
                self.lease_until = until;
                LiveAttemptState::Waiting
            }
            (
                LiveAttemptState::Pending
                | LiveAttemptState::Expired
                | LiveAttemptState::Sent
                | LiveAttemptState::Unknown,
                AttemptEvent::NoAnswer,
            ) => LiveAttemptState::Unknown,
            (state, AttemptEvent::Grant) if state.may_have_been_granted() => LiveAttemptState::Granted,
            (state, AttemptEvent::Link) if state.may_have_been_granted() => LiveAttemptState::Linked,
            (
                LiveAttemptState::Unknown
                | LiveAttemptState::Sent
                | LiveAttemptState::Waiting
                | LiveAttemptState::Granted,
                AttemptEvent::Lapse,
            ) => LiveAttemptState::Lapsed,
            (LiveAttemptState::Pending, AttemptEvent::Tick) if over => LiveAttemptState::Expired,
            (LiveAttemptState::Sent, AttemptEvent::Tick) if over => LiveAttemptState::Unknown,
            (state, AttemptEvent::Tick) => state,
            (state, event) => return Err(IllegalTransition(state, event)),
        };
        self.state = next;
        Ok(next)
    }

    /// Whether it may have been sent and still come to something, so that no other login may be tried at its institution.
    pub fn is_unresolved(&self) -> bool {
        self.in_flight() || self.state == LiveAttemptState::Unknown
    }

    /// Whether the person is waiting for it.
    pub fn in_flight(&self) -> bool {
        matches!(
            self.state,
            LiveAttemptState::Pending | LiveAttemptState::Sent | LiveAttemptState::Waiting | LiveAttemptState::Granted
        )
    }
}

/// What a person was told of an attempt, on a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldOutcome {
    Linked,
    NotLinked,
}

/// A login that was refused or went unanswered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Where, by [`Institution::provider_id`](super::linking::Institution::provider_id).
    pub institution: String,
    pub at: Timestamp,
}

/// How often a login may fail at one institution before we make the person wait: banks lock accounts.
const LOGIN_LIMITS: [(Duration, usize); 2] = [(Duration::from_mins(15), 2), (Duration::from_hours(24), 5)];

/// How many wrong codes one provider session takes.
pub const WRONG_CODES: u8 = 3;

/// How long refusals are remembered.
pub const REFUSAL_MEMORY: Duration = Duration::from_hours(24);

/// When the logins at an institution that count against its limits were, the oldest first.
fn login_times(refusals: &[Refusal], institution: &str) -> Vec<Timestamp> {
    let here = refusals.iter().filter(|r| r.institution == institution);
    let mut times: Vec<_> = here.map(|r| r.at).collect();
    times.sort_unstable();
    times
}

/// How many logins at an institution may still fail before the person must wait: none where they must.
pub fn logins_left(refusals: &[Refusal], institution: &str, now: Timestamp) -> usize {
    let times = login_times(refusals, institution);
    let left = LOGIN_LIMITS.iter().map(|&(window, most)| {
        let counted = times.iter().filter(|at| at.plus(window) > now).count();
        most.saturating_sub(counted)
    });
    left.min().unwrap_or_default()
}

/// How long a person must wait before another login at an institution, by its id at the provider; `None` when they need not.
pub fn login_wait(refusals: &[Refusal], institution: &str, now: Timestamp) -> Option<Duration> {
    let times = login_times(refusals, institution);
    LOGIN_LIMITS
        .iter()
        .filter_map(|&(window, most)| {
            let oldest = *times.iter().rev().nth(most - 1)?;
            let free_at = oldest.plus(window);
            (free_at > now).then(|| free_at.since(now))
        })
        .max()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attempt() -> LiveAttempt {
        LiveAttempt {
            id: AttemptId::from_bytes([1; 16]),
            step: SubmissionStep::Login,
            state: LiveAttemptState::Pending,
            owner: NodeId::from_bytes([1; 16]),
            begun_at: Timestamp::from_millis(0),
            lease_until: Timestamp::from_millis(1000),
        }
    }

    fn events() -> impl Strategy<Value = AttemptEvent> {
        prop_oneof![
            (0u8..3).prop_map(|n| AttemptEvent::Send(NodeId::from_bytes([n; 16]))),
            Just(AttemptEvent::Accept),
            (0i64..3000).prop_map(|end| AttemptEvent::Wait(Timestamp::from_millis(end))),
            Just(AttemptEvent::Refuse),
            Just(AttemptEvent::Grant),
            Just(AttemptEvent::Link),
            Just(AttemptEvent::NoAnswer),
            Just(AttemptEvent::Tick),
            Just(AttemptEvent::Lapse),
        ]
    }

    proptest! {
        /// Whatever happens in whatever order: only the owner sends, within its lease, once, and never what waits; nothing
        /// leads from waiting to sending or to not knowing; a linked or refused attempt never moves, and an illegal move
        /// changes nothing.
        #[test]
        fn an_attempt_is_sent_once(steps in prop::collection::vec((events(), 0i64..2000), 0..40)) {
            let mut attempt = attempt();
            let (mut sent, mut waited) = (0, false);
            for (event, at) in steps {
                let (was, now) = (attempt.clone(), Timestamp::from_millis(at));
                let before = was.state;
                let moved = attempt.apply(event, now);
                if let (AttemptEvent::Send(node), Ok(_)) = (event, moved) {
                    prop_assert_eq!(before, LiveAttemptState::Pending);
                    prop_assert_eq!(node, attempt.owner);
                    prop_assert!(at <= 1000);
                    sent += 1;
                }
                prop_assert!(sent <= 1);
                if moved.is_err() || matches!(before, LiveAttemptState::Linked | LiveAttemptState::Refused) {
                    prop_assert_eq!(&attempt, &was);
                }
                waited |= attempt.state == LiveAttemptState::Waiting;
                let lost = [LiveAttemptState::Pending, LiveAttemptState::Sent, LiveAttemptState::Unknown];
                prop_assert!(!waited || !lost.contains(&attempt.state));
                prop_assert!(attempt.lease_until == was.lease_until || matches!((event, moved), (AttemptEvent::Wait(_), Ok(_))));
            }
        }
    }

    /// Two refusals in a quarter of an hour, or five in a day, make a person wait; another bank is not concerned.
    #[test]
    fn refused_logins_make_a_person_wait() {
        let minute = |n: i64| Timestamp::from_millis(n * 60_000);
        let at = |minutes: &[i64]| -> Vec<Refusal> {
            minutes
                .iter()
                .map(|&n| Refusal {
                    institution: "bank".to_owned(),
                    at: minute(n),
                })
                .collect()
        };
        for (refusals, now, want) in [
            (vec![], 0, None),
            (vec![0], 1, None),
            (vec![0, 5], 6, Some(9)),
            (vec![0, 5], 15, None),
            (vec![0, 100, 200, 300, 400], 500, Some(24 * 60 - 500)),
            (vec![0, 100, 200, 300, 400], 24 * 60, None),
        ] {
            let wait = login_wait(&at(&refusals), "bank", minute(now)).map(|wait| wait.as_secs() / 60);
            assert_eq!(wait, want, "{refusals:?} at {now}");
            assert_eq!(login_wait(&at(&refusals), "other", minute(now)), None);
            let left = logins_left(&at(&refusals), "bank", minute(now));
            assert_eq!(left == 0, want.is_some(), "{refusals:?} at {now}: {left} left");
            assert_eq!(logins_left(&at(&refusals), "other", minute(now)), 2);
        }
    }
}
