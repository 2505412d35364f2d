//! What typing an answer takes on the keys of a phone: a digit is one press, a letter up to four and has to be looked for. So
//! the usual way to log in is the one that wants the fewest letters, and what is too long for the time that a network gives
//! is said to be so.

use std::time::Duration;

use super::linking::{AuthMethod, Journey};
use super::next_step::{Field, FieldKind};

/// What reading a screen takes before anything is typed.
const READING: Duration = Duration::from_secs(5);

/// What one digit takes somebody who is not used to it.
const DIGIT: Duration = Duration::from_millis(1_100);

/// What one letter takes them: nine in ten type faster.
const LETTER: Duration = Duration::from_millis(2_500);

/// Digits of an answer whose length nobody says: those of a phone number.
const USUAL_DIGITS: u16 = 11;

/// Letters of a user name or a password whose length nobody says.
const USUAL_LETTERS: u16 = 8;

/// Letters of an e-mail address.
const ADDRESS_LETTERS: u16 = 18;

/// What the keys have to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// The number of a choice.
    Choice,
    Digits,
    Letters,
    /// An e-mail address.
    Address,
}

/// The words in name and label of a field: `accountNo` is two.
fn words(field: &Field) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for character in field.name.chars().chain([' ']).chain(field.label.chars()) {
        if !character.is_alphanumeric() || (lower && character.is_uppercase()) {
            words.push(String::new());
        }
        lower = character.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
    }
    words
}

impl Field {
    /// Whether a phone number is asked.
    pub fn asks_phone_number(&self) -> bool {
        let words = words(self);
        let is = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
        self.is_open() && (is(&["phone", "msisdn", "telephone"]) || (is(&["mobile"]) && is(&["number", "no"])))
    }

    /// Whether an account number is asked.
    pub fn asks_account_number(&self) -> bool {
        let words = words(self);
        let is = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
        self.is_open() && (is(&["accountno", "nuban"]) || (is(&["account"]) && is(&["number", "no"])))
    }

    /// Whether the name is asked under which the institution knows the person; it may be a phone number or an address.
    pub fn asks_user_name(&self) -> bool {
        let words = words(self);
        let is = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
        let user = is(&["username", "userid", "email"]) || (is(&["user"]) && is(&["name", "id"]));
        self.is_open() && user
    }

    /// Whether it is typed, and neither a secret nor a code.
    fn is_open(&self) -> bool {
        !self.one_time && matches!(self.kind, FieldKind::Digits | FieldKind::Text)
    }

    fn keys(&self) -> Keys {
        let words = words(self);
        let is = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
        match self.kind {
            FieldKind::OneOf(_) => Keys::Choice,
            FieldKind::Digits | FieldKind::Date => Keys::Digits,
            _ if self.one_time || self.asks_phone_number() || self.asks_account_number() => Keys::Digits,
            _ if is(&["pin", "digit", "digits"]) => Keys::Digits,
            FieldKind::Text if is(&["email"]) || (is(&["mail"]) && is(&["e"])) => Keys::Address,
            _ => Keys::Letters,
        }
    }

    /// How long most people take at the most to read what is asked and to type it.
    pub fn typing_time(&self) -> Duration {
        let length = |usual: u16| u32::from(self.exact_len.or(self.max_len).map_or(usual, |said| said.min(usual)));
        READING
            + match self.keys() {
                Keys::Choice => DIGIT,
                Keys::Digits => DIGIT * length(USUAL_DIGITS),
                Keys::Letters => LETTER * length(USUAL_LETTERS),
                Keys::Address => LETTER * u32::from(ADDRESS_LETTERS),
            }
    }
}

