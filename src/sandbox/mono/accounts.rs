//! Linked accounts: the exchange, reading, unlinking and renewing.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::{MonoResponse, ResponseStyle, envelope, failed, iso};
use super::call_log::{MonoVersion, UnlinkEntry};
use super::forms::ui;
use super::institutions::heading;
use super::sessions::session_json;
use super::state::{MonoMemory, MonoRequest, MonoState, StandInAccount, error_response};
use super::switches::{
    AccountSession, AccountVisibility, DataStatus, ExchangeShape, ListShape, MonoSwitches, ReauthMode,
};
use super::webhooks::AccountMoment;

impl MonoState {
    /// Exchanges a code for an account id.
    pub(super) fn exchange(&self, memory: &mut MonoMemory, owner: usize, request: &MonoRequest) -> MonoResponse {
        let known = request
            .text("code")
            .and_then(|code| memory.codes.get(code))
            .filter(|(_, whose)| *whose == owner);
        let Some((place, _)) = known.copied() else {
            return MonoResponse::Json(400, failed("Invalid or expired code"));
        };
        let (now, reusable) = (self.core.now(), memory.switches.code_reusable);
        let Some(grant) = memory.call_log.grants.get_mut(place) else {
            return MonoResponse::Empty(500);
        };
        if grant.expires_at <= now.as_millis() || (!reusable && !grant.redeemed.is_empty()) {
            grant.refused += 1;
            return MonoResponse::Json(400, failed("Invalid or expired code"));
        }
        grant.redeemed.push(now.as_millis());
        let id = grant.account.clone();
        let Some(account) = memory
            .accounts
            .iter_mut()
            .find(|account| account.id == id && !account.unlinked)
        else {
            return error_response(&memory.switches, 404, "Account not found");
        };
        if !std::mem::replace(&mut account.exchanged, true) {
            self.announce(memory, &id, AccountMoment::Exchanged);
        }
        let enveloped =
            request.dialect == MonoVersion::V2 && memory.switches.exchange_shape == ExchangeShape::Enveloped;
        let bare = json!({ "id": id });
        MonoResponse::Json(
            200,
            if enveloped {
                envelope(now, "Request completed successfully", &bare)
            } else {
                bare
            },
        )
    }

    /// All accounts that the key has linked and not unlinked.
    pub(super) fn accounts(&self, memory: &MonoMemory, owner: usize) -> MonoResponse {
        let early = memory.switches.appears == AccountVisibility::AtGrant;
        let seen = memory
            .accounts
            .iter()
            .filter(|account| account.owner == owner && !account.unlinked && (account.exchanged || early));
        let rows: Vec<Value> = seen
            .map(|account| {
                let mut row = self.details(&memory.switches, account);
                if memory.switches.list_shape == ListShape::Flat
                    && let Some(row) = row.as_object_mut()
                    && let Some(Value::Object(own)) = row.remove("account")
                {
                    row.extend(own);
                }
                row
            })
            .collect();
        MonoResponse::Json(
            200,
            envelope(self.core.now(), "Request completed successfully", &rows.into()),
        )
    }

    pub(super) fn account(&self, memory: &MonoMemory, owner: usize, request: &MonoRequest) -> MonoResponse {
        let Some(account) = memory.account(owner, request.target.as_deref().unwrap_or_default()) else {
            return error_response(&memory.switches, 404, "Account not found");
        };
        MonoResponse::Json(
            200,
            match request.dialect {
                MonoVersion::V1 => self.details_v1(&memory.switches, account),
                MonoVersion::V2 => envelope(
                    self.core.now(),
                    "Request completed successfully",
                    &self.details(&memory.switches, account),
                ),
            },
        )
    }

    /// The current status of an account's data.
    pub(super) fn data_status(&self, switches: &MonoSwitches, account: &StandInAccount) -> DataStatus {
        if account.ready_at > self.core.now() {
            return DataStatus::Processing;
        }
        account.data.unwrap_or(switches.data_status)
    }

