//! Whether a configuration leaves anybody a way to link, told before a list of institutions was read.

use std::collections::BTreeSet;

use super::{Config, Mode};
use crate::providers::Institution;
use crate::providers::offer::{LinkingWays, linking_ways};

impl Config {
    /// Which ways to link there are on the lines of each country that has a channel, by the kinds of login that the configured
    /// providers have.
    pub fn linking_ways(&self) -> Vec<LinkingWays> {
        let known = self.known_institutions();
        let countries: BTreeSet<_> = self.channels.iter().map(|channel| channel.country.as_str()).collect();
        let pages = self.page_countries();
        let ways = |country: &str| {
            let institutions = known.iter().map(|(provider, institution)| (*provider, institution));
            linking_ways(institutions, &self.policy.rules, country, pages.contains(country))
        };
        countries.into_iter().map(ways).collect()
    }

    /// In which countries a text can lead people to a page of ours. The sandbox is its own address.
    pub fn page_countries(&self) -> BTreeSet<String> {
        let reachable = self.server.public_url.is_some() || self.mode == Mode::Sandbox;
        let routes = self.sms.iter().filter(|_| reachable);
        routes.map(|route| route.country.clone()).collect()
    }

    /// One institution of each provider, and one for each exception that the policy makes for an institution.
    fn known_institutions(&self) -> Vec<(&'static str, Institution)> {
        let exceptions = self.policy.rules.overrides.iter();
        let named: Vec<_> = exceptions.filter_map(|rule| rule.institution.as_deref()).collect();
        let of_each = self.providers.0.iter().flat_map(|provider| {
            let ids = [""].into_iter().chain(named.iter().copied());
            ids.map(|id| (provider.registration.name, provider.registration.stand_in(id)))
        });
        of_each.collect()
    }
}
