//! What comes from outside under names that our languages have words for: fields of forms, ways to log in, and purposes.
//!
//! A provider names a field in English, whatever the person speaks. The dozen names that occur are matched here, and
//! nowhere else, to messages in `menus/locales`. A name that is not among them is shown as the bank says it, and so is every
//! name to a person who reads English.

use std::collections::HashMap;

use super::messages::{Locale, TemplateArg, Templates};

/// The messages for names, and the names that they translate: in small letters, without signs, blanks between words.
const LABELS: &[(&str, &[&str])] = &[
    (
        "label-username",
        &["username", "user name", "user id", "userid", "login id", "login name"],
    ),
    ("label-email", &["email", "e mail", "email address", "e mail address"]),
    (
        "label-phone",
        &[
            "phone number",
            "phone",
            "mobile number",
            "mobile phone number",
            "telephone number",
        ],
    ),
    (
        "label-password",
        &[
            "password",
            "enter password",
            "internet password",
            "internet banking password",
        ],
    ),
    ("label-pin", &["pin", "enter pin", "login pin"]),
    ("label-transaction-pin", &["transaction pin"]),
    (
        "label-app-pin",
        &["m pin", "mpin", "mobile pin", "app pin", "type your m pin"],
    ),
    (
        "label-account-number",
        &["account number", "account no", "bank account number"],
    ),
    (
        "label-card-number",
        &["card number", "atm card number", "debit card number"],
    ),
    (
        "label-card-pin",
        &["card pin", "atm card pin", "atm pin", "debit card pin"],
    ),
    ("label-customer-id", &["customer id", "customer number"]),
    ("label-birth-date", &["date of birth", "birth date"]),
    ("label-log-in-with", &["log in with", "login with"]),
    ("label-question", &["security question"]),
    (
        "label-code",
        &[
            "otp",
            "enter otp",
            "one time password",
            "one time code",
            "one time pin",
            "code",
            "token",
        ],
    ),
    (
        "label-code-sent",
        &[
            "please input otp sent to you",
            "please enter otp sent to you",
            "otp sent to you",
        ],
    ),
    ("label-keep-secret", &["do not share this code"]),
    ("way-internet", &["internet banking", "online banking", "web banking"]),
    ("way-mobile", &["mobile banking", "mobile app", "mobile"]),
    ("way-card", &["card", "debit card", "atm card"]),
];

/// Purposes that our languages have words for.
const PURPOSES: &[&str] = &[
    "purpose-loan",
    "purpose-loan-decision",
    "purpose-credit-limit",
    "purpose-income",
    "purpose-insurance",
    "purpose-rent",
    "purpose-savings",
    "purpose-school-fees",
    "purpose-account-check",
];

/// The ids of all messages here.
pub fn message_ids() -> impl Iterator<Item = &'static str> {
    let labels = LABELS.iter().map(|(id, _)| *id);
    labels.chain(["label-digits"]).chain(PURPOSES.iter().copied())
}

/// What a field or a way to log in is called in this language; `None` where there is no word of ours for it.
pub fn translate(templates: &Templates, locale: Locale, label: &str) -> Option<String> {
    if locale == Locale::En {
        return None;
    }
    let words = words(label);
    let (digits, name) = without_digits(&words);
    let name = name.join(" ");
    let (id, _) = LABELS.iter().find(|(_, names)| names.contains(&name.as_str()))?;
    let said = templates.format(locale, id, &[]);
    Some(match digits {
        Some(length) => {
            let args = [
                ("field", TemplateArg::Text(said)),
                ("length", TemplateArg::Number(length)),
            ];
            templates.format(locale, "label-digits", &args)
        }
        None => said,
    })
}

/// The purposes that all our languages have words for, found by these words. It is made once: a screen looks one up.
#[derive(Clone, Debug)]
pub struct KnownPurposes(HashMap<Vec<String>, &'static str>);

impl KnownPurposes {
    /// Those of these texts.
    pub fn of(templates: &Templates) -> Self {
        let said = |id: &'static str| {
            let in_all = Locale::ALL.into_iter();
            in_all.map(move |locale| (words(&templates.format(locale, id, &[])), id))
        };
        Self(PURPOSES.iter().copied().flat_map(said).collect())
    }

    /// A purpose in this language, if it is one of these, in whichever language it is written.
    pub fn translate(&self, templates: &Templates, locale: Locale, purpose: &str) -> Option<String> {
        let id = self.0.get(&words(purpose))?;
        Some(templates.format(locale, id, &[]))
    }
}

fn words(text: &str) -> Vec<String> {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// How many digits a name says that are wanted, as in `4 Digit Transaction Pin`, and the rest of its words.
fn without_digits(words: &[String]) -> (Option<i64>, Vec<&str>) {
    let at = words
        .iter()
        .position(|word| matches!(word.as_str(), "digit" | "digits"));
    let number = at.and_then(|at| at.checked_sub(1));
    let length = number.and_then(|number| words[number].parse().ok());
    let said = number
        .filter(|_| length.is_some())
        .map_or(0..0, |number| number..number + 2);
    let rest = words.iter().enumerate().filter(|(at, _)| !said.contains(at));
    (length, rest.map(|(_, word)| word.as_str()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that banks use are said in the person's language, with the number of digits that they want; other names are
    /// left as they are, and so is everything in English.
    #[test]
    fn known_names_are_translated() {
        let templates = Templates::embedded().expect("the texts");
        let said = |label: &str| translate(&templates, Locale::Fr, label);
        assert_eq!(said("Email Address"), said("e-mail address"));
        assert_eq!(said("Email Address").as_deref(), Some("Adresse e-mail"));
        assert_eq!(
            said("4 Digit Transaction Pin").as_deref(),
            Some("Code PIN de transaction (4 chiffres)")
        );
        assert_eq!(said("6 Digit Pin").as_deref(), Some("Code PIN (6 chiffres)"));
        assert_eq!(said("Internet Banking").as_deref(), Some("Banque par internet"));
        for other in [
            "What was your first pet?",
            "Primus plus",
            "Digit",
            "digits",
            "",
            "4 digit",
        ] {
            assert_eq!(said(other), None, "{other}");
        }
        assert_eq!(translate(&templates, Locale::En, "Email Address"), None);
    }

    /// No name stands for two messages, and each is written as it is matched.
    #[test]
    fn a_name_has_one_message() {
        let mut names: Vec<_> = LABELS.iter().flat_map(|(_, names)| *names).collect();
        for name in &names {
            assert_eq!(words(name).join(" "), **name);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    /// A purpose that all languages have words for is found in whichever it was agreed to, and no two are called alike.
    #[test]
    fn purposes_are_found_in_every_language() {
        let templates = Templates::embedded().expect("the texts");
        let known = KnownPurposes::of(&templates);
        for id in PURPOSES {
            for from in Locale::ALL {
                for to in Locale::ALL {
                    let written = templates.format(from, id, &[]);
                    let read = known.translate(&templates, to, &written.to_uppercase());
                    assert_eq!(read, Some(templates.format(to, id, &[])), "{id} from {from} to {to}");
                }
            }
        }
        assert_eq!(known.translate(&templates, Locale::Ha, "a survey"), None);
    }
}
