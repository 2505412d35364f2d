//! The `kiungo` program.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use kiungo::{cli, config};
use mimalloc::MiMalloc;
use zeroizing_alloc::ZeroAlloc;

/// Wipes memory when it is freed. What people type passes through libraries (the web server, the HTTP client, JSON) whose
/// buffers are not ours to wipe; ours are wiped where they are owned, whatever the program they are used in.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<MiMalloc> = ZeroAlloc(MiMalloc);

fn main() -> ExitCode {
    // Before anything may use TLS. It fails only if one is installed already, which serves as well.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    cli::run(
        cli::Cli::parse(),
        &config::environment_variables(),
        &mut io::stdout(),
        &mut io::stderr(),
    )
}
