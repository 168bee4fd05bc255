//! `--show-config`: the configuration in force as TOML, each value with where it comes from.
//!
//! What is printed reads back as the same configuration, in the folder of the file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use clap::ValueEnum;

use super::file::{At, File, IgnoreEntry, RuleSettings};
use super::{COMMAND_LINE, DEFAULT, Sourced, shape};
use crate::cli;
use crate::pattern::Pattern;
use crate::rules::OptionValue;
use crate::rules::area::Area;

/// The text.
pub(super) fn text(file: &File, typed: &cli::Lint) -> String {
    let mut out = match &file.named {
        Some((path, how)) => format!("# {}: {how}\n", path.display()),
        None => "# no configuration file\n".to_owned(),
    };
    let mut line = |key: &str, value: Option<String>, from: &str| {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{key} = {value}  # {from}");
        }
    };
    let profile = file.profile(typed.rules.profile);
    line("profile", word(&profile), &profile.from);
    let fail_on = file.level_that_fails(typed.fail_on);
    line("fail-on", word(&fail_on), &fail_on.from);
    let selects = !typed.rules.select.is_empty();
    let lists = [
        ("select", &typed.rules.select, file.select.as_ref().filter(|_| !selects)),
        ("ignore", &typed.rules.ignore, file.ignore.as_ref().filter(|_| !selects)),
        ("reports", &typed.formats, file.reports.as_ref().filter(|_| typed.formats.is_empty())),
        ("keylog", &shown(&typed.reading.keys.keylog), file.keylog.as_ref()),
        ("key", &shown(&typed.reading.keys.key), file.key.as_ref()),
        ("own-rules", &shown(&typed.reading.setup.own.directories), file.own_rules.as_ref()),
    ];
    for (name, typed, own) in lists {
        let list = both(file, typed, own);
        // Tables can stand for themselves only where no rule is named beside them.
        let tables = if name == "ignore" && !list.value.is_empty() { inline(file) } else { Vec::new() };
        let values: Vec<String> = list.value.iter().map(|text| string(text)).chain(tables).collect();
        line(name, (!values.is_empty()).then(|| format!("[{}]", values.join(", "))), &list.from);
    }
    let credentials = match (&typed.secrets.credentials, &file.credentials) {
        (Some(path), _) => Some((path.display().to_string(), COMMAND_LINE.to_owned())),
        (None, Some(own)) => Some((own.value.clone(), file.source(own.line))),
        (None, None) => None,
    };
    if let Some((path, from)) = credentials {
        line("credentials", Some(string(&path)), &from);
    }
    let baseline = match (&typed.known.baseline, &file.baseline) {
        (Some(path), _) => Some((path.display().to_string(), COMMAND_LINE.to_owned())),
        (None, Some(own)) => Some((own.value.clone(), file.source(own.line))),
        (None, None) => None,
    };
    if let Some((path, from)) = baseline {
        line("baseline", Some(string(&path)), &from);
    }
    match (typed.known.allow_stale, &file.allow_stale) {
        (true, _) => line("allow-stale", Some("true".to_owned()), COMMAND_LINE),
        (false, Some(own)) => line("allow-stale", Some(own.value.to_string()), &file.source(own.line)),
        (false, None) => {}
    }
    rules(file, typed, &mut out);
    let beside = file.ignore.as_ref().is_some_and(|_| !selects) || !typed.rules.ignore.is_empty();
    for each in file.ignores.iter().filter(|_| !beside) {
        let _ = writeln!(out, "\n[[ignore]]  # {}", file.source(each.line));
        fields(each).into_iter().for_each(|field| out += &format!("{field}\n"));
    }
    for each in &file.overrides {
        let _ = writeln!(out, "\n[[override]]  # {}", file.source(each.line));
        area(&each.area).into_iter().for_each(|field| out += &format!("{field}\n"));
        let levels = each.levels.iter().map(|level| format!("{} = {}", key(&level.name), settings(level)));
        let _ = writeln!(out, "rules = {{ {} }}", levels.collect::<Vec<_>>().join(", "));
    }
    out
}

/// Entries of `ignore` as tables on one line.
fn inline(file: &File) -> Vec<String> {
    file.ignores.iter().map(|each| format!("{{ {} }}", fields(each).join(", "))).collect()
}

