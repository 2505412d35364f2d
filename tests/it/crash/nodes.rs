//! Two nodes on one Redis and one set of records: one is killed at any moment while banks are slow, and the other, which
//! knows nothing but what was written down, tells everybody the truth.

use std::time::Duration;

use futures_util::future::join_all;
use kiungo::sandbox::bank::{DelayRange, Latency};
use kiungo::service::deps::CrashPoint;

use super::Lane;
use super::person::{FinalResult, Person};
use super::secrets::nothing_secret_is_kept;
use crate::support::eventually;
use crate::support::options::Options;
use crate::support::seeded_rng::SeededRng;
use crate::support::soak;
use crate::support::world::Setup;

/// How often a node is killed.
const ROUNDS: usize = 2;

/// People in a round.
fn people_in_a_round() -> usize {
    soak::number(16, 40)
}

/// Banks take half a second to two.
fn slow() -> Latency {
    Latency {
        login: DelayRange(500, 2_000),
        ..Latency::NONE
    }
}

/// A node is killed while up to forty logins are under way; anyone who dials again reaches the other node.
#[tokio::test(flavor = "multi_thread")]
async fn the_other_node_tells_the_truth() {
    let slow = |options: &mut Options| {
        options.timeout = 4;
        options.switches.latency = slow();
    };
    let mut lane = Lane::new(Setup::Bare, CrashPoint::Sent, SeededRng::seeded(), slow).await;
    let count = people_in_a_round();
    for round in 0..ROUNDS {
        let mut people: Vec<_> = (0..count)
            .map(|n| Person::new(800_000 + round * count + n, n % 7 == 0))
            .collect();
        let mut doomed = lane.world.node(None).await;
        let mut other = lane.world.node(None).await;
        let another = 1 + usize::try_from(lane.rng.below(count as u64)).unwrap();
        let call_log = || lane.world.call_log();
        let line = doomed.line().patient();
        let mut phones = join_all(people.iter_mut().map(|person| person.comes_to_the_password(&line))).await;
        // The end comes when so many logins have reached the bank: from the first to the last of them.
        let logins = call_log().submits.len() + another;
        let killed = async {
            eventually(Duration::from_mins(1), async || call_log().submits.len() >= logins).await;
            doomed.kill();
        };
        let typing = people.iter_mut().zip(&mut phones).map(async |(person, phone)| {
            let answered = person.goes_to_the_end(phone, &call_log).await;
            if answered.is_err() || person.result == FinalResult::Nothing {
                person
                    .redial(&other.line().patient(), &call_log)
                    .await
                    .expect("the other node is well");
            }
        });
        tokio::join!(killed, join_all(typing));
        assert!(
            people.iter().any(|person| person.redials > 0),
            "nobody had to dial again"
        );
        lane.people.extend(people);
        lane.settles(&other.line().patient()).await;
        assert_eq!(other.terminate().await, Some(0));
    }
    lane.audit().await;
    nothing_secret_is_kept(&lane.world, &lane.people);
}
