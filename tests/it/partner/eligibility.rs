//! Live keys at a provider that wants its clients to be eligible: a partner states that it is before they are taken.

use std::sync::Arc;

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::app::{App, ReadyProvider, StartOptions, partner_id};
use kiungo::config::{Config, Mode, Registrations, keys};
use kiungo::core::api_key::{self, ApiEnvironment, ApiKeyKind};
use kiungo::core::ids::PartnerId;
use kiungo::core::secret::Secret;
use kiungo::records::{Records, StatementSource, connect};
use kiungo::service::partners::provisioning::store_key;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::api::Api;
use crate::support::config_text::{replaced, runnable};
use crate::support::one_bank::OneBank;
use crate::support::records::partner;

/// The partner of the configuration.
const OPERATOR: &str = "Duka Credit";

/// A statement that holds, by this person.
pub fn eligibility(stated_by: &str) -> Value {
    json!({
        "registered": true,
        "licence": "own",
        "trading_six_months": true,
        "agreement_signed_on": "2024-01-31",
        "stated_by": stated_by,
    })
}

/// A live server, at which two providers want their clients to be eligible: Mono, which cannot be reached, and one bank.
struct LiveServer {
    records: Arc<dyn Records>,
    dir: TempDir,
}

impl LiveServer {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        keys::generate(&dir.path().join("keys"), &OsRng).unwrap();
        let url = format!("sqlite:{}/kiungo.db", dir.path().display());
        let records = connect(&url).await.unwrap();
        Self { records, dir }
    }

    /// Starts with this key and statement of the operator's.
    async fn start(&self, key: &str, stated_by: &str) -> App {
        let text = replaced(
            &runnable(self.dir.path()),
            &[
                (
                    "secret_key = \"live_sk_1234567890\"",
                    &format!("base_url = \"https://mono.invalid\"\nsecret_key = \"{key}\""),
                ),
                ("Ada Obi", stated_by),
            ],
        );
        let config = Config::from_text(&text, Mode::Production, &[], Registrations::default());
        let bank = ReadyProvider {
            provider: OneBank::asking("bank"),
            keys: [("secret_key", Secret::new("test_1"))].into_iter().collect(),
        };
        let options = StartOptions {
            providers: vec![bank],
            ..StartOptions::default()
        };
        App::start(config.expect("a configuration"), options)
            .await
            .expect("a server")
    }

    /// A partner with a live key, at this server.
    async fn api(&self, app: &App, id: PartnerId) -> Api {
        let key = api_key::generate(ApiKeyKind::Secret, ApiEnvironment::Live, &OsRng);
        let stored = store_key(&*self.records, &SystemClock, id, ApiKeyKind::Secret, &key);
        stored.await.expect("a key");
        Api {
            id: id.to_string(),
            secret: key.expose().to_owned(),
            ..Api::of_sandbox(&app.url())
        }
    }

    async fn another(&self, app: &App, n: u8) -> Caller {
        self.records.put_partner(&partner(n)).await.unwrap();
        Caller::new(self.api(app, partner(n).id).await).await
    }
}

struct Caller {
    api: Api,
    token: String,
}

impl Caller {
    async fn new(api: Api) -> Self {
        let token = api.token().await;
        Self { api, token }
    }

    async fn put(&self, path: &str, body: &Value) -> crate::support::api::ApiAnswer {
        self.api.ask("PUT", path).json(body).by(&self.token).send().await
    }

    async fn set_key(&self, provider: &str, key: &str) -> crate::support::api::ApiAnswer {
        let path = format!("/v1/provider-credentials/{provider}");
        self.put(&path, &json!({"secret_key": key})).await
    }

    async fn get(&self, path: &str) -> crate::support::api::ApiAnswer {
        self.api.get(path).by(&self.token).send().await
    }
}

/// A live key is refused with what to send where until its partner has stated that it is eligible at that provider: another's
/// statement does not count, nor one for another provider. Test keys are taken as ever. Who stated it, and when, is told, and
/// stays in the audit trail.
#[tokio::test(flavor = "multi_thread")]
async fn live_keys_are_taken_from_the_eligible() {
    let server = LiveServer::new().await;
    let app = server.start("test_sk_0123456789", "Ada Obi").await;
    let (one, two) = (server.another(&app, 1).await, server.another(&app, 2).await);
    one.set_key("bank", "test_2").await.expect(200);
    let refused = one.set_key("bank", "live_1").await;
    refused.refused(409, "eligibility_required");
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("PUT /v1/eligibility/bank"), "{detail}");
    for member in eligibility("").as_object().unwrap().keys() {
        assert!(detail.contains(member.as_str()), "{member}: {detail}");
    }
    one.get("/v1/eligibility/bank").await.refused(404, "not_found");

    two.put("/v1/eligibility/bank", &eligibility("Wanjiru"))
        .await
        .expect(200);
    one.put("/v1/eligibility/mono", &eligibility("Ada Obi"))
        .await
        .expect(200);
    one.set_key("bank", "live_1").await.refused(409, "eligibility_required");
    one.get("/v1/eligibility/bank").await.refused(404, "not_found");

    let mut stated = eligibility("Ada Obi");
    let kept = one.put("/v1/eligibility/bank", &stated).await.expect(200);
    for (member, value) in stated.as_object().unwrap() {
        assert_eq!(&kept[member], value, "{member}");
    }
    assert_eq!(
        (&kept["source"], &kept["licensed_partner"]),
        (&json!("api"), &Value::Null)
    );
    one.set_key("bank", "live_1").await.expect(200);
    two.set_key("bank", "live_2").await.expect(200);

    stated["licence"] = json!("partner");
    stated["licensed_partner"] = json!("Umoja Bank");
    stated["stated_by"] = json!("Musa Bello");
    let kept = one.put("/v1/eligibility/bank", &stated).await.expect(200);
    assert_eq!(one.get("/v1/eligibility/bank").await.expect(200), kept);
    assert_eq!(kept["licensed_partner"], "Umoja Bank");
    let trail = one.get("/v1/audit?limit=100").await.expect(200);
    let entries = trail["data"].as_array().unwrap();
    let entries: Vec<_> = entries
        .iter()
        .filter(|entry| entry["kind"] == "eligibility.stated")
        .collect();
    for (entry, who) in entries
        .iter()
        .zip(["bank: stated by Musa Bello, api", "bank: stated by Ada Obi, api"])
    {
        assert_eq!(entry["detail"], who);
    }
    assert_eq!((entries.len(), &entries[0]["at"]), (3, &kept["stated_at"]));
}

