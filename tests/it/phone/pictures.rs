//! The pictures that stand in documents, made again by `make pictures`.

use std::path::Path;

use fantoccini::Locator;

use super::page::{phone, press};
use crate::support::sandbox::Sandbox;

/// The sandbox's phone page, from the first dial to the accounts that the bank has found: `docs/phone.png`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes docs/phone.png, for `make pictures`"]
async fn the_phone_page() {
    let sandbox = Sandbox::start().await;
    let browser = phone(&sandbox.origin, 1280, 860, false).await;
    press(&browser, "*384*96#").await;
    browser.click("#call").await;
    for (screen, answer) in [
        ("1 I agree", "1"),
        ("type its name", "kuda"),
        ("Email", "many"),
        ("assword", "correct-horse"),
    ] {
        browser.wait_text("#screen", |text| text.contains(screen)).await;
        let entry = browser.window.find(Locator::Css("#entry")).await.expect("the entry");
        entry.send_keys(&format!("{answer}\u{e007}")).await.expect("typed");
    }
    browser
        .wait_text("#screen", |text| text.contains("which account"))
        .await;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/phone.png");
    browser.picture(&file).await;
    browser.window.close().await.expect("closed");
    sandbox.stop().await;
}
