use proptest::prelude::*;

use super::*;

const COUNTRIES: [&str; 13] = [
    "NG", "GH", "KE", "ZA", "UG", "TZ", "RW", "ZM", "MW", "ET", "FR", "GB", "CI",
];

fn canonical(raw: &str, country: &str) -> Option<String> {
    Msisdn::parse(raw, country)
        .ok()
        .map(|msisdn| msisdn.as_str().to_owned())
}

/// Country calling code and libphonenumber's example of a mobile number, without any prefix.
fn example(country: &str) -> (String, String) {
    let metadata = DATABASE.by_id(country).unwrap();
    let example = metadata.descriptors().mobile().unwrap().example().unwrap();
    (metadata.country_code().to_string(), example.to_owned())
}

fn in_script(zero: u32, digits: &str) -> String {
    digits
        .chars()
        .map(|c| c.to_digit(10).map_or(c, |digit| char::from_u32(zero + digit).unwrap()))
        .collect()
}

fn spellings(code: &str, significant: &str, trunk: &str) -> Vec<String> {
    let (head, tail) = significant.split_at(3);
    vec![
        format!("+{code}{significant}"),
        format!(" {code}{significant}"),
        format!("{code}{significant}"),
        format!("{trunk}{significant}"),
        format!("00{code}{significant}"),
        format!("tel:+{code}{significant}"),
        format!("TEL:{trunk}{significant}"),
        format!("+{code} {head} {tail}"),
        format!("+{code}-{head}-{tail}"),
        format!("{trunk}{head}-{tail}"),
        format!("({trunk}{head}) {tail}"),
        format!("+{code} ({trunk}){head}.{tail}"),
        format!("\u{202a}+{code}\u{a0}{head}\u{2011}{tail}\u{202c}"),
        in_script(0xff10, &format!("＋{code}{significant}")),
        in_script(0x660, &format!("+{code}{significant}")),
        in_script(0x6f0, &format!("{trunk}{significant}")),
    ]
}

/// Every way to write one SIM gives one identity, in every country that is served.
#[test]
fn all_spellings_are_one_number() {
    for country in COUNTRIES {
        let (code, significant) = example(country);
        let trunk = DATABASE.by_id(country).unwrap().national_prefix().unwrap_or("");
        for spelling in spellings(&code, &significant, trunk) {
            let want = Some(format!("+{code}{significant}"));
            assert_eq!(
                canonical(&spelling, country),
                want,
                "{spelling:?} on a channel of {country}"
            );
        }
    }
}

/// In the rest of the world a spelling may be refused, but it never becomes somebody else.
#[test]
fn no_spelling_is_another_number_anywhere() {
    let mut understood = 0;
    for metadata in DATABASE.iter() {
        let Some(significant) = metadata.descriptors().mobile().and_then(|mobile| mobile.example()) else {
            continue;
        };
        let code = metadata.country_code().to_string();
        for spelling in spellings(&code, significant, metadata.national_prefix().unwrap_or("")) {
            if let Some(found) = canonical(&spelling, metadata.id()) {
                assert_eq!(
                    found,
                    format!("+{code}{significant}"),
                    "{spelling:?} in {}",
                    metadata.id()
                );
                understood += 1;
            }
        }
    }
    assert!(understood > 3000, "only {understood}");
}

/// A SIM that roams is the same SIM: an international spelling does not depend on the channel's country, plus or not.
#[test]
fn the_channel_does_not_change_an_international_number() {
    for home in COUNTRIES {
        let (code, significant) = example(home);
        let want = Some(format!("+{code}{significant}"));
        for channel in COUNTRIES.into_iter().chain(["ng", "", "XX", "001"]) {
            for spelling in [format!("+{code}{significant}"), format!("{code}{significant}")] {
                assert_eq!(
                    canonical(&spelling, channel),
                    want,
                    "{spelling:?} on a channel of {channel:?}"
                );
            }
        }
    }
}

/// Dialled prefixes of the channel's own country are understood.
#[test]
fn national_prefixes_are_understood() {
    for (raw, country, want) in [
        ("0803 123 4567", "NG", "+2348031234567"),
        ("8031234567", "NG", "+2348031234567"),
        ("0092348031234567", "NG", "+2348031234567"),
        ("000254712123456", "KE", "+254712123456"),
        ("0712123456", "ke", "+254712123456"),
        ("2250123456789", "CI", "+2250123456789"),
        ("0123456789", "CI", "+2250123456789"),
        ("0612345678", "FR", "+33612345678"),
        ("+2340803 123 4567", "GH", "+2348031234567"),
        ("2015550123", "US", "+12015550123"),
    ] {
        assert_eq!(canonical(raw, country).as_deref(), Some(want), "{raw:?} {country}");
    }
}

