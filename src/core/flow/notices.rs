//! What a person is told at the beginning of a dial, before what they have dialled for.
//!
//! In this order: an outcome that they have not heard of, a link that needs a new login, a consent that ends soon. Each
//! has a screen of its own, and each is told once a dial: answering it, or 0, leads on to the next one, and behind the last
//! to where a dial begins otherwise. What is under way or was begun goes before all of them (`entry.rs`), and a code that is
//! dialled leads past them, straight to what is behind it. By SMS nothing of it is told: what it names is not for texts.

use super::offers;
use super::session::{LinkSummary, Notice};
use super::state::Subscriber;
use super::step::{Step, Transition};
use crate::core::ids::LinkId;
use crate::core::menu::Outcome;

/// How many new logins are told of in one dial: more screens than that nobody reads.
const MAX_LOGINS: usize = 5;

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
                Notice::NeedsLogin(link) if self.tells_login(link) => {
                    self.state.cursor.link = Some(link);
                    Outcome::NeedsLogin
                }
                Notice::EndsSoon(link) if self.state.ending(link).is_some() => {
                    self.state.cursor.link = Some(link);
                    Outcome::EndsSoon
                }
                Notice::NeedsLogin(_) | Notice::EndsSoon(_) => continue,
            };
            return Some(outcome.into());
        }
        None
    }

    /// Whether this link still needs a login that is to be told of. Where the one partner that waits for the person asks for
    /// just that, its own screen comes next and says it.
    fn tells_login(&self, link: LinkId) -> bool {
        let needs = self
            .state
            .links
            .iter()
            .any(|known| known.id == link && known.needs_login);
        needs && (self.state.ending(link).is_some() || self.only_request() != Some(link))
    }

    /// Whether the login that a link needs is known to be impossible here: no secret may be typed for its bank, and the bank
    /// has no way to log in without one.
    pub(super) fn login_is_elsewhere(&self, link: &LinkSummary) -> bool {
        let bank = self.chosen_institution(&link.provider, link.institution_ids(), &link.institution_name);
        let key = offers::offer_key(&link.provider, &link.institution_id);
        let offers = self.context.offers.filter(|_| self.context.all_lists_read);
        bank.deny && offers.is_some_and(|offers| offers.find(&key).is_none())
    }
}

impl Subscriber {
    /// All that is to be told, the most urgent first. Of several consents the one that ends first comes first.
    fn pending_notices(&self) -> Vec<Notice> {
        let logins = self.links.iter().filter(|link| link.needs_login).take(MAX_LOGINS);
        let logins = logins.map(|link| Notice::NeedsLogin(link.id));
        let ending = self.ending.iter().map(|ending| Notice::EndsSoon(ending.link));
        logins.chain(ending).collect()
    }
}
