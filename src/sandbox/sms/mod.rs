//! A stand-in for an SMS gateway: Africa's Talking's messaging API over real HTTP, with an inbox for each phone number.
//!
//! It accepts SMS as the original does, keeps them in the inboxes, and calls back in the original's forms: with delivery
//! reports, and with the SMS that "people" send. Inboxes are bounded: the oldest messages are dropped, and so are the
//! numbers that have received nothing for the longest time. [`SmsSwitches`] choose what goes wrong, in process or over HTTP
//! (a `POST` replaces all of them: those left out go back to their defaults). The phone page and tests read the inboxes.

use std::io;
use std::sync::Arc;

use super::stand_in::{RunningStandIn, StandInCore};
use crate::core::secret::Secret;
use crate::core::time::{Clock, Rng};

mod callbacks;
pub mod page;
mod routes;
mod state;

pub use state::{DeliveryReports, InboxSms, SmsDelivery, SmsFailure, SmsState, SmsSwitches};

pub struct SmsStandInSettings {
    /// The user name and the key that it accepts.
    pub username: String,
    pub key: Secret,
    /// The short code that people send SMS to.
    pub number: String,
}

pub struct SmsStandIn;

impl SmsStandIn {
    /// Starts it; it accepts connections when this returns.
    ///
    /// # Errors
    /// When there is no free port or a thread cannot be started.
    pub fn start(settings: SmsStandInSettings, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> io::Result<RunningSms> {
        let (core, queued) = StandInCore::new(state::SmsMemory::default(), clock, rng);
        let state = SmsState { settings, core };
        RunningSms::start("sms-stand-in", 0, state, routes::configure, |state| {
            callbacks::deliver(state, queued)
        })
    }
}

pub type RunningSms = RunningStandIn<SmsState>;
