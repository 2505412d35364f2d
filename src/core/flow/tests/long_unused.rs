//! Links that nobody has used for long, on a number that may be somebody else's by now.

use std::sync::Arc;
use std::time::Duration;

use super::ending::ending;
use super::fixtures::{link, terms};
use super::phone::{Phone, flow_with};
use super::sms_phone::number_in;
use crate::core::flow::session::LinkSummary;
use crate::core::flow::terms::RequestTerms;
use crate::core::flow::{AttemptResult, Effect, LinkOrigin, SubscriberFacts};
use crate::core::ids::{AttemptId, ConnectSessionId, IntentId, LinkId};
use crate::core::menu::Outcome;
use crate::core::pin::Pin;
use crate::core::policy::SecretsOverUssd;
use crate::core::secret::Secret;

const DAY: Duration = Duration::from_hours(24);

/// A conversation in which a link is no longer shown after so many days.
fn phone(limit: Option<u32>) -> Phone {
    let mut flow = flow_with(SecretsOverUssd::Allow, Vec::new());
    let own = Arc::get_mut(&mut flow).expect("nobody else's");
    own.settings.ask_login_after = limit.map(|days| DAY * days);
    Phone::with(flow)
}

fn code_chosen(phone: &Phone, days: u32) -> Pin {
    let code = Secret::new("4821");
    Pin::new(
        &phone.flow.keyring,
        &phone.state.msisdn,
        &code,
        phone.now.minus(DAY * days),
    )
}

/// What the records know of somebody with a link at Zenith that needs a login and ends soon, last used so many days ago as
/// everything is, and a code that was chosen so many days ago.
fn known(phone: &Phone, used: u32, pin: Option<u32>) -> SubscriberFacts {
    let used_at = phone.now.minus(DAY * used);
    let (link, ends) = ending(1, "Zenith");
    SubscriberFacts {
        links: vec![LinkSummary {
            needs_login: true,
            used_at,
            ..link
        }],
        ending: vec![ends],
        last_institution: Some(("polaris:p".to_owned(), used_at)),
        pin: pin.map(|days| code_chosen(phone, days)),
        ..SubscriberFacts::default()
    }
}

const UNUSED: &str = "Accounts not used for long: 1. To see or end one, link it again, or ask the business it is for.\n\
                      1 Link a bank\n0 Leave";

/// What was used long ago is on no screen: in no notice, in no list, not first among the banks; and no key does anything to
/// it. A code of the person's own speaks for what was in use when it was chosen, and for nothing else.
#[test]
fn what_was_long_unused_is_not_shown() {
    for (limit, used, pin, shown) in [
        (Some(180), 0, None, true),
        (Some(180), 179, None, true),
        (Some(180), 180, None, false),
        (Some(180), 700, None, false),
        (Some(30), 30, None, false),
        (None, 700, None, true),
        (Some(180), 400, Some(400), true),
        (Some(180), 400, Some(221), true),
        (Some(180), 400, Some(220), false),
        (Some(180), 400, Some(0), false),
    ] {
        let mut phone = phone(limit);
        let facts = known(&phone, used, pin);
        let mut said = phone.dial_known(&facts, &[]);
        let name = format!("{limit:?} {used} {pin:?}");
        assert_eq!(
            said.starts_with("Type the 4 digits"),
            shown && pin.is_some(),
            "{name}: {said}"
        );
        if said.starts_with("Type the 4 digits") {
            said = phone.types("4821");
        }
        assert_eq!(said.starts_with("Zenith ..4321: log in there"), shown, "{name}: {said}");
        if shown {
            assert!(
                phone.types("2").contains("30 days from today?"),
                "{name}: {}",
                phone.says()
            );
            phone.types("0");
            assert!(phone.types("2").contains("1 Zenith ..4321"), "{name}: {}", phone.says());
            continue;
        }
        assert!(said.starts_with("Umoja Credit asks"), "{name}: {said}");
        assert_eq!(phone.types("2"), UNUSED, "{name}");
        for key in ["2", "3", "9"] {
            assert!(!phone.types(key).contains("Zenith"), "{name}: {}", phone.says());
        }
        assert!(phone.effects.is_empty(), "{name}");
        // A favourite of the operator's is first, not the bank that the number's owner was last at.
        phone.dial_known(&facts, &[]);
        assert!(
            phone.types("1").contains("1 Zenith Bank\n2 Access"),
            "{name}: {}",
            phone.says()
        );
    }
}

/// The bank used last is first in the list for as long as what was used there is shown.
#[test]
fn the_last_bank_is_forgotten_as_well() {
    for (used, link_used, first) in [(179, 400, "1 Polaris"), (180, 400, "1 Zenith"), (400, 0, "1 Polaris")] {
        let mut phone = phone(Some(180));
        let mut facts = known(&phone, used, None);
        facts.ending.clear();
        facts.links = vec![LinkSummary {
            used_at: phone.now.minus(DAY * link_used),
            ..link(1, "polaris:p", "Polaris")
        }];
        phone.dial_known(&facts, &[]);
        assert!(phone.types("1").contains(first), "{used} {link_used}: {}", phone.says());
    }
}

