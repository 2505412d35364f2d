//! Webhooks of providers: whose they are, what they are about, each once, and none from before what was heard already.

use std::sync::Arc;
use std::time::Duration;

use kiungo::core::ids::ProviderPersonId;
use kiungo::core::secret::Secret;
use kiungo::core::time::{Clock as _, Timestamp};
use kiungo::providers::ProviderRequest;
use kiungo::records::{Attempt, AttemptState, Consent, JobType as _, LinkState, ProviderPerson, ProviderPersonOutcome};
use kiungo::service::callbacks::ProviderWebhookOutcome;
use kiungo::service::linking::advance::AdvanceNow;
use kiungo::service::linking::confirm_unlinked::ConfirmUnlinked;
use kiungo::service::linking::read_accounts::ReadAccounts;
use kiungo::service::linking::settle::Settle;
use kiungo::service::linking::unlink::Unlink;
use rstest::rstest;
use tokio::task::JoinSet;

use crate::support::hook_bank::{HookWorld, NAME, taken};
use crate::support::provider_webhooks::receive;
use crate::support::records::{Backend, RecordedPerson, at, begin, partner, person, unique_bytes};

/// The provider knows this person at their partner by this name.
async fn known_as(world: &HookWorld, who: &RecordedPerson, handle: &str) {
    let sealing = &world.deps().sealing;
    let row = ProviderPerson {
        id: ProviderPersonId::from_bytes(unique_bytes()),
        partner: who.partner,
        provider: NAME.to_owned(),
        tag: who.tag,
        handle_digest: Some(sealing.person_handle_digest(NAME, &Secret::new(handle))),
        sealed: vec![1],
        version: 1,
        updated_at: world.clock.now(),
    };
    let put = world.records.put_provider_person(&row).await.unwrap();
    assert_eq!(put, ProviderPersonOutcome::Written);
}

/// The keys authenticate: each owner's their own webhooks, at their own address. Without an owner it is the operator. Who
/// has no keys there does not exist.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_the_owner_decide(#[case] backend: Backend) {
    let world = HookWorld::new(backend).await;
    let id = |n: u8| partner(n).id.to_string();
    let unauthentic = Some(ProviderWebhookOutcome::Unauthentic);
    for (owner, key, want) in [
        (None, "key-1", Some(taken())),
        (Some("operator"), "key-1", Some(taken())),
        (Some(id(1).as_str()), "key-1", Some(taken())),
        (Some(id(2).as_str()), "key-2", Some(taken())),
        (None, "key-2", unauthentic.clone()),
        (Some("operator"), "", unauthentic.clone()),
        (Some(id(2).as_str()), "key-1", unauthentic.clone()),
        (Some(id(3).as_str()), "key-1", None),
        (Some("0b0e2a54-94c7-4a8b-8a3b-7a1f3e1f0d7c"), "key-1", None),
        (Some("Operator"), "key-1", None),
        (Some(""), "key-1", None),
    ] {
        assert_eq!(world.send(0, owner, key, "").await, want, "{owner:?} {key}");
    }
    assert_eq!(
        world.send(0, None, "key-1", "nonsense").await,
        Some(ProviderWebhookOutcome::Malformed)
    );
    // One that looks at its URL first is answered by the provider; another method is nobody's.
    for (method, name, want) in [("GET", NAME, true), ("GET", "nobody", false), ("POST", "nobody", false)] {
        let request = ProviderRequest {
            method,
            path: "/hooks/hookbank",
            tail: "",
            query: "challenge=7",
            headers: &[],
            body: b"",
        };
        let outcome = receive(&world.nodes[0].hooks, name, None, &request).await;
        let said = match outcome {
            Some(ProviderWebhookOutcome::Accepted(reply)) => Some(reply.body),
            _ => None,
        };
        assert_eq!(said.as_deref(), want.then_some(&b"challenge=7"[..]), "{method} {name}");
    }
}

/// Strangers write nothing themselves. That there were some is written down, so that somebody can see it: in one row a
/// minute, however many come.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_audited_once_a_minute() {
    let world = HookWorld::new(Backend::Sqlite).await;
    let rows = async || {
        let deps = world.deps();
        deps.strangers.write_down(deps.records.as_ref(), deps.clock.now()).await;
        world.records.audit_count("webhook.unauthentic").await
    };
    for wanted in [1, 2] {
        for _ in 0..60 {
            let outcome = world.send(0, None, "wrong", "updated account a1 e1").await;
            assert_eq!(outcome, Some(ProviderWebhookOutcome::Unauthentic));
            assert_eq!(rows().await, wanted);
        }
        world.clock.advance(Duration::from_mins(1));
    }
}

