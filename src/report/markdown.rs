//! A report in Markdown: for job summaries, merge requests and tickets.

use std::io::{self, Write};

use super::{Lint, context, count};
use crate::escape;
use crate::rules::{Finding, Severity};

/// Findings listed one by one; a job summary may hold 1 MiB.
const LISTED: usize = 200;

/// Writes the report.
pub fn write(lint: &Lint, out: &mut dyn Write) -> io::Result<()> {
    let counts = lint.counts;
    writeln!(out, "## dmscope\n")?;
    let found = match counts.total() {
        0 => "No findings".to_owned(),
        _ => [(counts.error, "error"), (counts.warning, "warning"), (counts.info, "info")]
            .iter()
            .filter(|(many, _)| *many > 0)
            .map(|(many, noun)| count(*many as u64, noun))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let seen = [count(lint.totals.sessions, "session"), count(lint.totals.messages, "message")].join(", ");
    writeln!(out, "**{found}**{} in {seen}.\n", lint.suppressed_note())?;
    if lint.not_judged_count > 0 {
        writeln!(out, "{} not judged.\n", count(lint.not_judged_count as u64, "message"))?;
    }
    for hole in &lint.holes {
        writeln!(out, "Not judged by {}\n", escape::line(&hole.told()))?;
    }
    if !lint.findings.is_empty() {
        writeln!(out, "| severity | rule | finding | where |\n|---|---|---|---|")?;
    }
    let mut listed = 0;
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        for finding in lint.findings.iter().filter(|finding| finding.severity == severity).take(LISTED - listed) {
            row(lint, finding, out)?;
            listed += 1;
        }
    }
    match counts.total().saturating_sub(listed) {
        0 => Ok(()),
        more => writeln!(out, "\n{more} more, not listed."),
    }
}

fn row(lint: &Lint, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let place = [lint.spot(&finding.location), context(&finding.location)];
    let place = place.iter().filter(|part| !part.is_empty()).map(|part| cell(part)).collect::<Vec<_>>().join("<br>");
    let (severity, id, name) = (finding.severity.name(), finding.rule.id, finding.rule.name);
    let text = format!("{}<br>*{}*", cell(&finding.message), cell(&finding.help));
    writeln!(out, "| {severity} | {id}<br>{name} | {text} | {place} |")
}

/// Text of a table's cell: nothing in it is markup, but for backticks in pairs, which quote values.
fn cell(text: &str) -> String {
    let mut text = escape::line(text).into_owned();
    if text.matches('`').count() % 2 == 1 {
        text = text.replace('`', "'");
    }
    let mut out = String::with_capacity(text.len());
    let mut quoted = false;
    for character in text.chars() {
        match character {
            '`' => quoted = !quoted,
            '|' => out.push('\\'),
            '<' | '>' | '&' | '*' | '_' | '[' | ']' | '\\' | '#' | '~' if !quoted => out.push('\\'),
            _ => {}
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_the_input_is_no_markup_of_the_report() {
        assert_eq!(cell("a | b <img> *x*"), "a \\| b \\<img\\> \\*x\\*");
        assert_eq!(cell("value `./A_b|c` is"), "value `./A_b\\|c` is");
        assert_eq!(cell("one ` alone"), "one ' alone");
        assert_eq!(cell("line\nbreak"), "line\\\\nbreak");
    }
}
