//! A bank that is slow, busy or away: said in time, and nobody types a password for nothing.

use std::time::Duration;

use super::fixtures::{bank, code_form, field, form, link, login_form, opened};
use super::phone::Phone;
use crate::core::flow::{AttemptResult, Effect, OpenResult, SessionEvent};
use crate::core::health::{Health, HealthMap, Open};
use crate::core::ids::ConnectSessionId;
use crate::core::menu::Outcome;
use crate::core::messages::Locale;
use crate::core::next_step::{AccountChoice, Failure, FailureClass, FieldKind};

const ZENITH: Option<&str> = Some("zenith:p");

fn shut(phone: &Phone, seconds: u64, trial: Option<ConnectSessionId>) -> Open {
    Open {
        until: phone.now.plus(Duration::from_secs(seconds)),
        probe: trial,
    }
}

fn unwell(institution: Option<&str>, health: Health) -> HealthMap {
    let mut healths = HealthMap::default();
    healths.insert("mono", institution, health);
    healths
}

fn down(phone: &Phone) -> HealthMap {
    unwell(ZENITH, Health::Down(shut(phone, 30, None)))
}

fn busy(phone: &Phone, seconds: u64) -> HealthMap {
    unwell(ZENITH, Health::Busy(shut(phone, seconds, None)))
}

/// The list says beside the name how a bank is, and only beside that name.
#[test]
fn the_list_says_how_a_bank_is() {
    let mut phone = Phone::new();
    for (institution, health, says) in [
        (ZENITH, Health::Healthy, "1 Zenith Bank\n2 Access Bank\n"),
        (ZENITH, Health::Slow, "1 Zenith Bank (slow now)\n2 Access Bank\n"),
        (
            ZENITH,
            Health::Down(shut(&phone, 30, None)),
            "1 Zenith Bank (not now)\n2 Access Bank\n",
        ),
        (
            ZENITH,
            Health::Busy(shut(&phone, 30, None)),
            "1 Zenith Bank (not now)\n2 Access Bank\n",
        ),
        (None, Health::Slow, "1 Zenith Bank\n2 Access Bank\n"),
        (
            None,
            Health::Down(shut(&phone, 30, None)),
            "1 Zenith Bank (not now)\n2 Access Bank (not now)\n",
        ),
    ] {
        phone.health = unwell(institution, health);
        phone.state.session = None;
        phone.dial();
        let text = phone.types("1");
        assert!(text.contains(says), "{health:?}: {text}");
        phone.check_screen();
        let zenith = says.lines().next().and_then(|line| line.split_once(' '));
        let found = phone.types("bank");
        assert!(
            found.contains(zenith.map_or("", |(_, label)| label)),
            "{health:?}: {found}"
        );
        phone.types("0");
    }
}

/// In every language, on the smallest page, a list of banks that are all slow still shows banks.
#[test]
fn a_slow_list_fits_every_language() {
    for health in [Health::Slow, Health::Down(shut(&Phone::new(), 30, None))] {
        for locale in Locale::ALL {
            let mut phone = Phone::new();
            phone.septets = 136;
            phone.state.locale = locale;
            for offer in &mut phone.banks {
                offer.institution.name = "An institution with a long name".to_owned();
            }
            for bank in ["access:p", "first:p", "polaris:p", "zenith:p"] {
                phone.health.insert("mono", Some(bank), health);
            }
            phone.dial();
            while phone.state.cursor.has_more {
                phone.types("9");
            }
            phone.types("1");
            phone.check_screen();
            assert!(phone.state.cursor.shown.len() >= 2, "{locale}: {}", phone.says());
        }
    }
}

/// Anyone who picks a bank that is away is told at once, opens nothing there, and is offered another; the same when all banks
/// of a provider are, and wherever the person comes from. When it is back, the same key goes on.
#[test]
fn a_bank_that_is_away_is_not_asked() {
    for (healths, says) in [
        (down as fn(&Phone) -> HealthMap, "Zenith Bank is not answering now."),
        (
            |phone| unwell(None, Health::Down(shut(phone, 30, None))),
            "Zenith Bank is not answering now.",
        ),
        (|phone| busy(phone, 30), "Zenith Bank is busy now. Try again in 1 min"),
        (|phone| busy(phone, 601), "Zenith Bank is busy now. Try again in 11 min"),
    ] {
        let mut phone = Phone::at_banks();
        phone.health = healths(&phone);
        assert!(phone.types("1").starts_with(says), "{}", phone.says());
        phone.check_screen();
        assert!(phone.types("1").starts_with(says), "again: {}", phone.says());
        assert!(phone.dial().contains("You began to link Zenith Bank. Go on?"));
        assert!(phone.types("1").starts_with(says), "resumed: {}", phone.says());
        assert!(phone.opens().is_empty(), "{says}");
        assert!(phone.types("2").starts_with("Choose your bank"));
        phone.types("1");
        phone.health = HealthMap::default();
        assert!(
            phone.types("1").starts_with("Zenith Bank: USERNAME"),
            "{}",
            phone.says()
        );
        assert_eq!(phone.opens().len(), 1);
    }
}

