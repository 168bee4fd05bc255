//! The tree of devices, sessions and messages.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use super::{framed, position, put, row_of};
use crate::report::clock;
use crate::session::Outcome;
use crate::syncml::Kind;
use crate::tui::app::{App, Pane};
use crate::tui::commands::arrow;
use crate::tui::notes::Place;
use crate::tui::page::cut;
use crate::tui::summary::shown;
use crate::tui::tree::Row;

pub(super) fn draw(app: &mut App, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let focused = app.focus == Pane::Tree;
    let inner = framed(app, area, Line::raw(" Sessions "), focused, buffer);
    app.tree.scroll.fit(app.tree.rows.len(), usize::from(inner.height));
    let scroll = app.tree.scroll;
    for (row, at) in scroll.seen().enumerate() {
        let area = row_of(inner, row);
        let width = usize::from(area.width);
        if let Some(row) = app.tree.rows.get(at) {
            put(buffer, area, 0, cut(line(app, *row, width), 0, width));
        }
        if at == scroll.cursor {
            buffer.set_style(area, if focused { app.theme.cursor } else { app.theme.resting });
        }
    }
    position(scroll, area, app, buffer);
}

fn line(app: &App, row: Row, width: usize) -> Line<'static> {
    match row {
        Row::Device(place) => device(app, place, width),
        Row::Session(session) => session_line(app, session),
        Row::Message(session, message) => message_line(app, session, message),
    }
}

fn device(app: &App, place: usize, width: usize) -> Line<'static> {
    let Some(device) = app.tree.devices.get(place) else { return Line::default() };
    let worst = device.sessions.iter().filter_map(|index| app.store.sessions.get(*index)?.worst(app.threshold)).max();
    let (badge, style) = app.theme.badge(worst);
    let name = match &device.uri {
        Some(uri) => shown(uri, app.show_secrets),
        None => "(no device named)".to_owned(),
    };
    // A device is told by the end of its URI.
    let room = width.saturating_sub(4);
    let name = if name.width() > room {
        let skip = name.chars().count().saturating_sub(room.saturating_sub(1));
        format!("…{}", name.chars().skip(skip).collect::<String>())
    } else {
        name
    };
    Line::from(vec![
        Span::styled(badge, style),
        Span::raw(if device.closed { " ▸ " } else { " ▾ " }),
        Span::styled(name, app.theme.heading),
    ])
}

fn session_line(app: &App, index: usize) -> Line<'static> {
    let Some(opened) = app.store.sessions.get(index) else { return Line::default() };
    let (badge, style) = app.theme.badge(opened.worst(app.threshold));
    let open = if app.tree.open.contains(&index) { " ▾ " } else { " ▸ " };
    let outcome = match opened.row.outcome {
        Outcome::Complete => app.theme.good,
        _ if opened.goes_on() => app.theme.dim,
        Outcome::Incomplete => app.theme.dim,
        _ => app.theme.error,
    };
    let time = opened.row.started.map(|time| format!("{} ", clock(time).get(..8).unwrap_or_default()));
    let found = opened.count(app.threshold);
    let found = if found > 0 { format!(" {found}") } else { String::new() };
    Line::from(vec![
        Span::styled(badge, style),
        Span::raw(format!(" {open}")),
        Span::styled(format!("{} ", opened.row.key), app.theme.key),
        Span::raw(time.unwrap_or_default()),
        Span::styled(if opened.goes_on() { "going on" } else { opened.row.outcome.name() }, outcome),
        Span::styled(found, style),
        noted(app, (opened.row.number, None)),
    ])
}

fn message_line(app: &App, index: usize, number: usize) -> Line<'static> {
    let Some(opened) = app.store.sessions.get(index) else { return Line::default() };
    let Some(message) = opened.messages.get(number) else { return Line::default() };
    let (badge, style) = app.theme.badge(opened.worst_in(number, app.threshold));
    let side = message.side.map_or("message", |side| side.name());
    let (id, commands) = (message.id.as_deref().unwrap_or("-"), message.commands);
    let what = match message.kind {
        Kind::Missing => "not captured".to_owned(),
        _ if opened.not_judged.iter().any(|(known, _)| *known == number) => "not judged".to_owned(),
        _ if commands > 0 => format!("{commands} cmd"),
        _ => message.start(app.show_secrets).to_owned(),
    };
    let time = message.first.map(|time| format!(" {}", clock(time).get(6..).unwrap_or_default())).unwrap_or_default();
    Line::from(vec![
        Span::styled(badge, style),
        Span::styled(format!("    {} ", arrow(message.side)), app.theme.name_style),
        Span::raw(format!("{side} {id:<3} {what}")),
        Span::styled(time, app.theme.dim),
        noted(app, (opened.row.number, u32::try_from(number + 1).ok())),
    ])
}

/// The signs of a mark and of a note.
fn noted(app: &App, place: Place) -> Span<'static> {
    let mark = if app.notes.is_marked(place) { " ★" } else { "" };
    let note = if app.notes.text(place).is_some() { " ✎" } else { "" };
    Span::styled(format!("{mark}{note}"), app.theme.mark)
}
