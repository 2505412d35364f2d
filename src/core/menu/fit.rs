//! Whether what is shown fits the smallest page with the longest values. A text that does not fit would still be shown,
//! page by page; but a person who must press 9 three times to see what is asked is lost on the way, so each screen has
//! an allowance and this holds it to that.

use super::check::{MenuFinding, SampleValues};
use super::wording::{LAST_RESORT, NOTICES, SCREEN_VARIANTS, SMS_MESSAGES, SMS_SCREENS, longest, name_of, septets};
use super::{BACK_KEY, MORE_KEY, Menu, MenuOption, Screen, ScreenKind};
use crate::core::messages::{Locale, Templates};
use crate::core::screen::{DraftOptions, KeyOption, ScreenDraft, lay_out};

/// How many names of a list must fit beside its text: with fewer, a list of thirty banks is thirty pages. A page of less than
/// [`WIDE_PAGE`] septets has one less.
const LIST_ROWS: usize = 3;

/// The page of most gateways.
pub(super) const WIDE_PAGE: usize = 136;

pub(super) fn list_rows(limit: usize) -> usize {
    if limit < WIDE_PAGE { LIST_ROWS - 1 } else { LIST_ROWS }
}

/// The length in septets of the names that are counted on.
const LIST_NAME: usize = 20;

/// How many names the list that is tried has: more than one page takes, so that the line for more pages is there.
const LIST_LENGTH: usize = 12;

/// The most septets of a notice: it is above a screen and must leave room for it.
const NOTE: usize = 80;

/// The septets of an SMS of one part.
const MESSAGE: usize = crate::core::sms::SINGLE_PART_SEPTETS;

/// What an SMS in place of a screen leaves for the line of the key that goes back or leaves.
const BELOW: usize = 12;

/// The screens that do not fit in this language.
pub(super) fn screens(
    menu: &Menu,
    texts: &Templates,
    locale: Locale,
    limit: usize,
    samples: &SampleValues,
) -> Vec<MenuFinding> {
    let (mut findings, samples) = (Vec::new(), samples.on_screens());
    for screen in with_variants(menu) {
        let drawn = Drawn::of(&screen, texts, locale, &samples);
        // The number to call is said on the first page or on none.
        let pages = if SAY_CONTACT.contains(&screen.text.as_str()) {
            1
        } else {
            screen.pages
        };
        if !drawn.fits(pages, limit) {
            let message = format!(
                "takes {} septets and does not fit on {} of {limit}; shorten `{}` or the options",
                drawn.septets(limit),
                if pages == 1 {
                    "one page".to_owned()
                } else {
                    format!("{pages} pages")
                },
                screen.text
            );
            let labels = screen.options.iter().map(|option| option.label.as_str());
            let laid_over = |id: &&str| texts.replaced_variables(locale, id).is_some();
            let changed = std::iter::once(screen.text.as_str()).chain(labels).find(laid_over);
            findings.push(MenuFinding {
                screen: screen.id.clone(),
                locale: Some(locale),
                message,
                place: texts.place(locale, changed.unwrap_or(&screen.text)).cloned(),
            });
        }
    }
    findings
}

/// The texts below which there must be room for whom to call.
const SAY_CONTACT: [&str; 2] = ["left", "refused-help"];

/// Every screen with each message that it may say.
pub(super) fn with_variants(menu: &Menu) -> impl Iterator<Item = Screen> {
    menu.screens().flat_map(|screen| {
        let own = SCREEN_VARIANTS.iter().filter(|(of, _)| *of == screen.text);
        let others = own.map(|(_, text)| Screen {
            text: (*text).to_owned(),
            ..screen.clone()
        });
        std::iter::once(screen.clone()).chain(others)
    })
}

