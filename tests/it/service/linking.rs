//! From a grant to a link, at a provider that does the unlikely: what is stored, and what the person is told.

use std::sync::Arc;
use std::time::Duration;

use kiungo::core::next_step::{Grant, LinkPurpose, NextStep};
use kiungo::core::secret::Secret;
use kiungo::core::time::Timestamp;
use kiungo::providers::ProviderError;
use kiungo::records::{AttemptState, JobType as _, LinkState, Records};
use kiungo::service::deps::CrashPoint;
use kiungo::service::linking::read_accounts::ReadAccounts;
use kiungo::service::linking::redeem::Redeem;
use kiungo::service::linking::settle::Settle;
use kiungo::service::linking::unlink::Unlink;
use tokio::runtime::Handle;

use super::harness::{Harness, MINUTE, account, ago, person};
use crate::support::eventually;
use crate::support::one_bank::{Account, webhook_request};
use crate::support::provider_webhooks::receive;
use crate::support::records::node;

/// A grant that the provider does not know, or that is used and led to no account, keeps nobody waiting: after
/// the time in which an account must show, the person is told that nothing was linked, and may go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_comes_to_nothing_lapses() {
    for redeemed in [None, Some(vec![])] {
        let mut harness = Harness::new().await;
        harness.parts.bank.script().redeemed.clone_from(&redeemed);
        let attempt = harness.granted(16 * MINUTE, |_| ()).await;
        let shown = harness.dials().await;
        assert!(shown.contains("First Bank"), "{shown}");
        harness.redeem(&attempt).await;
        assert_eq!(harness.state(attempt.id).await, AttemptState::Lapsed, "{redeemed:?}");
        let shown = harness.dials().await;
        assert!(shown.contains("Nothing was linked."), "{shown}");
        assert!(shown.contains("1 Try again"), "{shown}");
    }
}

/// Before that time is over nobody is told no, and the job goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_young_grant_is_looked_for_again() {
    let mut harness = Harness::new().await;
    let attempt = harness.granted(MINUTE, |_| ()).await;
    harness.redeem(&attempt).await;
    assert_eq!(harness.state(attempt.id).await, AttemptState::Granted);
    let shown = harness.dials().await;
    assert!(!shown.contains("Nothing was linked"), "{shown}");
    harness.parts.bank.script().accounts.push(account("a1"));
    harness.redeem(&attempt).await;
    assert_eq!(harness.state(attempt.id).await, AttemptState::Linked);
}

/// A provider that refuses to list its accounts keeps nobody waiting either; the search goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_search_keeps_nobody_waiting() {
    let harness = Harness::new().await;
    let attempt = harness.granted(16 * MINUTE, |_| ()).await;
    harness.parts.bank.script().unreadable = Some(ProviderError::Refused("no list"));
    harness.settle(&attempt).await;
    assert_eq!(harness.state(attempt.id).await, AttemptState::Lapsed);
    harness.parts.bank.script().unreadable = None;
    harness.parts.bank.script().accounts.push(account("a1"));
    harness.settle(&attempt).await;
    assert_eq!(harness.state(attempt.id).await, AttemptState::Linked);
}

/// When a job is given up the person is told: no answer would ever come.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_given_up_lapses_its_attempt() {
    for redeem in [true, false] {
        let mut harness = Harness::new().await;
        harness.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
        let attempt = harness.granted(MINUTE, |_| ()).await;
        let key = if redeem {
            Redeem::key(attempt.id)
        } else {
            Settle::key(attempt.id)
        };
        let records = &harness.parts.deps.records;
        for _ in 0..299 {
            let held = records.claim_key(&key, node(9), ago(0), ago(0)).await.unwrap().unwrap();
            records.postpone(held.id, node(9), ago(0), "test").await.unwrap();
        }
        assert_eq!(harness.state(attempt.id).await, AttemptState::Granted);
        harness.dials().await;
        assert!(harness.parts.jobs.run_key(&key).await);
        assert_eq!(harness.state(attempt.id).await, AttemptState::Lapsed);
        assert!(!harness.parts.jobs.run_key(&key).await, "it goes on");
        let shown = harness.dials().await;
        assert!(shown.contains("Nothing was linked."), "{shown}");
    }
}

