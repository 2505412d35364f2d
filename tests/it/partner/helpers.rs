//! Users of a partner, each with another scope.

use std::collections::BTreeMap;

use kiungo::core::access::{Action, Object};
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::sandbox::Sandbox;

pub fn text<'a>(of: &'a Value, member: &str) -> &'a str {
    of[member].as_str().unwrap_or_default()
}

pub fn members(of: &Value) -> Vec<&str> {
    of.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Tokens of users with different permissions for one kind of object.
pub struct Tokens {
    /// Lagos.
    pub entity: String,
    /// Works in Lagos, permitted for their own objects; login `own`.
    pub own: String,
    pub own_id: String,
    /// Works in Lagos, permitted for all of it.
    pub all: String,
    /// Works in Kano, permitted for all of it.
    pub elsewhere: String,
    /// Permitted nothing.
    pub nobody: String,
    /// Another partner.
    pub stranger: String,
    /// The partner.
    pub partner: String,
}

impl Tokens {
    /// All who may read, and whether they see the objects of `own`.
    pub fn readers(&self) -> [(&'static str, &str, bool); 5] {
        [
            ("own", &self.own, true),
            ("all", &self.all, true),
            ("elsewhere", &self.elsewhere, false),
            ("stranger", &self.stranger, false),
            ("partner", &self.partner, true),
        ]
    }
}

/// Users who may do anything with this kind of object, each within their scope.
pub async fn tokens(sandbox: &Sandbox, api: &Api, partner: &str, object: &str) -> Tokens {
    let there: Object = serde_json::from_value(json!(object)).unwrap();
    let role = async |permission: &str| {
        let actions = there.actions().iter().filter(|action| **action != Action::Create);
        let actions: BTreeMap<_, _> = actions.map(|action| (action, permission)).collect();
        api.role(partner, &json!({ object: actions })).await
    };
    let (own, all) = (role("allowed_for_own").await, role("allowed").await);
    let nothing = api.role(partner, &json!({"user": {"read": "allowed"}})).await;
    let (entity, kano) = (api.entity(partner, "Lagos").await, api.entity(partner, "Kano").await);
    let other = sandbox.another(1).await;
    let own_id = api.user(partner, &entity, "own", Some(&own)).await;
    let token = async |entity: &str, login: &str, role: &str| {
        let user = api.user(partner, entity, login, Some(role)).await;
        api.token_of(&user).await
    };
    Tokens {
        own: api.token_of(&own_id).await,
        own_id,
        all: token(&entity, "all", &all).await,
        elsewhere: token(&kano, "elsewhere", &all).await,
        nobody: token(&kano, "nobody", &nothing).await,
        stranger: other.token().await,
        partner: partner.to_owned(),
        entity,
    }
}
