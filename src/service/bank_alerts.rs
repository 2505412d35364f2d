//! Sends people who asked for it an SMS when an institution is back: each once, or never.
//!
//! What shows that it is back depends on what was seen when they asked. Where no session could be opened, or it asked to be
//! left alone, opening a session is proof: it holds no secret and reaches no bank. One node probes at a time, as the rules
//! of `core/health.rs` want it, and none while a person tries. Where logins got no answer, sessions prove nothing, and
//! nobody's password is ours to try: then the proof is a login, of anybody, that the records say was accepted since. Every
//! node sees that, for health is one node's memory and records are not.
//!
//! One job checks for all who wait for an institution. An alert is marked as answered and its SMS written in one
//! transaction, so that two nodes, or a node that dies and the next one, write one SMS. A person who has got further
//! meanwhile knows, and gets none. After a day an alert expires, and nothing is said.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::catalogue::Catalogue;
use super::deps::Deps;
use super::institution_health::InstitutionHealth;
use super::job::{JobError, JobHandler, JobOutcome};
use super::live::LoadedValue;
use super::providers::{ProviderCallError, Providers, person_reference, session_reference};
use super::sealing::AlertRecipient;
use super::session_updater::SessionUpdater;
use super::sms::outbox::{OutgoingMessage, SmsOutbox, SmsOutboxError};
use crate::core::flow::{BankAlertAnswer, BankAlertRequest, OpenSession, SessionEvent};
use crate::core::health::Health;
use crate::core::ids::{BankAlertId, ConnectSessionId, MessageId, SeriesId, WatchId};
use crate::core::msisdn::Msisdn;
use crate::core::seal::SubscriberTag;
use crate::core::service_codes::ServiceCodes;
use crate::core::sms::{MessageState, WithheldReason};
use crate::core::time::Timestamp;
use crate::providers::{Journey, SessionRequest, SessionResponse};
use crate::records::{BankAlert, InstitutionSince, JobType, SmsKind};

/// How long an alert lasts: the screen says so.
const ALERT_VALID_FOR: Duration = Duration::from_hours(24);

/// How long it is news that an institution is back.
const SMS_VALID_FOR: Duration = Duration::from_hours(1);

/// How long a job takes on further people. With the pace below it ends, for all of them, within the tries that a job has.
const WATCH_JOINABLE_FOR: Duration = Duration::from_hours(12);

/// When somebody has waited for so long, the institution is checked less often.
const SLOW_AFTER: Duration = Duration::from_hours(1);
const SLOW_INTERVAL: Duration = Duration::from_mins(10);

/// What begins the key of these SMS; the alert's id follows.
const MESSAGE_KEY: &str = "bank_back:";

/// Checks whether an institution is back, and sends an SMS to those who asked.
pub struct BankBack;

impl JobType for BankBack {
    const NAME: &'static str = "bank_back";
    type Subject = WatchId;
}

pub struct BankAlerts {
    pub deps: Deps,
    pub providers: Arc<Providers>,
    pub catalogue: Arc<Catalogue>,
    pub health: Arc<InstitutionHealth>,
    pub updater: SessionUpdater,
    pub outbox: Arc<SmsOutbox>,
    pub service_codes: ServiceCodes,
}

#[async_trait]
impl JobHandler<BankBack> for BankAlerts {
    async fn run(&self, watch: WatchId) -> Result<JobOutcome, JobError> {
        self.check(watch).await
    }
}

