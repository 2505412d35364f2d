//! What an operator knows better than an adapter: the deadlines and sizes of a contract, or of a network that the
//! gateway publishes nothing about.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Limits;

/// Limits that were agreed; what is `None` is as the adapter says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// How long the gateway waits for our answer to one callback.
    pub turn: Option<Duration>,
    /// How long a whole dialog may last.
    pub dialog: Option<Duration>,
    /// How long a person may take to answer one screen.
    pub idle: Option<Duration>,
    /// The most GSM-7 septets one answer may hold, the dialect's prefix included.
    pub out_septets: Option<u16>,
}

impl Agreed {
    /// These limits in place of an adapter's.
    pub fn over(self, limits: Limits) -> Limits {
        Limits {
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
pub struct Agreement {
    /// On every network.
    pub anywhere: Agreed,
    /// On these networks, by their codes as the gateway spells them; comes before what holds on every network.
    pub networks: BTreeMap<String, Agreed>,
}

impl Agreement {
    /// The limits in force on a network, where an adapter says these.
    pub fn over(&self, limits: Limits, network: Option<&str>) -> Limits {
        let anywhere = self.anywhere.over(limits);
        let own = network.and_then(|code| self.networks.get(code));
        own.map_or(anywhere, |own| own.over(anywhere))
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
        let agreement = Agreement {
            anywhere: Agreed {
                turn: seconds(8),
                out_septets: Some(150),
                ..Agreed::default()
            },
            networks: BTreeMap::from([(
                "62130".to_owned(),
                Agreed {
                    turn: seconds(6),
                    idle: seconds(25),
                    ..Agreed::default()
                },
            )]),
        };
        let usual = Limits::default();
        for (network, turn, idle) in [(None, 8, 20), (Some("62120"), 8, 20), (Some("62130"), 6, 25)] {
            let want = Limits {
                turn: Duration::from_secs(turn),
                idle: Duration::from_secs(idle),
                out_septets: 150,
                ..usual
            };
            assert_eq!(agreement.over(usual, network), want, "{network:?}");
        }
        assert_eq!(Agreement::default().over(usual, Some("62130")), usual);
    }
}
