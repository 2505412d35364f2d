//! What the matrix needs to know of each route: the rows behind it, the body, and the status on success. One line a route.

use kiungo::config::sandbox::MONO_KEY;
use kiungo::records::LinkCompletion;
use serde_json::{Value, json};

use super::eligibility::eligibility;
use super::tenants::{Staff, Tenant};
use crate::support::api::ApiAnswer;
use crate::support::records::link;

/// The rows behind a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// None that could belong to somebody else.
    Nothing,
    Credentials,
    Eligibility,
    Endpoints,
    Entities,
    Erasures,
    Events,
    Intents,
    Links,
    Roles,
    Sessions,
    Users,
}

/// The effect of naming an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// It restricts the rows to that entity.
    Entity,
    /// A partner must name one.
    Needed,
    /// It is refused: the route is about the partner as a whole.
    Whole,
    /// None.
    Partner,
}

/// A route, for the matrix.
pub struct Seed {
    /// Its method and pattern.
    pub route: &'static str,
    pub rows: Rows,
    pub scope: Scope,
    /// The body; `{n}` is a number that no other request has, `{mono}` a key that the provider takes.
    pub body: &'static str,
    /// The status on success.
    pub done: u16,
}

const fn seed(route: &'static str, rows: Rows, scope: Scope, body: &'static str, done: u16) -> Seed {
    Seed {
        route,
        rows,
        scope,
        body,
        done,
    }
}