impl BankAlerts {
    /// Saves that a person wants an SMS, and tells them what can be promised.
    pub async fn subscribe(&self, tag: &SubscriberTag, msisdn: &Msisdn, request: &BankAlertRequest) {
        let answer = self.try_subscribe(tag, msisdn, request).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "saving a bank alert failed");
            BankAlertAnswer::Failed
        });
        let session = request.open.session;
        let event = SessionEvent::BankAlertAnswered { session, answer };
        self.updater.apply(tag, &event).await;
    }

    async fn try_subscribe(
        &self,
        tag: &SubscriberTag,
        msisdn: &Msisdn,
        request: &BankAlertRequest,
    ) -> Result<BankAlertAnswer, JobError> {
        let partner = self.outbox.partner();
        let preference = self.deps.records.sms_preference(partner, tag).await?;
        if preference.is_some_and(|preference| preference.stopped) {
            return Ok(BankAlertAnswer::OptedOut);
        }
        let rng = self.deps.rng.as_ref();
        let (id, watch, now) = (BankAlertId::generate(rng), WatchId::generate(rng), self.now());
        let outage = self.health.outage(&request.open);
        let recipient = AlertRecipient {
            to: msisdn.clone(),
            locale: request.locale,
            channel: request.channel.clone(),
        };
        let alert = BankAlert {
            id,
            partner,
            tag: *tag,
            provider: request.open.provider.clone(),
            institution: request.open.institution.id.clone(),
            sealed: self.deps.sealing.seal_recipient(tag, id, &recipient)?,
            needs_login: outage.needs_login,
            asked_at: now,
            until: now.plus(ALERT_VALID_FOR),
        };
        let job = BankBack::job(partner, watch, outage.until.unwrap_or(now));
        let fresh = now.minus(WATCH_JOINABLE_FOR);
        self.deps.records.put_bank_alert(&alert, watch, &job, fresh).await?;
        Ok(BankAlertAnswer::Accepted)
    }

    /// Checks whether an institution is back, and writes the SMS if it is.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn check(&self, watch: WatchId) -> Result<JobOutcome, JobError> {
        let alerts = self.open_alerts(watch).await?;
        let Some(oldest) = alerts.first() else {
            return Ok(JobOutcome::Done);
        };
        let state = self.health.snapshot().get(&oldest.provider, &oldest.institution);
        if let Health::Down(open) | Health::Busy(open) = state {
            return Ok(JobOutcome::RetryAfter("away", Some(open.until.since(self.now()))));
        }
        let mut session_opens = None;
        for alert in &alerts {
            if self.has_moved_on(alert).await? {
                self.deps.records.delete_bank_alert(alert.id).await?;
                continue;
            }
            let bank = since(alert);
            let mut back = self.deps.records.login_accepted_since(bank, None).await?;
            if !back && !alert.needs_login {
                if session_opens.is_none() {
                    session_opens = Some(self.session_opens(alert).await);
                }
                back = session_opens == Some(true);
            }
            if back {
                self.send_alert(alert).await?;
            }
        }
        // People who asked in between wait for this job too.
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

    /// Withholds such an SMS if the person has got further before it could be sent.
    ///
    /// # Errors
    /// When the records or the store are not available.
    pub async fn withhold_if_outdated(&self, id: MessageId) -> Result<(), JobError> {
        let queued = self.deps.records.message(id).await?;
        let Some(message) = queued.filter(|message| message.state == MessageState::Queued) else {
            return Ok(());
        };
        let alert = message.key.strip_prefix(MESSAGE_KEY);
        let Some(alert) = alert.and_then(|id| BankAlertId::parse(id).ok()) else {
            return Ok(());
        };
        if let Some(alert) = self.deps.records.bank_alert(alert).await?
            && self.has_moved_on(&alert).await?
        {
            let withheld = MessageState::Withheld(WithheldReason::PersonDialed);
            self.deps.records.move_message(id, withheld, self.now()).await?;
        }
        Ok(())
    }

    async fn open_alerts(&self, watch: WatchId) -> Result<Vec<BankAlert>, JobError> {
        Ok(self.deps.records.open_bank_alerts(watch, self.now()).await?)
    }

    /// Whether the person has logged in there since they asked, or has got as far as a session.
    async fn has_moved_on(&self, alert: &BankAlert) -> Result<bool, JobError> {
        if self
            .deps
            .records
            .login_accepted_since(since(alert), Some(&alert.tag))
            .await?
        {
            return Ok(true);
        }
        let loaded = self.updater.live.load(&alert.tag).await.map_err(JobError::Store)?;
        Ok(match loaded.value {
            LoadedValue::Subscriber(state) => state.has_reached(&alert.provider, &alert.institution),
            LoadedValue::Nothing | LoadedValue::Unreadable(_) => false,
        })
    }

    /// Whether a session can be opened there. Not tried where, as this node sees it, that would say nothing.
    async fn session_opens(&self, alert: &BankAlert) -> bool {
        let (provider, id) = (alert.provider.as_str(), alert.institution.as_str());
        let operator = self.providers.partner();
        // What leaves the phone would be begun by it, with nobody there to end it.
        let mut methods = self.catalogue.usable_methods(operator, provider, id).into_iter();
        let method = methods.find(|method| method.journey == Journey::Keypad);
        let Some((institution, method)) = self.catalogue.institution(operator, provider, id).zip(method) else {
            return false;
        };
        let open = OpenSession {
            session: ConnectSessionId::generate(self.deps.rng.as_ref()),
            series: SeriesId::generate(self.deps.rng.as_ref()),
            partner: None,
            provider: provider.to_owned(),
            institution,
            method: method.id,
            renews: None,
            consent: None,
        };
        if self.health.outage(&open).needs_login || self.health.may_open(&open).is_err() {
            return false;
        }
        let opened = self.try_open(&alert.tag, &open).await;
        self.health.record_open(&open, &opened);
        opened.is_ok()
    }

    async fn try_open(&self, tag: &SubscriberTag, open: &OpenSession) -> Result<SessionResponse, ProviderCallError> {
        let partner = self.providers.partner();
        let client = self.providers.to_open_link(partner, &open.provider, tag).await?;
        let opening = SessionRequest::Link {
            institution: &open.institution,
            method: &open.method,
            reference: &session_reference(open.session),
            person: &person_reference(&self.deps.sealing.keyring, partner, &open.provider, tag),
            phone: None,
        };
        let opened = client.api.open_session(client.access(), opening).await;
        Ok(self.providers.keep(client, opened).await?.0)
    }

    /// Writes the SMS of an alert. An alert for which none can be written is deleted.
    async fn send_alert(&self, alert: &BankAlert) -> Result<(), JobError> {
        let recipient = self.deps.sealing.open_recipient(&alert.tag, alert.id, &alert.sealed)?;
        let AlertRecipient { to, locale, channel } = recipient;
        let code = self.service_codes.of(Some(&channel));
        let text = self.updater.flow.get().bank_back_sms(locale, code);
        let drafted = self.outbox.draft(OutgoingMessage {
            to: &to,
            kind: SmsKind::HandOver,
            key: format!("{MESSAGE_KEY}{}", alert.id),
            text: &text,
            route: None,
            valid_for: SMS_VALID_FOR,
        });
        match drafted {
            Ok((message, send)) => {
                self.deps
                    .records
                    .answer_bank_alert(alert.id, &message, &send, self.now())
                    .await?;
            }
            Err(SmsOutboxError::Records(error)) => return Err(error.into()),
            Err(SmsOutboxError::Sealed) => return Err(JobError::Sealed),
            Err(error @ (SmsOutboxError::NoGateway | SmsOutboxError::TooLong)) => {
                tracing::error!(%error, "bank alert cannot be sent");
                self.deps.records.delete_bank_alert(alert.id).await?;
            }
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }
}

fn since(alert: &BankAlert) -> InstitutionSince<'_> {
    InstitutionSince {
        partner: alert.partner,
        provider: &alert.provider,
        institution: &alert.institution,
        since: alert.asked_at,
    }
}
