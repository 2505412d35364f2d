//! What a person agrees to is what stood on the screen, and in whose name: however they came there, and whatever was begun
//! before.

use std::time::Duration;

use super::fixtures::{banks, failed, link, opened, terms};
use super::phone::Phone;
use crate::core::attempt::LiveAttemptState;
use crate::core::flow::session::{EndingConsent, LinkSummary};
use crate::core::flow::terms::{DialedCode, PartnerRef, RequestTerms};
use crate::core::flow::{AttemptResult, OpenSession, PendingAttempt, SessionEvent, SubscriberFacts};
use crate::core::ids::{ConsentId, IntentId};
use crate::core::next_step::FailureClass;
use crate::core::scope::{Data, Scope};

/// Zenith, linked for Acacia Cover, which is not the operator.
fn zenith() -> LinkSummary {
    let acacia = terms(2, "Acacia Cover");
    LinkSummary {
        partner: Some(PartnerRef {
            id: acacia.partner,
            name: acacia.name,
        }),
        ..link(7, "zenith:p", "Zenith Bank")
    }
}

/// Acacia Cover asks for a new login to it; each request says something else.
fn renewal(n: u8, purpose: &str) -> RequestTerms {
    RequestTerms {
        intent: Some(IntentId::from_bytes([n; 16])),
        renews: Some(zenith().id),
        purpose: purpose.into(),
        days: u16::from(n),
        reusable: false,
        ..terms(2, "Acacia Cover")
    }
}

/// The consent to it ends soon, and so does the provider's access.
fn ending() -> EndingConsent {
    EndingConsent {
        link: zenith().id,
        consent: ConsentId::from_bytes([100; 16]),
        terms: RequestTerms {
            days: 30,
            scope: Scope::of([Data::Account, Data::Balance]).expect("data"),
            renews: Some(zenith().id),
            ..terms(2, "Acacia Cover")
        },
        needs_login: true,
    }
}

fn known(requests: Vec<RequestTerms>) -> SubscriberFacts {
    SubscriberFacts {
        links: vec![zenith()],
        requests: Some(requests),
        ..SubscriberFacts::default()
    }
}

/// The session that is being opened; its consent, its terms and the text that was agreed to say the same.
fn agreed(phone: &mut Phone) -> OpenSession {
    let open = phone.opens().pop().expect("a session to open");
    let consent = open.consent.clone().expect("a consent");
    let terms = phone.session().terms.clone().expect("terms");
    assert_eq!(open.partner, Some(terms.partner));
    assert_eq!(
        (consent.purpose.as_str(), consent.days, &consent.scope),
        (terms.purpose.in_language(consent.locale), terms.days, &terms.scope)
    );
    assert!(terms.intent.is_none_or(|intent| intent == consent.intent));
    assert!(
        consent.text.starts_with(&terms.name) && consent.text.contains(&format!("\"{}\"", consent.purpose)),
        "{}",
        consent.text
    );
    open
}

/// Of two requests for one link the one that was picked is shown, agreed to, and what the session runs under; so is a
/// consent that ends while a request waits.
#[test]
fn a_renewal_runs_under_what_was_agreed_to() {
    let requests = vec![renewal(14, "rent"), renewal(60, "school fees")];
    for (pick, days) in [("1", 14), ("2", 60)] {
        for by_accounts in [false, true] {
            let mut phone = Phone::new();
            phone.dial_known(&known(requests.clone()), &[]);
            let said = phone.types(pick);
            assert!(said.contains(&format!("{days} days")), "{said}");
            if by_accounts {
                let again = phone.keys(&["2", "1", "1"]);
                assert!(again.starts_with(said.lines().next().expect("a line")), "{again}");
            }
            phone.types("1");
            let consent = agreed(&mut phone).consent.expect("a consent");
            assert_eq!(consent.days, days);
            assert_eq!(
                Some(consent.intent),
                requests.iter().find(|r| r.days == days).expect("one").intent
            );
        }
    }
    let mut phone = Phone::new();
    let facts = SubscriberFacts {
        ending: vec![ending()],
        ..known(requests)
    };
    phone.dial_known(&facts, &[]);
    phone.types("1");
    let open = agreed(&mut phone);
    assert_eq!(
        (open.renews, open.consent.expect("a consent").days),
        (Some(zenith().id), 30)
    );
}

