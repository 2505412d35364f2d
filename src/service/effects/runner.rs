//! Starts the effects of a step: opens sessions, submits, ends links, saves PINs.

use std::sync::Arc;

use backon::Retryable;

use crate::core::flow::{AccountList, Effect, MoreAccounts, MoreAccountsResult, SessionEvent};
use crate::core::ids::{AttemptId, LinkId};
use crate::core::messages::Locale;
use crate::core::msisdn::Msisdn;
use crate::core::next_step::NextStep;
use crate::core::pin::Pin;
use crate::core::seal::SubscriberTag;
use crate::providers;
use crate::records::{JobType, LinkState};
use crate::service::bank_alerts::BankAlerts;
use crate::service::catalogue::Catalogue;
use crate::service::consent_end::ConsentEnd;
use crate::service::deps::{Deps, write_backoff};
use crate::service::facts_reader::FactsReader;
use crate::service::institution_health::InstitutionHealth;
use crate::service::job::JobOutcome;
use crate::service::job_runner::JobRunner;
use crate::service::linking::advance::Advance;
use crate::service::linking::linker::Linking;
use crate::service::linking::page_text::PageTexts;
use crate::service::linking::settle::Settle;
use crate::service::linking::unlink::Unlink;
use crate::service::providers::{ProviderCallError, Providers};
use crate::service::reminders::Reminders;
use crate::service::session_updater::SessionUpdater;

pub struct EffectRunner {
    pub deps: Deps,
    pub providers: Arc<Providers>,
    pub updater: SessionUpdater,
    pub facts: FactsReader,
    pub jobs: Arc<JobRunner>,
    pub linking: Arc<Linking>,
    pub page_texts: Arc<PageTexts>,
    pub bank_alerts: Arc<BankAlerts>,
    pub consent_end: Arc<ConsentEnd>,
    pub reminders: Arc<Reminders>,
    pub health: Arc<InstitutionHealth>,
    pub catalogue: Arc<Catalogue>,
}

/// What a session is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// The institution was picked: whatever the session leads to is gone on with.
    Early,
    /// Something was typed already: a session that wants none of it is let go, for the person is told that nothing was sent.
    ForSubmission,
}

/// Who is linking.
pub(super) struct Submitter {
    pub tag: SubscriberTag,
    pub msisdn: Msisdn,
}

impl EffectRunner {
    /// Starts the effects of a step that has won its swap. None is waited for.
    pub fn run(self: &Arc<Self>, tag: &SubscriberTag, msisdn: &Msisdn, effects: Vec<Effect>) {
        for effect in effects {
            let (this, tag, msisdn) = (self.clone(), *tag, msisdn.clone());
            if let Effect::OpenSession(open) = &effect {
                self.health.reserve_probe(open);
            }
            self.deps.spawn(async move {
                match effect {
                    Effect::OpenSession(open) => {
                        let result = this.open_for(&Submitter { tag, msisdn }, &open, Opening::Early).await;
                        let session = open.session;
                        let event = SessionEvent::ProviderSessionOpened { session, result };
                        this.updater.apply(&tag, &event).await;
                    }
                    Effect::MoreAccounts(more) => this.find_more_accounts(&tag, &more).await,
                    Effect::SendPageLink(attempt) => this.send_page_link(attempt).await,
                    Effect::Submit(submit) => this.submit(Submitter { tag, msisdn }, *submit).await,
                    Effect::Unlink(link) => this.unlink(&tag, link).await,
                    Effect::KeepSharing(keep) => this.consent_end.keep(&tag, &msisdn, &keep).await,
                    Effect::ResolveAttempt(attempt) => this.settle(attempt).await,
                    Effect::SavePin(pin) => this.save_pin(&tag, &pin).await,
                    Effect::SaveLanguage(locale) => this.save_language(&tag, locale).await,
                    Effect::NoteUse(seen) => this.note_use(&tag, &seen).await,
                    Effect::RequestBankAlert(request) => this.bank_alerts.subscribe(&tag, &msisdn, &request).await,
                    Effect::Remind(subject) => this.reminders.schedule(&tag, subject).await,
                }
            });
        }
    }

    /// Finds out now what became of an attempt. If that has long been known, and only the store has lost it, tells the
    /// person again.
    pub(super) async fn settle(&self, attempt: AttemptId) {
        if self.jobs.run_now::<Advance>(attempt).await || self.jobs.run_now::<Settle>(attempt).await {
            return;
        }
        if let Err(error) = self.linking.notify_again(attempt).await {
            tracing::info!(%error, "telling an attempt's result again failed");
        }
    }

