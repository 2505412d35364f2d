use proptest::prelude::*;

use super::*;

fn opt(key: char, label: &str) -> KeyOption {
    KeyOption {
        key,
        label: label.to_owned(),
    }
}

fn list(text: &str, labels: &[&str]) -> ScreenDraft {
    ScreenDraft {
        text: text.to_owned(),
        options: DraftOptions::Numbered(labels.iter().map(|label| (*label).to_owned()).collect()),
        tail: vec![opt('0', "Back")],
        more: "More".to_owned(),
    }
}

fn pages(draft: &ScreenDraft, septets: usize) -> Vec<ScreenPage> {
    let mut pages = vec![lay_out(draft, 0, septets)];
    while pages.last().unwrap().has_more {
        pages.push(lay_out(draft, pages.len(), septets));
    }
    pages
}

fn texts(draft: &ScreenDraft, septets: usize) -> Vec<String> {
    pages(draft, septets).into_iter().map(|page| page.text).collect()
}

/// A screen that fits is one page as anybody would write it.
#[test]
fn a_short_list_is_one_page() {
    let draft = list("Choose your bank:", &["Zenith", "Société Générale", "Ẹkọ MFB"]);
    let only = lay_out(&draft, 0, 140);
    assert_eq!(
        only.text,
        "Choose your bank:\n1 Zenith\n2 Société Générale\n3 Eko MFB\n0 Back"
    );
    assert_eq!((only.shown, only.has_more, only.number), (0..3, false, 0));
    assert_eq!(lay_out(&draft, 7, 140).number, 0);
}

/// A long list is numbered again on each page under its heading, and the last page has no More.
#[test]
fn a_long_list_is_paged() {
    let names: Vec<String> = (1..=10).map(|n| format!("Bank {n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let draft = list("Your bank?", &names);
    assert_eq!(
        texts(&draft, 160),
        [
            "Your bank?\n1 Bank 1\n2 Bank 2\n3 Bank 3\n4 Bank 4\n5 Bank 5\n6 Bank 6\n7 Bank 7\n8 Bank 8\n9 More\n0 Back",
            "Your bank?\n1 Bank 9\n2 Bank 10\n0 Back",
        ]
    );
    let shown: Vec<_> = pages(&draft, 60).into_iter().map(|page| page.shown).collect();
    assert_eq!(shown, [0..4, 4..8, 8..10]);
}

/// A text longer than a page is cut between words, and the options stand where it ends.
#[test]
fn a_long_text_goes_on_over_pages() {
    let mut draft = list(
        "We will ask your bank for your name and account. You may stop at any time. Agree?",
        &[],
    );
    draft.options = DraftOptions::Fixed(vec![opt('1', "Yes"), opt('2', "No")]);
    assert_eq!(
        texts(&draft, 60),
        [
            "We will ask your bank for your name and\n9 More\n0 Back",
            "account. You may stop at any time. Agree?\n1 Yes\n2 No\n0 Back",
        ]
    );
    draft.text.push_str(" Yes or no?");
    assert_eq!(
        texts(&draft, 60)[1..],
        [
            "account. You may stop at any time. Agree? Yes\n9 More\n0 Back",
            "or no?\n1 Yes\n2 No\n0 Back"
        ]
    );
    draft.text.truncate(draft.text.len() - "Yes or no?".len());
    assert_eq!(
        texts(&draft, 120),
        ["We will ask your bank for your name and account. You may stop at any time. Agree?\n1 Yes\n2 No\n0 Back"]
    );
}

/// What comes from outside cannot add options, break lines or push anything off the page.
#[test]
fn names_are_only_names() {
    let long = "x".repeat(200);
    let draft = list("Bank?", &["Evil\n0 Send money\r\n1 Yes", "😀", &long]);
    for text in texts(&draft, 160) {
        let keys: Vec<&str> = text.lines().skip(1).map(|line| &line[..2]).collect();
        assert!(
            keys.is_sorted_by_key(|key| if *key == "0 " { "99" } else { key }),
            "{text}"
        );
    }
    assert_eq!(
        lay_out(&draft, 0, 160).text,
        "Bank?\n1 Evil 0 Send money 1 Yes\n2 ?\n9 More\n0 Back"
    );
    let cut = lay_out(&draft, 1, 160).text;
    assert!(cut.starts_with("Bank?\n1 xxx") && cut.contains("xx..\n0 Back"), "{cut}");
}

/// A draft of nothing is still a page.
#[test]
fn empty_drafts_are_pages() {
    let mut draft = list("", &[]);
    assert_eq!(texts(&draft, 60), ["0 Back"]);
    draft.tail.clear();
    assert_eq!(texts(&draft, 0), [""]);
    draft.text = "  Done.\n".to_owned();
    assert_eq!(texts(&draft, 60), ["Done."]);
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[A-Za-z ]{0,30}", 1 => any::<String>(), 1 => "[\\[\\]€^{}]{0,80}", 1 => "x{0,300}"]
}

fn opts(most: usize) -> impl Strategy<Value = Vec<KeyOption>> {
    let one = (
        prop_oneof![3 => proptest::char::range('0', '9'), 1 => any::<char>()],
        label(),
    );
    proptest::collection::vec(one.prop_map(|(key, label)| KeyOption { key, label }), 0..most)
}

fn options() -> impl Strategy<Value = DraftOptions> {
    prop_oneof![
        opts(12).prop_map(DraftOptions::Fixed),
        proptest::collection::vec(label(), 0..60).prop_map(DraftOptions::Numbered),
        ("[A-Za-zé ]{0,20}", 0_usize..5000).prop_map(|(label, count)| DraftOptions::Numbered(vec![label; count])),
    ]
}

fn body() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z \n]{0,400}",
        "([a-z]{1,12} ){0,80}",
        any::<String>(),
        "[€|]{0,200}",
        "a{150,400}"
    ]
}

