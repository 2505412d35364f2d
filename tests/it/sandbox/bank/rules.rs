use std::time::Duration;

use kiungo::sandbox::bank::{ANSWERS, BankStep, Challenge, OTP, RedeemError, RefusalReason};

use super::{PlainBank, PlainCall};

/// A step in a word.
fn said(step: &BankStep) -> String {
    match step {
        BankStep::Ask(challenge) => format!("{challenge:?}"),
        BankStep::Choose(accounts) => format!("{} accounts", accounts.len()),
        BankStep::Refused(reason) => format!("{reason:?}"),
        BankStep::Granted { .. } => "Granted".to_owned(),
        step => format!("{step:?}"),
    }
}

/// What is typed decides what the bank asks and how it ends, on any dialect: the guide's promise.
#[test]
fn what_is_typed_decides() {
    // The user name; then what each field is answered with, and what the bank says to the login and to each answer.
    for (user, answers, steps) in [
        ("ada", vec![], vec!["Granted"]),
        ("otp", vec![("otp", OTP)], vec!["Otp", "Granted"]),
        (
            "102@example.ng",
            vec![("otp", "1"), ("otp", OTP)],
            vec!["Otp", "WrongCode", "Granted"],
        ),
        ("question", vec![("answer", ANSWERS[1])], vec!["Question", "Granted"]),
        ("picture", vec![("captcha", "1234")], vec!["Picture", "Granted"]),
        (
            "otp-many",
            vec![("otp", OTP), ("account", "0"), ("otp", OTP)],
            vec!["Otp", "3 accounts", "WrongCode", "BadFields"],
        ),
        (
            "otp",
            vec![("otp", "1"), ("otp", "2"), ("otp", "3"), ("otp", OTP)],
            vec!["Otp", "WrongCode", "WrongCode", "WrongCode", "NoSession"],
        ),
        ("wrong", vec![], vec!["Wrong"]),
        ("down", vec![], vec!["Down"]),
        ("locked", vec![("otp", OTP)], vec!["Locked", "BadFields"]),
        ("strange", vec![], vec!["Strange"]),
        ("expire", vec![("otp", OTP)], vec!["NoSession", "NoSession"]),
        ("otp-expire", vec![("otp", OTP)], vec!["Otp", "NoSession"]),
    ] {
        let bank = PlainBank::new();
        let (session, first) = bank.log_in(user);
        let mut heard = vec![said(&first.expect("no trouble"))];
        heard.extend(
            answers
                .iter()
                .map(|(field, value)| said(&bank.answer(&session, field, value))),
        );
        assert_eq!(heard, steps, "{user}");
        let log = bank.bank.call_log();
        let granted = usize::from(steps.contains(&"Granted"));
        assert_eq!((log.accounts.len(), log.grants.len()), (granted, granted), "{user}");
        assert_eq!(log.submits.len(), steps.len(), "{user}");
        assert!(log.submits.iter().all(|submit| submit.outcome.is_some()), "{user}");
    }
}

/// The form is checked as a real bank does, a wrong PIN is refused, and an account can be chosen by its number.
#[test]
fn forms_are_checked_and_accounts_are_chosen() {
    let bank = PlainBank::new();
    for (fields, step) in [
        (vec![("user", "ada")], BankStep::BadFields),
        (vec![("user", "ada"), ("pin", "1234567")], BankStep::BadFields),
        (vec![("user", "ada"), ("password", "1234")], BankStep::BadFields),
        (
            vec![("user", "ada"), ("pin", "0000")],
            BankStep::Refused(RefusalReason::Wrong),
        ),
    ] {
        let session = bank.open("keypad", "ada");
        assert_eq!(bank.submit(PlainCall::Login, &session, &fields), Ok(step), "{fields:?}");
    }
    let (session, step) = bank.log_in("many");
    let Ok(BankStep::Choose(accounts)) = step else {
        panic!("accounts to choose from: {step:?}");
    };
    let step = bank.answer(&session, "account", &accounts[2].number);
    assert!(matches!(step, BankStep::Granted { .. }), "{step:?}");
    assert_eq!(bank.bank.call_log().accounts[0].number, accounts[2].number);
    let (_, again) = bank.log_in("many");
    assert_eq!(
        again,
        Ok(BankStep::Choose(accounts)),
        "the same person, the same accounts"
    );
}

