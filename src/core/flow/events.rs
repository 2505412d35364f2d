//! Events from a provider, the records or the clock. They change where the session stands; what is on a screen changes only
//! for a turn that is still waiting, since nobody can be shown what they did not ask for.

use std::time::Duration;

use super::context::StepContext;
use super::facts::PendingAttempt;
use super::rules::Flow;
use super::session::LinkSummary;
use super::state::Subscriber;
use super::step::Step;
use super::waiting::{AccountList, Waiting};
use crate::core::ids::{AttemptId, ConnectSessionId, LinkId};
use crate::core::linking::ProviderSession;
use crate::core::menu::{Outcome, Role};
use crate::core::next_step::{Failure, FailureClass, Field, Form};
use crate::core::time::Timestamp;

/// Something that did not come from the person.
#[derive(Clone, Debug)]
pub enum SessionEvent {
    /// A provider's session was opened, or not.
    ProviderSessionOpened {
        session: ConnectSessionId,
        result: OpenResult,
    },
    AttemptResolved {
        id: AttemptId,
        result: AttemptResult,
    },
    /// The records have refused to begin this attempt: another one stands in its way, or the same one that was begun before.
    /// Nothing is sent, and the person is told what became of that one.
    AttemptRefused {
        id: AttemptId,
        standing: Box<PendingAttempt>,
    },
    /// The provider was asked for more accounts.
    MoreAccounts {
        session: ConnectSessionId,
        result: MoreAccountsResult,
    },
    /// A link was ended as asked.
    Unlinked(LinkId),
    /// A link was ended because it turned out not to be what the person has linked. If they were told that it is linked,
    /// this is told instead, or what they hear next.
    LinkUndone {
        link: LinkId,
        attempt: AttemptId,
        result: AttemptResult,
        /// What had made it, for a conversation that has gone on since.
        made: Option<Box<PendingAttempt>>,
    },
    /// A new consent for a link was written, or not.
    ConsentRenewed {
        link: LinkId,
        result: KeepResult,
    },
    /// The request for an SMS when an institution is back was answered.
    BankAlertAnswered {
        session: ConnectSessionId,
        answer: BankAlertAnswer,
    },
}

/// What became of a new consent for a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepResult {
    /// It stands, until then.
    Until(Timestamp),
    /// The link had ended by then.
    Ended,
    /// It could not be written.
    Failed,
}

/// What can be promised to somebody who wants an SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankAlertAnswer {
    Accepted,
    /// No: they have opted out of SMS.
    OptedOut,
    /// No: it could not be saved.
    Failed,
}

/// How opening a provider's session ended.
#[derive(Clone, Debug)]
pub enum OpenResult {
    Open(ProviderSession),
    /// A reauthorisation that needed nothing more.
    Renewed,
    /// Nothing is typed first: it goes on without the phone.
    Waiting {
        session: ProviderSession,
        /// What stands for it in the records; of the same session always the same one.
        attempt: AttemptId,
        waiting: Waiting,
    },
    /// Nothing is typed first: these accounts are to be chosen from.
    Accounts {
        session: ProviderSession,
        list: AccountList,
    },
    /// Nothing is typed at all: the provider handed out a grant, and it is durable.
    Granted {
        session: ProviderSession,
        attempt: AttemptId,
    },
    /// An explicit no.
    Failed(Failure),
    /// The partner has ended its request meanwhile.
    RequestEnded,
    /// Not now; after this long, if it asks us to pause.
    Unavailable(Option<Duration>),
    /// The provider does not accept us.
    Blocked,
}

/// What became of asking for more accounts.
#[derive(Clone, Debug)]
pub enum MoreAccountsResult {
    /// All that can be chosen from now.
    Found(AccountList),
    Failed(Failure),
    /// Not now.
    Unavailable,
}

/// What became of an attempt.
#[derive(Clone, Debug)]
pub enum AttemptResult {
    /// More must be typed.
    Prompt(Form),
    /// One of these accounts must be picked.
    ChooseAccount(AccountList),
    /// It goes on without the phone. Told again and again for as long as that is so.
    Waiting(Waiting),
    /// The provider handed out a grant, and it is durable.
    Granted,
    /// The link is durable.
    Linked(LinkSummary),
    /// An explicit no.
    Failed(Failure),
    /// The provider took it and asked for more, and what it asked is lost: it begins with the first field again.
    QuestionLost,
    /// Logins at the institution that failed at these times are too many; nothing was sent.
    TooManyLogins(Vec<Timestamp>),
    /// Nothing left this machine.
    NotSent,
    /// The session's form is not the one that was filled in; nothing was sent.
    FormChanged(ProviderSession),
    /// Nobody knows.
    Unknown,
    /// It was looked for long enough.
    Lapsed,
    /// The partner has ended its request: nothing was sent, or what came of it was undone.
    RequestEnded,
    /// What came of it was not the account that the partner expects; it was undone.
    Mismatched,
    /// What came of it was not the account that the person chose; it was undone.
    OtherAccount,
}

