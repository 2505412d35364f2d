//! Who calls, and what they may touch.

use std::fmt::Display;
use std::sync::Arc;

use crate::core::access::{Caller, TenantScope};
use crate::core::time::{Rng, Timestamp};
use crate::records::AuditEntry;

/// An authenticated request.
#[derive(Clone)]
pub struct RequestContext {
    pub caller: Caller,
    /// The rows that this request may touch.
    pub scope: TenantScope,
    /// The source of the ids and secrets that this request creates.
    pub rng: Arc<dyn Rng>,
}

impl RequestContext {
    /// An audit entry for what this request does to `subject`.
    pub(super) fn audit_entry(&self, kind: &'static str, subject: impl Display, at: Timestamp) -> AuditEntry {
        AuditEntry {
            partner: self.scope.partner,
            entity: self.scope.entity,
            user: self.caller.user(),
            tag: None,
            kind,
            detail: subject.to_string(),
            at,
        }
    }
}
