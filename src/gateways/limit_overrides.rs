//! Limits that the operator knows better than the adapter: those of a contract, or of a network that the gateway publishes
//! nothing about.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::UssdLimits;
use crate::core::screen_alphabet::ScreenAlphabet;

/// `None` keeps the adapter's limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LimitOverrides {
    /// How long the gateway waits for our answer to one callback.
    #[serde(serialize_with = "seconds")]
    pub turn: Option<Duration>,
    /// How long a dialog may last in total.
    #[serde(serialize_with = "seconds")]
    pub dialog: Option<Duration>,
    /// How long a person may take to answer one screen.
    #[serde(serialize_with = "seconds")]
    pub idle: Option<Duration>,
    /// The most GSM-7 septets of one answer, including the gateway's own prefix.
    pub out_septets: Option<u16>,
    /// The most characters a person can type at once.
    pub in_chars: Option<u16>,
    pub alphabet: Option<ScreenAlphabet>,
}

impl LimitOverrides {
    pub fn apply_to(self, limits: UssdLimits) -> UssdLimits {
        UssdLimits {
            turn: self.turn.unwrap_or(limits.turn),
            dialog: self.dialog.unwrap_or(limits.dialog),
            idle: self.idle.unwrap_or(limits.idle),
            out_septets: self.out_septets.unwrap_or(limits.out_septets),
            in_chars: self.in_chars.unwrap_or(limits.in_chars),
            alphabet: self.alphabet.unwrap_or(limits.alphabet),
        }
    }
}

/// Serialized as in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChannelLimitOverrides {
    #[serde(flatten)]
    pub all_networks: LimitOverrides,
    /// By network code as the gateway spells it; these take precedence over those for all networks.
    #[serde(serialize_with = "list", skip_serializing_if = "BTreeMap::is_empty")]
    pub networks: BTreeMap<String, LimitOverrides>,
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn seconds<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs()).serialize(serializer)
}

fn list<S: Serializer>(networks: &BTreeMap<String, LimitOverrides>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Network<'a> {
        code: &'a str,
        #[serde(flatten)]
        limits: LimitOverrides,
    }
    serializer.collect_seq(networks.iter().map(|(code, limits)| Network { code, limits: *limits }))
}

impl ChannelLimitOverrides {
    /// The limits in force on a network, given the adapter's.
    pub fn apply_to(&self, limits: UssdLimits, network: Option<&str>) -> UssdLimits {
        let anywhere = self.all_networks.apply_to(limits);
        let own = network.and_then(|code| self.networks.get(code));
        own.map_or(anywhere, |own| own.apply_to(anywhere))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Overrides of one network take precedence over those of all networks, and these over the adapter's limits.
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
