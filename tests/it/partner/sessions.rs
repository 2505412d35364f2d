//! Connect sessions.

use kiungo::core::ids::{ConnectSessionId, ConsentId, IntentId, PartnerId};
use kiungo::records::{AttemptState, Records};
use serde_json::json;

use super::helpers::{members, text, tokens};
use crate::support::api::Api;
use crate::support::records::{RecordedPerson, person, unique_bytes};
use crate::support::sandbox::Sandbox;

const ALL: &str = "/v1/connect-sessions";

/// Makes the intent one that somebody created in Lagos.
const ASKED_BY_OWN: &str = "INSERT INTO link_intents (id, partner, entity, created_by, state, purpose, days, scope, many, links, \
    created_at, moved_at, expires_at) SELECT i.id, i.partner, u.entity, u.id, 'open', 'rent', 30, 'account', 1, 0, 0, 0, 0 \
    FROM intents i, users u WHERE u.login = 'own'";

const MEMBERS: [&str; 11] = [
    "created_at",
    "created_by",
    "entity_id",
    "id",
    "institution",
    "intent_id",
    "link_id",
    "provider",
    "reference",
    "state",
    "updated_at",
];

/// Logins in a new session for this intent, in these states.
async fn add_attempts(
    db: &dyn Records,
    ada: &RecordedPerson,
    intent: IntentId,
    states: &[AttemptState],
) -> ConnectSessionId {
    let session = ConnectSessionId::from_bytes(unique_bytes());
    for &state in states {
        let mut consent = ada.consent();
        (consent.intent, consent.id) = (intent, ConsentId::from_bytes(unique_bytes()));
        let mut attempt = ada.attempt(&consent);
        attempt.session = session;
        crate::support::records::begin(db, &consent, &attempt).await;
        db.move_attempt(attempt.id, state, attempt.created_at).await.unwrap();
    }
    session
}

/// A connect session shows the state of its last login and whose turn it is, and nothing that was typed; it is visible to the
/// owners of its intent, and to nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_connect_session_is_shown_to_whose_it_is() {
    use AttemptState::{Accepted, NotSent, NotTaken, Refused, Sending, WrongCode};
    let sandbox = Sandbox::with(&[("KIUNGO_API__REQUESTS_PER_SECOND", "10000")]).await;
    let api = Api::of_sandbox(&sandbox.origin);
    let partner = api.token().await;
    let staff = tokens(&sandbox, &api, &partner, "connect_session").await;
    let db = sandbox.records().await;
    let ada = RecordedPerson {
        partner: PartnerId::parse(&api.id).unwrap(),
        ..person(1, 1)
    };
    let asked = IntentId::from_bytes(unique_bytes());
    for (states, state) in [
        (&[Sending][..], "pending"),
        (&[Refused, Accepted], "waiting"),
        (&[WrongCode], "waiting"),
        (&[NotSent], "waiting"),
        (&[NotTaken], "waiting"),
        (&[Accepted, Refused], "failed"),
    ] {
        let id = add_attempts(&*db, &ada, asked, states).await;
        let seen = api.get(&format!("{ALL}/{id}")).by(&partner).send().await.expect(200);
        assert_eq!(text(&seen, "state"), state, "{states:?}");
    }
    sandbox.execute(ASKED_BY_OWN).await;
    let list = api.get(ALL).by(&staff.own).send().await.expect(200);
    let first = &list["data"][0];
    assert_eq!(members(first), MEMBERS);
    assert_eq!(
        (&first["intent_id"], &first["created_by"]),
        (&json!(asked), &json!(staff.own_id))
    );
    let path = format!("{ALL}/{}", text(first, "id"));
    for (who, token, there) in staff.readers() {
        let read = api.get(&path).by(token).send().await;
        let list = api.get(ALL).by(token).send().await.expect(200);
        let count = list["data"].as_array().unwrap().len();
        assert_eq!((read.status, count), if there { (200, 6) } else { (404, 0) }, "{who}");
    }
    for path in [ALL, &path] {
        api.get(path)
            .by(&staff.nobody)
            .send()
            .await
            .refused(403, "role_does_not_allow");
    }
    for (query, count) in [
        (format!("intent_id={asked}"), 6),
        (format!("intent_id={}", staff.entity), 0),
    ] {
        let list = api.get(&format!("{ALL}?{query}")).by(&partner).send().await.expect(200);
        assert_eq!(list["data"].as_array().unwrap().len(), count, "{query}");
    }
    api.get(&format!("{ALL}?intent_id=x"))
        .by(&partner)
        .send()
        .await
        .refused(422, "invalid");
    sandbox.stop().await;
}
