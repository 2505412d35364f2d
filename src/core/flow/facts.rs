//! What the records know of a person when a dialog begins.

use super::session::{ChosenInstitution, ConsentGiven, EndingConsent, LinkSummary};
use super::terms::{DialedCode, RequestTerms};
use crate::core::attempt::{LiveAttempt, Refusal};
use crate::core::ids::{AttemptId, ConnectSessionId, LinkId, SeriesId};
use crate::core::menu::Outcome;
use crate::core::messages::Locale;
use crate::core::pin::Pin;
use crate::core::time::Timestamp;

/// What the records know of a person when a dialog begins.
#[derive(Clone, Debug, Default)]
pub struct SubscriberFacts {
    pub links: Vec<LinkSummary>,
    /// Which of their consents end soon, the first first.
    pub ending: Vec<EndingConsent>,
    /// The institution used last, and when.
    pub last_institution: Option<(String, Timestamp)>,
    /// Refused and unknown logins of the last day.
    pub refusals: Vec<Refusal>,
    pub pin: Option<Pin>,
    /// Whether they want no SMS.
    pub texts_stopped: bool,
    /// The language that they have chosen, if they have.
    pub language: Option<Locale>,
    /// A submission whose answer is still to come.
    pub pending: Option<PendingAttempt>,
    /// The newest submission, where the live value has lost it, or nobody was told what became of it.
    pub lost: Option<PendingAttempt>,
    /// All submissions that may still come to something, newest first.
    pub unresolved: Vec<PendingAttempt>,
    /// What made a link of which no screen has told.
    pub untold_link: Option<LinkOrigin>,
    /// A link that turned out not to be what they have linked, where no screen has said so.
    pub undone: Option<UndoneLink>,
    /// What made the newest link.
    pub newest_link: Option<LinkOrigin>,
    /// The live value's own attempt, if the records say that it may have been sent.
    pub maybe_sent: Option<AttemptId>,
    /// Who asks: intents for this person, the newest first, then the partners that take everybody who dials.
    pub requests: Option<Vec<RequestTerms>>,
    /// What is behind a code that was dialled, where one was looked up.
    pub dialed_code: Option<DialedCode>,
}

#[derive(Clone, Debug)]
pub struct LinkOrigin {
    pub session: ConnectSessionId,
    pub attempt: AttemptId,
    pub begun_at: Timestamp,
    pub linked_at: Timestamp,
    /// Who asked for it, as far as that is known.
    pub terms: Option<RequestTerms>,
    pub link: LinkSummary,
}

/// A link that turned out not to be what the person has linked.
#[derive(Clone, Debug)]
pub struct UndoneLink {
    /// What had made it.
    pub made: PendingAttempt,
    /// Where that has come to.
    pub stage: Outcome,
}

/// A submission whose answer is still to come, as the records know it.
#[derive(Clone, Debug)]
pub struct PendingAttempt {
    /// The attempt as the conversation keeps it.
    pub attempt: LiveAttempt,
    pub session: ConnectSessionId,
    pub series: SeriesId,
    /// How many submissions of its series the records know.
    pub submissions: u32,
    /// What allowed it; `None` for a reauthorisation on the consent that its link has.
    pub consent: Option<ConsentGiven>,
    /// Who asked for it, as far as that is known.
    pub terms: Option<RequestTerms>,
    /// The link being renewed, when this is a reauthorisation.
    pub renews: Option<LinkId>,
    pub institution: ChosenInstitution,
}
