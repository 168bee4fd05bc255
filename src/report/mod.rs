//! What the program says: findings, sessions, messages, rules, in the forms that users and scripts read.
//!
//! In: owned results ([`Lint`]) or sessions. Out: text on a writer. Whatever came from an input passes through
//! [`crate::escape`]; secrets were masked before. Same results, same bytes. It judges nothing.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{MAIN_SEPARATOR, Path};

use crate::engine::{Extents, Totals};
use crate::http::{Encrypted, InputId};
use crate::origin::Unit;
use crate::rules::{Finding, Location, Rule, Severity, location};
use crate::suppress::{Entry, Suppression};
use crate::time::Time;

pub mod concise;
pub mod explain;
pub mod fingerprint;
pub mod github;
pub mod gitlab;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod push;
pub mod rules;
pub mod sarif;
pub mod sessions;
pub mod show;
pub mod stats;
pub mod story;
pub mod text;
pub mod tls;

/// What a lint run found, and what it looked at.
#[derive(Debug, Default)]
pub struct Lint {
    /// The inputs, in the order they were read.
    pub inputs: Vec<Input>,
    /// The sessions, in the order they began.
    pub sessions: Vec<sessions::Row>,
    /// The findings, by input, place and rule.
    pub findings: Vec<Finding>,
    /// Findings that were counted but not kept: how many of which rule.
    pub omitted: Vec<(&'static Rule, Severity, usize)>,
    /// Servers whose connections could not be read: encrypted without keys, or failed handshakes; each host once.
    pub encrypted: Vec<Encrypted>,
    /// What could not be judged, and why, by input and place.
    pub not_judged: Vec<NotJudged>,
    /// Rules that did not judge what they were to judge, and why; of each session once.
    pub holes: Vec<Hole>,
    /// How many findings there are, those that were not kept included.
    pub counts: Counts,
    /// What was seen in all inputs, what was not kept included.
    pub totals: Totals,
    /// How many messages were not judged, those that are not listed included.
    pub not_judged_count: usize,
    /// How many rules ran.
    pub rules: usize,
    /// Findings that are known and not told, each with why.
    pub suppressed: Vec<(Finding, Suppression)>,
    /// How many there are, those that are not listed included.
    pub suppressed_count: usize,
    /// What became of the suppressions.
    pub suppressions: Vec<Entry>,
    /// Where the packets and entries that places name stand in their files; looked up for reports that tell it.
    pub extents: Extents,
}

/// An input as reports name it.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// Its path as given, `-` for standard input.
    pub path: String,
    /// Its kind.
    pub kind: String,
    /// Packets in it; `None` for what holds none.
    pub packets: Option<u64>,
    /// TCP connections in it; `None` for what holds none.
    pub tcp_streams: Option<u64>,
    /// Whether its places are not those of the file: it was compressed, or exported from another one.
    pub elsewhere: bool,
    /// What was noticed in reading it, a sentence each.
    pub notes: Vec<String>,
}

/// A message whose content was not judged.
#[derive(Clone, Debug)]
pub struct NotJudged {
    /// The message.
    pub location: Location,
    /// Why.
    pub reason: String,
}

/// A place that a rule did not judge.
#[derive(Clone, Debug)]
pub struct Hole {
    /// The rule.
    pub rule: &'static Rule,
    /// The first such place in its session.
    pub location: Location,
    /// Why.
    pub reason: String,
    /// How many there are in the session.
    pub count: usize,
}

impl Hole {
    /// `ACME-001: its budget of 200000 steps is used up; so for 3 more places of the session`.
    pub fn told(&self) -> String {
        let more = match self.count {
            0 | 1 => String::new(),
            count => format!("; so for {} of the session", self::count(count as u64 - 1, "more place")),
        };
        format!("{}: {}{more}", self.rule.id, self.reason)
    }
}

/// Findings by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Errors.
    pub error: usize,
    /// Warnings.
    pub warning: usize,
    /// Infos.
    pub info: usize,
}

impl Counts {
    /// Counts `many` more.
    pub fn add(&mut self, severity: Severity, many: usize) {
        match severity {
            Severity::Error => self.error += many,
            Severity::Warning => self.warning += many,
            Severity::Info => self.info += many,
        }
    }

    /// All of them.
    pub fn total(self) -> usize {
        self.error + self.warning + self.info
    }

    /// The worst severity that occurs.
    pub fn worst(self) -> Option<Severity> {
        let has = |count: usize, severity| (count > 0).then_some(severity);
        has(self.error, Severity::Error).or(has(self.warning, Severity::Warning)).or(has(self.info, Severity::Info))
    }
}

impl Lint {
    /// ` (2 suppressed)`, for the summary; empty without any.
    pub fn suppressed_note(&self) -> String {
        suppressed(self.suppressed_count)
    }

    /// Where a suppression stands: `dmscope.toml:12`, `capture.pcap frame 31`.
    pub fn stands(&self, entry: &Entry) -> String {
        match &entry.location {
            Some(location) => self.spot(location),
            None => crate::escape::line(&entry.place).into_owned(),
        }
    }

