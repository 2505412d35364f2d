//! Jobs of lanes: webhooks of one endpoint. They take none of the places of other jobs, and one lane holds up no other,
//! however slow its receiver is.
//!
//! A lane is driven by one task while there is anything due in it, several jobs at a time. Where the last one failed it
//! is one at a time until one succeeds: a receiver that is down is not asked more than it must be, and a great many of
//! them hold no great many connections.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{JobRunner, LEASE};
use crate::records::JobLane;

/// How many jobs of one lane run at once on this node.
const MAX_CONCURRENT: usize = 8;

/// The lanes that are being driven.
#[derive(Default)]
pub struct ActiveLanes(Mutex<HashSet<JobLane>>);

/// The right to drive a lane; given back when dropped.
struct LaneGuard<'a> {
    lanes: &'a ActiveLanes,
    lane: JobLane,
}

impl ActiveLanes {
    /// The right to drive this one, if nobody has it.
    fn drive(&self, lane: JobLane) -> Option<LaneGuard<'_>> {
        let mut driven = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Made only where it is handed out: dropped, it gives back what somebody else has.
        driven.insert(lane).then(|| LaneGuard { lanes: self, lane })
    }
}

impl Drop for LaneGuard<'_> {
    fn drop(&mut self) {
        let mut driven = self.lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
        driven.remove(&self.lane);
    }
}

impl JobRunner {
    /// Sees to it that every lane with something due is driven.
    pub(super) async fn drive_due_lanes(self: &Arc<Self>, stop: &CancellationToken) {
        let due = match self.records.lanes_due(self.runtime.clock.now()).await {
            Ok(due) => due,
            Err(error) => return tracing::warn!(%error, "lanes could not be looked at"),
        };
        for lane in due {
            let (this, stop) = (self.clone(), stop.clone());
            self.runtime.spawn(async move {
                if let Some(driving) = this.lanes.drive(lane) {
                    this.drive(driving.lane, &stop).await;
                }
            });
        }
    }

    /// Runs what is due in a lane until nothing is. Each job is a task of its own: one that holds a connection to the records
    /// goes on while this one waits for it.
    async fn drive(self: &Arc<Self>, lane: JobLane, stop: &CancellationToken) {
        let mut under_way = JoinSet::new();
        let mut most = MAX_CONCURRENT;
        loop {
            let free = most.saturating_sub(under_way.len());
            // A few at a time: each claim is a write of its own.
            if free * 2 >= most && !stop.is_cancelled() {
                let now = self.runtime.clock.now();
                let limit = u32::try_from(free).unwrap_or(u32::MAX);
                let claimed = self
                    .records
                    .claim_in(lane, self.runtime.node, now, now.plus(LEASE), limit)
                    .await;
                let jobs = claimed.unwrap_or_else(|error| {
                    tracing::warn!(%error, "jobs of a lane could not be claimed");
                    Vec::new()
                });
                for job in jobs {
                    let this = self.clone();
                    under_way.spawn_on(async move { this.run_claimed(job).await }, &self.runtime.handle);
                }
            }
            match under_way.join_next().await {
                Some(done) => most = if done.unwrap_or(false) { MAX_CONCURRENT } else { 1 },
                None => break,
            }
        }
    }
}
