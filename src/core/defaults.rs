//! Fields that say nothing and are left out of what is stored.

/// Whether a field has its default value, which a reader gives it when it is not there.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
