//! Secrets: given as they are, or in files of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::Section;
use crate::config::secret::{ConfigSecret, trimmed_secret};
use crate::config::{Mode, sandbox};

pub(in crate::config) fn is_readable_by_all(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o007 != 0)
}

impl Section<'_> {
    /// A secret: under `key` itself, or the first line of the file under `{key}_file`.
    pub(in crate::config) fn secret(&mut self, key: &str) -> Option<ConfigSecret> {
        let file_key = format!("{key}_file");
        let (plain, file) = (self.text(key).map(Zeroizing::new), self.text(&file_key));
        let (key, text) = match (plain, file) {
            (Some(_), Some(_)) => {
                self.report(key, format!("is given twice, also as {file_key}"), "keep one of them");
                return None;
            }
            (Some(text), None) => {
                self.warn_of_readable_config(key, &text);
                (key, text)
            }
            (None, Some(path)) => {
                self.warn_of_readable_file(&file_key, Path::new(&path));
                (&*file_key, self.secret_file(&file_key, &path)?)
            }
            (None, None) => return None,
        };
        let secret = match trimmed_secret(&text) {
            Ok(secret) => ConfigSecret::new(secret),
            Err(problem) => {
                self.report(key, problem, "write the secret alone, on one line");
                return None;
            }
        };
        if self.mode() == Mode::Production && sandbox::WELL_KNOWN_SECRETS.contains(&secret.expose()) {
            self.report(
                key,
                "is the sandbox's own, which everybody knows",
                "use a secret of your own",
            );
            return None;
        }
        Some(secret)
    }

    /// Of a file that holds a secret, and that others than its owner and group can read.
    pub(in crate::config) fn warn_of_readable_file(&self, key: &str, path: &Path) {
        if self.mode() == Mode::Production && is_readable_by_all(path) {
            let path = path.display();
            self.warn(
                key,
                format!("names {path}, which everybody on this machine can read"),
                format!("run: chmod o= {path}"),
            );
        }
    }

    /// The same of the configuration's own file. An address without a password in it is no secret.
    fn warn_of_readable_config(&self, key: &str, text: &str) {
        let elsewhere = self.context.overrides.contains_key(&self.key(key));
        if self.context.readable_file && !elsewhere && (key != "url" || text.contains('@')) {
            let remedy =
                format!("run chmod o= on it, or put the secret into a file of its own and name that in {key}_file");
            self.warn(
                key,
                "is a secret in a file that everybody on this machine can read",
                remedy,
            );
        }
    }

    fn secret_file(&self, file_key: &str, path: &str) -> Option<Zeroizing<String>> {
        match fs::read_to_string(path) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                // What an editor may have put above it is not a line.
                let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
                Some(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
            }
            Err(error) => {
                self.report(file_key, format!("cannot be read ({error})"), "name a readable file");
                None
            }
        }
    }

    /// As [`Section::secret`], but it is an error if there is none.
    pub(in crate::config) fn required_secret(&mut self, key: &str) -> Option<ConfigSecret> {
        let file_key = format!("{key}_file");
        if !self.contains(key) && !self.contains(&file_key) {
            self.mark_known(key);
            self.mark_known(&file_key);
            let remedy = format!("set it, or set {file_key} to a file that holds it");
            self.report(key, "is missing", remedy);
            return None;
        }
        self.secret(key)
    }
}
