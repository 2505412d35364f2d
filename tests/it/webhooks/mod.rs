//! Webhooks to partners: to public addresses only.

mod guard;
