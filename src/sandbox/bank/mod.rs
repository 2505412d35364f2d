//! What all banks have, whatever provider speaks to them. A provider's stand-in is a [`Dialect`] of this bank: its routes and
//! the shapes of its answers, and nothing else.
//!
//! A dialect gets from here
//!
//! * **people and their accounts**, computed from the institution and the name typed, the same on every try ([`customers`]);
//! * **institutions** with their forms and their speed ([`institutions`]), and a list of them for Nigeria ([`nigeria`]);
//! * **what is typed decides** what happens: the [magic words](magic_words), whose table is also the guide for people
//!   ([`guide`]), one-time codes, answers, wrong passwords, and the rules (`login_rules`) by which they apply;
//! * **sessions, codes and accounts**: [`Bank::open`], [`Bank::submit`], [`Bank::redeem`], [`Bank::renew`], [`Bank::unlink`];
//!   a submission leads to a [`BankStep`], which the dialect says in its own words;
//! * **[approvals]** on the bank's page or in its app, pending until the person or the clock decides: [`Bank::poll`] goes on
//!   with a login that waits for one, [`Bank::ask_approval`] asks for one that belongs to no login;
//! * **troubles and latency** of a kind of call, of an institution, or of the word typed ([`failures`]);
//! * **[switches]**, to which the dialect adds its own, and the control API over HTTP ([`server`]);
//! * the **[call log]** of what really happened, which tests compare with what the product believes;
//! * **webhooks**: when they are due, in which order, how often, and their delivery ([`webhooks`]). The dialect writes them.
//!
//! There are two ways to use it. A stand-in implements [`HttpDialect`] and is started by [`start`]: a web server on a thread
//! of its own, which the real client of the provider talks to. A test double implements [`Dialect`] alone, keeps a [`Bank`],
//! and calls it in process with [`Bank::call`].
//!
//! A dialect works on the locked memory: every call is one step under the lock, whose methods on [`Bank`] take it as an
//! argument.
//!
//! [call log]: call_log

use std::net::SocketAddr;
use std::sync::{Arc, MutexGuard};

use serde_json::{Map, Value};
use tokio::sync::mpsc::UnboundedReceiver;

use super::stand_in::{RunningStandIn, StandInCore};
use crate::core::time::{Clock, Rng, Timestamp};

pub mod answer;
mod approval_page;
pub mod approvals;
pub mod call_log;
pub mod calls;
pub mod customers;
pub mod dialect;
pub mod failures;
pub mod guide;
pub mod institutions;
pub mod linking;
mod login_rules;
pub mod magic_words;
pub mod memory;
pub mod nigeria;
pub mod scenario;
pub mod server;
pub mod switches;
pub mod webhooks;

pub use approvals::{Approval, ApprovalHabit, ApprovalState, ApprovalWay};
pub use call_log::{AccountEntry, CallLog, SubmitOutcome};
pub use customers::sha256_hex;
pub use dialect::{CallClass, CallKind, CallRequest, Dialect};
pub use failures::{BankFailure, DelayRange, FailureRule, Latency};
pub use guide::{GuideRow, InputPlace};
pub use institutions::{FormElement, LoginMethod, StandInInstitution};
pub use linking::{BankStep, RedeemError};
pub use magic_words::{ANSWERS, OTP};
pub use memory::BankMemory;
pub use scenario::{Challenge, RefusalReason};
pub use server::{HttpDialect, StandInSettings, start};
pub use switches::{DataStatus, NoSwitches, Switches, WebhookMode};
pub use webhooks::WebhookBatch;

/// The switches of a dialect's bank.
pub type BankSwitches<D> = Switches<<D as Dialect>::Call, <D as Dialect>::Switches>;
/// The call log of a dialect's bank.
pub type BankCallLog<D> = CallLog<<D as Dialect>::Call, <D as Dialect>::Version>;

/// A dialect and the bank behind it, shared by its server and the code that started it.
pub struct Bank<D: Dialect> {
    pub dialect: D,
    core: StandInCore<BankMemory<D>, WebhookBatch>,
}

impl<D: Dialect> Bank<D> {
    /// A bank, and the webhooks that it will want to send.
    pub fn new(
        dialect: D,
        switches: BankSwitches<D>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> (Self, UnboundedReceiver<WebhookBatch>) {
        let (core, batches) = StandInCore::new(BankMemory::new(switches), clock, rng);
        (Self { dialect, core }, batches)
    }

    pub fn lock(&self) -> MutexGuard<'_, BankMemory<D>> {
        self.core.lock()
    }

    pub fn now(&self) -> Timestamp {
        self.core.now()
    }

    /// 24 hexadecimal digits.
    pub fn generate_id(&self) -> String {
        self.core.generate_hex(24)
    }

    pub fn switches(&self) -> BankSwitches<D> {
        self.lock().switches.clone()
    }

    /// Changes the switches that are named, by their JSON names; `null` takes one institution's away.
    ///
    /// # Errors
    /// When a name, a value or a magic word is not known; nothing is changed then.
    pub fn change(&self, changes: Map<String, Value>) -> Result<(), String> {
        let mut memory = self.lock();
        memory.switches = memory.switches.changed(changes, D::APPROVALS)?;
        Ok(())
    }

    pub fn set_switches(&self, switches: BankSwitches<D>) {
        self.lock().switches = switches;
    }

    /// Sends webhooks to this address from now on.
    pub fn send_webhooks_to(&self, url: &str) {
        self.lock().switches.webhook_url = Some(url.to_owned());
    }

    pub fn call_log(&self) -> BankCallLog<D> {
        self.lock().call_log.clone()
    }
}

/// A provider's stand-in of any dialect, for the code that starts them all.
pub trait ProviderStandIn: Send {
    fn address(&self) -> SocketAddr;

    fn send_webhooks_to(&self, url: &str);
}

impl<D: Dialect> ProviderStandIn for RunningStandIn<Bank<D>> {
    fn address(&self) -> SocketAddr {
        self.addr
    }

    fn send_webhooks_to(&self, url: &str) {
        self.state.send_webhooks_to(url);
    }
}
