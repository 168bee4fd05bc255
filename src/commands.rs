//! One function for each command: reads, judges, hands to `report`, and says how it ended.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::CommandFactory as _;

use crate::cli::{self, Cli, Command};
use crate::config;
use crate::report;
use crate::rules;

#[cfg(feature = "live")]
mod capture;
mod decode;
mod diagnose;
mod diff;
mod export;
mod judge;
mod known;
mod lint;
mod man;
mod notification;
mod own;
mod progress;
mod reading;
mod record;
mod sessions;
mod show;
mod view;
mod wanted;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing at or above the level that fails.
    Clean,
    /// Findings.
    Findings,
    /// The inputs hold no device-management message at all.
    NothingSeen,
    /// A part of the program failed; what was found besides was reported.
    Broken,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Broken => 2,
            Exit::NothingSeen => 3,
        })
    }
}

/// Does what the command line says.
///
/// # Errors
/// Wrong usage, an input that cannot be read, an output that cannot be written: exit status 2. Also a closed pipe, which
/// is no failure: see [`is_closed_pipe`].
pub fn run(cli: &Cli) -> Result<Exit> {
    match cli.color {
        cli::Color::Auto => {}
        cli::Color::Always => anstream::ColorChoice::Always.write_global(),
        cli::Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    let result = match &cli.command {
        Command::Lint(options) => lint::run(options),
        Command::Sessions(options) => sessions::run(options),
        Command::Show(options) => show::run(options),
        Command::View(options) => view::run(options, cli.color),
        Command::Decode(options) => decode::run(options),
        Command::Diagnose(options) => diagnose::run(options),
        Command::Diff(options) => diff::run(options),
        Command::Export(options) => export::run(options),
        #[cfg(feature = "live")]
        Command::Capture(options) => capture::run(options),
        Command::Explain(options) => explain(options),
        Command::Rules(options) => list_rules(options),
        Command::Completions { shell } => completions(*shell),
        Command::Man => manual(),
    };
    match result {
        // A directory without recordings is as empty as a recording without messages.
        Err(error) if is_nothing(&error) => reading::nothing_seen(&error.to_string(), false),
        result => result,
    }
}

fn is_nothing(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(crate::input::Error::Nothing { .. }))
}

/// Whether an error is that nobody reads the output any more.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let closed = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(closed)
}

/// Standard output, buffered; colours are stripped where they do not belong.
fn stdout() -> BufWriter<impl Write> {
    BufWriter::new(anstream::stdout().lock())
}

/// Width of the terminal; `None` when standard output is none.
fn width() -> Option<usize> {
    use std::io::IsTerminal as _;
    let stdout = io::stdout();
    let size = stdout.is_terminal().then(|| terminal_size::terminal_size_of(&stdout)).flatten();
    size.map(|(width, _)| usize::from(width.0))
}

fn explain(options: &cli::Explain) -> Result<Exit> {
    let (word, file) = (&options.rule, config::File::load(&options.setup)?);
    let all = || rules::ALL.iter().chain(file.own().iter().copied());
    let named: Vec<&rules::Rule> = all().filter(|rule| rules::select::is_named(rule, word)).collect();
    let mut out = stdout();
    match (named.as_slice(), options.format) {
        ([], _) => bail!("{}; `dmscope rules` lists them all", rules::select::unknown(word, all())),
        ([rule], cli::PageFormat::Text) => report::explain::text(rule, width(), &mut out)?,
        ([rule], cli::PageFormat::Markdown) => report::explain::markdown(rule, &mut out)?,
        (family, _) => report::rules::text(family, &mut out)?,
    }
    out.flush()?;
    Ok(Exit::Clean)
}

fn list_rules(options: &cli::Rules) -> Result<Exit> {
    if let Some(command) = &options.command {
        return own::run(command);
    }
    let file = config::File::load(&options.setup)?;
    let all: Vec<&rules::Rule> = rules::ALL.iter().chain(file.own().iter().copied()).collect();
    let mut out = stdout();
    match options.format {
        cli::RulesFormat::Text => report::rules::text(&all, &mut out)?,
        cli::RulesFormat::Json => report::json::write_rules(&all, &mut out)?,
        cli::RulesFormat::Markdown => report::rules::markdown(&all, &mut out)?,
    }
    out.flush()?;
    Ok(Exit::Clean)
}

fn completions(shell: clap_complete::Shell) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dmscope", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Clean)
}

fn manual() -> Result<Exit> {
    let mut page = Vec::new();
    man::write(&mut page)?;
    io::stdout().write_all(&page)?;
    Ok(Exit::Clean)
}
