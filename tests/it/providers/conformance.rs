//! What every provider must do: the guarantees that the rest of the product relies on, by the shape of a journey.
//!
//! A [`Scenario`] says what a provider (or its stand-in) accepts, for each shape that its list of institutions has;
//! [`check_conformance`] plays every journey against it through the port alone. A new provider gets a scenario and one test.

use std::collections::HashSet;
use std::fmt::Debug;

use kiungo::core::next_step::{Failure, FailureClass, Grant, NextStep};
use kiungo::core::secret::Secret;
use kiungo::providers::{
    AccountsQuery, EndScope, EndTarget, Institution, Journey, Provider, ProviderAccount, ProviderError, ProviderKeys,
    SessionResponse,
};

use super::conformance_browser::{Browser, browser_journeys};
use super::conformance_common::common_guarantees;
use super::conformance_elsewhere::{Elsewhere, elsewhere_journeys};
use super::conformance_keypad::{Keypad, keypad_journeys};
use super::conformance_player::Player;
use crate::support::invented::hooks::OwnedRequest;

/// What a provider accepts.
pub struct Scenario<'a> {
    /// The provider, calling the stand-in.
    pub provider: &'a dyn Provider,
    /// Makes keys that it accepts.
    pub keys: &'a (dyn Fn() -> ProviderKeys + Sync),
    /// Makes keys that it does not accept.
    pub wrong_keys: &'a (dyn Fn() -> ProviderKeys + Sync),
    /// A webhook as it sends it, about an account and the link that it belongs to.
    pub webhook: &'a (dyn Fn(&LinkedAccount) -> OwnedRequest + Sync),
    /// How many events that webhook has.
    pub events: usize,
    /// Institutions where everything is typed on the phone, if it has any.
    pub keypad: Option<Keypad<'a>>,
    /// Institutions where a page is opened, if it has any.
    pub browser: Option<Browser<'a>>,
    /// Institutions where an application is asked, if it has any.
    pub elsewhere: Option<Elsewhere<'a>>,
}

/// An institution of the list, by our id, with a way to log in.
pub type Login<'a> = (&'a str, &'a str);

/// An account that was linked, by the provider's ids.
pub struct LinkedAccount {
    pub account: String,
    pub link: Option<String>,
}

/// Plays every journey.
pub async fn check_conformance(scenario: &Scenario<'_>) {
    assert_eq!(
        journeys(&list(scenario).await),
        scenario.journeys(),
        "a provider gets a scenario for each shape of a journey that it lists"
    );
    common_guarantees(scenario).await;
    if let Some(keypad) = &scenario.keypad {
        keypad_journeys(scenario, keypad).await;
    }
    if let Some(browser) = &scenario.browser {
        browser_journeys(scenario, browser).await;
    }
    if let Some(elsewhere) = &scenario.elsewhere {
        elsewhere_journeys(scenario, elsewhere).await;
    }
}

impl Scenario<'_> {
    fn journeys(&self) -> HashSet<Journey> {
        let shapes = [
            self.keypad.is_some().then_some(Journey::Keypad),
            self.browser.is_some().then_some(Journey::Browser),
            self.elsewhere.is_some().then_some(Journey::Elsewhere),
        ];
        shapes.into_iter().flatten().collect()
    }
}

pub async fn list(scenario: &Scenario<'_>) -> Vec<Institution> {
    scenario.provider.institutions(&(scenario.keys)()).await.unwrap()
}

fn journeys(list: &[Institution]) -> HashSet<Journey> {
    let methods = list.iter().flat_map(|institution| &institution.methods);
    methods.map(|method| method.journey).collect()
}

/// The step that a session's opening leads to without anything being typed.
#[track_caller]
pub fn next_of(opened: SessionResponse) -> (kiungo::providers::ProviderSession, NextStep) {
    match opened {
        SessionResponse::Next(session, step) => (session, step),
        other => panic!("something is to be typed first, or nothing is left to do: {other:?}"),
    }
}

#[track_caller]
pub fn granted(step: NextStep) -> Grant {
    match step {
        NextStep::Done(grant) => grant,
        other => panic!("not done: {other:?}"),
    }
}

