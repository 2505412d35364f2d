//! SMS: sending them, and what gateways report of them.
//!
//! An SMS is a row before it is anything else, written with the job that sends it in one transaction with the fact it
//! tells, or in one of its own. So nobody waits for a gateway: anyone who wants to send an SMS writes it and goes on.
//!
//! ```text
//!  QUEUED ─▶ SENDING ─▶ ACCEPTED ─▶ SENT ─▶ DELIVERED | FAILED        by reports, in any order
//!    │  ▲       │ │ └──▶ FAILED       refused for good
//!    │  └───────┘ └────▶ UNKNOWN     no answer: it may have been sent, so it is never sent again
//!    │   provably not sent
//!    └──▶ WITHHELD    the person opted out, had too many today, has no route to their country, or it has come too late
//! ```
//!
//! SENDING is written before the first byte leaves. A server that dies there leaves an SMS that may have been sent, and
//! the next one to look marks it UNKNOWN. With an SMS too few, the next dialog tells the person; an SMS too many costs
//! money and trust. Reports of an SMS that nobody knows yet are kept for a day: they may overtake the answer to the send.
//!
//! What people send is received once, by the gateway's id of it, together with everything that follows from it
//! (`service/sms_inbox.rs`).

mod draft;
pub mod invitations;
pub mod outbox;
pub mod proof;
pub mod routes;
