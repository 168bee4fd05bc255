//! The timeline: a row for each message, its bar to the scale of time.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::commands::cell;
use super::{framed, position, put, row_of};
use crate::tui::app::App;
use crate::tui::page::{cut, wrap};
use crate::tui::timeline::{Moment, Row, lasted};

/// Columns of a name, a wait, a size, how much of MaxMsgSize that is.
const NAME: usize = 12;
const WAIT: usize = 8;
const SIZE: usize = 7;
const SHARE: usize = 6;
/// Narrowest bar that says anything.
const LEAST: usize = 12;
/// Widest column of notes, and the narrowest that is given a place beside the bar.
const NOTES: (usize, usize) = (12, 30);

/// The widths that depend on the screen.
#[derive(Clone, Copy)]
struct Widths {
    lane: usize,
    notes: usize,
}

pub(super) fn draw(app: &mut App, area: Rect, buffer: &mut Buffer) {
    let key = app.timeline.of.and_then(|session| app.store.sessions.get(session)).map(|opened| opened.row.key.clone());
    let title = format!(" Timeline of {} ", key.unwrap_or_default());
    let inner = framed(app, area, Line::raw(title), true, buffer);
    let width = usize::from(inner.width);
    let told: Vec<String> = app.timeline.head.iter().flat_map(|line| wrap(line, width)).collect();
    let head = told.len().min(usize::from(inner.height / 3));
    for (row, line) in told.into_iter().take(head).enumerate() {
        put(buffer, row_of(inner, row), 0, Line::styled(line, app.theme.dim));
    }
    let widths = widths(app, width);
    put(buffer, row_of(inner, head), 0, columns(app, widths));
    let skip = u16::try_from(head + 1).unwrap_or(u16::MAX).min(inner.height);
    let list = Rect { y: inner.y + skip, height: inner.height - skip, ..inner };
    app.drawn.list = list;
    app.timeline.scroll.fit(app.timeline.rows.len(), usize::from(list.height));
    let scroll = app.timeline.scroll;
    for (row, at) in scroll.seen().enumerate() {
        let area = row_of(list, row);
        let line = match app.timeline.rows.get(at) {
            Some(Row::Package(text)) => Line::styled(format!("  ── {text} "), app.theme.heading),
            Some(Row::Pause(pause)) => Line::styled(format!("  ·· nothing for {}", lasted(*pause)), app.theme.warning),
            Some(Row::Message(moment)) => message(app, moment, before(&app.timeline.rows, at), widths),
            None => Line::default(),
        };
        put(buffer, area, 0, cut(line, 0, width));
        if at == scroll.cursor {
            buffer.set_style(area, app.theme.cursor);
        }
    }
    position(scroll, area, app, buffer);
}

fn widths(app: &App, width: usize) -> Widths {
    let notes = app.timeline.rows.iter().filter_map(|row| match row {
        Row::Message(moment) => Some(moment.notes.join(", ").chars().count()),
        _ => None,
    });
    let notes = notes.max().unwrap_or(0);
    let fixed = 2 + NAME + 1 + WAIT + SIZE + SHARE;
    let rest = width.saturating_sub(fixed);
    let notes = if notes == 0 { 0 } else { notes.clamp(NOTES.0, NOTES.1) + 1 };
    match rest.checked_sub(notes) {
        Some(lane) if lane >= LEAST => Widths { lane, notes },
        _ => Widths { lane: rest, notes: 0 },
    }
}

fn columns(app: &App, widths: Widths) -> Line<'static> {
    let total = app.timeline.total.map(lasted).unwrap_or_default();
    let axis = format!("0{total:>width$}", width = widths.lane.saturating_sub(1));
    let text = format!("  {:<NAME$} {axis}{:>WAIT$}{:>SIZE$}{:>SHARE$}", "message", "wait", "bytes", "max");
    Line::styled(text, app.theme.heading)
}

/// When the message before a row ended.
fn before(rows: &[Row], at: usize) -> Option<Duration> {
    rows.get(..at)?.iter().rev().find_map(|row| match row {
        Row::Message(moment) => Some(moment.span.map(|(_, last)| last)),
        _ => None,
    })?
}

fn message(app: &App, moment: &Moment, before: Option<Duration>, widths: Widths) -> Line<'static> {
    let theme = &app.theme;
    let opened = app.timeline.of.and_then(|session| app.store.sessions.get(session));
    let (badge, style) = theme.badge(opened.and_then(|opened| opened.worst_in(moment.message, app.threshold)));
    let mut spans = vec![Span::styled(badge, style), Span::raw(" ")];
    spans.extend(cell(moment.name.clone(), theme.name_style, NAME));
    spans.push(Span::raw(" "));
    spans.extend(lane(app, moment, before, widths.lane));
    let wait = moment.wait.map(lasted).unwrap_or_default();
    let size = moment.size.map(bytes).unwrap_or_default();
    spans.push(Span::raw(format!("{wait:>WAIT$}{size:>SIZE$}")));
    let share = moment.percent();
    let over = share.is_some_and(|share| share > 100);
    let sign = if over { "!" } else { " " };
    let share = share.map(|share| format!("{share} %{sign}")).unwrap_or_default();
    spans.push(Span::styled(format!("{share:>SHARE$}"), if over { theme.error } else { theme.text }));
    if widths.notes > 0 {
        spans.push(Span::raw(" "));
        spans.extend(cell(moment.notes.join(", "), theme.warning, widths.notes - 1));
    } else if !moment.notes.is_empty() {
        // Where there is no room the line at the bottom tells them.
        spans.pop_if(|last| last.content.ends_with(' '));
        spans.push(Span::styled("*", theme.warning));
    }
    Line::from(spans)
}

/// The wait as dots, the message as a bar.
fn lane(app: &App, moment: &Moment, before: Option<Duration>, width: usize) -> Vec<Span<'static>> {
    let total = app.timeline.total.unwrap_or_default();
    let Some((first, last)) = moment.span else {
        return vec![Span::raw(" ".repeat(width))];
    };
    let column = |at: Duration| {
        let part = if total.is_zero() { 0.0 } else { at.as_secs_f64() / total.as_secs_f64() };
        ((part * width.saturating_sub(1) as f64) as usize).min(width.saturating_sub(1))
    };
    let (from, until) = (column(first), column(last.max(first)));
    let waited = before.map_or(from, |before| column(before).min(from));
    vec![
        Span::raw(" ".repeat(waited)),
        Span::styled("·".repeat(from - waited), app.theme.dim),
        Span::styled("█".repeat(until + 1 - from), app.theme.element),
        Span::raw(" ".repeat(width.saturating_sub(until + 1))),
    ]
}

/// A size in at most six columns.
fn bytes(size: u64) -> String {
    match size {
        0..100_000 => size.to_string(),
        100_000..10_000_000 => format!("{}k", size / 1000),
        _ => format!("{}M", size / 1_000_000),
    }
}
