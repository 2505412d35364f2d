//! A partner closes its intent while somebody is answering it.

use kiungo::core::expected_account::ExpectedAccount;
use kiungo::core::next_step::{Field, FieldKind, Form, NextStep};
use kiungo::providers::ProviderError;
use kiungo::records::{Attempt, AttemptState, JobType as _, LinkState, WriteOutcome};
use kiungo::service::linking::read_accounts::ReadAccounts;
use kiungo::service::linking::unlink::Unlink;
use kiungo::service::sealing::SealedIntent;

use super::harness::{Harness, account};
use crate::support::events::{events_of, whole_partner};
use crate::support::intents::{add, audit_entry_at};

const OVER: &str = "Umoja Credit has ended this request. Nothing was linked.";

/// Closed before the link was written, by the partner or because somebody else was quicker: the access that the bank granted
/// is ended, the partner is told of no link, and the person is told why.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_a_request_that_is_over_is_undone() {
    for by_another in [false, true] {
        let mut harness = Harness::new().await;
        let mine = whole_partner(harness.person.partner);
        let asked = add(&*harness.parts.records, mine.partner, |_| ()).await;
        harness.asked = Some(asked.id);
        harness.parts.bank.script().redeemed = Some(vec!["a1"]);
        harness.parts.bank.script().accounts = vec![account("a1")];
        let attempt = harness.granted(0, |_| ()).await;
        harness.dials().await;
        if by_another {
            harness
                .parts
                .records
                .execute("UPDATE link_intents SET state = 'completed'")
                .await;
        } else {
            let ended = harness
                .parts
                .records
                .cancel_intent(&mine, asked.id, &audit_entry_at(&mine, 1))
                .await;
            assert!(matches!(ended, Ok(WriteOutcome::Done(_))));
        }
        harness.redeem(&attempt).await;
        assert_eq!(harness.state(attempt.id).await, AttemptState::Undone);
        assert_eq!(
            (harness.unlinked(), harness.link_of(&attempt).await),
            (vec!["a1".to_owned()], None)
        );
        let shown = harness.dials().await;
        assert!(shown.contains(OVER), "{shown}");
        harness.settled().await;
        assert!(!harness.dials().await.contains(OVER), "it is told once");
        let told = events_of(&*harness.parts.records, mine.partner).await;
        assert!(
            told.iter().all(|event| event.kind.as_str() != "link.created"),
            "{told:?}"
        );
    }
}

/// Closed between two answers to the bank: the second one never leaves, and the person is told why.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_for_a_request_that_is_over() {
    let mut harness = Harness::new().await;
    let code = NextStep::Prompt(Form {
        title: None,
        fields: vec![Field::new("code", "code", FieldKind::Digits)],
    });
    harness.parts.bank.script().answers.push_back(Ok(code));
    let shown = harness.types(&["1", "1", "ada", "pass-pw"]).await;
    assert!(shown.contains("Savanna Bank: code"), "{shown}");
    // The request of the one consent there is, as if a partner had made it, and ended it since.
    harness
        .parts
        .records
        .execute(
            "INSERT INTO link_intents (id, partner, state, purpose, days, scope, many, links, created_at, moved_at, expires_at) \
             SELECT id, partner, 'cancelled', 'loans', 90, 'account', 0, 0, 0, 0, 0 FROM intents",
        )
        .await;
    let shown = harness.goes_on(&["1", "1", "ada", "pass-pw", "123456"]).await;
    assert!(shown.contains(OVER), "{shown}");
    assert_eq!(harness.parts.bank.script().submitted, 1);
    assert!(
        harness
            .goes_on(&["1", "1", "ada", "pass-pw", "123456", "1"])
            .await
            .contains("It cannot move money")
    );
}

/// Somebody is granted access to the account `a1` for an intent that expects this account number.
async fn expecting(number: &str) -> (Harness, Attempt) {
    let mut harness = Harness::new().await;
    let attempt = expects(&mut harness, number, "a1").await;
    (harness, attempt)
}

