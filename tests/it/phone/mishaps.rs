//! What happens besides the dialog, in a real browser: SMS, a network that drops the session, and time that passes.

use std::time::Duration;

use fantoccini::Locator;
use kiungo::gateways::UssdLimits;

use super::page::{phone, picture, press};
use crate::support::browser::Browser;
use crate::support::canned::FakeCallbackServer;
use crate::support::eventually;
use crate::support::sandbox::Sandbox;
use crate::support::sms_world::number_in;

async fn shown(browser: &Browser, css: &str) -> bool {
    let element = browser.window.find(Locator::Css(css)).await.expect(css);
    element.is_displayed().await.expect(css)
}

/// SMS appear by themselves, the newest is marked, one press dials the code in it, and what a person wrote is masked.
#[tokio::test(flavor = "multi_thread")]
async fn an_sms_arrives_and_its_code_is_dialled() {
    let sandbox = Sandbox::start().await;
    let browser = phone(&sandbox.origin, 1280, 900, false).await;
    browser
        .wait_text("#inbox-empty", |t| t.contains("Texts to this number"))
        .await;
    let line = browser.window.find(Locator::Css("#reply-text")).await.expect("a line");
    line.send_keys("my pin is 4417\u{e007}").await.expect("typed");
    browser.wait_text("#inbox .mine .sms-text", |t| t == "••••").await;
    browser.wait_text("#inbox .newest", |t| t.contains("*384*96#")).await;
    browser.click("[data-text=STOP]").await;
    browser.wait_text("#inbox .mine .sms-text", |t| t == "STOP").await;
    browser
        .wait_text("#inbox .newest .sms-text", |t| t.contains("START"))
        .await;
    let page = browser.window.source().await.expect("the source");
    assert!(!page.contains("4417"), "what was written is masked like what is typed");
    browser.click("[data-text=HELP]").await;
    browser
        .wait_text("#inbox .newest", |t| {
            t.contains("38496") && t.contains("Newest") && t.contains("*384*96#")
        })
        .await;
    let newest = browser.window.find_all(Locator::Css("#inbox .mark-new:not([hidden])"));
    assert_eq!(newest.await.expect("a list").len(), 1);
    assert!(browser.window.title().await.expect("a title").starts_with("(1) "));
    assert!(shown(&browser, "#mail").await, "the phone says that a text came");
    browser.picture(&picture("desktop-texts.png")).await;

    browser.click("#inbox .newest .chip").await;
    browser.wait_text("#screen", |t| t.contains("Sandbox Lender")).await;
    browser.wait_text("#turns .typed", |t| t == "dialled *384*96#").await;
    assert!(browser.window.title().await.expect("a title").starts_with("Kiungo"));
    assert!(!shown(&browser, "#mail").await, "and no longer once it was read");
    browser.window.close().await.expect("closed");
    sandbox.stop().await;
}

/// The menu works by SMS in the page's inbox, and the code in an SMS continues from there.
#[tokio::test(flavor = "multi_thread")]
async fn the_menu_works_by_sms_up_to_the_code_to_dial() {
    let sandbox = Sandbox::start().await;
    let browser = phone(&sandbox.origin, 1280, 900, false).await;
    let line = browser.window.find(Locator::Css("#reply-text")).await.expect("a line");
    browser.click("[data-text=LINK]").await;
    let welcome = browser
        .wait_text("#inbox .newest .sms-text", |t| t.contains("To agree reply"))
        .await;
    let number = number_in(&welcome);
    for (text, answer) in [
        (number.as_str(), "Choose your bank"),
        ("kuda", "Never text a password or code"),
    ] {
        line.send_keys(&format!("{text}\u{e007}")).await.expect("typed");
        browser
            .wait_text("#inbox .newest .sms-text", |t| t.contains(answer))
            .await;
    }
    browser.picture(&picture("desktop-menu-by-text.png")).await;
    browser.click("#inbox .newest .chip").await;
    browser
        .wait_text("#screen", |t| t.contains("Kuda: Email Address"))
        .await;
    browser.window.close().await.expect("closed");
    sandbox.stop().await;
}

/// A network that drops a session reports that to the server without asking the person, even while an answer is awaited.
#[tokio::test]
async fn the_network_drops_a_session() {
    let limits = UssdLimits {
        turn: Duration::from_mins(1),
        ..UssdLimits::default()
    };
    let server = FakeCallbackServer::with_limits(limits);
    let browser = phone(&server.origin, 390, 844, false).await;
    let enabled = async || {
        let drop = browser.window.find(Locator::Css("#drop")).await.expect("a button");
        drop.is_enabled().await.expect("a state")
    };
    assert!(!enabled().await, "there is nothing to drop yet");
    press(&browser, "*384*96*1#").await;
    browser.click("#call").await;
    browser.wait_text("#screen", |t| t.contains("Choose your bank")).await;
    browser.click("#drop").await;
    browser.wait_text("#screen", |t| t.contains("Connection problem")).await;
    browser
        .wait_text("#turns .event .typed", |t| {
            t == "Dialog reported Incomplete: dropped by the network"
        })
        .await;
    assert!(!enabled().await);
    browser.click("#soft-left").await;
    browser.wait_text("#screen", |t| t.contains("Choose your bank")).await;
    browser.click("#end").await;
    browser.wait_text("#home", |t| t.contains("SANDBOX")).await;

    press(&browser, "*384*96*6#").await;
    browser.click("#call").await;
    browser.wait_text("#working", |t| t.contains("running")).await;
    browser.click("#drop").await;
    browser.wait_text("#screen", |t| t.contains("Connection problem")).await;
    eventually(Duration::from_secs(10), async || {
        server.events().len() == 3 && server.turns().len() == 3
    })
    .await;
    let (turns, events) = (server.turns(), server.events());
    for (turn, event) in turns.iter().zip(&events) {
        assert_eq!(turn["sessionId"], event["sessionId"]);
        assert_eq!(event["status"], "Incomplete");
    }
    let why: Vec<_> = events.iter().map(|event| event.get("errorMessage")).collect();
    let dropped = Some("dropped by the network".to_owned());
    assert_eq!(why, [dropped.as_ref(), None, dropped.as_ref()]);
    browser.window.close().await.expect("closed");
}

/// Advancing the clock ends the session in the network, and for the server it is the next day.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_advances_the_clock() {
    let sandbox = Sandbox::start().await;
    let browser = phone(&sandbox.origin, 1280, 900, true).await;
    browser.wait_text("#time-ahead", |t| t == "as on this machine").await;
    browser.click("#dial-code").await;
    browser.wait_text("#screen", |t| t.contains("Sandbox Lender")).await;
    browser.wait_text("#session", |t| t.contains("welcome")).await;
    browser.click("[data-wind='60']").await;
    browser.wait_text("#time-ahead", |t| t == "1 min ahead").await;
    browser.wait_text("#screen", |t| t.contains("no answer in time")).await;
    browser.wait_text("#turns .event", |t| t.contains("Incomplete")).await;
    browser.wait_text("#session", |t| t.contains("welcome")).await;
    browser.click("[data-wind='900']").await;
    browser.wait_text("#time-ahead", |t| t == "16 min ahead").await;
    browser.click("[data-wind='86400']").await;
    browser.wait_text("#time-ahead", |t| t == "1 day 16 min ahead").await;
    browser
        .wait_text("#session-empty", |t| t.contains("Nothing is known"))
        .await;
    browser.picture(&picture("desktop-clock.png")).await;
    browser.window.close().await.expect("closed");
    sandbox.stop().await;
}
