//! What may become of a journey that leaves the phone, other than a link: a no, no answer in time, a node that dies, work that
//! is done twice. And who is told.

use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::core::events::EventKind;
use kiungo::core::time::Clock as _;
use kiungo::records::{Attempt, AttemptState, JobType as _};
use kiungo::service::handover_queue::HandOver;
use kiungo::service::linking::advance::Advance;
use kiungo::service::sms::outbox::SendSms;
use reqwest::Method;
use rstest::rstest;
use serde_json::Value;

use super::shapes::{ASHA, PAGE_SHOWN, PATIENCE, binding, link_in, linked_once, soon, to_bank};
use crate::support::aggregator::UssdReply;
use crate::support::events::events_of;
use crate::support::eventually;
use crate::support::invented::branches::Branch;
use crate::support::invented::hooks::HookEvent;
use crate::support::invented::person::Decision;
use crate::support::invented::world::{InventedWorld, PUBLIC};
use crate::support::world::{PARTNER, Setup};

/// Begins where nothing is typed, and leaves; the screen that was shown, and the link that was texted, if one was.
async fn begin(world: &InventedWorld, branch: Branch) -> (UssdReply, Option<String>) {
    let mut phone = world.phone_at(0, ASHA);
    let reply = to_bank(&mut phone, branch).await;
    let browser = branch == Branch::Online;
    let wanted = if browser { PAGE_SHOWN } else { "Approve in the" };
    let shown = soon(&mut phone, reply, wanted).await;
    phone.say("0").await.ends("");
    if !browser {
        return (shown, None);
    }
    let text = world.told(ASHA, PUBLIC).await;
    (shown, Some(link_in(&text)))
}

/// Does what the person does, at the bank and on the way there and back.
async fn decide(world: &InventedWorld, begun: &(UssdReply, Option<String>), decision: Decision) {
    match &begun.1 {
        None => world.bank.answer_in_app(&binding(&begun.0), decision),
        Some(link) => {
            let page = world.to_the_bank(1, link).await;
            let back = world.bank.browse(&page, decision);
            let returned = world.browser(1, Method::GET, back.as_str()).await;
            assert_eq!(returned.status(), 200);
        }
    }
}

/// The only attempt that there is.
async fn only_attempt(world: &InventedWorld) -> Attempt {
    let session = world.bank.state().sessions.last().unwrap().id.clone();
    let digest = world.sealing().session_digest("umoja", &session);
    let partner = kiungo::app::partner_id(PARTNER);
    let found = world.records.attempt_by_session(partner, &digest).await;
    found.unwrap().expect("an attempt")
}

/// A no at the bank is told by a text, and on the next dial; nothing is linked, and another try is offered.
#[rstest]
#[case::browser(Setup::TwoHosts, Branch::Online)]
#[case::elsewhere(Setup::TwoHosts, Branch::App)]
#[case::browser_one_node(Setup::Memory, Branch::Online)]
#[case::elsewhere_one_node(Setup::Memory, Branch::App)]
#[tokio::test(flavor = "multi_thread")]
async fn a_denial_is_told(#[case] setup: Setup, #[case] branch: Branch) {
    let world = InventedWorld::start(setup).await;
    let begun = begin(&world, branch).await;
    decide(&world, &begun, Decision::Deny).await;
    world.told(ASHA, "no account was linked.").await;
    let told = world.phone_at(1, ASHA).dial().await;
    told.asks("says that you did not approve. Nothing was linked.")
        .asks("1 Try again");
    assert_eq!(only_attempt(&world).await.state, AttemptState::Refused);
    assert!(world.links().await.is_empty());
    world.assert_absent(&[]).await;
}

/// After a no another try is a session of its own, with a code or a page of its own, and may succeed.
#[rstest]
#[case::browser(Branch::Online)]
#[case::elsewhere(Branch::App)]
#[tokio::test(flavor = "multi_thread")]
async fn a_denial_is_not_the_end(#[case] branch: Branch) {
    let world = InventedWorld::start(Setup::TwoHosts).await;
    let begun = begin(&world, branch).await;
    decide(&world, &begun, Decision::Deny).await;
    world.told(ASHA, "no account was linked.").await;
    let mut phone = world.phone_at(1, ASHA);
    phone.dial().await.asks("1 Try again");
    let before = world.gateway.state.inbox(ASHA).len();
    let reply = phone.say("1").await;
    let shown = soon(
        &mut phone,
        reply,
        if begun.1.is_some() {
            PAGE_SHOWN
        } else {
            "Approve in the"
        },
    )
    .await;
    let again = match &begun.1 {
        Some(_) => Some(link_in(&world.inbox(ASHA, before + 1).await[before])),
        None => None,
    };
    assert_ne!((&again, shown.text.as_str()), (&begun.1, begun.0.text.as_str()));
    decide(&world, &(shown, again), Decision::Approve).await;
    eventually(PATIENCE, async || !world.links().await.is_empty()).await;
    linked_once(&world, 1).await;
}

