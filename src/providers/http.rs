//! The one HTTP client.

/// A client that only ever talks to this machine: no redirects, no retries, no proxy, plain HTTP.
///
/// # Errors
/// When the TLS backend cannot be set up, which it is even though it is not used.
#[cfg(feature = "sandbox")]
pub fn loopback_client() -> Result<reqwest::Client, reqwest::Error> {
    #[expect(clippy::disallowed_methods, reason = "this is the file that may")]
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(std::time::Duration::from_secs(2))
        .build()
}
