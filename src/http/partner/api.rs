//! What the handlers share.

use std::sync::Arc;

use actix_web::web;
use url::Url;

use crate::core::time::Rng;
use crate::service::partners::account_api::AccountApi;
use crate::service::partners::linking_api::LinkingApi;
use crate::service::partners::subscribers::SubscriberApi;
use crate::service::partners::webhook_endpoints::WebhookEndpointApi;

/// The services behind the partner API.
#[derive(Clone)]
pub struct PartnerApi {
    pub accounts: Arc<AccountApi>,
    pub linking: Arc<LinkingApi>,
    pub subscribers: Arc<SubscriberApi>,
    pub webhook_endpoints: Arc<WebhookEndpointApi>,
    /// For the ids of requests and of what they create.
    pub rng: Arc<dyn Rng>,
    /// The address under which partners reach this server. Without it, the request says.
    pub public_url: Option<Url>,
}

/// The services as a handler takes them.
pub(super) type Api = web::Data<PartnerApi>;
