//! What a gateway's carrier does for turns: screens in calls of ours, and dialogs that begin with us.

use std::time::Duration;

use super::TurnRunner;
use super::ussd::{UssdAnswer, spelled};
use crate::core::msisdn::Msisdn;
use crate::core::secret::Secret;
use crate::gateways::ussd_carrier::{CarrierError, PushMode, UssdCarrier};
use crate::gateways::{Caller, DialogEnd, DialogEndNotice, Echo, UssdCallback, UssdInput, UssdReply};
use crate::service::channel::Channel;

/// How long a gateway may take to take a screen; the person sees nothing meanwhile.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(5);
/// A screen is sent again once: after that the person has given up.
const DELIVERIES: u32 = 2;

impl TurnRunner {
    /// Sends a screen to where its callback came from. One that does not arrive is in the dialog all the same: the gateway's
    /// retry of the callback gets it.
    pub(super) async fn deliver(&self, channel: &Channel, network: Option<&str>, answer: &UssdAnswer, to: &Echo) {
        let (UssdAnswer::Screen(reply), Some(carrier)) = (answer, channel.gateway.carrier()) else {
            return;
        };
        let reply = spelled(channel, network, reply);
        let mut last = CarrierError::NotPossible;
        for _ in 0..DELIVERIES {
            match self.deliver_once(carrier, &UssdReply::from(reply.as_ref()), to).await {
                Ok(()) => return,
                Err(error) => last = error,
            }
            tracing::warn!(channel = channel.name, error = %last, "screen not delivered");
            if !matches!(last, CarrierError::Failed(_)) {
                break;
            }
        }
        tracing::error!(channel = channel.name, error = %last, "screen given up: the person waits for nothing");
        self.metrics.screen_given_up(channel.gateway.name());
    }

    async fn deliver_once(
        &self,
        carrier: &dyn UssdCarrier,
        reply: &UssdReply<'_>,
        to: &Echo,
    ) -> Result<(), CarrierError> {
        let delivery = carrier.deliver(&self.http, reply, to);
        let delivered = tokio::time::timeout(DELIVERY_TIMEOUT, delivery).await;
        delivered.unwrap_or(Err(CarrierError::Failed("no answer in time")))
    }

    /// Begins a dialog with somebody: the gateway shows them the first screen of the conversation, or is asked to call us as
    /// if they had dialed.
    ///
    /// # Errors
    /// When the gateway cannot do that, or did not.
    pub async fn push(&self, channel: &Channel, to: &Msisdn) -> Result<(), CarrierError> {
        let carrier = channel.gateway.carrier().ok_or(CarrierError::NotPossible)?;
        match carrier.abilities().push.ok_or(CarrierError::NotPossible)? {
            PushMode::Invitation => carrier.push(&self.http, to, None).await,
            PushMode::FirstScreen => self.push_first_screen(channel, carrier, to).await,
        }
    }

    async fn push_first_screen(
        &self,
        channel: &Channel,
        carrier: &dyn UssdCarrier,
        to: &Msisdn,
    ) -> Result<(), CarrierError> {
        let mut random = [0; 16];
        self.runtime.rng.fill(&mut random);
        let dialog = carrier.name_dialog(u128::from_be_bytes(random));
        let callback = UssdCallback {
            dialog: dialog.clone(),
            caller: Caller::Number(to.clone()),
            network: None,
            service_code: None,
            input: UssdInput::Dialed(Secret::new("")),
            turn_id: None,
            echo: Echo::default(),
        };
        let (_, reply) = self.bounded(channel, callback, self.runtime.clock.now()).await;
        if reply.end {
            return Err(CarrierError::Failed("there is no first screen now"));
        }
        let reply = spelled(channel, None, &reply);
        let pushed = carrier
            .push(&self.http, to, Some((&dialog, &UssdReply::from(reply.as_ref()))))
            .await;
        if pushed.is_err() {
            // Nobody sees this dialog.
            let notice = DialogEndNotice {
                dialog,
                caller: Caller::Number(to.clone()),
                end: DialogEnd::Failed,
                echo: Echo::default(),
            };
            self.dialog_ended(channel, &notice).await;
        }
        pushed
    }
}
