//! JSON version 1, described in `docs/json-v1.md`. The structures here are its definition; they never are the
//! program's own types, so that those may change.
//!
//! What is not known is left out. Control characters and those that hide or reorder text are written as `\u`
//! escapes, so that the output can be looked at in a terminal.

mod tls;

use std::io::{self, Write};

use serde::Serialize;

use super::fingerprint::fingerprint;
use super::sessions::Row;
use super::{Hole, Input, Lint, NotJudged};
use crate::escape;
use crate::http::Encrypted;
use crate::rules::{Finding, Location, OptionKind, Rule, RuleOption, Severity, location as place};
use crate::suppress::{Entry, Suppression};
use crate::syncml::Side;

const LINT: &str = "dmscope/lint/1";
const SESSIONS: &str = "dmscope/sessions/1";
const RULES: &str = "dmscope/rules/1";

#[derive(Serialize)]
struct LintJson<'a> {
    schema: &'static str,
    summary: Summary,
    inputs: Vec<InputJson<'a>>,
    sessions: Vec<SessionJson<'a>>,
    findings: Vec<FindingJson<'a>>,
    not_judged: Vec<NotJudgedJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_judged_by: Vec<HoleJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    encrypted: Vec<tls::EncryptedJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    omitted: Vec<OmittedJson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressed: Vec<SuppressedJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<EntryJson<'a>>,
}

#[derive(Serialize)]
struct SessionsJson<'a> {
    schema: &'static str,
    sessions: Vec<SessionJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    encrypted: Vec<tls::EncryptedJson<'a>>,
}

#[derive(Serialize)]
struct RulesJson {
    schema: &'static str,
    rules: Vec<RuleJson>,
}

/// One line of `jsonl`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Input(InputJson<'a>),
    Session(SessionJson<'a>),
    Finding(Box<FindingJson<'a>>),
    NotJudged(Box<NotJudgedJson<'a>>),
    NotJudgedBy(Box<HoleJson<'a>>),
    Encrypted(Box<tls::EncryptedJson<'a>>),
    Omitted(OmittedJson),
    Suppressed(Box<SuppressedJson<'a>>),
    Suppression(Box<EntryJson<'a>>),
    Summary {
        schema: &'static str,
        #[serde(flatten)]
        summary: Summary,
    },
}

#[derive(Serialize)]
struct Summary {
    inputs: usize,
    packets: u64,
    tcp_streams: u64,
    sessions: u64,
    messages: u64,
    enrollments: u64,
    pushes: u64,
    findings: CountsJson,
    suppressed: usize,
    not_judged: usize,
}

#[derive(Serialize)]
struct CountsJson {
    error: usize,
    warning: usize,
    info: usize,
}

#[derive(Serialize)]
struct InputJson<'a> {
    path: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    packets: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp_streams: Option<u64>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct SessionJson<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    push: bool,
    session_id: Option<&'a str>,
    device: Option<&'a str>,
    server: Option<&'a str>,
    started: Option<String>,
    ended: Option<String>,
    messages: usize,
    commands: usize,
    outcome: &'static str,
    worst: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Box<tls::TlsJson>>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    rule: &'static str,
    name: &'static str,
    severity: &'static str,
    fault: &'static str,
    message: &'a str,
    help: &'a str,
    spec: &'static [&'static str],
    fingerprint: String,
    location: LocationJson<'a>,
    related: Vec<RelatedJson<'a>>,
}

/// A finding that is known, and why it is not told.
#[derive(Serialize)]
struct SuppressedJson<'a> {
    #[serde(flatten)]
    finding: FindingJson<'a>,
    suppression: SuppressionJson<'a>,
}

#[derive(Serialize)]
struct SuppressionJson<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    place: &'a str,
}

/// A suppression, and what became of it.
#[derive(Serialize)]
struct EntryJson<'a> {
    kind: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    rule: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    place: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<LocationJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<&'a str>,
    count: usize,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
}

#[derive(Serialize)]
struct RelatedJson<'a> {
    message: &'a str,
    location: LocationJson<'a>,
}

#[derive(Serialize)]
struct NotJudgedJson<'a> {
    reason: &'a str,
    location: LocationJson<'a>,
}

/// A place that a rule did not judge.
#[derive(Serialize)]
struct HoleJson<'a> {
    rule: &'static str,
    reason: &'a str,
    count: usize,
    location: LocationJson<'a>,
}

#[derive(Serialize)]
struct OmittedJson {
    rule: &'static str,
    severity: &'static str,
    count: usize,
}

#[derive(Serialize)]
struct LocationJson<'a> {
    input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_frame: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp_stream: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_range: Option<(u32, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<&'a str>,
}

#[derive(Serialize)]
struct RuleJson {
    id: &'static str,
    name: &'static str,
    family: &'static str,
    severity: Option<&'static str>,
    fault: &'static str,
    scope: &'static str,
    profiles: Profiles,
    #[serde(skip_serializing_if = "str::is_empty")]
    since: &'static str,
    summary: &'static str,
    fix: &'static str,
    spec: &'static [&'static str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<OptionJson>,
}

