//! The sandbox: stand-ins for everything that is not ours, and phones, so that Kiungo works on a laptop without an account
//! anywhere. `docs/SANDBOX.md` explains how to use it.
//!
//! The product calls nothing in here: the real clients talk to a stand-in over real HTTP, as they would to the original,
//! and the phones call the same callbacks as an aggregator.

pub mod bank;
pub mod callbacks;
pub mod clock;
mod control;
pub mod load;
pub mod mono;
pub mod phone;
pub mod sms;
pub mod stand_in;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use actix_web::web::ServiceConfig;

use self::bank::guide::GuideRow;
use self::clock::SandboxClock;
use self::phone::dialect::{AfricasTalkingDialect, PhoneDialect};
use self::phone::facts::{LoginHint, PhoneFacts};
use crate::config::sandbox::SandboxConfig;
use crate::service::deps::{CrashHook, CrashPoint};
use crate::service::turn::TurnRunner;

mod session_view;

pub type SandboxRoutes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// What the phone page needs besides the server.
#[derive(Clone)]
pub struct SandboxState {
    /// The clock of the server and the stand-ins.
    pub clock: Arc<SandboxClock>,
    /// The stand-in for an SMS gateway, if there is one.
    pub sms: Option<Arc<sms::SmsState>>,
    /// The magic words of the providers' stand-ins.
    pub guide: Vec<GuideRow>,
}

/// The routes of the phone page, for the first channel on the gateway that the page speaks as, with the clock and the inboxes.
pub fn routes(turns: Arc<TurnRunner>, sandbox: SandboxState) -> SandboxRoutes {
    let spoken = AfricasTalkingDialect;
    let mut channels = turns.channels.iter();
    let channel = channels
        .find(|channel| channel.gateway.name() == spoken.gateway())
        .cloned();
    let credentials = sandbox
        .guide
        .iter()
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
    let facts = Arc::new(PhoneFacts::new(&code, &path, credentials, |network| {
        spoken.limits(network)
    }));
    let view: Arc<dyn phone::SessionInspector> = Arc::new(session_view::LiveSessions(turns));
    Arc::new(move |config| {
        phone::page::configure(config, facts.clone(), view.clone());
        clock::configure(config, sandbox.clock.clone());
        if let Some(state) = &sandbox.sms {
            sms::page::configure(config, state.clone());
        }
    })
}

/// A hook that aborts the process when it passes the crash point `abort_at` more than `abort_after` times, and panics when it
/// passes `panic_at` for the first time, so that tests see that nothing is lost or done twice.
///
/// # Panics
/// Only the returned hook, where the configuration asks for it.
pub fn crash_hook(config: &SandboxConfig) -> CrashHook {
    let point = |word: &Option<String>| {
        CrashPoint::ALL
            .into_iter()
            .find(|point| Some(point.as_str()) == word.as_deref())
    };
    let (abort_at, abort_after) = (point(&config.abort_at), config.abort_after);
    let panic_at = point(&config.panic_at);
    let (passes, panicked) = (AtomicU64::new(0), AtomicBool::new(false));
    Arc::new(move |passed| {
        if Some(passed) == abort_at && passes.fetch_add(1, Ordering::SeqCst) >= abort_after {
            std::process::abort();
        }
        let panics = Some(passed) == panic_at && !panicked.swap(true, Ordering::SeqCst);
        assert!(!panics, "as the configuration asks");
    })
}
