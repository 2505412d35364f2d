//! Jobs as they run: side by side, held while they last, given up loudly.

use std::sync::Arc;
use std::time::Duration;

use kiungo::providers::ProviderError;
use kiungo::records::{JobKind, Link, LinkState};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::harness::{Harness, ago};
use crate::support::eventually;
use crate::support::records::{job, node};

/// Long enough for anything to happen.
const PATIENCE: Duration = Duration::from_mins(1);

impl Harness {
    /// Has a link ended, by a job that is due.
    async fn ends(&self, link: &Link) -> String {
        let key = format!("unlink:{}", link.id);
        let unlink = [job(link.partner, JobKind::Unlink(link.id), &key, ago(0))];
        let to = LinkState::Removing;
        assert!(
            self.parts
                .jobs
                .records
                .move_link(link.id, to, &unlink, ago(0))
                .await
                .unwrap()
        );
        key
    }

    async fn is(&self, link: &Link, state: LinkState) -> bool {
        self.parts.jobs.records.link(link.id).await.unwrap().unwrap().state == state
    }
}

/// A job that takes its time holds up no other: neither one of the same look at the table nor one that comes later. It
/// stays its node's while it runs, for its lease is renewed.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_job_holds_up_no_other() {
    let mut bench = Harness::new().await;
    let (slow, quick) = (bench.linked().await, bench.linked().await);
    let gate = Arc::new(Semaphore::new(0));
    bench.parts.bank.script().gate = Some(gate.clone());
    bench.ends(&slow).await;
    let stop = CancellationToken::new();
    let jobs = bench.parts.jobs.clone();
    bench.parts.tasks.spawn(jobs.run(stop.clone()));
    eventually(PATIENCE, async || bench.parts.bank.script().unlinking == 1).await;
    bench.parts.bank.script().gate = None;
    bench.ends(&quick).await;
    eventually(PATIENCE, async || bench.is(&quick, LinkState::Removed).await).await;
    assert!(bench.is(&slow, LinkState::Removing).await);
    // When everything else is done, the slow one's lease is what ends next.
    let records = bench.parts.jobs.records.clone();
    let mut lease = None;
    eventually(PATIENCE, async || {
        lease = records.next_due().await.unwrap();
        lease > Some(ago(0).plus(Duration::from_secs(5)))
    })
    .await;
    eventually(PATIENCE, async || records.next_due().await.unwrap() > lease).await;

    gate.add_permits(1);
    eventually(PATIENCE, async || bench.is(&slow, LinkState::Removed).await).await;
    stop.cancel();
}

/// An unlinking that is given up is not passed over in silence: it is audited, and the link goes on being one that is
/// being ended.
#[tokio::test(flavor = "multi_thread")]
async fn an_unlinking_given_up_is_told() {
    let mut bench = Harness::new().await;
    let link = bench.linked().await;
    bench.parts.bank.script().unreadable = Some(ProviderError::Unavailable("away", None));
    let key = bench.ends(&link).await;
    let records = bench.parts.jobs.records.clone();
    for _ in 0..299 {
        let held = records.claim_key(&key, node(9), ago(0), ago(0)).await.unwrap().unwrap();
        records.postpone(held.id, node(9), ago(0), "test").await.unwrap();
    }
    assert_eq!(bench.parts.records.audit_count("job.given_up").await, 0);
    assert!(bench.parts.jobs.run_now(&key).await);
    assert_eq!(bench.parts.records.audit_count("job.given_up").await, 1);
    assert!(bench.is(&link, LinkState::Removing).await);
    assert!(
        bench
            .parts
            .jobs
            .records
            .claim_key(&key, node(9), ago(0), ago(0))
            .await
            .unwrap()
            .is_none()
    );
    let counted = bench.parts.jobs.metrics.encode().unwrap();
    assert!(
        counted.contains(r#"kiungo_jobs_total{kind="unlink",outcome="given_up"} 1"#),
        "{counted}"
    );
}
