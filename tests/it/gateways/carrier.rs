//! What is not request and answer, on the invented gateway: screens in calls of ours, a kept connection, set-up calls, push.

use std::sync::Arc;
use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::core::ids::NodeId;
use kiungo::core::msisdn::Msisdn;
use kiungo::gateways::ussd_carrier::CarrierError;
use kiungo::service::deps::Deps;
use kiungo::service::turn::TurnRunner;
use kiungo::service::ussd_binds::BindKeeper;
use kiungo::store::memory::MemoryStore;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::awkward::{NUMBER, ask, invented};
use crate::support::app_fixture::{AppOptions, TestApp, assemble, assemble_in};
use crate::support::clock::ManualClock;
use crate::support::eventually;

const PATIENCE: Duration = Duration::from_secs(20);

async fn app(mode: &str, api: &str) -> TestApp {
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    assemble(store, invented(mode, Some(api))).await
}

fn callback(line: &str) -> String {
    format!("session=s1&tx=7&ref=r1&msisdn={NUMBER}&line={line}")
}

/// The forms that came in, decoded.
async fn received(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.expect("recorded");
    let text = |request: &wiremock::Request| {
        let pairs = url::form_urlencoded::parse(&request.body);
        let pairs = pairs.map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join(" & ")
    };
    requests.iter().map(text).collect()
}

/// The callback is only taken, and the screen goes to the address that came with it; what fails is tried once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_screen_is_delivered_and_tried_again_once() {
    let server = MockServer::start().await;
    let fails_once = Mock::given(path("/screens")).respond_with(ResponseTemplate::new(500));
    fails_once.up_to_n_times(1).mount(&server).await;
    Mock::given(path("/screens"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let app = app("deliver", &server.uri()).await;
    assert_eq!(
        ask(&app, "", &callback("*384*96%23")).await,
        "session=s1\ntx=7\nref=r1\naction=taken"
    );
    app.tasks.close();
    app.tasks.wait().await;
    let screens = received(&server).await;
    assert_eq!(screens.len(), 2, "{screens:?}");
    assert_eq!(screens[0], screens[1]);
    assert!(screens[0].starts_with("to=r1 & screen=session=s1") && screens[0].contains("Umoja Credit asks"));
    let metrics = app.deps.metrics.encode().expect("text");
    assert!(!metrics.contains("screens_given_up_total{"), "{metrics}");
}

/// After the second try a screen is given up loudly; a refusal is not tried again. A misread request is answered in the same
/// way, and a notice at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_screen_that_cannot_be_delivered_is_given_up() {
    for (status, tries) in [(500, 2), (404, 1)] {
        let server = MockServer::start().await;
        Mock::given(path("/screens"))
            .respond_with(ResponseTemplate::new(status))
            .mount(&server)
            .await;
        let app = app("deliver", &server.uri()).await;
        let taken = ask(&app, "", "session=s1&ref=r1").await;
        assert!(taken.ends_with("action=taken"), "{taken}");
        assert!(
            ask(&app, "end", "session=s1&why=done")
                .await
                .ends_with("noted=Finished")
        );
        app.tasks.close();
        app.tasks.wait().await;
        let screens = received(&server).await;
        assert_eq!(screens.len(), tries, "{status}");
        assert!(screens[0].contains("action=end"), "{screens:?}");
        let metrics = app.deps.metrics.encode().expect("text");
        assert!(
            metrics.contains("kiungo_screens_given_up_total{gateway=\"invented\"} 1"),
            "{metrics}"
        );
    }
}

/// A person who is quick answers before our delivery has returned: their callback is served meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_callback_may_overtake_a_delivery() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let app = app("deliver", &url).await;
    ask(&app, "", &callback("*384*96%23")).await;
    let mut first = accepted(&listener).await;
    ask(&app, "", "session=s1&ref=r2&line=1").await;
    // The first delivery is still open: only then is the second answered.
    let mut second = accepted(&listener).await;
    for stream in [&mut second, &mut first] {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(answer).await.expect("our client listens");
    }
    app.tasks.close();
    timeout(PATIENCE, app.tasks.wait()).await.expect("both delivered");
    let metrics = app.deps.metrics.encode().expect("text");
    assert!(!metrics.contains("screens_given_up_total{"), "{metrics}");
}

/// A connection whose request has begun to come in.
async fn accepted(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = timeout(PATIENCE, listener.accept())
        .await
        .expect("in time")
        .expect("a call");
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.expect("a request");
    assert_eq!(&head, b"POST");
    stream
}

/// The gateway's end of kept connections.
struct BindServer {
    listener: TcpListener,
}

impl BindServer {
    /// The next connection, from whichever node.
    async fn accept(&self) -> BufReader<TcpStream> {
        let accepted = timeout(PATIENCE, self.listener.accept()).await;
        BufReader::new(accepted.expect("in time").expect("a connection").0)
    }

