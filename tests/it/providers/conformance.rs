//! What every provider with a login must do: the guarantees that the rest of the product relies on.
//!
//! A [`Scenario`] says what a stand-in accepts; [`check_conformance`] plays every journey against it through the port alone. A new
//! provider gets a scenario and one test. The stand-in must know one account, ask for a code after the login, and let the
//! person choose among accounts or not.

use std::time::Duration;

use kiungo::core::next_step::{FailureClass, Grant, NextStep};
use kiungo::core::secret::Secret;
use kiungo::providers::mono::MonoApiVersion;
use kiungo::providers::{
    Access, AccountsQuery, EndTarget, Institution, Provider, ProviderError, ProviderKeys, ProviderRequest,
    ProviderSession, SessionKind, SessionRequest, SessionResponse, Submission, SubmissionStep, SubmitError,
    WebhookError,
};
use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, header, method, path};
use wiremock::{Mock, MockBuilder, MockServer, ResponseTemplate};

use super::mono::{KEY, keys, keys_with, mono_with};

/// What a stand-in accepts.
pub struct Scenario<'a> {
    /// The provider, calling the stand-in.
    pub provider: &'a dyn Provider,
    /// Keys it accepts.
    pub keys: ProviderKeys,
    /// Keys it does not accept.
    pub wrong_keys: ProviderKeys,
    /// An institution of its list, by our id, with a way to log in.
    pub institution: (&'a str, &'a str),
    /// A login that is right, and one that is wrong.
    pub login: [&'a [(&'a str, &'a str)]; 2],
    /// A code that is right, and one that is wrong.
    pub code: [&'a [(&'a str, &'a str)]; 2],
}

impl Scenario<'_> {
    async fn chosen(&self) -> Institution {
        let list = self.provider.institutions(&self.keys).await.unwrap();
        list.into_iter().find(|it| it.id == self.institution.0).unwrap()
    }

    async fn opened(&self) -> ProviderSession {
        let opening = SessionRequest::Link {
            institution: &self.chosen().await,
            method: self.institution.1,
            reference: "ada",
            phone: None,
        };
        let opened = self.provider.open_session(Access::keys(&self.keys), opening).await;
        match opened.unwrap().value {
            SessionResponse::Session(session) => session,
            SessionResponse::Next(..) | SessionResponse::Done(_) => panic!("a link was made without a login"),
        }
    }

    async fn submit(
        &self,
        keys: &ProviderKeys,
        session: &ProviderSession,
        step: SubmissionStep,
        answers: &[(&str, &str)],
    ) -> Result<NextStep, SubmitError> {
        let answers = super::typed(answers);
        let submission = Submission {
            session,
            step,
            answers: &answers,
            timeout: Duration::from_secs(10),
        };
        let stepped = self.provider.submit(Access::keys(keys), submission).await;
        stepped.map(|stepped| stepped.value.step)
    }

    /// Continues from a correct login until there is a grant, in at most six steps.
    async fn granted(&self, session: &ProviderSession) -> Grant {
        let mut next = self
            .submit(&self.keys, session, SubmissionStep::Login, self.login[0])
            .await
            .unwrap();
        for _ in 0..6 {
            next = match next {
                NextStep::Done(grant) => return grant,
                NextStep::Prompt(form) => {
                    assert!(form.fits_keypad());
                    for (name, _) in self.code[0] {
                        assert!(
                            form.fields.iter().any(|field| field.name == *name),
                            "{name} was not asked"
                        );
                    }
                    self.submit(&self.keys, session, SubmissionStep::Code, self.code[0])
                        .await
                        .unwrap()
                }
                NextStep::ChooseAccounts { accounts, .. } => {
                    for account in &accounts {
                        assert!(
                            account.masked.chars().count() <= 4,
                            "more is shown than the last digits"
                        );
                    }
                    let key = accounts[0].key.clone();
                    self.submit(&self.keys, session, SubmissionStep::Choose, &[("", &key)])
                        .await
                        .unwrap()
                }
                other => panic!("{other:?}"),
            };
        }
        panic!("no end after six steps");
    }
}

/// Plays every journey.
pub async fn check_conformance(scenario: &Scenario<'_>) {
    the_list_is_stable(scenario).await;
    a_no_is_a_no(scenario).await;
    strangers_are_told_apart(scenario).await;
    a_link_is_made_read_and_ended(scenario).await;
}

async fn the_list_is_stable(scenario: &Scenario<'_>) {
    let first = scenario.provider.institutions(&scenario.keys).await.unwrap();
    assert_eq!(first, scenario.provider.institutions(&scenario.keys).await.unwrap());
    let ids: std::collections::HashSet<_> = first.iter().map(|it| &it.id).collect();
    assert_eq!(ids.len(), first.len(), "ids are unique");
    for institution in &first {
        assert!(!institution.name.is_empty() && !institution.provider_id.is_empty());
        assert!(institution.country.as_ref().is_none_or(|code| code.len() == 2));
        assert!(
            institution
                .methods
                .iter()
                .all(|it| !it.id.is_empty() && !it.name.is_empty())
        );
    }
    let chosen = scenario.chosen().await;
    assert!(
        chosen
            .methods
            .iter()
            .any(|it| it.id == scenario.institution.1 && it.form.fits_keypad())
    );
}

