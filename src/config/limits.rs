//! `[limits]`: how many turns are accepted, so that a flood makes some people wait and nobody lose their place.

use serde::Serialize;

use super::section::Section;
use crate::core::token_bucket::RateLimit;
use crate::records::InvitationCaps;
use crate::service::admission::TurnRates;
use crate::service::sms::outbox::INVITATION_CAPS;

/// A node of two cores serves this many turns a second within a fraction of their deadline.
const TURNS_PER_SECOND: u32 = 1_000;
/// Nobody reads and types a screen a second for a minute.
const PERSON_TURNS_PER_MINUTE: u32 = 60;

#[derive(Clone, Copy, Debug, Serialize)]
pub struct LimitsConfig {
    pub turns_per_second: u32,
    pub burst: u32,
    pub channel_turns_per_second: u32,
    pub person_turns_per_minute: u32,
    /// Invitations by SMS that are sent for one partner in 24 hours.
    pub partner_invitations_per_day: u32,
    /// The same, to one number for all partners.
    pub number_invitations_per_day: u32,
}

impl LimitsConfig {
    pub fn invitation_caps(self) -> InvitationCaps {
        InvitationCaps {
            of_partner: self.partner_invitations_per_day,
            to_number: self.number_invitations_per_day,
        }
    }

    pub fn rates(self) -> TurnRates {
        let per_second = |turns| RateLimit::per_second(turns, self.burst);
        TurnRates {
            node: per_second(self.turns_per_second),
            channel: per_second(self.channel_turns_per_second),
            person: RateLimit {
                per_minute: self.person_turns_per_minute,
                burst: self.person_turns_per_minute,
            },
        }
    }
}

pub(super) fn read(mut section: Section<'_>) -> LimitsConfig {
    let turns = section
        .number("turns_per_second", 1..=100_000)
        .unwrap_or(TURNS_PER_SECOND);
    let limits = LimitsConfig {
        turns_per_second: turns,
        burst: section.number("burst", 1..=1_000_000).unwrap_or(turns),
        channel_turns_per_second: section.number("channel_turns_per_second", 1..=100_000).unwrap_or(turns),
        person_turns_per_minute: section
            .number("person_turns_per_minute", 6..=6_000)
            .unwrap_or(PERSON_TURNS_PER_MINUTE),
        partner_invitations_per_day: section
            .number("partner_invitations_per_day", 0..=1_000_000)
            .unwrap_or(INVITATION_CAPS.of_partner),
        number_invitations_per_day: section
            .number("number_invitations_per_day", 0..=1_000)
            .unwrap_or(INVITATION_CAPS.to_number),
    };
    section.report_unknown_keys();
    limits
}
