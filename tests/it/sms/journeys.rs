//! Whole journeys by text against the real program: what a person is sent, what reaches the bank, and what is left behind.

use std::time::Duration;

use kiungo::core::sms::measure;
use kiungo::core::time::{Clock, Timestamp};
use kiungo::sandbox::bank::SubmitOutcome;
use kiungo::sandbox::mono::MonoCall;
use kiungo::sandbox::sms::SmsSwitches;
use rstest::rstest;

use crate::support::sms_world::{SmsWorld, code_in, number_in};
use crate::support::world::Setup;

const ADA: &str = "+2348030009301";

/// Begins by text and agrees; the list of banks is the newest text.
async fn agrees(texting: &SmsWorld, number: &str) -> String {
    let welcome = texting.send(number, "LINK").await;
    assert!(
        welcome.starts_with("Sandbox Lender asks to see your bank account"),
        "{welcome}"
    );
    let list = texting.send(number, &number_in(&welcome)).await;
    assert!(
        list.starts_with("Choose your bank, or type its name:\n1 Providus Bank"),
        "{list}"
    );
    list
}

/// Agrees, looks for a bank by name and picks it; the text says what to dial.
async fn to_dial(texting: &SmsWorld, number: &str) -> String {
    agrees(texting, number).await;
    let told = texting.send(number, "providus").await;
    assert!(told.starts_with("Never text a password or code"), "{told}");
    told
}

/// A link begun by text and finished by the code in the last one; the bank's one-time code is asked for on the phone, too.
/// What was typed is in no file, no log and no store, and every text was one part.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::redis(Setup::Redis)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn a_link_begins_by_text_and_ends_by_dialling(#[case] setup: Setup) {
    let texting = SmsWorld::with(setup, |_| ()).await;
    let told = to_dial(&texting, ADA).await;
    let mut phone = texting.world.phone(ADA);
    phone.dial_with(&code_in(&told)).await.asks("Providus Bank: Username");
    phone.say("otp@by-text").await.asks("Password");
    let mut asked = phone.say("good-pass-by-text").await;
    if !asked.text.contains("OTP") && !asked.text.contains("code") {
        asked = phone.until("1", "code").await;
    }
    asked.asks("");
    // The code comes by text, and they leave to read it; CONTINUE says how to come back.
    phone.hang_up().await;
    let told = texting.send(ADA, "continue").await;
    assert!(told.starts_with("Never text a password or code"), "{told}");
    phone.dial_with(&code_in(&told)).await.asks("Providus Bank:");
    let mut done = phone.say("123456").await;
    if !done.end {
        done = phone.until("1", "Done!").await;
    }
    done.ends("Done! Providus Bank ..");
    let submits = texting.world.submits("otp@by-text");
    assert_eq!(
        submits,
        [
            (MonoCall::Login, Some(SubmitOutcome::InputAsked)),
            (MonoCall::Commit, Some(SubmitOutcome::Granted))
        ]
    );
    let listed = texting.send(ADA, "LINK").await;
    assert!(listed.contains("\nTo agree reply "), "{listed}");
    let accounts = texting.send(ADA, "2").await;
    assert!(accounts.starts_with("Your accounts are not for texts"), "{accounts}");
    let digits = digits_of(&done.text);
    for text in texting.gateway.state.inbox(ADA) {
        assert_eq!(measure(&text.text).parts, 1, "{}", text.text);
        // Others read it: the bank is in the list of all banks only, and the account nowhere.
        let listed = text.text.starts_with("Choose your bank");
        assert!(listed || !text.text.contains("Providus"), "{}", text.text);
        assert!(!text.text.contains(&digits), "{}", text.text);
    }
    texting.world.assert_absent(&["otp@by-text", "good-pass-by-text"]).await;
}

/// The last digits of an account, as a screen shows them.
fn digits_of(screen: &str) -> String {
    let (_, from) = screen
        .split_once("..")
        .unwrap_or_else(|| panic!("no account in {screen}"));
    format!(
        "..{}",
        from.chars().take_while(char::is_ascii_digit).collect::<String>()
    )
}

/// Who texts a password, a one-time code or a PIN where one is asked for is told to dial; it reaches no bank and is found in
/// no file, log or store, however it was written.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::redis(Setup::Redis)]
#[tokio::test]
async fn a_texted_secret_is_refused_and_found_nowhere(#[case] setup: Setup) {
    let texting = SmsWorld::with(setup, |_| ()).await;
    to_dial(&texting, ADA).await;
    for secret in ["Zq7-texted-password", "zq7 two words", "90817263"] {
        let told = texting.send(ADA, secret).await;
        assert!(told.contains("kept nothing") && !told.contains(secret), "{told}");
    }
    texting.idle().await;
    assert!(texting.world.call_log().submits.is_empty());
    let secrets = ["Zq7-texted-password", "zq7 two words", "90817263"];
    texting.world.assert_absent(&secrets).await;
}

