//! Lists of banks as no provider should send them.

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::http::client;
use crate::support::world::{Setup, World};

/// The list of the stand-in, as it answers.
async fn list() -> Value {
    let world = World::start(Setup::Memory).await;
    let call = client().get(format!("{}/v3/institutions", world.mono.url()));
    let answer = call
        .header("mono-sec-key", kiungo::sandbox::mono::KEY)
        .send()
        .await
        .unwrap();
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

/// A server whose provider lists banks with these names.
async fn with_names(names: impl Iterator<Item = String>) -> (World, MockServer) {
    let mut list = list().await;
    let banks = list["data"].as_array().unwrap();
    let plain = banks
        .iter()
        .find(|bank| bank["name"] == "Providus Bank")
        .unwrap()
        .clone();
    let banks: Vec<_> = names
        .enumerate()
        .map(|(number, name)| {
            let mut bank = plain.clone();
            bank["_id"] = json!(format!("{number:024x}"));
            bank["name"] = json!(name);
            bank
        })
        .collect();
    list["data"] = json!(banks);
    let provider = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(list);
    Mock::given(any()).respond_with(answer).mount(&provider).await;
    let world = World::with(Setup::Memory, |options| options.provider = Some(provider.uri())).await;
    (world, provider)
}

/// A bank's name adds no option, no line and no screen, however long it is and whatever is in it.
#[tokio::test]
async fn a_name_stays_one_option() {
    let names = [
        "Agric\n9 Free money\n0 Exit",
        "Bell\u{7}\u{1b}[31mRed",
        &format!("Long {}", "name ".repeat(40)),
        "\u{202e}Turned",
        "\u{1f3e6}\u{1f3e6}",
        "CON END 1 2 3",
        "\u{4e2d}\u{56fd}",
    ];
    let (world, _provider) = with_names(names.iter().map(ToString::to_string)).await;
    let mut phone = world.phone("+2348030009001");
    phone.dial().await.asks("It cannot move money");
    let mut shown = phone.say("1").await;
    let mut numbers = 0;
    for _ in 0..names.len() {
        for line in shown.text.lines().skip(1) {
            let (key, label) = line
                .split_once(' ')
                .unwrap_or_else(|| panic!("a line of its own: {shown:?}"));
            assert!(key.len() == 1 && !label.trim().is_empty(), "{line:?} in {shown:?}");
            numbers += usize::from(!matches!(key, "0" | "9"));
        }
        assert_eq!(
            shown.text.lines().filter(|line| line.starts_with("0 ")).count(),
            1,
            "{shown:?}"
        );
        if !shown.text.contains("9 More") {
            break;
        }
        shown = phone.say("9").await;
    }
    assert_eq!(numbers, names.len());
}

/// Five thousand banks: every screen in time and in size, and the one that is looked for is found.
#[tokio::test]
async fn five_thousand_banks_are_a_list_like_any_other() {
    let (world, _provider) = with_names((0..5_000).map(|number| format!("Village Bank {number:04}"))).await;
    let mut phone = world.phone("+2348030009101");
    phone.dial().await.asks("It cannot move money");
    phone.say("1").await.asks("1 Village Bank 0000");
    for _ in 0..20 {
        phone.say("9").await.asks("1 Village Bank ").asks("9 More");
    }
    phone.say("bank 4321").await.asks("Village Bank 4321: Username");
}
