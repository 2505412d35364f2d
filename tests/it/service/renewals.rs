//! Renewing a link: what is asked, and what renews it.

use kiungo::core::next_step::{Grant, NextStep};
use kiungo::core::secret::Secret;
use kiungo::records::{AttemptState, IntentState, JobType as _, LinkState};
use kiungo::service::linking::read_accounts::ReadAccounts;

use super::harness::{Harness, NUMBER, ago};
use crate::support::events::whole_partner;
use crate::support::intents::add;

/// A renewal asks by an auth method that may be offered: no card with its PIN where the policy forbids it, nothing that
/// a keypad cannot answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_asks_what_may_be_asked() {
    let mut harness = Harness::new().await;
    harness.linked().await;
    let shown = harness.types(&["2", "1", "1"]).await;
    assert!(shown.contains("username"), "{shown}");
    harness.settled().await;
    let shown = harness.types(&["1", "ada"]).await;
    assert!(shown.contains("password"), "{shown}");
}

/// What a renewal led to, by what came back.
enum Renewal {
    /// The account itself, or silence.
    Own(Vec<&'static str>),
    /// Another account.
    Other,
    /// The account, while the link is being ended.
    Ended,
}

/// A link is renewed by its own account, or by a provider that only says that it is done. Another account leaves it as
/// it was and has its access ended; so has the account of a link that is being ended. The person is told.
#[tokio::test(flavor = "multi_thread")]
async fn only_its_own_account_renews_a_link() {
    for (renewal, state, given_back) in [
        (Renewal::Own(vec!["a1"]), LinkState::Active, &[][..]),
        (Renewal::Own(vec![]), LinkState::Active, &[]),
        (Renewal::Other, LinkState::ReauthRequired, &["x9"]),
        (Renewal::Ended, LinkState::Removing, &["a1"]),
    ] {
        for at_once in [false, true] {
            let mut harness = Harness::new().await;
            let link = harness.linked().await;
            let records = harness.parts.deps.records.clone();
            let to = LinkState::ReauthRequired;
            assert!(records.move_link(link.id, to, &[], ago(0)).await.unwrap());
            let (bank, kept) = (harness.parts.bank.clone(), matches!(renewal, Renewal::Own(_)));
            bank.script().renewed_at_once = at_once;
            bank.script().redeemed = Some(match &renewal {
                Renewal::Own(ids) => ids.clone(),
                Renewal::Other => vec!["x9"],
                Renewal::Ended => vec!["a1"],
            });
            let granted = Ok(NextStep::Done(Grant(Secret::new("code_3"))));
            bank.script().answers.push_back(granted);
            let end = async || {
                if matches!(renewal, Renewal::Ended) {
                    let to = LinkState::Removing;
                    assert!(records.move_link(link.id, to, &[], ago(0)).await.unwrap());
                }
            };
            // A dial says that it is linked, the next one that it needs a login.
            harness.dials().await;
            harness.settled().await;
            let told = harness.dials().await;
            assert!(told.contains("log in there again"), "{told}");
            harness.settled().await;
            if !at_once {
                harness.types(&["1", "ada"]).await;
            }
            end().await;
            let dialog = harness.dials;
            let typed = if at_once { "1" } else { "1*ada*pass-pw" };
            let shown = harness.parts.answer(&format!("d{dialog} {NUMBER} {typed}")).await;
            assert_eq!(shown.contains("is up to date again"), kept, "{at_once}: {shown}");
            let found = records.link(link.id).await.unwrap().unwrap();
            assert_eq!(found.state, state, "{at_once}");
            assert_eq!(harness.unlinked(), given_back, "{at_once}");
            let foreign = i64::from(matches!(renewal, Renewal::Other));
            assert_eq!(harness.parts.records.audit_count("account.foreign").await, foreign);
            if !kept {
                let told = if at_once {
                    "We cannot link"
                } else {
                    "Nothing was linked."
                };
                assert!(shown.contains(told), "{shown}");
            }
        }
    }
}

/// Who is asked to link an account again has done so with its number at its bank. Elsewhere the number may be anybody's, such as
/// a wallet's that are phone numbers; and of an account that was never read nothing shows that it is the same.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_same_account_is_linked_again() {
    for (before, same) in [
        ("UPDATE links SET moved_at = moved_at", true),
        ("UPDATE links SET provider = 'elsewhere'", false),
        ("UPDATE links SET provider_institution = 'another'", false),
        ("UPDATE linked_accounts SET number_digest = NULL", false),
    ] {
        let mut harness = Harness::new().await;
        let link = harness.linked().await;
        assert!(harness.parts.jobs.run_key(&ReadAccounts::key(link.id)).await);
        harness.parts.records.execute(before).await;
        let asked = add(&*harness.parts.records, link.partner, |intent| {
            (intent.renews, intent.tag) = (Some(link.id), Some(link.tag));
        });
        let asked = asked.await;
        harness.asked = Some(asked.id);
        let attempt = harness.granted(0, |attempt| {
            attempt.institution.clone_from(&link.institution);
            attempt.provider_institution.clone_from(&link.provider_institution);
        });
        let attempt = attempt.await;
        harness.redeem(&attempt).await;
        let (state, answer) = if same {
            (AttemptState::Linked, IntentState::Completed)
        } else {
            (AttemptState::Undone, IntentState::Mismatched)
        };
        assert_eq!(harness.state(attempt.id).await, state, "{before}");
        let mine = whole_partner(link.partner);
        let asked = harness.parts.records.intent(&mine, asked.id).await.unwrap().unwrap();
        assert_eq!(asked.state, answer, "{before}");
    }
}
