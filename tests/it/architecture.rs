//! The shape of the sources, held by reading them: who may name what, how long files may get, and names that were retired.

mod retired_names;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use kiungo::gateways::GATEWAYS;

use self::retired_names::retired_names;

/// Words that only some files may use.
struct Rule {
    /// Shown when the rule is broken.
    name: &'static str,
    /// Paths under `src` that it applies to: each a file, or a folder with its `/`.
    within: &'static [&'static str],
    /// Paths that it does not apply to.
    except: &'static [&'static str],
    /// What may not occur there.
    words: &'static [&'static str],
    /// Whether unit tests at the end of a file are exempt.
    tests_may: bool,
}

const RULES: &[Rule] = &[
    Rule {
        name: "core knows no I/O, clock or randomness",
        within: &["core/"],
        except: &[],
        words: &[
            "tokio",
            "redis",
            "reqwest",
            "actix_web",
            "actix_http",
            "sqlx",
            "hyper",
            "std::fs",
            "std::net",
            "std::io",
            "std::process",
            "std::thread",
            "SystemTime",
            "Instant",
            "Utc::now",
            "Local::now",
            "getrandom",
            "thread_rng",
            "rand::",
            "new_v4",
            "now_v7",
        ],
        tests_may: false,
    },
    Rule {
        name: "core knows nobody else",
        within: &["core/"],
        except: &[],
        words: &[
            "crate::store",
            "crate::records",
            "crate::providers",
            "crate::gateways",
            "crate::service",
            "crate::http::",
            "crate::config",
            "crate::sandbox",
        ],
        tests_may: false,
    },
    Rule {
        name: "service names traits, never an implementation",
        within: &["service/"],
        except: &[],
        words: &[
            "store::redis",
            "store::memory",
            "RedisStore",
            "MemoryStore",
            "records::sqlite",
            "records::postgres",
            "SqliteRecords",
            "PostgresRecords",
            "providers::mono",
            "crate::sandbox",
            "crate::http::",
            "actix_web",
        ],
        tests_may: true,
    },
    Rule {
        name: "core and service name no provider",
        within: &["core/", "service/"],
        except: &[
            "core/flow/tests/",
            "core/health/tests.rs",
            "service/institution_health/tests.rs",
        ],
        words: &["Mono", "mono::", "mono_", "\"mono"],
        tests_may: true,
    },
    Rule {
        name: "http does not touch store or records",
        within: &["http/"],
        except: &[],
        words: &["crate::store", "crate::records", "store::", "records::"],
        tests_may: false,
    },
    Rule {
        name: "only store/redis.rs names the redis crate",
        within: &[""],
        except: &["store/redis.rs", "store/redis/"],
        words: &["redis::"],
        tests_may: false,
    },
    Rule {
        name: "only records names sqlx",
        within: &[""],
        except: &["records/"],
        words: &["sqlx"],
        tests_may: false,
    },
    Rule {
        name: "only http_client builds an HTTP client",
        within: &[""],
        except: &["http_client/"],
        // Anyone who does not name the crate builds no client of it; `Client::new` elsewhere is ours.
        words: &["reqwest", "actix_web::client", "awc::", "hyper"],
        tests_may: false,
    },
    Rule {
        name: "only config reads the environment",
        within: &[""],
        except: &["config/"],
        words: &["std::env", "env::var", "env::vars", "from_env", "dotenv"],
        tests_may: true,
    },
    Rule {
        name: "only ambient reads the clock and draws randomness",
        within: &[""],
        except: &["ambient.rs"],
        words: &[
            "SystemTime::now",
            "Utc::now",
            "Local::now",
            "getrandom::",
            // A socket has a `new_v4`, too.
            "Uuid::new_v4",
            "now_v7",
            "thread_rng",
        ],
        tests_may: true,
    },
];

const LONGEST_FILE: usize = 400;

