//! A dialect over HTTP: which path is which call, reading, waiting, and writing answers (or none, or a reset).
//!
//! Besides the common controls there are:
//!
//! | call | what it does |
//! |---|---|
//! | `GET /__stand-in/ledger` | the call log so far |
//! | `GET /__stand-in/guide` | the magic words |

use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, rt, web};
use serde_json::Value;

use super::answer::StandInAnswer;
use super::approval_page;
use super::dialect::{CallRequest, Dialect};
use super::failures::BankFailure;
use super::guide::{GuidePath, guide};
use super::memory::BankMemory;
use super::{Bank, BankSwitches, webhooks};
use crate::core::time::{Clock, Rng};
use crate::sandbox::callbacks::{CallbackSender, http_callback_sender};
use crate::sandbox::control::{self, read_body};
use crate::sandbox::stand_in::RunningStandIn;

/// A call of a dialect: its method and path (`{id}` is the target), its kind and its version.
pub type CallRoute<D> = (Method, &'static str, <D as Dialect>::Call, <D as Dialect>::Version);

/// A dialect over HTTP.
pub trait HttpDialect: Dialect {
    /// The name of its thread.
    const THREAD: &'static str;
    const GUIDE_PATH: GuidePath;

    fn calls() -> Vec<CallRoute<Self>>;

    /// Takes the key and the session from where they are in the request, which is otherwise complete but for its body.
    fn identify(req: &HttpRequest, request: &mut CallRequest<Self>);

    /// The position of the caller's key among those accepted.
    ///
    /// # Errors
    /// With the answer for a caller who is not let in.
    fn owner(bank: &Bank<Self>, memory: &BankMemory<Self>, request: &CallRequest<Self>)
    -> Result<usize, StandInAnswer>;

    fn execute(
        bank: &Bank<Self>,
        memory: &mut BankMemory<Self>,
        owner: usize,
        request: &CallRequest<Self>,
    ) -> StandInAnswer;

    /// The body of a failure with this message.
    fn failed(message: &str) -> Value;

    /// Adds controls of its own.
    fn controls(_: &mut web::ServiceConfig) {}
}

/// How a stand-in is started.
pub struct StandInSettings<D: Dialect> {
    pub dialect: D,
    /// The port on 127.0.0.1; 0 for any free port.
    pub port: u16,
    pub callback_sender: CallbackSender,
    /// The waits before a webhook that is not answered with 200 is sent again.
    pub webhook_retries: Vec<Duration>,
    /// The switches at the start, which include the URL of webhooks.
    pub switches: BankSwitches<D>,
}

impl<D: Dialect + Default> Default for StandInSettings<D> {
    fn default() -> Self {
        Self {
            dialect: D::default(),
            port: 0,
            callback_sender: http_callback_sender(),
            webhook_retries: [1, 5, 30].map(Duration::from_secs).to_vec(),
            switches: BankSwitches::<D>::default(),
        }
    }
}

/// Starts a stand-in; it accepts connections when this returns.
///
/// # Errors
/// When the port is taken or a thread cannot be started.
pub fn start<D: HttpDialect>(
    settings: StandInSettings<D>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
) -> io::Result<RunningStandIn<Bank<D>>> {
    let (bank, batches) = Bank::new(settings.dialect, settings.switches, clock, rng);
    let (sender, retries) = (settings.callback_sender, settings.webhook_retries.into());
    RunningStandIn::start(D::THREAD, settings.port, bank, configure::<D>, move |bank| {
        webhooks::deliver(bank, batches, sender, retries)
    })
}

/// Puts the API's paths in place.
fn configure<D: HttpDialect>(config: &mut web::ServiceConfig) {
    for (method, path, call, version) in D::calls() {
        let handler = move |bank: web::Data<Bank<D>>, req: HttpRequest, payload: web::Payload| {
            serve(CallRequest::new(call, version), bank.into_inner(), req, payload)
        };
        config.route(path, web::method(method).to(handler));
    }
    control::configure(config, Bank::<D>::switches, Bank::<D>::change);
    config
        .route("/__stand-in/ledger", web::get().to(call_log::<D>))
        .route("/__stand-in/guide", web::get().to(show_guide::<D>));
    if D::APPROVALS {
        approval_page::configure::<D>(config);
    }
    D::controls(config);
}

async fn serve<D: HttpDialect>(
    mut request: CallRequest<D>,
    bank: Arc<Bank<D>>,
    req: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    request.target = req.match_info().get("id").map(str::to_owned);
    request.query = url::form_urlencoded::parse(req.query_string().as_bytes())
        .into_owned()
        .collect();
    D::identify(&req, &mut request);
    request.no = bank.log_arrival(&request);
    let Some(body) = read_body(payload).await else {
        return HttpResponse::BadRequest().finish();
    };
    request.body = serde_json::from_slice(&body).unwrap_or_default();
    // In a task of its own, so that it is carried out even if the caller disconnects, which drops this handler.
    let work = rt::spawn(perform(bank, request));
    let answer = work.await.unwrap_or(StandInAnswer::Empty(500));
    answer.write(&req).await
}

async fn perform<D: HttpDialect>(bank: Arc<Bank<D>>, request: CallRequest<D>) -> StandInAnswer {
    let owner = D::owner(&bank, &bank.lock(), &request);
    let plan = bank.plan(&request, owner.as_ref().ok().copied());
    rt::time::sleep(plan.latency).await;
    let owner = match owner {
        Ok(owner) => owner,
        Err(answer) => {
            bank.log_rejection(request.no);
            return answer;
        }
    };
    if let Some(BankFailure::Slow(ms)) = plan.trouble {
        rt::time::sleep(Duration::from_millis(ms)).await;
    }
    let answer = if plan.processed {
        D::execute(&bank, &mut bank.lock(), owner, &request)
    } else {
        if plan.trouble != Some(BankFailure::Hang) {
            bank.log_rejection(request.no);
        }
        StandInAnswer::Empty(500)
    };
    answer.with_failure(plan.trouble, plan.retry_after, D::failed)
}

async fn call_log<D: HttpDialect>(bank: web::Data<Bank<D>>) -> HttpResponse {
    HttpResponse::Ok().json(bank.call_log())
}

async fn show_guide<D: HttpDialect>() -> HttpResponse {
    HttpResponse::Ok().json(guide::<D>(&D::GUIDE_PATH))
}