    fn details(&self, switches: &MonoSwitches, account: &StandInAccount) -> Value {
        let status = self.data_status(switches, account);
        let named = match switches.account_session {
            AccountSession::Connect => account.session.clone(),
            AccountSession::Other => format!("dl_{}", &account.id[..12]),
        };
        json!({
            "account": { "id": account.id, "name": account.at_bank.holder, "currency": account.at_bank.currency,
                "type": account.at_bank.kind, "account_number": account.at_bank.number,
                "balance": account.at_bank.balance, "bvn": null,
                "institution": { "name": account.institution.name, "bank_code": account.institution.code, "type": account.institution.kind() } },
            "customer": { "id": account.customer },
            "meta": { "data_status": status, "auth_method": account.method.id,
                "data_request_id": format!("dr_{}", &account.id[..12]), "session_id": named,
                "retrieved_data": retrieved(status), "ref": null,
                "created_at": iso(account.linked_at) }
        })
    }

    fn details_v1(&self, switches: &MonoSwitches, account: &StandInAccount) -> Value {
        json!({
            "meta": { "data_status": self.data_status(switches, account), "auth_method": account.method.id },
            "account": { "_id": account.id, "name": account.at_bank.holder, "accountNumber": account.at_bank.number,
                "type": account.at_bank.kind, "balance": account.at_bank.balance,
                "currency": account.at_bank.currency, "bvn": null,
                "institution": { "name": account.institution.name, "bankCode": account.institution.code, "type": account.institution.kind() } }
        })
    }

    /// Ends the access to an account. The second call answers 404.
    pub(super) fn unlink(&self, memory: &mut MonoMemory, owner: usize, request: &MonoRequest) -> MonoResponse {
        let id = request.target.clone().unwrap_or_default();
        let at = self.core.now().as_millis();
        let account = memory
            .accounts
            .iter_mut()
            .find(|account| account.owner == owner && account.id == id && !account.unlinked);
        let done = account.is_some();
        if let Some(account) = account {
            account.unlinked = true;
        }
        memory.call_log.unlinks.push(UnlinkEntry {
            account: id.clone(),
            at,
            done,
        });
        if !done {
            return error_response(&memory.switches, 404, "Account not found");
        }
        if let Some(entry) = memory.call_log.accounts.iter_mut().find(|entry| entry.id == id) {
            entry.unlinked_at = Some(at);
        }
        self.announce(memory, &id, AccountMoment::Unlinked);
        let body = match request.dialect {
            MonoVersion::V1 => json!({ "status": "successful", "message": "Account unlinked" }),
            MonoVersion::V2 => envelope(self.core.now(), "Account unlinked", &Value::Null),
        };
        MonoResponse::Json(200, body)
    }

    /// Opens a session to renew an account, or renews it at once.
    pub(super) fn reauth_session(&self, memory: &mut MonoMemory, owner: usize, request: &MonoRequest) -> MonoResponse {
        let Some(account) = memory.account(owner, request.text("account").unwrap_or_default()) else {
            return error_response(&memory.switches, 404, "Account not found");
        };
        let (id, linked_in, customer) = (account.id.clone(), account.session.clone(), account.customer.clone());
        let (institution, method) = (account.institution, account.method);
        let style = ResponseStyle {
            dialect: MonoVersion::V2,
            nested: true,
            now: self.core.now(),
        };
        let mode = memory.switches.reauth;
        if mode == ReauthMode::Done {
            let code = self.hand_out_code(memory, (owner, &linked_in, &id), false, true);
            self.announce(memory, &id, AccountMoment::Renewed);
            return style.granted(&code);
        }
        let (session, expires_at) = self.new_session(memory, owner, (institution, method), customer, Some(id));
        let form = ui(&heading(institution), method.form);
        if mode == ReauthMode::LoginWithoutSession {
            memory.renewals.insert(linked_in, session);
            return style.coded(102, "Login required", json!({ "ui": form }));
        }
        let session = session_json(&session, expires_at, institution);
        style.coded(102, "Login required", json!({ "session": session, "ui": form }))
    }

    /// The first version's token, which is useful only in a browser.
    pub(super) fn reauth_token(&self, memory: &MonoMemory, owner: usize, request: &MonoRequest) -> MonoResponse {
        match memory.account(owner, request.target.as_deref().unwrap_or_default()) {
            Some(_) => MonoResponse::Json(200, json!({ "token": self.generate_id() })),
            None => error_response(&memory.switches, 404, "Account not found"),
        }
    }

    /// The time until an account's data are available.
    pub(super) fn until_ready(&self, account: &StandInAccount) -> Duration {
        account.ready_at.since(self.core.now())
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
