//! How the menu file spells its words, for reports and pictures.

use super::{Action, Outcome};

/// Implements `ALL` and `word` for a closed set of words; a word that is forgotten here does not compile.
macro_rules! spelled {
    ($name:ident: $($variant:ident = $word:literal),+ $(,)?) => {
        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// How the menu file spells it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

spelled! { Action:
    Consent = "consent", ShowBanks = "show-banks", PickPartner = "pick-partner", PickBank = "pick-bank", PickMethod = "pick-method",
    AcceptWarning = "accept-warning", Answer = "answer", Previous = "previous", PickAccount = "pick-account",
    Check = "check", Retry = "retry", AnotherBank = "another-bank", Resume = "resume", Restart = "restart",
    Home = "home", PickLanguage = "pick-language", ShowLinks = "show-links", PickLink = "pick-link",
    Unlink = "unlink", Reauthorise = "reauthorise", TextWhenBack = "text-when-back",
    EnterPin = "enter-pin", Protect = "protect", ChoosePin = "choose-pin", ForgotPin = "forgot-pin",
}

spelled! { Outcome:
    Welcome = "welcome", ChoosePartner = "choose-partner", NoPartner = "no-partner", AskedAgain = "asked-again",
    ChooseBank = "choose-bank", NoBanks = "no-banks", ChooseMethod = "choose-method",
    Warn = "warn", Ask = "ask", AskChoice = "ask-choice", ChooseAccount = "choose-account", Checking = "checking",
    Confirming = "confirming", Unconfirmed = "unconfirmed", Refused = "refused", Unavailable = "unavailable",
    RequestOver = "request-over", Mismatched = "mismatched",
    Unsuited = "unsuited", Limited = "limited", BankDown = "bank-down", BankBusy = "bank-busy", Blocked = "blocked", Resume = "resume", News = "news",
    Linked = "linked", LinkedTwice = "linked-twice", Renewed = "renewed", Links = "links", NoLinks = "no-links",
    Link = "link", Unlinked = "unlinked", Left = "left",
    LeftChecking = "left-checking", WillText = "will-text", TextsStopped = "texts-stopped",
    EnterPin = "enter-pin", ChoosePin = "choose-pin", PinLocked = "pin-locked",
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The spelling in reports and pictures is the one that the menu file is read by.
    #[test]
    fn words_are_spelled_as_they_are_read() {
        for action in Action::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.word());
        }
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.word());
        }
    }
}
