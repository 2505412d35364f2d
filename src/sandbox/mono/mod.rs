//! A stand-in for Mono's Partners API: the same calls in both versions over real HTTP, with invented banks.
//!
//! It is a dialect of the [bank](super::bank): only its routes and the shapes of its answers are here. It follows what Mono
//! documents and what public clients rely on; where sources are silent or disagree, the behaviour is a switch
//! ([`MonoOptions`]). What happens is chosen in three ways: by the institution, because each has its own form and speed; by
//! what is typed ([`guide()`]), which works on any phone; and by the switches, in process through [`Bank`] or over HTTP at
//! `/__stand-in/…`.
//!
//! Our own choices, where nothing is published: an account exists as soon as a login ends in 99, and `GET /v2/accounts`
//! lists it from then on (or from the exchange, by switch); its `meta.session_id` is the session; a session accepts logins
//! until one is granted; three wrong codes end it; a caller that disconnects after its whole body has arrived does not stop
//! the login. Linking one bank account twice gives two account ids, as documented.
//!
//! The [`CallLog`] records what really happened, and tests compare it with what the product believes.

use std::collections::HashMap;

use super::bank::customers::BankAccount;
use super::bank::guide::{self, GuideRow};
use super::bank::institutions::StandInInstitution;
use super::bank::memory::StandInAccount;
use super::bank::webhooks::{AccountEvent, OutgoingWebhook};
use super::bank::{
    Bank, BankCallLog, BankMemory, BankSwitches, CallRequest, Challenge, DataStatus, Dialect, HttpDialect,
    StandInSettings, call_log, nigeria,
};
use super::stand_in::RunningStandIn;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

mod accounts;
mod answer;
mod forms;
mod institutions;
mod linking;
mod routes;
mod sessions;
mod switches;
mod webhooks;

pub use routes::{MonoCall, MonoVersion};
pub use switches::{AccountSession, AccountVisibility, ExchangeShape, ListShape, MonoOptions, ReauthMode};
pub use webhooks::WebhookOverrides;

/// The default key.
pub const KEY: &str = "test_sk_standin";
/// The application id that the first version needs.
pub const APP: &str = "6a5eed0000000000000000d1";
/// The default secret of its webhooks.
pub const WEBHOOK_SECRET: &str = "stand-in-webhook-secret";

pub struct MonoDialect {
    /// The accepted values of `mono-sec-key`. Each is a separate business, which does not see the accounts of another.
    pub keys: Vec<Secret>,
    /// The header `mono-webhook-secret` of its webhooks.
    pub webhook_secret: Secret,
}

impl Default for MonoDialect {
    fn default() -> Self {
        Self {
            keys: vec![Secret::new(KEY)],
            webhook_secret: Secret::new(WEBHOOK_SECRET),
        }
    }
}

pub type RunningMono = RunningStandIn<Bank<MonoDialect>>;
pub type MonoStandInSettings = StandInSettings<MonoDialect>;
pub type MonoSwitches = BankSwitches<MonoDialect>;
pub type CallLog = BankCallLog<MonoDialect>;
pub type SubmitEntry = call_log::SubmitEntry<MonoCall, MonoVersion>;
type MonoMemory = BankMemory<MonoDialect>;

#[derive(Debug, Default)]
pub struct MonoRenewals {
    /// Sessions that renew an account, by the session the account was linked in.
    renewals: HashMap<String, String>,
    /// Accounts to renew, by the token that the first version hands out for it.
    tokens: HashMap<String, String>,
}

impl Dialect for MonoDialect {
    type Call = MonoCall;
    type Version = MonoVersion;
    type Switches = MonoOptions;
    type Memory = MonoRenewals;

    const INSTITUTIONS: &'static [StandInInstitution] = nigeria::INSTITUTIONS;

    fn session_id(memory: &MonoMemory, request: &CallRequest<Self>) -> Option<String> {
        let id = request.session.as_ref()?;
        let session = memory.sessions.get(id);
        let renews = session.is_some_and(|session| session.reauth_of.is_some());
        match request.call {
            MonoCall::ReauthLogin if !renews => memory.own.renewals.get(id).cloned(),
            MonoCall::Login if renews && request.version == MonoVersion::V2 => None,
            _ => Some(id.clone()),
        }
    }

    fn institution_of(request: &CallRequest<Self>) -> Option<&'static StandInInstitution> {
        let id = request
            .text("institution")
            .filter(|_| request.call == MonoCall::Session)?;
        Self::INSTITUTIONS.iter().find(|institution| institution.id == id)
    }

    fn answer_field(challenge: Challenge, version: MonoVersion) -> &'static str {
        match (challenge, version) {
            (Challenge::Otp, _) => "otp",
            (Challenge::Question, _) => "answer",
            (Challenge::Picture, _) => "captcha",
            (Challenge::Choose, MonoVersion::V1) => "account",
            (Challenge::Choose, MonoVersion::V2) => "accountNumber",
            (Challenge::Approve(..), _) => "",
        }
    }

    /// The first version names an account by its index, the second by its number.
    fn chosen(switches: &MonoSwitches, version: MonoVersion, accounts: &[BankAccount], value: &str) -> Option<usize> {
        match version {
            MonoVersion::V1 => {
                let index = value.parse::<u64>().ok()?.checked_sub(switches.own.first_index)?;
                usize::try_from(index).ok()
            }
            MonoVersion::V2 => accounts.iter().position(|account| account.number == value),
        }
    }

    fn webhook(
        bank: &Bank<Self>,
        account: &StandInAccount,
        event: AccountEvent,
        at: Timestamp,
        status: DataStatus,
    ) -> Option<OutgoingWebhook> {
        Some(bank.account_event(account, webhooks::event_name(event), at, status))
    }
}

/// The magic words, with Mono's response codes.
pub fn guide() -> Vec<GuideRow> {
    guide::guide::<MonoDialect>(&MonoDialect::GUIDE_PATH)
}

#[cfg(test)]
mod tests {
    use super::super::bank::guide::InputPlace;
    use super::guide;

    /// People read the guide: the path that it describes must be the real one.
    #[test]
    fn the_guide_describes_the_path() {
        for (typed, path) in [
            ("one", "99"),
            ("many-otp", "101 → 102 → 99"),
            ("slow", "99 after 20 s"),
            ("endless", "102 → 102 → 102 → … → 99"),
            ("html", "99, HTTP 502 and HTML"),
            ("otp-expire", "102 → session over"),
        ] {
            let row = guide()
                .into_iter()
                .find(|row| row.typed == typed && row.place == InputPlace::Name);
            assert_eq!(row.map(|row| row.path).as_deref(), Some(path), "{typed}");
        }
    }
}