/// What is no subscriber is refused, and so is what might be two.
#[test]
fn refuses_what_is_not_one_subscriber() {
    for (raw, country) in [
        ("", "NG"),
        ("+", "NG"),
        ("tel:", "NG"),
        ("+234", "NG"),
        ("+2342033123456", "NG"),
        ("02033123456", "NG"),
        ("+441212345678", "GB"),
        ("+254202012345", "KE"),
        ("+448001234567", "GB"),
        ("384", "KE"),
        ("*384*96#", "KE"),
        ("+80012345678", "NG"),
        ("803123456", "NG"),
        ("+23480312345678", "NG"),
        ("+2348031234567890", "NG"),
        ("23480312345671234", "NG"),
        ("0803123456O", "NG"),
        ("+234+8031234567", "NG"),
        ("234+8031234567", "NG"),
        ("++2348031234567", "NG"),
        ("+002348031234567", "NG"),
        ("+2348031234567;ext=1", "NG"),
        ("+234803123456⁷", "NG"),
        ("+234\u{0}8031234567", "NG"),
        ("+2348031234567\n+2348031234568", "NG"),
        ("0803123456\u{1b}7", "NG"),
        ("0803 123 4567", ""),
        ("+999123456789", "NG"),
        ("0000000000000000", "NG"),
        ("+24106031234", "GA"),
        ("test", "NG"),
    ] {
        assert_eq!(canonical(raw, country), None, "{raw:?} {country}");
    }
    assert_eq!(canonical(&" ".repeat(1_000_000), "NG"), None);
    assert_eq!(canonical(&format!("{}08031234567", "-".repeat(100)), "NG"), None);
}

/// The country is the number's, not the channel's, also where several share a calling code.
#[test]
fn knows_its_country() {
    for country in COUNTRIES.into_iter().chain(["US", "CA", "JE", "KZ", "RU"]) {
        let (code, significant) = example(country);
        let msisdn = Msisdn::parse(&format!("+{code}{significant}"), "NG").unwrap();
        assert_eq!(msisdn.country(), Some(country));
    }
}

/// Debug output must not identify anybody.
#[test]
fn debug_hides_the_number() {
    let msisdn = Msisdn::parse("+2348031234567", "NG").unwrap();
    assert_eq!(format!("{msisdn:?}"), "Msisdn(+234..67)");
}

/// A number in a sealed blob is a plain string; anything but a canonical number there is corruption.
#[test]
fn serialized_as_its_canonical_form() {
    let msisdn = Msisdn::parse("08031234567", "NG").unwrap();
    let json = serde_json::to_string(&msisdn).unwrap();
    assert_eq!(json, "\"+2348031234567\"");
    assert_eq!(serde_json::from_str::<Msisdn>(&json).unwrap(), msisdn);
    for bad in [
        "\"08031234567\"",
        "\"+\"",
        "\"+0348031234567\"",
        "\"+23480312345671234\"",
        "\"+23480a1234567\"",
        "1",
    ] {
        assert!(serde_json::from_str::<Msisdn>(bad).is_err(), "{bad}");
    }
}

proptest! {
    /// No text makes the parser panic, and what it accepts is canonical and stays so.
    #[test]
    fn never_panics_and_is_idempotent(raw in any::<String>(), at in 0..COUNTRIES.len()) {
        if let Ok(msisdn) = Msisdn::parse(&raw, COUNTRIES[at]) {
            prop_assert_eq!(Msisdn::parse(msisdn.as_str(), COUNTRIES[at]), Ok(msisdn));
        }
    }

    /// The same for texts that look like numbers, and the channel's country cannot change a canonical number.
    #[test]
    fn digits_are_read_one_way(raw in "[+ ]?(00|009|0)?[0-9]{0,16}", at in 0..COUNTRIES.len(), other in 0..COUNTRIES.len()) {
        if let Ok(msisdn) = Msisdn::parse(&raw, COUNTRIES[at]) {
            prop_assert_eq!(&Msisdn::parse(msisdn.as_str(), COUNTRIES[other]), &Ok(msisdn.clone()));
            prop_assert_eq!(Msisdn::parse(msisdn.digits(), COUNTRIES[at]).ok().filter(|again| *again != msisdn), None);
            let debug = format!("{msisdn:?}");
            prop_assert!(!debug.contains(&msisdn.as_str()[5..]));
        }
    }

    /// Any subscriber of a served country, not only the example, has one identity in all spellings.
    #[test]
    fn any_subscriber_is_one_number(at in 0..COUNTRIES.len(), end in 0_u32..1_000_000) {
        let country = COUNTRIES[at];
        let (code, example) = example(country);
        let significant = format!("{}{end:06}", &example[..example.len() - 6]);
        let trunk = DATABASE.by_id(country).unwrap().national_prefix().unwrap_or("");
        if canonical(&format!("+{code}{significant}"), country).is_some() {
            let found: BTreeSet<_> = spellings(&code, &significant, trunk).iter().map(|s| canonical(s, country)).collect();
            prop_assert_eq!(found, BTreeSet::from([Some(format!("+{code}{significant}"))]));
        }
    }
}

/// Of a number that is shown masked, nothing is seen but its country and its last two digits.
#[test]
fn a_masked_number_shows_its_ends() {
    for (number, masked) in [("+2348031234567", "+234********67"), ("+254712345678", "+254*******78")] {
        assert_eq!(Msisdn::parse(number, "").unwrap().masked(), masked);
    }
}