async fn a_no_is_a_no(scenario: &Scenario<'_>) {
    let session = scenario.opened().await;
    assert_eq!(session.kind, SessionKind::Link);
    let class = |outcome| match outcome {
        Ok(NextStep::Failed(failure)) => failure.class,
        other => panic!("{other:?}"),
    };
    let wrong = scenario
        .submit(&scenario.keys, &session, SubmissionStep::Login, scenario.login[1])
        .await;
    assert_eq!(class(wrong), FailureClass::Refused);
    let session = scenario.opened().await;
    let asked = scenario
        .submit(&scenario.keys, &session, SubmissionStep::Login, scenario.login[0])
        .await;
    assert!(matches!(asked, Ok(NextStep::Prompt(_))), "{asked:?}");
    let wrong = scenario
        .submit(&scenario.keys, &session, SubmissionStep::Code, scenario.code[1])
        .await;
    assert_eq!(class(wrong), FailureClass::WrongCode);
}

async fn strangers_are_told_apart(scenario: &Scenario<'_>) {
    let (provider, wrong) = (scenario.provider, &scenario.wrong_keys);
    let access = Access::keys(&scenario.keys);
    assert!(matches!(
        provider.institutions(wrong).await,
        Err(ProviderError::Refused(_))
    ));
    let session = scenario.opened().await;
    match scenario
        .submit(wrong, &session, SubmissionStep::Login, scenario.login[0])
        .await
    {
        Ok(NextStep::Failed(failure)) => assert_eq!(failure.class, FailureClass::Misconfigured),
        other => panic!("{other:?}"),
    }
    let nobodys = Secret::new("nobodys-account");
    let read = provider.accounts(access, AccountsQuery::One(&nobodys)).await;
    assert_eq!(read.err(), Some(ProviderError::NotFound));
    let ended = provider.end(access, EndTarget::Account(&nobodys)).await;
    assert_eq!(ended, Err(ProviderError::NotFound));
    let redeemed = provider.redeem(access, &Grant(Secret::new("nobodys-grant"))).await;
    let error = redeemed.expect_err("a grant out of nothing");
    assert!(
        matches!(error, ProviderError::Refused(_) | ProviderError::NotFound),
        "{error:?}"
    );
    let forged = ProviderRequest {
        method: "POST",
        path: "/hooks/it",
        tail: "",
        query: "",
        headers: &[],
        body: b"{}",
    };
    let received = provider.webhook(&scenario.keys, &forged).await;
    assert_eq!(received.unwrap_err(), WebhookError::Unauthentic);
}

async fn a_link_is_made_read_and_ended(scenario: &Scenario<'_>) {
    let (provider, access) = (scenario.provider, Access::keys(&scenario.keys));
    let session = scenario.opened().await;
    let grant = scenario.granted(&session).await;
    let accounts = provider.redeem(access, &grant).await.unwrap().value.accounts;
    assert!(!accounts.is_empty());
    for account in &accounts {
        let read = provider.accounts(access, AccountsQuery::One(&account.id)).await;
        let read = read.unwrap().value;
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].id.expose(), account.id.expose());
        let details = read[0].details.as_ref().expect("details");
        assert!(!details.number.expose().is_empty());
        let target = EndTarget::Account(&account.id);
        provider.end(access, target).await.unwrap();
        assert_eq!(provider.end(access, target).await, Err(ProviderError::NotFound));
    }
}

/// The paths of one API version, with the reply shapes that differ.
struct Shapes {
    list: &'static str,
    session: &'static str,
    login: &'static str,
    commit: &'static str,
    auth: &'static str,
    accounts: &'static str,
    choose: Value,
}

fn shapes(dialect: MonoApiVersion) -> Shapes {
    match dialect {
        MonoApiVersion::V2 => Shapes {
            list: "/v3/institutions",
            session: "/v2/connect/session",
            login: "/v2/connect/login",
            commit: "/v2/connect/commit",
            auth: "/v2/accounts/auth",
            accounts: "/v2/accounts",
            choose: json!({ "accountNumber": "0009990002" }),
        },
        MonoApiVersion::V1 => Shapes {
            list: "/v1/institutions",
            session: "/v1/connect/session",
            login: "/v1/connect/login",
            commit: "/v1/connect/commit",
            auth: "/account/auth",
            accounts: "/accounts",
            choose: json!({ "account": 0 }),
        },
    }
}

/// What the small Mono says.
struct Replies {
    list: Value,
    session: Value,
    ask: Value,
    choose: Value,
    done: Value,
    account: Value,
}

