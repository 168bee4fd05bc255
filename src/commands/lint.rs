//! `dmscope lint`: reads, judges, writes the reports.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::judge::Judge;
use super::{Exit, reading, stdout, width};
use crate::cli;
use crate::config::{self, Format, Output};
use crate::input;
use crate::report::stats::Stats;
use crate::report::{self, Lint, concise, json, text};

pub(super) fn run(options: &cli::Lint) -> Result<Exit> {
    let config = config::Lint::new(options)?;
    let started = Instant::now();
    // A directory without recordings is as empty as a recording without messages: reports are written all the same.
    let (inputs, nothing) = match reading::inputs(&config.reading) {
        Err(error @ input::Error::Nothing { .. }) => (Vec::new(), Some(error.to_string())),
        inputs => (inputs?, None),
    };
    let mut judge = Judge::new(&config.selection, &config.reading.engine.limits, config.show_secrets, config.stats);
    let read = reading::read(&inputs, &config.reading, &mut |session| {
        judge.session(&session);
    })?;
    let (lint, times) = judge.finish(&read);
    let text_options = text::Options { width: width(), quiet: config.reading.quiet, verbose: config.verbose };
    for output in &config.outputs {
        write(&lint, output, text_options)?;
    }
    if config.stats {
        let bytes = read.inputs.iter().map(|input| input.bytes).sum();
        let stats = Stats { bytes, elapsed: started.elapsed(), rules: times };
        report::stats::write(&lint, &stats, &mut anstream::stderr())?;
    }
    if lint.totals.messages == 0 {
        let line = nothing.unwrap_or_else(|| format!("no device-management message in {}", text::inputs(&lint.inputs)));
        let hint = if config.allow_empty { "" } else { "; --allow-empty makes this a success" };
        return reading::nothing_seen(&format!("{line}{hint}"), config.allow_empty);
    }
    let failed = lint.counts.worst().zip(config.fail_on).is_some_and(|(worst, level)| worst >= level);
    Ok(if failed { Exit::Findings } else { Exit::Clean })
}

/// Writes one report to its place.
fn write(lint: &Lint, output: &Output, options: text::Options) -> Result<()> {
    let Some(file) = &output.file else {
        let mut out = stdout();
        report(lint, output.format, options, &mut out)?;
        return Ok(out.flush()?);
    };
    let write = || -> io::Result<()> {
        let mut out = BufWriter::new(anstream::StripStream::new(File::create(file)?));
        report(lint, output.format, text::Options { width: None, ..options }, &mut out)?;
        out.flush()
    };
    write().with_context(|| format!("{}: cannot be written", file.display()))
}

fn report(lint: &Lint, format: Format, options: text::Options, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(lint, options, out),
        Format::Concise => concise::write(lint, out),
        Format::Json => json::write(lint, out),
        Format::JsonLines => json::write_lines(lint, out),
    }
}
