//! What is held about a number, opened and put into words: for the person it is about.

use serde::Serialize;
use utoipa::ToSchema;

use crate::core::msisdn::Msisdn;
use crate::core::seal::{SealError, SubscriberTag};
use crate::core::time::Timestamp;
use crate::providers::SubmissionStep;
use crate::records::{
    AuditEntry, Consent, Link, LinkIntent, LinkedAccount, Partner, Records, RecordsError, SmsMessage,
    SubscriberAttempt, SubscriberData,
};
use crate::service::partners::ApiTime;
use crate::service::sealing::Sealing;

/// Why what is held cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// The records are not available.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// Something sealed does not open: half of what is held would pass for all of it.
    #[error("something that is held does not open: {0}")]
    Sealed(#[from] SealError),
}

/// Who asks what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportedBy {
    /// The partner, about its own.
    Partner,
    /// Whoever runs the server.
    Operator,
}

impl ExportedBy {
    const fn audit_detail(self) -> &'static str {
        match self {
            Self::Partner => "by the partner",
            Self::Operator => "by an operator",
        }
    }
}

/// All that is held about a number.
#[derive(Serialize, ToSchema)]
pub struct Export {
    /// The number, in E.164.
    pub msisdn: String,
    /// When this was put together.
    pub exported_at: ApiTime,
    /// By whom it is held.
    pub partners: Vec<HeldBy>,
}

/// What one partner holds.
#[derive(Serialize, ToSchema)]
pub struct HeldBy {
    /// The partner's id.
    pub partner_id: String,
    /// The partner's name, as in the consents.
    pub partner: String,
    consents: Vec<ExportedConsent>,
    links: Vec<ExportedLink>,
    attempts: Vec<ExportedAttempt>,
    texts: Vec<ExportedSms>,
    #[schema(required)]
    texts_wanted: Option<ExportedSmsPreference>,
    #[schema(required)]
    own_code_kept_at: Option<ApiTime>,
    requests: Vec<ExportedIntent>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldConsent)]
struct ExportedConsent {
    id: String,
    msisdn: String,
    text: String,
    version: String,
    locale: String,
    channel: String,
    agreed_at: ApiTime,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldLink)]
struct ExportedLink {
    id: String,
    consent: String,
    #[schema(value_type = String)]
    state: &'static str,
    institution: String,
    provider: String,
    linked_at: ApiTime,
    accounts: Vec<ExportedAccount>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldAccount)]
struct ExportedAccount {
    #[schema(required)]
    ends_in: Option<String>,
    #[schema(required)]
    holder: Option<String>,
    #[schema(required)]
    kind: Option<String>,
    #[schema(required)]
    currency: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldAttempt)]
struct ExportedAttempt {
    id: String,
    consent: String,
    institution: String,
    provider: String,
    #[schema(value_type = String)]
    step: &'static str,
    #[schema(value_type = String)]
    outcome: &'static str,
    begun_at: ApiTime,
    outcome_at: ApiTime,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldText)]
struct ExportedSms {
    #[schema(value_type = String)]
    kind: &'static str,
    #[schema(value_type = String)]
    state: &'static str,
    written_at: ApiTime,
    state_at: ApiTime,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldWish)]
struct ExportedSmsPreference {
    wanted: bool,
    said_at: ApiTime,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldRequest)]
struct ExportedIntent {
    id: String,
    state: &'static str,
    purpose: String,
    data: Vec<String>,
    days: u16,
    #[schema(required)]
    reference: Option<String>,
    made_at: ApiTime,
    expires_at: ApiTime,
}

/// Puts together what these partners hold about a number, and notes in each one's audit trail that this was asked.
///
/// # Errors
/// When the records are not available, or something does not open.
pub async fn export_subscriber_data(
    records: &dyn Records,
    sealing: &Sealing,
    partners: &[Partner],
    number: &Msisdn,
    by: ExportedBy,
    now: Timestamp,
) -> Result<Export, ExportError> {
    let tag = sealing.keyring.tag(number);
    let mut held_by = Vec::with_capacity(partners.len());
    for partner in partners {
        // Written down before anything is told.
        let asked = AuditEntry::new(partner.id, "subscriber.exported", by.audit_detail().to_owned(), now).about(tag);
        records.audit(&asked).await?;
        let held = records.export(partner.id, &tag).await?;
        held_by.push(FieldOpener { sealing, tag: &tag }.open_all(partner, held)?);
    }
    Ok(Export {
        msisdn: number.as_str().to_owned(),
        exported_at: ApiTime(now),
        partners: held_by,
    })
}

