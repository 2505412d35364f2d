//! What every number that takes texts must understand: HELP, STOP and START. Everything else is told the code to dial.
//!
//! The words are in English for now, as is the custom for these three everywhere; each answer is one part.

use async_trait::async_trait;

use super::{Correspondent, IncomingHandler, Reaction, Reply};
use crate::core::gsm7;
use crate::records::RecordsError;
use crate::sms::IncomingSms;

/// Words for wanting no texts.
const STOP: &[&str] = &["STOP", "STOPALL", "UNSUBSCRIBE", "ARRET"];
/// Words for wanting them again.
const START: &[&str] = &["START", "UNSTOP"];
/// Words for being lost.
const HELP: &[&str] = &["HELP", "INFO", "AIDE"];

/// The most septets that a partner's name may take in an answer; the code takes about ten.
const NAME: usize = 30;

/// Answers the three words, on behalf of one partner.
pub struct Answers {
    partner: String,
    code: String,
}

impl Answers {
    /// Answers for this partner, whose people dial this code.
    pub fn new(partner: &str, code: &str) -> Self {
        Self {
            partner: gsm7::clean_name(partner, NAME),
            code: code.to_owned(),
        }
    }

    fn react(&self, text: &str, stopped: bool) -> Reaction {
        let (partner, code) = (&self.partner, &self.code);
        let word = gsm7::fold(text)
            .trim()
            .trim_matches(['.', '!', '"', '\''])
            .to_ascii_uppercase();
        let says = |words: &[&str]| words.contains(&word.as_str());
        let reply = |text, hint| Some(Reply { text, hint });
        if says(STOP) {
            return Reaction {
                stop: Some(true),
                reply: reply(
                    format!("You will get no more texts from {partner}. Text START to get them again."),
                    false,
                ),
            };
        }
        if says(START) {
            let first = format!("You will get texts from {partner} again. Text STOP for no more.");
            return Reaction {
                stop: Some(false),
                reply: reply(format!("{first} To link a bank account dial {code}."), false),
            };
        }
        let reply = if says(HELP) {
            let more = if stopped {
                "START to get texts again"
            } else {
                "STOP for no more texts"
            };
            reply(
                format!("{partner}: to link a bank account dial {code}. Text {more}."),
                false,
            )
        } else if stopped {
            // They asked for silence, and did not ask for help.
            None
        } else {
            let first = format!("To link a bank account with {partner} dial {code}.");
            reply(
                format!("{first} Never text a password or a code. Text HELP for help."),
                true,
            )
        };
        Reaction { stop: None, reply }
    }
}

#[async_trait]
impl IncomingHandler for Answers {
    async fn handle(&self, sms: &IncomingSms, from: &Correspondent<'_>) -> Result<Reaction, RecordsError> {
        Ok(self.react(sms.text.expose(), from.stopped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::sms::{Alphabet, size};

    /// The three words are understood as people write them, mean what they say, and silence is kept.
    #[test]
    fn the_words_are_understood() {
        let answers = Answers::new("Umoja Credit", "*384*96#");
        for (text, stopped, stop, begins) in [
            ("STOP", false, Some(true), Some("You will get no more")),
            (" stop. ", false, Some(true), Some("You will get no more")),
            ("Arrêt", false, Some(true), Some("You will get no more")),
            ("STOP", true, Some(true), Some("You will get no more")),
            ("start", true, Some(false), Some("You will get texts")),
            ("START", false, Some(false), Some("You will get texts")),
            ("help", false, None, Some("Umoja Credit: to link")),
            ("HELP!", true, None, Some("Umoja Credit: to link")),
            ("hello", false, None, Some("To link a bank account with")),
            ("please stop", false, None, Some("To link a bank account with")),
            ("", false, None, Some("To link a bank account with")),
            ("hello", true, None, None),
        ] {
            let reaction = answers.react(text, stopped);
            assert_eq!(reaction.stop, stop, "{text}");
            let reply = reaction.reply.map(|reply| reply.text);
            assert_eq!(reply.is_some(), begins.is_some(), "{text}");
            assert!(
                reply.unwrap_or_default().starts_with(begins.unwrap_or_default()),
                "{text}"
            );
        }
    }

    /// Every answer is one part in the cheap alphabet, with the longest names there can be.
    #[test]
    fn answers_are_one_part() {
        let answers = Answers::new("Ụmọja Microfinance & Savings Cooperative Society", "*384*96*12345#");
        for text in ["STOP", "START", "HELP", "?"] {
            for stopped in [false, true] {
                let Some(reply) = answers.react(text, stopped).reply else {
                    continue;
                };
                let size = size(&reply.text);
                assert_eq!((size.alphabet, size.parts), (Alphabet::Gsm7, 1), "{}", reply.text);
            }
        }
    }
}