/// Somebody is granted access to this account for an intent that expects this number.
pub async fn expects(harness: &mut Harness, number: &str, granted: &'static str) -> Attempt {
    let partner = harness.person.partner;
    let sealing = harness.parts.deps.sealing.clone();
    let expected = ExpectedAccount {
        account_number: Some(number.to_owned().into()),
        holder_name: None,
    };
    let asked = add(&*harness.parts.records, partner, |intent| {
        let request = SealedIntent { partner, id: intent.id };
        intent.expected = Some(sealing.seal_expected(request, &expected).unwrap());
    })
    .await;
    harness.asked = Some(asked.id);
    harness.parts.bank.script().redeemed = Some(vec![granted]);
    harness.parts.bank.script().accounts = vec![account(granted)];
    let attempt = harness.granted(0, |_| ()).await;
    harness.dials().await;
    attempt
}

/// The digits of the account `a1`.
const NUMBER: &str = "000999001";

/// The account that is expected is linked, another one is unlinked at its provider, and the person is told which; while the
/// account cannot be read nobody is told anything.
#[tokio::test(flavor = "multi_thread")]
async fn an_expected_account_is_compared() {
    for (number, state, link, said) in [
        (
            NUMBER,
            AttemptState::Linked,
            LinkState::Active,
            "First Bank ..00a1 is linked",
        ),
        (
            "000999002",
            AttemptState::Undone,
            LinkState::Removing,
            "This is not the First Bank account that Umoja Credit asked for.",
        ),
    ] {
        let (mut harness, attempt) = expecting(number).await;
        harness.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
        harness.redeem(&attempt).await;
        let made = harness.link_of(&attempt).await.unwrap();
        assert_eq!(made.state, LinkState::Verifying);
        assert_eq!(harness.state(attempt.id).await, AttemptState::Granted);
        let shown = harness.dials().await;
        assert!(
            shown.contains("First Bank has not answered yet. We keep asking"),
            "{shown}"
        );
        assert!(events_of(&*harness.parts.records, attempt.partner).await.is_empty());

        // A server that died after the link was written has left as much as this: any of its jobs goes on from there.
        harness.parts.bank.script().unreadable = None;
        let read = ReadAccounts::key(made.id);
        assert!(harness.parts.jobs.run_key(&read).await);
        assert_eq!(harness.state(attempt.id).await, state);
        let ended = harness.parts.jobs.run_now::<Unlink>(made.id).await;
        let expected = if ended { LinkState::Removed } else { link };
        assert_eq!(harness.link_of(&attempt).await.map(|link| link.state), Some(expected));
        assert_eq!(harness.unlinked().len(), usize::from(link == LinkState::Removing));
        let shown = harness.dials().await;
        assert!(shown.contains(said), "{shown}");
        harness.settled().await;
        assert!(!harness.dials().await.contains(said), "it is told once");
    }
}

/// Settling the attempt of a link that was written and not yet compared compares it; settling it again tells the result
/// again.
#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_survives_who_was_at_it() {
    for number in [NUMBER, "000999002"] {
        let (mut harness, attempt) = expecting(number).await;
        harness.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
        harness.redeem(&attempt).await;
        harness.parts.bank.script().unreadable = None;
        harness.settle(&attempt).await;
        let linked = number == NUMBER;
        let state = harness.state(attempt.id).await;
        assert_eq!(
            state,
            if linked {
                AttemptState::Linked
            } else {
                AttemptState::Undone
            }
        );
        // The live value has lost what it was told: it is told again, the same.
        harness.parts.handlers.linking.notify_again(attempt.id).await.unwrap();
        let shown = harness.dials().await;
        assert_eq!(shown.contains("is linked"), linked, "{shown}");
        assert_eq!(shown.contains("This is not the First Bank account"), !linked, "{shown}");
    }
}
