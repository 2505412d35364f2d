//! Yes and no in every language. They are no keywords: what binds is a number, and to everything else they are answers like
//! any other.

use super::vocabulary::POLITE;
use super::{Keyword, MAX_LEN, lookup, without};
use crate::core::search;

/// What people answer a question with that is answered by a number, besides the words of [`Keyword::Yes`]: yes and no, and that
/// they agree or do not, as words are compared.
const ANSWERS: &[&str] = &[
    // English and Pidgin.
    "y yeah yep yea yah sure ok okay agree iagree agreed accept iaccept no n nope nah never idontagree idonotagree notagree",
    "dontagree refuse irefuse gree igree idogree nogree inogree idonogree nowahala",
    // French.
    "non daccord jesuisdaccord jaccepte accepter accepte pasdaccord jerefuse ouais",
    // Hausa.
    "nayarda munyarda yarda yayi aa banyarda bamuyarda toh",
    // Igbo.
    "ekwerem anyiekwere ekwere eeh mba ekweghim odimma",
    // Yoruba.
    "mogba agba mogbaa gba hen rara beeko miogba nko",
    // Swahili.
    "nakubali ninakubali nimekubali kubali sawa hapana sikubali sitaki la",
];

/// Whether an SMS says yes or no, or that somebody agrees or does not, and nothing else.
pub fn is_yes_or_no(text: &str) -> bool {
    if text.len() > MAX_LEN {
        return false;
    }
    let words = search::normalized_words(text);
    let says = |words: &[String]| {
        let yes = lookup(words).is_some_and(|(said, _)| said == Keyword::Yes);
        yes || answers().any(|answer| answer == words.concat())
    };
    says(&words) || says(&without(&words, POLITE))
}

fn answers() -> impl Iterator<Item = &'static str> {
    ANSWERS.iter().flat_map(|line| line.split(' '))
}

#[cfg(test)]
mod tests {
    use super::super::vocabulary::WORDS;
    use super::*;

    /// Yes and no are known in every language, with whatever people put around them, and are no keywords of their own; what only
    /// contains one is an answer, or the name of a bank.
    #[test]
    fn yes_and_no_are_known_in_every_language() {
        let all = "YES|yes please|No|no.|OK|I agree|agreed!|I gree|no gree|Oui|non merci|d'accord|Na yarda|a'a|Eh|Ekwere m|mba|\
                   Ee|Mo gba|B\u{1eb9}\u{1eb9} ni|r\u{e1}r\u{e1}|Ndiyo|hapana|Nakubali";
        for text in all.split('|') {
            assert!(is_yes_or_no(text), "{text:?}");
            let said = Keyword::recognize(text).0.from_person(false);
            assert_eq!(said, Keyword::Other, "{text:?}");
        }
        for text in [
            "",
            "1",
            "stop",
            "noble bank",
            "yes bank",
            "I do not know",
            "611832",
            "help",
        ] {
            assert!(!is_yes_or_no(text), "{text:?}");
        }
        let mut seen = Vec::new();
        for word in answers() {
            assert_eq!(search::normalize(word), word, "{word} is not written as it is compared");
            let known = WORDS.iter().any(|(known, ..)| *known == word);
            assert!(!known && !seen.contains(&word), "{word} is there twice");
            seen.push(word);
        }
    }
}
