//! Partners' requests: written once, each with a code of its own, over once, and seen by nobody else.

use kiungo::core::access::Reach;
use kiungo::core::ids::{EntityId, UserId};
use kiungo::core::page::Page;
use kiungo::core::scope::{Data, Scope};
use kiungo::core::seal::Tag;
use kiungo::records::{IntentFilter, IntentState, JobKind, Kept, LinkIntent};
use rstest::rstest;

use super::messages::message;
use crate::support::events::{entity, told_about, whole};
use crate::support::intents::{add, done, intent};
use crate::support::records::{Backend, Fixture, Person, at, fresh, job, node, partner, person};

/// A request with something in every column.
async fn full(db: &Fixture) -> LinkIntent {
    let reach = whole(partner(1).id);
    LinkIntent {
        entity: Some(entity(db, reach.partner).await),
        created_by: Some(UserId::from_bytes(fresh())),
        scope: Scope::of(Data::ALL).unwrap(),
        reference: Some("customer 17".to_owned()),
        tag: Some(Tag::from_bytes([1; 32])),
        msisdn: Some(vec![1]),
        institution: Some("mono/kuda".to_owned()),
        locale: Some("ha".to_owned()),
        many: true,
        expected: Some(vec![2]),
        renews: Some(kiungo::core::ids::LinkId::from_bytes(fresh())),
        ..intent(reach.partner)
    }
}

/// A request is written whole, with its text and the job that ends it in time, and asked for again it is the same one.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_request_is_written_once(#[case] backend: Backend) {
    let db = backend.fresh().await;
    let (intent, who) = (full(&db).await, person(1, 1));
    let reach = whole(intent.partner);
    let text = message(&who, "intent");
    let send = job(intent.partner, JobKind::SendSms(text.id), "sms", at(0));
    let deed = done(&reach, 0);
    let text = Some((text, send));
    for _ in 0..2 {
        let kept = db.add_intent(&intent, text.as_ref(), &deed).await.unwrap();
        assert_eq!(kept, Kept::Done(intent.clone()));
    }
    // Whoever asks again draws another text, code and moment; what was written stands.
    let again = LinkIntent {
        code_digest: Some(fresh()),
        created_at: at(9),
        ..intent.clone()
    };
    let kept = db.add_intent(&again, None, &done(&reach, 9)).await.unwrap();
    assert_eq!(kept, Kept::Done(intent.clone()));
    assert_eq!(db.intent(&reach, intent.id).await.unwrap(), Some(intent.clone()));
    let key = format!("expire:{}", intent.id);
    let expire = db.claim_key(&key, node(1), at(0), at(1)).await.unwrap().unwrap();
    assert_eq!(
        (expire.kind, expire.due_at),
        (JobKind::ExpireIntent(intent.id), intent.expires_at)
    );
    assert!(db.claim_key("sms", node(1), at(0), at(1)).await.unwrap().is_some());
    assert_eq!(db.count("SELECT COUNT(*) FROM messages").await, 1);
    assert_eq!(db.audited("test.done").await, 1);
}

/// No two open requests share a code, of whichever partner; a code is free again when its request is over. A request for an
/// entity that is gone is not written.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_code_is_one_requests(#[case] backend: Backend) {
    let db = backend.fresh().await;
    let first = add(&*db, partner(1).id, |_| ()).await;
    let (mine, other) = (whole(first.partner), whole(partner(2).id));
    let second = LinkIntent {
        code_digest: first.code_digest,
        ..intent(other.partner)
    };
    let deed = done(&other, 0);
    assert_eq!(db.add_intent(&second, None, &deed).await.unwrap(), Kept::Taken);
    assert_eq!(db.intent(&other, second.id).await.unwrap(), None);
    db.cancel_intent(&mine, first.id, &done(&mine, 1)).await.unwrap();
    let kept = db.add_intent(&second, None, &deed).await.unwrap();
    assert_eq!(kept, Kept::Done(second));
    let nowhere = LinkIntent {
        entity: Some(EntityId::from_bytes(fresh())),
        ..intent(other.partner)
    };
    assert_eq!(db.add_intent(&nowhere, None, &deed).await.unwrap(), Kept::NoEntity);
    // Without a code there is nothing to share.
    for n in 1..=2 {
        let tagged = |intent: &mut LinkIntent| {
            (intent.code, intent.code_digest) = (None, None);
            intent.tag = Some(Tag::from_bytes([n; 32]));
        };
        add(&*db, other.partner, tagged).await;
    }
}

