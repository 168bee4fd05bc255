//! `dmscope show`: the messages of sessions.

use std::io::Write as _;

use anyhow::{Result, bail};

use super::wanted::{Filtering, is_named};
use super::{Exit, reading, stdout};
use crate::cli;
use crate::config;
use crate::credentials::Credentials;
use crate::report::show::{self, Form, Options};
use crate::session::Session;

pub(super) fn run(options: &cli::Show) -> Result<Exit> {
    let file = config::File::load(&options.reading.setup)?;
    let config = file.reading(&options.reading, false)?;
    let inputs = reading::inputs(&config)?;
    let paths: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
    let wanted = Options {
        form: form(options.form),
        message: options.message.map(|number| number as usize - 1),
        show_secrets: options.show_secrets,
    };
    let mut out = stdout();
    let selection = file.for_inputs(&file.selection_for(None)?, &inputs);
    let judge = Filtering::new(&config, &selection, Credentials::default());
    let (mut seen, mut shown, mut written) = (0, 0, Ok(()));
    let read = reading::read(&inputs, &config, &mut |session| {
        seen += 1;
        let messages = judge.messages(&session);
        let some = messages.iter().any(|wanted| *wanted);
        if written.is_ok() && some && is_wanted(&session, options) {
            let wanted_message = |index: usize| messages.get(index).copied().unwrap_or(true);
            shown += 1;
            let between = if shown > 1 { writeln!(out) } else { Ok(()) };
            written = between.and_then(|()| show::write(&session, &paths, wanted, &wanted_message, &mut out));
        }
    })?;
    written?;
    if wanted.form == Form::Tls && options.session.is_none() {
        for encrypted in &read.encrypted {
            shown += 1;
            seen += 1;
            show::write_connection(&encrypted.connection, &mut out)?;
        }
    }
    out.flush()?;
    match (seen, shown, &options.session, options.message) {
        (0, ..) => reading::no_session(&inputs, &read.encrypted),
        (_, 0, ..) if config.filter.is_some() => bail!("no message for which the filter holds"),
        (_, 0, Some(key), None) => bail!("there is no session {key:?}; `dmscope sessions` lists them"),
        (_, 0, Some(key), Some(number)) => bail!("there is no message {number} in a session {key:?}"),
        (_, 0, None, Some(number)) => bail!("no session has a message {number}"),
        _ => Ok(Exit::Clean),
    }
}

fn is_wanted(session: &Session, options: &cli::Show) -> bool {
    let named = options.session.as_ref().is_none_or(|name| is_named(session, name));
    named && options.message.is_none_or(|number| session.messages.len() >= number as usize)
}

fn form(form: cli::Form) -> Form {
    match form {
        cli::Form::Xml => Form::Xml,
        cli::Form::Tree => Form::Tree,
        cli::Form::Hex => Form::Hex,
        cli::Form::Http => Form::Http,
        cli::Form::Tls => Form::Tls,
    }
}
