//! Two partners with everything they can have, to see whether one gets at the other.

use kiungo::ambient::{OsEntropy, SystemClock};
use kiungo::core::access::{Action, Object};
use kiungo::core::api_key::{self, KeyKind, Side};
use kiungo::core::ids::PartnerId;
use kiungo::service::partners::office::enrol_key;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::sandbox::Sandbox;

/// Somebody who works for a partner.
pub struct Staff {
    pub token: String,
    pub entity: String,
}

/// A partner with two entities and people in both.
pub struct Tenant {
    pub api: Api,
    /// A token of its own.
    pub token: String,
    pub publishable: String,
    /// May do nothing.
    pub nothing: Staff,
    /// May do everything to what they made.
    pub own: Staff,
    /// May do everything, as the one above in the first entity.
    pub all: Staff,
    /// May do everything in the other entity.
    pub elsewhere: Staff,
}

/// Permissions that say the same of everything.
fn everything(permission: &str) -> Value {
    let word = |value: Value| value.as_str().unwrap().to_owned();
    let actions = Action::ALL.map(|action| (word(json!(action)), json!(permission)));
    let actions = Value::Object(actions.into_iter().collect());
    let objects = Object::ALL.map(|object| (word(json!(object)), actions.clone()));
    Value::Object(objects.into_iter().collect())
}

impl Tenant {
    pub async fn new(sandbox: &Sandbox, n: u8) -> Self {
        let api = sandbox.another(n).await;
        let token = api.token().await;
        let key = api_key::draw(KeyKind::Publishable, Side::Sandbox, &OsEntropy);
        let (records, partner) = (sandbox.records().await, PartnerId::parse(&api.id).unwrap());
        let enrolled = enrol_key(&*records, &SystemClock, partner, KeyKind::Publishable, &key);
        enrolled.await.unwrap();
        let (here, there) = (api.entity(&token, "Here").await, api.entity(&token, "There").await);
        let staff = async |permission: &str, entity: &str| {
            let role = api.role(&token, &everything(permission)).await;
            let user = api.user(&token, entity, permission, Some(&role)).await;
            Staff {
                token: api.token_of(&user).await,
                entity: entity.to_owned(),
            }
        };
        Self {
            nothing: staff("not_allowed", &here).await,
            own: staff("allowed_for_own", &here).await,
            all: staff("allowed", &here).await,
            elsewhere: staff("allowed", &there).await,
            publishable: key.expose().to_owned(),
            token,
            api,
        }
    }
}
