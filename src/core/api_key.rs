//! Keys and tokens of the partner API: their form, and how they are recognised.
//!
//! Each has a prefix that says what it is and in which environment it works, followed by 256 random bits in base 62. Only its
//! SHA-256 is stored: that many random bits cannot be guessed, so a slow hash would only cost time, and a row is found by
//! its digest without ever comparing secrets.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::secret::Secret;
use super::time::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApiKeyKind {
    /// Authenticates a partner; stays on the partner's servers.
    Secret,
    /// May only read the public state of an intent; may be published.
    Publishable,
    /// An access token of a partner or one of its users, good for a few minutes.
    Token,
}

/// Where a key works. A key of one environment is refused by the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApiEnvironment {
    Sandbox,
    Live,
}

/// Characters after the prefix: the fewest that hold 256 bits in base 62.
const LENGTH: usize = 43;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const PREFIXES: [(&str, ApiKeyKind, ApiEnvironment); 6] = [
    ("kg_sk_sandbox_", ApiKeyKind::Secret, ApiEnvironment::Sandbox),
    ("kg_sk_live_", ApiKeyKind::Secret, ApiEnvironment::Live),
    ("kg_pub_sandbox_", ApiKeyKind::Publishable, ApiEnvironment::Sandbox),
    ("kg_pub_live_", ApiKeyKind::Publishable, ApiEnvironment::Live),
    ("kg_at_sandbox_", ApiKeyKind::Token, ApiEnvironment::Sandbox),
    ("kg_at_live_", ApiKeyKind::Token, ApiEnvironment::Live),
];

pub fn generate(kind: ApiKeyKind, side: ApiEnvironment, rng: &dyn Rng) -> Secret {
    let mut bits = Zeroizing::new([0; 32]);
    rng.fill(bits.as_mut_slice());
    let mut digits = Zeroizing::new([b'0'; LENGTH]);
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[usize::from(divide_by_62(&mut bits))];
    }
    let mut text = String::with_capacity(64);
    text.push_str(prefix(kind, side));
    text.extend(digits.iter().map(|digit| char::from(*digit)));
    Secret::new(text)
}

/// What a text is, if it looks like a key. Whether the key is valid is for the records to say.
pub fn parse(text: &str) -> Option<(ApiKeyKind, ApiEnvironment)> {
    let (prefix, kind, side) = PREFIXES.into_iter().find(|(prefix, ..)| text.starts_with(prefix))?;
    let rest = &text.as_bytes()[prefix.len()..];
    let good = rest.len() == LENGTH && rest.iter().all(u8::is_ascii_alphanumeric);
    good.then_some((kind, side))
}

pub fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The last four characters, by which people tell keys apart.
pub fn last_four(key: &Secret) -> String {
    let text = key.expose();
    text.get(text.len().saturating_sub(4)..).unwrap_or_default().to_owned()
}

fn prefix(kind: ApiKeyKind, side: ApiEnvironment) -> &'static str {
    let found = PREFIXES.iter().find(|(_, k, s)| (*k, *s) == (kind, side));
    found.map_or("", |(prefix, ..)| prefix)
}

/// Divides the number by 62 in place and returns the remainder.
fn divide_by_62(number: &mut [u8; 32]) -> u8 {
    let mut rest = 0_u16;
    for byte in number.iter_mut() {
        let part = rest << 8 | u16::from(*byte);
        // Below 62 * 256, so the quotient fits a byte.
        *byte = u8::try_from(part / 62).unwrap_or(u8::MAX);
        rest = part % 62;
    }
    u8::try_from(rest).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same byte over and over.
    struct ConstantRng(u8);

    impl Rng for ConstantRng {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0);
        }
    }

    /// Every kind of key is parsed as what it was generated as, and carries all of its bits: the smallest and the largest
    /// number of 256 bits below were computed by another program.
    #[test]
    fn keys_are_parsed_as_what_they_are() {
        for (prefix, kind, side) in PREFIXES {
            let (least, most) = (
                generate(kind, side, &ConstantRng(0)),
                generate(kind, side, &ConstantRng(255)),
            );
            assert_eq!(least.expose(), format!("{prefix}{}", "0".repeat(43)));
            assert_eq!(
                most.expose(),
                format!("{prefix}yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1")
            );
            for key in [least, most] {
                assert_eq!(parse(key.expose()), Some((kind, side)));
                assert!(key.expose().ends_with(&last_four(&key)));
                assert_ne!(digest(key.expose()), digest(prefix));
            }
        }
    }

    /// A text that does not look like a key is rejected without a lookup.
    #[test]
    fn other_texts_are_no_keys() {
        let digits = "a".repeat(43);
        for text in [
            String::new(),
            digits.clone(),
            format!("kg_sk_test_{digits}"),
            format!("KG_SK_LIVE_{digits}"),
            format!("kg_sk_live_{digits}a"),
            format!("kg_sk_live_{}", &digits[1..]),
            format!("kg_sk_live_{}-", &digits[1..]),
            format!("kg_sk_live_{}\u{e9}", &digits[2..]),
            format!(" kg_sk_live_{digits}"),
        ] {
            assert_eq!(parse(&text), None, "{text:?}");
        }
    }
}
