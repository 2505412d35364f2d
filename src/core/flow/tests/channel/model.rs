//! What people do, and what networks and banks do to them. The shares are assumptions; which way they point is not.

use std::fmt;
use std::time::Duration;

use crate::core::flow::Offer;
use crate::core::flow::tests::fixtures::{bank, field, form, login_form};
use crate::core::next_step::{FieldKind, Form};

/// The part of the screens, in a thousand, after which the network drops the dialog.
pub const DROPS: u64 = 37;
/// The part of the dropped people, in a thousand, who dial again.
pub const REDIALS: u64 = 800;
/// How often somebody dials again by themselves at most, and after each text.
pub const MOST_REDIALS: usize = 2;
/// How long the network lets a dialog last.
pub const DIALOG: Duration = Duration::from_mins(2);
/// For how long a dialog may ask something.
pub const ASKS: Duration = Duration::from_secs(105);
/// The part of the people, in a thousand, whom the bank asks for a code.
const CODES: u64 = 300;
/// What reading a screen takes, in seconds.
const READING: f64 = 5.0;
/// Letters in a second, of the middle one of people who are new to it.
const LETTERS: f64 = 0.66;
/// Digits in a second.
const DIGITS: f64 = 1.5;
/// How far people's speeds are apart: the deviation of its logarithm.
const SPREAD: f64 = 0.4;

/// Chance from a seed: the `SplitMix64` of Vigna.
pub struct Chance(pub u64);

impl Chance {
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn happens(&mut self, in_a_thousand: u64) -> bool {
        self.draw() % 1_000 < in_a_thousand
    }

    /// At least this many milliseconds, and so many more at most.
    pub fn millis(&mut self, least: u64, more: u64) -> Duration {
        Duration::from_millis(least + self.draw() % more)
    }

    /// A standard normal value, near enough: the sum of twelve even ones.
    fn normal(&mut self) -> f64 {
        let even = |draw: u64| f64::from(u32::try_from(draw % 1_000_000).expect("less")) / 1_000_000.0;
        (0..12).map(|_| even(self.draw())).sum::<f64>() - 6.0
    }
}

/// How quickly somebody types.
#[derive(Clone, Copy)]
pub struct Speed(f64);

impl Speed {
    pub fn of(chance: &mut Chance) -> Self {
        Self((SPREAD * chance.normal()).exp())
    }

    /// How long they take to read a screen and to type an answer.
    pub fn takes(self, answer: &str) -> Duration {
        let count = |digits: bool| answer.bytes().filter(|byte| byte.is_ascii_digit() == digits).count();
        let [digits, letters] = [true, false].map(|digits| f64::from(u32::try_from(count(digits)).expect("few")));
        let typing = (letters / LETTERS + digits / DIGITS) / self.0;
        Duration::from_secs_f64(READING + typing)
    }
}

/// How people come to their bank.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Finds {
    InTheList,
    BySearch,
}

/// What the bank asks first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bank {
    /// User name and password.
    OneWay,
    /// These, or phone number and PIN.
    TwoWays,
}

/// What is assumed of everybody in a run.
#[derive(Clone, Copy)]
pub struct Habits {
    pub finds: Finds,
    pub bank: Bank,
    /// Whether a partner has asked for the account, and has texted that; else people dial by themselves.
    pub asked: bool,
    /// Whether the service remembers where people were.
    pub remembers: bool,
    /// How many of a thousand who get a text come back; `None` where none is sent.
    pub texts: Option<u64>,
    /// How many of a thousand who leave to read a code return by themselves; `None` where they read it meanwhile.
    pub leaves: Option<u64>,
    /// How long the network waits for an answer.
    pub idle: Duration,
}

impl Habits {
    pub fn at(finds: Finds, bank: Bank) -> Self {
        Self {
            finds,
            bank,
            asked: false,
            remembers: true,
            texts: None,
            leaves: None,
            idle: Duration::from_secs(20),
        }
    }

    pub fn coming_back(self, in_a_thousand: u64) -> Self {
        Self {
            texts: Some(in_a_thousand),
            ..self
        }
    }

    pub fn asked(self) -> Self {
        Self { asked: true, ..self }
    }

    pub fn leaving_for_codes(self, returning_in_a_thousand: u64) -> Self {
        Self {
            leaves: Some(returning_in_a_thousand),
            ..self
        }
    }

    pub fn forgotten(self) -> Self {
        Self {
            remembers: false,
            texts: None,
            ..self
        }
    }

    pub fn with_idle(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    pub fn asks_code(chance: &mut Chance) -> bool {
        chance.happens(CODES)
    }

    /// What the bank of these people is called.
    pub fn bank_name(&self) -> &'static str {
        match (self.finds, self.bank) {
            (Finds::InTheList, Bank::OneWay) => "Zenith Bank",
            (Finds::InTheList, Bank::TwoWays) => "GTBank",
            (Finds::BySearch, Bank::OneWay) => "Providus Bank",
            (Finds::BySearch, Bank::TwoWays) => "Wema Bank",
        }
    }

    /// What they type to find it.
    pub fn query(&self) -> &'static str {
        match self.bank {
            Bank::OneWay => "providus",
            Bank::TwoWays => "wema",
        }
    }
}

impl fmt::Display for Habits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.finds {
            Finds::InTheList => "list",
            Finds::BySearch => "search",
        })?;
        f.write_str(match self.bank {
            Bank::OneWay => ", one way (letters)",
            Bank::TwoWays => ", two ways",
        })?;
        if self.asked {
            f.write_str(", asked")?;
        }
        if !self.remembers {
            f.write_str(", nothing remembered")?;
        }
        if let Some(texts) = self.texts {
            write!(f, ", {} % of the texted come back", texts / 10)?;
        }
        if let Some(leaves) = self.leaves {
            write!(f, ", all leave for codes, {} % return", leaves / 10)?;
        }
        if self.idle != Duration::from_secs(20) {
            write!(f, ", idle {} s", self.idle.as_secs())?;
        }
        Ok(())
    }
}

/// Phone number and PIN.
fn phone_form() -> Form {
    let mut number = field("username", FieldKind::Text);
    number.label = "Phone Number".to_owned();
    form(vec![number, field("pin", FieldKind::Secret)])
}

/// As many banks as there are, most of them not on the first page.
pub fn banks() -> Vec<Offer> {
    let one = || vec![login_form()];
    let two = || vec![login_form(), phone_form()];
    vec![
        bank("access", "Access Bank", two()),
        bank("ecobank", "Ecobank", two()),
        bank("fcmb", "FCMB", two()),
        bank("fidelity", "Fidelity Bank", two()),
        bank("gtb", "GTBank", two()),
        bank("jaiz", "Jaiz Bank", one()),
        bank("keystone", "Keystone Bank", one()),
        bank("polaris", "Polaris Bank", one()),
        bank("providus", "Providus Bank", one()),
        bank("sterling", "Sterling Bank", one()),
        bank("uba", "UBA", one()),
        bank("union", "Union Bank", one()),
        bank("unity", "Unity Bank", one()),
        bank("wema", "Wema Bank", two()),
        bank("zenith", "Zenith Bank", one()),
    ]
}
