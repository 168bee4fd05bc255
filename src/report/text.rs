//! Findings for people, in the manner of rustc: what is wrong, where, the decoded message with the place underlined,
//! what explains it, what to change.
//!
//! Out: text with colours as ANSI sequences; the writer strips them where they do not belong.

use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::{Input, Lint, context, count, spot};
use crate::escape;
use crate::rules::{Finding, Location, Severity};

/// How much is said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Width of the terminal; long lines of snippets are trimmed to it.
    pub width: Option<usize>,
    /// Findings alone, no summary.
    pub quiet: bool,
    /// All messages that were not judged and all notes.
    pub verbose: bool,
}

/// Width of a snippet where the terminal's is not known.
const WIDTH: usize = 140;
/// Entries of a list in the summary, unless all are wanted.
const LISTED: usize = 5;
/// Longest excerpt of a related place.
const RELATED: usize = 80;

/// Writes the findings, then what was looked at and what could not be judged.
pub fn write(lint: &Lint, options: Options, out: &mut dyn Write) -> io::Result<()> {
    let renderer = Renderer::styled().term_width(options.width.unwrap_or(WIDTH));
    for finding in &lint.findings {
        writeln!(out, "{}\n", render(lint, finding, &renderer))?;
    }
    if options.quiet { Ok(()) } else { summary(lint, options, out) }
}

fn render(lint: &Lint, finding: &Finding, renderer: &Renderer) -> String {
    let level = level(finding.severity);
    let message = escape::line(&finding.message);
    let arrow = arrow(lint, &finding.location);
    let mut group = Group::with_title(level.primary_title(&*message).id(finding.rule.id));
    let mut numbered = false;
    let mut appended = String::new();
    match &finding.location.snippet {
        Some(snippet) => {
            numbered = snippet.first_line.is_some();
            let first_line = snippet.first_line.map_or(1, |line| line as usize);
            appended = line_and_column(&snippet.text, first_line, snippet.mark.0);
            let mark = AnnotationKind::Primary.span(snippet.mark.0..snippet.mark.1);
            let source = Snippet::source(&*snippet.text).path(&*arrow).line_start(first_line);
            group = group.element(source.line_numbering(numbered).fold(false).annotation(mark));
        }
        None => group = group.element(Origin::path(&*arrow)),
    }
    let notes = notes(lint, finding);
    group = group.elements(notes);
    let text = renderer.render(&[group]);
    // The renderer ends each arrow with line and column of the snippet; ours says where the place is already.
    let text = text.replacen(&format!("{arrow}{appended}"), &arrow, 1);
    if numbered { text } else { text.replace('\n', "\n  ") }
}

/// `:line:column` of a byte of a snippet, as the renderer counts.
fn line_and_column(text: &str, first_line: usize, at: usize) -> String {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    format!(":{}:{}", first_line + before.matches('\n').count(), line.chars().count() + 1)
}

