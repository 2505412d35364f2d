//! A server is told to stop while people are in the middle of it: nobody notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use kiungo::sandbox::bank::{BankFailure, FailureRule};
use kiungo::sandbox::mono::MonoCall;
use rstest::rstest;

use super::{granted, to_login};
use crate::support::aggregator::{AggregatorClient, Phone};
use crate::support::eventually;
use crate::support::http::client;
use crate::support::machine::Stopwatch;
use crate::support::node::Node;
use crate::support::world::{Setup, World};

/// Long enough for anything to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a bank takes here: longer than a turn that stops waiting, shorter than one that does not.
const BANK: Duration = Duration::from_millis(2_500);

fn slow(times: Option<u32>) -> FailureRule<MonoCall> {
    FailureRule {
        on: MonoCall::Login,
        trouble: BankFailure::Slow(u64::try_from(BANK.as_millis()).unwrap()),
        times,
        processed: None,
    }
}

/// A server that is told to stop answers the turn that waits at once, brings what was sent to its end, and exits well;
/// the person goes on elsewhere, and nothing is sent twice.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn a_server_stops_in_good_order(#[case] setup: Setup) {
    let mut world = World::start(setup).await;
    world.switch(|switches| switches.faults = vec![slow(Some(1))]);
    let line = world.nodes[0].line();
    let mut phone = Phone::new("+2348030008201", line.clone());
    to_login(&mut phone).await;
    phone.say("ada@stop").await.asks("Password");
    {
        let (mono, node) = (&world.mono, &mut world.nodes[0]);
        let typed = Stopwatch::start();
        let stopped = async {
            eventually(PATIENCE, async || mono.state.call_log().submits.len() == 1).await;
            node.terminate().await
        };
        let answered = async {
            phone.say("good-pass-stop").await.asks("is checking your details");
            assert!(typed.fair() < BANK, "it waited for the bank: {:?}", typed.elapsed());
        };
        let ((), code) = tokio::join!(answered, stopped);
        assert_eq!(code, Some(0));
    }
    if setup == Setup::TwoNodes {
        *line.servers.write().await = vec![world.nodes[1].callback()];
        phone.until("1", "Done!").await.ends("is linked for Sandbox Lender");
    }
    assert_eq!(world.submits("ada@stop"), granted());
    assert_eq!(world.accounts("ada@stop").len(), 1);
    let log = world.nodes[0].log();
    assert!(!log.contains("panic"), "{log}");
}

/// Sends turns to the servers that say they are ready, as a balancer does that asks them every now and then.
async fn balance(known: &std::sync::Mutex<Vec<String>>, line: &AggregatorClient, over: &AtomicBool) {
    let client = client();
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    while !over.load(Ordering::Relaxed) {
        ticks.tick().await;
        let callbacks = known.lock().unwrap().clone();
        let asked = callbacks.into_iter().map(async |callback: String| {
            let base = callback.split("/ussd/").next().unwrap().to_owned();
            let ready = client.get(format!("{base}/health/ready")).send().await;
            ready.is_ok_and(|answer| answer.status() == 200).then_some(callback)
        });
        let ready: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
        // Written only when it changes: to write waits for the callbacks on their way, and what was asked before that would
        // be old by then.
        if !ready.is_empty() && *line.servers.read().await != ready {
            *line.servers.write().await = ready;
        }
    }
}

/// Two servers are told to stop and started again in turn, under people who log in all the time: no turn fails, every
/// login is sent once, and every one of them is linked.
#[tokio::test]
async fn deploys_go_unnoticed() {
    const PEOPLE: usize = 6;
    const STOPS: usize = 4;
    let mut world = World::start(Setup::TwoNodes).await;
    world.switch(|switches| switches.faults = vec![slow(None)]);
    let known = Arc::new(std::sync::Mutex::new(
        world.nodes.iter().map(Node::callback).collect::<Vec<_>>(),
    ));
    let line = world.line();
    let (over, logins) = (AtomicBool::new(false), AtomicUsize::new(0));
    let phones: Vec<_> = (0..PEOPLE)
        .map(|n| Phone::new(&format!("+23480300083{n:02}"), line.clone()))
        .collect();
    let people = phones.into_iter().enumerate().map(async |(n, mut phone)| {
        let mut mine = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let name = format!("ada@deploy-{n}-{}", mine.len());
            to_login(&mut phone).await;
            // No password is asked for before the bank's own form is known.
            if !phone.say(&name).await.text.contains("Password") {
                phone.until("1", "Password").await;
            }
            let reply = phone.say("good-pass-deploy").await;
            if !reply.text.contains("Done!") {
                reply.asks("is checking your details");
                phone.until("1", "Done!").await;
            }
            logins.fetch_add(1, Ordering::Relaxed);
            mine.push(name);
        }
        mine
    });
    let stops = async {
        for round in 0..STOPS {
            let node = &mut world.nodes[round % 2];
            let before = logins.load(Ordering::Relaxed);
            eventually(PATIENCE, async || logins.load(Ordering::Relaxed) > before).await;
            assert_eq!(node.terminate().await, Some(0));
            node.restart().await;
            known.lock().unwrap()[round % 2] = node.callback();
            eventually(PATIENCE, async || line.servers.read().await.len() == 2).await;
        }
        over.store(true, Ordering::Relaxed);
    };
    let (names, (), ()) = tokio::join!(join_all(people), stops, balance(&known, &line, &over));
    let names: Vec<_> = names.into_iter().flatten().collect();
    assert!(names.len() >= STOPS, "{} logins", names.len());
    for name in names {
        assert_eq!(world.submits(&name), granted(), "{name}");
        assert_eq!(world.accounts(&name).len(), 1, "{name}");
    }
}
