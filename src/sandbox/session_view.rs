//! The connect session as the server sees it, for the phone page. Everything typed is masked.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::phone::SessionInspector;
use crate::core::flow::session::ConnectSession;
use crate::core::flow::state::Subscriber;
use crate::core::msisdn::Msisdn;
use crate::service::live::LoadedValue;
use crate::service::turn::TurnRunner;

/// Replaces typed text of any length.
const MASK: &str = "****";

pub struct LiveSessions(pub Arc<TurnRunner>);

#[async_trait]
impl SessionInspector for LiveSessions {
    async fn describe(&self, msisdn: &str) -> Option<Value> {
        let country = self.0.channels.first().map_or("", |channel| channel.country.as_str());
        let tag = self.0.keyring.tag(&Msisdn::parse(msisdn, country).ok()?);
        match self.0.live.load(&tag).await.ok()?.value {
            LoadedValue::Subscriber(state) => Some(describe(&state)),
            LoadedValue::Nothing | LoadedValue::Unreadable(_) => None,
        }
    }
}

fn describe(state: &Subscriber) -> Value {
    let row = |label: &str, value: String| json!({ "label": label, "value": value });
    let mut rows = vec![
        row("Language", state.locale.tag().to_owned()),
        row("Screen", state.cursor.screen.clone()),
        row("Dialogs remembered", state.dialogs.len().to_string()),
        row("Linked", state.links.len().to_string()),
    ];
    let Some(session) = &state.session else {
        rows.push(row("Connect session", "none".to_owned()));
        return Value::Array(rows);
    };
    rows.extend(
        session_rows(session)
            .into_iter()
            .map(|(label, value)| row(label, value)),
    );
    Value::Array(rows)
}

fn session_rows(session: &ConnectSession) -> Vec<(&'static str, String)> {
    let id = session.id.to_string();
    let mut rows = vec![
        ("Connect session", id.chars().take(8).collect()),
        ("Stands at", session.stage.as_str().to_owned()),
    ];
    if let Some(bank) = &session.institution {
        rows.push(("Institution", bank.name.clone()));
        rows.push((
            "Auth method",
            bank.picked_method()
                .map_or_else(|| "not picked".to_owned(), |method| method.name.clone()),
        ));
    }
    let provider = if session.provider_session.is_some() {
        "open"
    } else {
        "not open"
    };
    rows.push(("Provider session", provider.to_owned()));
    for (name, _) in &session.answers {
        rows.push(("Typed", format!("{name}: {MASK}")));
    }
    if let Some(attempt) = &session.attempt {
        rows.push((
            "Attempt",
            format!("{:?}, {:?}", attempt.step, attempt.state).to_lowercase(),
        ));
    }
    if session.wrong_codes > 0 {
        rows.push(("Wrong codes", session.wrong_codes.to_string()));
    }
    rows
}
