//! What is held about a number, opened and put into words: for the person it is about.

use serde::Serialize;
use utoipa::ToSchema;

use crate::core::msisdn::Msisdn;
use crate::core::seal::{SealError, Tag};
use crate::core::time::Timestamp;
use crate::providers::Step;
use crate::records::{
    AuditEvent, Consent, Held, HeldAttempt, HeldIntent, Link, LinkedAccount, Message, Partner, Records, RecordsError,
};
use crate::service::partners::When;
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
pub enum By {
    /// The partner, about its own.
    Partner,
    /// Whoever runs the server.
    Operator,
}

impl By {
    const fn words(self) -> &'static str {
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
    pub exported_at: When,
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
    consents: Vec<ConsentOut>,
    links: Vec<LinkOut>,
    attempts: Vec<AttemptOut>,
    texts: Vec<TextOut>,
    #[schema(required)]
    texts_wanted: Option<WishOut>,
    #[schema(required)]
    own_code_kept_at: Option<When>,
    requests: Vec<RequestOut>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldConsent)]
struct ConsentOut {
    id: String,
    msisdn: String,
    text: String,
    version: String,
    locale: String,
    channel: String,
    agreed_at: When,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldLink)]
struct LinkOut {
    id: String,
    consent: String,
    #[schema(value_type = String)]
    state: &'static str,
    institution: String,
    provider: String,
    linked_at: When,
    accounts: Vec<AccountOut>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldAccount)]
struct AccountOut {
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
struct AttemptOut {
    id: String,
    consent: String,
    institution: String,
    provider: String,
    #[schema(value_type = String)]
    step: &'static str,
    #[schema(value_type = String)]
    outcome: &'static str,
    begun_at: When,
    outcome_at: When,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldText)]
struct TextOut {
    #[schema(value_type = String)]
    kind: &'static str,
    #[schema(value_type = String)]
    state: &'static str,
    written_at: When,
    state_at: When,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldWish)]
struct WishOut {
    wanted: bool,
    said_at: When,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldRequest)]
struct RequestOut {
    id: String,
    state: String,
    purpose: String,
    data: Vec<String>,
    days: i64,
    #[schema(required)]
    reference: Option<String>,
    made_at: When,
    expires_at: When,
}

/// Puts together what these partners hold about a number, and notes in each one's audit trail that this was asked.
///
/// # Errors
/// When the records are not available, or something does not open.
pub async fn export(
    records: &dyn Records,
    sealing: &Sealing,
    partners: &[Partner],
    number: &Msisdn,
    by: By,
    now: Timestamp,
) -> Result<Export, ExportError> {
    let tag = sealing.keyring.tag(number);
    let mut held_by = Vec::with_capacity(partners.len());
    for partner in partners {
        // Written down before anything is told.
        let asked = AuditEvent {
            partner: partner.id,
            tag: Some(tag),
            kind: "subscriber.exported",
            detail: by.words().to_owned(),
            at: now,
        };
        records.audit(&asked).await?;
        let held = records.held(partner.id, &tag).await?;
        held_by.push(Opener { sealing, tag: &tag }.all(partner, held)?);
    }
    Ok(Export {
        msisdn: number.as_str().to_owned(),
        exported_at: When(now),
        partners: held_by,
    })
}

/// Opens one person's fields.
struct Opener<'a> {
    sealing: &'a Sealing,
    tag: &'a Tag,
}

impl Opener<'_> {
    fn all(&self, partner: &Partner, held: Held) -> Result<HeldBy, SealError> {
        Ok(HeldBy {
            partner_id: partner.id.to_string(),
            partner: partner.name.clone(),
            consents: held
                .consents
                .into_iter()
                .map(|consent| self.consent(consent))
                .collect::<Result<_, _>>()?,
            links: held
                .links
                .into_iter()
                .map(|link| self.link(link))
                .collect::<Result<_, _>>()?,
            attempts: held.attempts.into_iter().map(attempt).collect(),
            texts: held.messages.iter().map(text).collect(),
            texts_wanted: held.wish.map(|wish| WishOut {
                wanted: !wish.stopped,
                said_at: When(wish.at),
            }),
            own_code_kept_at: held.pin_kept_at.map(When),
            requests: held.intents.into_iter().map(request).collect(),
        })
    }

    fn consent(&self, consent: Consent) -> Result<ConsentOut, SealError> {
        let number = self.sealing.open_msisdn(self.tag, consent.id, &consent.msisdn)?;
        Ok(ConsentOut {
            id: consent.id.to_string(),
            msisdn: number.as_str().to_owned(),
            text: consent.text,
            version: consent.version,
            locale: consent.locale,
            channel: consent.channel,
            agreed_at: When(consent.agreed_at),
        })
    }

    fn link(&self, link: Link) -> Result<LinkOut, SealError> {
        Ok(LinkOut {
            id: link.id.to_string(),
            consent: link.consent.to_string(),
            state: link.state.name(),
            institution: link.institution_name,
            provider: link.provider,
            linked_at: When(link.created_at),
            accounts: link
                .accounts
                .into_iter()
                .map(|account| self.account(account))
                .collect::<Result<_, _>>()?,
        })
    }

    fn account(&self, account: LinkedAccount) -> Result<AccountOut, SealError> {
        let holder = account.holder.as_deref();
        let holder = holder.map(|sealed| self.sealing.open_holder(self.tag, account.id, sealed));
        Ok(AccountOut {
            ends_in: account.masked,
            holder: holder.transpose()?.map(|name| name.expose().to_owned()),
            kind: account.kind,
            currency: account.currency,
        })
    }
}

fn attempt(held: HeldAttempt) -> AttemptOut {
    AttemptOut {
        id: held.attempt.id.to_string(),
        consent: held.attempt.consent.to_string(),
        institution: held.attempt.institution_name,
        provider: held.attempt.provider,
        step: match held.attempt.step {
            Step::Login => "login",
            Step::Code => "code",
            Step::Choose => "choose",
        },
        outcome: held.attempt.state.name(),
        begun_at: When(held.attempt.created_at),
        outcome_at: When(held.moved_at),
    }
}

fn text(message: &Message) -> TextOut {
    let (kind, state) = message.names();
    TextOut {
        kind,
        state,
        written_at: When(message.created_at),
        state_at: When(message.updated_at),
    }
}

fn request(intent: HeldIntent) -> RequestOut {
    RequestOut {
        id: intent.id.to_string(),
        state: intent.state,
        purpose: intent.purpose,
        data: intent.scope.split(',').map(str::to_owned).collect(),
        days: intent.days,
        reference: intent.reference,
        made_at: When(intent.created_at),
        expires_at: When(intent.expires_at),
    }
}
