//! `dmscope lint`: reads, judges, writes the reports.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::judge::Judge;
use super::record::Judged;
use super::{Exit, known, reading, stdout, width};
use crate::cli;
use crate::config::{self, Format, Output};
use crate::engine;
use crate::input;
use crate::report::stats::Stats;
use crate::report::{self, Lint, concise, github, gitlab, json, junit, markdown, sarif, text};
use crate::suppress::State;

pub(super) fn run(options: &cli::Lint) -> Result<Exit> {
    if options.show_config {
        let mut out = stdout();
        out.write_all(config::Lint::show(options)?.as_bytes())?;
        out.flush()?;
        return Ok(Exit::Clean);
    }
    with(&config::Lint::new(options)?)
}

fn with(config: &config::Lint) -> Result<Exit> {
    let started = Instant::now();
    // A directory without recordings is as empty as a recording without messages: reports are written all the same.
    let (inputs, nothing) = match reading::inputs(&config.reading) {
        Err(error @ input::Error::Nothing { .. }) => (Vec::new(), Some(error.to_string())),
        inputs => (inputs?, None),
    };
    let limits = &config.reading.engine.limits;
    let selection = config.file.for_inputs(&config.selection, &inputs);
    let tells_tls = |output: &Output| matches!(output.format, Format::Json | Format::JsonLines);
    let judge = Judge::new(&selection, limits, config.show_secrets, config.stats)
        .with_tls(config.outputs.iter().any(tells_tls))
        .with_credentials(config.credentials.clone())
        .with_suppressor(config.file.known_in(&config.suppressor, &inputs))
        .with_filter(config.reading.filter.clone());
    let (judged, read) =
        judge.all(config.reading.engine.threads, |each| reading::read(&inputs, &config.reading, each))?;
    let Judged { mut lint, ledger, times, clock, bugs } = judged;
    if config.prunes() {
        lint.suppressions.retain(|entry| entry.state != State::Stale);
    }
    if config.outputs.iter().any(|output| output.format == Format::Sarif) {
        lint.extents = engine::extents(&inputs, &config.reading.engine, &lint.units());
    }
    let text_options = text::Options { width: width(), quiet: config.reading.quiet, verbose: config.verbose };
    for output in &config.outputs {
        write(&lint, output, text_options)?;
    }
    if config.stats {
        let bytes = read.inputs.iter().map(|input| input.bytes).sum();
        let threads = config.reading.engine.threads;
        let stats = Stats { bytes, elapsed: started.elapsed(), threads, clock, rules: times };
        report::stats::write(&lint, &stats, &mut anstream::stderr())?;
    }
    if !config.reading.quiet {
        known::warn(&lint)?;
    }
    if let Some(exit) = reading::broken(&bugs)? {
        return Ok(exit);
    }
    if lint.totals.messages == 0 {
        let line = nothing.unwrap_or_else(|| format!("no device-management message in {}", text::inputs(&lint.inputs)));
        let hint = if config.allow_empty { "" } else { "; --allow-empty makes this a success" };
        return reading::nothing_seen(&format!("{line}{hint}"), config.allow_empty);
    }
    if let Some(baseline) = config.baseline.as_ref().filter(|baseline| baseline.adds || baseline.prunes) {
        known::update(baseline, &ledger, &|rule| judge.runner.reports(rule), config.reading.quiet)?;
    }
    let stale = known::stale(&lint, config.allow_stale || config.fail_on.is_none())?;
    let failed = lint.counts.worst().zip(config.fail_on).is_some_and(|(worst, level)| worst >= level);
    Ok(if failed || stale { Exit::Findings } else { Exit::Clean })
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
        Format::Sarif => sarif::write(lint, out),
        Format::Junit => junit::write(lint, out),
        Format::Github => github::write(lint, out),
        Format::Gitlab => gitlab::write(lint, out),
        Format::Markdown => markdown::write(lint, out),
    }
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::rules::finding::Place;
    use crate::rules::select::Selection;
    use crate::rules::{Check, Profile, Rule, Severity};

    static PANICS: Rule = Rule::of_test(
        "DM-TST-001",
        Severity::Info,
        &[],
        Check::Message(|cx, out| {
            out.report(Place::Message(cx.index), "said before the panic");
            assert!(cx.index % 2 == 1, "a rule with a bug");
        }),
    );
    static SOUND: Rule = Rule::of_test(
        "DM-TST-002",
        Severity::Info,
        &[],
        Check::Message(|cx, out| {
            out.report(Place::Message(cx.index), "said by another rule");
        }),
    );

    #[test]
    fn a_rule_that_panics_costs_its_own_findings_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/clean.pcap");
        let cli = Cli::try_parse_from(["dmscope", "lint", "--format", &format!("json={}", path.display()), sample]);
        let Command::Lint(options) = cli.unwrap().command else { unreachable!() };
        let mut config = config::Lint::new(&options).unwrap();
        let chosen = [(&PANICS, Some(Severity::Info)), (&SOUND, Some(Severity::Info))];
        config.selection = Selection::custom(Profile::Windows, &chosen);
        assert_eq!(with(&config).unwrap(), Exit::Broken);
        let report = std::fs::read_to_string(&path).unwrap();
        assert_eq!(report.matches("said before the panic").count(), 6);
        assert_eq!(report.matches("said by another rule").count(), 6);
        assert_eq!(ExitCode::from(Exit::Broken), ExitCode::from(2));
    }
}
