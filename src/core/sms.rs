//! SMS: how many parts a message takes, and its delivery state.
//!
//! A network carries 140 octets at once: 160 septets of the GSM alphabet, or 70 units of UCS-2 if a single character is
//! outside of it. A longer message is sent in parts, each with a header that takes room: 153 septets or 67 units are left. A
//! character of two units (an escaped one, or one outside the basic plane) is never split between two parts.
//!
//! The gateway reports the delivery state, and its reports come twice, late, or in the wrong order. So the states are ordered
//! from knowing little to knowing more, and a message only ever advances: whatever the order of the reports, it ends in the
//! highest of them. A handset that confirmed has the message, so `Delivered` is above every failure.

use super::gsm7;

/// The most septets of a message in one part.
pub const SINGLE_PART_SEPTETS: usize = 160;

/// The most septets of a message in two parts.
pub const TWO_PART_SEPTETS: usize = 2 * SEPTETS.1;

/// The most septets of a single part, and of each of several.
const SEPTETS: (usize, usize) = (SINGLE_PART_SEPTETS, 153);
/// The most UCS-2 units of a single part, and of each of several.
const UNITS: (usize, usize) = (70, 67);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    Gsm7,
    Ucs2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsSize {
    pub alphabet: Alphabet,
    /// Septets or UCS-2 units.
    pub units: usize,
    /// Each is paid for.
    pub parts: usize,
}

/// The empty message is one part, too.
pub fn measure(text: &str) -> SmsSize {
    let costs: Option<Vec<usize>> = text.chars().map(gsm7::septet_cost).collect();
    let (alphabet, (alone, together), costs) = match costs {
        Some(costs) => (Alphabet::Gsm7, SEPTETS, costs),
        None => (Alphabet::Ucs2, UNITS, text.chars().map(char::len_utf16).collect()),
    };
    let units: usize = costs.iter().sum();
    let parts = if units <= alone {
        1
    } else {
        parts_needed(&costs, together)
    };
    SmsSize { alphabet, units, parts }
}

/// How many parts of `room` units these characters take, in order.
fn parts_needed(costs: &[usize], room: usize) -> usize {
    let (mut parts, mut used) = (1, 0);
    for cost in costs {
        if used + cost > room {
            parts += 1;
            used = 0;
        }
        used += cost;
    }
    parts
}

/// The state that a gateway reports, from knowing little to knowing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SmsDeliveryState {
    /// The gateway has it.
    Accepted,
    /// The network has it.
    Sent,
    Failed(SmsFailureReason),
    /// The handset has it.
    Delivered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SmsFailureReason {
    /// For an unknown reason.
    Undelivered,
    /// The handset was unreachable for too long.
    Expired,
    /// By the gateway or the network: because of the sender, the text, or the account.
    Rejected,
    /// No such subscriber, or one that cannot receive SMS.
    InvalidNumber,
    /// The person wants no messages; the gateway or the network keeps a list.
    OptedOut,
}

/// Why a message was never handed to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WithheldReason {
    /// The person wants no messages.
    OptedOut,
    /// The person has dialed meanwhile and has seen it.
    PersonDialed,
    /// The person has reached the daily limit.
    DailyCap,
    /// No route is for the number's country.
    NoRoute,
    /// It could not be sent in time.
    Expired,
    /// Its gateway is no longer configured, or it cannot be unsealed.
    Unsendable,
}

/// The state of an outgoing message, from knowing little to knowing more. See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageState {
    Queued,
    /// Never sent, and never will be.
    Withheld(WithheldReason),
    /// Being handed to the gateway: stored before its first byte leaves.
    Sending,
    /// The gateway may have it, so it is never sent again.
    Unknown,
    /// The gateway has it.
    Accepted,
    /// The network has it.
    Sent,
    Failed(SmsFailureReason),
    /// The handset has it.
    Delivered,
}

impl From<SmsDeliveryState> for MessageState {
    fn from(state: SmsDeliveryState) -> Self {
        match state {
            SmsDeliveryState::Accepted => Self::Accepted,
            SmsDeliveryState::Sent => Self::Sent,
            SmsDeliveryState::Failed(why) => Self::Failed(why),
            SmsDeliveryState::Delivered => Self::Delivered,
        }
    }
}

