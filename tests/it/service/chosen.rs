//! The account that comes back is compared with the one that the person chose from a list.

use std::time::Duration;

use kiungo::core::next_step::{AccountChoice, Grant, NextStep};
use kiungo::core::secret::Secret;
use kiungo::providers::ProviderError;
use kiungo::records::{AttemptState, JobType as _, LinkState, PartnerEvent};
use kiungo::service::linking::read_accounts::ReadAccounts;
use kiungo::service::linking::unlink::Unlink;

use super::harness::{Harness, account, ago};
use super::requests::expects;
use crate::support::events::events_of;
use crate::support::eventually;

const PATIENCE: Duration = Duration::from_secs(10);

const OTHER: &str = "This is not the Savanna Bank account that you chose.";

/// A list of one account that shows this of its number.
fn list(masked: &str) -> NextStep {
    NextStep::ChooseAccounts {
        accounts: vec![AccountChoice {
            key: "k".to_owned(),
            masked: masked.to_owned(),
            label: "Savings".to_owned(),
            currency: None,
        }],
        many: false,
        more: None,
    }
}

/// Somebody has chosen the account that the list shows like this, and the account with this id comes back: its number ends
/// with its id. Returns the screen.
async fn chooses(harness: &mut Harness, masked: &str, comes_back: &'static str) -> String {
    {
        let mut script = harness.parts.bank.script();
        script.answers.push_back(Ok(list(masked)));
        let granted = NextStep::Done(Grant(Secret::new("code")));
        script.answers.push_back(Ok(granted));
        script.redeemed = Some(vec![comes_back]);
        script.accounts = vec![account(comes_back)];
    }
    let shown = harness.types(&["1", "1", "ada", "pass-pw"]).await;
    assert!(shown.contains("which account?"), "{shown}");
    harness.goes_on(&["1", "1", "ada", "pass-pw", "1"]).await
}

/// Only an account whose known digits clearly differ from those that were chosen is another one: it is not linked, access to
/// it is ended, and the person and the partner are told. What is not known on either side is linked as without a list.
#[tokio::test(flavor = "multi_thread")]
async fn another_account_than_the_chosen_one_is_not_linked() {
    for (masked, comes_back, linked) in [
        ("0011", "11", true),
        ("0022", "11", false),
        ("***022", "11", false),
        ("011", "11", true),
        ("22", "11", true),
        ("", "11", true),
        ("22**", "11", true),
        ("0022", "a1", true),
    ] {
        let mut harness = Harness::new().await;
        let shown = chooses(&mut harness, masked, comes_back).await;
        let case = format!("{masked} {comes_back}: {shown}");
        assert_eq!(shown.contains("is linked"), linked, "{case}");
        assert_eq!(shown.contains(OTHER), !linked, "{case}");
        let given_back = if linked { vec![] } else { vec![comes_back.to_owned()] };
        assert_eq!(harness.unlinked(), given_back, "{case}");
        let audited = harness.parts.records.audit_count("account.not_chosen").await;
        assert_eq!(audited, i64::from(!linked), "{case}");
        let told = events_of(&*harness.parts.records, harness.person.partner).await;
        let failed = told
            .iter()
            .any(|event| event.data.contains("\"reason\":\"other_account\""));
        assert_eq!(failed, !linked, "{case} {told:?}");
        let listed = harness.types(&["2"]).await;
        assert_eq!(listed.contains("Savanna Bank .."), linked, "{case} {listed}");
    }
}

