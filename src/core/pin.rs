//! A person's own four-digit code, for a phone that others use too.
//!
//! Four digits withstand guessing only by being few tries: three are free, and each further one costs four times the wait
//! of the one before. What is kept is a digest under a key that never enters the database, so that a stolen table cannot
//! be tried out.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::msisdn::Msisdn;
use super::seal::Keyring;
use super::secret::Secret;
use super::time::Timestamp;

/// Digits of a code.
pub const DIGITS: usize = 4;

/// Wrong tries that cost nothing.
pub const FREE_TRIES: u8 = 3;

/// What the first wrong try after them costs; each further one costs four times as much.
const FIRST_WAIT: Duration = Duration::from_mins(15);

/// No wait is longer.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// Whether people may have a code of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubscriberPin {
    /// Nobody has one; existing ones are not asked for.
    Off,
    /// Who wants one chooses it on the screen of a link.
    #[default]
    Optional,
    /// Everybody chooses one before linking.
    Required,
}

/// Somebody's code, and how often it was guessed wrong.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Keyed digest of number and code.
    #[serde(with = "serde_bytes")]
    pub digest: [u8; 32],
    /// When it was chosen: of two codes the later one counts.
    #[serde(default)]
    pub chosen_at: Timestamp,
    /// Wrong tries since the last right one.
    pub wrong_tries: u8,
    /// When the last of them was.
    pub wrong_at: Timestamp,
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pin")
            .field("wrong", &self.wrong_tries)
            .finish_non_exhaustive()
    }
}

impl Pin {
    /// This code of this number, chosen now.
    pub fn new(keyring: &Keyring, msisdn: &Msisdn, code: &Secret, now: Timestamp) -> Self {
        Self {
            digest: digest(keyring, msisdn, code),
            chosen_at: now,
            wrong_tries: 0,
            wrong_at: Timestamp::default(),
        }
    }

    /// Whether this is later than the other: chosen after it, or the same with a wrong try that the other does not know of.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        let same = self.chosen_at == other.chosen_at && self.digest == other.digest;
        self.chosen_at > other.chosen_at || (same && self.wrong_at > other.wrong_at)
    }

    /// Whether it is this code. Digests are compared, so that the time it takes says nothing about the code.
    pub fn is_code(&self, keyring: &Keyring, msisdn: &Msisdn, code: &Secret) -> bool {
        digest(keyring, msisdn, code) == self.digest
    }

    /// Takes a try. It is not compared while [`Self::wait_left`] says so.
    pub fn try_code(&mut self, keyring: &Keyring, msisdn: &Msisdn, code: &Secret, now: Timestamp) -> bool {
        if self.wait_left(now).is_some() {
            return false;
        }
        if self.is_code(keyring, msisdn, code) {
            self.wrong_tries = 0;
            return true;
        }
        self.wrong_tries = self.wrong_tries.saturating_add(1);
        self.wrong_at = now;
        false
    }

    /// How long no try is taken; `None` when one is.
    pub fn wait_left(&self, now: Timestamp) -> Option<Duration> {
        let over = self.wrong_tries.checked_sub(FREE_TRIES)?;
        let factor = 4_u32.checked_pow(u32::from(over)).unwrap_or(u32::MAX);
        let free_at = self.wrong_at.plus(FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT));
        (free_at > now).then(|| free_at.since(now))
    }
}

/// Whether a text is four digits that somebody would not try first.
pub fn is_hard_to_guess(code: &str) -> bool {
    let digits: Vec<u8> = code.bytes().collect();
    let steps = |by: i16| {
        digits
            .windows(2)
            .all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == by)
    };
    is_well_formed(code) && !steps(0) && !steps(1) && !steps(-1)
}

/// Whether a text is four digits.
pub fn is_well_formed(code: &str) -> bool {
    code.len() == DIGITS && code.bytes().all(|byte| byte.is_ascii_digit())
}

fn digest(keyring: &Keyring, msisdn: &Msisdn, code: &Secret) -> [u8; 32] {
    keyring.digest(
        "subscriber-pin",
        &[msisdn.as_str().as_bytes(), code.expose().as_bytes()],
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keyring() -> Keyring {
        Keyring::for_tests()
    }

    fn ada() -> Msisdn {
        Msisdn::parse("+2348031234567", "NG").unwrap()
    }

    /// The right code opens, whatever was tried before, once the wait is over; each try during a wait is worth nothing.
    #[test]
    fn three_tries_are_free() {
        let (keyring, right, wrong) = (keyring(), Secret::new("4821"), Secret::new("4822"));
        let mut pin = Pin::new(&keyring, &ada(), &right, Timestamp::default());
        let mut now = Timestamp::from_millis(1_000_000);
        for waits in [
            None,
            None,
            Some(15),
            Some(60),
            Some(240),
            Some(960),
            Some(1_440),
            Some(1_440),
        ] {
            assert!(!pin.try_code(&keyring, &ada(), &wrong, now));
            let wait = pin.wait_left(now).map(|wait| wait.as_secs() / 60);
            assert_eq!(wait, waits);
            if let Some(minutes) = waits {
                assert!(!pin.try_code(&keyring, &ada(), &right, now), "a try during the wait");
                now = now.plus(Duration::from_mins(minutes));
            }
        }
        assert!(pin.try_code(&keyring, &ada(), &right, now));
        assert_eq!(pin.wait_left(now), None);
    }

    /// Two people with the same code have digests that tell nobody so.
    #[test]
    fn a_digest_is_of_one_number() {
        let code = Secret::new("4821");
        let other = Msisdn::parse("+2348031234568", "NG").unwrap();
        assert!(
            Pin::new(&keyring(), &ada(), &code, Timestamp::default()).digest
                != Pin::new(&keyring(), &other, &code, Timestamp::default()).digest
        );
    }

    /// What anybody would try first is no code.
    #[test]
    fn easy_codes_are_refused() {
        for (code, fit) in [
            ("4821", true),
            ("1357", true),
            ("0000", false),
            ("7777", false),
            ("1234", false),
            ("9876", false),
            ("482", false),
            ("48210", false),
            ("48a1", false),
            ("", false),
        ] {
            assert_eq!(is_hard_to_guess(code), fit, "{code}");
        }
    }

    proptest! {
        /// Within a day of its last right entry, nobody gets more than eight tries at a code, however they are spread.
        #[test]
        fn few_tries_a_day(gaps in prop::collection::vec(0_u64..3_600, 0..200)) {
            let (keyring, wrong) = (keyring(), Secret::new("0001"));
            let mut pin = Pin::new(&keyring, &ada(), &Secret::new("4821"), Timestamp::default());
            let mut now = Timestamp::from_millis(0);
            let mut looked_at = 0;
            for gap in gaps {
                now = now.plus(Duration::from_secs(gap));
                if now.as_millis() > 86_400_000 {
                    break;
                }
                looked_at += usize::from(pin.wait_left(now).is_none());
                prop_assert!(!pin.try_code(&keyring, &ada(), &wrong, now));
            }
            prop_assert!(looked_at <= 8, "{looked_at} tries");
        }
    }
}
