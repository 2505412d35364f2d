//! SMS: written once, sent once, and moved by what is told of them.

use std::time::Duration;

use kiungo::core::ids::MessageId;
use kiungo::core::sms::{MessageState, SmsFailureReason, WithheldReason};
use kiungo::core::time::Timestamp;
use kiungo::records::{
    InboundSms, InvitationCaps, Job, JobType as _, Records, SmsKind, SmsLimit, SmsMessage, SmsPreference, SmsReport,
    SmsReportOutcome,
};
use kiungo::service::sms::outbox::{INVITATION_CAPS, SendSms};
use rstest::rstest;

use crate::support::records::{Backend, RecordedPerson, TYPES, at, job, node, partner, person, unique_bytes};

const GATEWAY: &str = "ng";

pub fn message(who: &RecordedPerson, key: &str) -> SmsMessage {
    SmsMessage {
        id: MessageId::from_bytes(unique_bytes()),
        partner: who.partner,
        tag: who.tag,
        kind: SmsKind::HandOver,
        key: key.to_owned(),
        gateway: GATEWAY.to_owned(),
        state: MessageState::Queued,
        sealed: Some(vec![1, 2, 3]),
        gateway_id: None,
        tries: 0,
        created_at: at(0),
        updated_at: at(0),
        expires_at: at(3_600_000),
    }
}

fn send(message: &SmsMessage) -> Job {
    let key = SendSms::key(message.id);
    job(message.partner, SendSms::of(message.id), &key, at(0))
}

fn plenty() -> SmsLimit {
    SmsLimit {
        max: 10,
        since: at(0).minus(Duration::from_hours(24)),
        invitations: INVITATION_CAPS,
    }
}

async fn kept(db: &dyn Records, who: &RecordedPerson, key: &str) -> SmsMessage {
    let message = message(who, key);
    assert!(db.add_message(&message, &[send(&message)]).await.unwrap());
    message
}

async fn state(db: &dyn Records, id: MessageId) -> MessageState {
    db.message(id).await.unwrap().unwrap().state
}

fn report(gateway_id: &str, state: MessageState) -> SmsReport<'_> {
    SmsReport {
        gateway: GATEWAY,
        gateway_id,
        reference: None,
        state,
    }
}

/// One fact is told once: a second message with its key is not written, nor is its job.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_fact_is_told_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let (ada, other) = (person(1, 1), person(2, 1));
    let first = kept(&*db, &ada, "link:1").await;
    assert_eq!(db.message(first.id).await.unwrap(), Some(first.clone()));
    let again = message(&ada, "link:1");
    assert!(!db.add_message(&again, &[send(&again)]).await.unwrap());
    assert_eq!(db.message(again.id).await.unwrap(), None);
    kept(&*db, &other, "link:1").await;
    let jobs = db.claim(TYPES, node(1), at(0), at(1), 10).await.unwrap();
    let kinds: Vec<_> = jobs.into_iter().map(|job| job.kind).collect();
    assert_eq!(kinds.len(), 2);
    assert!(kinds.contains(&SendSms::of(first.id)));
}

/// Only one of many that want to send a message may, and its words are wiped as soon as they have left.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_sender_wins(#[case] backend: Backend) {
    let db = backend.create().await;
    let message = kept(&*db, &person(1, 1), "a").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let db = db.shared();
        tasks.spawn(async move { db.begin_sending(message.id, plenty(), at(1)).await.unwrap() });
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_none()).count(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| answer.is_none_or(|state| state == MessageState::Sending))
    );

    let sending = db.message(message.id).await.unwrap().unwrap();
    assert_eq!((sending.tries, sending.sealed), (1, Some(vec![1, 2, 3])));
    assert!(db.requeue_message(message.id, at(2)).await.unwrap());
    assert!(!db.requeue_message(message.id, at(2)).await.unwrap());
    assert_eq!(db.begin_sending(message.id, plenty(), at(3)).await.unwrap(), None);
    db.accepted_by_gateway(message.id, "G1", at(4)).await.unwrap();
    let taken = db.message(message.id).await.unwrap().unwrap();
    assert_eq!((taken.tries, taken.sealed), (2, None));
    assert_eq!(
        (taken.state, taken.gateway_id.as_deref()),
        (MessageState::Accepted, Some("G1"))
    );
    assert_eq!(taken.updated_at, at(4));
    assert!(!db.requeue_message(message.id, at(5)).await.unwrap());
}

