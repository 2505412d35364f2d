//! The answers of the stand-in in both versions.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use crate::core::time::Timestamp;

use super::{MonoMemory, MonoVersion};
use crate::sandbox::bank::answer::StandInAnswer;
use crate::sandbox::bank::customers::BankAccount;

/// A time as the second version writes it.
pub fn iso(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.as_millis())
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
        .unwrap_or_default()
}

/// A success as the second and third versions wrap it.
pub fn envelope(now: Timestamp, message: &str, data: &Value) -> Value {
    json!({ "status": "successful", "message": message, "timestamp": iso(now), "data": data })
}

/// A failure of a call that is neither login nor commit.
pub fn failed(message: &str) -> Value {
    json!({ "status": "failed", "message": message, "data": null })
}

/// How the answers to one login or commit are written.
#[derive(Clone, Copy, Debug)]
pub struct ResponseStyle {
    pub version: MonoVersion,
    /// Whether the response code is under `data`, as it is when an account is renewed.
    pub nested: bool,
    /// Whether 101 and 102 come with no more than is promised, see [`super::switches::AnswerDetails`].
    pub sparse: bool,
    /// Whether a refusal comes without a response code.
    pub uncoded: bool,
    pub now: Timestamp,
}

impl ResponseStyle {
    /// An answer with a response code.
    pub fn coded(self, code: u16, message: &str, mut data: Value) -> StandInAnswer {
        let body = match self.version {
            MonoVersion::V1 => json!({ "status": 200, "message": message, "responseCode": code, "data": data }),
            MonoVersion::V2 if self.nested => {
                if let Some(data) = data.as_object_mut() {
                    data.insert("responseCode".to_owned(), code.into());
                }
                envelope(self.now, message, &data)
            }
            MonoVersion::V2 => {
                let mut body = envelope(self.now, message, &data);
                if let Some(body) = body.as_object_mut() {
                    body.insert("responseCode".to_owned(), code.into());
                }
                body
            }
        };
        StandInAnswer::Json(200, body)
    }

    /// 99.
    pub fn granted(self, code: &str) -> StandInAnswer {
        self.coded(99, "Login successful", json!({ "code": code }))
    }

    /// 101. Only the first version numbers the rows, only the second shows balances.
    pub fn choose(self, accounts: &[BankAccount], first_index: u64) -> StandInAnswer {
        let rows = (first_index..)
            .zip(accounts)
            .map(|(index, account)| match self.version {
                MonoVersion::V1 if self.sparse => json!({ "accountNumber": account.number, "type": account.kind }),
                MonoVersion::V1 => json!({ "index": index, "accountNumber": account.number, "name": account.holder,
                "type": account.kind }),
                MonoVersion::V2 => {
                    json!({ "accountNumber": account.number, "name": account.holder, "type": account.kind,
                "currency": account.currency, "status": "active", "balance": account.balance })
                }
            });
        let rows: Value = rows.collect();
        let data = if self.version == MonoVersion::V1 {
            rows
        } else {
            json!({ "accounts": rows })
        };
        self.coded(101, "Multiple accounts found", data)
    }

    /// 102.
    pub fn prompt(self, message: &str, ui: Value) -> StandInAnswer {
        let data = if self.sparse {
            Value::Null
        } else if self.version == MonoVersion::V1 {
            ui
        } else {
            json!({ "userInput": ui })
        };
        self.coded(102, message, data)
    }

    /// 400, with the HTTP status of the switches.
    pub fn refused(self, http: u16, message: &str) -> StandInAnswer {
        let body = match self.version {
            MonoVersion::V1 => json!({ "status": 400, "message": message }),
            MonoVersion::V2 if self.uncoded => failed(message),
            MonoVersion::V2 if self.nested => {
                json!({ "status": "failed", "message": message, "data": { "responseCode": 400 } })
            }
            MonoVersion::V2 => json!({ "status": "failed", "message": message, "responseCode": 400, "data": null }),
        };
        StandInAnswer::Json(http, body)
    }
}

/// A 401 or 404, with or without a body.
pub fn error_response(memory: &MonoMemory, status: u16, message: &str) -> StandInAnswer {
    if memory.switches.own.empty_error_bodies {
        StandInAnswer::Empty(status)
    } else {
        StandInAnswer::Json(status, failed(message))
    }
}

/// The answer when a session is missing, unknown or expired.
pub fn session_over(memory: &MonoMemory) -> StandInAnswer {
    StandInAnswer::Json(
        memory.switches.own.session_over_status,
        failed("Session is invalid or has expired"),
    )
}
