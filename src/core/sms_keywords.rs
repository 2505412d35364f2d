//! The keywords that are understood by SMS, wherever the conversation stands.
//!
//! A keyword counts when it is the whole SMS, in any case, with or without the marks of its language and with any punctuation
//! and any politeness around it: letters are compared as those of names are. The three that networks require are understood in
//! every language we speak; so is the one that begins, since nobody who writes for the first time has chosen a language yet.
//! Those that opt out are the ones that carriers, gateways and regulators list, in the sentences that people put them into
//! ("stop texting me"). A menu number and an institution's name are no keywords: they are for the conversation, and so is
//! whatever only contains one ("end of month").

mod answers;
mod vocabulary;

pub use answers::is_yes_or_no;

use vocabulary::{FILLERS, POLITE, WORDS};

use crate::core::messages::Locale;
use crate::core::search;

/// Anything longer says more than a keyword. In bytes.
const MAX_LEN: usize = 160;

/// The keyword that an SMS is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    /// They want no more SMS.
    Stop,
    /// They want them again.
    Start,
    /// The same from somebody who has opted out; from anybody else it is nothing.
    Yes,
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
        if text.len() > MAX_LEN {
            return (Self::Other, None);
        }
        let words = search::normalized_words(text);
        let known = lookup(&words).or_else(|| {
            let bare: Vec<_> = without(&words, POLITE);
            lookup(&bare).or_else(|| opts_out(&bare))
        });
        known.unwrap_or((Self::Other, None))
    }

    /// What it means from somebody who has, or has not, opted out.
    #[must_use]
    pub fn from_person(self, opted_out: bool) -> Self {
        match self {
            Self::Yes if opted_out => Self::Start,
            Self::Yes => Self::Other,
            other => other,
        }
    }
}

fn lookup(words: &[String]) -> Option<(Keyword, Option<Locale>)> {
    let whole = words.concat();
    let known = WORDS.iter().find(|(known, ..)| *known == whole)?;
    Some((known.1, known.2))
}

fn without(words: &[String], left_out: &[&str]) -> Vec<String> {
    let kept = words.iter().filter(|word| !left_out.contains(&word.as_str()));
    kept.cloned().collect()
}