/// What shows after an attempt was given up becomes a link, or is undone if the person has moved on; an account of
/// somebody else leaves it alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_webhook_is_heard() {
    for moved_on in [false, true] {
        let mut harness = Harness::new().await;
        let attempt = harness.begun(16 * MINUTE, |_| ()).await;
        let records = harness.parts.deps.records.clone();
        assert!(
            records
                .move_attempt(attempt.id, AttemptState::Sending, ago(0))
                .await
                .unwrap()
        );
        harness.settle(&attempt).await;
        assert_eq!(harness.state(attempt.id).await, AttemptState::Lapsed);
        if moved_on {
            harness.begun(0, |_| ()).await;
        }
        let other = Account {
            id: "b1",
            session: Some("s2"),
        };
        harness.parts.bank.script().accounts = vec![other, account("a1")];
        for (id, late) in [("b1", false), ("a1", true)] {
            let webhook = webhook_request(id.as_bytes());
            receive(&harness.parts.hooks, "mono", None, &webhook).await.unwrap();
            let key = format!("{}:connected {id}", Settle::key(attempt.id));
            assert_eq!(harness.parts.jobs.run_key(&key).await, late, "{id}");
        }
        let (unlinked, made) = (harness.unlinked(), harness.link_of(&attempt).await);
        if moved_on {
            assert_eq!((harness.state(attempt.id).await, made), (AttemptState::Undone, None));
            assert_eq!(unlinked, ["a1"]);
        } else {
            assert_eq!(made.map(|link| link.state), Some(LinkState::Active));
            assert_eq!(unlinked, [""; 0]);
            harness.dials().await;
        }
    }
}

/// One grant may open several accounts: all of them are under the link, each with its own digits.
#[tokio::test(flavor = "multi_thread")]
async fn every_account_of_a_grant_is_linked() {
    let harness = Harness::new().await;
    harness.parts.bank.script().redeemed = Some(vec!["a1", "a2"]);
    harness.parts.bank.script().accounts = vec![account("a1"), account("a2")];
    let attempt = harness.granted(0, |_| ()).await;
    harness.redeem(&attempt).await;
    let link = harness.link_of(&attempt).await.unwrap();
    let masked: Vec<_> = link.accounts.iter().map(|account| account.masked.as_deref()).collect();
    assert_eq!(masked, [Some("00a1"), Some("00a2")]);
}

/// A grant works once. What the link needs besides is read before it is exchanged, and what it can do without, such as what
/// the provider calls the person, does not keep it from being written.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_exchanged_once_and_leads_to_its_link() {
    let harness = Harness::new().await;
    {
        let mut script = harness.parts.bank.script();
        script.redeemed = Some(vec!["a1"]);
        script.accounts = vec![account("a1")];
        script.person = Some("ada");
    }
    let records = &harness.parts.records;
    let attempt = harness.granted(0, |_| ()).await;
    records.execute("UPDATE consents SET agreed_at = 'unreadable'").await;
    harness.redeem(&attempt).await;
    assert_eq!(harness.state(attempt.id).await, AttemptState::Granted);
    assert_eq!(harness.parts.bank.script().redeems, 0);

    records.execute("UPDATE consents SET agreed_at = 1780000000000").await;
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON provider_persons BEGIN SELECT RAISE(FAIL, 'refused'); END";
    records.execute(refuse).await;
    harness.redeem(&attempt).await;
    assert_eq!(harness.state(attempt.id).await, AttemptState::Linked);
    assert_eq!(harness.parts.bank.script().redeems, 1);
    assert_eq!(harness.unlinked(), [""; 0]);
    // Where it can be kept, it is.
    let kept = async || records.count("SELECT COUNT(*) FROM provider_persons").await;
    assert_eq!(kept().await, 0);
    records.execute("DROP TRIGGER refuse").await;
    harness.parts.bank.script().redeemed = Some(vec!["a2"]);
    let attempt = harness.granted(0, |_| ()).await;
    harness.redeem(&attempt).await;
    assert_eq!(
        (harness.state(attempt.id).await, kept().await),
        (AttemptState::Linked, 1)
    );
    // It is read where a session is opened for a link, and nowhere else.
    let providers = &harness.parts.service.0.attempts.providers;
    let link = harness.link_of(&attempt).await.unwrap();
    let about_link = providers.of_any_link(&link).await.unwrap();
    assert!(about_link.access().person.is_none());
    let to_open = providers.to_open_link(link.partner, "mono", &link.tag).await.unwrap();
    assert!(to_open.access().person.is_some());
}

