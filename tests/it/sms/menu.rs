//! The menu over SMS, with records and a store, on a clock that the test moves: what is processed once, and what is never
//! stored.

use std::fs;
use std::time::Duration;

use kiungo::core::flow::state::Subscriber;
use kiungo::core::menu::Outcome;
use kiungo::core::messages::Locale;
use kiungo::core::msisdn::Msisdn;
use kiungo::core::token_bucket::RateLimit;
use kiungo::sandbox::sms::RunningSms;
use kiungo::service::admission::TurnRates;
use kiungo::service::live::LoadedValue;

use super::service_kit::{ADA, SmsService, delivered_texts};
use crate::support::eventually;
use crate::support::limits::PLENTY;
use crate::support::sms_world::{code_in, number_in};

struct SmsUser {
    post: SmsService,
    running: RunningSms,
    sent: usize,
}

impl SmsUser {
    async fn new() -> Self {
        Self::with_rates(PLENTY).await
    }

    async fn with_rates(rates: TurnRates) -> Self {
        let (post, running) = SmsService::with_stand_in_limits(40, rates).await;
        Self { post, running, sent: 0 }
    }

    /// Sends a message and reads the answer, if there is one.
    async fn send(&mut self, text: &str) -> Option<String> {
        self.sent += 1;
        let id = format!("m{}", self.sent);
        assert_eq!(self.post.send_incoming(&id, text, "").await, 200);
        self.last_answer().await
    }

    /// The answer that is sent now, if any.
    async fn last_answer(&self) -> Option<String> {
        let before = delivered_texts(&self.running).len();
        self.post.run_due().await;
        let inbox = delivered_texts(&self.running);
        assert!(inbox.len() <= before + 1, "{inbox:?}");
        inbox.get(before).cloned()
    }

    async fn agree(&mut self) -> String {
        let welcome = self.send("LINK").await.unwrap();
        self.send(&number_in(&welcome)).await.unwrap()
    }

    async fn state(&self) -> Option<Subscriber> {
        let tag = self
            .post
            .shared
            .deps
            .sealing
            .keyring
            .tag(&Msisdn::parse(ADA, "NG").unwrap());
        match self.post.shared.updater.live.load(&tag).await.unwrap().value {
            LoadedValue::Subscriber(state) => Some(*state),
            LoadedValue::Nothing => None,
            LoadedValue::Unreadable(error) => panic!("{error}"),
        }
    }
}

/// The keywords, what they begin, and in which language they are answered: the one that was chosen, else the keyword's own.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn words_are_answered_in_the_language_chosen() {
    for (texts, want) in [
        (
            vec!["HELP"],
            Some("Umoja Credit: text LINK or dial *384*96# to link a bank account."),
        ),
        (
            vec!["aide"],
            Some("Umoja Credit : envoyez LINK ou composez *384*96# pour lier un compte."),
        ),
        (vec!["ARRET"], Some("Vous ne recevrez plus de SMS de Umoja Credit.")),
        (
            vec!["STOP", "msaada"],
            Some("Umoja Credit: kuunganisha akaunti ya benki tuma LINK"),
        ),
        (
            vec!["Hausa", "HELP"],
            Some("Umoja Credit: aika LINK ko kira *384*96# don hada asusun banki."),
        ),
        (vec!["Hausa", "AIDE"], Some("Umoja Credit: aika LINK")),
        (vec!["Yoruba", "STOP"], Some("E ko ni gba SMS mo")),
        (
            vec!["STOP", "START"],
            Some("You will get texts from Umoja Credit again."),
        ),
        (vec!["menu"], Some("Umoja Credit asks to see")),
        (vec!["relier"], Some("Umoja Credit veut")),
        (vec!["unganisha"], Some("Umoja Credit inaomba")),
        (vec!["CONTINUE"], Some("Umoja Credit asks to see")),
        (vec!["Igbo"], Some("Umoja Credit choro")),
        (
            vec!["1"],
            Some("To link a bank account with Umoja Credit text LINK or dial"),
        ),
        (vec!["1", "savanna"], None),
        (vec!["STOP", "1"], None),
        (vec!["Cancel"], Some("You will get no more texts from Umoja Credit.")),
        (
            vec!["LINK", "Stop. Thank you"],
            Some("You will get no more texts from Umoja Credit."),
        ),
        (vec!["please END", "1"], None),
        (vec!["STOP", "YES"], Some("You will get texts from Umoja Credit again.")),
        (vec!["LINK", "yes"], Some("Umoja Credit asks to see")),
        (vec!["LINK", "Hapana"], Some("Umoja Credit asks to see")),
        (vec!["LINK", "3."], Some("Choose your language")),
        (vec!["LINK", "(3)"], Some("Choose your language")),
        (vec!["LINK", "3\u{fe0f}\u{20e3}"], Some("Choose your language")),
        (vec!["STOP", "Hausa"], None),
        (vec!["STOP", "LINK"], Some("Umoja Credit asks to see")),
        (vec!["LINK", "STOP", "3"], None),
    ] {
        let mut texter = SmsUser::new().await;
        let mut told = None;
        for text in &texts {
            told = texter.send(text).await;
            texter.post.advance(Duration::from_secs(1));
        }
        match (told, want) {
            (Some(told), Some(want)) => assert!(told.starts_with(want), "{texts:?}: {told}"),
            (told, want) => assert_eq!(told.as_deref(), want, "{texts:?}"),
        }
    }
}

