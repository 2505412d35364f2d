//! Texts in every language, from `menus/locales/*.ftl`.
//!
//! English is the source; the others are translated from it and may be behind, so a text that a language lacks is said in
//! English rather than not at all. A message must stand alone, without terms or references to other messages: what a person
//! agreed to is recorded by [`Templates::version`], which would not see a change in something the message merely points at.

mod locale;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use fluent_syntax::ast;
use fluent_syntax::serializer::serialize;
use sha2::{Digest, Sha256};

pub use locale::Locale;

/// A value put into a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateArg {
    /// Text from anywhere: folded, bounded and stripped of control characters before it is shown.
    Text(String),
    /// A count, which may choose a plural form.
    Number(i64),
}

/// Why texts cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A file is not written in Fluent.
    #[error("menus/locales/{locale}.ftl, line {line}: {message}")]
    Syntax {
        locale: Locale,
        /// Where, from 1 on.
        line: usize,
        message: String,
    },
    /// A message is there twice.
    #[error("menus/locales/{locale}.ftl: `{id}` is there twice; remove one")]
    Twice { locale: Locale, id: String },
    /// A message leans on another one, has attributes or no text.
    #[error(
        "menus/locales/{locale}.ftl: `{id}` must be one text without terms, references and attributes; write it out"
    )]
    NotAlone {
        locale: Locale,
        /// The message or term.
        id: String,
    },
}

/// One language's messages.
struct Language {
    bundle: FluentBundle<Arc<FluentResource>>,
    messages: BTreeMap<String, TemplateInfo>,
}

/// What is known of a message without formatting it.
struct TemplateInfo {
    version: String,
    variables: BTreeSet<String>,
}

/// Every text in every language. Shared between threads.
pub struct Templates {
    languages: BTreeMap<Locale, Language>,
}

impl Templates {
    /// The texts that are part of the program.
    ///
    /// # Errors
    /// When a file is malformed, which a test of this module excludes for the files of a released version.
    pub fn embedded() -> Result<Self, TemplateError> {
        Self::parse(&[
            (Locale::En, include_str!("../../menus/locales/en.ftl")),
            (Locale::Pcm, include_str!("../../menus/locales/pcm.ftl")),
            (Locale::Ha, include_str!("../../menus/locales/ha.ftl")),
            (Locale::Yo, include_str!("../../menus/locales/yo.ftl")),
            (Locale::Ig, include_str!("../../menus/locales/ig.ftl")),
            (Locale::Sw, include_str!("../../menus/locales/sw.ftl")),
            (Locale::Fr, include_str!("../../menus/locales/fr.ftl")),
        ])
    }

    /// Reads texts in Fluent syntax, one source a language.
    ///
    /// # Errors
    /// At the first source that is malformed.
    pub fn parse(sources: &[(Locale, &str)]) -> Result<Self, TemplateError> {
        let languages = sources
            .iter()
            .map(|(locale, source)| Ok((*locale, Language::parse(*locale, source)?)));
        Ok(Self {
            languages: languages.collect::<Result<_, _>>()?,
        })
    }

    /// The message in this language, else in English, else the id itself, so that there is always something to show.
    pub fn format(&self, locale: Locale, id: &str, args: &[(&str, TemplateArg)]) -> String {
        let Some(bundle) = self.language_of(locale, id).map(|language| &language.bundle) else {
            return id.to_owned();
        };
        let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
            return id.to_owned();
        };
        let mut values = FluentArgs::with_capacity(args.len());
        for (name, value) in args {
            match value {
                TemplateArg::Text(text) => values.set(*name, clean(text)),
                TemplateArg::Number(number) => values.set(*name, *number),
            }
        }
        // What Fluent complains of, such as a missing value, it also shows in the text as `{$name}`; the menu check finds it.
        let mut complaints = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&values), &mut complaints);
        // A value may be empty, such as the digits of an account that was not read yet.
        let mut text = text.into_owned();
        while text.contains("  ") {
            text = text.replace("  ", " ");
        }
        text
    }

    /// Twelve hex digits that change whenever the message's wording in this language does; recorded with consents.
    /// Of English where [`Templates::format`] would fall back to it; empty for an unknown message.
    pub fn version(&self, locale: Locale, id: &str) -> String {
        self.language_of(locale, id)
            .and_then(|language| language.messages.get(id))
            .map(|message| message.version.clone())
            .unwrap_or_default()
    }

    /// The ids of all messages in this language's own file, sorted.
    pub fn ids(&self, locale: Locale) -> Vec<&str> {
        self.languages
            .get(&locale)
            .into_iter()
            .flat_map(|language| language.messages.keys().map(String::as_str))
            .collect()
    }

    /// The names of the values that the message in this language's own file wants, without the `$`; `None` when it is not there.
    pub fn variables(&self, locale: Locale, id: &str) -> Option<&BTreeSet<String>> {
        Some(&self.languages.get(&locale)?.messages.get(id)?.variables)
    }

    fn language_of(&self, locale: Locale, id: &str) -> Option<&Language> {
        [locale, Locale::En]
            .iter()
            .filter_map(|locale| self.languages.get(locale))
            .find(|language| language.messages.contains_key(id))
    }
}

