//! A diff as lines: side by side where there is room, else one below the other.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{Diff, Outline, Row, Step};

/// Columns from which two sessions stand side by side.
const WIDE: usize = 100;
/// Rows without a difference that are shown around one with.
const AROUND: usize = 2;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The same on both sides.
    Same,
    /// On both sides, and what came of it differs: the next lines say what.
    Holds,
    /// A value that differs.
    Differs,
    /// In the first session alone.
    First,
    /// In the second alone.
    Second,
    /// What was left out, or a remark.
    Note,
}

impl Mark {
    /// Its sign: colour is never the only one.
    pub fn sign(self) -> char {
        match self {
            Mark::Same | Mark::Note => ' ',
            Mark::Holds | Mark::Differs => '|',
            Mark::First => '<',
            Mark::Second => '>',
        }
    }

    fn style(self) -> Style {
        match self {
            Mark::Same | Mark::Note => Style::new().dimmed(),
            Mark::Holds => Style::new().bold(),
            Mark::Differs => AnsiColor::Yellow.on_default(),
            Mark::First => AnsiColor::Red.on_default(),
            Mark::Second => AnsiColor::Green.on_default(),
        }
    }
}

/// A line of a diff: what stands left, and right. A note stands left, and goes over both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What it is.
    pub mark: Mark,
    /// The first session's.
    pub left: String,
    /// The second session's.
    pub right: String,
    /// The message that it is of, in the first session and in the second.
    pub messages: (Option<usize>, Option<usize>),
}

/// The lines of a diff; `all` leaves none out that is the same.
pub fn lines(a: &Outline, b: &Outline, diff: &Diff, all: bool) -> Vec<Shown> {
    let mut lines = Vec::new();
    for change in &diff.changes {
        let side =
            |value: &Option<String>| value.as_ref().map_or(String::new(), |value| format!("{}: {value}", change.name));
        lines.push(Shown {
            mark: Mark::Differs,
            left: side(&change.a),
            right: side(&change.b),
            messages: (None, None),
        });
    }
    let near = near(&diff.rows);
    let mut skipped = 0;
    for (row, near) in diff.rows.iter().zip(near) {
        if !(near || all) {
            skipped += 1;
            continue;
        }
        lines.extend(left_out(&mut skipped));
        rows(a, b, row, &mut lines);
    }
    lines.extend(left_out(&mut skipped));
    lines
}

/// Whether each row differs, stands near one that does, or is the message of one.
fn near(rows: &[Row]) -> Vec<bool> {
    let mut near = vec![false; rows.len()];
    for (at, _) in rows.iter().enumerate().filter(|(_, row)| !row.is_same() || row.note.is_some()) {
        let until = at.saturating_add(AROUND + 1).min(rows.len());
        near[at.saturating_sub(AROUND)..until].fill(true);
    }
    near
}

fn left_out(skipped: &mut usize) -> Option<Shown> {
    let left = match std::mem::take(skipped) {
        0 => return None,
        1 => "… 1 more, the same on both sides".to_owned(),
        many => format!("… {many} more, the same on both sides"),
    };
    Some(Shown { mark: Mark::Note, left, right: String::new(), messages: (None, None) })
}

fn rows(a: &Outline, b: &Outline, row: &Row, lines: &mut Vec<Shown>) {
    let label =
        |step: Option<&Step>| step.map_or(String::new(), |step| format!("{}{}", "  ".repeat(step.level), step.label));
    let (of_a, of_b) = (row.a.and_then(|at| a.steps.get(at)), row.b.and_then(|at| b.steps.get(at)));
    let messages = (of_a.map(|step| step.message), of_b.map(|step| step.message));
    let mark = match (row.a, row.b, row.changes.is_empty()) {
        (Some(_), None, _) => Mark::First,
        (None, Some(_), _) => Mark::Second,
        (.., true) => Mark::Same,
        _ => Mark::Holds,
    };
    lines.push(Shown { mark, left: label(of_a), right: label(of_b), messages });
    let indent = "  ".repeat(of_a.or(of_b).map_or(0, |step| step.level) + 2);
    for change in &row.changes {
        let side = |value: &Option<String>| {
            value.as_ref().map_or(String::new(), |value| format!("{indent}{}: {value}", change.name))
        };
        lines.push(Shown { mark: Mark::Differs, left: side(&change.a), right: side(&change.b), messages });
    }
    // What only one side has is told with what came of it.
    if let Some((step, first)) = of_a.map(|step| (step, true)).xor(of_b.map(|step| (step, false))) {
        for fact in &step.facts {
            let text = format!("{indent}{}: {}", fact.name, fact.text);
            let (left, right) = if first { (text, String::new()) } else { (String::new(), text) };
            lines.push(Shown { mark, left, right, messages });
        }
    }
    if let Some(note) = &row.note {
        lines.push(Shown { mark: Mark::Note, left: format!("{indent}{note}"), right: String::new(), messages });
    }
}

/// Writes two sessions; `names` are those of their captures, `width` that of the terminal.
pub fn write(
    names: [&str; 2],
    [a, b]: [&Outline; 2],
    diff: &Diff,
    width: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let wide = width.filter(|width| *width >= WIDE);
    let title = |name: &str, outline: &Outline| format!("{name} {} · {}", outline.key, outline.title);
    let bold = Style::new().bold();
    writeln!(out, "{bold}--- {}{bold:#}", title(names[0], a))?;
    writeln!(out, "{bold}+++ {}{bold:#}", title(names[1], b))?;
    for line in lines(a, b, diff, false) {
        match wide {
            Some(width) => side_by_side(&line, (width - 3) / 2, out)?,
            None => unified(&line, out)?,
        }
    }
    Ok(())
}

fn side_by_side(line: &Shown, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let style = line.mark.style();
    if line.mark == Mark::Note {
        return writeln!(out, "{style}{}{style:#}", line.left);
    }
    let (left, right) = (fit(&line.left, width), fit(&line.right, width));
    let pad = width.saturating_sub(left.width());
    let text = format!("{left}{:pad$} {} {right}", "", line.mark.sign());
    writeln!(out, "{style}{}{style:#}", text.trim_end())
}

/// At most `width` columns.
fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let fits = |letter: &char| {
        let width = letter.width().unwrap_or(0);
        let room = width <= left;
        left = left.saturating_sub(width);
        room
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

fn unified(line: &Shown, out: &mut dyn Write) -> io::Result<()> {
    let one = |mark: Mark, sign: char, text: &str, out: &mut dyn Write| {
        let style = mark.style();
        writeln!(out, "{style}{}{style:#}", format!("{sign} {text}").trim_end())
    };
    match line.mark {
        Mark::Same | Mark::Note | Mark::Holds => one(line.mark, ' ', &line.left, out),
        Mark::Differs => {
            let sides = [(Mark::First, '-', &line.left), (Mark::Second, '+', &line.right)];
            let mut there = sides.into_iter().filter(|(.., text)| !text.is_empty());
            there.try_for_each(|(mark, sign, text)| one(mark, sign, text, out))
        }
        Mark::First => one(Mark::First, '-', &line.left, out),
        Mark::Second => one(Mark::Second, '+', &line.right, out),
    }
}
