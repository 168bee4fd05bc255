//! `dmscope export`: sessions for other tools.
//!
//! A file comes into its place when it is whole: until then it has `.part` behind its name, and is taken away where it
//! cannot be finished.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::wanted::{Filtering, is_named};
use super::{Exit, reading};
use crate::cli::{self, ExportKind};
use crate::config;
use crate::export::{Folder, Har, Lines, Scope};

pub(super) fn run(options: &cli::Export) -> Result<Exit> {
    let config = config::Reading::new(&options.reading)?;
    let credentials = config::credentials(&options.secrets)?;
    let inputs = reading::inputs(&config)?;
    let paths: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
    let filtering = Filtering::new(&config, credentials);
    let mut target = Target::open(options)?;
    let (mut seen, mut sessions, mut messages, mut failed) = (0usize, 0usize, 0usize, None);
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
    });
    read?;
    if let Some(error) = failed {
        return Err(error).with_context(|| unwritable(options));
    }
    match (seen, sessions, &options.session) {
        (0, ..) => return reading::no_session(&inputs),
        (_, 0, Some(key)) if config.filter.is_none() => {
            bail!("there is no session {key:?}; `dmscope sessions` lists them")
        }
        (_, 0, _) => bail!("no message for which the filter holds"),
        _ => {}
    }
    target.finish().with_context(|| unwritable(options))?;
    if let Some(out) = options.out.as_ref().filter(|_| !config.quiet) {
        let secrets = if options.show_secrets { "with all secrets" } else { "secrets masked" };
        let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
        let (messages, sessions) = (count(messages, "message"), count(sessions, "session"));
        writeln!(anstream::stderr(), "{}: {messages} of {sessions}, {secrets}", out.display())?;
    }
    Ok(Exit::Clean)
}

fn unwritable(options: &cli::Export) -> String {
    match &options.out {
        Some(path) => format!("{}: cannot be written", path.display()),
        None => "standard output cannot be written".to_owned(),
    }
}

/// Where an export goes, in its format.
enum Target {
    Har(Har<Out>),
    Lines(Lines<Out>),
    Folder(Folder),
}

impl Target {
    fn open(options: &cli::Export) -> Result<Target> {
        let out = || Out::open(options.out.as_deref(), options.force);
        Ok(match options.to {
            ExportKind::Har => Target::Har(Har::new(out()?)?),
            ExportKind::Jsonl => Target::Lines(Lines::new(out()?)),
            ExportKind::Xml => {
                let Some(path) = options.out.as_deref().filter(|path| path.as_os_str() != "-") else {
                    bail!("--to xml writes a folder: name it with --out DIR");
                };
                let folder = Folder::new(path, options.force).map_err(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => {
                        anyhow::anyhow!(
                            "--out {}: the folder is not empty; --force replaces files in it",
                            path.display()
                        )
                    }
                    _ => anyhow::Error::from(error).context(unwritable(options)),
                })?;
                Target::Folder(folder)
            }
        })
    }

    fn session(&mut self, scope: Scope<'_>) -> io::Result<usize> {
        match self {
            Target::Har(har) => har.session(scope),
            Target::Lines(lines) => lines.session(scope),
            Target::Folder(folder) => folder.session(scope),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Target::Har(har) => har.finish()?.keep(),
            Target::Lines(lines) => lines.finish()?.keep(),
            Target::Folder(folder) => folder.finish(),
        }
    }
}

/// Standard output, or a file that comes into its place at the end.
enum Out {
    Stdout(BufWriter<io::StdoutLock<'static>>),
    File { to: BufWriter<File>, part: Part },
}

/// A file that is not whole yet.
struct Part {
    path: PathBuf,
    place: PathBuf,
    kept: bool,
}

impl Out {
    fn open(path: Option<&Path>, replace: bool) -> Result<Out> {
        let Some(place) = path.filter(|path| path.as_os_str() != "-") else {
            return Ok(Out::Stdout(BufWriter::new(io::stdout().lock())));
        };
        if place.is_dir() {
            bail!("--out {}: this is a folder; name a file", place.display());
        }
        if place.exists() && !replace {
            bail!("--out {}: the file exists; --force replaces it", place.display());
        }
        // Into a pipe or a device one writes as it is.
        let special = fs::metadata(place).is_ok_and(|meta| !meta.is_file());
        let mut name = place.as_os_str().to_owned();
        if !special {
            name.push(".part");
        }
        let path = PathBuf::from(name);
        let file = File::create(&path).with_context(|| format!("{}: cannot be written", place.display()))?;
        let part = Part { path, place: place.to_owned(), kept: special };
        Ok(Out::File { to: BufWriter::new(file), part })
    }

    fn keep(self) -> io::Result<()> {
        match self {
            Out::Stdout(mut out) => out.flush(),
            Out::File { mut to, mut part } => {
                to.flush()?;
                if !part.kept {
                    fs::rename(&part.path, &part.place)?;
                    part.kept = true;
                }
                Ok(())
            }
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            // There is nobody to tell that it cannot be taken away.
            drop(fs::remove_file(&self.path));
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Out::Stdout(out) => out.write(bytes),
            Out::File { to, .. } => to.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Out::Stdout(out) => out.flush(),
            Out::File { to, .. } => to.flush(),
        }
    }
}
