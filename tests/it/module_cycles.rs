//! Which files of a folder name each other, and that they do so in one direction only.
//!
//! A file depends on another when a path in it leads there: a `use`, or a path written out. Files in a circle cannot be read,
//! tested or moved one by one. Unit tests are free: they stand above everything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::architecture::sources;

/// Folders below `src` whose files depend on each other in one direction only. Files of their subfolders count.
const WITHOUT_CYCLES: &[&str] = &["core/flow", "http/partner", "service"];

/// A module by its segments: `["core", "flow", "state"]`.
type Module = Vec<String>;

/// The module that a file below `src` is; `None` for a file of unit tests.
fn module_of(path: &str) -> Option<Module> {
    let inner = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    let module: Module = inner.split('/').map(str::to_owned).collect();
    let tests = module.iter().any(|segment| segment == "tests");
    let module = match module.split_last() {
        Some((last, folder)) if last == "mod" => folder.to_vec(),
        _ => module,
    };
    (!tests).then_some(module)
}

/// The words and signs of a source, without comments and without what follows the first `#[cfg(test)]`.
fn tokens(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in source.lines().take_while(|line| line.trim() != "#[cfg(test)]") {
        let code = line.split("//").next().unwrap_or_default();
        let mut rest = code;
        while let Some(first) = rest.chars().next() {
            let length = match first {
                _ if first.is_alphanumeric() || first == '_' => rest
                    .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .unwrap_or(rest.len()),
                ':' if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            if !first.is_whitespace() {
                found.push(rest[..length].to_owned());
            }
            rest = &rest[length..];
        }
    }
    found
}

/// Reads the path that begins at `at`, with all of its branches (`a::{b, c::d}` is two). Returns where to read on.
fn read_path(tokens: &[String], mut at: usize, prefix: &[String], found: &mut Vec<Module>) -> usize {
    let is = |at: usize, sign: &str| tokens.get(at).is_some_and(|token| token == sign);
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(at) {
            Some(open) if open == "{" => {
                at += 1;
                while at < tokens.len() && !is(at, "}") {
                    at = read_path(tokens, at, &path, found);
                    at += usize::from(is(at, ","));
                }
                return at + 1;
            }
            Some(word) if word.chars().all(|c| c.is_alphanumeric() || c == '_') => path.push(word.clone()),
            _ => break,
        }
        at += 1;
        if !is(at, "::") {
            found.push(path);
            return if is(at, "as") { at + 2 } else { at };
        }
        at += 1;
    }
    found.push(path);
    at + 1
}

/// Every path of a source.
fn paths(source: &str) -> Vec<Module> {
    let tokens = tokens(source);
    let (mut at, mut found) = (0, Vec::new());
    while at < tokens.len() {
        let begins = tokens.get(at + 1).is_some_and(|next| next == "::");
        at = if begins {
            read_path(&tokens, at, &[], &mut found)
        } else {
            at + 1
        };
    }
    found
}

/// The module that a path leads to, read in module `from`; `None` for one that leads out of the crate or stays at home.
fn target(from: &Module, path: &[String], modules: &BTreeSet<Module>) -> Option<Module> {
    let ups = path.iter().take_while(|segment| *segment == "super").count();
    let (mut at, rest) = match path.first()?.as_str() {
        "crate" => (Module::new(), &path[1..]),
        "self" => (from.clone(), &path[1..]),
        "super" => (from[..from.len().checked_sub(ups)?].to_vec(), &path[ups..]),
        _ => (from.clone(), path),
    };
    for segment in rest {
        at.push(segment.clone());
        // A folder without a file of its own name is a way to its files all the same.
        if !modules.iter().any(|module| module.starts_with(&at)) {
            at.pop();
            break;
        }
    }
    (at != *from).then_some(at)
}

/// The dependencies among the files of a folder that are part of a circle, or lie between two circles; each `a -> b`.
fn cycles(folder: &str, files: &[(String, String)]) -> Vec<String> {
    let sources: BTreeMap<Module, &str> = files
        .iter()
        .filter_map(|(path, source)| Some((module_of(path)?, source.as_str())))
        .collect();
    let modules: BTreeSet<Module> = sources.keys().cloned().collect();
    let room: Module = folder.split('/').map(str::to_owned).collect();
    let inside = |module: &Module| module.starts_with(&room);
    let mut edges: BTreeSet<(Module, Module)> = BTreeSet::new();
    for (from, source) in sources.iter().filter(|(module, _)| inside(module)) {
        let targets = paths(source)
            .into_iter()
            .filter_map(|path| target(from, &path, &modules));
        edges.extend(targets.filter(inside).map(|to| (from.clone(), to)));
    }
    // What nobody depends on, or depends on nobody, is in no circle.
    loop {
        let starts: BTreeSet<Module> = edges.iter().map(|(from, _)| from.clone()).collect();
        let ends: BTreeSet<Module> = edges.iter().map(|(_, to)| to.clone()).collect();
        let before = edges.len();
        edges.retain(|(from, to)| ends.contains(from) && starts.contains(to));
        if edges.len() == before {
            break;
        }
    }
    let name = |module: &Module| module.join("::");
    edges
        .iter()
        .map(|(from, to)| format!("{} -> {}", name(from), name(to)))
        .collect()
}

/// The files of these folders can be read from the ground floor up.
#[test]
fn no_circle_among_the_files() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    for folder in WITHOUT_CYCLES {
        assert!(
            files
                .iter()
                .any(|(path, _)| path.starts_with(&format!("src/{folder}/"))),
            "{folder}"
        );
        let found = cycles(folder, &files);
        assert!(found.is_empty(), "a circle in {folder}:\n{}", found.join("\n"));
    }
}

/// Whether each way of writing a dependency is seen, and nothing else.
#[test]
fn circles_are_found() {
    let found = |files: &[(&str, &str)]| {
        let files: Vec<_> = files
            .iter()
            .map(|(path, source)| ((*path).to_owned(), (*source).to_owned()))
            .collect();
        cycles("room", &files).join(", ")
    };
    let b = ("src/room/b.rs", "use super::a::A;");
    for (a, circle) in [
        ("use super::b::B;", true),
        ("use super::b;", true),
        ("use super::{c::C, b::{B, D}};", true),
        ("use crate::room::b::B as Other;", true),
        ("fn x() -> crate::room::b::B {}", true),
        ("fn x() { super::b::go::<u8>(); }", true),
        ("use super::c::C;", false),
        ("// use super::b::B;", false),
        ("use other::b::B;", false),
        ("#[cfg(test)]\nmod tests { use super::super::b::B; }", false),
    ] {
        let all = [
            ("src/room/mod.rs", "mod a;\nmod b;"),
            ("src/room/a.rs", a),
            b,
            ("src/room/c.rs", ""),
        ];
        assert_eq!(!found(&all).is_empty(), circle, "{a}");
    }
    let through_parent = [
        ("src/room/mod.rs", "mod a;\npub use a::A;"),
        ("src/room/a.rs", "use super::A;"),
    ];
    assert_eq!(found(&through_parent), "room -> room::a, room::a -> room");
    let in_folder = [
        ("src/room/a.rs", "use self::x::X;"),
        ("src/room/a/x.rs", "use super::A;"),
    ];
    assert_eq!(found(&in_folder), "room::a -> room::a::x, room::a::x -> room::a");
    let of_tests = [
        ("src/room/a.rs", "use super::b::B;"),
        ("src/room/tests/b.rs", "use super::super::a::A;"),
    ];
    assert_eq!(found(&of_tests), "");
}