    async fn nobody_else_is_there(&self) {
        let accepted = timeout(Duration::from_millis(200), self.listener.accept()).await;
        assert!(accepted.is_err(), "a second node connected");
    }
}

/// Sends a line and reads the answer, up to its empty line.
async fn over(stream: &mut BufReader<TcpStream>, line: &str) -> String {
    stream
        .write_all(format!("{line}\n").as_bytes())
        .await
        .expect("connected");
    let mut answer = String::new();
    loop {
        let mut line = String::new();
        let read = timeout(PATIENCE, stream.read_line(&mut line)).await.expect("in time");
        if read.expect("connected") == 0 || line == "\n" {
            return answer;
        }
        answer.push_str(&line);
    }
}

fn keeper(app: &TestApp, node: u8) -> BindKeeper {
    let deps = Deps {
        node: NodeId::from_bytes([node; 16]),
        ..app.deps.clone()
    };
    let turns: Arc<TurnRunner> = app.service.0.clone();
    BindKeeper {
        deps,
        turns,
        channel: app.channel.clone(),
        every: Duration::from_millis(10),
    }
}

/// One node keeps the connection and serves what comes over it. When it dies, another takes over once its lease has ended;
/// when it drains, at once.
#[tokio::test(flavor = "multi_thread")]
async fn one_node_keeps_a_connection_and_another_takes_over() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let server = BindServer { listener };
    let clock = Arc::new(ManualClock::default());
    let options = AppOptions {
        clock: clock.clone(),
        ..AppOptions::default()
    };
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let app = assemble_in(store, invented("bind", Some(&url)), options).await;
    let stops: Vec<_> = (0..3).map(|_| CancellationToken::new()).collect();
    let first = Handle::current().spawn(keeper(&app, 1).run(stops[0].clone()));
    let mut bound = server.accept().await;
    let second = Handle::current().spawn(keeper(&app, 2).run(stops[1].clone()));
    let answer = over(&mut bound, &callback("*384*96%23")).await;
    assert!(answer.contains("Umoja Credit asks"), "{answer}");
    server.nobody_else_is_there().await;

    // Dies: it says nothing to anybody.
    first.abort();
    assert!(first.await.expect_err("aborted").is_cancelled());
    server.nobody_else_is_there().await;
    clock.advance(Duration::from_secs(31));
    let mut bound = server.accept().await;
    over(&mut bound, "session=s1&line=9").await;
    let answer = over(&mut bound, "session=s1&line=1").await;
    assert!(answer.contains("Choose your bank"), "{answer}");

    // Drains: the next one need not wait for the lease to end.
    let third = Handle::current().spawn(keeper(&app, 3).run(stops[2].clone()));
    stops[1].cancel();
    timeout(PATIENCE, second).await.expect("in time").expect("no panic");
    let mut bound = server.accept().await;
    let answer = over(&mut bound, "session=s1&line=0").await;
    assert!(answer.contains("Umoja Credit asks"), "{answer}");
    // A connection that breaks is made again by the same node.
    drop(bound);
    server.accept().await;
    stops[2].cancel();
    timeout(PATIENCE, third).await.expect("in time").expect("no panic");
}

/// A push shows the first screen in a dialog that we named, which then goes on like any other. One that the gateway does not
/// take leaves no open dialog.
#[tokio::test(flavor = "multi_thread")]
async fn a_push_begins_a_dialog() {
    let server = MockServer::start().await;
    let taken = Mock::given(path("/pushes")).respond_with(ResponseTemplate::new(200));
    taken.up_to_n_times(1).mount(&server).await;
    Mock::given(path("/pushes"))
        .respond_with(ResponseTemplate::new(403))
        .mount(&server)
        .await;
    let app = app("answer", &server.uri()).await;
    let to = Msisdn::parse("+2348031234567", "NG").expect("a number");
    app.service.0.push(&app.channel, &to).await.expect("taken");
    let pushed = received(&server).await.remove(0);
    assert!(
        pushed.contains("msisdn=+2348031234567") && pushed.contains("Umoja Credit asks"),
        "{pushed}"
    );
    let session = pushed
        .split(" & ")
        .find_map(|field| field.strip_prefix("session="))
        .expect("its name");
    ask(&app, "", &format!("session={session}&line=9")).await;
    let banks = ask(&app, "", &format!("session={session}&line=1")).await;
    assert!(banks.contains("Choose your bank"), "{banks}");

    let refused = app.service.0.push(&app.channel, &to).await;
    assert_eq!(refused, Err(CarrierError::Refused("by status")));
    let pushed = received(&server).await.remove(1);
    let session = pushed
        .split(" & ")
        .find_map(|field| field.strip_prefix("session="))
        .expect("its name");
    eventually(PATIENCE, async || {
        ask(&app, "status", &format!("session={session}"))
            .await
            .ends_with("open=false")
    })
    .await;
}
