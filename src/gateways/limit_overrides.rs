//! What an operator knows better than an adapter: the deadlines and sizes of a contract, or of a network that the
//! gateway publishes nothing about.

use std::collections::BTreeMap;
use std::time::Duration;

use super::UssdLimits;

/// Limits that were agreed; what is `None` is as the adapter says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitOverrides {
    /// How long the gateway waits for our answer to one callback.
    pub turn: Option<Duration>,
    /// How long a whole dialog may last.
    pub dialog: Option<Duration>,
    /// How long a person may take to answer one screen.
    pub idle: Option<Duration>,
    /// The most GSM-7 septets one answer may hold, the dialect's prefix included.
    pub out_septets: Option<u16>,
}

impl LimitOverrides {
    /// These limits in place of an adapter's.
    pub fn apply_to(self, limits: UssdLimits) -> UssdLimits {
        UssdLimits {
            turn: self.turn.unwrap_or(limits.turn),
            dialog: self.dialog.unwrap_or(limits.dialog),
            idle: self.idle.unwrap_or(limits.idle),
            out_septets: self.out_septets.unwrap_or(limits.out_septets),
            in_chars: limits.in_chars,
        }
    }
}

/// All that was agreed for one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelLimitOverrides {
    /// On every network.
    pub all_networks: LimitOverrides,
    /// On these networks, by their codes as the gateway spells them; comes before what holds on every network.
    pub networks: BTreeMap<String, LimitOverrides>,
}

impl ChannelLimitOverrides {
    /// The limits in force on a network, where an adapter says these.
    pub fn apply_to(&self, limits: UssdLimits, network: Option<&str>) -> UssdLimits {
        let anywhere = self.all_networks.apply_to(limits);
        let own = network.and_then(|code| self.networks.get(code));
        own.map_or(anywhere, |own| own.apply_to(anywhere))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a network comes before what is said of all, and that before what an adapter says; what nobody
    /// speaks of stays.
    #[test]
    fn the_nearest_word_counts() {
        let seconds = |n| Some(Duration::from_secs(n));
        let agreement = ChannelLimitOverrides {
            all_networks: LimitOverrides {
                turn: seconds(8),
                out_septets: Some(150),
                ..LimitOverrides::default()
            },
            networks: BTreeMap::from([(
                "62130".to_owned(),
                LimitOverrides {
                    turn: seconds(6),
                    idle: seconds(25),
                    ..LimitOverrides::default()
                },
            )]),
        };
        let usual = UssdLimits::default();
        for (network, turn, idle) in [(None, 8, 20), (Some("62120"), 8, 20), (Some("62130"), 6, 25)] {
            let want = UssdLimits {
                turn: Duration::from_secs(turn),
                idle: Duration::from_secs(idle),
                out_septets: 150,
                ..usual
            };
            assert_eq!(agreement.apply_to(usual, network), want, "{network:?}");
        }
        assert_eq!(ChannelLimitOverrides::default().apply_to(usual, Some("62130")), usual);
    }
}
