//! The token endpoints as OAuth 2.0 clients use them. The client is a stock library, so that what it gets is what the RFCs
//! say and not what we think they say.

use std::convert::Infallible;

use oauth2::basic::{BasicClient, BasicErrorResponseType};
use oauth2::{
    AccessToken, AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, RequestTokenError, RevocationUrl,
    StandardRevocableToken, TokenResponse as _, TokenUrl, http,
};
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::sandbox::Sandbox;

/// The library revokes tokens over TLS only, so the server is called as if behind a proxy that ends it.
const PUBLIC: &str = "https://api.kiungo.test";
const FORM: &str = "application/x-www-form-urlencoded";

/// The proxy.
async fn forward(api: &Api, request: HttpRequest) -> Result<HttpResponse, Infallible> {
    let (parts, body) = request.into_parts();
    let url = parts.uri.to_string().replace(PUBLIC, &api.base);
    let request = api.client.request(parts.method, url).headers(parts.headers).body(body);
    let answer = request.send().await.unwrap();
    let mut response = http::Response::builder().status(answer.status());
    *response.headers_mut().unwrap() = answer.headers().clone();
    Ok(response.body(answer.bytes().await.unwrap().to_vec()).unwrap())
}

async fn metadata(api: &Api) -> Value {
    let answer = api.get("/.well-known/oauth-authorization-server").send().await;
    answer.expect(200)
}

/// A stock client finds the endpoints, gets a token with either way to authenticate, and revokes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_stock_client_gets_a_token_and_revokes_it() {
    let sandbox = Sandbox::with(&[("KIUNGO_SERVER__PUBLIC_URL", PUBLIC)]).await;
    let api = Api::of_sandbox(&sandbox.origin);
    let found = metadata(&api).await;
    assert_eq!(found["issuer"], PUBLIC);
    let url = |member: &str| found[member].as_str().unwrap().to_owned();
    let client = |secret: &str, auth: AuthType| {
        BasicClient::new(ClientId::new(api.id.clone()))
            .set_client_secret(ClientSecret::new(secret.to_owned()))
            .set_auth_type(auth)
            .set_token_uri(TokenUrl::new(url("token_endpoint")).unwrap())
            .set_revocation_url(RevocationUrl::new(url("revocation_endpoint")).unwrap())
    };
    let proxy = |request| forward(&api, request);
    for auth in [AuthType::BasicAuth, AuthType::RequestBody] {
        let client = client(&api.secret, auth);
        let issued = client
            .exchange_client_credentials()
            .request_async(&proxy)
            .await
            .unwrap();
        assert_eq!(issued.expires_in().unwrap().as_secs(), 600);
        let token = issued.access_token();
        api.get("/v1/roles").by(token.secret()).send().await.expect(200);
        for revoked in [token.clone(), token.clone(), AccessToken::new("unknown".to_owned())] {
            let revocation = client
                .revoke_token(StandardRevocableToken::AccessToken(revoked))
                .unwrap();
            revocation.request_async(&proxy).await.unwrap();
        }
        let over = api.get("/v1/roles").by(token.secret()).send().await;
        over.refused(401, "unauthenticated");
    }
    for auth in [AuthType::BasicAuth, AuthType::RequestBody] {
        let client = client("kg_sk_sandbox_wrong", auth);
        let refused = client.exchange_client_credentials().request_async(&proxy).await;
        let Err(RequestTokenError::ServerResponse(error)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(*error.error(), BasicErrorResponseType::InvalidClient);
    }
    // Both ways leave the same trail as JSON.
    let other = api.token().await;
    let trail = api.get("/v1/audit").by(&other).send().await.expect(200);
    let count = |kind: &str| {
        let all = trail["data"].as_array().unwrap();
        all.iter().filter(|entry| entry["kind"] == kind).count()
    };
    assert_eq!((count("token.issued"), count("token.revoked")), (3, 2));
    sandbox.stop().await;
}

