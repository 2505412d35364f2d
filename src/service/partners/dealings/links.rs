//! Links, as partners see them.

use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::schemas::link_states;
use super::super::{ApiError, ApiTime, List, RequestContext};
use super::{IntentView, LinkingApi, Links, seal_failure};
use crate::core::flow::{SessionEvent, offers};
use crate::core::ids::{EntityId, IntentId, JobId, LinkId, UserId};
use crate::core::page::{PageCursor, PageRequest};
use crate::core::scope::{Data, Scope};
use crate::records::{
    Consent, IntentState, IntentSummary, Job, JobKind, Link, LinkDetails, LinkFilter, LinkIntent, LinkState,
    LinkedAccount,
};
use crate::service::sealing::SealedIntent;

/// For how long somebody may log in again who was asked to.
const RENEWAL_EXPIRY: Duration = Duration::from_hours(7 * 24);

/// What was linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Link)]
pub struct LinkView {
    /// Its id.
    pub id: LinkId,
    /// `active`, `reauth_required`, `removing` (out of use, the provider is still to be told) or `removed`.
    #[schema(schema_with = link_states)]
    pub state: &'static str,
    /// The institution's name.
    pub institution: String,
    /// The provider.
    pub provider: String,
    /// Its accounts.
    pub accounts: Vec<AccountView>,
    /// What the person agreed to.
    pub consent: ConsentView,
    /// Your request that it grew out of; null: somebody dialled without having been asked.
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
    /// When it was made.
    pub created_at: ApiTime,
    /// When its state last changed.
    pub updated_at: ApiTime,
}

/// An account under a link.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LinkedAccount)]
pub struct AccountView {
    /// The provider's id of it: with your keys at the provider it opens what people have agreed to. Null once the person
    /// was erased.
    #[schema(required)]
    pub id: Option<String>,
    /// The end of its number, stars before it; null until it was read.
    #[schema(required)]
    pub number: Option<String>,
    /// Its holder's name; null unless identity was asked for.
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

/// What a person agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Consent)]
pub struct ConsentView {
    /// The exact words that stood on the screen.
    pub text: String,
    /// The version of those words.
    pub version: String,
    /// The language they stood in.
    pub locale: String,
    /// The channel they stood on.
    pub channel: String,
    /// When they were agreed to.
    pub agreed_at: ApiTime,
    /// What the data are for; null where the words alone say so.
    #[schema(required)]
    pub purpose: Option<String>,
    /// For how many days; null where the words alone say so.
    #[schema(required)]
    pub days: Option<u16>,
    /// Which data; null where the words alone say so.
    #[schema(required)]
    pub data_scope: Option<Scope>,
}

/// A link that is out of use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EndedLink)]
pub struct EndedLinkView {
    /// Its id.
    pub id: LinkId,
    /// `removing` until the provider has been told, then `removed`.
    #[schema(schema_with = link_states)]
    pub state: &'static str,
}

/// Which links are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkListQuery {
    /// Only those that stand so.
    pub state: Option<String>,
    /// Only those that grew out of this request.
    pub intent: Option<IntentId>,
    /// Only those whose request you call so.
    pub reference: Option<String>,
}

#[async_trait]
impl Links for LinkingApi {
    async fn list_links(
        &self,
        asked: &RequestContext,
        which: LinkListQuery,
        page: PageRequest,
    ) -> Result<List<LinkView>, ApiError> {
        let filter = LinkFilter {
            state: which.state.as_deref().map(parse_link_state).transpose()?,
            intent: which.intent,
            reference: which.reference,
        };
        let links = self.records.link_views(&asked.reach, &filter, &page).await?;
        let data = links.rows.into_iter().map(|holding| self.link_view(holding));
        Ok(List {
            data: data.collect::<Result<_, _>>()?,
            next_cursor: links.next.map(PageCursor::to_text),
        })
    }

    async fn get_link(&self, asked: &RequestContext, id: LinkId) -> Result<LinkView, ApiError> {
        let holding = self.records.link_view(&asked.reach, id).await?;
        self.link_view(holding.ok_or(ApiError::NotFound)?)
    }

