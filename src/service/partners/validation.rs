//! Collects all errors of a request, so that they are reported at once.

use super::error::{ApiError, FieldError};
use crate::core::ids::PartnerId;
use crate::core::messages::Locale;
use crate::core::screen_text::{self, ScreenTextFault};
use crate::records::PartnerRecords;
use crate::service::catalogue::Catalogue;

/// Who speaks around a partner's words on the screen.
const PRODUCT: &str = "Kiungo";

/// Names in which a partner must not speak.
#[derive(Debug, Default)]
pub struct OtherBusinesses(Vec<String>);

impl OtherBusinesses {
    /// The other partners, the institutions of all lists that have been read, and this product.
    ///
    /// # Errors
    /// When the records are not available.
    pub async fn of(records: &dyn PartnerRecords, catalogue: &Catalogue, partner: PartnerId) -> Result<Self, ApiError> {
        let mut partners = records.partners().await?;
        let own = partners.iter().position(|other| other.id == partner);
        let own = own.map(|at| partners.remove(at).name);
        let mut names: Vec<_> = partners.into_iter().map(|other| other.name).collect();
        names.extend(catalogue.institution_names());
        names.push(PRODUCT.to_owned());
        // One that is called alike cannot be told apart from it anyway; and a bank may speak in its own name.
        names.retain(|name| own.as_ref().is_none_or(|own| !screen_text::names(own, name)));
        Ok(Self(names))
    }
}

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

    /// A text for people: 1 to `most` characters, no control characters, and something that can be read.
    pub fn check_text(&mut self, pointer: &str, text: &str, most: usize) {
        if let Err(fault) = screen_text::check_name(text, most) {
            self.add_text_fault(pointer, fault);
        }
    }

    pub(super) fn add_text_fault(&mut self, pointer: &str, fault: ScreenTextFault) {
        self.add(pointer, fault.code(), fault.remedy());
    }

    /// Which languages there are.
    pub fn languages() -> String {
        format!("there are: {}", Locale::ALL.map(Locale::tag).join(", "))
    }

    /// A telephone number as people will read it; `None` where there is none, or what is wrong with it was added.
    pub fn check_contact(&mut self, pointer: &str, text: Option<&String>) -> Option<String> {
        match screen_text::contact(text?) {
            Ok(contact) => Some(contact),
            Err(fault) => {
                self.add_text_fault(pointer, fault);
                None
            }
        }
    }

    /// What a partner writes must not be read as somebody else's words.
    pub fn check_attribution(&mut self, pointer: &str, text: &str, others: &OtherBusinesses) {
        if others.0.iter().any(|other| screen_text::names(text, other)) {
            self.add(pointer, "names_another", "leave out the names of other businesses");
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
