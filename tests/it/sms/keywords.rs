//! Keywords against everything that people may answer with.

use kiungo::core::menu::{Action, Menu, OptionTarget, ScreenKind};
use kiungo::core::messages::{Locale, Templates};
use kiungo::core::sms_keywords::Keyword;
use kiungo::sandbox::bank::nigeria;

/// No option of the menu in any language, and no bank, is taken for an opt-out, or for wanting texts again: who texts the
/// words of a choice instead of its number has not left us.
#[test]
fn no_answer_is_an_opt_out() {
    let (menu, templates) = (Menu::embedded().unwrap(), Templates::embedded().unwrap());
    let mut answers: Vec<String> = nigeria::INSTITUTIONS.iter().map(|bank| bank.name.to_owned()).collect();
    for screen in menu.screens().filter(|screen| screen.kind != ScreenKind::End) {
        for locale in Locale::ALL {
            answers.extend(
                screen
                    .options
                    .iter()
                    // That screen is for the phone only.
                    .filter(|option| option.target != OptionTarget::Action(Action::StopSharing))
                    .map(|option| templates.format(locale, &option.label, &[])),
            );
        }
    }
    assert!(answers.len() > 300, "{}", answers.len());
    for answer in answers {
        let said = Keyword::recognize(&answer).0;
        assert!(
            !matches!(said, Keyword::Stop | Keyword::Start | Keyword::Yes),
            "{answer}: {said:?}"
        );
    }
}
