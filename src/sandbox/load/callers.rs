//! The callers: each with its own connection and its own people.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::timeout;

use super::args::LoadArgs;
use super::journey::{Journey, TurnError};
use super::schedule::Schedule;
use super::tally::Tally;
use super::target::Target;
use crate::core::time::Rng;
use crate::http_client::persistent::PersistentConnection;

/// Between two tries to connect where nothing else slows them down.
const RECONNECT: Duration = Duration::from_millis(100);

/// What all callers share.
pub(super) struct Load<'a> {
    pub args: &'a LoadArgs,
    pub target: &'a Target,
    pub schedule: &'a Schedule,
    pub tally: &'a RefCell<Tally>,
    pub rng: &'a dyn Rng,
}

impl Load<'_> {
    /// All callers, until none has anything left to do.
    pub async fn all_callers(&self) {
        let callers = self.args.callers.min(self.args.people);
        // Not tasks: a future of this one is woken for less.
        let mut callers: FuturesUnordered<_> = (0..callers).map(|caller| self.caller(caller, callers)).collect();
        while callers.next().await.is_some() {}
    }

    /// One of so many callers. Its people are its own, so that nobody is in two dialogs at once.
    async fn caller(&self, caller: u32, callers: u32) {
        let mut connection = None;
        let mut person = caller;
        while self.journey(self.args.first + person, &mut connection).await {
            person += callers;
            if person >= self.args.people {
                if self.args.once {
                    return;
                }
                person = caller;
            }
        }
    }

    /// One journey, until its end or its first error; whether there is time for another.
    async fn journey(&self, person: u32, connection: &mut Option<PersistentConnection>) -> bool {
        let turns = usize::try_from(self.args.turns).unwrap_or(usize::MAX);
        let mut journey = Journey::begin(person, &self.args.code, turns, self.rng);
        for turn in 0..turns {
            let Some(due) = self.schedule.next_turn().await else {
                return false;
            };
            let answered = timeout(self.args.timeout(), self.turn(&mut journey, turn, connection)).await;
            let answered = answered.unwrap_or(Err(TurnError::Timeout));
            self.tally.borrow_mut().record(answered, due.elapsed());
            let Err(error) = answered else { continue };
            if matches!(error, TurnError::Timeout | TurnError::Lost) {
                *connection = None;
            }
            if error == TurnError::Connect && self.schedule.is_closed_loop() {
                tokio::time::sleep(RECONNECT).await;
            }
            break;
        }
        true
    }

    async fn turn(
        &self,
        journey: &mut Journey,
        turn: usize,
        connection: &mut Option<PersistentConnection>,
    ) -> Result<(), TurnError> {
        let target = self.target;
        let still_open = match connection {
            Some(connection) => connection.is_open().await,
            None => false,
        };
        if !still_open {
            *connection = PersistentConnection::open(target.address).await.ok();
        }
        let connection = connection.as_mut().ok_or(TurnError::Connect)?;
        let answer = connection
            .post_form(&target.host, &target.path, journey.form(turn))
            .await;
        let (status, body) = answer.map_err(|_| TurnError::Lost)?;
        journey.check(turn, status, &body)
    }
}
