//! Fewer screens: the warning with the first field, the usual way at once, one hit taken, a consent that stands, a redial that
//! goes straight on.

use std::time::Duration;

use super::fixtures::{bank, code_form, field, form, login_form, terms};
use super::phone::{Phone, flow_with};
use crate::core::flow::terms::RequestTerms;
use crate::core::flow::{AttemptResult, Offer, SubscriberFacts};
use crate::core::menu::Outcome;
use crate::core::next_step::{FieldKind, FieldOption, Form};
use crate::core::pin::SubscriberPin;
use crate::core::policy::SecretsOverUssd;

const WARNING: &str = "What you type here is not secret";

fn phone_and_pin() -> Form {
    let mut number = field("username", FieldKind::Text);
    number.label = "Phone Number".to_owned();
    form(vec![number, field("pin", FieldKind::Secret)])
}

/// At the banks of a service that warns.
fn warned() -> Phone {
    let mut phone = Phone::with(flow_with(SecretsOverUssd::Warn, Vec::new()));
    phone.dial();
    phone.types("1");
    phone
}

/// At a list of this bank only.
fn at(offer: Offer) -> Phone {
    let mut phone = Phone::new();
    phone.banks = vec![offer];
    phone.dial();
    phone.types("1");
    phone
}

/// The warning stands above what is typed first, until something has been typed there, whatever was redialled in between.
/// No screen asks for a secret before it was seen, and none says it twice.
#[test]
fn the_warning_is_on_the_screen_of_the_first_field() {
    let mut phone = warned();
    let first = phone.types("1");
    assert!(
        first.contains(WARNING) && first.contains("Zenith Bank: USERNAME"),
        "{first}"
    );
    // Cut, within ten minutes and long after.
    assert!(phone.dial().contains(WARNING));
    phone.passes(Duration::from_mins(11));
    assert!(!phone.dial().contains(WARNING));
    let again = phone.types("1");
    assert!(again.contains(WARNING), "{again}");
    let secret = phone.types("ada");
    assert!(secret.contains("PASSWORD") && !secret.contains(WARNING), "{secret}");
    assert!(!phone.dial().contains(WARNING));
    // Another bank warns again.
    phone.keys(&["0", "0"]);
    assert!(phone.types("access").contains(WARNING), "{}", phone.says());
}

/// Where a choice comes first, the warning is on the first screen that is typed at.
#[test]
fn a_choice_needs_no_warning() {
    let mut phone = warned();
    let choice = phone.types("polaris");
    assert!(
        choice.starts_with("Polaris: KIND") && !choice.contains(WARNING),
        "{choice}"
    );
    let secret = phone.types("1");
    assert!(secret.contains(WARNING) && secret.contains("PIN"), "{secret}");
}

/// A code of one's own is typed on the same line as everything else.
#[test]
fn an_own_code_that_must_be_chosen_is_warned_of() {
    for (policy, warns) in [(SecretsOverUssd::Warn, true), (SecretsOverUssd::Allow, false)] {
        let mut flow = flow_with(policy, Vec::new());
        std::sync::Arc::get_mut(&mut flow).expect("one").settings.subscriber_pin = SubscriberPin::Required;
        let mut phone = Phone::with(flow);
        phone.dial();
        assert_eq!(phone.types("1").contains(WARNING), warns, "{}", phone.says());
        // Asked again, the page says why, and still that it must not be the bank's.
        for (typed, why) in [("48", "It must be 4 digits"), ("1111", "easy")] {
            let again = phone.types(typed);
            assert!(
                again.contains(why) && again.contains("Do not use your bank PIN."),
                "{again}"
            );
            assert!(!again.contains(WARNING), "{again}");
        }
    }
}

