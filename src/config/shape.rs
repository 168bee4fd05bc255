//! What may stand in `dmscope.toml`: every key, once, with the form of its value.
//!
//! In: the tables of a file. Out: nothing, or the first thing that is not as it should be, with its place. `schema` makes
//! the JSON schema of the same list, so that file and schema cannot differ; `file` reads what was checked here.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::limits;
use crate::near;
use crate::rules::select::{is_named, unknown};
use crate::rules::{self, OptionKind, OptionValue, Options, Rule};
use crate::table::{Text, Wrong};

/// A key of a table.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) needed: bool,
    /// What it sets, for the schema.
    pub(super) about: &'static str,
}

/// The form of a value.
pub(super) enum Shape {
    /// A string that is not empty.
    Text,
    /// One of some words.
    Word(&'static [&'static str]),
    /// A rule or family, by id or name.
    Rule,
    /// `KIND` or `KIND=FILE`.
    Report,
    /// A list.
    List(&'static Shape),
    /// One, or a list.
    OneOrMore(&'static Shape),
    /// `true` or `false`.
    Flag,
    /// A day: `2026-12-31`.
    Date,
    /// A list of rules, or of tables: `[[..]]`.
    RulesOrTables(&'static [Key]),
    /// A list of tables: `[[..]]`.
    Tables(&'static [Key]),
    /// Rules with their levels; with their options too, where that may be.
    Levels {
        /// Whether options may be set.
        options: bool,
    },
}

pub(super) const LEVELS: [&str; 4] = ["error", "warning", "info", "off"];

const fn key(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, needed: false, about }
}

/// The keys of the file.
pub(super) static FILE: &[Key] = &[
    key("profile", Shape::Word(&["windows", "oma"]), "Which client the server talks to"),
    key(
        "fail-on",
        Shape::Word(&["error", "warning", "info", "never"]),
        "Lowest severity that makes the exit status of lint and capture 1",
    ),
    key("select", Shape::List(&Shape::Rule), "Run only these rules: ids, names or families"),
    key(
        "ignore",
        Shape::RulesOrTables(IGNORE),
        "Rules that do not run; or tables of findings that are known and not told",
    ),
    key("reports", Shape::List(&Shape::Report), "Reports that lint writes: KIND, or KIND=FILE"),
    key("keylog", Shape::OneOrMore(&Shape::Text), "Key logs that decrypt TLS"),
    key("key", Shape::OneOrMore(&Shape::Text), "RSA private keys that decrypt TLS"),
    key("credentials", Shape::Text, "The file of users, secrets and nonces"),
    key("own-rules", Shape::OneOrMore(&Shape::Text), "Directories with rules of your own"),
    key("baseline", Shape::Text, "The file of findings that are known"),
    key("allow-stale", Shape::Flag, "Whether entries of the baseline that were not found any more let lint pass"),
    key("rules", Shape::Levels { options: true }, "Levels of rules and families, and options of rules"),
    key("override", Shape::Tables(OVERRIDE), "Levels for some inputs, servers or devices"),
];

static OVERRIDE: &[Key] = &[
    key("path", Shape::OneOrMore(&Shape::Text), PATH),
    key("server", Shape::OneOrMore(&Shape::Text), SERVER),
    key("device", Shape::OneOrMore(&Shape::Text), DEVICE),
    needed("rules", Shape::Levels { options: false }, "Levels of rules and families where all patterns hold"),
];

const PATH: &str = "Patterns of inputs, relative to this file";
const SERVER: &str = "Patterns of servers: of the host, or with :// in it of the address";
const DEVICE: &str = "Patterns of devices";

const fn needed(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, needed: true, about }
}

static IGNORE: &[Key] = &[
    needed("rule", Shape::OneOrMore(&Shape::Rule), "Rules whose findings are not told: ids, names or families"),
    key("path", Shape::OneOrMore(&Shape::Text), PATH),
    key("server", Shape::OneOrMore(&Shape::Text), SERVER),
    key("device", Shape::OneOrMore(&Shape::Text), DEVICE),
    key("locuri", Shape::OneOrMore(&Shape::Text), "Patterns of the LocURI that the command is about"),
    key("command", Shape::OneOrMore(&Shape::Word(COMMANDS)), "Commands, Status or Results that the finding stands in"),
    needed("reason", Shape::Text, "Why they are not told"),
    key("until", Shape::Date, "The last day on which this counts"),
];

/// What can hold a finding, as reports call it.
const COMMANDS: &[&str] = &[
    "Add", "Alert", "Atomic", "Copy", "Delete", "Exec", "Get", "Map", "Move", "Put", "Replace", "Results", "Search",
    "Sequence", "Status", "Sync",
];

/// Checks a table and all that is in it. Rules are the built-in ones and `own`.
///
/// # Errors
/// The first key that is unknown, then the first value that is not as it should be.
pub(super) fn table(
    text: Text<'_>,
    table: &DeTable<'_>,
    keys: &[Key],
    start: usize,
    own: &[&'static Rule],
) -> Result<(), Wrong> {
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    text.known(table, &names)?;
    for key in keys {
        match table.get(key.name) {
            Some(value) => key.shape.check(text, key.name, value, own)?,
            None if key.needed => return Err(text.wrong(start, format!("{} is missing", key.name))),
            None => {}
        }
    }
    Ok(())
}

impl Shape {
    fn check(
        &self,
        text: Text<'_>,
        name: &str,
        value: &Spanned<DeValue<'_>>,
        own: &[&'static Rule],
    ) -> Result<(), Wrong> {
        let start = value.span().start;
        let wrong = |what: String| text.wrong(start, what);
        match (self, value.get_ref()) {
            (Shape::List(of) | Shape::OneOrMore(of), DeValue::Array(values)) => {
                limited(values.len()).map_err(|what| wrong(format!("{name}: {what}")))?;
                values.iter().try_for_each(|value| of.check(text, name, value, own))
            }
            (Shape::OneOrMore(of), DeValue::String(_)) => of.check(text, name, value, own),
            (Shape::Tables(keys), DeValue::Array(values)) => {
                limited(values.len()).map_err(|what| wrong(format!("{name}: {what}")))?;
                values.iter().try_for_each(|value| match value.get_ref() {
                    DeValue::Table(of) => table(text, of, keys, value.span().start, own),
                    _ => Err(text.wrong(value.span().start, format!("{name}: expected tables, [[{name}]]"))),
                })
            }
            (Shape::RulesOrTables(keys), DeValue::Array(values)) => {
                limited(values.len()).map_err(|what| wrong(format!("{name}: {what}")))?;
                values.iter().try_for_each(|value| match value.get_ref() {
                    DeValue::Table(of) => table(text, of, keys, value.span().start, own),
                    _ => Shape::Rule.check(text, name, value, own),
                })
            }
            (Shape::Flag, DeValue::Boolean(_)) => Ok(()),
            (Shape::Date, DeValue::Datetime(_) | DeValue::String(_)) => match date(value.get_ref()) {
                Some(_) => Ok(()),
                None => Err(wrong(format!("{name} is no day; expected {}", self.expected(name)))),
            },
            (Shape::Levels { options }, DeValue::Table(levels)) => levels_of(text, levels, *options, own),
            (Shape::Text | Shape::Word(_) | Shape::Rule | Shape::Report, DeValue::String(word)) => {
                self.word(word, own).map_err(|what| wrong(format!("{name}: {what}")))
            }
            (_, other) => Err(wrong(format!("{name} is {}; expected {}", kind(other), self.expected(name)))),
        }
    }

    fn word(&self, word: &str, own: &[&'static Rule]) -> Result<(), String> {
        match self {
            Shape::Text if word.is_empty() => Err("the string is empty".to_owned()),
            Shape::Text => Ok(()),
            Shape::Word(words) if words.contains(&word) => Ok(()),
            Shape::Word(words) => Err(no_word(word, words)),
            Shape::Rule => rule(word, own).map(|_| ()),
            Shape::Report => super::output(word).map(|_| ()),
            _ => Ok(()),
        }
    }

    fn expected(&self, name: &str) -> String {
        match self {
            Shape::Text | Shape::Rule | Shape::Report => "a string in quotes".to_owned(),
            Shape::Word(words) => words.join(", "),
            Shape::List(_) => "a list of strings".to_owned(),
            Shape::OneOrMore(_) => "a string or a list of strings".to_owned(),
            Shape::Tables(_) => format!("tables, [[{name}]]"),
            Shape::RulesOrTables(_) => format!("a list of rules, or tables, [[{name}]]"),
            Shape::Flag => "true or false".to_owned(),
            Shape::Date => "a day such as 2026-12-31".to_owned(),
            Shape::Levels { .. } => format!("a table, [{name}]"),
        }
    }
}

/// A day, as TOML has it or as a string.
pub(super) fn date(value: &DeValue<'_>) -> Option<jiff::civil::Date> {
    let text = match value {
        DeValue::Datetime(date) => date.to_string(),
        DeValue::String(text) => text.to_string(),
        _ => return None,
    };
    // The parser of dates takes times too.
    text.parse().ok().filter(|_| text.len() == "2026-12-31".len())
}

/// A word in place of some that can be.
fn no_word(word: &str, words: &[&str]) -> String {
    let near = near::nearest(word, words.iter().copied()).map(|near| format!("; did you mean {near:?}?"));
    format!("{word:?} is none of {}{}", words.join(", "), near.unwrap_or_default())
}

fn limited(entries: usize) -> Result<(), String> {
    match entries > limits::CONFIG_ENTRIES {
        true => Err(format!("{entries} entries; at most {} are read", limits::CONFIG_ENTRIES)),
        false => Ok(()),
    }
}

/// What a value is, in words.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The rules that a word names; at least one.
fn rule(word: &str, own: &[&'static Rule]) -> Result<Vec<&'static Rule>, String> {
    let all = || rules::ALL.iter().chain(own.iter().copied());
    let named: Vec<&Rule> = all().filter(|rule| is_named(rule, word)).collect();
    if named.is_empty() { Err(unknown(word, all()).to_string()) } else { Ok(named) }
}

/// The one rule that a word names; `None` for a family.
pub(super) fn one_rule(word: &str, own: &[&'static Rule]) -> Option<&'static Rule> {
    match rule(word, own).ok()?.as_slice() {
        [one] if !one.family.eq_ignore_ascii_case(word) => Some(one),
        _ => None,
    }
}

fn levels_of(text: Text<'_>, table: &DeTable<'_>, options: bool, own: &[&'static Rule]) -> Result<(), Wrong> {
    let mut seen: Vec<(&'static str, &str)> = Vec::new();
    for (name, value) in table {
        let at = name.span().start;
        rule(name.get_ref(), own).map_err(|what| text.wrong(at, what))?;
        let one = one_rule(name.get_ref(), own);
        if let Some(one) = one {
            if let Some((_, before)) = seen.iter().find(|(id, _)| *id == one.id) {
                return Err(text.wrong(at, format!("{before:?} and {:?} are the same rule", name.get_ref())));
            }
            seen.push((one.id, name.get_ref()));
        }
        let wrong = |what: String| text.wrong(value.span().start, format!("{}: {what}", name.get_ref()));
        match (value.get_ref(), one) {
            (DeValue::String(word), _) => level(word).map_err(wrong)?,
            (DeValue::Table(of), Some(one)) if options => settings(text, of, one)?,
            (DeValue::Table(_), None) if options => {
                return Err(wrong("a family has a level and no options".to_owned()));
            }
            (other, _) => return Err(no_level(text, name.get_ref(), value.span().start, other)),
        }
    }
    Ok(())
}

fn level(word: &str) -> Result<(), String> {
    if LEVELS.contains(&word) { Ok(()) } else { Err(no_word(word, &LEVELS)) }
}

fn no_level(text: Text<'_>, name: &str, at: usize, value: &DeValue<'_>) -> Wrong {
    text.wrong(at, format!("{name} is {}; expected {}", kind(value), LEVELS.join(", ")))
}

/// Level and options of a rule.
fn settings(text: Text<'_>, table: &DeTable<'_>, rule: &'static Rule) -> Result<(), Wrong> {
    let names: Vec<&str> = std::iter::once("level").chain(rule.options.iter().map(|option| option.name)).collect();
    text.known(table, &names)?;
    for (name, value) in table {
        let wrong = |what: String| text.wrong(value.span().start, format!("{}: {what}", name.get_ref()));
        match (&**name.get_ref(), value.get_ref()) {
            ("level", DeValue::String(word)) => level(word).map_err(wrong)?,
            ("level", other) => return Err(no_level(text, "level", value.span().start, other)),
            (option, value) => {
                let set = |value| Options::default().set(rule, option, value);
                let expected = rule.options.iter().find(|known| known.name == option).map(|known| known.kind);
                let expected = || format!("expected {}", expected.unwrap_or(OptionKind::Words { default: &[] }));
                option_value(value).ok_or_else(expected).and_then(set).map_err(wrong)?;
            }
        }
    }
    Ok(())
}

/// A value as one of an option; `None` when no option can have it.
pub(super) fn option_value(value: &DeValue<'_>) -> Option<OptionValue> {
    match value {
        DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).ok().map(OptionValue::Number),
        DeValue::Array(words) => {
            let word = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
                DeValue::String(word) => Some(word.to_string()),
                _ => None,
            };
            words.iter().map(word).collect::<Option<Vec<String>>>().map(OptionValue::Words)
        }
        _ => None,
    }
}