/// An account that was linked in another session, or that another person has linked here, is never linked: its
/// access is ended, unless it is in use, and the person is told that nothing was linked.
#[tokio::test(flavor = "multi_thread")]
async fn another_persons_account_is_not_linked() {
    for in_use in [false, true] {
        let mut harness = Harness::new().await;
        let mut mine = account("a1");
        if in_use {
            let link = harness.linked().await;
            harness.person.tag = kiungo::core::seal::SubscriberTag::from_bytes([9; 32]);
            assert_eq!(link.state, LinkState::Active);
        } else {
            mine.session = Some("s2");
        }
        harness.parts.bank.script().redeemed = Some(vec!["a1"]);
        harness.parts.bank.script().accounts = vec![mine];
        let attempt = harness.granted(0, |_| ()).await;
        harness.redeem(&attempt).await;
        assert_eq!(harness.link_of(&attempt).await, None);
        assert_eq!(harness.state(attempt.id).await, AttemptState::Undone);
        assert_eq!(harness.parts.records.audit_count("account.foreign").await, 1);
        let given_back: &[&str] = if in_use { &[] } else { &["a1"] };
        assert_eq!(harness.unlinked(), given_back);
    }
}

/// What an account says only later, after it was linked because it could not be read, ends the link; what it says when it
/// is read again does not, for it may have been renewed in another session since.
#[tokio::test(flavor = "multi_thread")]
async fn another_persons_account_is_noticed_late() {
    for readable in [false, true] {
        let harness = Harness::new().await;
        harness.parts.bank.script().redeemed = Some(vec!["a1"]);
        harness.parts.bank.script().accounts = vec![account("a1")];
        if !readable {
            harness.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
        }
        let attempt = harness.granted(0, |_| ()).await;
        harness.redeem(&attempt).await;
        let link = harness.link_of(&attempt).await.unwrap();
        assert_eq!(
            (link.state, link.accounts[0].masked.is_some()),
            (LinkState::Active, readable)
        );
        harness.parts.bank.script().unreadable = None;
        harness.parts.bank.script().accounts[0].session = Some("s2");
        assert!(harness.parts.jobs.run_now::<ReadAccounts>(link.id).await);
        assert_eq!(harness.parts.jobs.run_now::<Unlink>(link.id).await, !readable);
        let link = harness.link_of(&attempt).await.unwrap();
        assert_eq!(
            link.state,
            if readable {
                LinkState::Active
            } else {
                LinkState::Removed
            }
        );
    }
}

