//! The terminal phone over real HTTP.

use std::time::Duration;

use kiungo::gateways::UssdLimits;
use kiungo::sandbox::phone::args::PhoneArgs;
use kiungo::sandbox::phone::callback_client::HttpCallbackClient;
use kiungo::sandbox::phone::dialect::AfricasTalkingDialect;
use kiungo::sandbox::phone::handset::{Handset, HandsetDeps};
use kiungo::sandbox::phone::player::play;
use kiungo::sandbox::phone::script::parse;
use kiungo::sandbox::phone::terminal::{ExitOutcome, PhoneError, run};
use rstest::rstest;
use tokio::io::AsyncWriteExt;

use crate::support::canned::{CountingRng, FakeCallbackServer, PassingTime};

struct TerminalFixture {
    server: FakeCallbackServer,
    args: PhoneArgs,
    clock: PassingTime,
    rng: CountingRng,
    limits: Option<fn(Option<&str>) -> UssdLimits>,
}

fn quick_to_give_up(_: Option<&str>) -> UssdLimits {
    UssdLimits {
        turn: Duration::from_millis(40),
        ..UssdLimits::default()
    }
}

fn short_dialogs(_: Option<&str>) -> UssdLimits {
    UssdLimits {
        dialog: Duration::ZERO,
        ..UssdLimits::default()
    }
}

fn impatient(_: Option<&str>) -> UssdLimits {
    UssdLimits {
        idle: Duration::from_millis(40),
        ..UssdLimits::default()
    }
}

impl TerminalFixture {
    fn new() -> Self {
        // The sandbox's binary does this first of all; doing it again fails and changes nothing.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let server = FakeCallbackServer::start();
        let args = PhoneArgs {
            url: server.callback(),
            number: "+2348030000001".to_owned(),
            network: "62130".to_owned(),
            code: "*384*96#".to_owned(),
            gateway: "africastalking",
            script: None,
            patient: false,
        };
        Self {
            server,
            args,
            clock: PassingTime::default(),
            rng: CountingRng::default(),
            limits: None,
        }
    }

    fn deps<'a>(&'a self, line: &'a HttpCallbackClient) -> HandsetDeps<'a> {
        HandsetDeps {
            client: line,
            clock: &self.clock,
            rng: &self.rng,
            dialect: &AfricasTalkingDialect,
            limits: self.limits,
        }
    }

    async fn person(&self, typed: &str) -> (ExitOutcome, String) {
        let line = HttpCallbackClient::new(&self.args.url).expect("loopback");
        let around = self.deps(&line);
        let mut output = Vec::new();
        let outcome = run(&self.args, around, typed.as_bytes(), &mut output)
            .await
            .expect("runs");
        (outcome, String::from_utf8(output).expect("text"))
    }

    async fn script(&self, source: &str) -> Result<String, PhoneError> {
        let line = HttpCallbackClient::new(&self.args.url).expect("loopback");
        let around = self.deps(&line);
        let mut output = Vec::new();
        let script = parse("t.phone", source).expect("in the language");
        play(
            &script,
            &mut Handset::new(self.args.sim(), around),
            Duration::ZERO,
            &mut output,
        )
        .await?;
        Ok(String::from_utf8(output).expect("text"))
    }
}

/// The server gets exactly what Africa's Talking would send: one session, a growing text, one event at the end.
#[tokio::test]
async fn a_dialog_is_sent_as_the_aggregator_sends_it() {
    let fixture = TerminalFixture::new();
    let (outcome, shown) = fixture.person("/dial\n1\n1\nada*1@example.com\n").await;
    assert_eq!(outcome, ExitOutcome::SwitchedOff);
    let turns = fixture.server.turns();
    let texts: Vec<&str> = turns.iter().map(|t| t["text"].as_str()).collect();
    assert_eq!(texts, ["", "1", "1*1", "1*1*ada*1@example.com"]);
    for turn in &turns {
        assert_eq!(turn["sessionId"], turns[0]["sessionId"]);
        assert_eq!(turn["phoneNumber"], "+2348030000001");
        assert_eq!(turn["networkCode"], "62130");
        assert_eq!(turn["serviceCode"], "*384*96#");
        assert_eq!(turn.len(), 5);
    }
    let events = fixture.server.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["status"], "Incomplete");
    assert_eq!(events[0]["input"], "1*1*ada*1@example.com");
    assert_eq!(events[0]["hopsCount"], "4");
    assert_eq!(events[0]["date"], "2027-01-15 08:00:00");
    assert!(events[0]["lastAppResponse"].starts_with("CON "));
    assert!(shown.contains("| Choose your bank                 |"), "{shown}");
    assert!(shown.contains("89/160 septets"), "{shown}");
    assert!(!shown.contains("ada"), "what was typed is never written back: {shown}");
}

