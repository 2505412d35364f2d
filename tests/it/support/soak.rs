//! Numbers that are small in every run and large in `make soak`, which sets `KIUNGO_SOAK`.

use std::env::var_os;

/// The number to use in this run.
pub fn number<N>(small: N, large: N) -> N {
    if var_os("KIUNGO_SOAK").is_some() { large } else { small }
}
