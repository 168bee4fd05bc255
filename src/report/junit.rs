//! JUnit XML, as test runners write it and CI systems read it: a suite for each input, a case for each rule that
//! fired in a session, and one that passed for each session without findings.
//!
//! Errors and warnings are failures; infos are output of the case. A session with messages that were not judged has a
//! skipped case that says so.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::{Lint, context};
use crate::escape;
use crate::rules::{Finding, Severity};

/// What happened to one case.
struct Case<'a> {
    name: String,
    class: String,
    findings: Vec<&'a Finding>,
    skipped: Option<String>,
}

impl Case<'_> {
    fn failed(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity > Severity::Info)
    }
}

/// Writes the report.
pub fn write(lint: &Lint, out: &mut dyn Write) -> io::Result<()> {
    let suites: Vec<(String, Vec<Case<'_>>)> =
        lint.inputs.iter().map(|input| (input.path.clone(), cases(lint, &input.path))).collect();
    let mut writer = Writer::new_with_indent(&mut *out, b' ', 2);
    let all = || suites.iter().flat_map(|(_, cases)| cases);
    writer
        .create_element("testsuites")
        .with_attributes([
            ("name", "dmscope"),
            ("tests", &*all().count().to_string()),
            ("failures", &*all().filter(|case| case.failed()).count().to_string()),
        ])
        .write_inner_content(|writer| suites.iter().try_for_each(|(name, cases)| suite(writer, name, cases, lint)))?;
    writeln!(out)
}

/// The cases of an input, by session and rule.
fn cases<'a>(lint: &'a Lint, path: &str) -> Vec<Case<'a>> {
    let mut fired: BTreeMap<(&str, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in lint.findings.iter().filter(|finding| lint.path(finding.location.input) == path) {
        let session = finding.location.session.as_deref().unwrap_or_default();
        fired.entry((session, finding.rule.id)).or_default().push(finding);
    }
    let of_session = |key: &str| fired.keys().any(|(session, _)| *session == key);
    let mut cases: Vec<Case<'a>> = Vec::new();
    for row in lint.sessions.iter().filter(|row| row.input.is_some_and(|input| lint.path(Some(input)) == path)) {
        let holes = lint.not_judged.iter().filter(|hole| hole.location.session.as_deref() == Some(&*row.key));
        let class = format!("{path}.{}", row.key);
        let by_rules = lint.holes.iter().filter(|hole| hole.location.session.as_deref() == Some(&*row.key));
        cases.extend(by_rules.map(|hole| {
            let skipped = Some(escape::line(&format!("not judged by {}", hole.told())).into_owned());
            Case { name: format!("{} not judged", hole.rule.id), class: class.clone(), findings: Vec::new(), skipped }
        }));
        let holes = holes.count();
        if holes > 0 {
            let skipped = Some(format!("{} not judged", super::count(holes as u64, "message")));
            cases.push(Case { name: "messages".into(), class, findings: Vec::new(), skipped });
        } else if !of_session(&row.key) {
            cases.push(Case { name: "session".into(), class, findings: Vec::new(), skipped: None });
        }
    }
    cases.extend(fired.into_iter().map(|((session, rule), findings)| {
        let class = if session.is_empty() { path.to_owned() } else { format!("{path}.{session}") };
        Case { name: rule.to_owned(), class, findings, skipped: None }
    }));
    cases
}

fn suite<W: Write>(writer: &mut Writer<W>, name: &str, cases: &[Case<'_>], lint: &Lint) -> io::Result<()> {
    let number = |many: usize| many.to_string();
    let (tests, failures) = (number(cases.len()), number(cases.iter().filter(|case| case.failed()).count()));
    let skipped = number(cases.iter().filter(|case| case.skipped.is_some()).count());
    let suite = writer.create_element("testsuite").with_attributes([
        ("name", &*escape::line(name)),
        ("tests", &*tests),
        ("failures", &*failures),
        ("errors", "0"),
        ("skipped", &*skipped),
    ]);
    suite.write_inner_content(|writer| cases.iter().try_for_each(|each| case(writer, each, lint)))?;
    Ok(())
}

fn case<W: Write>(writer: &mut Writer<W>, case: &Case<'_>, lint: &Lint) -> io::Result<()> {
    let element = writer
        .create_element("testcase")
        .with_attributes([("name", &*escape::line(&case.name)), ("classname", &*escape::line(&case.class))]);
    if let Some(why) = &case.skipped {
        element.write_inner_content(|writer| {
            writer.create_element("skipped").with_attribute(("message", &**why)).write_empty().map(drop)
        })?;
        return Ok(());
    }
    let Some(worst) = case.findings.iter().max_by_key(|finding| finding.severity) else {
        element.write_empty()?;
        return Ok(());
    };
    let text: String = case.findings.iter().map(|finding| line(lint, finding)).collect();
    element.write_inner_content(|writer| {
        let inner = match case.failed() {
            true => writer
                .create_element("failure")
                .with_attributes([("type", worst.severity.name()), ("message", &*escape::line(&worst.message))]),
            false => writer.create_element("system-out"),
        };
        inner.write_text_content(BytesText::new(&text)).map(drop)
    })?;
    Ok(())
}

fn line(lint: &Lint, finding: &Finding) -> String {
    let place = [lint.spot(&finding.location), context(&finding.location)].join(" · ");
    let (severity, message, help) =
        (finding.severity.name(), escape::line(&finding.message), escape::line(&finding.help));
    format!("{severity}: {message}\n  {place}\n  help: {help}\n")
}
