//! A person has left when the bank answers: a text tells them, once, and only if nothing else has.

use std::time::Duration;

use kiungo::sandbox::bank::{BankFailure, FailureRule};
use kiungo::sandbox::mono::MonoCall;
use kiungo::sandbox::sms;
use rstest::rstest;

use super::providers::dial_until;
use super::{link, to_login};
use crate::support::aggregator::Phone;
use crate::support::eventually;
use crate::support::sms_world::{SmsWorld, code_in};
use crate::support::world::{Setup, World};

/// A login takes this long, which is longer than anybody is kept waiting.
const SLOW: u64 = 6_000;

fn slow(world: &World) {
    slow_by(world, SLOW);
}

fn slow_by(world: &World, millis: u64) {
    world.switch(|switches| {
        switches.faults = vec![FailureRule {
            on: MonoCall::Login,
            trouble: BankFailure::Slow(millis),
            times: Some(1),
            processed: None,
        }];
    });
}

/// From dialling to the screen that says that the bank is thinking.
async fn to_poll(phone: &mut Phone, user: &str, password: &str) {
    to_login(phone).await;
    phone.say(user).await.asks("Password");
    phone.say(password).await.asks("is checking your details");
}

/// Nobody else learns from a text where somebody banks, who they are, or what they typed.
fn says_little(text: &str, user: &str) {
    for detail in ["Providus", "..", "80300091", user, "good-pass"] {
        assert!(!text.contains(detail), "{text}");
    }
    assert!(text.starts_with("Sandbox Lender: "), "{text}");
}

/// How a person leaves.
#[derive(Clone, Copy, Debug)]
enum Leaves {
    /// By the key that ends the dialog.
    ByKey,
    /// By hanging up.
    HangsUp,
}

/// Anyone who left at the poll screen is texted what became of it, once, whichever server did what; and finds it at a redial
/// all the same.
#[rstest]
#[case::linked(
    Leaves::ByKey,
    "ada@text",
    "your account is linked. To see or unlink it, dial *384*96#",
    "is linked for"
)]
#[case::linked_hung_up(Leaves::HangsUp, "ada@hung", "your account is linked.", "is linked for")]
#[case::refused(Leaves::HangsUp, "wrong@text", "no account was linked. To see why", "Try again")]
#[tokio::test]
async fn whoever_left_is_texted_once(
    #[case] leaves: Leaves,
    #[case] user: &str,
    #[case] texted: &str,
    #[case] redialled: &str,
) {
    let number = "+2348030009101";
    let sms_world = SmsWorld::with(Setup::TwoNodes, |_| ()).await;
    slow(&sms_world.world);
    let mut phone = sms_world.world.phone(number);
    to_poll(&mut phone, user, "good-pass-text").await;
    match leaves {
        Leaves::ByKey => drop(phone.say("0").await.ends("We keep asking")),
        Leaves::HangsUp => phone.hang_up().await,
    }
    let texts = sms_world.inbox(number, 1).await;
    assert!(texts[0].contains(texted), "{texts:?}");
    says_little(&texts[0], user);
    // When the submission has been settled, too, nothing more was sent.
    sms_world.idle().await;
    assert_eq!(sms_world.gateway.state.counts(), (1, 1));
    phone.dial().await.asks(redialled);
    sms_world.idle().await;
    assert_eq!(sms_world.gateway.state.counts(), (1, 1));
    sms_world.world.assert_absent(&[user, "good-pass-text"]).await;
}

/// Anyone who waits for the answer is told it on the screen, and nowhere else.
#[tokio::test]
async fn whoever_was_told_gets_no_text() {
    let sms_world = SmsWorld::with(Setup::TwoNodes, |_| ()).await;
    let mut phone = sms_world.world.phone("+2348030009102");
    link(&mut phone, "ada@told", "good-pass-told").await;
    slow(&sms_world.world);
    let mut phone = sms_world.world.phone("+2348030009103");
    to_poll(&mut phone, "wrong@told", "good-pass-told").await;
    phone.until("1", "Try again").await;
    phone.hang_up().await;
    sms_world.idle().await;
    sms_world.idle().await;
    assert_eq!(sms_world.gateway.state.counts(), (0, 0));
}

/// The bank asks for one more code while the person is away: what the text says to dial goes straight to the question.
#[rstest]
#[case::two_nodes(Setup::TwoNodes)]
#[case::two_hosts(Setup::TwoHosts)]
#[tokio::test]
async fn a_question_is_answered_through_its_text(#[case] setup: Setup) {
    let number = "+2348030009104";
    let sms_world = SmsWorld::with(setup, |_| ()).await;
    slow(&sms_world.world);
    let mut phone = sms_world.world.phone(number);
    to_poll(&mut phone, "otp@text", "good-pass-question").await;
    phone.say("0").await.ends("We keep asking");
    let texts = sms_world.inbox(number, 1).await;
    assert!(texts[0].contains("your bank asks one more thing."), "{texts:?}");
    says_little(&texts[0], "otp@text");
    phone.dial_with(&code_in(&texts[0])).await.asks("Providus Bank:");
    let mut reply = phone.say("123456").await;
    if !reply.end {
        reply = phone.until("1", "Done!").await;
    }
    reply.ends("Done! Providus Bank ..");
    sms_world.idle().await;
    assert_eq!(sms_world.gateway.state.counts(), (1, 1));
}

