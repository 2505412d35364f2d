//! No secret is readable anywhere: not in a log at its finest level, in Redis's files, in the records, in the metrics, on a
//! screen, or in what the kernel shows of the process; and when a gateway has closed its connections, no password is in the
//! memory of the process.
//!
//! People take every path through the conversation with a real node, typing unique texts. Then every place is searched for
//! every secret in every form. Planted secrets prove that the search finds them.

mod scan;

use std::fs;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use kiungo::core::time::Timestamp;
use kiungo::records::AuditEntry;
use kiungo::sandbox::bank::{ANSWERS, OTP, sha256_hex};
use kiungo::sandbox::mono::CallLog;

use self::scan::{Needle, SearchedPlace, forms, leaks};
use crate::crash::reader::{BANK, Reader, SeenScreen};
use crate::support::aggregator::AggregatorClient;
use crate::support::eventually;
use crate::support::http::client;
use crate::support::node::{Node, SECRET};
use crate::support::world::{PARTNER, Setup, WEBHOOK_SECRET, World};

/// A subscriber, and what they type.
struct LeakSubject {
    number: String,
    username: String,
    password: String,
    /// Codes and answers, wrong ones first.
    codes: Vec<String>,
    unlinks: bool,
}

/// A unique text with these words.
fn canary(words: &str) -> String {
    sha256_hex(&format!("canary {words}"))
}

fn people() -> Vec<LeakSubject> {
    // The word before the @ tells the stand-in what to do.
    let ways: [(&str, &[&str], bool); 8] = [
        ("", &[], false),
        ("many@", &[], false),
        ("otp@", &[OTP], false),
        ("otp@", &["wrong", OTP], false),
        ("question@", &["wrong", ANSWERS[0]], false),
        ("wrong@", &[], false),
        ("reset@", &[], false),
        ("", &[], true),
    ];
    let people = ways
        .into_iter()
        .enumerate()
        .map(|(n, (word, codes, unlinks))| LeakSubject {
            number: format!("+2348067{:06}", 314_159 + n * 1_000),
            username: format!("{word}u{}", &canary(&format!("username {n}"))[..20]),
            password: format!("Zq7{}", &canary(&format!("password {n}"))[..32]),
            codes: codes
                .iter()
                .map(|code| match *code {
                    "wrong" => format!("9{}", digits(&canary(&format!("code {n}")), 7)),
                    code => code.to_owned(),
                })
                .collect(),
            unlinks,
        });
    people.collect()
}

fn digits(hex: &str, count: usize) -> String {
    hex.chars().filter(char::is_ascii_digit).take(count).collect()
}

impl LeakSubject {
    /// Links an account or fails to, then views it and perhaps unlinks it. Returns every reply.
    async fn lives(&self, line: &AggregatorClient) -> Vec<String> {
        let mut replies = Vec::new();
        let mut codes = self.codes.iter();
        let mut linked = false;
        for _dial in 0..20 {
            let mut phone = Reader::new(line, &self.number);
            let mut seen = phone.dial().await.unwrap();
            let mut done = false;
            loop {
                linked |= seen == SeenScreen::Linked;
                done |= matches!(seen, SeenScreen::Unlinked | SeenScreen::Refused)
                    || (seen == SeenScreen::Link && !self.unlinks);
                if phone.over() || done {
                    break;
                }
                let typed: &str = match seen {
                    SeenScreen::Welcome | SeenScreen::Linked if linked => "2",
                    SeenScreen::Link => "2",
                    SeenScreen::Username => &self.username,
                    SeenScreen::Password => &self.password,
                    SeenScreen::Code => codes.next().map_or("0", String::as_str),
                    SeenScreen::Banks => BANK,
                    _ => "1",
                };
                seen = phone.line(typed).await.unwrap();
            }
            replies.extend(phone.replies.into_iter().map(|reply| reply.text));
            if done {
                return replies;
            }
        }
        panic!("{} never came to an end: {replies:#?}", self.username);
    }
}

