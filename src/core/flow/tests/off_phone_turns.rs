//! What turns up while something goes on without the phone: another try, another wait, its end, a lost store.

use std::sync::Arc;
use std::time::Duration;

use super::away::{ATTEMPT, QUARTER, asked, at, begun, opens, waiting, waits};
use super::fixtures::{away_bank, failed, field, form, link, session_of};
use super::phone::{Phone, flow_with};
use super::sms_phone::code_in;
use crate::core::attempt::LiveAttemptState;
use crate::core::flow::handover::HandoverDecision;
use crate::core::flow::{AttemptResult, Effect, OpenResult, PendingAttempt, SessionEvent, SubscriberFacts, WaitingFor};
use crate::core::linking::{Journey, SubmissionStep};
use crate::core::next_step::{AccountChoice, FailureClass, FieldKind, LinkPurpose};
use crate::core::policy::SecretsOverUssd;

fn account(key: &str) -> AccountChoice {
    AccountChoice {
        key: key.to_owned(),
        masked: "4321".to_owned(),
        label: "Savings".to_owned(),
        currency: None,
    }
}

/// After a no the person tries again, with a session of its own, or goes to another bank.
#[test]
fn after_a_no_there_is_another_try() {
    for class in [
        FailureClass::Denied,
        FailureClass::ActAtBank,
        FailureClass::PasswordExpired,
    ] {
        let mut phone = begun(&WaitingFor::Time, false);
        let first = phone.session().id;
        phone.types("1");
        phone.resolves(ATTEMPT, failed(class));
        assert_eq!(phone.types("1"), "");
        let open = phone.opens().remove(0);
        assert_ne!(open.session, first, "a late answer to the first try is not this one's");
        assert!(!phone.resolves(ATTEMPT, AttemptResult::Granted));
        opens(&mut phone, &open, &WaitingFor::Time);
        phone.types("1");
        phone.resolves(ATTEMPT, failed(class));
        assert!(phone.types("2").starts_with("Choose your bank"), "{}", phone.says());
    }
}

/// One kind of waiting follows another; an approval that somebody has not seen is worth an SMS, which names no bank and
/// leads straight back.
#[test]
fn one_wait_follows_another() {
    let mut phone = begun(&WaitingFor::Page(LinkPurpose::LogIn), false);
    phone.types("0");
    let (approval, _, screen) = waits().remove(2);
    let next = waiting(&phone, &approval);
    assert!(phone.resolves(ATTEMPT, AttemptResult::Waiting(next)));
    let told = phone.step(|flow, state, context| flow.handover_sms(state, ATTEMPT, "*384*96#", context));
    let HandoverDecision::Send(text) = told else {
        panic!("{told:?}")
    };
    assert!(
        text.contains("approve the request in your bank's app") && !text.contains("Kuda"),
        "{text}"
    );
    let again = phone.dial_known(&SubscriberFacts::default(), &[&code_in(&text)]);
    assert!(again.starts_with(screen), "{again}");
    assert!(asked(&mut phone) >= 1);
}

/// Starting again, or at another bank, leaves a wait for which nothing was submitted, and what comes of it later is nobody's.
#[test]
fn starting_again_leaves_it() {
    for (what, key, begins) in [
        (WaitingFor::Page(LinkPurpose::LogIn), "3", "Umoja Credit asks to see"),
        (waits().remove(2).0, "2", "Choose your bank"),
    ] {
        let mut phone = begun(&what, false);
        assert!(phone.types(key).starts_with(begins), "{}", phone.says());
        assert!(!phone.resolves(ATTEMPT, AttemptResult::Granted));
    }
}

/// The link is sent again when it is asked for, but not twice in a minute: each costs, and the first may be on its way.
#[test]
fn the_link_is_sent_again() {
    for by_sms in [false, true] {
        let mut phone = begun(&WaitingFor::Page(LinkPurpose::LogIn), by_sms);
        let press = |phone: &mut Phone| {
            let said = if by_sms {
                phone.sends_text("2").screen()
            } else {
                phone.types("2")
            };
            let sent = phone
                .effects
                .drain(..)
                .filter(|effect| matches!(effect, Effect::SendPageLink(id) if *id == ATTEMPT));
            (said, sent.count())
        };
        let (said, sent) = press(&mut phone);
        assert!(said.starts_with("It was sent just now."), "{said}");
        assert_eq!(sent, 0);
        phone.passes(Duration::from_secs(61));
        let (said, sent) = press(&mut phone);
        assert!(said.starts_with("We sent the link again.\nTo log in to "), "{said}");
        assert!(said.contains("14 min left"), "{said}");
        assert_eq!(sent, 1);
        assert_eq!(press(&mut phone).1, 0);
    }
}

