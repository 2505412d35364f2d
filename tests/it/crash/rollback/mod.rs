//! The live value of a person who links an account goes back, at every edge, by every way that a value has to go back, with
//! everything that may come next, on two nodes: what was typed is sent to the bank once, nothing else is ever sent, no limit
//! is passed, nobody is told what is not so, and no value holds a secret.
//!
//! Real Redis stands behind a [recorder](crate::support::recorder), which keeps every value and puts old ones back, between
//! two callbacks and between two writes of a submission. The stand-in's call log is what really happened.

mod delta;
mod plan;
mod sms;
mod walker;

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream::iter;
use kiungo::sandbox::bank::{DelayRange, Latency};
use rstest::rstest;

use self::plan::{Plan, RollbackPoint};
use self::walker::{Site, Walker};
use super::checker::{all_see_the_truth, settles};
use super::person::{FinalResult, Login, Person};
use super::secrets::nothing_secret_is_kept;
use crate::support::recorder::Back;
use crate::support::seeded_rng::SeededRng;
use crate::support::soak;
use crate::support::world::{Setup, World};

/// People under way at once.
const AT_ONCE: usize = 32;

/// What befalls people on one of two databases: every second combination, so that each is met on one of them; 20,000 people
/// on both in `make soak`, where each is met on both.
fn plans(database: usize) -> Vec<Plan> {
    let all = plan::all();
    let few = all.iter().skip(database).step_by(2).copied().collect();
    soak::number(few, all.repeat(20))
}

/// A bank that takes long enough for something to come in between.
fn latency() -> Latency {
    Latency {
        login: DelayRange(20, 200),
        ..Latency::NONE
    }
}

/// Two servers whose provider is given little time.
async fn world(setup: Setup) -> World {
    World::with(setup, |options| {
        options.timeout = 2;
        options.lease_margin = Some(2);
        options.level = "info";
        options.switches.latency = latency();
        options.recorder = true;
    })
    .await
}

/// Whatever goes back, and whenever: one submission for each thing typed, and everybody is told the truth.
#[rstest]
#[case::sqlite(Setup::TwoNodes, 0)]
#[case::postgres(Setup::TwoHosts, 1)]
#[tokio::test(flavor = "multi_thread")]
async fn values_go_back_at_every_edge(#[case] setup: Setup, #[case] database: usize) {
    let mut rng = SeededRng::seeded();
    let world = world(setup).await;
    let (keyring, line) = (world.keyring(), world.line().patient());
    let site = Site {
        line: &line,
        recorder: world.recorder.as_ref().unwrap(),
        call_log: || world.call_log(),
    };
    let mut plans = plans(database);
    rng.shuffle(&mut plans);
    let mut people: Vec<_> = plans
        .iter()
        .enumerate()
        .map(|(n, plan)| Person::who_logs_in(400_000 + n, plan.login))
        .collect();
    iter(people.iter_mut().zip(&plans))
        .for_each_concurrent(AT_ONCE, async |(person, plan)| {
            let tag = person.tag(&keyring);
            let lived = Walker::new(&site, person, tag, *plan).lives().await;
            lived.expect("the servers are there");
        })
        .await;
    settles(&world, &mut people, &line, "values went back").await;
    all_see_the_truth(&world, &people, &line, "values went back").await;
    nothing_secret_is_kept(&world, &people);
    told(&people, &plans);
    went_on(&people, &plans, |person| site.recorder.taken_up(&person.tag(&keyring)));
}

/// How people fared, for the reader; those whose bank takes them are linked.
fn told(people: &[Person], plans: &[Plan]) {
    let mut tally: BTreeMap<(Login, FinalResult), usize> = BTreeMap::new();
    for (person, plan) in people.iter().zip(plans) {
        *tally.entry((plan.login, person.result)).or_default() += 1;
    }
    println!("{tally:#?}");
    let refused = |login| matches!(login, Login::Refused | Login::WrongCode);
    let linked = |((login, result), count): (&(Login, FinalResult), &usize)| {
        assert!(!refused(*login) || *result != FinalResult::Linked, "{login:?}");
        if *result == FinalResult::Linked { *count } else { 0 }
    };
    let linked: usize = tally.iter().map(linked).sum();
    let could = plans.iter().filter(|plan| !refused(plan.login)).count();
    assert!(linked * 3 > could, "only {linked} of {could} were linked");
}

/// The product has gone on from values that were put back, at every edge: else nothing was tried.
fn went_on(people: &[Person], plans: &[Plan], taken_up: impl Fn(&Person) -> usize) {
    let mut edges: BTreeMap<(Login, RollbackPoint), usize> = BTreeMap::new();
    for (person, plan) in people.iter().zip(plans).filter(|(_, plan)| plan.back != Back::Nothing) {
        *edges.entry((plan.login, plan.edge)).or_default() += taken_up(person);
    }
    println!("{edges:#?}");
    let untried: Vec<_> = edges.iter().filter(|(_, times)| **times == 0).collect();
    assert!(untried.is_empty(), "{untried:?}");
}
