//! One try at linking: where it stands, and what it is about. It outlives dialogs and is resumed by the next one.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_with::apply;

use super::partial_answer::PartialAnswer;
use super::terms::{PartnerRef, RequestTerms};
use super::waiting::{AccountList, Waiting};
use crate::core::attempt::{LiveAttempt, LiveAttemptState};
use crate::core::consent;
use crate::core::defaults::is_default;
use crate::core::ids::{AttemptId, ConnectSessionId, ConsentId, IntentId, LinkId, PartnerId, SeriesId};
use crate::core::linking::{AuthMethod, ProviderSession, SubmissionStep};
use crate::core::menu::{Outcome, Role};
use crate::core::messages::Locale;
use crate::core::next_step::Form;
use crate::core::purpose::Purpose;
use crate::core::scope::Scope;
use crate::core::time::Timestamp;

#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts of a session that do not depend on each other"
)]
#[apply(
    Option => #[serde(default, skip_serializing_if = "is_default")],
    Vec => #[serde(default, skip_serializing_if = "is_default")],
    bool => #[serde(default, skip_serializing_if = "is_default")],
    u8 => #[serde(default, skip_serializing_if = "is_default")],
    u32 => #[serde(default, skip_serializing_if = "is_default")],
    usize => #[serde(default, skip_serializing_if = "is_default")],
)]
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectSession {
    pub id: ConnectSessionId,
    /// What its submissions are numbered in: all that its consent allows; of a renewal all of it.
    pub series: SeriesId,
    /// How many submissions of the series were begun, as far as the live value knows.
    pub submissions: u32,
    /// What was agreed to; `None` for a reauthorisation on the consent that its link has.
    pub consent: Option<ConsentGiven>,
    /// Who asked for it; `None`: the operator itself.
    pub terms: Option<RequestTerms>,
    pub stage: Outcome,
    /// Whether the person has seen where it stands.
    pub shown: bool,
    /// Whether they were sent an SMS about it.
    pub sms_sent: bool,
    /// The dialog whose last reply is all that has told it; `None` once the person has gone on from there.
    #[serde(with = "serde_bytes")]
    pub shown_in: Option<[u8; 32]>,
    pub institution: Option<ChosenInstitution>,
    /// The provider's session, once it is open.
    pub provider_session: Option<ProviderSession>,
    /// What is being asked.
    pub form: Option<Form>,
    /// Which call the answers go into.
    pub step: SubmissionStep,
    /// How many fields have been answered.
    pub fields_answered: usize,
    /// A keyed digest of a line that may be two joined lines: it is an answer when it is typed once more.
    #[serde(with = "serde_bytes")]
    pub doubtful_line: Option<[u8; 32]>,
    /// Whether a secret was so short that it was asked for once more: the next one is taken.
    pub short_asked: bool,
    /// The answers so far, without the last one, which is never kept.
    pub answers: Vec<(String, PartialAnswer)>,
    #[serde(flatten)]
    pub accounts: AccountList,
    /// What goes on without the phone, while it does.
    pub waiting: Option<Waiting>,
    /// When the link to a page was last sent.
    pub page_link_sent_at: Option<Timestamp>,
    /// What the bank wants the person to be told with its no; untrusted text.
    pub bank_message: Option<String>,
    /// The submission under way, or the last one.
    pub attempt: Option<LiveAttempt>,
    /// Wrong codes in this provider session.
    pub wrong_codes: u8,
    /// Submissions in this provider session.
    pub rounds: u8,
    /// What was linked, once it is.
    pub result: Option<LinkSummary>,
    /// The link being renewed, when this is a reauthorisation.
    pub renews: Option<LinkId>,
    /// The dialog in which the person began it.
    #[serde(with = "serde_bytes")]
    pub started_in: Option<[u8; 32]>,
    /// Whether the provider's session could not be opened when the institution was picked.
    pub open_failed: bool,
    /// While the provider's session is being opened: until when an answer may come. Until then none is opened beside it.
    pub opening_until: Option<Timestamp>,
    /// Until when the institution asked us to pause.
    pub busy_until: Option<Timestamp>,
    /// When its person last typed something.
    #[serde(default = "long_ago")]
    pub last_key_at: Timestamp,
    /// How often the dialog was cut in a row at the question where it stands.
    pub cuts: u8,
}

