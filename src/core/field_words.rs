//! What a field's own words give away: whether it asks for a secret, or for a code that is good for once.
//!
//! Providers name the type of a field as they like: a one-time code has come as `string`, `integer`, `password`, `otp` and
//! with no type at all, under the key `otp`, `token`, `code`, `smsCode` or `answer`, and labelled in a bank's own words. So
//! what a code is, is read from the words, here and nowhere else.

/// In the key of a secret. Lower case, as all of these.
const IN_SECRET_KEYS: &[&str] = &[
    "pin",
    "pass",
    "card",
    "token",
    "cvv",
    "cvc",
    "secret",
    "accesscode",
    "access_code",
];

/// In the label of a secret with any key.
const IN_SECRET_LABELS: &[&str] = &["password", "passcode", "passphrase", "pass code", "cvv"];

/// In key, label or type of a code that is good for once, wherever it is asked.
const IN_ONE_TIME_CODES: &[&str] = &["otp", "token", "one-time", "one time", "onetime", "one_time"];

/// In what banks call a code that they ask for once somebody has logged in. At a login these may be something that people
/// have chosen or been given for good.
const IN_LATER_CODES: &[&str] = &["code", "sms", "verification", "authenticat", "2fa", "mfa", "dynamic"];

/// What is called a code and is none.
const NO_CODES: &[&str] = &[
    "postcode",
    "postal code",
    "post code",
    "zip code",
    "zipcode",
    "sort code",
    "sortcode",
    "bank code",
    "bankcode",
    "branch code",
    "country code",
    "area code",
];

/// What key, label and type of a field give away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldWords {
    pub secret: bool,
    /// A code that is good for once: the bank sends it, or a device shows it.
    pub one_time: bool,
}

impl FieldWords {
    /// The key counts before the label, which may speak of something else too. The type is empty where there is none.
    pub fn of(key: &str, label: &str, content_type: &str) -> Self {
        let key = key.trim().to_lowercase().replace("passport", "");
        let (label, content_type) = (label.to_lowercase(), content_type.trim().to_lowercase());
        let secret = has(&key, IN_SECRET_KEYS);
        let named = key == "code" || content_type == "code";
        let once = named || has(&key, IN_ONE_TIME_CODES) || has(&content_type, IN_ONE_TIME_CODES);
        let once = once || (!secret && has(&label, IN_ONE_TIME_CODES));
        let is_pin = |word: &str| word.ends_with("pin") && word.len() <= "atmpin".len();
        let in_label = || has(&label, IN_SECRET_LABELS) || label.split(|c: char| !c.is_alphanumeric()).any(is_pin);
        Self {
            secret: secret || (!once && in_label()),
            one_time: once,
        }
    }
}

/// Whether what is asked for after a login, in any of these words, is a code and not an answer to a question.
pub fn ask_for_code<'a>(said: impl IntoIterator<Item = &'a str>) -> bool {
    said.into_iter().any(|said| {
        let mut said = said.to_lowercase();
        for no_code in NO_CODES {
            said = said.replace(no_code, "");
        }
        has(&said, IN_ONE_TIME_CODES) || has(&said, IN_LATER_CODES)
    })
}

fn has(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A code that is good for once is told from a password whatever type it comes with, so that what forbids or bounds the
    /// one does so for the other at its own step.
    #[test]
    fn codes_for_once_are_told_apart() {
        for (key, label, content_type, want) in [
            ("otp", "", "string", true),
            ("OTP", "Not your PIN", "", true),
            ("token", "", "password", true),
            ("code", "", "integer", true),
            ("otpPin", "", "", true),
            ("x", "One-time code", "", true),
            ("x", "", "otp", true),
            ("x", "", " Token", true),
            ("x", "", "code", true),
            ("x", "", "one-time-code", true),
            ("pin", "Not the OTP", "", false),
            ("password", "", "password", false),
            ("username", "", "string", false),
            ("bankCode", "", "", false),
        ] {
            assert_eq!(
                FieldWords::of(key, label, content_type).one_time,
                want,
                "{key} {label} {content_type}"
            );
        }
    }

    /// What comes after a login is a code in any bank's words; a question is none, nor is what only has the word in it.
    #[test]
    fn banks_call_codes_many_things() {
        for said in [
            "smsCode",
            "Please input OTP sent to you. Do not share this code",
            "Passcode sent to your phone",
            "Hardware token",
            "Verification number",
            "Enter the 6 digits from your authenticator",
        ] {
            assert!(ask_for_code([said]), "{said}");
        }
        for said in [
            "answer",
            "What is your first pet?",
            "Mother's maiden name",
            "Postcode",
            "Sort code",
            "PIN",
        ] {
            assert!(!ask_for_code([said]), "{said}");
        }
    }
}
