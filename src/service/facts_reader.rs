//! Reads what the records know of a person, in the conversation's types.

use std::sync::Arc;

use super::deps::Deps;
use super::sealing::{SealedIntent, Sealing};
use crate::core::attempt::{LiveAttempt, LiveAttemptState, Refusal};
use crate::core::dial_code::DialCode;
use crate::core::flow::session::{ChosenInstitution, ConsentGiven, EndingConsent, LinkSummary};
use crate::core::flow::terms::{DialedCode, PartnerRef, RequestTerms};
use crate::core::flow::{LinkOrigin, PendingAttempt, SubscriberFacts, UndoneLink};
use crate::core::ids::{AttemptId, PartnerId, SeriesId};
use crate::core::menu::Outcome;
use crate::core::messages::Locale;
use crate::core::purpose::Purpose;
use crate::core::seal::{SealError, SubscriberTag};
use crate::core::time::Timestamp;
use crate::records::{
    Attempt, AttemptState, AuditEntry, Consent, Link, LinkState, PendingRequests, Records, RecordsError,
};

/// How many consents that end are told in one dial: more screens than that nobody reads.
const MAX_ENDING: usize = 5;

/// What to look for besides the person.
#[derive(Clone, Copy, Debug, Default)]
pub struct FactsQuery {
    /// The attempt that the live value holds.
    pub attempt: Option<AttemptId>,
    /// The series of the session that it holds, and how many submissions of it were begun as far as it knows.
    pub series: Option<(SeriesId, u32)>,
    /// The code of an intent that they dialled.
    pub code: Option<DialCode>,
}

#[derive(Clone)]
pub struct FactsReader {
    pub records: Arc<dyn Records>,
    /// The operator itself as a partner, with which people's own codes are kept.
    pub partner: PartnerId,
    /// Whether people may have a code of their own.
    pub pins: bool,
    pub sealing: Sealing,
    pub runtime: Deps,
}

