//! One line a finding, for editors, `grep` and terminals: `path:line:col: severity RULE message`.
//!
//! For captures the place is `path:frame N`, for HARs `path:entry N`.

use std::io::{self, Write};

use super::Lint;
use crate::escape;
use crate::rules::Location;

/// Writes the findings.
pub fn write(lint: &Lint, out: &mut dyn Write) -> io::Result<()> {
    for finding in &lint.findings {
        let place = place(lint, &finding.location);
        let (severity, rule) = (finding.severity.name(), finding.rule.id);
        writeln!(out, "{place}: {severity} {rule} {}", escape::line(&finding.message))?;
    }
    for (rule, severity, many) in &lint.omitted {
        writeln!(out, "{} {} {many} more, not listed", severity.name(), rule.id)?;
    }
    Ok(())
}

fn place(lint: &Lint, location: &Location) -> String {
    let path = escape::line(lint.path(location.input));
    match (location.frame, location.entry, location.line, location.column) {
        (Some(frame), ..) => format!("{path}:frame {frame}"),
        (_, Some(entry), ..) => format!("{path}:entry {entry}"),
        (_, _, Some(line), Some(column)) => format!("{path}:{line}:{column}"),
        _ => path.into_owned(),
    }
}