impl Language {
    fn parse(locale: Locale, source: &str) -> Result<Self, TemplateError> {
        let resource = FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| {
            let (at, message) = errors
                .first()
                .map_or((0, String::new()), |error| (error.pos.start, error.to_string()));
            let line = source.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
            TemplateError::Syntax { locale, line, message }
        })?;
        let mut messages = BTreeMap::new();
        for entry in resource.entries() {
            let (id, message) = match entry {
                ast::Entry::Message(message) => (message.id.name, TemplateInfo::read(message)),
                ast::Entry::Term(term) => (term.id.name, None),
                _ => continue,
            };
            let message = message.ok_or_else(|| TemplateError::NotAlone {
                locale,
                id: id.to_owned(),
            })?;
            if messages.insert(id.to_owned(), message).is_some() {
                return Err(TemplateError::Twice {
                    locale,
                    id: id.to_owned(),
                });
            }
        }
        let mut bundle = FluentBundle::new_concurrent(vec![locale.langid()]);
        // The marks that keep right-to-left text apart are not in GSM-7; no language here is written that way.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(Arc::new(resource));
        Ok(Self { bundle, messages })
    }
}

impl TemplateInfo {
    /// `None` when the message does not stand alone.
    fn read(message: &ast::Message<&str>) -> Option<Self> {
        let pattern = message.value.as_ref()?;
        let mut variables = BTreeSet::new();
        if !message.attributes.is_empty() || !read_pattern(pattern, &mut variables) {
            return None;
        }
        let bare = ast::Message {
            comment: None,
            ..message.clone()
        };
        let source = serialize(&ast::Resource {
            body: vec![ast::Entry::Message(bare)],
        });
        let digest = Sha256::digest(source.as_bytes());
        let version = digest.iter().take(6).fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Some(Self { version, variables })
    }
}

/// Collects the pattern's variables; `false` when it leans on something outside itself.
fn read_pattern(pattern: &ast::Pattern<&str>, variables: &mut BTreeSet<String>) -> bool {
    pattern.elements.iter().all(|element| match element {
        ast::PatternElement::TextElement { .. } => true,
        ast::PatternElement::Placeable { expression } => read_expression(expression, variables),
    })
}

fn read_expression(expression: &ast::Expression<&str>, variables: &mut BTreeSet<String>) -> bool {
    match expression {
        ast::Expression::Inline(inline) => read_inline(inline, variables),
        ast::Expression::Select { selector, variants } => {
            read_inline(selector, variables) && variants.iter().all(|variant| read_pattern(&variant.value, variables))
        }
    }
}

fn read_inline(inline: &ast::InlineExpression<&str>, variables: &mut BTreeSet<String>) -> bool {
    match inline {
        ast::InlineExpression::StringLiteral { .. } | ast::InlineExpression::NumberLiteral { .. } => true,
        ast::InlineExpression::VariableReference { id } => {
            variables.insert(id.name.to_owned());
            true
        }
        ast::InlineExpression::Placeable { expression } => read_expression(expression, variables),
        ast::InlineExpression::FunctionReference { .. }
        | ast::InlineExpression::MessageReference { .. }
        | ast::InlineExpression::TermReference { .. } => false,
    }
}

