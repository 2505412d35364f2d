//! The `kiungo` program.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use kiungo::app::limits;
use kiungo::{cli, config};
use mimalloc::MiMalloc;
use zeroizing_alloc::ZeroAlloc;

/// Wipes memory when it is freed. What people type passes through libraries (the web server, the HTTP client, JSON) whose
/// buffers we cannot wipe; our own are wiped where they are owned.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<MiMalloc> = ZeroAlloc(MiMalloc);

fn main() -> ExitCode {
    limits::forbid_core_files();
    limits::raise_open_files();
    // Before anything uses TLS. Fails only if a provider is already installed, which is just as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    cli::run(
        cli::Cli::parse(),
        &config::environment_variables(),
        &mut io::stdout(),
        &mut io::stderr(),
    )
}