/// Of several ways the usual one is taken. The others are beside its first question, and going back from them loses nothing.
#[test]
fn the_usual_way_is_taken_and_the_others_are_one_key_away() {
    let mut phone = at(bank("gtb", "GTBank", vec![login_form(), phone_and_pin()]));
    let first = phone.types("1");
    assert!(first.starts_with("GTBank: Phone Number"), "{first}");
    assert!(first.contains("9 Other way"), "{first}");
    phone.types("08031234567");
    let ways = phone.types("9");
    assert!(ways.contains("1 Way 0\n2 Way 1"), "{ways}");
    assert!(phone.types("0").starts_with("GTBank: PIN"), "{}", phone.says());
    // The same way again goes on where it was, another one begins with its own first question.
    phone.types("9");
    assert!(phone.types("2").starts_with("GTBank: PIN"), "{}", phone.says());
    phone.types("9");
    assert!(phone.types("1").starts_with("GTBank: USERNAME"), "{}", phone.says());
    assert!(phone.session().answers.is_empty());
    phone.types("9");
    phone.dial();
    assert!(phone.says().contains("1 Way 0\n2 Way 1"), "{}", phone.says());
    // Nothing stands beside a bank with one way, nor beside a code.
    let (mut phone, id) = Phone::submitted();
    phone.resolves(id, AttemptResult::Prompt(code_form()));
    assert!(!phone.says().contains("\n9 "), "{}", phone.says());
}

/// The only bank that is found is taken, by letters and by the keys that spell it; the list is one step back.
#[test]
fn one_hit_is_taken_at_once() {
    for typed in ["zenith", "9364"] {
        let mut phone = Phone::at_banks();
        let first = phone.types(typed);
        assert!(first.starts_with("Zenith Bank: USERNAME"), "{first}");
        assert!(phone.types("0").starts_with("Choose your bank"), "{}", phone.says());
    }
    let mut phone = Phone::at_banks();
    assert!(
        phone.types("bank").contains("1 Access Bank\n2 First Bank"),
        "{}",
        phone.says()
    );
    assert_eq!(phone.stage(), Some(Outcome::ChooseBank));
}

/// Who was cut at the banks agrees once; the consent that is recorded is the one that was given.
#[test]
fn a_consent_stands_for_a_quarter_of_an_hour() {
    let mut phone = Phone::at_banks();
    let given = phone.session().consent.clone().expect("a consent");
    phone.passes(Duration::from_mins(14));
    assert!(phone.dial().starts_with("Choose your bank"), "{}", phone.says());
    phone.keys(&["1", "ada", "Zq7password"]);
    assert_eq!(phone.submit().open.consent, Some(given));

    let mut phone = Phone::at_banks();
    phone.passes(Duration::from_mins(16));
    assert!(phone.dial().starts_with("Umoja Credit asks"), "{}", phone.says());
    // Who goes back to the consent takes it back, and one that has led to a link is used up.
    let mut phone = Phone::at_banks();
    phone.types("0");
    assert!(phone.dial().starts_with("Umoja Credit asks"), "{}", phone.says());
    assert!(Phone::linked().dial().starts_with("Umoja Credit asks"));
}

/// A consent stands for what was agreed to and nothing else: another purpose, time, data or business is asked for.
#[test]
fn a_consent_stands_for_the_same_terms_only() {
    let asked = terms(4, "Umoja Savings");
    let known = |requests: Vec<RequestTerms>| SubscriberFacts {
        requests: Some(requests),
        ..SubscriberFacts::default()
    };
    let other = |change: &dyn Fn(&mut RequestTerms)| {
        let mut terms = asked.clone();
        change(&mut terms);
        terms
    };
    for (name, now, stands) in [
        ("the same", vec![asked.clone()], true),
        ("beside another", vec![asked.clone(), terms(5, "Umoja Chama")], true),
        (
            "another purpose",
            vec![other(&|terms| terms.purpose = "rent".into())],
            false,
        ),
        ("longer", vec![other(&|terms| terms.days += 1)], false),
        ("another business", vec![terms(5, "Umoja Chama")], false),
        (
            "a request of their own",
            vec![
                other(&|terms| terms.intent = Some(crate::core::ids::IntentId::from_bytes([9; 16]))),
                asked.clone(),
            ],
            false,
        ),
        ("nobody", Vec::new(), false),
    ] {
        let mut phone = Phone::new();
        phone.dial_known(&known(vec![asked.clone()]), &[]);
        assert!(phone.types("1").starts_with("Choose your bank"), "{}", phone.says());
        let says = phone.dial_known(&known(now), &[]);
        assert_eq!(says.starts_with("Choose your bank"), stands, "{name}: {says}");
    }
}