/// What is left out, false or unread is told by its place, and nothing of it is kept.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "a table of faults")]
async fn an_incomplete_statement_is_none() {
    let server = LiveServer::new().await;
    let app = server.start("test_sk_0123456789", "Ada Obi").await;
    let one = server.another(&app, 1).await;
    let with = |member: &str, value: Value| {
        let mut body = eligibility("Ada Obi");
        body[member] = value;
        body
    };
    let missing = [
        "registered",
        "licence",
        "trading_six_months",
        "agreement_signed_on",
        "stated_by",
    ];
    for (body, faults) in [
        (json!({}), missing.map(|member| (member, "required")).to_vec()),
        (with("registered", json!(false)), vec![("registered", "must_be_true")]),
        (with("registered", json!("yes")), vec![("registered", "wrong_type")]),
        (with("registered", Value::Null), vec![("registered", "required")]),
        (with("licence", json!("leased")), vec![("licence", "invalid")]),
        (
            with("licence", json!("partner")),
            vec![("licensed_partner", "required")],
        ),
        (
            with("licensed_partner", json!("Umoja")),
            vec![("licensed_partner", "unused")],
        ),
        (
            with("trading_six_months", json!(false)),
            vec![("trading_six_months", "must_be_true")],
        ),
        (
            with("agreement_signed_on", json!("9999-01-31")),
            vec![("agreement_signed_on", "out_of_range")],
        ),
        (
            with("agreement_signed_on", json!("31/01/2026")),
            vec![("agreement_signed_on", "invalid")],
        ),
        (with("stated_by", json!("\u{200b}")), vec![("stated_by", "blank")]),
        (
            with("stated_by", json!("a".repeat(81))),
            vec![("stated_by", "too_long")],
        ),
        (with("signature", json!("x")), vec![("signature", "unknown")]),
    ] {
        let refused = one.put("/v1/eligibility/bank", &body).await;
        refused.refused(422, "invalid");
        let wanted: Vec<_> = faults
            .iter()
            .map(|(at, code)| (format!("/{at}"), (*code).to_owned()))
            .collect();
        assert_eq!(refused.faults(), wanted, "{body}");
    }
    one.put("/v1/eligibility/nowhere", &eligibility("Ada Obi"))
        .await
        .refused(404, "not_found");
    one.get("/v1/eligibility/bank").await.refused(404, "not_found");
    one.set_key("bank", "live_1").await.refused(409, "eligibility_required");
    // At Mono itself, too: it is reached only once it is stated.
    one.set_key("mono", "live_sk_1")
        .await
        .refused(409, "eligibility_required");
    one.set_key("mono", " live_sk_1").await.refused(422, "invalid");
    one.put("/v1/eligibility/mono", &eligibility("Ada Obi"))
        .await
        .expect(200);
    one.set_key("mono", "live_sk_1").await.refused(503, "unavailable");
}

/// What the configuration states of the operator is kept at the first start with it, once, and again when it is another; it is
/// read and not changed through the API.
#[tokio::test(flavor = "multi_thread")]
async fn the_operators_statement_is_kept_from_the_configuration() {
    let server = LiveServer::new().await;
    let operator = partner_id(OPERATOR);
    for (stated_by, entries) in [("Ada Obi", 1), ("Ada Obi", 1), ("Musa Bello", 2)] {
        let app = server.start("live_sk_0123456789", stated_by).await;
        let kept = server.records.eligibility(operator, "mono").await.unwrap().unwrap();
        assert_eq!(
            (kept.statement.stated_by.as_str(), kept.source),
            (stated_by, StatementSource::Configuration)
        );
        let caller = Caller::new(server.api(&app, operator).await).await;
        let trail = caller.get("/v1/audit?limit=100").await.expect(200).to_string();
        assert_eq!(trail.matches("eligibility.stated").count(), entries, "{trail}");
        assert!(
            trail.contains(&format!("mono: stated by {stated_by}, configuration")),
            "{trail}"
        );
        let told = caller.get("/v1/eligibility/mono").await.expect(200);
        assert_eq!(
            (&told["stated_by"], &told["source"]),
            (&json!(stated_by), &json!("configuration"))
        );
        let changed = caller.put("/v1/eligibility/mono", &eligibility("Wanjiru")).await;
        changed.refused(409, "conflict");
    }
}
