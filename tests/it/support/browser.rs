//! A real browser, headless, driven over `WebDriver`: chromedriver and Chromium as the system has them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::eventually;

/// A browser with one window. Both processes end with it.
pub struct Browser {
    /// The window.
    pub window: Client,
    driver: Driver,
    _profile: tempfile::TempDir,
}

struct Driver {
    child: Child,
    port: u16,
}

impl Drop for Driver {
    /// Asks the driver to end its browsers and itself: killing it at once would leave them behind.
    fn drop(&mut self) {
        let asked = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut tcp| {
            tcp.set_read_timeout(Some(Duration::from_secs(5)))?;
            tcp.write_all(b"GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
            tcp.read(&mut [0; 64])
        });
        if asked.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Driver {
    /// Starts chromedriver on a port of the system's choice and waits until it says which.
    fn start(home: &Path) -> Self {
        let packaged = Path::new("/usr/lib/chromium/chromedriver");
        let program = if packaged.exists() {
            packaged
        } else {
            Path::new("chromedriver")
        };
        let child = Command::new(program)
            .arg("--port=0")
            // Anyone who runs the tests may have no home that can be written to.
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed");
        let mut driver = Self { child, port: 0 };
        let mut said = BufReader::new(driver.child.stdout.take().expect("piped"));
        loop {
            let mut line = String::new();
            assert!(
                said.read_line(&mut line).expect("readable") > 0,
                "chromedriver ended before it was ready"
            );
            if let Some((_, port)) = line.trim().rsplit_once("successfully on port ") {
                driver.port = port.trim_end_matches('.').parse().expect("a port");
                return driver;
            }
        }
    }
}

/// A command of Chromium's own protocol, which chromedriver hands on.
#[derive(Debug)]
struct CdpCommand {
    name: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for CdpCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({ "cmd": self.name, "params": self.parameters });
        (Method::POST, Some(body.to_string()))
    }
}

impl Browser {
    /// Opens a window whose page is `width` by `height` CSS pixels; `dark` asks for the dark appearance.
    pub async fn open(width: u32, height: u32, dark: bool) -> Self {
        let profile = tempfile::tempdir().expect("a directory");
        let driver = Driver::start(profile.path());
        let mut args = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        if dark {
            args.push("--force-dark-mode".to_owned());
        }
        let options = json!({
            "args": args,
            "mobileEmulation": {
                "deviceMetrics": { "width": width, "height": height, "pixelRatio": 1.0, "mobile": width < 600, "touch": width < 600 },
            },
        });
        let capabilities = [("goog:chromeOptions".to_owned(), options)].into_iter().collect();
        let window = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await
            .expect("a browser window");
        Self {
            window,
            driver,
            _profile: profile,
        }
    }

    /// Runs a script in every page from now on, before the page's own.
    pub async fn run_before_pages(&self, script: &str) {
        let command = CdpCommand {
            name: "Page.addScriptToEvaluateOnNewDocument",
            parameters: json!({ "source": script }),
        };
        self.window.issue_cmd(command).await.expect("a script");
    }

    /// Waits until an expression of the page's script is true; at most a minute.
    pub async fn wait_true(&self, expression: &str) {
        let script = format!("return Boolean({expression})");
        let read = eventually(Duration::from_mins(2), async || {
            self.window
                .execute(&script, Vec::new())
                .await
                .is_ok_and(|said| said == true)
        });
        let waited = tokio::time::timeout(Duration::from_mins(1), read).await;
        assert!(waited.is_ok(), "{expression} is not true");
    }

    /// What an expression of the page's script says.
    pub async fn evaluate(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        self.window.execute(&script, Vec::new()).await.expect(expression)
    }

    /// Waits until the element at the CSS selector `css` says something that `good` accepts; at most ten seconds.
    pub async fn wait_text(&self, css: &str, good: impl Fn(&str) -> bool) -> String {
        assert!(self.driver.port > 0);
        let mut seen = String::new();
        let read = eventually(Duration::from_mins(1), async || {
            if let Ok(element) = self.window.find(Locator::Css(css)).await
                && let Ok(text) = element.text().await
            {
                seen = text;
            }
            good(&seen)
        });
        let waited = tokio::time::timeout(Duration::from_secs(10), read).await;
        assert!(waited.is_ok(), "{css} says {seen:?}");
        seen
    }

    /// Clicks the element at the CSS selector `css`.
    pub async fn click(&self, css: &str) {
        let element = self.window.find(Locator::Css(css)).await.expect(css);
        element.click().await.expect(css);
    }

    /// Saves what the window shows as PNG.
    pub async fn picture(&self, path: &Path) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, self.window.screenshot().await.expect("a picture")).expect("written");
    }
}
