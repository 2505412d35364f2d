//! The list of banks: order, search, pages, and numbers that mean what was shown.

use std::sync::Arc;
use std::time::Duration;

use super::fixtures::{bank, link, login_form};
use super::phone::{Phone, TIMEOUT, flow, flow_with};
use crate::core::flow::{Offer, ProviderRules};
use crate::core::menu::{MenuFile, MenuWords};
use crate::core::policy::{PolicyOverride, SecretsOverUssd};

fn rows(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| {
            line.split_once(' ')
                .filter(|(key, _)| key.parse::<u8>().is_ok_and(|n| (1..9).contains(&n)))
        })
        .map(|(_, name)| name)
        .collect()
}

/// The person's last bank first, then the partner's favourites in their order, then the rest as they came.
#[test]
fn the_last_bank_and_favourites_come_first() {
    let mut phone = Phone::at_banks();
    assert_eq!(
        rows(&phone.says()),
        ["Zenith Bank", "Access Bank", "First Bank", "Polaris"]
    );
    phone.state.last_institution = Some("polaris:p".to_owned());
    let text = phone.dial();
    assert_eq!(rows(&text), ["Polaris", "Zenith Bank", "Access Bank", "First Bank"]);
}

/// Letters and the keys they are on both search; nothing found says so; 0 leaves the search.
#[test]
fn searches_by_letters_and_keys() {
    for (query, want) in [
        ("zen", "Zenith Bank"),
        ("936", "Zenith Bank"),
        ("pola", "Polaris"),
        ("FIRST", "First Bank"),
    ] {
        let mut phone = Phone::at_banks();
        phone.types(query);
        assert_eq!(
            phone.session().institution.as_ref().map(|bank| bank.name.as_str()),
            Some(want)
        );
        assert_eq!(rows(&phone.types("0")).len(), 4);
    }
    let mut phone = Phone::at_banks();
    phone.banks.push(bank("access-b", "Access Corner", vec![login_form()]));
    assert_eq!(rows(&phone.types("acc")), ["Access Bank", "Access Corner"]);
    assert_eq!(rows(&phone.types("0")).len(), 5);
    assert!(
        phone
            .types("qqqq")
            .starts_with("We cannot link a bank of that name here.")
    );
    for key in ["9", "98", "00", "*"] {
        assert!(phone.types(key).starts_with("Choose from"), "{key}");
    }
    assert!(phone.types("x").starts_with("We cannot link a bank"));
    assert_eq!(rows(&phone.types("p")), ["Polaris"]);
    phone.types("0");
    assert!(phone.types("1").starts_with("Zenith Bank: USERNAME"));
}

/// A bank that is there and cannot be linked here is said to be so by its name, above what else was found; the keys below mean
/// what they say. By SMS no bank is named.
#[test]
fn a_bank_that_cannot_be_linked_is_named() {
    let mut phone = Phone::at_banks();
    phone.unlinkable = vec!["Kilima Bank".to_owned()];
    for (typed, said) in [
        ("kilima", "Kilima Bank cannot be linked here."),
        ("kilma", "Kilima Bank cannot be linked here."),
        ("moneypoint", "Moniepoint cannot be linked here."),
        ("gtb", "GTBank cannot be linked here."),
    ] {
        let shown = phone.types(typed);
        assert!(shown.starts_with(said), "{typed}: {shown}");
        assert_eq!(rows(&shown).len(), 4, "{typed}: {shown}");
    }
    phone.banks.push(bank("kilimani", "Kilimani", vec![login_form()]));
    let shown = phone.types("kilima");
    assert!(shown.starts_with("Kilima Bank cannot be linked here."), "{shown}");
    assert_eq!(rows(&shown), ["Kilimani"]);
    assert!(phone.types("1").starts_with("Kilimani: USERNAME"));
}

/// The operator's favourites and languages stand first, in place of the provider's, by any name that people use.
#[test]
fn the_operators_order_comes_first() {
    let words = MenuFile {
        name: "order.toml".to_owned(),
        path: "order.toml".to_owned(),
        text: "favourites = [\"First Bank of Nigeria\", \"polaris bank\"]\nlanguages = [\"ig\"]".to_owned(),
    };
    let words = MenuWords::laid_over(&[words])
        .map_err(|faults| format!("{faults:?}"))
        .unwrap();
    let mut phone = Phone::with(Arc::new(flow().with_words(words)));
    phone.dial();
    assert_eq!(
        rows(&phone.types("1")),
        ["First Bank", "Polaris", "Access Bank", "Zenith Bank"]
    );
    let mut other = Phone::with(phone.flow.clone());
    other.dial();
    let languages = other.types("3");
    assert!(languages.contains("1 Igbo\n2 English"), "{languages}");
}

