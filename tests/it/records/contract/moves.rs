//! How attempts and intents may move: as their tables say.

use kiungo::records::{AttemptState, IntentState};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;

use crate::support::events::whole_partner;
use crate::support::records::{Backend, at, partner, person};
use crate::support::{intents, soak};

/// How much a state says.
fn weight(state: AttemptState) -> u8 {
    match state {
        AttemptState::Open => 0,
        AttemptState::Sending => 1,
        AttemptState::Unknown => 2,
        AttemptState::Waiting => 3,
        AttemptState::Granted => 4,
        _ => 5,
    }
}

/// The table of moves itself: what says more replaces what says less, a grant leads only to what can come of it, and what
/// has lapsed moves only when something is found late.
#[test]
fn the_table_leads_forward() {
    use AttemptState::{Granted, Lapsed, Linked, OtherAccount, Undone};
    for from in AttemptState::ALL {
        for to in AttemptState::ALL {
            let expected = match from {
                Granted => matches!(to, Linked | Undone | OtherAccount | Lapsed),
                Lapsed => matches!(to, Linked | Undone | OtherAccount),
                _ => weight(from) < 4 && weight(to) > weight(from),
            };
            assert_eq!(from.next().contains(&to), expected, "{from:?} to {to:?}");
        }
    }
}

/// Every pair of states of an attempt: it moves as the table says.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn every_move_is_in_the_table(#[case] backend: Backend) {
    let db = backend.create().await;
    for from in AttemptState::ALL {
        for to in AttemptState::ALL {
            let attempt = person(1, 1).attempted(&*db, from, |_| ()).await;
            let moved = db.move_attempt(attempt.id, to, at(1)).await.unwrap();
            let (found, _) = db.attempt(attempt.id).await.unwrap().unwrap();
            let expected = from.next().contains(&to);
            assert_eq!(moved, expected, "{from:?} to {to:?}");
            assert_eq!(found.state, if expected { to } else { from }, "{from:?} to {to:?}");
        }
    }
}

/// An intent, wherever it stands, is ended by its partner and by its time as its table says.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn an_intent_ends_as_its_table_says(#[case] backend: Backend) {
    let db = backend.create().await;
    let partner = partner(1);
    db.put_partner(&partner).await.unwrap();
    let scope = whole_partner(partner.id);
    for from in IntentState::ALL {
        for to in [IntentState::Cancelled, IntentState::Expired] {
            let intent = intents::add(&*db, partner.id, |intent| intent.state = from).await;
            if to == IntentState::Cancelled {
                let audit = intents::audit_entry_at(&scope, 1);
                db.cancel_intent(&scope, intent.id, &audit).await.map(drop).unwrap();
            } else {
                db.expire_intent(intent.id, intent.expires_at).await.map(drop).unwrap();
            }
            let found = db.intent(&scope, intent.id).await.unwrap().unwrap();
            let expected = if from.next().contains(&to) { to } else { from };
            assert_eq!(found.state, expected, "{from:?} to {to:?}");
        }
    }
}

/// Whatever is asked in whatever order, through two handles, an attempt is where the table says.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
fn any_sequence_of_moves_follows_the_table(#[case] backend: Backend) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (db, other) = runtime.block_on(async {
        let db = backend.create().await;
        let other = db.second_handle().await;
        (db, other)
    });
    let moves = prop::collection::vec((prop::sample::select(&AttemptState::ALL[..]), any::<bool>()), 1..8);
    TestRunner::new(Config {
        cases: soak::number(48, 480),
        failure_persistence: None,
        ..Config::default()
    })
    .run(&moves, |moves| {
        runtime.block_on(async {
            let attempt = person(1, 1).attempted(&*db, AttemptState::Open, |_| ()).await;
            let mut model = AttemptState::Open;
            for (to, elsewhere) in moves {
                let handle = if elsewhere { &*other } else { &*db };
                let moved = handle.move_attempt(attempt.id, to, at(1)).await.unwrap();
                prop_assert_eq!(moved, model.next().contains(&to), "{:?} to {:?}", model, to);
                model = if moved { to } else { model };
            }
            let (found, _) = db.attempt(attempt.id).await.unwrap().unwrap();
            prop_assert_eq!(found.state, model);
            Ok(())
        })
    })
    .unwrap();
}
