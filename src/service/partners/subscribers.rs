//! People, as a partner may ask about them: what is held about a number, and erasing it.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schemas::{erasure_states, erasure_waits};
use super::{ApiError, ApiTime, RequestContext};
use crate::core::ids::{ErasureId, PartnerId};
use crate::core::msisdn::Msisdn;
use crate::core::secret::Secret;
use crate::records::{Erasure, ErasureBlocker, ErasureState, Records};
use crate::service::data_subject::begin_erasure;
use crate::service::data_subject::export::{Export, ExportError, ExportedBy, export_subscriber_data};
use crate::service::deps::Deps;
use crate::service::sealing::Sealing;

/// Who is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SubscriberNumber)]
pub struct SubscriberNumber {
    /// Their number in E.164, with its plus.
    #[schema(value_type = String, pattern = "^\\+[1-9][0-9]{7,14}$", example = "+2348031234567")]
    pub msisdn: Secret,
}

/// How far an erasure is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Erasure)]
pub struct ErasureView {
    /// Its id.
    pub id: ErasureId,
    /// `begun`, `blanked`: only what is live is still there, `done`.
    #[schema(schema_with = erasure_states)]
    pub state: &'static str,
    /// What it last had to wait for, if anything: `attempts`, `links`, `work`, `store`, `readers`.
    #[schema(required, schema_with = erasure_waits)]
    pub waits_for: Option<&'static str>,
    /// When it was asked for.
    pub begun_at: ApiTime,
    /// When its state last changed.
    pub updated_at: ApiTime,
}

impl From<Erasure> for ErasureView {
    fn from(erasure: Erasure) -> Self {
        Self {
            id: erasure.id,
            state: erasure.state.as_str(),
            waits_for: erasure
                .blocked_by
                .filter(|_| erasure.state != ErasureState::Done)
                .map(ErasureBlocker::as_str),
            begun_at: ApiTime(erasure.begun_at),
            updated_at: ApiTime(erasure.moved_at),
        }
    }
}

/// What a partner may ask about people.
#[async_trait]
pub trait Subscribers: Send + Sync {
    /// All that the partner holds about a number. Whether that is anything is in the answer.
    async fn export_subscriber(&self, asked: &RequestContext, whose: SubscriberNumber) -> Result<Export, ApiError>;
    /// Asks for a number to be erased at the partner, whether anything is held about it or not.
    async fn erase_subscriber(&self, asked: &RequestContext, whose: SubscriberNumber) -> Result<ErasureView, ApiError>;
    /// One of the partner's erasures.
    async fn get_erasure(&self, asked: &RequestContext, id: ErasureId) -> Result<ErasureView, ApiError>;
}

/// Answers partners about people.
pub struct SubscriberApi {
    /// Durable truth.
    pub records: Arc<dyn Records>,
    /// Names people, and opens what is held.
    pub sealing: Sealing,
    /// Clock.
    pub runtime: Deps,
}

#[async_trait]
impl Subscribers for SubscriberApi {
    async fn export_subscriber(&self, asked: &RequestContext, whose: SubscriberNumber) -> Result<Export, ApiError> {
        let (id, number) = (require_whole_partner(asked)?, parse_number(&whose)?);
        let partner = self.records.partner(id).await?.ok_or(ApiError::NotFound)?;
        let now = self.runtime.clock.now();
        export_subscriber_data(
            self.records.as_ref(),
            &self.sealing,
            &[partner],
            &number,
            ExportedBy::Partner,
            now,
        )
        .await
        .map_err(|error| match error {
            ExportError::Records(error) => error.into(),
            ExportError::Sealed(error) => {
                tracing::error!(%error, "what is held about somebody does not open");
                ApiError::Unavailable
            }
        })
    }

    async fn erase_subscriber(&self, asked: &RequestContext, whose: SubscriberNumber) -> Result<ErasureView, ApiError> {
        let (partner, number) = (require_whole_partner(asked)?, parse_number(&whose)?);
        let (records, clock) = (self.records.as_ref(), self.runtime.clock.as_ref());
        let tag = self.sealing.keyring.tag(&number);
        let id = begin_erasure(records, clock, asked.rng.as_ref(), partner, &tag).await?;
        self.get_erasure(asked, id).await
    }

    async fn get_erasure(&self, asked: &RequestContext, id: ErasureId) -> Result<ErasureView, ApiError> {
        let partner = require_whole_partner(asked)?;
        let erasure = self.records.erasure(id).await?;
        let theirs = erasure.filter(|erasure| erasure.partner == partner);
        theirs.map(ErasureView::from).ok_or(ApiError::NotFound)
    }
}

/// The partner. A person is known to all of it, so nothing here is about one of its entities.
fn require_whole_partner(asked: &RequestContext) -> Result<PartnerId, ApiError> {
    match asked.reach.entity {
        None => Ok(asked.reach.partner),
        Some(_) => Err(ApiError::field(
            "Kiungo-Entity-Id",
            "unused",
            "people are known to the partner as a whole: leave it out",
        )),
    }
}

fn parse_number(whose: &SubscriberNumber) -> Result<Msisdn, ApiError> {
    // No country: a national spelling could be somebody else's number.
    let number = Msisdn::parse(whose.msisdn.expose(), "");
    number.map_err(|_| ApiError::field("/msisdn", "invalid", "say a mobile number in E.164, with its plus"))
}
