//! Bank alerts: an SMS when an institution is back.

use kiungo::core::ids::{BankAlertId, MessageId, WatchId};
use kiungo::core::sms::MessageState;
use kiungo::providers::SubmissionStep;
use kiungo::records::{AttemptState, BankAlert, InstitutionSince, Job, JobType as _, Records, SmsKind, SmsMessage};
use kiungo::service::bank_alerts::BankBack;
use kiungo::service::sms::outbox::SendSms;
use rstest::rstest;

use crate::support::records::{Backend, RecordedPerson, TYPES, at, job, node, person, unique_bytes};

const HOUR: i64 = 60 * 60 * 1000;

pub(super) fn bank_alert(who: &RecordedPerson, institution: &str, asked: i64) -> BankAlert {
    BankAlert {
        id: BankAlertId::from_bytes(unique_bytes()),
        partner: who.partner,
        tag: who.tag,
        provider: "mono".to_owned(),
        institution: institution.to_owned(),
        sealed: vec![1, 2, 3],
        needs_login: asked % 2 == 1,
        asked_at: at(asked),
        until: at(asked + 24 * HOUR),
    }
}

/// Puts an alert; the watch that would begin with it.
pub(super) async fn put(db: &dyn Records, alert: &BankAlert) -> WatchId {
    let watch = WatchId::from_bytes(unique_bytes());
    let job = job(alert.partner, BankBack::of(watch), &format!("back:{watch}"), at(0));
    let fresh = at(alert.asked_at.as_millis() - at(0).as_millis() - 12 * HOUR);
    db.put_bank_alert(alert, watch, &job, fresh).await.unwrap();
    watch
}

fn sms(alert: &BankAlert) -> (SmsMessage, Job) {
    let id = MessageId::from_bytes(unique_bytes());
    let message = SmsMessage {
        id,
        partner: alert.partner,
        tag: alert.tag,
        kind: SmsKind::HandOver,
        key: format!("back:{}", alert.id),
        gateway: "ng".to_owned(),
        state: MessageState::Queued,
        sealed: Some(vec![4]),
        gateway_id: None,
        tries: 0,
        created_at: at(0),
        updated_at: at(0),
        expires_at: at(HOUR),
    };
    let send = job(alert.partner, SendSms::of(id), &SendSms::key(id), at(0));
    (message, send)
}

/// The watches that somebody sees to.
async fn watches(db: &dyn Records) -> Vec<WatchId> {
    let jobs = db
        .claim(TYPES, node(1), at(100 * HOUR), at(100 * HOUR), 99)
        .await
        .unwrap();
    jobs.iter().filter_map(|job| job.kind.subject::<BankBack>()).collect()
}

/// All who wait at one institution have one watch; one that began long ago, or has nobody left, takes nobody on, and another
/// institution or partner has another.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn who_waits_at_one_bank_has_one_watch(#[case] backend: Backend) {
    let db = backend.create().await;
    let (ada, bola, chi) = (person(1, 1), person(1, 2), person(1, 3));
    let (a, b) = (bank_alert(&ada, "b1", 0), bank_alert(&bola, "b1", 1));
    let first = put(&*db, &a).await;
    let joined = put(&*db, &b).await;
    assert_eq!(db.open_bank_alerts(first, at(2)).await.unwrap(), [a.clone(), b.clone()]);
    assert_eq!(db.open_bank_alerts(joined, at(2)).await.unwrap(), []);
    let elsewhere = put(&*db, &bank_alert(&chi, "b2", 2)).await;
    let of_another = put(&*db, &bank_alert(&person(2, 1), "b1", 2)).await;
    for id in [a.id, b.id] {
        db.delete_bank_alert(id).await.unwrap();
    }
    assert_eq!(db.open_bank_alerts(first, at(2)).await.unwrap(), []);
    let alone = put(&*db, &bank_alert(&ada, "b1", 2)).await;
    let much_later = put(&*db, &bank_alert(&chi, "b1", 13 * HOUR)).await;
    let mut seen = watches(&*db).await;
    let mut want = vec![first, elsewhere, of_another, much_later, alone];
    seen.sort();
    want.sort();
    assert_eq!(seen, want);
}

/// There is one alert of a person at an institution: who asks again waits again, and the one before is answered no more.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn there_is_one_wish_for_a_person_and_a_bank(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let (before, again) = (bank_alert(&ada, "b1", 0), bank_alert(&ada, "b1", 5));
    let watch = put(&*db, &before).await;
    put(&*db, &again).await;
    assert_eq!(db.open_bank_alerts(watch, at(6)).await.unwrap(), vec![again]);
    assert_eq!(db.bank_alert(before.id).await.unwrap(), None);
    let (message, send) = sms(&before);
    assert!(!db.answer_bank_alert(before.id, &message, &send, at(6)).await.unwrap());
    assert_eq!(db.message(message.id).await.unwrap(), None);
}

