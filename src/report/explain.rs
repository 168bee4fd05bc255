//! A rule's page, for reading in a terminal: facts, then the text wrapped, examples indented and what they mark coloured.
//!
//! In: the page's Markdown, as far as pages use it: headings, paragraphs, lists, tables, fenced blocks. Out: text.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr as _;

use crate::rules::{Check, OptionKind, Rule, RuleOption, Severity};

/// Widest text, however wide the terminal is: longer lines are hard to read.
const MAX_WIDTH: usize = 100;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const HEADING: Style = AnsiColor::BrightCyan.on_default().bold();
const MARK: Style = AnsiColor::BrightYellow.on_default();

/// What the signs in examples mean.
const LEGEND: &str = "In the examples … stands for all that a correct message has besides, and a comment with the id of a rule for a \
                      finding at the element before it.";

/// Writes the page of a rule.
pub fn text(rule: &Rule, width: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    // What goes into a file keeps its lines.
    let folded = width.is_some();
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
    for (number, option) in rule.options.iter().enumerate() {
        let name = if number == 0 { "options" } else { "" };
        fact(out, name, &option_line(option), width)?;
    }
    if let Check::Own(own) = rule.check {
        fact(out, "when", own.when(), width)?;
    }
    writeln!(out)?;
    body(out, prose(rule.page), width, folded)
}

/// `minimum-minutes = 1440 (a number from 1 to 525600): what it sets`.
fn option_line(option: &RuleOption) -> String {
    let default = match option.kind {
        OptionKind::Number { default, .. } => default.to_string(),
        OptionKind::Words { default } => format!("{default:?}"),
    };
    format!("{} = {default} ({}): {}", option.name, option.kind, option.about)
}

/// Writes the page as it was written.
pub fn markdown(rule: &Rule, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(rule.page.as_bytes())
}

/// The page without its front matter.
fn prose(page: &str) -> &str {
    page.strip_prefix("+++\n").and_then(|rest| rest.split_once("\n+++\n")).map_or(page, |(_, prose)| prose)
}

/// A fact that the page gives.
fn fact(out: &mut dyn Write, name: &str, value: &str, width: usize) -> io::Result<()> {
    if value.is_empty() {
        return Ok(());
    }
    let colon = if name.is_empty() { ' ' } else { ':' };
    wrap(out, value, &format!("{name:>10}{colon} "), &" ".repeat(12), width)
}

