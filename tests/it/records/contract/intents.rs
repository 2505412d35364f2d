//! Partners' intents: written once, each with a code of its own, over once, and seen by nobody else.

use kiungo::core::access::TenantScope;
use kiungo::core::events::EventKind;
use kiungo::core::ids::{EntityId, UserId};
use kiungo::core::page::PageRequest;
use kiungo::core::scope::{Data, Scope};
use kiungo::core::seal::SubscriberTag;
use kiungo::records::LinkCompletion::{IntentClosed, Written};
use kiungo::records::{
    Attempt, AttemptState, Begun, ExpireIntent, IntentFilter, IntentState, JobType as _, LinkIntent, WriteOutcome,
};
use kiungo::service::linking::settle::Settle;
use kiungo::service::sms::outbox::SendSms;
use rstest::rstest;

use super::messages::message;
use crate::support::events::{attempt_for, entity, events_about, whole_partner};
use crate::support::intents::{LIMITS, add, audit_entry_at, intent};
use crate::support::records::{
    Backend, Fixture, RecordedPerson, at, job, link, node, partner, person, settle, unique_bytes,
};

/// An intent with something in every column.
async fn full(db: &Fixture) -> LinkIntent {
    let scope = whole_partner(partner(1).id);
    LinkIntent {
        entity: Some(entity(db, scope.partner).await),
        created_by: Some(UserId::from_bytes(unique_bytes())),
        scope: Scope::of(Data::ALL).unwrap(),
        reference: Some("customer 17".to_owned()),
        tag: Some(SubscriberTag::from_bytes([1; 32])),
        msisdn: Some(vec![1]),
        institution: Some("mono/kuda".to_owned()),
        locale: Some("ha".to_owned()),
        many: true,
        expected: Some(vec![2]),
        suggested: Some(vec![3]),
        renews: Some(kiungo::core::ids::LinkId::from_bytes(unique_bytes())),
        ..intent(scope.partner)
    }
}

/// An intent is written whole, with its SMS and the job that ends it in time, and asked for again it is the same one.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_request_is_written_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let (intent, who) = (full(&db).await, person(1, 1));
    let scope = whole_partner(intent.partner);
    let sms = message(&who, "intent");
    let send = job(intent.partner, SendSms::of(sms.id), "sms", at(0));
    let entry = audit_entry_at(&scope, 0);
    let sms = Some((sms, send));
    for _ in 0..2 {
        let kept = db.add_intent(&intent, LIMITS, sms.as_ref(), &entry).await.unwrap();
        assert_eq!(kept, WriteOutcome::Done(intent.clone()));
    }
    // Anyone who asks again draws another SMS, code and moment; what was written stands.
    let again = LinkIntent {
        code_digest: Some(unique_bytes()),
        created_at: at(9),
        ..intent.clone()
    };
    let kept = db
        .add_intent(&again, LIMITS, None, &audit_entry_at(&scope, 9))
        .await
        .unwrap();
    assert_eq!(kept, WriteOutcome::Done(intent.clone()));
    assert_eq!(db.intent(&scope, intent.id).await.unwrap(), Some(intent.clone()));
    let key = ExpireIntent::key(intent.id);
    let expire = db.claim_key(&key, node(1), at(0), at(1)).await.unwrap().unwrap();
    assert_eq!(
        (expire.kind, expire.due_at),
        (ExpireIntent::of(intent.id), intent.expires_at)
    );
    assert!(db.claim_key("sms", node(1), at(0), at(1)).await.unwrap().is_some());
    assert_eq!(db.count("SELECT COUNT(*) FROM messages").await, 1);
    assert_eq!(db.audit_count("test.done").await, 1);
}

/// No two open intents share a code, of whichever partner; a code is free again when its intent is over. An intent for an
/// entity that is gone is not written.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_code_is_one_requests(#[case] backend: Backend) {
    let db = backend.create().await;
    let first = add(&*db, partner(1).id, |_| ()).await;
    let (mine, other) = (whole_partner(first.partner), whole_partner(partner(2).id));
    let second = LinkIntent {
        code_digest: first.code_digest,
        ..intent(other.partner)
    };
    let entry = audit_entry_at(&other, 0);
    assert_eq!(
        db.add_intent(&second, LIMITS, None, &entry).await.unwrap(),
        WriteOutcome::Taken
    );
    assert_eq!(db.intent(&other, second.id).await.unwrap(), None);
    db.cancel_intent(&mine, first.id, &audit_entry_at(&mine, 1))
        .await
        .unwrap();
    let kept = db.add_intent(&second, LIMITS, None, &entry).await.unwrap();
    assert_eq!(kept, WriteOutcome::Done(second));
    let nowhere = LinkIntent {
        entity: Some(EntityId::from_bytes(unique_bytes())),
        ..intent(other.partner)
    };
    assert_eq!(
        db.add_intent(&nowhere, LIMITS, None, &entry).await.unwrap(),
        WriteOutcome::NoEntity
    );
    // Without a code there is nothing to share.
    for n in 1..=2 {
        let tagged = |intent: &mut LinkIntent| {
            (intent.code, intent.code_digest) = (None, None);
            intent.tag = Some(SubscriberTag::from_bytes([n; 32]));
        };
        add(&*db, other.partner, tagged).await;
    }
}