/// Where the operator lets secrets be texted the whole way goes by text, and what became of it is one more text.
#[rstest]
#[case::linked("ada@texted", "your account is linked.")]
#[case::refused("wrong@texted", "no account was linked.")]
#[tokio::test]
async fn where_it_is_allowed_all_goes_by_text(#[case] user: &str, #[case] want: &str) {
    let texting = SmsWorld::with(Setup::TwoNodes, |options| {
        options.policy.push_str("\nsecrets_over_sms = \"allow\"");
    })
    .await;
    agrees(&texting, ADA).await;
    texting.send(ADA, "1").await;
    assert!(texting.send(ADA, user).await.contains("Password"));
    let before = texting.gateway.state.inbox(ADA).len();
    let told = texting.send(ADA, "good-pass-texted").await;
    assert_eq!(
        told,
        "Sandbox Lender: we are asking your bank, and will text you the answer."
    );
    let texts = texting.inbox(ADA, before + 2).await;
    assert!(texts[before + 1].contains(want), "{texts:?}");
    texting.idle().await;
    assert_eq!(texting.gateway.state.inbox(ADA).len(), before + 2, "told once");
    texting.world.assert_absent(&[user, "good-pass-texted"]).await;
}

/// Protects from G24 of the list of faults: every text handed on four times at once, others a day late or out of
/// order: each is answered once, and nothing is chosen that was not on the screen sent last.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::redis(Setup::Redis)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn what_gateways_do_to_texts_is_harmless(#[case] setup: Setup) {
    let texting = SmsWorld::with(setup, |_| ()).await;
    let state = &texting.gateway.state;
    state.set_switches(SmsSwitches {
        incoming_copies: 4,
        ..SmsSwitches::default()
    });
    let list = agrees(&texting, ADA).await;
    texting.idle().await;
    assert_eq!(state.inbox(ADA).len(), 2, "one answer a text");
    // A day ago somebody chose something, and only now it comes.
    let now: Timestamp = kiungo::ambient::SystemClock.now();
    state.send_late("a-day-late", ADA, "1", now.minus(Duration::from_hours(24)));
    assert_eq!(texting.inbox(ADA, 3).await[2], list);
    let told = texting.send(ADA, "1").await;
    assert!(told.starts_with("Never text a password or code"), "{told}");
    texting.idle().await;
    let count = state.inbox(ADA).len();
    state.send_as("a-day-late", ADA, "1");
    // What comes after it is answered, so it was taken before.
    let help = texting.send(ADA, "HELP").await;
    assert!(help.starts_with("Sandbox Lender: text LINK or dial *384*96#"), "{help}");
    texting.idle().await;
    assert_eq!(state.inbox(ADA).len(), count + 1);
}

/// Somebody is on the phone: a number by text changes nothing there; LINK takes over, and the phone says where.
#[tokio::test]
async fn the_dialog_begun_last_goes_on() {
    let texting = SmsWorld::with(Setup::TwoNodes, |_| ()).await;
    let mut phone = texting.world.phone(ADA);
    phone.dial().await.asks("It cannot move money");
    phone.say("1").await.asks("Choose your bank");
    let told = texting.send(ADA, "1").await;
    assert!(told.starts_with("You have dialled *384*96#."), "{told}");
    phone.say("1").await.asks("");
    let told = texting.send(ADA, "LINK").await;
    assert!(told.starts_with("You began to link your bank. Go on?"), "{told}");
    phone.say("1").await.ends("You went on by text.");
    phone.dial().await.asks("Providus Bank: Username");
}

/// Languages by their names, and what is said in them afterwards, by text and on the phone.
#[tokio::test]
async fn a_language_stays() {
    let texting = SmsWorld::with(Setup::Memory, |_| ()).await;
    for (n, (word, agree, help)) in [
        ("HAUSA", "Ba zai iya cire kudi", "don hada asusun banki"),
        ("francais", "sans toucher l'argent", "pour lier un compte"),
        ("Kiswahili", "Haiwezi kutoa pesa", "kuunganisha akaunti"),
        ("yoruba", "Se e gba?", "lati so akanti"),
        ("IGBO", "I kwere?", "iji jikoo akauntu"),
        ("Pidgin", "no fit touch your money", "to link bank account"),
    ]
    .into_iter()
    .enumerate()
    {
        let number = format!("+23480300094{n:02}");
        let told = texting.send(&number, word).await;
        assert!(told.to_lowercase().contains(&agree.to_lowercase()), "{word}: {told}");
        let told = texting.send(&number, "HELP").await;
        assert!(told.contains(help), "{word}: {told}");
        texting.world.phone(&number).dial().await.asks("");
        let back = texting.send(&number, "ENGLISH").await;
        assert!(back.contains("It cannot move money"), "{word}: {back}");
    }
}
