//! Everything that the menu can ask the server to do, and where each may lead.

use serde::{Deserialize, Serialize};

use super::outcome::{Outcome, Role};

/// Declares the actions: the menu's word for each, and what it may lead to: every outcome of some roles, and some others.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal => [$($role:ident)*] $($outcome:ident)*,)+) => {
        /// What choosing an option, picking from a list or typing an answer asks the server to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Action {
            $($(#[$doc])* #[serde(rename = $word)] $name,)+
        }

        impl Action {
            /// Every one of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The menu's word for it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            fn leads_to(self, outcome: Outcome) -> bool {
                let (roles, others): (&[Role], &[Outcome]) = match self {
                    $(Self::$name => (&[$(Role::$role),*], &[$(Outcome::$outcome),*]),)+
                };
                others.contains(&outcome) || roles.iter().any(|role| outcome.is(*role))
            }
        }
    };
}

actions! {
    /// Agree to the consent on the screen; a connect session begins.
    Consent = "consent" => [Institutions Login InProgress] ChoosePin LeftChecking,
    /// Show the list of institutions, or go on with the only one that is asked for.
    ShowBanks = "show-banks" => [Institutions Login InProgress] ChoosePin LeftChecking,
    /// Show who else asks or offers.
    ShowPartners = "show-partners" => [] ChoosePartner Welcome AskedAgain EnterPin,
    PickPartner = "pick-partner" => [] Welcome AskedAgain EnterPin,
    PickBank = "pick-bank" => [Login InProgress] NoBanks NoWay LeftChecking,
    PickMethod = "pick-method" => [Field Obstacle] Checking,
    /// Show the institution's other ways to log in.
    OtherWay = "other-way" => [] ChooseMethod Checking LeftChecking,
    /// Answer the field that is being asked.
    Answer = "answer" => [Field Obstacle InProgress] Limited Blocked LeftChecking,
    /// Answer the field with what is known already.
    UseOffered = "use-offered" => [Field Obstacle InProgress] Limited Blocked LeftChecking,
    /// Back to the field before, or to the institutions.
    Previous = "previous" => [Field Institutions] Left Checking LeftChecking Welcome ChoosePartner,
    /// Pick one of the accounts that the provider found.
    PickAccount = "pick-account" => [] Checking ChooseAccount ChooseAccounts LeftChecking,
    /// Pick one or more of the accounts that the provider found.
    PickAccounts = "pick-accounts" => [] Checking ChooseAccount ChooseAccounts LeftChecking,
    /// Send the link to the page again.
    SendPageLink = "send-page-link" => [Stage] LeftChecking,
    /// Look whether the provider has answered.
    Check = "check" => [Stage] LeftChecking EnterPin,
    /// Try the same institution again.
    Retry = "retry" => [Institutions Login Question InProgress] LeftChecking,
    /// Choose another institution; a renewal has none, and is over.
    AnotherBank = "another-bank" => [Institutions Start InProgress] LeftChecking,
    /// Go on where the connect session stands.
    Resume = "resume" => [Stage] LeftChecking EnterPin,
    /// Forget the connect session.
    Restart = "restart" => [Start] EnterPin NeedsLogin EndsSoon,
    /// Back to where a dial begins.
    Home = "home" => [Entry Institutions Login InProgress] EnterPin ChoosePin,
    PickLanguage = "pick-language" => [Entry Institutions Login InProgress] EnterPin ChoosePin,
    ShowLinks = "show-links" => [] Links NoLinks LinksUnused EnterPin,
    PickLink = "pick-link" => [] Links NoLinks LinksUnused Link,
    Unlink = "unlink" => [] Checking Links NoLinks LinksUnused Unlinked,
    /// Log in again for a link.
    Reauthorise = "reauthorise" => [Obstacle InProgress] Limited Links NoLinks LinksUnused LeftChecking AskedAgain,
    /// Agree to what a partner asks of a link, and log in again for it.
    AgreeAgain = "agree-again" => [Obstacle InProgress] Limited Links NoLinks LinksUnused LeftChecking,
    /// Agree again to what ends soon; where the provider ends its access, too, log in again for it.
    KeepSharing = "keep-sharing" => [Obstacle InProgress] Limited Links NoLinks LinksUnused LeftChecking ConsentRenewed Unlinked EndsSoon,
    /// Let nothing be read any more, at once.
    StopSharing = "stop-sharing" => [] Checking Links NoLinks LinksUnused Unlinked,
    /// Ask for an SMS when the institution is back; one that is back by then is tried again at once.
    RequestBankAlert = "text-when-back"
        => [Institutions Login Question InProgress] AlertPromised SmsOptedOut LeftChecking,
    /// Type one's own code; the right one leads to what stands behind it.
    EnterPin = "enter-pin" => [Entry Stage] Links PinLocked,
    /// Begin to choose a code of one's own.
    Protect = "protect" => [] ChoosePin,
    /// Choose a code of one's own, and go on with the linking, or to what is linked.
    ChoosePin = "choose-pin" => [Institutions Login InProgress] Links NoLinks LinksUnused LeftChecking,
    /// Choose none after all: to the first of the two times that it is typed, to what is linked, or to where a dial begins.
    BackFromPin = "back-from-pin" => [Entry] Links NoLinks LinksUnused EnterPin,
    /// Begin without the code, which is forgotten; what is under way is not shown.
    ForgotPin = "forgot-pin" => [Start] EnterPin,
}

impl Action {
    /// Whether it agrees to the text of its screen.
    pub fn agrees(self) -> bool {
        matches!(self, Self::Consent | Self::AgreeAgain | Self::KeepSharing)
    }

    /// Everything that it can lead to, in the order of the outcomes' table.
    pub fn outcomes(self) -> impl Iterator<Item = Outcome> {
        Outcome::ALL
            .iter()
            .copied()
            .filter(move |outcome| self.leads_to(*outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words in reports and pictures are those that the menu file is read by, and none is there twice.
    #[test]
    fn words_are_spelled_as_they_are_read() {
        for action in Action::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
        }
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
        }
    }
}
