//! Pages for people in browsers: what is served, that nothing of it is kept or told on, and what real browsers do with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

#[cfg(feature = "sandbox")]
use crate::support::browser::Browser;
#[cfg(feature = "sandbox")]
use crate::support::http::client;
use crate::support::logs::captured;
use crate::support::server::start;
use crate::support::wire::{RawAnswer, RawConnection, post, request};

/// What every such answer says to the browser: keep it to yourself.
fn is_private(answer: &RawAnswer) {
    for (name, want) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), Some(want), "{answer:?}");
    }
}

/// A page whose policy forbids everything but its own style, and its own script if it has one.
fn is_strict(answer: &RawAnswer) {
    is_private(answer);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(policy.ends_with("base-uri 'none'; frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    let mut inline = 0;
    for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let text = answer
            .body
            .split_once(&open)
            .and_then(|(_, rest)| rest.split_once(&close));
        let hash = text.map(|(text, _)| format!("{directive} 'sha256-{}'; ", STANDARD.encode(Sha256::digest(text))));
        assert_eq!(policy.contains(directive), hash.is_some(), "{policy}");
        assert!(hash.is_none_or(|hash| policy.contains(&hash)), "{policy}");
        inline += answer.body.matches(&format!("<{element}")).count();
    }
    assert_eq!(inline, 1 + usize::from(policy.contains("script-src")));
    for outside in [" src=", " href=", " style=", " onclick", "javascript:"] {
        assert!(!answer.body.contains(outside), "{outside} in {}", answer.body);
    }
}

/// The page of a link: a button and no script, in the language that the service says; the button leads on by 303. Nothing
/// that goes into the page is taken for markup.
#[tokio::test]
async fn a_link_shows_a_button_that_leads_on() {
    let server = start(0);
    let mut connection = RawConnection::open(server.address).await;
    for _ in 0..2 {
        let page = connection.ask(request("GET", "/go/good", "")).await;
        is_strict(&page);
        assert_eq!(page.status(), 200);
        assert!(!page.body.contains("<script"));
        assert!(
            page.body.contains("<form method=\"post\"><button>Go</button></form>"),
            "{}",
            page.body
        );
        assert!(
            page.body.contains("<h1>A &amp; &lt;b&gt;title&lt;/b&gt;</h1>"),
            "{}",
            page.body
        );
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.contains("form-action 'self' https:;"), "{policy}");
    }
    let opened = connection.ask(post("/go/good", "")).await;
    assert_eq!(
        (opened.status(), opened.header("location"), opened.body.as_str()),
        (303, Some("https://bank.example.com/login?state=1"), "")
    );
    is_private(&opened);
}

/// One page for every link that leads nowhere, whether it is looked at or pressed, in the browser's language; other methods
/// and paths are not there.
#[tokio::test]
async fn a_link_that_leads_nowhere_is_one_page() {
    let server = start(0);
    let mut connection = RawConnection::open(server.address).await;
    let over = connection.ask(request("GET", "/go/used", "")).await;
    assert_eq!(over.status(), 404);
    is_strict(&over);
    assert!(!over.body.contains("<button"));
    for ask in [
        post("/go/used", ""),
        post("/go/used", "any=thing"),
        request("GET", "/go/never-there", ""),
        request("GET", "/go/used?x=1", ""),
    ] {
        assert_eq!(connection.ask(&ask).await, over, "{ask}");
    }
    for (wanted, locale) in [
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("de, sw;q=0.5", "sw"),
        ("HA", "ha"),
        ("de", "en"),
        ("", "en"),
    ] {
        let ask = format!("GET /go/used HTTP/1.1\r\nhost: t\r\naccept-language: {wanted}\r\n\r\n");
        let page = connection.ask(&ask).await;
        assert!(
            page.body.contains(&format!("over in {locale}")),
            "{wanted}: {}",
            page.body
        );
    }
    let nowhere = connection.ask(request("GET", "/nowhere", "")).await;
    for ask in [
        request("GET", "/go/", ""),
        request("GET", "/go/a/b", ""),
        request("DELETE", "/go/good", ""),
        request("GET", "/back/nobody", ""),
        request("GET", "/back/nobody?state=1", ""),
        request("PUT", "/back/seen?state=1", ""),
    ] {
        assert_eq!(connection.ask(&ask).await, nowhere, "{ask}");
    }
}