/// What of a rule can be set.
#[derive(Serialize)]
struct OptionJson {
    name: &'static str,
    about: &'static str,
    #[serde(flatten)]
    kind: OptionKindJson,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum OptionKindJson {
    Number { default: u32, least: u32, most: u32 },
    Words { default: &'static [&'static str] },
}

/// The severity in each profile that has the rule on.
#[derive(Serialize)]
struct Profiles {
    #[serde(skip_serializing_if = "Option::is_none")]
    windows: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oma: Option<&'static str>,
}

/// Writes the report as one object.
pub fn write(lint: &Lint, out: &mut dyn Write) -> io::Result<()> {
    let unread = unread(lint);
    pretty(
        &LintJson {
            schema: LINT,
            summary: summary(lint),
            inputs: lint.inputs.iter().map(input).collect(),
            sessions: lint.sessions.iter().map(|each| session(lint, each)).collect(),
            findings: lint.findings.iter().map(|each| finding(lint, each)).collect(),
            not_judged: lint.not_judged.iter().map(|each| not_judged(lint, each)).collect(),
            not_judged_by: lint.holes.iter().map(|each| hole(lint, each)).collect(),
            encrypted: unread.iter().map(|(each, place)| tls::encrypted(lint, each, place)).collect(),
            omitted: lint.omitted.iter().map(omitted).collect(),
            suppressed: lint.suppressed.iter().map(|each| suppressed(lint, each)).collect(),
            suppressions: lint.suppressions.iter().map(|each| entry(lint, each)).collect(),
        },
        out,
    )
}

/// Writes the report as one object a line, each with its `type`; the summary comes last.
pub fn write_lines(lint: &Lint, out: &mut dyn Write) -> io::Result<()> {
    let inputs = lint.inputs.iter().map(|each| Line::Input(input(each)));
    let sessions = lint.sessions.iter().map(|each| Line::Session(session(lint, each)));
    let findings = lint.findings.iter().map(|each| Line::Finding(Box::new(finding(lint, each))));
    let holes = lint.not_judged.iter().map(|each| Line::NotJudged(Box::new(not_judged(lint, each))));
    let by_rules = lint.holes.iter().map(|each| Line::NotJudgedBy(Box::new(hole(lint, each))));
    let unread = unread(lint);
    let encrypted = unread.iter().map(|(each, place)| Line::Encrypted(Box::new(tls::encrypted(lint, each, place))));
    let omitted = lint.omitted.iter().map(|each| Line::Omitted(self::omitted(each)));
    let known = lint.suppressed.iter().map(|each| Line::Suppressed(Box::new(suppressed(lint, each))));
    let entries = lint.suppressions.iter().map(|each| Line::Suppression(Box::new(entry(lint, each))));
    let summary = std::iter::once(Line::Summary { schema: LINT, summary: summary(lint) });
    let holes = holes.chain(by_rules);
    let all = inputs.chain(sessions).chain(findings).chain(holes).chain(encrypted).chain(omitted);
    for line in all.chain(known).chain(entries).chain(summary) {
        writeln!(out, "{}", printable(&serde_json::to_string(&line)?))?;
    }
    Ok(())
}

/// Writes the sessions as one object.
pub fn write_sessions(lint: &Lint, out: &mut dyn Write) -> io::Result<()> {
    let sessions = lint.sessions.iter().map(|each| session(lint, each)).collect();
    let unread = unread(lint);
    let encrypted = unread.iter().map(|(each, place)| tls::encrypted(lint, each, place)).collect();
    pretty(&SessionsJson { schema: SESSIONS, sessions, encrypted }, out)
}

/// The servers whose connections could not be read, with where that is.
fn unread(lint: &Lint) -> Vec<(&Encrypted, Location)> {
    lint.encrypted.iter().map(|each| (each, place::of_connection(each))).collect()
}

/// Writes the rules as one object.
pub fn write_rules(rules: &[&Rule], out: &mut dyn Write) -> io::Result<()> {
    pretty(&RulesJson { schema: RULES, rules: rules.iter().map(|each| rule(each)).collect() }, out)
}

pub(super) fn pretty(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", printable(&serde_json::to_string_pretty(value)?))
}

/// JSON text in which hidden characters, which can only stand in strings, are escaped.
pub(super) fn printable(json: &str) -> std::borrow::Cow<'_, str> {
    let hidden = |character: char| character != '\n' && escape::is_hidden(character);
    if !json.contains(hidden) {
        return json.into();
    }
    let mut out = String::with_capacity(json.len() + 64);
    for character in json.chars() {
        if hidden(character) {
            out.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(character);
        }
    }
    out.into()
}

fn summary(lint: &Lint) -> Summary {
    Summary {
        inputs: lint.inputs.len(),
        packets: lint.inputs.iter().filter_map(|input| input.packets).sum(),
        tcp_streams: lint.inputs.iter().filter_map(|input| input.tcp_streams).sum(),
        sessions: lint.totals.sessions,
        messages: lint.totals.messages,
        enrollments: lint.totals.enrollments,
        pushes: lint.totals.pushes,
        findings: CountsJson { error: lint.counts.error, warning: lint.counts.warning, info: lint.counts.info },
        suppressed: lint.suppressed_count,
        not_judged: lint.not_judged_count,
    }
}

