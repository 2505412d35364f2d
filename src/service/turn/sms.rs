//! A turn by SMS. Nobody waits for its screen, and no network cuts its dialog.
//!
//! The reply is handed back and not sent: anyone who took the SMS in writes both in one transaction. A server that dies in between
//! is called again by the gateway, finds that this SMS was stepped with, and hands back what is in the dialog.

use std::sync::Arc;
use std::time::Duration;

use super::round::TurnRequest;
use super::{TurnError, TurnRunner};
use crate::core::flow::Input;
use crate::core::flow::state::Subscriber;
use crate::core::flow::turn_context::{ReceivedSms, SmsContext, TurnContext, TurnEvent};
use crate::core::ids::PartnerId;
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::time::Timestamp;
use crate::records::SmsProof;
use crate::service::channel::Channel;
use crate::service::live::LoadedValue;
use crate::service::sms::proof::{proof_limit, reply_key};

/// How long an SMS may take before the gateway is told to bring it again.
const MAX_TIME: Duration = Duration::from_secs(8);

/// An SMS that is for the conversation.
pub struct SmsTurn<'a> {
    pub from: &'a Msisdn,
    /// The SMS gateway, as the configuration names it.
    pub route: &'a str,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: &'a str,
    /// With whom the person's SMS are kept.
    pub partner: PartnerId,
    pub sms: ReceivedSms,
    /// The language of its keyword, for somebody who has not chosen one.
    pub locale: Option<Locale>,
    /// The gateway's id of the SMS.
    pub id: &'a str,
    /// What is dialled to go on with what must not be sent by SMS.
    pub dial: &'a str,
    /// Since when the person has opted out of SMS, if so.
    pub opted_out_at: Option<Timestamp>,
}

/// The reply to an SMS.
pub struct SmsTurnReply {
    pub text: String,
    /// Whether it only says that the SMS was not for the conversation; nothing has changed.
    pub refused: bool,
}

/// What consents and dialogs call an SMS gateway; no channel can have such a name.
pub fn sms_channel_name(route: &str) -> String {
    format!("sms:{route}")
}

/// What is dialled in this country: on its first channel, else on the first of all.
pub fn service_code_for<'a>(channels: &'a [Arc<Channel>], country: &str) -> &'a str {
    let at_home = channels.iter().find(|channel| channel.country == country);
    let channel = at_home.or_else(|| channels.first());
    channel.map_or("", |channel| &channel.service_code)
}

impl TurnRunner {
    /// The language that is spoken with a person, or that they chose when they were here, if the store and the records can be
    /// asked.
    pub async fn locale(&self, from: &Msisdn) -> Option<Locale> {
        let tag = self.keyring.tag(from);
        match self.live.load(&tag).await.ok()?.value {
            LoadedValue::Subscriber(state) => Some(state.locale),
            LoadedValue::Nothing | LoadedValue::Unreadable(_) => {
                let known = self.runtime.records.language(self.facts.partner, &tag).await;
                known.ok().flatten()
            }
        }
    }

    /// Takes an SMS for a turn.
    ///
    /// # Errors
    /// When it is to come again. It may have been taken all the same, and is then known when it does.
    pub async fn sms(&self, turn: SmsTurn<'_>) -> Result<SmsTurnReply, TurnError> {
        let channel = sms_channel_name(turn.route);
        let id = turn.id;
        let key = self
            .keyring
            .digest("text dialog", &[turn.route.as_bytes(), id.as_bytes()]);
        let turn_id = self.short_digest(&format!("{} {id}", turn.route));
        let (tag, now) = (self.keyring.tag(turn.from), self.runtime.clock.now());
        let records = &self.runtime.records;
        let context = SmsContext {
            id,
            proofs_left: records.sms_proofs_left(turn.partner, &tag, proof_limit(now)).await?,
            dial: turn.dial,
            opted_out_at: turn.opted_out_at,
        };
        let request = TurnRequest {
            tag,
            msisdn: Some(turn.from),
            locale: turn.locale.unwrap_or_else(|| self.flow.get().settings.first_language()),
            event: TurnEvent::Sms(turn.sms),
            kept_with: Some((turn.partner, turn.route)),
            context: TurnContext::for_sms((key, turn_id), (&channel, turn.country), context, now),
        };
        let served = tokio::time::timeout(MAX_TIME, self.run(&request)).await;
        let served = served.unwrap_or(Err(TurnError::Timeout))?;
        Ok(SmsTurnReply {
            text: served.reply.text,
            refused: served.refused,
        })
    }

    /// Asks the records about a number that was texted to agree, before anything is done about it: the records count wrong
    /// ones, whatever the live value forgets.
    pub(super) async fn judge_proof(
        &self,
        request: &TurnRequest<'_>,
        state: &mut Subscriber,
        input: &Input,
    ) -> Result<(), TurnError> {
        let (Some(right), Some((partner, route))) = (self.flow.get().sms_proof(state, input), request.kept_with) else {
            return Ok(());
        };
        let question = state.sms_question().map(|id| reply_key(route, id));
        let proof = SmsProof {
            partner,
            tag: request.tag,
            gateway: route,
            gateway_id: request.context.sms.map_or("", |sms| sms.id),
            question: &question.unwrap_or_default(),
            right,
        };
        let now = self.runtime.clock.now();
        let outcome = self
            .runtime
            .records
            .try_sms_proof(&proof, proof_limit(now), now)
            .await?;
        if !outcome.accepted {
            tracing::info!(route, tag = ?request.tag, left = outcome.left, "wrong number by SMS");
        }
        state.judge_proof(outcome.accepted, outcome.left);
        Ok(())
    }
}
