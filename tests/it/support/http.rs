//! The client tests call servers with: no proxy, no redirects, and its own opinion of nothing.

use std::sync::LazyLock;
use std::time::Duration;

/// A client for plain HTTP.
pub fn client() -> reqwest::Client {
    builder().build().expect("a client")
}

/// A client that trusts the certificates of one authority, and opens a connection for each request.
pub fn trusting(authority: &str) -> reqwest::Client {
    let authority = reqwest::Certificate::from_pem(authority.as_bytes()).expect("a certificate");
    let builder = builder().tls_certs_only([authority]).pool_max_idle_per_host(0);
    builder.build().expect("a client")
}

fn builder() -> reqwest::ClientBuilder {
    static CRYPTO: LazyLock<bool> =
        LazyLock::new(|| rustls::crypto::aws_lc_rs::default_provider().install_default().is_ok());
    // Whether this call or an earlier one installed it makes no difference.
    let _ = *CRYPTO;
    #[expect(clippy::disallowed_methods, reason = "a test's client is not the product's")]
    let builder = reqwest::Client::builder();
    builder
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .timeout(Duration::from_secs(20))
}
