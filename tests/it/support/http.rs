//! The client tests call servers with: no proxy, no redirects, and its own opinion of nothing.

use std::sync::LazyLock;
use std::time::Duration;

/// A client for plain HTTP.
pub fn client() -> reqwest::Client {
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
        .build()
        .expect("a client")
}
