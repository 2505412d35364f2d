//! URLs that may be called or published: https, except to this machine.

use url::Url;

use crate::http_client::base_url::is_loopback;

/// The remedy for [`https_or_loopback`].
pub(super) const URL_REMEDY: &str = "write https://…; http:// is taken for 127.0.0.1, [::1] and localhost only";

/// Parses a URL without user, query or fragment.
pub(super) fn https_or_loopback(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "is not a URL".to_owned())?;
    if !(url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url))) {
        return Err("is neither https nor on this machine".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("carries a user, a query or a fragment".to_owned());
    }
    Ok(url)
}
