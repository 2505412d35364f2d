//! Somebody drops at any step and dials again, by a clock that the test moves. (G9)

use std::sync::Arc;
use std::time::Duration;

use kiungo::core::next_step::{AccountChoice, Field, FieldKind, Form, Grant, NextStep};
use kiungo::core::secret::Secret;
use kiungo::records::LinkState;
use kiungo::store::memory::MemoryStore;

use super::harness::{NUMBER, account};
use crate::support::app_fixture::{AppOptions, TestApp, assemble_in};
use crate::support::clock::ManualClock;
use crate::support::doubles::PlainGateway;
use crate::support::records::partner;

/// Lines from dialling to linked.
const LINES: usize = 6;

/// How a dialog ends that nobody ended.
#[derive(Clone, Copy, Debug)]
enum Drop {
    /// The network lost it, and nobody says so.
    Silent,
    /// The gateway says that the person is gone.
    Told,
}

/// What is typed the first and the second time around.
const PASSWORDS: [&str; 2] = ["Zq7-first-password", "Zq7-second-password"];
const CODES: [&str; 2] = ["111111", "222222"];

/// The bank asks for a code, then which account, and then it is done.
fn asks_for_a_code() -> NextStep {
    NextStep::Prompt(Form {
        title: None,
        fields: vec![Field::new("code", "code", FieldKind::Digits)],
    })
}

fn asks_which_account() -> NextStep {
    let account = AccountChoice {
        key: "k1".to_owned(),
        masked: "4321".to_owned(),
        label: "Savings".to_owned(),
        currency: None,
    };
    NextStep::ChooseAccounts {
        accounts: vec![account],
        many: false,
        more: None,
    }
}

/// A person who does what the screens say.
struct Redialler {
    clock: Arc<ManualClock>,
    turns: TestApp,
    /// How often they have dialled.
    dials: usize,
    typed: String,
    shown: String,
}

impl Redialler {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let around = AppOptions {
            clock: clock.clone(),
            ..AppOptions::default()
        };
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let turns = assemble_in(store, PlainGateway { sink: None }, around).await;
        turns.bank.script().redeemed = Some(vec!["a1"]);
        turns.bank.script().accounts = vec![account("a1")];
        Self {
            clock,
            turns,
            dials: 0,
            typed: String::new(),
            shown: String::new(),
        }
    }

    async fn dial(&mut self) {
        self.dials += 1;
        self.typed.clear();
        self.shown = self.turns.answer(&format!("d{} {NUMBER} ", self.dials)).await;
    }

    /// Types what the screen asks for, to which the bank has an answer.
    async fn goes_on(&mut self) {
        let round = self.dials - 1;
        let asks = |words: &str| self.shown.contains(words);
        let (line, answer) = if asks("It cannot move money")
            || asks("You began to link Savanna Bank. Go on?")
            || asks("Choose your bank")
        {
            ("1", None)
        } else if asks("username") {
            ("ada-the-trader", None)
        } else if asks("password") {
            (PASSWORDS[round], Some(asks_for_a_code()))
        } else if asks("Savanna Bank: code") {
            (CODES[round], Some(asks_which_account()))
        } else if asks("which account?") {
            ("1", Some(NextStep::Done(Grant(Secret::new("code_1")))))
        } else {
            panic!("what now? {}", self.shown)
        };
        self.turns.bank.script().answers.extend(answer.map(Ok));
        if !self.typed.is_empty() {
            self.typed.push('*');
        }
        self.typed.push_str(line);
        let callback = format!("d{} {NUMBER} {}", self.dials, self.typed);
        self.shown = self.turns.answer(&callback).await;
    }

    /// Drops after so many lines, and dials again after this long.
    async fn drops(&mut self, lines: usize, how: Drop, later: Duration) {
        self.dial().await;
        for _ in 0..lines {
            assert!(self.shown.starts_with("CON "), "{}", self.shown);
            self.goes_on().await;
        }
        if matches!(how, Drop::Told) {
            let told = self.turns.answer(&format!("d{} {NUMBER}", self.dials)).await;
            assert_eq!(told, "taken");
        }
        self.clock.advance(later);
        self.dial().await;
    }

    /// How often the bank was sent this.
    fn sent(&self, secret: &str) -> usize {
        let script = self.turns.bank.script();
        script.typed.iter().filter(|typed| *typed == secret).count()
    }

    async fn links(&self) -> usize {
        let records = self.turns.records.shared();
        let links = records.links(partner(1).id, None, 10).await.unwrap();
        links.iter().filter(|link| link.state == LinkState::Active).count()
    }
}

