//! The scripts in `tests/simulator`, which anybody can play in the sandbox, played against servers of every setup.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use kiungo::ambient::{OsRng, SystemClock};
use kiungo::sandbox::bank::SubmitOutcome::{AccountsAsked, Granted, InputAsked, Refused, TurnedAway, WrongCode};
use kiungo::sandbox::bank::{SubmitOutcome, sha256_hex};
use kiungo::sandbox::mono::MonoCall;
use kiungo::sandbox::mono::MonoCall::{Commit, Login};
use kiungo::sandbox::phone::callback_client::{CallbackClient, CallbackError, FormFields, HttpCallbackClient};
use kiungo::sandbox::phone::dialect::AfricasTalkingDialect;
use kiungo::sandbox::phone::handset::{Handset, HandsetDeps, Sim};
use kiungo::sandbox::phone::player::play;
use kiungo::sandbox::phone::script::{PhoneScript, ScriptStep, parse};
use rstest::rstest;

use crate::support::eventually;
use crate::support::machine::Stopwatch;
use crate::support::sandbox::Sandbox;
use crate::support::world::{Setup, World};

/// What a script must have made of the bank: submissions in order and their outcomes, and the accounts that stay linked.
struct ExpectedResult {
    script: &'static str,
    user: &'static str,
    submits: &'static [(MonoCall, SubmitOutcome)],
    linked: usize,
}

const fn expected_result(
    script: &'static str,
    user: &'static str,
    submits: &'static [(MonoCall, SubmitOutcome)],
    linked: usize,
) -> ExpectedResult {
    ExpectedResult {
        script,
        user,
        submits,
        linked,
    }
}

const ONE: &[(MonoCall, SubmitOutcome)] = &[(Login, Granted)];

const TRUTHS: &[ExpectedResult] = &[
    expected_result("link-with-password", "ada-plain@example.com", ONE, 1),
    expected_result("leave-and-come-back", "ada-back@example.com", ONE, 1),
    expected_result("say-no", "", &[], 0),
    expected_result("wrong-key-at-consent", "", &[], 0),
    expected_result("language-midway", "ada@midway", ONE, 1),
    expected_result("not-offered", "", &[], 0),
    expected_result(
        "choose-account",
        "many@pick-one",
        &[(Login, AccountsAsked), (Commit, Granted)],
        1,
    ),
    expected_result(
        "one-time-code",
        "otp@one-code",
        &[(Login, InputAsked), (Commit, Granted)],
        1,
    ),
    expected_result(
        "leave-for-a-code",
        "otp@left-for-code",
        &[(Login, InputAsked), (Commit, Granted)],
        1,
    ),
    expected_result("only-ones", "", &[], 0),
    expected_result(
        "security-question",
        "question@a-pet",
        &[(Login, InputAsked), (Commit, Granted)],
        1,
    ),
    expected_result(
        "code-then-account",
        "otp-many@code-pick",
        &[(Login, InputAsked), (Commit, AccountsAsked), (Commit, Granted)],
        1,
    ),
    expected_result(
        "account-then-code",
        "many-otp@pick-code",
        &[(Login, AccountsAsked), (Commit, InputAsked), (Commit, Granted)],
        1,
    ),
    expected_result(
        "two-codes",
        "otp-otp@two-codes",
        &[(Login, InputAsked), (Commit, InputAsked), (Commit, Granted)],
        1,
    ),
    expected_result(
        "wrong-password",
        "ada@second-try",
        &[(Login, Refused), (Login, Granted)],
        1,
    ),
    expected_result(
        "wrong-code",
        "otp@second-code",
        &[(Login, InputAsked), (Commit, WrongCode), (Commit, Granted)],
        1,
    ),
    expected_result(
        "three-wrong-codes",
        "otp@no-code",
        &[
            (Login, InputAsked),
            (Commit, WrongCode),
            (Commit, WrongCode),
            (Commit, WrongCode),
        ],
        0,
    ),
    expected_result("ways-to-log-in", "ada@mobile-way", ONE, 1),
    expected_result("keypad-search", "ada@nine-three-six", ONE, 1),
    expected_result("in-hausa", "ada@da-hausa", &[(Login, Refused), (Login, Granted)], 1),
    expected_result("unlink", "ada@linked-and-gone", ONE, 0),
    expected_result("log-in-again", "ada@made-new", ONE, 1),
    expected_result(
        "linked-twice",
        "ada@linked-twice",
        &[(Login, Granted), (Login, Granted)],
        2,
    ),
    expected_result("slow-bank", "slow@twenty", ONE, 1),
    expected_result("lost-answer", "reset@lost", ONE, 1),
    expected_result(
        "bank-down",
        "error@away",
        &[(Login, TurnedAway), (Login, TurnedAway), (Login, TurnedAway)],
        0,
    ),
];

/// The callbacks of all servers, each turn to the next, and none too late.
struct AlternatingServers<'a> {
    servers: &'a [HttpCallbackClient],
    turn: AtomicUsize,
    slowest: Mutex<Duration>,
}

#[async_trait]
impl CallbackClient for AlternatingServers<'_> {
    async fn post(&self, suffix: &str, form: &FormFields) -> Result<(u16, String), CallbackError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let began = Stopwatch::start();
        let answer = self.servers[turn % self.servers.len()].post(suffix, form).await;
        let mut slowest = self.slowest.lock().unwrap();
        *slowest = began.fair().max(*slowest);
        answer
    }
}