/// Endpoint, form, whether the keys are in the header, status and error. Braces stand for what differs from run to run.
const FORMS: &[(&str, &str, bool, u16, &str)] = &[
    ("token", "{keys}&grant_type=client_credentials", false, 200, ""),
    (
        "token",
        "grant_type=client_credentials&scope=&resource=x",
        true,
        200,
        "",
    ),
    ("token", "{keys}&grant_type=user&user_id={user}", false, 200, ""),
    ("token", "client_id={id}&grant_type=client_credentials", true, 200, ""),
    ("token", "{keys}", false, 400, "invalid_request"),
    ("token", "{keys}&grant_type=", false, 400, "invalid_request"),
    (
        "token",
        "{keys}&grant_type=a&grant_type=b",
        false,
        400,
        "invalid_request",
    ),
    (
        "token",
        "{keys}&grant_type=client_credentials",
        true,
        400,
        "invalid_request",
    ),
    (
        "token",
        "client_id={unknown}&grant_type=user",
        true,
        400,
        "invalid_request",
    ),
    ("token", "{keys}&grant_type=user", false, 400, "invalid_request"),
    (
        "token",
        "{keys}&grant_type=password",
        false,
        400,
        "unsupported_grant_type",
    ),
    (
        "token",
        "{keys}&grant_type=client_credentials&scope=all",
        false,
        400,
        "invalid_scope",
    ),
    (
        "token",
        "{keys}&grant_type=user&user_id={unknown}",
        false,
        400,
        "invalid_grant",
    ),
    ("token", "grant_type=client_credentials", false, 401, "invalid_client"),
    (
        "token",
        "client_id=x&client_secret=Zq7&grant_type=client_credentials",
        false,
        401,
        "invalid_client",
    ),
    (
        "revoke",
        "{keys}&token=unknown&token_type_hint=access_token",
        false,
        200,
        "",
    ),
    ("revoke", "token=unknown", true, 200, ""),
    ("revoke", "{keys}", false, 400, "invalid_request"),
    ("revoke", "token=unknown", false, 401, "invalid_client"),
];

/// A form that is not answered as asked gets the error that RFC 6749 has for it; it may not mix the two ways to
/// authenticate, and unknown parameters are ignored.
#[tokio::test(flavor = "multi_thread")]
async fn forms_get_the_errors_of_the_rfc() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let partner = api.token().await;
    let entity = api.entity(&partner, "Lagos").await;
    let user = api.user(&partner, &entity, "ada", None).await;
    for (endpoint, form, basic, status, error) in FORMS {
        let form = form
            .replace("{keys}", &format!("client_id={}&client_secret={}", api.id, api.secret))
            .replace("{id}", &api.id)
            .replace("{user}", &user)
            .replace("{unknown}", "11111111-1111-4111-8111-111111111111");
        let request = api.client.post(format!("{}/v1/auth/{endpoint}", api.base));
        let request = if *basic {
            request.basic_auth(&api.id, Some(&api.secret))
        } else {
            request
        };
        let request = request.header("content-type", FORM).body(form.clone());
        let answer = request.send().await.unwrap();
        let headers = answer.headers().clone();
        let header = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
        assert_eq!(answer.status(), *status, "{form}");
        assert_eq!(header("cache-control"), "no-store", "{form}");
        assert_eq!(header("content-type"), "application/json", "{form}");
        assert_eq!(
            header("www-authenticate").starts_with("Basic "),
            *status == 401,
            "{form}"
        );
        assert_eq!(header("x-request-id").len(), 36, "{form}");
        assert_eq!(!header("ratelimit-remaining").is_empty(), *status == 200, "{form}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"].as_str().unwrap_or_default(), *error, "{form}: {body}");
        assert_eq!(body["error_description"].is_string(), *status != 200, "{form}: {body}");
        assert!(!body.to_string().contains("Zq7"), "{form}");
    }
    sandbox.stop().await;
}

/// Too many wrong keys are put off, however they come, and the right one is not: 429 is a problem document, for RFC 6749 has no error for it.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_in_forms_are_put_off() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let mut last = 401;
    for n in 0..1_000 {
        let id = if n % 2 == 0 { "x" } else { &api.id };
        let request = api.client.post(format!("{}/v1/auth/token", api.base));
        let answer = request
            .basic_auth(id, Some("Zq7"))
            .header("content-type", FORM)
            .body("grant_type=client_credentials")
            .send()
            .await
            .unwrap();
        last = answer.status().as_u16();
        if last != 401 {
            let media_type = answer.headers()["content-type"].to_str().unwrap();
            assert_eq!(media_type, "application/problem+json");
            assert!(answer.headers().contains_key("retry-after"));
            break;
        }
    }
    assert_eq!(last, 429);
    let mut keys = api.keys();
    keys["grant_type"] = "client_credentials".into();
    api.post("/v1/auth/token", &keys).send().await.expect(200);
    sandbox.stop().await;
}

/// Without a configured address, the issuer is the address that was called.
#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_is_the_address_that_was_called() {
    let sandbox = Sandbox::start().await;
    let api = Api::of_sandbox(&sandbox.origin);
    let found = metadata(&api).await;
    assert_eq!(found["issuer"], sandbox.origin);
    assert_eq!(found["token_endpoint"], format!("{}/v1/auth/token", sandbox.origin));
    let methods = json!(["client_secret_basic", "client_secret_post"]);
    assert_eq!(found["token_endpoint_auth_methods_supported"], methods);
    assert_eq!(found["response_types_supported"], json!([]));
    sandbox.stop().await;
}
