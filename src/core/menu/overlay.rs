//! The words of the conversation, and what the operator lays over those that are built in: a directory with texts, names of
//! banks, favourites and the order of languages.
//!
//! | file | what it holds | how it is laid over |
//! |---|---|---|
//! | `locales/TAG.ftl` | messages in a language | message by message |
//! | `banks.toml` | names that people use for banks, generic words | added; a bank of the same name is replaced |
//! | `order.toml` | `favourites`, `languages` | in place of the providers' favourites; these languages first |

use serde::Deserialize;
use toml::Spanned;

use super::{MenuError, MenuProblem};
use crate::core::bank_names::BankNames;
use crate::core::messages::{Locale, TemplateError, Templates};
use crate::core::text_line::line_at;

/// The most characters of a bank's name in `favourites`.
const MAX_FAVOURITE: usize = 60;

/// A file of the operator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuFile {
    /// Its name within the directory, such as `locales/ha.ftl`.
    pub name: String,
    /// What it is called in findings.
    pub path: String,
    pub text: String,
}

/// What people read and are offered first.
pub struct MenuWords {
    pub templates: Templates,
    pub bank_names: BankNames,
    pub order: ListOrder,
}

/// What comes first in lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListOrder {
    /// Banks, in this order; `None` where each provider's own favourites hold.
    pub favourites: Option<Vec<String>>,
    /// Every language.
    pub languages: Vec<Locale>,
}

impl Default for ListOrder {
    fn default() -> Self {
        Self {
            favourites: None,
            languages: Locale::ALL.to_vec(),
        }
    }
}

/// Why a file cannot be laid over: each with file, line and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MenuFileError(pub String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOrder {
    favourites: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    languages: Vec<Spanned<String>>,
}

impl MenuWords {
    /// The words that are part of the program.
    ///
    /// # Errors
    /// When they are malformed, which tests exclude for a released version.
    pub fn embedded() -> Result<Self, MenuFileError> {
        Ok(Self {
            templates: Templates::embedded().map_err(|error| MenuFileError(error.to_string()))?,
            bank_names: BankNames::embedded().map_err(|error| MenuFileError(format!("menus/banks.toml, {error}")))?,
            order: ListOrder::default(),
        })
    }

    /// These files laid over the built-in words.
    ///
    /// # Errors
    /// With everything that is malformed. Whether the whole is sound is for [`super::check()`].
    pub fn laid_over(files: &[MenuFile]) -> Result<Self, Vec<MenuFileError>> {
        let mut words = Self::embedded().map_err(|error| vec![error])?;
        let faults: Vec<_> = files.iter().flat_map(|file| words.lay_over(file)).collect();
        if faults.is_empty() { Ok(words) } else { Err(faults) }
    }

    /// What is wrong with a file; nothing when it is laid over.
    fn lay_over(&mut self, file: &MenuFile) -> Vec<MenuFileError> {
        let locale = file
            .name
            .strip_prefix("locales/")
            .and_then(|name| name.strip_suffix(".ftl"));
        if let Some(tag) = locale {
            let Some(locale) = Locale::ALL.into_iter().find(|locale| locale.tag() == tag) else {
                return vec![no_such_language(&file.path, 1, tag)];
            };
            let laid = self.templates.lay_over(locale, &file.path, &file.text);
            return laid
                .err()
                .map(|error: TemplateError| MenuFileError(error.to_string()))
                .into_iter()
                .collect();
        }
        let laid = match file.name.as_str() {
            "banks.toml" => self.bank_names.lay_over(&file.text),
            "order.toml" => self.order.read(&file.text),
            _ => {
                let known = "locales/TAG.ftl, banks.toml or order.toml";
                return vec![MenuFileError(format!(
                    "{}: is no file that is looked for here; name it {known}, or remove it",
                    file.path
                ))];
            }
        };
        match laid {
            Ok(()) => Vec::new(),
            Err(MenuError::Form(error)) => {
                let at = error.span().map_or(0, |span| span.start);
                let line = line_at(&file.text, at);
                vec![MenuFileError(format!(
                    "{}, line {line}: {}",
                    file.path,
                    error.message()
                ))]
            }
            Err(MenuError::Rules(problems)) => {
                let told = problems.iter().map(|problem| format!("{}, {problem}", file.path));
                told.map(MenuFileError).collect()
            }
        }
    }
}

fn no_such_language(path: &str, line: usize, tag: &str) -> MenuFileError {
    let tags: Vec<_> = Locale::ALL.iter().map(|locale| locale.tag()).collect();
    MenuFileError(format!(
        "{path}, line {line}: `{tag}` is no language of the menu; use one of {}",
        tags.join(", ")
    ))
}

