//! What follows from a provider's event: moves of links, and jobs.
//!
//! An event is heard only by what belongs to the owner of the keys that signed it: a partner's key touches nobody else's
//! link, whatever it names.

use std::sync::Arc;
use std::time::Duration;

use crate::core::ids::{LinkId, PartnerId};
use crate::core::time::Timestamp;
use crate::providers::{Access, AccountsQuery, EventSubject, ProviderError, ProviderEvent, ProviderEventKind};
use crate::records::{Attempt, AttemptState, Job, JobType, Link, LinkState, RecordsError};
use crate::service::deps::Deps;
use crate::service::linking::advance::AdvanceNow;
use crate::service::linking::confirm_unlinked::ConfirmUnlinked;
use crate::service::linking::read_accounts::ReadAccounts;
use crate::service::linking::settle::Settle;
use crate::service::providers::{ProviderCallError, Providers};

/// How long after an attempt was given up it may still turn out to have linked something.
const REOPEN_WITHIN: Duration = Duration::from_hours(7 * 24);

/// How many attempts that were given up a webhook is compared with, the newest first. There are few: an answer must have
/// been lost, and the account must not have shown within a quarter of an hour.
const MAX_REOPENED: u32 = 200;

/// Who sent an event: a provider, to the owner of some keys there.
#[derive(Clone, Copy)]
pub(super) struct EventSource {
    pub owner: PartnerId,
    pub provider: &'static str,
}

/// What follows from one event.
pub(super) struct EventEffect {
    /// A keyed digest of what it is about.
    pub subject: [u8; 32],
    /// Whether the owner has anything that it is about.
    pub concerns: bool,
    pub moves: Vec<(LinkId, LinkState)>,
    /// Links that were logged in to again, and whether what became of an attempt is to be asked for first.
    pub renewed: Vec<(LinkId, bool)>,
    pub jobs: Vec<Job>,
}

pub(super) struct EventEffects {
    pub deps: Deps,
    pub providers: Arc<Providers>,
}

impl EventEffects {
    /// # Errors
    /// When the records or the provider are not available.
    pub(super) async fn of(
        &self,
        source: EventSource,
        event: &ProviderEvent,
        now: Timestamp,
    ) -> Result<EventEffect, ProviderCallError> {
        let (sealing, provider) = (&self.deps.sealing, source.provider);
        let subject = match &event.about {
            EventSubject::Account(id) => sealing.account_digest(provider, id),
            EventSubject::Session(id) => sealing.session_digest(provider, id.expose()),
            EventSubject::Link(id) => sealing.link_handle_digest(provider, id),
            EventSubject::Person(id) => sealing.person_handle_digest(provider, id),
        };
        if let EventSubject::Session(_) = &event.about {
            return Ok(self.of_session(source, event, subject, now).await?);
        }
        let links = self.links(source, &event.about, &subject).await?;
        let mut effect = EventEffect {
            subject,
            concerns: !links.is_empty(),
            moves: Vec::new(),
            renewed: Vec::new(),
            jobs: Vec::new(),
        };
        for link in &links {
            follow(link, event, now, &mut effect);
            if event.kind == ProviderEventKind::Reauthorised {
                self.renewed(link, event, now, &mut effect).await?;
            }
        }
        if links.is_empty() || matches!(event.about, EventSubject::Person(_)) {
            effect.jobs.extend(self.reopened(source, event, &subject, now).await?);
        }
        Ok(effect)
    }

    /// A link was logged in to again: it is in use, and jobs tell everybody whose login for it is still to be answered.
    async fn renewed(
        &self,
        link: &Link,
        event: &ProviderEvent,
        now: Timestamp,
        effect: &mut EventEffect,
    ) -> Result<(), RecordsError> {
        let api = self.providers.provider(&link.provider);
        let ask_first = api.is_some_and(|api| api.facts().keeps_link_access);
        effect.renewed.push((link.id, ask_first));
        let renewals = self.deps.records.renewals(link.id, now.minus(REOPEN_WITHIN)).await?;
        let jobs = renewals.iter().filter_map(|attempt| goes_on(attempt, now));
        effect.jobs.extend(jobs.map(|job| job.on_occasion(&event.dedupe_key)));
        Ok(())
    }

    /// The owner's links that an event is about.
    async fn links(
        &self,
        source: EventSource,
        about: &EventSubject,
        subject: &[u8; 32],
    ) -> Result<Vec<Link>, RecordsError> {
        let (records, owner) = (&self.deps.records, source.owner);
        Ok(match about {
            EventSubject::Account(_) => Vec::from_iter(records.link_by_account_of(owner, subject).await?),
            EventSubject::Link(_) => Vec::from_iter(records.link_by_handle(owner, subject).await?),
            EventSubject::Person(_) => match records.provider_person_by_handle(owner, subject).await? {
                Some(person) => records.links_at_provider(owner, source.provider, &person.tag).await?,
                None => Vec::new(),
            },
            EventSubject::Session(_) => Vec::new(),
        })
    }

