//! The menu and its texts: that the real ones are sound, and that each way of breaking them is found.

mod rules;

use std::error::Error;

use kiungo::core::menu::{Menu, MenuFinding, SampleValues, check, check_report, graph};
use kiungo::core::messages::{Locale, Templates};

const MENU: &str = include_str!("../../menus/link.toml");
const LOCALES: [(Locale, &str); 7] = [
    (Locale::En, include_str!("../../menus/locales/en.ftl")),
    (Locale::Pcm, include_str!("../../menus/locales/pcm.ftl")),
    (Locale::Ha, include_str!("../../menus/locales/ha.ftl")),
    (Locale::Yo, include_str!("../../menus/locales/yo.ftl")),
    (Locale::Ig, include_str!("../../menus/locales/ig.ftl")),
    (Locale::Sw, include_str!("../../menus/locales/sw.ftl")),
    (Locale::Fr, include_str!("../../menus/locales/fr.ftl")),
];

/// The smallest page we know, 140 septets, without the `CON ` before the text.
const LIMITS: [u16; 3] = [178, 136, 120];

type Outcome = Result<(), Box<dyn Error>>;

/// The text with one passage replaced; fails when the passage is not there, so that no case can test nothing.
fn altered(source: &str, from: &str, to: &str) -> String {
    assert!(source.contains(from), "not in the source: {from}");
    source.replacen(from, to, 1)
}

/// What is found when one passage of the menu is replaced, and one of a language's texts.
fn findings(menu: (&str, &str), locale: Locale, text: (&str, &str)) -> Result<Vec<MenuFinding>, Box<dyn Error>> {
    let menu = Menu::parse(&altered(MENU, menu.0, menu.1))?;
    let sources: Vec<(Locale, String)> = LOCALES
        .iter()
        .map(|(each, source)| {
            (
                *each,
                if *each == locale {
                    altered(source, text.0, text.1)
                } else {
                    (*source).to_owned()
                },
            )
        })
        .collect();
    let sources: Vec<(Locale, &str)> = sources
        .iter()
        .map(|(locale, source)| (*locale, source.as_str()))
        .collect();
    Ok(check(
        &menu,
        &Templates::parse(&sources)?,
        &LIMITS,
        &SampleValues::worst_case(),
    ))
}

/// The menu that people dial can be walked from end to end and fits every phone in every language.
#[test]
fn the_real_menu_is_sound() -> Outcome {
    let (report, sound) = check_report(
        &Menu::embedded()?,
        &Templates::embedded()?,
        &LIMITS,
        &SampleValues::worst_case(),
    );
    assert!(sound, "{report}");
    assert!(report.contains("of 120 septets"), "the smallest page decides: {report}");
    Ok(())
}

/// One passage, and what stands in its place.
type Swap = (&'static str, &'static str);

const SAME: Swap = ("", "");
const STRAY: Swap = (
    "\n[outcomes]\n",
    "\n[screens.stray]\ntext = \"left\"\nend = true\n\n[outcomes]\n",
);
const TRAP: Swap = (
    r#"{ key = "0", label = "back", do = "home" }]"#,
    "{ key = \"0\", label = \"back\", to = \"trap\" }]\n\n[screens.trap]\ntext = \"left\"\noptions = [{ key = \"0\", label = \"back\", to = \"trap\" }]",
);
const LONG: &str = "links = Your linked accounts, each of which you can look at, log in to again or unlink from here:";