/// What can be read only after the person was told that it is linked is compared then: the link is ended, and the next
/// screen takes back what was said. Once it has been compared, it is not compared again.
#[tokio::test(flavor = "multi_thread")]
async fn another_account_is_noticed_late() {
    for (masked, readable, stays) in [
        ("0022", false, false),
        ("0011", false, true),
        ("", false, true),
        ("0011", true, true),
    ] {
        let mut harness = Harness::new().await;
        if !readable {
            harness.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
        }
        let shown = chooses(&mut harness, masked, "11").await;
        assert!(shown.contains("is linked"), "{masked}: {shown}");
        let records = harness.parts.deps.records.clone();
        let (partner, tag) = (harness.person.partner, harness.person.tag);
        let history = records.history(partner, &tag, ago(0), false).await.unwrap();
        let link = history.links.first().unwrap().id;
        harness.parts.bank.script().unreadable = None;
        if readable {
            harness.parts.bank.script().accounts = vec![account("11")];
        }
        assert!(harness.parts.jobs.run_now::<ReadAccounts>(link).await);
        harness.parts.jobs.run_now::<Unlink>(link).await;
        let state = records.link(link).await.unwrap().unwrap().state;
        assert_eq!(state == LinkState::Active, stays, "{masked}: {state:?}");
        assert_eq!(harness.unlinked().is_empty(), stays, "{masked}");
        let shown = harness.dials().await;
        assert_eq!(shown.contains(OTHER), !stays, "{masked}: {shown}");
        harness.settled().await;
        assert!(!harness.dials().await.contains(OTHER), "it is told once");
    }
}

/// Somebody who has dialled since, and was told no more of the link, hears all the same that it is none: on their next dial,
/// once, whatever the live value knows. Their way on is another login, on what they have agreed to.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_mismatch_reaches_somebody_who_has_gone_on() {
    for lost in [false, true] {
        let mut harness = Harness::new().await;
        harness.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
        let shown = chooses(&mut harness, "0022", "11").await;
        assert!(shown.contains("is linked"), "{shown}");
        let records = harness.parts.deps.records.clone();
        let (partner, tag) = (harness.person.partner, harness.person.tag);
        let history = records.history(partner, &tag, ago(0), false).await.unwrap();
        let link = history.links.first().unwrap().clone();
        for _ in 0..2 {
            assert!(!harness.dials().await.contains(OTHER));
        }
        if lost {
            harness.forgotten().await;
        }
        harness.parts.bank.script().unreadable = None;
        assert!(harness.parts.jobs.run_now::<ReadAccounts>(link.id).await);
        assert_eq!(harness.state(link.attempt).await, AttemptState::OtherAccount);
        let told = events_of(&*harness.parts.records, partner).await;
        let failed = |event: &PartnerEvent| event.data.contains("\"reason\":\"other_account\"");
        assert_eq!(told.iter().filter(|event| failed(event)).count(), 1, "{told:?}");
        assert!(harness.dials().await.contains(OTHER), "{lost}");
        eventually(PATIENCE, async || {
            let history = records.history(partner, &tag, ago(0), false).await.unwrap();
            history.undone_link.is_none()
        })
        .await;
        assert!(!harness.dials().await.contains(OTHER), "{lost}: it is told once");
        assert!(!harness.dials().await.contains(OTHER), "{lost}: it is told once");
        let history = records.history(partner, &tag, ago(0), false).await.unwrap();
        assert!(history.undone_link.is_none());
    }
}

/// Where the partner expects an account too, nobody is told anything before it can be read; then that it is not the chosen
/// one is what counts, also where the live value has lost it.
#[tokio::test(flavor = "multi_thread")]
async fn another_account_is_noticed_before_it_is_told() {
    for chosen in ["0022", "0011"] {
        let mut harness = Harness::new().await;
        harness.chosen = vec![chosen.to_owned()];
        harness.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
        let attempt = expects(&mut harness, "0009990011", "11").await;
        harness.redeem(&attempt).await;
        let link = harness.link_of(&attempt).await.unwrap();
        assert_eq!(link.state, LinkState::Verifying);
        harness.parts.bank.script().unreadable = None;
        assert!(harness.parts.jobs.run_key(&ReadAccounts::key(link.id)).await);
        let right = chosen == "0011";
        let ended = if right {
            AttemptState::Linked
        } else {
            AttemptState::OtherAccount
        };
        assert_eq!(harness.state(attempt.id).await, ended);
        harness.parts.handlers.linking.notify_again(attempt.id).await.unwrap();
        let shown = harness.dials().await;
        assert_eq!(
            shown.contains("This is not the First Bank account that you chose."),
            !right,
            "{shown}"
        );
    }
}
