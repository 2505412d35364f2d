//! What a partner writes and people read: judged by what is left of it on a phone, and never read as somebody else's words.

use std::time::Duration;

use serde_json::json;

use crate::support::aggregator::{AggregatorClient, Phone};
use crate::support::api::Api;
use crate::support::eventually;
use crate::support::sandbox::Sandbox;

/// Long enough for a list to be read on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

const NUMBER: &str = "+2348030008821";

/// Texts that nothing can be read of are blank wherever a partner may write one, whatever they are made of; nothing is kept.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_everywhere() {
    let sandbox = Sandbox::with(&[("KIUNGO_API__BURST", "1000")]).await;
    let api = sandbox.another(1).await;
    let token = api.token().await;
    let entity = api.entity(&token, "Lagos").await;
    let user = api.user(&token, &entity, "ada", None).await;
    let role = api.role(&token, &json!({"link": {"read": "allowed"}})).await;
    for blank in [
        "\u{200b}\u{200b}",
        "\u{200f}\u{200e}",
        "\u{2800}",
        "\u{3164}",
        "🎉💸",
        " \u{ad} ",
        "\u{202e}",
    ] {
        for (method, path, body, at) in [
            (
                "POST",
                "/v1/link-intents".to_owned(),
                json!({"purpose": blank, "msisdn": NUMBER}),
                "/purpose",
            ),
            (
                "POST",
                "/v1/link-intents".to_owned(),
                json!({"reference": blank}),
                "/reference",
            ),
            (
                "POST",
                "/v1/link-intents".to_owned(),
                json!({"expected": {"holder_name": blank}}),
                "/expected/holder_name",
            ),
            ("PATCH", "/v1/partner".to_owned(), json!({"purpose": blank}), "/purpose"),
            ("POST", "/v1/entities".to_owned(), json!({"name": blank}), "/name"),
            (
                "PATCH",
                format!("/v1/entities/{entity}"),
                json!({"name": blank}),
                "/name",
            ),
            ("PATCH", format!("/v1/users/{user}"), json!({"name": blank}), "/name"),
            ("PATCH", format!("/v1/roles/{role}"), json!({"name": blank}), "/name"),
        ] {
            let refused = api.ask(method, &path).json(&body).by(&token).send().await;
            assert_eq!(refused.faults(), [(at.to_owned(), "blank".to_owned())], "{path} {body}");
        }
    }
    let none = api.get("/v1/link-intents").by(&token).send().await.expect(200);
    assert_eq!(none["data"], json!([]));
    sandbox.stop().await;
}

/// Banks are known once their list has been read.
async fn knows_banks(api: &Api, token: &str) {
    let bank = json!({"purpose": "a loan by Zenith Bank"});
    eventually(PATIENCE, async || {
        let changed = api.ask("PATCH", "/v1/partner").json(&bank).by(token).send().await;
        changed.status == 422
    })
    .await;
}

/// A purpose is kept as it is read, stands between quotation marks on the screen and in the consent, ends no sentence, names
/// nobody else (a partner, a bank, us), however they are spelt, and no number or secret.
#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_speaks_for_nobody_else() {
    let sandbox = Sandbox::start().await;
    let api = sandbox.another(1).await;
    let token = api.token().await;
    knows_banks(&api, &token).await;
    for (purpose, code) in [
        ("FREE CASH. Sandbox Lender asks you", "sentence"),
        ("FREE CASH! Agree", "sentence"),
        ("free cash。agree", "sentence"),
        ("a loan by Sandbox Lender", "names_another"),
        ("a loan by SANDBOX-LENDER", "names_another"),
        ("S\u{430}ndbox Lender loans", "names_another"),
        ("Sand\u{200b}box Lender loans", "names_another"),
        ("5andb0xLender loans", "names_another"),
        // Banks, and we ourselves.
        ("GTBank asks you to agree", "names_another"),
        ("GT-B\u{430}nk loans", "names_another"),
        ("a loan by zenith bank", "names_another"),
        ("Kiungo", "names_another"),
        ("K1UNG0 needs this", "names_another"),
        // Nobody is to be paid, texted or told a secret.
        ("pay 5000 to 0123456789", "number"),
        ("text 0803 123-4567", "number"),
        ("text your PIN", "asks_for_secret"),
        ("we need your p@ssw0rd", "asks_for_secret"),
    ] {
        for (method, path) in [("POST", "/v1/link-intents"), ("PATCH", "/v1/partner")] {
            let refused = api
                .ask(method, path)
                .json(&json!({"purpose": purpose}))
                .by(&token)
                .send()
                .await;
            assert_eq!(
                refused.faults(),
                [("/purpose".to_owned(), code.to_owned())],
                "{purpose}"
            );
        }
    }
    let named = api
        .post("/v1/entities", &json!({"name": "Sandbox Lender Lagos"}))
        .by(&token)
        .send()
        .await;
    assert_eq!(named.faults(), [("/name".to_owned(), "names_another".to_owned())]);

    let body = json!({"purpose": " your “first”\u{200b}  loan 🎉", "msisdn": NUMBER});
    let intent = api.post("/v1/link-intents", &body).by(&token).send().await.expect(201);
    assert_eq!(intent["purpose"], json!("your 'first' loan"));
    let line = AggregatorClient::new(vec![format!("{}/ussd/sandbox/sandbox", api.base)], api.client.clone());
    let mut phone = Phone::new(NUMBER, line.patient());
    let shown = phone.dial().await;
    shown.asks("Partner 1 asks to see your bank account for \"your 'first' loan\", 90 days.");
    // No partner that asks hides the others.
    phone.say("9").await.asks("4 Other businesses");
    phone.say("4").await.asks("2 Sandbox Lender");
    phone.say("2").await.asks("Sandbox Lender asks to see");
    sandbox.stop().await;
}

