//! What screens say by SMS. Other people read an inbox, on a shared phone and on a lock screen: no SMS names the bank or the
//! account that somebody has or has picked, whatever the screen says on the phone.
//!
//! * The list of banks is the same for everybody and tells nothing; it is shown, without the person's own bank first, and
//!   never narrowed to what somebody looks for. A name that finds one bank only picks it.
//! * Where a screen names the bank it says "your bank". What comes from the bank itself is not repeated: the ways to log in
//!   to it have names that it gave them, so they are for the phone, and so is a field whose label names it.
//! * Accounts, and what is done with them, are for the phone, as are secrets and the person's own code.

use super::sms_proof::binding_option;
use super::step::Step;
use crate::core::menu::{Action, ListSource, OptionTarget, Screen, ScreenKind};
use crate::core::next_step::FieldKind;
use crate::core::search;

/// Messages that say by SMS what the first of each pair says on a screen.
const VARIANTS: &[(&str, &str)] = &[
    ("approve-elsewhere", "sms-approve-elsewhere"),
    ("left", "sms-left"),
    ("limited", "sms-limited"),
    ("linked", "sms-linked"),
    ("linked-twice", "sms-linked"),
    ("mismatched", "sms-mismatched"),
    ("news", "sms-linked"),
    ("renewed", "sms-linked"),
    ("welcome", "sms-welcome"),
];

impl Step<'_> {
    /// What is sent instead of a screen that is not for SMS; the id of its message.
    pub(super) fn sms_replacement(&self, screen: &Screen) -> Option<&'static str> {
        let dialog = self.state.sms_dialog()?;
        let chosen = self
            .state
            .session
            .as_ref()
            .and_then(|session| session.institution.as_ref());
        let secret_allowed = chosen.is_some_and(|chosen| chosen.sms_allowed);
        match &screen.kind {
            ScreenKind::Input(Action::EnterPin | Action::ChoosePin) => Some("sms-own-code"),
            ScreenKind::List {
                source: ListSource::Links,
                ..
            } => Some("sms-accounts"),
            // Its entries are accounts, or called what the bank calls them.
            ScreenKind::List {
                source: ListSource::Accounts | ListSource::Methods,
                ..
            } => Some("sms-dial"),
            _ if FOR_THE_PHONE.iter().any(|action| leads_to(screen, *action)) => Some("sms-accounts"),
            _ if binding_option(screen).is_some() => (dialog.proofs_left == 0).then_some("sms-phone-only"),
            ScreenKind::Input(_)
            | ScreenKind::List {
                source: ListSource::FieldChoices,
                ..
            } => (!secret_allowed || self.field_names_bank()).then_some("sms-dial"),
            _ => None,
        }
    }

    /// The message that says by SMS what another says on a screen.
    pub(super) fn sms_wording<'a>(&self, id: &'a str) -> &'a str {
        let Some(dialog) = self.state.sms_dialog() else {
            return id;
        };
        // Nobody who has opted out is promised an SMS, nor is anybody where none will come.
        if id == "left-checking" && !dialog.opted_out && self.state.awaits_result() {
            return "sms-checking";
        }
        let own = VARIANTS.iter().find(|(screen, _)| *screen == id);
        own.map_or(id, |(_, sms)| sms)
    }

    /// Whether what is asked names the bank that asks it.
    fn field_names_bank(&self) -> bool {
        let Some(session) = &self.state.session else {
            return false;
        };
        let Some((institution, field)) = session.institution.as_ref().zip(session.current_field()) else {
            return false;
        };
        let choices = match &field.kind {
            FieldKind::OneOf(choices) => choices.as_slice(),
            _ => &[],
        };
        let choices = choices.iter().map(|choice| choice.label.as_str());
        let mut said = choices.chain([field.label.as_str()]);
        said.any(|said| names_bank(said, &institution.name))
    }
}

/// Words of names that tell nothing and have no initial.
const SMALL_WORDS: &[&str] = &["of", "the", "for", "and", "de", "la"];

/// Whether a text has a word of a bank's name, alone or within another word, or what its initials spell.
fn names_bank(text: &str, bank: &str) -> bool {
    let mut words = search::normalized_words(bank);
    words.retain(|word| !SMALL_WORDS.contains(&word.as_str()));
    let initials: String = words.iter().filter_map(|word| word.chars().next()).collect();
    let telling = words.iter().filter(|word| *word != "bank");
    let telling: Vec<_> = telling.chain((words.len() > 2).then_some(&initials)).collect();
    search::normalized_words(text).iter().any(|said| {
        let named = |word: &&String| said == *word || (word.len() > 3 && said.contains(word.as_str()));
        telling.iter().any(named)
    })
}

/// What is done to an account that is linked: all of it binds, or names the account.
const FOR_THE_PHONE: &[Action] = &[
    Action::Unlink,
    Action::Reauthorise,
    Action::AgreeAgain,
    Action::KeepSharing,
    Action::StopSharing,
    Action::Protect,
];

fn leads_to(screen: &Screen, action: Action) -> bool {
    let target = OptionTarget::Action(action);
    screen.options.iter().any(|option| option.target == target)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A label names the bank by any word of its name that tells it, by its initials, and in one word with others.
    #[test]
    fn a_label_names_the_bank() {
        for (label, bank, named) in [
            ("Zenith internet banking ID", "Zenith Bank", true),
            ("ZENITHBANK PIN", "Zenith Bank", true),
            ("Your GTB user ID", "Guaranty Trust Bank", true),
            ("UBA card number", "U.B.A", true),
            ("User ID of the bank", "Zenith Bank", false),
            ("Internet banking password", "Zenith Bank", false),
            ("Password", "First Bank of Nigeria", false),
            ("FBN token", "First Bank of Nigeria", true),
            ("First name", "First Bank of Nigeria", true),
        ] {
            assert_eq!(names_bank(label, bank), named, "{label:?} and {bank:?}");
        }
    }
}
