//! The program: parses the command line, runs the command, and maps what came of it to an exit status.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use dmscope::cli::Cli;
use dmscope::config::Several;
use dmscope::{bug, commands, escape};

/// What one thread reads another judges and gives back. The allocator of the C library takes locks for that, on which two threads wait as
/// long as they work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Wrong usage, unreadable input, or an internal error.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    bug::keep_panics_quiet();
    // A panic is a bug of ours and must not look like findings.
    match bug::caught(|| commands::run(&cli)) {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(error)) if commands::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Ok(Err(error)) => match error.downcast_ref() {
            Some(Several(lines)) => lines.iter().fold(ExitCode::from(FAILED), |_, line| fail(line)),
            None => fail(&format!("{error:#}")),
        },
        Err(bug) => fail(&format!("internal error: {bug}")),
    }
}

fn fail(line: &str) -> ExitCode {
    // Nothing is left to do when standard error is gone too.
    let _ = writeln!(anstream::stderr(), "error: {}", escape::line(line));
    ExitCode::from(FAILED)
}
