//! Leases.

use kiungo::core::ids::NodeId;
use rstest::rstest;

use crate::support::records::{Backend, at};

/// A lease is held by one node at a time: it can be extended by its holder, taken over when it has ended, and taken at once
/// when it was let go; nobody lets go of another's.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn one_node_at_a_time_holds_a_lease(#[case] backend: Backend) {
    let db = backend.create().await;
    let (one, two) = (NodeId::from_bytes([1; 16]), NodeId::from_bytes([2; 16]));
    for (name, lease, node, now, until, held) in [
        ("free", "bind:a", one, 0, 10, true),
        ("of another", "bind:a", two, 5, 15, false),
        ("another lease", "bind:b", two, 5, 15, true),
        ("extended", "bind:a", one, 8, 20, true),
        ("still of another", "bind:a", two, 19, 30, false),
        ("ended", "bind:a", two, 20, 30, true),
        ("taken over", "bind:a", one, 25, 40, false),
    ] {
        let taken = db.take_lease(lease, node, at(now), at(until)).await.unwrap();
        assert_eq!(taken, held, "{name}");
    }
    db.release_lease("bind:a", one).await.unwrap();
    assert!(
        !db.take_lease("bind:a", one, at(26), at(40)).await.unwrap(),
        "not its to release"
    );
    db.release_lease("bind:a", two).await.unwrap();
    assert!(db.take_lease("bind:a", one, at(26), at(40)).await.unwrap());
}