#[track_caller]
pub fn failed(step: NextStep) -> FailureClass {
    match step {
        NextStep::Failed(Failure { class, .. }) => class,
        other => panic!("no failure: {other:?}"),
    }
}

/// What a grant is good for, whatever journey has led to it: accounts are linked, told of, read, and ended.
pub async fn linked_read_and_ended(player: &mut Player<'_>, grant: Grant, count: usize) {
    let scenario = player.scenario;
    player.is_secret(grant.0.expose());
    let redeemed = scenario.provider.redeem(player.access(), &grant).await.unwrap();
    let redeemed = player.store(redeemed);
    assert_eq!(redeemed.accounts.len(), count);
    let ids: HashSet<_> = redeemed.accounts.iter().map(|account| account.id.expose()).collect();
    assert_eq!(ids.len(), count, "two accounts have one id");
    for account in &redeemed.accounts {
        player.is_secret(account.id.expose());
    }
    player.is_quiet(&redeemed);
    for account in &redeemed.accounts {
        let about = LinkedAccount {
            account: account.id.expose().to_owned(),
            link: redeemed.link.as_ref().map(|link| link.expose().to_owned()),
        };
        told_of(player, &about).await;
        read(player, &account.id).await;
        // Once more: with whatever access came back.
        read(player, &account.id).await;
    }
    let targets: Vec<_> = match scenario.provider.facts().ends {
        EndScope::Account => redeemed.accounts.iter().map(|it| EndTarget::Account(&it.id)).collect(),
        EndScope::Link => {
            let link = redeemed.link.as_ref().expect("a link that can be ended has an id");
            let all = scenario.provider.accounts(player.access(), AccountsQuery::All).await;
            let listed = player.store(all.unwrap());
            let says = |account: &ProviderAccount| account.link.as_ref().map(Secret::expose) == Some(link.expose());
            assert!(listed.iter().any(says), "a list says what can be ended");
            vec![EndTarget::Link(link)]
        }
    };
    for target in targets {
        scenario.provider.end(player.access(), target).await.unwrap();
        let again = scenario.provider.end(player.access(), target).await;
        assert_eq!(again, Err(ProviderError::NotFound), "it is ended once");
    }
}

async fn read(player: &mut Player<'_>, id: &Secret) {
    let provider = player.scenario.provider;
    let read = provider.accounts(player.access(), AccountsQuery::One(id)).await;
    let read = player.store(read.unwrap());
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].id.expose(), id.expose());
    let details = read[0].details.as_ref().expect("details");
    assert!(!details.number.expose().is_empty());
    player.is_secret(details.number.expose());
    player.is_quiet(&read);
}

/// A webhook is taken only as it was sent, and says the same each time it is delivered.
async fn told_of(player: &Player<'_>, about: &LinkedAccount) {
    let scenario = player.scenario;
    let (provider, keys) = (scenario.provider, (scenario.keys)());
    let delivery = (scenario.webhook)(about);
    let mut deliveries = Vec::new();
    for _ in 0..2 {
        let answer = provider.webhook(&keys, &delivery.as_request()).await.unwrap();
        assert!((200..300).contains(&answer.reply.status), "{answer:?}");
        player.is_quiet(&answer);
        let keys = answer.events.into_iter().map(|event| event.dedupe_key);
        deliveries.push(keys.collect::<Vec<_>>());
    }
    assert_eq!(deliveries[0], deliveries[1], "an event is known again");
    let unique: HashSet<_> = deliveries[0].iter().collect();
    assert_eq!((unique.len(), deliveries[0].len()), (scenario.events, scenario.events));
    let unsigned = OwnedRequest {
        headers: Vec::new(),
        ..delivery.clone()
    };
    for (keys, delivery) in [(keys, unsigned), ((scenario.wrong_keys)(), delivery)] {
        let forged = provider.webhook(&keys, &delivery.as_request()).await;
        assert_eq!(forged.unwrap_err(), kiungo::providers::WebhookError::Unauthentic);
    }
}

/// Formatted, it gives nothing away that is held by the player.
pub fn quiet(secrets: &[String], value: &dyn Debug) {
    let shown = format!("{value:?}");
    for secret in secrets {
        assert!(!shown.contains(secret.as_str()), "{secret:?} stands in {shown}");
    }
}
