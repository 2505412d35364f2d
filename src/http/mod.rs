//! The web server: routes only. What a request means is decided behind the traits of [`crate::service`].
//!
//! Three things shape this module. A gateway must get an answer in its own format even to a malformed request, so its routes
//! read the raw body themselves. A turn goes on if the gateway disconnects: it runs as a tracked task on the main runtime,
//! because the server drops a handler with its connection, and a worker's own runtime ends with the worker. And request
//! targets contain secrets: the route's pattern is logged, never the path.

mod body;
mod client_address;
mod connection_timeouts;
mod connections;
mod decodable;
mod ops;
mod pages;
pub mod partner;
mod provider_webhooks;
mod request_log;
mod sms;
mod transport;
mod ussd;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol};
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Server, ServiceRequest, ServiceResponse};
#[cfg(feature = "sandbox")]
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::{App, Error, HttpResponse, web};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::client_address::ProxyWarning;
use self::connection_timeouts::{ConnectionTimeouts, TimeoutStream};
use self::connections::{ConnectionLimits, ConnectionSlot, Connections};
pub use self::transport::Transport;
use self::transport::{ServerStream, TransportCheck, secure};
use crate::service::callbacks::{PersonPages, ProviderWebhooks, Readiness, SmsCallbacks, UssdCallbacks};
use crate::service::metrics::Metrics;
use crate::service::networks::{Networks, ip_prefix};

const TIMEOUTS: ConnectionTimeouts = ConnectionTimeouts {
    // Who connects has something to ask. Longer than browsers keep one that they opened in advance.
    first: Duration::from_secs(10),
    // Gateways reuse connections. Longer than the idle timeout of common load balancers (60 s), so that they close first.
    idle: Duration::from_secs(75),
    // A head fits into one packet.
    head: Duration::from_secs(5),
    // Longer than any route takes for its body and answer.
    response: Duration::from_mins(1),
};
/// The most connections waiting to be accepted.
const BACKLOG: u32 = 1024;
/// Until the peer closes after us.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// For open turns at shutdown, in seconds; no turn takes longer than 4 s.
const DRAIN_TIMEOUT: u64 = 5;

/// What the routes work with.
#[derive(Clone)]
pub struct HttpState {
    /// Our own proxies, whose `X-Forwarded-For` is trusted.
    pub proxies: Networks,
    pub transport: Transport,
    pub callbacks: Arc<dyn UssdCallbacks>,
    pub hooks: Arc<dyn ProviderWebhooks>,
    pub pages: Arc<dyn PersonPages>,
    pub messages: Arc<dyn SmsCallbacks>,
    /// `None` in tests of other routes.
    pub partners: Option<partner::PartnerApi>,
    pub readiness: Arc<dyn Readiness>,
    pub metrics: Arc<Metrics>,
    /// The main runtime, on which turns run.
    pub runtime: Handle,
    /// The open turns, waited for at shutdown.
    pub turn_tasks: TaskTracker,
    #[cfg(feature = "sandbox")]
    pub sandbox: Option<crate::sandbox::SandboxRoutes>,
}

/// Listens on `listen` (port 0 takes a free one) and answers until `shutdown` is cancelled, then lets open requests finish.
/// This process may have so many `descriptors` open. Returns the address and the server's future.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(
    parts: HttpState,
    listen: SocketAddr,
    descriptors: usize,
    shutdown: CancellationToken,
) -> io::Result<(SocketAddr, impl Future<Output = io::Result<()>> + Send)> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let socket = if listen.is_ipv6() {
        TcpSocket::new_v6()
    } else {
        TcpSocket::new_v4()
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    let listener = socket.listen(BACKLOG)?.into_std()?;
    let address = listener.local_addr()?;
    let builder = Server::build();
    let draining = builder.graceful_shutdown_signal();
    let bodies = web::Data::new(body::BodyBudget::default());
    let warning = Arc::new(ProxyWarning::default());
    let connections = Connections::new(ConnectionLimits::for_descriptors(descriptors));
    let acceptor = parts.transport.acceptor()?;
    let check = Arc::new(TransportCheck::new(parts.transport.clone(), parts.proxies.clone()));
    // What actix-web's own server does, with a stream of ours in between, see `connection_timeouts`.
    let service = move || {
        let draining = draining.clone();
        let app = build_app(parts.clone(), bodies.clone(), Arc::clone(&warning), Arc::clone(&check))
            .into_factory()
            .map_err(|error: Error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let draining = draining.clone();
                async move { draining.notified().await }
            })
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(CLOSE_TIMEOUT)
            .on_connect_ext(|stream: &TimeoutStream<ServerStream>, data| {
                data.insert(stream.of_request());
            })
            .finish(map_config(app, |()| AppConfig::default()));
        let (connections, proxies) = (Arc::clone(&connections), parts.proxies.clone());
        let acceptor = acceptor.clone();
        let accept = move |stream: TcpStream| {
            let admitted = admit(&stream, &connections, &proxies);
            accept(stream, admitted, acceptor.clone())
        };
        fn_service(accept).and_then(http)
    };
    let server = builder
        .workers(workers)
        .max_concurrent_connections(ConnectionLimits::accepted(descriptors).div_ceil(workers))
        .shutdown_timeout(DRAIN_TIMEOUT)
        .disable_signals()
        .listen("http", listener, service)?
        .run();
    let handle = server.handle();
    let running = async move {
        let mut server = std::pin::pin!(server);
        tokio::select! {
            ended = &mut server => return ended,
            () = shutdown.cancelled() => {}
        }
        let ((), ended) = tokio::join!(handle.stop(true), server);
        ended
    };
    Ok((address, running))
}

