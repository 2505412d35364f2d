//! The root of an API, and the URLs below it.

use url::{Host, Url};

/// The root of an API: https, or http on a loopback address where that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a URL is not accepted. Never repeats it: it may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    #[error("not an http(s) URL with a host")]
    NotAUrl,
    #[error("must be https (plain http is for loopback addresses in the sandbox only)")]
    NotHttps,
    #[error("must have no user, password, query or fragment")]
    ExtraParts,
}

/// # Errors
/// When it is not https (or http to a loopback address, where `allow_loopback_http`), or has more than host, port and path.
pub fn parse_base_url(text: &str, allow_loopback_http: bool) -> Result<BaseUrl, BaseUrlError> {
    let url = Url::parse(text).map_err(|_| BaseUrlError::NotAUrl)?;
    if url.host().is_none() {
        return Err(BaseUrlError::NotAUrl);
    }
    match url.scheme() {
        "https" => {}
        "http" if allow_loopback_http && is_loopback(&url) => {}
        _ => return Err(BaseUrlError::NotHttps),
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(BaseUrlError::ExtraParts);
    }
    Ok(BaseUrl(url))
}

/// Whether a URL is of this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl BaseUrl {
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The URL of a path below the base. Segments are data: each is encoded as one segment, and one that would climb (`..`)
    /// or vanish (empty) makes the result `None`.
    pub fn join(&self, segments: &[&str]) -> Option<Url> {
        if segments.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return None;
        }
        let mut url = self.0.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(segments);
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only https leaves this machine, and a base URL cannot smuggle in a password or a query.
    #[test]
    fn a_base_url_is_https_or_loopback() {
        for (text, sandbox, want) in [
            ("https://api.withmono.com", false, Ok(())),
            ("https://api.withmono.com/prefix/", false, Ok(())),
            ("http://127.0.0.1:9000", true, Ok(())),
            ("http://[::1]:9000/mono", true, Ok(())),
            ("http://localhost:9000", true, Ok(())),
            ("http://127.0.0.1:9000", false, Err(BaseUrlError::NotHttps)),
            ("http://api.withmono.com", true, Err(BaseUrlError::NotHttps)),
            ("http://localhost.example.com", true, Err(BaseUrlError::NotHttps)),
            ("http://127.0.0.1.example.com", true, Err(BaseUrlError::NotHttps)),
            ("ftp://127.0.0.1", true, Err(BaseUrlError::NotHttps)),
            ("https://u:p@api.withmono.com", false, Err(BaseUrlError::ExtraParts)),
            ("https://api.withmono.com?key=1", false, Err(BaseUrlError::ExtraParts)),
            ("https://api.withmono.com#x", false, Err(BaseUrlError::ExtraParts)),
            ("file:///etc/passwd", true, Err(BaseUrlError::NotAUrl)),
            ("api.withmono.com", false, Err(BaseUrlError::NotAUrl)),
            ("", false, Err(BaseUrlError::NotAUrl)),
        ] {
            assert_eq!(parse_base_url(text, sandbox).map(|_| ()), want, "{text}");
        }
    }

    /// An id from outside stays one segment of the path: it cannot climb, add a query or reach another call.
    #[test]
    fn a_segment_stays_a_segment() {
        let base = parse_base_url("https://api.example/base/", false).unwrap();
        for (id, want) in [
            ("abc", Some("https://api.example/base/v2/accounts/abc")),
            ("a/../b", Some("https://api.example/base/v2/accounts/a%2F..%2Fb")),
            ("a?b#c", Some("https://api.example/base/v2/accounts/a%3Fb%23c")),
            ("%2e%2e", Some("https://api.example/base/v2/accounts/%252e%252e")),
            ("..", None),
            (".", None),
            ("", None),
        ] {
            let url = base.join(&["v2", "accounts", id]);
            assert_eq!(url.as_ref().map(Url::as_str), want, "{id}");
        }
    }
}
