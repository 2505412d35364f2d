//! What a session id in an account means.

/// What the session is that an account of a provider says it was linked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionMeaning {
    /// The one that was opened for it: an account of another one is not what was linked.
    Published,
    /// Nobody says. Where it was the one that was opened, it was linked in it; another one means something only after the
    /// right one was seen, at the same keys.
    Unpublished,
}
