//! Holds what people typed and were told, what the records keep, and what the bank's side did against each other: what must
//! never be is not, now; what takes time comes true in time; and everybody who dials is told how it is.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::iter;
use kiungo::ambient::OsRng;
use kiungo::core::secret::Secret;
use kiungo::records::LinkState;
use kiungo::service::sealing::Sealing;

use super::person::{FinalResult, Person};
use super::rules::{PersonFacts, Phase, faults_in};
use crate::support::aggregator::AggregatorClient;
use crate::support::eventually_every;
use crate::support::world::World;

/// How long things may take to settle: a lease, a job's lease, and some backing off.
const SETTLED: Duration = Duration::from_secs(150);
/// How often it is looked whether they have: to look is work.
const LOOK: Duration = Duration::from_millis(100);
/// People who dial at once only to look.
const AT_ONCE: usize = 32;

/// The facts of these people.
pub async fn facts(world: &World, people: &[Person]) -> Vec<PersonFacts> {
    let (links, keyring) = (world.links().await, world.keyring());
    let facts = people.iter().map(|person| {
        let tag = person.tag(&keyring);
        let active = links
            .iter()
            .filter(|link| link.tag == tag && link.state == LinkState::Active);
        PersonFacts {
            username: person.username.clone(),
            typed: person.typed.clone(),
            result: person.result,
            claims: person.claims.clone(),
            linked: active
                .flat_map(|link| link.accounts.iter().map(|account| account.account_digest))
                .collect(),
        }
    });
    facts.collect()
}

/// Everything that is wrong in a world with these people.
pub async fn faults(world: &World, people: &[Person], phase: Phase) -> Vec<String> {
    let sealing = Sealing {
        keyring: Arc::new(world.keyring()),
        rng: Arc::new(OsRng),
    };
    let digest = |account: &str| sealing.account_digest("mono", &Secret::new(account));
    faults_in(&facts(world, people).await, &world.call_log(), digest, phase)
}

/// Nothing is wrong, now, when everything has settled, and when everybody who was told of no link has dialled again where there is
/// one after all.
pub async fn settles(world: &World, people: &mut [Person], line: &AggregatorClient, what: &str) {
    let now = faults(world, people, Phase::Now).await;
    assert!(now.is_empty(), "{what}: {}", told(&now, people));
    let mut last = Vec::new();
    let waited = eventually_every(LOOK, SETTLED * 2, async || {
        last = faults(world, people, Phase::Settled).await;
        last.is_empty()
    });
    let in_time = tokio::time::timeout(SETTLED, waited).await.is_ok();
    assert!(in_time, "{what}: {}", told(&last, people));
    let linked = facts(world, people)
        .await
        .into_iter()
        .map(|facts| !facts.linked.is_empty());
    let misled = people
        .iter_mut()
        .zip(linked)
        .filter(|(person, linked)| *linked && person.result == FinalResult::NotLinked);
    iter(misled)
        .for_each_concurrent(AT_ONCE, async |(person, _)| {
            let heard = person.hears(line).await.expect("the servers are there");
            person.result = if heard { FinalResult::Linked } else { person.result };
        })
        .await;
    let faults = faults(world, people, Phase::Told).await;
    assert!(faults.is_empty(), "{what}: {}", told(&faults, people));
}

/// Everybody dials only to look, and sees a link exactly if there is one.
pub async fn all_see_the_truth(world: &World, people: &[Person], line: &AggregatorClient, what: &str) {
    let looks = iter(people).map(async |person| (person, person.looks(line).await.expect("the servers are there")));
    let seen: Vec<_> = looks.buffered(AT_ONCE).collect().await;
    for (facts, (person, seen)) in facts(world, people).await.iter().zip(seen) {
        assert_eq!(
            seen == FinalResult::Linked,
            !facts.linked.is_empty(),
            "{what}: {} sees {seen:?} after {:?}:\n{}",
            person.username,
            person.result,
            person.story
        );
    }
}

/// Faults, and what happened to the people whom they name.
fn told(faults: &[String], people: &[Person]) -> String {
    let named = |person: &&Person| faults.iter().any(|fault| fault.contains(&person.username));
    let stories = people.iter().filter(named).take(5);
    let stories = stories.map(|person| format!("\n{}, {}\n{}", person.username, person.number, person.story));
    format!("{faults:#?}\n{}", stories.collect::<String>())
}
