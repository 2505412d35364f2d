//! How jobs run: side by side, their lease renewed while they last, given up loudly.

use std::sync::Arc;
use std::time::Duration;

use kiungo::providers::ProviderError;
use kiungo::records::{JobType as _, Link, LinkState};
use kiungo::service::linking::unlink::Unlink;
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

/// An unlink job that is given up is audited and counted, and the link stays in `removing`.
#[tokio::test(flavor = "multi_thread")]
async fn an_unlinking_given_up_is_told() {
    let mut harness = Harness::new().await;
    let link = harness.linked().await;
    harness.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
    let key = harness.ends(&link).await;
    let records = harness.parts.deps.records.clone();
    for _ in 0..299 {
        let held = records.claim_key(&key, node(9), ago(0), ago(0)).await.unwrap().unwrap();
        records.postpone(held.id, node(9), ago(0), "test").await.unwrap();
    }
    assert_eq!(harness.parts.records.audit_count("job.given_up").await, 0);
    assert!(harness.parts.jobs.run_key(&key).await);
    assert_eq!(harness.parts.records.audit_count("job.given_up").await, 1);
    assert!(harness.is(&link, LinkState::Removing).await);
    assert!(
        harness
            .parts
            .deps
            .records
            .claim_key(&key, node(9), ago(0), ago(0))
            .await
            .unwrap()
            .is_none()
    );
    let counted = harness.parts.deps.metrics.encode().unwrap();
    assert!(
        counted.contains(r#"kiungo_jobs_total{kind="unlink",outcome="given_up"} 1"#),
        "{counted}"
    );
}
