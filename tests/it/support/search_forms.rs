//! In which forms a text may have been written down, and where.

/// The forms in which a text may have been written down.
pub fn forms(secret: &str) -> [String; 3] {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap();
    let hex = secret
        .bytes()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect();
    let wide = secret.chars().flat_map(|letter| [letter, '\0']).collect();
    [secret.to_owned(), hex, wide]
}

/// Whether `form` stands in `text`; digits only where they are not part of a longer word.
pub fn holds(text: &str, form: &str) -> bool {
    let digits = form.bytes().all(|byte| byte.is_ascii_digit());
    let beside = |byte: Option<&u8>| digits && byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    text.match_indices(form).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        !beside(before) && !beside(bytes.get(at + form.len()))
    })
}
