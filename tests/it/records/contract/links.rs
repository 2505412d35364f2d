//! Links and their accounts.

use kiungo::core::ids::{ConnectSessionId, LinkId, LinkedAccountId};
use kiungo::records::{AccountReading, Attempt, AttemptState, JobType as _, Link, LinkCompletion, LinkState};
use kiungo::service::linking::read_accounts::ReadAccounts;
use kiungo::service::linking::settle::Settle;
use kiungo::service::linking::unlink::Unlink;
use rstest::rstest;
use tokio::task::JoinSet;

use crate::support::records::{Backend, RecordedPerson, TYPES, at, job, link, node, person, redeem, unique_bytes};

fn reading(number: u8) -> AccountReading {
    AccountReading {
        masked: "**4521".to_owned(),
        number_digest: [number; 32],
        holder: Some(b"sealed name".to_vec()),
        kind: Some("savings".to_owned()),
        currency: Some("NGN".to_owned()),
    }
}

/// A link comes back whole by each of its names, settles its attempt, wipes the grant and asks for the work that follows.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn completing_a_link(#[case] backend: Backend) {
    let db = backend.create().await;
    let attempt = person(1, 1).attempted(&*db, AttemptState::Unknown, |_| ()).await;
    db.store_grant(attempt.id, b"grant", &redeem(&attempt), at(0))
        .await
        .unwrap();
    let link = link(&attempt, 12);
    let read = job(link.partner, ReadAccounts::of(link.id), "read", at(0));
    assert_eq!(
        db.complete_link(&link, std::slice::from_ref(&read)).await.unwrap(),
        LinkCompletion::Written(link.id)
    );

    let (found, grant) = db.attempt(attempt.id).await.unwrap().unwrap();
    assert_eq!((found.state, grant), (AttemptState::Linked, None));
    let digest = &link.accounts[3].account_digest;
    for found in [
        db.link(link.id).await.unwrap(),
        db.link_of_attempt(attempt.id).await.unwrap(),
        db.link_by_account(digest).await.unwrap(),
    ] {
        assert_eq!(found.as_ref(), Some(&link));
    }
    let claimed = db.claim_key("read", node(1), at(0), at(1)).await.unwrap().unwrap();
    assert_eq!((claimed.id, claimed.kind), (read.id, read.kind));
    assert_eq!(db.link(LinkId::from_bytes(unique_bytes())).await.unwrap(), None);
    assert_eq!(db.link_by_account(&unique_bytes()).await.unwrap(), None);
}

/// Two nodes that complete the same attempt at once make one link, and both learn its id.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_link_an_attempt(#[case] backend: Backend) {
    let db = backend.create().await;
    let attempt = person(1, 1).attempted(&*db, AttemptState::Granted, |_| ()).await;
    let mut tasks = JoinSet::new();
    for n in 0..8 {
        let handle = if n % 2 == 0 {
            db.shared()
        } else {
            db.second_handle().await
        };
        let link = link(&attempt, 2);
        let jobs = [job(
            link.partner,
            ReadAccounts::of(link.id),
            &ReadAccounts::key(link.id),
            at(0),
        )];
        tasks.spawn(async move { handle.complete_link(&link, &jobs).await.unwrap() });
    }
    let ids = tasks.join_all().await;
    let made = db.link_of_attempt(attempt.id).await.unwrap().unwrap();
    assert!(ids.iter().all(|id| *id == LinkCompletion::Written(made.id)), "{ids:?}");
    assert_eq!(made.accounts.len(), 2);
    assert_eq!(db.links(attempt.partner, None, 100).await.unwrap(), [made]);
    let jobs = db.claim(TYPES, node(1), at(0), at(1), 100).await.unwrap();
    let reads = jobs
        .iter()
        .filter(|job| job.kind.subject::<ReadAccounts>().is_some())
        .count();
    assert_eq!(reads, 1);
}

/// Anyone who has moved on gets no link from an attempt of before: another session that they began later counts, the same
/// session, somebody else's or the clock do not. A link that is there stays, and is answered again.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn no_link_behind_the_back_of_one_who_moved_on(#[case] backend: Backend) {
    let db = backend.create().await;
    let first = person(1, 1).attempted(&*db, AttemptState::Unknown, |_| ()).await;
    person(2, 1).attempted(&*db, AttemptState::Open, |_| ()).await;
    person(1, 2).attempted(&*db, AttemptState::Open, |_| ()).await;
    let same = |attempt: &mut Attempt| attempt.session = first.session;
    let same = person(1, 1).attempted(&*db, AttemptState::Open, same).await;
    let (kept, read) = (link(&first, 1), job(first.partner, Settle::of(first.id), "read", at(0)));
    assert_eq!(
        db.complete_link(&kept, &[]).await.unwrap(),
        LinkCompletion::Written(kept.id)
    );

    let earlier_clock = |attempt: &mut Attempt| attempt.created_at = at(-60_000);
    let last = person(1, 1).attempted(&*db, AttemptState::Open, earlier_clock).await;
    let late = db.complete_link(&link(&same, 1), std::slice::from_ref(&read)).await;
    assert_eq!(late, Ok(LinkCompletion::Superseded));
    assert_eq!(db.link_of_attempt(same.id).await.unwrap(), None);
    assert_eq!(db.attempt(same.id).await.unwrap().unwrap().0.state, AttemptState::Open);
    assert_eq!(db.claim_key("read", node(1), at(0), at(1)).await.unwrap(), None);
    let again = db.complete_link(&link(&first, 1), &[]).await.unwrap();
    assert_eq!(again, LinkCompletion::Written(kept.id));
    let next = link(&last, 1);
    assert_eq!(
        db.complete_link(&next, &[]).await.unwrap(),
        LinkCompletion::Written(next.id)
    );
}

