//! Mono's replies to a submission without a response code, or whose code must be ignored.

use serde_json::json;
use wiremock::ResponseTemplate;

use super::mono_replies::{CHOOSE, CODE, LOGIN, V1, V2, outcome_of};

/// Replies without a code: explicit refusals, and those that only look like one. (Wire 6, P1, P2, P8)
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of replies")]
async fn without_a_code_little_is_final() {
    let failed = json!({ "status": "failed", "message": "no", "data": null });
    let dead = json!({ "status": "failed", "message": "Session has expired" });
    let wrong = |message: &str| json!({ "status": "failed", "message": message });
    let number = |status: u16| json!({ "status": status, "message": "x" });
    for (step, status, body, want) in [
        (LOGIN, 200, Some(&failed), "failed Refused"),
        (LOGIN, 400, Some(&failed), "failed Refused"),
        (CODE, 400, Some(&failed), "failed WrongCode"),
        (CHOOSE, 400, Some(&failed), "failed SessionExpired"),
        (LOGIN, 422, Some(&failed), "failed Refused"),
        (LOGIN, 400, Some(&json!({ "message": ["a", "b"] })), "failed Refused"),
        (LOGIN, 400, Some(&dead), "failed SessionExpired"),
        (LOGIN, 401, Some(&dead), "failed SessionExpired"),
        (LOGIN, 200, Some(&dead), "failed SessionExpired"),
        (LOGIN, 404, Some(&failed), "failed SessionExpired"),
        // A bank has looked at what was typed, whatever else is mentioned.
        (
            LOGIN,
            200,
            Some(&wrong("Invalid credentials, session closed")),
            "failed Refused",
        ),
        (
            LOGIN,
            400,
            Some(&wrong("Incorrect password; unknown session state")),
            "failed Refused",
        ),
        (LOGIN, 404, Some(&wrong("Username not found")), "failed Refused"),
        (LOGIN, 401, Some(&wrong("Wrong PIN. Invalid session")), "failed Refused"),
        // The key opened the session a moment before: these are the person's.
        (LOGIN, 401, Some(&wrong("Invalid credentials")), "failed Refused"),
        (LOGIN, 403, Some(&wrong("INCORRECT PASSWORD")), "failed Refused"),
        (
            LOGIN,
            402,
            Some(&wrong("Username or password incorrect")),
            "failed Refused",
        ),
        (LOGIN, 401, Some(&wrong("Wrong mPIN for the app")), "failed Refused"),
        (
            LOGIN,
            200,
            Some(&json!({ "status": 401, "message": "Invalid credentials" })),
            "failed Refused",
        ),
        (CODE, 401, Some(&wrong("Invalid OTP")), "failed WrongCode"),
        (CODE, 403, Some(&wrong("The code is wrong")), "failed WrongCode"),
        (CODE, 401, Some(&wrong("Wrong PIN")), "failed WrongCode"),
        (
            CODE,
            401,
            Some(&wrong("Session expired, the code is not valid any more")),
            "failed SessionExpired",
        ),
        // These are ours.
        (
            LOGIN,
            401,
            Some(&wrong("Invalid API credentials")),
            "failed Misconfigured",
        ),
        (
            LOGIN,
            401,
            Some(&wrong("Credentials not permitted for this business")),
            "failed Misconfigured",
        ),
        (LOGIN, 401, Some(&wrong("Invalid secret key")), "failed Misconfigured"),
        (
            LOGIN,
            403,
            Some(&wrong("You must be subscribed to the Partners API addon")),
            "failed Misconfigured",
        ),
        (
            LOGIN,
            402,
            Some(&wrong("Please fund your wallet")),
            "failed Misconfigured",
        ),
        (LOGIN, 401, Some(&wrong("Unauthorized")), "failed Misconfigured"),
        (CODE, 401, Some(&wrong("Unauthorized")), "failed Misconfigured"),
        (
            CODE,
            403,
            Some(&wrong("Your API key has no such code")),
            "failed Misconfigured",
        ),
        (CHOOSE, 401, Some(&wrong("Invalid credentials")), "failed Misconfigured"),
        (
            CODE,
            400,
            Some(&wrong("Password changed: session expired")),
            "failed SessionExpired",
        ),
        (LOGIN, 404, None, "failed SessionExpired"),
        (LOGIN, 401, Some(&failed), "failed Misconfigured"),
        (LOGIN, 401, None, "failed Misconfigured"),
        (LOGIN, 402, None, "failed Misconfigured"),
        (CODE, 403, Some(&failed), "failed Misconfigured"),
        (LOGIN, 200, Some(&number(400)), "failed Refused"),
        (LOGIN, 200, Some(&number(401)), "failed Misconfigured"),
        (LOGIN, 200, Some(&number(500)), "unknown"),
        (LOGIN, 200, Some(&number(200)), "unknown"),
        (LOGIN, 200, Some(&json!({ "status": "pending" })), "unknown"),
        (LOGIN, 200, Some(&json!({})), "unknown"),
        (LOGIN, 200, None, "unknown"),
        (LOGIN, 204, None, "unknown"),
        (LOGIN, 400, None, "unknown"),
        (LOGIN, 409, Some(&failed), "unknown"),
        (LOGIN, 408, Some(&failed), "unknown"),
        (LOGIN, 422, Some(&json!({})), "unknown"),
        (LOGIN, 500, Some(&failed), "unknown"),
        (LOGIN, 500, None, "unknown"),
        (LOGIN, 502, None, "unknown"),
        (CODE, 503, Some(&failed), "unknown"),
        (LOGIN, 504, None, "unknown"),
        (LOGIN, 307, None, "unknown"),
    ] {
        for dialect in [V1, V2] {
            let template = ResponseTemplate::new(status);
            let template = match body {
                Some(body) => template.set_body_json(body),
                None => template,
            };
            assert_eq!(outcome_of(dialect, step, template).await, want, "{status} {body:?}");
        }
    }
}

/// A rate limiter's reply means that nothing was tried, and how long to wait, whatever its page looks like. (P2)
#[tokio::test]
async fn a_rate_limit_is_busy() {
    for (retry, body, want) in [
        (None, "", "failed Busy"),
        (Some("30"), "", "failed Busy 30"),
        (Some("30"), "<html>slow down</html>", "failed Busy 30"),
        (Some("soon"), "{\"status\":\"failed\"}", "failed Busy"),
        (
            Some("5"),
            "{\"status\":\"failed\",\"responseCode\":400}",
            "failed Busy 5",
        ),
        (
            Some("5"),
            "{\"status\":\"failed\",\"responseCode\":429}",
            "failed Busy 5",
        ),
    ] {
        let template = ResponseTemplate::new(429).set_body_string(body);
        let template = match retry {
            Some(retry) => template.insert_header("retry-after", retry),
            None => template,
        };
        assert_eq!(outcome_of(V2, LOGIN, template).await, want, "{retry:?} {body}");
    }
}
