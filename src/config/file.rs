//! `dmscope.toml`: where it is found, and what it says.
//!
//! In: `--config`, `$DMSCOPE_CONFIG`, or the folders from the working directory upward, to the first that holds `.git`. Out:
//! a [`File`], checked by `shape`; or one line that says what is wrong and where. Bounds: `limits::CONFIG`,
//! `limits::CONFIG_ENTRIES`.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{own_rules, shape};
use crate::pattern::Pattern;
use crate::rules::area::Area;
use crate::rules::{OptionValue, Rule};
use crate::table::{self, Text, Wrong};
use crate::{cli, limits};

/// Its name where it is looked for.
pub(super) const NAME: &str = "dmscope.toml";
/// The variable that names one.
const VARIABLE: &str = "DMSCOPE_CONFIG";

/// What the file says. Without a file, nothing.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// The file as messages call it, and how it was found.
    pub(super) named: Option<(PathBuf, &'static str)>,
    pub(super) profile: Option<At<String>>,
    pub(super) fail_on: Option<At<String>>,
    pub(super) select: Option<At<Vec<String>>>,
    pub(super) ignore: Option<At<Vec<String>>>,
    pub(super) reports: Option<At<Vec<String>>>,
    pub(super) keylog: Option<At<Vec<String>>>,
    pub(super) key: Option<At<Vec<String>>>,
    pub(super) credentials: Option<At<String>>,
    pub(super) own_rules: Option<At<Vec<String>>>,
    /// The rules of the directories that it and the command line name.
    pub(super) own: Vec<&'static Rule>,
    pub(super) baseline: Option<At<String>>,
    pub(super) allow_stale: Option<At<bool>>,
    pub(super) rules: Vec<RuleSettings>,
    pub(super) overrides: Vec<Override>,
    pub(super) ignores: Vec<IgnoreEntry>,
}

/// A value with its line.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) line: usize,
}

/// What is set of a rule or a family.
#[derive(Clone, Debug)]
pub(super) struct RuleSettings {
    pub(super) name: String,
    pub(super) level: Option<String>,
    pub(super) options: Vec<(String, OptionValue)>,
    pub(super) line: usize,
}

/// Levels for some sessions.
#[derive(Clone, Debug)]
pub(super) struct Override {
    pub(super) area: Area,
    pub(super) levels: Vec<RuleSettings>,
    pub(super) line: usize,
}

/// Findings that are known.
#[derive(Clone, Debug)]
pub(super) struct IgnoreEntry {
    pub(super) rules: Vec<String>,
    pub(super) area: Area,
    pub(super) locuri: Vec<String>,
    pub(super) commands: Vec<String>,
    pub(super) reason: String,
    pub(super) until: Option<jiff::civil::Date>,
    pub(super) line: usize,
}

impl File {
    /// Finds and reads the file, if there is one, and the own rules that it and the command line name.
    ///
    /// # Errors
    /// The one that was named is not there, or something in it or in a page of a rule is not as it should be.
    pub fn load(setup: &cli::Setup) -> Result<File> {
        let variable = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let found = match (&setup.config, variable) {
            _ if setup.isolated => None,
            (Some(path), _) => Some((path.clone(), "--config")),
            (None, Some(path)) => Some((path, "$DMSCOPE_CONFIG")),
            (None, None) => {
                let path = std::env::current_dir().ok().and_then(|here| find(&here));
                path.map(|path| (path, "found from the working directory"))
            }
        };
        let Some((path, how)) = found else {
            return Ok(File { own: own_rules(&setup.own.directories)?, ..File::default() });
        };
        let text = match table::load(&path, limits::CONFIG) {
            Ok(text) => text,
            Err(why) if how == "--config" => bail!("--config {}: {why}", path.display()),
            Err(why) => bail!("{}: {why}", path.display()),
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let named = directories(Text(&text)).into_iter().map(|directory| folder.join(directory));
        let own = own_rules(&named.chain(setup.own.directories.iter().cloned()).collect::<Vec<_>>())?;
        let mut file = File::with(&text, own).map_err(|wrong| anyhow!("{}:{wrong}", path.display()))?;
        file.named = Some((path, how));
        Ok(file)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Something in it is not as it should be.
    pub fn parse(text: &str) -> Result<File, Wrong> {
        File::with(text, Vec::new())
    }

    /// The same where there are rules of one's own.
    fn with(text: &str, own: Vec<&'static Rule>) -> Result<File, Wrong> {
        let text = Text(text);
        let parsed = text.parse()?;
        let top = parsed.get_ref();
        shape::table(text, top, shape::FILE, 0, &own)?;
        let reader = Reader { text, table: top, own: &own };
        Ok(File {
            named: None,
            profile: reader.text("profile"),
            fail_on: reader.text("fail-on"),
            select: reader.texts("select"),
            ignore: reader.texts("ignore").filter(|names| !names.value.is_empty()),
            reports: reader.texts("reports"),
            keylog: reader.texts("keylog"),
            key: reader.texts("key"),
            credentials: reader.text("credentials"),
            baseline: reader.text("baseline"),
            allow_stale: reader.get("allow-stale", DeValue::as_bool),
            own_rules: reader.texts("own-rules"),
            rules: reader.levels(),
            overrides: reader.tables("override").map(Reader::override_of).collect(),
            ignores: reader.tables("ignore").map(Reader::ignore_of).collect(),
            own,
        })
    }

    /// The rules of the directories that it and the command line name.
    pub fn own(&self) -> &[&'static Rule] {
        &self.own
    }

    /// A path of the file, which is relative to its folder.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder().join(path)
    }

    /// The folder that paths in it are relative to.
    pub(super) fn folder(&self) -> &Path {
        self.named.as_ref().and_then(|(file, _)| file.parent()).unwrap_or(Path::new(""))
    }

    /// Where a value comes from: `dmscope.toml:3`.
    pub(super) fn source(&self, line: usize) -> String {
        let name = self.named.as_ref().map_or(NAME.to_owned(), |(path, _)| path.display().to_string());
        format!("{name}:{line}")
    }
}

/// The directories of own rules that a file names, before it is checked: the names of rules in it may be theirs.
fn directories(text: Text<'_>) -> Vec<String> {
    let Ok(parsed) = text.parse() else { return Vec::new() };
    let reader = Reader { text, table: parsed.get_ref(), own: &[] };
    reader.texts("own-rules").map(|directories| directories.value).unwrap_or_default()
}

/// The file that counts for a folder: its own, or the nearest above it, up to the first folder that holds `.git`. Named
/// relative to the folder.
fn find(folder: &Path) -> Option<PathBuf> {
    let mut up = PathBuf::new();
    for folder in folder.ancestors() {
        if folder.join(NAME).is_file() {
            return Some(up.join(NAME));
        }
        if folder.join(".git").exists() {
            return None;
        }
        up.push("..");
    }
    None
}

/// A table whose content was checked.
#[derive(Clone, Copy)]
struct Reader<'a> {
    text: Text<'a>,
    table: &'a DeTable<'a>,
    own: &'a [&'static Rule],
}