/// A link whose attempt is unknown, or belongs to another partner, is not written.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_link_needs_its_own_attempt(#[case] backend: Backend) {
    let db = backend.create().await;
    let never = person(1, 1).attempt(&person(1, 1).consent());
    let theirs = person(2, 1).attempted(&*db, AttemptState::Granted, |_| ()).await;
    let mine = person(1, 1).attempted(&*db, AttemptState::Granted, |_| ()).await;
    let across = Link {
        partner: mine.partner,
        consent: mine.consent,
        ..link(&theirs, 1)
    };
    for refused in [link(&never, 1), across] {
        db.complete_link(&refused, &[]).await.unwrap_err();
        assert_eq!(db.link(refused.id).await.unwrap(), None);
    }
}

/// What was undone stays undone: a link that is written to be removed at the provider does not bring it back.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn what_was_undone_stays_undone(#[case] backend: Backend) {
    let db = backend.create().await;
    let attempt = person(1, 1).attempted(&*db, AttemptState::Undone, |_| ()).await;
    let link = Link {
        state: LinkState::Removing,
        ..link(&attempt, 1)
    };
    db.complete_link(&link, &[]).await.unwrap();
    let (found, _) = db.attempt(attempt.id).await.unwrap().unwrap();
    assert_eq!(found.state, AttemptState::Undone);
}

/// An account that was linked, removed and linked again is found under the link in use; a removed one alone is found too.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn an_account_is_found_under_the_link_in_use(#[case] backend: Backend) {
    let db = backend.create().await;
    let digest = unique_bytes();
    let with_digest = async |state| {
        let attempt = person(1, 1).attempted(&*db, AttemptState::Granted, |_| ()).await;
        let mut link = Link {
            state,
            ..link(&attempt, 1)
        };
        link.accounts[0].account_digest = digest;
        db.complete_link(&link, &[]).await.unwrap();
        link.id
    };
    let old = with_digest(LinkState::Removed).await;
    assert_eq!(db.link_by_account(&digest).await.unwrap().unwrap().id, old);
    let used = with_digest(LinkState::ReauthRequired).await;
    with_digest(LinkState::Removed).await;
    assert_eq!(db.link_by_account(&digest).await.unwrap().unwrap().id, used);
}

/// Reading an account keeps what it told, and sees the same number among the other live links of the partner: not its
/// own link, not ended ones, not another partner's.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn the_same_number_linked_twice_is_seen(#[case] backend: Backend) {
    let db = backend.create().await;
    let read = async |who: RecordedPerson, state, number| {
        let link = who.linked(&*db, 2, state).await;
        let others = db
            .store_account_reading(link.accounts[0].id, &reading(number))
            .await
            .unwrap();
        (link, others)
    };
    let (first, others) = read(person(1, 1), LinkState::Active, 7).await;
    assert_eq!(others, []);
    for (who, state, number) in [
        (person(2, 1), LinkState::Active, 7),
        (person(1, 1), LinkState::Active, 8),
    ] {
        assert_eq!(read(who, state, number).await.1, []);
    }
    for ended in [LinkState::Removed, LinkState::Removing] {
        assert_eq!(read(person(1, 1), ended, 7).await.1, [first.id]);
    }
    let (second, others) = read(person(1, 2), LinkState::ReauthRequired, 7).await;
    assert_eq!(others, [first.id]);
    // Both accounts of one link carry the number: it is still one link, and not its own double.
    let twice = db
        .store_account_reading(first.accounts[1].id, &reading(7))
        .await
        .unwrap();
    assert_eq!(twice, [second.id]);

    let found = db.link(first.id).await.unwrap().unwrap();
    let account = &found.accounts[0];
    assert_eq!(account.masked.as_deref(), Some("**4521"));
    assert_eq!(account.number_digest, Some([7; 32]));
    assert_eq!(account.holder.as_deref(), Some(&b"sealed name"[..]));
    assert_eq!(
        (account.kind.as_deref(), account.currency.as_deref()),
        (Some("savings"), Some("NGN"))
    );
    db.store_account_reading(LinkedAccountId::from_bytes(unique_bytes()), &reading(7))
        .await
        .unwrap_err();
}

