//! Sets up the SMS gateways.

use std::sync::Arc;
use std::time::Duration;

use super::StartError;
use crate::config::{Config, ConfigSecret, SmsConfig};
use crate::core::secret::Secret;
use crate::core::service_codes::ServiceCodes;
use crate::gateways::sms::SmsSettings;
use crate::http_client::base_url::parse_base_url;
use crate::http_client::{HttpClient, HttpClientOptions};
use crate::service::channel::Channel;
use crate::service::sms::routes::{SmsRoute, SmsRoutes};
use crate::service::turn::sms::{service_code_for, sms_channel_name};

/// How long a gateway may take over one SMS. Much shorter than a job's lease, so that no other node thinks that this one
/// is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);

/// The gateways of the configuration.
pub(super) fn sms_routes(config: &mut Config) -> Result<SmsRoutes, StartError> {
    if config.sms.is_empty() {
        return Ok(SmsRoutes::default());
    }
    let client = HttpClient::new(&HttpClientOptions::default())?;
    let public_url = config.server.public_url.clone();
    let routes = std::mem::take(&mut config.sms).into_iter().map(|sms| {
        let callback = public_url.as_ref().map(|url| callback_url(url.as_str(), &sms));
        sms_route(sms, callback, client.clone()).map(Arc::new)
    });
    Ok(SmsRoutes::new(routes.collect::<Result<_, _>>()?))
}

fn callback_url(public_url: &str, sms: &SmsConfig) -> Secret {
    let (base, name) = (public_url.trim_end_matches('/'), &sms.name);
    Secret::new(format!("{base}/sms/{name}/{}", sms.secret.expose()))
}

fn sms_route(sms: SmsConfig, callback: Option<Secret>, client: HttpClient) -> Result<SmsRoute, StartError> {
    let settings = SmsSettings {
        base_url: parse_base_url(sms.base_url.as_str(), true)?,
        username: sms.username,
        api_key: sms.api_key.into_inner(),
        signing_key: sms.signing_key.map(ConfigSecret::into_inner),
        route: sms.route,
        callback,
        own: sms.own,
        timeout: SEND_TIMEOUT,
    };
    let gateway = (sms.registration.0.build)(settings, client);
    Ok(SmsRoute {
        gateway: gateway.map_err(|error| StartError::Sms(sms.name.clone(), error))?,
        name: sms.name,
        sender: sms.sender,
        secret: sms.secret.into_inner(),
        country: sms.country,
        daily_cap: sms.daily_cap,
    })
}

/// What is dialed on each channel, and in the country of each SMS route.
pub(super) fn service_codes(channels: &[Arc<Channel>], routes: &SmsRoutes) -> ServiceCodes {
    let ussd = channels
        .iter()
        .map(|channel| (channel.name.clone(), channel.service_code.clone()));
    let sms = routes.all().map(|route| {
        let code = service_code_for(channels, &route.country);
        (sms_channel_name(&route.name), code.to_owned())
    });
    ServiceCodes::new(ussd.chain(sms).collect())
}