impl FactsReader {
    /// What is known of a person now.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn load(&self, tag: &SubscriberTag, query: &FactsQuery) -> Result<SubscriberFacts, RecordsError> {
        let now = self.runtime.clock.now();
        let code = query.code.map(|code| self.sealing.code_digest(code));
        let dialed = self.records.dialed((self.partner, tag), code.as_ref(), now, self.pins);
        let (mut requests, facts) = dialed.await?;
        self.open_suggested(&mut requests);
        let partners = &requests.partners;
        let mut unresolved = Vec::new();
        for attempt in facts.unresolved {
            unresolved.extend(self.pending_attempt(attempt, partners).await?);
        }
        let lost = facts.newest_submission.filter(|newest| is_lost(newest, query.series));
        let lost = self.read_once(lost, &unresolved, partners).await?;
        let pending = self.read_once(facts.pending_attempt, &unresolved, partners).await?;
        let untold_link = match facts.untold_link {
            Some(attempt) => match self.records.link_of_attempt(attempt.id).await? {
                Some(link) if link.in_use_at(now) => self.link_origin(&link, partners).await?,
                _ => None,
            },
            None => None,
        };
        let undone = match facts.undone_link {
            Some(attempt) => self.undone(attempt, partners).await?,
            None => None,
        };
        let newest_link = match facts.links.first() {
            Some(link) => self.link_origin(link, partners).await?,
            None => None,
        };
        let maybe_sent = self.maybe_sent(query.attempt).await?;
        let ending = self.ending(&facts.links, partners, now).await?;
        let named = facts.links.iter().map(|link| named_link_summary(link, partners));
        Ok(SubscriberFacts {
            ending,
            pin: facts.pin,
            texts_stopped: facts.texts_stopped,
            language: facts.language,
            lost,
            unresolved,
            untold_link,
            undone,
            newest_link,
            maybe_sent,
            links: named.collect(),
            last_institution: facts.last_institution,
            refusals: facts
                .failed_logins
                .into_iter()
                .map(|(institution, at)| Refusal { institution, at })
                .collect(),
            pending,
            dialed_code: query.code.map(|_| match requests.by_code {
                Some(terms) => DialedCode::Request(Box::new(terms)),
                None => DialedCode::Unknown,
            }),
            requests: Some(requests.requests),
        })
    }

    /// Puts what is offered to the terms that offer it. What does not open is not offered.
    fn open_suggested(&self, requests: &mut PendingRequests) {
        for (intent, sealed) in std::mem::take(&mut requests.suggested) {
            let mut all = requests.requests.iter_mut().chain(&mut requests.by_code);
            let Some(terms) = all.find(|terms| terms.intent == Some(intent)) else {
                continue;
            };
            let place = SealedIntent {
                partner: terms.partner,
                id: intent,
            };
            match self.sealing.open_suggested(place, &sealed) {
                Ok(suggested) => terms.suggested = suggested,
                Err(error) => tracing::error!(%error, "what an intent offers does not open"),
            }
        }
    }

    /// This attempt, if it may have left.
    async fn maybe_sent(&self, id: Option<AttemptId>) -> Result<Option<AttemptId>, RecordsError> {
        let Some(id) = id else { return Ok(None) };
        let found = self.records.attempt(id).await?;
        Ok(found.and_then(|(attempt, _)| (attempt.state != AttemptState::Open).then_some(attempt.id)))
    }

    /// The links of which the consent ends soon, the first first.
    async fn ending(
        &self,
        links: &[Link],
        partners: &[PartnerRef],
        now: Timestamp,
    ) -> Result<Vec<EndingConsent>, RecordsError> {
        let mut soon: Vec<_> = links.iter().filter(|link| now >= link.notice_from).collect();
        soon.sort_by_key(|link| link.until);
        let mut ending = Vec::new();
        for link in soon.into_iter().take(MAX_ENDING) {
            let consent = self.records.consent(link.consent).await?;
            let partner = partners.iter().find(|known| known.id == link.partner);
            let Some((consent, partner)) = consent.zip(partner.cloned()) else {
                continue;
            };
            let purpose = Purpose::of_consent(&consent.purpose, consent.purposes.as_ref());
            ending.push(EndingConsent {
                link: link.id,
                consent: consent.id,
                terms: RequestTerms {
                    scope: consent.scope,
                    renews: Some(link.id),
                    ..RequestTerms::open_offer(partner, purpose, consent.days)
                },
                needs_login: link.access_until.is_some(),
            });
        }
        Ok(ending)
    }

    async fn link_origin(&self, link: &Link, partners: &[PartnerRef]) -> Result<Option<LinkOrigin>, RecordsError> {
        let made = self.records.attempt(link.attempt).await?;
        Ok(made.map(|(attempt, _)| LinkOrigin {
            session: attempt.session,
            attempt: attempt.id,
            begun_at: attempt.created_at,
            linked_at: link.created_at,
            terms: terms_of(link.partner, partners),
            link: named_link_summary(link, partners),
        }))
    }

    /// Why what an attempt had linked is linked no more.
    async fn undone(&self, attempt: Attempt, partners: &[PartnerRef]) -> Result<Option<UndoneLink>, RecordsError> {
        let stage = match attempt.state {
            AttemptState::OtherAccount => Outcome::OtherAccount,
            _ => Outcome::Unconfirmed,
        };
        let made = self.pending_attempt(attempt, partners).await?;
        Ok(made.map(|made| UndoneLink { made, stage }))
    }

    /// Where an attempt stands in the records, for a conversation that has lost it.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn standing(&self, attempt: Attempt) -> Result<Option<PendingAttempt>, RecordsError> {
        let partners = self.records.partners_of(&attempt.tag).await?;
        self.pending_attempt(attempt, &partners).await
    }

    /// Where an attempt stands, unless that was read before.
    async fn read_once(
        &self,
        attempt: Option<Attempt>,
        known: &[PendingAttempt],
        partners: &[PartnerRef],
    ) -> Result<Option<PendingAttempt>, RecordsError> {
        let Some(attempt) = attempt else { return Ok(None) };
        match known.iter().find(|known| known.attempt.id == attempt.id) {
            Some(known) => Ok(Some(known.clone())),
            None => self.pending_attempt(attempt, partners).await,
        }
    }

    async fn pending_attempt(
        &self,
        attempt: Attempt,
        partners: &[PartnerRef],
    ) -> Result<Option<PendingAttempt>, RecordsError> {
        let Some(consent) = self.records.consent(attempt.consent).await? else {
            return Ok(None);
        };
        // A reauthorisation on the consent that its link has is not a new one.
        let agreed = match attempt.renews {
            Some(link) => self
                .records
                .link(link)
                .await?
                .is_some_and(|link| link.consent != consent.id),
            None => true,
        };
        let state = match attempt.state {
            AttemptState::Granted => LiveAttemptState::Granted,
            AttemptState::Waiting => LiveAttemptState::Waiting,
            _ => LiveAttemptState::Unknown,
        };
        Ok(Some(PendingAttempt {
            attempt: LiveAttempt {
                id: attempt.id,
                step: attempt.step,
                state,
                owner: self.runtime.node,
                begun_at: attempt.created_at,
                lease_until: attempt.waits_until.unwrap_or(attempt.created_at),
            },
            session: attempt.session,
            series: attempt.series,
            submissions: u32::try_from(attempt.ordinal).unwrap_or_default(),
            consent: agreed.then(|| consent_given(consent)),
            terms: terms_of(attempt.partner, partners),
            renews: attempt.renews,
            institution: ChosenInstitution::named(
                &attempt.provider,
                (&attempt.institution, &attempt.provider_institution),
                &attempt.institution_name,
            ),
        }))
    }

    /// Records that a live value did not open: somebody altered or moved it, or a key is missing.
    pub async fn record_unreadable(&self, tag: &SubscriberTag, error: SealError) {
        tracing::error!(?tag, %error, "live value does not open, replacing it");
        let event =
            AuditEntry::new(self.partner, "seal.broken", error.to_string(), self.runtime.clock.now()).about(*tag);
        if let Err(error) = self.records.audit(&event).await {
            tracing::error!(%error, "security event could not be recorded");
        }
    }
}