/// One line for every route that takes a token or a publishable key; the others have their own tests.
pub const SEEDS: &[Seed] = &[
    seed("GET /v1/audit", Rows::Roles, Scope::Entity, "", 200),
    seed("GET /v1/entities", Rows::Entities, Scope::Entity, "", 200),
    seed(
        "POST /v1/entities",
        Rows::Nothing,
        Scope::Partner,
        r#"{"name":"E{n}"}"#,
        201,
    ),
    seed("GET /v1/entities/{id}", Rows::Entities, Scope::Entity, "", 200),
    seed(
        "PATCH /v1/entities/{id}",
        Rows::Entities,
        Scope::Entity,
        r#"{"name":"E{n}"}"#,
        200,
    ),
    seed("DELETE /v1/entities/{id}", Rows::Entities, Scope::Entity, "", 204),
    seed("GET /v1/erasures/{id}", Rows::Erasures, Scope::Whole, "", 200),
    seed("GET /v1/connect-sessions", Rows::Sessions, Scope::Entity, "", 200),
    seed("GET /v1/connect-sessions/{id}", Rows::Sessions, Scope::Entity, "", 200),
    seed("GET /v1/link-intents", Rows::Intents, Scope::Entity, "", 200),
    seed(
        "POST /v1/link-intents",
        Rows::Nothing,
        Scope::Entity,
        r#"{"reference":"I{n}"}"#,
        201,
    ),
    seed("GET /v1/link-intents/{id}", Rows::Intents, Scope::Entity, "", 200),
    seed(
        "POST /v1/link-intents/{id}/cancel",
        Rows::Intents,
        Scope::Entity,
        "",
        200,
    ),
    seed(
        "GET /v1/public/link-intents/{id}",
        Rows::Intents,
        Scope::Entity,
        "",
        200,
    ),
    seed("GET /v1/links", Rows::Links, Scope::Entity, "", 200),
    seed("GET /v1/links/{id}", Rows::Links, Scope::Entity, "", 200),
    seed("DELETE /v1/links/{id}", Rows::Links, Scope::Entity, "", 202),
    seed("POST /v1/links/{id}/reauthorise", Rows::Links, Scope::Entity, "", 201),
    seed("GET /v1/partner", Rows::Nothing, Scope::Partner, "", 200),
    seed(
        "PATCH /v1/partner",
        Rows::Nothing,
        Scope::Partner,
        r#"{"purpose":"P{n}"}"#,
        200,
    ),
    seed("GET /v1/provider-credentials", Rows::Nothing, Scope::Partner, "", 200),
    seed(
        "PUT /v1/provider-credentials/{provider}",
        Rows::Credentials,
        Scope::Partner,
        r#"{"secret_key":"{mono}"}"#,
        200,
    ),
    seed(
        "DELETE /v1/provider-credentials/{provider}",
        Rows::Credentials,
        Scope::Partner,
        "",
        204,
    ),
    seed(
        "GET /v1/eligibility/{provider}",
        Rows::Eligibility,
        Scope::Partner,
        "",
        200,
    ),
    seed(
        "PUT /v1/eligibility/{provider}",
        Rows::Nothing,
        Scope::Partner,
        r#"{"registered":true,"licence":"own","trading_six_months":true,"agreement_signed_on":"2024-01-31","stated_by":"A{n}"}"#,
        200,
    ),
    seed("GET /v1/roles", Rows::Roles, Scope::Entity, "", 200),
    seed(
        "POST /v1/roles",
        Rows::Nothing,
        Scope::Entity,
        r#"{"name":"R{n}","permissions":{}}"#,
        201,
    ),
    seed("GET /v1/roles/{id}", Rows::Roles, Scope::Entity, "", 200),
    seed(
        "PATCH /v1/roles/{id}",
        Rows::Roles,
        Scope::Entity,
        r#"{"name":"R{n}"}"#,
        200,
    ),
    seed("DELETE /v1/roles/{id}", Rows::Roles, Scope::Entity, "", 204),
    seed(
        "POST /v1/subscribers/erase",
        Rows::Nothing,
        Scope::Whole,
        r#"{"msisdn":"+2348032{n}"}"#,
        202,
    ),
    seed(
        "POST /v1/subscribers/export",
        Rows::Nothing,
        Scope::Whole,
        r#"{"msisdn":"+2348032{n}"}"#,
        200,
    ),
    seed("GET /v1/users", Rows::Users, Scope::Entity, "", 200),
    seed(
        "POST /v1/users",
        Rows::Nothing,
        Scope::Needed,
        r#"{"login":"u{n}","name":"U"}"#,
        201,
    ),
    seed("GET /v1/users/me", Rows::Nothing, Scope::Entity, "", 200),
    seed("GET /v1/users/{id}", Rows::Users, Scope::Entity, "", 200),
    seed(
        "PATCH /v1/users/{id}",
        Rows::Users,
        Scope::Entity,
        r#"{"name":"U{n}"}"#,
        200,
    ),
    seed("DELETE /v1/users/{id}", Rows::Users, Scope::Entity, "", 204),
    seed("GET /v1/webhook-endpoints", Rows::Endpoints, Scope::Entity, "", 200),
    seed(
        "POST /v1/webhook-endpoints",
        Rows::Nothing,
        Scope::Entity,
        r#"{"url":"http://127.0.0.1:9/{n}"}"#,
        201,
    ),
    seed(
        "GET /v1/webhook-endpoints/{id}",
        Rows::Endpoints,
        Scope::Entity,
        "",
        200,
    ),
    seed(
        "PATCH /v1/webhook-endpoints/{id}",
        Rows::Endpoints,
        Scope::Entity,
        r#"{"url":"http://127.0.0.1:9/{n}"}"#,
        200,
    ),
    seed(
        "DELETE /v1/webhook-endpoints/{id}",
        Rows::Endpoints,
        Scope::Entity,
        "",
        204,
    ),
    seed(
        "POST /v1/webhook-endpoints/{id}/rotate-secret",
        Rows::Endpoints,
        Scope::Entity,
        "",
        200,
    ),
    seed("GET /v1/events", Rows::Events, Scope::Entity, "", 200),
    seed("GET /v1/events/{id}", Rows::Events, Scope::Entity, "", 200),
    // To the endpoints that are left from the routes above.
    seed("POST /v1/events/{id}/replay", Rows::Events, Scope::Entity, "", 202),
];