/// Beside what is shown only the number of the others is told; a login that led to another account opens none of them, nor
/// does the code that may be chosen after it. The same account linked again does, as the records then know.
#[test]
fn another_account_opens_nothing() {
    let mut phone = phone(Some(180));
    let mut facts = known(&phone, 400, None);
    facts.links.insert(0, link(2, "access:p", "Access Bank"));
    phone.dial_known(&facts, &["2"]);
    let list = "Your accounts (1 more: link them again to see):\n1 Access Bank ..4321\n0 Back";
    assert_eq!(phone.says(), list);
    phone.state.fresh_login = Some(phone.now);
    phone.keys(&["1", "3", "4821", "4821"]);
    assert_eq!(phone.says(), format!("Your code is set.\n{list}"));
    facts.pin = Some(code_chosen(&phone, 0));
    phone.dial_known(&facts, &["2"]);
    assert_eq!(phone.types("4821"), list);
    facts.pin = None;
    phone.state.pin = None;
    facts.links[1].used_at = phone.now;
    let said = phone.dial_known(&facts, &[]);
    assert!(said.starts_with("Zenith ..4321: log in"), "{said}");
}

/// A link that was made long ago and never told is not news to who has the number now; and where a code ends, what only that
/// spoke for is not shown any more.
#[test]
fn no_other_way_leads_to_it() {
    let mut told = phone(Some(5));
    let mut facts = known(&told, 6, None);
    facts.untold_link = Some(LinkOrigin {
        session: ConnectSessionId::from_bytes([8; 16]),
        attempt: AttemptId::from_bytes([8; 16]),
        begun_at: told.now.minus(DAY * 6),
        linked_at: told.now.minus(DAY * 6),
        terms: None,
        link: facts.links[0].clone(),
    });
    let said = told.dial_known(&facts, &[]);
    assert!(said.starts_with("Umoja Credit asks"), "{said}");

    let mut phone = phone(Some(180));
    let facts = known(&phone, 400, Some(400));
    phone.dial_known(&facts, &[]);
    // The code was forgotten: the account that they link again shows who they are.
    phone.keys(&["0", "1", "access", "1", "ada", "Zq7pw"]);
    let id = phone.submit().attempt;
    phone.sends(id);
    assert_eq!(phone.state.links.len(), 1);
    let again = LinkSummary {
        duplicate: true,
        ..link(9, "access:p", "Access Bank")
    };
    phone.resolves(id, AttemptResult::Linked(again));
    let shown: Vec<_> = phone.state.links.iter().map(|link| link.id).collect();
    assert_eq!(shown, [LinkId::from_bytes([9; 16])]);
    assert_eq!(phone.state.withheld.len(), 1);
}

/// Which links it was asked to note as seen.
fn noted(phone: &mut Phone) -> Vec<LinkId> {
    let effects = std::mem::take(&mut phone.effects);
    let seen = effects.into_iter().filter_map(|effect| match effect {
        Effect::NoteUse(seen) => Some(seen),
        _ => None,
    });
    seen.flatten().collect()
}

/// Seeing a link is using it, noted once a day: one that is on the screen, not one on the next page, nor one that is not
/// shown; not by dialling alone, not before the own code, and not by text.
#[test]
fn seeing_is_using() {
    let mut phone = phone(Some(180));
    phone.septets = 110;
    let names = ["Zenith", "Access", "Polaris", "First"];
    let banks = (1u8..).zip(names.map(|name| format!("{name} Bank of the whole Country")));
    let mut facts = SubscriberFacts {
        links: banks.map(|(n, name)| link(n, "x:p", &name)).collect(),
        ..SubscriberFacts::default()
    };
    let ids: Vec<_> = facts.links.iter().map(|link| link.id).collect();
    for (link, days) in facts.links.iter_mut().zip([1, 2, 0, 1]) {
        link.used_at = phone.now.minus(DAY * days);
    }
    phone.dial_known(&facts, &[]);
    assert_eq!(noted(&mut phone), []);
    assert!(!phone.types("2").contains("First"), "{}", phone.says());
    assert_eq!(noted(&mut phone), ids[..2]);
    phone.types("9");
    assert_eq!(noted(&mut phone), ids[3..]);
    phone.keys(&["0", "1", "0"]);
    assert_eq!(noted(&mut phone), []);

    phone.septets = 160;
    let mut facts = known(&phone, 2, Some(1));
    phone.dial_known(&facts, &[]);
    assert_eq!(noted(&mut phone), []);
    phone.types("4821");
    assert_eq!(noted(&mut phone), ids[..1]);
    facts.pin = None;
    phone.state.pin = None;
    phone.passes(DAY / 24);
    assert_eq!(phone.sends_texts(&["LINK", "2"]).matches("dial *384*96#").count(), 1);
    assert_eq!(noted(&mut phone), []);
    facts.links[0].used_at = phone.now.minus(DAY * 180);
    phone.dial_known(&facts, &["2"]);
    assert_eq!((phone.says(), noted(&mut phone)), (UNUSED.to_owned(), Vec::new()));
}

