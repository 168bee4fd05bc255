//! `dmscope sessions`: one row a session.

use std::io::Write as _;

use anyhow::Result;

use super::judge::Judge;
use super::record::Judged;
use super::{Exit, reading, stdout, width};
use crate::cli;
use crate::config;
use crate::report::{json, sessions, text};

pub(super) fn run(options: &cli::Sessions) -> Result<Exit> {
    let file = config::File::load(&options.reading.setup)?;
    let config = file.reading(&options.reading, false)?;
    let inputs = reading::inputs(&config)?;
    let selection = file.for_inputs(&file.selection_for(options.profile)?, &inputs);
    let credentials = file.credentials(&options.secrets)?;
    let judge = Judge::new(&selection, &config.engine.limits, false, false)
        .with_tls(true)
        .with_credentials(credentials)
        .with_suppressor(file.known_in(&file.known(&selection, options.ignores)?, &inputs))
        .with_filter(config.filter.clone());
    let (judged, read) = judge.all(config.engine.threads, |each| reading::read(&inputs, &config, each))?;
    let Judged { lint, bugs, .. } = judged;
    let mut out = stdout();
    match options.format {
        cli::TableFormat::Json => json::write_sessions(&lint, &mut out)?,
        cli::TableFormat::Text => {
            if !lint.sessions.is_empty() {
                sessions::text(&lint.sessions, width(), &mut out)?;
                sessions::over_tls(&lint.sessions, &mut out)?;
            }
            text::unread(&lint, &mut out)?;
        }
    }
    out.flush()?;
    if let Some(exit) = reading::broken(&bugs)? {
        return Ok(exit);
    }
    if lint.sessions.is_empty() { reading::no_session(&inputs, &read.encrypted) } else { Ok(Exit::Clean) }
}
