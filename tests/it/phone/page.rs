//! The phone page: what is served, and what a person sees in a real browser.

use std::path::PathBuf;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use fantoccini::Locator;
use kiungo::gateways::UssdLimits;
use rstest::rstest;

use crate::support::browser::Browser;
use crate::support::canned::FakeCallbackServer;
use crate::support::http::client;

/// The file for a picture of the page, for people to look at.
pub fn picture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("phone").join(name)
}

async fn get(url: &str, tag: Option<&str>) -> reqwest::Response {
    let mut request = client().get(url);
    if let Some(tag) = tag {
        request = request.header(IF_NONE_MATCH.as_str(), tag);
    }
    request.send().await.expect("an answer")
}

/// Every file must forbid other origins and be revalidated: an old script with a new page is a broken phone.
#[rstest]
#[case("/phone", "text/html; charset=utf-8")]
#[case("/phone/phone.css", "text/css; charset=utf-8")]
#[case("/phone/network.js", "text/javascript; charset=utf-8")]
#[case("/phone/handset.js", "text/javascript; charset=utf-8")]
#[case("/phone/bench.js", "text/javascript; charset=utf-8")]
#[case("/phone/inbox.js", "text/javascript; charset=utf-8")]
#[case("/phone/clock.js", "text/javascript; charset=utf-8")]
#[case("/phone/phone.js", "text/javascript; charset=utf-8")]
#[tokio::test]
async fn files_are_guarded_and_revalidated(#[case] path: &str, #[case] kind: &str) {
    let server = FakeCallbackServer::start();
    let url = format!("{}{path}", server.origin);
    let answer = get(&url, None).await;
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.headers()[CONTENT_TYPE.as_str()], kind);
    assert_eq!(answer.headers()[CACHE_CONTROL.as_str()], "no-cache");
    let policy = answer.headers()[CONTENT_SECURITY_POLICY.as_str()]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let tag = answer.headers()[ETAG.as_str()].to_str().expect("text").to_owned();
    let body = answer.text().await.expect("text");
    for outside in [
        "https:",
        "http:",
        "//cdn",
        "<style",
        " style=",
        " onclick",
        "javascript:",
    ] {
        assert!(!body.contains(outside), "{path} holds {outside:?}");
    }
    let again = get(&url, Some(&tag)).await;
    assert_eq!(again.status().as_u16(), StatusCode::NOT_MODIFIED.as_u16());
}

/// The page's two sources of data must be complete and never cached.
#[tokio::test]
async fn facts_and_session_are_served_fresh() {
    let server = FakeCallbackServer::start();
    let facts = get(&format!("{}/phone/facts.json", server.origin), None).await;
    assert_eq!(facts.headers()[CACHE_CONTROL.as_str()], "no-store");
    let facts: serde_json::Value = facts.json().await.expect("JSON");
    assert_eq!(facts["callback_path"], "/ussd/sandbox/sandbox");
    assert_eq!(facts["events_path"], "/ussd/sandbox/sandbox/events");
    assert_eq!(facts["limits"]["out_septets"], 140);
    assert_eq!(facts["credentials"][0]["typed"], "good-pass");
    let networks = facts["networks"].as_array().expect("a list");
    for number in facts["numbers"].as_array().expect("a list") {
        assert!(networks.iter().any(|n| n["code"] == number["network"]), "{number}");
    }
    for (msisdn, known) in [("%2B2348030000001", true), ("%2B254711000001", false)] {
        let answer = get(&format!("{}/phone/session.json?msisdn={msisdn}", server.origin), None).await;
        assert_eq!(answer.headers()[CACHE_CONTROL.as_str()], "no-store");
        assert_eq!(
            answer.json::<serde_json::Value>().await.expect("JSON").is_array(),
            known
        );
    }
}

/// The phone page in a window of this size, ready to dial.
pub async fn phone(origin: &str, width: u32, height: u32, dark: bool) -> Browser {
    let browser = Browser::open(width, height, dark).await;
    let page = format!("{origin}/phone");
    browser.window.goto(&page).await.expect("the page");
    browser.wait_text("#hint", |t| t == "*384*96#").await;
    browser
}

pub async fn press(browser: &Browser, keys: &str) {
    for key in keys.chars() {
        browser.click(&format!("[data-key='{key}']")).await;
    }
}

async fn typed(browser: &Browser) -> String {
    let entry = browser.window.find(Locator::Css("#entry")).await.expect("the entry");
    entry.prop("value").await.expect("a property").unwrap_or_default()
}

