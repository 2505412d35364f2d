//! How jobs run: side by side, their lease renewed while they last, given up loudly.

use std::sync::Arc;
use std::time::Duration;

use kiungo::core::ids::LinkId;
use kiungo::providers::ProviderError;
use kiungo::records::{JobKind, JobType as _, Link, LinkState};
use kiungo::service::linking::read_accounts::ReadAccounts;
use kiungo::service::linking::unlink::Unlink;
use rstest::rstest;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::harness::{Harness, ago};
use crate::support::eventually;
use crate::support::records::{TYPES, job, node};

/// Long enough for anything to happen.
const PATIENCE: Duration = Duration::from_mins(1);

impl Harness {
    /// Has a link ended, by a job that is due.
    async fn ends(&self, link: &Link) -> String {
        let key = Unlink::key(link.id);
        let unlink = [job(link.partner, Unlink::of(link.id), &key, ago(0))];
        let to = LinkState::Removing;
        assert!(
            self.parts
                .deps
                .records
                .move_link(link.id, to, &unlink, ago(0))
                .await
                .unwrap()
        );
        key
    }

    async fn is(&self, link: &Link, state: LinkState) -> bool {
        self.parts.deps.records.link(link.id).await.unwrap().unwrap().state == state
    }
}

/// A slow job holds up no other: neither one that was claimed with it nor one that comes later. No other node claims it
/// while it runs, because its lease is renewed.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_job_holds_up_no_other() {
    let mut harness = Harness::new().await;
    let (slow, quick) = (harness.linked().await, harness.linked().await);
    let gate = Arc::new(Semaphore::new(0));
    harness.parts.bank.script().gate = Some(gate.clone());
    harness.ends(&slow).await;
    let stop = CancellationToken::new();
    let jobs = harness.parts.jobs.clone();
    harness.parts.tasks.spawn(jobs.run(stop.clone()));
    eventually(PATIENCE, async || harness.parts.bank.script().unlinking == 1).await;
    harness.parts.bank.script().gate = None;
    harness.ends(&quick).await;
    eventually(PATIENCE, async || harness.is(&quick, LinkState::Removed).await).await;
    assert!(harness.is(&slow, LinkState::Removing).await);
    // When everything else is done, the slow one's lease is what ends next.
    let records = harness.parts.deps.records.clone();
    let mut lease = None;
    eventually(PATIENCE, async || {
        lease = records.next_due(TYPES).await.unwrap();
        lease > Some(ago(0).plus(Duration::from_secs(5)))
    })
    .await;
    eventually(PATIENCE, async || records.next_due(TYPES).await.unwrap() > lease).await;

    gate.add_permits(1);
    eventually(PATIENCE, async || harness.is(&slow, LinkState::Removed).await).await;
    stop.cancel();
}

/// A job that fails 300 times is audited and given up; one that a person has a right to is audited, and goes on.
#[rstest]
#[case::given_up(ReadAccounts::key, ReadAccounts::of, "job.given_up")]
#[case::endless(Unlink::key, Unlink::of, "job.failing")]
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_always_fails_is_told(
    #[case] key: fn(LinkId) -> String,
    #[case] of: fn(LinkId) -> JobKind,
    #[case] told: &str,
) {
    let mut harness = Harness::new().await;
    let link = harness.linked().await;
    harness.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
    let (key, records) = (key(link.id), harness.parts.deps.records.clone());
    let due = job(link.partner, of(link.id), &key, ago(0));
    assert!(
        records
            .move_link(link.id, LinkState::Removing, &[due], ago(0))
            .await
            .unwrap()
    );
    for _ in 0..299 {
        let held = records.claim_key(&key, node(9), ago(0), ago(0)).await.unwrap().unwrap();
        records.postpone(held.id, node(9), ago(0), "test").await.unwrap();
    }
    assert_eq!(harness.parts.records.audit_count(told).await, 0);
    assert!(harness.parts.jobs.run_key(&key).await);
    assert_eq!(harness.parts.records.audit_count(told).await, 1);
    assert!(harness.is(&link, LinkState::Removing).await);
    let later = harness.parts.deps.clock.now().plus(Duration::from_hours(1));
    let again = records.claim_key(&key, node(9), later, later).await.unwrap();
    let (given_up, outcome) = match told {
        "job.given_up" => (true, "given_up"),
        _ => (false, "postponed"),
    };
    assert_eq!(again.is_none(), given_up);
    let counted = harness.parts.deps.metrics.encode().unwrap();
    assert!(counted.contains(&format!("outcome=\"{outcome}\"}} 1")), "{counted}");
}