/// Who begins a login for a link and starts again is asked by a partner only for what that partner asks: its name never
/// stands above what the operator asks of everybody.
#[test]
fn starting_a_renewal_again_invents_no_request() {
    for ends in [false, true] {
        let facts = SubscriberFacts {
            ending: ends.then(ending).into_iter().collect(),
            ..known(vec![terms(1, "Umoja Credit")])
        };
        let mut phone = Phone::new();
        phone.dial_known(&facts, &[]);
        phone.keys(if ends { &["1"] } else { &["2", "1", "1"] });
        let session = phone.opens().remove(0).session;
        let result = opened("s", Some(super::fixtures::login_form()));
        assert!(phone.applies(&SessionEvent::ProviderSessionOpened { session, result }));
        phone.types("ada");
        phone.passes(Duration::from_mins(11));
        assert!(
            phone
                .dial_known(&facts, &[])
                .starts_with("You began to link Zenith Bank. Go on?")
        );
        let said = phone.types("2");
        if !ends {
            assert!(
                said.starts_with("Umoja Credit asks to see your bank account for \"a loan\""),
                "{said}"
            );
            continue;
        }
        // It may be told once more, or what was agreed to is asked again: the same, of the same link.
        assert!(
            said.starts_with("Acacia Cover") && !said.contains("asks to see"),
            "{said}"
        );
        phone.types("1");
        let open = agreed(&mut phone);
        let consent = open.consent.expect("a consent");
        assert_eq!((open.renews, consent.scope), (Some(zenith().id), ending().terms.scope));
    }
}

/// What asks for a login to a link that is gone is not asked any more, and is no question for a new link in its partner's name.
#[test]
fn a_link_that_is_gone_is_not_asked_for() {
    let mut phone = Phone::new();
    let facts = known(vec![renewal(14, "rent"), terms(1, "Umoja Credit")]);
    assert!(phone.dial_known(&facts, &[]).starts_with("Acacia Cover: log in again"));
    // The end takes longer than the screen waits.
    phone.keys(&["2", "1", "2", "1"]);
    phone.polls(false);
    phone.applies(&SessionEvent::Unlinked(zenith().id));
    let said = phone.types("1");
    assert!(said.starts_with("Umoja Credit asks"), "{said}");
}

/// A partner that is picked is the one that is agreed with, also while something that was begun for another one stands.
#[test]
fn who_is_picked_is_agreed_with() {
    let mut phone = Phone::new();
    let facts = known(vec![renewal(14, "rent"), terms(3, "Rent Co"), terms(4, "School Co")]);
    phone.dial_known(&facts, &[]);
    phone.banks.clear();
    let said = phone.keys(&["4", "2", "1"]);
    assert!(said.contains("Ask Rent Co how else"), "{said}");
    phone.banks = banks();
    let said = phone.keys(&["2", "1", "1"]);
    assert!(
        said.starts_with("Acacia Cover: log in again") && said.contains("4 Other"),
        "{said}"
    );
    let said = phone.keys(&["4", "3"]);
    assert!(said.starts_with("School Co asks"), "{said}");
    phone.keys(&["1", "1"]);
    assert_eq!(agreed(&mut phone).partner, Some(terms(4, "").partner));

    // The list of banks leads back to what is asked, not to what a session from the records was for.
    let (before, _) = Phone::submitted();
    let session = before.session().clone();
    let mut attempt = session.attempt.clone().expect("an attempt");
    attempt.state = LiveAttemptState::Unknown;
    let lost = PendingAttempt {
        series: session.series,
        submissions: session.submissions,
        terms: Some(RequestTerms::already_agreed(zenith().partner.expect("a partner"))),
        attempt,
        session: session.id,
        consent: session.consent.clone(),
        renews: None,
        institution: session.institution.clone().expect("a bank"),
    };
    let facts = SubscriberFacts {
        pending: Some(lost),
        ..known(vec![terms(1, "Umoja Credit")])
    };
    let mut phone = Phone::new();
    phone.dial_known(&facts, &[]);
    assert!(phone.types("2").starts_with("Choose your bank"), "{}", phone.says());
    let said = phone.types("0");
    assert!(
        said.starts_with("Umoja Credit asks") && said.contains("90 days"),
        "{said}"
    );
}