/// An intent is over once, however it ends, and that is told once; from then on it has no code.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_request_is_over_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let scope = whole_partner(partner(1).id);
    for (cancelled_at, state, kind) in [
        (1, IntentState::Cancelled, "intent.cancelled"),
        (60_001, IntentState::Expired, "intent.expired"),
    ] {
        let intent = add(&*db, scope.partner, |_| ()).await;
        assert_eq!(
            db.expire_intent(intent.id, at(59_999)).await.unwrap(),
            Some(intent.expires_at)
        );
        if cancelled_at > 60_000 {
            assert_eq!(db.expire_intent(intent.id, at(60_000)).await.unwrap(), None);
        }
        let ended = db
            .cancel_intent(&scope, intent.id, &audit_entry_at(&scope, cancelled_at))
            .await;
        assert_eq!(
            matches!(ended.unwrap(), WriteOutcome::Done(_)),
            state == IntentState::Cancelled
        );
        let again = db
            .cancel_intent(&scope, intent.id, &audit_entry_at(&scope, 60_002))
            .await
            .unwrap();
        assert_eq!(again, WriteOutcome::InUse);
        assert_eq!(db.expire_intent(intent.id, at(60_003)).await.unwrap(), None);
        let over = db.intent(&scope, intent.id).await.unwrap().unwrap();
        assert_eq!((over.state, over.code, over.code_digest), (state, None, None));
        let told = events_about(&*db, scope.partner, intent.id.as_bytes()).await;
        let kinds: Vec<_> = told.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, [kind]);
        let data = format!(
            r#"{{"intent_id":"{}","entity_id":null,"state":"{}","sequence":1}}"#,
            intent.id,
            state.as_str()
        );
        assert_eq!(told[0].data, data);
    }
    let nowhere = intent(scope.partner).id;
    assert_eq!(db.expire_intent(nowhere, at(0)).await.unwrap(), None);
    let ended = db
        .cancel_intent(&scope, nowhere, &audit_entry_at(&scope, 0))
        .await
        .unwrap();
    assert_eq!(ended, WriteOutcome::NotFound);
}

/// Intents are listed newest first, page by page and as filtered, within the caller's scope: another partner's, another
/// entity's or another user's is neither read nor ended.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn requests_are_within_reach(#[case] backend: Backend) {
    let db = backend.create().await;
    let RecordedPerson { partner: mine, .. } = person(1, 1);
    let (lagos, kano) = (entity(&db, mine).await, entity(&db, mine).await);
    let (ada, obi) = (UserId::from_bytes(unique_bytes()), UserId::from_bytes(unique_bytes()));
    let mut all = Vec::new();
    for (n, (entity, user)) in (1..).zip([
        (None, None),
        (Some(lagos), None),
        (Some(lagos), Some(ada)),
        (Some(kano), Some(obi)),
    ]) {
        let change = |intent: &mut LinkIntent| {
            (intent.entity, intent.created_by, intent.created_at) = (entity, user, at(n));
            intent.reference = Some(format!("r{}", n % 2));
        };
        all.insert(0, add(&*db, mine, change).await);
    }
    let scope = |entity, own| TenantScope {
        entity,
        own,
        ..whole_partner(mine)
    };
    for (scope, seen) in [
        (whole_partner(mine), vec![0, 1, 2, 3]),
        (scope(Some(lagos), None), vec![1, 2]),
        (scope(Some(lagos), Some(ada)), vec![1]),
        (scope(Some(kano), Some(ada)), vec![]),
        (whole_partner(partner(2).id), vec![]),
    ] {
        let wanted: Vec<_> = seen.iter().map(|&n| all[n].clone()).collect();
        let (mut found, mut page) = (Vec::new(), PageRequest { limit: 1, after: None });
        loop {
            let rows = db.intents(&scope, &IntentFilter::default(), &page).await.unwrap();
            found.extend(rows.rows);
            match rows.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        assert_eq!(found, wanted, "{scope:?}");
        for (n, intent) in all.iter().enumerate() {
            let there = seen.contains(&n);
            assert_eq!(db.intent(&scope, intent.id).await.unwrap().is_some(), there);
            if !there {
                let ended = db
                    .cancel_intent(&scope, intent.id, &audit_entry_at(&scope, 5))
                    .await
                    .unwrap();
                assert_eq!(ended, WriteOutcome::NotFound);
            }
        }
    }
    let everything = whole_partner(mine);
    db.cancel_intent(&everything, all[0].id, &audit_entry_at(&everything, 6))
        .await
        .unwrap();
    for (state, reference, wanted) in [
        (Some(IntentState::Cancelled), None, 1),
        (Some(IntentState::Open), None, 3),
        (None, Some("r1"), 2),
        (Some(IntentState::Open), Some("r0"), 1),
        (None, Some("R0"), 0),
    ] {
        let reference = reference.map(str::to_owned);
        let filter = IntentFilter { state, reference };
        let rows = db.intents(&everything, &filter, &PageRequest::default()).await.unwrap();
        assert_eq!(rows.rows.len(), wanted, "{filter:?}");
    }
}

