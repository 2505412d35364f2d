//! A link whose bank wants a new login: what is told of it, and where that leads.

use std::time::Duration;

use super::ending::ending;
use super::fixtures::{form, link, login_form, opened, terms};
use super::phone::{Phone, flow_with};
use crate::core::flow::terms::{PartnerRef, RequestTerms};
use crate::core::flow::{AttemptResult, OpenResult, SessionEvent, SubscriberFacts};
use crate::core::ids::IntentId;
use crate::core::next_step::FieldKind;
use crate::core::pin::Pin;
use crate::core::policy::SecretsOverUssd;
use crate::core::secret::Secret;

/// What the records know of somebody whose links at these banks need a new login.
fn known(banks: &[&str]) -> SubscriberFacts {
    let links = (1u8..).zip(banks).map(|(n, bank)| {
        let mut link = link(n, &format!("{}:p", bank.to_lowercase()), bank);
        let acacia = terms(1, "Acacia Cover");
        link.partner = Some(PartnerRef {
            id: acacia.partner,
            name: acacia.name,
        });
        link.needs_login = true;
        link
    });
    SubscriberFacts {
        links: links.collect(),
        ..SubscriberFacts::default()
    }
}

const TOLD: &str = "Zenith ..4321: log in there again, or Acacia Cover sees nothing new.";

/// Every dial says it, one screen a link; "not now" leads on to what one has dialled for; and My accounts says it where the
/// link is listed and where it is shown.
#[test]
fn it_is_told_on_the_next_dial_and_in_my_accounts() {
    let facts = known(&["Zenith", "Access"]);
    let mut phone = Phone::new();
    for _ in 0..2 {
        let said = phone.dial_known(&facts, &[]);
        assert_eq!(said, format!("{TOLD}\n1 Log in again\n2 Not now\n0 Leave"));
        assert!(
            phone.types("2").starts_with("Access ..4321: log in"),
            "{}",
            phone.says()
        );
        assert!(phone.types("2").starts_with("Umoja Credit asks"), "{}", phone.says());
    }
    let listed = phone.types("2");
    assert!(
        listed.contains("1 Zenith ..4321 (log in again)\n2 Access ..4321 (log in again)"),
        "{listed}"
    );
    let said = phone.types("1");
    assert!(said.contains(". Needs a new login.\n1 Log in again\n"), "{said}");
    assert!(phone.effects.is_empty());
    // What was dialled behind the code chooses nothing here.
    assert!(phone.dial_known(&facts, &["1"]).starts_with(TOLD), "{}", phone.says());
}

/// The one press leads into the login, on the consent that the link has; once the bank has let the person in there is
/// nothing to tell, whether or not it asked for anything.
#[test]
fn the_login_is_one_press_away() {
    let facts = known(&["Zenith"]);
    for asks in [true, false] {
        let mut phone = Phone::new();
        phone.opens_at_once = false;
        phone.dial_known(&facts, &[]);
        phone.types("1");
        let open = phone.opens().remove(0);
        assert!(open.consent.is_none() && open.renews == Some(facts.links[0].id));
        let result = if asks {
            opened("s", Some(login_form()))
        } else {
            OpenResult::Renewed
        };
        phone.applies(&SessionEvent::ProviderSessionOpened {
            session: open.session,
            result,
        });
        if asks {
            phone.keys(&["ada", "Zq7pw"]);
            let id = phone.submit().attempt;
            phone.sends(id);
            // Until the bank has said yes, what is under way goes first.
            assert!(
                phone.dial_known(&facts, &[]).starts_with("Zenith is checking"),
                "{}",
                phone.says()
            );
            phone.resolves(id, AttemptResult::Linked(link(1, "zenith:p", "Zenith")));
            phone.types("1");
        }
        assert!(phone.says().contains("up to date again"), "{}", phone.says());
        assert!(!phone.state.links[0].needs_login);
    }
}