/// Who is cut and dials again within ten minutes is at the question, with what was answered; later they are asked first.
#[test]
fn a_redial_goes_straight_to_the_question() {
    for (minutes, want) in [
        (0, "Zenith Bank: PASSWORD"),
        (9, "Zenith Bank: PASSWORD"),
        (11, "You began"),
    ] {
        let mut phone = Phone::at_banks();
        phone.keys(&["1", "ada"]);
        phone.passes(Duration::from_mins(minutes));
        let says = phone.dial();
        assert!(says.starts_with(want), "{minutes}: {says}");
    }
    // Whose code does not come is asked whether to go on the second time, and may start again.
    let (mut phone, id) = Phone::submitted();
    phone.resolves(id, AttemptResult::Prompt(code_form()));
    for want in ["Zenith Bank: OTP", "You began to link Zenith Bank. Go on?"] {
        phone.passes(Duration::from_secs(25));
        assert!(phone.dial().starts_with(want), "{}", phone.says());
    }
    assert!(phone.types("1").starts_with("Zenith Bank: OTP"), "{}", phone.says());
}

/// After two cuts at one question the other ways are offered, with the way back to the question; some networks start two
/// dialogs for a dial, which is no cut. After an answer they are counted from the start.
#[test]
fn after_two_cuts_another_way_is_offered() {
    let cut = |phone: &mut Phone| {
        phone.passes(Duration::from_secs(25));
        phone.dial()
    };
    let begun = || {
        let mut phone = at(bank("gtb", "GTBank", vec![login_form(), login_form()]));
        phone.types("1");
        phone
    };
    let mut phone = begun();
    assert!(cut(&mut phone).starts_with("GTBank: USERNAME"));
    phone.dial();
    assert!(phone.says().starts_with("GTBank: USERNAME"), "{}", phone.says());
    let offered = cut(&mut phone);
    assert!(offered.contains("1 Way 0\n2 Way 1"), "{offered}");
    assert!(phone.types("0").starts_with("GTBank: USERNAME"), "{}", phone.says());

    let mut phone = begun();
    cut(&mut phone);
    phone.types("ada");
    assert!(cut(&mut phone).starts_with("GTBank: PASSWORD"), "{}", phone.says());
    // Where there is only one way, its question is asked.
    let mut phone = Phone::at_banks();
    phone.types("1");
    for _ in 0..4 {
        assert!(cut(&mut phone).starts_with("Zenith Bank: USERNAME"), "{}", phone.says());
    }
}

/// "My accounts" is there where there are some, and where only links that nobody has used for long are.
#[test]
fn accounts_are_offered_where_there_are_some() {
    assert!(!Phone::new().dial().contains("My accounts"));
    assert!(Phone::linked().dial().contains("2 My accounts"));
    let mut phone = Phone::new();
    phone.dial();
    assert!(phone.types("2").contains("Umoja Credit asks"), "{}", phone.says());
}

/// A choice names its bank, which was perhaps taken at once.
#[test]
fn a_choice_names_its_bank() {
    let option = |label: &str| FieldOption {
        label: label.to_owned(),
        value: label.to_owned(),
    };
    let kind = FieldKind::OneOf(vec![option("PIN"), option("Password")]);
    let mut phone = at(bank("ibtc", "Stanbic", vec![form(vec![field("kind", kind)])]));
    assert!(
        phone.types("stanbic").starts_with("Stanbic: KIND\n1 PIN"),
        "{}",
        phone.says()
    );
}