/// Several events come in one webhook, about an account, a link or a person: all links concerned follow, and the provider
/// hears what it wants once all is stored.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn events_reach_all_links_concerned(#[case] backend: Backend) {
    let world = HookWorld::new(backend).await;
    let (ada, eze) = (person(1, 1), person(1, 2));
    let first = world.linked(&ada, "h1", &["a1", "a2"]).await;
    let second = world.linked(&ada, "h2", &["a3"]).await;
    let other = world.linked(&eze, "h3", &["a4"]).await;
    known_as(&world, &ada, "ada").await;
    world
        .hears("updated account a2 e1\nreauth link h2 e2\nreauth account a4 e3\nupdated link unknown e4")
        .await;
    assert!(world.has_job(&format!("{}:e1", ReadAccounts::key(first.id))).await);
    assert!(!world.has_job(&format!("{}:e1", ReadAccounts::key(second.id))).await);
    for (link, want) in [
        (&first, LinkState::Active),
        (&second, LinkState::ReauthRequired),
        (&other, LinkState::ReauthRequired),
    ] {
        assert_eq!(world.state_of(link).await, want);
    }
    world.hears("reauth person ada e5\nreauthorised account a4 e6").await;
    for (link, want) in [
        (&first, LinkState::ReauthRequired),
        (&second, LinkState::ReauthRequired),
        (&other, LinkState::Active),
    ] {
        assert_eq!(world.state_of(link).await, want);
    }
    world.hears("reauthorised person ada e7\nconnected person ada e8").await;
    for link in [&first, &second] {
        assert_eq!(world.state_of(link).await, LinkState::Active);
        assert!(world.has_job(&format!("{}:e8", ReadAccounts::key(link.id))).await);
    }
    assert!(!world.has_job(&format!("{}:e8", ReadAccounts::key(other.id))).await);
}

/// What comes again, to the same node or another and at once, is done once; what happened before something that was heard
/// about the same does not overrule it, and what says nothing of how it stands neither overrules nor is overruled.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_once_and_none_from_before(#[case] backend: Backend) {
    let world = Arc::new(HookWorld::new(backend).await);
    let link = world.linked(&person(1, 1), "h1", &["a1"]).await;
    let mut sent = JoinSet::new();
    for n in 0..6 {
        let world = world.clone();
        sent.spawn(async move { world.send(n % 2, None, "key-1", "reauth account a1 e1 10").await });
    }
    for outcome in sent.join_all().await {
        assert_eq!(outcome, Some(taken()));
    }
    let told = "SELECT COUNT(*) FROM events WHERE kind = 'link.reauth_required'";
    assert_eq!(world.records.count(told).await, 1);
    for (body, want) in [
        ("reauthorised account a1 e2 9", LinkState::ReauthRequired),
        ("updated account a1 e3 99", LinkState::ReauthRequired),
        ("reauthorised account a1 e4 11", LinkState::Active),
        // It came before.
        ("reauth account a1 e1 10", LinkState::Active),
        ("reauth account a1 e5 10", LinkState::Active),
        ("reauth account a1 e6 11", LinkState::ReauthRequired),
        // About something else, from before the link was logged in to again and later; or of no known time.
        ("reauthorised link h1 e7 1", LinkState::ReauthRequired),
        ("reauthorised link h1 e10 12", LinkState::Active),
        ("reauth account a1 e8", LinkState::ReauthRequired),
    ] {
        world.hears(body).await;
        assert_eq!(world.state_of(&link).await, want, "{body}");
    }
    // Somebody has logged in elsewhere: that is not who dials here.
    let used_at = world.records.link(link.id).await.unwrap().unwrap().used_at;
    assert_eq!(used_at, link.used_at);
    let read = ReadAccounts::key(link.id);
    assert!(world.has_job(&format!("{read}:e3")).await);
    world.hears("updated account a1 e9 1").await;
    assert!(world.has_job(&format!("{read}:e9")).await);
}

