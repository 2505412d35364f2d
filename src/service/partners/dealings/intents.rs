//! Requests, as partners see them.

use async_trait::async_trait;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::schemas::{expectations, intent_states, sms_states};
use super::super::{ApiError, ApiTime, List, RequestContext};
use super::asking::NewIntent;
use super::{Intents, LinkingApi, seal_failure};
use crate::core::access::{AccessDenied, TenantScope};
use crate::core::ids::{EntityId, IntentId, LinkId, PartnerId, UserId};
use crate::core::page::PageRequest;
use crate::core::scope::Scope;
use crate::core::time::Timestamp;
use crate::records::{IntentFilter, IntentState, LinkIntent, WriteOutcome};
use crate::service::sealing::SealedIntent;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LinkIntent)]
pub struct IntentView {
    /// Its id.
    pub id: IntentId,
    /// `open`, `completed`, `cancelled`, `expired` or `mismatched`.
    #[schema(schema_with = intent_states)]
    pub state: &'static str,
    /// What the person dials; null once it is over.
    #[schema(required)]
    pub dial: Option<String>,
    /// The only number that may use it, all but its ends masked; null: whoever has the code.
    #[schema(required)]
    pub msisdn: Option<String>,
    /// What the data are for, as people see it in the consent.
    pub purpose: String,
    /// Which data.
    pub data_scope: Scope,
    /// For how many days people agree.
    pub days: u16,
    /// Your own name for it.
    #[schema(required)]
    pub reference: Option<String>,
    /// The only institution that may be linked; null: any.
    #[schema(required)]
    pub institution: Option<String>,
    /// The language to begin in; null: the person's own.
    #[schema(required)]
    pub locale: Option<String>,
    /// Whether more than one person may use it.
    pub many: bool,
    /// What is compared with the linked account: `account_number`, `holder_name`. The values are not shown again.
    #[schema(schema_with = expectations)]
    pub expected: Vec<&'static str>,
    /// The link to be logged in to again, if that is what is asked.
    #[schema(required)]
    pub renews: Option<LinkId>,
    /// How many links have come of it.
    pub links: u32,
    /// `queued`, or `stopped` where the person wants no texts; only in the answer to a request that asked for a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = sms_states)]
    pub sms: Option<&'static str>,
    /// For which entity; null: the partner as a whole.
    #[schema(required)]
    pub entity_id: Option<EntityId>,
    /// The user who made it; null: the partner itself.
    #[schema(required)]
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: ApiTime,
    /// When its state last changed.
    pub updated_at: ApiTime,
    /// From then on it cannot be begun.
    pub expires_at: ApiTime,
}

/// What anybody may see of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PublicLinkIntent)]
pub struct PublicIntent {
    /// Its id.
    pub id: IntentId,
    /// `open`, `completed`, `cancelled`, `expired` or `mismatched`.
    #[schema(schema_with = intent_states)]
    pub state: &'static str,
    /// From then on it cannot be begun.
    pub expires_at: ApiTime,
}

/// Which requests are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntentListQuery {
    /// Only those that stand so.
    pub state: Option<String>,
    /// Only those that you call so.
    pub reference: Option<String>,
}

impl From<&LinkIntent> for SealedIntent {
    fn from(intent: &LinkIntent) -> Self {
        Self {
            partner: intent.partner,
            id: intent.id,
        }
    }
}

#[async_trait]
impl Intents for LinkingApi {
    async fn create_intent(&self, asked: &RequestContext, new: NewIntent) -> Result<IntentView, ApiError> {
        let (intent, sms) = self.build_and_store(asked, new).await?;
        let view = self.intent_view(intent, self.now())?;
        Ok(IntentView { sms, ..view })
    }

