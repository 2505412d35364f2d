//! What the port carries beyond Africa's Talking, shown on the invented gateway: every request as its gateway sends it, and
//! every answer as it goes out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kiungo::ambient::SystemClock;
use kiungo::core::gsm7;
use kiungo::core::seal::SubscriberTag;
use kiungo::core::secret::Secret;
use kiungo::core::token_bucket::RateLimit;
use kiungo::gateways::settings::SettingValues;
use kiungo::gateways::ussd::ChannelFacts;
use kiungo::gateways::{DialogEnd, Echo, UssdGateway, UssdReply, UssdSetup};
use kiungo::service::admission::TurnRates;
use kiungo::store::memory::MemoryStore;
use kiungo::store::redis::{RedisOptions, RedisStore};
use kiungo::store::{IndexKey, Store, StoreError, SwapResult, Version, VersionedValue};

use super::invented::ussd::InventedUssd;
use crate::support::app_fixture::{AppOptions, CHANNEL, TestApp, assemble, assemble_in, posted};
use crate::support::limits::PLENTY;
use crate::support::redis::RedisServer;

pub const TOKEN: &str = "Zq7-agreed-token";
pub const NUMBER: &str = "%2B2348031234567";
/// Where its channel's callbacks come in.
pub const CALLBACK: &str = "https://kiungo.example/ussd/test-ng/Zq7-path-secret-0123456789abcdef";

/// The invented gateway on a channel for `*384*96#`, whose API is at this address.
pub fn invented(mode: &str, api: Option<&str>) -> InventedUssd {
    let mut own = SettingValues::default();
    own.set_secret("token", Secret::new(TOKEN));
    own.set_plain("mode", mode);
    if let Some(url) = api {
        own.set_plain("api_url", url);
    }
    let channel = ChannelFacts {
        name: CHANNEL.0.to_owned(),
        country: "NG".to_owned(),
        service_code: "*384*96#".to_owned(),
        callback: Some(Secret::new(CALLBACK)),
    };
    InventedUssd::new(UssdSetup { channel, own }).expect("settings")
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(Arc::new(SystemClock)))
}

async fn app() -> TestApp {
    assemble(memory(), invented("answer", None)).await
}

/// What the gateway reads, sent with its token.
pub async fn ask(app: &TestApp, tail: &str, body: &str) -> String {
    let reply = app.send(posted(tail, &[("x-token", TOKEN)], body)).await;
    let reply = reply.expect("the gateway's own");
    assert_eq!(reply.status, 200);
    String::from_utf8(reply.body).expect("text")
}

fn dial(code: &str) -> String {
    format!("session=s1&tx=7&ref=r1&msisdn={NUMBER}&line={code}")
}

/// The invented gateway passes the kit: what it parses prints no secret, and its limits leave room for a page.
#[test]
fn the_invented_gateway_conforms() {
    use super::kit::{self, ExpectedCallback, ExpectedInput, ExpectedRequest, RequestRow};
    let gateway = invented("answer", None);
    let echo = || Echo::default().with("session", "s1").with("ref", "r1");
    let row = |name, tail, body: &str, want| RequestRow {
        name,
        tail,
        headers: &[("x-token", TOKEN)],
        body: body.as_bytes().to_vec(),
        country: "NG",
        want,
        ..RequestRow::default()
    };
    let turn = |msisdn: &str, line: &str| {
        ExpectedRequest::Turn(ExpectedCallback {
            dialog: "s1".to_owned(),
            msisdn: msisdn.to_owned(),
            did: ExpectedInput::DialedOrLine(line.to_owned()),
            echo: echo(),
            ..ExpectedCallback::default()
        })
    };
    let rows = [
        row(
            "dialed",
            "",
            &format!("session=s1&ref=r1&msisdn={NUMBER}&line=*384*96%23"),
            turn("+2348031234567", "*384*96#"),
        ),
        row("no number", "", "session=s1&ref=r1&line=pa55word", turn("", "pa55word")),
        row(
            "ended",
            "end",
            "session=s1&why=left",
            ExpectedRequest::Notice {
                dialog: "s1".to_owned(),
                msisdn: None,
                closed: DialogEnd::Abandoned,
            },
        ),
        row(
            "a probe",
            "status",
            "session=s1",
            ExpectedRequest::Probe {
                dialog: "s1".to_owned(),
            },
        ),
        RequestRow {
            headers: &[("x-token", "wrong")],
            ..row("a stranger", "", "session=s1&line=1", ExpectedRequest::NotYours)
        },
    ];
    kit::check_requests(&gateway, &rows);
    kit::check_limits(&gateway, &[(None, gateway.limits(None))]);
}

