//! What spares letters: an answer that is known already is one key away, masked, and what takes longer than the network waits
//! is said to.

use super::field_value::{AnswerFor, field_value};
use super::state::Subscriber;
use super::step::{ActionInput, Step, Transition};
use crate::core::linking::SubmissionStep;
use crate::core::menu::{Action, MenuOption, OptionTarget, Outcome};
use crate::core::messages::TemplateArg;
use crate::core::next_step::Field;
use crate::core::secret::Secret;

/// An answer that the person need not type.
pub(super) enum Offered {
    /// The number that has dialled, as the field wants it.
    OwnNumber(Secret),
    /// What who asks has said.
    Suggested(Secret),
}

impl Step<'_> {
    /// What is offered at the question on the screen. By SMS nothing is: others read it.
    pub(super) fn offered(&self) -> Option<Offered> {
        let session = self
            .state
            .session
            .as_ref()
            .filter(|session| session.is_before_login())?;
        let field = session.current_field().filter(|_| self.state.sms_dialog().is_none())?;
        if session.stage != Outcome::Ask {
            return None;
        }
        let fits = |answer: &Secret| field_value(answer, field, AnswerFor::Login).is_ok();
        if field.asks_phone_number() {
            return self.state.own_number_as(field).map(Offered::OwnNumber);
        }
        let suggested = self.suggested_here()?;
        let name = suggested.username.as_ref().filter(|_| field.asks_user_name());
        let number = suggested.account_number.as_ref();
        let number = number.filter(|_| field.asks_account_number());
        let known = name.or(number).map(|known| Secret::new(known.expose()));
        known.filter(fits).map(Offered::Suggested)
    }

    /// The person takes what is offered.
    pub(super) fn use_offered(&mut self) -> Transition {
        match self.offered() {
            Some(Offered::OwnNumber(answer) | Offered::Suggested(answer)) => {
                self.answer_field(ActionInput::Line(answer))
            }
            None => Transition::stay("note-choice"),
        }
    }

    /// What stands beside a key.
    pub(super) fn option_label(&self, choice: &MenuOption, args: &[(&'static str, TemplateArg)]) -> String {
        if choice.target == OptionTarget::Action(Action::UseOffered)
            && let Some(Offered::Suggested(answer)) = self.offered()
        {
            return masked(answer.expose());
        }
        let label = self.label_of(choice);
        self.flow.templates.format(self.state.locale, label, args)
    }

    /// The way back from what is asked after a login leads out: a login cannot be taken back.
    fn label_of<'a>(&self, choice: &'a MenuOption) -> &'a str {
        let session = self.state.session.as_ref();
        let first =
            session.is_some_and(|session| session.step != SubmissionStep::Login && session.fields_answered == 0);
        match choice.target {
            OptionTarget::Action(Action::Previous) if first => "leave",
            _ => &choice.label,
        }
    }

    /// How long the network waits for what is asked on the screen, where most people need longer.
    pub(super) fn time_hint(&self) -> Option<String> {
        let asked = self.state.cursor.screen == self.flow.menu.outcome(Outcome::Ask);
        let field = self.state.session.as_ref()?.current_field().filter(|_| asked)?;
        let idle = self.state.dialogs.first()?.idle;
        let seconds = i64::try_from(idle.as_secs()).ok()?;
        let args = [("seconds", TemplateArg::Number(seconds))];
        let short = !idle.is_zero() && field.typing_time() > idle;
        short.then(|| self.flow.templates.format(self.state.locale, "note-time", &args))
    }
}

impl Subscriber {
    /// Their number in the first spelling that the field takes.
    fn own_number_as(&self, field: &Field) -> Option<Secret> {
        let spellings = self.msisdn.spellings().map(Secret::new);
        spellings
            .into_iter()
            .find(|number| field_value(number, field, AnswerFor::Login).is_ok())
    }
}

/// For somebody who knows it: of a number the last digits, as of accounts; of a name its first two letters, and of an address
/// also the first of where it is.
fn masked(answer: &str) -> String {
    let digits = answer.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        let hidden = answer.len().saturating_sub(4).max(answer.len() / 2);
        return format!("..{}", &answer[hidden..]);
    }
    let (name, place) = answer.split_once('@').unwrap_or((answer, ""));
    let shown: String = name.chars().take(2.min(name.chars().count() / 2)).collect();
    match place.chars().next() {
        Some(first) => format!("{shown}..@{first}.."),
        None => format!("{shown}.."),
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    /// Enough is shown for somebody who knows it, and never all of it.
    #[test]
    fn what_is_offered_is_masked() {
        for (answer, shown) in [
            ("ada.obi@example.com", "ad..@e.."),
            ("ada.obi", "ad.."),
            ("ada", "a.."),
            ("a", ".."),
            ("0123456789", "..6789"),
            ("1234", "..34"),
            ("\u{e9}l@x", "\u{e9}..@x.."),
        ] {
            assert_eq!(masked(answer), shown, "{answer}");
        }
    }
}