fn arrow(lint: &Lint, location: &Location) -> String {
    let parts = [lint.spot(location), context(location)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn notes<'a>(lint: &Lint, finding: &Finding) -> Vec<Element<'a>> {
    let mut notes: Vec<Element<'a>> = Vec::new();
    if let Some(path) = &finding.location.path {
        notes.push(Level::NOTE.with_name("path").message(escape::line(path).into_owned()).into());
    }
    if let Some(status) = finding.location.status.as_deref().filter(|said| !finding.message.contains(said)) {
        notes.push(Level::NOTE.with_name("status").message(escape::line(status).into_owned()).into());
    }
    for (text, location) in &finding.related {
        let place = related_place(lint, &finding.location, location);
        let separator = if place.is_empty() { "" } else { ": " };
        notes.push(Level::NOTE.message(format!("{}{separator}{place}", escape::line(text))).into());
    }
    if !finding.help.is_empty() {
        notes.push(Level::HELP.message(escape::line(&finding.help).into_owned()).into());
    }
    if !finding.rule.spec.is_empty() {
        notes.push(Level::NOTE.with_name("spec").message(finding.rule.spec.join("; ")).into());
    }
    notes
}

/// A related place without what it shares with the finding's own: `frame 25 · server message 2 · <MsgID>2</MsgID>`.
fn related_place(lint: &Lint, from: &Location, to: &Location) -> String {
    let same_input = from.input == to.input;
    let packet = |location: &Location| location.frame.or(location.entry);
    let same_message = same_input
        && (packet(from), &from.session, from.side, &from.msg_id) == (packet(to), &to.session, to.side, &to.msg_id);
    let spot = match (to.line, packet(to)) {
        (Some(line), None) if same_input => format!("line {line}"),
        (_, Some(_)) if same_message => String::new(),
        _ if same_input => spot("", to).trim_start().to_owned(),
        _ => lint.spot(to),
    };
    let named = Location {
        session: to.session.clone().filter(|_| from.session != to.session),
        side: to.side.filter(|_| !same_message),
        msg_id: to.msg_id.clone(),
        ..Location::default()
    };
    let excerpt = to.excerpt.as_deref().map(|text| escape::shorten(text, RELATED).into_owned());
    let status = to.status.as_deref().map(|said| escape::line(said).into_owned()).unwrap_or_default();
    let parts = [spot, context(&named), excerpt.unwrap_or_default(), status];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    }
}

/// What was looked at, what was found, what could not be judged.
pub fn summary(lint: &Lint, options: Options, out: &mut dyn Write) -> io::Result<()> {
    for (rule, severity, many) in &lint.omitted {
        writeln!(out, "{}[{}]: {many} more, not listed", severity.name(), rule.id)?;
    }
    match found(lint) {
        Some(found) => writeln!(out, "Found {found}{} in {}", lint.suppressed_note(), looked_at(lint, options))?,
        None if lint.totals.messages == 0 => {}
        None => writeln!(out, "No findings{} in {}", lint.suppressed_note(), looked_at(lint, options))?,
    }
    holes(lint, options, out)?;
    let by_rules =
        lint.holes.iter().map(|hole| format!("{}: {}", arrow(lint, &hole.location), escape::line(&hole.told())));
    list("Not judged by a rule", by_rules.collect(), options, out)?;
    unread_but(lint, options, out)?;
    let notes = lint.inputs.iter().flat_map(|input| input.notes.iter().map(move |note| (input, note)));
    let lines = notes.map(|(input, note)| format!("{}: {}", escape::line(&input.path), escape::line(note)));
    list("Notes on the inputs", lines.collect(), options, out)
}

/// `a.pcap (42 packets): 2 sessions, 16 messages`
fn looked_at(lint: &Lint, options: Options) -> String {
    let some = |number: u64, noun: &str| (number > 0).then(|| count(number, noun));
    let seen = [
        Some(count(lint.totals.sessions, "session")),
        some(lint.totals.enrollments, "enrollment"),
        some(lint.totals.pushes, "push message"),
        Some(count(lint.totals.messages, "message")),
        options.verbose.then(|| count(lint.rules as u64, "rule")),
    ];
    format!("{}: {}", inputs(&lint.inputs), seen.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// `1 error, 2 warnings`; `None` without any.
fn found(lint: &Lint) -> Option<String> {
    let counts = [(lint.counts.error, "error"), (lint.counts.warning, "warning"), (lint.counts.info, "info")];
    let said: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, noun)| count(*n as u64, noun)).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// The inputs in a few words: `a.pcap (42 packets)`, `3 inputs`.
pub fn inputs(inputs: &[Input]) -> String {
    match inputs {
        [one] => match one.packets {
            Some(packets) => format!("{} ({})", escape::line(&one.path), count(packets, "packet")),
            None => escape::line(&one.path).into_owned(),
        },
        many => count(many.len() as u64, "input"),
    }
}

fn holes(lint: &Lint, options: Options, out: &mut dyn Write) -> io::Result<()> {
    if lint.not_judged_count == 0 {
        return Ok(());
    }
    let lines =
        lint.not_judged.iter().map(|hole| format!("{}: {}", arrow(lint, &hole.location), escape::line(&hole.reason)));
    let head = format!("Not judged: {}", count(lint.not_judged_count as u64, "message"));
    list(&head, lines.collect(), options, out)
}

/// Servers whose connections could not be read, all of them.
pub fn unread(lint: &Lint, out: &mut dyn Write) -> io::Result<()> {
    unread_but(lint, Options { verbose: true, ..Options::default() }, out)
}

fn unread_but(lint: &Lint, options: Options, out: &mut dyn Write) -> io::Result<()> {
    list("TLS handshakes that failed", lint.unread(true), options, out)?;
    list("Encrypted, and not judged", lint.unread(false), options, out)
}

fn list(head: &str, lines: Vec<String>, options: Options, out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "{head}")?;
    let shown = if options.verbose { lines.len() } else { LISTED };
    for line in lines.iter().take(shown) {
        writeln!(out, "  {line}")?;
    }
    match lines.len().saturating_sub(shown) {
        0 => Ok(()),
        rest => writeln!(out, "  … and {rest} more; -v lists them"),
    }
}
