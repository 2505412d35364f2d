//! Numbers of countries that no route is for: nothing is sent to them, and nothing is promised, begun or kept for them.

use std::sync::Arc;
use std::time::Duration;

use kiungo::core::msisdn::Msisdn;
use kiungo::core::sms::{MessageState, WithheldReason};
use kiungo::records::SmsKind;
use kiungo::service::live::LoadedValue;
use kiungo::service::sms::outbox::{OutgoingMessage, SmsOutbox};
use kiungo::service::sms::routes::{SmsRoute, SmsRoutes};

use super::service_kit::{ADA, SmsService, delivered_texts};
use crate::support::records::partner;

/// In Kenya, where the route is for Nigeria.
const ABROAD: &str = "+254712345678";
const NO_ROUTE: MessageState = MessageState::Withheld(WithheldReason::NoRoute);

/// What is written for a number that no route serves never leaves, by no other country's route either; that is what its row
/// says, without its words, and it is counted. A route that was taken away since it was written carries nothing either.
#[tokio::test]
async fn nothing_goes_abroad_by_another_countrys_route() {
    let (post, running) = SmsService::with_stand_in().await;
    let abroad = post.queue_for(ABROAD, "fact 1").await;
    let row = post.db.message(abroad).await.unwrap().unwrap();
    assert_eq!((row.state, row.sealed), (NO_ROUTE, None));
    assert_eq!(post.run_due().await, 1);
    assert_eq!(post.state(abroad).await, NO_ROUTE);

    let here = post.queue_for(ADA, "fact 2").await;
    let elsewhere = SmsRoutes::new(vec![Arc::new(post.route_for("GH"))]);
    let changed = SmsOutbox::new(post.shared.deps.clone(), partner(1).id, elsewhere);
    changed.send(here).await.unwrap();
    assert_eq!(post.state(here).await, NO_ROUTE);
    assert_eq!(post.db.message(here).await.unwrap().unwrap().sealed, None);

    assert!(running.state.inbox(ABROAD).is_empty() && running.state.inbox(ADA).is_empty());
    let metrics = post.shared.deps.metrics.encode().unwrap();
    assert!(metrics.contains("kiungo_sms_without_route_total 2"), "{metrics}");
}

/// Texts in the name of numbers abroad are not answered, however many come: no conversation begins and no row is written. Only
/// a STOP is kept, once for each number, and so is the START that takes it back.
#[tokio::test]
async fn texts_from_abroad_cost_nothing() {
    let (post, running) = SmsService::with_stand_in().await;
    let counting = "SELECT (SELECT COUNT(*) FROM messages) + (SELECT COUNT(*) FROM jobs) \
        + (SELECT COUNT(*) FROM provider_events) + (SELECT COUNT(*) FROM audit) + (SELECT COUNT(*) FROM attempts) \
        + (SELECT COUNT(*) FROM consents)";
    let rows = async || post.db.count(counting).await;
    let preferences = async || post.db.count("SELECT COUNT(*) FROM sms_preferences").await;
    let before = rows().await;
    let from = ABROAD.replace('+', "%2B");
    let send = async |id: &str, text: &str| {
        post.advance(Duration::from_secs(1));
        let form = format!("id={id}&from={from}&to=38496&text={text}");
        assert_eq!(post.send_callback("", &form).await, 200);
    };
    for (n, text) in ["LINK", "CONTINUE", "HELP", "START", "1", "Zenith", "hello", "123456"]
        .into_iter()
        .enumerate()
    {
        send(&format!("m{n}"), text).await;
        send(&format!("m{n}"), text).await;
    }
    assert_eq!((rows().await, preferences().await), (before, 0));
    let tag = post
        .shared
        .deps
        .sealing
        .keyring
        .tag(&Msisdn::parse(ABROAD, "KE").unwrap());
    let live = post.shared.updater.live.load(&tag).await.unwrap().value;
    assert!(matches!(live, LoadedValue::Nothing));
    for (n, (text, stopped)) in [("STOP", true), ("STOP", true), ("START", false), ("stop all", true)]
        .into_iter()
        .enumerate()
    {
        send(&format!("s{n}"), text).await;
        let kept = post.db.sms_preference(partner(1).id, &tag).await.unwrap();
        assert_eq!(kept.map(|kept| kept.stopped), Some(stopped), "{n} {text}");
    }
    assert_eq!((rows().await, preferences().await), (before, 1));
    assert_eq!(post.run_due().await, 0);
    assert!(running.state.inbox(ABROAD).is_empty() && delivered_texts(&running).is_empty());
}

/// Of two routes each is for its own country's numbers, whichever of them a message names: a reply to a number of the other
/// country is not begun, and what was written for a route that has another country by now does not leave by it.
#[tokio::test]
async fn each_route_is_for_its_own_country() {
    let (mut post, running) = SmsService::with_stand_in().await;
    let route = |post: &SmsService, name: &str, country: &str| SmsRoute {
        name: name.to_owned(),
        ..post.route_for(country)
    };
    let written = async |post: &SmsService| post.db.count("SELECT COUNT(*) FROM messages").await;
    for (own, (name, country), other) in [
        (ADA, ("ng", "NG"), (ABROAD, "ke", "KE")),
        (ABROAD, ("ke", "KE"), (ADA, "ng", "NG")),
    ] {
        let (number, other_name, other_country) = other;
        let both = vec![route(&post, name, country), route(&post, other_name, other_country)];
        post.route_by(both).await;
        let before = written(&post).await;
        for (n, text) in ["LINK", "HELP", "hello"].into_iter().enumerate() {
            let form = |from: &str| format!("id={name}{from}{n}&from=%2B{}&to=38496&text={text}", &from[1..]);
            assert_eq!(post.send_callback("", &form(number)).await, 200);
            assert_eq!(written(&post).await, before, "{name} {text}");
        }
        let form = format!("id={name}&from=%2B{}&to=38496&text=HELP", &own[1..]);
        assert_eq!(post.send_callback("", &form).await, 200);
        assert_eq!(post.run_due().await, 1);
        assert_eq!(running.state.inbox(own).len(), 1, "{name}");
    }

    let to_ada = post.queue_for(ADA, "fact 1").await;
    let changed = vec![route(&post, "ng", "GH"), route(&post, "new", "NG")];
    post.route_by(changed).await;
    let named = route(&post, "ng", "GH");
    let reply = OutgoingMessage {
        to: &Msisdn::parse(ADA, "NG").unwrap(),
        kind: SmsKind::Reply,
        key: "fact 2".to_owned(),
        text: "Zq7",
        route: Some((&named, None)),
        valid_for: Duration::from_hours(1),
    };
    let (reply, job) = post.outbox.draft(reply).unwrap();
    assert!(post.db.add_message(&reply, &[job]).await.unwrap());
    assert_eq!(post.run_due().await, 2);
    assert_eq!(
        (post.state(to_ada).await, post.state(reply.id).await),
        (NO_ROUTE, NO_ROUTE)
    );
    assert_eq!(running.state.inbox(ADA).len(), 1);
}