/// A sentence that says nothing but to opt out, once or several times.
fn opts_out(words: &[String]) -> Option<(Keyword, Option<Locale>)> {
    // The number that the SMS goes to is often repeated in it.
    let numbers = |word: &String| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_digit());
    let mut bare = without(words, FILLERS);
    bare.retain(|word| !numbers(word));
    let is_stop = |found: &(Keyword, Option<Locale>)| found.0 == Keyword::Stop;
    lookup(&bare).filter(is_stop).or_else(|| {
        let each = bare
            .iter()
            .map(|word| lookup(std::slice::from_ref(word)).filter(is_stop));
        let each: Option<Vec<_>> = each.collect();
        each?.first().copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: Option<Locale> = Some(Locale::En);
    const FR: Option<Locale> = Some(Locale::Fr);
    const HA: Option<Locale> = Some(Locale::Ha);
    const IG: Option<Locale> = Some(Locale::Ig);
    const SW: Option<Locale> = Some(Locale::Sw);
    const YO: Option<Locale> = Some(Locale::Yo);

    /// What people text, what it says, and in which language.
    const WORD_SAMPLES: &[(&str, Keyword, Option<Locale>)] = &[
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
        ("linked", Keyword::Other, None),
        ("please help", Keyword::Help, None),
        ("Link, abeg", Keyword::Link, None),
        ("menu svp", Keyword::Link, None),
        ("Yes please", Keyword::Yes, None),
        ("Oui", Keyword::Yes, FR),
        ("", Keyword::Other, None),
        ("...", Keyword::Other, None),
    ];

    /// What people text, with and without case, marks and signs, and what it means. A word inside a sentence is none: it may
    /// be part of anything.
    #[test]
    fn words_are_understood_as_people_write_them() {
        for &(text, said, of) in WORD_SAMPLES {
            assert_eq!(Keyword::recognize(text), (said, of), "{text:?}");
        }
    }

    const OPT_OUT_SAMPLES: &[&str] = &[
        "STOP",
        "Stop.",
        "stopall",
        "STOP ALL",
        "Stop-all",
        "UNSUBSCRIBE",
        "CANCEL",
        "End",
        "QUIT",
        "OPTOUT",
        "opt out",
        "Opt-Out",
        "OPT_OUT",
        "REVOKE",
        "Stop. Thank you",
        "please stop",
        "Please, STOP!!!",
        "pls stop",
        "STOP PLEASE",
        "stop texting me",
        "Stop sending me these messages please",
        "stop it",
        "stop stop STOP",
        "STOP, UNSUBSCRIBE",
        "opt me out",
        "unsubscribe me",
        "I want to unsubscribe",
        "cancel all texts",
        "don't text me",
        "Do not text me again",
        "no more texts",
        "\u{201c}STOP\u{201d}",
        "(stop)",
        "*STOP*",
        "S.T.O.P",
        "stop\u{1f6d1}",
        "\u{ff33}\u{ff34}\u{ff2f}\u{ff30}",
        "\u{200b}stop",
        "Arr\u{ea}t",
        "ARRET",
        "arr\u{ea}tez svp",
        "D\u{e9}sabonner",
        "me d\u{e9}sabonner",
        "ANNULER",
        "fin",
        "Acha",
        "simamisha",
        "tafadhali acha",
        "acha kutuma ujumbe",
        "daina",
        "Ku daina",
        "don Allah tsaya",
        "D\u{fa}r\u{f3}",
        "\u{1eb9} j\u{1ecd}\u{300}w\u{f3} d\u{fa}r\u{f3}",
        "d\u{e1}w\u{1ecd}\u{301} d\u{fa}r\u{f3}",
        "kw\u{1ee5}s\u{1ecb}",
        "biko kwusi",
        "abeg stop am",
        "no text me again",
        "remove me from your list",
        "take me off your list",
        "stop 38496",
        "STOP to 38496",
        "I revoke my consent",
        "withdraw consent",
        "I don't want these messages",
        "I do not want any more messages",
        "d\u{e9}sabonne-moi",
        "d\u{e9}sabonnez-moi",
        "ne m'envoyez plus de messages",
        "usinitumie ujumbe tena",
        "sitaki ujumbe",
        "ku daina aiko mini sako",
        "kw\u{1ee5}s\u{1ecb} izitere m ozi",
        "\u{1eb9} m\u{e1} fi r\u{e1}n\u{1e63}\u{1eb9}\u{301} m\u{1ecd}\u{301}",
        "no dey text me again",
        "comot me from una list",
        "make una stop",
    ];

    const OTHER_SAMPLES: &[&str] = &[
        "end of month",
        "I want my phone",
        "withdraw",
        "38496",
        "2 38496",
        "weekend",
        "bank end",
        "stop bank",
        "cancelled",
        "no",
        "No",
        "1",
        "0",
        "3.",
        "please",
        "thank you",
        "me",
        "text me",
        "send me texts",
        "all",
        "finance",
        "fin trust",
        "quitter",
        "stopover",
        "when does it end",
        "can I cancel my loan",
        "don't stop",
        "do not end it",
        "endeavour",
        "Ondoka",
        "jade",
        "puo",
        "Fita",
        "Comot",
    ];

    /// What opts out: the words that carriers, gateways and regulators list and what the same is called in our languages, with
    /// whatever people put around them. What only contains such a word opts nobody out: it is an answer, or the name of a bank.
    #[test]
    fn opt_outs_are_understood_as_people_write_them() {
        for &text in OPT_OUT_SAMPLES {
            assert_eq!(Keyword::recognize(text).0, Keyword::Stop, "{text:?}");
        }
        for &text in OTHER_SAMPLES {
            assert_ne!(Keyword::recognize(text).0, Keyword::Stop, "{text:?}");
        }
        let long = format!("{} stop", "please ".repeat(40));
        assert_eq!(Keyword::recognize(&long).0, Keyword::Other, "more than a word");
    }

    /// YES opts in who has opted out, as carriers have it; from anybody else it is an answer like any other.
    #[test]
    fn yes_is_for_who_has_opted_out() {
        for (opted_out, want) in [(true, Keyword::Start), (false, Keyword::Other)] {
            assert_eq!(Keyword::Yes.from_person(opted_out), want);
        }
        for text in [
            "START",
            "UNSTOP",
            "Unstop please",
            "opt in",
            "subscribe",
            "R\u{e9}abonner",
        ] {
            assert_eq!(Keyword::recognize(text).0, Keyword::Start, "{text}");
        }
        assert_eq!(Keyword::Stop.from_person(false), Keyword::Stop);
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
            if !own {
                continue;
            }
            for said in [
                Keyword::Stop,
                Keyword::Start,
                Keyword::Help,
                Keyword::Link,
                Keyword::Continue,
            ] {
                assert!(has(said), "{locale} {said:?}");
            }
        }
    }
}
