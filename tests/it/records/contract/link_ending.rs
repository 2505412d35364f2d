//! When a link ends, what is told of that, and what takes the place of its consent.

use kiungo::core::consent::ends_at;
use kiungo::core::ids::{ConsentId, IntentId, LinkId, MessageId};
use kiungo::core::sms::MessageState;
use kiungo::core::time::Timestamp;
use kiungo::records::{
    AnnounceEnd, AttemptState, AuditEntry, Consent, ConsentReplacement, ExpireLink, Job, JobType as _, Link,
    LinkCompletion, LinkState, QueuedSms, Records, SmsKind, SmsMessage,
};
use kiungo::service::linking::unlink::Unlink;
use kiungo::service::sms::outbox::SendSms;
use rstest::rstest;

use crate::support::events::events_about;
use crate::support::records::{Backend, RecordedPerson, at, link, node, person, unique_bytes};

const DAY: i64 = 24 * 3_600_000;

/// A link on a consent for 30 days, in this state.
async fn for_a_month(db: &dyn Records, who: &RecordedPerson, state: LinkState) -> Link {
    let consent = month(who, 0);
    let attempt = who.attempt(&consent);
    crate::support::records::begin(db, &consent, &attempt).await;
    db.move_attempt(attempt.id, AttemptState::Unknown, at(0)).await.unwrap();
    let made = Link {
        state,
        until: at(30 * DAY),
        notice_from: at(23 * DAY),
        ..link(&attempt, 1)
    };
    let written = db.complete_link(&made, &[]).await.unwrap();
    assert_eq!(written, LinkCompletion::Written(made.id));
    made
}

/// A consent for 30 days, agreed to on this day.
fn month(who: &RecordedPerson, day: i64) -> Consent {
    Consent {
        agreed_at: at(day * DAY),
        days: 30,
        ..who.consent()
    }
}

fn unlink(link: &Link) -> Job {
    Unlink::job(link.partner, link.id, at(0))
}

fn sms(link: &Link, key: &str) -> QueuedSms {
    let message = SmsMessage {
        id: MessageId::from_bytes(unique_bytes()),
        partner: link.partner,
        tag: link.tag,
        kind: SmsKind::HandOver,
        key: format!("{key}:{}", link.id),
        gateway: "ng".to_owned(),
        state: MessageState::Queued,
        sealed: Some(vec![1]),
        gateway_id: None,
        tries: 0,
        created_at: at(0),
        updated_at: at(0),
        expires_at: at(100 * DAY),
    };
    let job = SendSms::job(link.partner, message.id, at(0));
    (message, job)
}

/// What the partner was told of a link, in order, and how many SMS the person was.
async fn told(db: &dyn Records, link: &Link) -> (Vec<&'static str>, usize) {
    let events = events_about(db, link.partner, link.id.as_bytes()).await;
    let kinds = events.iter().map(|event| event.kind.as_str()).collect();
    let sent = db.export(link.partner, &link.tag).await.unwrap().messages.len();
    (kinds, sent)
}

async fn state(db: &dyn Records, link: &Link) -> LinkState {
    db.link(link.id).await.unwrap().unwrap().state
}

async fn due(db: &dyn Records, kind: &str, when: Timestamp) -> bool {
    !db.claim(&[kind], node(1), when, when, 10).await.unwrap().is_empty()
}

