//! What grants were exchanged for, and what of it is not to be linked.

use kiungo::records::{AttemptState, JobType as _, RejectedAccounts};
use kiungo::service::linking::exchanged::EndRejected;
use rstest::rstest;

use crate::support::events::events_of;
use crate::support::records::{Backend, at, link, person, redeem};

/// What a grant was exchanged for is there from then on, and goes with the grant; what of it is to be ended stays until it
/// has ended, with its job. The partner is told once where the attempt ends with it.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_was_exchanged_stays_until_it_is_settled(#[case] backend: Backend) {
    let db = backend.create().await;
    for (n, state) in [None, Some(AttemptState::Undone), Some(AttemptState::OtherAccount)]
        .into_iter()
        .enumerate()
    {
        let ada = person(1, u8::try_from(n).unwrap() + 1);
        let attempt = ada.attempted(&*db, AttemptState::Sending, |_| ()).await;
        let id = attempt.id;
        // Nothing was granted yet, so nothing was exchanged.
        db.store_exchanged(id, b"early").await.unwrap();
        assert_eq!(db.exchanged(id).await.unwrap(), None);
        assert!(db.store_grant(id, b"grant", &redeem(&attempt), at(1)).await.unwrap());
        db.store_exchanged(id, b"all").await.unwrap();
        assert_eq!(db.exchanged(id).await.unwrap().as_deref(), Some(&b"all"[..]));
        assert_eq!(db.rejected_accounts(id).await.unwrap(), None);

        let before = events_of(&*db, ada.partner).await.len();
        let decide = async |before: Option<&'static [u8]>, to_end: &'static [u8]| {
            let occasion = EndRejected::job(ada.partner, id, at(2)).on_occasion(to_end.len());
            let rejected = RejectedAccounts {
                before,
                to_end,
                own: state.is_none().then_some(&b"own"[..]),
                end: &occasion,
                state,
            };
            db.reject_accounts(id, &rejected, at(2)).await.unwrap()
        };
        assert!(!decide(Some(b"gone"), b"stale").await, "others were stored since");
        assert!(decide(None, b"other").await);
        assert!(!decide(None, b"again").await, "others were stored since");
        // Where the attempt goes on, more may be added; where it has ended, nothing.
        let added = decide(Some(b"other"), b"other and more").await;
        assert_eq!(added, state.is_none());
        let stored: &[u8] = if added { b"other and more" } else { b"other" };
        let (now, grant) = db.attempt(id).await.unwrap().unwrap();
        assert_eq!(now.state, state.unwrap_or(AttemptState::Granted));
        assert_eq!(grant.is_some(), state.is_none());
        let own = db.exchanged(id).await.unwrap();
        assert_eq!(own.as_deref(), state.is_none().then_some(&b"own"[..]));
        let told = events_of(&*db, ada.partner).await.len() - before;
        assert_eq!(told, usize::from(state.is_some()));
        if state.is_none() {
            db.complete_link(&link(&attempt, 1), &[]).await.unwrap();
            assert_eq!(db.exchanged(id).await.unwrap(), None);
            assert!(!decide(Some(stored), b"late").await, "it is linked");
        }
        db.rejected_accounts_ended(id, b"others").await.unwrap();
        assert_eq!(db.rejected_accounts(id).await.unwrap().as_deref(), Some(stored));
        db.rejected_accounts_ended(id, stored).await.unwrap();
        assert_eq!(db.rejected_accounts(id).await.unwrap(), None);
    }
}
