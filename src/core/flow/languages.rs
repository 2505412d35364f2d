//! The language: which ones are offered, how one is chosen wherever the person is, and that it is remembered.
//!
//! Who cannot read a screen cannot find "Language" on it either. So languages are offered by their own names, and one key
//! changes the language on every screen: [`LANGUAGE_KEY`]. It is no digit, so that no screen needs it for a choice, and
//! alone it answers nothing that a bank asks. Afterwards the person is where they were.

use super::cursor::{ReturnPoint, ScreenCursor};
use super::effect::Effect;
use super::state::{ReplySlot, TurnReply};
use super::step::{Step, Transition};
use crate::core::gsm7;
use crate::core::menu::{MenuOption, OptionTarget, Outcome, Screen, ScreenKind};
use crate::core::messages::Locale;
use crate::core::screen::{KeyOption, ScreenDraft, lay_out};

/// The key that changes the language, on every screen alike.
pub(super) const LANGUAGE_KEY: char = '#';

/// The most languages that are named beside a key.
const MOST_NAMED: usize = 3;

/// Septets that their names may take.
const MAX_NAMES: usize = 20;

impl Step<'_> {
    /// The languages that are offered here, in order: that of the operator's own words, if they have one.
    pub(super) fn languages(&self) -> &[Locale] {
        self.offered_languages.get_or_init(|| self.offer_languages())
    }

    fn offer_languages(&self) -> Vec<Locale> {
        let configured = &self.flow.settings.languages;
        let mut offered = if configured.is_empty() {
            // By the number: what comes without a dialog, such as a bank's answer, says no country.
            Locale::all_in(self.state.msisdn.country().unwrap_or(self.context.country))
        } else {
            configured.clone()
        };
        let order = &self.flow.order.languages;
        if *order != Locale::ALL {
            offered.sort_by_key(|locale| order.iter().position(|ordered| ordered == locale));
        }
        offered
    }

    /// Whether there is another language than the one that is spoken.
    pub(super) fn other_language(&self) -> bool {
        self.languages().iter().any(|locale| *locale != self.state.locale)
    }

    /// The first `most` other languages, as far as there is room to name them, each in its own words.
    pub(super) fn language_names(&self, most: usize) -> String {
        let others = self.languages().iter().filter(|locale| **locale != self.state.locale);
        let mut named = String::new();
        for name in others.map(|locale| locale.own_name()).take(most) {
            let separator = if named.is_empty() { "" } else { "/" };
            let longer = format!("{named}{separator}{name}");
            if gsm7::folded_septets(&longer) > MAX_NAMES {
                break;
            }
            named = longer;
        }
        named
    }

    /// A screen that names as many languages as leave what can be chosen on one page, below the note if there is one: a
    /// language less beats a key that is on another page. `draft` makes it with so many.
    pub(super) fn with_languages(
        &self,
        screen: &Screen,
        draft: impl Fn(usize) -> ScreenDraft,
        note: Option<&str>,
        septets: usize,
    ) -> ScreenDraft {
        let names = |option: &MenuOption| self.leads_to_languages(&option.target);
        if !screen.options.iter().any(names) {
            return draft(MOST_NAMED);
        }
        let fits = |draft: &ScreenDraft, note: Option<&str>| {
            let page = lay_out(draft, 0, septets);
            !page.has_more && note.is_none_or(|note| page.has_room_for(note, septets))
        };
        let fitting = |note| (1..=MOST_NAMED).rev().map(&draft).find(|draft| fits(draft, note));
        fitting(note)
            .or_else(|| fitting(None))
            .unwrap_or_else(|| draft(MOST_NAMED - 1))
    }

    /// The line that says how the language is changed, on a screen that has no option for it. It is for those who have not
    /// chosen a language, and on the first screen of a dialog for other people who use the phone.
    pub(super) fn language_line(&self, screen: &Screen) -> Option<KeyOption> {
        let dialog = self.state.dialogs.first()?;
        let wanted = !self.state.language_chosen || !dialog.used;
        let has_option = screen
            .options
            .iter()
            .any(|option| self.leads_to_languages(&option.target));
        (wanted && !has_option && self.takes_language_key(screen)).then(|| KeyOption {
            key: LANGUAGE_KEY,
            label: self.language_names(MOST_NAMED),
        })
    }

    /// Whether the key for the language changes it on this screen. An SMS says the language's name instead.
    pub(super) fn takes_language_key(&self, screen: &Screen) -> bool {
        let asks = !matches!(screen.kind, ScreenKind::End) && self.flow.menu.languages() != Some(screen.id.as_str());
        asks && self.state.sms_dialog().is_none() && self.other_language()
    }

    pub(super) fn leads_to_languages(&self, target: &OptionTarget) -> bool {
        matches!(target, OptionTarget::Screen(to) if self.flow.menu.languages() == Some(to))
    }

    /// Whether this is dialled for the language: the key that it has on the first screen, wherever the dial leads.
    pub(super) fn dials_language(&self, typed: &str) -> bool {
        let first = self.flow.menu.screen(&self.flow.menu.start);
        let mut options = first.into_iter().flat_map(|screen| &screen.options);
        options.any(|option| option.key.to_string() == typed && self.leads_to_languages(&option.target))
    }

    pub(super) fn pick_language(&mut self, tag: &str) -> Transition {
        if let Some(locale) = Locale::from_tag(tag) {
            self.choose_language(locale);
        }
        self.leave_languages().unwrap_or_else(|| self.entry())
    }

    /// Shows the languages, and keeps in mind where the person is.
    pub(super) fn open_languages(&mut self) -> Transition {
        let Some(languages) = self.flow.menu.languages() else {
            return Transition::stay("note-choice");
        };
        let stage = self.state.session.as_ref().map(|session| session.stage);
        let cursor = std::mem::take(&mut self.state.cursor);
        let stage = stage.is_some_and(|stage| cursor.screen == self.flow.menu.outcome(stage));
        self.state.cursor = ScreenCursor {
            screen: languages.to_owned(),
            link: cursor.link,
            return_to: Some(Box::new(ReturnPoint { cursor, stage })),
            ..ScreenCursor::default()
        };
        // Nobody waits any more for what the dial would have led to.
        self.state.set_reply(ReplySlot::Set(TurnReply::ask(String::new())));
        Transition::Stay(None)
    }

    /// Back to where the person was, in the language that they speak by now. `None` where that is not known.
    pub(super) fn leave_languages(&mut self) -> Option<Transition> {
        let ReturnPoint { cursor, stage } = *self.state.cursor.return_to.take()?;
        let now = self.state.session.as_ref().map(|session| session.stage);
        if stage && now.is_none_or(|now| cursor.screen != self.flow.menu.outcome(now)) {
            return Some(now.map_or_else(|| self.entry(), Transition::Outcome));
        }
        // There is where a dial begins, and where what is still to be told comes first.
        if cursor.screen == self.flow.menu.outcome(Outcome::Welcome) {
            return Some(self.entry());
        }
        let screen = self.flow.menu.screen(&cursor.screen);
        let list = screen.is_some_and(|screen| matches!(screen.kind, ScreenKind::List { .. }));
        self.state.cursor = ScreenCursor {
            // What is read is read from its beginning, and what is picked stands where it stood.
            page: if list { cursor.page } else { 0 },
            notice: None,
            said: None,
            stale: false,
            ..cursor
        };
        Some(Transition::Stay(None))
    }

    /// The person has chosen this language.
    pub(super) fn choose_language(&mut self, locale: Locale) {
        self.state.locale = locale;
        self.state.language_chosen = true;
        self.effects.push(Effect::SaveLanguage(locale));
    }

    /// The language that they chose another time, where the live value does not know it.
    pub(super) fn recall_language(&mut self, chosen: Option<Locale>) {
        if let Some(locale) = chosen.filter(|_| !self.state.language_chosen) {
            self.state.locale = locale;
            self.state.language_chosen = true;
        }
    }
}