/// Its end is told once, in its time, and it ends once, when its time is over and not before, with the jobs that see to each;
/// the access at the provider ends after that, and then nothing that the provider wanted to see is left.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_link_ends_with_its_consent(#[case] backend: Backend) {
    let db = backend.create().await;
    for (n, from) in [(1, LinkState::Active), (2, LinkState::ReauthRequired)] {
        let made = for_a_month(&*db, &person(1, n), from).await;
        for (kind, day) in [(AnnounceEnd::NAME, 23), (ExpireLink::NAME, 30)] {
            assert!(!due(&*db, kind, at(day * DAY - 1)).await, "{kind}");
            assert!(due(&*db, kind, at(day * DAY)).await, "{kind}");
        }
        let (soon, over) = (sms(&made, "soon"), sms(&made, "over"));
        assert!(!db.announce_end(made.id, Some(&soon), at(23 * DAY - 1)).await.unwrap());
        for first in [true, false] {
            let now = at(23 * DAY);
            assert_eq!(db.announce_end(made.id, Some(&soon), now).await.unwrap(), first);
        }
        assert_eq!(told(&*db, &made).await, (vec!["link.created", "link.expiring"], 1));
        let job = unlink(&made);
        let early = at(30 * DAY - 1);
        assert!(!db.expire_link(made.id, &job, Some(&over), early).await.unwrap());
        assert_eq!(state(&*db, &made).await, from);
        for first in [true, false] {
            let now = at(30 * DAY);
            assert_eq!(db.expire_link(made.id, &job, Some(&over), now).await.unwrap(), first);
        }
        let kinds = vec!["link.created", "link.expiring", "link.expired"];
        assert_eq!(told(&*db, &made).await, (kinds.clone(), 1));
        assert_eq!(state(&*db, &made).await, LinkState::Expired);
        assert!(db.claim_key(&job.key, node(1), at(0), at(1)).await.unwrap().is_some());
        let open = |links: Vec<(LinkId, LinkState)>| links.contains(&(made.id, LinkState::Expired));
        let (partner, tag) = (made.partner, &made.tag);
        assert!(open(db.unremoved_links(partner, tag).await.unwrap()));
        db.access_ended(made.id, at(31 * DAY)).await.unwrap();
        assert_eq!(db.unremoved_links(partner, tag).await.unwrap(), []);
        assert_eq!(state(&*db, &made).await, LinkState::Expired);
        assert_eq!(told(&*db, &made).await, (kinds, 1));
    }
}

/// After a time in which nothing ran, all of it is told, in order, and the person by one SMS, which says that it is over.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_was_slept_through_is_caught_up_with(#[case] backend: Backend) {
    let db = backend.create().await;
    let made = for_a_month(&*db, &person(1, 1), LinkState::Active).await;
    let now = at(124 * DAY);
    assert!(!db.announce_end(made.id, Some(&sms(&made, "soon")), now).await.unwrap());
    let over = sms(&made, "over");
    assert!(db.expire_link(made.id, &unlink(&made), Some(&over), now).await.unwrap());
    let kinds = vec!["link.created", "link.expiring", "link.expired"];
    assert_eq!(told(&*db, &made).await, (kinds, 1));
    assert!(db.message(over.0.id).await.unwrap().is_some());
}

/// From its last moment on a link is out of use, whether or not that was written down: nobody's list has it, and nothing
/// takes it back into use, neither a provider's event, nor a new login, nor a new consent.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn nothing_leads_back_from_the_end(#[case] backend: Backend) {
    let db = backend.create().await;
    let (late, early) = (at(30 * DAY), at(30 * DAY - 1));
    for (n, written) in [(1, false), (2, true)] {
        let who = person(1, n);
        let made = for_a_month(&*db, &who, LinkState::ReauthRequired).await;
        let listed = async |now| db.history(who.partner, &who.tag, now, false).await.unwrap().links.len();
        assert_eq!((listed(early).await, listed(late).await), (1, 0));
        if written {
            db.expire_link(made.id, &unlink(&made), None, late).await.unwrap();
        }
        let before = told(&*db, &made).await;
        for to in [LinkState::Active, LinkState::ReauthRequired] {
            assert!(!db.move_link(made.id, to, &[], late).await.unwrap(), "{to:?}");
        }
        let renewed = month(&who, 30);
        let audit = AuditEntry::new(who.partner, "consent.renewed", String::new(), late);
        let replaced = db
            .replace_consent(made.id, made.consent, &renewed, &audit)
            .await
            .unwrap();
        assert_eq!(replaced, ConsentReplacement::Ended);
        db.store_consent(&renewed).await.unwrap();
        db.renew_link(made.id, renewed.id, None, late).await.unwrap();
        let found = db.link(made.id).await.unwrap().unwrap();
        assert_eq!((found.consent, found.until), (made.consent, made.until));
        assert!(!found.in_use_at(late));
        assert_eq!(told(&*db, &made).await, before);
    }
}