/// The fields of an entry of `ignore`.
fn fields(ignore: &IgnoreEntry) -> Vec<String> {
    let list = |name: &str, texts: &[String]| (!texts.is_empty()).then(|| format!("{name} = {}", strings(texts)));
    let mut fields: Vec<String> = list("rule", &ignore.rules).into_iter().collect();
    fields.extend(area(&ignore.area));
    fields.extend(list("locuri", &ignore.locuri).into_iter().chain(list("command", &ignore.commands)));
    fields.push(format!("reason = {}", string(&ignore.reason)));
    fields.extend(ignore.until.map(|until| format!("until = {until}")));
    fields
}

/// The patterns of inputs, servers and devices.
fn area(area: &Area) -> Vec<String> {
    let given = area.patterns().into_iter().filter(|(_, patterns)| !patterns.is_empty());
    let texts = |patterns: &[Pattern]| strings(&patterns.iter().map(Pattern::as_str).collect::<Vec<_>>());
    given.map(|(name, patterns)| format!("{name} = {}", texts(patterns))).collect()
}

/// The table `[rules]`: what the file says, changed by `--severity`.
fn rules(file: &File, typed: &cli::Lint, out: &mut String) {
    let mut all: BTreeMap<String, (RuleSettings, String)> = BTreeMap::new();
    for own in &file.rules {
        all.insert(name(file, &own.name), (own.clone(), file.source(own.line)));
    }
    for (word, level) in typed.rules.severity.iter().filter_map(|setting| setting.split_once('=')) {
        let new = RuleSettings { name: word.trim().to_owned(), level: None, options: Vec::new(), line: 0 };
        let (settings, from) = all.entry(name(file, &new.name)).or_insert((new, String::new()));
        settings.level = Some(level.trim().to_owned());
        *from = if from.is_empty() { COMMAND_LINE.to_owned() } else { format!("{from}, level: {COMMAND_LINE}") };
    }
    if !all.is_empty() {
        out.push_str("\n[rules]\n");
    }
    for (name, (each, from)) in &all {
        let _ = writeln!(out, "{} = {}  # {from}", key(name), settings(each));
    }
}

/// The id of a rule; of a family the name that was given.
fn name(file: &File, word: &str) -> String {
    shape::one_rule(word, &file.own).map_or(word, |rule| rule.id).to_owned()
}

fn settings(settings: &RuleSettings) -> String {
    let level = settings.level.as_deref().map(string);
    if settings.options.is_empty() {
        return level.unwrap_or_else(|| "{}".to_owned());
    }
    let option = |(name, value): &(String, OptionValue)| match value {
        OptionValue::Number(number) => format!("{name} = {number}"),
        OptionValue::Words(words) => format!("{name} = {}", strings(words)),
    };
    let level = level.map(|level| format!("level = {level}"));
    let all: Vec<String> = level.into_iter().chain(settings.options.iter().map(option)).collect();
    format!("{{ {} }}", all.join(", "))
}

/// A list of the file and what the command line adds to it.
fn both(file: &File, typed: &[String], own: Option<&At<Vec<String>>>) -> Sourced<Vec<String>> {
    let own_line = own.map(|own| file.source(own.line));
    let from = match (own_line, typed.is_empty()) {
        (Some(line), true) => line,
        (Some(line), false) => format!("{line}, {COMMAND_LINE}"),
        (None, false) => COMMAND_LINE.to_owned(),
        (None, true) => DEFAULT.to_owned(),
    };
    let own = own.into_iter().flat_map(|own| own.value.iter());
    Sourced { value: own.chain(typed).cloned().collect(), from }
}

fn word<T: ValueEnum>(word: &Sourced<T>) -> Option<String> {
    Some(string(word.value.to_possible_value()?.get_name()))
}

fn shown(paths: &[impl AsRef<Path>]) -> Vec<String> {
    paths.iter().map(|path| path.as_ref().display().to_string()).collect()
}

fn strings(texts: &[impl AsRef<str>]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| string(text.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

/// A key as TOML has it.
fn key(name: &str) -> String {
    let bare = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { string(name) }
}

/// A string as TOML has it.
fn string(text: &str) -> String {
    toml::Value::from(text).to_string()
}
