//! A partner's server: it calls the partner API over real HTTP and looks at every answer.

use kiungo::config::sandbox::API_SECRET_KEY;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::http::client;

/// An answer: its status, headers and body.
#[derive(Debug)]
pub struct ApiAnswer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl ApiAnswer {
    /// A header's value.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What it says of this status, which it has.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// That it is refused with this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        let found = (self.status, self.body["code"].as_str().unwrap_or_default());
        assert_eq!(found, (status, code), "{}", self.body);
    }

    /// What is not right in the request, as pointers and codes.
    pub fn faults(&self) -> Vec<(String, String)> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        errors
            .iter()
            .map(|error| (text(&error["pointer"]), text(&error["code"])))
            .collect()
    }
}

/// The API at one server, as a partner with these keys.
#[derive(Clone)]
pub struct Api {
    pub base: String,
    pub client: Client,
    pub id: String,
    pub secret: String,
}

/// A request to be sent.
pub struct ApiRequest {
    request: reqwest::RequestBuilder,
}

impl ApiRequest {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// With a token.
    pub fn by(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// For an entity.
    pub fn within(self, entity: &str) -> Self {
        self.header("kiungo-entity-id", entity)
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    pub fn text(mut self, body: &str) -> Self {
        self.request = self.request.body(body.to_owned());
        self
    }

    /// Sends it. Whatever the answer is, it carries what every answer must.
    pub async fn send(self) -> ApiAnswer {
        let answer = self.request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let answer = ApiAnswer {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        };
        assert_eq!(answer.header("x-request-id").len(), 36, "{answer:?}");
        assert_eq!(answer.header("kiungo-version"), "2026-11-01", "{answer:?}");
        if status >= 400 {
            assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
            assert_eq!(answer.body["status"], status, "{answer:?}");
            assert_eq!(answer.body["request_id"], answer.header("x-request-id"), "{answer:?}");
            for member in ["type", "title", "detail", "code"] {
                assert!(answer.body[member].is_string(), "{answer:?}");
            }
        }
        answer
    }
}

impl Api {
    /// The sandbox's partner.
    pub fn of_sandbox(origin: &str) -> Self {
        Self {
            base: origin.to_owned(),
            client: client(),
            id: kiungo::app::partner_id("Sandbox Lender").to_string(),
            secret: API_SECRET_KEY.to_owned(),
        }
    }

    pub fn ask(&self, method: &str, path: &str) -> ApiRequest {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        ApiRequest {
            request: self.client.request(method, format!("{}{path}", self.base)),
        }
    }

    pub fn get(&self, path: &str) -> ApiRequest {
        self.ask("GET", path)
    }

    pub fn post(&self, path: &str, body: &Value) -> ApiRequest {
        self.ask("POST", path).json(body)
    }

    pub fn patch(&self, path: &str, body: &Value) -> ApiRequest {
        self.ask("PATCH", path).json(body)
    }

    pub fn delete(&self, path: &str) -> ApiRequest {
        self.ask("DELETE", path)
    }

    /// Keys as a request for a token carries them.
    pub fn keys(&self) -> Value {
        json!({"client_id": self.id, "client_secret": self.secret})
    }

    /// A token of the partner.
    pub async fn token(&self) -> String {
        let mut ask = self.keys();
        ask["grant_type"] = "client_credentials".into();
        self.issued(&ask).await
    }

    /// A token of one of its users.
    pub async fn token_of(&self, user: &str) -> String {
        let mut ask = self.keys();
        ask["grant_type"] = "user".into();
        ask["user_id"] = user.into();
        self.issued(&ask).await
    }

    async fn issued(&self, ask: &Value) -> String {
        let issued = self.post("/v1/auth/token", ask).send().await.expect(200);
        issued["access_token"].as_str().unwrap().to_owned()
    }

    /// Ends a token.
    pub async fn revoke(&self, token: &str) {
        let mut ask = self.keys();
        ask["token"] = token.into();
        self.post("/v1/auth/revoke", &ask).send().await.expect(200);
    }

    /// Makes something with a partner's token; its id.
    pub async fn created(&self, token: &str, entity: Option<&str>, path: &str, body: &Value) -> String {
        let ask = self.post(path, body).by(token);
        let ask = match entity {
            Some(entity) => ask.within(entity),
            None => ask,
        };
        let made = ask.send().await.expect(201);
        made["id"].as_str().unwrap().to_owned()
    }

    /// Makes an entity.
    pub async fn entity(&self, token: &str, name: &str) -> String {
        self.created(token, None, "/v1/entities", &json!({"name": name})).await
    }

    /// Makes a role for all entities.
    pub async fn role(&self, token: &str, permissions: &Value) -> String {
        let role = json!({"name": "A role", "permissions": permissions});
        self.created(token, None, "/v1/roles", &role).await
    }

    /// Makes a user of an entity with a role.
    pub async fn user(&self, token: &str, entity: &str, login: &str, role: Option<&str>) -> String {
        let user = json!({"login": login, "name": login, "role_id": role});
        self.created(token, Some(entity), "/v1/users", &user).await
    }
}