/// A new consent takes the place of the one that it was given for, once, however many say so at once: then it is that one's
/// end that is told and kept to, and the one before goes with what is old.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_new_consent_takes_the_place_of_the_old_one(#[case] backend: Backend) {
    let db = backend.create().await;
    let who = person(1, 1);
    let made = for_a_month(&*db, &who, LinkState::Active).await;
    db.announce_end(made.id, None, at(23 * DAY)).await.unwrap();
    let replace = async |day| {
        let consent = month(&who, day);
        let audit = AuditEntry::new(made.partner, "consent.renewed", String::new(), consent.agreed_at);
        db.replace_consent(made.id, made.consent, &consent, &audit)
            .await
            .unwrap()
    };
    let (one, another) = tokio::join!(replace(24), replace(25));
    let answers = [one, another];
    let found = db.link(made.id).await.unwrap().unwrap();
    assert!(
        answers
            .iter()
            .all(|answer| *answer == ConsentReplacement::Until(found.until)),
        "{answers:?}"
    );
    let consent = db.consent(found.consent).await.unwrap().unwrap();
    assert_eq!(found.until, consent.until());
    assert_eq!(found.until, ends_at(consent.agreed_at, 30));
    let held = db.export(who.partner, &who.tag).await.unwrap().consents.len();
    assert_eq!(held, 2);
    let (kinds, _) = told(&*db, &made).await;
    assert_eq!(kinds, ["link.created", "link.expiring", "link.updated"]);
    // The old end passes, and the new one is told again.
    assert!(
        !db.expire_link(made.id, &unlink(&made), None, at(30 * DAY))
            .await
            .unwrap()
    );
    assert!(db.announce_end(made.id, None, found.notice_from).await.unwrap());
    assert!(
        db.expire_link(made.id, &unlink(&made), None, found.until)
            .await
            .unwrap()
    );
    let view = &db.export(who.partner, &who.tag).await.unwrap().links[0];
    assert_eq!(view.consent, found.consent);
}

/// A new login renews a link on what was agreed to last, for no longer than the provider says; the same login taken in
/// twice is told once, and a login on the old consent makes it no longer.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_new_login_renews_on_what_was_agreed(#[case] backend: Backend) {
    let db = backend.create().await;
    let who = person(1, 1);
    let made = for_a_month(&*db, &who, LinkState::ReauthRequired).await;
    let until = async || db.link(made.id).await.unwrap().unwrap().until;
    db.renew_link(made.id, made.consent, None, at(5 * DAY)).await.unwrap();
    assert_eq!(
        (until().await, state(&*db, &made).await),
        (at(30 * DAY), LinkState::Active)
    );
    let renewed = month(&who, 10);
    db.store_consent(&renewed).await.unwrap();
    for _ in 0..2 {
        db.renew_link(made.id, renewed.id, None, at(10 * DAY)).await.unwrap();
        assert_eq!(until().await, at(40 * DAY));
    }
    // Late, of a login that was begun before.
    db.renew_link(made.id, made.consent, None, at(11 * DAY)).await.unwrap();
    assert_eq!(until().await, at(40 * DAY));
    db.renew_link(made.id, renewed.id, Some(at(20 * DAY)), at(11 * DAY))
        .await
        .unwrap();
    assert_eq!(until().await, at(20 * DAY));
    let (kinds, _) = told(&*db, &made).await;
    assert_eq!(kinds, ["link.created", "link.updated", "link.updated", "link.updated"]);
    let nobody = (
        LinkId::from_bytes(unique_bytes()),
        ConsentId::from_bytes(unique_bytes()),
    );
    db.renew_link(nobody.0, nobody.1, None, at(0)).await.unwrap();
    let audit = AuditEntry::new(who.partner, "consent.renewed", String::new(), at(0));
    let consent = Consent {
        intent: IntentId::from_bytes(unique_bytes()),
        ..month(&who, 0)
    };
    let replaced = db.replace_consent(nobody.0, nobody.1, &consent, &audit).await.unwrap();
    assert_eq!(replaced, ConsentReplacement::Ended);
}