    /// Asks the provider for more accounts to choose from.
    async fn find_more_accounts(&self, tag: &SubscriberTag, wanted: &MoreAccounts) {
        let result = match self.try_more_accounts(tag, wanted).await {
            Ok(NextStep::ChooseAccounts { accounts, many, more }) => {
                MoreAccountsResult::Found(AccountList { accounts, many, more })
            }
            Ok(NextStep::Failed(failure)) => MoreAccountsResult::Failed(failure),
            Ok(_) => MoreAccountsResult::Unavailable,
            Err(error) => {
                tracing::warn!(provider = wanted.open.provider, %error, "asking for more accounts failed");
                MoreAccountsResult::Unavailable
            }
        };
        let session = wanted.open.session;
        self.updater
            .apply(tag, &SessionEvent::MoreAccounts { session, result })
            .await;
    }

    async fn try_more_accounts(
        &self,
        tag: &SubscriberTag,
        wanted: &MoreAccounts,
    ) -> Result<NextStep, ProviderCallError> {
        let open = &wanted.open;
        let client = self
            .providers
            .for_person(self.partner_of(open), &open.provider, tag)
            .await?;
        let how = providers::Advance::More(&wanted.more);
        let answer = client.api.advance(client.access(), &wanted.provider_session, how).await;
        let (stepped, _) = self.providers.keep(client, answer).await?;
        if let Some(changed) = stepped.session {
            let kept = self.updater.live.update(tag, |state| {
                let session = state.session.as_mut().filter(|session| session.id == open.session)?;
                let before = session.provider_session.as_ref()?;
                session.provider_session = Some(before.known_as(changed.clone()));
                Some(())
            });
            if let Err(error) = kept.await {
                tracing::warn!(%error, "replacing a provider's session failed");
            }
        }
        Ok(stepped.step)
    }

    /// Sends the link to an attempt's page once more.
    async fn send_page_link(&self, attempt: AttemptId) {
        match self.page_texts.write_again(attempt).await {
            Ok(JobOutcome::Done) => {}
            Ok(_) => tracing::warn!("a link to a page cannot be sent"),
            Err(error) => tracing::warn!(%error, "sending the link to a page again failed"),
        }
    }

    /// Ends a link durably; the provider is told by a job.
    async fn unlink(&self, tag: &SubscriberTag, link: LinkId) {
        let now = self.deps.clock.now();
        let unlink = Unlink::job(self.providers.partner(), link, now);
        match self
            .deps
            .records
            .move_link(link, LinkState::Removing, &[unlink], now)
            .await
        {
            Ok(_) => {
                self.updater.apply(tag, &SessionEvent::Unlinked(link)).await;
                self.jobs.run_now::<Unlink>(link).await;
            }
            Err(error) => tracing::warn!(%error, "ending a link failed"),
        }
    }

    /// Notes that a person has seen these links. It is tried for as long as saving a PIN is, which may be chosen with it.
    async fn note_use(&self, tag: &SubscriberTag, seen: &[LinkId]) {
        let noted = (|| self.deps.records.note_use(tag, seen, self.deps.clock.now())).retry(write_backoff());
        if let Err(error) = noted.await {
            tracing::info!(%error, "noting that links were seen failed");
        }
    }

    /// Saves the language that a person has chosen. What cannot be written stays in the live value for its day.
    async fn save_language(&self, tag: &SubscriberTag, locale: Locale) {
        let (partner, chosen_at) = (self.providers.partner(), self.deps.clock.now());
        let saved = (|| self.deps.records.store_language(partner, tag, locale, chosen_at))
            .retry(write_backoff())
            .await;
        if let Err(error) = saved {
            tracing::warn!(%error, "saving a language failed");
        }
    }

    /// Saves a person's PIN as it is now. What cannot be written stays in the live value for its day.
    async fn save_pin(&self, tag: &SubscriberTag, pin: &Pin) {
        let partner = self.providers.partner();
        let saved = (|| self.deps.records.store_pin(partner, tag, pin, self.deps.clock.now()))
            .retry(write_backoff())
            .await;
        if let Err(error) = saved {
            return tracing::error!(%error, "saving a PIN failed");
        }
        let marked = self.updater.live.update(tag, |state| state.mark_pin_saved(pin)).await;
        if let Err(error) = marked {
            tracing::debug!(%error, "marking a PIN as saved failed, the next dial finds it");
        }
    }
}
