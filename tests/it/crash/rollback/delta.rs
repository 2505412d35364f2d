//! The same where a gateway sends only the last line: with and without a number for each turn. Turns are put together in
//! this process, over a store whose values go back and a bank that refuses every login.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use kiungo::core::msisdn::Msisdn;
use kiungo::core::next_step::{FailureClass, NextStep};
use kiungo::core::seal::SubscriberTag;
use kiungo::gateways::{
    ParseError, RawRequest, UssdCallback, UssdGateway, UssdInput, UssdLimits, UssdRefusal, UssdReply, UssdRequest,
    WireReply,
};
use rstest::rstest;

use crate::crash::reader::Story;
use crate::support::app_fixture::{TestApp, assemble, keyring};
use crate::support::doubles::PlainGateway;
use crate::support::recorder::Back;
use crate::support::rolling_store::RollingStore;

/// More logins than anybody tries here.
const LOGINS: usize = 10_000;
/// Turns that one person takes at most.
const TURNS: usize = 12;
/// How often it happens to one person.
const TIMES: usize = 2;
/// People who do it at once.
const AT_ONCE: usize = 32;
/// Refused logins of one person in a quarter of an hour.
const REFUSED: usize = 2;

/// As the plain gateway, which is told only the last line. What is behind a `#` in the dialog's name is the number of the
/// turn.
struct DeltaGateway(PlainGateway);

impl UssdGateway for DeltaGateway {
    fn name(&self) -> &'static str {
        "delta"
    }

    fn overhead(&self) -> u16 {
        self.0.overhead()
    }

    fn limits(&self, network: Option<&str>) -> UssdLimits {
        self.0.limits(network)
    }

    fn parse(&self, request: &RawRequest<'_>) -> Result<UssdRequest, UssdRefusal> {
        let UssdRequest::Turn(turn) = self.0.parse(request)? else {
            return Err(ParseError::NotACallback.into());
        };
        let (dialog, turn_id) = match turn.dialog.split_once('#') {
            Some((dialog, id)) => (dialog.to_owned(), Some(id.to_owned())),
            None => (turn.dialog.clone(), None),
        };
        let input = match turn.input {
            UssdInput::Cumulative(line) => UssdInput::Latest(line),
            input => input,
        };
        Ok(UssdRequest::Turn(UssdCallback {
            dialog,
            turn_id,
            input,
            ..turn
        }))
    }

    fn render(&self, reply: &UssdReply<'_>, echo: &kiungo::gateways::Echo) -> WireReply {
        self.0.render(reply, echo)
    }
}

/// When the value goes back: when a screen has these words, or after so many writes of a submission.
#[derive(Clone, Copy, Debug)]
enum RollbackPoint {
    Shown(&'static str),
    Written(usize),
}

const EDGES: [RollbackPoint; 8] = [
    RollbackPoint::Shown("It cannot move money"),
    RollbackPoint::Shown("Choose your bank"),
    RollbackPoint::Shown("username"),
    RollbackPoint::Shown("password"),
    RollbackPoint::Shown("did not let you in"),
    RollbackPoint::Written(1),
    RollbackPoint::Written(2),
    RollbackPoint::Written(3),
];

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Answer,
    Repeat,
    Key,
    Redial,
}

const NEXTS: [Next; 4] = [Next::Answer, Next::Repeat, Next::Key, Next::Redial];

/// Somebody, and what they typed.
struct Person<'a> {
    app: &'a TestApp,
    store: &'a Arc<RollingStore>,
    number: String,
    tag: SubscriberTag,
    username: String,
    passwords: usize,
    numbered: bool,
    dials: usize,
    turns: usize,
    last: String,
    story: Story,
}