/// Many must leave to read the code that their bank asks for: the way back is texted at once, by whichever way they leave, and
/// once.
#[rstest]
#[case::by_key(Leaves::ByKey)]
#[case::hung_up(Leaves::HangsUp)]
#[tokio::test]
async fn a_code_is_read_outside(#[case] leaves: Leaves) {
    let number = "+2348030009109";
    let sms_world = SmsWorld::with(Setup::TwoNodes, |_| ()).await;
    let mut phone = sms_world.world.phone(number);
    to_login(&mut phone).await;
    phone.say("otp@outside").await.asks("Password");
    let asked = phone.say("good-pass-outside").await;
    if asked.text.contains("is checking your details") {
        phone.until("1", "0 ").await;
    }
    match leaves {
        Leaves::ByKey => drop(phone.say("0").await.ends("Goodbye")),
        Leaves::HangsUp => phone.hang_up().await,
    }
    let texts = sms_world.inbox(number, 1).await;
    assert!(texts[0].contains("your bank asks one more thing."), "{texts:?}");
    says_little(&texts[0], "otp@outside");
    phone.dial_with(&code_in(&texts[0])).await.asks("Providus Bank:");
    phone.hang_up().await;
    sms_world.idle().await;
    assert_eq!(sms_world.gateway.state.counts(), (1, 1));
    phone.dial().await.asks("Providus Bank");
}

/// Where the operator wants it everybody gets one text for a link, also who has seen it: who sees the account, until when, and
/// what ends that. It names no bank. STOP is kept.
#[tokio::test]
async fn a_link_has_a_receipt() {
    let (number, stopped) = ("+2348030009110", "+2348030009111");
    let sms_world = SmsWorld::with(Setup::TwoNodes, |options| options.partner = "receipts = true").await;
    let mut phone = sms_world.world.phone(number);
    link(&mut phone, "ada@receipt", "good-pass-receipt").await;
    let texts = sms_world.inbox(number, 1).await;
    let until = kiungo::core::consent::date_text(sms_world.world.links().await[0].until);
    let want =
        format!("Sandbox Lender can now see your bank account until {until}. To see or end this, dial *384*96#.");
    assert!(texts[0].starts_with(&want), "{texts:?}");
    assert!(!texts[0].contains("Providus") && !texts[0].contains(".."), "{texts:?}");
    sms_world.gateway.state.send_from(stopped, "STOP");
    sms_world.inbox(stopped, 1).await;
    let mut phone = sms_world.world.phone(stopped);
    link(&mut phone, "ada@no-receipt", "good-pass-receipt").await;
    sms_world.idle().await;
    let counts = [number, stopped].map(|number| sms_world.gateway.state.inbox(number).len());
    assert_eq!(counts, [1, 1]);
}

/// Who texted STOP gets no more than the answer to that; at the next dial everything is told.
#[tokio::test]
async fn whoever_wants_no_texts_gets_none() {
    let number = "+2348030009105";
    let sms_world = SmsWorld::with(Setup::TwoNodes, |_| ()).await;
    sms_world.gateway.state.send_from(number, "STOP");
    let texts = sms_world.inbox(number, 1).await;
    assert!(texts[0].contains("no more texts"), "{texts:?}");
    slow(&sms_world.world);
    let mut phone = sms_world.world.phone(number);
    to_poll(&mut phone, "ada@stop", "good-pass-stop").await;
    phone.say("0").await.ends("We keep asking");
    sms_world.idle().await;
    assert_eq!(sms_world.gateway.state.counts(), (1, 1));
    phone.dial().await.asks("is linked for Sandbox Lender");
}

/// A gateway that takes no texts for now holds nobody up; who has dialled before it takes them again gets none.
#[tokio::test]
async fn a_redial_before_the_text_is_enough() {
    let number = "+2348030009106";
    let sms_world = SmsWorld::with(Setup::TwoNodes, |_| ()).await;
    sms_world.fail_with(Some(sms::SmsFailure::Busy));
    slow(&sms_world.world);
    let mut phone = sms_world.world.phone(number);
    to_poll(&mut phone, "ada@busy", "good-pass-busy").await;
    phone.say("0").await.ends("We keep asking");
    eventually(Duration::from_mins(1), async || sms_world.gateway.state.counts().0 > 0).await;
    dial_until(&mut phone, "is linked for Sandbox Lender").await;
    sms_world.fail_with(None);
    sms_world.idle().await;
    assert_eq!(sms_world.gateway.state.counts().1, 0);
}

/// A gateway that takes a text and never answers, one that never delivers it, and one that is away change nothing for
/// anybody: others link meanwhile, and the next dial tells what the text would have told. (P14)
#[rstest]
#[case::silent(Some(sms::SmsFailure::Hang), 1)]
#[case::forgetful(None, 1)]
#[case::away(Some(sms::SmsFailure::Down), 0)]
#[tokio::test]
async fn a_bad_gateway_changes_nothing(#[case] trouble: Option<sms::SmsFailure>, #[case] taken: u64) {
    let number = "+2348030009107";
    let sms_world = SmsWorld::with(Setup::TwoNodes, |options| {
        // Nobody is kept waiting for as long as elsewhere, nor is a submission.
        options.channel = "turn = 2";
        options.timeout = 5;
    })
    .await;
    sms_world.gateway.state.set_switches(sms::SmsSwitches {
        trouble,
        delivery: sms::SmsDelivery::Vanishes,
        ..sms::SmsSwitches::default()
    });
    slow_by(&sms_world.world, 2_500);
    let mut phone = sms_world.world.phone(number);
    to_poll(&mut phone, "ada@silent", "good-pass-silent").await;
    phone.say("0").await.ends("We keep asking");
    eventually(Duration::from_mins(1), async || sms_world.gateway.state.counts().0 > 0).await;
    let mut other = sms_world.world.phone("+2348030009108");
    link(&mut other, "ada@beside", "good-pass-beside").await;
    phone.dial().await.asks("is linked for Sandbox Lender");
    sms_world.idle().await;
    assert_eq!(sms_world.gateway.state.counts().1, taken);
}
