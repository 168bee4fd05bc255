//! From what the user typed to what the program does: resolved, checked, and immutable from here on.
//!
//! In: `cli`'s structures. Out: settings, or an error that says which option is wrong and what it can be.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::credentials::Credentials;
use crate::filter::Filter;
use crate::limits::Limits;
use crate::rules::select::Selection;
use crate::rules::{Profile, Severity};
use crate::{cli, engine, input, tls};

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The paths.
    pub paths: Vec<PathBuf>,
    /// The kind of all inputs, when the user said it.
    pub kind: Option<input::Kind>,
    /// How the pipeline reads.
    pub engine: engine::Settings,
    /// Which sessions and messages are looked at.
    pub filter: Option<Filter>,
    /// Whether nothing but results and errors is said.
    pub quiet: bool,
}

/// What `lint` does.
#[derive(Clone, Debug)]
pub struct Lint {
    /// What to read.
    pub reading: Reading,
    /// Which rules run.
    pub selection: Selection,
    /// What is known of the secrets in the traffic.
    pub credentials: Credentials,
    /// The reports to write; at most one to standard output.
    pub outputs: Vec<Output>,
    /// Lowest severity that makes the exit status 1; `None` for never.
    pub fail_on: Option<Severity>,
    /// Whether nothing to judge is a success.
    pub allow_empty: bool,
    /// Whether secrets are left as they are.
    pub show_secrets: bool,
    /// Whether all is listed that was not judged.
    pub verbose: bool,
    /// Whether to say what the run cost.
    pub stats: bool,
}

/// A report to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its form.
    pub format: Format,
    /// Where to; `None` for standard output.
    pub file: Option<PathBuf>,
}

/// The forms of a lint report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// In the manner of rustc.
    Text,
    /// One line a finding.
    Concise,
    /// One JSON object.
    Json,
    /// JSON objects, one a line.
    JsonLines,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
    /// Annotations for GitHub Actions.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// A table in Markdown.
    Markdown,
}