/// What is wrong, in the menu or in the texts of a language, where it is found and what is said of it.
const FAULTS: &[(&str, Swap, Locale, Swap, &str, &str)] = &[
    ("unreachable", STRAY, Locale::En, SAME, "stray", "leads here"),
    ("dead end", TRAP, Locale::En, SAME, "trap", "a dead end"),
    (
        "missing",
        SAME,
        Locale::Sw,
        ("leave = Ondoka\n", ""),
        "welcome",
        "`leave` is missing",
    ),
    (
        "missing in English",
        SAME,
        Locale::En,
        ("\nbusy = ", "\nbusier = "),
        "busy",
        "`busy` is missing",
    ),
    (
        "unused",
        SAME,
        Locale::En,
        ("leave = ", "farewell = Bye\nleave = "),
        "farewell",
        "uses this message",
    ),
    (
        "only in a translation",
        SAME,
        Locale::En,
        ("sorry = ", "sorrow = "),
        "sorry",
        "English has no such message",
    ),
    (
        "value missing",
        SAME,
        Locale::Fr,
        ("Vous aviez commencé avec { $bank }. Continuer", "Continuer"),
        "resume",
        "uses no values, English uses $bank",
    ),
    (
        "other value",
        SAME,
        Locale::Ha,
        ("Kun fara hada { $bank }", "Kun fara hada { $partner }"),
        "resume",
        "uses $partner, English uses $bank",
    ),
    (
        "unknown value",
        SAME,
        Locale::En,
        (
            "resume = You began to link { $bank }. Go on?",
            "resume = You began to link { $name }. Go on?",
        ),
        "resume",
        "uses $name, which the flow never fills in",
    ),
    (
        "not GSM-7",
        SAME,
        Locale::Yo,
        ("leave = Jade", "leave = J\u{e1}de"),
        "welcome",
        "holds `\u{e1}`",
    ),
    (
        "not GSM-7 in a plural",
        SAME,
        Locale::Fr,
        ("[one] { $days } jour", "[one] { $days } jo\u{fb}r"),
        "welcome",
        "holds `\u{fb}`",
    ),
    (
        "label of two lines",
        SAME,
        Locale::Ig,
        ("leave = Puo", "leave =\n    Puo\n    ugbu a"),
        "welcome",
        "write it on one line",
    ),
    (
        "operator key",
        SAME,
        Locale::Pcm,
        ("\nbusy = ", "\nbusy =\n    00 Home\n    "),
        "busy",
        "begins with 00",
    ),
    (
        "screen too long",
        SAME,
        Locale::En,
        ("limited = To keep", "limited = We are sorry about this: To keep"),
        "limited",
        "does not fit on one page of 120",
    ),
    (
        "no room for a list",
        SAME,
        Locale::En,
        ("links = Your linked accounts:", LONG),
        "links",
        "does not fit on one page",
    ),
    (
        "allowance taken away",
        ("\npages = 3", "\npages = 1"),
        Locale::En,
        SAME,
        "welcome",
        "does not fit on one page",
    ),
    (
        "no room for a note",
        SAME,
        Locale::En,
        (
            "note-choice = Choose from the list.",
            "note-choice = You have pressed a key that does nothing here: please choose one from this list",
        ),
        "bank-down",
        "the note is cut on a page of 136",
    ),
    (
        "note too long",
        SAME,
        Locale::Sw,
        (
            "note-too-long = Ni",
            "note-too-long = Samahani sana, jibu lako lina herufi nyingi kuliko benki inavyokubali kwa sasa: ni",
        ),
        "note-too-long",
        "of 80",
    ),
];

/// What only shows when menu and texts are put together is found, once, where it is.
#[test]
fn each_fault_of_menu_and_texts_is_found() -> Outcome {
    for (name, menu, locale, text, screen, message) in FAULTS.iter().copied() {
        let found = findings(menu, locale, text)?;
        let hit = |finding: &MenuFinding| finding.screen == screen && finding.message.contains(message);
        assert!(found.iter().any(hit), "{name}: {found:#?}");
        let own = found
            .iter()
            .filter(|finding| hit(finding))
            .all(|finding| finding.locale.is_none_or(|at| at == locale))
            || name == "allowance taken away"
            || name == "only in a translation";
        assert!(own, "{name} is blamed on another language: {found:#?}");
    }
    Ok(())
}

/// The report says what is wrong and that something is, so that a build can stop at it.
#[test]
fn a_report_of_faults_is_no_pass() -> Outcome {
    let menu = Menu::parse(&altered(
        MENU,
        "\n[outcomes]\n",
        "\n[screens.stray]\ntext = \"left\"\nend = true\n\n[outcomes]\n",
    ))?;
    let (report, sound) = check_report(&menu, &Templates::embedded()?, &LIMITS, &SampleValues::worst_case());
    assert!(!sound && report.starts_with("stray: "), "{report}");
    Ok(())
}

/// The Mermaid picture holds every screen and every move; a change of the conversation shows in review.
#[test]
fn the_mermaid_graph_is_as_reviewed() -> Outcome {
    insta::assert_snapshot!(graph::full(&Menu::embedded()?, &Templates::embedded()?));
    Ok(())
}

/// Two graphs of one menu are the same bytes, and no text in them has a gap.
#[test]
fn graphs_are_whole_and_repeatable() -> Outcome {
    let (menu, texts) = (Menu::embedded()?, Templates::embedded()?);
    for draw in [graph::happy_path, graph::full] {
        let drawn = draw(&menu, &texts);
        assert_eq!(drawn, draw(&Menu::embedded()?, &Templates::embedded()?));
        assert!(!drawn.contains("{$"), "{drawn}");
    }
    let happy = graph::happy_path(&menu, &texts);
    assert_eq!(happy.matches("-->").count(), 6, "each step leads to the next: {happy}");
    Ok(())
}