/// Two entries of one name do not look alike: the business side says so, and what is still alike is numbered, in any
/// language and within the width of a list.
#[test]
fn namesakes_are_told_apart() {
    let offer = |provider: &str, name: &str, business: bool| {
        let mut offer = bank("same", name, vec![login_form()]);
        offer.provider = provider.to_owned();
        offer.institution.business = business;
        offer
    };
    let long = "The Very Long Named Savings Bank";
    for (offers, want) in [
        (
            vec![("mono", "Opay", false), ("mono", "Opay", true)],
            vec!["Opay", "Opay Business"],
        ),
        (
            vec![("mono", "Opay", false), ("mono", "Kuda", true)],
            vec!["Opay", "Kuda"],
        ),
        (
            vec![("mono", "Opay", false), ("other", "OPAY", false)],
            vec!["Opay (1)", "OPAY (2)"],
        ),
        (
            vec![("mono", "Opay", false), ("mono", "Opay", true), ("other", "Opay", true)],
            vec!["Opay", "Opay Business (1)", "Opay Business (2)"],
        ),
        (
            vec![
                ("mono", "Opay", true),
                ("mono", "Opay", true),
                ("mono", "Opay Business (1)", false),
            ],
            vec!["Opay Business (2)", "Opay Business (3)", "Opay Business (1)"],
        ),
        (
            vec![("mono", long, false), ("mono", long, true)],
            vec!["The Very Long Named..", "The Very Lo.. Business"],
        ),
    ] {
        let offers: Vec<_> = offers
            .into_iter()
            .map(|(provider, name, business)| offer(provider, name, business))
            .collect();
        let labels = super::super::offers::labels(&offers, "Business");
        assert_eq!(labels, want);
    }
}

/// Two providers may call different banks by one id: a number means the bank beside it, with its provider.
#[test]
fn an_id_is_unique_in_one_list_only() {
    for (typed, provider, name) in [("1", "mono", "Aardvark Bank"), ("2", "other", "Baobab Bank")] {
        let mut phone = Phone::new();
        phone.banks = vec![
            bank("same", "Aardvark Bank", vec![login_form()]),
            bank("same", "Baobab Bank", vec![login_form()]),
        ];
        phone.banks[1].provider = "other".to_owned();
        phone.dial();
        phone.keys(&["1", typed]);
        let picked = phone.session().institution.clone().unwrap();
        assert_eq!((picked.provider.as_str(), picked.name.as_str()), (provider, name));
    }
}

/// A number means the bank that stood beside it, whatever has become of the list since.
#[test]
fn a_number_means_what_was_shown() {
    let mut phone = Phone::at_banks();
    phone.banks.insert(0, bank("new", "Aardvark Bank", vec![login_form()]));
    phone.banks.reverse();
    phone.types("2");
    assert_eq!(
        phone.session().institution.as_ref().map(|bank| bank.name.as_str()),
        Some("Access Bank")
    );

    let mut phone = Phone::at_banks();
    phone.banks.retain(|offer| offer.institution.id != "zenith:p");
    phone.all_lists_read = false;
    let text = phone.types("1");
    assert!(text.starts_with("The list of banks is not available"), "{text}");
    assert!(phone.types("1").starts_with("Choose your bank"));
}

/// Five thousand banks with names from a nightmare: every page fits, every bank comes exactly once, and a number on any
/// page picks the bank beside it.
#[test]
fn five_thousand_nasty_names() {
    let nasty = [
        "\u{202e}evil",
        "A\r\n1 Win\n9 More",
        "😀😀😀",
        "",
        "Ẹ̀kọ́ ọlọ́run",
        "x".repeat(200).as_str(),
        "{bank}",
        "98 Operator",
        "€[]{}~^|\\",
    ]
    .map(str::to_owned);
    let many: Vec<Offer> = (0..5_000)
        .map(|n| {
            bank(
                &format!("b{n}"),
                &format!("{} {n}", nasty[n % nasty.len()]),
                vec![login_form()],
            )
        })
        .collect();
    let mut phone = Phone::new();
    phone.banks = many;
    phone.dial();
    phone.types("1");
    let mut seen = Vec::new();
    for _ in 0..12 {
        phone.check_screen();
        let shown = phone.state.cursor.shown.clone();
        assert_eq!(rows(&phone.says()).len(), shown.len(), "{}", phone.says());
        seen.extend(shown);
        phone.types("9");
    }
    assert_eq!(
        seen,
        (0..seen.len()).map(|n| format!("mono/b{n}:p")).collect::<Vec<_>>()
    );
    let third = phone.state.cursor.shown[2].clone();
    phone.types("3");
    assert_eq!(
        phone
            .session()
            .institution
            .as_ref()
            .map(|bank| format!("mono/{}", bank.id)),
        Some(third)
    );
    phone.check_screen();
}