fn replies(dialect: MonoApiVersion) -> Replies {
    let ui = json!({ "title": "Log in", "form": [
        { "type": "elements.input", "name": "username", "contentType": "string" },
        { "type": "elements.input", "name": "password", "contentType": "password" } ] });
    let otp =
        json!({ "title": "Code", "form": [{ "type": "elements.input", "name": "otp", "contentType": "string" }] });
    let list = json!([{ "_id": "b1", "name": "Savanna", "type": "PERSONAL_BANKING", "country": "ng",
        "auth_methods": [{ "type": "mobile_banking", "ui": ui }] }]);
    let rows = json!([{ "index": 0, "accountNumber": "0009990002", "type": "SAVINGS_ACCOUNT", "balance": 5 },
        { "index": 1, "accountNumber": "0009990001", "type": "CURRENT_ACCOUNT", "balance": 5 }]);
    let account = json!({ "account": { "id": "acc-1", "accountNumber": "0009990002", "name": "ADA" }, "meta": {} });
    let wrap = |status: Value, code: i64, data: Value| json!({ "status": status, "responseCode": code, "data": data });
    match dialect {
        MonoApiVersion::V2 => Replies {
            list: json!({ "status": "successful", "data": list }),
            session: json!({ "status": "successful", "data": { "session": { "id": "s1" }, "ui": ui } }),
            ask: wrap(json!("successful"), 102, json!({ "userInput": otp })),
            choose: wrap(json!("successful"), 101, json!({ "accounts": rows })),
            done: wrap(json!("successful"), 99, json!({ "code": "code-1" })),
            account: json!({ "status": "successful", "data": account }),
        },
        MonoApiVersion::V1 => Replies {
            list,
            session: json!({ "status": "successful", "id": "s1", "ui": ui }),
            ask: wrap(json!(200), 102, otp),
            choose: wrap(json!(200), 101, rows),
            done: wrap(json!(200), 99, json!({ "code": "code-1" })),
            account,
        },
    }
}

fn known_call(verb: &str, target: &str) -> MockBuilder {
    Mock::given(method(verb))
        .and(path(target))
        .and(header("mono-sec-key", KEY))
}

/// A minimal Mono: one bank, a code, then two accounts. An unknown request gets an empty 404, another key an empty 401.
async fn small_mono(dialect: MonoApiVersion) -> MockServer {
    let server = MockServer::start().await;
    let at = shapes(dialect);
    let Replies {
        list,
        session,
        ask,
        choose,
        done,
        account,
    } = replies(dialect);
    let no = json!({ "status": "failed", "message": "no", "responseCode": 400, "data": null });
    let done_unlinking = json!({ "status": "successful" });
    let one = format!("{}/acc-1", at.accounts);
    for (verb, target, body, status, reply) in [
        ("GET", at.list, None, 200, list),
        ("POST", at.session, None, 200, session),
        ("POST", at.login, Some(json!({ "password": "right" })), 200, ask),
        ("POST", at.login, Some(json!({ "password": "wrong" })), 400, no.clone()),
        ("POST", at.commit, Some(json!({ "otp": "123456" })), 200, choose),
        ("POST", at.commit, Some(json!({ "otp": "000000" })), 200, no.clone()),
        ("POST", at.commit, Some(at.choose), 200, done),
        (
            "POST",
            at.auth,
            Some(json!({ "code": "code-1" })),
            200,
            json!({ "id": "acc-1" }),
        ),
        ("POST", at.auth, Some(json!({ "code": "nobodys-grant" })), 400, no),
        ("GET", &one, None, 200, account),
    ] {
        let known = known_call(verb, target);
        let known = match body {
            Some(body) => known.and(body_partial_json(body)),
            None => known,
        };
        let answer = ResponseTemplate::new(status).set_body_json(reply);
        known.respond_with(answer).mount(&server).await;
    }
    // An unlinked account is gone.
    let unlinked = ResponseTemplate::new(200).set_body_json(done_unlinking);
    let unlink = known_call("POST", &format!("{one}/unlink")).respond_with(unlinked);
    unlink.up_to_n_times(1).mount(&server).await;
    let stranger = Mock::given(header("mono-sec-key", "another key"));
    stranger.respond_with(ResponseTemplate::new(401)).mount(&server).await;
    server
}

/// Mono conforms, in both API versions.
#[tokio::test]
async fn mono_conforms() {
    for dialect in [MonoApiVersion::V2, MonoApiVersion::V1] {
        let server = small_mono(dialect).await;
        let mono = mono_with(&server.uri(), dialect, |_| {});
        check_conformance(&Scenario {
            provider: &mono,
            keys: keys(),
            wrong_keys: keys_with("another key"),
            institution: ("b1:p", "mobile_banking"),
            login: [
                &[("username", "ada"), ("password", "right")],
                &[("username", "ada"), ("password", "wrong")],
            ],
            code: [&[("otp", "123456")], &[("otp", "000000")]],
        })
        .await;
    }
}
