//! What a business states of itself before a provider's live keys are taken from it: that it is registered, has a licence or
//! a partner with one, has traded for six months, and has signed the provider's data agreement.

use std::time::Duration;

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::screen_text;
use super::time::Timestamp;

/// The most characters of a name in it, as it is read.
const MAX_NAME_CHARS: usize = 80;
/// What hides nothing else: letters may be written with several signs each.
const MAX_NAME_BYTES: usize = 1_000;
/// A day begins somewhere as much earlier than in UTC.
const EARLIEST_ZONE: Duration = Duration::from_hours(14);
/// No agreement is older, so an earlier year is a slip.
const FIRST_YEAR: i32 = 2000;

/// Whose licence the business works under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Licence {
    /// Its own.
    Own,
    /// A licensed partner's.
    Partner,
}

/// A statement that holds. That the business is registered and has traded for six months is said by its being there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eligibility {
    /// `None`: it has a licence of its own.
    pub licensed_partner: Option<String>,
    /// As `2026-01-31`.
    pub agreement_signed_on: String,
    /// The person who states it, as their name is read.
    pub stated_by: String,
}

impl Eligibility {
    pub fn licence(&self) -> Licence {
        match self.licensed_partner {
            None => Licence::Own,
            Some(_) => Licence::Partner,
        }
    }
}

/// What a business states of itself, once, before it may use live keys at a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEligibility)]
pub struct EligibilityStatement {
    /// The business is registered. Must be true.
    #[schema(required, value_type = bool)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered: Option<bool>,
    /// Whose licence it works under: its own, or a licensed partner's.
    #[schema(required, value_type = Licence)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// The licensed partner's name; only with the licence `partner`, and required then. 80 characters at most.
    #[schema(min_length = 1, format = "printed")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licensed_partner: Option<String>,
    /// It has traded for six months at least. Must be true.
    #[schema(required, value_type = bool)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trading_six_months: Option<bool>,
    /// The day on which it signed the provider's data-privacy agreement; not in the future.
    #[schema(required, value_type = String, format = Date, example = "2026-01-31")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement_signed_on: Option<String>,
    /// The name of the person who states this, 1 to 80 characters, as a phone would show it.
    #[schema(required, value_type = String, min_length = 1, format = "printed")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated_by: Option<String>,
}

/// What is wrong with one part of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EligibilityFault {
    /// A field of [`EligibilityStatement`].
    pub field: &'static str,
    /// A stable word.
    pub code: &'static str,
    /// The end of a sentence about the field.
    pub problem: &'static str,
    pub remedy: &'static str,
}

const REGISTERED: &str = "only a registered business may reach real banks; state it once it is";
const LICENCE: &str = "say own, or partner where it is the licence of a licensed partner";
const LICENSED_PARTNER: &str = "name the licensed partner, in 80 characters at most";
const TRADING: &str = "only a business that has traded for six months may reach real banks; state it once it has";
const SIGNED_ON: &str = "write the day on which the provider's data agreement was signed, such as 2026-01-31";
const STATED_BY: &str = "name the person who states this, in 80 characters at most";

impl EligibilityStatement {
    /// # Errors
    /// With everything that is wrong or left out.
    pub fn check(&self, now: Timestamp) -> Result<Eligibility, Vec<EligibilityFault>> {
        let mut faults = Faults::default();
        faults.demand("registered", self.registered, REGISTERED);
        let licensed_partner = self.check_licence(&mut faults);
        faults.demand("trading_six_months", self.trading_six_months, TRADING);
        let signed_on = self.agreement_signed_on.as_deref();
        let signed_on = faults.take("agreement_signed_on", signed_on, SIGNED_ON, |text| parse_day(text, now));
        let stated_by = faults.take("stated_by", self.stated_by.as_deref(), STATED_BY, parse_name);
        match (signed_on, stated_by, faults.0) {
            (Some(agreement_signed_on), Some(stated_by), faults) if faults.is_empty() => Ok(Eligibility {
                licensed_partner,
                agreement_signed_on,
                stated_by,
            }),
            (.., faults) => Err(faults),
        }
    }

