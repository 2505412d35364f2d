//! What the conversation and the providers both speak of: institutions, sessions, submissions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bank_names::BUSINESS_SIDE;
use super::next_step::Form;
use super::time::Timestamp;

/// A bank, wallet or savings app that can be linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Institution {
    /// The key we know it by: unique in one provider's list, and stable.
    pub id: String,
    /// What the provider wants to be given back; not always unique. Institutions that share it are one bank, such as its
    /// personal and its business side: what limits logins counts them together, as the bank does.
    pub provider_id: String,
    /// Its name; untrusted text.
    pub name: String,
    /// ISO 3166-1 alpha-2, upper case, where known.
    pub country: Option<String>,
    /// Whether it is the business side of a bank.
    pub business: bool,
    pub methods: Vec<AuthMethod>,
    /// How long the provider says a login may take there.
    pub timeout: Option<Duration>,
}

impl Institution {
    /// What it is searched by: of a business side, whatever its name says, that it is one.
    pub fn searched_name(&self) -> String {
        let told = self.name.to_lowercase().contains(BUSINESS_SIDE);
        if self.business && !told {
            format!("{} {BUSINESS_SIDE}", self.name)
        } else {
            self.name.clone()
        }
    }
}

/// One way to log in at an institution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthMethod {
    /// What the provider wants to be given back (`internet_banking`).
    pub id: String,
    /// What to call it before a person; untrusted text.
    pub name: String,
    #[serde(default)]
    pub journey: Journey,
    /// What it asks on the phone, perhaps nothing where the journey goes elsewhere; the session's own form is the final word.
    pub form: Form,
    /// Whether it wants a card number together with a card PIN.
    pub card_and_pin: bool,
}

impl AuthMethod {
    /// Whether nothing is asked on the phone before the journey goes elsewhere.
    pub fn asks_nothing(&self) -> bool {
        self.journey != Journey::Keypad && self.form.asks_nothing()
    }
}

/// Where the person proves to the institution who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Journey {
    /// On the phone's keys: everything is typed here.
    #[default]
    Keypad,
    /// In a browser, on a page that is sent to them.
    Browser,
    /// In the institution's own application.
    Elsewhere,
}

/// A session at a provider. Sealed wherever it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSession {
    /// The provider's handle; opaque.
    pub id: String,
    /// When it ends, where the provider says.
    pub expires_at: Option<Timestamp>,
    /// When it said so by its own clock, if it says, until that end is one by ours.
    #[serde(default)]
    pub told_at: Option<Timestamp>,
    /// What to ask, if the provider says it again here; the final word.
    pub form: Option<Form>,
    /// What the answers are submitted as.
    pub kind: SessionKind,
    /// The last digits of each account that was chosen in it, see [`super::chosen_account`].
    #[serde(default)]
    pub chosen: Vec<String>,
}

impl ProviderSession {
    /// The same session as its provider calls it from now on. What was chosen in it was.
    #[must_use]
    pub fn known_as(&self, changed: Self) -> Self {
        Self {
            chosen: self.chosen.clone(),
            ..changed
        }
    }
}

impl ProviderSession {
    /// Its end by our clock, as it has just arrived. The provider's clock may be another, so how long it lives is believed
    /// before when it ends; an end that is past on arrival is none, as in an example that a provider has published.
    #[must_use]
    pub fn on_our_clock(mut self, now: Timestamp) -> Self {
        let told_at = self.told_at.take().unwrap_or(now);
        let left = self.expires_at.map(|end| end.since(told_at));
        self.expires_at = left.filter(|left| !left.is_zero()).map(|left| now.plus(left));
        self
    }
}

/// Whether a session links a new account or renews the consent of a linked one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionKind {
    Link,
    /// An account that is already linked.
    Reauth,
}

/// The call a submission makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SubmissionStep {
    /// The first one: the login itself.
    Login,
    /// The answers to a later form: a one-time code, a security question.
    Code,
    Choose,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session lives as long by our clock as its provider says by its own, and an end that is past when it arrives is none.
    #[test]
    fn a_session_ends_by_our_clock() {
        let now = Timestamp::from_millis(1_000_000);
        for (expires_at, told_at, want) in [
            // The provider's clock is behind, or ahead.
            (Some(700_000), Some(100_000), Some(1_600_000)),
            (Some(9_600_000), Some(9_000_000), Some(1_600_000)),
            (Some(1_600_000), None, Some(1_600_000)),
            // As published: it ended years before.
            (Some(5), Some(900_000), None),
            (Some(5), None, None),
            (None, Some(900_000), None),
        ] {
            let session = ProviderSession {
                id: "s".to_owned(),
                expires_at: expires_at.map(Timestamp::from_millis),
                told_at: told_at.map(Timestamp::from_millis),
                form: None,
                chosen: Vec::new(),
                kind: SessionKind::Link,
            };
            let session = session.on_our_clock(now);
            let want = want.map(Timestamp::from_millis);
            assert_eq!(
                (session.expires_at, session.told_at),
                (want, None),
                "{expires_at:?} {told_at:?}"
            );
        }
    }
}