pub(super) enum EventEffect {
    /// It was not about the present session, or not a legal move: nothing has changed.
    Ignored,
    /// The state has changed; the turn that waits goes on waiting.
    Applied,
    /// The same, and the turn that waits has its answer.
    Resolved,
}

impl Flow {
    /// Applies an event. A turn that waits for it gets its screen. Returns whether it was about the present session, or one
    /// that was set aside, and a legal move; if not, nothing has changed.
    pub fn apply(&self, state: &mut Subscriber, event: &SessionEvent, context: &StepContext<'_>) -> bool {
        self.step(state, context).apply_event(event)
    }
}

impl Step<'_> {
    fn apply_event(&mut self, event: &SessionEvent) -> bool {
        let before = self.current_question();
        let stage = self.state.session.as_ref().map(|session| session.stage);
        let effect = match event.clone() {
            SessionEvent::ProviderSessionOpened { session, result } => self.apply_opened(session, result),
            SessionEvent::AttemptResolved { id, result } => self.apply_attempt_result(id, result),
            SessionEvent::AttemptRefused { id, standing } => self.apply_refused(id, &standing),
            SessionEvent::MoreAccounts { session, result } => self.apply_more_accounts(session, result),
            SessionEvent::Unlinked(id) => {
                self.apply_unlinked(id);
                return true;
            }
            SessionEvent::LinkUndone {
                link,
                attempt,
                result,
                made,
            } => self.apply_link_undone(link, attempt, result, made.as_deref()),
            SessionEvent::ConsentRenewed { link, result } => {
                self.apply_kept(link, result);
                return true;
            }
            SessionEvent::BankAlertAnswered { session, answer } => {
                return self.apply_bank_alert_answer(session, answer);
            }
        };
        if let Some(session) = self
            .state
            .session
            .as_mut()
            .filter(|session| Some(session.stage) != stage)
        {
            // That the screen before has been seen says nothing of this one.
            session.shown = false;
            session.sms_sent = false;
        }
        if matches!(effect, EventEffect::Resolved) && self.state.awaits_reply() {
            self.show_stage();
            self.reply_with_screen();
        } else if before.is_some() && before != self.current_question() {
            self.state.cursor.stale = true;
        }
        !matches!(effect, EventEffect::Ignored)
    }

    /// A link was ended. The turn that asked for it is told, before the link is forgotten: the screen names it.
    fn apply_unlinked(&mut self, id: LinkId) {
        if self.state.awaits_reply() && self.state.cursor.link == Some(id) {
            let screen = self.flow.menu.outcome(Outcome::Unlinked);
            screen.clone_into(&mut self.state.cursor.screen);
            self.reply_with_screen();
        }
        self.state.links.retain(|link| link.id != id);
        self.state.withheld.retain(|link| link.id != id);
        self.state.ending.retain(|ending| ending.link != id);
        self.state.forget_result(id);
    }

    /// A link is gone that was not what it was said to be. That it is linked is taken back.
    fn apply_link_undone(
        &mut self,
        id: LinkId,
        attempt: AttemptId,
        result: AttemptResult,
        made: Option<&PendingAttempt>,
    ) -> EventEffect {
        let said = self.state.session.as_mut().filter(|session| {
            session.stage.is(Role::Success) && session.attempt.as_ref().is_some_and(|made| made.id == attempt)
        });
        if let Some(session) = said {
            session.result = None;
            self.follow_attempt_result(result);
        } else if let Some(made) = made.filter(|_| !self.state.is_busy()) {
            self.state.session = Some(made.to_undone());
            self.follow_attempt_result(result);
            self.state.cursor.stale = true;
        }
        self.apply_unlinked(id);
        EventEffect::Applied
    }

    /// A new consent was written, or not. The turn that asked for it is told.
    fn apply_kept(&mut self, id: LinkId, result: KeepResult) {
        if let KeepResult::Until(until) = result
            && let Some(link) = self.state.links.iter_mut().find(|link| link.id == id)
        {
            link.until = until;
        }
        let waits = self.state.awaits_reply() && self.state.cursor.link == Some(id);
        if waits {
            match result {
                KeepResult::Until(_) => self.show_outcome(Outcome::ConsentRenewed),
                KeepResult::Ended => self.show_outcome(Outcome::Unlinked),
                KeepResult::Failed => {
                    self.notice("note-not-now");
                    self.show_outcome(Outcome::EndsSoon);
                }
            }
            self.reply_with_screen();
        }
        if result != KeepResult::Failed {
            self.state.ending.retain(|ending| ending.link != id);
        }
    }

    /// What the person is being asked on the screen: the field, or an account; `None` on every other screen.
    fn current_question(&self) -> Option<(Outcome, Option<Field>)> {
        let session = self.state.session.as_ref()?;
        let asks = session.stage.is(Role::Question);
        let shown = self.state.cursor.screen == self.flow.menu.outcome(session.stage);
        (asks && shown).then(|| (session.stage, session.current_field().cloned()))
    }

    fn apply_opened(&mut self, id: ConnectSessionId, result: OpenResult) -> EventEffect {
        let waiting = self.state.awaits_reply();
        let result = match result {
            OpenResult::Waiting { ref waiting, .. } if !self.can_wait_for(waiting) => {
                OpenResult::Failed(FailureClass::Unsupported.into())
            }
            result => result,
        };
        let Some(session) = self.state.session.as_mut().filter(|session| session.id == id) else {
            return EventEffect::Ignored;
        };
        session.opening_until = None;
        if session.attempt.is_some() {
            return self.apply_opened_again(result);
        }
        match result {
            OpenResult::Open(opened) => self.apply_open(opened),
            OpenResult::Waiting {
                session: opened,
                attempt,
                waiting,
            } => self.begin_waiting(opened, attempt, waiting),
            OpenResult::Accounts { session: opened, list } => {
                session.provider_session = Some(opened);
                self.apply_account_choice(list);
            }
            OpenResult::Granted {
                session: opened,
                attempt,
            } => {
                self.begin_granted(opened, attempt);
                return EventEffect::Applied;
            }
            OpenResult::Failed(failure) => self.apply_opening_failure(&failure),
            OpenResult::Renewed => {
                session.stage = Outcome::Renewed;
                let renewed = session.renews;
                let mut links = self.state.links.iter_mut();
                session.result = links.find(|link| Some(link.id) == renewed).map(|link| {
                    link.needs_login = false;
                    link.clone()
                });
            }
            OpenResult::Unavailable(Some(pause)) if waiting || session.stage == Outcome::Checking => {
                session.stage = session.set_busy(self.context.now.plus(pause));
            }
            OpenResult::Unavailable(None) if waiting || session.stage == Outcome::Checking => {
                session.stage = Outcome::Unavailable;
            }
            OpenResult::Unavailable(_) => session.open_failed = true,
            OpenResult::Blocked => session.stage = Outcome::Blocked,
            OpenResult::RequestEnded => session.stage = Outcome::RequestOver,
        }
        EventEffect::Resolved
    }

    /// A session is open in which something is to be typed.
    fn apply_open(&mut self, opened: ProviderSession) {
        let Some(session) = &mut self.state.session else { return };
        let changed = opened.form.as_ref().is_some_and(|form| !session.answers_fit(form));
        let first = session.form.is_none();
        let asked = !first && (session.stage != Outcome::Checking || session.fields_answered > 0);
        if changed {
            session.forget_answers();
        }
        if opened.form.is_some() {
            session.form.clone_from(&opened.form);
        }
        session.provider_session = Some(opened);
        session.open_failed = false;
        if session.form.is_none() {
            session.stage = Outcome::Unsuited;
            return;
        }
        // Where another way is being looked for, nothing is asked meanwhile.
        if changed && session.stage != Outcome::ChooseMethod {
            self.ask_anew(asked);
        } else if session.stage == Outcome::Checking {
            // It was waited for before a secret.
            self.ask_next_field();
        }
    }

    /// Asks a form that is another than was thought; says so where something had been asked already.
    pub(super) fn ask_anew(&mut self, say_so: bool) {
        self.ask_next_field();
        let asks = self
            .state
            .session
            .as_ref()
            .is_some_and(|session| session.stage.is(Role::Field));
        if say_so && asks {
            self.notice("note-changed");
        }
    }
}
