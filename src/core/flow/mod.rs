//! The conversation: a subscriber's state and an event, to the next state, a screen and effects. Total and pure: the
//! time, fresh ids and what is known elsewhere are all in the [`StepContext`].
//!
//! Where the person stands is a fact of the connect session (its [`Outcome`](crate::core::menu::Outcome) stage), not a saved
//! screen: a redial, a lost value or a late answer all come to the right screen by looking at the facts. The menu says what
//! each outcome looks like and what can be chosen there; this module says what choosing does.
//!
//! Everything that happens in one step happens on one value, the `Step`: the rules, the state, what surrounds it, and the
//! effects so far. The files depend on each other in one direction only; each names only files above it in this table.
//!
//! | file | what it holds |
//! |---|---|
//! | `terms.rs`, `partial_answer.rs`, `waiting.rs` | who asks for what; an answer that waits for the rest of its form; what a provider may lead to besides a form |
//! | `session.rs`, `turn_reply.rs`, `cursor.rs`, `state.rs` | one try at linking; the reply to a turn; what is on the screen; the value under one key |
//! | `rules.rs`, `offers.rs`, `context.rs`, `facts.rs`, `effect.rs` | the same for everybody; what can be linked, and what it is called; what surrounds a step; what the records know; what follows |
//! | `turn_context.rs` | what came, and in which dialog |
//! | `step.rs` | the step itself, and where an action leads |
//! | `wording.rs`, `languages.rs` | names and messages that belong to no screen; which languages are offered, and how one is chosen |
//! | `sms_proof.rs`, `sms_screens.rs` | what binds a person by SMS; what screens say by SMS |
//! | `dialogs.rs`, `sms.rs` | is this callback or SMS new, a repeat, late, or in a dialog that is not in charge? what differs by SMS |
//! | `turn.rs`, `reconcile.rs` | a person dialled or typed; what the records knew when they dialled |
//! | `long_unused.rs` | which links are not shown, as nobody has used them for long |
//! | `notices.rs`, `entry.rs`, `requesters.rs` | what is told at the beginning of a dial; where it begins; who asks, and for what |
//! | `field_value.rs`, `offered.rs` | what a typed line is as an answer; what need not be typed |
//! | `actions.rs`, `ways.rs`, `fields.rs`, `accounts.rs`, `links.rs`, `pin.rs` | what each action of the menu does |
//! | `bank_availability.rs`, `bank_back_alert.rs` | is the institution to be tried now? an SMS when it is back |
//! | `events.rs`, `attempt_results.rs` | an event from a provider, the records or the clock; what became of a submission |
//! | `forget.rs` | a partner has erased the person: what is this partner's goes |
//! | `off_phone.rs` | what goes on without the phone |
//! | `recovery.rs`, `handover.rs`, `reminder.rs` | the way back in: codes to dial, and the SMS after a dialog |
//! | `screen_args.rs`, `page.rs`, `hints.rs`, `view.rs` | what messages are filled in with; the note above a page; what stands below a text; the screen for a state |

mod accounts;
mod actions;
mod attempt_results;
mod bank_availability;
mod bank_back_alert;
mod context;
mod cursor;
pub mod dialogs;
mod effect;
mod entry;
pub mod events;
mod facts;
mod field_value;
mod fields;
pub mod forget;
pub mod handover;
mod hints;
mod languages;
mod links;
mod long_unused;
pub mod notices;
mod off_phone;
mod offered;
pub(crate) mod offers;
mod page;
pub(crate) mod partial_answer;
mod pin;
mod reconcile;
pub(crate) mod recovery;
pub mod reminder;
mod requesters;
mod rules;
mod screen_args;
mod screen_notice;
pub mod session;
pub mod sms;
pub mod sms_proof;
mod sms_screens;
pub mod state;
mod step;
pub mod stored;
pub mod terms;
mod turn;
pub mod turn_context;
mod turn_reply;
mod view;
pub mod waiting;
mod ways;
mod wording;

#[cfg(test)]
mod tests;

pub use context::{FreshIds, StepContext};
pub use effect::{BankAlertRequest, Effect, KeepSharing, MoreAccounts, OpenSession, ReminderSubject, Submit};
pub use events::{AttemptResult, BankAlertAnswer, KeepResult, MoreAccountsResult, OpenResult, SessionEvent};
pub use facts::{LinkOrigin, PendingAttempt, SubscriberFacts, UndoneLink};
pub use offers::{Offer, OfferList};
pub use rules::{Flow, FlowSettings, LEASE_MARGIN, ProviderRules};
pub use turn_context::Input;
pub use waiting::{AccountList, Waiting, WaitingFor};