impl MessageState {
    /// Whether no report can change anything that matters.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Withheld(_) | Self::Failed(_) | Self::Delivered)
    }

    /// Whether the person may have it.
    pub const fn may_be_read(self) -> bool {
        matches!(
            self,
            Self::Sending | Self::Unknown | Self::Accepted | Self::Sent | Self::Delivered
        )
    }

    /// `reported`, if it is further than this state.
    pub fn advance(self, reported: Self) -> Option<Self> {
        (reported > self).then_some(reported)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The limits of TS 23.038 and TS 23.040 are met to the unit, also where a character of two stands at the seam.
    #[test]
    fn texts_are_measured() {
        for (text, alphabet, units, parts) in [
            (String::new(), Alphabet::Gsm7, 0, 1),
            ("a".repeat(160), Alphabet::Gsm7, 160, 1),
            ("a".repeat(161), Alphabet::Gsm7, 161, 2),
            ("a".repeat(306), Alphabet::Gsm7, 306, 2),
            ("a".repeat(307), Alphabet::Gsm7, 307, 3),
            ("€".repeat(80), Alphabet::Gsm7, 160, 1),
            // The escape would straddle the seam: one septet of the first part stays empty.
            (
                format!("{}€{}", "a".repeat(152), "a".repeat(151)),
                Alphabet::Gsm7,
                305,
                2,
            ),
            (
                format!("{}€{}", "a".repeat(152), "a".repeat(152)),
                Alphabet::Gsm7,
                306,
                3,
            ),
            ("ọ".repeat(70), Alphabet::Ucs2, 70, 1),
            ("ọ".repeat(71), Alphabet::Ucs2, 71, 2),
            ("ọ".repeat(134), Alphabet::Ucs2, 134, 2),
            ("ọ".repeat(135), Alphabet::Ucs2, 135, 3),
            ("😀".repeat(35), Alphabet::Ucs2, 70, 1),
            // 33 pairs and an empty unit to a part.
            ("😀".repeat(66), Alphabet::Ucs2, 132, 2),
            ("😀".repeat(67), Alphabet::Ucs2, 134, 3),
        ] {
            let want = SmsSize { alphabet, units, parts };
            assert_eq!(measure(&text), want, "{} characters", text.chars().count());
        }
    }

    fn delivery() -> impl Strategy<Value = SmsDeliveryState> {
        prop::sample::select(vec![
            SmsDeliveryState::Accepted,
            SmsDeliveryState::Sent,
            SmsDeliveryState::Delivered,
            SmsDeliveryState::Failed(SmsFailureReason::Undelivered),
            SmsDeliveryState::Failed(SmsFailureReason::Expired),
            SmsDeliveryState::Failed(SmsFailureReason::Rejected),
            SmsDeliveryState::Failed(SmsFailureReason::InvalidNumber),
            SmsDeliveryState::Failed(SmsFailureReason::OptedOut),
        ])
    }

    fn heard(from: MessageState, reports: &[SmsDeliveryState]) -> MessageState {
        reports.iter().fold(from, |state, told| {
            let next = state.advance((*told).into()).unwrap_or(state);
            assert!(next >= state, "{state:?} went back to {next:?}");
            next
        })
    }

    proptest! {
        /// A text never moves back, and neither order nor number of reports changes where it ends.
        #[test]
        fn reports_in_any_order_end_alike(
            reports in prop::collection::vec(delivery(), 0..8),
            shuffled in any::<prop::sample::Index>(),
            repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            from in prop::sample::select(vec![MessageState::Sending, MessageState::Unknown, MessageState::Accepted]),
        ) {
            let once = heard(from, &reports);
            let mut other = reports.clone();
            if !reports.is_empty() {
                other.rotate_left(shuffled.index(reports.len()));
                other.reverse();
                other.extend(repeats.iter().map(|index| reports[index.index(reports.len())]));
            }
            prop_assert_eq!(heard(from, &other), once);
        }

        /// What takes more room never takes fewer parts, and every part is full enough to be worth it.
        #[test]
        fn parts_follow_from_units(text in "[a€😀ọ\n]{0,400}") {
            let size = measure(&text);
            let (alone, together) = if size.alphabet == Alphabet::Gsm7 { SEPTETS } else { UNITS };
            if size.units <= alone {
                prop_assert_eq!(size.parts, 1);
            } else {
                prop_assert!(size.parts * together >= size.units);
                prop_assert!((size.parts - 1) * (together - 1) < size.units);
            }
        }
    }
}