impl<'a> Reader<'a> {
    fn get<T>(self, key: &str, read: impl FnOnce(&'a DeValue<'a>) -> Option<T>) -> Option<At<T>> {
        let value = self.table.get(key)?;
        Some(At { value: read(value.get_ref())?, line: self.text.line(value.span().start) })
    }

    fn text(self, key: &str) -> Option<At<String>> {
        self.get(key, as_text)
    }

    fn texts(self, key: &str) -> Option<At<Vec<String>>> {
        self.get(key, |value| match value {
            DeValue::Array(values) => Some(values.iter().filter_map(|value| as_text(value.get_ref())).collect()),
            value => Some(vec![as_text(value)?]),
        })
    }

    fn tables(self, key: &str) -> impl Iterator<Item = (Reader<'a>, usize)> {
        let values = match self.table.get(key).map(Spanned::get_ref) {
            Some(DeValue::Array(values)) => values.as_ref(),
            _ => &[],
        };
        values.iter().filter_map(move |value| match value.get_ref() {
            DeValue::Table(table) => Some((Reader { table, ..self }, self.text.line(value.span().start))),
            _ => None,
        })
    }

    /// What `rules` sets: families before single rules, which are more exact.
    fn levels(self) -> Vec<RuleSettings> {
        let Some(DeValue::Table(table)) = self.table.get("rules").map(Spanned::get_ref) else { return Vec::new() };
        let mut all: Vec<RuleSettings> = table
            .iter()
            .map(|(name, value)| {
                let (name, line) = (name.get_ref().to_string(), self.text.line(name.span().start));
                let (mut level, mut options) = (as_text(value.get_ref()), Vec::new());
                if let DeValue::Table(table) = value.get_ref() {
                    level = Reader { table, ..self }.text("level").map(|level| level.value);
                    let set = table.iter().filter(|(name, _)| name.get_ref() != "level");
                    options.extend(set.filter_map(|(name, value)| {
                        Some((name.get_ref().to_string(), shape::option_value(value.get_ref())?))
                    }));
                }
                RuleSettings { name, level, options, line }
            })
            .collect();
        all.sort_by_key(|settings| (shape::one_rule(&settings.name, self.own).is_some(), settings.line));
        all
    }

    fn override_of((reader, line): (Reader<'a>, usize)) -> Override {
        Override { area: reader.area(), levels: reader.levels(), line }
    }

    fn ignore_of((reader, line): (Reader<'a>, usize)) -> IgnoreEntry {
        IgnoreEntry {
            rules: reader.list("rule"),
            area: reader.area(),
            locuri: reader.list("locuri"),
            commands: reader.list("command"),
            reason: reader.text("reason").map(|reason| reason.value).unwrap_or_default(),
            until: reader.get("until", shape::date).map(|date| date.value),
            line,
        }
    }

    fn list(self, key: &str) -> Vec<String> {
        self.texts(key).map(|texts| texts.value).unwrap_or_default()
    }

    fn area(self) -> Area {
        let patterns = |key: &str, pattern: fn(&str) -> Pattern| {
            let texts = self.list(key);
            texts.iter().map(|text| pattern(text)).collect::<Vec<Pattern>>()
        };
        Area::new(
            patterns("path", Pattern::new),
            patterns("server", Pattern::caseless),
            patterns("device", Pattern::caseless),
        )
    }
}

fn as_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        _ => None,
    }
}