    /// The path of an input; empty when it is not known.
    pub fn path(&self, input: Option<InputId>) -> &str {
        let input = input.and_then(|input| self.inputs.get(input.0 as usize));
        input.map_or("", |input| &input.path)
    }

    /// The session with this key.
    pub fn session(&self, key: Option<&str>) -> Option<&sessions::Row> {
        let key = key?;
        let number: u32 = key.strip_prefix('s')?.parse().ok()?;
        let at = self.sessions.binary_search_by_key(&number, |row| row.number).ok()?;
        self.sessions.get(at)
    }

    /// A line for each server whose connections could not be read, of those whose handshake failed or of the others; not
    /// for those that a finding tells of.
    pub fn unread(&self, failed: bool) -> Vec<String> {
        let told = |encrypted: &Encrypted| {
            let place = location::of_connection(encrypted);
            let same = |at: &Location| (at.input, at.tcp_stream, &at.session) == (place.input, place.tcp_stream, &None);
            place.tcp_stream.is_some() && self.findings.iter().any(|finding| same(&finding.location))
        };
        let some = self.encrypted.iter().filter(|encrypted| tls::has_failed(encrypted) == failed && !told(encrypted));
        let line = |encrypted: &Encrypted| {
            let location = location::of_connection(encrypted);
            let parts = [self.spot(&location), context(&location), tls::unread(encrypted)];
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
        };
        some.map(line).collect()
    }

    /// Line and column in the file, where the place has them: not those of a body that was decoded, of an unpacked
    /// file, or of the file that messages were exported from.
    pub fn line(&self, place: &Location) -> Option<(u32, u32)> {
        let is_there = place.frame.is_none() && place.entry.is_none() && self.in_file(place);
        place.line.zip(place.column).filter(|_| is_there)
    }

    /// Whether what a place says of its input can be looked up in the file.
    pub fn in_file(&self, place: &Location) -> bool {
        let input = place.input.and_then(|input| self.inputs.get(input.0 as usize));
        input.is_some_and(|input| !input.elsewhere)
    }

    /// The packets and entries that places name.
    pub fn units(&self) -> BTreeSet<(InputId, Unit)> {
        let findings = self.findings.iter().chain(self.suppressed.iter().map(|(finding, _)| finding));
        let holes =
            self.not_judged.iter().map(|hole| &hole.location).chain(self.holes.iter().map(|hole| &hole.location));
        let places = findings.flat_map(Finding::places).chain(holes).filter(|place| self.in_file(place));
        let units = |place: &Location| {
            let frames = [place.frame, place.last_frame].map(|frame| frame.map(Unit::Frame));
            let units = frames.into_iter().chain([place.entry.map(Unit::Entry)]).flatten();
            place.input.into_iter().flat_map(move |input| units.clone().map(move |unit| (input, unit)))
        };
        places.flat_map(units).collect()
    }

    /// Where a place is: `capture.pcap frame 31`, `server.log:12:7`.
    pub fn spot(&self, location: &Location) -> String {
        spot(self.path(location.input), location)
    }
}

/// The same with the path of its input given.
pub fn spot(path: &str, location: &Location) -> String {
    let path = crate::escape::line(path);
    match (location.frame, location.last_frame, location.entry, location.line, location.column) {
        (Some(first), Some(last), ..) => format!("{path} frames {first}-{last}"),
        (Some(frame), ..) => format!("{path} frame {frame}"),
        (_, _, Some(entry), ..) => format!("{path} entry {entry}"),
        (.., Some(line), Some(column)) => format!("{path}:{line}:{column}"),
        _ => path.into_owned(),
    }
}

/// A path as reports for other programs have it: relative to the working directory where it lies in it, without `./`,
/// with forward slashes.
pub fn relative(path: &str) -> Cow<'_, str> {
    let here = std::env::current_dir().ok();
    let inside = here.as_deref().and_then(|here| Path::new(path).strip_prefix(here).ok()).and_then(Path::to_str);
    let path = match inside.unwrap_or(path) {
        path if MAIN_SEPARATOR == '/' => Cow::Borrowed(path),
        path => Cow::Owned(path.replace(MAIN_SEPARATOR, "/")),
    };
    match path.strip_prefix("./") {
        Some(inner) => Cow::Owned(inner.to_owned()),
        None => path,
    }
}

/// What a person looks a message up by: `10:02:11.120 · s1 · server message 2`.
pub fn context(location: &Location) -> String {
    let message = location.side.map(|side| match &location.msg_id {
        Some(msg_id) => format!("{} message {}", side.name(), crate::escape::shorten(&crate::escape::line(msg_id), 20)),
        None => format!("{} message", side.name()),
    });
    let parts = [location.time.map(clock), location.session.as_deref().map(str::to_owned), message];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The time of day, UTC, in milliseconds: `10:02:11.120`.
pub fn clock(time: Time) -> String {
    time.to_string().get(11..23).unwrap_or_default().to_owned()
}

/// ` (2 suppressed)`, behind a count of findings; empty without any.
pub fn suppressed(many: usize) -> String {
    if many == 0 { String::new() } else { format!(" ({many} suppressed)") }
}

/// `1 entry`, `2 entries`.
pub fn entries(number: usize) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}

/// `1 session`, `2 sessions`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
