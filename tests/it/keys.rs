//! Key files: created once, read strictly, never replaced.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kiungo::ambient::OsRng;
use kiungo::config::KeysConfig;
use kiungo::config::keys::{generate, load, load_or_generate};
use kiungo::core::msisdn::Msisdn;
use kiungo::core::seal::SealContext;
use tempfile::TempDir;

const PLACE: SealContext<'_> = SealContext {
    purpose: "live",
    subject: b"ada",
    record: b"1",
    field: "state",
};

fn generated_keys() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let made = generate(dir.path(), &OsRng).unwrap();
    assert_eq!((made.id.as_str(), made.first), ("k1", true));
    dir
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Key files are readable by their owner only, each key is different, and others cannot list the directory.
#[test]
fn keys_are_made_private() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("deep/keys");
    generate(&dir, &OsRng).unwrap();
    generate(&dir, &OsRng).unwrap();
    let mut texts = Vec::new();
    for name in ["k1.key", "k2.key", "tag.key"] {
        let path = dir.join(name);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600,
            "{name}"
        );
        texts.push(fs::read_to_string(&path).unwrap());
    }
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 3);
}

/// Rotation: what the first key sealed still opens, and everybody keeps their tag.
#[test]
fn rotation_keeps_blobs_and_people() {
    let dir = generated_keys();
    let before = load(dir.path(), "k1").unwrap();
    let blob = before.seal(&PLACE, b"x", &OsRng).unwrap();
    let made = generate(dir.path(), &OsRng).unwrap();
    assert_eq!((made.id.as_str(), made.first), ("k2", false));
    let after = load(dir.path(), "k2").unwrap();
    assert_eq!(after.open(&PLACE, &blob).unwrap().as_slice(), b"x");
    let msisdn = Msisdn::parse("+2348031234567", "NG").unwrap();
    assert_eq!(before.tag(&msisdn), after.tag(&msisdn));
    let newer = after.seal(&PLACE, b"x", &OsRng).unwrap();
    fs::remove_file(dir.path().join("k2.key")).unwrap();
    assert!(load(dir.path(), "k1").unwrap().open(&PLACE, &newer).is_err());
}

/// A malformed key is reported by its file name, and never shown.
#[test]
fn faulty_keys_are_named() {
    let good = "ab".repeat(32);
    let short = "ab".repeat(31);
    let sign = format!("+1{}", "ab".repeat(31));
    let accents = "é".repeat(32);
    for (file, text, mode, told) in [
        ("k1.key", short.as_str(), 0o600, "k1.key does not hold 64"),
        ("k1.key", "", 0o600, "k1.key does not hold 64"),
        ("k1.key", sign.as_str(), 0o600, "k1.key does not hold 64"),
        ("k1.key", accents.as_str(), 0o600, "k1.key does not hold 64"),
        ("tag.key", "tag", 0o600, "tag.key does not hold 64"),
        ("k1.key", good.as_str(), 0o604, "k1.key can be read by everybody"),
        ("K 2.key", good.as_str(), 0o600, "K 2.key is not named like a key"),
    ] {
        let dir = generated_keys();
        write(&dir.path().join(file), text, mode);
        let error = load(dir.path(), "k1").expect_err(told).to_string();
        assert!(error.contains(told), "{error}");
        assert!(text.is_empty() || text == "tag" || !error.contains(text), "{error}");
    }
    let dir = generated_keys();
    write(
        &dir.path().join("k1.key"),
        &format!(" {}\n", good.to_uppercase()),
        0o640,
    );
    write(&dir.path().join("README"), "not a key", 0o644);
    load(dir.path(), "k1").unwrap();
}

/// A missing key is named, and so is a missing directory.
#[test]
fn missing_keys_are_named() {
    let dir = generated_keys();
    let error = load(dir.path(), "k9").unwrap_err().to_string();
    assert!(error.contains("k9.key is missing"), "{error}");
    let error = load(&dir.path().join("none"), "k1").unwrap_err().to_string();
    assert!(error.contains("none is missing"), "{error}");
}

/// A lost tag key is not replaced by a new one, which would recognise nobody.
#[test]
fn a_lost_tag_key_is_not_replaced() {
    let dir = generated_keys();
    fs::remove_file(dir.path().join("tag.key")).unwrap();
    assert!(
        load(dir.path(), "k1")
            .unwrap_err()
            .to_string()
            .contains("tag.key is missing")
    );
    assert!(
        generate(dir.path(), &OsRng)
            .unwrap_err()
            .to_string()
            .contains("tag.key is lost")
    );
    assert!(!dir.path().join("tag.key").exists());
}

/// The sandbox creates its keys on the first run and keeps them on the next.
#[test]
fn the_sandbox_keeps_its_keys() {
    let parent = tempfile::tempdir().unwrap();
    let config = KeysConfig {
        dir: parent.path().join("keys"),
        active: "k1".to_owned(),
    };
    let blob = load_or_generate(&config, &OsRng)
        .unwrap()
        .seal(&PLACE, b"x", &OsRng)
        .unwrap();
    assert_eq!(
        load_or_generate(&config, &OsRng)
            .unwrap()
            .open(&PLACE, &blob)
            .unwrap()
            .as_slice(),
        b"x"
    );
}
