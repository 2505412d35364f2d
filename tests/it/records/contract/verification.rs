//! Links whose account is compared before anybody is told of them.

use kiungo::core::ids::JobId;
use kiungo::core::page::PageRequest;
use kiungo::records::{
    Attempt, AttemptState, IntentState, Job, JobType as _, Link, LinkCompletion, LinkFilter, LinkState,
    LinkVerification, Records, VerificationOutcome, WriteOutcome,
};
use kiungo::service::handover_queue::HandOver;
use kiungo::service::linking::unlink::Unlink;
use rstest::rstest;

use crate::support::events::{attempt_for, events_of, whole_partner};
use crate::support::intents::{add, audit_entry_at};
use crate::support::records::{Backend, at, job, link, node, partner, person, unique_bytes};

/// A link that is to be compared, for an intent that expects an account.
async fn verifying(db: &dyn Records, n: u8) -> (Attempt, Link, kiungo::core::ids::IntentId) {
    let asked = add(db, partner(n).id, |intent| intent.expected = Some(vec![6])).await;
    let attempt = attempt_for(db, person(n, 1), asked.id, AttemptState::Unknown).await;
    let link = Link {
        state: LinkState::Verifying,
        ..link(&attempt, 1)
    };
    assert_eq!(
        db.complete_link(&link, &[]).await.unwrap(),
        LinkCompletion::Written(link.id)
    );
    (attempt, link, asked.id)
}

fn unlink(link: &Link) -> Job {
    Job {
        id: JobId::from_bytes(unique_bytes()),
        ..job(link.partner, Unlink::of(link.id), &Unlink::key(link.id), at(0))
    }
}

/// Until it is compared nobody sees a link: its partner is told of nothing, its person has none, its submission is not
/// settled, and nothing but the comparison takes it into use.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_link_is_nothing_until_it_is_compared(#[case] backend: Backend) {
    let db = backend.create().await;
    let (attempt, link, asked) = verifying(&*db, 1).await;
    let mine = whole_partner(link.partner);
    for to in [LinkState::Active, LinkState::ReauthRequired] {
        assert!(!db.move_link(link.id, to, &[], at(1)).await.unwrap());
    }
    assert_eq!(
        db.link(link.id).await.unwrap().map(|link| link.state),
        Some(LinkState::Verifying)
    );
    assert_eq!(events_of(&*db, link.partner).await, []);
    assert_eq!(db.link_view(&mine, link.id).await.unwrap(), None);
    let listed = db
        .link_views(&mine, &LinkFilter::default(), &PageRequest::default())
        .await
        .unwrap();
    assert!(listed.rows.is_empty());
    assert_eq!(
        db.end_link(&mine, link.id, &unlink(&link), &audit_entry_at(&mine, 1))
            .await
            .unwrap(),
        None
    );
    let session = db.connect_session(&mine, attempt.session).await.unwrap().unwrap();
    assert_eq!((session.link, session.state), (None, AttemptState::Unknown));
    let facts = db.history(link.partner, &link.tag, at(2), false).await.unwrap();
    assert!(facts.links.is_empty() && facts.pending_attempt.is_some());
    let asked = db.intent(&mine, asked).await.unwrap().unwrap();
    assert_eq!((asked.state, asked.links), (IntentState::Open, 0));
}

