//! Subscribers' rights, as a partner exercises them for them: exporting what is held about a number, and erasing it.

use std::sync::Arc;

use serde::Deserialize;
use utoipa::ToSchema;

use super::context::RequestContext;
use super::error::ApiError;
use super::partner_buckets::PartnerBuckets;
use super::schemas::{erasure_states, erasure_waits};
use super::views::{ApiTime, view};
use crate::core::ids::{ErasureId, PartnerId};
use crate::core::msisdn::Msisdn;
use crate::core::secret::Secret;
use crate::core::token_bucket::RateLimit;
use crate::records::{Erasure, ErasureBlocker, ErasureState, Records};
use crate::service::data_subject::begin_erasure;
use crate::service::data_subject::export::{Export, ExportError, ExportedBy, export_subscriber_data};
use crate::service::deps::Deps;
use crate::service::sealing::Sealing;

/// A subscriber.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SubscriberNumber)]
pub struct SubscriberNumber {
    /// Their number in E.164, with the plus.
    #[schema(value_type = String, pattern = "^\\+[1-9][0-9]{7,14}$", example = "+2348031234567")]
    pub msisdn: Secret,
}

view! {
    /// The status of an erasure.
    #[schema(as = Erasure)]
    pub struct ErasureView(erasure: Erasure) {
        /// Its id.
        id: ErasureId = erasure.id,
        /// `begun`, `blanked` (only live state is left) or `done`.
        #[schema(schema_with = erasure_states)]
        state: &'static str = erasure.state.as_str(),
        /// What it is waiting for, if anything: `attempts`, `links`, `work`, `store`, `readers`.
        #[schema(required, schema_with = erasure_waits)]
        waits_for: Option<&'static str> = erasure
            .blocked_by
            .filter(|_| erasure.state != ErasureState::Done)
            .map(ErasureBlocker::as_str),
        /// When it was requested.
        begun_at: ApiTime = ApiTime(erasure.begun_at),
        /// When its state last changed.
        updated_at: ApiTime = ApiTime(erasure.moved_at),
    }
}

/// Exports and erases subscribers' data.
pub struct SubscriberApi {
    pub records: Arc<dyn Records>,
    pub sealing: Sealing,
    pub deps: Deps,
    /// An export reads, and an erasure locks and redacts, all that is kept of a person.
    pub rate: PartnerBuckets,
}

/// A person asks for theirs by hand; a partner that moves out takes hours for it and stops nobody else.
pub const DATA_SUBJECT_RATE: RateLimit = RateLimit {
    per_minute: 60,
    burst: 30,
};

impl SubscriberApi {
    pub(crate) async fn export_subscriber(
        &self,
        context: &RequestContext,
        number: SubscriberNumber,
    ) -> Result<Export, ApiError> {
        let (id, number) = (require_whole_partner(context)?, parse_number(&number)?);
        self.rate.take(id, self.deps.clock.now())?;
        let partner = self.records.partner(id).await?.ok_or(ApiError::NotFound)?;
        let now = self.deps.clock.now();
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
                tracing::error!(%error, "a sealed field of a data export cannot be opened");
                ApiError::Unavailable
            }
        })
    }

    pub(crate) async fn erase_subscriber(
        &self,
        context: &RequestContext,
        number: SubscriberNumber,
    ) -> Result<ErasureView, ApiError> {
        let (partner, number) = (require_whole_partner(context)?, parse_number(&number)?);
        self.rate.take(partner, self.deps.clock.now())?;
        let (records, clock) = (self.records.as_ref(), self.deps.clock.as_ref());
        let tag = self.sealing.keyring.tag(&number);
        let id = begin_erasure(records, clock, context.rng.as_ref(), partner, &tag).await?;
        self.get_erasure(context, id).await
    }

    pub(crate) async fn get_erasure(&self, context: &RequestContext, id: ErasureId) -> Result<ErasureView, ApiError> {
        let partner = require_whole_partner(context)?;
        let erasure = self.records.erasure(id).await?;
        let theirs = erasure.filter(|erasure| erasure.partner == partner);
        theirs.map(ErasureView::new).ok_or(ApiError::NotFound)
    }
}

/// A subscriber is known to the partner as a whole, so nothing here is about one of its entities.
fn require_whole_partner(context: &RequestContext) -> Result<PartnerId, ApiError> {
    match context.scope.entity {
        None => Ok(context.scope.partner),
        Some(_) => Err(ApiError::field(
            "Kiungo-Entity-Id",
            "unused",
            "people are known to the partner as a whole: leave it out",
        )),
    }
}

fn parse_number(number: &SubscriberNumber) -> Result<Msisdn, ApiError> {
    // Without a country: in national format it could be somebody else's number.
    let number = Msisdn::parse(number.msisdn.expose(), "");
    number.map_err(|_| ApiError::field("/msisdn", "invalid", "say a mobile number in E.164, with its plus"))
}
