//! Africa's Talking.
