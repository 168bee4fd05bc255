//! The list of rules: a table for people, JSON and Markdown for scripts and pages.

use std::io::{self, Write};

use crate::escape;
use crate::examples::Tested;
use crate::rules::own::Table;
use crate::rules::{Rule, Severity};

/// Characters of what is wrong with an example: it may hold a whole message.
const LONGEST: usize = 400;

/// Writes a table: id (which begins with the family), severity under windows and oma, scope, name, summary.
pub fn text(rules: &[&Rule], out: &mut dyn Write) -> io::Result<()> {
    let widest = |column: fn(&Rule) -> usize| rules.iter().map(|rule| column(rule)).max().unwrap_or(0);
    let (id, name) = (widest(|rule| rule.id.len()), widest(|rule| rule.name.len()));
    for rule in rules {
        let (windows, oma, scope) = (level(rule.windows), level(rule.oma), rule.scope.name());
        writeln!(out, "{:id$}  {windows:7}  {oma:7}  {scope:7}  {:name$}  {}", rule.id, rule.name, rule.summary)?;
    }
    Ok(())
}

/// Writes a Markdown table.
pub fn markdown(rules: &[&Rule], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "| rule | name | windows | oma | fault | scope | what it reports | spec |\n|---|---|---|---|---|---|---|---|"
    )?;
    for rule in rules {
        let (windows, oma) = (level(rule.windows), level(rule.oma));
        let cell = |text: &str| text.replace('|', "\\|").replace('<', "&lt;");
        let (fault, scope) = (rule.fault.name(), rule.scope.name());
        let (summary, spec) = (cell(rule.summary), cell(&rule.spec.join("; ")));
        writeln!(out, "| {} | {} | {windows} | {oma} | {fault} | {scope} | {summary} | {spec} |", rule.id, rule.name)?;
    }
    Ok(())
}

/// Writes what came of the examples of an own rule; with `quiet` those alone that fail.
pub fn tested(rule: &Rule, examples: &[Tested], quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    let shown = || examples.iter().filter(|example| !quiet || !example.wrong.is_empty());
    if shown().next().is_some() {
        writeln!(out, "{} {}", rule.id, rule.name)?;
    }
    for Tested { heading, line, wrong } in shown() {
        let word = if wrong.is_empty() { "ok  " } else { "FAIL" };
        writeln!(out, "  {word}  line {line}: {}", escape::line(heading))?;
        for what in wrong {
            let line = what.split_whitespace().collect::<Vec<_>>().join(" ");
            writeln!(out, "          {}", escape::shorten(&escape::line(&line), LONGEST))?;
        }
    }
    Ok(())
}

/// Writes what the expressions of own rules can name.
pub fn reference(tables: &[Table], out: &mut dyn Write) -> io::Result<()> {
    for (number, Table { title, rows }) in tables.iter().enumerate() {
        let widest = |column: fn(&[String; 3]) -> &str| rows.iter().map(|row| column(row).chars().count()).max();
        let (name, gives) = (widest(|row| &row[0]).unwrap_or(0), widest(|row| &row[1]).unwrap_or(0));
        writeln!(out, "{}{title}", if number > 0 { "\n" } else { "" })?;
        for [field, of, doc] in rows {
            let of = if gives == 0 { String::new() } else { format!("  {of:gives$}") };
            writeln!(out, "  {field:name$}{of}  {doc}")?;
        }
    }
    Ok(())
}

fn level(severity: Option<Severity>) -> &'static str {
    severity.map_or("off", Severity::name)
}
