//! Annotations for GitHub Actions: `::error file=…,title=…::message`.
//!
//! GitHub shows ten of each level in a step; those are the first ones here, and a last line says how many more there are.

use std::io::{self, Write};

use super::{Lint, context, relative};
use crate::escape;
use crate::rules::{Finding, Severity};

/// Annotations of one level that GitHub shows in a step.
const SHOWN: usize = 10;

/// Writes the annotations.
pub fn write(lint: &Lint, out: &mut dyn Write) -> io::Result<()> {
    let mut left_out = 0;
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let mut findings = lint.findings.iter().filter(|finding| finding.severity == severity);
        for finding in findings.by_ref().take(SHOWN) {
            annotation(lint, finding, out)?;
        }
        left_out += findings.count();
    }
    left_out += lint.omitted.iter().map(|(.., many)| many).sum::<usize>();
    if left_out > 0 {
        writeln!(
            out,
            "::notice title=dmscope::{left_out} more findings; the other reports of this run have all of them"
        )?;
    }
    Ok(())
}

fn annotation(lint: &Lint, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let location = &finding.location;
    let mut properties = Vec::new();
    let path = lint.path(location.input);
    if !path.is_empty() && path != "-" {
        properties.push(format!("file={}", property(&relative(path))));
    }
    if let Some((line, column)) = lint.line(location) {
        properties.push(format!("line={line},col={column}"));
    }
    properties.push(format!("title={}", property(&format!("{} {}", finding.rule.id, finding.rule.name))));
    let place = [lint.spot(location), context(location)].join(" · ");
    let text = format!("{}\n{place}\n{}", escape::line(&finding.message), escape::line(&finding.help));
    writeln!(out, "::{level} {}::{}", properties.join(","), data(&text))
}

/// A message: percent signs and line breaks are commands to the runner.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property: colons and commas end it, too.
fn property(text: &str) -> String {
    data(&escape::line(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_runner_would_act_on_is_escaped() {
        assert_eq!(data("100%\r\n::error::x, y"), "100%25%0D%0A::error::x, y");
        assert_eq!(property("C:\\a,b%\n"), "C%3A\\a%2Cb%25\\n");
    }
}
