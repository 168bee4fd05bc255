//! A rule's page, for reading in a terminal: facts, then the text wrapped, examples indented.
//!
//! In: the page's Markdown, as far as pages use it: headings, paragraphs, lists, tables, fenced blocks. Out: text.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr as _;

use crate::rules::{Rule, Severity};

/// Widest text, however wide the terminal is: longer lines are hard to read.
const MAX_WIDTH: usize = 100;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const HEADING: Style = AnsiColor::BrightCyan.on_default().bold();

/// Writes the page of a rule.
pub fn text(rule: &Rule, width: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let width = width.unwrap_or(MAX_WIDTH).clamp(20, MAX_WIDTH);
    writeln!(out, "{BOLD}{} {}{BOLD:#}", rule.id, rule.name)?;
    wrap(out, rule.summary, "", "", width)?;
    writeln!(out)?;
    let level = |severity: Option<Severity>| severity.map_or("off", Severity::name);
    fact(out, "severity", &format!("{} (windows), {} (oma)", level(rule.windows), level(rule.oma)), width)?;
    fact(out, "at fault", rule.fault.name(), width)?;
    fact(out, "judges", &format!("one {} at a time", rule.scope.name()), width)?;
    fact(out, "since", rule.since, width)?;
    fact(out, "spec", &rule.spec.join("; "), width)?;
    fact(out, "fix", rule.fix, width)?;
    writeln!(out)?;
    body(out, prose(rule.page), width)
}

/// Writes the page as it was written.
pub fn markdown(rule: &Rule, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(rule.page.as_bytes())
}

/// The page without its front matter.
fn prose(page: &str) -> &str {
    page.strip_prefix("+++\n").and_then(|rest| rest.split_once("\n+++\n")).map_or(page, |(_, prose)| prose)
}

fn fact(out: &mut dyn Write, name: &str, value: &str, width: usize) -> io::Result<()> {
    wrap(out, value, &format!("{name:>10}: "), &" ".repeat(12), width)
}

fn body(out: &mut dyn Write, text: &str, width: usize) -> io::Result<()> {
    let mut fenced = false;
    let mut paragraph = String::new();
    for line in text.lines() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            flush(out, &mut paragraph, width)?;
            if !fenced && !info.is_empty() {
                writeln!(out, "  {DIM}{info}:{DIM:#}")?;
            }
            fenced = !fenced;
        } else if fenced {
            writeln!(out, "    {line}")?;
        } else if let Some(heading) = line.strip_prefix('#') {
            flush(out, &mut paragraph, width)?;
            writeln!(out, "{HEADING}{}{HEADING:#}", heading.trim_start_matches('#').trim())?;
        } else if line.trim().is_empty() {
            flush(out, &mut paragraph, width)?;
            writeln!(out)?;
        } else {
            if line.starts_with(['|', '*', '-']) || line.starts_with(|first: char| first.is_ascii_digit()) {
                flush(out, &mut paragraph, width)?;
            }
            paragraph.push_str(line.trim());
            paragraph.push(' ');
        }
    }
    flush(out, &mut paragraph, width)
}

/// Writes what was gathered of a paragraph; a table's row stays as it is, a list's item hangs.
fn flush(out: &mut dyn Write, paragraph: &mut String, width: usize) -> io::Result<()> {
    let text = std::mem::take(paragraph);
    match text.trim_end() {
        "" => Ok(()),
        row if row.starts_with('|') => writeln!(out, "{row}"),
        item if item.starts_with(['*', '-']) => wrap(out, item, "", "  ", width),
        text => wrap(out, text, "", "", width),
    }
}

/// Writes words, as many a line as fit.
fn wrap(out: &mut dyn Write, text: &str, first: &str, rest: &str, width: usize) -> io::Result<()> {
    let mut line = first.to_owned();
    let mut has_word = false;
    for word in text.split_whitespace() {
        if has_word && line.width() + 1 + word.width() > width {
            writeln!(out, "{line}")?;
            line = rest.to_owned();
            has_word = false;
        }
        if has_word {
            line.push(' ');
        }
        line.push_str(word);
        has_word = true;
    }
    writeln!(out, "{}", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, width: usize) -> String {
        let mut out = Vec::new();
        body(&mut out, text, width).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn paragraphs_wrap_and_examples_do_not() {
        let page = "One two three\nfour five.\n\n## Bad\n\n```syncml client 1\n<Alert><CmdID>0</CmdID></Alert>\n```\n";
        let wanted = "One two three\nfour five.\n\nBad\n\n  syncml client 1:\n    <Alert><CmdID>0</CmdID></Alert>\n";
        assert_eq!(shown(page, 14), wanted);
    }

    #[test]
    fn lists_hang_and_tables_stay() {
        assert_eq!(shown("* one two three four\n* five\n", 12), "* one two\n  three four\n* five\n");
        assert_eq!(shown("| a | b |\n|---|---|\n| c | d |\n", 5), "| a | b |\n|---|---|\n| c | d |\n");
    }

    #[test]
    fn the_front_matter_is_not_prose() {
        assert_eq!(prose("+++\nid = 1\n+++\nText.\n"), "Text.\n");
    }
}
