//! Texts people who asked for it when an institution is back: each once, or never.
//!
//! What shows that it is back depends on what was seen when they asked. Where no session could be opened, or it asked to be
//! left alone, opening one is proof: it holds no secret and reaches no bank, and one node has one on its way at a time, as
//! the rules of `core/health.rs` want it; none is opened while a person tries. Where logins met nothing, sessions prove
//! nothing, and nobody's password is ours to try: then it is a login, of whoever, that the records say was taken since. That
//! is seen on every node, for health is one node's memory and records are not.
//!
//! One job looks for all who wait at an institution. A wish is marked and its text written in one transaction, so that two
//! nodes, or a node that dies and the next one, write one text. A person who has got further meanwhile knows, and gets none.
//! After a day a wish is over, and nothing is said.

use std::sync::Arc;
use std::time::Duration;

use super::catalogue::Catalogue;
use super::handover::service_code_of;
use super::institution_health::InstitutionHealth;
use super::jobs::JobOutcome;
use super::linking::JobError;
use super::live::LoadedValue;
use super::providers::{ProviderCallError, Providers};
use super::sealing::{AlertRecipient, Sealing};
use super::session_updater::SessionUpdater;
use super::sms::{OutgoingMessage, SmsOutbox, SmsOutboxError};
use crate::core::flow::{BankAlertAnswer, BankAlertRequest, OpenSession, SessionEvent};
use crate::core::health::Health;
use crate::core::ids::{BankAlertId, ConnectSessionId, JobId, MessageId, WatchId};
use crate::core::msisdn::Msisdn;
use crate::core::seal::SubscriberTag;
use crate::core::sms::{MessageState, WithheldReason};
use crate::core::time::Timestamp;
use crate::providers::{SessionRequest, SessionResponse};
use crate::records::{BankAlert, InstitutionSince, Job, JobKind, Records, SmsKind};

/// How long a wish holds: the screen says so.
const ALERT_VALID_FOR: Duration = Duration::from_hours(24);

/// For how long it is news that an institution is back.
const SMS_VALID_FOR: Duration = Duration::from_hours(1);

/// A job takes on further people for so long. With the pace below it ends, for all of them, within the tries that a job has.
const WATCH_JOINABLE_FOR: Duration = Duration::from_hours(12);

/// When somebody has waited for so long, it is looked at less often: every so many minutes.
const SLOW_AFTER: Duration = Duration::from_hours(1);
const SLOW_INTERVAL: Duration = Duration::from_mins(10);

/// What begins the key of these texts; the wish's id follows.
const MESSAGE_KEY: &str = "bank_back:";

/// Takes wishes, looks, and writes the texts.
pub struct BankAlerts {
    /// Wishes, jobs, logins.
    pub records: Arc<dyn Records>,
    /// Opens sessions.
    pub providers: Arc<Providers>,
    /// Knows how to open one.
    pub catalogue: Arc<Catalogue>,
    /// Says whether one may be opened, and is told what came of it.
    pub health: Arc<InstitutionHealth>,
    /// The words, live values.
    pub newsroom: SessionUpdater,
    /// Seals who is to be told.
    pub sealing: Sealing,
    /// Takes texts.
    pub outbox: Arc<SmsOutbox>,
    /// Each channel's name and the code that people dial, in the order of the configuration.
    pub service_codes: Vec<(String, String)>,
}

