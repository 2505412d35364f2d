//! PARTNERS describes webhooks as they are, and its example receivers verify them. (W8)

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use kiungo::ambient::SystemClock;
use kiungo::core::events::EventKind;
use kiungo::core::time::{Clock as _, Timestamp};
use kiungo::core::webhook::{RESPONSE_TIMEOUT, RETRY_DELAYS, SECRET_OVERLAP, SigningSecret, unix_seconds};

use super::read;

/// The section of PARTNERS on webhooks.
fn section() -> String {
    let text = read("docs/PARTNERS.md");
    let (_, rest) = text.split_once("\n## Webhooks\n").expect("a section");
    rest.split("\n## ").next().unwrap().to_owned()
}

/// The section's only program in this language.
fn snippet(language: &str) -> String {
    let section = section();
    let begin = format!("\n```{language}\n");
    let mut found = section.split(&begin).skip(1);
    let program = found.next().unwrap().split("\n```").next().unwrap().to_owned();
    assert_eq!(found.count(), 0, "two programs in {language}");
    program
}

/// The section lists every kind of event, and has the timeout, the schedule of tries and how long two secrets sign.
#[test]
fn webhooks_are_as_described() {
    let text = section().split_whitespace().collect::<Vec<_>>().join(" ");
    for kind in EventKind::ALL {
        assert!(text.contains(&format!("| `{}` |", kind.as_str())), "{kind:?}");
    }
    let spelt = |pause: &Duration| match pause.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    };
    let (last, others) = RETRY_DELAYS[1..].split_last().unwrap();
    let others: Vec<_> = others.iter().map(spelt).collect();
    let tries = format!(
        "sent {} times, the first at once, then {} and {} after the try before",
        RETRY_DELAYS.len(),
        others.join(", "),
        spelt(last)
    );
    assert!(text.contains(&tries), "{tries}");
    assert_eq!((RESPONSE_TIMEOUT.as_secs(), SECRET_OVERLAP.as_secs()), (30, 86_400));
    assert!(text.contains("waited for 30 seconds") && text.contains("a day later"));
    assert!(text.contains("more than 5 minutes from now"));
}

/// A webhook as a receiver gets it, and whether it must accept it.
#[derive(Clone)]
struct Case {
    name: &'static str,
    accepts: bool,
    secret: String,
    id: &'static str,
    timestamp: String,
    signatures: String,
    body: &'static str,
}

const ID: &str = "0c7c1c36-9d0e-8f2a-b5b5-7a0f5f0c2f11";
const BODY: &str = r#"{"type":"link.created","timestamp":"2026-05-28T20:26:40.007Z","data":{"state":"active"} }"#;

/// The previous secret, the current one, and an unrelated one.
fn secrets() -> [SigningSecret; 3] {
    [[7; 32], [9; 32], [1; 32]].map(|bytes| SigningSecret::from_bytes(&bytes).unwrap())
}

/// A receiver with the current secret gets this.
fn case(name: &'static str, accepts: bool, at: Timestamp, signatures: String) -> Case {
    let [_, new, _] = secrets();
    Case {
        name,
        accepts,
        secret: new.text().expose().to_owned(),
        id: ID,
        timestamp: unix_seconds(at).to_string(),
        signatures,
        body: BODY,
    }
}

/// Correctly signed: the time and the receiver's secret decide.
fn correctly_signed(now: Timestamp) -> Vec<Case> {
    let [old, new, unrelated] = secrets();
    let signed = |by: &SigningSecret, at| by.sign(ID, at, BODY.as_bytes());
    let both = format!("{} {}", signed(&new, now), signed(&old, now));
    let [minutes_4, minutes_10] = [4, 10].map(Duration::from_mins);
    let mut cases = vec![case("now", true, now, signed(&new, now))];
    for (name, accepts, at) in [
        ("four minutes old", true, now.minus(minutes_4)),
        ("four minutes ahead", true, now.plus(minutes_4)),
        ("ten minutes old", false, now.minus(minutes_10)),
        ("ten minutes ahead", false, now.plus(minutes_10)),
    ] {
        cases.push(case(name, accepts, at, signed(&new, at)));
    }
    for (name, accepts, has) in [
        ("twice signed, new secret", true, new),
        ("twice signed, old secret", true, old),
        ("twice signed, another secret", false, unrelated),
    ] {
        cases.push(Case {
            secret: has.text().expose().to_owned(),
            ..case(name, accepts, now, both.clone())
        });
    }
    cases
}

