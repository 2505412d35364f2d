//! What each gateway sends and wants back, as tables: see [`kit`].

mod africastalking;
mod kit;
