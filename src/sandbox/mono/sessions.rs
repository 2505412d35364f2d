//! Before the login: the list of institutions, opening a session, its test credentials.

use std::time::Duration;

use serde_json::{Value, json};

use crate::core::time::Timestamp;

use super::answer::{MonoResponse, envelope, failed};
use super::call_log::MonoVersion;
use super::customers::sha256_hex;
use super::forms::{ElementKind, FormElement, ui};
use super::institutions::{self, INSTITUTIONS, LoginMethod, StandInInstitution, heading};
use super::login_rules::naming_field;
use super::scenario;
use super::state::{MonoMemory, MonoRequest, MonoState, SessionStage, StandInSession};
use super::switches::MonoSwitches;

impl MonoState {
    pub(super) fn institutions(&self, request: &MonoRequest) -> MonoResponse {
        let scope = request.filter("scope").is_none_or(|scope| scope == "financial_data");
        let country = request
            .filter("country")
            .is_none_or(|country| country.eq_ignore_ascii_case("ng"));
        let code = request.filter("bank_code");
        let method = request.filter("auth_method");
        let picked = INSTITUTIONS.iter().filter(|institution| {
            scope
                && country
                && code.is_none_or(|code| institution.code == Some(code))
                && method.is_none_or(|method| institution.methods.iter().any(|own| own.id == method))
        });
        MonoResponse::Json(
            200,
            match request.dialect {
                MonoVersion::V1 => picked.map(institutions::v1).collect(),
                MonoVersion::V2 => envelope(
                    self.core.now(),
                    "Request completed successfully",
                    &picked.map(institutions::v3).collect(),
                ),
            },
        )
    }

    pub(super) fn open(&self, memory: &mut MonoMemory, owner: usize, request: &MonoRequest) -> MonoResponse {
        let method = request.text("auth_method").unwrap_or_default();
        let found = INSTITUTIONS
            .iter()
            .filter(|institution| request.text("institution") == Some(institution.id))
            .find_map(|institution| Some((institution, institution.methods.iter().find(|own| own.id == method)?)));
        let Some((institution, method)) = found else {
            return MonoResponse::Json(400, failed("Institution or auth method is not known"));
        };
        let customer = &request.body["customer"];
        let named = ["name", "email"]
            .iter()
            .all(|key| customer[*key].as_str().is_some_and(|text| !text.is_empty()));
        let complete = match request.dialect {
            MonoVersion::V1 => request.text("app") == Some(super::APP),
            MonoVersion::V2 => {
                request.text("scope") == Some("financial_data") && (named || customer["id"].as_str().is_some())
            }
        };
        if !complete {
            return MonoResponse::Json(400, failed("app, or scope and customer, are missing or wrong"));
        }
        let customer = customer["id"].as_str().map_or_else(
            || sha256_hex(customer["email"].as_str().unwrap_or_default())[..24].to_owned(),
            str::to_owned,
        );
        let (id, expires_at) = self.new_session(memory, owner, (institution, method), customer, None);
        let ui = ui(&heading(institution), method.form);
        MonoResponse::Json(
            200,
            match request.dialect {
                MonoVersion::V1 => {
                    json!({ "status": "successful", "id": id, "app": super::APP, "institution": institution.id,
                    "expiresAt": expires_at.as_millis(), "ui": ui })
                }
                MonoVersion::V2 => {
                    let session = session_json(&id, expires_at, institution);
                    let data = json!({ "session": session, "ui": ui });
                    envelope(self.core.now(), "Request completed successfully", &data)
                }
            },
        )
    }

    pub(super) fn new_session(
        &self,
        memory: &mut MonoMemory,
        owner: usize,
        (institution, method): (&'static StandInInstitution, &'static LoginMethod),
        customer: String,
        reauth_of: Option<String>,
    ) -> (String, Timestamp) {
        let id = format!(
            "sess_{}",
            self.core.generate(b"abcdefghijklmnopqrstuvwxyz0123456789", 24)
        );
        let expires_at = self
            .core
            .now()
            .plus(Duration::from_millis(memory.switches.session_lifetime_ms));
        let session = StandInSession {
            owner,
            institution,
            method,
            customer,
            expires_at,
            reauth_of,
            stage: SessionStage::Login,
        };
        memory.sessions.insert(id.clone(), session);
        (id, expires_at)
    }

    pub(super) fn credentials(&self, memory: &MonoMemory, owner: usize, request: &MonoRequest) -> MonoResponse {
        let session = request.session.as_ref().and_then(|id| memory.sessions.get(id));
        let Some(session) = session.filter(|session| session.owner == owner && session.expires_at > self.core.now())
        else {
            return session_over(&memory.switches);
        };
        let named = naming_field(session.method);
        let credentials = [("one", "99", false), ("many", "101", true)].map(|(word, digits, many)| {
            let value = |element: &FormElement| match element.kind {
                ElementKind::Switch(options) => options.first().map_or_else(String::new, |option| option.1.to_string()),
                _ if element.name != named => "1234".to_owned(),
                _ if element.max.is_some() => digits.to_owned(),
                _ => word.to_owned(),
            };
            let values: serde_json::Map<String, Value> = session
                .method
                .form
                .iter()
                .map(|element| (element.name.to_owned(), value(element).into()))
                .collect();
            json!({ "hasMultipleAccounts": many, "values": values })
        });
        let data = json!({ "credentials": credentials,
            "inputs": [{ "otp": scenario::OTP }, { "answer": scenario::ANSWERS[0] }] });
        MonoResponse::Json(200, envelope(self.core.now(), "Request completed successfully", &data))
    }
}

/// A session as the second version shows it.
pub(super) fn session_json(id: &str, expires_at: Timestamp, institution: &StandInInstitution) -> Value {
    json!({ "id": id, "scope": "financial_data", "expiresAt": expires_at.as_millis(),
        "institution": { "id": institution.id, "name": institution.name, "identifier": institution.identifier() } })
}

/// The answer when a session is missing, unknown or expired.
pub(super) fn session_over(switches: &MonoSwitches) -> MonoResponse {
    MonoResponse::Json(
        switches.session_over_status,
        failed("Session is invalid or has expired"),
    )
}
