//! What people type, and what it finds.

use proptest::prelude::*;

use super::*;

/// As a provider's list calls them, in its order on the screen.
const NAMES: &[&str] = &[
    "Access Bank",
    "ALAT by Wema",
    "Ecobank",
    "FCMB",
    "Fidelity Bank",
    "GTBank",
    "Jaiz Bank",
    "Keystone Bank",
    "Kuda",
    "Moniepoint",
    "OPay",
    "PalmPay",
    "PiggyVest",
    "Polaris Bank",
    "Providus Bank",
    "Stanbic IBTC Bank",
    "Sterling Bank",
    "UBA",
    "Union Bank",
    "Unity Bank",
    "Wema Bank",
    "Zenith Bank",
];

/// What the list has and a phone cannot link.
const ELSEWHERE: &[&str] = &["First Bank", "Access Bank Business"];

fn table() -> BankNames {
    BankNames::embedded().unwrap()
}

fn names_found(query: &str) -> Vec<&'static str> {
    let result = find(query, NAMES, ELSEWHERE, &table());
    result.found.into_iter().map(|at| NAMES[at]).collect()
}

/// What people typed at the keypad, each way of writing a bank's name finds that bank and no other: generic words, blanks and
/// marks do not matter, names that people use are known, and one slip in a word is forgiven.
#[test]
fn what_people_type_finds_their_bank() {
    for (query, want) in [
        ("opay", "OPay"),
        ("o pay", "OPay"),
        ("opay bank", "OPay"),
        ("gtb", "GTBank"),
        ("gt bank", "GTBank"),
        ("guaranty", "GTBank"),
        ("guaranty trust", "GTBank"),
        ("guarantee trust bank", "GTBank"),
        ("guarnty", "GTBank"),
        ("uba", "UBA"),
        ("u.b.a", "UBA"),
        ("U B A", "UBA"),
        ("uba bank", "UBA"),
        ("united", "UBA"),
        ("united bank for africa", "UBA"),
        ("kuda", "Kuda"),
        ("kuda bank", "Kuda"),
        ("kudabank", "Kuda"),
        ("kuda mfb", "Kuda"),
        ("kuda microfinance", "Kuda"),
        ("kudda", "Kuda"),
        ("cuda", "Kuda"),
        ("palmpay", "PalmPay"),
        ("palm pay", "PalmPay"),
        ("pampay", "PalmPay"),
        ("moniepoint", "Moniepoint"),
        ("monie", "Moniepoint"),
        ("moneypoint", "Moniepoint"),
        ("money point", "Moniepoint"),
        ("mony", "Moniepoint"),
        ("zenit", "Zenith Bank"),
        ("zennith", "Zenith Bank"),
        ("zenithbank", "Zenith Bank"),
        ("eco bank", "Ecobank"),
        ("stanbic", "Stanbic IBTC Bank"),
        ("ibtc", "Stanbic IBTC Bank"),
        ("access bank plc", "Access Bank"),
        ("acess", "Access Bank"),
        ("providus bank plc", "Providus Bank"),
        ("skye", "Polaris Bank"),
        ("first city monument", "FCMB"),
        ("sterlng bank", "Sterling Bank"),
        ("z", "Zenith Bank"),
    ] {
        assert_eq!(names_found(query), [want], "{query:?}");
    }
}

/// Keys find by the beginnings of words only: "98" and "99", which people press for the network or for more, find nothing.
#[test]
fn keys_find_by_the_beginning_of_words() {
    for (query, want) in [
        ("936", &["Wema Bank", "ALAT by Wema", "Zenith Bank"][..]),
        ("９３６", &["Wema Bank", "ALAT by Wema", "Zenith Bank"]),
        ("5832", &["Kuda"]),
        ("58322265", &["Kuda"]),
        ("5832 2265", &["Kuda"]),
        ("822", &["UBA"]),
        ("98", &[]),
        ("99", &[]),
        ("00", &[]),
        ("7269", &[]),
    ] {
        let mut found = names_found(query);
        found.sort_unstable();
        let mut want = want.to_vec();
        want.sort_unstable();
        assert_eq!(found, want, "{query}");
    }
}