impl Person<'_> {
    async fn dials(&mut self) -> String {
        self.dials += 1;
        self.line("").await
    }

    async fn line(&mut self, line: &str) -> String {
        self.turns += 1;
        let number = if self.numbered {
            format!("#{}", self.turns)
        } else {
            String::new()
        };
        self.last = format!("d{}{number} {} {line}", self.dials, self.number);
        self.sends().await
    }

    /// The last callback, whether it is the first time or not.
    async fn sends(&mut self) -> String {
        let reply = self.app.answer(&self.last).await;
        self.story.tell(format!("{}: {reply:?}", self.last));
        reply
    }

    /// What the screen asks for; nothing when there is nothing more to do.
    fn answer(&mut self, screen: &str) -> Option<String> {
        Some(if screen.contains("username") {
            self.username.clone()
        } else if screen.contains("password") {
            self.passwords += 1;
            format!("{}-password-{}", self.username, self.passwords)
        } else if screen.starts_with("END") {
            return None;
        } else {
            "1".to_owned()
        })
    }

    async fn lives(&mut self, edge: RollbackPoint, back: Back, next: Next) {
        self.story.tell(format!("{edge:?} {back:?} {next:?}"));
        let (mut screen, mut left) = (self.dials().await, TIMES);
        for _ in 0..TURNS {
            if left > 0 && matches!(edge, RollbackPoint::Shown(words) if screen.contains(words)) {
                left -= 1;
                self.story.tell("the value goes back".to_owned());
                self.store.roll_back(&self.tag, back).await;
                screen = self.next(next, &screen).await;
                continue;
            }
            let asked = screen.contains("password");
            let Some(line) = self.answer(&screen) else {
                screen = self.dials().await;
                continue;
            };
            if let RollbackPoint::Written(writes) = edge
                && asked
                && left > 0
            {
                left -= 1;
                self.story.tell(format!("the value goes back after write {writes}"));
                self.store.arm(self.tag, writes, back);
                self.line(&line).await;
                screen = self.next(next, &screen).await;
            } else {
                screen = self.line(&line).await;
            }
        }
    }

    async fn next(&mut self, next: Next, screen: &str) -> String {
        match next {
            Next::Answer => match self.answer(screen) {
                Some(line) => self.line(&line).await,
                None => self.dials().await,
            },
            Next::Repeat => {
                self.sends().await;
                self.sends().await
            }
            Next::Key => self.line("1").await,
            Next::Redial => self.dials().await,
        }
    }
}

/// Whatever goes back: every password reaches the bank once at most, under the name it was typed with, nothing else does, and
/// two refused logins are all that anybody may try.
#[rstest]
#[case::numbered(true)]
#[case::bare(false)]
#[tokio::test]
async fn values_go_back_behind_a_gateway_that_sends_the_last_line(#[case] numbered: bool) {
    let store = RollingStore::new();
    let app = assemble(store.clone(), DeltaGateway(PlainGateway { sink: None })).await;
    let refused = || Ok(NextStep::Failed(FailureClass::Refused.into()));
    app.bank.script().answers.extend((0..LOGINS).map(|_| refused()));
    // Without a number nobody can tell a repeated callback from a person who types the same again (see SECURITY.md).
    let told_apart = |next: &Next| numbered || !matches!(next, Next::Repeat);
    let people = combinations()
        .into_iter()
        .filter(|(_, _, next)| told_apart(next))
        .enumerate()
        .map(async |(n, (edge, back, next))| {
            let number = format!("+234803{:07}", 5_000_000 + n);
            let mut person = Person {
                app: &app,
                store: &store,
                tag: keyring(&["k1"]).tag(&Msisdn::parse(&number, "NG").unwrap()),
                number,
                username: format!("ada{n}x"),
                passwords: 0,
                numbered,
                dials: n * 100,
                turns: 0,
                last: String::new(),
                story: Story::default(),
            };
            person.lives(edge, back, next).await;
            (person.username, person.passwords, person.story)
        });
    // Most of the time somebody waits for an answer that does not come. With more at once a slow machine answers nobody in time.
    let people: Vec<_> = stream::iter(people).buffer_unordered(AT_ONCE).collect().await;
    let passwords = |(name, passwords, _): &(String, usize, Story)| {
        let name = name.clone();
        (1..=*passwords).map(move |nth| format!("{name}-password-{nth}"))
    };
    let typed: BTreeSet<_> = people.iter().flat_map(passwords).collect();
    let stories: BTreeMap<_, _> = people.into_iter().map(|(name, _, story)| (name, story)).collect();
    let sent = app.bank.script().typed.clone();
    assert!(
        sent.len() > stories.len() / 2,
        "hardly anything was sent: {} of {}",
        sent.len(),
        stories.len()
    );
    let mut logins: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for login in sent.chunks(2) {
        let (username, password) = (login[0].as_str(), login[1].as_str());
        let story = stories
            .get(username)
            .unwrap_or_else(|| panic!("nobody typed {username:?}"));
        let own = password.starts_with(&format!("{username}-")) && typed.contains(password);
        assert!(own, "{username} never typed {password:?}:\n{story}");
        let logins = logins.entry(username).or_default();
        assert!(logins.insert(password), "{password:?} was sent twice:\n{story}");
        assert!(logins.len() <= REFUSED, "{username} was let in again:\n{story}");
    }
}

fn combinations() -> Vec<(RollbackPoint, Back, Next)> {
    let edges = EDGES.into_iter();
    edges
        .flat_map(|edge| Back::ALL.map(|back| NEXTS.map(|next| (edge, back, next))))
        .flatten()
        .collect()
}
