//! The events that partners receive, and their names. The names are part of the partner API and must not change.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum EventKind {
    /// Accounts are linked.
    #[serde(rename = "link.created")]
    LinkCreated,
    /// A link is in use again, after a new login.
    #[serde(rename = "link.updated")]
    LinkUpdated,
    /// The person must log in again before the link can be used.
    #[serde(rename = "link.reauth_required")]
    LinkReauthRequired,
    /// The link has ended.
    #[serde(rename = "link.removed")]
    LinkRemoved,
    /// The consent to the link ends soon.
    #[serde(rename = "link.expiring")]
    LinkExpiring,
    /// The link has ended because its consent is over.
    #[serde(rename = "link.expired")]
    LinkExpired,
    /// What an intent asked for is done.
    #[serde(rename = "intent.completed")]
    IntentCompleted,
    /// An intent was called off.
    #[serde(rename = "intent.cancelled")]
    IntentCancelled,
    /// An intent's time is over.
    #[serde(rename = "intent.expired")]
    IntentExpired,
    /// The account was not the one that the intent expected; it is not linked.
    #[serde(rename = "intent.mismatched")]
    IntentMismatched,
    /// A login ended with no, or with nothing that anybody could find.
    #[serde(rename = "connect_session.failed")]
    ConnectSessionFailed,
}

impl EventKind {
    pub const ALL: [Self; 11] = [
        Self::LinkCreated,
        Self::LinkUpdated,
        Self::LinkReauthRequired,
        Self::LinkRemoved,
        Self::LinkExpiring,
        Self::LinkExpired,
        Self::IntentCompleted,
        Self::IntentCancelled,
        Self::IntentExpired,
        Self::IntentMismatched,
        Self::ConnectSessionFailed,
    ];

    /// The name, as webhooks have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LinkCreated => "link.created",
            Self::LinkUpdated => "link.updated",
            Self::LinkReauthRequired => "link.reauth_required",
            Self::LinkRemoved => "link.removed",
            Self::LinkExpiring => "link.expiring",
            Self::LinkExpired => "link.expired",
            Self::IntentCompleted => "intent.completed",
            Self::IntentCancelled => "intent.cancelled",
            Self::IntentExpired => "intent.expired",
            Self::IntentMismatched => "intent.mismatched",
            Self::ConnectSessionFailed => "connect_session.failed",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind has its own name, the same in rows and in JSON, so a partner can subscribe to each.
    #[test]
    fn every_kind_has_its_name() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for (word, kind) in [
            ("link.created", Some(EventKind::LinkCreated)),
            ("intent.mismatched", Some(EventKind::IntentMismatched)),
            ("link.Created", None),
            ("link", None),
            ("", None),
        ] {
            assert_eq!(EventKind::parse(word), kind, "{word}");
        }
    }
}