/// A bank that exists and cannot be linked here is said to be so, unless what was typed means one that can at least as well;
/// never is another bank offered in its place as if it were meant.
#[test]
fn a_bank_that_cannot_be_linked_is_said_to_be_so() {
    for (query, unlinkable, found) in [
        ("first bank", Some("First Bank"), &["FCMB"][..]),
        ("first", Some("First Bank"), &["FCMB"]),
        ("fbn", Some("First Bank"), &[]),
        ("frist bank", Some("First Bank"), &[]),
        ("3425", None, &[]),
        ("34778", Some("First Bank"), &["FCMB"]),
        ("standard chartered", Some("Standard Chartered"), &[]),
        ("vbank", Some("VFD"), &[]),
        ("access business", Some("Access Bank Business"), &[]),
        ("access", None, &["Access Bank"]),
        ("qqqq", None, &[]),
        ("bank of mars", None, &[]),
    ] {
        let result = find(query, NAMES, ELSEWHERE, &table());
        assert_eq!(result.unlinkable.as_deref(), unlinkable, "{query}");
        assert_eq!(names_found(query), found, "{query}");
        assert!(!result.certain || unlinkable.is_none(), "{query}");
    }
    // One that is offered is found, also where another side of it is not.
    let result = find("first bank", &["First Bank"], &["First Bank"], &table());
    assert_eq!((result.found, result.unlinkable, result.certain), (vec![0], None, true));
}

/// A bank that was found by a slip, in the middle of a word or by one or two letters is not taken without a question.
#[test]
fn only_what_was_surely_meant_is_certain() {
    for (query, certain) in [
        ("kuda", true),
        ("kuda bank", true),
        ("zen", true),
        ("guaranty", true),
        ("5832", true),
        ("kudda", false),
        ("cuda", false),
        ("vest", false),
        ("ku", false),
        ("58", false),
        ("first", false),
        ("bank", false),
        ("qqqq", false),
    ] {
        assert_eq!(find(query, NAMES, ELSEWHERE, &table()).certain, certain, "{query}");
    }
}

/// The whole name counts before the start of one, that before the start of a word, that before the middle, and then the given
/// order; generic words alone list the names that have them.
#[test]
fn ranks_before_order() {
    for (query, names, want) in [
        (
            "anc",
            &["Blanc", "Old Anchor", "Anchor", "Ancs", "Anc Bank"][..],
            &[4, 2, 3, 1, 0][..],
        ),
        (
            "union",
            &["Credit Union Bank", "Union Bank Business", "Union Bank"],
            &[2, 1, 0],
        ),
        ("bank", &["Kuda", "Bank of Mars", "Old Bank"], &[1, 2]),
        ("of mars bank", &["Mars", "Bank of Mars"], &[0, 1]),
        ("generale", &["Société Générale", "Ẹ̀kọ́ MFB"], &[0]),
        ("ẸKỌ", &["Société Générale", "Ẹ̀kọ́ MFB"], &[1]),
        ("women’s", &["Women's World Banking"], &[0]),
    ] {
        assert_eq!(find(query, names, &[], &table()).found, want, "{query:?}");
    }
}

/// Nothing typed finds nothing, and nonsense of any size does no harm.
#[test]
fn nonsense_finds_nothing() {
    for query in ["", " ", "*#", "😀", "\u{0}", "..", "qqq", "000", "1"] {
        assert_eq!(names_found(query), [""; 0], "{query:?}");
    }
    for query in ["z".repeat(200), "9".repeat(200), "é".repeat(200), "字".repeat(200)] {
        assert_eq!(names_found(&query), [""; 0]);
    }
}

proptest! {
    /// Every name is found by its own letters and by its own keys, once.
    #[test]
    fn a_name_finds_itself(names in proptest::collection::vec("[a-zA-Z ẹọṣé'.-]{0,12}", 1..20), at in any::<prop::sample::Index>()) {
        let at = at.index(names.len());
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let written = normalize(names[at]);
        prop_assume!(!written.is_empty());
        for query in [names[at], &press_keys(&written)] {
            let found = find(query, &names, &[], &table()).found;
            prop_assert_eq!(found.iter().filter(|position| **position == at).count(), 1, "{}", query);
        }
    }

    /// One slip in a word of four letters or more still finds it.
    #[test]
    fn a_slip_is_forgiven(name in "[b-z]{4,10}", at in any::<prop::sample::Index>(), change in 0..3) {
        let at = at.index(name.len());
        let mut typed: Vec<char> = name.chars().collect();
        match change {
            0 => typed[at] = 'a',
            1 => typed.insert(at, 'a'),
            _ if at > 0 => typed.swap(at, at - 1),
            _ => {}
        }
        let typed: String = typed.into_iter().collect();
        let found = find(&typed, &[&name], &[], &BankNames::default()).found;
        prop_assert_eq!(found, [0], "{} for {}", typed, name);
    }

    /// Nothing makes the search panic, and no position comes twice or from outside.
    #[test]
    fn never_panics(query in any::<String>(), names in proptest::collection::vec(any::<String>(), 0..10)) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut found = find(&query, &names, &names, &table()).found;
        let count = found.len();
        found.sort_unstable();
        found.dedup();
        prop_assert_eq!(found.len(), count);
        prop_assert!(found.iter().all(|at| *at < names.len()));
    }
}