/// Half a login goes on first, and is told again when it is given up for another start.
#[test]
fn what_is_under_way_goes_first() {
    let facts = known(&["Zenith"]);
    let mut phone = Phone::new();
    phone.opens_at_once = false;
    phone.dial_known(&facts, &[]);
    phone.types("1");
    let open = phone.opens().remove(0);
    phone.applies(&SessionEvent::ProviderSessionOpened {
        session: open.session,
        result: opened("s", Some(login_form())),
    });
    phone.types("ada");
    phone.passes(Duration::from_mins(11));
    assert!(
        phone
            .dial_known(&facts, &[])
            .starts_with("You began to link Zenith. Go on?"),
        "{}",
        phone.says()
    );
    assert!(phone.types("1").starts_with("Zenith: PASSWORD"), "{}", phone.says());
    phone.passes(Duration::from_mins(11));
    phone.dial_known(&facts, &[]);
    assert!(phone.types("2").starts_with(TOLD), "{}", phone.says());
    assert!(phone.types("2").contains(" asks to see your"), "{}", phone.says());
}

/// A link that also ends soon is told of twice, the login first; and a partner that asks for the login says it itself, once.
#[test]
fn the_login_is_told_before_the_end() {
    let (mut both, ends) = ending(1, "Zenith");
    both.needs_login = true;
    let mut facts = SubscriberFacts {
        links: vec![both],
        ending: vec![ends],
        ..SubscriberFacts::default()
    };
    let mut phone = Phone::new();
    assert!(
        phone.dial_known(&facts, &[]).contains("log in there again"),
        "{}",
        phone.says()
    );
    assert!(phone.types("2").contains("30 days from today?"), "{}", phone.says());
    assert!(phone.types("0").starts_with("Umoja Credit asks"), "{}", phone.says());

    facts.requests = Some(vec![RequestTerms {
        intent: Some(IntentId::from_bytes([9; 16])),
        renews: Some(facts.links[0].id),
        ..terms(1, "Acacia Cover")
    }]);
    let asked = "Acacia Cover: log in again to Zenith ..4321";
    assert!(
        phone.dial_known(&facts, &[]).contains("log in there again"),
        "{}",
        phone.says()
    );
    // It is the partner's terms that are agreed to.
    assert!(phone.types("1").starts_with(asked), "{}", phone.says());
    facts.ending.clear();
    assert!(phone.dial_known(&facts, &[]).starts_with(asked), "{}", phone.says());
}

/// Where no secret may be typed and the bank has no other way, the screen offers nothing that cannot be done, and says who
/// knows more; a bank with another way, and one of which nobody knows, may be tried.
#[test]
fn what_this_phone_cannot_do_is_not_offered() {
    let asks_nothing_secret = form(vec![super::fixtures::field("phone", FieldKind::Digits)]);
    for (secrets, listed, offered) in [
        (SecretsOverUssd::Deny, Some(false), false),
        (SecretsOverUssd::Deny, Some(true), true),
        (SecretsOverUssd::Deny, None, true),
        (SecretsOverUssd::Warn, Some(false), true),
    ] {
        let mut phone = Phone::with(flow_with(secrets, Vec::new()));
        phone.all_lists_read = listed.is_some();
        phone.banks.clear();
        if listed == Some(true) {
            phone.banks = vec![super::fixtures::bank(
                "zenith",
                "Zenith",
                vec![asks_nothing_secret.clone()],
            )];
        }
        let said = phone.dial_known(&known(&["Zenith"]), &[]);
        let want = if offered {
            format!("{TOLD}\n1 Log in again\n2 Not now\n0 Leave")
        } else {
            "Zenith ..4321 needs a new login, not on this phone. Ask Acacia Cover how.\n2 Not now\n0 Leave".to_owned()
        };
        assert_eq!(said, want, "{secrets:?} {listed:?}");
        phone.types("1");
        assert_eq!(phone.opens().len(), usize::from(offered), "{secrets:?} {listed:?}");
    }
}

/// On a phone that others use, the person's own code comes first.
#[test]
fn it_is_behind_the_own_code() {
    let mut phone = Phone::new();
    let code = Secret::new("4821");
    let pin = Pin::new(&phone.flow.keyring, &phone.state.msisdn, &code, phone.now);
    let facts = SubscriberFacts {
        pin: Some(pin),
        ..known(&["Zenith"])
    };
    let said = phone.dial_known(&facts, &[]);
    assert!(
        said.starts_with("Type the 4 digits you chose here, not your bank PIN."),
        "{said}"
    );
    assert!(phone.types("4821").starts_with(TOLD), "{}", phone.says());
}