/// All secrets.
fn needles(people: &[LeakSubject], call_log: &CallLog) -> Vec<Needle> {
    let mut needles = Vec::new();
    for (n, person) in people.iter().enumerate() {
        needles.push(Needle::new(format!("number {n}"), &person.number[1..]));
        needles.push(Needle::new(
            format!("number {n} as dialled at home"),
            &person.number[4..],
        ));
        needles.push(Needle::new(
            format!("username {n}"),
            &person.username[person.username.len() - 21..],
        ));
        needles.push(Needle::new(format!("password {n}"), &person.password));
        let wrong = person.codes.iter().filter(|code| code.len() >= 8);
        needles.extend(wrong.map(|code| Needle::new(format!("code {n}"), code)));
    }
    for (n, account) in call_log.accounts.iter().enumerate() {
        needles.push(Needle::new(format!("account number {n}"), &account.number));
        needles.push(Needle::new(format!("account id {n}"), &account.id));
        needles.push(Needle::new(format!("provider session {n}"), &account.session));
    }
    needles.push(Needle::new("the provider's key", kiungo::sandbox::mono::KEY));
    needles.push(Needle::new("the webhook secret", WEBHOOK_SECRET));
    needles.push(Needle::new("the channel's secret", SECRET));
    needles
}

/// All places that somebody could read, as they are now.
async fn places(world: &World, node: &Node, replies: &[String]) -> Vec<SearchedPlace> {
    let metrics = world
        .client
        .get(format!("{}/metrics", node.url()))
        .send()
        .await
        .unwrap();
    let place = |class, name: &str, bytes| SearchedPlace {
        class,
        name: name.to_owned(),
        bytes,
    };
    let mut places = vec![
        place("metrics", "/metrics", metrics.bytes().await.unwrap().to_vec()),
        place("screens", "all", replies.join("\n").into_bytes()),
        place(
            "process",
            "environ",
            fs::read(format!("/proc/{}/environ", node.pid())).unwrap(),
        ),
        place(
            "process",
            "cmdline",
            fs::read(format!("/proc/{}/cmdline", node.pid())).unwrap(),
        ),
    ];
    for path in world.files() {
        let name = path.display().to_string();
        let class = match path.extension().and_then(|kind| kind.to_str()) {
            _ if name.contains(".db") => "records",
            Some("log") => "log",
            _ => "Redis",
        };
        places.push(place(class, &name, fs::read(&path).unwrap_or_default()));
    }
    places
}

/// Makes Redis write a snapshot beside its log.
async fn snapshot(world: &World) {
    let dump = world.redis.as_ref().unwrap().dir().join("dump.rdb");
    let _ = fs::remove_file(&dump);
    world.redis.as_ref().unwrap().command(&["BGSAVE"]).await;
    eventually(Duration::from_secs(20), async || dump.exists()).await;
}

/// Where these secrets are in the writable memory of a process, read a megabyte at a time.
fn in_memory(pid: u32, secrets: &[Needle]) -> Vec<String> {
    const PART: u64 = 1 << 20;
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let untouched = vec![0; usize::try_from(PART).unwrap()];
    let mut found = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let range = line.split(' ').next().unwrap_or_default();
        let Some((start, end)) = range.split_once('-') else {
            continue;
        };
        let [start, end] = [start, end].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        for at in (start..end).step_by(1 << 20) {
            let mut bytes = vec![0; usize::try_from((end - at).min(PART)).unwrap()];
            if memory.read_exact_at(&mut bytes, at).is_ok() && bytes != untouched[..bytes.len()] {
                let place = SearchedPlace {
                    class: "memory",
                    name: format!("{at:x}"),
                    bytes,
                };
                found.extend(leaks(&[place], secrets));
            }
        }
    }
    found
}