/// Nobody opens the page, or looks at the application, for as long as the bank waits: the attempt ends, and that is told.
#[rstest]
#[case::browser(Setup::TwoHosts, Branch::Online)]
#[case::elsewhere(Setup::TwoHosts, Branch::App)]
#[tokio::test(flavor = "multi_thread")]
async fn a_wait_comes_to_its_end(#[case] setup: Setup, #[case] branch: Branch) {
    let world = InventedWorld::start(setup).await;
    world.bank.state().lasts = Duration::from_secs(8);
    let begun = begin(&world, branch).await;
    world.told(ASHA, "no account was linked.").await;
    assert!(!only_attempt(&world).await.state.is_pending());
    let told = world.phone_at(1, ASHA).dial().await;
    assert!(!told.text.contains("is linked"), "{told:?}");
    if let Some(link) = &begun.1 {
        let page = world.browser(1, Method::POST, link).await;
        assert_ne!(page.status(), 303, "a page is made for nothing");
    }
    assert!(world.links().await.is_empty());
}

/// What was given up, and granted after all: by whatever the provider names when it tells so, the attempt is found again. If
/// nobody has exchanged the grant it is linked as a whole link, which can be ended; if only the answer to the exchange was
/// lost, the access that is open is ended, for nobody could use it.
#[rstest]
#[case::session("session", false)]
#[case::person("person", false)]
#[case::account("account", false)]
#[case::link("link", false)]
#[case::exchanged_session("session", true)]
#[case::exchanged_person("person", true)]
#[case::exchanged_account("account", true)]
#[case::exchanged_link("link", true)]
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_the_end_is_found(#[case] about: &'static str, #[case] exchanged: bool) {
    let world = InventedWorld::start(Setup::Memory).await;
    begin(&world, Branch::App).await;
    world.bank.end_sessions();
    world.told(ASHA, "no account was linked.").await;
    assert_eq!(only_attempt(&world).await.state, AttemptState::Lapsed);
    let event = HookEvent {
        id: "late".to_owned(),
        at: SystemClock.now().as_millis(),
        about,
        subject: world.bank.grants_late(exchanged, about),
        what: "connected",
    };
    assert_eq!(world.tell(0, event).await.0, 202);
    let ended = || world.bank.state().links.iter().all(|link| link.ended);
    if exchanged {
        eventually(PATIENCE, async || ended()).await;
        eventually(PATIENCE, async || {
            only_attempt(&world).await.state == AttemptState::Undone
        })
        .await;
        assert!(world.links().await.is_empty());
        return;
    }
    eventually(PATIENCE, async || !world.links().await.is_empty()).await;
    linked_once(&world, 1).await;
    assert!(!ended());
    let mut phone = world.phone_at(0, ASHA);
    phone.dial().await.asks("is linked");
}

/// The node that has asked so far dies; the other goes on asking, and the person learns of the end as ever.
#[rstest]
#[case::browser(Branch::Online)]
#[case::elsewhere(Branch::App)]
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_is_taken_over_from(#[case] branch: Branch) {
    let mut world = InventedWorld::start(Setup::TwoHosts).await;
    let begun = begin(&world, branch).await;
    world.texts_come_to(1);
    let dead = world.nodes.remove(0);
    drop(dead);
    decide(&world, &begun, Decision::Approve).await;
    world.told(ASHA, "your account is linked.").await;
    linked_once(&world, 1).await;
}

/// To ask may be done by both nodes at once, and after the end: there is one link, and one text.
#[rstest]
#[case::browser(Branch::Online)]
#[case::elsewhere(Branch::App)]
#[tokio::test(flavor = "multi_thread")]
async fn asking_twice_links_once(#[case] branch: Branch) {
    let world = InventedWorld::start(Setup::TwoHosts).await;
    let begun = begin(&world, branch).await;
    let attempt = only_attempt(&world).await;
    let ask_more = async |occasion: &str| {
        for number in 0..4 {
            let now = SystemClock.now();
            let job = Advance::job(attempt.partner, attempt.id, now).on_occasion(format!("{occasion} {number}"));
            world.records.enqueue(&job).await.unwrap();
        }
    };
    ask_more("before").await;
    decide(&world, &begun, Decision::Approve).await;
    ask_more("meanwhile").await;
    let count = 1 + usize::from(begun.1.is_some());
    world.inbox(ASHA, count).await;
    linked_once(&world, 1).await;
    ask_more("after").await;
    world.idle(&[Advance::NAME, HandOver::NAME, SendSms::NAME]).await;
    assert_eq!(world.gateway.state.inbox(ASHA).len(), count);
    linked_once(&world, 1).await;
}

