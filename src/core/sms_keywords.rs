//! The keywords that are understood by SMS, wherever the conversation stands.
//!
//! A keyword counts when it is the whole SMS, in any case, with or without the marks of its language and with any punctuation
//! around it: letters are compared as those of names are. The three that networks require are understood in every language we
//! speak; so is the one that begins, since nobody who writes for the first time has chosen a language yet. A menu number and an
//! institution's name are no keywords: they are for the conversation.

use crate::core::messages::Locale;
use crate::core::search;

/// The keyword that an SMS is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    /// They want no more SMS.
    Stop,
    /// They want them again.
    Start,
    /// They are lost.
    Help,
    /// They want to begin, as by dialling.
    Link,
    /// They want to go on where they were.
    Continue,
    /// They want this language.
    Language(Locale),
    Other,
}

impl Keyword {
    /// Reads an SMS. The second half is the language of the keyword, where it belongs to one only.
    pub fn recognize(text: &str) -> (Self, Option<Locale>) {
        let word = search::normalize(text);
        let known = WORDS.iter().find(|(known, ..)| *known == word);
        known.map_or((Self::Other, None), |(_, said, of)| (*said, *of))
    }
}

const EN: Option<Locale> = Some(Locale::En);
const FR: Option<Locale> = Some(Locale::Fr);
const HA: Option<Locale> = Some(Locale::Ha);
const IG: Option<Locale> = Some(Locale::Ig);
const SW: Option<Locale> = Some(Locale::Sw);
const YO: Option<Locale> = Some(Locale::Yo);

/// The words, as they are compared. English ones are known everywhere and say nothing of the language.
const WORDS: &[(&str, Keyword, Option<Locale>)] = &[
    ("stop", Keyword::Stop, None),
    ("stopall", Keyword::Stop, None),
    ("unsubscribe", Keyword::Stop, None),
    ("arret", Keyword::Stop, FR),
    ("arreter", Keyword::Stop, FR),
    ("tsaya", Keyword::Stop, HA),
    ("kwusi", Keyword::Stop, IG),
    ("acha", Keyword::Stop, SW),
    ("simama", Keyword::Stop, SW),
    ("duro", Keyword::Stop, YO),
    ("start", Keyword::Start, None),
    ("unstop", Keyword::Start, None),
    ("reprendre", Keyword::Start, FR),
    ("fara", Keyword::Start, HA),
    ("malite", Keyword::Start, IG),
    ("anza", Keyword::Start, SW),
    ("bere", Keyword::Start, YO),
    ("help", Keyword::Help, None),
    ("info", Keyword::Help, None),
    ("aide", Keyword::Help, FR),
    ("taimako", Keyword::Help, HA),
    ("enyemaka", Keyword::Help, IG),
    ("msaada", Keyword::Help, SW),
    ("iranlowo", Keyword::Help, YO),
    ("link", Keyword::Link, None),
    ("menu", Keyword::Link, None),
    ("relier", Keyword::Link, FR),
    ("hada", Keyword::Link, HA),
    ("jikoo", Keyword::Link, IG),
    ("unganisha", Keyword::Link, SW),
    ("sopo", Keyword::Link, YO),
    ("continue", Keyword::Continue, None),
    ("goon", Keyword::Continue, None),
    ("continuer", Keyword::Continue, FR),
    ("cigaba", Keyword::Continue, HA),
    ("gaanihu", Keyword::Continue, IG),
    ("endelea", Keyword::Continue, SW),
    ("tesiwaju", Keyword::Continue, YO),
    ("english", Keyword::Language(Locale::En), EN),
    ("pidgin", Keyword::Language(Locale::Pcm), Some(Locale::Pcm)),
    ("naija", Keyword::Language(Locale::Pcm), Some(Locale::Pcm)),
    ("hausa", Keyword::Language(Locale::Ha), HA),
    ("yoruba", Keyword::Language(Locale::Yo), YO),
    ("igbo", Keyword::Language(Locale::Ig), IG),
    ("swahili", Keyword::Language(Locale::Sw), SW),
    ("kiswahili", Keyword::Language(Locale::Sw), SW),
    ("francais", Keyword::Language(Locale::Fr), FR),
    ("french", Keyword::Language(Locale::Fr), FR),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// What people text, with and without case, marks and signs, and what it means. A word inside a sentence is none: it may
    /// be part of anything.
    #[test]
    fn words_are_understood_as_people_write_them() {
        for (text, said, of) in [
            ("STOP", Keyword::Stop, None),
            (" stop. ", Keyword::Stop, None),
            ("Arrêt", Keyword::Stop, FR),
            ("acha!", Keyword::Stop, SW),
            ("Dúró", Keyword::Stop, YO),
            ("start", Keyword::Start, None),
            ("Anza", Keyword::Start, SW),
            ("HELP!", Keyword::Help, None),
            ("help ?", Keyword::Help, None),
            ("Ìrànlọ́wọ́", Keyword::Help, YO),
            ("\"link\"", Keyword::Link, None),
            ("Link\n", Keyword::Link, None),
            ("unganisha", Keyword::Link, SW),
            ("Jikọọ", Keyword::Link, IG),
            ("Continue", Keyword::Continue, None),
            ("go on", Keyword::Continue, None),
            ("ci gaba", Keyword::Continue, HA),
            ("gaa n\u{2019}ihu", Keyword::Continue, IG),
            ("tẹ̀síwájú", Keyword::Continue, YO),
            ("français", Keyword::Language(Locale::Fr), FR),
            ("FRANCAIS", Keyword::Language(Locale::Fr), FR),
            ("Hausa", Keyword::Language(Locale::Ha), HA),
            ("Yorùbá", Keyword::Language(Locale::Yo), YO),
            ("kiswahili", Keyword::Language(Locale::Sw), SW),
            ("pidgin", Keyword::Language(Locale::Pcm), Some(Locale::Pcm)),
            ("english", Keyword::Language(Locale::En), EN),
            ("igbo", Keyword::Language(Locale::Ig), IG),
            ("1", Keyword::Other, None),
            ("zenith", Keyword::Other, None),
            ("please stop", Keyword::Other, None),
            ("stop it", Keyword::Other, None),
            ("linked", Keyword::Other, None),
            ("", Keyword::Other, None),
            ("...", Keyword::Other, None),
        ] {
            assert_eq!(Keyword::recognize(text), (said, of), "{text:?}");
        }
    }

    /// No word means two things, every language can be asked for by the name its speakers have for it, and each has words of
    /// its own for the three that a network asks for.
    #[test]
    fn every_language_has_its_words() {
        for (at, (word, ..)) in WORDS.iter().enumerate() {
            assert_eq!(
                search::normalize(word),
                **word,
                "{word} is not written as it is compared"
            );
            assert!(
                !WORDS[..at].iter().any(|(other, ..)| other == word),
                "{word} is there twice"
            );
        }
        for locale in Locale::ALL {
            assert_eq!(Keyword::recognize(locale.own_name()).0, Keyword::Language(locale));
            let has = |said| WORDS.iter().any(|(_, known, of)| *known == said && *of == Some(locale));
            let own = ![Locale::En, Locale::Pcm].contains(&locale);
            for said in [
                Keyword::Stop,
                Keyword::Start,
                Keyword::Help,
                Keyword::Link,
                Keyword::Continue,
            ] {
                assert_eq!(has(said), own, "{locale} {said:?}");
            }
        }
    }
}