/// A login that the provider accepted and continues elsewhere does not count as unsent: the provider is asked how far it is,
/// and what it grants is linked.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_elsewhere_is_followed() {
    let approve = NextStep::ApproveElsewhere {
        message: None,
        binding: None,
        poll_every: Duration::from_secs(5),
        until: Timestamp::from_millis(i64::MAX),
    };
    let wait = NextStep::Wait {
        poll_every: Duration::from_secs(5),
        until: Timestamp::from_millis(i64::MAX),
    };
    for (answer, screen) in [(approve, "Approve in the Savanna Bank app."), (wait, "Savanna Bank")] {
        let mut harness = Harness::new().await;
        harness.parts.bank.script().answers.push_back(Ok(answer));
        let shown = harness.types(&["1", "1", "ada", "pass-pw"]).await;
        assert!(shown.contains(screen) && shown.contains("1 Check again"), "{shown}");
        {
            let mut script = harness.parts.bank.script();
            script.accounts = vec![account("a1")];
            script.redeemed = Some(vec!["a1"]);
            script.polls.push_back(NextStep::Done(Grant(Secret::new("code"))));
        }
        // A look may be under way: what it found is told once it is over.
        let linked = async || {
            harness.settled().await;
            harness.dials().await.contains("Savanna Bank ..00a1")
        };
        eventually(Duration::from_secs(30), linked).await;
    }
}

/// A login that the provider accepted and then wants a browser for counts as sent, also where no page can reach anyone.
#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_browser_was_sent_all_the_same() {
    let mut harness = Harness::new().await;
    let answer = NextStep::OpenLink {
        purpose: LinkPurpose::Approve,
    };
    harness.parts.bank.script().answers.push_back(Ok(answer));
    let shown = harness.types(&["1", "1", "ada", "pass-pw"]).await;
    assert!(shown.contains("asks for something a keypad phone cannot do"), "{shown}");
    let facts = harness
        .parts
        .deps
        .records
        .history(harness.person.partner, &harness.person.tag, ago(0), true)
        .await;
    let last = facts.unwrap().last_institution;
    assert_eq!(last.map(|(institution, _)| institution).as_deref(), Some("b1:p"));
}

/// An attempt that its owner never began to send, because it died, is known to be unsent: nobody waits for an answer, it
/// counts against no limit, and the person is told that nothing was sent.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_sent_is_told_so() {
    for (sending, shown, end, counts) in [
        (false, "Nothing you typed was sent.", AttemptState::NotSent, 0),
        (true, "has not answered yet. We keep asking", AttemptState::Unknown, 1),
    ] {
        let mut harness = Harness::new().await;
        let attempt = harness.begun(2 * MINUTE, |_| ()).await;
        let records = harness.parts.deps.records.clone();
        if sending {
            assert!(
                records
                    .move_attempt(attempt.id, AttemptState::Sending, ago(0))
                    .await
                    .unwrap()
            );
        }
        let facts = records
            .history(harness.person.partner, &harness.person.tag, ago(0), true)
            .await
            .unwrap();
        assert_eq!(facts.failed_logins.len(), counts);
        let told = harness.dials().await;
        assert!(told.contains(shown), "{told}");
        assert_eq!(harness.state(attempt.id).await, end);
    }
}

/// Closes the attempt just before its owner sends it, as a node does that finds its lease expired.
fn close_when_marked(edge: CrashPoint, records: &Arc<dyn Records>) {
    if edge == CrashPoint::Marked {
        tokio::task::block_in_place(|| {
            Handle::current().block_on(async {
                let facts = records
                    .history(person().partner, &person().tag, ago(0), true)
                    .await
                    .unwrap();
                let open = facts.pending_attempt.unwrap();
                assert_eq!(open.state, AttemptState::Open);
                assert!(
                    records
                        .move_attempt(open.id, AttemptState::NotSent, ago(0))
                        .await
                        .unwrap()
                );
            });
        });
    }
}

/// An attempt that was closed as never sent is not sent, although its owner lives and has marked it in the store.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_closed_is_not_sent() {
    let mut harness = Harness::tripped(close_when_marked).await;
    let shown = harness.types(&["1", "1", "ada", "pass-pw"]).await;
    assert!(shown.contains("Nothing you typed was sent."), "{shown}");
    assert_eq!(harness.parts.bank.script().submitted, 0);
}
