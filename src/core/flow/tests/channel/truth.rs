//! What may be said to somebody, given what is so.

/// What is so.
#[derive(Clone, Copy)]
pub struct Reality<'a> {
    pub linked: bool,
    /// Whether a login is on its way, or has been.
    pub logged_in: bool,
    pub bank: &'a str,
}

const LINKED: &[&str] = &["is linked for", "your account is linked"];
const NOT_LINKED: &[&str] = &["Nothing was linked", "No account was linked", "It was not linked"];
const NOTHING_SENT: &[&str] = &["Nothing was sent", "Nothing you typed was sent"];
const PROMISES: &[&str] = &["text you"];

/// What is untrue in a text, if something is.
pub fn lie(said: &str, facts: Reality<'_>) -> Option<String> {
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    let untrue = (says(LINKED) && !facts.linked)
        || (says(NOT_LINKED) && facts.linked)
        || (says(NOTHING_SENT) && facts.logged_in)
        || said.contains("{ $")
        || said.contains("{$");
    untrue.then(|| said.to_owned())
}

/// The same of a text that others can read: it names no bank.
pub fn lie_by_sms(said: &str, facts: Reality<'_>) -> Option<String> {
    let names = said.contains(facts.bank);
    names.then(|| said.to_owned()).or_else(|| lie(said, facts))
}

/// Whether a text promises another one.
pub fn promises_text(said: &str) -> bool {
    PROMISES.iter().any(|words| said.contains(words))
}

/// Whether a text says that the account is linked.
pub fn says_linked(said: &str) -> bool {
    LINKED.iter().any(|words| said.contains(words))
}