/// A person with only the keypad: dialling, a menu, letters by multi-tap, the secret masked, the end of the dialog.
#[tokio::test]
async fn a_person_links_with_the_keypad() {
    let server = FakeCallbackServer::start();
    let browser = phone(&server.origin, 1280, 900, false).await;
    browser.picture(&picture("desktop-idle.png")).await;

    press(&browser, "*384*96#").await;
    assert_eq!(typed(&browser).await, "*384*96#");
    browser.picture(&picture("desktop-dial.png")).await;
    browser.click("#call").await;
    browser
        .wait_text("#screen", |t| t.contains("Example Lender") && t.contains("1 Agree"))
        .await;
    browser.wait_text("#g-septets p", |t| t.starts_with("89 of 140")).await;
    browser.wait_text("#session", |t| t.contains("Choosing a bank")).await;

    press(&browser, "1").await;
    browser.click("#soft-left").await;
    browser.wait_text("#screen", |t| t.contains("Choose your bank")).await;
    press(&browser, "1").await;
    browser.click("#call").await;
    browser.wait_text("#screen", |t| t.contains("Email or phone")).await;
    // "wy": nine once is w, three times is y; the letter before is closed by another key.
    press(&browser, "92999").await;
    assert_eq!(typed(&browser).await, "way");
    browser.click("#call").await;
    browser.wait_text("#screen", |t| t.contains("password")).await;

    // From here on with the computer's keyboard.
    let entry = browser.window.find(Locator::Css("#entry")).await.expect("the entry");
    entry.send_keys("s3cret pass").await.expect("typed");
    browser.picture(&picture("desktop-typing.png")).await;
    entry.send_keys("\u{e007}").await.expect("sent");
    browser.wait_text("#screen", |t| t.contains("checking")).await;
    browser
        .wait_text("#turns .req", |t| {
            t.contains("text=1*1*••••*••••") || t.contains("text=1%2A1%2A••••%2A••••")
        })
        .await;
    browser
        .wait_text("#turns .res", |t| t.contains("CON Kuda is checking"))
        .await;
    browser.picture(&picture("desktop-turns.png")).await;
    let page = browser.window.source().await.expect("the source");
    assert!(
        !page.contains("s3cret"),
        "what was typed is masked everywhere on the bench"
    );
    assert_eq!(server.turns().last().expect("a turn")["text"], "1*1*way*s3cret pass");

    for turn in ["6", "7"] {
        press(&browser, "1").await;
        browser.click("#call").await;
        browser.wait_text("#turns li:not(.event) .n", |t| t == turn).await;
        browser
            .wait_text("#turns li:not(.event) .cost", |t| t.contains("/140"))
            .await;
    }
    browser.wait_text("#screen", |t| t.contains("Linked: Kuda")).await;
    browser.wait_text("#turns .event", |t| t.contains("Success")).await;
    browser.click("#mask + span").await;
    browser.wait_text("#turns", |t| t.contains("s3cret")).await;
    browser.window.close().await.expect("closed");
}

/// Hanging up must reach the server as the aggregator reports it, and dialling again must be another session.
#[tokio::test]
async fn hanging_up_and_redialling_on_a_small_screen() {
    let server = FakeCallbackServer::start();
    let browser = phone(&server.origin, 390, 844, true).await;
    press(&browser, "*384*96*1#").await;
    browser.click("#call").await;
    browser.wait_text("#screen", |t| t.contains("Choose your bank")).await;
    browser.picture(&picture("mobile.png")).await;
    let wide = browser
        .window
        .execute("return document.documentElement.scrollWidth", vec![])
        .await
        .expect("a number");
    assert_eq!(wide, 390, "nothing may stick out of a phone's window");
    browser.click("#end").await;
    browser.wait_text("#home", |t| t.contains("SANDBOX")).await;
    browser.wait_text("#turns .event", |t| t.contains("Incomplete")).await;
    browser.click("#soft-left").await;
    browser.wait_text("#screen", |t| t.contains("Choose your bank")).await;
    let (turns, events) = (server.turns(), server.events());
    assert_eq!([&turns[0]["text"], &turns[1]["text"]], ["1", "1"]);
    assert_ne!(turns[0]["sessionId"], turns[1]["sessionId"]);
    assert_eq!(events[0]["sessionId"], turns[0]["sessionId"]);
    assert_eq!(events[0]["status"], "Incomplete");
    browser
        .window
        .execute("document.querySelector('.inspect').scrollIntoView()", vec![])
        .await
        .expect("scrolled");
    browser.picture(&picture("mobile-bench.png")).await;
    browser.window.close().await.expect("closed");
}

/// The page must end a dialog where the network would: an answer that is late, a person who does not type.
#[tokio::test]
async fn limits_end_dialogs_on_the_page() {
    let limits = UssdLimits {
        turn: Duration::from_millis(300),
        idle: Duration::from_millis(300),
        ..UssdLimits::default()
    };
    let server = FakeCallbackServer::with_limits(limits);
    let browser = phone(&server.origin, 1280, 900, true).await;
    press(&browser, "*384*96*6#").await;
    browser.click("#call").await;
    browser.wait_text("#screen", |t| t.contains("Connection problem")).await;
    browser
        .wait_text("#turns .wrong .said", |t| t.contains("No answer in 0.3 s"))
        .await;
    browser.wait_text("#turns .event", |t| t.contains("Failed")).await;
    press(&browser, "*384*96#").await;
    browser.click("#call").await;
    browser.wait_text("#screen", |t| t.contains("no answer in time")).await;
    browser.wait_text("#turns .event", |t| t.contains("Incomplete")).await;
    press(&browser, "*384*96*8#").await;
    browser.click("#call").await;
    browser
        .wait_text("#g-septets", |t| t.contains("\u{1eb9} is not in the GSM"))
        .await;
    browser.picture(&picture("desktop-dark.png")).await;
    let reply: Vec<String> = server.events().iter().map(|e| e["status"].clone()).collect();
    assert_eq!(reply[..2], ["Failed", "Incomplete"]);
    browser.window.close().await.expect("closed");
}
