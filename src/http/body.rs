//! Reads request bodies, bounded in length and time.
//!
//! If a handler leaves a body unread, the server closes the connection after the answer, while gateways keep theirs open for
//! thousands of callbacks. So every path reads the body to its end, within reason.

use std::time::Duration;

use actix_web::web::Payload;
use futures_util::StreamExt;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// How much of a body that is too long is still read, so that the peer can read our answer.
const MAX_DRAINED_BYTES: usize = 1024 * 1024;

/// The whole body, or `None` if it is longer than `most` bytes, does not end in time, or breaks off. It is wiped when
/// dropped; the connection's own buffer, of which the chunks are parts, belongs to the web server.
pub(super) async fn read(mut payload: Payload, most: usize, within: Duration) -> Option<Zeroizing<Vec<u8>>> {
    let whole = async {
        let mut chunks = Vec::new();
        let mut length = 0_usize;
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.ok()?;
            length = length.saturating_add(chunk.len());
            if length <= most {
                chunks.push(chunk);
            } else if length > most.max(MAX_DRAINED_BYTES) {
                return None;
            }
        }
        // Concatenated once, at its length: a growing buffer would leave copies behind.
        (length <= most).then(|| Zeroizing::new(chunks.concat()))
    };
    timeout(within, whole).await.ok().flatten()
}

/// Reads and discards a body.
pub(super) async fn drain(payload: Payload) {
    read(payload, 0, Duration::from_secs(2)).await;
}
