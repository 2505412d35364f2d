//! What may be typed: separators inside a password, foreign digits, control characters, wrong keys.

use kiungo::sandbox::bank::sha256_hex;
use rstest::rstest;

use super::{granted, to_login};
use crate::support::aggregator::form;
use crate::support::world::{Setup, World};

/// A password reaches the bank as it was typed, whatever it holds; aggregators join lines with the same star, so one with a
/// star is asked for once more.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn a_password_arrives_as_it_was_typed(#[case] setup: Setup) {
    let passwords = [
        "*first-star",
        "middle*star",
        "last-star*",
        "**two*stars**",
        "*******",
        "hash#and*star#",
        "1*2*3*4*5",
        " blanks at the ends ",
        "100%+plus&and=more",
        "\u{1ecd}m\u{1ecd}-\u{e9}\u{f1}-\u{2713}",
        "\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}",
    ];
    let world = World::start(setup).await;
    for (number, password) in passwords.into_iter().enumerate() {
        let mut phone = world.phone(&format!("+23480300030{number:02}"));
        let user = format!("ada@typed-{number}");
        to_login(&mut phone).await;
        phone.say(&user).await.asks("Password");
        if password.contains('*') {
            phone.say(password).await.asks("If * is part of it");
        }
        phone.say(password).await.ends("Done!");
        assert_eq!(world.submits(&user), granted(), "{password:?}");
        let submitted = world
            .call_log()
            .submits
            .into_iter()
            .find(|submit| submit.username.as_ref() == Some(&user));
        let digest = submitted.unwrap().secret_sha256;
        assert_eq!(digest.as_deref(), Some(sha256_hex(password).as_str()), "{password:?}");
    }
    world.assert_absent(&passwords).await;
}

/// Bytes that are no text are refused before they could become another password, and nothing is sent.
#[tokio::test]
async fn a_broken_password_is_not_sent() {
    let world = World::start(Setup::Memory).await;
    let mut phone = world.phone("+2348030003101");
    to_login(&mut phone).await;
    phone.say("ada@broken-bytes").await.asks("Password");
    for bytes in [&b"*p%FFss"[..], b"*p\xc3", b"*p%C0%AFss"] {
        let start = form(&[
            ("sessionId", &phone.session),
            ("phoneNumber", &phone.number),
            ("text", &phone.text),
        ]);
        let reply = phone.send_body(0, [start.as_bytes(), bytes].concat()).await;
        reply.ends("Please use letters and numbers only.");
    }
    assert!(world.call_log().submits.is_empty());
    phone.dial().await.asks("Providus Bank: Password");
    phone.say("good-pass-broken-bytes").await.ends("Done!");
    assert_eq!(world.submits("ada@broken-bytes"), granted());
}

/// Digits of other scripts are digits where one chooses; control characters are not text anywhere.
#[tokio::test]
async fn foreign_digits_choose_and_control_characters_do_not() {
    let world = World::start(Setup::Memory).await;
    for (number, one) in ["\u{ff11}", "\u{661}", " 1 ", "\u{967}"].into_iter().enumerate() {
        let mut phone = world.phone(&format!("+23480300032{number:02}"));
        phone.dial().await.asks("It cannot move money");
        phone.say(one).await.asks("Choose your bank");
    }
    for (number, rubbish) in ["\0", "1\0", "\r\n1", "\u{1b}[31m", "\u{7f}", "\u{85}"]
        .into_iter()
        .enumerate()
    {
        let mut phone = world.phone(&format!("+23480300033{number:02}"));
        to_login(&mut phone).await;
        phone.say(rubbish).await.asks("Please use letters and numbers only.");
        phone
            .say("ada@control")
            .await
            .asks("Password")
            .lacks("letters and numbers");
        phone
            .say(&format!("pass{rubbish}word"))
            .await
            .asks("Please use letters and numbers only.");
    }
    assert!(world.call_log().submits.is_empty());
}

/// A wrong key is told once, above the same screen; the next screen does not tell it again.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::two_nodes(Setup::TwoNodes)]
#[tokio::test]
async fn a_wrong_key_is_told_once(#[case] setup: Setup) {
    let world = World::start(setup).await;
    let mut phone = world.phone("+2348030003401");
    phone.dial().await.lacks("Choose from");
    // What is agreed to stays as it is: there is no room for a note beside it.
    phone.say("7").await.asks("1 I agree").lacks("9 More");
    phone.say("3").await.asks("Choose your language:").lacks("Choose from");
    phone.say("55").await.asks("Choose from the list.");
    phone.say("1").await.asks("It cannot move money").lacks("Choose from");
    phone.say("1").await.asks("Choose your bank").lacks("Choose from");
    phone.say("qqqq").await.asks("We cannot link a bank of that name here.");
    phone
        .say("providus")
        .await
        .asks("Providus Bank: Username")
        .lacks("We cannot link a bank");
    phone.say(" ").await.asks("Please type an answer.");
    phone.say("ada@wrong-key").await.asks("Password").lacks("Please type");
}