/// Whatever goes wrong, the person gets an END in the dialect with the fields that the gateway wants back: a request that is
/// not understood, one that is too long, a turn that is refused, one whose store is gone, one that panics.
#[tokio::test(flavor = "multi_thread")]
async fn the_echo_is_there_on_every_path() {
    let good = app().await;
    let none = RateLimit {
        per_minute: 1,
        burst: 0,
    };
    let rates = TurnRates { node: none, ..PLENTY };
    let options = AppOptions {
        rates,
        ..AppOptions::default()
    };
    let busy = assemble_in(memory(), invented("answer", None), options).await;
    let broken = assemble(Arc::new(BrokenStore::default()), invented("answer", None)).await;
    let panics = AtomicBool::new(true);
    let panicking = assemble(Arc::new(BrokenStore { panics }), invented("answer", None)).await;
    let bad = format!("session=s1&tx=7&ref=r1&msisdn={NUMBER}&line=%FF");
    for (name, app, body) in [
        ("misread", &good, "session=s1&tx=7&ref=r1".to_owned()),
        ("not text", &good, bad),
        ("shed", &busy, dial("*384*96%23")),
        ("no store", &broken, dial("*384*96%23")),
        ("a panic", &panicking, dial("*384*96%23")),
    ] {
        let answer = ask(app, "", &body).await;
        assert!(
            answer.starts_with("session=s1\ntx=7\nref=r1\naction=end\ntext="),
            "{name}: {answer}"
        );
    }
    let mut long = posted("", &[("x-token", TOKEN)], "");
    long.query = b"session=s1&tx=7&ref=r1".to_vec().into();
    long.body = None;
    let answer = good.send(long).await.expect("the gateway's own");
    let answer = String::from_utf8(answer.body).expect("text");
    assert!(
        answer.starts_with("session=s1\ntx=7\nref=r1\naction=end\ntext="),
        "{answer}"
    );
}

/// A store that is gone, or that panics.
#[derive(Default)]
struct BrokenStore {
    panics: AtomicBool,
}

impl BrokenStore {
    fn fail<T>(&self) -> Result<T, StoreError> {
        assert!(!self.panics.load(Ordering::Relaxed), "as the test asks");
        Err(StoreError("timeout".to_owned()))
    }
}

#[async_trait]
impl Store for BrokenStore {
    async fn load(&self, _: &SubscriberTag) -> Result<Option<VersionedValue>, StoreError> {
        self.fail()
    }

    async fn swap(
        &self,
        _: &SubscriberTag,
        _: Option<Version>,
        _: &VersionedValue,
        _: Duration,
    ) -> Result<SwapResult, StoreError> {
        self.fail()
    }

    async fn set_index(&self, _: &IndexKey, _: &SubscriberTag, _: Duration) -> Result<(), StoreError> {
        Ok(())
    }

    async fn look_up(&self, _: &IndexKey) -> Result<Option<SubscriberTag>, StoreError> {
        self.fail()
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.fail()
    }
}

/// A gateway that names the number only once is served by any node: the dialog leads to the person, on turns, on notices
/// and on probes; and a dialog that nobody knows leads to nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_dialog_leads_to_its_person_on_two_nodes() {
    let redis = RedisServer::start().await;
    let store = || Arc::new(RedisStore::connect(&redis.url(), RedisOptions::default()).expect("an address"));
    let one = assemble(store(), invented("answer", None)).await;
    let two = assemble(store(), invented("answer", None)).await;
    let first = ask(&one, "", &dial("*384*96%23")).await;
    assert!(first.contains("Umoja Credit asks"), "{first}");
    ask(&one, "", "session=s1&tx=8&line=9").await;
    let banks = ask(&two, "", "session=s1&tx=9&line=1").await;
    assert!(
        banks.contains("Choose your bank") && banks.starts_with("session=s1\ntx=9"),
        "{banks}"
    );
    assert!(ask(&one, "status", "session=s1").await.ends_with("open=true"));
    let noted = ask(&one, "end", "session=s1&why=left").await;
    assert!(noted.ends_with("noted=Abandoned"), "{noted}");
    assert!(ask(&two, "status", "session=s1").await.ends_with("open=false"));
    let over = ask(&two, "", "session=s1&line=1").await;
    assert!(over.contains("action=end"), "{over}");
    for (tail, body, want) in [
        ("", "session=s2&line=1", "action=end"),
        ("end", "session=s2&why=done", "noted=Finished"),
        ("status", "session=s2", "open=false"),
    ] {
        let answer = ask(&two, tail, body).await;
        assert!(answer.starts_with("session=s2") && answer.contains(want), "{answer}");
    }
}

