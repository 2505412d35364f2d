//! Texts in every language, from `menus/locales/*.ftl`.
//!
//! English is the source; the others are translated from it and may be behind, so a text that a language lacks is said in
//! English rather than not at all. A message must stand alone, without terms or references to other messages: what a person
//! agreed to is recorded by [`Templates::version`], which would not see a change in something the message merely points at.

mod locale;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use fluent_syntax::ast;
use fluent_syntax::serializer::serialize;
use sha2::{Digest, Sha256};

use super::text_line::line_at;

pub use locale::Locale;

/// A value put into a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateArg {
    /// Text from anywhere: folded, bounded and stripped of control characters before it is shown.
    Text(String),
    /// A count, which may choose a plural form.
    Number(i64),
}

/// Why texts cannot be used: where, and how to put it right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {message}")]
pub struct TemplateError {
    pub file: String,
    /// From 1 on.
    pub line: usize,
    pub message: String,
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
    place: TemplatePlace,
    /// The text, where no value is put into it.
    fixed: Option<String>,
    /// The values that the message wanted which this one is laid over.
    replaces: Option<BTreeSet<String>>,
}

/// Where a message stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplatePlace {
    pub file: String,
    /// From 1 on.
    pub line: usize,
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
        let mut texts = Self {
            languages: BTreeMap::new(),
        };
        for (locale, source) in sources {
            texts.lay_over(*locale, &format!("menus/locales/{locale}.ftl"), source)?;
        }
        Ok(texts)
    }

    /// Lays the messages of a file over those of a language, one by one: what the file does not have stays as it is.
    ///
    /// # Errors
    /// When it is malformed; then nothing changes.
    pub fn lay_over(&mut self, locale: Locale, file: &str, source: &str) -> Result<(), TemplateError> {
        let (resource, messages) = read_source(file, source)?;
        let language = self.languages.entry(locale).or_insert_with(|| Language::new(locale));
        language.bundle.add_resource_overriding(Arc::new(resource));
        for (id, mut message) in messages {
            let before = language.messages.remove(&id);
            message.replaces = before.map(|before| before.replaces.unwrap_or(before.variables));
            if message.variables.is_empty() {
                message.fixed = language.formatted(&id, &message, &[]);
            }
            language.messages.insert(id, message);
        }
        Ok(())
    }

    /// The message in this language, else in English, else the id itself, so that there is always something to show.
    pub fn format(&self, locale: Locale, id: &str, args: &[(&str, TemplateArg)]) -> String {
        let language = self.language_of(locale, id);
        let text = language.and_then(|language| language.format(id, args));
        text.unwrap_or_else(|| id.to_owned())
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

    /// Where the message of this language stands.
    pub fn place(&self, locale: Locale, id: &str) -> Option<&TemplatePlace> {
        Some(&self.languages.get(&locale)?.messages.get(id)?.place)
    }

    /// The values that a message must want because the one did that it is laid over; `None` when it is laid over none.
    pub fn replaced_variables(&self, locale: Locale, id: &str) -> Option<&BTreeSet<String>> {
        self.languages.get(&locale)?.messages.get(id)?.replaces.as_ref()
    }

    fn language_of(&self, locale: Locale, id: &str) -> Option<&Language> {
        [locale, Locale::En]
            .iter()
            .filter_map(|locale| self.languages.get(locale))
            .find(|language| language.messages.contains_key(id))
    }
}

impl Language {
    fn new(locale: Locale) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![locale.langid()]);
        // The marks that keep right-to-left text apart are not in GSM-7; no language here is written that way.
        bundle.set_use_isolating(false);
        Self {
            bundle,
            messages: BTreeMap::new(),
        }
    }

    /// The message with these values in it; none where it has no text.
    fn format(&self, id: &str, args: &[(&str, TemplateArg)]) -> Option<String> {
        let message = self.messages.get(id)?;
        let fixed = message.fixed.clone();
        fixed.or_else(|| self.formatted(id, message, args))
    }

    /// The same, put together by Fluent.
    fn formatted(&self, id: &str, message: &TemplateInfo, args: &[(&str, TemplateArg)]) -> Option<String> {
        let pattern = self.bundle.get_message(id).and_then(|message| message.value())?;
        let mut values = FluentArgs::with_capacity(message.variables.len());
        for (name, value) in args.iter().filter(|(name, _)| message.variables.contains(*name)) {
            match value {
                TemplateArg::Text(text) => values.set(*name, clean(text)),
                TemplateArg::Number(number) => values.set(*name, *number),
            }
        }
        // What Fluent complains of, such as a missing value, it also shows in the text as `{$name}`; the menu check finds it.
        let mut complaints = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&values), &mut complaints);
        // A value may be empty, such as the digits of an account that was not read yet.
        let mut text = text.into_owned();
        while text.contains("  ") {
            text = text.replace("  ", " ");
        }
        Some(text)
    }
}

/// Reads a file's messages.
fn read_source(file: &str, source: &str) -> Result<(FluentResource, BTreeMap<String, TemplateInfo>), TemplateError> {
    let fault = |line: usize, message: String| TemplateError {
        file: file.to_owned(),
        line,
        message,
    };
    let resource = FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| {
        let (at, message) = errors
            .first()
            .map_or((0, String::new()), |error| (error.pos.start, error.to_string()));
        fault(line_at(source, at), message)
    })?;
    let mut messages = BTreeMap::new();
    for entry in resource.entries() {
        let (id, read) = match entry {
            ast::Entry::Message(message) => (message.id.name, TemplateInfo::read(message)),
            ast::Entry::Term(term) => (term.id.name, None),
            _ => continue,
        };
        let place = TemplatePlace {
            file: file.to_owned(),
            line: line_of(source, id),
        };
        let (version, variables) = read.ok_or_else(|| {
            let message = "must be one text without terms, references and attributes; write it out";
            fault(place.line, format!("`{id}` {message}"))
        })?;
        let message = TemplateInfo {
            version,
            variables,
            place,
            fixed: None,
            replaces: None,
        };
        if messages.insert(id.to_owned(), message).is_some() {
            let again = source
                .lines()
                .enumerate()
                .filter(|(_, line)| begins_message(line, id))
                .last();
            let line = again.map_or(1, |(at, _)| at + 1);
            return Err(fault(line, format!("`{id}` is there twice; remove one")));
        }
    }
    Ok((resource, messages))
}

/// The line on which a message or term begins.
fn line_of(source: &str, id: &str) -> usize {
    let at = source.lines().position(|line| begins_message(line, id));
    at.map_or(1, |at| at + 1)
}

fn begins_message(line: &str, id: &str) -> bool {
    let rest = line.strip_prefix('-').unwrap_or(line).strip_prefix(id);
    rest.is_some_and(|rest| rest.trim_start().starts_with('='))
}

impl TemplateInfo {
    /// The version and the variables of a message; `None` when it does not stand alone.
    fn read(message: &ast::Message<&str>) -> Option<(String, BTreeSet<String>)> {
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
        Some((version, variables))
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
