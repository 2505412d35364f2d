//! Asks the provider how far an attempt is that goes on without a secret.

use crate::core::ids::AttemptId;
use crate::records::JobType;

/// Asks the provider how far a waiting attempt is.
pub struct Advance;

impl JobType for Advance {
    const NAME: &'static str = "advance";
    type Subject = AttemptId;
}
