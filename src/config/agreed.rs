//! `turn`, `dialog`, `idle` and `out_septets` of a channel, and of one network of it under `[[channels.networks]]`.

use std::time::Duration;

use super::section::Section;
use crate::core::budget::{self, Deadlines};
use crate::gateways::agreed::{Agreed, Agreement};
use crate::gateways::{self, Limits};

/// Fewer septets than this are no page: every screen of the menu is held to what is left of it.
const SMALLEST: u64 = 140;
/// More than this do not travel in GSM-7: a USSD string has 160 octets (TS 29.002).
const LARGEST: u64 = 182;

/// Reads both; `gateway` names the dialect whose limits stand where nothing was agreed.
pub(super) fn read(section: &mut Section<'_>, gateway: Option<&str>) -> Agreement {
    let usual = gateway.and_then(gateways::by_name);
    let mut agreement = Agreement {
        anywhere: one(section),
        ..Agreement::default()
    };
    if let Some(usual) = &usual {
        fits(section, agreement.over(usual.limits(None), None));
    }
    for mut section in section.sections("networks") {
        let code = section.required("code", "say it as the gateway does, such as \"62130\"", |code| {
            let first = !agreement.networks.contains_key(code);
            first
                .then(|| code.to_owned())
                .ok_or_else(|| "is the code of another network, too".to_owned())
        });
        let agreed = one(&mut section);
        if let Some(code) = code {
            agreement.networks.insert(code.clone(), agreed);
            if let Some(usual) = &usual {
                fits(&section, agreement.over(usual.limits(Some(&code)), Some(&code)));
            }
        }
        section.finish();
    }
    agreement
}

fn one(section: &mut Section<'_>) -> Agreed {
    let mut seconds = |key, range| section.number(key, range).map(Duration::from_secs);
    let [turn, dialog, idle] = [
        seconds("turn", 2..=60),
        seconds("dialog", 10..=600),
        seconds("idle", 2..=300),
    ];
    let septets = section.number("out_septets", SMALLEST..=LARGEST);
    Agreed {
        turn,
        dialog,
        idle,
        out_septets: septets.and_then(|septets| u16::try_from(septets).ok()),
    }
}

/// A dialog too short for a single wait would be ended by us at every submission.
fn fits(section: &Section<'_>, limits: Limits) {
    let deadlines = Deadlines::from(&limits);
    if limits.dialog <= budget::round(deadlines) {
        section.wrong(
            "dialog",
            "is too short for one answer that is waited for and one screen that is read",
            "give it more than turn and half of idle",
        );
    }
}
