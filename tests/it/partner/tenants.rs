//! Two partners with everything they can have, to see whether one gets at the other.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::{OsEntropy, SystemClock};
use kiungo::core::access::{Action, Object};
use kiungo::core::api_key::{self, KeyKind, Side};
use kiungo::core::ids::{IntentId, PartnerId};
use kiungo::core::msisdn::Msisdn;
use kiungo::records::{Attempt, AttemptState, Records};
use kiungo::service::partners::office::enrol_key;
use kiungo::service::sealing::Sealing;
use serde_json::{Value, json};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use uuid::Uuid;

use crate::support::api::Api;
use crate::support::events::told_about;
use crate::support::records::{Person, begin, fresh, person};
use crate::support::sandbox::Sandbox;

const INTENT: &str = "INSERT INTO intents (id, partner, created_at) VALUES ($1, $2, 0)";
const LINK_INTENT: &str = "INSERT INTO link_intents (id, partner, entity, created_by, state, purpose, days, scope, many, \
    links, created_at, moved_at, expires_at) VALUES ($1, $2, $3, $4, 'open', 'loans', 90, 'account', 0, 0, 0, 0, 9000000000000)";

/// Somebody who works for a partner.
pub struct Staff {
    pub token: String,
    pub entity: String,
}

/// A partner with two entities and people in both.
pub struct Tenant {
    /// What the server has written of it.
    records: Arc<dyn Records>,
    /// The same, past everything that is tested.
    file: PathBuf,
    pub api: Api,
    /// A token of its own.
    pub token: String,
    pub publishable: String,
    /// The records, and what opens them.
    pub records: Arc<dyn Records>,
    pub sealing: Sealing,
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
    /// Somebody whom a member of the staff has asked to link fails to; the id of what is told of it.
    pub async fn event(&self, staff: &Staff) -> String {
        let me = self.api.get("/v1/users/me").by(&staff.token).send().await.expect(200);
        let parsed = |member: &str| Uuid::parse_str(me[member].as_str().unwrap()).unwrap();
        let (user, entity) = (parsed("id"), parsed("entity_id"));
        let partner = PartnerId::parse(&self.api.id).unwrap();
        let intent = IntentId::from_bytes(fresh());
        let options = SqliteConnectOptions::new().filename(&self.file);
        let mut raw = SqliteConnection::connect_with(&options.busy_timeout(Duration::from_secs(30)))
            .await
            .unwrap();
        for (adding, more) in [(INTENT, None), (LINK_INTENT, Some((entity, user)))] {
            let mut row = sqlx::query(adding)
                .bind(intent.as_bytes().to_vec())
                .bind(partner.as_bytes().to_vec());
            if let Some((entity, user)) = more {
                row = row.bind(entity.as_bytes().to_vec()).bind(user.as_bytes().to_vec());
            }
            row.execute(&mut raw).await.unwrap();
        }
        let session = person(1, 1).fails_now(&*self.records, partner, intent).await;
        told_about(&*self.records, partner, &session).await[0].id.to_string()
    }

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
            records,
            file: sandbox.file(),
            sealing: sandbox.sealing(),
            token,
            api,
        }
    }
}

impl Tenant {
    /// A login of somebody with this number, which answers a request of the tenant's.
    pub async fn tried(&self, intent: &str, number: &str) -> Attempt {
        let number = Msisdn::parse(number, "").unwrap();
        let person = Person {
            partner: PartnerId::parse(&self.api.id).unwrap(),
            tag: self.sealing.keyring.tag(&number),
        };
        let mut consent = person.consent();
        consent.intent = IntentId::parse(intent).unwrap();
        consent.msisdn = self.sealing.msisdn(&consent.tag, consent.id, &number).unwrap();
        let attempt = person.attempt(&consent);
        begin(&*self.records, &consent, &attempt).await;
        let moved = self
            .records
            .move_attempt(attempt.id, AttemptState::Unknown, attempt.created_at);
        assert!(moved.await.unwrap());
        attempt
    }
}
