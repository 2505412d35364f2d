//! A thousand logins, with the server ended at every edge of an attempt, Redis killed in between, and the end of its log
//! lost: nothing is sent twice, nobody is told what is not so, and nothing stays open behind anybody's back.
//!
//! One lane for each edge. In every round of a lane a node is started that ends itself at the lane's edge;
//! everybody goes as far as the question for the password, then all type it together, and the node dies among them.
//! In one round Redis is killed, too, and loses its last writes; in another everybody's value goes back. Then a node that is well takes over, and everybody
//! dials again and does what the screens say. The stand-in's call log is what really happened.

mod checker;
mod nodes;
mod person;
pub mod reader;
mod redis;
mod rollback;
mod rules;
mod secrets;

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::iter;
use kiungo::sandbox::bank::sha256_hex;
use kiungo::service::deps::CrashPoint;
use reqwest::Method;
use serde_json::json;

use self::checker::{all_see_the_truth, faults, settles};
use self::person::{FinalResult, Person};
use self::rules::Phase;
use self::secrets::nothing_secret_is_kept;
use crate::support::aggregator::AggregatorClient;
use crate::support::options::Options;
use crate::support::recorder::Back;
use crate::support::redis::Cut;
use crate::support::seeded_rng::SeededRng;
use crate::support::soak;
use crate::support::world::{Setup, World};

/// Rounds of a lane.
fn rounds() -> usize {
    soak::number(2, 3)
}
/// People in a round: with one lane for each edge, 1,008 in all in `make soak`.
fn people_in_a_round() -> usize {
    soak::number(12, 42)
}

/// Lanes at once: two processors have enough to do with these.
fn at_once() -> usize {
    soak::number(4, 3)
}

/// The round of two in which Redis loses the end of its log; in the other one values go back.
const CUT: usize = 1;
/// Where lanes keep their records, in turn.
const SETUPS: [Setup; 2] = [Setup::Bare, Setup::BareHosts];
/// What became of a person in a round, for the table.
type Tally = BTreeMap<(&'static str, &'static str), usize>;

/// An edge's people, over all rounds.
struct Lane {
    edge: CrashPoint,
    world: World,
    rng: SeededRng,
    people: Vec<Person>,
    /// Rounds in which the node ended itself.
    ended_at_the_edge: usize,
    tally: Tally,
}

impl Lane {
    /// With a server of one's own, whose provider is given little time.
    async fn new(setup: Setup, edge: CrashPoint, rng: SeededRng, change: impl FnOnce(&mut Options)) -> Self {
        let quick = |options: &mut Options| {
            options.timeout = 2;
            options.lease_margin = Some(2);
            options.level = "info";
            options.recorder = true;
            change(options);
        };
        Self {
            edge,
            world: World::with(setup, quick).await,
            rng,
            people: Vec::new(),
            ended_at_the_edge: 0,
            tally: Tally::new(),
        }
    }

    async fn run(n: usize, edge: CrashPoint, rng: SeededRng) -> Tally {
        let (setup, first) = (SETUPS[n % SETUPS.len()], n * rounds() * people_in_a_round());
        let mut lane = Self::new(setup, edge, rng, |_| ()).await;
        for round in 0..rounds() {
            lane.round(round, first + round * people_in_a_round()).await;
        }
        assert!(lane.ended_at_the_edge > 0, "no node ever ended at {}", edge.as_str());
        lane.audit().await;
        nothing_secret_is_kept(&lane.world, &lane.people);
        lane.tally
    }

    async fn round(&mut self, round: usize, first: usize) {
        let mut people: Vec<_> = (first..first + people_in_a_round())
            .map(|n| Person::new(n, n % 5 == 0))
            .collect();
        let after = self.rng.below(people_in_a_round() as u64 * 2 / 3);
        let mut node = self.world.node(Some((self.edge, after))).await;
        let (world, line) = (&self.world, node.line().patient());
        let mut phones = join_all(people.iter_mut().map(|person| person.comes_to_the_password(&line))).await;
        let call_log = || world.call_log();
        let typing = people.iter_mut().zip(&mut phones);
        let answered =
            join_all(typing.map(async |(person, phone)| person.goes_to_the_end(phone, &call_log).await.is_ok()));
        if answered.await.into_iter().all(|answered| answered) {
            // Too few came as far as the edge: some were slow, and took another way.
            node.kill();
        } else {
            assert!(
                !node.ended().await.success(),
                "{} ended in good order",
                self.edge.as_str()
            );
            self.ended_at_the_edge += 1;
        }
        let before: Vec<_> = people.iter().map(|person| person.result).collect();
        if round % 2 == CUT {
            let writes = 1 + self.rng.below(3 * people.len() as u64);
            self.lose_the_end_of_the_log(Cut::Commands(writes.try_into().unwrap()))
                .await;
        } else {
            self.values_go_back(&people).await;
        }
        let mut node = self.world.node(None).await;
        // What the gateway sends next comes to the node that is well.
        *line.servers.write().await = vec![node.callback()];
        let call_log = || self.world.call_log();
        let late = people.iter_mut().zip(&mut phones).enumerate();
        join_all(late.map(async |(n, (person, phone))| person.goes_on(n, phone, &call_log).await)).await;
        let redials = people.iter_mut().map(|person| person.redial(&line, &call_log));
        for redialled in join_all(redials).await {
            redialled.expect("the node is well");
        }
        for (person, before) in people.iter().zip(before) {
            *self
                .tally
                .entry((self.edge.as_str(), outcome(person, before)))
                .or_default() += 1;
        }
        self.people.extend(people);
        self.settles(&line).await;
        assert_eq!(node.terminate().await, Some(0));
    }

