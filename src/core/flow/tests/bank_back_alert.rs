//! A text when a bank is back: asked for where it can come, and promised once it is written down.

use std::sync::Arc;
use std::time::Duration;

use super::fixtures::opened;
use super::phone::{Phone, flow_with};
use crate::core::flow::{BankAlertAnswer, BankAlertRequest, Effect, SessionEvent};
use crate::core::health::{Health, HealthMap, Open};
use crate::core::ids::ConnectSessionId;
use crate::core::messages::Locale;
use crate::core::policy::SecretsOverUssd;

/// With one of these the bank says that nobody is to be sent there.
fn away(phone: &Phone) -> [Health; 2] {
    let until = phone.now.plus(Duration::from_mins(2));
    let shut = Open { until, probe: None };
    [Health::Down(shut), Health::Busy(shut)]
}

/// Stands before Zenith, which is away.
fn at_closed_door(phone: &mut Phone, health: Health) {
    phone.health.insert("mono", Some("zenith:p"), health);
    phone.dial();
    phone.keys(&["1", "1"]);
}

/// The text that was asked for.
fn asked(phone: &mut Phone) -> BankAlertRequest {
    let at = phone
        .effects
        .iter()
        .position(|effect| matches!(effect, Effect::RequestBankAlert(_)));
    match phone.effects.remove(at.expect("a wish")) {
        Effect::RequestBankAlert(asked) => *asked,
        other => panic!("{other:?}"),
    }
}

fn promise(phone: &mut Phone, session: ConnectSessionId, promise: BankAlertAnswer) -> bool {
    phone.applies(&SessionEvent::BankAlertAnswered {
        session,
        answer: promise,
    })
}

/// Anyone who asks is told what can be promised, once that is known, and is sent nowhere; the next dial goes on where they were.
#[test]
fn a_text_is_promised_when_it_is_written_down() {
    let phone = Phone::new();
    for health in away(&phone) {
        for (what, says, end) in [
            (
                BankAlertAnswer::Accepted,
                "We will text you once, when it is back.",
                true,
            ),
            (BankAlertAnswer::OptedOut, "You told us to send no texts.", true),
            (
                BankAlertAnswer::Failed,
                "That did not work. Please try again.\nZenith Bank is",
                false,
            ),
        ] {
            let mut phone = Phone::new();
            phone.state.locale = Locale::En;
            at_closed_door(&mut phone, health);
            assert!(
                phone.says().contains("\n3 Text me when it is back\n"),
                "{}",
                phone.says()
            );
            phone.check_screen();
            phone.types("3");
            assert!(phone.state.awaits_reply());
            let wish = asked(&mut phone);
            assert_eq!(
                (wish.open.provider.as_str(), wish.open.institution.id.as_str()),
                ("mono", "zenith:p")
            );
            assert_eq!((wish.locale, wish.channel.as_str()), (Locale::En, "at-ng"));
            assert!(promise(&mut phone, wish.open.session, what));
            assert!(phone.says().starts_with(says), "{}", phone.says());
            assert_eq!(phone.answer().map(|answer| answer.end), Some(end));
            assert!(!end || !phone.says().contains("Zenith"));
            phone.check_screen();
            assert!(
                phone.dial().starts_with("You began to link Zenith Bank. Go on?"),
                "{}",
                phone.says()
            );
            assert!(phone.opens().is_empty());
        }
    }
}

/// A promise that comes too late changes no screen: what was there is shown again, and says nothing of a text.
#[test]
fn nothing_is_promised_before_it_is_written_down() {
    let phone = Phone::new();
    for health in away(&phone) {
        let mut phone = Phone::new();
        at_closed_door(&mut phone, health);
        phone.types("3");
        let wish = asked(&mut phone);
        let other = ConnectSessionId::from_bytes([9; 16]);
        assert!(!promise(&mut phone, other, BankAlertAnswer::Accepted));
        assert!(phone.polls(false).starts_with("Zenith Bank is "), "{}", phone.says());
        assert!(!promise(&mut phone, wish.open.session, BankAlertAnswer::Accepted));
        assert!(phone.says().starts_with("Zenith Bank is "), "{}", phone.says());
    }
}

/// A bank that is back by the time somebody asks is gone on with.
#[test]
fn a_bank_that_is_back_is_gone_on_with() {
    let phone = Phone::new();
    for health in away(&phone) {
        let mut phone = Phone::new();
        at_closed_door(&mut phone, health);
        phone.health = HealthMap::default();
        let says = phone.types("3");
        assert!(says.starts_with("It is back now.\nZenith Bank: USERNAME"), "{says}");
        assert_eq!(phone.opens().len(), 1);
    }
}

/// Where no texts can be sent to somebody there is no such choice, and its key is no choice: also where they can be sent to
/// people of another country.
#[test]
fn there_is_no_choice_without_texts() {
    let reached = |countries: &[&str]| {
        let mut flow = flow_with(SecretsOverUssd::Allow, Vec::new());
        let countries = countries.iter().map(|country| (*country).to_owned());
        Arc::get_mut(&mut flow).expect("nobody else's").settings.sms_countries = countries.collect();
        flow
    };
    let flows = [reached(&[]), reached(&["GH", "KE"])];
    let cases = flows
        .iter()
        .flat_map(|flow| away(&Phone::new()).into_iter().map(move |health| (flow, health)));
    for (flow, health) in cases {
        let mut phone = Phone::with(flow.clone());
        at_closed_door(&mut phone, health);
        assert!(
            phone.says().ends_with("1 Try again\n2 Another bank\n0 Leave"),
            "{}",
            phone.says()
        );
        assert!(
            phone.types("3").starts_with("Choose from the list."),
            "{}",
            phone.says()
        );
        assert!(phone.effects.is_empty());
    }
}

/// Anyone who has got as far as a session knows that the bank is back; anyone who was only told that it is away does not, nor
/// anyone who went to another bank.
#[test]
fn who_got_further_knows() {
    let mut phone = Phone::new();
    phone.opens_at_once = false;
    let health = away(&phone)[0];
    let knows = |phone: &Phone| phone.state.has_reached("mono", "zenith:p");
    at_closed_door(&mut phone, health);
    assert!(!knows(&phone));
    phone.health = HealthMap::default();
    phone.types("1");
    assert!(!knows(&phone), "no session is open yet");
    let session = phone.opens().remove(0).session;
    let result = opened("s1", None);
    assert!(phone.applies(&SessionEvent::ProviderSessionOpened { session, result }));
    assert!(knows(&phone));
    phone.health.insert("mono", Some("zenith:p"), health);
    phone.types("ada");
    assert!(
        phone.says().starts_with("Zenith Bank is not answering now."),
        "{}",
        phone.says()
    );
    assert!(!knows(&phone));
    phone.keys(&["2", "2"]);
    assert!(!knows(&phone));
}