/// Forged, or altered on the way.
fn forged(now: Timestamp) -> Vec<Case> {
    let [_, new, unrelated] = secrets();
    let signed = new.sign(ID, now, BODY.as_bytes());
    let ten_minutes_ago = now.minus(Duration::from_mins(10));
    let forged = |name, signatures: &str| case(name, false, now, signatures.to_owned());
    let mut cases = vec![
        forged("old, with a new time", &new.sign(ID, ten_minutes_ago, BODY.as_bytes())),
        forged("another's signature", &unrelated.sign(ID, now, BODY.as_bytes())),
        forged("another version", &signed.replace("v1,", "v2,")),
        forged("cut off", &signed[..20]),
        forged("no signature", ""),
        Case {
            body: r#"{"type":"link.created","timestamp":"2026-05-28T20:26:40.007Z","data":{"state":"active"}}"#,
            ..forged("written again", &signed)
        },
        Case {
            id: "0c7c1c36-9d0e-8f2a-b5b5-7a0f5f0c2f12",
            ..forged("another id", &signed)
        },
    ];
    for timestamp in ["", "soon", "-1"] {
        cases.push(Case {
            timestamp: timestamp.to_owned(),
            ..forged("no time", &signed)
        });
    }
    cases
}

/// Runs a program that reads one webhook a line, with tabs between its parts, and checks its answer to each.
fn assert_verdicts(program: &str, arguments: &[&Path]) {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{program} does not start: {error}; install {program}"));
    let now = SystemClock.now();
    let cases = [correctly_signed(now), forged(now)].concat();
    let mut input = child.stdin.take().unwrap();
    for one in &cases {
        let parts = [&one.secret, one.id, &one.timestamp, &one.signatures, one.body];
        writeln!(input, "{}", parts.join("\t")).unwrap();
    }
    drop(input);
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let said: Vec<_> = said.lines().collect();
    assert_eq!(
        said.len(),
        cases.len(),
        "{program}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    for (one, said) in cases.iter().zip(said) {
        assert_eq!(
            said,
            if one.accepts { "accepted" } else { "refused" },
            "{program}: {}",
            one.name
        );
    }
}

/// The Python receiver accepts what is ours and recent, with either of two secrets, and nothing else.
#[test]
fn receivers_in_python_verify() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("receiver.py");
    let driver = r#"
import sys

for line in sys.stdin:
    secret, *headers, body = line.removesuffix("\n").split("\t")
    headers = dict(zip(("webhook-id", "webhook-timestamp", "webhook-signature"), headers))
    print("accepted" if verify(secret, headers, body.encode()) else "refused")
"#;
    fs::write(&file, snippet("python") + "\n" + driver).unwrap();
    assert_verdicts("python3", &[&file]);
}

/// So does the JavaScript receiver.
#[test]
fn receivers_in_javascript_verify() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("receiver.js");
    let driver = r#"
for (const line of require("node:fs").readFileSync(0, "utf8").split("\n").slice(0, -1)) {
  const [secret, id, at, signatures, body] = line.split("\t");
  const headers = { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signatures };
  console.log(verify(secret, headers, Buffer.from(body)) ? "accepted" : "refused");
}
"#;
    fs::write(&file, snippet("javascript") + "\n" + driver).unwrap();
    assert_verdicts("node", &[&file]);
}

/// So does the Java receiver, where there is a JDK.
#[test]
fn receivers_in_java_verify() {
    if Command::new("javac").arg("-version").output().is_err() {
        println!("skipped: there is no JDK on this machine");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("Receiver.java");
    let driver = r#"
class Receiver {
  public static void main(String[] none) throws Exception {
    var lines = new java.io.BufferedReader(new java.io.InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] parts = line.split("\t", -1);
      Map<String, String> headers =
          Map.of("webhook-id", parts[1], "webhook-timestamp", parts[2], "webhook-signature", parts[3]);
      boolean taken = Webhooks.verify(parts[0], headers, parts[4].getBytes(StandardCharsets.UTF_8));
      System.out.println(taken ? "accepted" : "refused");
    }
  }
}
"#;
    // The class to run must come first, after the imports.
    let program = snippet("java");
    let (imports, class) = program.split_once("\nfinal class").unwrap();
    fs::write(&file, format!("{imports}\n{driver}\nfinal class{class}\n")).unwrap();
    assert_verdicts("java", &[&file]);
}
