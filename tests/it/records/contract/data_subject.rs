//! Data subjects: who holds what about them, and how they are erased.

use std::fs;

use kiungo::core::ids::{ErasureId, MessageId};
use kiungo::core::pin::Pin;
use kiungo::core::seal::SubscriberTag;
use kiungo::core::sms::{MessageState, WithheldReason};
use kiungo::records::{
    AccountReading, AttemptState, AuditEntry, Erasure, ErasureBlocker, ErasureState, JobType as _, Link,
    LinkCompletion, LinkState, Records, Redaction, SmsPreference, SmsReport, SmsReportOutcome, SubscriberData,
};
use kiungo::service::data_subject::Erase;
use kiungo::service::linking::read_accounts::ReadAccounts;
use kiungo::service::sms::outbox::SendSms;
use rstest::rstest;

use super::bank_alerts::{bank_alert, put};
use super::messages::message;
use crate::support::files_below;
use crate::support::records::{
    Backend, Fixture, RecordedPerson, at, begin, job, link, node, partner, person, redeem, settle, unique_bytes,
};

/// The last digits of everybody's account here.
const DIGITS: &str = "7315902846";

pub fn erasure(who: &RecordedPerson) -> Erasure {
    Erasure {
        id: ErasureId::from_bytes(unique_bytes()),
        partner: who.partner,
        tag: Some(who.tag),
        pseudonym: SubscriberTag::from_bytes([0xee; 32]),
        state: ErasureState::Begun,
        blocked_by: None,
        begun_at: at(0),
        moved_at: at(0),
    }
}

pub async fn begun(db: &dyn Records, erasure: &Erasure) -> ErasureId {
    let key = Erase::key(erasure.id);
    let job = job(erasure.partner, Erase::of(erasure.id), &key, at(0));
    db.begin_erasure(erasure, &job).await.unwrap()
}

fn finished(erasure: &Erasure) -> AuditEntry {
    AuditEntry::new(erasure.partner, "subscriber.erased", erasure.id.to_string(), at(5)).about(erasure.pseudonym)
}

fn reading() -> AccountReading {
    AccountReading {
        masked: DIGITS.to_owned(),
        number_digest: [4; 32],
        holder: Some(b"sealed holder".to_vec()),
        kind: Some("savings".to_owned()),
        currency: Some("NGN".to_owned()),
    }
}

/// A person of whom a partner holds something in every table; the link is removed.
async fn known(db: &dyn Records, who: &RecordedPerson) -> Link {
    let made = who.linked(db, 2, LinkState::Removed).await;
    for account in &made.accounts {
        db.store_account_reading(account.id, &reading()).await.unwrap();
    }
    who.attempted(db, AttemptState::Refused, |_| ()).await;
    let queued = message(who, &format!("queued {:?}", who.tag));
    let job = job(who.partner, SendSms::of(queued.id), &SendSms::key(queued.id), at(0));
    assert!(db.add_message(&queued, &[job]).await.unwrap());
    let left = message(who, &format!("hint:ng:{}:1", who.tag.to_hex()));
    db.add_message(&left, &[]).await.unwrap();
    db.move_message(left.id, MessageState::Sending, at(1)).await.unwrap();
    db.accepted_by_gateway(left.id, &format!("gateway-{}", left.id), at(1))
        .await
        .unwrap();
    let preference = SmsPreference {
        stopped: true,
        at: at(1),
    };
    db.put_sms_preference(who.partner, &who.tag, preference).await.unwrap();
    let pin = Pin {
        digest: [9; 32],
        chosen_at: at(0),
        wrong_tries: 0,
        wrong_at: at(0),
    };
    db.store_pin(who.partner, &who.tag, &pin, at(2)).await.unwrap();
    let event = AuditEntry::new(who.partner, "link.created", made.id.to_string(), at(0)).about(who.tag);
    db.audit(&event).await.unwrap();
    made
}

pub async fn exported(db: &Fixture, who: &RecordedPerson) -> SubscriberData {
    db.export(who.partner, &who.tag).await.unwrap()
}

/// What is redacted holds no more than that something was.
fn assert_redacted(data: &SubscriberData, before: &SubscriberData) {
    let counts = |data: &SubscriberData| {
        (
            data.consents.len(),
            data.attempts.len(),
            data.links.len(),
            data.messages.len(),
        )
    };
    assert_eq!(counts(data), counts(before));
    for (consent, was) in data.consents.iter().zip(&before.consents) {
        assert!(consent.msisdn.is_empty() && !was.msisdn.is_empty());
        assert_eq!((&consent.text, &consent.version), (&was.text, &was.version));
        assert_eq!(consent.agreed_at, was.agreed_at);
    }
    assert!(
        data.attempts
            .iter()
            .all(|held| held.attempt.provider_session.is_empty())
    );
    for account in data.links.iter().flat_map(|link| &link.accounts) {
        assert!(account.account.is_empty() && account.account_digest == [0; 32]);
        assert_eq!(
            (&account.masked, account.number_digest, &account.holder),
            (&None, None, &None)
        );
        assert_eq!(account.currency.as_deref(), Some("NGN"));
    }
    for message in &data.messages {
        assert!(message.sealed.is_none() && message.gateway_id.is_none(), "{message:?}");
        assert!(message.key.starts_with("erased:"), "{message:?}");
    }
    assert!(data.sms_preference.is_none() && data.pin_kept_at.is_none());
}

