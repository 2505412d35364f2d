//! The provider is slow, away, loses its answer, or tells the same thing several times.

use std::time::Duration;

use kiungo::sandbox::bank::SubmitOutcome::{Granted, InputAsked};
use kiungo::sandbox::bank::{BankFailure, FailureRule};
use kiungo::sandbox::mono::MonoCall;
use kiungo::sandbox::mono::MonoCall::{Commit, Login};
use rstest::rstest;

use super::{granted, link, to_login};
use crate::support::aggregator::Phone;
use crate::support::eventually;
use crate::support::world::{Setup, World};

fn fault(on: MonoCall, trouble: BankFailure, times: u32) -> FailureRule<MonoCall> {
    FailureRule {
        on,
        trouble,
        times: Some(times),
        processed: None,
    }
}

/// Dials until the screen says so.
pub(super) async fn dial_until(phone: &mut Phone, text: &str) {
    eventually(Duration::from_secs(30), async || phone.dial().await.text.contains(text)).await;
}

/// A bank that takes ten seconds: the menu says that it is checking, and then the truth; the login is sent once.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn a_slow_bank_is_waited_for(#[case] setup: Setup) {
    let world = World::start(setup).await;
    world.switch(|switches| switches.faults = vec![fault(Login, BankFailure::Slow(10_000), 1)]);
    let mut phone = world.phone("+2348030006001");
    phone.twice = true;
    to_login(&mut phone).await;
    phone.say("ada@ten-seconds").await.asks("Password");
    phone
        .say("good-pass-ten-seconds")
        .await
        .asks("Providus Bank is checking your details (");
    phone.until("1", "Done!").await.ends("is linked for Sandbox Lender");
    assert_eq!(world.submits("ada@ten-seconds"), granted());
}

/// Anyone who does not wait finds the news at the next dial, once.
#[tokio::test]
async fn whoever_left_finds_the_news() {
    let world = World::start(Setup::TwoNodes).await;
    world.switch(|switches| switches.faults = vec![fault(Login, BankFailure::Slow(5_000), 1)]);
    let mut phone = world.phone("+2348030006101");
    to_login(&mut phone).await;
    phone
        .say_all(&["ada@news", "good-pass-news"])
        .await
        .asks("is checking your details");
    phone.say("0").await.ends("We keep asking");
    dial_until(&mut phone, "is linked for Sandbox Lender.").await;
    phone.dial().await.asks("1 I agree");
    phone.say("2").await.asks("1 Providus Bank ..");
    assert_eq!(world.submits("ada@news"), granted());
}

/// The bank has said yes but the answer is lost: never a second login, and the link is found, once, at a login and at a
/// code.
#[rstest]
#[case::login("ada@lost", BankFailure::Reset)]
#[case::page("ada@lost", BankFailure::Html)]
#[case::cut("ada@lost", BankFailure::Garbage)]
#[case::code("otp-reset@lost", BankFailure::Reset)]
#[tokio::test]
async fn a_lost_yes_is_found(#[case] user: &str, #[case] trouble: BankFailure) {
    let world = World::start(Setup::TwoNodes).await;
    let mut phone = world.phone("+2348030006201");
    to_login(&mut phone).await;
    phone.say(user).await.asks("Password");
    let wanted = if user == "ada@lost" {
        world.switch(|switches| switches.faults = vec![fault(Login, trouble, 1)]);
        granted()
    } else {
        phone.say("good-pass-lost").await.asks("Providus Bank:");
        vec![(Login, Some(InputAsked)), (Commit, Some(Granted))]
    };
    let last = if user == "ada@lost" { "good-pass-lost" } else { "123456" };
    let reply = phone.say(last).await;
    if !reply.end {
        reply.asks("Do not log in there again");
        dial_until(&mut phone, "is linked for Sandbox Lender.").await;
    }
    assert_eq!(world.submits(user), wanted);
    assert_eq!(world.accounts(user).len(), 1);
    phone.dial().await.asks("1 I agree");
    phone.say("2").await.asks("1 Providus Bank ..").lacks("2 Providus");
}

