//! SARIF 2.1.0, for code scanning.
//!
//! Out: one run. A result is located in its input: by line in text files, by bytes in captures and files of one binary
//! message; the logical location says session, message and element. Related places are a code flow
//! in the order of their times. The partial fingerprint survives other ids, times and devices.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::fingerprint::fingerprint;
use super::{Lint, context, json, relative};
use crate::engine::Extent;
use crate::origin::Unit;
use crate::rules::{Finding, Location, Rule, Severity};
use crate::suppress::{Entry, Kind, Suppression};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Name of the recipe of our fingerprints.
const FINGERPRINT: &str = "dmscope/v1";
/// The name by which GitHub looks for one; without it, it makes one of the line, which captures have not.
const LINE_HASH: &str = "primaryLocationLineHash";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Value; 1],
}

/// Writes the report.
pub fn write(lint: &Lint, out: &mut dyn Write) -> io::Result<()> {
    let known = || lint.suppressed.iter().map(|(finding, _)| finding);
    let mut rules: Vec<&'static Rule> = lint.findings.iter().chain(known()).map(|finding| finding.rule).collect();
    rules.sort_by_key(|rule| rule.id);
    rules.dedup();
    let told = lint.findings.iter().map(|finding| (finding, None));
    let known = lint.suppressed.iter().map(|(finding, why)| (finding, Some(why)));
    let results: Vec<Value> = told.chain(known).map(|(finding, why)| result(lint, finding, why, &rules)).collect();
    let artifacts: Vec<Value> = lint.inputs.iter().map(|input| json!({ "location": artifact(&input.path) })).collect();
    let run = json!({
        "tool": { "driver": {
            "name": "dmscope",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
        } },
        "invocations": [{
            "executionSuccessful": true,
            "toolConfigurationNotifications": lint.suppressions.iter().filter_map(|entry| trouble(lint, entry)).collect::<Vec<_>>(),
            "toolExecutionNotifications": notifications(lint),
        }],
        "artifacts": artifacts,
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    json::pretty(&Log { schema: SCHEMA, version: "2.1.0", runs: [run] }, out)
}

/// What was noticed in reading, and what was not judged.
fn notifications(lint: &Lint) -> Vec<Value> {
    let notes = lint.inputs.iter().flat_map(|input| {
        let located = move |note: &String| {
            json!({ "level": "note", "message": { "text": note },
                "locations": [{ "physicalLocation": { "artifactLocation": artifact(&input.path) } }] })
        };
        input.notes.iter().map(located)
    });
    let holes = lint.not_judged.iter().map(|hole| {
        let text = format!("not judged: {}", hole.reason);
        json!({ "level": "note", "message": { "text": text }, "locations": [location(lint, &hole.location)] })
    });
    let omitted = lint.omitted.iter().map(|(rule, severity, many)| {
        let text = format!("{many} more findings of {} ({}) are not listed", rule.id, severity.name());
        json!({ "level": "note", "message": { "text": text } })
    });
    let by_rules = lint.holes.iter().map(|hole| {
        let text = format!("not judged by {}", hole.told());
        json!({ "level": "note", "message": { "text": text }, "locations": [location(lint, &hole.location)] })
    });
    notes.chain(holes).chain(by_rules).chain(omitted).collect()
}

/// A suppression that the user should look at.
fn trouble(lint: &Lint, entry: &Entry) -> Option<Value> {
    let text = || format!("{}: {}", lint.stands(entry), entry.message);
    entry.state.is_trouble().then(|| json!({ "level": "warning", "message": { "text": text() } }))
}

/// As SARIF has suppressions. Where one result has them, all must have: an empty list says that it was not suppressed.
fn suppressions(lint: &Lint, why: Option<&Suppression>) -> Option<Value> {
    let one = |why: &Suppression| {
        let kind = if why.kind == Kind::Comment { "inSource" } else { "external" };
        let mut one = json!({ "kind": kind, "status": "accepted" });
        let of_baseline = (why.kind == Kind::Baseline).then(|| format!("known: {}", why.place));
        if let Some(reason) = why.reason.as_deref().or(of_baseline.as_deref()) {
            one["justification"] = reason.into();
        }
        one
    };
    (!lint.suppressed.is_empty()).then(|| why.map(one).into_iter().collect())
}

fn descriptor(rule: &Rule) -> Value {
    let page = rule.page.split_once("\n+++\n").map_or(rule.page, |(_, page)| page).trim();
    let level = rule.windows.or(rule.oma).unwrap_or(Severity::Info);
    json!({
        "id": rule.id,
        "name": pascal(rule.name),
        "shortDescription": { "text": rule.summary },
        "help": { "text": format!("{} Run `dmscope explain {}` for the page of the rule.", rule.fix, rule.id), "markdown": page },
        "defaultConfiguration": { "level": self::level(level) },
        "properties": { "tags": [rule.family], "spec": rule.spec },
    })
}

fn result(lint: &Lint, finding: &Finding, why: Option<&Suppression>, rules: &[&Rule]) -> Value {
    let fingerprint = fingerprint(finding);
    let mut result = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": rules.binary_search_by_key(&finding.rule.id, |rule| rule.id).unwrap_or_default(),
        "level": level(finding.severity),
        "message": { "text": format!("{}. {}", finding.message, finding.help) },
        "locations": [location(lint, &finding.location)],
        "partialFingerprints": { FINGERPRINT: &fingerprint, LINE_HASH: &fingerprint },
        "properties": properties(finding),
    });
    if let Some(suppressions) = suppressions(lint, why) {
        result["suppressions"] = suppressions;
    }
    if finding.related.is_empty() {
        return result;
    }
    let related = finding.related.iter().map(|(text, place)| described(lint, place, text));
    result["relatedLocations"] = related.collect::<Vec<_>>().into();
    let mut steps: Vec<(&Location, &str)> = finding.related.iter().map(|(text, place)| (place, &**text)).collect();
    steps.push((&finding.location, &finding.message));
    steps.sort_by_key(|(place, _)| (place.input, place.time, place.frame.or(place.entry), place.line));
    let steps: Vec<Value> =
        steps.iter().map(|(place, text)| json!({ "location": described(lint, place, text) })).collect();
    result["codeFlows"] = json!([{ "threadFlows": [{ "locations": steps }] }]);
    result
}

