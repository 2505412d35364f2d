//! The `kiungo` program.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use kiungo::{cli, config};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything may use TLS. It fails only if one is installed already, which serves as well.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    cli::run(
        cli::Cli::parse(),
        &config::environment(),
        &mut io::stdout(),
        &mut io::stderr(),
    )
}
