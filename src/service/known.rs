//! What the records know of a person, in the conversation's words.

use std::sync::Arc;

use super::runtime::Runtime;
use super::sealing::Sealing;
use crate::core::attempt::{Attempt as LiveAttempt, Refusal, State};
use crate::core::dial_code::DialCode;
use crate::core::flow::asking::{Coded, Terms};
use crate::core::flow::state::{Bank, Business, ConsentGiven, LinkBrief};
use crate::core::flow::{Known, MadeBy, Unsettled};
use crate::core::ids::{AttemptId, PartnerId};
use crate::core::messages::Locale;
use crate::core::seal::{SealError, Tag};
use crate::records::{Attempt, AttemptState, AuditEvent, Consent, Link, Records, RecordsError};

/// What is to be known of a person.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// The attempt that the live value holds.
    pub live: Option<AttemptId>,
    /// A request's code that they dialled.
    pub code: Option<DialCode>,
}

/// Reads facts of subscribers.
#[derive(Clone)]
pub struct Facts {
    /// Where they are kept.
    pub records: Arc<dyn Records>,
    /// The operator's own business, with which people's own codes are kept.
    pub partner: PartnerId,
    /// Whether people may have a code of their own.
    pub pins: bool,
    /// Opens what is sealed.
    pub sealing: Sealing,
    /// Clock and node.
    pub runtime: Runtime,
}

impl Facts {
    /// What is known of a person now.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn of(&self, tag: &Tag, asked: &Wanted) -> Result<Known, RecordsError> {
        let now = self.runtime.clock.now();
        let code = asked.code.map(|code| self.sealing.code_digest(code));
        let asking = self.records.asking(tag, code.as_ref(), now).await?;
        let facts = self.records.facts(self.partner, tag, now, self.pins).await?;
        let unsettled = match facts.unsettled {
            Some(attempt) => self.unsettled(attempt, &asking.businesses).await?,
            None => None,
        };
        let linked = match facts.links.first() {
            Some(link) => self.made_by(link, &asking.businesses).await?,
            None => None,
        };
        let begun = match asked.live {
            Some(id) => {
                let begun = self.records.attempt(id).await?.map(|(attempt, _)| attempt);
                begun
                    .filter(|attempt| attempt.state != AttemptState::Open)
                    .map(|attempt| attempt.id)
            }
            None => None,
        };
        Ok(Known {
            pin: facts.pin,
            linked,
            begun,
            links: facts.links.iter().map(|link| named(link, &asking.businesses)).collect(),
            last_institution: facts.last_institution.map(|(institution, _)| institution),
            refusals: facts
                .refusals
                .into_iter()
                .map(|(institution, at)| Refusal { institution, at })
                .collect(),
            unsettled,
            coded: asked.code.map(|_| match asking.coded {
                Some(terms) => Coded::Request(Box::new(terms)),
                None => Coded::Nothing,
            }),
            asks: Some(asking.asks),
        })
    }

    async fn made_by(&self, link: &Link, businesses: &[Business]) -> Result<Option<MadeBy>, RecordsError> {
        let made = self.records.attempt(link.attempt).await?;
        Ok(made.map(|(attempt, _)| MadeBy {
            session: attempt.session,
            attempt: attempt.id,
            begun_at: attempt.created_at,
            linked_at: link.created_at,
            terms: terms_of(link.partner, businesses),
            link: named(link, businesses),
        }))
    }

    async fn unsettled(&self, attempt: Attempt, businesses: &[Business]) -> Result<Option<Unsettled>, RecordsError> {
        let Some(consent) = self.records.consent(attempt.consent).await? else {
            return Ok(None);
        };
        let state = if attempt.state == AttemptState::Granted {
            State::Granted
        } else {
            State::Unknown
        };
        Ok(Some(Unsettled {
            attempt: LiveAttempt {
                id: attempt.id,
                step: attempt.step,
                state,
                owner: self.runtime.node,
                begun_at: attempt.created_at,
                lease_until: attempt.created_at,
            },
            session: attempt.session,
            consent: given(consent),
            terms: terms_of(attempt.partner, businesses),
            renews: attempt.renews,
            bank: Bank {
                id: attempt.institution,
                provider: attempt.provider,
                provider_id: String::new(),
                name: attempt.institution_name,
                methods: Vec::new(),
                method: None,
                warn: false,
                deny: false,
                text: false,
                timeout: None,
            },
        }))
    }

    /// Keeps that a live value did not open in its place: somebody altered or moved it, or a key is missing.
    pub async fn broken(&self, tag: &Tag, error: SealError) {
        tracing::error!(?tag, %error, "a live value does not open; it is replaced");
        let event = AuditEvent {
            partner: self.partner,
            tag: Some(*tag),
            kind: "seal.broken",
            detail: error.to_string(),
            at: self.runtime.clock.now(),
        };
        if let Err(error) = self.records.audit(&event).await {
            tracing::error!(%error, "a security event could not be kept");
        }
    }
}

/// A link as the menu shows it.
pub fn brief(link: &Link, again: bool) -> LinkBrief {
    LinkBrief {
        id: link.id,
        partner: None,
        bank: link.institution_name.clone(),
        institution: link.institution.clone(),
        provider: link.provider.clone(),
        masked: link.accounts.iter().find_map(|account| account.masked.clone()),
        again,
    }
}

/// The same, with the name of its business.
fn named(link: &Link, businesses: &[Business]) -> LinkBrief {
    LinkBrief {
        partner: businesses.iter().find(|known| known.id == link.partner).cloned(),
        ..brief(link, false)
    }
}

fn terms_of(partner: PartnerId, businesses: &[Business]) -> Option<Terms> {
    let business = businesses.iter().find(|known| known.id == partner)?;
    Some(Terms::begun(business.clone()))
}

fn given(consent: Consent) -> ConsentGiven {
    ConsentGiven {
        id: consent.id,
        intent: consent.intent,
        text: consent.text,
        version: consent.version,
        locale: Locale::from_tag(&consent.locale).unwrap_or_default(),
        channel: consent.channel,
        at: consent.agreed_at,
    }
}