/// One line of visible text: breaks and runs of blanks become one space, control characters and marks that turn or
/// hide text are dropped. Names of banks and partners come from outside and could otherwise draw options of their own.
fn clean(text: &str) -> String {
    let hidden = |c: char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let visible: String = text
        .chars()
        .filter(|c| c.is_whitespace() || !(c.is_control() || hidden(*c)))
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(en: &str, fr: &str) -> Templates {
        Templates::parse(&[(Locale::En, en), (Locale::Fr, fr)]).unwrap()
    }

    /// The texts in the program can be read, and every language has a file.
    #[test]
    fn the_embedded_texts_can_be_read() {
        let texts = Templates::embedded().unwrap();
        for locale in Locale::ALL {
            assert!(texts.ids(locale).len() > 50, "{locale}");
        }
    }

    /// A language that lacks a text speaks English; an unknown id is shown as it is, never an empty screen.
    #[test]
    fn a_missing_text_falls_back() {
        let texts = texts("a = One\nb = Two", "a = Un");
        for (id, want) in [("a", "Un"), ("b", "Two"), ("c", "c")] {
            assert_eq!(texts.format(Locale::Fr, id, &[]), want);
        }
        assert_eq!(texts.format(Locale::Sw, "a", &[]), "One");
    }

    /// What is not known yet leaves no hole in a sentence.
    #[test]
    fn an_empty_value_leaves_one_space() {
        let texts = texts("linked = Done! { $bank } { $account } is linked.", "");
        let text = |name: &str| TemplateArg::Text(name.to_owned());
        let args = [("bank", text("Kuda")), ("account", text(""))];
        assert_eq!(texts.format(Locale::En, "linked", &args), "Done! Kuda is linked.");
    }

    /// Names from outside stay on one line, hold nothing invisible and are never read as Fluent.
    #[test]
    fn text_values_are_cleaned() {
        let texts = texts("hello = <{ $name }>", "");
        for (given, want) in [
            ("Zenith", "<Zenith>"),
            ("Zenith\r\n1 Pay", "<Zenith 1 Pay>"),
            ("\u{202e}Ze\u{0}ni\u{200b}th\u{1b}\t\u{2028} Bank ", "<Zenith Bank>"),
            ("{ $other } { hello }", "<{ $other } { hello }>"),
        ] {
            assert_eq!(
                texts.format(Locale::En, "hello", &[("name", TemplateArg::Text(given.to_owned()))]),
                want
            );
        }
    }

    /// Counts choose the plural form of the language that is spoken, not of English, and carry no invisible marks.
    #[test]
    fn counts_choose_the_plural_of_the_language() {
        let source = "days = { $n ->\n    [one] one { $n }\n   *[other] many { $n }\n}";
        let all: Vec<_> = Locale::ALL.iter().map(|locale| (*locale, source)).collect();
        let texts = Templates::parse(&all).unwrap();
        for (locale, number, want) in [
            (Locale::En, 0, "many 0"),
            (Locale::En, 1, "one 1"),
            (Locale::En, 365, "many 365"),
            (Locale::Fr, 0, "one 0"),
            (Locale::Pcm, 0, "one 0"),
            (Locale::Ha, 1, "one 1"),
            (Locale::Sw, 1, "one 1"),
            (Locale::Yo, 1, "many 1"),
            (Locale::Ig, 1, "many 1"),
        ] {
            assert_eq!(
                texts.format(locale, "days", &[("n", TemplateArg::Number(number))]),
                want,
                "{locale}"
            );
        }
    }

    /// A consent's recorded version changes with the words of its own language, and only with them.
    #[test]
    fn a_version_follows_the_wording() {
        let before = texts("a = Agree, { $name }?\nb = x", "a = D'accord?");
        let same = texts("# Told to a lawyer\na =   Agree, {$name}?", "a = D'accord?");
        let after = texts("a = Agree { $name }?", "a = D'accord?");
        assert_eq!(before.version(Locale::En, "a"), same.version(Locale::En, "a"));
        assert_ne!(before.version(Locale::En, "a"), after.version(Locale::En, "a"));
        assert_eq!(before.version(Locale::Fr, "a"), after.version(Locale::Fr, "a"));
        assert_ne!(before.version(Locale::Fr, "a"), before.version(Locale::En, "a"));
        assert_eq!(
            before.version(Locale::Fr, "b"),
            before.version(Locale::En, "b"),
            "what is shown is English"
        );
        assert_eq!(before.version(Locale::En, "a").len(), 12);
        assert_eq!(before.version(Locale::En, "none"), "");
    }

    /// Variables are found wherever they stand, in a choice of plurals too.
    #[test]
    fn variables_are_found() {
        let texts = texts(
            "a = { $x } { $n ->\n    [one] { $y }\n   *[other] { { $z } }\n}\nb = plain",
            "",
        );
        let names = |id| {
            texts
                .variables(Locale::En, id)
                .map(|set| set.iter().cloned().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(names("a").as_deref(), Some("n x y z"));
        assert_eq!(names("b").as_deref(), Some(""));
        assert_eq!(names("c"), None);
    }

    /// What would make a message mean more than it says, or say nothing, is refused with its place.
    #[test]
    fn malformed_texts_are_refused() {
        for (source, want) in [
            ("a = x\nb = { $", "line 2"),
            ("a = x\na = y", "`a` is there twice"),
            ("a = x\nb = { a }", "`b` must be one text"),
            ("-a = x", "`a` must be one text"),
            ("a = x\n    .title = y", "`a` must be one text"),
        ] {
            let error = Templates::parse(&[(Locale::En, source)])
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            assert!(error.contains(want), "{source:?}: {error}");
        }
    }
}
