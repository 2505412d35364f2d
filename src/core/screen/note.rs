//! A note above a page. It must never take away what can be chosen: after a wrong key people look for the right one.

use super::{ScreenDraft, ScreenPage, lay_out};
use crate::core::gsm7;

/// The least septets in which the beginning of a text, or of a note, says anything.
const LEAST_WORDS: usize = 16;

impl ScreenPage {
    /// Whether this note fits above the page as it is.
    pub fn has_room_for(&self, note: &str, septets: usize) -> bool {
        let cost = gsm7::folded_septets(&self.text) + 1 + gsm7::folded_septets(&gsm7::fold_lines(note));
        cost <= septets.max(super::MIN_SEPTETS)
    }

    /// The same page with a note above, of at most `septets`. All that can be chosen stays as it is. Where there is no room for
    /// both, the page's text is cut, then left out, and then the note is cut; where the text is `binding`, the note is
    /// left out instead.
    #[must_use]
    pub fn with_note(mut self, note: &str, septets: usize, binding: bool) -> Self {
        let note = gsm7::fold_lines(note);
        let lines: Vec<&str> = self.text.lines().collect();
        let (says, options) = lines.split_at(lines.len().saturating_sub(self.option_lines));
        let says = says.join("\n");
        let options: String = options.iter().flat_map(|line| ["\n", *line]).collect();
        let room = septets
            .max(super::MIN_SEPTETS)
            .saturating_sub(gsm7::folded_septets(&options));
        let cost = gsm7::folded_septets(&note);
        let left = room.saturating_sub(cost + 1);
        let above = if says.is_empty() && cost <= room {
            note
        } else if !says.is_empty() && gsm7::folded_septets(&says) <= left {
            format!("{note}\n{says}")
        } else if binding {
            return self;
        } else if left >= LEAST_WORDS && !says.is_empty() {
            format!("{note}\n{}", gsm7::clean_name(&says, left))
        } else if room >= LEAST_WORDS {
            gsm7::clean_name(&note, room)
        } else {
            return self;
        };
        self.text = format!("{above}{options}");
        self
    }
}

/// A list with a note in it, for as long as its pages are turned. Where the list's own text leaves no room for as many names as
/// without the note, the note is instead of it.
pub fn noted_list(draft: &ScreenDraft, note: &str, septets: usize) -> ScreenDraft {
    let with = |text: String| ScreenDraft { text, ..draft.clone() };
    let names = |draft: &ScreenDraft| lay_out(draft, 0, septets).shown.len();
    let both = with(format!("{note}\n{}", draft.text));
    if names(&both) == names(draft) {
        both
    } else {
        with(note.to_owned())
    }
}
