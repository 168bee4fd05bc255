//! From what the user typed, and what `dmscope.toml` says, to what the program does: resolved, checked, and immutable from
//! here on.
//!
//! In: `cli`'s structures, and the file. Out: settings, or an error that says which option or line is wrong and what it can
//! be. The command line goes before the file.

mod file;
mod schema;
mod shape;
mod show;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::ValueEnum;

pub use self::file::File;
use self::file::{At, IgnoreEntry, RuleSettings};
pub use self::schema::schema;
use crate::credentials::Credentials;
use crate::filter::Filter;
use crate::input::Input;
use crate::limits::{self, Limits};
use crate::rules::select::Selection;
use crate::rules::{self, Profile, Rule, Severity};
use crate::suppress::ignore::{LocUri, today};
use crate::suppress::{self, Ignore, Suppressor};
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
    /// What the file says.
    pub file: File,
    /// What to read.
    pub reading: Reading,
    /// Which rules run.
    pub selection: Selection,
    /// What is known of the secrets in the traffic.
    pub credentials: Credentials,
    /// The reports to write; at most one to standard output.
    pub outputs: Vec<Output>,
    /// What is known and not told.
    pub suppressor: Suppressor,
    /// The baseline.
    pub baseline: Option<Baseline>,
    /// Whether entries of it that were not found any more pass.
    pub allow_stale: bool,
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

/// The file of findings that are known.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// The file.
    pub path: PathBuf,
    /// Whether the findings of the run are added to it.
    pub adds: bool,
    /// Whether what the run does not show is taken out.
    pub prunes: bool,
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

    fn names() -> Vec<&'static str> {
        Format::ALL.iter().map(|(name, _)| *name).collect()
    }
}

impl Lint {
    /// Resolves the options of `lint`.
    ///
    /// # Errors
    /// An unknown format, two reports in one place, a name that is no rule's, a file that cannot be read.
    pub fn new(lint: &cli::Lint) -> Result<Lint> {
        let file = File::load(&lint.reading.setup)?;
        let selection = file.selection(&lint.rules)?;
        let baseline = file.baseline(&lint.known)?;
        let mut suppressor = Suppressor::default();
        if !lint.known.ignores.no_ignores {
            suppressor = file.suppressor(&selection)?;
            if let Some(Baseline { path, adds, .. }) = &baseline {
                let known = known(path, *adds)?;
                suppressor = suppressor.with_baseline(known.into(), &path.display().to_string(), *adds);
            }
        }
        Ok(Lint {
            reading: file.reading(&lint.reading, false)?,
            selection,
            suppressor,
            baseline,
            allow_stale: lint.known.allow_stale || file.allow_stale.as_ref().is_some_and(|allowed| allowed.value),
            credentials: file.credentials(&lint.secrets)?,
            outputs: file.outputs(&lint.formats)?,
            fail_on: file.fail_on(lint.fail_on),
            allow_empty: lint.allow_empty,
            show_secrets: lint.show_secrets,
            verbose: lint.verbose,
            stats: lint.stats,
            file,
        })
    }

    /// Whether what the run does not show is taken out of the baseline.
    pub fn prunes(&self) -> bool {
        self.baseline.as_ref().is_some_and(|baseline| baseline.prunes)
    }

    /// The configuration of `lint` in force, as TOML.
    ///
    /// # Errors
    /// Those of [`Lint::new`].
    pub fn show(lint: &cli::Lint) -> Result<String> {
        let config = Lint::new(lint)?;
        Ok(show::text(&config.file, lint))
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
    /// What is known and not told.
    pub suppressor: Suppressor,
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
        let file = File::load(&capture.setup)?;
        let limits = Limits::default();
        let keys = file.keys(&capture.keys, true, &limits)?;
        let engine = engine::Settings { limits, mmap: false, threads: 1, keys, ..engine::Settings::default() };
        let selection = file.selection(&capture.rules)?;
        Ok(Capture {
            engine,
            suppressor: file.known(&selection, cli::Ignores::default())?,
            selection,
            credentials: file.credentials(&capture.secrets)?,
            fail_on: file.fail_on(capture.fail_on),
        })
    }
}

/// A value, and where it comes from.
struct Sourced<T> {
    value: T,
    from: String,
}

const COMMAND_LINE: &str = "command line";
const DEFAULT: &str = "default";