/// Past the end that the provider named it is asked once more, and the screen says that it is being found out; a later end
/// is believed.
#[test]
fn past_its_end_it_is_found_out() {
    let (what, _, screen) = waits().remove(2);
    let mut phone = begun(&what, false);
    phone.passes(QUARTER + Duration::from_secs(1));
    assert!(phone.state.attempt_overdue(phone.now));
    let said = phone.dial();
    assert!(said.starts_with("Kuda has not answered"), "{said}");
    assert_eq!(asked(&mut phone), 1);
    assert_eq!(
        phone.session().attempt.as_ref().map(|attempt| attempt.state),
        Some(LiveAttemptState::Waiting),
        "it was never sent, and is not unknown"
    );
    phone.types("1");
    let longer = waiting(&phone, &what);
    assert!(phone.resolves(ATTEMPT, AttemptResult::Waiting(longer)));
    assert!(phone.says().starts_with(screen), "{}", phone.says());
    assert!(!phone.state.attempt_overdue(phone.now));
}

/// A first form is asked before, without a warning and although secrets are forbidden, as long as it asks for none; its
/// answers are submitted, and then it goes on without the phone.
#[test]
fn a_first_form_is_asked() {
    for policy in [SecretsOverUssd::Warn, SecretsOverUssd::Deny] {
        let mut phone = Phone::with(flow_with(policy, Vec::new()));
        let first = form(vec![field("user", FieldKind::Text)]);
        phone.banks = vec![away_bank("kuda", "Kuda", Journey::Browser, first)];
        phone.dial();
        let said = phone.keys(&["1", "1"]);
        assert!(said.starts_with("Kuda: USER"), "{said}");
        assert_eq!(phone.types("ada"), "");
        let submit = phone.submit();
        assert_eq!((submit.step, submit.answers.len()), (SubmissionStep::Login, 1));
        assert!(submit.open.consent.is_some());
        phone.sends(submit.attempt);
        let next = waiting(&phone, &WaitingFor::Page(LinkPurpose::LogIn));
        assert!(phone.resolves(submit.attempt, AttemptResult::Waiting(next)));
        assert!(phone.says().starts_with("To log in to Kuda"), "{}", phone.says());
        assert!(phone.dial().starts_with("To log in to Kuda"), "{}", phone.says());
    }
}

/// What was lost on its way to us and turns out to go on without the phone is shown so: silence is not the last word.
#[test]
fn silence_may_turn_out_to_wait() {
    let (mut phone, id) = Phone::submitted();
    phone.resolves(id, AttemptResult::Unknown);
    let next = waiting(&phone, &WaitingFor::Time);
    assert!(phone.resolves(id, AttemptResult::Waiting(next)));
    assert!(phone.state.refusals.is_empty(), "the bank took the login");
    phone.dial();
    assert!(
        phone.says().starts_with("Zenith Bank is working on it"),
        "{}",
        phone.says()
    );
    assert!(
        !phone.resolves(id, AttemptResult::Unknown),
        "what waits has left our hands"
    );
}

/// Opening may end otherwise: with accounts, with a grant, or with a no. A second opening of the same session, by a redial,
/// changes nothing.
#[test]
fn opening_may_end_at_once() {
    let opened = |result: OpenResult| {
        let mut phone = at(Journey::Elsewhere);
        phone.dial();
        phone.keys(&["1", "1"]);
        let session = phone.opens().remove(0).session;
        let event = SessionEvent::ProviderSessionOpened { session, result };
        assert!(phone.applies(&event));
        (phone, event)
    };
    let accounts = OpenResult::Accounts {
        session: session_of("s-1"),
        list: vec![account("a"), account("b")].into(),
    };
    let (mut phone, _) = opened(accounts);
    assert!(phone.says().starts_with("Kuda: which account?"), "{}", phone.says());
    phone.types("2");
    let submit = phone.submit();
    assert_eq!(submit.step, SubmissionStep::Choose);
    assert_eq!(
        submit.provider_session.map(|session| session.id).as_deref(),
        Some("s-1")
    );

    let (mut phone, event) = opened(OpenResult::Granted {
        session: session_of("s-1"),
        attempt: ATTEMPT,
    });
    assert_eq!(phone.says(), "", "its link is still to come");
    assert!(phone.applies(&event), "once more");
    assert!(phone.resolves(ATTEMPT, AttemptResult::Linked(link(1, "kuda:p", "Kuda"))));
    assert!(phone.says().starts_with("Done! Kuda"), "{}", phone.says());
    assert!(!phone.applies(&event));

    for (class, screen) in [
        (FailureClass::Denied, "Kuda says that you did not"),
        (FailureClass::WrongCode, "Kuda did not let you in"),
        (FailureClass::SessionExpired, "Kuda is not working"),
        (FailureClass::Busy, "Kuda is not working"),
        (FailureClass::Misconfigured, "We cannot link Kuda"),
        (FailureClass::Unsupported, "Kuda asks for something"),
    ] {
        let (phone, _) = opened(OpenResult::Failed(class.into()));
        assert!(phone.says().starts_with(screen), "{class:?}: {}", phone.says());
    }
}

