//! Linked accounts: the exchange, reading, unlinking and renewing.

use serde_json::{Value, json};

use super::answer::{ResponseStyle, envelope, error_response, failed, iso};
use super::forms::ui;
use super::institutions::{heading, kind};
use super::sessions::session_json;
use super::switches::{AccountSession, AccountVisibility, ExchangeShape, ListShape, ReauthMode};
use super::{MonoDialect, MonoMemory, MonoVersion};
use crate::sandbox::bank::answer::StandInAnswer;
use crate::sandbox::bank::memory::StandInAccount;
use crate::sandbox::bank::{Bank, CallRequest, DataStatus, RedeemError};

impl Bank<MonoDialect> {
    /// Exchanges a code for an account id.
    pub(super) fn exchange(
        &self,
        memory: &mut MonoMemory,
        owner: usize,
        request: &CallRequest<MonoDialect>,
    ) -> StandInAnswer {
        let id = match self.redeem(memory, owner, request.text("code").unwrap_or_default()) {
            Ok(id) => id,
            Err(RedeemError::BadCode) => return StandInAnswer::Json(400, failed("Invalid or expired code")),
            Err(RedeemError::NoAccount) => return error_response(memory, 404, "Account not found"),
        };
        let enveloped =
            request.version == MonoVersion::V2 && memory.switches.own.exchange_shape == ExchangeShape::Enveloped;
        let bare = json!({ "id": id });
        let body = if enveloped {
            envelope(self.now(), "Request completed successfully", &bare)
        } else {
            bare
        };
        StandInAnswer::Json(200, body)
    }

    /// All accounts that the key has linked and not unlinked.
    pub(super) fn accounts(&self, memory: &MonoMemory, owner: usize) -> StandInAnswer {
        let early = memory.switches.own.appears == AccountVisibility::AtGrant;
        let seen = memory
            .accounts
            .iter()
            .filter(|account| account.owner == owner && !account.unlinked && (account.exchanged || early));
        let rows: Vec<Value> = seen
            .map(|account| {
                let mut row = self.details(memory, account);
                if memory.switches.own.list_shape == ListShape::Flat
                    && let Some(row) = row.as_object_mut()
                    && let Some(Value::Object(own)) = row.remove("account")
                {
                    row.extend(own);
                }
                row
            })
            .collect();
        StandInAnswer::Json(
            200,
            envelope(self.now(), "Request completed successfully", &rows.into()),
        )
    }

    pub(super) fn account(
        &self,
        memory: &MonoMemory,
        owner: usize,
        request: &CallRequest<MonoDialect>,
    ) -> StandInAnswer {
        let Some(account) = memory.account(owner, request.target.as_deref().unwrap_or_default()) else {
            return error_response(memory, 404, "Account not found");
        };
        StandInAnswer::Json(
            200,
            match request.version {
                MonoVersion::V1 => self.details_v1(memory, account),
                MonoVersion::V2 => envelope(
                    self.now(),
                    "Request completed successfully",
                    &self.details(memory, account),
                ),
            },
        )
    }

    fn details(&self, memory: &MonoMemory, account: &StandInAccount) -> Value {
        let status = self.data_status(memory, account);
        let named = match memory.switches.own.account_session {
            AccountSession::Connect => account.session.clone(),
            AccountSession::Other => format!("dl_{}", &account.id[..12]),
        };
        json!({
            "account": { "id": account.id, "name": account.at_bank.holder, "currency": account.at_bank.currency,
                "type": account.at_bank.kind, "account_number": account.at_bank.number,
                "balance": account.at_bank.balance, "bvn": null,
                "institution": { "name": account.institution.name, "bank_code": account.institution.code, "type": kind(account.institution) } },
            "customer": { "id": account.customer },
            "meta": { "data_status": status, "auth_method": account.method.id,
                "data_request_id": format!("dr_{}", &account.id[..12]), "session_id": named,
                "retrieved_data": retrieved(status), "ref": null,
                "created_at": iso(account.linked_at) }
        })
    }

