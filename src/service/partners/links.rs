//! Links.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::context::RequestContext;
use super::error::ApiError;
use super::intents::{IntentView, parse_intent_filter};
use super::linking_api::{LinkingApi, seal_failure};
use super::schemas::link_states;
use super::views::{ApiTime, List, view};
use crate::core::flow::{SessionEvent, offers};
use crate::core::ids::{EntityId, IntentId, LinkId, UserId};
use crate::core::page::{PageCursor, PageRequest};
use crate::core::purpose::Purpose;
use crate::core::scope::{Data, Scope};
use crate::core::time::Timestamp;
use crate::records::{
    Consent, IntentSummary, JobType, Link, LinkDetails, LinkFilter, LinkIntent, LinkState, LinkedAccount,
};
use crate::service::linking::unlink::Unlink;
use crate::service::sealing::SealedIntent;

/// For how long a subscriber may reauthorise a link.
const RENEWAL_EXPIRY: Duration = Duration::from_hours(7 * 24);

view! {
    /// A link.
    #[schema(as = Link)]
    pub struct LinkView(link: Link, moved_at: Timestamp, now: Timestamp, accounts: Vec<AccountView>, consent: ConsentView, origin: Option<&IntentSummary>) {
        /// Its id.
        id: LinkId = link.id,
        /// `active`, `reauth_required`, `removing` (out of use, the provider has not confirmed yet), `removed`, or `expired`
        /// (its consent is over).
        #[schema(schema_with = link_states)]
        state: &'static str = link.state_at(now).as_str(),
        /// The institution's name.
        institution: String = link.institution_name,
        /// The provider.
        provider: String = link.provider,
        /// Its accounts.
        accounts: Vec<AccountView> = accounts,
        /// What the subscriber consented to.
        consent: ConsentView = consent,
        /// The link intent that it resulted from; null: the subscriber dialled without one.
        #[schema(required)]
        intent_id: Option<IntentId> = origin.map(|origin| origin.id),
        /// The reference of that link intent.
        #[schema(required)]
        reference: Option<String> = origin.and_then(|origin| origin.reference.clone()),
        /// The entity; null: the partner as a whole.
        #[schema(required)]
        entity_id: Option<EntityId> = origin.and_then(|origin| origin.entity),
        /// The user who created the link intent; null: the partner itself, or nobody.
        #[schema(required)]
        created_by: Option<UserId> = origin.and_then(|origin| origin.created_by),
        /// From then on nothing is read: the consent ends, or the provider's access.
        until: ApiTime = ApiTime(link.until),
        /// When it was created.
        created_at: ApiTime = ApiTime(link.created_at),
        /// When its state last changed.
        updated_at: ApiTime = ApiTime(moved_at),
    }
}

/// An account under a link.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LinkedAccount)]
pub struct AccountView {
    /// The provider's id: with your keys at the provider it gives access to what the subscriber has consented to. Null once
    /// the subscriber was erased.
    #[schema(required)]
    pub id: Option<String>,
    /// The end of its number after asterisks; null until it was read.
    #[schema(required)]
    pub number: Option<String>,
    /// Its holder's name; null unless identity was requested.
    #[schema(required)]
    pub holder: Option<String>,
    /// The provider's word for its type.
    #[schema(required)]
    pub r#type: Option<String>,
    /// ISO 4217 code.
    #[schema(required)]
    pub currency: Option<String>,
}

impl std::fmt::Debug for AccountView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountView(..)")
    }
}

view! {
    /// What a subscriber consented to.
    #[schema(as = Consent)]
    pub struct ConsentView(consent: Consent) {
        /// When it ends.
        until: ApiTime = ApiTime(consent.until()),
        /// The exact text on the screen.
        text: String = consent.text,
        /// The version of the text.
        version: String = consent.version,
        /// The language of the text.
        locale: String = consent.locale,
        /// The channel on which it was shown.
        channel: String = consent.channel,
        /// When consent was given.
        agreed_at: ApiTime = ApiTime(consent.agreed_at),
        /// What the data are used for.
        purpose: String = consent.purpose,
        /// For how many days it was given.
        days: u16 = consent.days,
        /// Which data.
        data_scope: Scope = consent.scope,
    }
}

/// A link that is out of use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EndedLink)]
pub struct EndedLinkView {
    /// Its id.
    pub id: LinkId,
    /// `removing` until the provider has confirmed, then `removed`; `expired` if its consent was over before.
    #[schema(schema_with = link_states)]
    pub state: &'static str,
}

/// Which links to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LinkListQuery {
    /// Only links in this state.
    #[param(schema_with = link_states)]
    state: Option<String>,
    /// Only links that resulted from this link intent.
    #[param(value_type = Option<IntentId>)]
    intent_id: Option<String>,
    /// Only links whose link intent has this reference.
    reference: Option<String>,
}