/// A bank that goes away while somebody types is told of before the secret is asked, after a pause in the dialog too; a
/// secret that is typed all the same is not sent.
#[test]
fn a_secret_is_not_typed_for_nothing() {
    let at_name = || {
        let mut phone = Phone::at_banks();
        phone.types("1");
        phone
    };
    let mut phone = at_name();
    phone.health = down(&phone);
    assert!(phone.types("ada").starts_with("Zenith Bank is not answering now."));

    let mut phone = at_name();
    phone.types("ada");
    phone.health = busy(&phone, 90);
    assert!(phone.dial().starts_with("Zenith Bank is busy now. Try again in 2 min"));

    let mut phone = at_name();
    phone.types("ada");
    phone.health = down(&phone);
    assert!(
        phone
            .types("Zq7password")
            .starts_with("Zenith Bank is not answering now.")
    );
    assert_eq!(phone.submits(), 0);
    assert!(!phone.value().contains("Zq7password"));
}

/// Anyone who tries whether it is back goes on; everybody else waits for what comes of it.
#[test]
fn whoever_tries_first_goes_on() {
    for own in [true, false] {
        let mut phone = Phone::at_banks();
        phone.types("1");
        let trial = if own {
            phone.session().id
        } else {
            ConnectSessionId::from_bytes([9; 16])
        };
        phone.health = unwell(ZENITH, Health::Down(shut(&phone, 30, Some(trial))));
        phone.keys(&["ada", "Zq7password"]);
        assert_eq!(phone.submits(), usize::from(own), "{}", phone.says());
    }
}

/// A session that could not be opened early is opened before the password, and the person waits for that alone.
#[test]
fn a_session_is_opened_before_the_secret() {
    for (result, says) in [
        (opened("s2", None), "Zenith Bank: PASSWORD"),
        (OpenResult::Unavailable(None), "Zenith Bank is not working now."),
        (
            OpenResult::Unavailable(Some(Duration::from_mins(3))),
            "Zenith Bank is busy now. Try again in 3 min",
        ),
    ] {
        let mut phone = Phone::at_banks();
        phone.opens_at_once = false;
        phone.types("1");
        let first = phone.opens().remove(0).session;
        let apply_open_result = |phone: &mut Phone, session, result| {
            phone.applies(&SessionEvent::ProviderSessionOpened { session, result })
        };
        assert!(apply_open_result(&mut phone, first, OpenResult::Unavailable(None)));
        phone.types("ada");
        assert!(phone.state.awaits_reply());
        let again = phone.opens().remove(0).session;
        assert!(apply_open_result(&mut phone, again, result.clone()));
        assert!(phone.says().starts_with(says), "{}", phone.says());
        assert_eq!(phone.submits(), 0);
    }
}

/// Before the first secret the session's form is known: a session that is still being opened is waited for, once, however
/// often the person looks; and one that wants something else than the list told of is asked that, or nothing at all.
#[test]
fn no_secret_is_asked_before_the_form_is_known() {
    let pin = || form(vec![field("pin", FieldKind::Secret)]);
    let picture = || {
        form(vec![
            field("password", FieldKind::Secret),
            field("captcha", FieldKind::Unsupported),
        ])
    };
    let other = || {
        form(vec![
            field("phone", FieldKind::Digits),
            field("password", FieldKind::Secret),
        ])
    };
    for (listed, open_keys, result, says) in [
        (login_form(), vec!["ada"], None, "Zenith Bank: PASSWORD"),
        (
            login_form(),
            vec!["ada"],
            Some(picture()),
            "Zenith Bank asks for something a keypad phone cannot do",
        ),
        (
            login_form(),
            vec!["ada"],
            Some(other()),
            "Zenith Bank asks for other details",
        ),
        (pin(), vec![], None, "Zenith Bank: PIN"),
        (pin(), vec![], Some(other()), "Zenith Bank: PHONE"),
        (
            pin(),
            vec![],
            Some(picture()),
            "Zenith Bank asks for something a keypad phone cannot do",
        ),
    ] {
        let mut phone = Phone::new();
        phone.opens_at_once = false;
        phone.banks = vec![bank("zenith", "Zenith Bank", vec![listed])];
        phone.dial();
        phone.keys(&["1", "1"]);
        phone.keys(&open_keys);
        assert!(phone.state.awaits_reply(), "{}", phone.says());
        assert!(
            phone.polls(false).starts_with("Zenith Bank is checking"),
            "{}",
            phone.says()
        );
        // Looked at again and again, and after a redial: it is the one session that is waited for.
        phone.types("1");
        phone.polls(false);
        assert!(phone.dial().starts_with("Zenith Bank is checking"), "{}", phone.says());
        phone.types("1");
        let mut opens = phone.opens();
        assert_eq!((opens.len(), phone.submits()), (1, 0));
        let session = opens.remove(0).session;
        let result = opened("s1", result);
        assert!(phone.applies(&SessionEvent::ProviderSessionOpened { session, result }));
        assert!(phone.says().starts_with(says), "{}", phone.says());
        assert!(phone.opens().is_empty());
    }
}

