//! Exports sessions that are in memory to a file or folder that the user names.

use std::path::Path;

use super::store::Store;
use crate::export::{Error, Format, Scope, Target};
use crate::report::count;

/// What is exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Export {
    pub(crate) format: Format,
    pub(crate) path: String,
    /// Sessions by their place in the store.
    pub(crate) sessions: Vec<usize>,
    pub(crate) show_secrets: bool,
}

/// What a path may be where nothing better is known: `s1.har`.
pub(crate) fn path(format: Format, store: &Store, sessions: &[usize]) -> String {
    let name = match sessions {
        [one] => store.sessions.get(*one).map(|opened| opened.row.key.clone()),
        _ => None,
    };
    let name = name.unwrap_or_else(|| "sessions".to_owned());
    match format {
        Format::Har => format!("{name}.har"),
        Format::Jsonl => format!("{name}.jsonl"),
        Format::Xml => format!("{name}-messages"),
    }
}

/// Writes an export; says what came of it, in a line. Nothing that is there is replaced.
pub(crate) fn write(export: &Export, store: &Store) -> String {
    match written(export, store) {
        Ok(said) => said,
        Err(error @ (Error::Exists(_) | Error::NotEmpty(_))) => {
            format!("{error}: nothing was written; choose another name")
        }
        Err(Error::Unwritable { name, source }) => format!("{name}: cannot be written: {source}"),
        Err(error) => error.to_string(),
    }
}

fn written(export: &Export, store: &Store) -> Result<String, Error> {
    let contents = export.sessions.iter().map(|session| store.content(*session));
    let Some(contents) = contents.collect::<Option<Vec<_>>>() else {
        return Ok("a session that is not in memory cannot be exported here; dmscope export can".to_owned());
    };
    let mut target = Target::open(export.format, Some(Path::new(export.path.trim())), false)?;
    let mut messages = 0;
    for session in &contents {
        let scope = Scope { session, paths: &store.names, wanted: &|_| true, show_secrets: export.show_secrets };
        messages += target.session(scope)?;
    }
    target.finish()?;
    let secrets = if export.show_secrets { "with all secrets" } else { "secrets masked" };
    let (messages, sessions) = (count(messages as u64, "message"), count(contents.len() as u64, "session"));
    Ok(format!("wrote {messages} of {sessions} to {}, {secrets}", export.path.trim()))
}
