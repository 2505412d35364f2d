//! Sends queued SMS, unless they say what the person knows by now.

use std::sync::Arc;

use async_trait::async_trait;

use super::bank_alerts::BankAlerts;
use super::handover::HandoverMessages;
use super::job::{JobError, JobHandler, JobOutcome};
use super::reminders::Reminders;
use super::sms::outbox::SendSms;
use crate::core::ids::MessageId;

pub struct SmsSending {
    handovers: Arc<HandoverMessages>,
    bank_alerts: Arc<BankAlerts>,
    reminders: Arc<Reminders>,
}

impl SmsSending {
    pub fn new(
        handovers: &Arc<HandoverMessages>,
        bank_alerts: &Arc<BankAlerts>,
        reminders: &Arc<Reminders>,
    ) -> Arc<Self> {
        Arc::new(Self {
            handovers: handovers.clone(),
            bank_alerts: bank_alerts.clone(),
            reminders: reminders.clone(),
        })
    }
}

#[async_trait]
impl JobHandler<SendSms> for SmsSending {
    /// The gateway may be slow for a long time, and the outbox limits how many are sent at once.
    const TAKES_SLOT: bool = false;

    async fn run(&self, message: MessageId) -> Result<JobOutcome, JobError> {
        self.bank_alerts.withhold_if_outdated(message).await?;
        self.reminders.withhold_if_outdated(message).await?;
        self.handovers.send(message).await
    }
}