const ASKED: &str = "Acacia Cover: link an old account again and share bank account for \"a loan\", 90 days.";

/// A partner that asks for a new login to such a link is heard: its person is asked to link that account again, at a bank that
/// is not named, on a consent of its own. To a link that is shown they are asked to log in.
#[test]
fn a_request_to_renew_asks_to_link_again() {
    let mut phone = phone(Some(180));
    let mut facts = known(&phone, 400, None);
    let asks = RequestTerms {
        intent: Some(IntentId::from_bytes([9; 16])),
        reusable: false,
        institution: Some("mono/zenith:p".to_owned()),
        renews: Some(facts.links[0].id),
        ..terms(1, "Acacia Cover")
    };
    facts.requests = Some(vec![asks.clone()]);
    let said = phone.dial_known(&facts, &[]);
    assert!(said.starts_with(ASKED), "{said}");
    assert_eq!(phone.types("2"), UNUSED);
    assert!(phone.types("1").starts_with(ASKED), "{}", phone.says());
    assert!(phone.types("1").starts_with("Choose your bank"), "{}", phone.says());
    phone.keys(&["zenith", "1", "ada", "Zq7pw"]);
    let submit = phone.submit();
    let consent = submit.open.consent.expect("a consent");
    assert_eq!((consent.text.as_str(), Some(consent.intent)), (ASKED, asks.intent));
    assert_eq!(submit.open.renews, None);
    phone.sends(submit.attempt);
    phone.resolves(submit.attempt, AttemptResult::Mismatched);
    assert_eq!(phone.stage(), Some(Outcome::Mismatched));

    let mut phone = self::phone(Some(180));
    facts.ending.clear();
    facts.links[0].used_at = phone.now;
    let said = phone.dial_known(&facts, &[]);
    assert!(
        said.starts_with("Acacia Cover: log in again to Zenith ..4321"),
        "{said}"
    );
}

/// By text nothing of it is told: not that there is something, nor that it was linked before.
#[test]
fn by_text_nothing_is_told() {
    let mut phone = phone(Some(180));
    let mut facts = known(&phone, 400, None);
    facts.requests = Some(vec![RequestTerms {
        intent: Some(IntentId::from_bytes([9; 16])),
        renews: Some(facts.links[0].id),
        ..terms(1, "Acacia Cover")
    }]);
    phone.dial_known(&facts, &[]);
    phone.passes(Duration::from_mins(5));
    // The texts go on with what the dial has read.
    let said = phone.sends_text("English").screen();
    assert!(said.contains("Acacia Cover asks to see your bank account"), "{said}");
    assert!(!number_in(&said).is_empty());
    let said = phone.sends_texts(&["LINK", "2"]);
    assert!(!said.contains("not used"), "{said}");
}

/// Who changes their code, knowing the one before, keeps all that it spoke for, also what is on no screen.
#[test]
fn a_changed_code_speaks_for_the_same() {
    let mut phone = phone(Some(180));
    let banks = (1u8..).zip(["Zenith", "Access", "Polaris", "First"]);
    let banks = banks.map(|(n, name)| link(n, "x:p", &format!("{name} Bank of the whole Country")));
    let mut facts = SubscriberFacts {
        links: banks.collect(),
        pin: Some(code_chosen(&phone, 400)),
        ..SubscriberFacts::default()
    };
    for link in &mut facts.links {
        link.used_at = phone.now.minus(DAY * 400);
    }
    phone.septets = 110;
    phone.dial_known(&facts, &["2"]);
    phone.types("4821");
    assert!(!phone.says().contains("First"), "{}", phone.says());
    phone.septets = 160;
    phone.keys(&["1", "3"]);
    phone.keys(&["7352", "7352"]);
    let chosen = phone.effects.iter().find_map(|effect| match effect {
        Effect::SavePin(pin) => Some(pin.clone()),
        _ => None,
    });
    let (seen, now) = (noted(&mut phone), phone.now);
    for link in facts.links.iter_mut().filter(|link| seen.contains(&link.id)) {
        link.used_at = now;
    }
    facts.pin = chosen;
    assert!(facts.pin.is_some());
    phone.dial_known(&facts, &["2"]);
    phone.types("7352");
    assert_eq!(
        (phone.state.links.len(), phone.state.withheld.len()),
        (4, 0),
        "{}",
        phone.says()
    );
}
