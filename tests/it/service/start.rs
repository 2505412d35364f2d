//! What a server has done by the time it says that it listens.

use kiungo::app::{App, StartOptions};
use kiungo::config::Config;
use kiungo::core::msisdn;

/// Nobody's first call waits until the numbering of their country is loaded. Told where each test is a process of its own.
#[tokio::test(flavor = "multi_thread")]
async fn numbering_is_loaded_before_the_first_call() {
    let data = tempfile::tempdir().unwrap();
    let env = [("KIUNGO_SERVER__LISTEN".to_owned(), "127.0.0.1:0".to_owned())];
    let config = Config::sandbox(data.path(), &env).unwrap();
    let countries: Vec<_> = config.channels.iter().map(|channel| channel.country.clone()).collect();
    assert!(!countries.is_empty());
    let app = App::start(config, StartOptions::default()).await.unwrap();
    for country in countries {
        assert!(msisdn::is_loaded(&country), "{country}");
    }
    app.stop().await.unwrap();
}