/// Somebody may go on with an intent until its partner ends it or another completes it; that its time is over holds up nobody
/// who has begun. Where it is over nothing is written. To log in again nobody needs the intent that the link came of.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn nothing_is_begun_once_a_request_is_over(#[case] backend: Backend) {
    use IntentState::{Cancelled, Completed, Expired, Mismatched, Open};
    let db = backend.create().await;
    let ada = person(1, 1);
    for (state, goes_on) in [
        (Open, true),
        (Expired, true),
        (Completed, false),
        (Cancelled, false),
        (Mismatched, false),
    ] {
        let asked = add(&*db, ada.partner, |intent| intent.state = state).await;
        for renews in [None, Some(kiungo::core::ids::LinkId::from_bytes(unique_bytes()))] {
            let mut consent = ada.consent();
            consent.intent = asked.id;
            let attempt = Attempt {
                renews,
                ..ada.attempt(&consent)
            };
            let begun = db
                .begin_attempt(&consent, &attempt, None, &settle(&attempt))
                .await
                .unwrap();
            let expected = goes_on || renews.is_some();
            let wanted = if expected { Begun::New } else { Begun::RequestEnded };
            assert_eq!(begun, wanted, "{state:?}");
            assert_eq!(db.attempt(attempt.id).await.unwrap().is_some(), expected);
            assert_eq!(db.consent(consent.id).await.unwrap().is_some(), expected);
            let key = Settle::key(attempt.id);
            assert_eq!(
                db.claim_key(&key, node(1), at(9), at(9)).await.unwrap().is_some(),
                expected
            );
        }
    }
}

/// The first link completes an intent for one person, and no other comes of it; one for many goes on. What was cancelled or
/// completed meanwhile gets no link, what only expired does. Each end is told once, with the link.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_link_completes_its_request(#[case] backend: Backend) {
    use IntentState::{Cancelled, Completed, Expired, Open};
    let db = backend.create().await;
    let mine = whole_partner(partner(1).id);
    for (meanwhile, many, links, ends) in [
        (Open, false, 1, Completed),
        (Open, true, 2, Open),
        (Expired, false, 1, Completed),
        (Expired, true, 2, Expired),
        (Cancelled, false, 0, Cancelled),
        (Cancelled, true, 0, Cancelled),
    ] {
        let case = format!("{meanwhile:?} {many}");
        let asked = add(&*db, mine.partner, |intent| intent.many = many).await;
        let mut made = Vec::new();
        for n in 1..=2 {
            let attempt = attempt_for(&*db, person(1, n), asked.id, AttemptState::Unknown).await;
            made.push(link(&attempt, 1));
        }
        match meanwhile {
            Cancelled => drop(
                db.cancel_intent(&mine, asked.id, &audit_entry_at(&mine, 1))
                    .await
                    .unwrap(),
            ),
            Expired => assert_eq!(db.expire_intent(asked.id, at(60_000)).await.unwrap(), None),
            _ => {}
        }
        for (n, link) in made.iter().enumerate() {
            let wanted = if n < links { Written(link.id) } else { IntentClosed };
            for _ in 0..2 {
                assert_eq!(db.complete_link(link, &[]).await.unwrap(), wanted, "{case}");
            }
            let there = db.link(link.id).await.unwrap().is_some();
            assert_eq!(there, n < links, "{case}");
        }
        let found = db.intent(&mine, asked.id).await.unwrap().unwrap();
        assert_eq!((found.state, found.links as usize), (ends, links), "{case}");
        assert_eq!(found.code.is_some(), ends == Open, "{case}");
        let told = events_about(&*db, mine.partner, asked.id.as_bytes()).await;
        let completed = told.iter().filter(|event| event.kind == EventKind::IntentCompleted);
        let named = completed.filter(|event| event.data.contains(&made[0].id.to_string()));
        assert_eq!(named.count(), usize::from(ends == Completed), "{case}");
        assert_eq!(
            told.len(),
            usize::from(meanwhile != Open) + usize::from(ends == Completed),
            "{case}"
        );
    }
}

/// However many complete an intent for one person at once, one link comes of it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_completes_a_request(#[case] backend: Backend) {
    let db = backend.create().await;
    let mine = whole_partner(partner(1).id);
    let asked = add(&*db, mine.partner, |_| ()).await;
    let mut links = Vec::new();
    for n in 1..=6 {
        let attempt = attempt_for(&*db, person(1, n), asked.id, AttemptState::Unknown).await;
        links.push(link(&attempt, 1));
    }
    let mut tasks = tokio::task::JoinSet::new();
    for link in links {
        let db = db.shared();
        tasks.spawn(async move { db.complete_link(&link, &[]).await.unwrap() });
    }
    let completed = tasks.join_all().await;
    let written = completed.iter().filter(|completed| matches!(completed, Written(_)));
    assert_eq!(written.count(), 1, "{completed:?}");
    assert_eq!(events_about(&*db, mine.partner, asked.id.as_bytes()).await.len(), 1);
}
