//! Who asks: one business or several, by the plain code, by a number, or by a code.

use std::time::Duration;

use super::fixtures::{link, terms};
use super::phone::Phone;
use crate::core::flow::terms::{DialedCode, RequestTerms};
use crate::core::flow::{AttemptResult, Effect, Input, SubscriberFacts};
use crate::core::ids::{IntentId, LinkId, PartnerId};
use crate::core::messages::Locale;
use crate::core::scope::{Data, Scope};
use crate::core::secret::Secret;

/// Nine digits with a right check digit.
fn code() -> String {
    (0..=9)
        .map(|check| format!("57200000{check}"))
        .find(|code| crate::core::dial_code::DialCode::parse(code).is_some())
        .expect("a check digit")
}

/// A request of a business, for something else than a loan.
fn request(n: u8, name: &str) -> RequestTerms {
    RequestTerms {
        intent: Some(IntentId::from_bytes([n; 16])),
        purpose: "school fees".into(),
        days: 30,
        reusable: false,
        ..terms(n, name)
    }
}

fn asks(asks: Vec<RequestTerms>) -> SubscriberFacts {
    SubscriberFacts {
        requests: Some(asks),
        ..SubscriberFacts::default()
    }
}

fn coded(coded: DialedCode) -> SubscriberFacts {
    SubscriberFacts {
        dialed_code: Some(coded),
        ..asks(vec![terms(1, "Umoja Credit")])
    }
}

/// What is agreed to, and for whom, is what was asked: the consent, the session's business and the provider's keys agree.
#[test]
fn who_asks_is_who_is_agreed_with() {
    let (umoja, acacia) = (terms(1, "Umoja Credit"), terms(2, "Acacia Cover"));
    let (rent, school) = (request(3, "Rent Co"), request(4, "School Co"));
    for (asked, keys, first, business, intent) in [
        // One that takes anyone who dials is not a choice.
        (vec![umoja.clone()], vec![], "Umoja Credit asks", 1, None),
        (
            vec![umoja.clone(), acacia.clone()],
            vec!["2"],
            "Which business sent you here?\n1 Umoja Credit\n2 Acacia Cover",
            2,
            None,
        ),
        // A request for this person goes before offers.
        (
            vec![rent.clone(), umoja.clone(), acacia.clone()],
            vec![],
            "Rent Co asks to see your bank account for \"school fees\", 30 days.",
            3,
            rent.intent,
        ),
        (
            vec![rent, school.clone(), umoja],
            vec!["2"],
            "Which business sent you here?\n1 Rent Co: \"school fees\"\n2 School Co: \"school fees\"\n3 Umoja Credit",
            4,
            school.intent,
        ),
    ] {
        let mut phone = Phone::new();
        let shown = phone.dial_known(&asks(asked), &[]);
        assert!(shown.starts_with(first), "{shown}");
        phone.keys(&keys);
        phone.keys(&["1", "1", "ada", "Zq7password"]);
        let submit = phone.submit();
        let consent = submit.open.consent.expect("a consent");
        let name = phone.session().terms.as_ref().expect("terms").name.clone();
        assert!(consent.text.starts_with(&name), "{}", consent.text);
        assert_eq!(submit.open.partner, Some(PartnerId::from_bytes([business; 16])));
        assert!(intent.is_none_or(|intent| intent == consent.intent), "{first}");
        let brief = link(9, "zenith:p", "Zenith Bank");
        phone.sends(submit.attempt);
        phone.resolves(submit.attempt, AttemptResult::Granted);
        phone.resolves(submit.attempt, AttemptResult::Linked(brief));
        assert_eq!(
            phone.state.links[0].partner.as_ref().map(|it| it.name.as_str()),
            Some(name.as_str())
        );
        assert!(phone.says().contains(&format!("for {name}")), "{}", phone.says());
    }
}

