//! The address of a PostgreSQL server.
//!
//! The library reads addresses, too, but logs every option that it does not know, with its value, and where something
//! is left out it looks into the environment and into files. So the address is read here: whatever it does not understand is
//! a fault, and what it leaves out has a default that is written here. (The variables `PGOPTIONS`, `PGSSLCERT` and
//! `PGSSLKEY` still count, as for every program that speaks to PostgreSQL: the library leaves no way round them.)

use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::{Host, Url};

type Read<T> = Result<T, &'static str>;

/// The port of servers whose address does not say.
const PORT: u16 = 5432;

/// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=MODE`. A host that begins with `%2F` is the folder of a
/// Unix socket.
///
/// # Errors
/// With what is wrong with it, to follow the name of what holds it.
pub(in crate::records) fn options(url: &str) -> Read<PgConnectOptions> {
    let url = Url::parse(url)
        .map_err(|_| "is not a URL: in names and passwords, other signs than letters and digits are written %XX")?;
    if url.fragment().is_some() {
        return Err("holds a # that is not written %23");
    }
    let host = match url.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(host) => decoded(&host.to_string())?,
        None => return Err("names no host"),
    };
    let user = decoded(url.username())?;
    let database = decoded(url.path().trim_start_matches('/'))?;
    if user.is_empty() {
        return Err("names no user");
    }
    if database.is_empty() || database.contains('/') {
        return Err("names no database");
    }
    // Without a password, an empty one: else the library would look for one elsewhere.
    let password = decoded(url.password().unwrap_or_default())?;
    let options = PgConnectOptions::new_without_pgpass()
        .port(url.port().unwrap_or(PORT))
        .username(&user)
        .password(&password)
        .database(&database)
        .ssl_mode(if is_here(&host) {
            PgSslMode::Disable
        } else {
            PgSslMode::VerifyFull
        })
        // None but those that the address names.
        .ssl_root_cert_from_pem(Vec::new());
    let options = if host.starts_with('/') {
        options.socket(&host)
    } else {
        options.host(&host)
    };
    url.query_pairs()
        .try_fold(options, |options, (key, value)| match &*key {
            "sslmode" => Ok(options.ssl_mode(mode(&value)?)),
            "sslrootcert" => Ok(options.ssl_root_cert(&*value)),
            "sslcert" => Ok(options.ssl_client_cert(&*value)),
            "sslkey" => Ok(options.ssl_client_key(&*value)),
            _ => Err("has an option other than sslmode, sslrootcert, sslcert and sslkey"),
        })
}

/// Modes that quietly go without encryption when somebody on the way wants them to are not to be had.
fn mode(word: &str) -> Read<PgSslMode> {
    match word {
        "disable" => Ok(PgSslMode::Disable),
        "require" => Ok(PgSslMode::Require),
        "verify-ca" => Ok(PgSslMode::VerifyCa),
        "verify-full" => Ok(PgSslMode::VerifyFull),
        _ => Err("has an sslmode other than disable, require, verify-ca and verify-full"),
    }
}

/// Whether what goes to this host stays on this machine.
fn is_here(host: &str) -> bool {
    let loopback = |address: IpAddr| address.is_loopback();
    host == "localhost" || host.starts_with('/') || host.parse().is_ok_and(loopback)
}

fn decoded(part: &str) -> Read<String> {
    let text = percent_decode_str(part).decode_utf8();
    text.map(String::from).map_err(|_| "holds bytes that are not UTF-8")
}