impl LinkingApi {
    pub(crate) async fn list_links(
        &self,
        context: &RequestContext,
        query: LinkListQuery,
        page: PageRequest,
    ) -> Result<List<LinkView>, ApiError> {
        let filter = LinkFilter {
            state: query.state.as_deref().map(parse_link_state).transpose()?,
            intent: parse_intent_filter(query.intent_id.as_deref())?,
            reference: query.reference,
            at: self.now(),
        };
        let links = self.records.link_views(&context.scope, &filter, &page).await?;
        let data = links.rows.into_iter().map(|details| self.link_view(details));
        Ok(List {
            data: data.collect::<Result<_, _>>()?,
            next_cursor: links.next.map(PageCursor::to_text),
        })
    }

    pub(crate) async fn get_link(&self, context: &RequestContext, id: LinkId) -> Result<LinkView, ApiError> {
        let details = self.records.link_view(&context.scope, id).await?;
        self.link_view(details.ok_or(ApiError::NotFound)?)
    }

    pub(crate) async fn delete_link(&self, context: &RequestContext, id: LinkId) -> Result<EndedLinkView, ApiError> {
        let now = self.now();
        let unlink = Unlink::job(context.scope.partner, id, now);
        let audit = context.audit_entry("link.ended", id, now);
        let ended = self.records.end_link(&context.scope, id, &unlink, &audit).await?;
        let ended = ended.ok_or(ApiError::NotFound)?;
        if ended.newly_ended {
            self.session_updater
                .apply(&ended.tag, &SessionEvent::Unlinked(id))
                .await;
        }
        Ok(EndedLinkView {
            id,
            state: ended.state.as_str(),
        })
    }

    pub(crate) async fn reauthorise_link(&self, context: &RequestContext, id: LinkId) -> Result<IntentView, ApiError> {
        let details = self.records.link_view(&context.scope, id).await?;
        let details = details.ok_or(ApiError::NotFound)?;
        if !details.link.in_use_at(self.now()) {
            return Err(ApiError::Conflict("the link is out of use"));
        }
        let intent = self.renewal_intent(context, &details).await?;
        let stored = self.store_intent(context, intent, None).await?;
        self.intent_view(stored, self.now())
    }

    fn link_view(&self, details: LinkDetails) -> Result<LinkView, ApiError> {
        let LinkDetails {
            link,
            moved_at,
            consent,
            intent: origin,
        } = details;
        let now = self.now();
        // What was agreed to is shown for as long as it was agreed to.
        let identity = consent.scope.has(Data::Identity) && link.state_at(now) != LinkState::Expired;
        let accounts = link
            .accounts
            .iter()
            .map(|account| self.account_view(&link, account, identity));
        let accounts = accounts.collect::<Result<_, _>>()?;
        let consent = ConsentView::new(consent);
        Ok(LinkView::new(link, moved_at, now, accounts, consent, origin.as_ref()))
    }

    fn account_view(&self, link: &Link, account: &LinkedAccount, identity: bool) -> Result<AccountView, ApiError> {
        let id = match &*account.account {
            [] => None,
            sealed => Some(self.sealing.open_account(&link.tag, account.id, sealed)),
        };
        let holder = account.holder.as_deref().filter(|_| identity);
        let holder = holder.map(|sealed| self.sealing.open_holder(&link.tag, account.id, sealed));
        Ok(AccountView {
            id: id.transpose().map_err(seal_failure)?.map(|id| id.expose().to_owned()),
            number: account.masked.as_ref().map(|end| format!("****{end}")),
            holder: holder
                .transpose()
                .map_err(seal_failure)?
                .map(|name| name.expose().to_owned()),
            r#type: account.kind.clone(),
            currency: account.currency.clone(),
        })
    }

    /// The intent to reauthorise a link, on the terms on which it was linked.
    async fn renewal_intent(&self, context: &RequestContext, details: &LinkDetails) -> Result<LinkIntent, ApiError> {
        let (link, consent, origin) = (&details.link, &details.consent, details.intent.as_ref());
        let partner = self.records.partner(link.partner).await?.ok_or(ApiError::NotFound)?;
        let number = self.sealing.open_msisdn(&consent.tag, consent.id, &consent.msisdn);
        let mut intent = self.default_intent(context, &partner, RENEWAL_EXPIRY);
        let msisdn = self
            .sealing
            .seal_intent_msisdn(SealedIntent::from(&intent), &number.map_err(seal_failure)?);
        if let Some(origin) = origin {
            intent.entity = origin.entity.or(intent.entity);
            intent.reference.clone_from(&origin.reference);
        }
        Ok(LinkIntent {
            tag: Some(link.tag),
            msisdn: Some(msisdn.map_err(seal_failure)?),
            purpose: Purpose::of_consent(&consent.purpose, consent.purposes.as_ref()),
            days: consent.days,
            scope: consent.scope.clone(),
            institution: Some(offers::offer_key(&link.provider, &link.institution)),
            renews: Some(link.id),
            ..intent
        })
    }
}

fn parse_link_state(name: &str) -> Result<LinkState, ApiError> {
    LinkState::parse_visible(name).ok_or_else(|| {
        let names = LinkState::VISIBLE.map(LinkState::as_str).join(", ");
        ApiError::field("?state", "unknown", format!("there are: {names}"))
    })
}