/// Wherever a person drops, however, and however late they dial again: the first screen shows nothing that was typed, and after
/// ten minutes it asks for no secret; what was typed but not sent is never sent, what was sent is not sent again, and they get to
/// one link.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_drops_goes_on_from_a_safe_step() {
    let delays = [
        Duration::from_secs(10),
        Duration::from_mins(3),
        Duration::from_hours(24),
    ];
    for lines in 0..=LINES {
        for later in delays {
            for how in [Drop::Silent, Drop::Told] {
                let what = format!("after {lines} lines, {later:?} later, {how:?}");
                let mut person = Redialler::new().await;
                person.drops(lines, how, later).await;
                let shown = person.shown.clone();
                let safe = [
                    "It cannot move money",
                    "You began to link Savanna Bank. Go on?",
                    "is linked for",
                ];
                // Within ten minutes it is where they were.
                let there = [
                    "Choose your bank",
                    "Savanna Bank: ",
                    "Savanna Bank: code",
                    "which account?",
                ];
                let soon = later < Duration::from_mins(10);
                let safe: Vec<_> = safe.iter().chain(there.iter().filter(|_| soon)).collect();
                assert!(safe.iter().any(|safe| shown.contains(**safe)), "{what}: {shown}");
                assert!(!shown.contains("ada-the-trader"), "{what}: {shown}");
                assert_eq!(person.links().await, usize::from(lines == LINES), "{what}");
                if lines < LINES {
                    while person.shown.starts_with("CON ") {
                        person.goes_on().await;
                    }
                    let told = &person.shown;
                    assert!(told.starts_with("END Done! Savanna Bank"), "{what}: {told}");
                }
                assert_eq!(person.links().await, 1, "{what}");
                let first = [person.sent(PASSWORDS[0]), person.sent(CODES[0])];
                assert_eq!(first, [usize::from(lines > 3), usize::from(lines > 4)], "{what}");
                let second = [person.sent(PASSWORDS[1]), person.sent(CODES[1])];
                assert!(second.iter().all(|times| *times <= 1), "{what}: {second:?}");
                let asked_again = lines < 4 && second != [1, 1];
                assert!(!asked_again, "{what}: a secret was not asked for again: {second:?}");
            }
        }
    }
}

/// A value lives for a day. The next one, which another server begins, is taken for what it is by a server that has seen
/// the one before: what is typed counts, and nothing is said to have been lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_value_is_not_taken_for_an_old_one() {
    let clock = Arc::new(ManualClock::default());
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let node = async || {
        let around = AppOptions {
            clock: clock.clone(),
            ..AppOptions::default()
        };
        assemble_in(store.clone(), PlainGateway { sink: None }, around).await
    };
    let (first, second) = (node().await, node().await);
    for text in ["", "3", "3*0", "3*0*3", "3*0*3*0"] {
        first.answer(&format!("d1 {NUMBER} {text}")).await;
    }
    clock.advance(Duration::from_hours(25));
    let asked = second.answer(&format!("d2 {NUMBER} ")).await;
    assert!(asked.starts_with("CON Umoja Credit asks"), "{asked}");
    let answered = first.answer(&format!("d2 {NUMBER} 3")).await;
    assert!(answered.starts_with("CON Choose your language"), "{answered}");
}
