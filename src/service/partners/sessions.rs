//! Connect sessions: the progress of each, and nothing that was typed.

use serde::Deserialize;
use utoipa::IntoParams;

use super::context::RequestContext;
use super::error::ApiError;
use super::intents::parse_intent_filter;
use super::linking_api::LinkingApi;
use super::schemas::session_states;
use super::views::{ApiTime, List, view};
use crate::core::ids::{ConnectSessionId, EntityId, IntentId, LinkId, UserId};
use crate::core::page::PageRequest;
use crate::records::{AttemptState, ConnectSessionView};

view! {
    /// One attempt to link an account. It is visible from the first login on.
    #[schema(as = ConnectSession)]
    pub struct SessionView(session: ConnectSessionView) {
        /// Its id.
        id: ConnectSessionId = session.id,
        /// `pending`: waiting for the bank; `waiting`: waiting for the subscriber; `linked`; `failed`: the last login failed,
        /// though the subscriber may try again.
        #[schema(schema_with = session_states)]
        state: &'static str = session_state(session.state),
        /// The institution's name.
        institution: String = session.institution_name,
        /// The provider.
        provider: String = session.provider,
        /// The link that it created or reauthorises.
        #[schema(required)]
        link_id: Option<LinkId> = session.link,
        /// The link intent that it is for; null: the subscriber dialled without one.
        #[schema(required)]
        intent_id: Option<IntentId> = session.intent.as_ref().map(|intent| intent.id),
        /// The reference of that link intent.
        #[schema(required)]
        reference: Option<String> = session.intent.as_ref().and_then(|intent| intent.reference.clone()),
        /// The entity; null: the partner as a whole.
        #[schema(required)]
        entity_id: Option<EntityId> = session.intent.as_ref().and_then(|intent| intent.entity),
        /// The user who created the link intent; null: the partner itself, or nobody.
        #[schema(required)]
        created_by: Option<UserId> = session.intent.as_ref().and_then(|intent| intent.created_by),
        /// When its first login began.
        created_at: ApiTime = ApiTime(session.created_at),
        /// When its state last changed.
        updated_at: ApiTime = ApiTime(session.moved_at),
    }
}

const fn session_state(state: AttemptState) -> &'static str {
    match state {
        AttemptState::Open | AttemptState::Sending | AttemptState::Unknown | AttemptState::Granted => "pending",
        AttemptState::Accepted
        | AttemptState::WrongCode
        | AttemptState::NotSent
        | AttemptState::NotTaken
        | AttemptState::Waiting => "waiting",
        AttemptState::Linked => "linked",
        AttemptState::Refused | AttemptState::Lapsed | AttemptState::Undone | AttemptState::OtherAccount => "failed",
    }
}

/// Which connect sessions to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SessionListQuery {
    /// Only connect sessions for this link intent.
    #[param(value_type = Option<IntentId>)]
    intent_id: Option<String>,
}

impl LinkingApi {
    pub(crate) async fn list_sessions(
        &self,
        context: &RequestContext,
        query: SessionListQuery,
        page: PageRequest,
    ) -> Result<List<SessionView>, ApiError> {
        let intent = parse_intent_filter(query.intent_id.as_deref())?;
        let sessions = self.records.connect_sessions(&context.scope, intent, &page).await?;
        Ok(sessions.map(SessionView::new).into())
    }

    pub(crate) async fn get_session(
        &self,
        context: &RequestContext,
        id: ConnectSessionId,
    ) -> Result<SessionView, ApiError> {
        let session = self.records.connect_session(&context.scope, id).await?;
        session.map(SessionView::new).ok_or(ApiError::NotFound)
    }
}