/// What has become of a comparison is written once, with all that follows: the link in use and its intent completed, or
/// the link on its way out, its submission undone and its intent mismatched, cancelled or left as it was.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_comparison_is_settled_once(#[case] backend: Backend) {
    let db = backend.create().await;
    for (n, met, meanwhile, verified, state, kinds) in [
        (
            1,
            true,
            None,
            VerificationOutcome::Linked,
            IntentState::Completed,
            &["link.created", "intent.completed"][..],
        ),
        (
            2,
            false,
            None,
            VerificationOutcome::Mismatched,
            IntentState::Mismatched,
            &["connect_session.failed", "intent.mismatched"],
        ),
        (
            3,
            true,
            Some("cancelled"),
            VerificationOutcome::IntentClosed,
            IntentState::Cancelled,
            &["intent.cancelled", "connect_session.failed"],
        ),
        (
            3,
            true,
            Some("moved on"),
            VerificationOutcome::Superseded,
            IntentState::Open,
            &["connect_session.failed"],
        ),
    ] {
        let (attempt, link, asked) = verifying(&*db, n).await;
        let mine = whole_partner(link.partner);
        let before = events_of(&*db, link.partner).await.len();
        match meanwhile {
            Some("cancelled") => {
                let ended = db.cancel_intent(&mine, asked, &audit_entry_at(&mine, 1)).await.unwrap();
                assert!(matches!(ended, WriteOutcome::Done(_)));
            }
            Some(_) => drop(person(n, 1).attempted(&*db, AttemptState::Open, |_| ()).await),
            None => {}
        }
        let follow = [job(
            link.partner,
            HandOver::of(attempt.id),
            &format!("text:{}", link.id),
            at(0),
        )];
        let verifying = LinkVerification {
            matches: met,
            follow_up: &follow,
            unlink: &unlink(&link),
        };
        assert_eq!(db.verify_link(&link, &verifying, at(3)).await.unwrap(), verified);
        assert_eq!(
            db.verify_link(&link, &verifying, at(4)).await.unwrap(),
            VerificationOutcome::AlreadySettled
        );
        let linked = verified == VerificationOutcome::Linked;
        let (link_state, attempt_state) = if linked {
            (LinkState::Active, AttemptState::Linked)
        } else {
            (LinkState::Removing, AttemptState::Undone)
        };
        assert_eq!(
            db.link(link.id).await.unwrap().map(|link| link.state),
            Some(link_state),
            "{verified:?}"
        );
        assert_eq!(
            db.attempt(attempt.id).await.unwrap().map(|found| found.0.state),
            Some(attempt_state)
        );
        assert_eq!(
            db.intent(&mine, asked).await.unwrap().map(|asked| asked.state),
            Some(state)
        );
        assert_eq!(db.link_view(&mine, link.id).await.unwrap().is_some(), linked);
        // That the provider has been told of a link that never was is nothing to tell.
        let unlinked = db
            .claim_key(&Unlink::key(link.id), node(1), at(5), at(6))
            .await
            .unwrap();
        assert_eq!(unlinked.is_some(), !linked);
        if !linked {
            assert!(db.move_link(link.id, LinkState::Removed, &[], at(6)).await.unwrap());
        }
        let sms_sent = db
            .claim_key(&format!("text:{}", link.id), node(1), at(5), at(6))
            .await
            .unwrap();
        assert_eq!(sms_sent.is_some(), linked);
        let told = events_of(&*db, link.partner).await.split_off(before);
        let mut found: Vec<_> = told.iter().map(|event| event.kind.as_str()).collect();
        found.sort_unstable();
        let mut kinds = kinds.to_vec();
        kinds.sort_unstable();
        assert_eq!(found, kinds, "{verified:?}");
    }
}

/// What is taken back is what was in use: the dial and the text that tell of it go by the same.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_was_in_use_is_taken_back(#[case] backend: Backend) {
    let db = backend.create().await;
    for (n, state, told) in [(1, LinkState::Active, true), (2, LinkState::Verifying, false)] {
        let link = person(n, n).linked(&*db, 1, state).await;
        assert!(
            db.undo_link(&link, AttemptState::Undone, &[], at(1)).await.unwrap(),
            "{state:?}"
        );
        let known = db.history(link.partner, &link.tag, at(2), false).await.unwrap();
        let undone = known.undone_link.map(|attempt| attempt.id);
        assert_eq!(undone, told.then_some(link.attempt), "{state:?}");
        assert_eq!(db.made_link_in_use(link.attempt).await.unwrap(), told, "{state:?}");
    }
}