/// Everything a partner holds about a person is redacted and bears a pseudonym; nothing of anybody else's, nor of the same
/// person's at another partner, is touched. The rows are still counted, the erasure is audited without saying who it was,
/// and the same number is somebody new from then on.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_person_is_blanked_and_nobody_else(#[case] backend: Backend) {
    let db = backend.create().await;
    let (ada, others) = (person(1, 1), [person(2, 1), person(1, 2)]);
    let made = known(&*db, &ada).await;
    let mut untouched = Vec::new();
    for other in &others {
        known(&*db, other).await;
        untouched.push(exported(&db, other).await);
    }
    let alerts = [
        bank_alert(&ada, "kuda", 1),
        bank_alert(&others[0], "kuda", 1),
        bank_alert(&others[1], "kuda", 1),
    ];
    for alert in &alerts {
        put(&*db, alert).await;
    }
    let holders = async |tag| {
        let found = db.partners_holding(&tag).await.unwrap();
        found.into_iter().map(|partner| partner.id).collect::<Vec<_>>()
    };
    assert_eq!(holders(ada.tag).await, [partner(1).id, partner(2).id]);
    let before = exported(&db, &ada).await;
    assert_eq!((before.links.len(), before.messages.len()), (1, 2));

    let erasure = erasure(&ada);
    assert_eq!(begun(&*db, &erasure).await, erasure.id);
    assert_eq!(db.redact(&erasure, at(3)).await.unwrap(), Redaction::Redacted);
    assert_eq!(exported(&db, &ada).await, SubscriberData::default());
    let redacted = RecordedPerson {
        tag: erasure.pseudonym,
        ..ada
    };
    assert_redacted(&exported(&db, &redacted).await, &before);
    assert_eq!(holders(ada.tag).await, [partner(2).id]);
    for (other, was) in others.iter().zip(untouched) {
        assert_eq!(exported(&db, other).await, was);
    }
    for (alert, stays) in alerts.iter().zip([false, true, true]) {
        assert_eq!(db.bank_alert(alert.id).await.unwrap().is_some(), stays);
    }
    let digest = made.accounts[0].account_digest;
    assert_eq!(db.link_by_account(&digest).await.unwrap(), None);

    // Somebody new, with the same number.
    let anew = ada.attempted(&*db, AttemptState::Refused, |_| ()).await;
    assert_eq!(db.redact(&erasure, at(4)).await.unwrap(), Redaction::Redacted);
    assert_eq!(exported(&db, &ada).await.attempts[0].attempt, anew);

    assert!(db.finish_erasure(erasure.id, &finished(&erasure)).await.unwrap());
    assert!(!db.finish_erasure(erasure.id, &finished(&erasure)).await.unwrap());
    assert_eq!(db.audit_count("subscriber.erased").await, 1);
    let ended = db.erasure(erasure.id).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.tag), (ErasureState::Done, None));
    assert_eq!(db.erasures(5).await.unwrap(), [ended]);
}

/// A person is not redacted while a submission of theirs is pending, a link is not removed, or somebody is at work on
/// something of theirs; then nothing at all is written. What nobody has taken up is not done any more.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_is_under_way_is_waited_for(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let erasure = erasure(&ada);
    begun(&*db, &erasure).await;
    let consent = ada.consent();
    let attempt = ada.attempt(&consent);
    begin(&*db, &consent, &attempt).await;
    let waits = async |now| db.redact(&erasure, at(now)).await.unwrap();
    assert_eq!(waits(1).await, Redaction::BlockedBy(ErasureBlocker::Attempts));
    assert!(
        db.store_grant(attempt.id, b"grant", &redeem(&attempt), at(1))
            .await
            .unwrap()
    );
    assert_eq!(waits(1).await, Redaction::BlockedBy(ErasureBlocker::Attempts));

    let read = job(
        ada.partner,
        ReadAccounts::of(attempt_link(&db, &attempt).await),
        "read",
        at(0),
    );
    db.enqueue(&read).await.unwrap();
    assert_eq!(waits(1).await, Redaction::BlockedBy(ErasureBlocker::Links));
    let made = db.link_of_attempt(attempt.id).await.unwrap().unwrap();
    assert!(db.move_link(made.id, LinkState::Removing, &[], at(2)).await.unwrap());
    assert_eq!(waits(2).await, Redaction::BlockedBy(ErasureBlocker::Links));
    assert!(db.move_link(made.id, LinkState::Removed, &[], at(2)).await.unwrap());

    assert!(db.claim_key("read", node(1), at(2), at(1_000)).await.unwrap().is_some());
    assert_eq!(waits(3).await, Redaction::BlockedBy(ErasureBlocker::Work));
    db.set_erasure_blocker(erasure.id, ErasureBlocker::Work).await.unwrap();
    let found = db.erasure(erasure.id).await.unwrap().unwrap();
    assert_eq!(
        (found.state, found.blocked_by),
        (ErasureState::Begun, Some(ErasureBlocker::Work))
    );
    assert_eq!(exported(&db, &ada).await.links.len(), 1);
    // The node that held it is gone.
    assert_eq!(waits(1_000).await, Redaction::Redacted);
    for key in ["read", &settle(&attempt).key, &redeem(&attempt).key] {
        assert!(
            db.claim_key(key, node(2), at(2_000), at(3_000))
                .await
                .unwrap()
                .is_none(),
            "{key}"
        );
    }
    assert_eq!(db.erasure(erasure.id).await.unwrap().unwrap().blocked_by, None);
}

