//! The SMS that invites the person whom a link intent is for.

use std::time::Duration;

use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::records::{LinkIntent, Partner, QueuedSms, SmsKind};
use crate::service::partners::error::ApiError;
use crate::service::partners::linking_api::LinkingApi;
use crate::service::sms::invitations::InvitationObstacle;
use crate::service::sms::outbox::{OutgoingMessage, SmsOutboxError};
use crate::service::turn::sms::service_code_for;

/// After that, an SMS about a link intent is no longer worth sending.
const SMS_VALIDITY: Duration = Duration::from_hours(6);

impl LinkingApi {
    /// Whether the person may be invited by SMS now: only to the countries that a route is for, and so often in a day.
    pub(super) async fn check_invitation(&self, partner: &Partner, msisdn: &Msisdn) -> Result<(), ApiError> {
        match self.outbox.invitation_obstacle(partner.id, msisdn).await? {
            None => Ok(()),
            Some(InvitationObstacle::NoRoute) => {
                let detail = "no SMS route here is for this number's country: leave sms out";
                Err(ApiError::field("/msisdn", "no_route", detail))
            }
            Some(InvitationObstacle::DailyCap) => {
                let detail = "as many invitations were sent in a day as may be, by you or to this number: leave sms out, or wait";
                Err(ApiError::field("/sms", "daily_cap", detail))
            }
        }
    }

    /// Whether an SMS may be sent to this number: `queued`, or `stopped` if the subscriber has opted out.
    pub(super) async fn sms_state(&self, partner: &Partner, msisdn: &Msisdn) -> Result<&'static str, ApiError> {
        let tag = self.sealing.keyring.tag(msisdn);
        // A STOP goes to the number that SMS come from, whichever partner they were sent for.
        for from in [partner.id, self.outbox.partner()] {
            let preference = self.records.sms_preference(from, &tag).await?;
            if preference.is_some_and(|preference| preference.stopped) {
                return Ok("stopped");
            }
        }
        Ok("queued")
    }

    /// The invitation SMS.
    pub(super) async fn intent_sms(
        &self,
        partner: &Partner,
        intent: &LinkIntent,
        msisdn: &Msisdn,
        locale: Option<Locale>,
    ) -> Result<QueuedSms, ApiError> {
        let first = || self.turns.flow.get().settings.first_language();
        let locale = self.turns.locale(msisdn).await.or(locale).unwrap_or_else(first);
        let dial = service_code_for(&self.turns.channels, msisdn.country().unwrap_or_default());
        let text = self.turns.flow.get().invitation_sms(locale, &partner.name, dial);
        let message = OutgoingMessage {
            to: msisdn,
            kind: SmsKind::Request,
            key: format!("intent:{}", intent.id),
            text: &text,
            route: None,
            valid_for: SMS_VALIDITY.min(intent.expires_at.since(intent.created_at)),
        };
        self.outbox.draft_for(partner.id, message).map_err(|error| match error {
            SmsOutboxError::Records(error) => error.into(),
            error => {
                tracing::error!(%error, "an invitation SMS cannot be queued");
                ApiError::Unavailable
            }
        })
    }
}