fn input(input: &Input) -> InputJson<'_> {
    InputJson {
        path: &input.path,
        kind: &input.kind,
        packets: input.packets,
        tcp_streams: input.tcp_streams,
        notes: &input.notes,
    }
}

fn session<'a>(lint: &'a Lint, row: &'a Row) -> SessionJson<'a> {
    SessionJson {
        key: &row.key,
        input: row.input.map(|input| lint.path(Some(input))),
        push: row.push,
        session_id: row.session_id.as_deref(),
        device: row.device.as_deref(),
        server: row.server.as_deref(),
        started: row.started.map(|time| time.to_string()),
        ended: row.ended.map(|time| time.to_string()),
        messages: row.messages,
        commands: row.commands,
        outcome: row.outcome.name(),
        worst: row.worst.map(Severity::name),
        tls: row.tls.as_ref().map(|handshake| Box::new(handshake.get(tls::connection))),
    }
}

fn finding<'a>(lint: &'a Lint, finding: &'a Finding) -> FindingJson<'a> {
    let related = finding.related.iter();
    FindingJson {
        rule: finding.rule.id,
        name: finding.rule.name,
        severity: finding.severity.name(),
        fault: finding.fault,
        message: &finding.message,
        help: &finding.help,
        spec: finding.rule.spec,
        fingerprint: fingerprint(finding),
        location: location(lint, &finding.location),
        related: related.map(|(message, place)| RelatedJson { message, location: location(lint, place) }).collect(),
    }
}

fn suppressed<'a>(lint: &'a Lint, (each, why): &'a (Finding, Suppression)) -> SuppressedJson<'a> {
    let suppression = SuppressionJson { kind: why.kind.name(), reason: why.reason.as_deref(), place: &why.place };
    SuppressedJson { finding: finding(lint, each), suppression }
}

fn entry<'a>(lint: &'a Lint, entry: &'a Entry) -> EntryJson<'a> {
    EntryJson {
        kind: entry.kind.name(),
        state: entry.state.name(),
        rule: &entry.rules,
        place: &entry.place,
        location: entry.location.as_ref().map(|place| location(lint, place)),
        reason: entry.reason.as_deref(),
        until: entry.until.as_deref(),
        count: entry.count,
        message: &entry.message,
    }
}

fn not_judged<'a>(lint: &'a Lint, entry: &'a NotJudged) -> NotJudgedJson<'a> {
    NotJudgedJson { reason: &entry.reason, location: location(lint, &entry.location) }
}

fn hole<'a>(lint: &'a Lint, hole: &'a Hole) -> HoleJson<'a> {
    let Hole { rule, reason, count, location } = hole;
    HoleJson { rule: rule.id, reason, count: *count, location: self::location(lint, location) }
}

fn omitted((rule, severity, count): &(&'static Rule, Severity, usize)) -> OmittedJson {
    OmittedJson { rule: rule.id, severity: severity.name(), count: *count }
}

fn location<'a>(lint: &'a Lint, location: &'a Location) -> LocationJson<'a> {
    LocationJson {
        input: location.input.map(|input| lint.path(Some(input))),
        frame: location.frame,
        last_frame: location.last_frame,
        entry: location.entry,
        time: location.time.map(|time| time.to_string()),
        tcp_stream: location.tcp_stream,
        session: location.session.as_deref(),
        direction: location.side.map(|side| match side {
            Side::Client => "client-to-server",
            Side::Server => "server-to-client",
        }),
        msg_id: location.msg_id.as_deref(),
        path: location.path.as_deref(),
        command: location.command,
        target: location.target.as_deref(),
        line: location.line,
        column: location.column,
        byte_range: location.byte_range,
        offset: location.offset,
        status: location.status.as_deref(),
        excerpt: location.excerpt.as_deref(),
    }
}

fn rule(rule: &Rule) -> RuleJson {
    let profiles = Profiles { windows: rule.windows.map(Severity::name), oma: rule.oma.map(Severity::name) };
    RuleJson {
        id: rule.id,
        name: rule.name,
        family: rule.family,
        severity: profiles.windows.or(profiles.oma),
        fault: rule.fault.name(),
        scope: rule.scope.name(),
        profiles,
        since: rule.since,
        summary: rule.summary,
        fix: rule.fix,
        spec: rule.spec,
        options: rule.options.iter().map(option).collect(),
    }
}

fn option(option: &RuleOption) -> OptionJson {
    let kind = match option.kind {
        OptionKind::Number { default, least, most } => OptionKindJson::Number { default, least, most },
        OptionKind::Words { default } => OptionKindJson::Words { default },
    };
    OptionJson { name: option.name, about: option.about, kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_escaped_and_mean_the_same() {
        let text = "a\u{7f}\u{202e}\u{e0041}\n\"";
        let json = printable(&serde_json::to_string(text).unwrap()).into_owned();
        assert_eq!(json, r#""a\u007f\u202e\udb40\udc41\n\"""#);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
