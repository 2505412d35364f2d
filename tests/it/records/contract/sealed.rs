//! Sealed values, wherever they stand: each is found once, with whose it is, and replaced only if nobody else has been.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use kiungo::records::{AccountReading, AttemptState, Records, SEALED, SealedColumn, SealedCursor, SealedValue};
use rstest::rstest;

use super::bank_alerts::{bank_alert, put};
use super::link_access::linked_with_access;
use super::messages::message;
use super::provider_persons::provider_person;
use crate::support::records::{Backend, Fixture, at, partner, person, redeem, unique_bytes};

/// What belongs to a partner and to no person: five of each, with ids and bytes that are at hand.
const PARTNERS_OWN: [&str; 4] = [
    "INSERT INTO webhook_endpoints (id, partner, url, kinds, state, created_at, updated_at) \
     SELECT id, id, 'https://hooks.example.com', '', 'enabled', 0, 0 FROM partners WHERE name = 'Partner 1'",
    "INSERT INTO webhook_secrets (id, endpoint, partner, sealed, created_at) \
     SELECT l.id, p.id, p.id, l.attempt, 0 FROM links l, partners p WHERE p.name = 'Partner 1'",
    "INSERT INTO idempotency (partner, caller, key, request, status, sealed, created_at, lease_until) \
     SELECT p.id, p.id, l.id, l.id, 201, l.attempt, 0, 0 FROM links l, partners p WHERE p.name = 'Partner 1'",
    "INSERT INTO link_intents (id, partner, state, purpose, days, scope, msisdn, code, many, expected, suggested, links, \
     created_at, moved_at, expires_at) SELECT c.intent, c.partner, 'open', 'loans', 90, 'account', l.attempt, l.attempt, FALSE, \
     l.attempt, l.attempt, 0, 0, 0, 0 FROM links l JOIN consents c ON c.id = l.consent",
];

/// Every column that the migrations call sealed is walked through, and no other.
#[test]
fn no_sealed_column_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/records/migrations");
    let columns = SEALED.iter();
    let written: BTreeSet<_> = columns
        .map(|column| format!("{}.{}", column.table, column.column))
        .collect();
    assert_eq!(written.len(), SEALED.len());
    let mut described = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let mut table = "";
        for line in text.lines() {
            table = line
                .strip_prefix("CREATE TABLE ")
                .map_or(table, |rest| rest.trim_end_matches(" ("));
            let (column, note) = line.split_once("--").unwrap_or((line, ""));
            if column.contains(" BLOB") && note.contains("sealed") && !note.contains("part of the place") {
                described.insert(format!("{table}.{}", column.split_whitespace().next().unwrap()));
            }
        }
    }
    assert_eq!(written, described);
}

fn column(name: &str) -> &'static SealedColumn {
    let of = |column: &&SealedColumn| format!("{}.{}", column.table, column.column) == name;
    SEALED.iter().find(of).unwrap()
}

/// All values of a column, two at a time.
async fn walk(db: &dyn Records, column: &SealedColumn) -> Vec<SealedValue> {
    let (mut all, mut after) = (Vec::new(), SealedCursor::default());
    loop {
        let values = db.sealed_values(column, &after, 2).await.unwrap();
        let more = values.len() == 2;
        all.extend(values);
        match all.last().filter(|_| more) {
            Some(last) => after = last.cursor(),
            None => return all,
        }
    }
}

/// Five of everything, for as many people.
async fn filled(db: &Fixture) {
    for n in 1..=5 {
        let who = person(1, n);
        let link = linked_with_access(&**db, &who, n).await;
        db.put_provider_person(&provider_person(&who, "mono")).await.unwrap();
        let reading = AccountReading {
            masked: "1234".to_owned(),
            number_digest: unique_bytes(),
            holder: Some(vec![n; 9]),
            kind: None,
            currency: None,
        };
        db.store_account_reading(link.accounts[0].id, &reading).await.unwrap();
        let granted = who.attempted(&**db, AttemptState::Unknown, |_| ()).await;
        db.store_grant(granted.id, &[n; 7], &redeem(&granted), at(0))
            .await
            .unwrap();
        db.store_exchanged(granted.id, &[n; 8]).await.unwrap();
        db.add_message(&message(&who, &format!("fact {n}")), &[]).await.unwrap();
        put(&**db, &bank_alert(&who, "kuda", 1)).await;
        let provider = format!("provider-{n}");
        db.put_credentials(partner(1).id, &provider, &[n; 5], at(0))
            .await
            .unwrap();
    }
    db.execute("UPDATE attempts SET returned = session_digest, to_end = exchanged WHERE state = 'granted'")
        .await;
    for statement in PARTNERS_OWN {
        db.execute(statement).await;
    }
}

/// A walk through a column finds every value once, whatever its key, with the tag or partner it is bound to.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn every_value_is_found_once(#[case] backend: Backend) {
    let db = backend.create().await;
    filled(&db).await;
    for column in SEALED {
        let values = walk(&*db, column).await;
        let name = format!("{}.{}", column.table, column.column);
        let twice = if column.table == "consents" || column.column == "provider_session" {
            2
        } else {
            1
        };
        assert_eq!(values.len(), 5 * twice, "{name}");
        let mut whose = BTreeMap::<Vec<u8>, usize>::new();
        for value in &values {
            *whose.entry(value.subject.clone()).or_default() += 1;
        }
        let tags = (1..=5).map(|n| (vec![n; 32], twice)).collect();
        let partners = BTreeMap::from([(vec![1; 16], 5)]);
        assert_eq!(
            whose,
            if ["provider_credentials", "webhook_secrets", "idempotency", "link_intents"].contains(&column.table) {
                partners
            } else {
                tags
            },
            "{name}"
        );
    }
    let credentials = walk(&*db, column("provider_credentials.sealed")).await;
    let records: Vec<_> = credentials.iter().map(SealedValue::record).collect();
    assert_eq!(records[0], b"provider-1");
    assert_eq!(records.len(), 5);
}

/// A value is replaced where it is still what it was; one that somebody wrote, wiped or removed meanwhile is left as they
/// left it, and no other value of the row is touched.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn whoever_wrote_meanwhile_wins(#[case] backend: Backend) {
    let db = backend.create().await;
    filled(&db).await;
    for column in SEALED {
        let name = format!("{}.{}", column.table, column.column);
        let others = |but: &SealedColumn| {
            SEALED
                .iter()
                .filter(|other| !std::ptr::eq(*other, but))
                .collect::<Vec<_>>()
        };
        let mut before = Vec::new();
        for other in others(column) {
            before.push(walk(&*db, other).await);
        }
        let values = walk(&*db, column).await;
        let theirs = [(values[0].clone(), b"theirs".to_vec())];
        assert_eq!(db.replace_sealed(column, &theirs).await.unwrap(), [true], "{name}");
        let ours: Vec<_> = values[..2]
            .iter()
            .map(|value| (value.clone(), b"ours".to_vec()))
            .collect();
        assert_eq!(db.replace_sealed(column, &ours).await.unwrap(), [false, true], "{name}");
        let now: Vec<_> = walk(&*db, column).await.into_iter().map(|value| value.bytes).collect();
        assert_eq!(
            (&now[0][..], &now[1][..], &now[2]),
            (&b"theirs"[..], &b"ours"[..], &values[2].bytes),
            "{name}"
        );
        let mut after = Vec::new();
        for other in others(column) {
            after.push(walk(&*db, other).await);
        }
        assert_eq!(after, before, "{name}");
    }
}