/// A request is over once, however it ends, and that is told once; from then on it has no code.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_request_is_over_once(#[case] backend: Backend) {
    let db = backend.fresh().await;
    let reach = whole(partner(1).id);
    for (cancelled_at, state, kind) in [
        (1, IntentState::Cancelled, "intent.cancelled"),
        (60_001, IntentState::Expired, "intent.expired"),
    ] {
        let intent = add(&*db, reach.partner, |_| ()).await;
        assert_eq!(
            db.expire_intent(intent.id, at(59_999)).await.unwrap(),
            Some(intent.expires_at)
        );
        if cancelled_at > 60_000 {
            assert_eq!(db.expire_intent(intent.id, at(60_000)).await.unwrap(), None);
        }
        let ended = db.cancel_intent(&reach, intent.id, &done(&reach, cancelled_at)).await;
        assert_eq!(matches!(ended.unwrap(), Kept::Done(_)), state == IntentState::Cancelled);
        let again = db
            .cancel_intent(&reach, intent.id, &done(&reach, 60_002))
            .await
            .unwrap();
        assert_eq!(again, Kept::InUse);
        assert_eq!(db.expire_intent(intent.id, at(60_003)).await.unwrap(), None);
        let over = db.intent(&reach, intent.id).await.unwrap().unwrap();
        assert_eq!((over.state, over.code, over.code_digest), (state, None, None));
        let told = told_about(&*db, reach.partner, intent.id.as_bytes()).await;
        let kinds: Vec<_> = told.iter().map(|event| event.kind.word()).collect();
        assert_eq!(kinds, [kind]);
        let data = format!(
            r#"{{"intent_id":"{}","entity_id":null,"state":"{}","sequence":1}}"#,
            intent.id,
            state.name()
        );
        assert_eq!(told[0].data, data);
    }
    let nowhere = intent(reach.partner).id;
    assert_eq!(db.expire_intent(nowhere, at(0)).await.unwrap(), None);
    let ended = db.cancel_intent(&reach, nowhere, &done(&reach, 0)).await.unwrap();
    assert_eq!(ended, Kept::NotFound);
}

/// Requests are listed newest first, page by page and as filtered, within the caller's reach: another partner's, another
/// entity's or another user's is neither read nor ended.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn requests_are_within_reach(#[case] backend: Backend) {
    let db = backend.fresh().await;
    let Person { partner: mine, .. } = person(1, 1);
    let (lagos, kano) = (entity(&db, mine).await, entity(&db, mine).await);
    let (ada, obi) = (UserId::from_bytes(fresh()), UserId::from_bytes(fresh()));
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
    let reach = |entity, own| Reach {
        entity,
        own,
        ..whole(mine)
    };
    for (reach, seen) in [
        (whole(mine), vec![0, 1, 2, 3]),
        (reach(Some(lagos), None), vec![1, 2]),
        (reach(Some(lagos), Some(ada)), vec![1]),
        (reach(Some(kano), Some(ada)), vec![]),
        (whole(partner(2).id), vec![]),
    ] {
        let wanted: Vec<_> = seen.iter().map(|&n| all[n].clone()).collect();
        let (mut found, mut page) = (Vec::new(), Page { limit: 1, after: None });
        loop {
            let rows = db.intents(&reach, &IntentFilter::default(), &page).await.unwrap();
            found.extend(rows.rows);
            match rows.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        assert_eq!(found, wanted, "{reach:?}");
        for (n, intent) in all.iter().enumerate() {
            let there = seen.contains(&n);
            assert_eq!(db.intent(&reach, intent.id).await.unwrap().is_some(), there);
            if !there {
                let ended = db.cancel_intent(&reach, intent.id, &done(&reach, 5)).await.unwrap();
                assert_eq!(ended, Kept::NotFound);
            }
        }
    }
    let everything = whole(mine);
    db.cancel_intent(&everything, all[0].id, &done(&everything, 6))
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
        let rows = db.intents(&everything, &filter, &Page::default()).await.unwrap();
        assert_eq!(rows.rows.len(), wanted, "{filter:?}");
    }
}
