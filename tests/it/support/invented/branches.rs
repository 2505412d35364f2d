//! The places where Umoja links accounts: one for each shape of a journey, and two that mix them.

use std::time::Duration;

use kiungo::core::next_step::{AccountChoice, Field, FieldKind, Form};
use kiungo::providers::{AuthMethod, Institution, Journey};

/// Where an account is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// Keypad: a login, then a code.
    Savings,
    /// Keypad: a login, then several accounts may be chosen, and there are more of another kind.
    Chama,
    /// Browser: nothing is typed, the person logs in on a page.
    Online,
    /// Elsewhere: nothing is typed, the person approves in an application.
    App,
    /// Keypad, then elsewhere: a login, an approval in the application, and then a code.
    Trust,
}

/// The day of birth of everyone here, as it must come from a form.
pub const BORN: &str = "1990-02-01";
/// The same as it is typed.
pub const BORN_TYPED: &str = "01021990";
/// The only password.
pub const PASSWORD: &str = "good-umoja-pass";
/// The only code.
pub const CODE: &str = "246810";
/// What the accounts of [`Branch::Chama`] that are not shown at first are asked for with.
pub const JOINT: &str = "joint";

impl Branch {
    pub const ALL: [Self; 5] = [Self::Savings, Self::Chama, Self::Online, Self::App, Self::Trust];

    pub fn id(self) -> &'static str {
        match self {
            Self::Savings => "savings",
            Self::Chama => "chama",
            Self::Online => "online",
            Self::App => "app",
            Self::Trust => "trust",
        }
    }

    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|branch| branch.id() == id)
    }

    /// What it is called on screens.
    pub fn title(self) -> &'static str {
        match self {
            Self::Savings => "Umoja Savings",
            Self::Chama => "Umoja Chama",
            Self::Online => "Umoja Online",
            Self::App => "Umoja App",
            Self::Trust => "Umoja Trust",
        }
    }

    pub fn journey(self) -> Journey {
        match self {
            Self::Savings | Self::Chama | Self::Trust => Journey::Keypad,
            Self::Online => Journey::Browser,
            Self::App => Journey::Elsewhere,
        }
    }

    /// What is asked on the phone at first.
    pub fn form(self) -> Form {
        let fields = match self.journey() {
            Journey::Keypad => login_fields(),
            Journey::Browser | Journey::Elsewhere => Vec::new(),
        };
        Form { title: None, fields }
    }

    pub fn institution(self) -> Institution {
        Institution {
            id: self.id().to_owned(),
            provider_id: format!("umoja-{}", self.id()),
            name: self.title().to_owned(),
            country: Some("NG".to_owned()),
            business: false,
            methods: vec![AuthMethod {
                id: "member".to_owned(),
                name: "Member".to_owned(),
                journey: self.journey(),
                form: self.form(),
                card_and_pin: false,
            }],
            timeout: Some(Duration::from_secs(10)),
        }
    }
}

fn login_fields() -> Vec<Field> {
    vec![
        Field {
            exact_len: Some(6),
            help: Some("Six digits, on your card".to_owned()),
            pattern: Some("^[0-9]{6}$".to_owned()),
            ..Field::new("member", "Member number", FieldKind::Digits)
        },
        Field::new("born", "Day of birth", FieldKind::Date),
        Field::new("password", "Password", FieldKind::Secret),
        Field {
            required: false,
            ..Field::new("nickname", "Nickname", FieldKind::Text)
        },
    ]
}

/// What is asked for a code.
pub fn code_form() -> Form {
    Form {
        title: Some("Umoja has sent you a code".to_owned()),
        fields: vec![Field {
            exact_len: Some(6),
            ..Field::new("code", "Code", FieldKind::Digits)
        }],
    }
}

/// Whether these answers are a right login. Optional fields may be left out.
pub fn is_login(answers: &[(String, kiungo::core::secret::Secret)]) -> bool {
    let answer = |name: &str| {
        let mut found = answers.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, answer)| answer.expose())
    };
    let member = answer("member").is_some_and(|it| it.len() == 6 && it.bytes().all(|byte| byte.is_ascii_digit()));
    member && answer("born") == Some(BORN) && answer("password") == Some(PASSWORD)
}

/// An account that a person has at a branch, whether it is linked or not.
#[derive(Clone, Debug)]
pub struct OwnedAccount {
    pub number: String,
    pub label: &'static str,
    /// Whether it is shown only where more is asked for.
    pub joint: bool,
}

/// The accounts that a person has at a branch; the same whenever they come back.
pub fn owned_accounts(branch: Branch, person: usize) -> Vec<OwnedAccount> {
    let count = if branch == Branch::Chama { 4 } else { 1 };
    let account = |index: usize| OwnedAccount {
        number: format!("7{}{person:03}{:04}", branch as usize, 1001 + 1111 * index + 7 * person),
        label: if index < 2 { "Savings" } else { "Group" },
        joint: index >= 2,
    };
    (0..count).map(account).collect()
}

impl OwnedAccount {
    pub fn choice(&self) -> AccountChoice {
        AccountChoice {
            key: self.number.clone(),
            masked: self.number[self.number.len() - 4..].to_owned(),
            label: self.label.to_owned(),
            currency: Some("NGN".to_owned()),
        }
    }
}