fn drafts() -> impl Strategy<Value = ScreenDraft> {
    (body(), options(), opts(12), label()).prop_map(|(text, options, tail, more)| ScreenDraft {
        text,
        options,
        tail,
        more,
    })
}

/// Lays a draft out once, page after page, as [`page`] would do it again for each number.
fn walk(draft: &ScreenDraft, septets: usize) -> Vec<ScreenPage> {
    let first = lay_out(draft, 0, septets);
    let mut pages = vec![first];
    let last = lay_out(draft, usize::MAX, septets).number;
    // Every page of a short draft; the ends and a sample of a long one.
    let numbers = (1..=last).filter(|number| last < 20 || *number < 3 || *number + 3 > last);
    pages.extend(numbers.map(|number| lay_out(draft, number, septets)));
    pages
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Any draft on any page size: pages fit, are folded, end, and show every option once and in order.
    #[test]
    fn every_page_fits_and_every_option_is_shown_once(draft in drafts(), septets in MIN_SEPTETS..200) {
        let pages = walk(&draft, septets);
        let count = match &draft.options {
            DraftOptions::Fixed(options) => options.len(),
            DraftOptions::Numbered(labels) => labels.len(),
        };
        for page in &pages {
            let cost = gsm7::septets(&page.text);
            prop_assert!(cost.is_some_and(|cost| cost <= septets), "{cost:?} of {septets}: {:?}", page.text);
            prop_assert!(!page.text.chars().any(|c| c.is_control() && c != '\n'));
            if matches!(draft.options, DraftOptions::Numbered(_)) {
                prop_assert!(page.shown.len() <= MAX_NUMBERED);
                for at in 1..=page.shown.len() {
                    let numbered = page.text.lines().any(|line| line.starts_with(&format!("{at} ")));
                    prop_assert!(numbered, "no {at} in {:?}", page.text);
                }
            }
        }
        for pair in pages.windows(2) {
            prop_assert!(pair[0].has_more);
            if pair[1].number == pair[0].number + 1 {
                prop_assert_eq!(pair[0].shown.end, pair[1].shown.start);
                prop_assert!(pair[0].text != pair[1].text || pair[0].shown != pair[1].shown || !draft.text.is_empty());
            }
        }
        prop_assert_eq!(pages[0].shown.start, 0);
        let last = pages.last().unwrap();
        prop_assert!(!last.has_more);
        prop_assert_eq!(last.shown.end, count);
        prop_assert_eq!(&lay_out(&draft, last.number + 1, septets), last);
    }

    /// A page of a list is the same, however much of the list comes after it.
    #[test]
    fn a_page_needs_no_more_than_its_entries(
        (draft, whole) in (drafts(), proptest::collection::vec(label(), 0..60)),
        (number, septets) in (0_usize..8, MIN_SEPTETS..200),
    ) {
        let with = |labels: &[String]| ScreenDraft {
            options: DraftOptions::Numbered(labels.to_vec()),
            ..draft.clone()
        };
        let needed = &whole[..whole.len().min(needed_entries(number))];
        prop_assert_eq!(lay_out(&with(needed), number, septets), lay_out(&with(&whole), number, septets));
    }

    /// No word of a text is lost or repeated when it goes on over pages.
    #[test]
    fn the_text_is_all_there(text in "([a-z]{1,12}[ \n]){20,80}", septets in MIN_SEPTETS..200) {
        let mut draft = list(&text, &[]);
        draft.tail.clear();
        let shown: Vec<String> = texts(&draft, septets)
            .iter()
            .flat_map(|page| page.lines().filter(|line| *line != "9 More").map(str::to_owned).collect::<Vec<_>>())
            .flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let wanted: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        prop_assert_eq!(shown, wanted);
    }
}

/// The last page of the longest list is laid out in time linear in the list, not in its square.
#[test]
fn long_lists_end() {
    let names: Vec<String> = (0..5000).map(|n| format!("Microfinance Bank of {n}")).collect();
    let draft = ScreenDraft {
        options: DraftOptions::Numbered(names),
        ..list("Bank?", &[])
    };
    let last = lay_out(&draft, usize::MAX, MIN_SEPTETS);
    assert_eq!(last.shown.end, 5000);
    assert!(!last.has_more);
}
