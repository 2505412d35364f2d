use std::time::Duration;

use kiungo::sandbox::bank::approvals::APPROVAL_LIFETIME;
use kiungo::sandbox::bank::{ApprovalHabit, ApprovalState, ApprovalWay, BankStep};
use serde_json::{Value, json};

use super::{PlainBank, PlainCall, open, start};
use crate::support::http::client;
use crate::support::standin::MonoFixture;

const UNDECIDED: ApprovalHabit = ApprovalHabit::Undecided;

/// An approval is pending until its person or the clock decides, and then stays as it is.
#[test]
fn an_approval_ends_once() {
    use ApprovalHabit::{Approves, Denies};
    use ApprovalState::{Approved, Denied, Expired, Pending};
    // What the person does by themselves; what is done: after so many milliseconds, a decision or only a look; the state then.
    for (habit, lifetime, events) in [
        (
            UNDECIDED,
            300,
            vec![(0, None, Pending), (299_999, None, Pending), (1, None, Expired)],
        ),
        (
            UNDECIDED,
            300,
            vec![(0, Some(true), Approved), (600_000, None, Approved)],
        ),
        (UNDECIDED, 300, vec![(0, Some(false), Denied), (0, Some(true), Denied)]),
        (
            UNDECIDED,
            300,
            vec![(0, Some(true), Approved), (0, Some(false), Approved)],
        ),
        (UNDECIDED, 300, vec![(300_000, Some(true), Expired), (0, None, Expired)]),
        (
            Approves,
            300,
            vec![(4_999, None, Pending), (1, None, Approved), (600_000, None, Approved)],
        ),
        (Denies, 300, vec![(5_000, None, Denied), (0, Some(true), Denied)]),
        (
            Denies,
            300,
            vec![(4_000, Some(true), Approved), (1_000, None, Approved)],
        ),
        (Approves, 5, vec![(5_000, None, Expired)]),
    ] {
        let bank = PlainBank::new();
        let mut memory = bank.bank.lock();
        let lifetime = Duration::from_secs(lifetime);
        let asked = bank
            .bank
            .ask_approval(&mut memory, "a consent", (ApprovalWay::App, habit), lifetime);
        for (wound, decision, state) in &events {
            bank.clock.advance(Duration::from_millis(*wound));
            let now = match decision {
                Some(approve) => bank.bank.decide_approval(&mut memory, &asked.id, *approve),
                None => memory
                    .approvals
                    .get(&asked.id)
                    .map(|approval| approval.state(bank.bank.now())),
            };
            assert_eq!(now, Some(*state), "{habit:?}: {events:?}");
        }
        assert_eq!(bank.bank.decide_approval(&mut memory, "another", true), None);
    }
}

/// Anyone who has to approve at the bank, by what is typed, by the method or by the switches.
#[test]
fn a_login_asks_for_approval() {
    for (method, customer, fields, switched, asked) in [
        (
            "keypad",
            "c",
            vec![("user", "app"), ("pin", "1")],
            None,
            Some((ApprovalWay::App, UNDECIDED)),
        ),
        (
            "keypad",
            "c",
            vec![("user", "303"), ("pin", "1")],
            None,
            Some((ApprovalWay::Browser, UNDECIDED)),
        ),
        ("keypad", "c", vec![("user", "ada"), ("pin", "1")], None, None),
        ("page", "c", vec![], None, Some((ApprovalWay::Browser, UNDECIDED))),
        (
            "page",
            "app-yes",
            vec![],
            None,
            Some((ApprovalWay::App, ApprovalHabit::Approves)),
        ),
        ("page", "one", vec![], None, None),
        (
            "app",
            "c",
            vec![("user", "ada")],
            None,
            Some((ApprovalWay::App, UNDECIDED)),
        ),
        (
            "app",
            "c",
            vec![("user", "ada")],
            Some("app-no"),
            Some((ApprovalWay::App, ApprovalHabit::Denies)),
        ),
    ] {
        let bank = PlainBank::new();
        if let Some(word) = switched {
            let mut switches = bank.bank.switches();
            switches.by_institution = [("plain".to_owned(), word.to_owned())].into();
            bank.bank.set_switches(switches);
        }
        let session = bank.open(method, customer);
        let step = bank.submit(PlainCall::Login, &session, &fields).expect("no trouble");
        let way = match step {
            BankStep::Approve(approval) => Some((approval.way, approval.habit)),
            BankStep::Granted { .. } => None,
            step => panic!("{method} {customer} {fields:?}: {step:?}"),
        };
        assert_eq!(way, asked, "{method} {customer} {fields:?}");
    }
}

