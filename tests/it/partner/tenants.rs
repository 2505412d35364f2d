//! Two partners with everything they can have, to test their isolation.

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::core::access::Object;
use kiungo::core::api_key::{self, ApiEnvironment, ApiKeyKind};
use kiungo::core::ids::{IntentId, PartnerId};
use kiungo::core::msisdn::Msisdn;
use kiungo::core::time::Clock as _;
use kiungo::records::{Attempt, AttemptState, Records};
use kiungo::service::partners::provisioning::store_key;
use kiungo::service::sealing::Sealing;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::events::events_about;
use crate::support::records::{RecordedPerson, begin};
use crate::support::sandbox::Sandbox;

pub struct Staff {
    pub token: String,
    pub entity: String,
}

/// A partner with two entities and users in both.
pub struct Tenant {
    pub records: Arc<dyn Records>,
    pub api: Api,
    pub token: String,
    pub publishable: String,
    pub sealing: Sealing,
    /// May do nothing.
    pub nothing: Staff,
    /// May do everything to their own objects.
    pub own: Staff,
    /// May do everything, as the one above in the first entity.
    pub all: Staff,
    /// May do everything in the other entity.
    pub elsewhere: Staff,
}

/// The same permission for everything.
fn everything(permission: &str) -> Value {
    let word = |value: Value| value.as_str().unwrap().to_owned();
    let actions = |object: Object| {
        let actions = object
            .actions()
            .iter()
            .map(|action| (word(json!(action)), json!(permission)));
        Value::Object(actions.collect())
    };
    let objects = Object::ALL.map(|object| (word(json!(object)), actions(object)));
    Value::Object(objects.into_iter().collect())
}

impl Tenant {
    pub async fn new(sandbox: &Sandbox, n: u8) -> Self {
        let api = sandbox.another(n).await;
        let token = api.token().await;
        let key = api_key::generate(ApiKeyKind::Publishable, ApiEnvironment::Sandbox, &OsRng);
        let (records, partner) = (sandbox.records().await, PartnerId::parse(&api.id).unwrap());
        let enrolled = store_key(&*records, &SystemClock, partner, ApiKeyKind::Publishable, &key);
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
            records,
            sealing: sandbox.sealing(),
            token,
            api,
        }
    }
}

impl Tenant {
    /// Adds a login of this number for an intent of the tenant.
    pub async fn tried(&self, intent: &str, number: &str) -> Attempt {
        let number = Msisdn::parse(number, "").unwrap();
        let person = RecordedPerson {
            partner: PartnerId::parse(&self.api.id).unwrap(),
            tag: self.sealing.keyring.tag(&number),
        };
        let mut consent = person.consent();
        consent.intent = IntentId::parse(intent).unwrap();
        consent.msisdn = self.sealing.seal_msisdn(&consent.tag, consent.id, &number).unwrap();
        // Not due for long, or the running server would settle it.
        let attempt = Attempt {
            created_at: SystemClock.now().plus(Duration::from_hours(1)),
            ..person.attempt(&consent)
        };
        begin(&*self.records, &consent, &attempt).await;
        let moved = self
            .records
            .move_attempt(attempt.id, AttemptState::Unknown, attempt.created_at);
        assert!(moved.await.unwrap());
        attempt
    }

    /// Adds a refused login for this intent; the id of its event.
    pub async fn told(&self, intent: &str, number: &str) -> String {
        let attempt = self.tried(intent, number).await;
        let refused = self
            .records
            .move_attempt(attempt.id, AttemptState::Refused, SystemClock.now());
        assert!(refused.await.unwrap());
        events_about(&*self.records, attempt.partner, attempt.session.as_bytes()).await[0]
            .id
            .to_string()
    }
}