/// Reports move a message forward whatever their order and number, and never back.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn reports_move_forward(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let message = kept(&*db, &ada, "a").await;
    db.begin_sending(message.id, plenty(), at(1)).await.unwrap();
    db.accepted_by_gateway(message.id, "G1", at(1)).await.unwrap();
    let moved = SmsReportOutcome::Moved {
        partner: ada.partner,
        tag: ada.tag,
        created_at: at(0),
    };
    for (told, want, stands) in [
        (MessageState::Accepted, SmsReportOutcome::Known, MessageState::Accepted),
        (MessageState::Sent, moved, MessageState::Sent),
        (MessageState::Sent, SmsReportOutcome::Known, MessageState::Sent),
        (
            MessageState::Failed(SmsFailureReason::Expired),
            moved,
            MessageState::Failed(SmsFailureReason::Expired),
        ),
        (
            MessageState::Sent,
            SmsReportOutcome::Known,
            MessageState::Failed(SmsFailureReason::Expired),
        ),
        (MessageState::Delivered, moved, MessageState::Delivered),
        (
            MessageState::Failed(SmsFailureReason::OptedOut),
            SmsReportOutcome::Known,
            MessageState::Delivered,
        ),
    ] {
        assert_eq!(
            db.apply_report(report("G1", told), at(2)).await.unwrap(),
            want,
            "{told:?}"
        );
        assert_eq!(state(&*db, message.id).await, stands);
    }
    let elsewhere = SmsReport {
        gateway: "ke",
        ..report("G1", MessageState::Delivered)
    };
    assert_eq!(
        db.apply_report(elsewhere, at(2)).await.unwrap(),
        SmsReportOutcome::Early
    );
}

/// Reports that overtake the answer to the send are kept, the furthest of them, and forgotten after a day.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn early_reports_are_kept_for_a_day(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    for (first, second) in [
        (MessageState::Delivered, MessageState::Sent),
        (MessageState::Sent, MessageState::Delivered),
    ] {
        let message = kept(&*db, &ada, &format!("{first:?}")).await;
        db.begin_sending(message.id, plenty(), at(1)).await.unwrap();
        let name = message.id.to_string();
        for told in [first, second, second] {
            assert_eq!(
                db.apply_report(report(&name, told), at(1)).await.unwrap(),
                SmsReportOutcome::Early
            );
        }
        db.accepted_by_gateway(message.id, &name, at(2)).await.unwrap();
        assert_eq!(state(&*db, message.id).await, MessageState::Delivered);
    }
    let message = kept(&*db, &ada, "late").await;
    db.begin_sending(message.id, plenty(), at(1)).await.unwrap();
    let day = 24 * 3_600_000;
    db.apply_report(report("old", MessageState::Delivered), at(1))
        .await
        .unwrap();
    db.apply_report(report("new", MessageState::Delivered), at(day + 2))
        .await
        .unwrap();
    db.accepted_by_gateway(message.id, "old", at(day + 3)).await.unwrap();
    assert_eq!(state(&*db, message.id).await, MessageState::Accepted);
}

/// A message whose answer was lost is still told of where the gateway carries our id; one that never left is not.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn our_own_id_finds_a_text(#[case] backend: Backend) {
    let db = backend.create().await;
    let message = kept(&*db, &person(1, 1), "a").await;
    let told = || SmsReport {
        reference: Some(message.id),
        ..report("G9", MessageState::Delivered)
    };
    assert_eq!(db.apply_report(told(), at(1)).await.unwrap(), SmsReportOutcome::Early);
    assert_eq!(state(&*db, message.id).await, MessageState::Queued);
    db.begin_sending(message.id, plenty(), at(1)).await.unwrap();
    assert!(db.move_message(message.id, MessageState::Unknown, at(2)).await.unwrap());
    assert!(matches!(
        db.apply_report(told(), at(3)).await.unwrap(),
        SmsReportOutcome::Moved { .. }
    ));
    assert_eq!(state(&*db, message.id).await, MessageState::Delivered);
    assert!(!db.move_message(message.id, MessageState::Unknown, at(4)).await.unwrap());
}

/// Nobody gets what they do not want or more than the cap, and one person's cap is no other's. An answer to an SMS of
/// their own they get all the same, but it counts.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn wishes_and_caps_hold(#[case] backend: Backend) {
    let db = backend.create().await;
    let (ada, bea) = (person(1, 1), person(1, 2));
    let allowance = SmsLimit { max: 2, ..plenty() };
    let silence = SmsPreference {
        stopped: true,
        at: at(0),
    };
    db.put_sms_preference(ada.partner, &ada.tag, silence).await.unwrap();
    let told = kept(&*db, &ada, "told").await;
    let opted_out = Some(MessageState::Withheld(WithheldReason::OptedOut));
    assert_eq!(db.begin_sending(told.id, allowance, at(1)).await.unwrap(), opted_out);
    assert_eq!(db.message(told.id).await.unwrap().unwrap().sealed, None);
    for (n, want) in [
        (1, None),
        (2, None),
        (3, Some(MessageState::Withheld(WithheldReason::DailyCap))),
    ] {
        let reply = SmsMessage {
            kind: SmsKind::Reply,
            ..message(&ada, &format!("reply {n}"))
        };
        assert!(db.add_message(&reply, &[]).await.unwrap());
        assert_eq!(db.begin_sending(reply.id, allowance, at(1)).await.unwrap(), want, "{n}");
    }
    let other = kept(&*db, &bea, "told to another").await;
    assert_eq!(db.begin_sending(other.id, allowance, at(1)).await.unwrap(), None);
    let later = SmsLimit {
        since: at(1),
        ..allowance
    };
    let reply = SmsMessage {
        kind: SmsKind::Reply,
        created_at: at(2),
        ..message(&ada, "tomorrow")
    };
    assert!(db.add_message(&reply, &[]).await.unwrap());
    assert_eq!(db.begin_sending(reply.id, later, at(2)).await.unwrap(), None);
}

