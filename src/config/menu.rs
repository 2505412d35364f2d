//! `[menu]`: words of the operator's own.

use std::path::PathBuf;

use serde::Serialize;

use super::section::Section;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MenuConfig {
    /// A directory whose files are laid over the words that are built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
}

impl MenuConfig {
    pub(super) fn is_empty(&self) -> bool {
        self.dir.is_none()
    }
}

pub(super) fn read(mut section: Section<'_>) -> MenuConfig {
    let dir = section.text("dir").map(PathBuf::from);
    section.report_unknown_keys();
    MenuConfig { dir }
}
