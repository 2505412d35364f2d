//! The rules of an attempt: one submission of secrets to a provider, sent at most once.
//!
//! ```text
//! PENDING(owner, lease) --> SENT --> ACCEPTED | REFUSED | GRANTED --> LINKED
//!       |                    |
//!       | lease over         | lease over, timeout, reset
//!       v                    v
//!    EXPIRED: ask again   UNKNOWN --> any answer, late | LAPSED
//! ```
//!
//! Only the node that won the swap holds the last secret, in memory. It marks the attempt SENT in the store, then SENDING
//! in the records, before the first byte leaves; a node that cannot mark it in both does not send. PENDING past its lease is therefore harmless, SENT past
//! its lease is UNKNOWN (somebody may have sent), and no state leads back to sending. A connection that was refused is
//! tried once more by the same owner while it is SENT: nothing has left.
//!
//! The store may lose its last writes, and with them the mark. What it calls PENDING or EXPIRED may then have been sent
//! all the same; the records lose nothing and know better, and what they say (silence, a grant, a link) is taken in these
//! states too. What they call open, on the other hand, was never sent, whatever the store calls it: to settle it is to
//! close it there, in one write that only one of both wins, its owner before sending or whoever settles it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ids::{AttemptId, NodeId};
use super::linking::Step;
use super::time::Timestamp;

/// One submission, as kept in the live value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its id, also in the records.
    pub id: AttemptId,
    /// Which call it makes.
    pub step: Step,
    /// Where it stands.
    pub state: State,
    /// The node that holds the secret.
    pub owner: NodeId,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// Until when the owner may send, and be waited for. Outlives the provider's timeout.
    pub lease_until: Timestamp,
}

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Not sent yet; only the owner can.
    Pending,
    /// May be on its way.
    Sent,
    /// The provider took it and asks for more.
    Accepted,
    /// The provider said no, or it was never tried.
    Refused,
    /// The provider handed out a grant; it is being redeemed.
    Granted,
    /// The link is durable.
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
pub enum Event {
    /// This node is about to send it.
    Send(NodeId),
    /// The provider asks for more.
    Accept,
    /// An explicit no, or the owner gave up before anything left.
    Refuse,
    /// A grant.
    Grant,
    /// The link is durable.
    Link,
    /// A timeout or a reset.
    Silence,
    /// Time passed; the lease may be over.
    Tick,
    /// The search for it was given up.
    Lapse,
}

/// The move is not allowed; nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attempt that is {0:?} cannot take {1:?}")]
pub struct Illegal(pub State, pub Event);

impl State {
    /// Whether, for all the store can tell, the provider may have granted it.
    fn may_have_gone(self) -> bool {
        !matches!(self, Self::Accepted | Self::Refused | Self::Linked)
    }
}

impl Attempt {
    /// Makes the move, if it is allowed now.
    ///
    /// # Errors
    /// When it is not; the attempt is then unchanged.
    pub fn take(&mut self, event: Event, now: Timestamp) -> Result<State, Illegal> {
        let over = now > self.lease_until;
        let next = match (self.state, event) {
            (State::Pending, Event::Send(node)) if node == self.owner && !over => State::Sent,
            (State::Pending | State::Sent | State::Unknown, Event::Refuse) => State::Refused,
            (State::Sent | State::Unknown, Event::Accept) => State::Accepted,
            (State::Pending | State::Expired | State::Sent | State::Unknown, Event::Silence) => State::Unknown,
            (state, Event::Grant) if state.may_have_gone() => State::Granted,
            (state, Event::Link) if state.may_have_gone() => State::Linked,
            (State::Unknown | State::Sent | State::Granted, Event::Lapse) => State::Lapsed,
            (State::Pending, Event::Tick) if over => State::Expired,
            (State::Sent, Event::Tick) if over => State::Unknown,
            (state, Event::Tick) => state,
            (state, event) => return Err(Illegal(state, event)),
        };
        self.state = next;
        Ok(next)
    }

    /// Whether the person is waiting for it.
    pub fn in_flight(&self) -> bool {
        matches!(self.state, State::Pending | State::Sent | State::Granted)
    }
}

/// A login that was refused or went unanswered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The institution's id.
    pub institution: String,
    /// When.
    pub at: Timestamp,
}

/// How often a login may fail at one institution before we make the person wait: banks lock accounts.
const LOGIN_LIMITS: [(Duration, usize); 2] = [(Duration::from_mins(15), 2), (Duration::from_hours(24), 5)];

/// How many wrong codes one provider session takes.
pub const WRONG_CODES: u8 = 3;

/// How long refusals are remembered.
pub const REFUSAL_MEMORY: Duration = Duration::from_hours(24);

/// How long a person must wait before another login at an institution; `None` when they need not.
pub fn must_wait(refusals: &[Refusal], institution: &str, now: Timestamp) -> Option<Duration> {
    let mut times: Vec<_> = refusals
        .iter()
        .filter(|r| r.institution == institution)
        .map(|r| r.at)
        .collect();
    times.sort_unstable();
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

    fn attempt() -> Attempt {
        Attempt {
            id: AttemptId::from_bytes([1; 16]),
            step: Step::Login,
            state: State::Pending,
            owner: NodeId::from_bytes([1; 16]),
            begun_at: Timestamp::from_millis(0),
            lease_until: Timestamp::from_millis(1000),
        }
    }

    fn events() -> impl Strategy<Value = Event> {
        prop_oneof![
            (0u8..3).prop_map(|n| Event::Send(NodeId::from_bytes([n; 16]))),
            Just(Event::Accept),
            Just(Event::Refuse),
            Just(Event::Grant),
            Just(Event::Link),
            Just(Event::Silence),
            Just(Event::Tick),
            Just(Event::Lapse),
        ]
    }

    proptest! {
        /// Whatever happens in whatever order: only the owner sends, within its lease, once; a linked or refused attempt
        /// never moves, and an illegal move changes nothing.
        #[test]
        fn an_attempt_is_sent_once(steps in prop::collection::vec((events(), 0i64..2000), 0..40)) {
            let mut attempt = attempt();
            let mut sent = 0;
            for (event, at) in steps {
                let (before, now) = (attempt.state, Timestamp::from_millis(at));
                let moved = attempt.take(event, now);
                if let (Event::Send(node), Ok(_)) = (event, moved) {
                    prop_assert_eq!(before, State::Pending);
                    prop_assert_eq!(node, attempt.owner);
                    prop_assert!(at <= 1000);
                    sent += 1;
                }
                prop_assert!(sent <= 1);
                if moved.is_err() || matches!(before, State::Linked | State::Refused) {
                    prop_assert_eq!(attempt.state, before);
                }
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
            let wait = must_wait(&at(&refusals), "bank", minute(now)).map(|wait| wait.as_secs() / 60);
            assert_eq!(wait, want, "{refusals:?} at {now}");
            assert_eq!(must_wait(&at(&refusals), "other", minute(now)), None);
        }
    }
}
