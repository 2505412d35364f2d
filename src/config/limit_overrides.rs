//! `turn`, `dialog`, `idle`, `out_septets`, `in_chars` and `alphabet` of a channel, and of one network of it under
//! `[[channels.networks]]`.

use std::time::Duration;

use super::section::Section;
use crate::core::budget::{self, Deadlines};
use crate::core::screen_alphabet::ScreenAlphabet;
use crate::gateways::limit_overrides::{ChannelLimitOverrides, LimitOverrides};
use crate::gateways::{UssdGateway, UssdLimits};

/// The smallest page that the conversation can be laid out on, with room for a gateway's own prefix.
const MIN_SEPTETS: u64 = 80;
/// What a USSD string can carry in GSM-7: 160 octets (TS 29.002).
const MAX_SEPTETS: u64 = 182;

/// The overrides of a channel, and the tables of its networks: these are checked once the gateway's own limits are known.
pub(super) struct ReadOverrides<'a> {
    pub(super) agreement: ChannelLimitOverrides,
    pub(super) networks: Vec<NetworkSection<'a>>,
}

/// The table of one network, all of whose keys have been read.
pub(super) struct NetworkSection<'a> {
    code: Option<String>,
    section: Section<'a>,
}

impl NetworkSection<'_> {
    pub(super) fn report_unknown_keys(self) {
        self.section.report_unknown_keys();
    }
}

/// Reads both.
pub(super) fn read<'a>(section: &mut Section<'a>) -> ReadOverrides<'a> {
    let mut agreement = ChannelLimitOverrides {
        all_networks: read_overrides(section),
        ..ChannelLimitOverrides::default()
    };
    let mut networks = Vec::new();
    for mut section in section.sections("networks") {
        let code = section.required("code", "say it as the gateway does, such as \"62130\"", |code| {
            let first = !agreement.networks.contains_key(code);
            first
                .then(|| code.to_owned())
                .ok_or_else(|| "is the code of another network, too".to_owned())
        });
        let agreed = read_overrides(&mut section);
        if let Some(code) = &code {
            agreement.networks.insert(code.clone(), agreed);
        }
        networks.push(NetworkSection { code, section });
    }
    ReadOverrides { agreement, networks }
}

/// Checks what is in force on each network, given the limits of the channel's gateway.
pub(super) fn check(
    section: &Section<'_>,
    networks: &[NetworkSection<'_>],
    agreement: &ChannelLimitOverrides,
    gateway: &dyn UssdGateway,
) {
    check_dialog_length(section, agreement.apply_to(gateway.limits(None), None));
    for NetworkSection { code, section } in networks {
        if let Some(code) = code {
            check_dialog_length(section, agreement.apply_to(gateway.limits(Some(code)), Some(code)));
        }
    }
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
        in_chars: section.number("in_chars", 20_u16..=182),
        alphabet: section.one_of("alphabet", &ScreenAlphabet::WORDS),
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