/// The notices, last answers and SMS that are too long in this language.
pub(super) fn from_code(texts: &Templates, locale: Locale, limit: usize, samples: &SampleValues) -> Vec<MenuFinding> {
    let notes = NOTICES.iter().map(|id| (*id, NOTE.min(limit)));
    let answers = LAST_RESORT.iter().map(|id| (*id, limit));
    let texted = SMS_MESSAGES.iter().map(|id| (*id, MESSAGE));
    let screens = SMS_SCREENS.iter().map(|id| (*id, MESSAGE - BELOW));
    let shown = samples.on_screens();
    let by_phone = notes.chain(answers).map(|(id, limit)| (id, limit, &shown));
    let by_sms = texted.chain(screens).map(|(id, limit)| (id, limit, samples));
    by_phone
        .chain(by_sms)
        .filter_map(|(id, limit, samples)| {
            let septets = septets(&longest(texts, locale, id, samples));
            let message = format!("takes {septets} septets of {limit}; shorten it");
            (septets > limit).then(|| MenuFinding {
                screen: id.to_owned(),
                locale: Some(locale),
                message,
                place: texts.place(locale, id).cloned(),
            })
        })
        .collect()
}

/// The screen that takes the most of a single page, and how many septets.
pub(super) fn fullest<'a>(
    menu: &'a Menu,
    texts: &Templates,
    locale: Locale,
    limit: usize,
    samples: &SampleValues,
) -> Option<(&'a str, usize)> {
    let samples = &samples.on_screens();
    menu.screens()
        .filter(|screen| screen.pages == 1)
        .map(|screen| {
            (
                screen.id.as_str(),
                Drawn::of(screen, texts, locale, samples).septets(limit),
            )
        })
        .max_by_key(|(_, septets)| *septets)
}

/// A screen with its longest values, as the flow hands it to the page fitter.
pub(super) struct Drawn {
    pub(super) draft: ScreenDraft,
    /// The keys and labels that must be on every way through the screen, whole.
    pub(super) lines: Vec<String>,
    /// Whether names of a list take what room is left.
    pub(super) list: bool,
}

impl Drawn {
    pub(super) fn of(screen: &Screen, texts: &Templates, locale: Locale, samples: &SampleValues) -> Self {
        let label = |id: &str| longest(texts, locale, id, samples);
        let own = |choice: &MenuOption| KeyOption {
            key: choice.key,
            label: label(&choice.label),
        };
        let (tail, fixed): (Vec<KeyOption>, Vec<KeyOption>) = screen
            .options
            .iter()
            .map(own)
            .partition(|option| option.key == BACK_KEY);
        let lines = fixed
            .iter()
            .chain(&tail)
            .map(|option| format!("{} {}", option.key, option.label))
            .collect();
        let list = matches!(screen.kind, ScreenKind::List { .. });
        let mut text = label(&screen.text);
        if SAY_CONTACT.contains(&screen.text.as_str()) {
            text = format!("{text}\n{}", label("call-for-help"));
        }
        let options = if list {
            DraftOptions::Numbered(vec![name_of(LIST_NAME); LIST_LENGTH])
        } else {
            DraftOptions::Fixed(fixed)
        };
        Self {
            draft: ScreenDraft {
                text,
                options,
                tail,
                more: label("more"),
            },
            lines,
            list,
        }
    }

    /// What must be on one page: the text and options with their line breaks, and for a list its least rows.
    fn septets(&self, limit: usize) -> usize {
        let line = |line: &str| 1 + septets(line);
        let rows = if self.list {
            list_rows(limit) * line(&format!("1 {}", name_of(LIST_NAME)))
                + line(&format!("{MORE_KEY} {}", self.draft.more))
        } else {
            0
        };
        septets(&self.draft.text) + rows + self.lines.iter().map(|each| line(each)).sum::<usize>()
    }

    /// Whether the fitter brings it onto so many pages without cutting a label, or a list's least rows onto the first.
    fn fits(&self, pages: u8, limit: usize) -> bool {
        let first = lay_out(&self.draft, 0, limit);
        if self.list {
            return first.shown.len() >= list_rows(limit) && self.lines.iter().all(|line| has_line(&first.text, line));
        }
        let mut all = vec![first];
        while all.last().is_some_and(|last| last.has_more) {
            if all.len() >= usize::from(pages) {
                return false;
            }
            all.push(lay_out(&self.draft, all.len(), limit));
        }
        self.lines
            .iter()
            .all(|line| all.iter().any(|page| has_line(&page.text, line)))
    }
}

pub(super) fn has_line(text: &str, line: &str) -> bool {
    text.lines().any(|each| each == line)
}