impl ListOrder {
    fn read(&mut self, source: &str) -> Result<(), MenuError> {
        let raw: RawOrder = toml::from_str(source)?;
        let mut problems = Vec::new();
        let mut find = |at: usize, place: &str, message: String| {
            problems.push(MenuProblem {
                line: line_at(source, at),
                place: place.to_owned(),
                message,
            });
        };
        for name in raw.favourites.iter().flatten() {
            let text = name.get_ref().trim();
            if text.is_empty() || text.chars().count() > MAX_FAVOURITE || text.chars().any(char::is_control) {
                let message = format!("is no name of a bank; write one of 1 to {MAX_FAVOURITE} characters");
                find(name.span().start, "favourites", message);
            }
        }
        let mut languages = Vec::new();
        for tag in &raw.languages {
            let problem = match Locale::from_tag(tag.get_ref()) {
                None => "is no language of the menu",
                Some(locale) if languages.contains(&locale) => "is there twice",
                Some(locale) => {
                    languages.push(locale);
                    continue;
                }
            };
            let tags: Vec<_> = Locale::ALL.iter().map(|locale| locale.tag()).collect();
            let message = format!(
                "`{}` {problem}; use each of {} once at most",
                tag.get_ref(),
                tags.join(", ")
            );
            find(tag.span().start, "languages", message);
        }
        if !problems.is_empty() {
            return Err(MenuError::Rules(problems));
        }
        let rest = Locale::ALL.into_iter().filter(|locale| !languages.contains(locale));
        let rest: Vec<_> = rest.collect();
        self.languages = languages.into_iter().chain(rest).collect();
        self.favourites = raw.favourites.map(|names| {
            names
                .into_iter()
                .map(|name| name.into_inner().trim().to_owned())
                .collect()
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> MenuFile {
        MenuFile {
            name: name.to_owned(),
            path: format!("dir/{name}"),
            text: text.to_owned(),
        }
    }

    /// A file changes what it names and nothing else: the other messages, banks and languages stay as they are built in.
    #[test]
    fn files_are_laid_over_what_is_built_in() {
        let built_in = MenuWords::embedded().unwrap();
        let words = MenuWords::laid_over(&[
            file("locales/ha.ftl", "leave = Ka fita\n"),
            file("banks.toml", "[[banks]]\nname = \"Kilima\"\nalso = [\"Mlima\"]\n"),
            file(
                "order.toml",
                "favourites = [\"Kilima\", \" OPay \"]\nlanguages = [\"ha\", \"EN\"]\n",
            ),
        ]);
        let words = words.map_err(|faults| format!("{faults:?}")).unwrap();
        let said = |words: &MenuWords, locale, id| words.templates.format(locale, id, &[]);
        assert_eq!(said(&words, Locale::Ha, "leave"), "Ka fita");
        assert_eq!(said(&words, Locale::Ha, "back"), said(&built_in, Locale::Ha, "back"));
        assert_eq!(said(&words, Locale::En, "leave"), said(&built_in, Locale::En, "leave"));
        assert_ne!(
            words.templates.version(Locale::Ha, "leave"),
            built_in.templates.version(Locale::Ha, "leave"),
            "what is agreed to is told apart"
        );
        assert!(words.bank_names.bank("mlima").is_some() && words.bank_names.bank("kuda").is_some());
        assert_eq!(
            words.order.favourites.as_deref(),
            Some(&["Kilima".to_owned(), "OPay".to_owned()][..])
        );
        assert_eq!(words.order.languages[..3], [Locale::Ha, Locale::En, Locale::Pcm]);
        assert_eq!(words.order.languages.len(), Locale::ALL.len());
    }

    /// Everything that is malformed is told at once, each with file, line and what to do.
    #[test]
    fn what_is_malformed_is_told_with_its_place() {
        for (name, text, want) in [
            (
                "locales/en.ftl",
                "leave = Go\nback = { $",
                "dir/locales/en.ftl, line 2: ",
            ),
            (
                "locales/en.ftl",
                "leave = Go\nleave = Off",
                "line 2: `leave` is there twice; remove one",
            ),
            (
                "locales/de.ftl",
                "",
                "`de` is no language of the menu; use one of en, pcm",
            ),
            ("locales/en.flt", "", "name it locales/TAG.ftl"),
            ("link.toml", "", "is no file that is looked for here"),
            (
                "banks.toml",
                "\nbank = 1",
                "dir/banks.toml, line 2: unknown field `bank`",
            ),
            (
                "banks.toml",
                "\n[[banks]]\nname = \"Bank\"",
                "dir/banks.toml, line 2, Bank: ",
            ),
            (
                "order.toml",
                "languages = [\n\"en\",\n\"en\"]",
                "dir/order.toml, line 3, languages: `en` is there twice",
            ),
            (
                "order.toml",
                "languages = [\"de\"]",
                "`de` is no language of the menu; use each of",
            ),
            ("order.toml", "favourites = [\"\"]", "line 1, favourites: is no name"),
        ] {
            let other = file("locales/fr.ftl", "leave = { back }");
            let faults = MenuWords::laid_over(&[file(name, text), other])
                .err()
                .unwrap_or_default();
            let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
            assert_eq!(told.len(), 2, "{told:?}");
            assert!(told[0].contains(want), "{want}: {told:?}");
            assert!(
                told[1].contains("dir/locales/fr.ftl, line 1: `leave` must be one text"),
                "{told:?}"
            );
        }
    }
}
