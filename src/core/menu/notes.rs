//! Whether a note ever takes away what can be chosen. Each is laid over each screen as the flow does it, with the longest
//! values: after a wrong key the right ones must be in sight, where they were.

use std::cmp::Reverse;

use super::check::{MenuFinding, SampleValues};
use super::fit::{Drawn, WIDE_PAGE, has_line, with_variants};
use super::wording::{NOTICES, WRONG_KEY, longest, septets};
use super::{Menu, ScreenKind};
use crate::core::messages::{Locale, Templates};
use crate::core::screen::{ScreenDraft, ScreenPage, lay_out, noted_list};

/// The fewest names of a list on its first page below a note.
const NAMES: usize = 1;

/// The notes that do not leave a screen as it must be on a page of one of `limits` septets.
pub(super) fn over_screens(
    menu: &Menu,
    texts: &Templates,
    locale: Locale,
    limits: &[u16],
    samples: &SampleValues,
) -> Vec<MenuFinding> {
    let (mut findings, samples) = (Vec::new(), &samples.on_screens());
    let mut notes: Vec<_> = NOTICES
        .iter()
        .map(|id| (*id, longest(texts, locale, id, samples)))
        .collect();
    notes.sort_by_key(|(_, note)| Reverse(septets(note)));
    // Where a note is right, every shorter one is: only that of the wrong key is laid over a screen in a way of its own.
    let (wrong_key, others): (Vec<_>, Vec<_>) = notes.iter().partition(|(id, _)| *id == WRONG_KEY);
    for screen in with_variants(menu).filter(|screen| screen.kind != ScreenKind::End) {
        let drawn = Drawn::of(&screen, texts, locale, samples);
        for limit in limits.iter().copied().map(usize::from) {
            let bare = pages(&drawn.draft, limit);
            let fault = |id: &str, note: &str| match (drawn.list, screen.binds(), id) {
                (_, binding, WRONG_KEY) => below(&bare, note, limit, binding || drawn.list),
                (true, ..) => in_list(&drawn, note, limit),
                (false, true, _) => in_text(&drawn, bare.len(), note, limit),
                (false, false, _) => below(&bare, note, limit, false),
            };
            let faults = [&wrong_key, &others]
                .into_iter()
                .flat_map(|notes| notes.iter().map_while(|(id, note)| Some((id, fault(id, note)?))));
            findings.extend(faults.map(|(id, fault)| MenuFinding {
                place: texts.place(locale, id).cloned(),
                screen: screen.id.clone(),
                locale: Some(locale),
                message: format!("below `{id}` {fault} on a page of {limit}; shorten it, or the options"),
            }));
        }
    }
    findings
}

/// A note above each page as it is: what can be chosen is the same, and the note is whole unless it `gives_way`.
fn below(pages: &[ScreenPage], note: &str, limit: usize, gives_way: bool) -> Option<&'static str> {
    let options = |page: &ScreenPage| -> Vec<String> {
        let lines: Vec<_> = page.text.lines().map(str::to_owned).collect();
        lines[lines.len().saturating_sub(page.option_lines)..].to_vec()
    };
    pages.iter().find_map(|page| {
        let noted = page.clone().with_note(note, limit, gives_way);
        if options(&noted) != options(page) || noted.shown != page.shown {
            Some("something else can be chosen")
        } else if septets(&noted.text) > limit {
            Some("the screen is too long")
        } else if !gives_way && !is_said(&noted, note, limit) {
            Some("the note is cut")
        } else {
            None
        }
    })
}

/// Whether a note is whole; on a page that is narrower than most, its first half is enough.
fn is_said(page: &ScreenPage, note: &str, limit: usize) -> bool {
    let half = note
        .char_indices()
        .nth(note.chars().count() / 2)
        .map_or(note, |(at, _)| &note[..at]);
    page.text.starts_with(if limit < WIDE_PAGE { half } else { note })
}

/// A note as part of a list: its fixed options stay on the first page, and names as well.
fn in_list(drawn: &Drawn, note: &str, limit: usize) -> Option<&'static str> {
    let first = lay_out(&noted_list(&drawn.draft, note, limit), 0, limit);
    let fixed = drawn.lines.iter().all(|line| has_line(&first.text, line));
    (!fixed || first.shown.len() < NAMES).then_some("nothing of the list is left")
}

/// A note as part of what is agreed to: at most one page more than the `bare` ones, on which everything can be chosen.
fn in_text(drawn: &Drawn, bare: usize, note: &str, limit: usize) -> Option<&'static str> {
    let noted = ScreenDraft {
        text: format!("{note}\n{}", drawn.draft.text),
        ..drawn.draft.clone()
    };
    let after = pages(&noted, limit);
    let all = drawn
        .lines
        .iter()
        .all(|line| after.iter().any(|page| has_line(&page.text, line)));
    (!all || after.len() > bare + 1).then_some("there are too many pages")
}

fn pages(draft: &ScreenDraft, limit: usize) -> Vec<ScreenPage> {
    let mut pages = vec![lay_out(draft, 0, limit)];
    while pages.last().is_some_and(|page| page.has_more) {
        pages.push(lay_out(draft, pages.len(), limit));
    }
    pages
}
