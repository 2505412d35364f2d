//! A world whose people can be sent texts: one stand-in for an SMS gateway behind all its servers.

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::core::secret::Secret;
use kiungo::sandbox::sms::{RunningSms, SmsFailure, SmsStandIn, SmsStandInSettings, SmsSwitches};

use super::eventually;
use super::options::Options;
use super::records::TYPES;
use super::world::{Setup, World};

/// The gateway's name here, and our name there.
const NAME: &str = "texts";
/// Our key there.
const KEY: &str = "Zq7-key-at-the-sms-gateway";
/// The secret segment of its callbacks.
const SECRET: &str = "sms-path-secret-of-the-tests-0123456789";
/// Long enough for anything to arrive.
const PATIENCE: Duration = Duration::from_mins(1);

/// What was dialled behind the service code in a text, such as 482913507.
pub fn code_in(text: &str) -> String {
    let (_, from) = text
        .split_once("*384*96*")
        .unwrap_or_else(|| panic!("no code in {text}"));
    from.split('#').next().unwrap().to_owned()
}

/// The number of six digits that a line of a text begins with: what is texted to agree.
pub fn number_in(text: &str) -> String {
    let mut words = text.split_whitespace();
    let number = words.find(|word| word.len() == 6 && word.parse::<u32>().is_ok());
    number.unwrap_or_else(|| panic!("no number in {text}")).to_owned()
}

/// A world, and the gateway that carries its texts.
pub struct SmsWorld {
    /// The servers and all else.
    pub world: World,
    /// The gateway.
    pub gateway: RunningSms,
}

impl SmsWorld {
    /// Starts one in which the lease of a submission is over after 12 s: then nothing is left to be found out about it.
    pub async fn with(setup: Setup, change: impl FnOnce(&mut Options)) -> Self {
        let settings = SmsStandInSettings {
            username: NAME.to_owned(),
            key: Secret::new(KEY),
            number: "38496".to_owned(),
        };
        let gateway = SmsStandIn::start(settings, Arc::new(SystemClock), Arc::new(OsRng)).unwrap();
        let section = format!(
            "\n\n[[sms]]\nname = \"{NAME}\"\ngateway = \"africastalking\"\nbase_url = \"{}\"\nusername = \"{NAME}\"\n\
             api_key = \"{KEY}\"\nsender = \"38496\"\nsecret = \"{SECRET}\"\ncountry = \"NG\"\n",
            gateway.url()
        );
        let world = World::with(setup, |options| {
            options.timeout = 10;
            options.lease_margin = Some(2);
            change(options);
            options.policy.push_str(&section);
        })
        .await;
        let url = format!("{}/sms/{NAME}/{SECRET}", world.nodes[0].url());
        gateway.state.call_back_at(&url);
        Self { world, gateway }
    }

    /// What goes wrong at the gateway from now on.
    pub fn fail_with(&self, trouble: Option<SmsFailure>) {
        self.gateway.state.set_switches(SmsSwitches {
            trouble,
            ..SmsSwitches::default()
        });
    }

    /// The texts that this number has got, once there are so many.
    pub async fn inbox(&self, number: &str, count: usize) -> Vec<String> {
        let read = || self.gateway.state.inbox(number);
        eventually(PATIENCE, async || read().len() >= count).await;
        read().into_iter().map(|text| text.text).collect()
    }

    /// Somebody texts, and reads the next text that comes.
    pub async fn send(&self, number: &str, text: &str) -> String {
        let before = self.gateway.state.inbox(number).len();
        self.gateway.state.send_from(number, text);
        let texts = self.inbox(number, before + 1).await;
        texts[before].clone()
    }

    /// Waits until no server has anything left to do, now or later.
    pub async fn idle(&self) {
        eventually(PATIENCE, async || {
            self.world.records.next_due(TYPES).await.unwrap().is_none()
        })
        .await;
    }
}
