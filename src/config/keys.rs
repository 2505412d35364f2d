//! `[keys]`: the keys that seal everything personal, each in a file of its own.
//!
//! The directory holds `{id}.key` for every sealing key, 32 bytes in hexadecimal, and `tag.key`. One sealing key is
//! active; the others still open what they sealed. The tag key identifies people and is never rotated: with another one
//! nobody would be recognised. So a lost `tag.key` is not replaced silently; it must be restored.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use zeroize::Zeroizing;

use super::section::Section;
use crate::core::seal::{Keyring, SealKey};
use crate::core::time::Rng;

const TAG: &str = "tag";
const EXTENSION: &str = "key";
const BYTES: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeysConfig {
    pub dir: PathBuf,
    /// The id of the key that seals; the others only open.
    pub active: String,
}

pub(super) fn read(mut section: Section<'_>) -> Option<KeysConfig> {
    let dir = section.required("dir", "name the directory that `kiungo keys new` writes to", |text| {
        Ok(PathBuf::from(text))
    });
    let active = section.required("active", "name the key to seal with: \"k1\" for k1.key", |text| {
        if is_id(text) {
            Ok(text.to_owned())
        } else {
            Err("is not the id of a sealing key".to_owned())
        }
    });
    section.report_unknown_keys();
    Some(KeysConfig {
        dir: dir?,
        active: active?,
    })
}

fn is_id(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=64).contains(&text.len()) && text != TAG && text.bytes().all(plain)
}

/// What is wrong with the keys. Names files, never their contents.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
    #[error("{0} is missing; make keys with `kiungo keys new`, or restore it from your backup")]
    Missing(PathBuf),
    #[error("{0} does not hold 64 hexadecimal digits (32 bytes)")]
    Malformed(PathBuf),
    #[error("{0} can be read by everybody on this machine; run: chmod o= {0}")]
    WorldReadable(PathBuf),
    #[error("{0} is not named like a key: use small letters, digits and hyphens")]
    BadName(PathBuf),
    /// There are sealing keys but no tag key: with a new one nobody would be recognised.
    #[error("{0} is lost while other keys are there; restore it from your backup, a fresh one would recognise nobody")]
    TagKeyLost(PathBuf),
    #[error(transparent)]
    Ring(#[from] crate::core::seal::KeyringError),
}

/// What [`generate`] made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedKeys {
    /// The id of the new sealing key.
    pub id: String,
    /// Whether `tag.key` was created, too: only in an empty directory.
    pub first: bool,
}

/// Creates a sealing key with the next free id (`k1`, `k2`…), and the tag key if there are no keys yet. Files are readable
/// by their owner only, and on disk when this returns.
///
/// # Errors
/// When a file cannot be written, or the tag key is lost.
pub fn generate(dir: &Path, rng: &dyn Rng) -> Result<GeneratedKeys, KeysError> {
    let failed = |error| KeysError::Io(dir.to_owned(), error);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(failed)?;
    let ids: Vec<_> = key_files(dir)?.into_iter().map(|(id, _)| id).collect();
    let first = ids.is_empty();
    if !first && !ids.iter().any(|id| id == TAG) {
        return Err(KeysError::TagKeyLost(key_path(dir, TAG)));
    }
    let highest = ids
        .iter()
        .filter_map(|id| id.strip_prefix('k')?.parse::<u32>().ok())
        .max();
    let id = format!("k{}", highest.unwrap_or(0) + 1);
    if first {
        write_key(&key_path(dir, TAG), rng)?;
    }
    write_key(&key_path(dir, &id), rng)?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
    Ok(GeneratedKeys { id, first })
}

/// Reads all keys of a directory.
///
/// # Errors
/// Says which file is missing, malformed or exposed.
pub fn load(dir: &Path, active: &str) -> Result<Keyring, KeysError> {
    let mut keys = BTreeMap::new();
    for (id, path) in key_files(dir)? {
        keys.insert(id, read_key(&path)?);
    }
    let tag = keys.remove(TAG).ok_or_else(|| KeysError::Missing(key_path(dir, TAG)))?;
    if !keys.contains_key(active) {
        return Err(KeysError::Missing(key_path(dir, active)));
    }
    Ok(Keyring::new(active, keys, tag)?)
}

/// Reads the keys, and creates them first if the directory has none: for the sandbox.
///
/// # Errors
/// As [`generate`] and [`load`].
pub fn load_or_generate(config: &KeysConfig, rng: &dyn Rng) -> Result<Keyring, KeysError> {
    let none = !config.dir.exists() || key_files(&config.dir)?.is_empty();
    if none {
        generate(&config.dir, rng)?;
    }
    load(&config.dir, &config.active)
}

/// The ids of the sealing keys in a directory; the keys are not read.
///
/// # Errors
/// When the directory is missing or a file is not named like a key.
pub fn sealing_key_ids(dir: &Path) -> Result<Vec<String>, KeysError> {
    let ids = key_files(dir)?.into_iter().map(|(id, _)| id);
    Ok(ids.filter(|id| id != TAG).collect())
}

fn key_path(dir: &Path, id: &str) -> PathBuf {
    dir.join(id).with_extension(EXTENSION)
}

/// Ids and paths of the key files in a directory; other files are ignored.
fn key_files(dir: &Path) -> Result<Vec<(String, PathBuf)>, KeysError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => KeysError::Missing(dir.to_owned()),
        _ => KeysError::Io(dir.to_owned(), error),
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|extension| extension != EXTENSION) {
            continue;
        }
        match path.file_stem().and_then(|stem| stem.to_str()) {
            Some(id) if id == TAG || is_id(id) => found.push((id.to_owned(), path)),
            _ => return Err(KeysError::BadName(path)),
        }
    }
    found.sort();
    Ok(found)
}

/// Groups may read: that is how schedulers hand secrets to a process that is not root.
fn read_key(path: &Path) -> Result<SealKey, KeysError> {
    let failed = |error| KeysError::Io(path.to_owned(), error);
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(KeysError::WorldReadable(path.to_owned()));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => KeysError::Malformed(path.to_owned()),
        _ => failed(error),
    })?);
    decode(text.trim()).ok_or_else(|| KeysError::Malformed(path.to_owned()))
}

fn decode(hex: &str) -> Option<SealKey> {
    let mut key = Zeroizing::new([0; BYTES]);
    if hex.len() != 2 * BYTES || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(key)
}

fn write_key(path: &Path, rng: &dyn Rng) -> Result<(), KeysError> {
    let mut key = Zeroizing::new([0; BYTES]);
    rng.fill(key.as_mut_slice());
    let mut text = Zeroizing::new(String::with_capacity(2 * BYTES + 1));
    for byte in key.iter() {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    text.push('\n');
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| KeysError::Io(path.to_owned(), error))
}