/// A chosen language outlasts the live value: a day later HELP is answered in it all the same.
#[tokio::test]
async fn a_chosen_language_is_spoken_when_nothing_else_is_known() {
    let mut texter = SmsUser::new().await;
    texter.send("Hausa").await;
    let stored = async || {
        let (deps, number) = (&texter.post.shared.deps, Msisdn::parse(ADA, "NG").unwrap());
        let tag = deps.sealing.keyring.tag(&number);
        deps.records.language(texter.post.outbox.partner(), &tag).await.unwrap()
    };
    eventually(Duration::from_secs(10), async || stored().await == Some(Locale::Ha)).await;
    texter.post.advance(Duration::from_hours(25));
    assert!(texter.state().await.is_none(), "the live value is over");
    let told = texter.send("HELP").await.unwrap();
    assert!(told.starts_with("Umoja Credit: aika LINK"), "{told}");
}

/// Protects from G24 of the list of faults: a message that comes again, at once, a minute or hours later, is processed and
/// answered once; one that came out of order chooses nothing.
#[tokio::test]
async fn repeats_are_stepped_once() {
    let mut texter = SmsUser::new().await;
    let list = texter.agree().await;
    assert!(list.starts_with("Choose your bank"), "{list}");
    let post = &texter.post;
    let together = futures_util::future::join_all((0..8).map(|_| post.send_incoming("again", "1", ""))).await;
    assert_eq!(together, [200; 8]);
    let told = texter.last_answer().await.unwrap();
    assert!(told.starts_with("Never text a password or code"), "{told}");
    let session = texter.state().await.unwrap().session.unwrap();
    for later in [
        Duration::from_mins(1),
        Duration::from_mins(30),
        Duration::from_hours(12),
    ] {
        texter.post.advance(later);
        assert_eq!(texter.post.send_incoming("again", "1", "").await, 200);
        assert_eq!(texter.last_answer().await, None, "{later:?}");
        let now = texter.state().await.unwrap().session.unwrap();
        assert!(now.stage == Outcome::Ask && now.id == session.id, "{later:?}");
    }
}

/// If a server dies after the step and before the answer was stored, the gateway retries: then the answer is sent, and the
/// step is not taken twice.
#[tokio::test]
async fn a_step_without_its_answer_is_answered_when_the_text_comes_again() {
    let mut texter = SmsUser::new().await;
    let welcome = texter.send("LINK").await.unwrap();
    let proof = number_in(&welcome);
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON provider_events BEGIN SELECT RAISE(ABORT, 'no'); END";
    texter.post.db.execute(refuse).await;
    assert_eq!(texter.post.send_incoming("once", &proof, "").await, 503);
    let agreed = texter.state().await.unwrap().session.unwrap().id;
    texter.post.db.execute("DROP TRIGGER refuse").await;
    assert_eq!(texter.post.send_incoming("once", &proof, "").await, 200);
    assert!(texter.last_answer().await.unwrap().starts_with("Choose your bank"));
    assert!(texter.state().await.unwrap().session.unwrap().id == agreed);
}

/// An answer that comes a day late chooses nothing on what was shown meanwhile; the current question is sent again.
#[tokio::test]
async fn a_day_late_answer_chooses_nothing() {
    let mut texter = SmsUser::new().await;
    texter.agree().await;
    texter.post.advance(Duration::from_hours(23));
    let list = texter.agree().await;
    // at(0) is 2026-05-28 20:26:40.
    assert_eq!(
        texter.post.send_incoming("late", "1", "2026-05-28T20:27:00Z").await,
        200
    );
    assert_eq!(texter.last_answer().await, Some(list));
    assert!(texter.state().await.unwrap().session.unwrap().institution.is_none());
    assert!(
        texter
            .send("1")
            .await
            .unwrap()
            .contains("Never text a password or code")
    );
}

/// A secret sent by SMS is in no record, no value and no answer, and is submitted to nobody; dialing the code from the answer
/// leads to the question.
#[tokio::test]
async fn a_secret_is_refused_and_kept_nowhere() {
    let mut texter = SmsUser::new().await;
    texter.agree().await;
    let told = texter.send("1").await.unwrap();
    let first = code_in(&told);
    let told = texter.send("Zq7canary").await.unwrap();
    assert!(told.contains("kept nothing") && !told.contains("Zq7"), "{told}");
    assert_eq!(
        code_in(&told),
        first,
        "texts come late: the code in the one before works, too"
    );
    let state = serde_json::to_string(&texter.state().await.unwrap()).unwrap();
    assert!(!state.contains("Zq7"));
    let path = texter.post.db.url.strip_prefix("sqlite:").unwrap().to_owned();
    for file in [path.clone(), format!("{path}-wal")] {
        let all = fs::read(file).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&all).contains("Zq7canary"));
    }
}

/// Too many messages at once are not processed, and the person is told once; afterwards everything is as before.
#[tokio::test]
async fn a_flood_is_not_stepped_with() {
    let person = RateLimit {
        per_minute: 1,
        burst: 4,
    };
    let mut texter = SmsUser::with_rates(TurnRates { person, ..PLENTY }).await;
    texter.agree().await;
    texter.send("xyz").await;
    texter.send("xyz").await;
    let told = texter.send("1").await.unwrap();
    assert!(told.starts_with("Too many texts at once."), "{told}");
    assert_eq!(texter.send("1").await, None);
    assert!(texter.state().await.unwrap().session.unwrap().stage == Outcome::ChooseBank);
    texter.post.advance(Duration::from_mins(2));
    assert!(
        texter
            .send("1")
            .await
            .unwrap()
            .contains("Never text a password or code")
    );
}
