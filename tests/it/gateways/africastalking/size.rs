//! The cost of parsing large requests.

use std::time::{Duration, Instant};

use kiungo::gateways::{RawRequest, UssdGateway};

use super::HEAD;
use crate::gateways::kit;

/// A text of this many bytes that repeats `piece`.
fn body(piece: &str, bytes: usize) -> Vec<u8> {
    let text = piece.repeat(bytes / piece.len());
    [HEAD.as_bytes(), text.as_bytes()].concat()
}

/// How long parsing this takes, once.
fn reading(gateway: &dyn UssdGateway, body: &[u8]) -> Duration {
    let request = RawRequest {
        method: "POST",
        tail: "",
        query: b"",
        headers: &[],
        body,
        country: "KE",
    };
    let began = Instant::now();
    // Whether it is accepted is tested in the tables.
    let _ = std::hint::black_box(gateway.parse(std::hint::black_box(&request)));
    began.elapsed()
}

/// However a text is made up: 16 KiB are read in less than 50 ms, and eight times as much takes some eight times as long,
/// not sixty-four times. Of many tries in turn the quickest count: what else the machine does only ever adds. (G16)
#[test]
fn reading_takes_time_linear_in_the_text() {
    const KIB: usize = 1024;
    let gateway = kit::gateway("africastalking");
    for piece in [
        "x",
        "*",
        "1*",
        "%2A",
        "%78",
        "%FF",
        "+",
        "\u{1ecd}",
        "&text=1",
        "&a=1",
        "&phoneNumber=0",
        "=",
        "%",
    ] {
        let bodies = [8 * KIB, 16 * KIB, 64 * KIB].map(|bytes| body(piece, bytes));
        let mut quickest = [Duration::MAX; 3];
        for _ in 0..40 {
            for (quickest, body) in quickest.iter_mut().zip(&bodies) {
                *quickest = reading(&*gateway, body).min(*quickest);
            }
        }
        let [small, usual, large] = quickest;
        assert!(usual < Duration::from_millis(50), "{piece:?}: {usual:?}");
        // There is nothing to tell where even the large one takes next to no time.
        let most = small.max(Duration::from_micros(20)) * 24;
        assert!(large < most, "{piece:?}: {small:?}, then {large:?}");
    }
}