/// Where the gateway does not say whether a dialog is new, it is new if it is not known: then what is behind the code was
/// dialed. The same again is a repeat; anything else is the next line.
#[tokio::test(flavor = "multi_thread")]
async fn a_dialog_is_new_when_it_is_not_known() {
    let app = app().await;
    let languages = ask(&app, "", &dial("*384*96*3%23")).await;
    assert!(languages.contains("Choose your language"), "{languages}");
    assert_eq!(ask(&app, "", &dial("*384*96*3%23")).await, languages);
    let back = ask(&app, "", "session=s1&line=0").await;
    assert!(back.contains("Umoja Credit asks"), "{back}");
    ask(&app, "", "session=s1&line=9").await;
    let banks = ask(&app, "", "session=s1&line=1").await;
    assert!(banks.contains("Choose your bank"), "{banks}");
    // Somebody else's code behind ours is no choice: it leads to where they were.
    let other = ask(&app, "", &dial("*385*3%23").replace("s1", "s9")).await;
    assert!(other.contains("Choose your bank"), "{other}");
}

/// What does not bear the gateway's token is nobody's, on every path, and nothing is done for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_answered_by_nobody() {
    let app = app().await;
    for (tail, headers) in [
        ("", vec![("x-token", "wrong")]),
        ("end", vec![]),
        ("status", vec![("x-token", "")]),
    ] {
        assert!(app.send(posted(tail, &headers, &dial("*384*96%23"))).await.is_none());
    }
    assert!(ask(&app, "status", "session=s1").await.ends_with("open=false"));
}

/// A screen that consists of options is given as a title and options; one on which something else may be typed is text.
#[tokio::test(flavor = "multi_thread")]
async fn options_are_data() {
    let app = app().await;
    let first = ask(&app, "", &dial("*384*96%23")).await;
    assert!(first.contains("\ntitle=Umoja Credit asks"), "{first}");
    assert!(
        first.contains("\noption 9=") && first.contains("\noption 0="),
        "{first}"
    );
    assert!(!first.contains("text="), "{first}");
    let rest = ask(&app, "", "session=s1&line=9").await;
    assert!(
        rest.contains("\ntitle=") && rest.contains("\noption 1=I agree"),
        "{rest}"
    );
    let banks = ask(&app, "", "session=s1&line=1").await;
    assert!(
        banks.contains("\ntext=Choose your bank") && !banks.contains("option"),
        "{banks}"
    );
}

/// Every continuing answer names the channel's own callback URL, with the dialog in it.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_names_our_own_url() {
    let app = app().await;
    let first = ask(&app, "", &dial("*384*96%23")).await;
    assert!(first.contains(&format!("\nnext={CALLBACK}?session=s1\n")), "{first}");
}

/// Screens of a gateway with a small page and no accents have at most 120 septets, all of ASCII, in the language that needs
/// them most.
#[tokio::test(flavor = "multi_thread")]
async fn screens_are_small_and_plain() {
    let app = app().await;
    let mut screens = vec![ask(&app, "", &dial("*384*96%23")).await];
    for line in ["3", "7", "9", "1", "0", "2"] {
        screens.push(ask(&app, "", &format!("session=s1&line={line}")).await);
    }
    assert!(screens.iter().any(|screen| screen.contains("banque")), "{screens:?}");
    for screen in screens {
        assert!(screen.is_ascii(), "{screen}");
        let at = ["text=", "title="]
            .iter()
            .find_map(|word| screen.find(word).map(|at| at + word.len()));
        let shown = &screen[at.expect("a screen")..].replace("option ", "").replace('=', " ");
        assert!(gsm7::septets(shown).is_some_and(|septets| septets <= 120), "{shown}");
    }
    let gateway = invented("answer", None);
    let end = gateway.render(&UssdReply::End { text: "x" }, &Echo::default());
    assert_eq!(end.body, b"action=end\ntext=x");
}
