//! `dmscope view`: browses sessions in the terminal; without a terminal it prints what `sessions` and `lint` do.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Result;

use super::{Exit, lint, reading, stdout};
use crate::cli;
use crate::config;
use crate::tui;

pub(super) fn run(options: &cli::View, color: cli::Color) -> Result<Exit> {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = match color {
        cli::Color::Auto => !no_color,
        cli::Color::Always => true,
        cli::Color::Never => false,
    };
    let look = tui::Config::load(options.theme.as_deref(), colours)?;
    if options.print_config {
        write!(stdout(), "{}", look.print())?;
        return Ok(Exit::Clean);
    }
    if !(io::stdout().is_terminal() && io::stdin().is_terminal()) {
        return summary(options);
    }
    let config = config::Reading::new(&options.reading)?;
    let inputs = reading::inputs(&config)?;
    tui::run(tui::Settings {
        inputs,
        engine: config.engine,
        filter: config.filter,
        selection: config::selection(&options.rules)?,
        credentials: config::credentials(&options.secrets)?,
        show_secrets: options.show_secrets,
        config: look,
    })?;
    Ok(Exit::Clean)
}

/// What a pipe gets: the report of `lint`, which fails on nothing.
fn summary(options: &cli::View) -> Result<Exit> {
    lint::run(&cli::Lint {
        reading: options.reading.clone(),
        rules: options.rules.clone(),
        secrets: options.secrets.clone(),
        formats: Vec::new(),
        fail_on: cli::FailOn::Never,
        allow_empty: false,
        show_secrets: options.show_secrets,
        verbose: false,
        stats: false,
    })
}