/// The way to log in that most people take who have nothing but keys: the one that is typed in the least time. `None` where
/// none begins with something to be typed here.
pub fn usual_way(methods: &[AuthMethod]) -> Option<usize> {
    let typed = methods
        .iter()
        .enumerate()
        .filter(|(_, method)| method.journey == Journey::Keypad && method.form.fits_keypad());
    let time = |method: &AuthMethod| method.form.asked().map(Field::typing_time).sum::<Duration>();
    typed.min_by_key(|(_, method)| time(method)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::next_step::Form;

    fn field(name: &str, label: &str, kind: FieldKind) -> Field {
        Field::new(name, label, kind)
    }

    /// What is asked is known by its words, however they are joined; a secret is never one of these.
    #[test]
    fn what_is_asked_is_known_by_its_words() {
        let text = FieldKind::Text;
        for (name, label, kind, phone, account, user) in [
            ("username", "Phone Number", text.clone(), true, false, true),
            ("phoneNumber", "", FieldKind::Digits, true, false, false),
            ("mobileNo", "", text.clone(), true, false, false),
            ("mobile", "Mobile banking ID", text.clone(), false, false, false),
            ("accountNo", "Account Number", text.clone(), false, true, false),
            ("accountno", "", text.clone(), false, true, false),
            ("username", "Username", text.clone(), false, false, true),
            ("id", "Your user ID", text.clone(), false, false, true),
            ("username", "Email Address", text, false, false, true),
            ("pin", "Phone Number PIN", FieldKind::Secret, false, false, false),
            ("password", "Password", FieldKind::Secret, false, false, false),
        ] {
            let asked = field(name, label, kind);
            let seen = (
                asked.asks_phone_number(),
                asked.asks_account_number(),
                asked.asks_user_name(),
            );
            assert_eq!(seen, (phone, account, user), "{name} {label:?}");
        }
    }

    /// Digits go before letters, and letters before an address; of equals the provider's first.
    #[test]
    fn the_usual_way_is_the_one_with_the_fewest_letters() {
        let user = || field("username", "Username", FieldKind::Text);
        let email = || field("username", "Email Address", FieldKind::Text);
        let phone = || field("username", "Phone Number", FieldKind::Text);
        let password = || field("password", "Password", FieldKind::Secret);
        let pin = || Field {
            max_len: Some(4),
            ..field("pin", "4 Digit Transaction Pin", FieldKind::Secret)
        };
        let captcha = || field("captcha", "", FieldKind::Unsupported);
        let way = |fields: Vec<Field>| AuthMethod {
            id: "way".to_owned(),
            name: "Way".to_owned(),
            journey: Journey::Keypad,
            form: Form { title: None, fields },
            card_and_pin: false,
        };
        let page = AuthMethod {
            journey: Journey::Browser,
            ..way(Vec::new())
        };
        for (ways, want) in [
            (
                vec![way(vec![user(), password()]), way(vec![phone(), password()])],
                Some(1),
            ),
            (vec![way(vec![email(), password()]), way(vec![phone(), pin()])], Some(1)),
            (vec![way(vec![email(), pin()]), way(vec![user(), password()])], Some(1)),
            (
                vec![way(vec![user(), password()]), way(vec![user(), password()])],
                Some(0),
            ),
            (vec![way(vec![captcha()]), way(vec![email(), password()])], Some(1)),
            (vec![page.clone(), way(vec![email(), password()])], Some(1)),
            (vec![page.clone(), page], None),
        ] {
            assert_eq!(usual_way(&ways), want, "{ways:?}");
        }
    }

    /// On a network that cuts after twenty seconds a number and a PIN can be typed, and an address cannot.
    #[test]
    fn some_answers_take_longer_than_a_network_waits() {
        let twenty = Duration::from_secs(20);
        for (asked, fits) in [
            (field("username", "Phone Number", FieldKind::Text), true),
            (field("pin", "PIN", FieldKind::Secret), true),
            (field("username", "Email Address", FieldKind::Text), false),
            (field("password", "Password", FieldKind::Secret), false),
            (
                Field {
                    max_len: Some(4),
                    ..field("code", "Access code", FieldKind::Secret)
                },
                true,
            ),
        ] {
            assert_eq!(asked.typing_time() <= twenty, fits, "{}", asked.label);
        }
    }
}
