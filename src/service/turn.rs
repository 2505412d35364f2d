//! One turn from end to end: parse, admit, load, step, swap, effects, reply.
//!
//! A turn comes by USSD (`ussd`) or by SMS (`sms`); both make one `TurnRequest` of it, and one loop
//! (`round`) serves it. The web server runs a whole turn as a tracked task on the main runtime: it would drop a handler when
//! the caller disconnects, and what a person has submitted must not stop half-way because a gateway gave up.
//!
//! Effects run only for the winner of the swap; the loser reads again and finds itself a repeat, or steps again. A turn that
//! submitted something has a pending reply, which is set exactly once: by the outcome, or at the end of the budget by the poll
//! screen. Every repeat of the turn gets exactly what was set.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::admission::TurnLimiter;
use super::catalogue::Catalogue;
use super::channel::Channel;
use super::deps::Deps;
use super::effects::runner::EffectRunner;
use super::facts_reader::FactsReader;
use super::flow_in_force::FlowInForce;
use super::live::{LiveError, LiveValues};
use super::metrics::Metrics;
use super::wakeups::Wakeups;
use crate::core::seal::Keyring;
use crate::http_client::HttpClient;
use crate::records::RecordsError;
use crate::store::StoreError;

mod carrier;
mod round;
pub mod sms;
pub mod ussd;
mod wait;

pub struct TurnRunner {
    pub flow: FlowInForce,
    pub live: LiveValues,
    pub facts: FactsReader,
    pub catalogue: Arc<Catalogue>,
    pub attempts: Arc<EffectRunner>,
    /// Names people and dialogs.
    pub keyring: Arc<Keyring>,
    pub runtime: Deps,
    /// Wakes turns that wait in this process.
    pub wakes: Wakeups,
    /// Cancelled when this process is about to end: no turn waits for a provider any longer.
    pub shutdown: CancellationToken,
    pub metrics: Arc<Metrics>,
    pub channels: Vec<Arc<Channel>>,
    /// How many turns are served.
    pub gate: TurnLimiter,
    /// For the calls of gateways' carriers.
    pub http: HttpClient,
}

/// A [`TurnRunner`] used by its handle.
#[derive(Clone)]
pub struct TurnHandle(pub Arc<TurnRunner>);

/// Why a turn could not be served.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    #[error(transparent)]
    Live(#[from] LiveError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error("out of time")]
    Timeout,
}

impl TurnRunner {
    /// Of a turn's number: it is compared with a dozen others, so eight bytes are plenty.
    fn short_digest(&self, id: &str) -> u64 {
        let digest = self.keyring.digest("turn", &[id.as_bytes()]);
        digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
    }
}
