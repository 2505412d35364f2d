//! A bank that goes on at a page, for somebody whom no text with its link can reach.

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::core::msisdn::Msisdn;
use kiungo::core::next_step::{LinkPurpose, NextStep};
use kiungo::core::time::{Clock as _, Timestamp};
use kiungo::records::AttemptState;
use kiungo::service::linking::advance::Advance;
use kiungo::store::memory::MemoryStore;
use rstest::rstest;

use crate::support::app_fixture::{AppOptions, TestApp, assemble_in, keyring};
use crate::support::doubles::PlainGateway;
use crate::support::eventually;
use crate::support::records::partner;

const HERE: &str = "+2348031234567";
/// In Kenya; texts go to Nigeria only.
const ABROAD: &str = "+254712345678";

/// What the records say of the login of this number.
async fn state(app: &TestApp, number: &str) -> Option<AttemptState> {
    let (tag, now) = (
        keyring(&["k1"]).tag(&Msisdn::parse(number, "NG").unwrap()),
        SystemClock.now(),
    );
    let known = app.deps.records.history(partner(1).id, &tag, now, false).await.unwrap();
    known.newest_submission.map(|attempt| attempt.state)
}

/// The records say what the person is told, at once or when the bank is asked later: where no link can reach them nothing
/// waits for a page, and nothing stands in the way of another login. Others go on waiting.
#[rstest]
#[case::at_once(false)]
#[case::later(true)]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_waits_for_a_page_that_nobody_can_open(#[case] later: bool) {
    let page = || NextStep::OpenLink {
        purpose: LinkPurpose::Approve,
    };
    let wait = || NextStep::Wait {
        poll_every: Duration::from_hours(1),
        until: Timestamp::from_millis(i64::MAX),
    };
    for (number, end) in [(HERE, AttemptState::Waiting), (ABROAD, AttemptState::Accepted)] {
        let around = AppOptions {
            texts: true,
            ..AppOptions::default()
        };
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let app = assemble_in(store, PlainGateway { sink: None }, around).await;
        let first = if later { wait() } else { page() };
        app.bank.script().answers.push_back(Ok(first));
        let mut shown = String::new();
        for typed in ["", "1", "1*1", "1*1*ada", "1*1*ada*pass"] {
            shown = app.answer(&format!("d1 {number} {typed}")).await;
        }
        eventually(Duration::from_secs(30), async || app.tasks.is_empty()).await;
        if later {
            assert_eq!(state(&app, number).await, Some(AttemptState::Waiting), "{shown}");
            let tag = keyring(&["k1"]).tag(&Msisdn::parse(number, "NG").unwrap());
            let now = SystemClock.now();
            let known = app.deps.records.history(partner(1).id, &tag, now, false).await.unwrap();
            app.bank.script().polls.push_back(page());
            assert!(app.jobs.run_now::<Advance>(known.pending_attempt.unwrap().id).await);
            shown = app.answer(&format!("d2 {number} ")).await;
        }
        assert_eq!(state(&app, number).await, Some(end), "{shown}");
        let refused = shown.contains("asks for something a keypad phone cannot do");
        assert_eq!(refused, number == ABROAD, "{shown}");
    }
}
