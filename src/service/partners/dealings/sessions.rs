//! Connect sessions, as partners see them: how far each has come, and nothing that was typed.

use async_trait::async_trait;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::schemas::session_states;
use super::super::{ApiError, ApiTime, List, RequestContext};
use super::{LinkingApi, Sessions};
use crate::core::ids::{ConnectSessionId, EntityId, IntentId, LinkId, UserId};
use crate::core::page::PageRequest;
use crate::records::{AttemptState, ConnectSessionView};

/// One try at linking. It is seen from the first login on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ConnectSession)]
pub struct SessionView {
    /// Its id.
    pub id: ConnectSessionId,
    /// `pending`: the bank's answer is awaited; `waiting`: it is the person's turn; `linked`; `failed`: the last login came
    /// to nothing, though the person may try again.
    #[schema(schema_with = session_states)]
    pub state: &'static str,
    /// The institution's name.
    pub institution: String,
    /// The provider.
    pub provider: String,
    /// The link that it made, or renews.
    #[schema(required)]
    pub link_id: Option<LinkId>,
    /// Your request that it answers; null: somebody dialled without having been asked.
    #[schema(required)]
    pub intent_id: Option<IntentId>,
    /// Your own name for that request.
    #[schema(required)]
    pub reference: Option<String>,
    /// In which entity; null: the partner as a whole.
    #[schema(required)]
    pub entity_id: Option<EntityId>,
    /// The user who made the request; null: the partner itself, or nobody.
    #[schema(required)]
    pub created_by: Option<UserId>,
    /// When its first login was begun.
    pub created_at: ApiTime,
    /// When its state last changed.
    pub updated_at: ApiTime,
}

impl From<ConnectSessionView> for SessionView {
    fn from(one: ConnectSessionView) -> Self {
        let origin = one.intent.as_ref();
        Self {
            id: one.id,
            state: session_state(one.state),
            link_id: one.link,
            intent_id: origin.map(|origin| origin.id),
            entity_id: origin.and_then(|origin| origin.entity),
            created_by: origin.and_then(|origin| origin.created_by),
            reference: one.intent.and_then(|origin| origin.reference),
            institution: one.institution_name,
            provider: one.provider,
            created_at: ApiTime(one.created_at),
            updated_at: ApiTime(one.moved_at),
        }
    }
}

const fn session_state(state: AttemptState) -> &'static str {
    match state {
        AttemptState::Open | AttemptState::Sending | AttemptState::Unknown | AttemptState::Granted => "pending",
        AttemptState::Accepted | AttemptState::WrongCode | AttemptState::NotSent => "waiting",
        AttemptState::Linked => "linked",
        AttemptState::Refused | AttemptState::Lapsed | AttemptState::Undone => "failed",
    }
}

#[async_trait]
impl Sessions for LinkingApi {
    async fn list_sessions(
        &self,
        asked: &RequestContext,
        intent: Option<IntentId>,
        page: PageRequest,
    ) -> Result<List<SessionView>, ApiError> {
        let tries = self.records.connect_sessions(&asked.reach, intent, &page).await?;
        Ok(tries.map(SessionView::from).into())
    }

    async fn get_session(&self, asked: &RequestContext, id: ConnectSessionId) -> Result<SessionView, ApiError> {
        let one = self.records.connect_session(&asked.reach, id).await?;
        one.map(SessionView::from).ok_or(ApiError::NotFound)
    }
}