/// A purpose may be written in several languages, each judged for itself; a person reads and agrees to the one of their
/// language, and the consent holds exactly that, whatever the partner is told of the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_is_read_in_the_language_of_the_person() {
    let sandbox = Sandbox::start().await;
    let api = sandbox.another(1).await;
    let token = api.token().await;
    for (purpose, at, code) in [
        (json!({}), "/purpose", "blank"),
        (json!({"en": "a loan", "xx": "loan"}), "/purpose/xx", "unknown"),
        (json!({"en": "a loan", "ha": "\u{200b}"}), "/purpose/ha", "blank"),
        (
            json!({"en": "a loan", "ha": "rance. Sandbox Lender"}),
            "/purpose/ha",
            "sentence",
        ),
        (json!({"yo": "x".repeat(41)}), "/purpose/yo", "too_long"),
        (
            json!({"fr": "un pret de Sandbox Lender"}),
            "/purpose/fr",
            "names_another",
        ),
    ] {
        for (method, path) in [("POST", "/v1/link-intents"), ("PATCH", "/v1/partner")] {
            let refused = api
                .ask(method, path)
                .json(&json!({"purpose": purpose}))
                .by(&token)
                .send();
            assert_eq!(refused.await.faults(), [(at.to_owned(), code.to_owned())], "{purpose}");
        }
    }
    let texts = json!({"en": "a tractor", "ha": "tarakta"});
    let partner = api
        .ask("PATCH", "/v1/partner")
        .json(&json!({"purpose": texts}))
        .by(&token);
    assert_eq!(partner.send().await.expect(200)["purpose"], texts);
    for (number, body, says) in [
        ("+2348030008822", json!({}), "tarakta"),
        ("+2348030008823", json!({"purpose": "a plough"}), "a plough"),
        ("+2348030008824", json!({"purpose": {"fr": "un boeuf"}}), "un boeuf"),
        ("+2348030008825", json!({"purpose": "School fees"}), "kudin makaranta"),
    ] {
        let mut body = body;
        body["msisdn"] = json!(number);
        body["locale"] = json!("ha");
        let intent = api.post("/v1/link-intents", &body).by(&token).send().await.expect(201);
        let written = body.get("purpose").unwrap_or(&texts);
        assert_eq!(&intent["purpose"], written, "as it was written");
        let line = AggregatorClient::new(vec![format!("{}/ussd/sandbox/sandbox", api.base)], api.client.clone());
        let mut phone = Phone::new(number, line.patient());
        phone.dial().await.asks(&format!("domin \"{says}\", kwanaki"));
    }
    sandbox.stop().await;
}

/// A partner asks one number for so much at a time and no more, and can ask again once it has ended something.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_not_asked_without_end() {
    let sandbox = Sandbox::start().await;
    let api = sandbox.another(1).await;
    let token = api.token().await;
    let body = json!({"msisdn": NUMBER});
    let mut last = String::new();
    for _ in 0..5 {
        last = api.created(&token, None, "/v1/link-intents", &body).await;
    }
    let refused = api.post("/v1/link-intents", &body).by(&token).send().await;
    refused.refused(409, "conflict");
    let cancel = api.post(&format!("/v1/link-intents/{last}/cancel"), &json!({}));
    cancel.by(&token).send().await.expect(200);
    api.post("/v1/link-intents", &body).by(&token).send().await.expect(201);
    sandbox.stop().await;
}

/// A partner invites numbers of the countries that a route is for, so many in a day, and one number so often, no matter who asks; what
/// it asks for beyond that is refused with the reason, counted, and nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn invitations_are_capped() {
    let caps = [
        ("KIUNGO_LIMITS__PARTNER_INVITATIONS_PER_DAY", "4"),
        ("KIUNGO_LIMITS__NUMBER_INVITATIONS_PER_DAY", "2"),
    ];
    let sandbox = Sandbox::with(&caps).await;
    let (one, two) = (sandbox.another(1).await, sandbox.another(2).await);
    let invited = async |api: &Api, number: &str| {
        let token = api.token().await;
        let body = json!({"msisdn": number, "sms": true});
        let answer = api.post("/v1/link-intents", &body).by(&token).send().await;
        match answer.status {
            201 => Vec::new(),
            422 => answer.faults(),
            other => panic!("{other}"),
        }
    };
    let refused = |at: &str, code: &str| vec![(at.to_owned(), code.to_owned())];
    for abroad in ["+13105550123", "+447400123456", "+8613800138000"] {
        assert_eq!(invited(&one, abroad).await, refused("/msisdn", "no_route"), "{abroad}");
    }
    for api in [&one, &two] {
        assert_eq!(invited(api, NUMBER).await, []);
    }
    assert_eq!(invited(&two, NUMBER).await, refused("/sms", "daily_cap"));
    for n in 2..=4 {
        assert_eq!(invited(&one, &format!("+234803000882{n}")).await, []);
    }
    assert_eq!(invited(&one, "+2348030008826").await, refused("/sms", "daily_cap"));
    assert_eq!(
        invited(&two, "+2348030008826").await,
        [],
        "another partner has a share of its own"
    );
    let metrics = one.client.get(format!("{}/metrics", one.base)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for line in [
        "kiungo_invitations_refused_total{outcome=\"no_route\"} 3",
        "kiungo_invitations_refused_total{outcome=\"daily_cap\"} 2",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    sandbox.stop().await;
}
