//! Fits text and options into a gateway's page.
//!
//! A screen of a keypad phone holds a fixed number of septets. What does not fit goes to further pages behind `9 More`,
//! which the last page does not have. Every page ends in the same tail (`0 Back`). From the top, a page is:
//!
//! ```text
//! Choose your bank:     the text: cut between words over as many pages as it needs; a short one is repeated on each
//! 1 Access              the options: never cut apart, numbered again on each page when they are a list
//! 2 Zenith
//! 9 More                only when there is more
//! 0 Back                the tail
//! ```
//!
//! [`lay_out`] lays a draft out from its first page on until it reaches the page asked for; nothing is kept between two
//! pages, so the same draft and number always give the same page. Everything is folded to the alphabet of the screen in
//! here, so that no caller can forget it. Room is shared out so that any draft, however absurd, makes progress on every
//! page of at least [`MIN_SEPTETS`]: the tail gets at most a third of the page, the word for more a sixth, a repeated
//! text a quarter, and what is left is enough for at least one (cut) option.
//!
//! The keys 98 and 00 are left to operators, who use them for their own paging: a key here is one character.

mod note;

use std::ops::Range;

pub use self::note::noted_list;
use super::gsm7;

/// The smallest page that can be laid out, in septets; a smaller one is treated as this.
pub const MIN_SEPTETS: usize = 60;
/// The most options of a list on one page: 9 is more and 0 is back.
pub const MAX_NUMBERED: usize = 8;
/// The key of the next page.
pub const MORE_KEY: char = '9';

/// The least septets of a tail line, its line break included: break, key, space and three of its label.
const LEAST_TAIL_LINE: usize = 6;

/// An option with a key of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOption {
    /// What to press. `9` belongs to [`ScreenDraft::more`] on a draft of several pages.
    pub key: char,
    pub label: String,
}

/// What can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftOptions {
    /// A few options, each with its own key.
    Fixed(Vec<KeyOption>),
    /// A list of any length; each page numbers its part of it from 1 to at most [`MAX_NUMBERED`].
    Numbered(Vec<String>),
}

/// A screen before it is fitted into pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreenDraft {
    /// What is said above the options. Its line breaks are kept.
    pub text: String,
    /// What can be chosen.
    pub options: DraftOptions,
    /// Options at the end of every page, such as back.
    pub tail: Vec<KeyOption>,
    /// The label of the key that shows the next page.
    pub more: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreenPage {
    /// What is shown, folded.
    pub text: String,
    /// Which of [`ScreenDraft::options`] are on this page; in a list, the first of them has the key 1.
    pub shown: Range<usize>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// The number of this page, from 0.
    pub number: usize,
    /// How many lines at its end are options, those for more and back included.
    pub option_lines: usize,
}

/// The page of the draft with this number (from 0), of at most `septets`; the last page when there are not so many.
pub fn lay_out(draft: &ScreenDraft, number: usize, septets: usize) -> ScreenPage {
    let layout = Layout::of(draft, septets.max(MIN_SEPTETS));
    let (mut cursor, mut current) = (LayoutPosition::default(), 0);
    loop {
        let (lines, next) = layout.fill(cursor, layout.room(false));
        if layout.is_end(next) {
            return layout.assemble(lines, cursor..next, None, current);
        }
        let (lines, next) = layout.fill(cursor, layout.room(true));
        // The shares of the page leave room for something on each; were that ever wrong, a page too few beats no end.
        if current == number || next == cursor {
            return layout.assemble(lines, cursor..next, Some(&layout.more), current);
        }
        (cursor, current) = (next, current + 1);
    }
}

/// How many entries of a list decide what is on the page with this number: those of the pages up to it, and one more that
/// says whether there is another.
pub const fn needed_entries(number: usize) -> usize {
    MAX_NUMBERED * (number + 1) + 1
}

/// How much of a draft has been laid out.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct LayoutPosition {
    /// Bytes of the folded text.
    text: usize,
    /// Options, and after them the tail lines that had no room at the end of every page.
    options: usize,
}

/// A draft, folded and measured for one size of page.
struct Layout<'a> {
    draft: &'a ScreenDraft,
    septets: usize,
    /// The text, folded and without blanks around it.
    text: String,
    /// Whether the text is short enough to stand on every page.
    repeats: bool,
    /// The line of the key for the next page.
    more: String,
    /// The lines at the end of every page.
    tail: Vec<String>,
    /// The most septets of an option's line: it must fit on a page with everything that any page may have.
    longest: usize,
}

impl<'a> Layout<'a> {
    fn of(draft: &'a ScreenDraft, septets: usize) -> Self {
        let text = gsm7::fold_lines(&draft.text).trim().to_owned();
        let cost = gsm7::folded_septets(&text);
        let mut layout = Self {
            draft,
            septets,
            repeats: cost <= septets / 4,
            text,
            more: line(MORE_KEY, &draft.more, septets / 6),
            tail: tail(&draft.tail, septets / 3),
            longest: 0,
        };
        let repeated = if layout.repeats { cost + 1 } else { 0 };
        layout.longest = layout.room(true).saturating_sub(repeated);
        layout
    }