/// What a browser brings back reaches the provider's adapter unaltered, from the query and from a form; with neither, the
/// page looks behind the `#`. A body has a limit.
#[tokio::test]
async fn a_browser_comes_back_in_three_ways() {
    let server = start(0);
    let mut connection = RawConnection::open(server.address).await;
    for (ask, want) in [
        (
            request("GET", "/back/seen?state=s1&code=a%2Bb", ""),
            "GET /back/seen None [] state=s1&amp;code=a%2Bb None ",
        ),
        (
            post("/back/seen", "state=s1&code=a%2Bb"),
            "POST /back/seen None []  None state=s1&amp;code=a%2Bb",
        ),
    ] {
        let page = connection.ask(&ask).await;
        is_strict(&page);
        assert_eq!(page.status(), 200);
        assert!(page.body.contains(&format!("<p>{want}</p>")), "{}", page.body);
        assert!(!page.body.contains("<script") && !page.body.contains("<form"));
    }
    let looking = connection.ask(request("GET", "/back/seen", "")).await;
    is_strict(&looking);
    assert!(looking.body.contains("<script>") && looking.body.contains("nothing in en"));
    let policy = looking.header("content-security-policy").expect("a policy");
    assert!(policy.contains("form-action 'self';"), "{policy}");
    let large = connection.ask(post("/back/seen", &"1".repeat(256 * 1024 + 1))).await;
    assert_eq!(large.status(), 400);
}

/// A link's token, a `state` and what a browser brings are never logged, at the finest level of every library.
#[tokio::test(flavor = "multi_thread")]
async fn no_ticket_is_logged() {
    let log = captured();
    let server = start(0);
    let canary = "Zq7t1cket0fap3rs0n";
    let mut connection = RawConnection::open(server.address).await;
    for ask in [
        request("GET", &format!("/go/{canary}"), ""),
        post(&format!("/go/{canary}"), canary),
        request("GET", &format!("/back/seen?state={canary}"), ""),
        post("/back/seen", &format!("state={canary}")),
        post(&format!("/hooks/seen/{canary}/{canary}?key={canary}"), canary),
    ] {
        connection.ask(&ask).await;
    }
    let text = log.text();
    for route in ["/go/{token}", "/back/{provider}", "/hooks/{provider}/{owner}/{tail:.*}"] {
        assert!(text.contains(route), "{route} is not logged:\n{text}");
    }
    let leak = text.lines().find(|line| line.contains(canary));
    assert_eq!(leak, None);
}

/// The button leads to another server without any script, and without TLS where the sandbox says so.
#[cfg(feature = "sandbox")]
#[tokio::test(flavor = "multi_thread")]
async fn the_button_needs_no_script() {
    let server = start(0);
    let port = server.address.port();
    let browser = Browser::open(360, 640, false).await;
    // By another name it is another server.
    let link = format!("http://localhost:{port}/go/to-{port}");
    browser.window.goto(&link).await.expect("the page");
    browser.wait_text("button", |text| text == "Go").await;
    // It has no script, and its policy lets none run.
    let page = browser.window.source().await.expect("its source");
    assert!(!page.contains("<script"), "{page}");
    browser.click("button").await;
    browser
        .wait_text("p", |text| text.starts_with("GET /back/seen None [] state=s1"))
        .await;
    let there = browser.window.current_url().await.expect("a URL");
    assert_eq!(there.host_str(), Some("127.0.0.1"));
    // Without a script nothing behind the # is sent, and the page says what to do.
    let back = client()
        .get(format!("http://127.0.0.1:{port}/back/seen"))
        .send()
        .await
        .unwrap();
    let page = back.text().await.unwrap();
    assert!(page.contains("nothing in en"), "{page}");
}

/// A browser with scripts sends what stands behind the `#` as a form, and leaves none of it in its history.
#[cfg(feature = "sandbox")]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_behind_the_hash_is_sent() {
    let server = start(0);
    let browser = Browser::open(360, 640, false).await;
    let back = format!("http://{}/back/seen", server.address);
    let fragment = "#state=s1&code=a%2Bb%20c&submit=1";
    browser
        .window
        .goto(&format!("{back}{fragment}"))
        .await
        .expect("the page");
    browser
        .wait_text("p", |text| {
            text == "POST /back/seen None [] None state=s1&code=a%2Bb+c&submit=1"
        })
        .await;
    assert_eq!(browser.window.current_url().await.expect("a URL").as_str(), back);
    browser.window.back().await.expect("the page before");
    let before = browser.window.current_url().await.expect("a URL");
    assert_eq!(before.fragment(), None, "{before}");
    // With nothing there, nothing is sent.
    browser.window.goto(&format!("{back}#")).await.expect("the page");
    browser.wait_text("p", |text| text == "nothing in en").await;
}
