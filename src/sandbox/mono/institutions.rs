//! The list of institutions as both versions write it.
//!
//! It has the faults of the real one on purpose: the first version's top-level `ui` is generic and often wrong, and the third
//! version has `nip_code` where the filter is called `bank_code`.

use serde_json::{Value, json};

use super::forms::ui;
use crate::sandbox::bank::institutions::{BankSpeed, StandInInstitution};
use crate::sandbox::bank::nigeria::{PASSWORD, USER};

/// The institution's `type`.
pub fn kind(entry: &StandInInstitution) -> &'static str {
    if entry.business {
        "BUSINESS_BANKING"
    } else {
        "PERSONAL_BANKING"
    }
}

/// The institution's `identifier`.
pub fn identifier(entry: &StandInInstitution) -> String {
    let slug: String = entry
        .name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' })
        .collect();
    format!("mono.connections.{slug}")
}

/// The heading of a bank's form.
pub fn heading(entry: &StandInInstitution) -> String {
    format!("Log in to {}", entry.name)
}

/// An entry as the third version writes it.
pub fn v3(entry: &StandInInstitution) -> Value {
    let methods: Vec<Value> = entry
        .methods
        .iter()
        .map(|method| json!({ "type": method.id, "ui": ui(&heading(entry), method.form) }))
        .collect();
    json!({ "_id": entry.id, "name": entry.name, "type": kind(entry), "icon": icon(entry), "identifier": identifier(entry),
        "nip_code": entry.nip, "country": "ng", "primary_color": "#004411",
        "scope": [{ "name": "Financial Data", "type": "financial_data" }], "auth_methods": methods })
}

/// An entry as the first version writes it, with the misleading generic `ui`.
pub fn v1(entry: &StandInInstitution) -> Value {
    let methods: Vec<Value> = entry
        .methods
        .iter()
        .map(|method| {
            json!({ "type": method.id, "name": method.name, "_id": format!("{}{}", &entry.id[..23], &method.id[..1]),
                "requires_reauth": method.id == "internet_banking", "ui": ui(&heading(entry), method.form) })
        })
        .collect();
    json!({ "_id": entry.id, "name": entry.name, "type": kind(entry), "icon": icon(entry), "identifier": identifier(entry),
        "primaryColor": "#004411", "country": "ng", "bank_code": entry.code,
        "timeout": if entry.pace == BankSpeed::Slow { 50_000 } else { 35_000 },
        "forgotPasswordLink": "https://example.invalid/forgot", "auth_methods": methods,
        "ui": ui(&heading(entry), &[USER, PASSWORD]),
        "products": ["Auth", "Accounts", "Transactions", "Balance", "Income", "Identity"] })
}

fn icon(entry: &StandInInstitution) -> String {
    format!("https://example.invalid/icons/{}.png", entry.id)
}
