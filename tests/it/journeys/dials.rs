//! What may be dialled, and how a number may be spelled.

use rstest::rstest;

use super::{granted, to_login};
use crate::support::aggregator::form;
use crate::support::world::{Setup, World};

/// Whatever is dialled behind the code, the person sees a screen, and what they had begun is still there.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::redis(Setup::Redis)]
#[tokio::test]
async fn garbage_after_the_code_loses_nothing(#[case] setup: Setup) {
    let world = World::start(setup).await;
    let mut phone = world.phone("+2348030002001");
    to_login(&mut phone).await;
    phone.hang_up().await;
    let long = "9".repeat(500);
    let texts = [
        "0",
        "00",
        "#",
        "*",
        "**",
        "98",
        &long,
        "\0",
        "1\r\n2",
        "\u{1b}[2J",
        "\u{1f600}",
        "<script>",
        "\u{202e}1",
    ];
    for text in texts {
        phone.dial_with(text).await.asks("Providus Bank: Username");
    }
    let too_long = "9".repeat(5_000);
    phone.dial_with(&too_long).await.ends("That was too long.");
    let huge = "9".repeat(100_000);
    phone.dial_with(&huge).await.ends("");
    for bytes in [&b"\xff"[..], b"%FF", b"%C0%AF", b"%ED%A0%80", b"%", b"%0"] {
        let start = form(&[("sessionId", "ATUid_bytes"), ("phoneNumber", &phone.number)]);
        let body = [start.as_bytes(), b"&text=", bytes].concat();
        phone
            .send_body(0, body)
            .await
            .ends("Please use letters and numbers only.");
    }
    phone.dial().await.asks("Providus Bank: Username");
    phone.say("ada@rubbish").await.asks("Password");
    phone.say("good-pass-rubbish").await.ends("Done!");
    assert_eq!(world.submits("ada@rubbish"), granted());
}

/// Choices may be dialled behind the code as far as the consent; nothing is agreed to or submitted by dialling.
#[tokio::test]
async fn dialling_ahead_stops_at_the_consent() {
    let world = World::start(Setup::Memory).await;
    let mut phone = world.phone("+2348030002101");
    for (behind, shown) in [
        ("3", "Choose your language:"),
        ("2", "You have no linked accounts."),
        ("2*1", "It cannot move money"),
        ("1", "It cannot move money"),
        ("1*providus*1*ada@ahead*good-pass-ahead", "It cannot move money"),
        ("3*0", "It cannot move money"),
        ("482913507", "It cannot move money"),
    ] {
        phone.dial_with(behind).await.asks(shown);
    }
    phone.dial_with("3").await.asks("2 Hausa");
    phone.say("2").await.asks("Ba zai iya cire kudi");
    assert!(world.call_log().submits.is_empty());
}

/// Some networks start several sessions for one dial and go on with either: it is one start, and one link.
#[tokio::test]
async fn a_double_start_is_one_start() {
    let world = World::start(Setup::TwoNodes).await;
    let mut one = world.phone("+2348030002201");
    let mut other = world.phone("+2348030002201");
    one.dial().await.asks("It cannot move money");
    other.dial().await.asks("It cannot move money");
    one.say_all(&["1", "providus", "ada@double"]).await.asks("Password");
    other.say("1").await.ends("You dialled again on this number.");
    one.say("good-pass-double").await.ends("Done!");
    assert_eq!(world.submits("ada@double"), granted());
}

/// However a gateway spells a number, it is one person.
#[tokio::test]
async fn a_number_is_one_person_however_it_is_spelled() {
    let world = World::start(Setup::TwoNodes).await;
    let mut phone = world.phone("+2348030002301");
    to_login(&mut phone).await;
    for spelling in [
        "08030002301",
        "2348030002301",
        " 2348030002301",
        "002348030002301",
        "+234 803 000 2301",
    ] {
        let mut phone = world.phone(spelling);
        phone.dial().await.asks("Providus Bank: Username");
    }
    for (stranger, shown) in [
        ("+2348030002302", "It cannot move money"),
        ("+254722000111", "It cannot move money"),
    ] {
        world.phone(stranger).dial().await.asks(shown);
    }
    for nobody in ["12", "abc", "+99999999999999999", "0000000000"] {
        world
            .phone(nobody)
            .dial()
            .await
            .ends("This service does not work for your number.");
    }
}

/// Fields that are missing, doubled or more than asked for are answered in the dialect, without a word about fields.
#[tokio::test]
async fn odd_forms_are_answered_in_the_dialect() {
    let world = World::start(Setup::Memory).await;
    let phone = world.phone("+2348030002401");
    let number = ("phoneNumber", phone.number.as_str());
    let (session, text) = (("sessionId", "odd"), ("text", ""));
    for (fields, whole) in [
        (vec![session, number, text], true),
        (vec![text, ("more", "x"), number, ("more", "y"), session], true),
        (vec![number, text], false),
        (vec![session, text], false),
        (vec![session, number], false),
        (vec![session, number, number, text], false),
        (vec![session, session, number, text], false),
        (vec![session, number, text, ("text", "1")], false),
        (vec![("sessionId", ""), number, text], false),
        (vec![("sessionId", "a\r\nb"), number, text], false),
        (vec![], false),
    ] {
        let reply = phone.send_body(0, form(&fields)).await;
        if whole {
            reply.asks("It cannot move money");
        } else {
            reply
                .ends("Something went wrong on our side.")
                .lacks("session")
                .lacks("phone");
        }
    }
    phone
        .send_body(0, r#"{"sessionId": "odd"}"#)
        .await
        .ends("Something went wrong");
}
