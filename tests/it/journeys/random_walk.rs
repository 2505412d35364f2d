//! People who press anything at all, on a network that repeats, delays and mixes up what they send.

use std::collections::HashMap;

use futures_util::future::join_all;
use kiungo::sandbox::bank::{SubmitOutcome, sha256_hex};
use rstest::rstest;

use super::{granted, to_banks};
use crate::support::aggregator::{Phone, UssdReply};
use crate::support::seeded_rng::SeededRng;
use crate::support::soak;
use crate::support::world::{Setup, World};

/// What the stand-in makes something of, before the name.
const WORDS: [&str; 8] = ["", "", "otp@", "many@", "otp-many@", "wrong@", "reset@", "question@"];

/// Somebody who walks about, and what the network keeps back.
struct Walker {
    number: usize,
    phone: Phone,
    rng: SeededRng,
    steps: usize,
    /// The last answer of each of the last dialogs.
    last: Vec<(String, UssdReply)>,
    /// Callbacks that come once more: when, in which dialog, with which text.
    late: Vec<(usize, String, String)>,
    /// How many came once more.
    repeats: usize,
    passwords: Vec<String>,
}

impl Walker {
    /// Takes a step, which may come twice, at once or later; and lets come what is due.
    async fn step(&mut self) {
        self.steps += 1;
        let due = self.steps;
        let (now, later) = self.late.drain(..).partition(|(at, ..)| *at <= due);
        self.late = later;
        let now: Vec<(usize, String, String)> = now;
        for (_, session, text) in now {
            self.again(session, text).await;
        }
        let reply = match self.last.last() {
            Some((_, reply)) if !reply.end && !self.rng.percent(3) => {
                let line = self.line(&reply.text.clone());
                self.phone.say(&line).await
            }
            _ => {
                let behind = *self.rng.pick(&["", "", "", "2", "3*0", "1*1"]);
                self.phone.dial_with(behind).await
            }
        };
        self.last.retain(|(session, _)| *session != self.phone.session);
        self.last.push((self.phone.session.clone(), reply));
        // A server remembers so many dialogs of a person.
        let forgotten = self.last.len().saturating_sub(4);
        self.last.drain(..forgotten);
        if self.rng.percent(30) {
            self.again(self.phone.session.clone(), self.phone.text.clone()).await;
        }
        if self.rng.percent(30) {
            let at = self.steps + 1 + usize::try_from(self.rng.below(15)).unwrap();
            let (session, text) = (self.phone.session.clone(), self.phone.text.clone());
            self.late.push((at, session, text));
        }
    }

    /// What to type at a screen: mostly a key on it.
    fn line(&mut self, shown: &str) -> String {
        let (number, steps) = (self.number, self.steps);
        if shown.contains("Username") && self.rng.percent(85) {
            return format!("{}w{number}x{steps}", self.rng.pick(&WORDS));
        }
        if shown.contains("Password") && self.rng.percent(85) {
            self.passwords.push(format!("Zq7-{number}-{steps}#"));
            return self.passwords[self.passwords.len() - 1].clone();
        }
        // In another language a walker would not know what is asked.
        if shown.contains("1 English") {
            return "1".to_owned();
        }
        let keys: Vec<_> = shown
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(key, _)| key)
            .filter(|key| key.len() == 1 && *key != "#")
            .collect();
        match self.rng.below(20) {
            0 => (*self.rng.pick(&["7", "zen", " ", "*", "#", "123456", "providus"])).to_owned(),
            1..10 if shown.contains("Choose your bank") && !shown.contains("1 Providus") => "providus".to_owned(),
            // A question that is left comes again with the next dial, so it is answered as often.
            _ if keys.is_empty() || (keys == ["0"] && self.rng.percent(50)) => "123456".to_owned(),
            // What leads back is taken less often than what leads on.
            _ => (*self.rng.pick(&[keys[0], keys[0], self.random_key(&keys)])).to_owned(),
        }
    }

    fn random_key<'a>(&self, keys: &[&'a str]) -> &'a str {
        keys[self.steps % keys.len()]
    }

    /// The same callback once more, to another server: the last answer of its dialog, byte for byte.
    async fn again(&mut self, session: String, text: String) {
        let Some((_, want)) = self.last.iter().find(|(of, _)| *of == session) else {
            return;
        };
        let mut phone = self.phone.clone();
        phone.session = session;
        let got = phone.send(self.steps + 1, &text).await;
        assert_eq!(
            got, *want,
            "walker {} after {} steps, {text:?}",
            self.number, self.steps
        );
        self.repeats += 1;
    }
}

