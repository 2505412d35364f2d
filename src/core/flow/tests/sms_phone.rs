//! A phone that texts.

use std::sync::{Arc, OnceLock};

use super::phone::{Phone, flow_with};
use crate::core::flow::dialogs::DialogDecision;
use crate::core::flow::state::ReplySlot;
use crate::core::flow::turn_context::{ReceivedSms, SmsContext, TurnContext, TurnEvent};
use crate::core::flow::{Flow, SubscriberFacts};
use crate::core::gsm7;
use crate::core::policy::{SecretsOverSms, SecretsOverUssd};
use crate::core::secret::Secret;
use crate::core::sms_keywords::Keyword;
use crate::core::time::Timestamp;

/// What becomes of a text.
#[derive(Debug, PartialEq, Eq)]
pub enum SmsOutcome {
    /// This is sent.
    Screen(String),
    /// It was taken before; what stands there is this.
    Repeat(String),
    /// They are on the phone.
    Elsewhere,
    /// It neither begins nor answers anything.
    Nothing,
}

impl SmsOutcome {
    /// What is sent.
    pub fn screen(self) -> String {
        match self {
            Self::Screen(text) => text,
            other => panic!("{other:?}"),
        }
    }
}

/// A text as a gateway hands it on.
pub struct Sms<'a> {
    pub id: u8,
    pub text: &'a str,
    /// Whether all of it is here.
    pub whole: bool,
    /// When it was sent.
    pub at: Timestamp,
    /// Since when they want no texts, if so.
    pub stopped: Option<Timestamp>,
}

impl Phone {
    /// The gateway hands this text on.
    pub fn hands_on(&mut self, sms: &Sms<'_>) -> SmsOutcome {
        let id = sms.id.to_string();
        let context = SmsContext {
            id: &id,
            proofs_left: self.proofs_left,
            dial: "*384*96#",
            opted_out_at: sms.stopped,
        };
        let ids = ([sms.id; 32], u64::from(sms.id));
        let turn = TurnContext::for_sms(ids, ("sms:ng", "NG"), context, self.now);
        let event = TurnEvent::Sms(ReceivedSms {
            keyword: Keyword::recognize(sms.text).0,
            text: sms.whole.then(|| Secret::new(sms.text)),
            sent_at: sms.at,
        });
        match Flow::admit(&mut self.state, &turn, &event, self.now, &|_| [0; 32]) {
            DialogDecision::Step(input) => {
                let known = SubscriberFacts {
                    links: self.state.links.clone(),
                    pin: self.state.pin.clone(),
                    ..SubscriberFacts::default()
                };
                let known = input.begins_dialog().then_some(&known);
                let effects = self.step(|flow, state, context| flow.turn(state, input, known, context));
                self.effects.extend(effects);
                self.opens_what_is_typed();
                if !self.state.awaits_reply() {
                    self.fits_one_part();
                }
                SmsOutcome::Screen(self.says())
            }
            DialogDecision::Repeat(ReplySlot::Set(answer)) => SmsOutcome::Repeat(answer.text),
            DialogDecision::Repeat(ReplySlot::Pending { .. }) => panic!("nobody waits"),
            DialogDecision::Elsewhere => SmsOutcome::Elsewhere,
            DialogDecision::Over => SmsOutcome::Nothing,
        }
    }

    /// Sends a text now, the way most come; the one after the last.
    pub fn sends_text(&mut self, text: &str) -> SmsOutcome {
        self.dialog += 1;
        let (id, at) = (self.dialog, self.now);
        self.hands_on(&Sms {
            id,
            text,
            whole: true,
            at,
            stopped: None,
        })
    }

    /// Sends text after text and reads what the last one led to.
    pub fn sends_texts(&mut self, texts: &[&str]) -> String {
        let told: Vec<_> = texts.iter().map(|text| self.sends_text(text).screen()).collect();
        told.last().cloned().unwrap_or_default()
    }

    /// Begins, and agrees by the number that stands in the text.
    pub fn agrees_by_text(&mut self) -> String {
        let welcome = self.sends_text("LINK").screen();
        self.sends_text(&number_in(&welcome)).screen()
    }

    fn fits_one_part(&self) {
        let text = self.says();
        let septets = gsm7::septets(&text).unwrap_or_else(|| panic!("not in GSM-7: {text}"));
        // What is agreed to is there as a whole, with what to reply at its end.
        let most = self.state.cursor.confirmation.as_ref().map_or(160, |_| 306);
        assert!((1..=most).contains(&septets), "{septets} septets: {text}");
    }
}

/// The number of six digits in a text.
pub fn number_in(text: &str) -> String {
    let found = text
        .split_whitespace()
        .find(|word| word.len() == 6 && word.parse::<u32>().is_ok());
    found.unwrap_or_else(|| panic!("no number in {text}")).to_owned()
}

/// What is dialled in a text, behind the service code.
pub fn code_in(text: &str) -> String {
    let (_, from) = text
        .split_once("*384*96*")
        .unwrap_or_else(|| panic!("no code in {text}"));
    from.split('#').next().unwrap_or_default().to_owned()
}

/// In which secrets may be texted.
pub fn allowing() -> Phone {
    static FLOW: OnceLock<Arc<Flow>> = OnceLock::new();
    let flow = FLOW.get_or_init(|| {
        let mut flow = flow_with(SecretsOverUssd::Allow, Vec::new());
        let own = Arc::get_mut(&mut flow).expect("nobody else's");
        own.settings.policy.secrets_over_sms = SecretsOverSms::Allow;
        flow
    });
    Phone::with(flow.clone())
}
