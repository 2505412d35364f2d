//! What makes Kiungo work on a laptop with no account anywhere: stand-ins for what is not ours, and phones.
//!
//! Nothing here is called by the product: the real clients talk to a stand-in over real HTTP, as they would to the
//! original, and the phones call the same callbacks as an aggregator.

pub mod mono;
pub mod phone;
pub mod sms;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::web::ServiceConfig;

use self::phone::facts::{Credential, Facts, limits_of};
use crate::service::runtime::{Edge, Tripwire};
use crate::service::turn::Turns;

mod view;

/// Adds routes to the web server.
pub type Routes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// The phone page, for the first channel of these turns, with the inboxes of the stand-in for SMS if there is one.
pub fn routes(turns: Arc<Turns>, texts: Option<Arc<sms::State>>) -> Routes {
    let channel = turns.channels.first().cloned();
    let credentials = mono::guide()
        .into_iter()
        .map(|row| Credential {
            typed: row.digits.to_owned(),
            path: row.place.words().to_owned(),
            what_happens: format!("{} ({}); or: {}", row.what_happens, row.path, row.typed),
        })
        .collect();
    let (code, path) = channel.map_or((String::new(), String::new()), |channel| {
        (
            channel.service_code.clone(),
            format!("/ussd/{}/{}", channel.name, channel.secret.expose()),
        )
    });
    let facts = Arc::new(Facts::new(&code, &path, credentials, limits_of));
    let view: Arc<dyn phone::SessionView> = Arc::new(view::Sessions(turns));
    Arc::new(move |config| {
        phone::page::configure(config, facts.clone(), view.clone());
        if let Some(texts) = &texts {
            sms::page::configure(config, texts.clone());
        }
    })
}

/// Ends the process, at once and without any goodbye, when it passes this edge once more than `unharmed` times: how tests
/// see that nothing is lost or done twice. Does nothing when no edge is named.
pub fn tripwire(edge: Option<&str>, unharmed: u64) -> Tripwire {
    let edge = Edge::ALL.into_iter().find(|candidate| Some(candidate.word()) == edge);
    let passes = AtomicU64::new(0);
    Arc::new(move |passed| {
        if Some(passed) == edge && passes.fetch_add(1, Ordering::SeqCst) >= unharmed {
            std::process::abort();
        }
    })
}
