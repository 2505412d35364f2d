//! Where records may be.

use kiungo::records::{DatabaseUrl, connect};
use rstest::rstest;

/// Addresses that make no sense are refused in plain words that do not repeat them.
#[rstest]
#[case("mysql://kiungo:hunter2@db/kiungo", "neither sqlite: nor postgres://")]
#[case("hunter2.db", "neither sqlite: nor postgres://")]
#[case("sqlite:", "name a file")]
#[case("sqlite::memory:", "name a file")]
#[case("sqlite:hunter2.db?mode=memory", "name a file")]
#[case("postgres:", "names no host")]
#[case("postgres:///hunter2", "names no host")]
#[case("postgres://db/hunter2", "names no user")]
#[case("postgres://:hunter2@db/kiungo", "names no user")]
#[case("postgres://kiungo:hunter2@db", "names no database")]
#[case("postgres://kiungo:hunter2@db/", "names no database")]
#[case("postgres://kiungo:hunter2@db/kiungo/more", "names no database")]
#[case("postgresql://kiungo:hunter2@db:port/kiungo", "is not a URL")]
#[case("postgres://kiungo:hunter2#3@db/kiungo", "is not a URL")]
#[case("postgres://kiungo:hunter2@db/kiungo#3", "not written %23")]
#[case("postgres://kiungo:hunter%ff2@db/kiungo", "not UTF-8")]
#[case("postgres://kiungo@db/kiungo?password=hunter2", "option other than")]
#[case("postgres://kiungo@db/kiungo?sslmode=hunter2", "sslmode other than")]
#[case("postgres://kiungo:hunter2@db/kiungo?sslmode=prefer", "sslmode other than")]
#[tokio::test]
async fn senseless_addresses_are_refused(#[case] url: &str, #[case] why: &str) {
    let error = connect(url).await.map(drop).unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

/// What an address may look like.
#[rstest]
#[case("sqlite:kiungo.db")]
#[case("sqlite:///var/lib/kiungo/kiungo.db")]
#[case("postgres://kiungo@db/kiungo")]
#[case("postgresql://kiungo:p%40ss%23@db.example.com:6543/kiungo?sslmode=verify-ca&sslrootcert=/etc/ca.pem")]
#[case("postgres://kiungo@[::1]/kiungo?sslmode=require&sslcert=/c.pem&sslkey=/k.pem")]
#[case("postgres://kiungo@%2Frun%2Fpostgresql/kiungo")]
fn sensible_addresses_are_taken(#[case] url: &str) {
    assert_eq!(DatabaseUrl::parse(url).err(), None, "{url}");
}