    fn details_v1(&self, memory: &MonoMemory, account: &StandInAccount) -> Value {
        json!({
            "meta": { "data_status": self.data_status(memory, account), "auth_method": account.method.id },
            "account": { "_id": account.id, "name": account.at_bank.holder, "accountNumber": account.at_bank.number,
                "type": account.at_bank.kind, "balance": account.at_bank.balance,
                "currency": account.at_bank.currency, "bvn": null,
                "institution": { "name": account.institution.name, "bankCode": account.institution.code, "type": kind(account.institution) } }
        })
    }

    /// Ends the access to an account. The second call answers 404.
    pub(super) fn end_account(
        &self,
        memory: &mut MonoMemory,
        owner: usize,
        request: &CallRequest<MonoDialect>,
    ) -> StandInAnswer {
        if !self.unlink(memory, owner, request.target.as_deref().unwrap_or_default()) {
            return error_response(memory, 404, "Account not found");
        }
        let body = match request.version {
            MonoVersion::V1 => json!({ "status": "successful", "message": "Account unlinked" }),
            MonoVersion::V2 => envelope(self.now(), "Account unlinked", &Value::Null),
        };
        StandInAnswer::Json(200, body)
    }

    /// Opens a session to renew an account, or renews it at once.
    pub(super) fn reauth_session(
        &self,
        memory: &mut MonoMemory,
        owner: usize,
        request: &CallRequest<MonoDialect>,
    ) -> StandInAnswer {
        let Some(account) = memory.account(owner, request.text("account").unwrap_or_default()) else {
            return error_response(memory, 404, "Account not found");
        };
        let (id, linked_in, customer) = (account.id.clone(), account.session.clone(), account.customer.clone());
        let (institution, method) = (account.institution, account.method);
        let style = ResponseStyle {
            version: MonoVersion::V2,
            nested: true,
            sparse: false,
            uncoded: false,
            now: self.now(),
        };
        let mode = memory.switches.own.reauth;
        if mode == ReauthMode::Done {
            return match self.renew(memory, owner, &id) {
                Some(code) => style.granted(&code),
                None => error_response(memory, 404, "Account not found"),
            };
        }
        let (session, expires_at) = self.open(memory, owner, (institution, method), customer, Some(id));
        let form = ui(&heading(institution), method.form);
        if mode == ReauthMode::LoginWithoutSession {
            memory.own.renewals.insert(linked_in, session);
            return style.coded(102, "Login required", json!({ "ui": form }));
        }
        let session = session_json(&session, expires_at, institution);
        style.coded(102, "Login required", json!({ "session": session, "ui": form }))
    }

    /// The first version's token: opens a session in which the account is renewed, once.
    pub(super) fn reauth_token(
        &self,
        memory: &mut MonoMemory,
        owner: usize,
        request: &CallRequest<MonoDialect>,
    ) -> StandInAnswer {
        let account = memory.account(owner, request.target.as_deref().unwrap_or_default());
        let Some(account) = account.map(|account| account.id.clone()) else {
            return error_response(memory, 404, "Account not found");
        };
        let token = self.generate_id();
        memory.own.tokens.insert(token.clone(), account);
        StandInAnswer::Json(200, json!({ "token": token }))
    }

    /// A session of the first version that renews the account of a token.
    pub(super) fn session_of_token(&self, memory: &mut MonoMemory, owner: usize, token: &str) -> StandInAnswer {
        let account = memory.own.tokens.remove(token);
        let Some(account) = account.and_then(|id| memory.account(owner, &id)) else {
            return StandInAnswer::Json(400, failed("Invalid or expired token"));
        };
        let (id, customer) = (account.id.clone(), account.customer.clone());
        let (institution, method) = (account.institution, account.method);
        let (session, expires_at) = self.open(memory, owner, (institution, method), customer, Some(id));
        let ui = ui(&heading(institution), method.form);
        StandInAnswer::Json(
            200,
            json!({ "status": "successful", "id": session, "app": super::APP, "institution": institution.id,
                "expiresAt": expires_at.as_millis(), "ui": ui }),
        )
    }
}

/// The kinds of data that were fetched.
pub(super) fn retrieved(status: DataStatus) -> &'static [&'static str] {
    match status {
        DataStatus::Available => &["identity", "balance", "transactions"],
        DataStatus::Partial => &["identity", "balance"],
        DataStatus::Unavailable | DataStatus::Failed | DataStatus::Processing => &[],
    }
}