/// No partner that asks hides another: what others ask and offer is behind a key of the first screen, and behind a dialled code; where
/// there is nobody else, there is no such key.
#[test]
fn others_stay_in_reach() {
    let (rent, umoja, acacia) = (
        request(3, "Rent Co"),
        terms(1, "Umoja Credit"),
        terms(2, "Acacia Cover"),
    );
    let all = "Which business sent you here?\n1 Rent Co: \"school fees\"\n2 Umoja Credit\n3 Acacia Cover\n0 Leave";
    let mut phone = Phone::new();
    let shown = phone.dial_known(&asks(vec![rent.clone(), umoja.clone(), acacia]), &[]);
    assert!(shown.contains("\n4 Other businesses\n"), "{shown}");
    assert_eq!(phone.types("4"), all);
    assert!(phone.types("2").starts_with("Umoja Credit asks"), "{}", phone.says());
    // And back again.
    assert_eq!(phone.types("4"), all);

    let mut phone = Phone::new();
    let shown = phone.dial_known(&coded(DialedCode::Request(Box::new(rent.clone()))), &[&code()]);
    assert!(
        shown.starts_with("Rent Co asks") && phone.types("9").contains("4 Other"),
        "{shown}"
    );
    assert!(phone.types("4").contains("1 Umoja Credit"), "{}", phone.says());

    // A partner's own offer is nobody else's.
    let own = terms(3, "Rent Co");
    for (alone, name) in [(vec![rent, own], "Rent Co"), (vec![umoja], "Umoja Credit")] {
        let mut phone = Phone::new();
        let shown = phone.dial_known(&asks(alone), &[]);
        assert!(shown.starts_with(name) && !shown.contains("Other"), "{shown}");
        let wrong = phone.types("4");
        assert!(
            wrong.starts_with(&format!("Choose from the list.\n{name}")) && !wrong.contains("Other"),
            "{wrong}"
        );
    }
}

/// Where nobody asks, that is said, and what is linked can be seen all the same.
#[test]
fn nobody_may_ask() {
    let mut phone = Phone::new();
    let shown = phone.dial_known(&asks(Vec::new()), &[]);
    assert!(
        shown.starts_with("No business asks") && !shown.contains("My accounts"),
        "{shown}"
    );
    let known = SubscriberFacts {
        links: vec![link(1, "zenith:p", "Zenith Bank")],
        ..asks(Vec::new())
    };
    let shown = phone.dial_known(&known, &[]);
    assert!(shown.starts_with("No business asks"), "{shown}");
    assert!(phone.types("2").starts_with("Your linked accounts"), "{}", phone.says());
    assert!(phone.types("0").starts_with("No business asks"), "{}", phone.says());
}

/// All that is asked for is named in the consent, in the order in which it always is.
#[test]
fn the_consent_names_the_data() {
    let mut phone = Phone::new();
    let mut wanted = request(3, "Rent Co");
    wanted.scope = Scope::of([Data::Identity, Data::Account, Data::Balance]).expect("data");
    let shown = phone.dial_known(&asks(vec![wanted]), &[]);
    let text = "Rent Co asks to see your bank account, balance, name for \"school fees\", 30 days. It cannot move money. Bank login needed.";
    assert!(shown.starts_with(text), "{shown}");
    phone.types("1");
    assert_eq!(phone.session().consent.as_ref().expect("a consent").text, text);
}

/// A code says who asks before anything else, whatever is offered on the plain code, and leaves what was begun for somebody
/// else behind. The same code again goes on where the person was.
#[test]
fn a_code_says_who_asks() {
    let mut phone = Phone::at_banks();
    phone.types("1");
    let rent = request(3, "Rent Co");
    let known = coded(DialedCode::Request(Box::new(rent.clone())));
    let shown = phone.dial_known(&known, &[&code()]);
    assert!(shown.starts_with("Rent Co asks to see your bank account"), "{shown}");
    phone.keys(&["1", "1", "ada"]);
    let again = phone.dial_known(&known, &[&code()]);
    assert!(again.starts_with("Zenith Bank: PASSWORD"), "{again}");
    assert_eq!(phone.session().terms.as_ref(), Some(&rent));
    // Without the code it is a question, as ever.
    phone.passes(Duration::from_mins(11));
    let plain = phone.dial_known(&asks(vec![terms(1, "Umoja Credit")]), &[]);
    assert!(plain.starts_with("You began to link Zenith Bank. Go on?"), "{plain}");
    // Starting again does not lose whose request it was.
    assert!(phone.types("2").starts_with("Rent Co asks"), "{}", phone.says());
}

/// What is under way at a bank is never dropped for a code.
#[test]
fn a_code_waits_for_what_is_under_way() {
    let (mut phone, id) = Phone::submitted();
    phone.polls(true);
    let known = coded(DialedCode::Request(Box::new(request(3, "Rent Co"))));
    let shown = phone.dial_known(&known, &[&code()]);
    assert!(shown.contains("is checking"), "{shown}");
    assert_eq!(phone.state.attempt_id(), Some(id));
    phone.resolves(id, AttemptResult::Granted);
    phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank")));
    let news = phone.dial_known(&known, &[&code()]);
    assert!(
        news.starts_with("Zenith Bank ..4321 is linked for Umoja Credit"),
        "{news}"
    );
    assert!(phone.types("1").starts_with("Rent Co asks"), "{}", phone.says());
}

