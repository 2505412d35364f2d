//! Choosing among the accounts that the provider found: one, several, or more of another kind.

use super::effect::{Effect, MoreAccounts, OpenSession};
use super::events::{EventEffect, MoreAccountsResult};
use super::step::{Step, Transition};
use crate::core::chosen_account::last_digits;
use crate::core::ids::ConnectSessionId;
use crate::core::linking::SubmissionStep;
use crate::core::menu::Outcome;
use crate::core::next_step::FailureClass;
use crate::core::secret::Secret;

/// The key behind the list's last entry, which asks for more accounts: no provider's.
pub(super) const MORE_ACCOUNTS: &str = "\u{0}more";

/// What may stand between the numbers of several accounts.
const BETWEEN_NUMBERS: [char; 5] = [',', ' ', '.', ';', '+'];

/// The numbers of several entries of a list, typed in one line; `None` where it is anything else.
pub(super) fn typed_numbers(typed: &str) -> Option<Vec<usize>> {
    let parts = typed.split(BETWEEN_NUMBERS).filter(|part| !part.is_empty());
    let mut numbers = Vec::new();
    for part in parts {
        let number = part.parse().ok()?;
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    (!numbers.is_empty()).then_some(numbers)
}

impl Step<'_> {
    /// Stands at the choice among the accounts.
    pub(super) fn ask_account(&mut self) -> Transition {
        let session = self.state.session.as_ref();
        let stage = session.map_or(Outcome::ChooseAccount, |session| session.accounts.stage());
        self.set_stage(stage)
    }

    /// Picks among the accounts, or asks for more of them.
    pub(super) fn pick_accounts(&mut self, keys: Vec<String>) -> Transition {
        let Some(session) = &mut self.state.session else {
            return Outcome::Welcome.into();
        };
        if keys == [MORE_ACCOUNTS] {
            return self.more_accounts();
        }
        let list = &session.accounts;
        let known = |key: &String| list.accounts.iter().any(|account| account.key == *key);
        if keys.is_empty() || !keys.iter().all(known) || (keys.len() > 1 && !list.many) {
            return Transition::stay("note-choice");
        }
        let picked = list.accounts.iter().filter(|account| keys.contains(&account.key));
        let chosen = picked.map(|account| last_digits(&account.masked)).collect();
        if let Some(provider_session) = &mut session.provider_session {
            provider_session.chosen = chosen;
        }
        session.step = SubmissionStep::Choose;
        session.answers.clear();
        self.submit(keys.into_iter().map(|key| (String::new(), Secret::new(key))).collect())
    }

    /// The list stays on the screen until the provider has shown more.
    fn more_accounts(&mut self) -> Transition {
        let Some(session) = &self.state.session else {
            return Outcome::Welcome.into();
        };
        let (Some(more), Some(provider_session), Some(open)) = (
            session.accounts.more.clone(),
            session.provider_session.clone(),
            OpenSession::for_session(session),
        ) else {
            return Transition::stay("note-choice");
        };
        let attempt = session.attempt.as_ref().map(|attempt| attempt.id);
        self.effects.push(Effect::MoreAccounts(Box::new(MoreAccounts {
            open,
            provider_session,
            more,
            attempt,
        })));
        Transition::WaitInPlace
    }

    /// The provider was asked for more accounts. Nothing is lost where it has none.
    pub(super) fn apply_more_accounts(&mut self, id: ConnectSessionId, result: MoreAccountsResult) -> EventEffect {
        let waiting = self.state.awaits_reply();
        let choosing = |stage: Outcome| matches!(stage, Outcome::ChooseAccount | Outcome::ChooseAccounts);
        let Some(session) = self
            .state
            .session
            .as_mut()
            .filter(|session| session.id == id && choosing(session.stage))
        else {
            return EventEffect::Ignored;
        };
        let notice = match result {
            MoreAccountsResult::Found(list) if !list.accounts.is_empty() => {
                session.stage = list.stage();
                session.accounts = list;
                None
            }
            MoreAccountsResult::Found(_) => {
                session.accounts.more = None;
                Some("note-no-more")
            }
            MoreAccountsResult::Failed(failure) if failure.class != FailureClass::Busy => {
                self.apply_failure(&failure);
                None
            }
            MoreAccountsResult::Failed(_) | MoreAccountsResult::Unavailable => Some("note-not-now"),
        };
        if let Some(notice) = notice.filter(|_| waiting) {
            self.notice(notice);
        }
        EventEffect::Resolved
    }
}
