//! A partner ends its request while somebody is answering it.

use kiungo::core::next_step::{Field, FieldKind, Form, NextStep};
use kiungo::records::{AttemptState, Kept};

use super::bench::{Bench, account};
use crate::support::events::{told, whole};
use crate::support::intents::{add, done};

const OVER: &str = "Umoja Credit has ended this request. Nothing was linked.";

/// Ended before the link was written, by the partner or by somebody else who was quicker: what the bank granted is given
/// back, no link is told of, and the person is told why.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_a_request_that_is_over_is_undone() {
    for by_another in [false, true] {
        let mut bench = Bench::new().await;
        let mine = whole(bench.person.partner);
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
                .cancel_intent(&mine, asked.id, &done(&mine, 1))
                .await;
            assert!(matches!(ended, Ok(Kept::Done(_))));
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
        let told = told(&*bench.parts.records, mine.partner).await;
        assert!(told.iter().all(|event| event.kind.word() != "link.created"), "{told:?}");
    }
}

/// Ended between two answers to the bank: the second one never leaves, and the person is told why.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_for_a_request_that_is_over() {
    let mut bench = Bench::new().await;
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
