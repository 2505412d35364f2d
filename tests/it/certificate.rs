//! The certificate of our own, over days of a made clock.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use kiungo::certificate::{CertificateFiles, ServerCertificate, WatchLog};

use crate::support::clock::ManualClock;
use crate::support::logs::Logs;
use crate::support::tls::Authority;

const DAY: Duration = Duration::from_hours(24);
/// From where a manual clock begins, in February, to a little after the year's end.
const YEARS_END: Duration = Duration::from_hours(332 * 24);

const ENDS: &str = "the certificate that is shown ends";
const NO_GOOD: &str = "cannot be used: the old certificate is still shown";
const IN_USE: &str = "the certificate's files have changed and are in use";

/// A certificate's last week is told once a day, and a renewal that is no good yet once; it is shown as soon as it is good,
/// though its files have not changed since.
#[test]
fn an_end_is_told_and_a_renewal_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let files = CertificateFiles {
        cert_file: dir.path().join("cert.pem"),
        key_file: dir.path().join("key.pem"),
    };
    let authority = Authority::new();
    let issue = |(cert, key): (String, String)| {
        fs::write(&files.cert_file, cert).unwrap();
        fs::write(&files.key_file, key).unwrap();
    };
    issue(authority.issue_pem("link.example.com", 2027));
    let logs = Logs::capture();
    let clock = Arc::new(ManualClock::default());
    let certificate = ServerCertificate::open(files.clone(), clock.clone()).unwrap();
    let mut told = WatchLog::default();
    // Each day the files are looked at several times.
    let mut day = || {
        for _ in 0..4 {
            certificate.look(&mut told);
        }
        clock.advance(DAY);
    };
    let count = |line: &str| logs.text().matches(line).count();

    day();
    assert_eq!(count(ENDS), 0, "{}", logs.text());
    clock.advance(YEARS_END.saturating_sub(6 * DAY));
    day();
    day();
    assert_eq!(count(ENDS), 2, "{}", logs.text());
    assert!(logs.text().contains("2027-01-01"));

    issue(authority.issue_pem_from("link.example.com", 2027, 2030));
    day();
    day();
    assert_eq!((count(NO_GOOD), count(IN_USE)), (1, 0), "{}", logs.text());
    for _ in 0..5 {
        day();
    }
    assert_eq!((count(NO_GOOD), count(IN_USE)), (1, 1), "{}", logs.text());
    let warned = count(ENDS);
    day();
    assert_eq!(count(ENDS), warned, "of the new one there is nothing to tell");
}