/// A login waits for its approval, however often it is asked about, and ends with it: linked once, or over.
#[test]
fn a_login_waits_for_its_approval() {
    // The word, whether the person is told to approve, how far the clock is wound, how the login ends.
    for (word, told, wound, end) in [
        ("app", Some(true), 0, "granted"),
        ("app", Some(false), 0, "Denied"),
        ("app", None, 300, "Expired"),
        ("app-yes", None, 5, "granted"),
        ("app-no", None, 5, "Denied"),
        ("page", Some(true), 299, "granted"),
        ("page", Some(true), 600, "no session"),
    ] {
        let bank = PlainBank::new();
        let (session, step) = bank.log_in(word);
        let Ok(BankStep::Approve(approval)) = step else {
            panic!("{word}: {step:?}");
        };
        for _ in 0..2 {
            assert_eq!(bank.poll(&session), BankStep::Approve(approval.clone()), "{word}");
        }
        let other = bank.bank.poll(&mut bank.bank.lock(), 1, &session);
        assert_eq!(other, BankStep::NoSession, "{word}: another business");
        let early = bank.answer(&session, "otp", "123456");
        assert_eq!(early, BankStep::BadFields, "{word}: nothing is to be typed");
        bank.clock.advance(Duration::from_secs(wound));
        if let Some(approve) = told {
            bank.bank.decide_approval(&mut bank.bank.lock(), &approval.id, approve);
        }
        let heard = match bank.poll(&session) {
            BankStep::Granted { .. } => "granted".to_owned(),
            BankStep::NotApproved(state) => format!("{state:?}"),
            BankStep::NoSession => "no session".to_owned(),
            step => panic!("{word}: {step:?}"),
        };
        assert_eq!(heard, end, "{word} {told:?} {wound}");
        assert_eq!(bank.poll(&session), BankStep::NoSession, "{word}: only once");
        let linked = bank.bank.call_log().accounts.len();
        assert_eq!(linked, usize::from(end == "granted"), "{word}");
    }
}

/// The bank's page decides, and sends the browser back to anyone who sent it.
#[tokio::test]
async fn a_person_approves_on_the_page() {
    let stand_in = start().expect("a free port");
    let (bank, url) = (&stand_in.state, stand_in.url());
    let client = client();
    for (approve, back, state, shows) in [
        ("true", None, ApprovalState::Approved, "Approved."),
        ("false", None, ApprovalState::Denied, "Denied."),
        (
            "true",
            Some("https://example.invalid/back?state=1"),
            ApprovalState::Approved,
            "",
        ),
    ] {
        let way = (ApprovalWay::Browser, UNDECIDED);
        let asked = bank.ask_approval(&mut bank.lock(), "a <consent>", way, APPROVAL_LIFETIME);
        if let Some(approval) = bank.lock().approvals.get_mut(&asked.id) {
            approval.back = back.map(|back| back.parse().expect("a URL"));
        }
        let page = format!("{url}/approvals/{}", asked.id);
        let shown = client.get(&page).send().await.expect("a page").text().await;
        let shown = shown.expect("text");
        assert!(shown.contains("a &lt;consent>") && shown.contains("<form"), "{shown}");
        let click = client
            .post(&page)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("approve={approve}"))
            .send();
        let answer = click.await.expect("an answer");
        let location = answer
            .headers()
            .get("location")
            .map(|to| to.to_str().expect("text").to_owned());
        assert_eq!(location.as_deref(), back);
        assert!(answer.text().await.expect("a body").contains(shows));
        let now = bank
            .lock()
            .approvals
            .get(&asked.id)
            .map(|approval| approval.state(bank.now()));
        assert_eq!(now, Some(state));
    }
}

/// A login can be sent to the bank's page, and its approval be given by the control API, as a script does.
#[tokio::test]
async fn a_script_approves() {
    let stand_in = start().expect("a free port");
    let (bank, url, client) = (&stand_in.state, stand_in.url(), client());
    let session = open(bank, "page", "ada");
    let login = client.post(format!("{url}/login/{session}")).json(&json!({})).send();
    assert_eq!(login.await.expect("an answer").status(), 303, "to the bank's page");
    let list = format!("{url}/__stand-in/approvals");
    let rows: Value = client
        .get(&list)
        .send()
        .await
        .expect("a list")
        .json()
        .await
        .expect("JSON");
    let pending = rows
        .as_array()
        .into_iter()
        .flatten()
        .find(|row| row["state"] == "pending");
    let id = pending.expect("the login's")["approval"]["id"].clone();
    for (body, status) in [
        (json!({ "id": id, "approve": true }), 200),
        (json!({ "id": "another", "approve": true }), 404),
        (json!({ "id": id }), 400),
    ] {
        let decided = client.post(&list).json(&body).send().await.expect("an answer");
        assert_eq!(decided.status(), status, "{body}");
    }
    let step = bank.poll(&mut bank.lock(), 0, &session);
    assert!(matches!(step, BankStep::Granted { .. }), "{step:?}");
}

/// A provider that sends nobody to a bank has none of this: the words are ordinary names there.
#[tokio::test]
async fn mono_knows_no_approvals() {
    let mono = MonoFixture::start(|_| {});
    for word in ["app", "app-yes", "303"] {
        assert_eq!(mono.login(word).await.1["responseCode"], 99, "{word}");
    }
    assert_eq!(mono.get("/__stand-in/approvals").await.0, 404);
    let changed = mono
        .post("/__stand-in/switches", &json!({ "every_login": "app" }))
        .await;
    assert_eq!(changed.0, 400);
}
