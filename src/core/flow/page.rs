//! What goes onto a page besides the screen: the note above it, and hints where there is room.
//!
//! A note never takes the place of what can be chosen. That a key is wrong is said above the very page that is on the
//! screen, and its text gives way. What must be read, above a list or above what is agreed to, is part of the text,
//! and stays in it while pages are turned: else what it has moved to the next page would be on none.

use super::state::ScreenNotice;
use super::step::Step;
use crate::core::gsm7;
use crate::core::menu::wording::WRONG_KEY;
use crate::core::menu::{Screen, ScreenKind};
use crate::core::messages::TemplateArg;
use crate::core::screen::{ScreenDraft, ScreenPage, lay_out, noted_list};

/// What messages are filled in with.
type MessageArgs = Vec<(&'static str, TemplateArg)>;

impl Step<'_> {
    /// What is said above the screen, if something is. On a list, and above what binds, it stays while pages are turned.
    pub(super) fn take_note(&mut self, screen: &Screen, mut args: MessageArgs) -> Option<String> {
        let cursor = &mut self.state.cursor;
        let notice = cursor.notice.take();
        let list = matches!(screen.kind, ScreenKind::List { .. });
        let stays = |notice: &ScreenNotice| notice.id != WRONG_KEY && (list || screen.binds());
        if notice.as_ref().is_some_and(stays) {
            cursor.said.clone_from(&notice);
        }
        let notice = notice.or_else(|| cursor.said.clone())?;
        notice.fill(&mut args);
        Some(self.flow.templates.format(self.state.locale, &notice.id, &args))
    }

    /// Fits a draft into the page that the cursor is on, with a note above it. What there is room for besides is said, too, where
    /// `hints` are what it is filled in with: it takes the place of nothing.
    pub(super) fn compose(
        &self,
        screen: &Screen,
        draft: &ScreenDraft,
        note: Option<&str>,
        (septets, hints): (usize, Option<MessageArgs>),
    ) -> ScreenPage {
        let mut draft = draft.clone();
        let mut note = note;
        if let (Some(said), Some(_)) = (note, &self.state.cursor.said) {
            draft = match screen.kind {
                ScreenKind::List { .. } => noted_list(&draft, said, septets),
                _ => ScreenDraft {
                    text: format!("{said}\n{}", draft.text),
                    ..draft
                },
            };
            note = None;
        }
        let page = |draft: &ScreenDraft| lay_out(draft, self.state.cursor.page, septets);
        let mut drawn = page(&draft);
        let fits = |with: &ScreenPage| !with.has_more && note.is_none_or(|note| with.has_room_for(note, septets));
        if let Some(args) = &hints {
            let taken = note.map_or(0, |note| gsm7::folded_septets(&gsm7::fold_lines(note)) + 1);
            let hinted = self.with_hints((draft.clone(), drawn.clone()), args, septets.saturating_sub(taken));
            if fits(&hinted.1) {
                (draft, drawn) = hinted;
            }
        }
        if let Some(line) = self.language_line(screen).filter(|_| hints.is_some()) {
            let whole = format!("{} {}", line.key, line.label);
            draft.tail.insert(0, line);
            let with = page(&draft);
            let whole = with.text.lines().any(|shown| shown == whole);
            if whole && with.number == 0 && with.shown == drawn.shown && fits(&with) {
                drawn = with;
            }
        }
        match note {
            Some(note) => drawn.with_note(note, septets, screen.binds()),
            None => drawn,
        }
    }
}
