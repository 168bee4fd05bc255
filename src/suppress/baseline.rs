//! The baseline: findings that were there when the linter came, so that only new ones are told.
//!
//! In: a TOML file of keys, each with how many findings of it one session may have. Out: which findings of a session it knows, and the file
//! with what a run showed added or taken out. Counted in a session, not in a run, so that a longer recording of the same
//! is no news. Where a session has more of a key than are known, all of them are told: nobody can say which one is new. Bounds:
//! `limits::BASELINE`, `limits::BASELINE_ENTRIES`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key::Key;
use crate::limits;
use crate::table::{self, Text, Wrong};

/// Known findings: how many of each key one session may have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<Key, usize>,
}

const TABLE: &str = "finding";
const VERSION: &str = "version";
const HEAD: &str = "\
# Findings that are known: `dmscope lint --baseline` does not tell them. --update-baseline adds those of a run to it,
# --prune-baseline takes out what a run no longer shows.
version = 1
";

/// The fields of an entry, in the order in which they are written.
type Field = (&'static str, fn(&mut Key) -> &mut String);
const FIELDS: [Field; 6] = [
    ("rule", |key| &mut key.rule),
    ("server", |key| &mut key.server),
    ("from", |key| &mut key.from),
    ("command", |key| &mut key.command),
    ("locuri", |key| &mut key.locuri),
    ("path", |key| &mut key.path),
];
const COUNT: &str = "count";

/// What became of entries when a file was brought up to date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Entries that are new.
    pub added: usize,
    /// Entries of which more are known now.
    pub raised: usize,
    /// Entries of which fewer are.
    pub lowered: usize,
    /// Entries that are gone.
    pub removed: usize,
}

impl Baseline {
    /// Reads a file.
    ///
    /// # Errors
    /// A few words on why it cannot be read, or what in it is wrong.
    pub fn load(path: &Path) -> Result<Baseline, String> {
        let text = table::load(path, limits::BASELINE).map_err(|why| format!("{}: {why}", path.display()))?;
        Baseline::parse(&text).map_err(|wrong| format!("{}:{wrong}", path.display()))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Something in it is not as it should be.
    pub fn parse(text: &str) -> Result<Baseline, Wrong> {
        let text = Text(text);
        let parsed = text.parse()?;
        let top = parsed.get_ref();
        text.known(top, &[VERSION, TABLE])?;
        match top.get(VERSION) {
            Some(value) if number(value.get_ref()) == Some(1) => {}
            Some(value) => return Err(text.wrong(value.span().start, "this version of dmscope reads version 1")),
            None => return Err(text.wrong(0, "version is missing; is this a baseline?")),
        }
        let entries = match top.get(TABLE).map(Spanned::get_ref) {
            Some(DeValue::Array(entries)) => entries.as_ref(),
            Some(_) => return Err(text.wrong(0, format!("expected tables, [[{TABLE}]]"))),
            None => &[],
        };
        if entries.len() > limits::BASELINE_ENTRIES {
            return Err(text.wrong(0, format!("more than {} entries", limits::BASELINE_ENTRIES)));
        }
        let mut baseline = Baseline::default();
        for entry in entries {
            let (key, count) = read(text, entry)?;
            let known = baseline.entries.entry(key).or_insert(0);
            // Two branches may each have added it.
            *known = count.max(*known);
        }
        Ok(baseline)
    }

    /// Writes it to a file, as a whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        // What a link leads to is written, not the link.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = new_file().tempfile_in(folder)?;
        if let Ok(old) = std::fs::metadata(&path) {
            file.as_file().set_permissions(old.permissions())?;
        }
        file.write_all(self.text().as_bytes())?;
        file.persist(&path)?;
        Ok(())
    }

    /// The text of its file: sorted, an entry a paragraph.
    pub fn text(&self) -> String {
        let mut out = HEAD.to_owned();
        for (key, count) in &self.entries {
            let mut key = key.clone();
            let _ = writeln!(out, "\n[[{TABLE}]]");
            for (name, field) in FIELDS {
                let value = field(&mut key);
                if !value.is_empty() {
                    // Writing to a string cannot fail.
                    let _ = writeln!(out, "{name} = {}", toml::Value::from(value.as_str()));
                }
            }
            let _ = writeln!(out, "{COUNT} = {count}");
        }
        out
    }

