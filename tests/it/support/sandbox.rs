//! The whole sandbox in this process, as `kiungo` alone starts it.

use kiungo::app::{App, Surroundings};
use kiungo::config::Config;
use tempfile::TempDir;

/// A sandbox at work, with its own files.
pub struct Sandbox {
    /// Its address without a path, such as `http://127.0.0.1:4000`.
    pub origin: String,
    app: App,
    _data: TempDir,
}

impl Sandbox {
    /// Starts one on a free port of this machine.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts one with these variables as well.
    pub async fn with(more: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let variables = [("KIUNGO_SERVER__LISTEN", "127.0.0.1:0")].into_iter();
        let env: Vec<_> = variables
            .chain(more.iter().copied())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let config = Config::sandbox(data.path(), &env).expect("a configuration");
        let app = App::start(config, Surroundings::default()).await.expect("a sandbox");
        Self {
            origin: format!("http://{}", app.address),
            app,
            _data: data,
        }
    }

    /// Stops it in order.
    pub async fn stop(self) {
        self.app.stop().await.expect("stopped");
    }
}