/// The whole conversation, and then the search.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_readable_anywhere() {
    let mut world = World::with(Setup::Bare, |options| {
        options.timeout = 10;
        options.lease_margin = Some(2);
        options.favourites = Vec::new();
    })
    .await;
    // Compression could hide repetitions in the snapshot.
    world.redis.as_ref().unwrap().config_set("rdbcompression", "no").await;
    let mut node = world.node(None).await;
    // The gateway's own connections, so that they can be closed.
    let line = AggregatorClient {
        client: client(),
        ..node.line()
    };
    let people = people();
    let mut replies = Vec::new();
    for person in &people {
        replies.extend(person.lives(&line).await);
    }
    eventually(Duration::from_secs(20), async || {
        let accounts = world.call_log().accounts;
        accounts.len() == 7 && accounts.iter().any(|account| account.unlinked_at.is_some())
    })
    .await;
    let call_log = world.call_log();
    snapshot(&world).await;
    let (needles, places) = (needles(&people, &call_log), places(&world, &node, &replies).await);
    for class in ["metrics", "screens", "process", "log", "Redis", "records"] {
        let read: usize = places
            .iter()
            .filter(|place| place.class == class)
            .map(|place| place.bytes.len())
            .sum();
        assert!(read > 0, "nothing was read of class {class}");
    }
    let found = leaks(&places, &needles);
    assert!(found.is_empty(), "{found:#?}");
    let passwords: Vec<_> = needles
        .into_iter()
        .filter(|needle| needle.what.starts_with("password"))
        .collect();
    no_password_stays_in_memory(&node, line, &passwords).await;
    every_planted_leak_is_found(&world, &node, &replies).await;
    assert_eq!(node.terminate().await, Some(0));
}

/// What was typed is wiped from memory together with its value. The web server reads into a buffer that lives as long as the
/// connection, and the last request stays there until it is overwritten: that is documented, and the buffer is gone when the
/// gateway closes the connection.
async fn no_password_stays_in_memory(node: &Node, line: AggregatorClient, passwords: &[Needle]) {
    let lasting = Needle::new("the channel's secret", SECRET);
    let found = in_memory(node.pid(), &[lasting]);
    assert!(!found.is_empty(), "what the process keeps was not found in its memory");
    println!(
        "while the gateway's connections last: {:#?}",
        in_memory(node.pid(), passwords)
    );
    drop(line);
    let mut residue = Vec::new();
    eventually(Duration::from_secs(40), async || {
        residue = in_memory(node.pid(), passwords);
        residue.is_empty()
    })
    .await;
}

/// A secret in any form in any place is found: it is planted in Redis and the records, and in what was read from the other
/// places.
async fn every_planted_leak_is_found(world: &World, node: &Node, replies: &[String]) {
    let needle = Needle::new("planted", "Zq7planted+0123456789abcdef");
    for (n, (_, form)) in forms(&needle.secret).iter().enumerate() {
        let text = String::from_utf8_lossy(form).into_owned();
        world
            .redis
            .as_ref()
            .unwrap()
            .command(&["SET", &format!("planted{n}"), &text])
            .await;
        let event = AuditEntry::new(
            kiungo::app::partner_id(PARTNER),
            "planted",
            text,
            Timestamp::from_millis(1),
        );
        world.records.audit(&event).await.unwrap();
    }
    snapshot(world).await;
    let mut places = places(world, node, replies).await;
    for place in &mut places {
        if !matches!(place.class, "Redis" | "records") {
            for (_, form) in forms(&needle.secret) {
                place.bytes.extend(b" ".iter().chain(&form));
            }
        }
    }
    let found = leaks(&places, std::slice::from_ref(&needle));
    let names = [
        "metrics /metrics",
        "screens all",
        "process environ",
        "process cmdline",
        ".log",
    ];
    for (form, _) in forms(&needle.secret) {
        for name in names.into_iter().chain([".aof", "dump.rdb", "kiungo.db"]) {
            let found = found
                .iter()
                .any(|leak| leak.starts_with(&format!("planted, {form}, in")) && leak.contains(name));
            assert!(found, "the planted {form} was not found in {name}");
        }
    }
}