/// What is wrong with one file; `path` is relative to the package.
fn violations(path: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines = source.lines().count();
    if lines > LONGEST_FILE {
        found.push(format!("{path}: {lines} lines, more than {LONGEST_FILE}"));
    }
    for (number, line) in code(source) {
        if line.contains(concat!("#[", "allow(")) || line.contains(concat!("#![", "allow(")) {
            found.push(format!("{path}:{number}: use #[expect(.., reason)]"));
        }
    }
    found.extend(retired_names(path, source));
    let Some(within) = path.strip_prefix("src/") else {
        return found;
    };
    found.extend(doc_examples(path, source));
    found.extend(named_gateways(path, source));
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| within.starts_with(prefix));
    for rule in RULES.iter().filter(|rule| begins(rule.within) && !begins(rule.except)) {
        let tests = code(source).find(|(_, line)| line.trim() == "#[cfg(test)]");
        let end = tests
            .filter(|_| rule.tests_may)
            .map_or(usize::MAX, |(number, _)| number);
        for (number, line) in code(source).take_while(|(number, _)| *number < end) {
            if let Some(word) = rule.words.iter().find(|word| names(line, word)) {
                found.push(format!("{path}:{number}: {word}: {}", rule.name));
            }
        }
    }
    found
}

/// Gateways of the registry that the services name: these know the ports only.
fn named_gateways(path: &str, source: &str) -> Vec<String> {
    if !path.starts_with("src/service/") {
        return Vec::new();
    }
    let words: Vec<_> = GATEWAYS
        .iter()
        .map(|gateway| format!("gateways::{}", gateway.name))
        .collect();
    let found = code(source).filter_map(|(number, line)| {
        let word = words.iter().find(|word| names(line, word))?;
        Some(format!(
            "{path}:{number}: {word}: service names traits, never an implementation"
        ))
    });
    found.collect()
}

/// Code in documentation, which nothing compiles: `make test` runs no doc tests, because there are none.
fn doc_examples(path: &str, source: &str) -> Vec<String> {
    let fences = source.lines().enumerate().filter_map(|(index, line)| {
        let comment = line.trim_start().strip_prefix("//")?.strip_prefix(['/', '!'])?;
        Some((index + 1, comment.trim().strip_prefix("```")?))
    });
    let opening = fences.step_by(2).filter(|(_, language)| *language != "text");
    opening
        .map(|(number, _)| format!("{path}:{number}: examples in documentation are not compiled; mark text as ```text"))
        .collect()
}

/// Numbered lines without comments. Words in strings are found too, which does no harm.
fn code(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = source.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.map(|(number, line)| match line.find("//") {
        // A URL's slashes are no comment.
        Some(at) if !line[..at].ends_with(':') => (number, &line[..at]),
        _ => (number, line),
    })
}

/// Whether a line has a word that is not the end of a longer one: `store::redis::x` does not name the crate `redis`,
/// and `self::redis::x` does not, either.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = &line[..at];
        let joined = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let own = word == "redis::" && before.ends_with("::") && !before.ends_with("use ::");
        !joined && !own
    })
}

