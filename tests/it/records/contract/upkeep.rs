//! What is over is deleted after its time, and nothing that is not over, or that something else still needs.

use kiungo::core::sms::MessageState;
use kiungo::core::time::Timestamp;
use kiungo::records::{Attempt, AttemptState, AuditEntry, ExpiredData, Link, LinkState, Records};
use rstest::rstest;

use super::messages::message;
use crate::support::records::{Backend, Fixture, NOW, RecordedPerson, at, begin, link, person};

/// Rows of the partner's side, of milliseconds 10 and 90; the partners' ids serve as ids of everything.
const ROWS: [&str; 8] = [
    "INSERT INTO intents (id, partner, created_at) SELECT id, id, 10 FROM partners",
    "INSERT INTO link_intents (id, partner, state, purpose, days, scope, many, links, created_at, moved_at, expires_at) \
     SELECT id, id, CASE name WHEN 'Partner 1' THEN 'expired' WHEN 'Partner 2' THEN 'open' ELSE 'completed' END, \
     'loans', 90, 'account', FALSE, 0, 10, 10, 10 FROM partners",
    "INSERT INTO tokens (digest, partner, created_at, expires_at) \
     SELECT id, id, 0, CASE name WHEN 'Partner 1' THEN 10 ELSE 90 END FROM partners",
    "INSERT INTO idempotency (partner, caller, key, request, lease_until, created_at) \
     SELECT id, id, id, id, 0, CASE name WHEN 'Partner 1' THEN 10 ELSE 90 END FROM partners",
    "INSERT INTO erasures (id, partner, tag, pseudonym, state, begun_at, moved_at) \
     SELECT id, id, id, id, CASE name WHEN 'Partner 1' THEN 'done' ELSE 'begun' END, 10, 10 FROM partners",
    "INSERT INTO events (id, partner, kind, subject, seq, data, key, created_at) \
     SELECT e.id, p.id, 'link.updated', p.id, CASE e.name WHEN 'Partner 1' THEN 1 ELSE 2 END, '{}', e.name, 10 \
     FROM partners p, partners e WHERE p.name = 'Partner 1' AND e.name <> 'Partner 3'",
    "INSERT INTO webhook_endpoints (id, partner, url, kinds, state, created_at, updated_at) \
     SELECT id, id, 'https://hooks.example.com', '', 'enabled', 0, 0 FROM partners WHERE name = 'Partner 1'",
    "INSERT INTO deliveries (id, partner, event, endpoint, state, tries, round, created_at, updated_at) \
     SELECT id, partner, id, partner, 'delivered', 1, 0, 10, 10 FROM events",
];

/// Long after everything in these tests.
const LATER: i64 = 1_000_000;

async fn forget(db: &Fixture, what: ExpiredData, before: i64) -> u64 {
    db.delete_expired(what, at(before), 100).await.unwrap()
}

async fn attempts(db: &Fixture, who: &RecordedPerson) -> Vec<AttemptState> {
    let held = db.export(who.partner, &who.tag).await.unwrap();
    held.attempts.into_iter().map(|held| held.attempt.state).collect()
}

async fn consents(db: &Fixture, who: &RecordedPerson) -> usize {
    db.export(who.partner, &who.tag).await.unwrap().consents.len()
}

/// A link that was removed at this moment.
async fn removed(db: &dyn Records, who: &RecordedPerson, when: i64) -> Link {
    let made = who.linked(db, 2, LinkState::Active).await;
    assert!(db.move_link(made.id, LinkState::Removed, &[], at(when)).await.unwrap());
    made
}

/// Submissions go when they are settled and old, with the consents that came to nothing: those of before, the oldest
/// first, no more than asked for. A pending one stays however old, and so does one whose link is there.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn settled_submissions_are_forgotten(#[case] backend: Backend) {
    let db = backend.create().await;
    let (ada, bola) = (person(1, 1), person(2, 2));
    let aged = |age: i64| move |attempt: &mut Attempt| attempt.created_at = at(age);
    for (age, state) in [
        (1, AttemptState::Refused),
        (2, AttemptState::Lapsed),
        (3, AttemptState::Unknown),
        (4, AttemptState::Granted),
        (4, AttemptState::Waiting),
        (90, AttemptState::Refused),
    ] {
        ada.attempted(&*db, state, aged(age)).await;
    }
    ada.linked(&*db, 1, LinkState::Active).await;
    bola.attempted(&*db, AttemptState::Refused, aged(5)).await;
    assert_eq!(consents(&db, &ada).await, 7);
    assert_eq!(db.delete_expired(ExpiredData::Attempts, at(50), 1).await.unwrap(), 1);
    let left = [
        AttemptState::Lapsed,
        AttemptState::Unknown,
        AttemptState::Granted,
        AttemptState::Waiting,
        AttemptState::Refused,
        AttemptState::Linked,
    ];
    assert_eq!(attempts(&db, &ada).await, left);
    assert_eq!(forget(&db, ExpiredData::Attempts, 50).await, 2);
    assert_eq!(attempts(&db, &ada).await, left[1..]);
    assert_eq!((consents(&db, &ada).await, consents(&db, &bola).await), (5, 0));
    assert_eq!(forget(&db, ExpiredData::Attempts, LATER).await, 1);
    assert_eq!(forget(&db, ExpiredData::Consents, LATER).await, 0);
    assert_eq!(consents(&db, &ada).await, 4);
}

