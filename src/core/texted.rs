//! The words that a text is understood by, whatever the conversation stands at.
//!
//! A word counts when it is all that the text says, in whatever case, with or without the marks of its language and with any
//! signs around it: letters are compared as those of names are. The three
//! that networks ask of everybody are understood in every language we speak; so is the beginning, since nobody who texts for
//! the first time has chosen a language yet. A menu number and a bank's name are no words of this kind: they are for the
//! conversation.

use crate::core::messages::Locale;
use crate::core::search;

/// What a text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// They want no texts any more.
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
    /// Anything else.
    Other,
}

impl Said {
    /// Reads a text. The second half is the language that the word is of, where it is of one only.
    pub fn of(text: &str) -> (Self, Option<Locale>) {
        let word = search::plain(text);
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
const WORDS: &[(&str, Said, Option<Locale>)] = &[
    ("stop", Said::Stop, None),
    ("stopall", Said::Stop, None),
    ("unsubscribe", Said::Stop, None),
    ("arret", Said::Stop, FR),
    ("arreter", Said::Stop, FR),
    ("tsaya", Said::Stop, HA),
    ("kwusi", Said::Stop, IG),
    ("acha", Said::Stop, SW),
    ("simama", Said::Stop, SW),
    ("duro", Said::Stop, YO),
    ("start", Said::Start, None),
    ("unstop", Said::Start, None),
    ("reprendre", Said::Start, FR),
    ("fara", Said::Start, HA),
    ("malite", Said::Start, IG),
    ("anza", Said::Start, SW),
    ("bere", Said::Start, YO),
    ("help", Said::Help, None),
    ("info", Said::Help, None),
    ("aide", Said::Help, FR),
    ("taimako", Said::Help, HA),
    ("enyemaka", Said::Help, IG),
    ("msaada", Said::Help, SW),
    ("iranlowo", Said::Help, YO),
    ("link", Said::Link, None),
    ("menu", Said::Link, None),
    ("relier", Said::Link, FR),
    ("hada", Said::Link, HA),
    ("jikoo", Said::Link, IG),
    ("unganisha", Said::Link, SW),
    ("sopo", Said::Link, YO),
    ("continue", Said::Continue, None),
    ("goon", Said::Continue, None),
    ("continuer", Said::Continue, FR),
    ("cigaba", Said::Continue, HA),
    ("gaanihu", Said::Continue, IG),
    ("endelea", Said::Continue, SW),
    ("tesiwaju", Said::Continue, YO),
    ("english", Said::Language(Locale::En), EN),
    ("pidgin", Said::Language(Locale::Pcm), Some(Locale::Pcm)),
    ("naija", Said::Language(Locale::Pcm), Some(Locale::Pcm)),
    ("hausa", Said::Language(Locale::Ha), HA),
    ("yoruba", Said::Language(Locale::Yo), YO),
    ("igbo", Said::Language(Locale::Ig), IG),
    ("swahili", Said::Language(Locale::Sw), SW),
    ("kiswahili", Said::Language(Locale::Sw), SW),
    ("francais", Said::Language(Locale::Fr), FR),
    ("french", Said::Language(Locale::Fr), FR),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// What people text, with and without case, marks and signs, and what it means. A word inside a sentence is none: it may
    /// be part of anything.
    #[test]
    fn words_are_understood_as_people_write_them() {
        for (text, said, of) in [
            ("STOP", Said::Stop, None),
            (" stop. ", Said::Stop, None),
            ("Arrêt", Said::Stop, FR),
            ("acha!", Said::Stop, SW),
            ("Dúró", Said::Stop, YO),
            ("start", Said::Start, None),
            ("Anza", Said::Start, SW),
            ("HELP!", Said::Help, None),
            ("help ?", Said::Help, None),
            ("Ìrànlọ́wọ́", Said::Help, YO),
            ("\"link\"", Said::Link, None),
            ("Link\n", Said::Link, None),
            ("unganisha", Said::Link, SW),
            ("Jikọọ", Said::Link, IG),
            ("Continue", Said::Continue, None),
            ("go on", Said::Continue, None),
            ("ci gaba", Said::Continue, HA),
            ("gaa n\u{2019}ihu", Said::Continue, IG),
            ("tẹ̀síwájú", Said::Continue, YO),
            ("français", Said::Language(Locale::Fr), FR),
            ("FRANCAIS", Said::Language(Locale::Fr), FR),
            ("Hausa", Said::Language(Locale::Ha), HA),
            ("Yorùbá", Said::Language(Locale::Yo), YO),
            ("kiswahili", Said::Language(Locale::Sw), SW),
            ("pidgin", Said::Language(Locale::Pcm), Some(Locale::Pcm)),
            ("english", Said::Language(Locale::En), EN),
            ("igbo", Said::Language(Locale::Ig), IG),
            ("1", Said::Other, None),
            ("zenith", Said::Other, None),
            ("please stop", Said::Other, None),
            ("stop it", Said::Other, None),
            ("linked", Said::Other, None),
            ("", Said::Other, None),
            ("...", Said::Other, None),
        ] {
            assert_eq!(Said::of(text), (said, of), "{text:?}");
        }
    }

    /// No word means two things, every language can be asked for by the name its speakers have for it, and each has words of
    /// its own for the three that a network asks for.
    #[test]
    fn every_language_has_its_words() {
        for (at, (word, ..)) in WORDS.iter().enumerate() {
            assert_eq!(search::plain(word), **word, "{word} is not written as it is compared");
            assert!(
                !WORDS[..at].iter().any(|(other, ..)| other == word),
                "{word} is there twice"
            );
        }
        for locale in Locale::ALL {
            assert_eq!(Said::of(locale.own_name()).0, Said::Language(locale));
            let has = |said| WORDS.iter().any(|(_, known, of)| *known == said && *of == Some(locale));
            let own = ![Locale::En, Locale::Pcm].contains(&locale);
            for said in [Said::Stop, Said::Start, Said::Help, Said::Link, Said::Continue] {
                assert_eq!(has(said), own, "{locale} {said:?}");
            }
        }
    }
}
