//! Choosing among accounts: one, several, more; on the phone and by SMS.

use super::fixtures::session_of;
use super::phone::Phone;
use super::sms_phone::{allowing, code_in};
use crate::core::flow::{AccountList, AttemptResult, Effect, MoreAccountsResult, SessionEvent, SubscriberFacts};
use crate::core::linking::SubmissionStep;
use crate::core::menu::Outcome;
use crate::core::next_step::{AccountChoice, FailureClass};

fn account(key: &str, masked: &str) -> AccountChoice {
    AccountChoice {
        key: key.to_owned(),
        masked: masked.to_owned(),
        label: "Savings".to_owned(),
        currency: None,
    }
}

fn list(keys: &[&str], many: bool, more: Option<&str>) -> AccountList {
    AccountList {
        accounts: keys.iter().map(|key| account(&format!("key-{key}"), key)).collect(),
        many,
        more: more.map(str::to_owned),
    }
}

/// Somebody who is to choose from these.
fn choosing(list: AccountList) -> Phone {
    choosing_in(Phone::submitted().0, list)
}

fn choosing_in(mut phone: Phone, list: AccountList) -> Phone {
    // As its owner notes it when it sends.
    phone.state.session.as_mut().expect("a session").provider_session = Some(session_of("s-1"));
    let id = phone.state.attempt_id().expect("an attempt");
    assert!(phone.resolves(id, AttemptResult::ChooseAccount(list)));
    phone
}

/// The keys that were submitted; none where nothing was.
fn chosen(phone: &mut Phone) -> Vec<String> {
    if phone.submits() == 0 {
        return Vec::new();
    }
    let submit = phone.submit();
    assert_eq!(submit.step, SubmissionStep::Choose);
    assert!(
        submit.answers.iter().all(|(name, _)| name.is_empty()),
        "an empty name for each"
    );
    submit.answers.iter().map(|(_, key)| key.expose().to_owned()).collect()
}

/// Several are typed in one line, however they are parted; one alone is enough. A number that was not shown, or one too many
/// where only one may be chosen, submits nothing.
#[test]
fn several_are_typed_in_one_line() {
    for (many, typed, want) in [
        (true, "1,3", vec!["key-11", "key-33"]),
        (true, "1 3", vec!["key-11", "key-33"]),
        (true, "1.3", vec!["key-11", "key-33"]),
        (true, " 3, 1 ,", vec!["key-33", "key-11"]),
        (true, "2,2", vec!["key-22"]),
        (true, "2", vec!["key-22"]),
        (true, "１,２", vec!["key-11", "key-22"]),
        (true, "1,4", vec![]),
        (true, "1,0", vec![]),
        (true, "1,x", vec![]),
        (true, ",", vec![]),
        (true, "123", vec![]),
        (false, "2", vec!["key-22"]),
        (false, "1,3", vec![]),
    ] {
        let mut phone = choosing(list(&["11", "22", "33"], many, None));
        let screen = phone.says();
        let head = if many {
            "Zenith Bank: which? (1,3)"
        } else {
            "Zenith Bank: which account?"
        };
        assert!(screen.starts_with(head), "{screen}");
        let said = phone.types(typed);
        assert_eq!(chosen(&mut phone), want, "{typed:?}");
        assert_eq!(said.starts_with("Choose from"), want.is_empty(), "{typed:?}: {said}");
    }
}

/// What the list shows of the accounts that are chosen goes with the provider's session, however it is called later: what
/// comes back is compared with it.
#[test]
fn what_was_chosen_stays_with_the_session() {
    for (typed, digits) in [
        ("1", vec!["1234"]),
        ("1,3", vec!["1234", ""]),
        ("2,1", vec!["1234", "345"]),
    ] {
        let mut phone = choosing(list(&["1234", "345", "67"], true, None));
        phone.types(typed);
        let session = phone.submit().provider_session.expect("a session");
        assert_eq!(session.chosen, digits, "{typed}");
        assert_eq!(session.known_as(session_of("s-2")).chosen, digits, "{typed}");
    }
}

/// By SMS accounts are not shown, nor chosen, where secrets may be texted either: others read an inbox.
#[test]
fn accounts_are_not_chosen_by_text() {
    let mut phone = allowing();
    phone.agrees_by_text();
    phone.sends_texts(&["1", "ada", "Zq7password"]);
    let id = phone.submit().attempt;
    phone.sends(id);
    let mut phone = choosing_in(phone, list(&["11", "22"], true, None));
    for line in ["CONTINUE", "1", "1,2"] {
        let said = phone.sends_text(line).screen();
        assert!(said.contains("To go on dial *384*96*"), "{said}");
        assert!(!said.contains("..11") && !said.contains("Zenith"), "{said}");
    }
    assert_eq!(phone.submits(), 0);
    let asked = phone.dial_known(&SubscriberFacts::default(), &[&code_in(&phone.says())]);
    assert!(asked.contains("1 Savings ..11"), "{asked}");
}