/// A request that its partner has ended, or that another account was linked for, is not asked again.
#[test]
fn what_is_over_is_not_asked_again() {
    for result in [AttemptResult::RequestEnded, AttemptResult::Mismatched] {
        let rent = RequestTerms {
            renews: None,
            ..renewal(14, "rent")
        };
        let mut phone = Phone::new();
        phone.dial_known(&known(vec![rent, terms(1, "Umoja Credit")]), &[]);
        phone.keys(&["1", "1", "ada", "Zq7password"]);
        let id = phone.submit().attempt;
        phone.sends(id);
        phone.resolves(id, result.clone());
        let said = phone.types("1");
        assert!(said.starts_with("Umoja Credit asks"), "{result:?}: {said}");
    }
}

/// A link that was told of at the beginning is not what later screens are about: they name who was agreed with, and the bank
/// that was picked.
#[test]
fn later_screens_name_who_was_agreed_with() {
    type Way = fn(&mut Phone);
    let ways: [(&str, Way); 4] = [
        ("Ask Rent Co how else", |phone| {
            phone.banks.clear();
            phone.types("1");
        }),
        ("Rent Co has ended this request", |phone| {
            let id = at_access(phone);
            phone.resolves(id, AttemptResult::RequestEnded);
        }),
        ("This is not the Access Bank account that Rent Co asked for", |phone| {
            let id = at_access(phone);
            phone.resolves(id, AttemptResult::Mismatched);
        }),
        ("Access Bank did not let you in", |phone| {
            let id = at_access(phone);
            phone.resolves(id, failed(FailureClass::Refused));
        }),
    ];
    for (want, way) in ways {
        let mut phone = Phone::new();
        let facts = SubscriberFacts {
            ending: vec![ending()],
            ..known(vec![terms(3, "Rent Co")])
        };
        assert!(phone.dial_known(&facts, &[]).starts_with("Acacia Cover reads"));
        assert!(phone.types("0").starts_with("Rent Co asks"), "{}", phone.says());
        way(&mut phone);
        assert!(phone.says().contains(want), "{want}: {}", phone.says());
    }
    // And what is waited for names the link that it is about.
    let mut phone = Phone::new();
    phone.dial_known(&known(vec![terms(3, "Rent Co")]), &[]);
    phone.keys(&["2", "1", "2", "1"]);
    assert!(
        phone.polls(false).starts_with("Zenith Bank is checking"),
        "{}",
        phone.says()
    );
    phone.passes(Duration::from_mins(3));
    phone.applies(&SessionEvent::Unlinked(zenith().id));
    let said = phone.dial_known(&known(vec![terms(3, "Rent Co")]), &[]);
    assert!(said.starts_with("Rent Co asks"), "{said}");
}

fn at_access(phone: &mut Phone) -> crate::core::ids::AttemptId {
    phone.keys(&["1", "access", "ada", "Zq7password"]);
    let id = phone.submit().attempt;
    phone.sends(id);
    id
}

/// A dialled code leads past what would have been told, and takes none of it away.
#[test]
fn a_code_takes_no_notice_away() {
    let rent = RequestTerms {
        renews: None,
        ..renewal(14, "rent")
    };
    let code = (0..=9)
        .map(|check| format!("57200000{check}"))
        .find(|code| crate::core::dial_code::DialCode::parse(code).is_some())
        .expect("a check digit");
    let mut other = ending();
    let kuda = LinkSummary {
        id: crate::core::ids::LinkId::from_bytes([8; 16]),
        ..link(8, "kuda:p", "Kuda")
    };
    other.link = kuda.id;
    let facts = SubscriberFacts {
        links: vec![zenith(), kuda],
        ending: vec![ending(), other],
        dialed_code: Some(DialedCode::Request(Box::new(rent))),
        ..known(vec![terms(1, "Umoja Credit")])
    };
    let mut phone = Phone::new();
    let said = phone.dial_known(&facts, &[&code]);
    assert!(said.starts_with("Acacia Cover asks to see"), "{said}");
    let told = phone.keys(&["3", "0"]);
    assert!(told.contains("at Zenith Bank"), "{told}");
    assert!(phone.types("0").contains("at Kuda"), "{}", phone.says());
    assert!(
        phone.types("0").starts_with("Acacia Cover asks to see"),
        "{}",
        phone.says()
    );
}
