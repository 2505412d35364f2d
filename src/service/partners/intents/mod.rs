//! Link intents.

pub mod create;
mod invitation;
mod suggested;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::create::NewIntent;
use crate::core::access::{AccessDenied, TenantScope};
use crate::core::ids::{EntityId, IntentId, LinkId, PartnerId, UserId};
use crate::core::page::PageRequest;
use crate::core::purpose::Purpose;
use crate::core::scope::Scope;
use crate::core::time::Timestamp;
use crate::records::{IntentFilter, IntentState, LinkIntent, WriteOutcome};
use crate::service::partners::context::RequestContext;
use crate::service::partners::error::ApiError;
use crate::service::partners::linking_api::{LinkingApi, seal_failure};
use crate::service::partners::schemas::{expectations, intent_states, sms_states, suggestions};
use crate::service::partners::views::{ApiTime, List, view};
use crate::service::sealing::SealedIntent;

/// What the sealed fields of a link intent say.
struct OpenedFields {
    dial: Option<String>,
    msisdn: Option<String>,
    expected: Vec<&'static str>,
    suggested: Vec<&'static str>,
}

view! {
    /// A link intent.
    #[schema(as = LinkIntent)]
    pub struct IntentView(intent: LinkIntent, opened: OpenedFields, now: Timestamp) {
        /// Its id.
        id: IntentId = intent.id,
        /// `open`, `completed`, `cancelled`, `expired` or `mismatched`.
        #[schema(schema_with = intent_states)]
        state: &'static str = effective_state(&intent, now).as_str(),
        /// What the subscriber dials; null once it has ended.
        #[schema(required)]
        dial: Option<String> = opened.dial,
        /// The only number that may use it, masked except for its ends; null: anyone with the code.
        #[schema(required)]
        msisdn: Option<String> = opened.msisdn,
        /// What the data are used for, as shown in the consent.
        purpose: Purpose = intent.purpose,
        /// Which data.
        data_scope: Scope = intent.scope,
        /// For how many days subscribers consent.
        days: u16 = intent.days,
        /// Your own name for it.
        #[schema(required)]
        reference: Option<String> = intent.reference,
        /// The only institution that may be linked; null: any.
        #[schema(required)]
        institution: Option<String> = intent.institution,
        /// The initial language; null: the subscriber's own.
        #[schema(required)]
        locale: Option<String> = intent.locale,
        /// Whether more than one subscriber may use it.
        many: bool = intent.many,
        /// What the linked account is compared with: `account_number`, `holder_name`. The values are never shown.
        #[schema(schema_with = expectations)]
        expected: Vec<&'static str> = opened.expected,
        /// What the subscriber is offered: `institution`, `auth_method`, `username`, `account_number`. The values are never
        /// shown.
        #[schema(schema_with = suggestions)]
        suggested: Vec<&'static str> = opened.suggested,
        /// The link to reauthorise, if that is its purpose.
        #[schema(required)]
        renews: Option<LinkId> = intent.renews,
        /// How many links have resulted from it.
        links: u32 = intent.links,
        /// `queued`, or `stopped` if the subscriber has opted out of SMS; only in the response to a request with `sms`.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(schema_with = sms_states)]
        sms: Option<&'static str> = None,
        /// The entity; null: the partner as a whole.
        #[schema(required)]
        entity_id: Option<EntityId> = intent.entity,
        /// The user who created it; null: the partner itself.
        #[schema(required)]
        created_by: Option<UserId> = intent.created_by,
        /// When it was created.
        created_at: ApiTime = ApiTime(intent.created_at),
        /// When its state last changed.
        updated_at: ApiTime = ApiTime(intent.moved_at),
        /// From then on it cannot be started.
        expires_at: ApiTime = ApiTime(intent.expires_at),
    }
}