/// Dialling again after hanging up is a new session, and a refused command sends nothing.
#[tokio::test]
async fn cancel_ends_and_redial_begins_a_session() {
    let fixture = TerminalFixture::new();
    let typed = "1\n/dial *384*96*1#\n/cancel\n/cancel\n/redial\n0\n/dial *123#\n/dance\n/quit\nnever read\n";
    let (_, shown) = fixture.person(typed).await;
    let turns = fixture.server.turns();
    let texts: Vec<&str> = turns.iter().map(|t| t["text"].as_str()).collect();
    assert_eq!(texts, ["1", "1", "1*0"], "{shown}");
    assert_ne!(turns[0]["sessionId"], turns[1]["sessionId"]);
    assert_eq!(turns[1]["sessionId"], turns[2]["sessionId"]);
    let events = fixture.server.events();
    assert_eq!(events.len(), 2, "one event a session");
    assert_eq!(events[0]["sessionId"], turns[0]["sessionId"]);
    for said in ["dial first", "Hung up.", "answers *384*96#", "/dance is not a command"] {
        assert!(shown.contains(said), "{said:?} in {shown}");
    }
}

/// The whole journey as a script: its transcript shows screens and pressed keys and nothing that was typed.
#[tokio::test]
async fn a_journey_plays_to_its_end() {
    let fixture = TerminalFixture::new();
    let shown = fixture
        .script(
            "note A trader links\nnumber +2348020000002\nnetwork 62120\ndial\nexpect CON Example Lender\npress 1\n\
             expect Choose your bank\nexpect-not password\npress 1\ntype ada@example.com\ntype s3cret\n\
             expect CON checking\npoll 1 until END Linked within 5s\nredial\nexpect Example\ncancel\n",
        )
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(
        shown.contains("-- A trader links") && shown.contains("Linked: Kuda"),
        "{shown}"
    );
    assert!(!shown.contains("s3cret") && !shown.contains("ada@"), "{shown}");
    let (turns, events) = (fixture.server.turns(), fixture.server.events());
    assert!(
        turns
            .iter()
            .all(|t| t["phoneNumber"] == "+2348020000002" && t["networkCode"] == "62120")
    );
    assert_eq!(turns[6]["text"], "1*1*ada@example.com*s3cret*1*1");
    let told: Vec<&str> = events.iter().map(|e| e["status"].as_str()).collect();
    assert_eq!(told, ["Success", "Incomplete"]);
}