impl BankAlerts {
    /// Writes down that a person wants a text, and tells them what can be promised.
    pub async fn subscribe(&self, tag: &SubscriberTag, msisdn: &Msisdn, asked: &BankAlertRequest) {
        let promise = self.try_subscribe(tag, msisdn, asked).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "that a text is wanted could not be written down");
            BankAlertAnswer::Failed
        });
        let session = asked.open.session;
        self.newsroom
            .apply(
                tag,
                &SessionEvent::BankAlertAnswered {
                    session,
                    answer: promise,
                },
            )
            .await;
    }

    async fn try_subscribe(
        &self,
        tag: &SubscriberTag,
        msisdn: &Msisdn,
        asked: &BankAlertRequest,
    ) -> Result<BankAlertAnswer, JobError> {
        let partner = self.outbox.partner();
        if self
            .records
            .sms_preference(partner, tag)
            .await?
            .is_some_and(|wish| wish.stopped)
        {
            return Ok(BankAlertAnswer::OptedOut);
        }
        let entropy = self.newsroom.runtime.rng.as_ref();
        let (id, watch, now) = (BankAlertId::generate(entropy), WatchId::generate(entropy), self.now());
        let outage = self.health.outage(&asked.open);
        let caller = AlertRecipient {
            to: msisdn.clone(),
            locale: asked.locale,
            channel: asked.channel.clone(),
        };
        let wish = BankAlert {
            id,
            partner,
            tag: *tag,
            provider: asked.open.provider.clone(),
            institution: asked.open.institution.id.clone(),
            sealed: self
                .sealing
                .seal_recipient(tag, id, &caller)
                .map_err(|_| JobError::Sealed)?,
            needs_login: outage.needs_login,
            asked_at: now,
            until: now.plus(ALERT_VALID_FOR),
        };
        let job = Job {
            id: JobId::generate(entropy),
            partner,
            kind: JobKind::BankBack(watch),
            due_at: outage.until.unwrap_or(now),
            tries: 0,
            key: format!("bank_back:{watch}"),
        };
        let fresh = now.minus(WATCH_JOINABLE_FOR);
        self.records.put_bank_alert(&wish, watch, &job, fresh).await?;
        Ok(BankAlertAnswer::Accepted)
    }

    /// Looks whether an institution is back, and writes the texts if it is.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn check(&self, watch: WatchId) -> Result<JobOutcome, JobError> {
        let wishes = self.open_alerts(watch).await?;
        let Some(oldest) = wishes.first() else {
            return Ok(JobOutcome::Done);
        };
        let away = self.health.snapshot().get(&oldest.provider, &oldest.institution);
        if let Health::Down(shut) | Health::Busy(shut) = away {
            return Ok(JobOutcome::RetryAfter("away", Some(shut.until.since(self.now()))));
        }
        let mut opens = None;
        for wish in &wishes {
            if self.has_moved_on(wish).await? {
                self.records.delete_bank_alert(wish.id).await?;
                continue;
            }
            let bank = since(wish);
            let mut back = self.records.login_accepted_since(bank, None).await?;
            if !back && !wish.needs_login {
                if opens.is_none() {
                    opens = Some(self.session_opens(wish).await);
                }
                back = opens == Some(true);
            }
            if back {
                self.send_alert(wish).await?;
            }
        }
        // Who asked in between is waiting with this job, too.
        let waiting = self.open_alerts(watch).await?;
        let Some(oldest) = waiting.first() else {
            return Ok(JobOutcome::Done);
        };
        let slowly = self.now().since(oldest.asked_at) > SLOW_AFTER;
        Ok(JobOutcome::RetryAfter(
            "not seen to be back",
            slowly.then_some(SLOW_INTERVAL),
        ))
    }

    /// Withholds such a text if its person has got further before it could be sent.
    ///
    /// # Errors
    /// When the records or the store are not available.
    pub async fn withhold_if_outdated(&self, id: MessageId) -> Result<(), JobError> {
        let queued = self.records.message(id).await?;
        let Some(message) = queued.filter(|message| message.state == MessageState::Queued) else {
            return Ok(());
        };
        let wish = message
            .key
            .strip_prefix(MESSAGE_KEY)
            .and_then(|id| BankAlertId::parse(id).ok());
        let Some(wish) = wish else { return Ok(()) };
        if let Some(wish) = self.records.bank_alert(wish).await?
            && self.has_moved_on(&wish).await?
        {
            let told = MessageState::Withheld(WithheldReason::PersonDialed);
            self.records.move_message(id, told, self.now()).await?;
        }
        Ok(())
    }

    async fn open_alerts(&self, watch: WatchId) -> Result<Vec<BankAlert>, JobError> {
        Ok(self.records.open_bank_alerts(watch, self.now()).await?)
    }

    /// Whether the person has logged in there since they asked, or has got as far as a session.
    async fn has_moved_on(&self, wish: &BankAlert) -> Result<bool, JobError> {
        if self.records.login_accepted_since(since(wish), Some(&wish.tag)).await? {
            return Ok(true);
        }
        let loaded = self.newsroom.live.load(&wish.tag).await.map_err(JobError::Store)?;
        Ok(match loaded.value {
            LoadedValue::Subscriber(state) => state.has_reached(&wish.provider, &wish.institution),
            LoadedValue::Nothing | LoadedValue::Unreadable(_) => false,
        })
    }

    /// Whether a session can be opened there. Not tried where, as this node sees it, that would say nothing.
    async fn session_opens(&self, wish: &BankAlert) -> bool {
        let (provider, id) = (wish.provider.as_str(), wish.institution.as_str());
        let method = self.catalogue.usable_methods(provider, id).into_iter().next();
        let Some((institution, method)) = self.catalogue.institution(provider, id).zip(method) else {
            return false;
        };
        let open = OpenSession {
            session: ConnectSessionId::generate(self.newsroom.runtime.rng.as_ref()),
            partner: None,
            provider: provider.to_owned(),
            institution,
            method: method.id,
            renews: None,
        };
        if self.health.outage(&open).needs_login || self.health.may_open(&open).is_err() {
            return false;
        }
        let opened = self.try_open(&open).await;
        self.health.record_open(&open, &opened);
        opened.is_ok()
    }

    async fn try_open(&self, open: &OpenSession) -> Result<SessionResponse, ProviderCallError> {
        let (provider, credentials) = self
            .providers
            .with_credentials(self.providers.partner(), &open.provider)
            .await?;
        let opening = SessionRequest::Link {
            institution: &open.institution,
            method: &open.method,
            customer: &self.providers.customer(open.session),
        };
        Ok(provider.open_session(&credentials, opening).await?)
    }

    /// Writes the text that a wish is for. A wish for which none can be written is over.
    async fn send_alert(&self, wish: &BankAlert) -> Result<(), JobError> {
        let caller = self.sealing.open_recipient(&wish.tag, wish.id, &wish.sealed);
        let AlertRecipient { to, locale, channel } = caller.map_err(|_| JobError::Sealed)?;
        let text = self
            .newsroom
            .flow
            .bank_back_sms(locale, service_code_of(&self.service_codes, Some(&channel)));
        let drafted = self.outbox.draft(OutgoingMessage {
            to: &to,
            kind: SmsKind::HandOver,
            key: format!("{MESSAGE_KEY}{}", wish.id),
            text: &text,
            route: None,
            valid_for: SMS_VALID_FOR,
        });
        match drafted {
            Ok((message, send)) => {
                self.records
                    .answer_bank_alert(wish.id, &message, &send, self.now())
                    .await?;
            }
            Err(SmsOutboxError::Records(error)) => return Err(error.into()),
            Err(SmsOutboxError::Sealed) => return Err(JobError::Sealed),
            Err(error @ (SmsOutboxError::NoGateway | SmsOutboxError::TooLong)) => {
                tracing::error!(%error, "a text that was promised cannot be written");
                self.records.delete_bank_alert(wish.id).await?;
            }
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.newsroom.runtime.clock.now()
    }
}

fn since(wish: &BankAlert) -> InstitutionSince<'_> {
    InstitutionSince {
        partner: wish.partner,
        provider: &wish.provider,
        institution: &wish.institution,
        since: wish.asked_at,
    }
}
