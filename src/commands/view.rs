//! `dmscope view`: browses sessions in the terminal; without a terminal it prints the first screen, the summary.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Result;

use super::{Exit, reading, stdout};
use crate::cli;
use crate::config;
use crate::engine;
use crate::tui;

pub(super) fn run(options: &cli::View, color: cli::Color) -> Result<Exit> {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = match color {
        cli::Color::Auto => !no_color,
        cli::Color::Always => true,
        cli::Color::Never => false,
    };
    // What is printed is for a file, which may be read where there are colours.
    let look = tui::Config::load(options.theme.as_deref(), colours || options.print_config)?;
    if options.print_config {
        write!(stdout(), "{}", look.print())?;
        return Ok(Exit::Clean);
    }
    // Keys come from the terminal itself where standard input is what is read.
    let piped = options.reading.paths.iter().any(|path| path.as_os_str() == "-");
    let interactive = io::stdout().is_terminal() && (io::stdin().is_terminal() || piped);
    let follow = options.follow && interactive;
    let file = config::File::load(&options.reading.setup)?;
    let config = file.reading(&options.reading, follow)?;
    let inputs = reading::inputs(&config)?;
    let spool = interactive.then(engine::Spool::default);
    let selection = file.selection(&options.rules)?;
    let settings = tui::Settings {
        inputs: inputs.clone(),
        engine: engine::Settings { follow, spool, ..config.engine },
        filter: config.filter,
        suppressor: file.known_in(&file.known(&selection, options.ignores)?, &inputs),
        selection: file.for_inputs(&selection, &inputs),
        credentials: file.credentials(&options.secrets)?,
        show_secrets: options.show_secrets,
        config: look,
    };
    if interactive {
        tui::run(settings)?;
        return Ok(Exit::Clean);
    }
    let (text, any) = tui::report(settings)?;
    let mut out = stdout();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    if any { Ok(Exit::Clean) } else { reading::no_session(&inputs, &[]) }
}
