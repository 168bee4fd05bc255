//! Opens what the user named and runs it through the pipeline, with a sign of progress.

use std::io::Write as _;

use anyhow::Result;

use super::Exit;
use super::progress::Progress;
use crate::config;
use crate::engine;
use crate::escape;
use crate::http::Encrypted;
use crate::input::{self, Input};
use crate::session::Session;

/// The inputs that the paths name.
///
/// # Errors
/// The first path that cannot be used.
pub(super) fn inputs(reading: &config::Reading) -> Result<Vec<Input>, input::Error> {
    input::collect(&reading.paths, reading.kind)
}

/// Reads all inputs and hands on each session.
///
/// # Errors
/// An input that cannot be read.
pub(super) fn read(
    inputs: &[Input],
    reading: &config::Reading,
    each: &mut dyn FnMut(Session),
) -> Result<engine::Reading> {
    let sizes = inputs.iter().map(|input| std::fs::metadata(input.path.as_deref()?).ok().map(|meta| meta.len()));
    let mut progress = Progress::new(reading.quiet, sizes.sum());
    let read = engine::read(inputs, &reading.engine, each, &mut |done| progress.at(done));
    progress.finish();
    Ok(read?)
}

/// Says what is wrong with ourselves, and gives the exit that this asks for; `None` when nothing is.
///
/// # Errors
/// Standard error cannot be written.
pub(super) fn broken(bugs: &[String]) -> Result<Option<Exit>> {
    let mut stderr = anstream::stderr();
    bugs.iter().try_for_each(|bug| writeln!(stderr, "error: {bug}"))?;
    Ok((!bugs.is_empty()).then_some(Exit::Broken))
}

/// The exit of a command that saw nothing, with a line that says so.
///
/// # Errors
/// Standard error cannot be written.
pub(super) fn nothing_seen(line: &str, allowed: bool) -> Result<Exit> {
    let mut stderr = anstream::stderr();
    let line = escape::line(line);
    if allowed {
        writeln!(stderr, "note: {line}")?;
        return Ok(Exit::Clean);
    }
    writeln!(stderr, "error: {line}")?;
    Ok(Exit::NothingSeen)
}

/// The same for a command that is about sessions; they may be in connections that could not be decrypted.
///
/// # Errors
/// Standard error cannot be written.
pub(super) fn no_session(inputs: &[Input], encrypted: &[Encrypted]) -> Result<Exit> {
    let what = match inputs {
        [one] => one.name.clone(),
        many => format!("{} inputs", many.len()),
    };
    let sealed: u64 = encrypted.iter().map(|encrypted| encrypted.connections).sum();
    let why = match sealed {
        0 => String::new(),
        1 => "; one connection could not be decrypted: `dmscope lint` says why".to_owned(),
        many => format!("; {many} connections could not be decrypted: `dmscope lint` says why"),
    };
    nothing_seen(&format!("no device-management session in {what}{why}"), false)
}