/// A value written by an earlier version does not say.
fn long_ago() -> Timestamp {
    Timestamp::from_millis(0)
}

impl ConnectSession {
    /// A try at linking that has only begun.
    pub fn new(id: ConnectSessionId, consent: Option<ConsentGiven>) -> Self {
        let series = consent
            .as_ref()
            .map_or(*id.as_bytes(), |consent| *consent.id.as_bytes());
        Self {
            id,
            series: SeriesId::from_bytes(series),
            submissions: 0,
            consent,
            terms: None,
            stage: Outcome::ChooseBank,
            shown: false,
            sms_sent: false,
            shown_in: None,
            institution: None,
            provider_session: None,
            form: None,
            step: SubmissionStep::Login,
            fields_answered: 0,
            doubtful_line: None,
            short_asked: false,
            answers: Vec::new(),
            accounts: AccountList::default(),
            waiting: None,
            page_link_sent_at: None,
            bank_message: None,
            attempt: None,
            wrong_codes: 0,
            rounds: 0,
            result: None,
            renews: None,
            started_in: None,
            open_failed: false,
            opening_until: None,
            busy_until: None,
            last_key_at: long_ago(),
            cuts: 0,
        }
    }

    /// Forgets what was typed and submitted at the provider, and begins with this form.
    pub(super) fn restart_form(&mut self, form: Option<Form>) {
        self.form = form;
        self.provider_session = None;
        self.step = SubmissionStep::Login;
        self.forget_answers();
        self.accounts = AccountList::default();
        self.waiting = None;
        self.page_link_sent_at = None;
        self.bank_message = None;
        self.attempt = None;
        self.wrong_codes = 0;
        self.rounds = 0;
        self.shown = false;
        self.open_failed = false;
        self.opening_until = None;
    }

    /// Whether the provider's session is not there, so that nobody knows what it asks: it was not opened, or is over.
    pub(super) fn lacks_provider_session(&self, now: Timestamp) -> bool {
        let session = self.provider_session.as_ref();
        session.is_none_or(|session| session.expires_at.is_some_and(|end| end <= now))
    }

    /// Whether something was submitted in it that may still come to something.
    pub(super) fn is_unresolved(&self) -> bool {
        let submitted = |attempt: &&LiveAttempt| attempt.id != AttemptId::without_submission(self.id);
        let attempt = self.attempt.as_ref().filter(submitted);
        attempt.is_some_and(LiveAttempt::is_unresolved)
    }

    /// Whether the provider has taken a login, or something after it, and waits for the person's answer to what it asks.
    pub(super) fn owes_answer(&self) -> bool {
        let taken = self
            .attempt
            .as_ref()
            .is_some_and(|attempt| attempt.state == LiveAttemptState::Accepted);
        self.stage.is(Role::Question) && (taken || self.step != SubmissionStep::Login)
    }

    /// Whether it waits for the person, who has agreed and has submitted nothing that may still come to something.
    pub(super) fn awaits_login(&self) -> bool {
        let login = self.stage.is(Role::Question)
            || matches!(
                self.stage,
                Outcome::ChooseBank | Outcome::ChooseMethod | Outcome::Checking
            );
        let idle = self.attempt.as_ref().is_none_or(|attempt| !attempt.is_unresolved());
        login && idle && self.consent.is_some() && !self.owes_answer()
    }

    /// Forgets what was typed into the present form.
    pub(super) fn forget_answers(&mut self) {
        self.cuts = 0;
        self.fields_answered = 0;
        self.doubtful_line = None;
        self.short_asked = false;
        self.answers.clear();
    }
}

/// What a person agreed to, before it is durable.
#[apply(
    Option => #[serde(default, skip_serializing_if = "is_default")],
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentGiven {
    pub id: ConsentId,
    pub intent: IntentId,
    pub text: String,
    pub version: String,
    pub locale: Locale,
    pub channel: String,
    pub at: Timestamp,
    /// What the data are for, for how many days, and which: what the text says.
    pub purpose: String,
    /// The same in all the languages in which it was written, where these are several.
    pub purposes: Option<Purpose>,
    pub days: u16,
    pub scope: Scope,
}