impl Rows {
    /// Creates a row of the tenant, by this user where users create such rows; its id for the path.
    pub async fn make(self, tenant: &Tenant, staff: &Staff, n: u32) -> String {
        let (api, by_partner) = (&tenant.api, tenant.token.as_str());
        let by_staff = async |path: &str, body: Value| id(api.post(path, &body).by(&staff.token).send().await, 201);
        match self {
            Self::Nothing => String::new(),
            Self::Credentials => {
                let put = api.ask("PUT", "/v1/provider-credentials/mono");
                let put = put.json(&json!({"secret_key": MONO_KEY})).by(by_partner);
                put.send().await.expect(200);
                "mono".to_owned()
            }
            Self::Eligibility => {
                let put = api.ask("PUT", "/v1/eligibility/mono").json(&eligibility("Ada Obi"));
                put.by(by_partner).send().await.expect(200);
                "mono".to_owned()
            }
            Self::Endpoints => {
                make_room(tenant).await;
                let url = format!("http://127.0.0.1:9/{n}");
                by_staff("/v1/webhook-endpoints", json!({"url": url})).await
            }
            Self::Events => {
                let intent = by_staff("/v1/link-intents", json!({})).await;
                tenant.told(&intent, &format!("+2348034{n}")).await
            }
            Self::Entities => api.entity(by_partner, &format!("E{n}")).await,
            Self::Erasures => {
                let whose = json!({"msisdn": format!("+2348031{n}")});
                id(
                    api.post("/v1/subscribers/erase", &whose).by(by_partner).send().await,
                    202,
                )
            }
            Self::Intents => by_staff("/v1/link-intents", json!({"reference": format!("I{n}")})).await,
            Self::Sessions => {
                let intent = by_staff("/v1/link-intents", json!({})).await;
                let attempt = tenant.tried(&intent, &format!("+2348034{n}")).await;
                attempt.session.to_string()
            }
            Self::Links => {
                let intent = by_staff("/v1/link-intents", json!({})).await;
                let link = link(&tenant.tried(&intent, &format!("+2348034{n}")).await, 0);
                let linked = tenant.records.complete_link(&link, &[]).await;
                assert_eq!(linked, Ok(LinkCompletion::Written(link.id)));
                link.id.to_string()
            }
            Self::Roles => by_staff("/v1/roles", json!({"name": format!("R{n}"), "permissions": {}})).await,
            Self::Users => by_staff("/v1/users", json!({"login": format!("u{n}"), "name": "U"})).await,
        }
    }

    /// Creates a row of another entity of the tenant, or of another tenant.
    pub async fn elsewhere(self, tenant: &Tenant, n: u32) -> String {
        match self {
            Self::Entities => tenant.elsewhere.entity.clone(),
            _ => self.make(tenant, &tenant.elsewhere, n).await,
        }
    }
}

/// Deletes all but the newest endpoints, because their number is limited.
async fn make_room(tenant: &Tenant) {
    const KEPT: usize = 6;
    let list = tenant.api.get("/v1/webhook-endpoints?limit=100").by(&tenant.token);
    let list = list.send().await.expect(200);
    for endpoint in list["data"].as_array().unwrap().iter().skip(KEPT) {
        let path = format!("/v1/webhook-endpoints/{}", endpoint["id"].as_str().unwrap());
        tenant.api.delete(&path).by(&tenant.token).send().await.expect(204);
    }
}

fn id(made: ApiAnswer, status: u16) -> String {
    made.expect(status)["id"].as_str().unwrap().to_owned()
}

impl Seed {
    /// The body of a request.
    pub fn body(&self, n: u32) -> Option<Value> {
        let text = self.body.replace("{n}", &n.to_string()).replace("{mono}", MONO_KEY);
        (!text.is_empty()).then(|| serde_json::from_str(&text).unwrap())
    }
}