/// Whether the live value has lost a person's newest submission: it knows of fewer in the same series; or it knows no series,
/// and nobody was told what became of that one.
fn is_lost(newest: &Attempt, known: Option<(SeriesId, u32)>) -> bool {
    if let Some((series, submissions)) = known {
        return newest.series == series && newest.ordinal > i64::from(submissions);
    }
    let came_to_nothing = [
        AttemptState::Refused,
        AttemptState::Lapsed,
        AttemptState::Undone,
        AttemptState::OtherAccount,
    ];
    newest.told.is_none() && came_to_nothing.contains(&newest.state)
}

/// A link as the menu shows it.
pub fn link_summary(link: &Link, again: bool) -> LinkSummary {
    LinkSummary {
        id: link.id,
        partner: None,
        institution_name: link.institution_name.clone(),
        institution_id: link.institution.clone(),
        provider_institution: link.provider_institution.clone(),
        provider: link.provider.clone(),
        masked: link.accounts.iter().find_map(|account| account.masked.clone()),
        duplicate: again,
        until: link.until,
        needs_login: link.state == LinkState::ReauthRequired,
        used_at: link.used_at,
    }
}

/// The same, with the name of its partner.
fn named_link_summary(link: &Link, partners: &[PartnerRef]) -> LinkSummary {
    LinkSummary {
        partner: partners.iter().find(|known| known.id == link.partner).cloned(),
        ..link_summary(link, false)
    }
}

fn terms_of(partner: PartnerId, partners: &[PartnerRef]) -> Option<RequestTerms> {
    let business = partners.iter().find(|known| known.id == partner)?;
    Some(RequestTerms::already_agreed(business.clone()))
}

fn consent_given(consent: Consent) -> ConsentGiven {
    ConsentGiven {
        id: consent.id,
        intent: consent.intent,
        text: consent.text,
        version: consent.version,
        locale: Locale::from_tag(&consent.locale).unwrap_or_default(),
        channel: consent.channel,
        at: consent.agreed_at,
        purpose: consent.purpose,
        purposes: consent.purposes,
        days: consent.days,
        scope: consent.scope,
    }
}
