//! Collects all errors of a request, so that they are reported at once.

use super::error::{ApiError, FieldError};

/// The errors found so far.
#[derive(Debug, Default)]
pub struct Validation(Vec<FieldError>);

impl Validation {
    pub fn add(&mut self, pointer: &str, code: &'static str, detail: impl Into<String>) {
        self.0.push(FieldError {
            pointer: pointer.to_owned(),
            code,
            detail: detail.into(),
        });
    }

    /// A text for people: 1 to `most` characters, no control characters, not blank.
    pub fn check_text(&mut self, pointer: &str, text: &str, most: usize) {
        if text.trim().is_empty() {
            self.add(pointer, "blank", "say something");
        } else if text.chars().count() > most {
            self.add(pointer, "too_long", format!("{most} characters at most"));
        } else if text.chars().any(char::is_control) {
            self.add(pointer, "control_characters", "leave out control characters");
        }
    }

    pub fn check_optional_text(&mut self, pointer: &str, text: Option<&String>, most: usize) {
        if let Some(text) = text {
            self.check_text(pointer, text, most);
        }
    }

    pub fn check_range(&mut self, pointer: &str, number: Option<u64>, bounds: std::ops::RangeInclusive<u64>) {
        if number.is_some_and(|number| !bounds.contains(&number)) {
            let detail = format!("{} to {}", bounds.start(), bounds.end());
            self.add(pointer, "out_of_range", detail);
        }
    }

    /// # Errors
    /// With all errors found, if any.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ApiError::Invalid(self.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts at their bounds pass; all others are reported at once, each with its place and reason.
    #[test]
    fn all_errors_are_reported_at_once() {
        let mut faults = Validation::default();
        for (pointer, text) in [("/a", "x"), ("/b", &*"\u{e9}".repeat(5)), ("/c", " x ")] {
            faults.check_text(pointer, text, 5);
        }
        faults.check_optional_text("/d", None, 5);
        assert_eq!(faults.finish(), Ok(()));
        let mut faults = Validation::default();
        for (pointer, text) in [("/a", ""), ("/b", " \t"), ("/c", "123456"), ("/d", "a\nb")] {
            faults.check_text(pointer, text, 5);
        }
        let Err(ApiError::Invalid(found)) = faults.finish() else {
            panic!("it is not right");
        };
        let found: Vec<_> = found.iter().map(|fault| (fault.pointer.as_str(), fault.code)).collect();
        let wanted = [
            ("/a", "blank"),
            ("/b", "blank"),
            ("/c", "too_long"),
            ("/d", "control_characters"),
        ];
        assert_eq!(found, wanted);
    }
}