/// Sessions and codes end by the clock; a code is used once, and only by the business it was made for.
#[test]
fn sessions_and_codes_have_their_time() {
    let bank = PlainBank::new();
    let (session, _) = bank.log_in("otp");
    bank.clock.advance(Duration::from_mins(10));
    assert_eq!(bank.answer(&session, "otp", OTP), BankStep::NoSession);
    for (wound, owner, exchanged) in [
        (599, 0, [true, false]),
        (600, 0, [false, false]),
        (0, 1, [false, false]),
    ] {
        let Ok(BankStep::Granted { code, account }) = bank.log_in("ada").1 else {
            panic!("a code");
        };
        bank.clock.advance(Duration::from_secs(wound));
        for (good, turn) in exchanged.into_iter().zip(1..) {
            let redeemed = bank.bank.redeem(&mut bank.bank.lock(), owner, &code);
            let expected = if good {
                Ok(account.clone())
            } else {
                Err(RedeemError::BadCode)
            };
            assert_eq!(redeemed, expected, "after {wound} s, by {owner}, turn {turn}");
        }
    }
    let grants = bank.bank.call_log().grants;
    let counts: Vec<_> = grants
        .iter()
        .map(|grant| (grant.redeemed.len(), grant.refused))
        .collect();
    assert_eq!(counts, [(1, 1), (0, 2), (0, 0)]);
}

/// An account is told of, and ends once; anyone who unlinks again hears that there is nothing.
#[test]
fn an_account_is_told_of_and_ends() {
    for (user, at_grant, at_exchange) in [
        ("ada", vec![], vec!["Connected", "Updated"]),
        ("twice", vec![], vec!["Connected", "Connected", "Updated", "Updated"]),
        ("early", vec!["Connected", "Updated"], vec![]),
        ("silent", vec![], vec![]),
        ("disorder", vec![], vec!["Updated", "Connected"]),
    ] {
        let mut bank = PlainBank::new();
        let Ok(BankStep::Granted { code, account }) = bank.log_in(user).1 else {
            panic!("a code");
        };
        assert_eq!(bank.events(), at_grant, "{user}");
        bank.bank.redeem(&mut bank.bank.lock(), 0, &code).expect("an account");
        assert_eq!(bank.events(), at_exchange, "{user}");
        let ended = [(1, false), (0, true), (0, false)];
        for (owner, done) in ended {
            let unlinked = bank.bank.unlink(&mut bank.bank.lock(), owner, &account);
            assert_eq!(unlinked, done, "{user}, by {owner}");
        }
        let log = bank.bank.call_log();
        assert_eq!(log.unlinks.iter().filter(|unlink| unlink.done).count(), 1, "{user}");
        assert!(log.accounts[0].unlinked_at.is_some(), "{user}");
    }
}

/// A word typed goes before the institution's own path, and the switch for all logins before both.
#[test]
fn switches_choose_a_path() {
    let bank = PlainBank::new();
    let change = |changes: serde_json::Value| {
        let changes = changes.as_object().expect("an object").clone();
        bank.bank.change(changes)
    };
    let first = |user: &str| said(&bank.log_in(user).1.expect("no trouble"));
    change(serde_json::json!({ "by_institution": { "plain": "otp" } })).expect("known");
    assert_eq!((first("ada"), first("many")), ("Otp".into(), "3 accounts".into()));
    change(serde_json::json!({ "every_login": "question" })).expect("known");
    assert_eq!(first("many"), said(&BankStep::Ask(Challenge::Question)));
    for unknown in [
        serde_json::json!({ "every_login": "nobody" }),
        serde_json::json!({ "sessions": 1 }),
        serde_json::json!({ "latency": { "login": 1 } }),
    ] {
        change(unknown.clone()).expect_err(&unknown.to_string());
    }
    assert_eq!(first("many"), "Question", "nothing was changed");
}
