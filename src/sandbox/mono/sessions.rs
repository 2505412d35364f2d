//! Before the login: the list of institutions, opening a session, its test credentials.

use serde_json::{Value, json};

use super::answer::{envelope, failed, session_over};
use super::forms::ui;
use super::institutions::{self, heading};
use super::{MonoDialect, MonoMemory, MonoVersion};
use crate::core::time::Timestamp;
use crate::sandbox::bank::answer::StandInAnswer;
use crate::sandbox::bank::customers::sha256_hex;
use crate::sandbox::bank::institutions::{ElementKind, FormElement, StandInInstitution};
use crate::sandbox::bank::magic_words::{ANSWERS, OTP};
use crate::sandbox::bank::nigeria::INSTITUTIONS;
use crate::sandbox::bank::{Bank, CallRequest};

impl Bank<MonoDialect> {
    pub(super) fn institutions(&self, request: &CallRequest<MonoDialect>) -> StandInAnswer {
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
                && method.is_none_or(|method| institution.method(method).is_some())
        });
        StandInAnswer::Json(
            200,
            match request.version {
                MonoVersion::V1 => picked.map(institutions::v1).collect(),
                MonoVersion::V2 => envelope(
                    self.now(),
                    "Request completed successfully",
                    &picked.map(institutions::v3).collect(),
                ),
            },
        )
    }

    pub(super) fn open_session(
        &self,
        memory: &mut MonoMemory,
        owner: usize,
        request: &CallRequest<MonoDialect>,
    ) -> StandInAnswer {
        if let (MonoVersion::V1, Some(token)) = (request.version, request.text("reauth_token")) {
            return self.session_of_token(memory, owner, token);
        }
        let method = request.text("auth_method").unwrap_or_default();
        let found = INSTITUTIONS
            .iter()
            .filter(|institution| request.text("institution") == Some(institution.id))
            .find_map(|institution| Some((institution, institution.method(method)?)));
        let Some((institution, method)) = found else {
            return StandInAnswer::Json(400, failed("Institution or auth method is not known"));
        };
        let customer = &request.body["customer"];
        let named = ["name", "email"]
            .iter()
            .all(|key| customer[*key].as_str().is_some_and(|text| !text.is_empty()));
        let complete = match request.version {
            MonoVersion::V1 => request.text("app") == Some(super::APP),
            MonoVersion::V2 => {
                request.text("scope") == Some("financial_data") && (named || customer["id"].as_str().is_some())
            }
        };
        if !complete {
            return StandInAnswer::Json(400, failed("app, or scope and customer, are missing or wrong"));
        }
        let customer = customer["id"].as_str().map_or_else(
            || sha256_hex(customer["email"].as_str().unwrap_or_default())[..24].to_owned(),
            str::to_owned,
        );
        let (id, expires_at) = self.open(memory, owner, (institution, method), customer, None);
        let ui = ui(&heading(institution), method.form);
        StandInAnswer::Json(
            200,
            match request.version {
                MonoVersion::V1 => {
                    json!({ "status": "successful", "id": id, "app": super::APP, "institution": institution.id,
                    "expiresAt": expires_at.as_millis(), "ui": ui })
                }
                MonoVersion::V2 => {
                    let session = session_json(&id, expires_at, institution);
                    let data = json!({ "session": session, "ui": ui });
                    envelope(self.now(), "Request completed successfully", &data)
                }
            },
        )
    }

    pub(super) fn credentials(
        &self,
        memory: &MonoMemory,
        owner: usize,
        request: &CallRequest<MonoDialect>,
    ) -> StandInAnswer {
        let id = request.session.as_deref().unwrap_or_default();
        let Some(session) = memory.session(owner, id, self.now()) else {
            return session_over(memory);
        };
        let named = session.method.naming_field();
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
            "inputs": [{ "otp": OTP }, { "answer": ANSWERS[0] }] });
        StandInAnswer::Json(200, envelope(self.now(), "Request completed successfully", &data))
    }
}

/// A session as the second version shows it.
pub(super) fn session_json(id: &str, expires_at: Timestamp, institution: &StandInInstitution) -> Value {
    json!({ "id": id, "scope": "financial_data", "expiresAt": expires_at.as_millis(),
        "institution": { "id": institution.id, "name": institution.name, "identifier": institutions::identifier(institution) } })
}