/// A partner's key reaches nobody else's links, sessions and people, whatever it names: neither by what it says, nor by
/// keeping what their own key says from being heard. Two partners may know different things by one name.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_reaches_its_owners_only(#[case] backend: Backend) {
    let world = HookWorld::new(backend).await;
    let (ada, eze) = (person(1, 1), person(2, 2));
    let link = world.linked(&ada, "h1", &["a1"]).await;
    known_as(&world, &ada, "ada").await;
    let waiting = world.waiting(&ada, "s1", "en").await;
    let stranger = partner(2).id.to_string();
    let as_partner = async |body: &str| {
        let outcome = world.send(1, Some(&stranger), "key-2", body).await;
        assert_eq!(outcome, Some(taken()), "{body}");
    };
    as_partner(
        "reauth account a1 e1 99\nreauth link h1 e2 99\nreauth person ada e3 99\nunlinked account a1 e4 99\n\
         updated session s1 e5\nupdated account a1 e6",
    )
    .await;
    assert_eq!(world.state_of(&link).await, LinkState::Active);
    for key in [
        format!("{}:e4", ConfirmUnlinked::key(link.id)),
        format!("{}:e5", AdvanceNow::key(waiting.id)),
        format!("{}:e6", ReadAccounts::key(link.id)),
    ] {
        assert!(!world.has_job(&key).await, "{key}");
    }
    world.hears("reauth account a1 e1 10\nupdated session s1 e5").await;
    assert_eq!(world.state_of(&link).await, LinkState::ReauthRequired);
    assert!(world.has_job(&format!("{}:e5", AdvanceNow::key(waiting.id))).await);

    let same = world.linked(&eze, "h1", &["a1"]).await;
    known_as(&world, &eze, "ada").await;
    for (n, subject) in ["account a1", "link h1", "person ada"].into_iter().enumerate() {
        let at = 100 + n;
        as_partner(&format!("reauth {subject} f{n} {at}")).await;
        assert_eq!(world.state_of(&same).await, LinkState::ReauthRequired, "{subject}");
        as_partner(&format!("reauthorised {subject} g{n} {at}")).await;
        assert_eq!(world.state_of(&same).await, LinkState::Active, "{subject}");
        assert_eq!(world.state_of(&link).await, LinkState::ReauthRequired, "{subject}");
    }
    // An earlier time than the other's: another order of things.
    world.hears("reauthorised account a1 e9 11").await;
    assert_eq!(world.state_of(&link).await, LinkState::Active);
}

/// That an account is gone is believed after a look only: one that is still there stays linked, and where nobody can look,
/// the job looks again. It is so of one account, a link and a person. The end that follows is one job's: the provider is asked
/// once to end each account.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_believed_after_a_look(#[case] backend: Backend) {
    let world = HookWorld::new(backend).await;
    let ada = person(1, 1);
    let link = world.linked(&ada, "h1", &["a1", "a2"]).await;
    let other = world.linked(&ada, "h2", &["a3"]).await;
    known_as(&world, &ada, "ada").await;
    let look = async |link: &kiungo::records::Link, event: &str| {
        let key = format!("{}:{event}", ConfirmUnlinked::key(link.id));
        world.nodes[1].jobs.run_key(&key).await
    };
    let ended = async |link: &kiungo::records::Link| world.nodes[0].jobs.run_now::<Unlink>(link.id).await;
    world.hears("unlinked account a1 e1").await;
    assert_eq!(world.state_of(&link).await, LinkState::Active);
    assert!(look(&link, "e1").await);
    assert_eq!(world.state_of(&link).await, LinkState::Active);
    assert!(!look(&link, "e1").await, "it looks again without need");

    world.bank.script().gone = vec!["a2"];
    world.bank.script().down = true;
    world.hears("unlinked person ada e2").await;
    for link in [&link, &other] {
        assert!(look(link, "e2").await);
        assert_eq!(world.state_of(link).await, LinkState::Active);
    }
    world.bank.script().down = false;
    for (link, want) in [(&link, LinkState::Removing), (&other, LinkState::Active)] {
        assert!(look(link, "e2").await, "it gave up looking");
        assert_eq!(world.state_of(link).await, want);
    }
    assert!(ended(&link).await && !ended(&link).await && !ended(&other).await);
    assert_eq!(world.state_of(&link).await, LinkState::Removed);
    assert_eq!(world.bank.script().ends, 2);
    world.bank.script().gone = vec!["a3"];
    world.hears("unlinked link h2 e3").await;
    assert!(look(&other, "e3").await && ended(&other).await);
    assert_eq!(world.state_of(&other).await, LinkState::Removed);
}