impl ConsentGiven {
    /// When it ends.
    pub fn until(&self) -> Timestamp {
        consent::ends_at(self.at, self.days)
    }
}

/// A link of which the consent ends soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndingConsent {
    pub link: LinkId,
    /// The consent that ends.
    pub consent: ConsentId,
    /// On what terms it was given; a new one is on the same.
    pub terms: RequestTerms,
    /// Whether the provider ends its access by itself, so that only a new login goes on.
    pub needs_login: bool,
}

/// The institution picked, as it was offered: later turns do not need the list.
#[apply(
    Option => #[serde(default, skip_serializing_if = "is_default")],
    Vec => #[serde(default, skip_serializing_if = "is_default")],
    bool => #[serde(default, skip_serializing_if = "is_default")],
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenInstitution {
    /// Our key for it.
    pub id: String,
    pub provider: String,
    /// The provider's own id for it, see [`Institution::provider_id`](crate::core::linking::Institution::provider_id).
    pub provider_id: String,
    pub name: String,
    pub methods: Vec<AuthMethod>,
    pub method: Option<usize>,
    /// Whether the person must first be told that the channel is not private.
    pub warn: bool,
    /// Whether no secret may be asked.
    pub deny: bool,
    /// Whether what it asks may be answered by SMS.
    pub sms_allowed: bool,
    /// How long the provider says a login may take.
    pub timeout: Option<Duration>,
}

impl ChosenInstitution {
    /// One of which no more is known than who it is.
    pub fn named(provider: &str, (id, provider_id): (&str, &str), name: &str) -> Self {
        Self {
            id: id.to_owned(),
            provider: provider.to_owned(),
            provider_id: provider_id.to_owned(),
            name: name.to_owned(),
            methods: Vec::new(),
            method: None,
            warn: false,
            deny: false,
            sms_allowed: false,
            timeout: None,
        }
    }

    /// Whether it is the bank that this provider knows by this id of its own.
    pub(super) fn is_bank(&self, provider: &str, provider_id: &str) -> bool {
        self.provider == provider && self.provider_id == provider_id
    }

    /// Whether it is this provider's institution with this id.
    pub(super) fn is(&self, provider: &str, id: &str) -> bool {
        self.provider == provider && self.id == id
    }

    pub fn picked_method(&self) -> Option<&AuthMethod> {
        self.methods.get(self.method?)
    }
}

/// A link as the menu shows it.
#[apply(
    Option => #[serde(default, skip_serializing_if = "is_default")],
    bool => #[serde(default, skip_serializing_if = "is_default")],
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSummary {
    pub id: LinkId,
    /// The partner that it is for; `None`: the operator itself.
    pub partner: Option<PartnerRef>,
    pub institution_name: String,
    pub institution_id: String,
    /// The provider's own id of the institution.
    #[serde(default)]
    pub provider_institution: String,
    pub provider: String,
    /// The last digits of its first account, once read.
    pub masked: Option<String>,
    /// Whether the same account is linked elsewhere too.
    pub duplicate: bool,
    /// When the consent to it ends.
    pub until: Timestamp,
    /// Whether its bank wants the person to log in again before anything more is read.
    pub needs_login: bool,
    /// When its person last saw it here, or linked its account again.
    #[serde(default)]
    pub used_at: Timestamp,
}

/// A link that is not shown: all that is known of it is that it is there, and with whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithheldLink {
    pub id: LinkId,
    /// `None`: that is not known.
    pub partner: Option<PartnerId>,
}

impl LinkSummary {
    /// Its institution's id here, and at its provider.
    pub(super) fn institution_ids(&self) -> (&str, &str) {
        (&self.institution_id, &self.provider_institution)
    }
}

/// Something that is told at the beginning of a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// This link needs a new login.
    NeedsLogin(LinkId),
    /// The consent of this link ends soon.
    EndsSoon(LinkId),
}
