//! What was dialed behind a service code.
//!
//! Gateways hand on the dial string in several spellings: whole (`*384*96*1#`), without the last `#`, without any mark
//! (`384*96*1`), or, on a shared code, only from the extension on (`96*1`). What stands behind the code are choices made in
//! advance, recovery codes and codes of intents.

/// The segments behind the service code; `None` when the string does not contain the code.
pub fn segments_behind_code(dialed: &str, service_code: &str) -> Option<Vec<String>> {
    let (dialed, code) = (segments(dialed), segments(service_code));
    // The whole code first, then what follows a shared one. A string that is only part of the code has nothing behind it.
    let behind = (0..code.len()).find_map(|at| dialed.strip_prefix(&code[at..]))?;
    Some(behind.iter().map(|segment| (*segment).to_owned()).collect())
}

fn segments(text: &str) -> Vec<&str> {
    let inner = text.trim().trim_end_matches('#').trim_start_matches('*');
    inner.split('*').filter(|segment| !segment.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Extras are found behind the code in every spelling seen, and somebody else's code is never taken for a choice.
    #[test]
    fn extras_are_behind_the_code() {
        for (dialed, want) in [
            ("*384*96#", Some(vec![])),
            ("*384*96", Some(vec![])),
            ("384*96", Some(vec![])),
            ("96", Some(vec![])),
            ("*384*96*1*482913507#", Some(vec!["1", "482913507"])),
            ("384*96*1", Some(vec!["1"])),
            ("96*1*Dan", Some(vec!["1", "Dan"])),
            ("*384*97*1#", None),
            ("*384#", None),
            ("1", None),
            ("", None),
        ] {
            let found = segments_behind_code(dialed, "*384*96#");
            let want: Option<Vec<String>> = want.map(|want| want.into_iter().map(str::to_owned).collect());
            assert_eq!(found, want, "{dialed}");
        }
        assert_eq!(segments_behind_code("*130#", "*130#"), Some(vec![]));
    }
}
