//! `turn`, `dialog`, `idle` and `out_septets` of a channel, and of one network of it under `[[channels.networks]]`.

use std::time::Duration;

use super::section::Section;
use crate::core::budget::{self, Deadlines};
use crate::gateways::limit_overrides::{ChannelLimitOverrides, LimitOverrides};
use crate::gateways::{self, UssdLimits};

/// Every screen of the menu must fit into what is left of this.
const MIN_SEPTETS: u64 = 140;
/// What a USSD string can carry in GSM-7: 160 octets (TS 29.002).
const MAX_SEPTETS: u64 = 182;

/// Reads both; `gateway` is the adapter whose limits apply where there is no override.
pub(super) fn read(section: &mut Section<'_>, gateway: Option<&str>) -> ChannelLimitOverrides {
    let usual = gateway.and_then(gateways::ussd_gateway);
    let mut agreement = ChannelLimitOverrides {
        all_networks: read_overrides(section),
        ..ChannelLimitOverrides::default()
    };
    if let Some(usual) = &usual {
        check_dialog_length(section, agreement.apply_to(usual.limits(None), None));
    }
    for mut section in section.sections("networks") {
        let code = section.required("code", "say it as the gateway does, such as \"62130\"", |code| {
            let first = !agreement.networks.contains_key(code);
            first
                .then(|| code.to_owned())
                .ok_or_else(|| "is the code of another network, too".to_owned())
        });
        let agreed = read_overrides(&mut section);
        if let Some(code) = code {
            agreement.networks.insert(code.clone(), agreed);
            if let Some(usual) = &usual {
                check_dialog_length(&section, agreement.apply_to(usual.limits(Some(&code)), Some(&code)));
            }
        }
        section.report_unknown_keys();
    }
    agreement
}

fn read_overrides(section: &mut Section<'_>) -> LimitOverrides {
    let mut seconds = |key, range| section.number(key, range).map(Duration::from_secs);
    let [turn, dialog, idle] = [
        seconds("turn", 2..=60),
        seconds("dialog", 10..=600),
        seconds("idle", 2..=300),
    ];
    let septets = section.number("out_septets", MIN_SEPTETS..=MAX_SEPTETS);
    LimitOverrides {
        turn,
        dialog,
        idle,
        out_septets: septets.and_then(|septets| u16::try_from(septets).ok()),
    }
}

/// If a dialog were too short for a single wait, we would end it at every submission.
fn check_dialog_length(section: &Section<'_>, limits: UssdLimits) {
    let deadlines = Deadlines::from(&limits);
    if limits.dialog <= budget::round_time(deadlines) {
        section.report(
            "dialog",
            "is too short for one answer that is waited for and one screen that is read",
            "give it more than turn and half of idle",
        );
    }
}
