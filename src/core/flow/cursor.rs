//! What is on the screen of the dialog in charge.

use serde::{Deserialize, Serialize};
use serde_with::apply;

use super::screen_notice::ScreenNotice;
use crate::core::defaults::is_default;
use crate::core::ids::LinkId;
use crate::core::menu::Outcome;
use crate::core::pin::Pin;

#[apply(
    Option => #[serde(default, skip_serializing_if = "is_default")],
    Vec => #[serde(default, skip_serializing_if = "is_default")],
    bool => #[serde(default, skip_serializing_if = "is_default")],
    usize => #[serde(default, skip_serializing_if = "is_default")],
)]
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScreenCursor {
    pub screen: String,
    pub page: usize,
    /// What was searched for in a list.
    pub query: Option<String>,
    /// What can be chosen on this page: the keys behind the numbers, so that a number means what was shown even if the list
    /// changes, or the keys of the fixed options.
    pub shown: Vec<String>,
    pub has_more: bool,
    /// A sentence to show above, once.
    pub notice: Option<ScreenNotice>,
    /// A sentence that stays above for as long as the pages of the same screen are turned: without it they would be others.
    pub said: Option<ScreenNotice>,
    /// Where the person was who is choosing a language.
    pub return_to: Option<Box<ReturnPoint>>,
    /// The link that the screen is about, if it is about one.
    pub link: Option<LinkId>,
    /// What the person's own code is asked for.
    pub after_pin: Option<Outcome>,
    /// A code of their own that was typed once, and is to be typed again before it is taken.
    pub new_pin: Option<Pin>,
    /// What is asked has changed since the screen was shown: the next line answers the old question, not the new one.
    pub stale: bool,
    /// What chooses the binding option by SMS; on the phone the option has its key.
    pub confirmation: Option<Confirmation>,
    /// What the person agrees to who answers yes, as it was shown.
    pub consent_text: Option<String>,
}

/// The number before the binding option in an SMS of ours.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub number: u32,
    /// The gateway's id of the SMS that ours answers: where ours was withheld, nobody can know the number.
    pub reply_to: String,
}

/// Where a person was who is choosing a language, and comes back to.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ReturnPoint {
    pub cursor: ScreenCursor,
    /// Whether that showed where the connect session stood: then it is where that stands by now that they come back to.
    pub stage: bool,
}