    async fn delete_link(&self, asked: &RequestContext, id: LinkId) -> Result<EndedLinkView, ApiError> {
        let (now, key) = (self.now(), format!("unlink:{id}"));
        let unlink = Job {
            id: JobId::generate(self.runtime.rng.as_ref()),
            partner: asked.reach.partner,
            kind: JobKind::Unlink(id),
            due_at: now,
            tries: 0,
            key,
        };
        let deed = asked.audit_entry("link.ended", id, now);
        let ended = self.records.end_link(&asked.reach, id, &unlink, &deed).await?;
        let ended = ended.ok_or(ApiError::NotFound)?;
        if ended.newly_ended {
            self.newsroom.apply(&ended.tag, &SessionEvent::Unlinked(id)).await;
        }
        Ok(EndedLinkView {
            id,
            state: ended.state.as_str(),
        })
    }

    async fn reauthorise_link(&self, asked: &RequestContext, id: LinkId) -> Result<IntentView, ApiError> {
        let holding = self.records.link_view(&asked.reach, id).await?;
        let holding = holding.ok_or(ApiError::NotFound)?;
        if !holding.link.in_use() {
            return Err(ApiError::Conflict("the link is out of use"));
        }
        let intent = self.renewal_intent(asked, &holding).await?;
        let kept = self.store_intent(asked, intent, None).await?;
        self.intent_view(kept, self.now())
    }
}

impl LinkingApi {
    fn link_view(&self, holding: LinkDetails) -> Result<LinkView, ApiError> {
        let LinkDetails {
            link,
            moved_at,
            consent,
            intent: origin,
        } = holding;
        let identity = origin.as_ref().is_some_and(|origin| origin.scope.has(Data::Identity));
        let accounts = link
            .accounts
            .iter()
            .map(|account| self.account_view(&link, account, identity));
        Ok(LinkView {
            id: link.id,
            state: link.state.as_str(),
            accounts: accounts.collect::<Result<_, _>>()?,
            consent: consent_view(consent, origin.as_ref()),
            intent_id: origin.as_ref().map(|origin| origin.id),
            entity_id: origin.as_ref().and_then(|origin| origin.entity),
            created_by: origin.as_ref().and_then(|origin| origin.created_by),
            reference: origin.and_then(|origin| origin.reference),
            created_at: ApiTime(link.created_at),
            updated_at: ApiTime(moved_at),
            institution: link.institution_name,
            provider: link.provider,
        })
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

    /// The request to log in to a link again, on the terms on which it was linked.
    async fn renewal_intent(&self, asked: &RequestContext, holding: &LinkDetails) -> Result<LinkIntent, ApiError> {
        let (link, consent, origin) = (&holding.link, &holding.consent, holding.intent.as_ref());
        let partner = self.records.partner(link.partner).await?.ok_or(ApiError::NotFound)?;
        let number = self.sealing.open_msisdn(&consent.tag, consent.id, &consent.msisdn);
        let (id, now) = (IntentId::generate(asked.rng.as_ref()), self.now());
        let request = SealedIntent {
            partner: link.partner,
            id,
        };
        let msisdn = self.sealing.seal_intent_msisdn(request, &number.map_err(seal_failure)?);
        Ok(LinkIntent {
            id,
            partner: link.partner,
            entity: origin.and_then(|origin| origin.entity).or(asked.reach.entity),
            created_by: asked.caller.user(),
            state: IntentState::Open,
            purpose: origin.map_or(partner.purpose, |origin| origin.purpose.clone()),
            days: origin.map_or(partner.days, |origin| origin.days),
            scope: origin.map(|origin| origin.scope.clone()).unwrap_or_default(),
            reference: origin.and_then(|origin| origin.reference.clone()),
            tag: Some(link.tag),
            msisdn: Some(msisdn.map_err(seal_failure)?),
            code_digest: None,
            code: None,
            institution: Some(offers::offer_key(&link.provider, &link.institution)),
            locale: None,
            many: false,
            expected: None,
            renews: Some(link.id),
            links: 0,
            created_at: now,
            moved_at: now,
            expires_at: now.plus(RENEWAL_EXPIRY),
        })
    }
}

fn consent_view(consent: Consent, origin: Option<&IntentSummary>) -> ConsentView {
    ConsentView {
        text: consent.text,
        version: consent.version,
        locale: consent.locale,
        channel: consent.channel,
        agreed_at: ApiTime(consent.agreed_at),
        purpose: origin.map(|origin| origin.purpose.clone()),
        days: origin.map(|origin| origin.days),
        data_scope: origin.map(|origin| origin.scope.clone()),
    }
}

fn parse_link_state(name: &str) -> Result<LinkState, ApiError> {
    LinkState::parse_visible(name).ok_or_else(|| {
        let names = LinkState::VISIBLE.map(LinkState::as_str).join(", ");
        ApiError::field("?state", "unknown", format!("there are: {names}"))
    })
}
