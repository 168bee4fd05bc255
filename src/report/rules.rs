//! The list of rules: a table for people, JSON and Markdown for scripts and pages.

use std::io::{self, Write};

use crate::rules::{Rule, Severity};

/// Writes a table: id, severity in the default profile, name, summary.
pub fn text(rules: &[&Rule], out: &mut dyn Write) -> io::Result<()> {
    let widest = |column: fn(&Rule) -> usize| rules.iter().map(|rule| column(rule)).max().unwrap_or(0);
    let (id, name) = (widest(|rule| rule.id.len()), widest(|rule| rule.name.len()));
    for rule in rules {
        writeln!(out, "{:id$}  {:7}  {:name$}  {}", rule.id, level(rule.windows), rule.name, rule.summary)?;
    }
    Ok(())
}

/// Writes a Markdown table.
pub fn markdown(rules: &[&Rule], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| rule | name | windows | oma | fault | what it reports |\n|---|---|---|---|---|---|")?;
    for rule in rules {
        let (windows, oma) = (level(rule.windows), level(rule.oma));
        let summary = rule.summary.replace('|', "\\|").replace('<', "&lt;");
        writeln!(out, "| {} | {} | {windows} | {oma} | {} | {summary} |", rule.id, rule.name, rule.fault.name())?;
    }
    Ok(())
}

fn level(severity: Option<Severity>) -> &'static str {
    severity.map_or("off", Severity::name)
}