fn incoming<'a>(who: &RecordedPerson, id: &'a str, stop: Option<(bool, Timestamp)>) -> InboundSms<'a> {
    InboundSms {
        gateway: GATEWAY,
        gateway_id: id,
        partner: who.partner,
        tag: who.tag,
        preference: stop.map(|(stopped, at)| SmsPreference { stopped, at }),
        reply: None,
        overruled: None,
    }
}

/// An SMS from a person counts once, with all that follows, even if two nodes take it at once; preferences are ordered by when
/// they were said, not by when they came.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_people_send_counts_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let ada = person(1, 1);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let db = db.shared();
        tasks.spawn(async move {
            let reply = message(&ada, &format!("reply {:?}", unique_bytes::<16>()));
            let job = send(&reply);
            let incoming = InboundSms {
                reply: Some((reply, job)),
                ..incoming(&ada, "m1", Some((true, at(10))))
            };
            db.receive_sms(&incoming, at(11)).await.unwrap()
        });
    }
    let firsts = tasks.join_all().await;
    assert_eq!(firsts.iter().filter(|first| **first).count(), 1);
    for (gateway, id, taken) in [(GATEWAY, "m1", true), (GATEWAY, "m2", false), ("another", "m1", false)] {
        assert_eq!(db.has_received_sms(gateway, id).await.unwrap(), taken, "{gateway} {id}");
    }
    assert_eq!(db.claim(TYPES, node(1), at(100), at(200), 10).await.unwrap().len(), 1);

    for (id, stop, said, stands) in [
        ("m2", false, 20, false),
        // Said before START, and came after it.
        ("m3", true, 15, false),
        // At once: silence.
        ("m4", true, 20, true),
        ("m5", false, 20, true),
        ("m6", false, 21, false),
        // Came before.
        ("m1", true, 30, false),
    ] {
        let taken = incoming(&ada, id, Some((stop, at(said))));
        let first = db.receive_sms(&taken, at(40)).await.unwrap();
        assert_eq!(first, id != "m1");
        let preference = db.sms_preference(ada.partner, &ada.tag).await.unwrap().unwrap();
        assert_eq!(preference.stopped, stands, "{id}");
    }
    assert_eq!(db.sms_preference(ada.partner, &person(1, 2).tag).await.unwrap(), None);
}

/// Invitations are capped for a partner and for a number over all partners, when they are sent: those beyond are withheld, and
/// say so. Other messages are not counted with them, nor held up by them.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn invitations_are_capped(#[case] backend: Backend) {
    let db = backend.create().await;
    let caps = InvitationCaps {
        of_partner: 3,
        to_number: 2,
    };
    let limit = SmsLimit {
        invitations: caps,
        ..plenty()
    };
    let sends = async |partner: u8, n: u8, kind: SmsKind| {
        let who = RecordedPerson {
            tag: person(1, n).tag,
            ..person(partner, 1)
        };
        let invitation = SmsMessage {
            kind,
            ..message(&who, &format!("{partner} {n} {:?}", unique_bytes::<8>()))
        };
        assert!(db.add_message(&invitation, &[send(&invitation)]).await.unwrap());
        db.begin_sending(invitation.id, limit, at(1)).await.unwrap()
    };
    let capped = Some(MessageState::Withheld(WithheldReason::DailyCap));
    for n in 1..=3 {
        db.put_partner(&partner(n)).await.unwrap();
    }
    assert_eq!(sends(1, 1, SmsKind::Request).await, None);
    assert_eq!(sends(2, 1, SmsKind::Request).await, None);
    assert_eq!(sends(3, 1, SmsKind::Request).await, capped, "a number of all partners");
    assert_eq!(sends(1, 2, SmsKind::Request).await, None);
    assert_eq!(sends(1, 3, SmsKind::Request).await, None);
    assert_eq!(sends(1, 4, SmsKind::Request).await, capped, "all numbers of a partner");
    assert_eq!(sends(1, 1, SmsKind::HandOver).await, None);
    let tag = person(1, 1).tag;
    let counts = db.invitations(partner(1).id, &tag, limit.since).await.unwrap();
    assert_eq!((counts.of_partner, counts.to_number), (3, 2));
    assert!(counts.reach(caps));
    let none = db.invitations(partner(1).id, &tag, at(0)).await.unwrap();
    assert_eq!((none.of_partner, none.to_number), (0, 0));
}
