//! A day on a bad network: people are cut off, dial again or give up, leave to read a code, type letters slowly, and banks take
//! their time. How many are linked, on each path that people really walk?
//!
//! No machine's time passes here. Each person is a [`Phone`](super::phone::Phone) with a chance of its own, drawn from a seed,
//! so that a run can be looked at again. They follow what the screens say, so that a screen more or less shows here by itself.
//! What is measured stands beside the same seeds with a service that remembers nothing and sends nothing.

use std::time::Duration;

use self::person::{Story, tell};

mod model;
mod outbox;
mod person;
mod truth;

use self::model::{Bank, Finds, Habits};

/// What a path came to.
#[derive(Clone, Copy, Default)]
struct Tally {
    people: u32,
    linked: u32,
    screens: u32,
    logins: u32,
    sms: u32,
    /// People to whom something untrue was said, and linked people who were never told.
    lies: u32,
    untold: u32,
}

impl Tally {
    fn add(&mut self, story: &Story) {
        self.people += 1;
        self.linked += u32::from(story.linked);
        self.screens += story.screens;
        self.logins += story.logins;
        self.sms += story.sms;
        self.lies += u32::from(story.lied.is_some());
        self.untold += u32::from(story.linked && !story.told);
    }

    /// How many of a thousand are linked.
    fn per_thousand(&self) -> u32 {
        self.linked * 1_000 / self.people.max(1)
    }
}

/// How many people walk each path: fewer than in `make soak`, so that a run takes seconds.
fn people() -> u32 {
    if option_env!("KIUNGO_SOAK").is_some() {
        20_000
    } else {
        1_000
    }
}

/// Sends people down a path.
fn run(habits: Habits) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..people() {
        let story = tell(seed.into(), habits);
        if let Some(lie) = &story.lied {
            println!("seed {seed} of {habits}: {lie}");
        }
        tally.add(&story);
    }
    print(habits, &tally);
    assert_eq!((tally.lies, tally.untold), (0, 0), "{habits}");
    tally
}

fn print(habits: Habits, tally: &Tally) {
    let each = |count: u32| f64::from(count) / f64::from(tally.people);
    let percent = 100.0 * each(tally.linked);
    println!(
        "{:<72} {:>6} of {} linked = {percent:>5.2} %, each {:>5.2} screens {:>5.3} logins {:>5.3} SMS",
        habits.to_string(),
        tally.linked,
        tally.people,
        each(tally.screens),
        each(tally.logins),
        each(tally.sms),
    );
}

/// The real paths on a network that drops 3.7 % of the screens and waits 20 seconds for an answer, with banks that take 3 to 50
/// seconds, ask three in ten for a code, and people of whom four in five dial again, twice at most. Nobody is told what is not
/// so, and everybody who is linked is told. What is remembered saves logins on every path, and texts lose nobody.
#[test]
fn a_bad_network_loses_few() {
    for finds in [Finds::InTheList, Finds::BySearch] {
        for bank in [Bank::OneWay, Bank::TwoWays] {
            let habits = Habits::at(finds, bank);
            let with_texts = run(habits.coming_back(500));
            let remembered = run(habits);
            let forgotten = run(habits.forgotten());
            assert!(with_texts.linked >= remembered.linked, "{habits}");
            assert!(remembered.linked >= forgotten.linked, "{habits}");
            let logins = |tally: &Tally| f64::from(tally.logins) / f64::from(tally.linked);
            assert!(logins(&remembered) < logins(&forgotten), "{habits}");
        }
    }
}

/// How many of a thousand who are texted come back; and of a thousand on the list path with two ways to log in, whom a partner
/// has asked by text, how many must be linked, and how many where everybody who is asked for a code must leave to read it and
/// four in five return by themselves. Never less than this.
const LEAST: [(u64, u32, u32); 3] = [(300, 960, 920), (500, 970, 940), (700, 975, 950)];

/// The more of those who are texted come back, the more are linked.
#[test]
fn texts_bring_people_back() {
    let habits = Habits::at(Finds::InTheList, Bank::TwoWays).asked();
    let mut before = 0;
    for (back, least, least_leaving) in LEAST {
        let tally = run(habits.coming_back(back));
        let leaving = run(habits.coming_back(back).leaving_for_codes(800));
        for (tally, least) in [(tally, least), (leaving, least_leaving)] {
            assert!(
                tally.per_thousand() >= least,
                "{back}: {} of a thousand",
                tally.per_thousand()
            );
        }
        assert!(tally.linked >= before, "{back} of a thousand");
        before = tally.linked;
    }
}

/// Letters take longer than networks wait: the more time there is, the more are linked.
#[test]
fn letters_are_slower_than_networks() {
    let [short, long] = [30, 60].map(|idle| {
        let habits = Habits::at(Finds::InTheList, Bank::OneWay);
        run(habits.with_idle(Duration::from_secs(idle))).linked
    });
    assert!(short < long);
}