    /// The licensed partner, where it works under the licence of one.
    fn check_licence(&self, faults: &mut Faults) -> Option<String> {
        let licence = faults.take("licence", self.licence.as_deref(), LICENCE, |word| match word {
            "own" => Ok(Licence::Own),
            "partner" => Ok(Licence::Partner),
            _ => Err(("invalid", "is neither own nor partner")),
        })?;
        let named = self.licensed_partner.as_deref();
        if licence == Licence::Partner {
            return faults.take("licensed_partner", named, LICENSED_PARTNER, parse_name);
        }
        if named.is_some() {
            let (problem, remedy) = (
                "is named beside a licence of its own",
                "leave it out, or say partner as the licence",
            );
            faults.add("licensed_partner", "unused", problem, remedy);
        }
        None
    }
}

/// A code, and the end of a sentence.
type Problem = (&'static str, &'static str);

#[derive(Default)]
struct Faults(Vec<EligibilityFault>);

impl Faults {
    fn add(&mut self, field: &'static str, code: &'static str, problem: &'static str, remedy: &'static str) {
        self.0.push(EligibilityFault {
            field,
            code,
            problem,
            remedy,
        });
    }

    fn demand(&mut self, field: &'static str, stated: Option<bool>, remedy: &'static str) {
        match stated {
            Some(true) => {}
            Some(false) => self.add(field, "must_be_true", "is false", remedy),
            None => self.add(field, "required", "is missing", remedy),
        }
    }

    fn take<T>(
        &mut self,
        field: &'static str,
        text: Option<&str>,
        remedy: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        match text.ok_or(("required", "is missing")).and_then(parse) {
            Ok(value) => Some(value),
            Err((code, problem)) => {
                self.add(field, code, problem, remedy);
                None
            }
        }
    }
}

/// A name as it is read, with a letter in it.
fn parse_name(text: &str) -> Result<String, Problem> {
    let read = screen_text::readable(text);
    if text.chars().any(char::is_control) {
        Err(("control_characters", "has control characters"))
    } else if !read.chars().any(char::is_alphabetic) {
        Err(("blank", "names nobody"))
    } else if text.len() > MAX_NAME_BYTES || read.chars().count() > MAX_NAME_CHARS {
        Err(("too_long", "is longer than 80 characters"))
    } else {
        Ok(read)
    }
}