/// The last entry asks for more accounts; the list stays until they come, and from then on the numbers mean the new one.
#[test]
fn more_accounts_are_asked_for() {
    let mut phone = choosing(list(&["11"], true, Some("wallets")));
    assert!(
        phone.says().contains("1 Savings ..11\n2 More accounts"),
        "{}",
        phone.says()
    );
    assert!(phone.types("1,2").starts_with("Choose from"), "not several with it");
    assert_eq!(phone.types("2"), "", "the turn waits");
    let Some(Effect::MoreAccounts(asked)) = phone.effects.pop() else {
        panic!("nothing was asked")
    };
    assert_eq!(
        (asked.more.as_str(), asked.attempt),
        ("wallets", phone.state.attempt_id())
    );
    let session = asked.open.session;
    assert!(phone.applies(&SessionEvent::MoreAccounts {
        session,
        result: MoreAccountsResult::Found(list(&["11", "77"], false, None)),
    }));
    assert!(
        phone.says().contains("1 Savings ..11\n2 Savings ..77"),
        "{}",
        phone.says()
    );
    assert!(!phone.says().contains("More accounts"), "{}", phone.says());
    phone.types("2");
    assert_eq!(chosen(&mut phone), ["key-77"]);
    let late = MoreAccountsResult::Found(list(&["99"], false, None));
    assert!(
        !phone.applies(&SessionEvent::MoreAccounts { session, result: late }),
        "chosen is chosen"
    );
}

/// What cannot be had takes nothing away: the list that is there stays, and says so. Only an end of the session is one.
#[test]
fn without_more_the_list_stays() {
    for (result, says, stage) in [
        (
            MoreAccountsResult::Found(AccountList::default()),
            "There are no more accounts.\nZenith Bank: which account?",
            Outcome::ChooseAccount,
        ),
        (
            MoreAccountsResult::Unavailable,
            "That is not possible now. Try again later.\nZenith Bank: which",
            Outcome::ChooseAccount,
        ),
        (
            MoreAccountsResult::Failed(FailureClass::Busy.into()),
            "That is not possible now.",
            Outcome::ChooseAccount,
        ),
        (
            MoreAccountsResult::Failed(FailureClass::Denied.into()),
            "Zenith Bank says that you did not",
            Outcome::Denied,
        ),
    ] {
        let mut phone = choosing(list(&["11"], false, Some("m")));
        phone.types("2");
        let session = phone.session().id;
        assert!(phone.applies(&SessionEvent::MoreAccounts { session, result }));
        assert!(phone.says().starts_with(says), "{}", phone.says());
        assert_eq!(phone.stage(), Some(stage));
    }
    // Nobody waits any more: the list is shown as it is, and a late answer is on the next screen.
    let mut phone = choosing(list(&["11"], false, Some("m")));
    phone.types("2");
    assert!(
        phone.polls(false).contains("1 Savings ..11\n2 More accounts"),
        "{}",
        phone.says()
    );
    let session = phone.session().id;
    let result = MoreAccountsResult::Found(list(&["77"], false, None));
    assert!(phone.applies(&SessionEvent::MoreAccounts { session, result }));
    assert!(
        phone.types("1").starts_with("Choose from"),
        "what was shown is not there any more"
    );
    phone.types("1");
    assert_eq!(chosen(&mut phone), ["key-77"]);
}

/// A choice among several that was begun and never sent is asked again as it was.
#[test]
fn an_unsent_choice_is_asked_again() {
    let mut phone = choosing(list(&["11", "22"], true, None));
    phone.types("1,2");
    phone.polls(false);
    phone.passes(std::time::Duration::from_secs(76));
    let said = phone.types("1");
    assert!(said.contains("Zenith Bank: which? (1,3)"), "{said}");
}

/// A value that an earlier version wrote knew nothing but the accounts, and nothing is written now of what is not there.
#[test]
fn an_earlier_value_is_read() {
    let phone = choosing(list(&["11"], false, None));
    let value = serde_json::to_value(&phone.state).expect("JSON");
    let session = value["session"].as_object().expect("a session");
    for newer in ["many", "more", "waiting", "page_link_sent_at", "bank_message"] {
        assert!(!session.contains_key(newer), "{newer}");
    }
    let read: crate::core::flow::state::Subscriber = serde_json::from_value(value).expect("a value");
    assert!(read == phone.state);
}