/// A session that ends before the password is asked is opened again first; one whose opening nobody answers is opened again
/// when nobody can answer it any more.
#[test]
fn a_session_that_is_over_is_opened_anew_before_the_secret() {
    let mut phone = Phone::at_banks();
    phone.types("1");
    let end = phone.now.plus(Duration::from_mins(1));
    let session = phone.state.session.as_mut().expect("a session");
    session.provider_session.as_mut().expect("opened").expires_at = Some(end);
    phone.opens();
    phone.opens_at_once = false;
    phone.passes(Duration::from_secs(61));
    phone.types("ada");
    assert!(phone.state.awaits_reply());
    assert_eq!(phone.opens().len(), 1);
    phone.polls(false);
    phone.passes(Duration::from_secs(41));
    phone.types("1");
    assert_eq!(phone.opens().len(), 1, "the process that opened it is gone");
}

/// A login that meets a busy bank says when to come back, and where nobody says, that it is not available.
#[test]
fn a_busy_bank_says_when_to_come_back() {
    for (retry_after, says) in [
        (
            Some(Duration::from_secs(61)),
            "Zenith Bank is busy now. Try again in 2 min",
        ),
        (None, "Zenith Bank is not working now."),
    ] {
        let (mut phone, id) = Phone::submitted();
        let class = FailureClass::Busy;
        assert!(phone.resolves(
            id,
            AttemptResult::Failed(Failure {
                retry_after,
                ..class.into()
            })
        ));
        assert!(phone.says().starts_with(says), "{}", phone.says());
    }
}

/// A code or a choice for which the bank was too busy is asked for again, and not the login: nothing was tried.
#[test]
fn a_busy_bank_costs_no_code() {
    let account = AccountChoice {
        key: "0123456789".to_owned(),
        masked: "6789".to_owned(),
        label: "Savings".to_owned(),
        currency: None,
    };
    for (asks, answer, says, stage) in [
        (
            AttemptResult::Prompt(code_form()),
            "123456",
            "Zenith Bank: OTP",
            Outcome::Ask,
        ),
        (
            AttemptResult::ChooseAccount(vec![account].into()),
            "1",
            "Zenith Bank: which account?",
            Outcome::ChooseAccount,
        ),
    ] {
        let (mut phone, id) = Phone::submitted();
        phone.resolves(id, asks);
        phone.types(answer);
        let id = phone.submit().attempt;
        let failure = Failure {
            retry_after: Some(Duration::from_secs(30)),
            ..FailureClass::Busy.into()
        };
        phone.resolves(id, AttemptResult::Failed(failure));
        phone.health = busy(&phone, 20);
        assert!(
            phone.types("1").starts_with("Zenith Bank is busy now."),
            "{}",
            phone.says()
        );
        phone.health = HealthMap::default();
        assert!(phone.types("1").starts_with(says), "{}", phone.says());
        assert_eq!(phone.stage(), Some(stage));
        phone.types(answer);
        assert_eq!(phone.submits(), 1);
    }
}

/// Logging in again for a link is held back like a first login.
#[test]
fn a_renewal_waits_for_the_bank_too() {
    let mut phone = Phone::new();
    phone.state.links = vec![link(1, "zenith:p", "Zenith Bank")];
    phone.dial();
    phone.health = down(&phone);
    phone.keys(&["2", "1"]);
    assert!(
        phone.types("1").starts_with("Zenith Bank is not answering now."),
        "{}",
        phone.says()
    );
    assert!(
        !phone
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::OpenSession(_)))
    );
    phone.health = HealthMap::default();
    phone.types("1");
    assert_eq!(phone.opens().len(), 1);
}