type Accepted = (TimeoutStream<ServerStream>, Protocol, Option<SocketAddr>);

/// Whether there is room for a connection, and whose it is.
fn admit(
    stream: &TcpStream,
    connections: &Arc<Connections>,
    proxies: &Networks,
) -> io::Result<(ConnectionSlot, SocketAddr)> {
    let peer = stream.peer_addr()?;
    let from = peer.ip().to_canonical();
    let slot = connections.admit(ip_prefix(from), proxies.contains(from));
    let slot = slot.ok_or_else(|| io::Error::other("too many connections are being answered"))?;
    Ok((slot, peer))
}

async fn accept(
    stream: TcpStream,
    admitted: io::Result<(ConnectionSlot, SocketAddr)>,
    acceptor: Option<TlsAcceptor>,
) -> Result<Accepted, DispatchError> {
    let (slot, peer) = admitted?;
    stream.set_nodelay(true)?;
    let stream = secure(stream, acceptor, slot.closed()).await?;
    Ok((TimeoutStream::new(stream, TIMEOUTS, slot), Protocol::Http1, Some(peer)))
}

/// All routes and the middleware; built once for each worker.
fn build_app(
    parts: HttpState,
    bodies: web::Data<body::BodyBudget>,
    warning: Arc<ProxyWarning>,
    check: Arc<TransportCheck>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let metrics = Arc::clone(&parts.metrics);
    #[cfg(feature = "sandbox")]
    let pages = parts.sandbox.clone();
    let partners = parts.partners.clone();
    let proxies = parts.proxies.clone();
    App::new()
        .app_data(web::Data::new(parts))
        .app_data(bodies)
        .wrap(from_fn(move |request, next| Arc::clone(&check).check(request, next)))
        .wrap(from_fn(move |request: ServiceRequest, next| {
            warning.look(request.request(), &proxies);
            body::note_request_without(request.request());
            request_log::log_request(Arc::clone(&metrics), request, next)
        }))
        .configure(move |config| {
            // Routes are tried in this order, and most requests are turns.
            routes(config);
            #[cfg(feature = "sandbox")]
            if let Some(pages) = pages {
                pages(config);
                config.service(resource_for("/", web::get().to(to_phone)));
            }
            if let Some(partners) = partners {
                partner::configure(partners)(config);
            }
        })
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource(request_log::USSD).to(ussd::callback))
        .service(web::resource(request_log::USSD_TAIL).to(ussd::callback))
        .service(sms_resource(request_log::SMS))
        .service(sms_resource(request_log::SMS_REPORTS))
        .service(hooks_resource(request_log::HOOKS))
        .service(hooks_resource(request_log::HOOKS_OF))
        .service(hooks_resource(request_log::HOOKS_TAIL))
        .service(resource_for(request_log::GO, web::get().to(pages::show)).route(web::post().to(pages::open)))
        .service(
            resource_for(request_log::BACK, web::get().to(pages::come_back))
                .route(web::post().to(pages::come_back))
                .route(web::head().to(pages::look_back)),
        )
        .service(resource_for(request_log::LIVE, web::get().to(ops::get_live)))
        .service(resource_for(request_log::READY, web::get().to(ops::get_ready)))
        .service(resource_for(request_log::METRICS, web::get().to(ops::get_metrics)))
        .default_service(web::to(not_found));
}

/// A resource that answers other methods as if it did not exist.
fn resource_for(path: &'static str, route: actix_web::Route) -> actix_web::Resource {
    web::resource(path).route(route).default_service(web::to(not_found))
}

/// Providers POST their webhooks; some GET a URL first, to see that it is ours.
fn hooks_resource(path: &'static str) -> actix_web::Resource {
    with_slash(path)
        .route(web::post().to(provider_webhooks::receive))
        .route(web::get().to(provider_webhooks::receive))
        .default_service(web::to(not_found))
}

/// Gateways POST their callbacks, or put them into the query of a GET. To ask for the head of that does nothing.
fn sms_resource(path: &'static str) -> actix_web::Resource {
    with_slash(path)
        .route(web::post().to(sms::receive))
        .route(web::get().to(sms::receive))
        .route(web::head().to(sms::look))
        .default_service(web::to(not_found))
}

/// A resource for what is called from settings that people type: a slash at its end means the same.
fn with_slash(path: &'static str) -> actix_web::Resource {
    web::resource([path.to_owned(), format!("{path}/")])
}

/// The first page of a sandbox is its phone.
#[cfg(feature = "sandbox")]
async fn to_phone(payload: web::Payload) -> HttpResponse {
    body::drain(payload).await;
    HttpResponse::Found()
        .insert_header((header::LOCATION, "/phone"))
        .finish()
}

/// The uniform answer to what does not exist, and to clients that may not know whether it does.
async fn not_found(payload: web::Payload) -> HttpResponse {
    body::drain(payload).await;
    not_found_response()
}

fn not_found_response() -> HttpResponse {
    HttpResponse::NotFound()
        .content_type("text/plain; charset=utf-8")
        .body("Not found\n")
}
