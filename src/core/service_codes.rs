//! Which service code people dial on each channel.

use std::sync::Arc;

/// Each channel's name and service code, in the order of the configuration.
#[derive(Clone, Debug, Default)]
pub struct ServiceCodes(Arc<[(String, String)]>);

impl ServiceCodes {
    pub fn new(codes: Vec<(String, String)>) -> Self {
        Self(codes.into())
    }

    /// What is dialed on this channel; for one that is not configured any more, what is dialed on the first.
    pub fn of(&self, channel: Option<&str>) -> &str {
        let named = self.0.iter().find(|(name, _)| Some(name.as_str()) == channel);
        named.or(self.0.first()).map_or("", |(_, code)| code)
    }
}
