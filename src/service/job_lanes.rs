//! Which lanes of jobs this node is working on: webhooks of one endpoint are one lane.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::records::JobLane;

#[derive(Default)]
pub struct ActiveLanes(Mutex<HashSet<JobLane>>);

/// The right to work on a lane; given back when dropped.
pub struct LaneGuard<'a> {
    lanes: &'a ActiveLanes,
    pub lane: JobLane,
}

impl ActiveLanes {
    /// The right to work on this lane, if nobody has it.
    pub fn acquire(&self, lane: JobLane) -> Option<LaneGuard<'_>> {
        let mut active = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A guard is made only where it is handed out: dropping one gives the lane back.
        active.insert(lane).then(|| LaneGuard { lanes: self, lane })
    }
}

impl Drop for LaneGuard<'_> {
    fn drop(&mut self) {
        let mut active = self.lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
        active.remove(&self.lane);
    }
}