/// What file and command line say together.
impl File {
    /// Resolves the options of all commands that read. Key logs may grow while an input does (`follow`).
    ///
    /// # Errors
    /// Keys that cannot be read.
    pub fn reading(&self, reading: &cli::Reading, follow: bool) -> Result<Reading> {
        let kind = reading.input_kind;
        let limits = Limits::within(reading.max_memory.unwrap_or(limits::MEMORY));
        let grows = follow || reading.paths.iter().any(|path| path.as_os_str() == "-");
        let keys = self.keys(&reading.keys, grows, &limits)?;
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = reading.jobs.map_or_else(cores, usize::from);
        let engine = engine::Settings { limits, mmap: !reading.no_mmap, threads, keys, ..engine::Settings::default() };
        let filter = reading.filter.clone();
        Ok(Reading { paths: reading.paths.clone(), kind, engine, filter, quiet: reading.quiet })
    }

    /// The keys that the options, the file and `$SSLKEYLOGFILE` name; with `follow` key logs are read on while packets come.
    fn keys(&self, options: &cli::Keys, follow: bool, limits: &Limits) -> Result<tls::Keys> {
        let keys = tls::Keys::new(limits);
        for (path, named) in self.paths("keylog", &options.keylog, self.keylog.as_ref()) {
            let lines = tls::load_key_log(&keys, &path, follow).with_context(|| named.clone())?;
            if lines.secrets == 0 && lines.other > 0 {
                bail!("{named}: no line of it is a secret; expected a key log as SSLKEYLOGFILE makes it");
            }
        }
        if let Some(path) = std::env::var_os("SSLKEYLOGFILE").filter(|path| !path.is_empty()) {
            // It is set for other programs; what is wrong with it is their concern.
            let _unreadable = tls::load_key_log(&keys, Path::new(&path), follow);
        }
        for (path, named) in self.paths("key", &options.key, self.key.as_ref()) {
            let bytes = std::fs::read(&path).with_context(|| named.clone())?;
            tls::read_key(&bytes).with_context(|| named)?.into_iter().for_each(|key| keys.add_rsa(key));
        }
        Ok(keys)
    }

    /// The files of a key, those of the command line and those of the file, each as an error calls it.
    fn paths(&self, key: &str, typed: &[PathBuf], own: Option<&At<Vec<String>>>) -> Vec<(PathBuf, String)> {
        let typed = typed.iter().map(|path| (path.clone(), format!("--{key} {}", path.display())));
        let own = own.into_iter().flat_map(|own| own.value.iter().map(move |path| (path, own.line)));
        let own = own.map(|(path, line)| {
            let path = self.path(path);
            let named = format!("{}: {key} {}", self.source(line), path.display());
            (path, named)
        });
        typed.chain(own).collect()
    }

    /// Which rules run.
    ///
    /// # Errors
    /// A name that is no rule's.
    pub fn selection(&self, typed: &cli::Selection) -> Result<Selection> {
        let selection = Selection::of(profile(self.profile(typed.profile).value)).with(&self.own);
        let selection = self.settle(selection, typed).map_err(|what| anyhow!("{what}"))?;
        let selection = selection.with_last_word().severities(&typed.severity).context("--severity")?;
        selection.select(&typed.select).context("--select")?.ignore(&typed.ignore).context("--ignore")
    }

    /// What the file says of rules; what it selects and ignores does not count beside `--select`.
    fn settle(&self, mut selection: Selection, typed: &cli::Selection) -> Result<Selection, String> {
        let said = |error: rules::select::Error| error.to_string();
        selection = selection.severities(&levels(&self.rules)).map_err(said)?;
        for settings in &self.rules {
            let one = shape::one_rule(&settings.name, &self.own).into_iter();
            for (rule, (name, value)) in one.flat_map(|rule| settings.options.iter().map(move |set| (rule, set))) {
                selection = selection.set(rule, name, value.clone())?;
            }
        }
        if typed.select.is_empty() {
            let names = |names: Option<&At<Vec<String>>>| names.map(|names| names.value.clone()).unwrap_or_default();
            selection = selection.select(&names(self.select.as_ref())).map_err(said)?;
            selection = selection.ignore(&names(self.ignore.as_ref())).map_err(said)?;
        }
        for each in &self.overrides {
            selection = selection.override_in(each.area.clone(), &levels(&each.levels)).map_err(said)?;
        }
        Ok(selection)
    }