/// Where the lists are there and nothing of them may be linked here (the policy forbids it, or no page can be sent), the
/// person is told that, and not that a list is away for which it is worth waiting; also where it is only the one bank that
/// they are asked for.
#[test]
fn where_there_is_no_way_to_link() {
    let mut phone = Phone::new();
    phone.banks.clear();
    phone.dial();
    let told = phone.types("1");
    assert!(
        told.starts_with("No account can be linked on this line. Nothing was sent."),
        "{told}"
    );
    assert!(
        told.contains("Ask Umoja Credit") && !told.contains("Try again"),
        "{told}"
    );
    assert!(
        phone.flow.shows_institutions(&phone.state),
        "another partner's list may be looked at"
    );
    phone.check_screen();
    assert!(!told.contains("My accounts"), "{told}");
    phone.state.links = vec![link(1, "zenith:p", "Zenith Bank")];
    assert!(phone.types("2").starts_with("Your linked accounts"), "{}", phone.says());

    let mut phone = Phone::at_banks();
    phone.banks.retain(|offer| offer.institution.id != "zenith:p");
    assert!(phone.types("1").starts_with("No account can be linked on this line"));
}

/// No list: said so, and tried again.
#[test]
fn without_a_list() {
    let mut phone = Phone::new();
    phone.banks.clear();
    phone.all_lists_read = false;
    phone.dial();
    assert!(phone.types("1").starts_with("The list of banks is not available"));
    assert!(phone.types("1").starts_with("The list of banks is not available"));
    phone.banks = super::fixtures::banks();
    assert!(phone.types("1").starts_with("Choose your bank"));
}

/// Where policy wants it, a person is warned once before the first secret, and not again at a retry.
#[test]
fn warns_before_secrets() {
    let mut phone = Phone::with(flow_with(SecretsOverUssd::Warn, Vec::new()));
    phone.dial();
    let first = phone.keys(&["1", "1"]);
    assert!(
        first.starts_with("What you type here is not secret") && first.contains("Zenith Bank: USERNAME"),
        "{first}"
    );
    phone.keys(&["ada", "pass-pw"]);
    let id = phone.submit().attempt;
    phone.resolves(id, crate::core::flow::AttemptResult::NotSent);
    assert!(
        phone.types("1").starts_with("Zenith Bank: USERNAME"),
        "{}",
        phone.says()
    );
}

/// A rule for one institution names it as the provider does, as it does where the offer is made.
#[test]
fn a_rule_names_the_bank_as_its_provider_does() {
    let rule = |institution: &str, secrets_over_ussd| PolicyOverride {
        country: None,
        provider: Some("mono".to_owned()),
        institution: Some(institution.to_owned()),
        secrets_over_ussd: Some(secrets_over_ussd),
        secrets_over_sms: None,
    };
    for (base, ruled, want) in [
        (SecretsOverUssd::Allow, SecretsOverUssd::Warn, true),
        (SecretsOverUssd::Warn, SecretsOverUssd::Allow, false),
    ] {
        let mut phone = Phone::with(flow_with(base, vec![rule("zenith", ruled)]));
        phone.dial();
        let first = phone.keys(&["1", "1"]);
        assert_eq!(first.contains("is not secret"), want, "{first}");
    }
}

/// Each provider's figures hold for its own institutions only; one that is not set up any more is given no time.
#[test]
fn providers_have_figures_of_their_own() {
    let mut settings = flow().settings.clone();
    let other = ProviderRules {
        favourites: vec!["Kuda".to_owned(), "ZENITH BANK".to_owned()],
        timeout: Duration::from_secs(5),
        max_rounds: 2,
        ..ProviderRules::default()
    };
    settings.providers.insert("other".to_owned(), other);
    for (provider, favourites, timeout, rounds) in [
        ("mono", [Some(0), None], TIMEOUT, 6),
        ("other", [Some(1), Some(0)], Duration::from_secs(5), 2),
        ("gone", [None, None], Duration::ZERO, u8::MAX),
    ] {
        let found = ["Zenith Bank", "Kuda"].map(|name| settings.favourite(provider, name));
        assert_eq!(found, favourites, "{provider}");
        assert_eq!(settings.provider_timeout(provider), timeout);
        assert_eq!(settings.max_rounds(provider), rounds);
    }
}