/// Where nothing was done, the menu never says that it was, and never sends the password again by itself.
#[rstest]
#[case::failing(BankFailure::Error, "has not answered yet. We keep asking")]
#[case::away(BankFailure::Unavailable, "has not answered yet. We keep asking")]
#[case::busy(BankFailure::Busy, "is busy now. Try again in 1 min")]
#[tokio::test]
async fn a_failing_provider_is_told_of(#[case] trouble: BankFailure, #[case] reply: &str) {
    let world = World::start(Setup::Redis).await;
    world.switch(|switches| switches.faults = vec![fault(Login, trouble, 1)]);
    let mut phone = world.phone("+2348030006301");
    to_login(&mut phone).await;
    phone.say_all(&["ada@failing", "good-pass-failing"]).await.asks(reply);
    phone.dial().await.asks("Providus Bank").lacks("linked");
    let submits = world.call_log().submits.len();
    assert_eq!((submits, world.accounts("ada@failing").len()), (1, 0));
}

/// Two refused logins at a bank make a person wait there, and nowhere else: banks lock accounts.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn refused_logins_are_limited(#[case] setup: Setup) {
    let world = World::start(setup).await;
    let mut phone = world.phone("+2348030006401");
    to_login(&mut phone).await;
    phone
        .say_all(&["wrong@limit", "good-pass-limit"])
        .await
        .asks("did not let you in: a wrong detail, or the bank is down. Tries left: 1.")
        .lacks("locked");
    phone.say("1").await.asks("Providus Bank: Username");
    phone
        .say_all(&["locked@limit", "good-pass-limit"])
        .await
        .asks("did not let you in. So that it does not lock you out, wait 15 min.")
        .lacks("1 Try again");
    // What is not on the screen is not chosen.
    phone.say("1").await.asks("wait 15 min.").lacks("Username");
    phone.say("2").await.asks("Choose your bank");
    phone.say_all(&["providus", "1"]).await.asks("wait 15 min");
    phone.dial().await.asks("");
    phone.say("2").await.asks("");
    phone.dial().await.asks("1 I agree");
    phone.say_all(&["1", "providus", "1"]).await.asks("wait 15 min");
    phone.say("2").await.asks("Choose your bank");
    phone.say_all(&["moniepoint", "1"]).await.asks("Moniepoint: Username");
    assert_eq!(world.call_log().submits.len(), 2);
}

/// The link stands although its account cannot be read at first: nothing is asked again, and the digits come later.
#[tokio::test]
async fn an_account_may_be_read_later() {
    let world = World::start(Setup::TwoNodes).await;
    let faults = vec![fault(MonoCall::Account, BankFailure::Error, 2)];
    world.switch(|switches| switches.faults = faults);
    let mut phone = world.phone("+2348030006501");
    to_login(&mut phone).await;
    phone
        .say_all(&["ada@read-later", "good-pass-read-later"])
        .await
        .ends("Done! Providus Bank")
        .lacks("..");
    let account = world.accounts("ada@read-later").remove(0);
    eventually(Duration::from_secs(30), async || {
        phone.dial().await.asks("1 I agree");
        phone
            .say("2")
            .await
            .asks("1 Providus Bank")
            .text
            .contains(&format!("..{}", &account[6..]))
    })
    .await;
    assert_eq!(world.submits("ada@read-later"), granted());
}

/// Webhooks that come early, twice, in the wrong order or not at all make one link, told once.
#[tokio::test]
async fn webhooks_make_no_second_link() {
    let world = World::start(Setup::TwoNodes).await;
    for (number, word) in ["early", "twice", "disorder", "silent", "partial", "no-data"]
        .into_iter()
        .enumerate()
    {
        let mut phone = world.phone(&format!("+23480300066{number:02}"));
        let user = format!("{word}@hooks");
        link(&mut phone, &user, "good-pass-hooks").await;
        assert_eq!(world.submits(&user), granted(), "{word}");
        eventually(Duration::from_secs(10), async || {
            world.call_log().webhooks.iter().all(|webhook| webhook.taken)
        })
        .await;
        phone.dial().await.asks("1 I agree");
        phone.say("2").await.asks("1 Providus Bank ..").lacks("2 Providus");
    }
}

/// A grant that is too old when it is exchanged is no reason to ask again: the account is looked up.
#[tokio::test]
async fn a_stale_grant_is_looked_up() {
    let world = World::start(Setup::Memory).await;
    let mut phone = world.phone("+2348030006701");
    link(&mut phone, "stale@grant", "good-pass-stale").await;
    assert_eq!(world.submits("stale@grant"), granted());
}