    /// The same of a command that has no other option on rules than the profile.
    ///
    /// # Errors
    /// A name that is no rule's.
    pub fn selection_for(&self, profile: Option<cli::Profile>) -> Result<Selection> {
        self.selection(&cli::Selection { profile, ..cli::Selection::default() })
    }

    /// A selection that knows which overrides hold for which of these inputs.
    pub fn for_inputs(&self, selection: &Selection, inputs: &[Input]) -> Selection {
        selection.clone().for_inputs(self.folder(), inputs.iter().map(|input| input.name.as_str()))
    }

    /// What the file knows and is not told, and what comments may say of these rules.
    fn suppressor(&self, selection: &Selection) -> Result<Suppressor> {
        let rules: Vec<&'static Rule> = selection.rules().map(|(rule, _)| rule).collect();
        let ignore = |entry: &IgnoreEntry| {
            let named = entry.rules.iter().map(|name| suppress::rules_named(name, &rules));
            let named = named
                .collect::<Result<Vec<_>, String>>()
                .map_err(|what| anyhow!("{}: {what}", self.source(entry.line)))?;
            Ok(Ignore {
                names: entry.rules.clone(),
                rules: named.concat(),
                area: entry.area.clone(),
                locuri: entry.locuri.iter().map(|uri| LocUri::new(uri)).collect(),
                commands: entry.commands.clone(),
                reason: entry.reason.clone(),
                until: entry.until,
                place: self.source(entry.line),
            })
        };
        let ignores = self.ignores.iter().map(ignore).collect::<Result<Vec<Ignore>>>()?;
        Ok(Suppressor::new(ignores, rules, today()))
    }

    /// What is known and not told by commands that have no option on the baseline: they take that of the file, once it is made.
    ///
    /// # Errors
    /// An entry that names no rule, a baseline that cannot be read.
    pub fn known(&self, selection: &Selection, ignores: cli::Ignores) -> Result<Suppressor> {
        if ignores.no_ignores {
            return Ok(Suppressor::default());
        }
        let suppressor = self.suppressor(selection)?;
        let Some(path) = self.baseline.as_ref().map(|own| self.path(&own.value)) else { return Ok(suppressor) };
        Ok(suppressor.with_baseline(known(&path, true)?.into(), &path.display().to_string(), false))
    }

    /// A suppressor that knows which of its entries hold for which of these inputs.
    pub fn known_in(&self, suppressor: &Suppressor, inputs: &[Input]) -> Suppressor {
        suppressor.clone().for_inputs(self.folder(), inputs.iter().map(|input| input.name.as_str()))
    }

    /// The baseline of the command line, else of the file.
    fn baseline(&self, known: &cli::Known) -> Result<Option<Baseline>> {
        let own = self.baseline.as_ref().map(|own| self.path(&own.value));
        let (adds, prunes) = (known.update_baseline, known.prune_baseline);
        match known.baseline.clone().or(own) {
            Some(path) => Ok(Some(Baseline { path, adds, prunes })),
            None if adds || prunes => bail!("which baseline? name its file with --baseline, or in {}", file::NAME),
            None => Ok(None),
        }
    }

