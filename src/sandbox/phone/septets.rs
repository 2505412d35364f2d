//! What a screen costs on the air.

/// Characters of the GSM 7-bit default alphabet (3GPP TS 23.038) outside ASCII, and those of ASCII that it keeps.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Characters behind the escape: two septets each.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// The septets of `text`, or its first character that no GSM 7-bit phone can show.
pub(super) fn count(text: &str) -> Result<usize, char> {
    text.chars()
        .map(|c| match c {
            c if BASIC.contains(c) => Ok(1),
            c if EXTENDED.contains(c) => Ok(2),
            c => Err(c),
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::count;

    /// A screen that costs more than the page counts would be cut on a real phone.
    #[test]
    fn costs_follow_the_alphabet() {
        for (text, cost) in [
            ("", Ok(0)),
            ("1. Balance", Ok(10)),
            ("a\nb", Ok(3)),
            ("[€]", Ok(6)),
            ("ọ", Err('ọ')),
        ] {
            assert_eq!(count(text), cost, "{text:?}");
        }
    }
}
