//! Callbacks that come twice, late, in another order or after the end.

use futures_util::future::join_all;
use kiungo::sandbox::bank::SubmitOutcome::{AccountsAsked, Granted, InputAsked};
use kiungo::sandbox::mono::MonoCall::{Commit, Login};
use rstest::rstest;

use super::{granted, link, to_login};
use crate::support::world::{Setup, World};

/// Every callback comes twice, the second after the first was answered: the same bytes, and each step once. On two
/// servers the repeat comes to the other one.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn a_repeat_gets_the_same_bytes(#[case] setup: Setup) {
    let world = World::start(setup).await;
    let mut phone = world.phone("+2348030001001");
    phone.twice = true;
    to_login(&mut phone).await;
    phone.say("otp-many@repeats").await.asks("Password");
    phone.say("good-pass-repeats").await.asks("Providus Bank:");
    phone.say("123456").await.asks("which account?");
    phone.say("2").await.ends("Done!");
    phone.hang_up().await;
    phone.again().await.ends("Done!");
    let wanted = [(Login, InputAsked), (Commit, AccountsAsked), (Commit, Granted)];
    let wanted: Vec<_> = wanted.map(|(call, outcome)| (call, Some(outcome))).into();
    assert_eq!(world.submits("otp-many@repeats"), wanted);
    assert_eq!(world.accounts("otp-many@repeats").len(), 1);
}

/// Two servers get the same callback at the same moment, three hundred times: both say the same, and one submission leaves.
#[tokio::test]
async fn two_servers_at_once_say_the_same() {
    const PEOPLE: usize = 50;
    let world = World::start(Setup::TwoNodes).await;
    let world = &world;
    let person = |number: usize| async move {
        let mut phone = world.phone(&format!("+23480300011{number:02}"));
        phone.session = format!("pair-{number}");
        let user = format!("ada@pair-{number}");
        let lines = ["", "1", "providus", &user, "good-pass-pairs"];
        let mut last = None;
        for line in lines {
            if !line.is_empty() {
                phone.text = [phone.text.as_str(), line].join(if phone.text.is_empty() { "" } else { "*" });
            }
            let (one, other) = tokio::join!(phone.send(0, &phone.text), phone.send(1, &phone.text));
            assert_eq!(one, other, "person {number} after {line:?}");
            last = Some(one);
        }
        let reply = last.unwrap();
        if !reply.end {
            // A busy machine may be slower than a turn.
            phone.until("1", "Done!").await;
        }
        user
    };
    for group in (0..PEOPLE).collect::<Vec<_>>().chunks(8) {
        for user in join_all(group.iter().map(|&number| person(number))).await {
            assert_eq!(world.submits(&user), granted(), "{user}");
        }
    }
    assert_eq!(world.call_log().accounts.len(), PEOPLE);
}

/// A callback that comes after its successor shows where the person is now; one that skips a step skips no consent; one
/// that fits nothing shows the present screen, and the dialog goes on from what it said.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn late_and_lost_callbacks_lose_nobody(#[case] setup: Setup) {
    let world = World::start(setup).await;
    let mut phone = world.phone("+2348030001201");
    let present = to_login(&mut phone).await;
    for late in ["1", "1*providus"] {
        assert_eq!(phone.send(0, late).await, present, "{late}");
    }
    phone.text = "1*moniepoint*1".to_owned();
    phone.say("x").await.asks("Providus Bank: Username");
    phone.say("ada@late").await.asks("Password");
    phone.say("good-pass-late").await.ends("Done!");
    assert_eq!(world.submits("ada@late"), granted());

    let mut gap = world.phone("+2348030001202");
    gap.dial().await.asks("It cannot move money");
    gap.send(0, "1*providus*1*ada@gap*good-pass-gap")
        .await
        .asks("It cannot move money");
    assert!(world.submits("ada@gap").is_empty());
}

/// What comes after an end is told so and changes nothing; dialling again goes on.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn nothing_happens_after_the_end(#[case] setup: Setup) {
    let world = World::start(setup).await;
    let mut phone = world.phone("+2348030001301");
    link(&mut phone, "ada@after", "good-pass-after").await;
    phone.say("1").await.ends("Time is up.");
    phone.say("providus").await.ends("Time is up.");
    assert_eq!(world.submits("ada@after"), granted());
    phone.dial().await.asks("It cannot move money");
    phone.say("2").await.asks("1 Providus Bank ..");
    phone.hang_up().await;
    phone.say("1").await.ends("Time is up.");
    phone.dial().await.asks("It cannot move money");
}

/// A dialog's name that comes with another number is another dialog: nothing of the first person is shown or done.
#[tokio::test]
async fn a_dialogs_name_does_not_make_the_person() {
    let world = World::start(Setup::TwoNodes).await;
    let mut ada = world.phone("+2348030001401");
    to_login(&mut ada).await;
    ada.say("ada@own-name").await.asks("Password");
    let mut other = world.phone("+2348030001402");
    other.session.clone_from(&ada.session);
    other.text.clone_from(&ada.text);
    other
        .say("good-pass-other")
        .await
        .asks("It cannot move money")
        .lacks("Providus");
    assert!(world.call_log().submits.is_empty());
    ada.say("good-pass-own").await.ends("Done!");
    other.dial().await.asks("It cannot move money").lacks("My accounts");
    assert_eq!(world.submits("ada@own-name"), granted());
}

/// An answer that came too late for its gateway was shown to nobody: when the gateway says that the dialog failed, the
/// next dial tells the result, until one was delivered.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn an_answer_nobody_saw_is_told_again(#[case] setup: Setup) {
    let world = World::start(setup).await;
    let mut phone = world.phone("+2348030001601");
    link(&mut phone, "ada@too-late", "good-pass-too-late").await;
    for status in ["Failed", "Incomplete", "Success"] {
        phone.over(status).await;
        let shown = phone.dial().await;
        if status == "Success" {
            shown.asks("It cannot move money");
        } else {
            shown.asks("is linked for Sandbox Lender.");
        }
    }
    assert_eq!(world.submits("ada@too-late"), granted());
}

/// An end that is told while a turn is on its way breaks nothing, whichever comes first: what was taken is done once, what
/// was not is not.
#[tokio::test]
async fn an_end_may_race_with_a_turn() {
    let world = World::start(Setup::TwoNodes).await;
    for number in 0..8 {
        let mut phone = world.phone(&format!("+23480300015{number:02}"));
        let user = format!("ada@race-{number}");
        to_login(&mut phone).await;
        phone.say(&user).await.asks("Password");
        let mut closing = phone.clone();
        let (reply, ()) = tokio::join!(phone.say("good-pass-race"), closing.hang_up());
        if reply.text.contains("Time is up.") {
            phone.dial().await.asks("Providus Bank: Password");
            assert_eq!(world.submits(&user), []);
        } else {
            reply.ends("Done!");
            phone.dial().await.asks("");
            assert_eq!(world.submits(&user), granted());
            assert_eq!(world.accounts(&user).len(), 1);
        }
    }
}
