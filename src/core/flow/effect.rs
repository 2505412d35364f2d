//! What is to be done after a step, once its state is safely written.

use std::time::Duration;

use super::session::{ConnectSession, ConsentGiven};
use crate::core::ids::{AttemptId, ConnectSessionId, ConsentId, IntentId, LinkId, PartnerId, SeriesId};
use crate::core::linking::{Institution, ProviderSession, SubmissionStep};
use crate::core::messages::Locale;
use crate::core::next_step::Form;
use crate::core::pin::Pin;
use crate::core::secret::Secret;
use crate::core::time::Timestamp;

#[derive(Debug)]
pub enum Effect {
    /// Open a session at the provider; nobody waits for it unless the turn is pending.
    OpenSession(Box<OpenSession>),
    /// Submit, once. Holds the last secret: the only place where it is.
    Submit(Box<Submit>),
    Unlink(LinkId),
    /// Write a new consent for a link in the place of the one that ends, and answer whether that is done.
    KeepSharing(Box<KeepSharing>),
    /// Find out now rather than later what became of an attempt.
    ResolveAttempt(AttemptId),
    /// Send the link to the page of this attempt again.
    SendPageLink(AttemptId),
    /// Ask the provider for more accounts to choose from.
    MoreAccounts(Box<MoreAccounts>),
    /// Save the person's own code as it is now, with its wrong tries.
    SavePin(Pin),
    /// Save the language that the person has chosen.
    SaveLanguage(Locale),
    /// Save that the person has seen these links of theirs: they are in use.
    NoteUse(Vec<LinkId>),
    /// Save that the person wants an SMS when an institution is back, and answer whether that is done.
    RequestBankAlert(Box<BankAlertRequest>),
    /// See to it that the person is reminded of this if they leave it in the middle.
    Remind(ReminderSubject),
}

/// What somebody may leave in the middle, and is reminded of then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReminderSubject {
    /// What was begun on this consent.
    Agreed(ConsentId),
    /// The consent that this intent asks for.
    Asked(IntentId),
}

/// A new consent for a link.
#[derive(Debug)]
pub struct KeepSharing {
    pub link: LinkId,
    /// The consent in whose place it comes. Where that is not the link's any more, the answer came before.
    pub replaces: ConsentId,
    pub consent: ConsentGiven,
}

/// An SMS that a person wants when an institution is back.
#[derive(Debug)]
pub struct BankAlertRequest {
    /// How to open a session at the institution.
    pub open: OpenSession,
    pub locale: Locale,
    /// The channel on which it was asked for.
    pub channel: String,
}

#[derive(Debug)]
pub struct OpenSession {
    /// The connect session it is for.
    pub session: ConnectSessionId,
    /// See [`ConnectSession::series`].
    pub series: SeriesId,
    /// On whose behalf; `None`: the operator itself.
    pub partner: Option<PartnerId>,
    /// The provider's name.
    pub provider: String,
    /// The institution, as the provider knows it.
    pub institution: Institution,
    /// The auth method's id.
    pub method: String,
    /// The link to renew, when this is a reauthorisation.
    pub renews: Option<LinkId>,
    /// What allows it; `None` for a reauthorisation on the consent that its link has.
    pub consent: Option<ConsentGiven>,
}

/// More accounts are wanted than the provider has shown.
#[derive(Debug)]
pub struct MoreAccounts {
    /// Where: how its session was opened.
    pub open: OpenSession,
    pub provider_session: ProviderSession,
    /// What to ask for them with.
    pub more: String,
    /// The attempt that led to the accounts, if there was one.
    pub attempt: Option<AttemptId>,
}

impl OpenSession {
    /// How to open a session for this connect session; `None` before an institution is picked.
    pub(super) fn for_session(session: &ConnectSession) -> Option<Self> {
        let institution = session.institution.as_ref()?;
        let method = institution.picked_method().map(|method| method.id.clone());
        Some(Self {
            session: session.id,
            series: session.series,
            partner: session.terms.as_ref().map(|terms| terms.partner),
            provider: institution.provider.clone(),
            institution: Institution {
                id: institution.id.clone(),
                provider_id: institution.provider_id.clone(),
                name: institution.name.clone(),
                country: None,
                business: false,
                methods: institution.methods.clone(),
                timeout: institution.timeout,
            },
            method: method.unwrap_or_default(),
            renews: session.renews,
            consent: session.consent.clone(),
        })
    }
}

#[derive(Debug)]
pub struct Submit {
    pub attempt: AttemptId,
    /// Which submission of its series it is.
    pub ordinal: u32,
    /// The attempt that the provider has answered with what is answered now.
    pub follows: Option<AttemptId>,
    /// When it was begun; the records keep the same moment, and a refusal is known by it.
    pub begun_at: Timestamp,
    /// Until when it may be sent and waited for.
    pub lease_until: Timestamp,
    /// The provider's session, if it is open already.
    pub provider_session: Option<ProviderSession>,
    /// How to open one if it is not.
    pub open: OpenSession,
    pub step: SubmissionStep,
    /// What was asked.
    pub form: Option<Form>,
    /// Field names and answers, the last secret among them.
    pub answers: Vec<(String, Secret)>,
    /// How long the provider is given.
    pub timeout: Duration,
}
