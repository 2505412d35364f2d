//! Data subjects: who holds what about them, and how they are erased.

use kiungo::core::ids::{ErasureId, MessageId};
use kiungo::core::messages::Locale;
use kiungo::core::pin::Pin;
use kiungo::core::seal::SubscriberTag;
use kiungo::core::sms::{MessageState, WithheldReason};
use kiungo::records::{
    AccountReading, AttemptState, AuditEntry, Erasure, ErasureBlocker, ErasureState, IncomingProviderEvent,
    JobType as _, Link, LinkAccess, LinkCompletion, LinkState, ProviderEventOutcome, Records, Redaction,
    RejectedAccounts, ReturnTicket, SmsPreference, SmsReport, SmsReportOutcome, SubscriberData, TicketPurpose,
};
use kiungo::service::data_subject::Erase;
use kiungo::service::linking::exchanged::EndRejected;
use kiungo::service::linking::read_accounts::ReadAccounts;
use kiungo::service::sms::outbox::SendSms;
use rstest::rstest;

use super::bank_alerts::{bank_alert, put};
use super::messages::message;
use super::provider_persons::provider_person;
use crate::support::records::{
    Backend, Fixture, RecordedPerson, at, begin, job, link, node, partner, person, redeem, settle, unique_bytes,
};

/// The last digits of everybody's account here.
pub const DIGITS: &str = "7315902846";

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

pub fn finished(erasure: &Erasure) -> AuditEntry {
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
pub async fn known(db: &dyn Records, who: &RecordedPerson) -> Link {
    let mut made = who.linked(db, 2, LinkState::Active).await;
    made.access = LinkAccess {
        handle_digest: Some(unique_bytes()),
        handle: Some(vec![8; 8]),
        sealed: Some(vec![8; 9]),
        version: 1,
    };
    assert!(db.put_link_access(made.id, &made.access).await.unwrap());
    assert!(db.move_link(made.id, LinkState::Removed, &[], at(0)).await.unwrap());
    db.put_provider_person(&provider_person(who, "mono")).await.unwrap();
    let tickets = [
        ticket_of(&made, TicketPurpose::Go),
        ticket_of(&made, TicketPurpose::State),
    ];
    db.add_tickets(&tickets).await.unwrap();
    heard(db, &made.accounts[0].account_digest, who).await;
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
    db.store_language(who.partner, &who.tag, Locale::Ha, at(2))
        .await
        .unwrap();
    let event = AuditEntry::new(who.partner, "link.created", made.id.to_string(), at(0)).about(who.tag);
    db.audit(&event).await.unwrap();
    made
}

fn ticket_of(link: &Link, purpose: TicketPurpose) -> ReturnTicket {
    ReturnTicket {
        digest: unique_bytes(),
        partner: link.partner,
        attempt: link.attempt,
        purpose,
        created_at: at(0),
        until: at(9),
        used_at: None,
    }
}

/// Something was heard about an account.
async fn heard(db: &dyn Records, account: &[u8; 32], who: &RecordedPerson) {
    let event = IncomingProviderEvent {
        partner: who.partner,
        provider: "mono",
        dedupe_key: &format!("heard of {account:?} of {:?}", who.tag),
        subject: account,
        at: Some(at(0)),
    };
    let outcome = db.apply_provider_event(&event, &[], at(0)).await.unwrap();
    assert_eq!(outcome, ProviderEventOutcome::First);
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
            .all(|held| held.attempt.provider_session.is_empty() && held.attempt.session_digest == [0; 32])
    );
    for link in &data.links {
        let version = link.access.version;
        let nothing = LinkAccess {
            version,
            ..LinkAccess::default()
        };
        assert_eq!(link.access, nothing);
    }
    assert!(data.provider_persons.is_empty() && data.tickets.is_empty());
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
    assert!(data.sms_preference.is_none() && data.pin_kept_at.is_none() && data.language.is_none());
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
    assert_eq!((before.provider_persons.len(), before.tickets.len()), (1, 2));
    assert!(before.links[0].access.handle.is_some());
    let subjects = "SELECT COUNT(*) FROM provider_event_order";
    assert_eq!(db.count(subjects).await, 3);

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
    let handle = made.access.handle_digest.unwrap();
    assert_eq!(db.link_by_handle(ada.partner, &handle).await.unwrap(), None);
    assert_eq!(db.count(subjects).await, 2);

    // Somebody new, with the same number.
    let second = ada.attempted(&*db, AttemptState::Refused, |_| ()).await;
    assert_eq!(db.redact(&erasure, at(4)).await.unwrap(), Redaction::Redacted);
    assert_eq!(exported(&db, &ada).await.attempts[0].attempt, second);

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
    // So are accounts that came of it and were not linked.
    let vain = ada.attempted(&*db, AttemptState::Unknown, |_| ()).await;
    let rejected = RejectedAccounts {
        before: None,
        to_end: b"other",
        own: None,
        end: &job(ada.partner, EndRejected::of(vain.id), "end", at(1_000_000)),
        state: Some(AttemptState::Undone),
    };
    assert!(db.reject_accounts(vain.id, &rejected, at(2)).await.unwrap());
    assert_eq!(waits(2).await, Redaction::BlockedBy(ErasureBlocker::Links));
    db.rejected_accounts_ended(vain.id, b"other").await.unwrap();

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