    async fn list_intents(
        &self,
        asked: &RequestContext,
        which: IntentListQuery,
        page: PageRequest,
    ) -> Result<List<IntentView>, ApiError> {
        let filter = IntentFilter {
            state: which.state.as_deref().map(parse_intent_state).transpose()?,
            reference: which.reference,
        };
        let (intents, now) = (self.records.intents(&asked.reach, &filter, &page).await?, self.now());
        let next_cursor = intents.next.map(crate::core::page::PageCursor::to_text);
        let data = intents.rows.into_iter().map(|intent| self.intent_view(intent, now));
        Ok(List {
            data: data.collect::<Result<_, _>>()?,
            next_cursor,
        })
    }

    async fn get_intent(&self, asked: &RequestContext, id: IntentId) -> Result<IntentView, ApiError> {
        let intent = self.records.intent(&asked.reach, id).await?;
        self.intent_view(intent.ok_or(ApiError::NotFound)?, self.now())
    }

    async fn cancel_intent(&self, asked: &RequestContext, id: IntentId) -> Result<IntentView, ApiError> {
        let now = self.now();
        let deed = asked.audit_entry("intent.cancelled", id, now);
        match self.records.cancel_intent(&asked.reach, id, &deed).await? {
            WriteOutcome::Done(intent) => self.intent_view(intent, now),
            WriteOutcome::InUse | WriteOutcome::Taken | WriteOutcome::NoRole | WriteOutcome::TooMany => {
                Err(ApiError::Conflict("the request is over already"))
            }
            WriteOutcome::NoEntity => Err(AccessDenied::Entity.into()),
            WriteOutcome::NotFound => Err(ApiError::NotFound),
        }
    }

    async fn get_public_intent(&self, partner: PartnerId, id: IntentId) -> Result<PublicIntent, ApiError> {
        let reach = TenantScope {
            partner,
            entity: None,
            own: None,
        };
        let intent = self.records.intent(&reach, id).await?.ok_or(ApiError::NotFound)?;
        Ok(PublicIntent {
            id,
            state: effective_state(&intent, self.now()).as_str(),
            expires_at: ApiTime(intent.expires_at),
        })
    }
}

impl LinkingApi {
    /// A request as it is seen now.
    pub(super) fn intent_view(&self, intent: LinkIntent, now: Timestamp) -> Result<IntentView, ApiError> {
        Ok(IntentView {
            id: intent.id,
            state: effective_state(&intent, now).as_str(),
            dial: self.dial_string_of(&intent, now)?,
            msisdn: self.open_number(&intent)?.map(|msisdn| msisdn.masked()),
            expected: self.expected_fields(&intent)?,
            purpose: intent.purpose,
            data_scope: intent.scope,
            days: intent.days,
            reference: intent.reference,
            institution: intent.institution,
            locale: intent.locale,
            many: intent.many,
            renews: intent.renews,
            links: intent.links,
            sms: None,
            entity_id: intent.entity,
            created_by: intent.created_by,
            created_at: ApiTime(intent.created_at),
            updated_at: ApiTime(intent.moved_at),
            expires_at: ApiTime(intent.expires_at),
        })
    }

    fn expected_fields(&self, intent: &LinkIntent) -> Result<Vec<&'static str>, ApiError> {
        let Some(sealed) = &intent.expected else {
            return Ok(Vec::new());
        };
        let expected = self
            .sealing
            .open_expected(intent.into(), sealed)
            .map_err(seal_failure)?;
        let number = expected.account_number.is_some().then_some("account_number");
        let holder = expected.holder_name.is_some().then_some("holder_name");
        Ok(number.into_iter().chain(holder).collect())
    }
}

/// Where a request stands: whose time is over has expired, whether or not the job has come to it.
fn effective_state(intent: &LinkIntent, now: Timestamp) -> IntentState {
    if intent.state == IntentState::Open && intent.expires_at <= now {
        return IntentState::Expired;
    }
    intent.state
}

fn parse_intent_state(name: &str) -> Result<IntentState, ApiError> {
    IntentState::parse(name).ok_or_else(|| {
        let names = IntentState::ALL.map(IntentState::as_str).join(", ");
        ApiError::field("?state", "unknown", format!("there are: {names}"))
    })
}
