//! A server dies, or is told to stop, while a bank is thinking.

use std::time::Duration;

use kiungo::sandbox::bank::{BankFailure, FailureRule};
use kiungo::sandbox::mono::MonoCall;
use kiungo::service::deps::CrashPoint;
use rstest::rstest;

use super::providers::dial_until;
use super::{granted, link, to_login};
use crate::support::eventually;
use crate::support::world::{Setup, World};

/// Long enough for anything to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

fn slow(millis: u64) -> FailureRule<MonoCall> {
    FailureRule {
        on: MonoCall::Login,
        trouble: BankFailure::Slow(millis),
        times: Some(1),
        processed: None,
    }
}

/// The server that has sent a login dies before the answer: the other one says that it is checking, then finds out the
/// truth; the login is sent once.
#[tokio::test]
async fn the_other_server_finds_out() {
    let mut world = World::with(Setup::TwoNodes, |options| options.timeout = 3).await;
    world.switch(|switches| switches.faults = vec![slow(2_000)]);
    world.hook(1);
    let mut phone = world.phone_at(0, "+2348030008001");
    to_login(&mut phone).await;
    phone.say("ada@crash").await.asks("Password");
    {
        let (mono, node) = (&world.mono, &mut world.nodes[0]);
        let sent = async {
            eventually(PATIENCE, async || mono.state.call_log().submits.len() == 1).await;
            node.kill();
        };
        tokio::join!(phone.say_into_the_void("good-pass-crash"), sent);
    }
    let mut phone = world.phone_at(1, "+2348030008001");
    let shown = phone.dial().await;
    shown.asks("Providus Bank is checking your details");
    phone.until("1", "Done!").await.ends("is linked for Sandbox Lender");
    assert_eq!(world.submits("ada@crash"), granted());
    assert_eq!(world.accounts("ada@crash").len(), 1);
    world.nodes[0].restart().await;
    let mut phone = world.phone_at(0, "+2348030008001");
    phone.dial().await.asks("It cannot move money");
    phone.say("2").await.asks("1 Providus Bank ..").lacks("2 Providus");
    world.assert_absent(&["ada@crash", "good-pass-crash"]).await;
}

/// The one server with everything in its memory dies: anyone who dials after its start is told the truth from the records,
/// and a link that was told is still there.
#[tokio::test]
async fn memory_is_lost_but_no_link() {
    let mut world = World::with(Setup::Memory, |options| options.timeout = 3).await;
    let mut phone = world.phone("+2348030008101");
    link(&mut phone, "ada@told", "good-pass-told").await;
    let mut other = world.phone("+2348030008102");
    world.switch(|switches| switches.faults = vec![slow(1_000)]);
    to_login(&mut other).await;
    other.say("ada@lost-memory").await.asks("Password");
    {
        let (mono, node) = (&world.mono, &mut world.nodes[0]);
        let sent = async {
            eventually(PATIENCE, async || mono.state.call_log().submits.len() == 2).await;
            node.kill();
        };
        tokio::join!(other.say_into_the_void("good-pass-lost-memory"), sent);
    }
    world.nodes[0].restart().await;
    world.hook(0);
    let mut phone = world.phone("+2348030008101");
    phone.dial().await.asks("It cannot move money");
    phone.say("2").await.asks("1 Providus Bank ..");
    let mut other = world.phone("+2348030008102");
    dial_until(&mut other, "is linked for Sandbox Lender").await;
    assert_eq!(world.submits("ada@lost-memory"), granted());
    assert_eq!(world.accounts("ada@lost-memory").len(), 1);
}

/// Work that panics with a password in its hands takes nothing else with it: the person is told that it is being checked
/// and then the truth, others link meanwhile, the process goes on, and its log says where but not over what.
#[rstest]
#[case::before_it_was_sent(CrashPoint::Begun, 0)]
#[case::after_the_answer(CrashPoint::Answered, 1)]
#[tokio::test]
async fn a_panic_harms_only_its_work(#[case] edge: CrashPoint, #[case] sent: usize) {
    let world = World::with(Setup::Memory, |options| {
        options.timeout = 1;
        options.lease_margin = Some(5);
        options.panic_at = Some(edge);
    })
    .await;
    let pid = world.nodes[0].pid();
    let (mut phone, mut other) = (world.phone("+2348030008301"), world.phone("+2348030008302"));
    to_login(&mut phone).await;
    phone.say("ada@panic").await.asks("Password");
    phone.say("good-pass-panic").await.asks("is checking your details");
    link(&mut other, "ada@beside-a-panic", "good-pass-beside").await;
    if sent == 0 {
        // It was begun, and provably not sent.
        phone.until("1", "Nothing you typed was sent.").await;
    } else {
        phone.until("1", "Done!").await.ends("is linked for Sandbox Lender");
        assert_eq!(world.submits("ada@panic"), granted());
    }
    assert_eq!(world.submits("ada@panic").len(), sent);
    assert_eq!(world.nodes[0].pid(), pid);
    assert_eq!(world.nodes[0].ready().await, 200);
    let log = world.nodes[0].log();
    let reports: Vec<_> = log.lines().filter(|line| line.contains("panic")).collect();
    assert!(
        matches!(reports[..], [line] if line.contains("file=") && line.contains("line=")),
        "{reports:?}"
    );
    world
        .assert_absent(&["ada@panic", "good-pass-panic", "as the configuration asks"])
        .await;
}
