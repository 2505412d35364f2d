//! Words of the operator's own, laid over the built-in ones from a directory.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{kiungo, text};
use crate::support::aggregator::{AggregatorClient, Phone};
use crate::support::http::client;
use crate::support::node::Node;
use crate::support::world::{Setup, World};
use crate::support::{eventually, eventually_every};

const PATIENCE: Duration = Duration::from_secs(30);

fn put(dir: &Path, name: &str, words: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, words).unwrap();
}

/// `menu check --dir` passes what is sound and tells everything else with file, line and what to do: by the same proofs as the
/// built-in menu, and a value that the built-in message has must not be left out.
#[test]
fn a_menu_directory_is_proven() {
    let dir = tempfile::tempdir().unwrap();
    let check = || {
        let checked = kiungo(&["menu", "check", "--dir", dir.path().to_str().unwrap()], &[]);
        let told = format!("{}{}", text(&checked.stdout), text(&checked.stderr));
        (checked.status.code(), told)
    };
    put(dir.path(), "locales/ha.ftl", "# ours\nleave = Fice\n");
    put(
        dir.path(),
        "order.toml",
        "favourites = [\"Kuda\"]\nlanguages = [\"ha\"]\n",
    );
    put(
        dir.path(),
        "banks.toml",
        "[[banks]]\nname = \"Kilima\"\nalso = [\"Mlima\"]\n",
    );
    put(dir.path(), ".hidden/draft.ftl", "not = { ours");
    let (code, told) = check();
    assert_eq!(code, Some(0), "{told}");

    let long = "Ka fita daga nan zuwa wani wuri mai nisa sosai inda babu kowa da kowa har abada ".repeat(2);
    put(
        dir.path(),
        "locales/ha.ftl",
        &format!("# ours\nleave = {long}\nfarewell = Sai anjima\n"),
    );
    put(dir.path(), "locales/sw.ftl", "resume = Endelea?\nback = Rudi\u{2190}\n");
    let (code, told) = check();
    assert_eq!(code, Some(1), "{told}");
    for want in [
        "locales/ha.ftl, line 2: ",
        "locales/ha.ftl, line 3: farewell (ha): no screen and no code uses this message; remove it",
        "locales/sw.ftl, line 1: resume (sw): `resume` uses no values, what it is laid over uses $bank; use the same",
        "locales/sw.ftl, line 2: ",
        "which is not in GSM-7; write it without",
    ] {
        assert!(told.contains(want), "{want}: {told}");
    }
}

/// Words that are not sound, or a directory that is not there, are a fault of the configuration, and the server does not start.
#[test]
fn a_bad_menu_directory_refuses_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let (words, data) = (dir.path().join("words"), dir.path().join("data"));
    put(&words, "locales/en.ftl", "leave = Go\nback = { $\n");
    let missing = dir.path().join("missing");
    for (words, told) in [
        (&words, "locales/en.ftl, line 2: "),
        (&missing, "missing: cannot be read"),
    ] {
        let env = [("KIUNGO_MENU__DIR", words.to_str().unwrap())];
        for command in [&["config", "check"][..], &["serve"]] {
            let args: Vec<_> = command
                .iter()
                .copied()
                .chain(["--data", data.to_str().unwrap()])
                .collect();
            let refused = kiungo(&args, &env);
            let err = text(&refused.stderr);
            assert_eq!(refused.status.code(), Some(1), "{command:?}: {err}");
            assert!(err.contains("[menu] dir") && err.contains(told), "{command:?}: {err}");
        }
    }
}

/// Words are laid over at the start and again at every SIGHUP: sound ones are said from then on, the favourites among the banks
/// are those that they name, and who stood before a consent in other words is shown it again, agreeing to nothing unseen. Ones
/// that are not sound change nothing; log and metric say so.
#[tokio::test]
async fn words_are_reloaded_while_people_dial() {
    let dir = tempfile::tempdir().unwrap();
    let words = dir.path().join("words");
    put(&words, "locales/en.ftl", "agree = Agreed\n");
    let mut world = World::start(Setup::Memory).await;
    let config = fs::read_to_string(&world.nodes[0].config).unwrap();
    world.nodes[0].kill();
    let path = dir.path().join("kiungo.toml");
    fs::write(&path, format!("{config}\n[menu]\ndir = {words:?}\n")).unwrap();
    let node = Node::start(path, dir.path().join("log"), client()).await;
    let phone = |number: &str| Phone::new(number, AggregatorClient::new(vec![node.callback()], client()));
    let counts = async |line: &str| {
        let metrics = client().get(format!("{}/metrics", node.url())).send().await.unwrap();
        metrics.text().await.unwrap().lines().any(|found| found == line)
    };

    let mut ada = phone("+2348030006201");
    ada.dial().await.asks("1 Agreed");

    put(&words, "locales/en.ftl", "agree = { $\n");
    node.hang_up();
    eventually(PATIENCE, async || {
        node.log().contains("the menu's words stay as they are")
    })
    .await;
    assert!(counts("kiungo_menu_reloads_total{outcome=\"refused\"} 1").await);
    phone("+2348030006202").dial().await.asks("1 Agreed");

    let welcome = "welcome = { $partner } wants { $data } for { $purpose } for { $days } days. OK?\nagree = OK\n";
    put(&words, "locales/en.ftl", welcome);
    put(&words, "order.toml", "favourites = [\"UBA\"]\n");
    node.hang_up();
    eventually(PATIENCE, async || {
        counts("kiungo_menu_reloads_total{outcome=\"replaced\"} 1").await
    })
    .await;
    let shown = ada.say("1").await;
    shown.asks(" days. OK?");
    ada.say("1").await.lacks(" days. OK?");
    // The list of banks is made again right behind the words.
    let mut dialled = 10;
    eventually_every(Duration::from_millis(100), PATIENCE, async || {
        dialled += 1;
        let mut next = phone(&format!("+23480300062{dialled}"));
        next.dial().await.asks("1 OK");
        next.say("1").await.text.contains("1 UBA\n")
    })
    .await;
}
