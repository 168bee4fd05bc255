//! The commands, in columns: what, to what, and what came of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use super::{framed, position, put, row_of};
use crate::tui::app::{App, Pane};
use crate::tui::commands::{Line as Command, Sign};
use crate::tui::page::cut;
use crate::tui::theme::Theme;

/// Narrowest and widest column of names.
const NAMES: (usize, usize) = (10, 22);

pub(super) fn draw(app: &mut App, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let focused = app.focus == Pane::Commands;
    let inner = framed(app, area, title(app), focused, buffer);
    app.commands.scroll.fit(app.commands.lines.len(), usize::from(inner.height));
    let scroll = app.commands.scroll;
    let width = usize::from(inner.width);
    let widest = app.commands.lines.iter().filter(|line| !line.heading).map(|line| name(line).width()).max();
    let names = widest.unwrap_or(0).clamp(NAMES.0, NAMES.1.min((width / 3).max(NAMES.0)));
    let rest = width.saturating_sub(names + 4);
    let wanted = app.commands.lines.iter().map(|line| line.answer.width() + 3).max().unwrap_or(0);
    let whats = app
        .commands
        .lines
        .iter()
        .filter(|line| !line.heading && !line.answer.is_empty())
        .map(|line| line.what.width())
        .max()
        .unwrap_or(0);
    // An answer has what the rest leaves over, and two fifths where both need more than there is.
    let room = (rest * 2 / 5).max(rest.saturating_sub(whats)).max(12);
    let answers = if wanted <= 3 { 0 } else { wanted.clamp(12, room).min(rest) };
    for (row, at) in scroll.seen().enumerate() {
        let area = row_of(inner, row);
        if let Some(command) = app.commands.lines.get(at) {
            put(buffer, area, 0, line(command, &app.theme, names, rest - answers, answers));
        }
        if at == scroll.cursor {
            buffer.set_style(area, if focused { app.theme.cursor } else { app.theme.resting });
        }
    }
    position(scroll, area, app, buffer);
}

fn title(app: &App) -> Line<'static> {
    let text = match app.shown {
        Some((session, Some(message))) => {
            let key = app.store.sessions.get(session).map(|opened| opened.row.key.clone()).unwrap_or_default();
            format!(" Commands of {key} message {} ", message + 1)
        }
        Some((session, None)) => {
            let key = app.store.sessions.get(session).map(|opened| opened.row.key.clone()).unwrap_or_default();
            format!(" Commands of {key} ")
        }
        None => " Commands ".to_owned(),
    };
    Line::raw(text)
}

fn name(line: &Command) -> String {
    let fold = match line.fold {
        Some(true) => "▸ ",
        Some(false) => "▾ ",
        None => "",
    };
    format!("{}{fold}{}", "  ".repeat(line.depth.min(10)), line.name)
}

fn line(line: &Command, theme: &Theme, names: usize, whats: usize, answers: usize) -> Line<'static> {
    let (badge, style) = theme.badge(line.badge);
    let mut spans = vec![Span::styled(badge, style), Span::raw(" ")];
    if line.heading {
        spans.push(Span::styled(format!("{}  ", line.name), theme.heading));
        spans.push(Span::styled(line.what.clone(), theme.dim));
        return Line::from(spans);
    }
    let told = match line.sign {
        Sign::Good => theme.good,
        Sign::Bad => theme.error,
        Sign::Open | Sign::Undone => theme.warning,
        Sign::Plain => theme.dim,
    };
    spans.extend(cell(name(line), theme.element, names));
    spans.push(Span::raw(" "));
    if line.answer.is_empty() && line.sign == Sign::Plain {
        spans.extend(cell(line.what.clone(), theme.text, whats + answers));
        return Line::from(spans);
    }
    spans.extend(cell(line.what.clone(), theme.text, whats));
    if answers > 3 {
        spans.push(Span::styled(format!(" {} ", line.sign.mark()), told));
        spans.extend(cell(line.answer.clone(), told, answers - 3));
    }
    Line::from(spans)
}

/// Text in exactly that many columns, an ellipsis where it was cut.
pub(super) fn cell(text: String, style: Style, width: usize) -> Vec<Span<'static>> {
    let wide = text.width();
    if wide <= width {
        return vec![Span::styled(text, style), Span::raw(" ".repeat(width - wide))];
    }
    let mut spans = cut(Line::styled(text, style), 0, width.saturating_sub(1)).spans;
    for span in &mut spans {
        span.style = style;
    }
    let used: usize = spans.iter().map(|span| span.content.width()).sum();
    spans.push(Span::styled("…", style));
    spans.push(Span::raw(" ".repeat(width.saturating_sub(used + 1))));
    spans
}
