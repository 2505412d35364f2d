//! A partner ends its request while somebody is answering it.

use kiungo::core::expected_account::ExpectedAccount;
use kiungo::core::next_step::{Field, FieldKind, Form, NextStep};
use kiungo::providers::ProviderError;
use kiungo::records::{Attempt, AttemptState, LinkState, WriteOutcome};
use kiungo::service::sealing::SealedIntent;

use super::harness::{Harness, account};
use crate::support::events::{events_of, whole_partner};
use crate::support::intents::{add, audit_entry_at};

const OVER: &str = "Umoja Credit has ended this request. Nothing was linked.";

/// Ended before the link was written, by the partner or by somebody else who was quicker: what the bank granted is given
/// back, no link is told of, and the person is told why.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_a_request_that_is_over_is_undone() {
    for by_another in [false, true] {
        let mut bench = Harness::new().await;
        let mine = whole_partner(bench.person.partner);
        let asked = add(&*bench.parts.records, mine.partner, |_| ()).await;
        bench.asked = Some(asked.id);
        bench.parts.bank.script().redeemed = Some(vec!["a1"]);
        bench.parts.bank.script().accounts = vec![account("a1")];
        let attempt = bench.granted(0, |_| ()).await;
        bench.dials().await;
        if by_another {
            bench
                .parts
                .records
                .execute("UPDATE link_intents SET state = 'completed'")
                .await;
        } else {
            let ended = bench
                .parts
                .records
                .cancel_intent(&mine, asked.id, &audit_entry_at(&mine, 1))
                .await;
            assert!(matches!(ended, Ok(WriteOutcome::Done(_))));
        }
        bench.redeem(&attempt).await;
        assert_eq!(bench.state(attempt.id).await, AttemptState::Undone);
        assert_eq!(
            (bench.unlinked(), bench.link_of(&attempt).await),
            (vec!["a1".to_owned()], None)
        );
        let shown = bench.dials().await;
        assert!(shown.contains(OVER), "{shown}");
        assert!(!bench.dials().await.contains(OVER), "it is told once");
        let told = events_of(&*bench.parts.records, mine.partner).await;
        assert!(
            told.iter().all(|event| event.kind.as_str() != "link.created"),
            "{told:?}"
        );
    }
}

/// Ended between two answers to the bank: the second one never leaves, and the person is told why.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_for_a_request_that_is_over() {
    let mut bench = Harness::new().await;
    let code = NextStep::Prompt(Form {
        title: None,
        fields: vec![Field {
            name: "code".to_owned(),
            label: "code".to_owned(),
            kind: FieldKind::Digits,
            max_len: None,
            exact_len: None,
        }],
    });
    bench.parts.bank.script().answers.push_back(Ok(code));
    let shown = bench.types(&["1", "1", "ada", "pw"]).await;
    assert!(shown.contains("Savanna Bank: code"), "{shown}");
    // The request of the one consent there is, as if a partner had made it, and ended it since.
    bench
        .parts
        .records
        .execute(
            "INSERT INTO link_intents (id, partner, state, purpose, days, scope, many, links, created_at, moved_at, expires_at) \
             SELECT id, partner, 'cancelled', 'loans', 90, 'account', 0, 0, 0, 0, 0 FROM intents",
        )
        .await;
    let shown = bench.goes_on(&["1", "1", "ada", "pw", "123456"]).await;
    assert!(shown.contains(OVER), "{shown}");
    assert_eq!(bench.parts.bank.script().submitted, 1);
    assert!(
        bench
            .goes_on(&["1", "1", "ada", "pw", "123456", "1"])
            .await
            .contains("Agree?")
    );
}

/// Somebody is granted access to the account `a1` for a request that expects this account number.
async fn expecting(number: &str) -> (Harness, Attempt) {
    let mut bench = Harness::new().await;
    let partner = bench.person.partner;
    let sealing = bench.parts.jobs.linking.sealing.clone();
    let expected = ExpectedAccount {
        account_number: Some(number.to_owned().into()),
        holder_name: None,
    };
    let asked = add(&*bench.parts.records, partner, |intent| {
        let request = SealedIntent { partner, id: intent.id };
        intent.expected = Some(sealing.seal_expected(request, &expected).unwrap());
    })
    .await;
    bench.asked = Some(asked.id);
    bench.parts.bank.script().redeemed = Some(vec!["a1"]);
    bench.parts.bank.script().accounts = vec![account("a1")];
    let attempt = bench.granted(0, |_| ()).await;
    bench.dials().await;
    (bench, attempt)
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
        let (mut bench, attempt) = expecting(number).await;
        bench.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
        bench.redeem(&attempt).await;
        let made = bench.link_of(&attempt).await.unwrap();
        assert_eq!(made.state, LinkState::Verifying);
        assert_eq!(bench.state(attempt.id).await, AttemptState::Granted);
        let shown = bench.dials().await;
        assert!(
            shown.contains("First Bank has not answered. We are finding out."),
            "{shown}"
        );
        assert!(events_of(&*bench.parts.records, attempt.partner).await.is_empty());

        // A server that died after the link was written has left as much as this: any of its jobs goes on from there.
        bench.parts.bank.script().unreadable = None;
        let read = format!("read:{}", made.id);
        assert!(bench.parts.jobs.run_now(&read).await);
        assert_eq!(bench.state(attempt.id).await, state);
        let ended = bench.parts.jobs.run_now(&format!("unlink:{}", made.id)).await;
        let expected = if ended { LinkState::Removed } else { link };
        assert_eq!(bench.link_of(&attempt).await.map(|link| link.state), Some(expected));
        assert_eq!(bench.unlinked().len(), usize::from(link == LinkState::Removing));
        let shown = bench.dials().await;
        assert!(shown.contains(said), "{shown}");
        assert!(!bench.dials().await.contains(said), "it is told once");
    }
}

/// Whoever settles the submission of a link that was written, and compared by nobody, compares it; what became of it is
/// told by whoever settles it after that, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_survives_who_was_at_it() {
    for number in [NUMBER, "000999002"] {
        let (mut bench, attempt) = expecting(number).await;
        bench.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
        bench.redeem(&attempt).await;
        bench.parts.bank.script().unreadable = None;
        bench.settle(&attempt).await;
        let linked = number == NUMBER;
        let state = bench.state(attempt.id).await;
        assert_eq!(
            state,
            if linked {
                AttemptState::Linked
            } else {
                AttemptState::Undone
            }
        );
        // The live value has lost what it was told: it is told again, the same.
        bench.parts.jobs.linking.notify_again(attempt.id).await.unwrap();
        let shown = bench.dials().await;
        assert_eq!(shown.contains("is linked"), linked, "{shown}");
        assert_eq!(shown.contains("This is not the First Bank account"), !linked, "{shown}");
    }
}