impl Format {
    const ALL: [(&'static str, Format); 9] = [
        ("text", Format::Text),
        ("concise", Format::Concise),
        ("json", Format::Json),
        ("jsonl", Format::JsonLines),
        ("sarif", Format::Sarif),
        ("junit", Format::Junit),
        ("github", Format::Github),
        ("gitlab", Format::Gitlab),
        ("markdown", Format::Markdown),
    ];
}

impl Reading {
    /// Resolves the options of all commands that read. Key logs may grow while an input does (`follow`).
    ///
    /// # Errors
    /// Keys that cannot be read.
    pub fn new(reading: &cli::Reading, follow: bool) -> Result<Reading> {
        let kind = reading.input_kind;
        let limits = Limits::default();
        let grows = follow || reading.paths.iter().any(|path| path.as_os_str() == "-");
        let keys = keys(&reading.keys, grows, &limits)?;
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = reading.jobs.map_or_else(cores, usize::from);
        let engine = engine::Settings { limits, mmap: !reading.no_mmap, threads, keys, ..engine::Settings::default() };
        let filter = reading.filter.clone();
        Ok(Reading { paths: reading.paths.clone(), kind, engine, filter, quiet: reading.quiet })
    }
}

impl Lint {
    /// Resolves the options of `lint`.
    ///
    /// # Errors
    /// An unknown format, two reports in one place, a name that is no rule's, credentials that cannot be read.
    pub fn new(lint: &cli::Lint) -> Result<Lint> {
        Ok(Lint {
            reading: Reading::new(&lint.reading, false)?,
            selection: selection(&lint.rules)?,
            credentials: credentials(&lint.secrets)?,
            outputs: outputs(&lint.formats)?,
            fail_on: fail_on(lint.fail_on),
            allow_empty: lint.allow_empty,
            show_secrets: lint.show_secrets,
            verbose: lint.verbose,
            stats: lint.stats,
        })
    }
}

/// What `capture` does, besides what the interface says.
#[cfg(feature = "live")]
#[derive(Clone, Debug)]
pub struct Capture {
    /// How the pipeline reads.
    pub engine: engine::Settings,
    /// Which rules run.
    pub selection: Selection,
    /// What is known of the secrets in the traffic.
    pub credentials: Credentials,
    /// Lowest severity that makes the exit status 1; `None` for never.
    pub fail_on: Option<Severity>,
}

#[cfg(feature = "live")]
impl Capture {
    /// Resolves the options of `capture`.
    ///
    /// # Errors
    /// A name that is no rule's, credentials that cannot be read.
    pub fn new(capture: &cli::Capture) -> Result<Capture> {
        let limits = Limits::default();
        let keys = keys(&capture.keys, true, &limits)?;
        let engine = engine::Settings { limits, mmap: false, threads: 1, keys, ..engine::Settings::default() };
        Ok(Capture {
            engine,
            selection: selection(&capture.rules)?,
            credentials: credentials(&capture.secrets)?,
            fail_on: fail_on(capture.fail_on),
        })
    }
}

/// The keys that the options and `$SSLKEYLOGFILE` name; with `follow` key logs are read on while packets come.
fn keys(options: &cli::Keys, follow: bool, limits: &Limits) -> Result<tls::Keys> {
    let keys = tls::Keys::new(limits);
    for path in &options.keylog {
        let option = || format!("--keylog {}", path.display());
        let lines = tls::load_key_log(&keys, path, follow).with_context(option)?;
        if lines.secrets == 0 && lines.other > 0 {
            bail!("{}: no line of it is a secret; expected a key log as SSLKEYLOGFILE makes it", option());
        }
    }
    if let Some(path) = std::env::var_os("SSLKEYLOGFILE").filter(|path| !path.is_empty()) {
        // It is set for other programs; what is wrong with it is their concern.
        let _unreadable = tls::load_key_log(&keys, Path::new(&path), follow);
    }
    for path in &options.key {
        let option = || format!("--key {}", path.display());
        let bytes = std::fs::read(path).with_context(option)?;
        tls::read_key(&bytes).with_context(option)?.into_iter().for_each(|key| keys.add_rsa(key));
    }
    Ok(keys)
}

fn fail_on(level: cli::FailOn) -> Option<Severity> {
    match level {
        cli::FailOn::Error => Some(Severity::Error),
        cli::FailOn::Warning => Some(Severity::Warning),
        cli::FailOn::Info => Some(Severity::Info),
        cli::FailOn::Never => None,
    }
}

/// The profile of that name.
pub fn profile(profile: cli::Profile) -> Profile {
    match profile {
        cli::Profile::Windows => Profile::Windows,
        cli::Profile::Oma => Profile::Oma,
    }
}

/// What is known of the secrets in the traffic; nothing without a file.
///
/// # Errors
/// The file cannot be read.
pub fn credentials(secrets: &cli::Secrets) -> Result<Credentials> {
    let Some(path) = &secrets.credentials else { return Ok(Credentials::default()) };
    Credentials::read(path).with_context(|| format!("--credentials {}", path.display()))
}

/// Which rules run.
///
/// # Errors
/// A name that is no rule's.
pub fn selection(rules: &cli::Selection) -> Result<Selection> {
    Selection::of(profile(rules.profile))
        .severities(&rules.severity)
        .context("--severity")?
        .select(&rules.select)
        .context("--select")?
        .ignore(&rules.ignore)
        .context("--ignore")
}

fn outputs(formats: &[String]) -> Result<Vec<Output>> {
    if formats.is_empty() {
        return Ok(vec![Output { format: Format::Text, file: None }]);
    }
    let mut outputs: Vec<Output> = Vec::new();
    for text in formats {
        let output = output(text)?;
        if outputs.iter().any(|other| other.file == output.file) {
            match &output.file {
                None => bail!(
                    "--format {text}: only one report can go to standard output; give the others a file: KIND=FILE"
                ),
                Some(file) => bail!("--format {text}: another report goes to {} too", file.display()),
            }
        }
        outputs.push(output);
    }
    Ok(outputs)
}

fn output(text: &str) -> Result<Output> {
    let (name, file) = match text.split_once('=') {
        Some((_, "")) => bail!("--format {text}: the name of the file is missing"),
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let known = Format::ALL.iter().find(|(known, _)| *known == name);
    let Some((_, format)) = known else {
        let names: Vec<&str> = Format::ALL.iter().map(|(name, _)| *name).collect();
        bail!("--format {text}: there is no report {name:?}; there are {}", names.join(", "));
    };
    Ok(Output { format: *format, file: file.filter(|file| file.as_os_str() != "-") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(formats: &[&str]) -> String {
        let formats: Vec<String> = formats.iter().map(|text| (*text).to_owned()).collect();
        outputs(&formats).unwrap_err().to_string()
    }

    #[test]
    fn several_reports_go_to_several_places() {
        assert_eq!(outputs(&[]).unwrap(), [Output { format: Format::Text, file: None }]);
        let both = outputs(&["concise".to_owned(), "json=out.json".to_owned()]).unwrap();
        assert_eq!(both[1], Output { format: Format::Json, file: Some("out.json".into()) });
        assert!(line(&["text", "json"]).contains("only one report can go to standard output"));
        assert!(line(&["json=a", "jsonl=a"]).contains("another report goes to a too"));
    }

    #[test]
    fn an_unknown_format_is_answered_with_the_known_ones() {
        assert_eq!(
            line(&["yaml"]),
            "--format yaml: there is no report \"yaml\"; there are text, concise, json, jsonl, sarif, junit, github, gitlab, markdown"
        );
        assert!(line(&["json="]).contains("the name of the file is missing"));
    }
}