/// A code that is nobody's is said to be, and after five in an hour none is looked up any more, not even a right one; an
/// hour later they are.
#[test]
fn wrong_codes_are_limited() {
    let mut phone = Phone::new();
    let begin = || Input::Begin(vec![Secret::new(code())]);
    for n in 0..5 {
        assert!(phone.state.intent_code_to_look_up(&begin(), phone.now).is_some(), "{n}");
        let shown = phone.dial_known(&coded(DialedCode::Unknown), &[&code()]);
        assert!(
            shown.starts_with("That code is not valid any more.\nUmoja Credit asks"),
            "{shown}"
        );
        phone.passes(Duration::from_mins(5));
    }
    assert!(phone.state.intent_code_to_look_up(&begin(), phone.now).is_none());
    let shown = phone.dial_known(&asks(vec![terms(1, "Umoja Credit")]), &[&code()]);
    assert!(shown.starts_with("Too many wrong codes."), "{shown}");
    phone.passes(Duration::from_mins(40));
    assert!(phone.state.intent_code_to_look_up(&begin(), phone.now).is_some());
}

/// A business that asks for one institution only is asked nothing else, and no other can be picked.
#[test]
fn only_the_institution_that_is_asked_for() {
    let mut phone = Phone::new();
    let mut wanted = request(3, "Rent Co");
    wanted.institution = Some("mono/zenith".to_owned());
    phone.dial_known(&asks(vec![wanted.clone()]), &[]);
    let institution = &phone.banks.last().expect("banks").institution;
    wanted.institution = Some(format!("mono/{}", institution.id));
    let mut phone = Phone::new();
    phone.dial_known(&asks(vec![wanted]), &[]);
    let shown = phone.types("1");
    assert!(shown.starts_with("Zenith Bank: "), "{shown}");
    assert_eq!(phone.opens().len(), 1);
    let back = phone.types("0");
    assert!(back.contains("1 Zenith Bank") && !back.contains("Access"), "{back}");
}

/// A request to log in again leads to that link's login, and only while the link is there.
#[test]
fn a_business_may_ask_to_log_in_again() {
    let zenith = link(7, "zenith:p", "Zenith Bank");
    let mut wanted = request(1, "Umoja Credit");
    wanted.renews = Some(zenith.id);
    let known = SubscriberFacts {
        links: vec![zenith],
        ..asks(vec![wanted.clone()])
    };
    let mut phone = Phone::new();
    let shown = phone.dial_known(&known, &[]);
    assert!(
        shown.starts_with("Umoja Credit: log in again to Zenith Bank ..4321 for \"school fees\": bank account, "),
        "{shown}"
    );
    phone.types("1");
    let opens = phone.opens();
    assert_eq!(opens[0].renews, Some(LinkId::from_bytes([7; 16])));
    assert_eq!(opens[0].partner, Some(wanted.partner));
    let mut phone = Phone::new();
    let shown = phone.dial_known(&asks(vec![wanted, terms(1, "Umoja Credit")]), &[]);
    assert!(shown.starts_with("Umoja Credit asks to see"), "{shown}");
}

/// A request that was answered is not asked again in the same dialog; the others are.
#[test]
fn what_was_answered_is_not_asked_again() {
    for (others, then) in [
        (vec![], "No business asks"),
        (vec![terms(1, "Umoja Credit")], "Umoja Credit asks"),
        (vec![request(4, "School Co")], "School Co asks"),
    ] {
        let mut all = vec![request(3, "Rent Co")];
        all.extend(others);
        let known = asks(all);
        let mut phone = Phone::new();
        phone.dial_known(&known, &[]);
        if phone.says().starts_with("Which") {
            phone.types("1");
        }
        phone.keys(&["1", "1", "ada", "Zq7password"]);
        let id = phone.submit().attempt;
        phone.sends(id);
        phone.polls(true);
        phone.resolves(id, AttemptResult::Granted);
        phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith Bank")));
        let news = phone.dial_known(&known, &[]);
        assert!(news.contains("is linked for Rent Co"), "{news}");
        assert!(phone.types("1").starts_with(then), "{then}: {}", phone.says());
    }
}

/// The language that a business names is for somebody who has never been here.
#[test]
fn a_request_may_name_the_language() {
    let mut wanted = request(3, "Rent Co");
    wanted.locale = Some(Locale::Fr);
    let known = asks(vec![wanted]);
    let mut phone = Phone::new();
    phone.dial_known(&known, &[]);
    assert_eq!(phone.state.locale, Locale::Fr);
    phone.keys(&["3", "1"]);
    assert_eq!(phone.state.locale, Locale::En);
    phone.dial_known(&known, &[]);
    assert_eq!(phone.state.locale, Locale::En);
    assert!(phone.effects.iter().all(|effect| !matches!(effect, Effect::Submit(_))));
}
