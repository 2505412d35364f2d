//! Searches bytes for secrets in every form in which they could appear.

use std::collections::{BTreeSet, HashMap};

/// A secret to look for.
#[derive(Clone, Debug)]
pub struct Needle {
    /// A name for the report; never the secret itself.
    pub what: String,
    pub secret: String,
}

impl Needle {
    pub fn new(what: impl Into<String>, secret: impl Into<String>) -> Self {
        let (what, secret) = (what.into(), secret.into());
        assert!(secret.len() >= 8, "{what} is too short to be told from chance");
        Self { what, secret }
    }
}

/// Bytes that somebody could read, and where.
#[derive(Clone)]
pub struct SearchedPlace {
    /// What it is: a log, a file of Redis, and so on.
    pub class: &'static str,
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Every form of a secret, with a name.
pub fn forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = secret.as_bytes();
    let each = |form: &dyn Fn(u8) -> String| bytes.iter().map(|byte| form(*byte)).collect::<String>().into_bytes();
    let mut found = vec![
        ("literal", bytes.to_vec()),
        (
            "URL-encoded",
            url::form_urlencoded::byte_serialize(bytes)
                .collect::<String>()
                .into_bytes(),
        ),
        ("URL-encoded throughout", each(&|byte| format!("%{byte:02X}"))),
        ("URL-encoded throughout, small", each(&|byte| format!("%{byte:02x}"))),
        ("hexadecimal", each(&|byte| format!("{byte:02x}"))),
        ("hexadecimal, large", each(&|byte| format!("{byte:02X}"))),
        ("UTF-16LE", secret.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE", secret.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("reversed", bytes.iter().rev().copied().collect()),
    ];
    for (alphabet, names) in [
        ("+/", ["base64", "base64 at one", "base64 at two"]),
        ("-_", ["base64url", "base64url at one", "base64url at two"]),
    ] {
        found.extend(
            names
                .into_iter()
                .enumerate()
                .map(|(at, name)| (name, base64(bytes, at, alphabet))),
        );
    }
    found
}

/// The base64 characters that depend only on these bytes, when the bytes begin at position `at` of a group of three.
fn base64(bytes: &[u8], at: usize, last: &str) -> Vec<u8> {
    let alphabet: Vec<u8> = (b'A'..=b'Z')
        .chain(b'a'..=b'z')
        .chain(b'0'..=b'9')
        .chain(last.bytes())
        .collect();
    let bits: Vec<u8> = std::iter::repeat_n(0, at)
        .chain(bytes.iter().copied())
        .flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1))
        .collect();
    let letters = bits
        .chunks_exact(6)
        .map(|six| alphabet[six.iter().fold(0, |n, bit| (n << 1) | usize::from(*bit))]);
    letters.skip((at * 8).div_ceil(6)).collect()
}

/// Reports where secrets are, without containing them. Every place is searched once, however many secrets there are: by the
/// first two bytes of all forms, then by the first [`BEGINNING`].
pub fn leaks(places: &[SearchedPlace], needles: &[Needle]) -> Vec<String> {
    let mut forms_by_beginning: HashMap<Vec<u8>, Vec<Form<'_>>> = HashMap::new();
    let mut first_two = vec![false; 1 << 16];
    for needle in needles {
        for (form, bytes) in forms(&needle.secret) {
            first_two[two(&bytes)] = true;
            let same = forms_by_beginning.entry(bytes[..BEGINNING].to_vec()).or_default();
            same.push((&needle.what, form, bytes));
        }
    }
    let mut found = BTreeSet::new();
    for place in places {
        for at in 0..place.bytes.len().saturating_sub(BEGINNING - 1) {
            let rest = &place.bytes[at..];
            if !first_two[two(rest)] {
                continue;
            }
            for (what, form, bytes) in forms_by_beginning.get(&rest[..BEGINNING]).into_iter().flatten() {
                if rest.starts_with(bytes) {
                    found.insert(format!("{what}, {form}, in {} {}", place.class, place.name));
                }
            }
        }
    }
    found.into_iter().collect()
}

/// The secret's name, the form's name, and the bytes.
type Form<'a> = (&'a str, &'static str, Vec<u8>);

/// The length of the shortest form.
const BEGINNING: usize = 8;

/// The first two bytes as a number.
fn two(bytes: &[u8]) -> usize {
    (usize::from(bytes[0]) << 8) | usize::from(bytes[1])
}

/// A secret in any form between other bytes is found, and nothing is found where there is none.
#[test]
fn every_form_is_found_between_other_bytes() {
    let needle = Needle::new("a password", "Zq7+&é/0123456789");
    let place = |bytes: Vec<u8>| SearchedPlace {
        class: "test",
        name: "place".to_owned(),
        bytes,
    };
    for (form, bytes) in forms(&needle.secret) {
        let planted = [b"before \0\xff", &bytes[..], b"\0after"].concat();
        let found = leaks(&[place(planted)], std::slice::from_ref(&needle)).join("\n");
        assert!(
            found.contains(&format!("a password, {form}, in test place")),
            "{form}: {found}"
        );
    }
    assert!(leaks(&[place(b"Zq7+&\xc3\xa9/012345678 9".to_vec())], &[needle]).is_empty());
}

/// Base64 is recognised at every position of its groups of three bytes; encoded by another program.
#[test]
fn base64_is_found_at_every_place_in_a_group() {
    // `printf '<before>Zq7canary!<after>' | base64`
    for encoded in [
        "WnE3Y2FuYXJ5IWFmdGVy",
        "eFpxN2NhbmFyeSFhZnRlcg==",
        "eHhacTdjYW5hcnkhYWZ0ZXI=",
        "eHh4WnE3Y2FuYXJ5IWE=",
    ] {
        let place = SearchedPlace {
            class: "test",
            name: String::new(),
            bytes: encoded.as_bytes().to_vec(),
        };
        assert!(
            !leaks(&[place], &[Needle::new("it", "Zq7canary!")]).is_empty(),
            "{encoded}"
        );
    }
}