/// An alert is answered by one SMS, no matter who writes it how often and on whichever handle; it stays until it is over, and then
/// it is gone.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_wish_is_answered_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let other = db.second_handle().await;
    let (asked, beside) = (bank_alert(&person(1, 1), "b1", 0), bank_alert(&person(1, 2), "b1", 3));
    let watch = put(&*db, &asked).await;
    put(&*db, &beside).await;
    let (one, two) = (sms(&asked), sms(&asked));
    let (first, second) = tokio::join!(
        db.answer_bank_alert(asked.id, &one.0, &one.1, at(9)),
        other.answer_bank_alert(asked.id, &two.0, &two.1, at(9)),
    );
    assert!(first.unwrap() != second.unwrap());
    let third = sms(&asked);
    assert!(!db.answer_bank_alert(asked.id, &third.0, &third.1, at(9)).await.unwrap());
    let mut written = 0;
    for (message, _) in [&one, &two, &third] {
        written += usize::from(db.message(message.id).await.unwrap().is_some());
    }
    assert_eq!(written, 1);
    assert_eq!(db.open_bank_alerts(watch, at(9)).await.unwrap(), vec![beside.clone()]);
    assert_eq!(db.bank_alert(asked.id).await.unwrap(), Some(asked.clone()));
    assert_eq!(
        db.open_bank_alerts(watch, asked.until).await.unwrap(),
        vec![beside.clone()]
    );
    assert_eq!(db.bank_alert(asked.id).await.unwrap(), None);
    assert_eq!(db.open_bank_alerts(watch, beside.until).await.unwrap(), []);
}

/// An alert that nobody looked at any more is forgotten like other things of long ago.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn old_wishes_are_forgotten(#[case] backend: Backend) {
    let db = backend.create().await;
    let (old, new) = (
        bank_alert(&person(1, 1), "b1", 0),
        bank_alert(&person(1, 2), "b2", HOUR),
    );
    put(&*db, &old).await;
    put(&*db, &new).await;
    assert_eq!(db.delete_old_work(at(24 * HOUR + 1), 99).await.unwrap(), 1);
    assert_eq!(db.bank_alert(old.id).await.unwrap(), None);
    assert_eq!(db.bank_alert(new.id).await.unwrap(), Some(new));
}

/// A login that the bank took shows that it is back, no matter whose it was: one that was begun since then, at that bank, and that
/// got somewhere.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_login_that_was_taken_is_found(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let bank = |partner: &RecordedPerson, institution: &'static str, since: i64| InstitutionSince {
        partner: partner.partner,
        provider: "mono",
        institution,
        since: at(since),
    };
    for (n, (state, step, taken)) in [
        (AttemptState::Accepted, SubmissionStep::Login, true),
        (AttemptState::Granted, SubmissionStep::Login, true),
        (AttemptState::Linked, SubmissionStep::Login, true),
        (AttemptState::Accepted, SubmissionStep::Code, false),
        (AttemptState::Refused, SubmissionStep::Login, false),
        (AttemptState::Unknown, SubmissionStep::Login, false),
        (AttemptState::NotSent, SubmissionStep::Login, false),
        (AttemptState::Open, SubmissionStep::Login, false),
    ]
    .into_iter()
    .enumerate()
    {
        let institution: &'static str = format!("b{n}").leak();
        ada.attempted(&*db, state, |attempt| {
            institution.clone_into(&mut attempt.institution);
            attempt.step = step;
            attempt.created_at = at(10);
        })
        .await;
        let found = db.login_accepted_since(bank(&ada, institution, 9), None).await.unwrap();
        assert_eq!(found, taken, "{state:?} {step:?}");
    }
    for (bank, by, taken) in [
        (bank(&ada, "b0", 9), Some(ada.tag), true),
        (bank(&ada, "b0", 9), Some(person(1, 2).tag), false),
        (bank(&ada, "b0", 10), None, false),
        (bank(&person(2, 1), "b0", 9), None, false),
        (bank(&ada, "elsewhere", 9), None, false),
    ] {
        assert_eq!(
            db.login_accepted_since(bank, by.as_ref()).await.unwrap(),
            taken,
            "{bank:?}"
        );
    }
}