/// The partner sees a session that waits, then the link, and is told of it; none of the provider's words are in it.
#[rstest]
#[case::browser(Branch::Online)]
#[case::elsewhere(Branch::App)]
#[tokio::test(flavor = "multi_thread")]
async fn the_partner_sees_it(#[case] branch: Branch) {
    let world = InventedWorld::start(Setup::TwoHosts).await;
    let api = world.api(1).await;
    let token = api.token().await;
    let listed = async |path: &str| -> Value {
        let all = api.get(path).by(&token).send().await.expect(200);
        assert_eq!(all["data"].as_array().map(Vec::len), Some(1), "{all}");
        all["data"][0].clone()
    };
    let begun = begin(&world, branch).await;
    let session = listed("/v1/connect-sessions").await;
    assert_eq!(
        (&session["state"], &session["provider"]),
        (&"waiting".into(), &"umoja".into())
    );
    decide(&world, &begun, Decision::Approve).await;
    eventually(PATIENCE, async || !world.links().await.is_empty()).await;
    linked_once(&world, 1).await;
    let (session, link) = (listed("/v1/connect-sessions").await, listed("/v1/links").await);
    assert_eq!(session["link_id"], link["id"]);
    assert_eq!((&link["state"], &link["provider"]), (&"active".into(), &"umoja".into()));
    let partner = kiungo::app::partner_id(PARTNER);
    eventually(PATIENCE, async || {
        let events = events_of(&*world.records, partner).await;
        events.iter().any(|event| event.kind == EventKind::LinkCreated)
    })
    .await;
    let shown = format!("{session}{link}");
    let secrets = world.bank.state().secrets.clone();
    // The partner may call the provider itself, about an account.
    for secret in secrets.iter().filter(|secret| !secret.starts_with("account-")) {
        assert!(!shown.contains(secret.as_str()), "{secret} is shown");
    }
}

/// A journey in an application is begun by text, too, and told by text; nothing is asked that may not be texted.
#[rstest]
#[case::one_node(Setup::Memory)]
#[case::two_hosts(Setup::TwoHosts)]
#[tokio::test(flavor = "multi_thread")]
async fn by_sms(#[case] setup: Setup) {
    let world = InventedWorld::start(setup).await;
    let welcome = world.send(ASHA, "LINK").await;
    let list = world.send(ASHA, &crate::support::sms_world::number_in(&welcome)).await;
    assert!(list.starts_with("Choose your bank"), "{list}");
    let shown = world.send(ASHA, "2").await;
    assert!(shown.contains("Approve in your bank's app"), "{shown}");
    let shown = UssdReply {
        end: false,
        text: shown,
        took: crate::support::aggregator::ReplyTime(Duration::ZERO),
    };
    world.bank.answer_in_app(&binding(&shown), Decision::Approve);
    world.told(ASHA, "your account is linked.").await;
    linked_once(&world, 1).await;
    world.phone_at(1, ASHA).dial().await.asks("");
}

/// A page's address that was made up leads nowhere, and anyone who comes back with a made-up state changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn made_up_addresses_lead_nowhere() {
    let world = InventedWorld::start(Setup::TwoHosts).await;
    let (_, link) = begin(&world, Branch::Online).await;
    let link = link.expect("a link");
    let page = world.to_the_bank(0, &link).await;
    let back = world.bank.browse(&page, Decision::Approve);
    let made_up = [
        format!("{PUBLIC}/go/AAAAAAAAAAAAAAAAAAAAAA"),
        format!("{PUBLIC}/back/umoja?state=AAAAAAAAAAAAAAAAAAAAAA&umoja_proof=x"),
        format!("{PUBLIC}/back/mono?{}", back.query().unwrap()),
        format!("{PUBLIC}/back/nobody?{}", back.query().unwrap()),
    ];
    for address in &made_up {
        for method in [Method::GET, Method::POST] {
            let answer = world.browser(1, method, address).await;
            assert_ne!(answer.status(), 303, "{address}");
        }
    }
    let attempt = only_attempt(&world).await;
    assert_eq!((attempt.state, attempt.returned), (AttemptState::Waiting, None));
    // The true one is still good.
    world.browser(1, Method::GET, back.as_str()).await;
    world.told(ASHA, "your account is linked.").await;
    linked_once(&world, 1).await;
}
