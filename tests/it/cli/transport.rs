//! What callbacks, keys and pages come over, as a network sees it.

use std::fs;
use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::aggregator::{AggregatorClient, Phone};
use crate::support::eventually;
use crate::support::http::{client, trusting};
use crate::support::node::Node;
use crate::support::tls::Authority;
use crate::support::world::{Setup, World};

const PATIENCE: Duration = Duration::from_secs(30);

/// Puts a certificate for this machine in both files.
fn issue(authority: &Authority, (cert, key): &(PathBuf, PathBuf)) {
    let issued = authority.issue_pem("127.0.0.1", 2100);
    fs::write(cert, issued.0).unwrap();
    fs::write(key, issued.1).unwrap();
}

/// The first server of a world, with these lines in its configuration, on an address.
async fn serve_again(world: &mut World, dir: &Path, listen: &str, lines: &str, client: reqwest::Client) -> Node {
    let config = fs::read_to_string(&world.nodes[0].config).unwrap();
    world.nodes[0].kill();
    let path = dir.join("kiungo.toml");
    let config = config.replace("listen = \"127.0.0.1:0\"", &format!("listen = \"{listen}\"\n{lines}"));
    assert!(config.contains(lines), "{config}");
    fs::write(&path, config).unwrap();
    Node::start(path, dir.join("log"), client).await
}

/// People dial over TLS of ours; nothing is said in clear on its port; and a certificate that is replaced is shown to those who
/// connect from then on, one that is no good to nobody.
#[tokio::test]
async fn a_certificate_is_replaced_while_people_dial() {
    let dir = tempfile::tempdir().unwrap();
    let files = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let (first, second) = (Authority::new(), Authority::new());
    issue(&first, &files);
    let mut world = World::start(Setup::Memory).await;
    let tls = format!("[server.tls]\ncert_file = {:?}\nkey_file = {:?}", files.0, files.1);
    let node = serve_again(&mut world, dir.path(), "127.0.0.1:0", &tls, trusting(&first.pem)).await;
    let dials = async |number: &str, authority: &Authority| {
        let line = AggregatorClient::new(vec![node.callback()], trusting(&authority.pem));
        Phone::new(number, line).dial().await.asks("1");
    };
    dials("+2348030006101", &first).await;
    let ready = format!("{}/health/ready", node.url());
    let answer = trusting(&first.pem).get(&ready).send().await.unwrap();
    assert!(answer.headers().contains_key("strict-transport-security"));
    let shows = async |authority: &Authority| trusting(&authority.pem).get(&ready).send().await.is_ok();
    assert!(!shows(&second).await);
    let plain = client().get(ready.replace("https://", "http://")).send().await;
    assert!(plain.is_err(), "{plain:?}");

    issue(&second, &files);
    node.hang_up();
    eventually(PATIENCE, async || shows(&second).await).await;
    assert!(!shows(&first).await);
    dials("+2348030006102", &second).await;

    fs::write(&files.1, "no key").unwrap();
    node.hang_up();
    eventually(PATIENCE, async || {
        node.log()
            .contains("cannot be used: the old certificate is still shown")
    })
    .await;
    dials("+2348030006103", &second).await;
}

/// What comes in clear from elsewhere, or was taken in clear by a trusted proxy, is answered as if nothing were there, and what
/// a trusted proxy has taken over TLS is served; probes are answered all the same.
#[tokio::test]
async fn nothing_is_taken_in_clear_from_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::start(Setup::Memory).await;
    let proxies = "trusted_proxies = [\"127.0.0.1\"]";
    let node = serve_again(&mut world, dir.path(), "0.0.0.0:0", proxies, client()).await;
    let at = |ip: IpAddr, path: &str| format!("http://{ip}:{}{path}", node.port());
    let callback = node.callback();
    let callback = callback
        .split_once("/ussd")
        .map(|(_, path)| format!("/ussd{path}"))
        .unwrap();
    let loopback = IpAddr::from([127, 0, 0, 1]);
    let elsewhere = own_address();
    for (ip, proto, served) in [
        (Some(loopback), Some("https"), true),
        (Some(loopback), Some("http"), false),
        (elsewhere, None, false),
        (elsewhere, Some("https"), false),
    ] {
        let Some(ip) = ip else { continue };
        let form = "sessionId=s1&phoneNumber=%2B2348030006110&serviceCode=%2A384%2A96%23&text=";
        let mut request = client().post(at(ip, &callback)).body(form);
        request = request.header("content-type", "application/x-www-form-urlencoded");
        if let Some(proto) = proto {
            request = request
                .header("x-forwarded-proto", proto)
                .header("x-forwarded-for", "203.0.113.9");
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status() == 200, served, "{ip} {proto:?}: {}", answer.status());
        let probe = client().get(at(ip, "/health/live")).send().await.unwrap();
        assert_eq!(probe.status(), 200, "{ip}");
    }
}

/// The address of this machine that others see, where it has one. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("203.0.113.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip())
}
