//! A callback that speaks Africa's Talking's dialect with a fixed menu, and remembers what it was sent; the phone page
//! in front of it. What it is not: a stand-in for our own server.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use async_trait::async_trait;
use kiungo::core::time::{Clock, Rng, Timestamp};
use kiungo::gateways::UssdLimits;
use kiungo::sandbox::phone::SessionInspector;
use kiungo::sandbox::phone::facts::{LoginHint, PhoneFacts};
use kiungo::sandbox::phone::page;

/// The fields of one form.
pub type Fields = BTreeMap<String, String>;

/// The running server; it stops when dropped.
pub struct FakeCallbackServer {
    /// Its address without a path, such as `http://127.0.0.1:4000`.
    pub origin: String,
    turns: Arc<Mutex<Vec<Fields>>>,
    events: Arc<Mutex<Vec<Fields>>>,
    handle: ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for FakeCallbackServer {
    fn drop(&mut self) {
        // The stop signal is sent by the call; the future only waits for its answer.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the fixed menu says to all lines so far.
fn screen(text: &str) -> (&'static str, &'static str) {
    let lines: Vec<&str> = text.split('*').collect();
    match (text, lines.as_slice()) {
        ("", _) => (
            "CON",
            "Example Lender asks to see your bank account: name, balance, history.\n1 Agree\n0 Leave",
        ),
        ("7", _) => (
            "CON",
            concat!(
                "01234567890123456789012345678901234567890123456789012345678901234567890123456789",
                "01234567890123456789012345678901234567890123456789012345678901234567890123456789"
            ),
        ),
        ("8", _) => ("CON", "Kar\u{1eb9} o"),
        ("9", _) => ("HELLO", "there"),
        (_, ["1"]) => (
            "CON",
            "Choose your bank\n1 Kuda\n2 Zenith\n3 GTBank\n9 More\nOr type letters of its name",
        ),
        (_, ["1", _]) => ("CON", "Email or phone number you use with Kuda:"),
        (_, ["1", _, _]) => ("CON", "Your Kuda password (it is shown while you type):"),
        (_, ["1", _, _, _] | ["1", _, _, _, "1"]) => {
            ("CON", "Kuda is checking your details (20 s).\n1 Check again\n2 Text me")
        }
        (_, ["1", _, _, _, "1", "1"]) => ("END", "Linked: Kuda ****4417. Example Lender has been told."),
        _ => ("END", "Goodbye."),
    }
}

struct Seen(Arc<Mutex<Vec<Fields>>>, Arc<Mutex<Vec<Fields>>>);

async fn callback(seen: web::Data<Seen>, form: web::Form<Fields>) -> HttpResponse {
    let typed = form["text"].clone();
    seen.0.lock().expect("not poisoned").push(form.into_inner());
    if typed == "6" {
        // The handler is dropped when the caller gives up.
        std::future::pending::<()>().await;
    }
    let (kind, text) = screen(&typed);
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(format!("{kind} {text}"))
}

async fn event(seen: web::Data<Seen>, form: web::Form<Fields>) -> HttpResponse {
    seen.1.lock().expect("not poisoned").push(form.into_inner());
    HttpResponse::Ok().finish()
}

/// Rows for one number, nothing for others.
struct OneSession;

#[async_trait]
impl SessionInspector for OneSession {
    async fn describe(&self, msisdn: &str) -> Option<serde_json::Value> {
        (msisdn == "+2348030000001").then(|| {
            serde_json::json!([
                { "label": "Step", "value": "Choosing a bank" },
                { "label": "Institution", "value": "Kuda" },
                { "label": "Typed", "value": "2 fields, masked" },
                { "label": "Attempt", "value": "none" },
            ])
        })
    }
}

fn facts(limits: UssdLimits) -> PhoneFacts {
    let row = |typed: &str, path: &str, what: &str| LoginHint {
        typed: typed.to_owned(),
        path: path.to_owned(),
        what_happens: what.to_owned(),
    };
    let credentials = vec![
        row("good-pass", "Kuda, password", "Links at once"),
        row("two-accounts", "Zenith, password", "Asks which account"),
        row("ask-code", "GTBank, password", "Asks for a code; 123456 is right"),
        row("slow", "any bank", "Thinks for twenty seconds, then links"),
        row("wrong", "any bank", "Refused"),
    ];
    PhoneFacts::new("*384*96#", "/ussd/sandbox/sandbox", credentials, |_| limits)
}

impl FakeCallbackServer {
    /// Starts the server on a free port of this machine.
    pub fn start() -> Self {
        Self::with_limits(UssdLimits::default())
    }

    /// Starts the server; the page is told these limits.
    pub fn with_limits(limits: UssdLimits) -> Self {
        let (turns, events) = (Arc::default(), Arc::default());
        let seen = web::Data::new(Seen(Arc::clone(&turns), Arc::clone(&events)));
        let facts = Arc::new(facts(limits));
        let (tell, reply) = channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(seen.clone())
                        .route("/ussd/sandbox/sandbox", web::post().to(callback))
                        .route("/ussd/sandbox/sandbox/events", web::post().to(event))
                        .configure(|cfg| page::configure(cfg, Arc::clone(&facts), Arc::new(OneSession)))
                })
                .workers(1)
                .disable_signals()
                .bind(("127.0.0.1", 0))
                .expect("a free port");
                let address = server.addrs()[0];
                let server = server.run();
                tell.send((address, server.handle())).expect("awaited");
                server.await.expect("serves");
            });
        });
        let (address, handle) = reply.recv().expect("started");
        Self {
            origin: format!("http://{address}"),
            turns,
            events,
            handle,
            thread: Some(thread),
        }
    }

    /// The callback's URL.
    pub fn callback(&self) -> String {
        format!("{}/ussd/sandbox/sandbox", self.origin)
    }

    /// The callbacks so far.
    pub fn turns(&self) -> Vec<Fields> {
        self.turns.lock().expect("not poisoned").clone()
    }

    /// The events so far.
    pub fn events(&self) -> Vec<Fields> {
        self.events.lock().expect("not poisoned").clone()
    }
}

/// Time that passes, from a fixed day on.
pub struct PassingTime(Instant);

impl Default for PassingTime {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for PassingTime {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000).plus(self.0.elapsed())
    }
}

/// Chance that is different each time it is asked, and the same in each run.
#[derive(Default)]
pub struct CountingRng(Mutex<u8>);

impl Rng for CountingRng {
    fn fill(&self, out: &mut [u8]) {
        let mut count = self.0.lock().expect("not poisoned");
        *count += 1;
        out.fill(*count);
    }
}