/// A day that has begun somewhere.
fn parse_day(text: &str, now: Timestamp) -> Result<String, Problem> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let day = day.filter(|day| day.to_string() == text && day.year() >= FIRST_YEAR);
    let day = day.ok_or(("invalid", "is not a day"))?;
    let now = DateTime::<Utc>::from_timestamp_millis(now.plus(EARLIEST_ZONE).as_millis());
    if now.is_some_and(|now| day <= now.date_naive()) {
        Ok(day.to_string())
    } else {
        Err(("out_of_range", "is in the future"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-12-01, an hour before midnight in UTC.
    const NOW: Timestamp = Timestamp::from_millis(1_796_166_000_000);

    fn good() -> EligibilityStatement {
        EligibilityStatement {
            registered: Some(true),
            licence: Some("own".to_owned()),
            licensed_partner: None,
            trading_six_months: Some(true),
            agreement_signed_on: Some("2026-01-31".to_owned()),
            stated_by: Some("  Ad\u{e9}\u{200b} Obi ".to_owned()),
        }
    }

    /// A whole statement holds, and is kept as it is read; by a partner's licence only with the partner's name.
    #[test]
    fn a_whole_statement_holds() {
        assert_eq!(NOW.to_rfc3339(), "2026-12-01T23:00:00.000Z");
        let own = good().check(NOW).unwrap();
        assert_eq!((own.licence(), own.stated_by.as_str()), (Licence::Own, "Ad\u{e9} Obi"));
        let by_partner = EligibilityStatement {
            licence: Some("partner".to_owned()),
            licensed_partner: Some("Umoja Bank".to_owned()),
            ..good()
        };
        let by_partner = by_partner.check(NOW).unwrap();
        assert_eq!(by_partner.licence(), Licence::Partner);
        assert_eq!(by_partner.licensed_partner.as_deref(), Some("Umoja Bank"));
    }

    /// Everything that is left out is told at once, in the order in which it is asked.
    #[test]
    fn what_is_left_out_is_told_at_once() {
        let faults = EligibilityStatement::default().check(NOW).unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| (fault.field, fault.code)).collect();
        let wanted = [
            "registered",
            "licence",
            "trading_six_months",
            "agreement_signed_on",
            "stated_by",
        ];
        assert_eq!(fields, wanted.map(|field| (field, "required")));
    }

    /// Each part is looked at by itself: what is false, unread or in the future states nothing.
    #[test]
    fn each_part_must_hold() {
        let with = |change: fn(&mut EligibilityStatement, &str), text: &str| {
            let mut statement = good();
            change(&mut statement, text);
            let faults = statement.check(NOW).err().unwrap_or_default();
            faults.iter().map(|fault| (fault.field, fault.code)).collect::<Vec<_>>()
        };
        assert_eq!(
            with(|of, _| of.registered = Some(false), ""),
            [("registered", "must_be_true")]
        );
        assert_eq!(
            with(|of, _| of.trading_six_months = Some(false), ""),
            [("trading_six_months", "must_be_true")]
        );
        for (text, code) in [
            ("2026-12-02", None),
            ("2026-12-03", Some("out_of_range")),
            ("9999-01-01", Some("out_of_range")),
            ("2026-02-29", Some("invalid")),
            ("2026-1-31", Some("invalid")),
            ("31-01-2026", Some("invalid")),
            ("0202-01-31", Some("invalid")),
            ("+2026-01-31", Some("invalid")),
            ("2026-01-31T00:00:00Z", Some("invalid")),
            ("", Some("invalid")),
        ] {
            let found = with(|of, text| of.agreement_signed_on = Some(text.to_owned()), text);
            let wanted: Vec<_> = code.map(|code| ("agreement_signed_on", code)).into_iter().collect();
            assert_eq!(found, wanted, "{text}");
        }
        let long = "a".repeat(81);
        for (name, code) in [
            ("Ada", None),
            (&long[..80], None),
            (&long, Some("too_long")),
            ("", Some("blank")),
            (" \u{200b}\u{202e} ", Some("blank")),
            ("12345", Some("blank")),
            ("Ada\nObi", Some("control_characters")),
        ] {
            let found = with(|of, name| of.stated_by = Some(name.to_owned()), name);
            let wanted: Vec<_> = code.map(|code| ("stated_by", code)).into_iter().collect();
            assert_eq!(found, wanted, "{name:?}");
            let found = with(
                |of, name| {
                    of.licence = Some("partner".to_owned());
                    of.licensed_partner = Some(name.to_owned());
                },
                name,
            );
            let wanted: Vec<_> = code.map(|code| ("licensed_partner", code)).into_iter().collect();
            assert_eq!(found, wanted, "{name:?}");
        }
        let unnamed = with(|of, word| of.licence = Some(word.to_owned()), "partner");
        assert_eq!(unnamed, [("licensed_partner", "required")]);
        let unknown = with(|of, word| of.licence = Some(word.to_owned()), "Own");
        assert_eq!(unknown, [("licence", "invalid")]);
        let unused = with(|of, name| of.licensed_partner = Some(name.to_owned()), "Umoja");
        assert_eq!(unused, [("licensed_partner", "unused")]);
    }
}
