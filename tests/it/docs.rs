//! The documents agree with the program.

mod partners;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiungo::core::health::HealthLevel;
use kiungo::core::menu::{Menu, graph};
use kiungo::core::messages::Templates;
use kiungo::service::metrics::{Metrics, ProviderOutcome, Storage, TurnOutcome};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every document of the repository.
fn documents() -> Vec<PathBuf> {
    let mut found = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    for dir in ["docs", "docs/adr"] {
        let entries = fs::read_dir(root().join(dir)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        found.extend(paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    found
}

/// The graph in README is what `kiungo menu graph` prints.
#[test]
fn the_readme_shows_the_happy_path() {
    let drawn = graph::happy_path(&Menu::embedded().unwrap(), &Templates::embedded().unwrap());
    let block = format!("```mermaid\n{drawn}```\n");
    assert!(
        read("README.md").contains(&block),
        "the graph in README.md should be\n{block}"
    );
}

/// The table of magic words is the one that the stand-in uses.
#[cfg(feature = "sandbox")]
#[test]
fn the_sandbox_document_lists_the_magic_words() {
    use kiungo::sandbox::bank::InputPlace;
    use kiungo::sandbox::mono::guide;
    let mut table = String::from("| where | type | or, with digits only | what happens |\n|---|---|---|---|\n");
    for row in guide() {
        let place = match row.place {
            InputPlace::Name => "user name",
            InputPlace::Secret => "password",
            InputPlace::Code => "code",
        };
        let (typed, digits, happens) = (row.typed, row.digits, row.what_happens);
        writeln!(table, "| {place} | `{typed}` | `{digits}` | {happens} |").unwrap();
    }
    assert!(
        read("docs/SANDBOX.md").contains(&table),
        "the table in docs/SANDBOX.md should be\n{table}"
    );
}

/// Links to files work, and files named in `code` exist.
#[test]
fn documents_name_what_is_there() {
    let mut missing = String::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let links = text
            .match_indices("](")
            .filter_map(|(at, _)| text[at + 2..].split(')').next());
        for link in links.filter(|link| !link.contains(':') && !link.starts_with('#')) {
            let target = link.split('#').next().unwrap();
            if !document.parent().unwrap().join(target).exists() {
                writeln!(missing, "{}: {link}", document.display()).unwrap();
            }
        }
        for named in text.split('`').skip(1).step_by(2) {
            let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
            let ours = ["src/", "tests/", "menus/", "deploy/", "docs/", "benches/"];
            let path = !named.contains("NAME")
                && named.chars().all(plain)
                && ours.iter().any(|folder| named.starts_with(folder));
            if path && !root().join(named).exists() {
                writeln!(missing, "{}: {named}", document.display()).unwrap();
            }
        }
    }
    assert!(missing.is_empty(), "named, but missing:\n{missing}");
}

/// OPERATIONS explains every metric, and no other.
#[test]
fn every_metric_is_explained() {
    let text = read("docs/OPERATIONS.md");
    let metrics = Metrics::new();
    // A metric that was never counted is not encoded.
    metrics.screen("welcome");
    metrics.screen_given_up("huawei");
    metrics.sms_unreadable("infobip");
    metrics.menu_reload("refused");
    metrics.invitation_refused("no_route");
    metrics.session_mismatch("mono");
    metrics.provider_webhook("mono", "processed");
    metrics.provider_call("mono", "submit", ProviderOutcome::Answered, Duration::ZERO);
    metrics.turn(TurnOutcome::Ended, Duration::ZERO);
    metrics.set_institution_health("mono", "all", HealthLevel::Slow);
    metrics.held_back("mono", HealthLevel::Down);
    metrics.job("redeem", "done");
    metrics.storage_error(Storage::Store);
    metrics.request("other", 404);
    metrics.stranger("key");
    metrics.set_sealed_values(&BTreeMap::from([("k1".to_owned(), 1)]));
    let encoded = metrics.encode().unwrap();
    let families = encoded.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut exist: Vec<String> = families
        .map(|line| match line.split_once(' ').unwrap() {
            (name, "counter") => format!("{name}_total"),
            (name, _) => name.to_owned(),
        })
        .collect();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `kiungo_"));
    let mut explained: Vec<String> = rows
        .map(|row| format!("kiungo_{}", row.split(['{', '`']).next().unwrap()))
        .collect();
    exist.sort();
    explained.sort();
    assert_eq!(explained, exist);
}

/// PARTNERS lists every kind of problem as the program has it.
#[test]
fn every_problem_is_explained() {
    let mut table = String::from("| status | code | what it means |\n|---|---|---|\n");
    for kind in kiungo::http::partner::PROBLEM_KINDS {
        writeln!(
            table,
            "| {} | `{}` | {} |",
            kind.status.as_u16(),
            kind.code,
            kind.advice
        )
        .unwrap();
    }
    table.push('\n');
    assert!(
        read("docs/PARTNERS.md").contains(&table),
        "the table in docs/PARTNERS.md should be\n{table}"
    );
}
