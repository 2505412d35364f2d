//! What makes Kiungo work on a laptop with no account anywhere: stand-ins for what is not ours, and phones.
//!
//! Nothing here is called by the product: the real clients talk to a stand-in over real HTTP, as they would to the
//! original, and the phones call the same callbacks as an aggregator.

pub mod clock;
pub mod mono;
pub mod phone;
pub mod running;
pub mod sms;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use actix_web::web::ServiceConfig;

use self::clock::SandboxClock;
use self::phone::facts::{LoginHint, PhoneFacts, limits_of};
use crate::config::sandbox::SandboxConfig;
use crate::service::deps::{CrashHook, CrashPoint};
use crate::service::turn::TurnRunner;

mod session_view;

/// Adds routes to the web server.
pub type SandboxRoutes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// What the phone page works with beside the server.
#[derive(Clone)]
pub struct SandboxState {
    /// What the server and the stand-ins take for the time.
    pub clock: Arc<SandboxClock>,
    /// The inboxes of the stand-in for SMS, if there is one.
    pub texts: Option<Arc<sms::SmsState>>,
}

/// The phone page, for the first channel of these turns, with the clock and the inboxes.
pub fn routes(turns: Arc<TurnRunner>, beside: SandboxState) -> SandboxRoutes {
    let channel = turns.channels.first().cloned();
    let credentials = mono::guide()
        .into_iter()
        .map(|row| LoginHint {
            typed: row.digits.to_owned(),
            path: row.place.label().to_owned(),
            what_happens: format!("{} ({}); or: {}", row.what_happens, row.path, row.typed),
        })
        .collect();
    let (code, path) = channel.map_or((String::new(), String::new()), |channel| {
        (
            channel.service_code.clone(),
            format!("/ussd/{}/{}", channel.name, channel.secret.expose()),
        )
    });
    let facts = Arc::new(PhoneFacts::new(&code, &path, credentials, limits_of));
    let view: Arc<dyn phone::SessionView> = Arc::new(session_view::LiveSessions(turns));
    Arc::new(move |config| {
        phone::page::configure(config, facts.clone(), view.clone());
        clock::configure(config, beside.clock.clone());
        if let Some(texts) = &beside.texts {
            sms::page::configure(config, texts.clone());
        }
    })
}

/// Ends the process, at once and without any goodbye, when it passes the edge `abort_at` once more than `abort_after`
/// times, and panics when it passes `panic_at` for the first time: how tests see that nothing is lost or done twice. Does
/// nothing where no edge is named.
///
/// # Panics
/// Never itself; what it gives panics where it is asked to.
pub fn crash_point(config: &SandboxConfig) -> CrashHook {
    let edge = |word: &Option<String>| {
        CrashPoint::ALL
            .into_iter()
            .find(|edge| Some(edge.as_str()) == word.as_deref())
    };
    let (abort_at, abort_after) = (edge(&config.abort_at), config.abort_after);
    let panic_at = edge(&config.panic_at);
    let (passes, panicked) = (AtomicU64::new(0), AtomicBool::new(false));
    Arc::new(move |passed| {
        if Some(passed) == abort_at && passes.fetch_add(1, Ordering::SeqCst) >= abort_after {
            std::process::abort();
        }
        let panics = Some(passed) == panic_at && !panicked.swap(true, Ordering::SeqCst);
        assert!(!panics, "as the configuration asks");
    })
}