/// The link that this attempt makes.
async fn attempt_link(db: &Fixture, attempt: &kiungo::records::Attempt) -> kiungo::core::ids::LinkId {
    let made = link(attempt, 1);
    assert_eq!(
        db.complete_link(&made, &[]).await.unwrap(),
        LinkCompletion::Written(made.id)
    );
    made.id
}

/// Anyone who still has in mind what was read before the rows were redacted cannot write it back: no link is made, no account
/// gets its digits back, no SMS is sent, and a report finds none.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_is_blank_stays_blank(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let made = known(&*db, &ada).await;
    let lapsed = ada.attempted(&*db, AttemptState::Lapsed, |_| ()).await;
    let before = exported(&db, &ada).await;
    let (queued, left) = (before.messages[0].clone(), before.messages[1].clone());
    let erasure = erasure(&ada);
    begun(&*db, &erasure).await;
    assert_eq!(db.redact(&erasure, at(3)).await.unwrap(), Redaction::Redacted);

    assert_eq!(
        db.complete_link(&link(&lapsed, 1), &[]).await.unwrap(),
        LinkCompletion::Superseded
    );
    let id = made.accounts[0].id;
    assert!(db.store_account_reading(id, &reading()).await.is_err());
    let state = async |id: MessageId| db.message(id).await.unwrap().unwrap().state;
    let states = [state(queued.id).await, state(left.id).await];
    assert_eq!(
        states,
        [
            MessageState::Withheld(WithheldReason::Unsendable),
            MessageState::Accepted
        ]
    );
    let report = SmsReport {
        gateway: "ng",
        gateway_id: &format!("gateway-{}", left.id),
        reference: None,
        state: MessageState::Delivered,
    };
    assert_eq!(db.apply_report(report, at(4)).await.unwrap(), SmsReportOutcome::Early);
    let redacted = RecordedPerson {
        tag: erasure.pseudonym,
        ..ada
    };
    assert_redacted(&exported(&db, &redacted).await, &before);
}

/// Asked for twice, a person is erased once; when that is done they can be erased again, and so can the same person at
/// another partner meanwhile. A job that was given up can be opened again, another cannot.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn an_erasure_is_asked_for_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let first = erasure(&person(1, 1));
    let (again, elsewhere) = (erasure(&person(1, 1)), erasure(&person(2, 1)));
    assert_eq!(begun(&*db, &first).await, first.id);
    assert_eq!(begun(&*db, &again).await, first.id);
    assert_eq!(begun(&*db, &elsewhere).await, elsewhere.id);
    assert_eq!(db.erasure(again.id).await.unwrap(), None);
    db.redact(&first, at(1)).await.unwrap();
    assert!(db.finish_erasure(first.id, &finished(&first)).await.unwrap());
    assert_eq!(begun(&*db, &again).await, again.id);

    let key = Erase::key(again.id);
    assert!(!db.reopen(&key, at(9)).await.unwrap());
    let taken = db.claim_key(&key, node(1), at(0), at(10)).await.unwrap().unwrap();
    assert!(!db.reopen(&key, at(9)).await.unwrap());
    db.give_up(taken.id, node(1), "test").await.unwrap();
    assert!(db.reopen(&key, at(9)).await.unwrap());
    let taken = db.claim_key(&key, node(1), at(10), at(20)).await.unwrap().unwrap();
    assert_eq!((taken.tries, taken.due_at), (1, at(9)));
}

/// What was redacted stands in no file of the database, neither in the table nor in the log of what was written to it.
#[tokio::test]
async fn what_was_blanked_is_in_no_file() {
    let db = Backend::Sqlite.create().await;
    let ada = person(1, 1);
    known(&*db, &ada).await;
    let stands = || {
        let files = files_below(db.folder.path());
        let holds = |path: &_| {
            let bytes = fs::read(path).unwrap();
            bytes.windows(DIGITS.len()).any(|window| window == DIGITS.as_bytes())
        };
        files.iter().filter(|path| holds(*path)).count()
    };
    assert!(stands() > 0);
    let erasure = erasure(&ada);
    begun(&*db, &erasure).await;
    db.redact(&erasure, at(3)).await.unwrap();
    assert!(stands() > 0, "the log is expected to hold what was");
    assert!(db.scrub_files().await.unwrap());
    assert_eq!(stands(), 0);
}
