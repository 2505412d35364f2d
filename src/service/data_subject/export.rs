//! What is held about a number, opened and put into words: for the person it is about.

use serde::Serialize;
use utoipa::ToSchema;

use crate::core::msisdn::Msisdn;
use crate::core::purpose::Purpose;
use crate::core::seal::{SealError, SubscriberTag};
use crate::core::time::Timestamp;
use crate::providers::SubmissionStep;
use crate::records::{
    AuditEntry, Consent, Link, LinkIntent, LinkedAccount, Partner, ProviderPerson, Records, RecordsError, ReturnTicket,
    SmsMessage, SmsPreference, SubscriberAttempt, SubscriberData,
};
use crate::service::partners::views::{ApiTime, view};
use crate::service::sealing::Sealing;

/// Why an export fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A sealed field cannot be opened: an incomplete export would pass for a complete one.
    #[error("a sealed field cannot be opened: {0}")]
    Sealed(#[from] SealError),
}

/// Who asks for an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportedBy {
    /// The partner, about its own data.
    Partner,
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
    /// When this was exported.
    pub exported_at: ApiTime,
    /// The partners that hold it.
    pub partners: Vec<ExportedPartner>,
}

/// What one partner holds.
#[derive(Serialize, ToSchema)]
#[schema(as = HeldBy)]
pub struct ExportedPartner {
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
    /// The language that they have chosen, a BCP 47 tag; null: none.
    #[schema(required)]
    language: Option<String>,
    requests: Vec<ExportedIntent>,
    kept_for_providers: Vec<ExportedProviderPerson>,
    page_links: Vec<ExportedTicket>,
}

view! {
    #[schema(as = HeldConsent)]
    pub struct ExportedConsent(consent: Consent, number: &Msisdn) {
        id: String = consent.id.to_string(),
        until: ApiTime = ApiTime(consent.until()),
        msisdn: String = number.as_str().to_owned(),
        text: String = consent.text,
        version: String = consent.version,
        locale: String = consent.locale,
        channel: String = consent.channel,
        agreed_at: ApiTime = ApiTime(consent.agreed_at),
        purpose: String = consent.purpose,
        data: Vec<String> = consent.scope.to_text().split(',').map(str::to_owned).collect(),
        #[schema(value_type = i64)]
        days: u16 = consent.days,
    }
}

view! {
    #[schema(as = HeldLink)]
    pub struct ExportedLink(link: Link, accounts: Vec<ExportedAccount>) {
        id: String = link.id.to_string(),
        consent: String = link.consent.to_string(),
        #[schema(value_type = String)]
        state: &'static str = link.state.as_str(),
        institution: String = link.institution_name,
        provider: String = link.provider,
        linked_at: ApiTime = ApiTime(link.created_at),
        until: ApiTime = ApiTime(link.until),
        /// When the person last saw it on a screen, noted once a day at most, or linked its account again.
        used_at: ApiTime = ApiTime(link.used_at),
        /// Whether something is kept with which the provider is asked about it.
        access_kept: bool = link.access.sealed.is_some(),
        accounts: Vec<ExportedAccount> = accounts,
    }
}

view! {
    #[schema(as = HeldAccount)]
    pub struct ExportedAccount(account: LinkedAccount, holder: Option<String>) {
        #[schema(required)]
        ends_in: Option<String> = account.masked,
        #[schema(required)]
        holder: Option<String> = holder,
        #[schema(required)]
        kind: Option<String> = account.kind,
        #[schema(required)]
        currency: Option<String> = account.currency,
    }
}

view! {
    #[schema(as = HeldAttempt)]
    pub struct ExportedAttempt(row: SubscriberAttempt) {
        id: String = row.attempt.id.to_string(),
        consent: String = row.attempt.consent.to_string(),
        institution: String = row.attempt.institution_name,
        provider: String = row.attempt.provider,
        #[schema(value_type = String)]
        step: &'static str = match row.attempt.step {
            SubmissionStep::Login => "login",
            SubmissionStep::Code => "code",
            SubmissionStep::Choose => "choose",
        },
        #[schema(value_type = String)]
        outcome: &'static str = row.attempt.state.as_str(),
        begun_at: ApiTime = ApiTime(row.attempt.created_at),
        outcome_at: ApiTime = ApiTime(row.moved_at),
    }
}

view! {
    #[schema(as = HeldText)]
    pub struct ExportedSms(message: &SmsMessage) {
        #[schema(value_type = String)]
        kind: &'static str = message.names().0,
        #[schema(value_type = String)]
        state: &'static str = message.names().1,
        written_at: ApiTime = ApiTime(message.created_at),
        state_at: ApiTime = ApiTime(message.updated_at),
    }
}

view! {
    #[schema(as = HeldWish)]
    pub struct ExportedSmsPreference(preference: SmsPreference) {
        wanted: bool = !preference.stopped,
        said_at: ApiTime = ApiTime(preference.at),
    }
}