fn properties(finding: &Finding) -> Value {
    let location = &finding.location;
    let mut bag = Map::new();
    let mut put = |name: &str, value: Option<Value>| drop(value.map(|value| bag.insert(name.to_owned(), value)));
    put("fault", Some(finding.fault.into()));
    put("frame", location.frame.map(Value::from));
    put("entry", location.entry.map(Value::from));
    put("time", location.time.map(|time| time.to_string().into()));
    put("session", location.session.as_deref().map(Value::from));
    put("msgId", location.msg_id.as_deref().map(Value::from));
    put("target", location.target.as_deref().map(Value::from));
    put("excerpt", location.excerpt.as_deref().map(Value::from));
    Value::Object(bag)
}

fn described(lint: &Lint, place: &Location, text: &str) -> Value {
    let mut value = location(lint, place);
    value["message"] = json!({ "text": text });
    value
}

fn location(lint: &Lint, place: &Location) -> Value {
    let mut physical = json!({ "artifactLocation": artifact(lint.path(place.input)) });
    if let Some(region) = region(lint, place) {
        physical["region"] = region;
    }
    let mut location = json!({ "physicalLocation": physical });
    let name = [lint.spot(place), context(place)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let path = place.path.clone().unwrap_or_default();
    let whole = format!("{}{}{path}", name.join(" · "), if path.is_empty() { "" } else { " · " });
    let kind = if place.path.is_some() { "element" } else { "module" };
    location["logicalLocations"] = json!([{ "fullyQualifiedName": whole, "kind": kind }]);
    location
}

/// Where in the file: the bytes themselves where they stand there as they are and in one piece, the packets or the entry
/// that hold them otherwise.
fn region(lint: &Lint, place: &Location) -> Option<Value> {
    let input = place.input?;
    match (place.frame, place.entry) {
        (Some(first), _) => {
            let last = place.last_frame.unwrap_or(first);
            let [first, last] = [first, last].map(|frame| lint.extents.get(&(input, Unit::Frame(frame))));
            packets(place, *first?, *last?)
        }
        (None, Some(entry)) => match lint.extents.get(&(input, Unit::Entry(entry)))? {
            Extent::Lines((line, column), (end_line, end_column)) => Some(json!({
                "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column
            })),
            Extent::Bytes { .. } => None,
        },
        (None, None) => match (lint.line(place), place.offset.zip(place.length)) {
            (Some((line, column)), _) => Some(json!({ "startLine": line, "startColumn": column })),
            (None, Some((offset, length))) if lint.in_file(place) => Some(bytes(offset, length)),
            _ => None,
        },
    }
}

/// The same in a capture, from the extents of the first and the last packet.
fn packets(place: &Location, first: Extent, last: Extent) -> Option<Value> {
    let (Extent::Bytes { offset, .. }, Extent::Bytes { offset: end, length }) = (first, last) else { return None };
    if let Some((at, count)) = place.offset.zip(place.length) {
        return Some(bytes(offset + at, count));
    }
    let mut region = bytes(offset, (end + length).saturating_sub(offset));
    let what = match (place.frame, place.last_frame) {
        (Some(frame), _) if place.message.is_none() => format!("packet {frame}, where it begins"),
        (Some(first), Some(last)) => format!("packets {first} to {last}, which carry it"),
        (frame, _) => format!("packet {}, which carries it", frame.unwrap_or_default()),
    };
    region["message"] = json!({ "text": what });
    Some(region)
}

/// A region of bytes. It has a line as well, though it means nothing: GitHub knows lines alone.
fn bytes(offset: u64, length: u64) -> Value {
    json!({ "startLine": 1, "byteOffset": offset, "byteLength": length })
}

/// A path as SARIF wants it: relative where it can be, so that an alert is the same one on every machine.
fn artifact(path: &str) -> Value {
    let relative = relative(path);
    let uri: String = relative.split('/').map(encoded).collect::<Vec<_>>().join("/");
    match Path::new(&*relative).is_absolute() {
        true => json!({ "uri": format!("file:///{}", uri.trim_start_matches('/')) }),
        false => json!({ "uri": uri, "uriBaseId": "%SRCROOT%" }),
    }
}

/// A segment of a path with all but unreserved characters percent-encoded (RFC 3986 §2.3).
fn encoded(segment: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    segment
        .bytes()
        .map(|byte| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// `msgid-gap` as `MsgidGap`.
fn pascal(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Extents;
    use crate::http::InputId;
    use crate::report::Input;

    #[test]
    fn paths_are_uris() {
        assert_eq!(artifact("./a b/c%.pcap"), json!({ "uri": "a%20b/c%25.pcap", "uriBaseId": "%SRCROOT%" }));
        assert_eq!(artifact("/nowhere/ö.har"), json!({ "uri": "file:///nowhere/%C3%B6.har" }));
    }

    fn lint(extents: Extents) -> Lint {
        Lint { inputs: vec![Input::default()], extents, ..Lint::default() }
    }

    fn region_of(lint: &Lint, place: Location) -> Option<Value> {
        region(lint, &Location { input: Some(InputId(0)), ..place })
    }

    #[test]
    fn a_place_in_a_file_is_a_line_or_bytes() {
        let line = || Location { line: Some(3), column: Some(7), ..Location::default() };
        let bytes = || Location { offset: Some(40), length: Some(6), ..Location::default() };
        let lint = lint(Extents::new());
        assert_eq!(region_of(&lint, line()), Some(json!({ "startLine": 3, "startColumn": 7 })));
        assert_eq!(region_of(&lint, bytes()), Some(json!({ "startLine": 1, "byteOffset": 40, "byteLength": 6 })));
        assert_eq!(region_of(&lint, Location { frame: Some(9), ..line() }), None);
        let elsewhere = Lint { inputs: vec![Input { elsewhere: true, ..Input::default() }], ..lint };
        assert_eq!((region_of(&elsewhere, line()), region_of(&elsewhere, bytes())), (None, None));
    }

    #[test]
    fn a_place_in_a_packet_is_its_bytes_or_the_packets() {
        let packet = |frame, offset| ((InputId(0), Unit::Frame(frame)), Extent::Bytes { offset, length: 100 });
        let lint = lint(Extents::from([packet(7, 40), packet(9, 400)]));
        let exact =
            Location { frame: Some(7), offset: Some(54), length: Some(6), message: Some(0), ..Location::default() };
        let both = Location { last_frame: Some(9), length: None, ..exact.clone() };
        let coded = Location { offset: None, ..both.clone() };
        assert_eq!(region_of(&lint, exact.clone()), Some(bytes(94, 6)));
        for place in [both, coded] {
            let region = region_of(&lint, place).unwrap();
            assert_eq!(region["message"]["text"], "packets 7 to 9, which carry it");
            assert_eq!((&region["byteOffset"], &region["byteLength"]), (&json!(40), &json!(460)));
        }
        let session = Location { offset: None, length: None, message: None, ..exact.clone() };
        assert_eq!(region_of(&lint, session).unwrap()["message"]["text"], "packet 7, where it begins");
        assert_eq!(region_of(&lint, Location { frame: Some(8), ..exact }), None);
        assert_eq!(pascal("msgid-gap"), "MsgidGap");
    }
}