/// A removed link goes with its accounts and its submission; what shows that somebody agreed stays until its own time
/// after the link's end, and goes then. A renewal's submission is deleted in its own time and holds the consent until
/// then. Links that are not removed stay however old.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn removed_links_go_before_their_consents(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let (old, young) = (removed(&*db, &ada, 10).await, removed(&*db, &ada, 90).await);
    let active = ada.linked(&*db, 1, LinkState::Active).await;
    let consent = db.consent(old.consent).await.unwrap().unwrap();
    let mut renewal = ada.attempt(&consent);
    renewal.renews = Some(old.id);
    begin(&*db, &consent, &renewal).await;
    for state in [AttemptState::Unknown, AttemptState::Linked] {
        assert!(db.move_attempt(renewal.id, state, at(8)).await.unwrap());
    }

    assert_eq!(forget(&db, ExpiredData::Links, 50).await, 1);
    assert_eq!(db.link(old.id).await.unwrap(), None);
    assert_eq!(db.attempt(old.attempt).await.unwrap(), None);
    for stays in [&young, &active] {
        assert!(db.link(stays.id).await.unwrap().is_some());
    }
    assert_eq!(consents(&db, &ada).await, 3);
    // The consent is over since the link's end, and no sooner; and the renewal still stands on it.
    assert_eq!(forget(&db, ExpiredData::Consents, 10).await, 0);
    assert_eq!(forget(&db, ExpiredData::Consents, 50).await, 0);
    assert_eq!(forget(&db, ExpiredData::Attempts, 50).await, 1);
    assert_eq!(db.attempt(renewal.id).await.unwrap(), None);
    assert_eq!(consents(&db, &ada).await, 3);
    assert_eq!(forget(&db, ExpiredData::Consents, 10).await, 0);
    assert_eq!(forget(&db, ExpiredData::Consents, 50).await, 1);
    assert!(db.consent(old.consent).await.unwrap().is_none());
    // Another person's agreement to the same request is not this one's.
    assert_eq!(forget(&db, ExpiredData::Links, LATER).await, 1);
    assert_eq!(forget(&db, ExpiredData::Consents, LATER).await, 1);
    assert_eq!(consents(&db, &ada).await, 1);
    // A removed link whose number is numbered on: the next one is not mistaken for it.
    let attempt = ada.attempted(&*db, AttemptState::Unknown, |_| ()).await;
    let next = link(&attempt, 1);
    db.complete_link(&next, &[]).await.unwrap();
    let facts = db.history(ada.partner, &ada.tag, at(LATER), false).await.unwrap();
    assert_eq!(
        facts.links.iter().map(|link| link.id).collect::<Vec<_>>(),
        [next.id, active.id]
    );
}

/// SMS, audit entries and erasures go when they are old; an SMS that is still to be sent does not.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn texts_and_events_are_forgotten(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    for (n, state) in [
        (1, MessageState::Unknown),
        (2, MessageState::Queued),
        (90, MessageState::Unknown),
    ] {
        let mut sms = message(&ada, &format!("fact {n}"));
        (sms.created_at, sms.state) = (at(n), state);
        assert!(db.add_message(&sms, &[]).await.unwrap());
        let event = AuditEntry::new(ada.partner, "test.event", String::new(), at(n));
        db.audit(&event).await.unwrap();
    }
    assert_eq!(forget(&db, ExpiredData::Messages, 50).await, 1);
    let left = db.export(ada.partner, &ada.tag).await.unwrap().messages;
    assert_eq!(
        left.iter().map(|sms| sms.created_at).collect::<Vec<Timestamp>>(),
        [at(2), at(90)]
    );
    assert_eq!(db.delete_expired(ExpiredData::Audit, at(50), 1).await.unwrap(), 1);
    assert_eq!(forget(&db, ExpiredData::Audit, 50).await, 1);
    assert_eq!(db.audit_count("test.event").await, 1);
    for what in ExpiredData::ALL {
        assert_eq!(forget(&db, what, 50).await, 0, "{what:?}");
    }
}

/// Rows of the partner's side go by their own times: what is closed, expired or answered long ago. The last event of a
/// subject stays, for the next one's number follows it; its deliveries stay with it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn the_partners_rows_are_forgotten(#[case] backend: Backend) {
    let db = backend.create().await;
    for statement in ROWS {
        db.execute(statement).await;
    }
    let before = 50 - NOW;
    for (what, gone) in [
        (ExpiredData::Events, 1),
        (ExpiredData::Intents, 1),
        (ExpiredData::Tokens, 1),
        (ExpiredData::Answers, 1),
        (ExpiredData::Erasures, 1),
    ] {
        assert_eq!(forget(&db, what, before).await, gone, "{what:?}");
        assert_eq!(forget(&db, what, before).await, 0, "{what:?}");
    }
}