/// The public state of a link intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PublicLinkIntent)]
pub struct PublicIntent {
    /// Its id.
    pub id: IntentId,
    /// `open`, `completed`, `cancelled`, `expired` or `mismatched`.
    #[schema(schema_with = intent_states)]
    pub state: &'static str,
    /// From then on it cannot be started.
    pub expires_at: ApiTime,
}

/// Which link intents to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct IntentListQuery {
    /// Only link intents in this state.
    #[param(schema_with = intent_states)]
    state: Option<String>,
    /// Only link intents with this reference.
    reference: Option<String>,
}

impl From<&LinkIntent> for SealedIntent {
    fn from(intent: &LinkIntent) -> Self {
        Self {
            partner: intent.partner,
            id: intent.id,
        }
    }
}

impl LinkingApi {
    pub(crate) async fn create_intent(&self, context: &RequestContext, new: NewIntent) -> Result<IntentView, ApiError> {
        let (intent, sms) = self.build_and_store(context, new).await?;
        let view = self.intent_view(intent, self.now())?;
        Ok(IntentView { sms, ..view })
    }

    pub(crate) async fn list_intents(
        &self,
        context: &RequestContext,
        query: IntentListQuery,
        page: PageRequest,
    ) -> Result<List<IntentView>, ApiError> {
        let filter = IntentFilter {
            state: query.state.as_deref().map(parse_intent_state).transpose()?,
            reference: query.reference,
        };
        let (intents, now) = (self.records.intents(&context.scope, &filter, &page).await?, self.now());
        let next_cursor = intents.next.map(crate::core::page::PageCursor::to_text);
        let data = intents.rows.into_iter().map(|intent| self.intent_view(intent, now));
        Ok(List {
            data: data.collect::<Result<_, _>>()?,
            next_cursor,
        })
    }

    pub(crate) async fn get_intent(&self, context: &RequestContext, id: IntentId) -> Result<IntentView, ApiError> {
        let intent = self.records.intent(&context.scope, id).await?;
        self.intent_view(intent.ok_or(ApiError::NotFound)?, self.now())
    }

    pub(crate) async fn cancel_intent(&self, context: &RequestContext, id: IntentId) -> Result<IntentView, ApiError> {
        let now = self.now();
        let audit = context.audit_entry("intent.cancelled", id, now);
        match self.records.cancel_intent(&context.scope, id, &audit).await? {
            WriteOutcome::Done(intent) => self.intent_view(intent, now),
            WriteOutcome::InUse
            | WriteOutcome::Taken
            | WriteOutcome::NoRole
            | WriteOutcome::TooMany
            | WriteOutcome::BeyondOwn
            | WriteOutcome::LastAdministrator => Err(ApiError::Conflict("the request is over already")),
            WriteOutcome::NoEntity => Err(AccessDenied::Entity.into()),
            WriteOutcome::NotFound => Err(ApiError::NotFound),
        }
    }

    pub(crate) async fn get_public_intent(&self, partner: PartnerId, id: IntentId) -> Result<PublicIntent, ApiError> {
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

    pub(in crate::service::partners) fn intent_view(
        &self,
        intent: LinkIntent,
        now: Timestamp,
    ) -> Result<IntentView, ApiError> {
        let opened = OpenedFields {
            dial: self.dial_string_of(&intent, now)?,
            msisdn: self.open_number(&intent)?.map(|msisdn| msisdn.masked()),
            expected: self.expected_fields(&intent)?,
            suggested: self.suggested_fields(&intent)?,
        };
        Ok(IntentView::new(intent, opened, now))
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

/// The state at this moment: an intent past its time has expired, even before the job has marked it.
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

/// The `intent_id` of a list's query.
pub(super) fn parse_intent_filter(id: Option<&str>) -> Result<Option<IntentId>, ApiError> {
    let parsed = id.map(IntentId::parse).transpose();
    parsed.map_err(|_| ApiError::field("?intent_id", "invalid", "say one request's id"))
}
