//! A gateway with short deadlines, far away, before a server whose Redis is far away, too, and a bank that takes longer
//! than a dialog lasts: by the real clock.

use std::time::Duration;

use kiungo::core::budget::DEADLINE_MARGIN;
use kiungo::sandbox::bank::{BankFailure, FailureRule};
use kiungo::sandbox::mono::MonoCall;

use super::granted;
use crate::support::aggregator::{AggregatorClient, Phone, UssdReply};
use crate::support::machine::Stopwatch;
use crate::support::node::callback_at;
use crate::support::proxy::{Fault as Wire, Proxy};
use crate::support::sms_world::SmsWorld;
use crate::support::world::Setup;

/// The gateway's limits, as they stand in [`LIMITS`].
const TURN: Duration = Duration::from_secs(3);
const DIALOG: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_secs(8);
const LIMITS: &str = "turn = 3\ndialog = 20\nidle = 8";

/// What a person takes to read a screen and to answer it.
const READING: Duration = Duration::from_secs(4);
/// How far away the gateway and Redis are, one way.
const AWAY: Duration = Duration::from_millis(100);
/// What the bank takes, in milliseconds.
const BANK: u64 = 22_000;

/// A phone whose network cuts a dialog that lasts too long, and shows its own error when an answer is late.
struct Watched {
    phone: Phone,
    dialled: Stopwatch,
}

impl Watched {
    async fn dial(&mut self) -> UssdReply {
        self.dialled = Stopwatch::start();
        let reply = self.phone.dial().await;
        self.holds(&reply);
        reply
    }

    async fn say(&mut self, line: &str) -> UssdReply {
        let reply = self.phone.say(line).await;
        self.holds(&reply);
        reply
    }

    /// It was in time, it can be read and answered before the network cuts the dialog, and anyone who is sent away knows what
    /// to do next.
    fn holds(&self, reply: &UssdReply) {
        let left = DIALOG.checked_sub(self.dialled.fair());
        let left = left.unwrap_or_else(|| panic!("cut by the network: {reply:?}"));
        assert!(reply.took.0 < TURN, "too late for the gateway: {reply:?}");
        if reply.end {
            assert!(reply.text.to_lowercase().contains("dial "), "what next? {reply:?}");
            return;
        }
        assert!(left >= READING, "{left:?} to read and answer {reply:?}");
        // Anyone who asks once more waits for a whole turn, and must see how it ends.
        let checking = reply.text.contains("is checking your details");
        assert!(
            !checking || left + DEADLINE_MARGIN >= READING + TURN,
            "{left:?} for {reply:?}"
        );
    }

    /// From dialling to the first screen that says that the bank is thinking.
    async fn submits(&mut self, user: &str) {
        self.dial().await.asks("It cannot move money");
        for line in ["1", "providus", user] {
            self.say(line).await.asks("");
        }
        self.say("good-pass-clock").await.asks("is checking your details");
    }

    /// Asks again and again until the dialog ends.
    async fn asks_on(&mut self) -> UssdReply {
        loop {
            let reply = self.say("1").await;
            if reply.end {
                return reply;
            }
            reply.asks("is checking your details");
        }
    }
}

/// Every answer leaves before the gateway gives up, however far Redis is; a dialog is ended by us before the network cuts
/// it, while the bank goes on thinking; anyone who dials again and again is told the truth there, and anyone who does not by a
/// text. (P4, R5)
#[tokio::test]
async fn a_bank_that_outlasts_the_dialog() {
    assert_eq!(READING, IDLE / kiungo::core::budget::READING_DIVISOR);
    let sms_world = SmsWorld::with(Setup::Redis, |options| {
        options.channel = LIMITS;
        options.proxy = true;
        options.timeout = 60;
    })
    .await;
    let world = &sms_world.world;
    world.switch(|switches| {
        switches.faults = vec![FailureRule {
            on: MonoCall::Login,
            trouble: BankFailure::Slow(BANK),
            times: Some(2),
            processed: None,
        }];
    });
    let gateway = Proxy::before(world.nodes[0].port());
    let redis = world.proxy.as_ref().unwrap();
    for proxy in [&gateway, redis] {
        proxy.set(Wire::Delay(AWAY));
    }
    let line = AggregatorClient::new(vec![callback_at(gateway.port())], world.client.clone());
    let watched = |number: &str| Watched {
        phone: Phone::new(number, line.clone()),
        dialled: Stopwatch::start(),
    };
    let (mut waits, mut leaves) = (watched("+2348030009301"), watched("+2348030009302"));
    let waiting = async {
        waits.submits("ada@waits").await;
        let mut dialogs = 1;
        let mut reply = waits.asks_on().await;
        while !reply.text.contains("Done!") {
            reply.ends("We keep asking Providus Bank, up to");
            dialogs += 1;
            reply = waits.dial().await;
            if !reply.end {
                reply = waits.asks_on().await;
            }
        }
        assert!(dialogs > 1, "the bank did not outlast a dialog");
    };
    let leaving = async {
        leaves.submits("ada@leaves").await;
        leaves.asks_on().await.ends("We keep asking Providus Bank, up to");
        let texts = sms_world.inbox(&leaves.phone.number, 1).await;
        assert!(texts[0].contains("your account is linked."), "{texts:?}");
        leaves.dial().await.asks("is linked for Sandbox Lender");
    };
    tokio::join!(waiting, leaving);
    for user in ["ada@waits", "ada@leaves"] {
        assert_eq!(world.submits(user), granted());
        assert_eq!(world.accounts(user).len(), 1);
    }
    assert!(sms_world.gateway.state.inbox(&waits.phone.number).is_empty());
}
