//! What a person is told at the beginning of a dial, before what they have dialled for.
//!
//! In this order: an outcome that they have not heard of, a link that needs a new login, a consent that ends soon. Each
//! has a screen of its own, and each is told once a dial: answering it, or 0, leads on to the next one, and behind the last
//! to where a dial begins otherwise. What is under way or was begun goes before all of them (`entry.rs`), and a code that is
//! dialled leads past them, straight to what is behind it. By SMS nothing of it is told: what it names is not for texts.

use super::session::Notice;
use super::state::Subscriber;
use super::step::{Step, Transition};
use crate::core::menu::Outcome;

impl Step<'_> {
    /// A dialog begins: what is to be told in it, as the records knew when it began.
    pub(super) fn collect_notices(&mut self) {
        self.state.notices = self.state.pending_notices();
    }

    /// The screen of the next thing to be told, if there is one.
    pub(super) fn next_notice(&mut self) -> Option<Transition> {
        if self.state.sms_dialog().is_some() {
            return None;
        }
        while !self.state.notices.is_empty() {
            let outcome = match self.state.notices.remove(0) {
                Notice::EndsSoon(link) if self.state.ending(link).is_some() => {
                    self.state.cursor.link = Some(link);
                    Outcome::EndsSoon
                }
                Notice::EndsSoon(_) => continue,
            };
            return Some(outcome.into());
        }
        None
    }
}

impl Subscriber {
    /// All that is to be told, the most urgent first. Of several consents the one that ends first comes first.
    fn pending_notices(&self) -> Vec<Notice> {
        self.ending.iter().map(|ending| Notice::EndsSoon(ending.link)).collect()
    }
}
