//! A login for an account that is linked already.

use super::super::jobs::Verdict;
use super::super::known::brief;
use super::{Linking, Trouble};
use crate::core::flow::Fate;
use crate::core::ids::LinkId;
use crate::records::{Attempt, AttemptState, LinkState};

impl Linking {
    pub(super) async fn renewed(&self, attempt: &Attempt, link: LinkId) -> Result<Verdict, Trouble> {
        let now = self.runtime.clock.now();
        self.records.move_link(link, LinkState::Active, &[], now).await?;
        self.records.move_attempt(attempt.id, AttemptState::Linked, now).await?;
        if let Some(link) = self.records.link(link).await? {
            self.tell(attempt, Fate::Linked(brief(&link, false))).await;
        }
        Ok(Verdict::Done)
    }
}