/// Turns that a server took for repeats.
async fn repeats_counted(world: &World) -> usize {
    let counts = join_all(world.nodes.iter().map(async |node| {
        let metrics = world
            .client
            .get(format!("{}/metrics", node.url()))
            .send()
            .await
            .unwrap();
        let text = metrics.text().await.unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("kiungo_turns_total") && line.contains("repeated"));
        line.map_or(0, |line| line.rsplit_once(' ').unwrap().1.parse::<usize>().unwrap())
    }));
    counts.await.into_iter().sum()
}

/// People walk through the whole menu; three of ten callbacks come twice at once and three of ten again up to fifteen
/// steps later. Each repeat gets the last answer of its dialog byte for byte and counts as a repeat, and no password
/// reaches the bank twice or under another name.
#[rstest]
#[case::memory(Setup::Memory, 8, soak::number(60, 200))]
#[case::two_nodes(Setup::TwoNodes, 6, soak::number(40, 80))]
#[tokio::test(flavor = "multi_thread")]
async fn repeats_have_no_effect(#[case] setup: Setup, #[case] people: usize, #[case] steps: usize) {
    let mut rng = SeededRng::seeded();
    let world = World::with(setup, |options| {
        options.timeout = 2;
        options.level = "info";
    })
    .await;
    let walkers: Vec<_> = (0..people)
        .map(|number| Walker {
            number,
            phone: world.phone(&format!("+23480320000{number:02}")),
            rng: rng.fork(),
            steps: 0,
            last: Vec::new(),
            late: Vec::new(),
            repeats: 0,
            passwords: Vec::new(),
        })
        .collect();
    let walkers = join_all(walkers.into_iter().map(async |mut walker| {
        for _ in 0..steps {
            walker.step().await;
        }
        walker
    }))
    .await;
    let repeats: usize = walkers.iter().map(|walker| walker.repeats).sum();
    assert!(repeats * 3 > people * steps, "only {repeats} repeats");
    assert_eq!(repeats_counted(&world).await, repeats);
    let mut sent: HashMap<String, Vec<usize>> = HashMap::new();
    for submit in world.call_log().submits {
        let whose = submit
            .username
            .as_deref()
            .and_then(|name| name.split_once('w')?.1.split_once('x')?.0.parse().ok());
        if let (Some(secret), Some(whose)) = (submit.secret_sha256, whose) {
            sent.entry(secret).or_default().push(whose);
        }
    }
    let mut logins = 0;
    for walker in &walkers {
        for password in &walker.passwords {
            let by = sent.get(&sha256_hex(password)).map_or(&[][..], Vec::as_slice);
            assert!(by.is_empty() || by == [walker.number], "{password}: {by:?}");
            logins += by.len();
        }
    }
    assert!(logins > people, "only {logins} logins");
}

/// All callbacks of a dialog in any order, to two servers in turn: no consent is skipped, no password is sent but the one
/// that was typed and that at most once, and dialling again links as if nothing had been.
#[tokio::test]
async fn any_order_skips_nothing() {
    let mut rng = SeededRng::seeded();
    let world = World::with(Setup::TwoNodes, |options| options.level = "info").await;
    let mut in_order = 0;
    let dialogs = soak::number(30, 60);
    for number in 0..dialogs {
        let (user, password) = (format!("ada@order-{number}"), format!("good-pass-{number}"));
        let lines = ["1", "providus", &user, &password];
        let mut texts: Vec<_> = (0..=lines.len()).map(|upto| lines[..upto].join("*")).collect();
        let which = number / 4 % 4;
        match number % 4 {
            0 => rng.shuffle(&mut texts),
            1 => texts.swap(which, which + 1),
            2 => drop(texts.remove(which)),
            // All in order, and one of them again at the end.
            _ => texts.push(texts[which].clone()),
        }
        let mut phone = world.phone(&format!("+23480330000{number:02}"));
        phone.session = format!("order-{number}");
        for (server, text) in texts.iter().enumerate() {
            phone.send(server, text).await;
        }
        let sent = world.call_log().submits;
        let sent: Vec<_> = sent
            .iter()
            .filter(|submit| submit.secret_sha256.as_ref() == Some(&sha256_hex(&password)))
            .collect();
        assert!(sent.len() <= 1, "{texts:?}");
        if let [submit] = sent[..] {
            assert_eq!(submit.username.as_ref(), Some(&user), "{texts:?}");
            assert_eq!(submit.outcome, Some(SubmitOutcome::Granted));
            in_order += 1;
            continue;
        }
        assert!(world.submits(&user).is_empty(), "{texts:?}");
        let mut shown = phone.dial().await;
        shown = to_banks(&mut phone, shown).await;
        shown.asks("Choose your bank");
        phone.say_all(&["providus", &user]).await.asks("Password");
        phone.say(&password).await;
        assert_eq!(world.submits(&user), granted(), "{texts:?}");
    }
    let logins = world.call_log().submits.len();
    assert_eq!(logins, dialogs, "another password was sent");
    assert!(in_order >= dialogs / 4, "only {in_order} were in order");
}