/// A later reading that tells less takes nothing away.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn a_poorer_reading_takes_nothing_away(#[case] backend: Backend) {
    let db = backend.create().await;
    let link = person(1, 1).linked(&*db, 1, LinkState::Active).await;
    let id = link.accounts[0].id;
    db.store_account_reading(id, &reading(7)).await.unwrap();
    let poorer = AccountReading {
        holder: None,
        kind: None,
        currency: None,
        ..reading(7)
    };
    db.store_account_reading(id, &poorer).await.unwrap();
    let account = db.link(link.id).await.unwrap().unwrap().accounts.remove(0);
    assert_eq!(account.holder, reading(7).holder);
    assert_eq!((account.kind, account.currency), (reading(7).kind, reading(7).currency));
}

/// Every pair of states: a link that is to be compared is taken into use by nothing else, one that is being removed is
/// never taken back into use, a removed one never moves, and the jobs are written exactly when it moved.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn how_links_move(#[case] backend: Backend) {
    use LinkState::{Active, Expired, ReauthRequired, Removed, Removing, Verifying};
    let db = backend.create().await;
    for from in LinkState::ALL {
        for to in LinkState::ALL {
            let link = person(1, 1).linked(&*db, 1, from).await;
            let key = Unlink::key(link.id);
            let jobs = [job(link.partner, Unlink::of(link.id), &key, at(0))];
            let expected = match from {
                Verifying => matches!(to, Removing | Removed),
                Active | ReauthRequired => from != to && to != Verifying,
                Removing => to == Removed,
                Removed | Expired => false,
            };
            assert_eq!(from.next().contains(&to), expected, "{from:?} to {to:?}");
            let moved = db.move_link(link.id, to, &jobs, at(1)).await.unwrap();
            assert_eq!(moved, expected, "{from:?} to {to:?}");
            let found = db.link(link.id).await.unwrap().unwrap();
            assert_eq!(found.state, if expected { to } else { from }, "{from:?} to {to:?}");
            let job = db.claim_key(&key, node(1), at(0), at(1)).await.unwrap();
            assert_eq!(job.is_some(), expected, "{from:?} to {to:?}");
        }
    }
    let nobody = LinkId::from_bytes(unique_bytes());
    assert!(!db.move_link(nobody, Removed, &[], at(1)).await.unwrap());
}

/// The list of a partner's links is its own, newest first, and read page by page it is the same list, although many links
/// were made in the same millisecond: none is lost, none comes twice.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test]
async fn listing_links(#[case] backend: Backend) {
    let db = backend.create().await;
    let partner = person(1, 1).partner;
    for n in [0, 1, 1, 1, 1, 2] {
        let attempt = person(1, 1).attempted(&*db, AttemptState::Granted, |_| ()).await;
        let link = Link {
            created_at: at(n),
            ..link(&attempt, 2)
        };
        db.complete_link(&link, &[]).await.unwrap();
    }
    person(2, 1).linked(&*db, 1, LinkState::Active).await;
    let all = db.links(partner, None, 100).await.unwrap();
    assert!(all.iter().all(|link| link.accounts.len() == 2));
    let made: Vec<_> = all.iter().map(|link| link.created_at).collect();
    assert_eq!(made, [2, 1, 1, 1, 1, 0].map(at));
    for limit in 1..=7 {
        let (mut read, mut after) = (Vec::new(), None);
        loop {
            let page = db.links(partner, after, limit).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= usize::try_from(limit).unwrap());
            after = Some((last.created_at, last.id));
            read.extend(page);
        }
        assert_eq!(read, all, "{limit}");
    }
    assert_eq!(db.links(partner, None, 0).await.unwrap(), []);
}

/// Links of one person that are completed at once, by two handles, are all written; and of accounts with one number that
/// are read at once, each sees all that were read before it, in some order.
#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn links_made_at_once(#[case] backend: Backend) {
    let db = backend.create().await;
    let other = db.second_handle().await;
    let handle = |n: usize| {
        if n.is_multiple_of(2) {
            db.shared()
        } else {
            other.clone()
        }
    };
    for round in 0..5 {
        let mut made = JoinSet::new();
        let session = ConnectSessionId::from_bytes(unique_bytes());
        for n in 0..6 {
            let together = |attempt: &mut Attempt| attempt.session = session;
            let attempt = person(1, 1).attempted(&*db, AttemptState::Unknown, together).await;
            let (handle, link) = (handle(n), link(&attempt, 1));
            made.spawn(async move { (handle.complete_link(&link, &[]).await.unwrap(), link) });
        }
        let mut read = JoinSet::new();
        for (n, (id, link)) in made.join_all().await.into_iter().enumerate() {
            assert_eq!(id, LinkCompletion::Written(link.id));
            let handle = handle(n);
            read.spawn(async move {
                handle
                    .store_account_reading(link.accounts[0].id, &reading(round))
                    .await
                    .unwrap()
            });
        }
        let seen: usize = read.join_all().await.iter().map(Vec::len).sum();
        assert_eq!(seen, 1 + 2 + 3 + 4 + 5);
    }
}
