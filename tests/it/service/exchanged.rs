//! A grant works once: from the exchange on nothing that it was exchanged for is lost, whatever fails.

use kiungo::core::next_step::{AccountChoice, Grant, NextStep};
use kiungo::core::secret::Secret;
use kiungo::providers::ProviderError;
use kiungo::records::{Attempt, AttemptState};
use kiungo::service::linking::redeem::Redeem;

use super::harness::{Harness, account};
use crate::support::one_bank::Account;

/// An account of another session than that of the harness.
const FOREIGN: Account = Account {
    id: "f1",
    session: Some("s2"),
};

/// What came of the grant cannot be written: which accounts are not to be linked.
const REFUSE: &str = "CREATE TRIGGER refuse BEFORE UPDATE OF to_end ON attempts WHEN new.to_end IS NOT NULL \
                      BEGIN SELECT RAISE(FAIL, 'refused'); END";

/// A grant of these accounts was exchanged, and then nothing more could be written; since then the grant is used, and the
/// provider's list would not say which accounts came of it.
async fn exchanged_in_vain(harness: &Harness, accounts: Vec<Account>) -> Attempt {
    {
        let mut script = harness.parts.bank.script();
        script.redeemed = Some(accounts.iter().map(|account| account.id).collect());
        script.accounts = accounts;
    }
    let records = &harness.parts.records;
    records.execute(REFUSE).await;
    let attempt = harness.granted(0, |_| ()).await;
    harness.redeem(&attempt).await;
    assert_eq!(harness.state(attempt.id).await, AttemptState::Granted);
    assert_eq!(
        harness.unlinked(),
        [""; 0],
        "nothing is ended before that is decided for good"
    );
    harness.parts.bank.script().redeemed = None;
    records.execute("DROP TRIGGER refuse").await;
    attempt
}

/// When writing what becomes of the accounts fails, they are not forgotten: the next run does not exchange the used grant
/// again, links the person's own account, and ends access to the other one. Where there is no own one, nothing stays open.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_grant_was_exchanged_for_is_not_lost() {
    for own in [true, false] {
        let harness = Harness::new().await;
        let mut accounts = vec![FOREIGN];
        if own {
            accounts.push(account("a1"));
        }
        let attempt = exchanged_in_vain(&harness, accounts).await;
        harness.redeem(&attempt).await;
        let linked = harness.link_of(&attempt).await;
        let ids = linked.iter().flat_map(|link| &link.accounts);
        let masked: Vec<_> = ids.filter_map(|account| account.masked.as_deref()).collect();
        let want: (&[&str], _) = if own {
            (&["00a1"], AttemptState::Linked)
        } else {
            (&[], AttemptState::Undone)
        };
        assert_eq!((masked.as_slice(), harness.state(attempt.id).await), want);
        assert_eq!(harness.unlinked(), ["f1"]);
        assert_eq!(harness.parts.bank.script().redeems, 1);
        let records = &harness.parts.records;
        assert_eq!(records.audit_count("account.foreign").await, 1);
        let left = "SELECT COUNT(*) FROM attempts WHERE exchanged IS NOT NULL OR to_end IS NOT NULL";
        assert_eq!(records.count(left).await, 0);
    }
}

/// A job that is given up between exchange and link leaves nothing open either.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_is_ended() {
    let harness = Harness::new().await;
    let attempt = exchanged_in_vain(&harness, vec![account("a1"), FOREIGN]).await;
    let linking = &harness.parts.service.0.attempts.linking;
    linking.give_up_attempt(attempt.id).await.unwrap();
    assert_eq!(harness.state(attempt.id).await, AttemptState::Undone);
    let mut unlinked = harness.unlinked();
    unlinked.sort();
    assert_eq!(unlinked, ["a1", "f1"]);
    assert_eq!(harness.link_of(&attempt).await, None);
}

/// Access to an account that is not to be linked cannot be ended now: the person is told all the same, and may go on; the
/// access is ended once that is possible, once, though by then the account itself can no longer be read.
#[tokio::test(flavor = "multi_thread")]
async fn ending_access_keeps_nobody_waiting() {
    for error in [
        ProviderError::Refused("not now"),
        ProviderError::Unavailable("away", None),
    ] {
        let mut harness = Harness::new().await;
        {
            let mut script = harness.parts.bank.script();
            script.answers.push_back(Ok(NextStep::ChooseAccounts {
                accounts: vec![AccountChoice {
                    key: "k".to_owned(),
                    masked: "0022".to_owned(),
                    label: "Savings".to_owned(),
                    currency: None,
                }],
                many: false,
                more: None,
            }));
            let granted = NextStep::Done(Grant(Secret::new("code")));
            script.answers.push_back(Ok(granted));
            script.redeemed = Some(vec!["11"]);
            script.accounts = vec![account("11")];
            script.unendable = Some(error.clone());
        }
        harness.types(&["1", "1", "ada", "pass-pw"]).await;
        let shown = harness.goes_on(&["1", "1", "ada", "pass-pw", "1"]).await;
        assert!(shown.contains("that you chose"), "{shown}");
        let records = harness.parts.deps.records.clone();
        let history = records.history(
            harness.person.partner,
            &harness.person.tag,
            super::harness::ago(0),
            false,
        );
        let history = history.await.unwrap();
        assert!(history.unresolved.is_empty(), "nothing stands in their way");
        let attempt = history.newest_submission.unwrap();
        assert_eq!(attempt.state, AttemptState::OtherAccount);
        let named = "UPDATE jobs SET key = 'end' WHERE kind = 'end_rejected'";
        harness.parts.records.execute(named).await;
        assert!(harness.parts.jobs.run_key("end").await);
        assert_eq!(harness.unlinked(), [""; 0]);

        harness.parts.bank.script().unendable = None;
        assert!(harness.parts.jobs.run_key("end").await);
        harness.parts.jobs.run_key("end").await;
        harness.parts.jobs.run_now::<Redeem>(attempt.id).await;
        assert_eq!(harness.unlinked(), ["11"]);
        assert_eq!(harness.parts.records.audit_count("account.not_chosen").await, 1);
    }
}