/// A journey that fails says where, what was expected, and shows the whole screen.
#[rstest]
#[case::text("dial\nexpect Linked", 2, "should contain \"Linked\"", "Example Lender")]
#[case::case("dial\nexpect example lender", 2, "should contain", "Example Lender")]
#[case::kind("dial\nexpect END Example", 2, "should be over", "Example Lender")]
#[case::still("dial\npress 0\nexpect CON", 3, "await an answer", "Goodbye")]
#[case::not("dial\nexpect-not Agree", 2, "must not contain \"Agree\"", "1 Agree")]
#[case::over("dial\npress 0\npress 1", 3, "dial first", "Goodbye")]
#[case::polled("dial\npoll 0 until Linked", 2, "ended while polling", "Goodbye")]
#[case::early("expect Linked\ndial", 1, "no screen yet", "")]
#[case::dialect("dial *384*96*9#", 1, "neither \"CON \" nor \"END \"", "")]
#[case::long("dial *384*96*7#", 1, "costs 164 septets, the network carries 160", "0123456789")]
#[case::strange("dial *384*96*8#", 1, "not in the GSM 7-bit alphabet", "Kar")]
#[case::other_code("dial *123#\nexpect x", 1, "answers *384*96#", "")]
#[tokio::test]
async fn a_failed_journey_says_why(
    #[case] source: &str,
    #[case] at: usize,
    #[case] why: &str,
    #[case] on_screen: &str,
) {
    let failed = TerminalFixture::new().script(source).await.expect_err(source);
    let PhoneError::Journey {
        line, problem, screen, ..
    } = &failed
    else {
        panic!("{failed}")
    };
    assert_eq!(*line, at);
    assert!(problem.contains(why), "{problem}");
    assert!(screen.contains(on_screen), "{screen}");
    assert!(failed.to_string().starts_with(&format!("t.phone:{at}: ")), "{failed}");
}

/// The phone gives up when the aggregator would, and reports it in the same way.
#[rstest]
#[case::late(quick_to_give_up, "dial *384*96*6#", "no answer within 40ms", "Failed")]
#[case::cut(short_dialogs, "dial\npress 1", "the network ended the dialog", "Incomplete")]
#[tokio::test]
async fn limits_end_dialogs(
    #[case] limits: fn(Option<&str>) -> UssdLimits,
    #[case] source: &str,
    #[case] why: &str,
    #[case] status: &str,
) {
    let fixture = TerminalFixture {
        limits: Some(limits),
        ..TerminalFixture::new()
    };
    let failed = fixture.script(source).await.expect_err(source).to_string();
    assert!(failed.contains(why), "{failed}");
    let events = fixture.server.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["status"], status);
}

/// If nobody types, the dialog ends as on a real network, and the phone stays on.
#[tokio::test]
async fn an_idle_person_loses_the_dialog() {
    let fixture = TerminalFixture {
        limits: Some(impatient),
        ..TerminalFixture::new()
    };
    let line = HttpCallbackClient::new(&fixture.args.url).expect("loopback");
    let (mut fingers, keys) = tokio::io::duplex(64);
    let mut output = Vec::new();
    let phone = run(
        &fixture.args,
        fixture.deps(&line),
        tokio::io::BufReader::new(keys),
        &mut output,
    );
    let person = async {
        fingers.write_all(b"/dial\n").await.expect("typed");
        while fixture.server.events().is_empty() {
            tokio::task::yield_now().await;
        }
        fingers.write_all(b"/quit\n").await.expect("typed");
    };
    let (outcome, ()) = tokio::join!(phone, person);
    assert_eq!(outcome.expect("runs"), ExitOutcome::SwitchedOff);
    assert_eq!(fixture.server.events()[0]["status"], "Incomplete");
    let shown = String::from_utf8(output).expect("text");
    assert!(shown.contains("nobody typed in time"), "{shown}");
}

/// A phone that accepted any address would send typed secrets in clear over a network.
#[rstest]
#[case("http://127.0.0.1:8080/ussd", true)]
#[case("http://localhost:8080/ussd", true)]
#[case("http://[::1]:8080/ussd", true)]
#[case("http://192.168.1.4:8080/ussd", false)]
#[case("http://localhost.example.com/ussd", false)]
#[case("https://example.com/ussd", false)]
#[case("127.0.0.1:8080", false)]
fn only_this_machine_is_dialled(#[case] url: &str, #[case] good: bool) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    assert_eq!(HttpCallbackClient::new(url).is_ok(), good);
}

/// The phone says that the sandbox is not running, and continues.
#[tokio::test]
async fn a_silent_callback_is_named() {
    let mut fixture = TerminalFixture::new();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    fixture.args.url = format!("http://{}/ussd", taken.local_addr().expect("bound"));
    drop(taken);
    let (outcome, shown) = fixture.person("/dial\n/quit\n").await;
    assert_eq!(outcome, ExitOutcome::SwitchedOff);
    assert!(shown.contains("is the sandbox running?"), "{shown}");
}
