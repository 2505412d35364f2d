//! Writes SMS: by which route each goes, and what of it is sealed until it has left.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::outbox::{OutgoingMessage, SendSms, SmsOutbox, SmsOutboxError};
use super::routes::SmsRoute;
use crate::core::gsm7;
use crate::core::ids::{MessageId, PartnerId};
use crate::core::msisdn::Msisdn;
use crate::core::seal::{SealContext, SubscriberTag};
use crate::core::secret::Secret;
use crate::core::sms::{self, MessageState, WithheldReason};
use crate::gateways::sms::OutgoingSms;
use crate::records::{Job, JobType as _, SmsMessage};

/// What is sealed in an SMS's row.
#[derive(Serialize, Deserialize)]
struct Envelope {
    to: Msisdn,
    from: Option<String>,
    text: Zeroizing<String>,
}

impl SmsOutbox {
    /// An SMS and the job that sends it, neither of them written yet. To send it with a fact: add the SMS without the job
    /// ([`crate::records::MessageRecords::add_message`]), then give the job to the fact's own transaction.
    ///
    /// Where no route is for the number it is withheld from the beginning, and its job only says so: its fact is settled,
    /// and what became of it is known.
    ///
    /// # Errors
    /// When there is no gateway at all, or it is too long.
    pub fn draft(&self, message: OutgoingMessage<'_>) -> Result<(SmsMessage, Job), SmsOutboxError> {
        self.draft_for(self.partner, message)
    }

    /// The same, on behalf of this partner.
    ///
    /// # Errors
    /// As [`Self::draft`].
    pub fn draft_for(
        &self,
        partner: PartnerId,
        message: OutgoingMessage<'_>,
    ) -> Result<(SmsMessage, Job), SmsOutboxError> {
        if self.routes.is_empty() {
            return Err(SmsOutboxError::NoGateway);
        }
        let domestic = || self.routes.for_number(message.to).map(|route| (&**route, None));
        let route = message.route.clone().or_else(domestic);
        let rng = self.deps.rng.as_ref();
        let (id, tag) = (MessageId::generate(rng), self.deps.sealing.keyring.tag(message.to));
        let (state, gateway, sealed) = match route {
            Some((route, from)) => {
                let envelope = envelope(&message, route, from)?;
                let sealed = self.seal(&envelope, &seal_context(&tag, &id))?;
                (MessageState::Queued, route.name.clone(), Some(sealed))
            }
            None => (MessageState::Withheld(WithheldReason::NoRoute), String::new(), None),
        };
        let now = self.deps.clock.now();
        let row = SmsMessage {
            id,
            partner,
            tag,
            kind: message.kind,
            key: message.key,
            gateway,
            state,
            sealed,
            gateway_id: None,
            tries: 0,
            created_at: now,
            updated_at: now,
            expires_at: now.plus(message.valid_for),
        };
        Ok((row, SendSms::job(partner, id, now)))
    }

    fn seal(&self, envelope: &Envelope, context: &SealContext<'_>) -> Result<Vec<u8>, SmsOutboxError> {
        let plain = Zeroizing::new(serde_json::to_vec(envelope).map_err(|_| SmsOutboxError::Sealed)?);
        let sealed = self.deps.sealing.keyring.seal(context, &plain, self.deps.rng.as_ref());
        sealed.map_err(|_| SmsOutboxError::Sealed)
    }

    /// Writes an SMS to be sent, unless its fact was told before; says whether it was written.
    ///
    /// # Errors
    /// As [`Self::draft`], and when the records are not available.
    pub async fn enqueue(&self, message: OutgoingMessage<'_>) -> Result<bool, SmsOutboxError> {
        self.enqueue_for(self.partner, message).await
    }

    /// The same, on behalf of this partner.
    ///
    /// # Errors
    /// As [`Self::enqueue`].
    pub async fn enqueue_for(&self, partner: PartnerId, message: OutgoingMessage<'_>) -> Result<bool, SmsOutboxError> {
        let (row, job) = self.draft_for(partner, message)?;
        Ok(self.deps.records.add_message(&row, &[job]).await?)
    }

    pub(super) fn open(&self, message: &SmsMessage) -> Option<OutgoingSms> {
        let context = seal_context(&message.tag, &message.id);
        let plain = self
            .deps
            .sealing
            .keyring
            .open(&context, message.sealed.as_deref()?)
            .ok()?;
        let envelope: Envelope = serde_json::from_slice(&plain).ok()?;
        Some(OutgoingSms {
            to: envelope.to,
            from: envelope.from,
            text: Secret::new(envelope.text.as_str()),
            reference: message.id.to_string(),
        })
    }
}

fn envelope(message: &OutgoingMessage<'_>, route: &SmsRoute, from: Option<String>) -> Result<Envelope, SmsOutboxError> {
    let text = gsm7::fold_lines(message.text);
    if sms::measure(&text).parts > route.gateway.capabilities().max_parts {
        return Err(SmsOutboxError::TooLong);
    }
    Ok(Envelope {
        to: message.to.clone(),
        from: from.or_else(|| route.sender.clone()),
        text: Zeroizing::new(text),
    })
}

fn seal_context<'a>(tag: &'a SubscriberTag, id: &'a MessageId) -> SealContext<'a> {
    SealContext {
        purpose: "message",
        subject: tag.as_bytes(),
        record: id.as_bytes(),
        field: "text",
    }
}