    /// What is known of the secrets in the traffic; nothing without a file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn credentials(&self, secrets: &cli::Secrets) -> Result<Credentials> {
        let own = self.credentials.as_ref().map(|own| At { value: vec![own.value.clone()], line: own.line });
        let typed = secrets.credentials.as_slice();
        let own = own.as_ref().filter(|_| typed.is_empty());
        match self.paths("credentials", typed, own).into_iter().next() {
            Some((path, named)) => Credentials::read(&path).with_context(|| named),
            None => Ok(Credentials::default()),
        }
    }

    fn fail_on(&self, typed: Option<cli::FailOn>) -> Option<Severity> {
        match self.level_that_fails(typed).value {
            cli::FailOn::Error => Some(Severity::Error),
            cli::FailOn::Warning => Some(Severity::Warning),
            cli::FailOn::Info => Some(Severity::Info),
            cli::FailOn::Never => None,
        }
    }

    fn profile(&self, typed: Option<cli::Profile>) -> Sourced<cli::Profile> {
        self.word(typed, self.profile.as_ref(), cli::Profile::Windows)
    }

    fn level_that_fails(&self, typed: Option<cli::FailOn>) -> Sourced<cli::FailOn> {
        self.word(typed, self.fail_on.as_ref(), cli::FailOn::Error)
    }

    fn word<T: ValueEnum>(&self, typed: Option<T>, own: Option<&At<String>>, default: T) -> Sourced<T> {
        let own = own.and_then(|own| Some((T::from_str(&own.value, false).ok()?, own.line)));
        match (typed, own) {
            (Some(value), _) => Sourced { value, from: COMMAND_LINE.to_owned() },
            (None, Some((value, line))) => Sourced { value, from: self.source(line) },
            (None, None) => Sourced { value: default, from: DEFAULT.to_owned() },
        }
    }

    /// The reports of the command line, else of the file, else text to standard output.
    fn outputs(&self, typed: &[String]) -> Result<Vec<Output>> {
        let of_file = self.reports.as_ref().filter(|_| typed.is_empty());
        let named = |text: &str| match of_file {
            Some(own) => format!("{}: reports: {text}", self.source(own.line)),
            None => format!("--format {text}"),
        };
        let mut outputs: Vec<Output> = Vec::new();
        for text in of_file.map_or(typed, |own| own.value.as_slice()) {
            let named = named(text);
            let mut output = output(text).map_err(|what| anyhow!("{named}: {what}"))?;
            output.file = output.file.map(|file| if of_file.is_some() { self.folder().join(file) } else { file });
            if outputs.iter().any(|other| other.file == output.file) {
                match &output.file {
                    None => {
                        bail!("{named}: only one report can go to standard output; give the others a file: KIND=FILE")
                    }
                    Some(file) => bail!("{named}: another report goes to {} too", file.display()),
                }
            }
            outputs.push(output);
        }
        match outputs.is_empty() {
            true => Ok(vec![Output { format: Format::Text, file: None }]),
            false => Ok(outputs),
        }
    }
}

/// Several things that are wrong at once, a line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct Several(pub Vec<String>);

/// The rules of the directories that a team keeps its own in.
///
/// # Errors
/// All that is wrong with any of their pages.
pub fn own_rules(directories: &[PathBuf]) -> Result<Vec<&'static Rule>> {
    let told = |wrong: Vec<rules::own::Error>| Several(wrong.iter().map(ToString::to_string).collect());
    Ok(rules::own::load(directories).map_err(told)?)
}

/// As the options of rules have them: `RULE=LEVEL`.
fn levels(settings: &[RuleSettings]) -> Vec<String> {
    let level = |each: &RuleSettings| Some(format!("{}={}", each.name, each.level.as_ref()?));
    settings.iter().filter_map(level).collect()
}

/// What the file of a baseline says; nothing where it is still to be made.
fn known(path: &Path, makes: bool) -> Result<suppress::Baseline> {
    let is_there = path.try_exists().unwrap_or(true);
    match (is_there, makes) {
        (false, true) => Ok(suppress::Baseline::default()),
        (false, false) => bail!("{}: no such file; --update-baseline makes it", path.display()),
        (true, _) => suppress::Baseline::load(path).map_err(|what| anyhow!("{what}")),
    }
}

fn profile(profile: cli::Profile) -> Profile {
    match profile {
        cli::Profile::Windows => Profile::Windows,
        cli::Profile::Oma => Profile::Oma,
    }
}

/// What `KIND` or `KIND=FILE` asks for.
fn output(text: &str) -> Result<Output, String> {
    let (name, file) = match text.split_once('=') {
        Some((_, "")) => return Err("the name of the file is missing".to_owned()),
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let known = Format::ALL.iter().find(|(known, _)| *known == name);
    let Some((_, format)) = known else {
        return Err(format!("there is no report {name:?}; there are {}", Format::names().join(", ")));
    };
    Ok(Output { format: *format, file: file.filter(|file| file.as_os_str() != "-") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(formats: &[&str]) -> String {
        let formats: Vec<String> = formats.iter().map(|text| (*text).to_owned()).collect();
        File::default().outputs(&formats).unwrap_err().to_string()
    }

    #[test]
    fn several_reports_go_to_several_places() {
        let outputs = |formats: &[String]| File::default().outputs(formats);
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
