//! The invented provider conforms in all three shapes, which shows that the suite plays them.

use std::sync::Arc;

use kiungo::ambient::SystemClock;
use kiungo::core::secret::Secret;
use kiungo::providers::{
    Access, AccessBlob, AccountsQuery, EventSubject, Provider, ProviderError, ProviderEventKind, ProviderKeys,
    WebhookError,
};

use super::conformance::{LinkedAccount, Scenario, check_conformance};
use super::conformance_browser::Browser;
use super::conformance_elsewhere::Elsewhere;
use super::conformance_keypad::{Answers, Keypad};
use crate::support::invented::Umoja;
use crate::support::invented::bank::{Client, UmojaBank};
use crate::support::invented::branches::{BORN, Branch, CODE, PASSWORD};
use crate::support::invented::hooks::{HookEvent, OwnedRequest, delivery};
use crate::support::invented::person::back;

fn bank() -> (Umoja, Arc<UmojaBank>) {
    let clients = vec![
        Client::new("lender", &Branch::ALL),
        Client::new("shop", &[Branch::Savings]),
    ];
    let bank = UmojaBank::new(clients, Arc::new(SystemClock));
    (Umoja::new(&bank), bank)
}

fn keys(name: &str) -> ProviderKeys {
    Client::new(name, &[]).keys()
}

/// A webhook about everything that there is to tell of, in one.
fn webhook(about: &LinkedAccount) -> OwnedRequest {
    let link = about.link.clone().expect("its links have ids");
    let events = [
        ("session", "its-session".to_owned()),
        ("link", link),
        ("person", "its-person".to_owned()),
        ("account", about.account.clone()),
    ];
    let events: Vec<_> = events
        .into_iter()
        .map(|(about, subject)| HookEvent {
            id: format!("connected {about}"),
            at: 1_770_113_520_000,
            about,
            subject,
            what: "connected",
        })
        .collect();
    let ignored = HookEvent {
        id: "another".to_owned(),
        what: "invoice_paid",
        ..events[0].clone()
    };
    let events = [&events[..], &[ignored]].concat();
    delivery(&Client::new("lender", &[]).hook_key, "/hooks/umoja", &events)
}

/// It conforms in all shapes, whether the bank is through at once after an approval or not.
#[tokio::test]
async fn the_invented_provider_conforms() {
    let right: Answers<'_> = &[("member", "600100"), ("born", BORN), ("password", PASSWORD)];
    let wrong: Answers<'_> = &[("member", "600100"), ("born", BORN), ("password", "bad")];
    for slow in [0, 2] {
        let (umoja, bank) = bank();
        bank.state().slow = slow;
        bank.state().poll_every = std::time::Duration::from_millis(1);
        check_conformance(&Scenario {
            provider: &umoja,
            keys: &|| keys("lender"),
            wrong_keys: &|| keys("nobody"),
            webhook: &webhook,
            events: 4,
            keypad: Some(Keypad {
                login: ("savings", "member"),
                answers: [right, wrong],
                code: [&[("code", CODE)], &[("code", "000000")]],
                several: Some((("chama", "member"), right)),
            }),
            browser: Some(Browser {
                login: ("online", "member"),
                browse: &|page, decision| back(&bank.browse(page, decision), "POST"),
                end: &|| bank.end_sessions(),
            }),
            elsewhere: Some(Elsewhere {
                login: ("app", "member"),
                decide: &|binding, decision| bank.answer_in_app(binding.unwrap(), decision),
                end: &|| bank.end_sessions(),
            }),
        })
        .await;
        let state = bank.state();
        assert!(state.links.iter().all(|link| link.ended && link.refreshed > 0));
        let persons = state.persons.len();
        assert!(persons > 1 && state.persons.iter().all(|person| !person.token.is_empty()));
    }
}

/// Every client has a list, people and links of its own.
#[tokio::test]
async fn clients_see_nothing_of_each_other() {
    let (umoja, bank) = bank();
    let count = |list: Vec<_>| list.len();
    assert_eq!(umoja.institutions(&keys("lender")).await.map(count), Ok(5));
    assert_eq!(umoja.institutions(&keys("shop")).await.map(|list| list.len()), Ok(1));
    let (handle, blob) = {
        let mut state = bank.state();
        let person = state.new_person(0);
        let index = state.sessions.len();
        let now = bank.clock.now();
        state.new_session(0, person, Branch::App, now);
        state.decide(index, true);
        state.next_step(index, now);
        let crate::support::invented::bank::Stage::Granted(grant) = state.sessions[index].stage.clone() else {
            panic!("not granted");
        };
        let link = state.exchange(0, &grant).unwrap();
        let link = &state.links[link];
        (
            link.accounts[0].id.clone(),
            AccessBlob::new(format!("x {}", link.token)),
        )
    };
    let id = Secret::new(handle);
    let (lender, shop) = (keys("lender"), keys("shop"));
    let access = |keys| Access {
        link: Some(&blob),
        ..Access::keys(keys)
    };
    let read = umoja.accounts(access(&shop), AccountsQuery::One(&id)).await;
    assert!(matches!(read, Err(ProviderError::Refused(_))), "{read:?}");
    assert!(umoja.accounts(access(&lender), AccountsQuery::One(&id)).await.is_ok());
}

/// A webhook is signed over its method, path and body; each event says what it is about, and when it happened.
#[tokio::test]
async fn webhooks_are_signed_as_a_whole() {
    let (umoja, _) = bank();
    let about = LinkedAccount {
        account: "a1".to_owned(),
        link: Some("l1".to_owned()),
    };
    let (keys, sent) = (keys("lender"), webhook(&about));
    let answer = umoja.webhook(&keys, &sent.as_request()).await.unwrap();
    assert_eq!((answer.reply.status, answer.reply.body), (202, b"taken: 5".to_vec()));
    let subjects: Vec<_> = answer.events.iter().map(|event| event.about.id().expose()).collect();
    assert_eq!(subjects, ["its-session", "l1", "its-person", "a1"]);
    assert!(matches!(answer.events[2].about, EventSubject::Person(_)));
    assert!(
        answer
            .events
            .iter()
            .all(|event| event.kind == ProviderEventKind::Connected && event.at.is_some())
    );
    for forged in [
        OwnedRequest {
            method: "PUT",
            ..sent.clone()
        },
        OwnedRequest {
            path: "/hooks/umoja/operator".to_owned(),
            ..sent.clone()
        },
        OwnedRequest {
            body: b"{\"events\":[]}".to_vec(),
            ..sent.clone()
        },
    ] {
        let received = umoja.webhook(&keys, &forged.as_request()).await;
        assert_eq!(received.unwrap_err(), WebhookError::Unauthentic);
    }
}