fn body(out: &mut dyn Write, text: &str, width: usize, folded: bool) -> io::Result<()> {
    let (mut fenced, mut told) = (false, false);
    let mut paragraph = String::new();
    for line in text.lines() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            flush(out, &mut paragraph, width)?;
            if !fenced && !info.is_empty() {
                writeln!(out, "  {DIM}{}:{DIM:#}", sender(info))?;
            }
            fenced = !fenced;
        } else if fenced {
            let lines = if folded { fold(line, width.saturating_sub(EXAMPLE.len())) } else { vec![line.to_owned()] };
            lines.iter().try_for_each(|line| writeln!(out, "{EXAMPLE}{}", with_marks(line)))?;
        } else if let Some(heading) = line.strip_prefix('#') {
            flush(out, &mut paragraph, width)?;
            if !std::mem::replace(&mut told, true) {
                write!(out, "{DIM}")?;
                wrap(out, LEGEND, "", "", width)?;
                writeln!(out, "{DIM:#}")?;
            }
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

/// Indentation of examples.
const EXAMPLE: &str = "    ";

/// The info line of a block in words: `client message 2, without Final`.
fn sender(info: &str) -> String {
    let mut words = info.split_whitespace();
    let (kind, side) = (words.next().unwrap_or_default(), words.next());
    let Some(side) = side else { return kind.to_owned() };
    let mut said = match kind {
        "tls" => format!("{side} opens TLS to"),
        _ => side.to_owned(),
    };
    for word in words {
        said += &match word.split_once('=').unwrap_or((word, "")) {
            ("nofinal", _) => ", without Final".to_owned(),
            ("raw", _) => ", just this".to_owned(),
            ("lost", _) => ", not captured".to_owned(),
            ("cut", bytes) => format!(", captured up to byte {bytes}"),
            ("after", seconds) => format!(", {seconds} s later"),
            ("connection", number) => format!(", on connection {number}"),
            ("client", address) => format!(", from {address}"),
            ("end", how) => format!(", connection left {how}"),
            (number, _) => format!(" message {number}"),
        };
    }
    match kind {
        "wbxml" => said + ", as WBXML",
        "http" => said + ", with its HTTP head",
        _ => said,
    }
}

/// A line of an example in lines that fit, broken between elements where that can be.
fn fold(line: &str, width: usize) -> Vec<String> {
    let indent = line.len() - line.trim_start().len();
    let mut lines = Vec::new();
    let mut rest = line.to_owned();
    while rest.width() > width {
        let fits: usize = rest
            .chars()
            .scan(0, |used, c| {
                *used += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
                (*used <= width).then_some(c.len_utf8())
            })
            .sum();
        let head = rest.get(..fits).unwrap_or_default();
        // Not within the indentation: no line may stay as long as it was.
        let between =
            head.rmatch_indices("><").map(|(at, _)| at + 1).chain(head.rfind(' ')).find(|at| *at > 2 * indent + 4);
        let at = between.unwrap_or(fits).max(1);
        let (head, tail) = rest.split_at_checked(at).unwrap_or((&rest, ""));
        let tail = format!("{:indent$}  {}", "", tail.trim_start());
        lines.push(head.trim_end().to_owned());
        if tail.width() >= rest.width() {
            lines.push(tail);
            return lines;
        }
        rest = tail;
    }
    lines.push(rest);
    lines
}

/// A line of an example with its marks coloured.
fn with_marks(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, mark)) = rest.split_once("<!-- DM-") {
        let (mark, after) = mark.split_once("-->").unwrap_or((mark, ""));
        out += &format!("{before}{MARK}<!-- DM-{mark}-->{MARK:#}");
        rest = after;
    }
    out + rest
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
        body(&mut out, text, width, true).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn paragraphs_wrap_and_examples_are_told_from_whom() {
        let page = "One two three\nfour five.\n\n## Bad\n\n```syncml client 1\n<Alert><CmdID>0</CmdID></Alert>\n```\n";
        let wanted = "Bad\n\n  client message 1:\n    <Alert><CmdID>0</CmdID></Alert>\n";
        let shown = shown(page, 40);
        assert!(
            shown.starts_with("One two three four five.\n\nIn the examples …") && shown.ends_with(wanted),
            "{shown}"
        );
    }

    #[test]
    fn lists_hang_and_tables_stay() {
        assert_eq!(shown("* one two three four\n* five\n", 12), "* one two\n  three four\n* five\n");
        assert_eq!(shown("| a | b |\n|---|---|\n| c | d |\n", 5), "| a | b |\n|---|---|\n| c | d |\n");
    }

    #[test]
    fn long_lines_of_examples_break_between_elements() {
        let line = "  <Alert><CmdID>10</CmdID><Data>1100</Data></Alert>";
        assert_eq!(fold(line, 30), ["  <Alert><CmdID>10</CmdID>", "    <Data>1100</Data></Alert>"]);
        assert_eq!(fold("abcdefghij", 5), ["abcde", "  fgh", "  ij"]);
        assert_eq!(fold(line, 3).concat().replace(' ', ""), line.replace(' ', ""));
        assert_eq!(fold("short", 5), ["short"]);
    }

    #[test]
    fn info_lines_in_words() {
        assert_eq!(sender("syncml client 2 nofinal after=90"), "client message 2, without Final, 90 s later");
        assert_eq!(sender("wbxml server 1"), "server message 1, as WBXML");
        assert_eq!(sender("xml"), "xml");
    }

    #[test]
    fn the_front_matter_is_not_prose() {
        assert_eq!(prose("+++\nid = 1\n+++\nText.\n"), "Text.\n");
    }
}
