//! What screens say by SMS. Other people read an inbox, on a shared phone and on a lock screen: no SMS names the bank or the
//! account that somebody has or has picked, whatever the screen says on the phone.
//!
//! * The list of banks is the same for everybody and tells nothing; it is shown, without the person's own bank first. A name
//!   that finds one bank only picks it, so that no list of one names it.
//! * Where a screen names the bank it says "your bank". What comes from the bank itself is not repeated.
//! * Accounts, and what is done with them, are for the phone, as are secrets and the person's own code.

use super::sms_proof::binding_option;
use super::step::Step;
use crate::core::menu::{Action, ListSource, OptionTarget, Screen, ScreenKind};

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
            // Its entries are accounts.
            ScreenKind::List {
                source: ListSource::Accounts,
                ..
            } => Some("sms-dial"),
            _ if FOR_THE_PHONE.iter().any(|action| leads_to(screen, *action)) => Some("sms-accounts"),
            _ if binding_option(screen).is_some() => (dialog.proofs_left == 0).then_some("sms-phone-only"),
            ScreenKind::Input(_)
            | ScreenKind::List {
                source: ListSource::FieldChoices,
                ..
            } => (!secret_allowed).then_some("sms-dial"),
            // The warning is of what is typed on the phone: it is given there.
            ScreenKind::Choices if leads_to(screen, Action::AcceptWarning) => (!secret_allowed).then_some("sms-dial"),
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

    /// What comes from the bank, as it may be repeated: by SMS without its name.
    pub(super) fn without_bank(&self, text: String) -> String {
        let session = self
            .state
            .session
            .as_ref()
            .filter(|_| self.state.sms_dialog().is_some());
        let Some(institution) = session.and_then(|session| session.institution.as_ref()) else {
            return text;
        };
        let name = institution.name.to_ascii_lowercase();
        if name.is_empty() {
            return text;
        }
        let word = self.text("your-bank");
        let (mut rest, mut clean) = (text.as_str(), String::new());
        while let Some(at) = rest.to_ascii_lowercase().find(&name) {
            clean.push_str(&rest[..at]);
            clean.push_str(&word);
            rest = &rest[at + name.len()..];
        }
        clean + rest
    }
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