/// An event about a session moves on the attempt that waits in it, and settles one whose answer was lost; anyone who is just
/// sending one hears first hand, and one that has its answer needs no other.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn an_event_about_a_session_moves_its_attempt(#[case] backend: Backend) {
    let world = HookWorld::new(backend).await;
    let waiting = world.waiting(&person(1, 1), "waits", "en").await;
    world
        .hears("updated session waits e1\nconnected session nobody e1x")
        .await;
    assert!(world.has_job(&format!("{}:e1", AdvanceNow::key(waiting.id))).await);
    for (n, state) in AttemptState::ALL.into_iter().enumerate() {
        if state == AttemptState::Waiting {
            continue;
        }
        let session = format!("s{n}");
        let attempt = world.attempted(&person(1, 2), &session, state).await;
        world.hears(&format!("updated session {session} f{n}")).await;
        let settles = matches!(
            state,
            AttemptState::Unknown | AttemptState::Granted | AttemptState::Lapsed
        );
        let key = format!("{}:f{n}", Settle::key(attempt.id));
        assert_eq!(world.has_job(&key).await, settles, "{state:?}");
        let (found, _) = world.records.attempt(attempt.id).await.unwrap().unwrap();
        assert_eq!(found.state, state);
    }
}

/// A login for a link of which the answer was lost has come to what its provider says of the link: it is in use again, the
/// login counts as done, on what was agreed to for it, and a job tells the person. What was begun after that, is for another
/// link, or is being sent, is left alone; an answer that is lost only afterwards finds it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn an_event_settles_the_login_that_it_tells_of(#[case] backend: Backend) {
    let world = HookWorld::new(backend).await;
    let ada = person(1, 1);
    let links = [
        world.linked(&ada, "h1", &["a1"]).await,
        world.linked(&ada, "h2", &["a2"]).await,
    ];
    let renews = async |link: usize, state: AttemptState, begun_at: i64| {
        let session = format!("r{link} {state:?} {begun_at}");
        let renewed = links[link].id;
        let begun = Timestamp::from_millis(begun_at);
        let consent = Consent {
            agreed_at: at(begun_at),
            ..ada.consent()
        };
        let mut attempt = ada.attempt(&consent);
        world.opened(&mut attempt, &session);
        attempt.renews = Some(renewed);
        attempt.created_at = begun;
        begin(&*world.records, &consent, &attempt).await;
        assert!(world.records.move_attempt(attempt.id, state, begun).await.unwrap());
        attempt
    };
    let state = async |attempt: &Attempt| world.records.attempt(attempt.id).await.unwrap().unwrap().0.state;
    for link in &links {
        let (to, now) = (LinkState::ReauthRequired, world.clock.now());
        assert!(world.records.move_link(link.id, to, &[], now).await.unwrap());
    }
    let unknown = renews(0, AttemptState::Unknown, 50).await;
    let sending = renews(0, AttemptState::Sending, 60).await;
    let later = renews(0, AttemptState::Unknown, 101).await;
    let others = renews(1, AttemptState::Unknown, 50).await;
    world.hears("reauthorised account a1 e1 100").await;
    assert_eq!(world.state_of(&links[0]).await, LinkState::Active);
    assert_eq!(world.state_of(&links[1]).await, LinkState::ReauthRequired);
    for (attempt, want) in [
        (&unknown, AttemptState::Linked),
        (&sending, AttemptState::Sending),
        (&later, AttemptState::Unknown),
        (&others, AttemptState::Unknown),
    ] {
        assert_eq!(state(attempt).await, want, "{}", attempt.created_at.as_millis());
    }
    assert!(world.has_job(&format!("{}:e1", Settle::key(unknown.id))).await);
    let consent = world.records.link(links[0].id).await.unwrap().unwrap().consent;
    assert_eq!(consent, unknown.consent, "what was agreed to last holds");
    assert!(world.nodes[0].jobs.run_now::<Settle>(later.id).await);
    assert_ne!(state(&later).await, AttemptState::Linked);
    // The answer to what was being sent is lost only now.
    assert!(world.nodes[0].jobs.run_now::<Settle>(sending.id).await);
    assert_eq!(state(&sending).await, AttemptState::Linked);
}
