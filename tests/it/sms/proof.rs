//! Forged texts: somebody who can send in somebody's name, and never sees what we answer, agrees to nothing.

use std::time::Duration;

use kiungo::core::msisdn::Msisdn;
use kiungo::sandbox::sms::RunningSms;
use kiungo::service::live::{LiveValues, LoadedValue};

use super::service_kit::{ADA, SmsService, delivered_texts};
use crate::support::limits::PLENTY;
use crate::support::sms_world::number_in;

const PHONE_ONLY: &str = "Too many wrong numbers were texted.";

/// Somebody's inbox, and who forges texts in their name.
struct Victim {
    post: SmsService,
    running: RunningSms,
    sent: usize,
}

impl Victim {
    async fn new(daily_cap: u32) -> Self {
        let (post, running) = SmsService::with_stand_in_limits(daily_cap, PLENTY).await;
        Self { post, running, sent: 0 }
    }

    /// A text in their name; what they get for it, if anything.
    async fn send(&mut self, text: &str) -> Option<String> {
        let before = delivered_texts(&self.running).len();
        self.take(text).await;
        self.post.run_due().await;
        delivered_texts(&self.running).get(before).cloned()
    }

    /// A text in their name, whose answer has not left yet.
    async fn take(&mut self, text: &str) {
        self.sent += 1;
        let id = format!("forged-{}", self.sent);
        assert_eq!(self.post.send_incoming(&id, text, "").await, 200);
    }

    /// Whether they have agreed to anything.
    async fn agreed(&self) -> bool {
        let keyring = &self.post.shared.deps.sealing.keyring;
        let tag = keyring.tag(&Msisdn::parse(ADA, "NG").unwrap());
        match self.post.shared.updater.live.load(&tag).await.unwrap().value {
            LoadedValue::Subscriber(state) => state.session.is_some(),
            LoadedValue::Nothing => false,
            LoadedValue::Unreadable(error) => panic!("{error}"),
        }
    }
}

/// A number that is not the one in the text.
fn wrong(welcome: &str, n: u32) -> String {
    let right: u32 = number_in(welcome).parse().unwrap();
    (100_000 + (right - 100_000 + n) % 900_000).to_string()
}

/// Three wrong numbers, over as many dialogs as one likes and with everything between them that could set the count back, and
/// until tomorrow nothing agrees but the phone: not the right number either, not after LINK or 0, and not when the store has
/// lost all it knew. Tomorrow the number is good again.
#[tokio::test]
async fn a_few_wrong_numbers_a_day() {
    for lost in [false, true] {
        let mut victim = Victim::new(100).await;
        for n in 1..=3 {
            let welcome = victim.send("LINK").await.unwrap();
            let told = victim.send(&wrong(&welcome, n)).await.unwrap();
            if n < 3 {
                assert!(
                    told.starts_with(&format!("That was not right. Tries left: {}.", 3 - n)),
                    "{told}"
                );
                victim.send("3").await;
                victim.send("0").await;
            } else {
                assert!(told.starts_with(PHONE_ONLY) && told.contains("*384*96#"), "{told}");
            }
            if lost {
                victim.post.lose_store().await;
            }
        }
        for text in ["LINK", "100000", "0", "LINK", "1", "CONTINUE", "Hausa", "999999"] {
            if let Some(told) = victim.send(text).await {
                assert!(
                    !told
                        .lines()
                        .any(|line| line.len() > 6 && line[..6].parse::<u32>().is_ok()),
                    "{told}"
                );
            }
            assert!(!victim.agreed().await, "{text}");
        }
        victim.post.advance(Duration::from_hours(24));
        let welcome = victim.send("LINK").await.unwrap();
        victim.send(&number_in(&welcome)).await.unwrap();
        assert!(victim.agreed().await);
    }
}

/// However many guesses come at once, no more are looked at than may be wrong in a day. Each is a text of its own; the same
/// text brought again counts once.
#[tokio::test]
async fn guesses_at_once_are_counted_one_by_one() {
    let mut victim = Victim::new(100).await;
    let welcome = victim.send("LINK").await.unwrap();
    let guesses: Vec<_> = (1..=12).map(|n| (format!("at-once-{n}"), wrong(&welcome, n))).collect();
    let post = &victim.post;
    let together = guesses.iter().map(|(id, guess)| post.send_incoming(id, guess, ""));
    let answers = futures_util::future::join_all(together).await;
    // Those that lost too often to others are brought again.
    assert!(answers.iter().all(|status| [200, 503].contains(status)), "{answers:?}");
    post.run_due().await;
    let told = victim.send("LINK").await.unwrap();
    assert!(told.starts_with(PHONE_ONLY), "{told}");
    assert!(!victim.agreed().await);

    let mut victim = Victim::new(100).await;
    let welcome = victim.send("LINK").await.unwrap();
    let guess = wrong(&welcome, 1);
    for _ in 0..9 {
        assert_eq!(victim.post.send_incoming("again", &guess, "").await, 200);
    }
    victim.post.run_due().await;
    let welcome = delivered_texts(&victim.running).pop().unwrap();
    victim.send(&number_in(&welcome)).await.unwrap();
    assert!(victim.agreed().await, "one wrong number, brought nine times");
}

/// A number that was never sent is nobody's: with the day's texts used up, or the text still waiting, even the right one agrees
/// to nothing, and it counts as wrong.
#[tokio::test]
async fn a_text_that_was_withheld_is_answered_by_nobody() {
    for withheld in [false, true] {
        let mut victim = Victim::new(if withheld { 1 } else { 100 }).await;
        victim.send("HELP").await.unwrap();
        victim.take("LINK").await;
        if withheld {
            victim.post.run_due().await;
            assert_eq!(delivered_texts(&victim.running).len(), 1);
            let withheld = "SELECT COUNT(*) FROM messages WHERE state = 'withheld' AND reason = 'cap'";
            assert_eq!(victim.post.db.count(withheld).await, 1);
        }
        let number = victim.number_in_store().await;
        victim.take(&number).await;
        assert!(!victim.agreed().await, "withheld: {withheld}");
    }
}

impl Victim {
    /// The number that is asked for, which nobody has read.
    async fn number_in_store(&self) -> String {
        let keyring = &self.post.shared.deps.sealing.keyring;
        let tag = keyring.tag(&Msisdn::parse(ADA, "NG").unwrap());
        let live: &LiveValues = &self.post.shared.updater.live;
        let LoadedValue::Subscriber(state) = live.load(&tag).await.unwrap().value else {
            panic!("nobody");
        };
        state.cursor.confirmation.as_ref().expect("a number").number.to_string()
    }
}