    /// How many findings of a key one session may have.
    pub fn count(&self, key: &Key) -> usize {
        self.entries.get(key).copied().unwrap_or_default()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries that were looked for and not found. `looked_for` says of which keys the run could show findings.
    pub fn stale(&self, shown: &BTreeMap<Key, usize>, looked_for: impl Fn(&Key) -> bool) -> Vec<&Key> {
        self.entries.keys().filter(|key| !shown.contains_key(key) && looked_for(key)).collect()
    }

    /// Adds what a run showed.
    pub fn add(&mut self, shown: &BTreeMap<Key, usize>, changes: &mut Changes) {
        for (key, count) in shown {
            match self.entries.get_mut(key) {
                Some(known) if *known < *count => {
                    *known = *count;
                    changes.raised += 1;
                }
                Some(_) => {}
                None => {
                    self.entries.insert(key.clone(), *count);
                    changes.added += 1;
                }
            }
        }
    }

    /// Takes out what a run could show and did not.
    pub fn prune(&mut self, shown: &BTreeMap<Key, usize>, looked_for: impl Fn(&Key) -> bool, changes: &mut Changes) {
        self.entries.retain(|key, known| match shown.get(key) {
            Some(count) if *count < *known => {
                *known = *count;
                changes.lowered += 1;
                true
            }
            Some(_) => true,
            None if looked_for(key) => {
                changes.removed += 1;
                false
            }
            None => true,
        });
    }
}

/// A temporary file that others may read as they may any new file.
#[cfg(unix)]
fn new_file() -> tempfile::Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut builder = tempfile::Builder::new();
    builder.permissions(std::fs::Permissions::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
fn new_file() -> tempfile::Builder<'static, 'static> {
    tempfile::Builder::new()
}

fn read(text: Text<'_>, entry: &Spanned<DeValue<'_>>) -> Result<(Key, usize), Wrong> {
    let start = entry.span().start;
    let DeValue::Table(table) = entry.get_ref() else {
        return Err(text.wrong(start, format!("expected tables, [[{TABLE}]]")));
    };
    let names: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).chain([COUNT]).collect();
    text.known(table, &names)?;
    let mut key = Key::default();
    for (name, field) in FIELDS {
        *field(&mut key) = string(text, table, name)?;
    }
    if key.rule.is_empty() {
        return Err(text.wrong(start, "rule is missing"));
    }
    let count = match table.get(COUNT) {
        Some(value) => number(value.get_ref()).filter(|count| *count > 0),
        None => return Err(text.wrong(start, "count is missing")),
    };
    let count = count.ok_or_else(|| text.wrong(start, "count is no number from 1"))?;
    Ok((key, count))
}

fn string(text: Text<'_>, table: &DeTable<'_>, name: &str) -> Result<String, Wrong> {
    match table.get(name).map(|value| (value.get_ref(), value.span().start)) {
        Some((DeValue::String(value), _)) => Ok(value.to_string()),
        Some((_, at)) => Err(text.wrong(at, format!("{name} is not a string in quotes"))),
        None => Ok(String::new()),
    }
}

fn number(value: &DeValue<'_>) -> Option<usize> {
    match value {
        DeValue::Integer(number) => usize::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(rule: &str, locuri: &str) -> Key {
        Key { rule: rule.into(), server: "a.test".into(), locuri: locuri.into(), ..Key::default() }
    }

    fn shown(keys: &[(&str, &str, usize)]) -> BTreeMap<Key, usize> {
        keys.iter().map(|(rule, locuri, count)| (key(rule, locuri), *count)).collect()
    }

    fn of(keys: &[(&str, &str, usize)]) -> Baseline {
        Baseline { entries: shown(keys) }
    }

    #[test]
    fn what_is_written_reads_back_and_is_sorted() {
        let baseline = of(&[("DM-B", "./a \"'\n", 2), ("DM-A", "x", 1), ("DM-A", "", 3)]);
        let text = baseline.text();
        assert_eq!(Baseline::parse(&text).unwrap(), baseline);
        let rules: Vec<&str> = text.lines().filter(|line| line.starts_with("rule")).collect();
        assert_eq!(rules, ["rule = \"DM-A\"", "rule = \"DM-A\"", "rule = \"DM-B\""]);
        assert_eq!(Baseline::parse(&Baseline::default().text()).unwrap(), Baseline::default());
    }

    #[test]
    fn what_two_branches_added_is_one_entry() {
        let text = of(&[("DM-A", "x", 1)]).text()
            + "\n[[finding]]\nrule = \"DM-A\"\nserver = \"a.test\"\nlocuri = \"x\"\ncount = 2\n";
        assert_eq!(Baseline::parse(&text).unwrap(), of(&[("DM-A", "x", 2)]));
    }

    #[test]
    fn a_run_adds_and_takes_out() {
        let mut baseline = of(&[("DM-A", "x", 1), ("DM-B", "x", 3), ("DM-C", "x", 1), ("DM-D", "x", 1)]);
        let run = shown(&[("DM-A", "x", 2), ("DM-B", "x", 1), ("DM-E", "x", 1)]);
        let looked_for = |key: &Key| key.rule != "DM-D";
        assert_eq!(baseline.stale(&run, looked_for), [&key("DM-C", "x")]);
        let mut changes = Changes::default();
        baseline.add(&run, &mut changes);
        baseline.prune(&run, looked_for, &mut changes);
        assert_eq!(changes, Changes { added: 1, raised: 1, lowered: 1, removed: 1 });
        assert_eq!(baseline, of(&[("DM-A", "x", 2), ("DM-B", "x", 1), ("DM-D", "x", 1), ("DM-E", "x", 1)]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let wrong = |text: &str| Baseline::parse(text).unwrap_err().to_string();
        assert_eq!(wrong(""), "1:1: version is missing; is this a baseline?");
        assert_eq!(wrong("version = 2"), "1:11: this version of dmscope reads version 1");
        let entry = |text: &str| wrong(&format!("version = 1\n[[finding]]\n{text}"));
        assert_eq!(entry("count = 1"), "2:1: rule is missing");
        assert_eq!(entry("rule = \"a\""), "2:1: count is missing");
        assert_eq!(entry("rule = \"a\"\ncount = 0"), "2:1: count is no number from 1");
        assert_eq!(entry("rule = 1"), "3:8: rule is not a string in quotes");
        assert_eq!(entry("rul = 1"), "3:1: unknown key \"rul\"; did you mean \"rule\"?");
    }
}