/// Opens one person's fields.
struct FieldOpener<'a> {
    sealing: &'a Sealing,
    tag: &'a SubscriberTag,
}

impl FieldOpener<'_> {
    fn open_all(&self, partner: &Partner, held: SubscriberData) -> Result<HeldBy, SealError> {
        Ok(HeldBy {
            partner_id: partner.id.to_string(),
            partner: partner.name.clone(),
            consents: held
                .consents
                .into_iter()
                .map(|consent| self.exported_consent(consent))
                .collect::<Result<_, _>>()?,
            links: held
                .links
                .into_iter()
                .map(|link| self.exported_link(link))
                .collect::<Result<_, _>>()?,
            attempts: held.attempts.into_iter().map(exported_attempt).collect(),
            texts: held.messages.iter().map(exported_sms).collect(),
            texts_wanted: held.sms_preference.map(|wish| ExportedSmsPreference {
                wanted: !wish.stopped,
                said_at: ApiTime(wish.at),
            }),
            own_code_kept_at: held.pin_kept_at.map(ApiTime),
            requests: held.intents.into_iter().map(exported_intent).collect(),
        })
    }

    fn exported_consent(&self, consent: Consent) -> Result<ExportedConsent, SealError> {
        let number = self.sealing.open_msisdn(self.tag, consent.id, &consent.msisdn)?;
        Ok(ExportedConsent {
            id: consent.id.to_string(),
            msisdn: number.as_str().to_owned(),
            text: consent.text,
            version: consent.version,
            locale: consent.locale,
            channel: consent.channel,
            agreed_at: ApiTime(consent.agreed_at),
        })
    }

    fn exported_link(&self, link: Link) -> Result<ExportedLink, SealError> {
        Ok(ExportedLink {
            id: link.id.to_string(),
            consent: link.consent.to_string(),
            state: link.state.as_str(),
            institution: link.institution_name,
            provider: link.provider,
            linked_at: ApiTime(link.created_at),
            accounts: link
                .accounts
                .into_iter()
                .map(|account| self.exported_account(account))
                .collect::<Result<_, _>>()?,
        })
    }

    fn exported_account(&self, account: LinkedAccount) -> Result<ExportedAccount, SealError> {
        let holder = account.holder.as_deref();
        let holder = holder.map(|sealed| self.sealing.open_holder(self.tag, account.id, sealed));
        Ok(ExportedAccount {
            ends_in: account.masked,
            holder: holder.transpose()?.map(|name| name.expose().to_owned()),
            kind: account.kind,
            currency: account.currency,
        })
    }
}

fn exported_attempt(held: SubscriberAttempt) -> ExportedAttempt {
    ExportedAttempt {
        id: held.attempt.id.to_string(),
        consent: held.attempt.consent.to_string(),
        institution: held.attempt.institution_name,
        provider: held.attempt.provider,
        step: match held.attempt.step {
            SubmissionStep::Login => "login",
            SubmissionStep::Code => "code",
            SubmissionStep::Choose => "choose",
        },
        outcome: held.attempt.state.as_str(),
        begun_at: ApiTime(held.attempt.created_at),
        outcome_at: ApiTime(held.moved_at),
    }
}

fn exported_sms(message: &SmsMessage) -> ExportedSms {
    let (kind, state) = message.names();
    ExportedSms {
        kind,
        state,
        written_at: ApiTime(message.created_at),
        state_at: ApiTime(message.updated_at),
    }
}

fn exported_intent(intent: LinkIntent) -> ExportedIntent {
    ExportedIntent {
        id: intent.id.to_string(),
        state: intent.state.as_str(),
        purpose: intent.purpose,
        data: intent.scope.to_text().split(',').map(str::to_owned).collect(),
        days: intent.days,
        reference: intent.reference,
        made_at: ApiTime(intent.created_at),
        expires_at: ApiTime(intent.expires_at),
    }
}
