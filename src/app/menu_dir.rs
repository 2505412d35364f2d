//! `[menu] dir`: the operator's words, read from a directory, proven as the built-in ones are, and put into force.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::{ChannelConfig, Config};
use crate::core::menu::{self, Menu, MenuFile, MenuFileError, MenuWords, SampleValues};
use crate::service::flow_in_force::FlowInForce;
use crate::service::metrics::Metrics;

/// The smallest page that a gateway is documented to have: every menu fits it, whatever is configured.
const SMALLEST_KNOWN_PAGE: u16 = 120;

/// The most bytes of a file, a hundred times what all messages of a language take.
const MAX_FILE: u64 = 1 << 20;

/// The most files of a directory.
const MAX_FILES: usize = 100;

/// Everything that is wrong with a directory, a line each, with file and what to do.
#[derive(Debug, thiserror::Error)]
#[error("[menu] dir {} cannot be used:{}", dir.display(), lines(faults))]
pub struct MenuDirError {
    pub dir: PathBuf,
    pub faults: Vec<String>,
}

fn lines(faults: &[String]) -> String {
    let lines: Vec<_> = std::iter::once("").chain(faults.iter().map(String::as_str)).collect();
    lines.join("\n  ")
}

/// The pages that every screen must fit, in septets: those of the channels and the smallest there is.
pub(crate) fn pages(config: &Config) -> Vec<u16> {
    let own = config.channels.iter().map(ChannelConfig::smallest_page);
    own.chain([SMALLEST_KNOWN_PAGE]).collect()
}

/// What a reload needs of the configuration: the directory, and the pages.
pub(super) fn screens(config: &Config) -> (Option<PathBuf>, Vec<u16>) {
    (config.menu.dir.clone(), pages(config))
}

/// The words of a directory laid over those that are built in, or else those; not proven yet.
pub(crate) fn words(dir: Option<&Path>) -> Result<MenuWords, MenuDirError> {
    match dir {
        None => laid_over(Path::new("menus"), &[]),
        Some(dir) => laid_over(dir, &read(dir)?),
    }
}

/// The words that a start takes: those of the configured directory, proven, with the files that they come from.
pub(crate) fn open(config: &Config) -> Result<(MenuWords, Vec<MenuFile>), MenuDirError> {
    let Some(dir) = &config.menu.dir else {
        return Ok((words(None)?, Vec::new()));
    };
    let files = read(dir)?;
    Ok((proven(dir, &files, &pages(config))?, files))
}

fn laid_over(dir: &Path, files: &[MenuFile]) -> Result<MenuWords, MenuDirError> {
    MenuWords::laid_over(files).map_err(|faults| MenuDirError {
        dir: dir.to_owned(),
        faults: faults.iter().map(MenuFileError::to_string).collect(),
    })
}

fn proven(dir: &Path, files: &[MenuFile], pages: &[u16]) -> Result<MenuWords, MenuDirError> {
    let failed = |faults| MenuDirError {
        dir: dir.to_owned(),
        faults,
    };
    let words = laid_over(dir, files)?;
    let built_in = Menu::embedded().map_err(|error| failed(vec![error.to_string()]))?;
    let findings = menu::check(&built_in, &words.templates, pages, &SampleValues::worst_case());
    if findings.is_empty() {
        Ok(words)
    } else {
        Err(failed(findings.iter().map(ToString::to_string).collect()))
    }
}

/// All files of a directory and of those in it, by their names. Hidden ones are not ours: editors, version control and
/// mounted configuration keep some beside the real ones.
fn read(dir: &Path) -> Result<Vec<MenuFile>, MenuDirError> {
    let mut found = Vec::new();
    let mut faults = Vec::new();
    list(dir, "", &mut found, &mut faults);
    found.sort();
    if found.len() > MAX_FILES {
        faults.push(format!(
            "{}: has more than {MAX_FILES} files; name a directory of its own",
            dir.display()
        ));
        found.clear();
    }
    let mut files = Vec::new();
    for name in found {
        let path = dir.join(&name);
        match read_text(&path) {
            Ok(text) => files.push(MenuFile {
                name,
                path: path.display().to_string(),
                text,
            }),
            Err(problem) => faults.push(format!("{}: {problem}", path.display())),
        }
    }
    if faults.is_empty() {
        Ok(files)
    } else {
        Err(MenuDirError {
            dir: dir.to_owned(),
            faults,
        })
    }
}

fn list(dir: &Path, within: &str, found: &mut Vec<String>, faults: &mut Vec<String>) {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => {
            faults.push(format!("{}: cannot be read: {error}", dir.display()));
            return;
        }
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if entry.path().is_dir() && within.is_empty() {
            list(&entry.path(), &format!("{name}/"), found, faults);
        } else {
            found.push(format!("{within}{name}"));
        }
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE {
        return Err("is too large; remove it".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8; save it as such".to_owned())
}

/// Reads the directory again while people are served.
pub(super) struct MenuReload {
    dir: PathBuf,
    pages: Vec<u16>,
    flow: FlowInForce,
    metrics: Arc<Metrics>,
    /// What was read when the words in force were.
    read: Mutex<Vec<MenuFile>>,
}

impl MenuReload {
    /// `None` where no directory is configured.
    pub(super) fn new(
        (dir, pages): (Option<PathBuf>, Vec<u16>),
        files: Vec<MenuFile>,
        flow: FlowInForce,
        metrics: Arc<Metrics>,
    ) -> Option<Self> {
        Some(Self {
            dir: dir?,
            pages,
            read: Mutex::new(files),
            flow,
            metrics,
        })
    }

    /// Puts the words of the directory into force, if they are others and sound. Says whether they are others.
    pub(super) fn reload(&self) -> Result<bool, MenuDirError> {
        let reloaded = self.replace();
        self.metrics.menu_reload(match &reloaded {
            Ok(true) => "replaced",
            Ok(false) => "unchanged",
            Err(_) => "refused",
        });
        reloaded
    }

    fn replace(&self) -> Result<bool, MenuDirError> {
        let files = read(&self.dir)?;
        let mut before = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if *before == files {
            return Ok(false);
        }
        let words = proven(&self.dir, &files, &self.pages)?;
        self.flow.replace(self.flow.get().with_words(words));
        *before = files;
        Ok(true)
    }
}
