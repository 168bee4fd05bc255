//! GitLab's code quality report: a list of issues, each with a fingerprint of its own.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};

use serde::Serialize;

use super::fingerprint::fingerprint;
use super::{Lint, context, json};
use crate::rules::{Finding, Severity};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Place<'a>,
}

#[derive(Serialize)]
struct Place<'a> {
    path: Cow<'a, str>,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// Writes the report.
pub fn write(lint: &Lint, out: &mut dyn Write) -> io::Result<()> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let issues: Vec<Issue<'_>> = lint.findings.iter().map(|finding| issue(lint, finding, &mut seen)).collect();
    json::pretty(&issues, out)
}

fn issue<'a>(lint: &'a Lint, finding: &Finding, seen: &mut HashMap<String, usize>) -> Issue<'a> {
    let same = fingerprint(finding);
    let number = seen.entry(same.clone()).or_default();
    *number += 1;
    let location = &finding.location;
    let place = [lint.spot(location), context(location)].join(" · ");
    Issue {
        description: format!("{} ({place})", finding.message),
        check_name: finding.rule.id,
        fingerprint: format!("{same}-{number}"),
        severity: match finding.severity {
            Severity::Error => "major",
            Severity::Warning => "minor",
            Severity::Info => "info",
        },
        location: Place {
            path: super::relative(lint.path(location.input)),
            lines: Lines { begin: lint.line(location).map_or(1, |(line, _)| line) },
        },
    }
}
