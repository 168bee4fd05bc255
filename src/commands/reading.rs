//! Opens what the user named and runs it through the pipeline, with a sign of progress.

use std::io::Write as _;

use anyhow::Result;

use super::Exit;
use super::progress::Progress;
use crate::config;
use crate::engine;
use crate::escape;
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
    quiet: bool,
    each: &mut dyn FnMut(Session),
) -> Result<engine::Reading> {
    let sizes = inputs.iter().map(|input| std::fs::metadata(input.path.as_deref()?).ok().map(|meta| meta.len()));
    let mut progress = Progress::new(quiet, sizes.sum());
    let read = engine::read(inputs, &reading.engine, each, &mut |done| progress.at(done));
    progress.finish();
    Ok(read?)
}

/// Says that there was no session in the inputs.
pub(super) fn nothing(inputs: &[Input]) -> Result<Exit> {
    let what = match inputs {
        [one] => one.name.clone(),
        many => format!("{} inputs", many.len()),
    };
    writeln!(anstream::stderr(), "error: no device-management session in {}", escape::line(&what))?;
    Ok(Exit::NothingSeen)
}