    /// Options to lay out, the tail lines without a place in the tail included.
    fn count(&self) -> usize {
        self.option_count() + self.draft.tail.len() - self.tail.len()
    }

    fn option_count(&self) -> usize {
        match &self.draft.options {
            DraftOptions::Fixed(options) => options.len(),
            DraftOptions::Numbered(labels) => labels.len(),
        }
    }

    fn is_end(&self, cursor: LayoutPosition) -> bool {
        cursor.text == self.text.len() && cursor.options == self.count()
    }

    /// Septets above the lines that end a page, their line breaks taken off.
    fn room(&self, has_more: bool) -> usize {
        let more = if has_more {
            1 + gsm7::folded_septets(&self.more)
        } else {
            0
        };
        let tail: usize = self.tail.iter().map(|line| 1 + gsm7::folded_septets(line)).sum();
        self.septets.saturating_sub(more + tail)
    }

    /// Lays out as much as has room from the cursor on, and says how far that was. Takes less of a smaller room, never
    /// more, and something of the room that [`Self::room`] gives.
    fn fill(&self, from: LayoutPosition, room: usize) -> (Vec<String>, LayoutPosition) {
        let (mut lines, mut left, mut to) = (Vec::new(), room, from);
        if from.text < self.text.len() {
            let rest = &self.text[from.text..];
            let taken = words(rest, left);
            lines.push(rest[..taken].trim_end().to_owned());
            left -= gsm7::folded_septets(&lines[0]);
            to.text = self.text.len() - rest[taken..].trim_start().len();
        } else if self.repeats && !self.text.is_empty() {
            lines.push(self.text.clone());
            left = left.saturating_sub(gsm7::folded_septets(&self.text));
        }
        while to.text == self.text.len() && to.options < self.count() {
            let Some(option) = self.option(to.options, from.options) else {
                break;
            };
            let cost = gsm7::folded_septets(&option) + usize::from(!lines.is_empty());
            if cost > left {
                break;
            }
            left -= cost;
            lines.push(option);
            to.options += 1;
        }
        (lines, to)
    }

    /// The line of an option on the page whose first option is `first`; none when the page has no key for it.
    fn option(&self, at: usize, first: usize) -> Option<String> {
        match &self.draft.options {
            DraftOptions::Numbered(labels) if at < labels.len() => {
                let number = u32::try_from(at - first + 1)
                    .ok()
                    .filter(|_| at - first < MAX_NUMBERED)?;
                Some(line(char::from_digit(number, 10)?, &labels[at], self.longest))
            }
            DraftOptions::Fixed(options) if at < options.len() => {
                Some(line(options[at].key, &options[at].label, self.longest))
            }
            _ => {
                let surplus = &self.draft.tail[self.tail.len() + at - self.option_count()];
                Some(line(surplus.key, &surplus.label, self.longest))
            }
        }
    }

    fn assemble(
        &self,
        mut lines: Vec<String>,
        shown: Range<LayoutPosition>,
        more: Option<&String>,
        number: usize,
    ) -> ScreenPage {
        lines.extend(more.cloned());
        lines.extend(self.tail.iter().cloned());
        let options = self.option_count();
        let says = shown.start.text < self.text.len() || (self.repeats && !self.text.is_empty());
        ScreenPage {
            option_lines: lines.len() - usize::from(says),
            text: lines.join("\n"),
            shown: shown.start.options.min(options)..shown.end.options.min(options),
            has_more: more.is_some(),
            number,
        }
    }
}

/// The line of one option, at most `septets` long; a label that says nothing on this screen is shown as a question mark,
/// so that its key is not lost.
fn line(key: char, label: &str, septets: usize) -> String {
    let key = gsm7::clean_name(key.encode_utf8(&mut [0; 4]), 2);
    let key = if key.is_empty() { "?" } else { &key };
    let label = gsm7::clean_name(label, septets.saturating_sub(gsm7::folded_septets(key) + 1));
    format!("{key} {}", if label.is_empty() { "?" } else { &label })
}

/// The lines that end every page, in at most `septets` with their line breaks: all of them as they are if they fit, else
/// cut to equal shares, and as many as have room for a share.
fn tail(options: &[KeyOption], septets: usize) -> Vec<String> {
    let lines = |count: usize, longest: usize| -> Vec<String> {
        options
            .iter()
            .take(count)
            .map(|option| line(option.key, &option.label, longest))
            .collect()
    };
    let count = options.len().min(septets / LEAST_TAIL_LINE);
    let whole = lines(count, septets);
    if whole.iter().map(|line| 1 + gsm7::folded_septets(line)).sum::<usize>() <= septets {
        return whole;
    }
    lines(count, septets / count.max(1) - 1)
}

/// The bytes of a folded text that fill at most `septets`, cut between two words; inside a word only when it is longer
/// than the room.
fn words(text: &str, septets: usize) -> usize {
    let fits = gsm7::fitting_bytes(text, septets);
    if fits == text.len() || text[fits..].starts_with([' ', '\n']) {
        return fits;
    }
    match text[..fits]
        .trim_end_matches(|character| character != ' ' && character != '\n')
        .trim_end()
        .len()
    {
        0 => fits,
        end => end,
    }
}

#[cfg(test)]
mod tests;