fn script(name: &str) -> PhoneScript {
    let path = format!("{}/tests/simulator/{name}.phone", env!("CARGO_MANIFEST_DIR"));
    parse(name, &std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Plays one script; says what went wrong.
async fn played(servers: &[HttpCallbackClient], name: &str) -> Result<PhoneScript, String> {
    let script = script(name);
    let lines = AlternatingServers {
        servers,
        turn: AtomicUsize::new(0),
        slowest: Mutex::default(),
    };
    play_on(&lines, &script).await?;
    let slowest = *lines.slowest.lock().unwrap();
    if slowest > Duration::from_millis(4_600) {
        return Err(format!("{name}: a turn took {slowest:?}"));
    }
    Ok(script)
}

/// Plays a script over this line; says what went wrong.
pub(super) async fn play_on(line: &dyn CallbackClient, script: &PhoneScript) -> Result<(), String> {
    let around = HandsetDeps {
        client: line,
        clock: &SystemClock,
        rng: &OsRng,
        dialect: &AfricasTalkingDialect,
        limits: None,
    };
    let sim = Sim {
        number: "+2348030000999".to_owned(),
        network: "62130".to_owned(),
        code: "*384*96#".to_owned(),
    };
    let mut transcript = Vec::new();
    let mut phone = Handset::new(sim, around);
    let played = play(script, &mut phone, Duration::from_millis(50), &mut transcript).await;
    played
        .map(drop)
        .map_err(|error| format!("{error}\n{}", String::from_utf8_lossy(&transcript)))
}

/// What needs texts and a clock that can be wound goes as it says in the sandbox as people start it.
#[tokio::test]
async fn scripts_with_texts_go_as_they_say_in_the_sandbox() {
    let sandbox = Sandbox::start().await;
    let line = HttpCallbackClient::new(&format!("{}/ussd/sandbox/sandbox", sandbox.origin)).unwrap();
    for name in WITH_TEXTS {
        if let Err(error) = play_on(&line, &script(name)).await {
            panic!("{error}");
        }
    }
    sandbox.stop().await;
}

/// Scripts that only the sandbox itself can play.
const WITH_TEXTS: &[&str] = &["back-by-text", "by-text", "reminded", "this-number"];

/// Every script goes as it says on every setup, all people at once; each submission reaches the bank once; and nothing
/// that was typed stands in a log, the records or Redis.
#[rstest]
#[case::memory(Setup::Memory)]
#[case::redis(Setup::Redis)]
#[case::two_nodes(Setup::TwoNodes)]
#[case::two_hosts(Setup::TwoHosts)]
#[tokio::test]
async fn every_script_goes_as_it_says(#[case] setup: Setup) {
    let world = World::with(setup, |options| {
        // As in the sandbox.
        options.policy = "secrets_over_ussd = \"warn\"".to_owned();
        options.favourites = Vec::new();
    })
    .await;
    let expected_results: Vec<_> = TRUTHS
        .iter()
        .filter(|expected_result| match expected_result.script {
            // One setup is enough for what takes twenty seconds.
            "slow-bank" => setup == Setup::TwoNodes,
            // Each server finds out for itself.
            "bank-down" => !matches!(setup, Setup::TwoNodes | Setup::TwoHosts),
            _ => true,
        })
        .collect();
    // Made beforehand: it takes so long that answers would seem late.
    let servers: Vec<_> = world
        .nodes
        .iter()
        .map(|node| HttpCallbackClient::new(&node.callback()).unwrap())
        .collect();
    let all = join_all(
        expected_results
            .iter()
            .map(|expected_result| played(&servers, expected_result.script)),
    )
    .await;
    let failed: Vec<_> = all
        .iter()
        .filter_map(|played| played.as_ref().err())
        .map(String::as_str)
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    for expected_result in &expected_results {
        let wanted: Vec<_> = expected_result
            .submits
            .iter()
            .map(|(call, outcome)| (*call, Some(*outcome)))
            .collect();
        assert_eq!(
            world.submits(expected_result.user),
            wanted,
            "{}",
            expected_result.script
        );
        // The provider is told of an unlinking after the person.
        eventually(Duration::from_secs(10), async || {
            world.accounts(expected_result.user).len() == expected_result.linked
        })
        .await;
    }
    let expected: usize = expected_results
        .iter()
        .map(|expected_result| expected_result.submits.len())
        .sum();
    assert_eq!(world.call_log().submits.len(), expected);
    world.assert_absent(&typed(&world, &all)).await;
}

/// What was typed in all scripts and reached the bank as a name, a password or a code.
fn typed<'a>(world: &World, scripts: &'a [Result<PhoneScript, String>]) -> Vec<&'a str> {
    let call_log = world.call_log();
    let sent = |text: &str| {
        let digest = sha256_hex(text);
        let submits = &mut call_log.submits.iter();
        submits
            .any(|submit| submit.username.as_deref() == Some(text) || submit.secret_sha256.as_deref() == Some(&digest))
    };
    let steps = scripts.iter().flatten().flat_map(|script| &script.steps);
    let lines = steps.filter_map(|(_, step)| match step {
        ScriptStep::Type(text) | ScriptStep::Press(text) => Some(text.as_str()),
        _ => None,
    });
    // "wrong" and short PINs may stand anywhere by chance.
    let found: Vec<_> = lines.filter(|text| text.len() >= 6 && sent(text)).collect();
    assert!(
        found.contains(&"good-pass-plain") && found.contains(&"123456"),
        "{found:?}"
    );
    found
}

/// A script that nobody has said the truth of is not held to any.
#[test]
fn every_script_has_its_truth() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/simulator");
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let mut names = TRUTHS
            .iter()
            .map(|expected_result| expected_result.script)
            .chain(WITH_TEXTS.iter().copied());
        let known = names.any(|known| name == format!("{known}.phone"));
        assert!(known, "{name}");
    }
}
