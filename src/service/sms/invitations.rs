//! Which invitations, that partners send to numbers that they name, may be sent.

use super::outbox::{CAP_SPAN, SmsOutbox};
use crate::core::ids::PartnerId;
use crate::core::msisdn::Msisdn;
use crate::records::Result as RecordsResult;

/// Why a partner's invitation is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationObstacle {
    /// No route is for the number's country: it would be sent at anybody's price.
    NoRoute,
    /// As many were sent in a day as may be, by this partner or to this number.
    DailyCap,
}

impl SmsOutbox {
    /// What stands in the way of a partner's invitation to a number now, if anything; it is counted in the metrics. Those
    /// that are asked for at once are counted again, one after the other, when they are sent.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn invitation_obstacle(
        &self,
        partner: PartnerId,
        number: &Msisdn,
    ) -> RecordsResult<Option<InvitationObstacle>> {
        if !self.routes.serves(number) {
            self.deps.metrics.invitation_refused("no_route");
            return Ok(Some(InvitationObstacle::NoRoute));
        }
        let (tag, since) = (
            self.deps.sealing.keyring.tag(number),
            self.deps.clock.now().minus(CAP_SPAN),
        );
        let counts = self.deps.records.invitations(partner, &tag, since).await?;
        if counts.reach(self.caps) {
            self.deps.metrics.invitation_refused("daily_cap");
            return Ok(Some(InvitationObstacle::DailyCap));
        }
        Ok(None)
    }
}
