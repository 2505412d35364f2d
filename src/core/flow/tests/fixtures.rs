//! Banks, forms, links and answers of providers, made up.

use std::sync::Arc;

use crate::core::flow::session::LinkSummary;
use crate::core::flow::terms::{PartnerRef, RequestTerms};
use crate::core::flow::{AttemptResult, Flow, Offer, OfferList, OpenResult, ProviderRules};
use crate::core::ids::{LinkId, PartnerId};
use crate::core::linking::{AuthMethod, Institution, Journey, ProviderSession, SessionKind};
use crate::core::next_step::{Failure, FailureClass, Field, FieldKind, FieldOption, Form};
use crate::core::time::Timestamp;

/// A field of a form.
pub fn field(name: &str, kind: FieldKind) -> Field {
    Field::new(name, name.to_uppercase(), kind)
}

/// A form of these fields.
pub fn form(fields: Vec<Field>) -> Form {
    Form { title: None, fields }
}

/// User name and password, the password first: the conversation asks it last.
pub fn login_form() -> Form {
    form(vec![
        field("password", FieldKind::Secret),
        field("username", FieldKind::Text),
    ])
}

/// A one-time code of six digits.
pub fn code_form() -> Form {
    let mut otp = field("otp", FieldKind::Digits);
    otp.exact_len = Some(6);
    form(vec![otp])
}

/// A bank with these forms, one auth method each.
pub fn bank(id: &str, name: &str, forms: Vec<Form>) -> Offer {
    let methods = forms.into_iter().enumerate().map(|(n, form)| AuthMethod {
        id: format!("method-{n}"),
        name: format!("Way {n}"),
        form,
        journey: Journey::Keypad,
        card_and_pin: false,
    });
    Offer {
        provider: "mono".to_owned(),
        institution: Institution {
            id: format!("{id}:p"),
            provider_id: id.to_owned(),
            name: name.to_owned(),
            country: Some("NG".to_owned()),
            business: false,
            methods: methods.collect(),
            timeout: None,
        },
    }
}

/// A bank whose only journey leaves the phone after this form.
pub fn away_bank(id: &str, name: &str, journey: Journey, first: Form) -> Offer {
    let mut offer = bank(id, name, vec![first]);
    offer.institution.methods[0].journey = journey;
    offer
}

/// Banks with every kind of form.
pub fn banks() -> Vec<Offer> {
    let choice = |label: &str, value: &str| FieldOption {
        label: label.to_owned(),
        value: value.to_owned(),
    };
    let one_of = FieldKind::OneOf(vec![choice("Personal", "p-1"), choice("Business", "b-2")]);
    vec![
        bank("access", "Access Bank", vec![login_form()]),
        bank(
            "first",
            "First Bank",
            vec![login_form(), form(vec![field("card", FieldKind::Digits)])],
        ),
        bank(
            "polaris",
            "Polaris",
            vec![form(vec![field("kind", one_of), field("pin", FieldKind::Secret)])],
        ),
        bank("zenith", "Zenith Bank", vec![login_form()]),
    ]
}

/// What a business asks of anyone who dials.
pub fn terms(n: u8, name: &str) -> RequestTerms {
    let business = PartnerRef {
        id: PartnerId::from_bytes([n; 16]),
        name: name.to_owned(),
    };
    RequestTerms::open_offer(business, "a loan".to_owned(), 90)
}

/// A link as the records know it.
pub fn link(n: u8, institution: &str, name: &str) -> LinkSummary {
    LinkSummary {
        id: LinkId::from_bytes([n; 16]),
        partner: None,
        institution_name: name.to_owned(),
        institution_id: institution.to_owned(),
        provider_institution: institution.trim_end_matches(":p").to_owned(),
        provider: "mono".to_owned(),
        masked: Some("4321".to_owned()),
        duplicate: false,
        until: Timestamp::from_millis(1_790_000_000_000),
        needs_login: false,
        used_at: Timestamp::from_millis(1_780_000_000_000),
    }
}

/// A failure of this class.
pub fn failed(class: FailureClass) -> AttemptResult {
    AttemptResult::Failed(Failure::from(class))
}

/// A provider's session without a form.
pub fn session_of(id: &str) -> ProviderSession {
    ProviderSession {
        id: id.to_owned(),
        expires_at: None,
        told_at: None,
        form: None,
        kind: SessionKind::Link,
        chosen: Vec::new(),
    }
}

/// A provider's session, open.
pub fn opened(id: &str, form: Option<Form>) -> OpenResult {
    OpenResult::Open(ProviderSession { form, ..session_of(id) })
}

/// What providers are allowed; the same for all.
pub fn provider_rules(name: &str) -> (String, ProviderRules) {
    let rules = ProviderRules {
        favourites: vec!["Zenith Bank".to_owned(), "gtbank".to_owned()],
        timeout: super::phone::TIMEOUT,
        settle_for: std::time::Duration::from_mins(15),
        max_rounds: 6,
    };
    (name.to_owned(), rules)
}

/// Ids and codes in order.
pub struct Drawn(pub u64);

impl crate::core::time::Rng for Drawn {
    fn fill(&self, out: &mut [u8]) {
        out.fill(0);
        let number = self.0.to_be_bytes();
        let from = out.len().saturating_sub(number.len());
        out.iter_mut()
            .skip(from)
            .zip(number)
            .for_each(|(out, byte)| *out = byte);
    }
}

/// A screen without the line that says how the language is changed.
pub fn without_language_line(screen: &str) -> String {
    let lines: Vec<_> = screen.lines().filter(|line| !line.starts_with("# ")).collect();
    lines.join("\n")
}

/// The list of banks, and what it was made of: tests change banks as they please.
#[derive(Default)]
pub struct ListedBanks(Option<(Vec<Offer>, Vec<String>, Arc<OfferList>)>);

impl ListedBanks {
    pub fn list(&mut self, flow: &Flow, banks: &[Offer], unlinkable: &[String]) -> Arc<OfferList> {
        match &self.0 {
            Some((listed, known, list)) if listed == banks && known == unlinkable => list.clone(),
            _ => {
                let list = Arc::new(flow.offer_list(banks.to_vec(), unlinkable.to_vec()));
                self.0 = Some((banks.to_vec(), unlinkable.to_vec(), list.clone()));
                list
            }
        }
    }
}