/// A dialog that was cut while the session was being opened goes on there; and a bank that leads out of the phone while a
/// field is on the screen says so before the next line is taken for an answer.
#[test]
fn it_may_go_on_while_something_else_is_shown() {
    let mut phone = at(Journey::Browser);
    phone.dial();
    phone.keys(&["1", "1"]);
    let open = phone.opens().remove(0);
    assert!(phone.dial().starts_with("Kuda is checking"), "{}", phone.says());
    opens(&mut phone, &open, &WaitingFor::Time);
    let said = phone.types("1");
    assert!(said.is_empty() || said.starts_with("Kuda is working"), "{said}");
    assert!(phone.polls(false).starts_with("Kuda is working"), "{}", phone.says());

    let mut phone = Phone::at_banks();
    phone.keys(&["1"]);
    let open = phone.opens().remove(0);
    opens(&mut phone, &open, &WaitingFor::Time);
    let said = phone.types("Zq7user");
    assert!(said.starts_with("Zenith Bank is working"), "{said}");
    assert!(!phone.value().contains("Zq7user"));
    assert_eq!(phone.submits(), 0);

    let mut phone = Phone::with(flow_with(SecretsOverUssd::Warn, Vec::new()));
    phone.dial();
    phone.keys(&["1", "1"]);
    let open = phone.opens().remove(0);
    opens(&mut phone, &open, &WaitingFor::Time);
    phone.types("1");
    assert!(
        phone.polls(false).starts_with("Zenith Bank is working"),
        "{}",
        phone.says()
    );
}

/// Where no SMS can be sent to somebody a page is nothing to wait for: the person is told so, and not left with a link that never comes.
#[test]
fn no_page_without_texts() {
    let mut flow = flow_with(SecretsOverUssd::Allow, Vec::new());
    Arc::get_mut(&mut flow).expect("nobody else's").settings.sms_countries = ["GH".to_owned()].into();
    let mut phone = Phone::with(flow);
    phone.banks = vec![away_bank("kuda", "Kuda", Journey::Elsewhere, form(vec![]))];
    phone.dial();
    phone.keys(&["1", "1"]);
    let open = phone.opens().remove(0);
    opens(&mut phone, &open, &WaitingFor::Page(LinkPurpose::LogIn));
    assert!(phone.says().starts_with("Kuda asks for something"), "{}", phone.says());
    assert!(phone.types("2").starts_with("Choose your bank"), "{}", phone.says());
}

/// The store has lost everybody: what the records know to wait is taken up, and asked at once what for.
#[test]
fn a_lost_store_finds_it_again() {
    let (what, _, screen) = waits().remove(2);
    let mut phone = begun(&what, false);
    let session = phone.session();
    let pending = PendingAttempt {
        series: session.series,
        submissions: session.submissions,
        attempt: session.attempt.clone().expect("an attempt"),
        session: session.id,
        consent: session.consent.clone(),
        terms: session.terms.clone(),
        renews: None,
        institution: session.institution.clone().expect("a bank"),
    };
    phone.state = crate::core::flow::state::Subscriber::new(phone.state.msisdn.clone(), phone.state.locale);
    let known = SubscriberFacts {
        pending: Some(pending),
        ..SubscriberFacts::default()
    };
    let said = phone.dial_known(&known, &[]);
    assert!(said.starts_with("Kuda is working on it"), "{said}");
    assert_eq!(asked(&mut phone), 1);
    phone.types("1");
    let still = waiting(&phone, &what);
    assert!(phone.resolves(ATTEMPT, AttemptResult::Waiting(still)));
    assert!(phone.says().starts_with(screen), "{}", phone.says());
}

/// The SMS with the address of a page is whole, in one part, and names no bank.
#[test]
fn the_page_link_is_one_text() {
    let phone = Phone::new();
    let url = format!("https://link.example.com/go/{}", "x".repeat(43));
    for locale in crate::core::messages::Locale::ALL {
        let text = phone.flow.page_link_sms(locale, "Umoja Credit", &url);
        assert!(text.contains(&url), "{locale}: {text}");
        assert!(
            crate::core::gsm7::septets(&text).is_some_and(|septets| septets <= 160),
            "{locale}: {text}"
        );
    }
}
