//! Help, made from the table of keys that are in force.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use super::{boxed, position, put, row_of};
use crate::tui::app::App;
use crate::tui::keys::{Group, TABLE};
use crate::tui::page::{cut, wrap};

/// Widest help.
const WIDE: usize = 84;
/// Columns of the keys.
const KEYS: usize = 20;

pub(super) fn draw(app: &mut App, screen: Rect, buffer: &mut Buffer) {
    let width = WIDE.min(usize::from(screen.width).saturating_sub(2));
    let lines = lines(app, width);
    let inner = boxed(app, screen, width, lines.len(), "Keys (esc closes)", buffer);
    let Some(mut scroll) = app.help else { return };
    scroll.fit(lines.len(), usize::from(inner.height));
    // Help has no cursor: what is moved is what is seen.
    scroll.top = scroll.cursor.min(lines.len().saturating_sub(usize::from(inner.height)));
    for (row, at) in scroll.seen().enumerate() {
        let line = lines.get(at).cloned().unwrap_or_default();
        put(buffer, row_of(inner, row), 0, cut(line, 0, usize::from(inner.width)));
    }
    position(scroll, inner, app, buffer);
    app.help = Some(scroll);
}

fn lines(app: &App, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for group in Group::ALL {
        lines.push(Line::styled(group.title(), app.theme.heading));
        for entry in TABLE.iter().filter(|entry| entry.group == group) {
            let keys = app.keys.printed(entry.action).join(", ");
            let long = keys.width() > KEYS;
            lines.extend(long.then(|| Line::styled(format!("  {keys}"), app.theme.key)));
            let keys = if long { String::new() } else { keys };
            for (number, text) in wrap(entry.help, width.saturating_sub(KEYS + 3)).into_iter().enumerate() {
                let keys = if number == 0 { keys.as_str() } else { "" };
                lines.push(Line::from(vec![Span::styled(format!("  {keys:<KEYS$} "), app.theme.key), Span::raw(text)]));
            }
        }
        lines.push(Line::default());
    }
    lines.pop();
    lines
}