    /// The attempt made in a session goes on, if anybody still waits for it.
    async fn of_session(
        &self,
        source: EventSource,
        event: &ProviderEvent,
        subject: [u8; 32],
        now: Timestamp,
    ) -> Result<EventEffect, RecordsError> {
        let attempt = self.deps.records.attempt_by_session(source.owner, &subject).await?;
        let job = attempt.as_ref().and_then(|attempt| goes_on(attempt, now));
        Ok(EventEffect {
            subject,
            concerns: attempt.is_some(),
            moves: Vec::new(),
            renewed: Vec::new(),
            jobs: job.into_iter().map(|job| job.on_occasion(&event.dedupe_key)).collect(),
        })
    }

    /// What nobody knows yet is found by the job that settles its attempt, unless that has ended: the jobs that settle once
    /// more the attempts that were given up and may have come to it after all.
    async fn reopened(
        &self,
        source: EventSource,
        event: &ProviderEvent,
        subject: &[u8; 32],
        now: Timestamp,
    ) -> Result<Vec<Job>, ProviderCallError> {
        if !matches!(event.kind, ProviderEventKind::Connected | ProviderEventKind::Updated) {
            return Ok(Vec::new());
        }
        let (owner, provider, since) = (source.owner, source.provider, now.minus(REOPEN_WITHIN));
        let mut lapsed = self.deps.records.lapsed(owner, provider, since, MAX_REOPENED).await?;
        if lapsed.is_empty() {
            return Ok(Vec::new());
        }
        let api = self.providers.provider(provider);
        if api.is_some_and(|api| api.facts().keeps_people) {
            // It shows nothing to the keys alone: every person is asked after, or the one whom it names.
            if let EventSubject::Person(_) = event.about {
                let person = self.deps.records.provider_person_by_handle(owner, subject).await?;
                lapsed.retain(|attempt| person.as_ref().is_some_and(|person| person.tag == attempt.tag));
            }
        } else {
            let sessions = self.sessions_of(source, event).await?;
            lapsed.retain(|attempt| self.opened_in(attempt, &sessions));
        }
        let settling = lapsed.iter();
        let settling = settling.map(|attempt| Settle::job(owner, attempt.id, now).on_occasion(&event.dedupe_key));
        Ok(settling.collect())
    }

    /// The sessions in which the account was linked that an event is about.
    async fn sessions_of(&self, source: EventSource, event: &ProviderEvent) -> Result<Vec<String>, ProviderCallError> {
        let EventSubject::Account(account) = &event.about else {
            return Ok(Vec::new());
        };
        let (api, keys) = self.providers.with_keys(source.owner, source.provider).await?;
        let accounts = match api.accounts(Access::keys(&keys), AccountsQuery::One(account)).await {
            Err(ProviderError::NotFound | ProviderError::Refused(_)) => return Ok(Vec::new()),
            accounts => accounts?.value,
        };
        Ok(accounts.into_iter().filter_map(|account| account.session_id).collect())
    }

    /// Whether an attempt was made in one of these sessions of its provider.
    fn opened_in(&self, attempt: &Attempt, sessions: &[String]) -> bool {
        self.deps
            .sealing
            .open_session(&attempt.tag, attempt.id, &attempt.provider_session)
            .is_ok_and(|session| sessions.contains(&session.id))
    }
}

/// Adds what follows for a link.
fn follow(link: &Link, event: &ProviderEvent, now: Timestamp, effect: &mut EventEffect) {
    let key = &event.dedupe_key;
    match event.kind {
        ProviderEventKind::Connected | ProviderEventKind::Updated => {
            let read = ReadAccounts::job(link.partner, link.id, now).on_occasion(key);
            effect.jobs.push(read);
        }
        ProviderEventKind::ReauthRequired => effect.moves.push((link.id, LinkState::ReauthRequired)),
        // See `EventEffects::renewed`.
        ProviderEventKind::Reauthorised => {}
        // Believed only after a look, for there is no way back from it.
        ProviderEventKind::Unlinked => {
            let look = ConfirmUnlinked::job(link.partner, link.id, now).on_occasion(key);
            effect.jobs.push(look);
        }
    }
}

/// What finds out how an attempt stands, if it does not stand for good.
fn goes_on(attempt: &Attempt, now: Timestamp) -> Option<Job> {
    let (partner, id) = (attempt.partner, attempt.id);
    match attempt.state {
        AttemptState::Waiting => Some(AdvanceNow::job(partner, id, now)),
        AttemptState::Unknown | AttemptState::Granted | AttemptState::Lapsed => Some(Settle::job(partner, id, now)),
        // Of the first two its owner is about to hear it first hand.
        AttemptState::Open
        | AttemptState::Sending
        | AttemptState::Accepted
        | AttemptState::Refused
        | AttemptState::WrongCode
        | AttemptState::NotSent
        | AttemptState::NotTaken
        | AttemptState::Linked
        | AttemptState::Undone
        | AttemptState::OtherAccount => None,
    }
}
