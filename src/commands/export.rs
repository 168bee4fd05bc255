//! `dmscope export`: sessions for other tools.

use std::io::Write as _;

use anyhow::{Result, anyhow, bail};

use super::wanted::{Filtering, is_named};
use super::{Exit, reading};
use crate::cli::{self, ExportKind};
use crate::config;
use crate::export::{Error, Format, Scope, Target};
use crate::report::count;

pub(super) fn run(options: &cli::Export) -> Result<Exit> {
    let file = config::File::load(&options.reading.setup)?;
    let config = file.reading(&options.reading, false)?;
    let credentials = file.credentials(&options.secrets)?;
    let inputs = reading::inputs(&config)?;
    let paths: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
    let selection = file.for_inputs(&file.selection_for(None)?, &inputs);
    let filtering = Filtering::new(&config, &selection, credentials);
    let mut target = Target::open(format(options.to), options.out.as_deref(), options.force).map_err(hint)?;
    let (mut seen, mut sessions, mut messages, mut failed) = (0u64, 0u64, 0usize, None);
    let read = reading::read(&inputs, &config, &mut |session| {
        seen += 1;
        let named = options.session.as_ref().is_none_or(|name| is_named(&session, name));
        let wanted = filtering.messages(&session);
        if failed.is_some() || !named || !wanted.contains(&true) {
            return;
        }
        let wanted = |index: usize| wanted.get(index).copied().unwrap_or(true);
        let scope = Scope { session: &session, paths: &paths, wanted: &wanted, show_secrets: options.show_secrets };
        match target.session(scope) {
            Ok(written) => {
                sessions += 1;
                messages += written;
            }
            Err(error) => failed = Some(error),
        }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    match (seen, sessions, &options.session) {
        (0, ..) => return reading::no_session(&inputs, &read.encrypted),
        (_, 0, Some(key)) if config.filter.is_none() => {
            bail!("there is no session {key:?}; `dmscope sessions` lists them")
        }
        (_, 0, _) => bail!("no message for which the filter holds"),
        _ => {}
    }
    target.finish()?;
    if let Some(out) = options.out.as_ref().filter(|_| !config.quiet) {
        let secrets = if options.show_secrets { "with all secrets" } else { "secrets masked" };
        let (messages, sessions) = (count(messages as u64, "message"), count(sessions, "session"));
        writeln!(anstream::stderr(), "{}: {messages} of {sessions}, {secrets}", out.display())?;
    }
    Ok(Exit::Clean)
}

fn format(kind: ExportKind) -> Format {
    match kind {
        ExportKind::Har => Format::Har,
        ExportKind::Xml => Format::Xml,
        ExportKind::Jsonl => Format::Jsonl,
    }
}

/// The same with the option that helps.
fn hint(error: Error) -> anyhow::Error {
    match error {
        Error::NoFolder => anyhow!("--to xml writes a folder: name it with --out DIR"),
        Error::IsFolder(_) => anyhow!("--out {error}"),
        Error::Exists(_) => anyhow!("--out {error}; --force replaces it"),
        Error::NotEmpty(_) => anyhow!("--out {error}; --force replaces files in it"),
        _ => error.into(),
    }
}