pub(crate) fn sources(dir: &Path, found: &mut Vec<(String, String)>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in fs::read_dir(root.join(dir)).unwrap() {
        let path = entry.unwrap().path();
        let relative = path.strip_prefix(root).unwrap().to_owned();
        if path.is_dir() {
            sources(&relative, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = relative.to_str().unwrap().replace('\\', "/");
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The sources keep to the shape.
#[test]
fn the_sources_keep_to_the_shape() {
    let mut files = Vec::new();
    for dir in ["src", "tests", "benches"] {
        if Path::new(env!("CARGO_MANIFEST_DIR")).join(dir).exists() {
            sources(Path::new(dir), &mut files);
        }
    }
    assert!(files.len() > 20, "only {} files were found", files.len());
    let mut report = String::new();
    for fault in files.iter().flat_map(|(path, source)| violations(path, source)) {
        writeln!(report, "{fault}").unwrap();
    }
    assert!(report.is_empty(), "\n{report}");
}

/// Each rule catches its fault. Otherwise nobody would notice a checker that finds nothing.
#[test]
#[expect(clippy::too_many_lines, reason = "a table, a line or two for each fault")]
fn planted_faults_are_found() {
    let long = "\n".repeat(LONGEST_FILE + 1);
    for (path, source, want) in [
        ("src/core/flow/mod.rs", "use tokio::time;", "core knows no I/O"),
        ("src/core/x.rs", "std::time::Instant::now();", "core knows no I/O"),
        ("src/core/x.rs", "use crate::store::Store;", "core knows nobody else"),
        (
            "src/service/turn.rs",
            "use crate::store::redis::RedisStore;",
            "service names traits",
        ),
        (
            "src/service/turn.rs",
            "use crate::providers::mono::Mono;",
            "service names traits",
        ),
        ("src/core/x.rs", "if provider == \"mono\" {", "name no provider"),
        (
            "src/service/x.rs",
            "const MONO_TTL: Duration = Mono::TTL;",
            "name no provider",
        ),
        ("src/service/x.rs", "let monotonic = 1;", ""),
        (
            "src/service/turn.rs",
            "use crate::gateways::twilio::sms::TwilioSms;",
            "service names traits",
        ),
        ("src/http/ussd.rs", "use crate::store::Store;", "http does not touch"),
        ("src/service/x.rs", "let c = redis::Client::open(url);", "redis crate"),
        ("src/store/memory.rs", "use redis::aio;", "redis crate"),
        ("src/app.rs", "sqlx::query(\"SELECT 1\")", "only records names sqlx"),
        (
            "src/providers/mono/client.rs",
            "reqwest::Client::builder()",
            "builds an HTTP client",
        ),
        ("src/service/x.rs", "use reqwest::Client;", "builds an HTTP client"),
        ("src/sandbox/x.rs", "Client::new(&ClientOptions::default())", ""),
        ("src/cli.rs", "std::env::var(\"HOME\")", "reads the environment"),
        ("src/http/x.rs", "chrono::Utc::now()", "only ambient reads the clock"),
        ("src/core/long.rs", long.as_str(), "more than 400"),
        ("tests/it/x.rs", concat!("#[", "allow(dead_code)]"), "use #[expect"),
        ("src/service/x.rs", "use a;\n#[cfg(test)]\nmod tests {}", ""),
        (
            "src/service/x.rs",
            "#[cfg(test)]\nmod tests { use crate::store::memory::MemoryStore; }",
            "",
        ),
        (
            "src/core/x.rs",
            "#[cfg(test)]\nmod tests { use tokio::test; }",
            "core knows no I/O",
        ),
        ("src/core/x.rs", "// no tokio here\nlet x = 1; // nor redis:: here", ""),
        ("src/core/x.rs", "/// ```\n/// let x = 1;\n/// ```", "are not compiled"),
        ("src/core/x.rs", "//! ```text\n//! a picture\n//! ```", ""),
        ("src/app.rs", "use crate::store::redis::RedisStore;", ""),
        ("src/store/redis.rs", "use redis::Script;", ""),
        ("src/records/sqlite.rs", "use sqlx::Row;", ""),
        ("src/http_client/mod.rs", "reqwest::Client::builder()", ""),
        ("src/core/x.rs", "fn notify(of: &Tidings) {}", "say Notification"),
        ("benches/x.rs", "pub enum Verdict {", "say what it is"),
        ("src/core/x.rs", "Self::Verdict(1) // Tidings", ""),
        ("tests/it/learn.rs", "", "say reconcile"),
        ("src/service/outbound/x.rs", "", "say webhooks"),
    ] {
        let found = violations(path, source).join("\n");
        assert_eq!(found.is_empty(), want.is_empty(), "{path} {source}: {found}");
        assert!(found.contains(want), "{path}: {found}");
    }
}