    /// Kills Redis and cuts off the end of its log, as a power failure does.
    async fn lose_the_end_of_the_log(&mut self, cut: Cut) {
        let redis = self.world.redis.as_mut().unwrap();
        redis.written().await;
        redis.kill();
        redis.truncate_aof(cut);
        redis.restart(&[]).await;
    }

    /// Everybody's value goes back, by all ways in turn.
    async fn values_go_back(&mut self, people: &[Person]) {
        let (keyring, recorder) = (self.world.keyring(), self.world.recorder.as_ref().unwrap());
        for person in people {
            let back = *self.rng.pick(&Back::ALL);
            person
                .story
                .tell(format!("the node is gone, and the value goes back: {back:?}"));
            recorder.roll_back(&person.tag(&keyring), back).await;
        }
    }

    async fn settles(&mut self, line: &AggregatorClient) {
        settles(&self.world, &mut self.people, line, self.edge.as_str()).await;
    }

    /// Redis loses the end of its log once more, long after everything was settled; then everybody dials only to look,
    /// and sees a link exactly if there is one.
    async fn audit(&mut self) {
        let thousandths = u32::try_from(1 + self.rng.below(100)).unwrap();
        let cut = Cut::Fraction(f64::from(thousandths) / 1_000.0);
        self.lose_the_end_of_the_log(cut).await;
        let mut node = self.world.node(None).await;
        let line = node.line().patient();
        all_see_the_truth(&self.world, &self.people, &line, self.edge.as_str()).await;
        assert_eq!(node.terminate().await, Some(0));
    }
}

/// How a person fared, in a few words.
fn outcome(person: &Person, before: FinalResult) -> &'static str {
    match (person.result, before, person.typed.passwords.len()) {
        (FinalResult::Linked, FinalResult::Linked, _) => "linked before the crash",
        (FinalResult::Linked, _, 0 | 1) => "linked on redial",
        (FinalResult::Linked, ..) => "linked, typed again",
        (FinalResult::Confirming, ..) => "never arrived, told so",
        (FinalResult::ToWait, ..) => "told to wait",
        (FinalResult::NotLinked | FinalResult::Nothing, ..) => "told no",
    }
}

/// A thousand logins survive the death of the server at every edge of an attempt and the loss of the end of Redis's log.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_logins_survive_crashes_at_every_edge() {
    let mut rng = SeededRng::seeded();
    let lanes = CrashPoint::ALL.map(|edge| (edge, rng.fork())).into_iter().enumerate();
    let lanes = lanes.map(|(n, (edge, rng))| Lane::run(n, edge, rng));
    let total: Tally = iter(lanes).buffer_unordered(at_once()).concat().await;
    for ((edge, outcome), people) in &total {
        println!("{edge:<10} {outcome:<24} {people:>5}");
    }
    assert_eq!(
        total.values().sum::<usize>(),
        CrashPoint::ALL.len() * rounds() * people_in_a_round()
    );
}

/// The checker sees a second submission when there is one: a password that a person has typed is sent to the stand-in
/// once more behind the server's back.
#[tokio::test(flavor = "multi_thread")]
async fn a_planted_second_submission_is_found() {
    let mut lane = Lane::new(Setup::Bare, CrashPoint::Linked, SeededRng::seeded(), |_| ()).await;
    let node = lane.world.node(None).await;
    let mut person = Person::new(900_000, false);
    let mut phone = person.comes_to_the_password(&node.line()).await;
    let call_log = || lane.world.call_log();
    person.goes_to_the_end(&mut phone, &call_log).await.unwrap();
    person.redial(&node.line(), &call_log).await.unwrap();
    lane.people.push(person);
    lane.settles(&node.line()).await;
    let (person, mono) = (&lane.people[0], &lane.world.mono);
    let http = &lane.world.client;
    let call = |path: &str| {
        http.request(Method::POST, format!("{}{path}", mono.url()))
            .header("mono-sec-key", kiungo::sandbox::mono::KEY)
    };
    let opening = json!({ "institution": crate::support::standin::PLAIN_BANK, "auth_method": "internet_banking",
        "scope": "financial_data", "customer": { "name": "Ada", "email": "ada@example.invalid" } });
    let opened = call("/v2/connect/session").json(&opening).send().await.unwrap();
    let opened: serde_json::Value = opened.json().await.unwrap();
    let again = json!({ "username": person.username, "password": person.typed.passwords[0] });
    let session = opened["data"]["session"]["id"].as_str().unwrap();
    let again = call("/v2/connect/login").header("x-session-id", session).json(&again);
    assert!(again.send().await.unwrap().status().is_success());
    let found = faults(&lane.world, &lane.people, Phase::Settled).await.join("\n");
    assert!(found.contains("typed once what submission 2 sent again"), "{found}");
    assert!(found.contains("2 open accounts at the bank and 1 linked"), "{found}");
    let sent = mono.state.call_log();
    let digest = sha256_hex(&person.typed.passwords[0]);
    let times = sent
        .submits
        .iter()
        .filter(|submit| submit.secret_sha256.as_ref() == Some(&digest));
    assert_eq!(times.count(), 2);
}
