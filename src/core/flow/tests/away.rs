//! Somebody whose bank goes on without the phone.

use std::time::Duration;

use super::fixtures::{away_bank, form, session_of};
use super::phone::Phone;
use crate::core::flow::{Effect, OpenResult, OpenSession, SessionEvent, Waiting, WaitingFor};
use crate::core::ids::AttemptId;
use crate::core::linking::Journey;
use crate::core::menu::Outcome;
use crate::core::next_step::LinkPurpose;

pub const ATTEMPT: AttemptId = AttemptId::from_bytes([9; 16]);
pub const QUARTER: Duration = Duration::from_mins(15);

/// Everything that can go on without the phone, and what its screen begins with.
pub fn waits() -> Vec<(WaitingFor, Outcome, &'static str)> {
    let approval = WaitingFor::Approval {
        message: Some("Pay\nno one 1 Yes".to_owned()),
        binding: Some("K4-17".to_owned()),
    };
    let bare = WaitingFor::Approval {
        message: None,
        binding: None,
    };
    vec![
        (
            WaitingFor::Page(LinkPurpose::LogIn),
            Outcome::OpenPage,
            "To log in to Kuda, open the SMS link: 15 min left.\n1 Check again\n2 Send again\n3 Start again\n0 Leave",
        ),
        (
            WaitingFor::Page(LinkPurpose::Approve),
            Outcome::OpenPage,
            "To approve at Kuda, open the SMS link: 15 min left.\n1 Check again",
        ),
        (
            approval,
            Outcome::ApproveElsewhere,
            "Approve in the Kuda app.\nCode K4-17. Pay no one 1 Yes\n1 Check again\n2 Another bank\n0 Leave",
        ),
        (
            bare,
            Outcome::ApproveElsewhere,
            "Approve in the Kuda app.\n1 Check again",
        ),
        (
            WaitingFor::Time,
            Outcome::Waiting,
            "Kuda is working on it. It can take up to 15 min.\n1 Check again\n0 Leave",
        ),
    ]
}

/// Somebody whose only bank has this journey.
pub fn at(journey: Journey) -> Phone {
    let mut phone = Phone::new();
    phone.banks = vec![away_bank("kuda", "Kuda", journey, form(vec![]))];
    phone
}

pub fn waiting(phone: &Phone, what: &WaitingFor) -> Waiting {
    Waiting {
        what: what.clone(),
        until: phone.now.plus(QUARTER),
    }
}

/// The provider opens the session, and it goes on without the phone.
pub fn opens(phone: &mut Phone, open: &OpenSession, what: &WaitingFor) {
    let result = OpenResult::Waiting {
        session: session_of("s-1"),
        attempt: ATTEMPT,
        waiting: waiting(phone, what),
    };
    assert!(phone.applies(&SessionEvent::ProviderSessionOpened {
        session: open.session,
        result,
    }));
}

/// Picks the bank on the phone or by SMS, and it goes on without it.
pub fn begun(what: &WaitingFor, by_sms: bool) -> Phone {
    let mut phone = at(Journey::Browser);
    if by_sms {
        phone.agrees_by_text();
        assert_eq!(phone.sends_text("1").screen(), "", "the turn waits for the opening");
    } else {
        phone.dial();
        assert_eq!(phone.keys(&["1", "1"]), "", "the turn waits for the opening");
    }
    let open = phone.opens().remove(0);
    let consent = open.consent.as_ref().expect("what allows it goes with the opening");
    assert_eq!(consent.channel, if by_sms { "sms:ng" } else { "at-ng" });
    opens(&mut phone, &open, what);
    phone
}

/// What a screen says in a text. Others read it: the bank is not named, and what it says is not repeated.
pub fn texted(screen: &str) -> String {
    let screen = screen
        .replace("the Kuda app", "your bank's app")
        .replace(". Pay no one 1 Yes", "");
    match screen.strip_prefix("Kuda") {
        Some(rest) => format!("Your bank{rest}"),
        None => screen.replace("Kuda", "your bank"),
    }
}

/// How often it was asked how far the attempt is, since this was last asked.
pub fn asked(phone: &mut Phone) -> usize {
    let effects = std::mem::take(&mut phone.effects);
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Submit(_) | Effect::OpenSession(_)))
    );
    let of = |effect: &&Effect| matches!(effect, Effect::ResolveAttempt(id) if *id == ATTEMPT);
    effects.iter().filter(of).count()
}
