use proptest::prelude::*;

use super::*;

/// The whole alphabet of TS 23.038, in code order, costs what the standard says.
#[test]
fn the_alphabet_is_complete() {
    let single = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ\
                  ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
    assert_eq!(single.chars().count(), 127, "128 codes less the escape");
    assert_eq!(septets(single), Some(127));
    let double = "\u{c}^{}\\[~]|€";
    assert_eq!(septets(double), Some(20));
    let encodable = (0..=u32::from(char::MAX))
        .filter_map(char::from_u32)
        .filter(|c| septet_cost(*c).is_some());
    assert_eq!(encodable.count(), 137);
}

/// Characters that look harmless and are not in the alphabet are noticed.
#[test]
fn what_cannot_be_sent_has_no_cost() {
    for text in [
        "`", "ç", "₦", "₵", "ẹ", "’", "–", "•", "😀", "á", "\u{0}", "\u{1b}", "\u{a0}", "\u{feff}",
    ] {
        assert_eq!(septets(text), None, "{text:?}");
    }
}

/// The names and signs of the countries served come out readable.
#[test]
fn folds_to_what_a_person_can_read() {
    for (raw, want) in [
        ("Zenith", "Zenith"),
        ("Ẹ kú àárọ̀, ṣé ọ̀rẹ́", "E ku àaro, sé ore"),
        ("Ụlọ akụ", "Ulo aku"),
        ("Ɓarna ɗaki ƙofa ƴanci", "Barna daki kofa yanci"),
        ("Société Générale", "Société Générale"),
        ("Crédit Agricole d’Île-de-France", "Crédit Agricole d'Ile-de-France"),
        ("façade", "facade"),
        ("“First”–Bank…", "\"First\"-Bank..."),
        ("₦500", "NGN 500"),
        ("₦ 500", "NGN 500"),
        ("GH₵20", "GHS 20"),
        ("a\u{a0}b\u{202f}c", "a b c"),
        ("one\r\ntwo\tthree\u{0}four", "one  two three four"),
        ("ok 😀👍🏽 done\u{200d}\u{fe0f}", "ok  done"),
        ("`x`", "'x'"),
        ("Ngʼombe ‘x’", "Ng'ombe 'x'"),
        ("１２٣", "123"),
        ("a\u{202e}b\u{feff}", "ab"),
        ("\u{1b}[31mred", " [31mred"),
        ("e\u{301}", "e"),
    ] {
        assert_eq!(fold(raw), want, "{raw:?}");
    }
}

/// Our own texts keep their lines; a name cannot bring lines of its own.
#[test]
fn only_our_texts_have_lines() {
    assert_eq!(fold_lines("Welcome\r\nto “us”\n"), "Welcome\nto \"us\"");
    assert_eq!(
        clean_name("Bank\n1 Send money\u{2028}2 x", 160),
        "Bank 1 Send money 2 x"
    );
}

/// A cut name shows that it was cut, and never ends in half of an escaped character.
#[test]
fn names_are_bounded() {
    for (raw, max, want) in [
        ("  Zenith   Bank ", 20, "Zenith Bank"),
        ("Zenith Bank", 11, "Zenith Bank"),
        ("Zenith Bank", 10, "Zenith B.."),
        ("Zenith Bank", 9, "Zenith.."),
        ("[[[[", 7, "[[.."),
        ("[[[[", 8, "[[[["),
        ("[[", 1, ""),
        ("abc", 2, "ab"),
        ("abc", 0, ""),
        ("😀", 10, ""),
    ] {
        assert_eq!(clean_name(raw, max), want, "{raw:?} in {max}");
    }
}

/// Digits of other scripts are digits; look-alikes are not.
#[test]
fn digits_of_other_scripts_count() {
    for (raw, want) in [
        ("１２３", "123"),
        ("٠١٩", "019"),
        ("۴۵", "45"),
        ("९", "9"),
        ("²①Ⅳ", "²①Ⅳ"),
        ("O0l1", "O0l1"),
        ("pin ７", "pin 7"),
    ] {
        assert_eq!(fold_digits(raw), want, "{raw:?}");
    }
}

proptest! {
    /// What is written as it is, and what needs a closer look, come out the same.
    #[test]
    fn plain_texts_take_no_other_way(text in "[ -~\n]{0,40}") {
        let looked_at = |folded: String| folded.strip_suffix('é').unwrap().to_owned();
        prop_assert_eq!(fold(&text), looked_at(fold(&format!("{text}é"))));
        let lines = looked_at(fold_lines(&format!("{text}é")));
        prop_assert_eq!(fold_lines(&text), lines.trim_end_matches('\n'));
        prop_assert_eq!(folded_septets(&text) + 1, folded_septets(&format!("{text}é")));
        let words: Vec<_> = text.split_whitespace().map(fold).collect();
        prop_assert_eq!(clean_name(&text, usize::MAX), words.join(" "));
    }

    /// Whatever comes in, what goes out can be sent, has no control characters, and does not change again.
    #[test]
    fn folding_always_ends_in_the_alphabet(text in any::<String>()) {
        let folded = fold(&text);
        prop_assert!(septets(&folded).is_some());
        prop_assert!(!folded.chars().any(char::is_control));
        prop_assert_eq!(&fold(&folded), &folded);
        let lines = fold_lines(&text);
        prop_assert!(septets(&lines).is_some());
        prop_assert_eq!(&fold_lines(&lines), &lines);
    }

    /// Every single character folds, not only those that random texts are made of.
    #[test]
    fn any_character_folds(character in any::<char>()) {
        prop_assert!(septets(&fold(&character.to_string())).is_some());
    }

    /// A text costs what its parts cost.
    #[test]
    fn cost_is_additive(left in any::<String>(), right in any::<String>()) {
        let (left, right) = (fold(&left), fold(&right));
        let whole = septets(&format!("{left}{right}"));
        prop_assert_eq!(whole, Some(septets(&left).unwrap() + septets(&right).unwrap()));
    }

    /// A cleaned name fits, is one trimmed line, and stays as it is when cleaned again.
    #[test]
    fn cleaned_names_fit(name in any::<String>(), max in 0_usize..60) {
        let clean = clean_name(&name, max);
        prop_assert!(septets(&clean).unwrap() <= max);
        prop_assert_eq!(clean.trim(), &clean);
        prop_assert!(!clean.contains("  "));
        prop_assert_eq!(clean_name(&clean, max), clean);
    }
}
