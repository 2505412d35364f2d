//! The whole sandbox in this process, as `kiungo` alone starts it.

use std::path::Path;
use std::sync::Arc;

use kiungo::ambient::{OsRng, SystemClock};
use kiungo::app::{App, StartOptions};
use kiungo::config::{Config, keys};
use kiungo::core::api_key::{self, ApiEnvironment, ApiKeyKind};
use kiungo::records::{Records, connect};
use kiungo::service::partners::provisioning::store_key;
use kiungo::service::sealing::Sealing;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor as _};
use tempfile::TempDir;

use super::api::Api;
use super::records::partner;

/// A sandbox at work, with its own files.
pub struct Sandbox {
    /// Its address without a path, such as `http://127.0.0.1:4000`.
    pub origin: String,
    app: App,
    records: Option<String>,
    data: TempDir,
}

impl Sandbox {
    /// Starts one on a free port of this machine.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts one with these variables as well.
    pub async fn with(more: &[(&str, &str)]) -> Self {
        Self::with_options(more, StartOptions::default()).await
    }

    /// The same, with providers of the test's own.
    pub async fn with_options(more: &[(&str, &str)], options: StartOptions) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let variables = [("KIUNGO_SERVER__LISTEN", "127.0.0.1:0")].into_iter();
        let env: Vec<_> = variables
            .chain(more.iter().copied())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let config = Config::sandbox(data.path(), &env).expect("a configuration");
        let app = App::start(config, options).await.expect("a sandbox");
        Self {
            origin: format!("http://{}", app.address),
            app,
            records: more
                .iter()
                .find(|(name, _)| *name == "KIUNGO_RECORDS__URL")
                .map(|(_, url)| (*url).to_owned()),
            data,
        }
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        self.data.path()
    }

    /// Its records, on a handle of the test's own.
    pub async fn records(&self) -> Arc<dyn Records> {
        let file = self.data.path().join("kiungo.db");
        let url = self.records.clone();
        connect(&url.unwrap_or_else(|| format!("sqlite:{}", file.display())))
            .await
            .expect("records")
    }

    /// Seals and opens as it does.
    pub fn sealing(&self) -> Sealing {
        let config = Config::sandbox(self.data.path(), &[]).expect("a configuration");
        let keyring = keys::load_or_generate(&config.keys, &OsRng).expect("its keys");
        Sealing {
            keyring: Arc::new(keyring),
            rng: Arc::new(OsRng),
        }
    }

    /// Where its stand-in for Mono listens, without a path.
    pub fn mono(&self) -> String {
        let mono = self.app.stand_ins.iter().find(|(name, _)| *name == "mono");
        format!("http://{}", mono.expect("a stand-in").1)
    }

    /// Runs a statement past everything that is tested, on records in its file.
    pub async fn execute(&self, statement: &'static str) {
        let options = SqliteConnectOptions::new().filename(self.data.path().join("kiungo.db"));
        let mut raw = SqliteConnection::connect_with(&options).await.expect("the file");
        raw.execute(statement).await.expect("done");
    }

    /// Another partner of it, with a key of its own.
    pub async fn another(&self, n: u8) -> Api {
        let (records, partner) = (self.records().await, partner(n));
        records.put_partner(&partner).await.expect("a partner");
        let key = api_key::generate(ApiKeyKind::Secret, ApiEnvironment::Sandbox, &OsRng);
        let enrolled = store_key(&*records, &SystemClock, partner.id, ApiKeyKind::Secret, &key);
        enrolled.await.expect("a key");
        Api {
            id: partner.id.to_string(),
            secret: key.expose().to_owned(),
            ..Api::of_sandbox(&self.origin)
        }
    }

    /// Stops it in order.
    pub async fn stop(self) {
        self.app.stop().await.expect("stopped");
    }
}
