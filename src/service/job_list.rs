//! All job types that this server runs, one line each in [`JobHandlers::all`].

use std::sync::Arc;

use super::bank_alerts::{BankAlerts, BankBack};
use super::catalogue::Catalogue;
use super::consent_end::ConsentEnd;
use super::data_subject::{Erase, Eraser};
use super::deps::Deps;
use super::facts_reader::FactsReader;
use super::handover::HandoverMessages;
use super::handover_queue::{HandOver, HandOverLeft};
use super::institution_health::InstitutionHealth;
use super::intent_expiry::IntentExpiry;
use super::job::JobSet;
use super::linking::advance::{Advance, AdvanceNow};
use super::linking::confirm_unlinked::ConfirmUnlinked;
use super::linking::exchanged::EndRejected;
use super::linking::linker::Linking;
use super::linking::page_text::{PageTexts, SendPageLink};
use super::linking::read_accounts::ReadAccounts;
use super::linking::redeem::Redeem;
use super::linking::settle::Settle;
use super::linking::unlink::Unlink;
use super::page_links::PageLinks;
use super::providers::Providers;
use super::reminders::{RemindAgreed, RemindAsked, Reminders};
use super::session_updater::SessionUpdater;
use super::sms::outbox::{AskReport, SendSms, SmsOutbox};
use super::sms_sending::SmsSending;
use super::webhooks::deliveries::WebhookDeliveries;
use crate::core::service_codes::ServiceCodes;
use crate::records::{AnnounceEnd, Deliver, ExpireIntent, ExpireLink, Publish};

/// What the handlers are made of.
pub struct JobDeps {
    pub deps: Deps,
    pub providers: Arc<Providers>,
    pub catalogue: Arc<Catalogue>,
    pub health: Arc<InstitutionHealth>,
    pub updater: SessionUpdater,
    pub outbox: Arc<SmsOutbox>,
    pub service_codes: ServiceCodes,
    pub webhooks: Arc<WebhookDeliveries>,
    pub pages: Arc<PageLinks>,
}

/// The services that run jobs, and that others use too.
#[derive(Clone)]
pub struct JobHandlers {
    deps: Deps,
    pub linking: Arc<Linking>,
    pub handovers: Arc<HandoverMessages>,
    pub outbox: Arc<SmsOutbox>,
    pub bank_alerts: Arc<BankAlerts>,
    pub consent_end: Arc<ConsentEnd>,
    pub page_texts: Arc<PageTexts>,
    pub reminders: Arc<Reminders>,
    webhooks: Arc<WebhookDeliveries>,
}

impl JobHandlers {
    pub fn all(&self) -> JobSet {
        let Self {
            deps,
            linking,
            handovers,
            outbox,
            bank_alerts,
            consent_end,
            page_texts,
            reminders,
            webhooks,
        } = self;
        JobSet::default()
            .with::<Redeem, _>(linking)
            .with::<Settle, _>(linking)
            .with::<Advance, _>(linking)
            .with::<AdvanceNow, _>(linking)
            .with::<SendPageLink, _>(page_texts)
            .with::<ReadAccounts, _>(linking)
            .with::<Unlink, _>(linking)
            .with::<EndRejected, _>(linking)
            .with::<ConfirmUnlinked, _>(linking)
            .with::<HandOver, _>(handovers)
            .with::<HandOverLeft, _>(handovers)
            .with::<SendSms, _>(&SmsSending::new(handovers, bank_alerts, reminders))
            .with::<AskReport, _>(outbox)
            .with::<BankBack, _>(bank_alerts)
            .with::<RemindAgreed, _>(reminders)
            .with::<RemindAsked, _>(reminders)
            .with::<Erase, _>(&Eraser::new(deps, linking))
            .with::<Publish, _>(webhooks)
            .with::<Deliver, _>(webhooks)
            .with::<ExpireIntent, _>(&IntentExpiry::new(deps))
            .with::<AnnounceEnd, _>(consent_end)
            .with::<ExpireLink, _>(consent_end)
    }

    pub fn new(from: &JobDeps) -> Self {
        let linking = Arc::new(Linking {
            deps: from.deps.clone(),
            providers: from.providers.clone(),
            updater: from.updater.clone(),
            pages: from.pages.clone(),
            facts: FactsReader {
                records: from.deps.records.clone(),
                partner: from.providers.partner(),
                pins: false,
                sealing: from.deps.sealing.clone(),
                runtime: from.deps.clone(),
            },
        });
        let handovers = Arc::new(HandoverMessages {
            deps: from.deps.clone(),
            updater: from.updater.clone(),
            outbox: from.outbox.clone(),
            service_codes: from.service_codes.clone(),
        });
        let bank_alerts = Arc::new(BankAlerts {
            deps: from.deps.clone(),
            providers: from.providers.clone(),
            catalogue: from.catalogue.clone(),
            health: from.health.clone(),
            updater: from.updater.clone(),
            outbox: from.outbox.clone(),
            service_codes: from.service_codes.clone(),
        });
        let consent_end = Arc::new(ConsentEnd {
            deps: from.deps.clone(),
            updater: from.updater.clone(),
            outbox: from.outbox.clone(),
            service_codes: from.service_codes.clone(),
        });
        let page_texts = Arc::new(PageTexts {
            deps: from.deps.clone(),
            flow: from.updater.flow.clone(),
            pages: from.pages.clone(),
            outbox: from.outbox.clone(),
        });
        let reminders = Arc::new(Reminders {
            deps: from.deps.clone(),
            updater: from.updater.clone(),
            outbox: from.outbox.clone(),
            service_codes: from.service_codes.clone(),
        });
        Self {
            page_texts,
            reminders,
            deps: from.deps.clone(),
            outbox: from.outbox.clone(),
            webhooks: from.webhooks.clone(),
            linking,
            handovers,
            bank_alerts,
            consent_end,
        }
    }
}
