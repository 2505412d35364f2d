//! The account that a person chose from a list, and whether an account that came back is clearly another one.
//!
//! Only the last digits of a number are compared, for lists mask the rest. What is not known says nothing: a list may show
//! no number, or hide its end.

/// So many digits are compared.
const MOST: usize = 4;

/// With fewer, two accounts of one person are too often alike.
const FEWEST: usize = 3;

/// The last digits of an account number as a list or a bank writes it; empty where they are not known.
pub fn last_digits(number: &str) -> String {
    let between = |c: &char| !c.is_whitespace() && !matches!(c, '-' | '.' | '/');
    let digits = number.chars().filter(between).rev().take_while(char::is_ascii_digit);
    let mut digits: Vec<_> = digits.take(MOST).collect();
    if digits.len() < FEWEST {
        return String::new();
    }
    digits.reverse();
    digits.into_iter().collect()
}

/// Whether an account with this number is clearly none of those that were chosen, by the [`last_digits`] of each.
pub fn is_another(chosen: &[String], number: &str) -> bool {
    let number = last_digits(number);
    let differs = |chosen: &String| {
        let compared = chosen.len().min(number.len());
        compared >= FEWEST && chosen[chosen.len() - compared..] != number[number.len() - compared..]
    };
    !chosen.is_empty() && chosen.iter().all(differs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However a list masks a number, its last digits are found, or nothing is known.
    #[test]
    fn the_last_digits_of_a_number() {
        for (number, digits) in [
            ("0009990001", "0001"),
            ("******0001", "0001"),
            ("..0001", "0001"),
            ("XXXX-XX-001", "001"),
            ("NG12 3456 789", "6789"),
            (" 0001 ", "0001"),
            ("01", ""),
            ("0009****01", ""),
            ("0009990***", ""),
            ("00a1", ""),
            ("", ""),
        ] {
            assert_eq!(last_digits(number), digits, "{number}");
        }
    }

    /// An account is another one only where both are known and differ; of several that were chosen it may be any.
    #[test]
    fn only_known_digits_differ() {
        for (chosen, number, another) in [
            (&["0001"][..], "0009990001", false),
            (&["0001"], "0009990002", true),
            (&["001"], "0009990001", false),
            (&["002"], "0009990001", true),
            (&["0001"], "******0002", true),
            (&["0001"], "001", false),
            (&["0001"], "0009990***", false),
            (&["0001"], "", false),
            (&[""], "0009990001", false),
            (&[], "0009990001", false),
            (&["0001", "0002"], "0009990002", false),
            (&["0001", "0002"], "0009990003", true),
            (&["0001", ""], "0009990003", false),
        ] {
            let chosen: Vec<_> = chosen.iter().map(ToString::to_string).collect();
            assert_eq!(is_another(&chosen, number), another, "{chosen:?} {number}");
        }
    }
}