view! {
    #[schema(as = HeldRequest)]
    pub struct ExportedIntent(intent: LinkIntent) {
        id: String = intent.id.to_string(),
        #[schema(value_type = String)]
        state: &'static str = intent.state.as_str(),
        purpose: Purpose = intent.purpose,
        data: Vec<String> = intent.scope.to_text().split(',').map(str::to_owned).collect(),
        #[schema(value_type = i64)]
        days: u16 = intent.days,
        #[schema(required)]
        reference: Option<String> = intent.reference,
        made_at: ApiTime = ApiTime(intent.created_at),
        expires_at: ApiTime = ApiTime(intent.expires_at),
    }
}

view! {
    /// Something is kept with which a provider is asked on the subscriber's behalf.
    #[schema(as = HeldProviderAccess)]
    pub struct ExportedProviderPerson(person: ProviderPerson) {
        provider: String = person.provider,
        /// When it was last replaced.
        kept_at: ApiTime = ApiTime(person.updated_at),
    }
}

view! {
    /// A link to a page of the bank, or the way back from there. What stood in it is not kept.
    #[schema(as = HeldPageLink)]
    pub struct ExportedTicket(ticket: ReturnTicket) {
        attempt: String = ticket.attempt.to_string(),
        #[schema(value_type = String)]
        purpose: &'static str = ticket.purpose.as_str(),
        made_at: ApiTime = ApiTime(ticket.created_at),
        expires_at: ApiTime = ApiTime(ticket.until),
        #[schema(required)]
        used_at: Option<ApiTime> = ticket.used_at.map(ApiTime),
    }
}

/// Exports what these partners hold about a number, and records the export in the audit trail of each.
///
/// # Errors
/// When the records are not available, or a sealed field cannot be opened.
pub async fn export_subscriber_data(
    records: &dyn Records,
    sealing: &Sealing,
    partners: &[Partner],
    number: &Msisdn,
    by: ExportedBy,
    now: Timestamp,
) -> Result<Export, ExportError> {
    let tag = sealing.keyring.tag(number);
    let mut exported = Vec::with_capacity(partners.len());
    for partner in partners {
        // Recorded before anything is disclosed.
        let event = AuditEntry::new(partner.id, "subscriber.exported", by.audit_detail().to_owned(), now).about(tag);
        records.audit(&event).await?;
        let data = records.export(partner.id, &tag).await?;
        exported.push(FieldOpener { sealing, tag: &tag }.open_all(partner, data)?);
    }
    Ok(Export {
        msisdn: number.as_str().to_owned(),
        exported_at: ApiTime(now),
        partners: exported,
    })
}

/// Opens the sealed fields of one subscriber.
struct FieldOpener<'a> {
    sealing: &'a Sealing,
    tag: &'a SubscriberTag,
}

impl FieldOpener<'_> {
    fn open_all(&self, partner: &Partner, data: SubscriberData) -> Result<ExportedPartner, SealError> {
        let consents = data.consents.into_iter().map(|consent| self.open_consent(consent));
        let links = data.links.into_iter().map(|link| self.open_link(link));
        Ok(ExportedPartner {
            partner_id: partner.id.to_string(),
            partner: partner.name.clone(),
            consents: consents.collect::<Result<_, _>>()?,
            links: links.collect::<Result<_, _>>()?,
            attempts: data.attempts.into_iter().map(ExportedAttempt::new).collect(),
            texts: data.messages.iter().map(ExportedSms::new).collect(),
            texts_wanted: data.sms_preference.map(ExportedSmsPreference::new),
            own_code_kept_at: data.pin_kept_at.map(ApiTime),
            language: data.language,
            requests: data.intents.into_iter().map(ExportedIntent::new).collect(),
            kept_for_providers: data
                .provider_persons
                .into_iter()
                .map(ExportedProviderPerson::new)
                .collect(),
            page_links: data.tickets.into_iter().map(ExportedTicket::new).collect(),
        })
    }

    fn open_consent(&self, consent: Consent) -> Result<ExportedConsent, SealError> {
        let number = self.sealing.open_msisdn(self.tag, consent.id, &consent.msisdn)?;
        Ok(ExportedConsent::new(consent, &number))
    }

    fn open_link(&self, mut link: Link) -> Result<ExportedLink, SealError> {
        let accounts = std::mem::take(&mut link.accounts).into_iter();
        let accounts = accounts.map(|account| self.open_account(account));
        let accounts = accounts.collect::<Result<_, _>>()?;
        Ok(ExportedLink::new(link, accounts))
    }

    fn open_account(&self, account: LinkedAccount) -> Result<ExportedAccount, SealError> {
        let holder = account.holder.as_deref();
        let holder = holder.map(|sealed| self.sealing.open_holder(self.tag, account.id, sealed));
        let holder = holder.transpose()?.map(|name| name.expose().to_owned());
        Ok(ExportedAccount::new(account, holder))
    }
}
