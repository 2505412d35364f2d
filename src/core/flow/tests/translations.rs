//! What is said is in the person's language: what they agree to, field names and ways to log in.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fixtures::{bank, field, form, link, terms};
use super::languages::HAUSA;
use super::phone::{Phone, flow_with};
use crate::core::flow::SubscriberFacts;
use crate::core::flow::session::EndingConsent;
use crate::core::flow::terms::{PartnerRef, RequestTerms};
use crate::core::ids::{ConsentId, IntentId};
use crate::core::messages::Locale;
use crate::core::next_step::FieldKind;
use crate::core::policy::SecretsOverUssd;
use crate::core::purpose::Purpose;

fn purpose(texts: &[(Locale, &str)]) -> Purpose {
    let texts: BTreeMap<_, _> = texts
        .iter()
        .map(|(locale, text)| (*locale, (*text).to_owned()))
        .collect();
    Purpose::translated(texts).expect("texts")
}

/// What is agreed to is in the language that was chosen, and recorded so: the purpose as the partner wrote it for that
/// language, else in our words where we have them, else as it stands.
#[test]
fn a_consent_is_in_one_language() {
    for (written, said) in [
        (
            purpose(&[(Locale::En, "a tractor"), (Locale::Ha, "tarakta")]),
            "tarakta",
        ),
        (
            purpose(&[(Locale::En, "a tractor"), (Locale::Fr, "un tracteur")]),
            "a tractor",
        ),
        (purpose(&[(Locale::En, "a loan")]), "rance"),
        ("A loan decision".into(), "shawarar rance"),
        ("a tractor".into(), "a tractor"),
    ] {
        let mut phone = Phone::new();
        let asked = RequestTerms {
            intent: Some(IntentId::from_bytes([4; 16])),
            purpose: written.clone(),
            ..terms(1, "Umoja Credit")
        };
        let facts = SubscriberFacts {
            requests: Some(vec![asked]),
            language: Some(Locale::Ha),
            ..SubscriberFacts::default()
        };
        phone.septets = 250;
        let shown = phone.dial_known(&facts, &[]);
        assert!(shown.contains(&format!("\"{said}\"")), "{shown}");
        phone.keys(&["1", "zenith"]);
        let consent = phone.opens().pop().and_then(|open| open.consent).expect("a consent");
        assert_eq!((consent.purpose.as_str(), consent.locale), (said, Locale::Ha));
        assert!(shown.starts_with(&consent.text), "{shown}");
        assert_eq!(consent.purposes, Some(written).filter(Purpose::is_translated));
    }
}

/// A consent that ends is asked for again in the language that is spoken by now, whatever it was given in.
#[test]
fn a_consent_is_renewed_in_the_language_of_now() {
    for (agreed, said) in [
        ("rance".into(), "a loan"),
        (
            purpose(&[(Locale::Ha, "tarakta"), (Locale::En, "a tractor")]),
            "a tractor",
        ),
    ] {
        let acacia = terms(2, "Acacia Cover");
        let ending = EndingConsent {
            link: link(7, "zenith:p", "Zenith Bank").id,
            consent: ConsentId::from_bytes([100; 16]),
            terms: RequestTerms {
                days: 30,
                renews: Some(link(7, "zenith:p", "Zenith Bank").id),
                purpose: agreed,
                ..acacia.clone()
            },
            needs_login: false,
        };
        let mut linked = link(7, "zenith:p", "Zenith Bank");
        linked.partner = Some(PartnerRef {
            id: acacia.partner,
            name: acacia.name,
        });
        let facts = SubscriberFacts {
            links: vec![linked],
            ending: vec![ending],
            ..SubscriberFacts::default()
        };
        let mut phone = Phone::new();
        let shown = phone.dial_known(&facts, &[]);
        assert!(shown.contains(&format!("\"{said}\"")), "{shown}");
    }
}

/// Fields, their choices and the ways to log in have our words where we know the bank's; its own question stays its own.
#[test]
fn fields_and_ways_are_translated() {
    let labelled = |name: &str, label: &str, kind| {
        let mut field = field(name, kind);
        field.label = label.to_owned();
        field
    };
    let mut offer = bank(
        "kuda",
        "Kuda",
        vec![
            form(vec![labelled("username", "Email Address", FieldKind::Text)]),
            form(vec![labelled("pin", "4 Digit Transaction Pin", FieldKind::Secret)]),
            form(vec![labelled("pet", "Your first pet?", FieldKind::Text)]),
        ],
    );
    for (method, name) in offer
        .institution
        .methods
        .iter_mut()
        .zip(["Internet banking", "Mobile banking", "Pets"])
    {
        method.name = name.to_owned();
    }
    for (pick, said) in [
        ("1", "Kuda: Adireshin imel\n9 Wata hanya\n0 Koma"),
        ("2", "Kuda: PIN na biyan kudi (lamba 4)\n9 Wata hanya\n0 Koma"),
        ("3", "Kuda: Your first pet?\n9 Wata hanya\n0 Koma"),
    ] {
        let mut phone = Phone::new();
        phone.banks = vec![offer.clone()];
        phone.septets = 160;
        phone.dial();
        phone.keys(&["#", HAUSA, "1", "1", "9"]);
        assert!(
            phone.says().contains("1 Banki ta intanet\n2 Banki ta waya\n3 Pets"),
            "{}",
            phone.says()
        );
        assert_eq!(phone.types(pick), said);
    }
}

/// What is agreed to and the key for it are on one page of most networks in every language, for a usual name and purpose: who
/// reads on another page what to press presses 1 on this one.
#[test]
fn a_usual_consent_is_one_page() {
    for locale in Locale::ALL {
        let mut flow = flow_with(SecretsOverUssd::Allow, Vec::new());
        let own = Arc::get_mut(&mut flow).expect("nobody else's");
        own.settings.default_terms.name = "Sandbox Lender".to_owned();
        own.settings.default_terms.purpose = "a loan decision".into();
        let mut phone = Phone::with(flow);
        (phone.septets, phone.state.locale) = (160, locale);
        let shown = phone.dial();
        assert!(shown.contains("\n1 ") && !shown.contains("\n9 "), "{locale}: {shown}");
    }
}
