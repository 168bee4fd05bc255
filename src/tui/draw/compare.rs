//! Two sessions side by side; one below the other where the screen is narrow.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::commands::cell;
use super::{framed, is_narrow, position, put, row_of};
use crate::diff::Mark;
use crate::tui::app::App;
use crate::tui::compare::Row;
use crate::tui::page::cut;

pub(super) fn draw(app: &mut App, area: Rect, buffer: &mut Buffer) {
    let said = if app.compare.same { "nothing differs" } else { "what differs" };
    let inner = framed(app, area, Line::raw(format!(" Two sessions: {said} ")), true, buffer);
    let width = usize::from(inner.width);
    let columns = !is_narrow(area);
    let half = width.saturating_sub(3) / 2;
    let titles = app.compare.titles.clone();
    let head = if columns { 1 } else { 2 };
    if columns {
        let mut spans = cell(titles[0].clone(), app.theme.heading, half);
        spans.push(Span::raw("   "));
        spans.extend(cell(titles[1].clone(), app.theme.heading, half));
        put(buffer, row_of(inner, 0), 0, Line::from(spans));
    } else {
        for (row, (sign, title)) in ["<", ">"].into_iter().zip(titles).enumerate() {
            let line = Line::styled(format!("{sign} {title}"), app.theme.heading);
            put(buffer, row_of(inner, row), 0, cut(line, 0, width));
        }
    }
    let skip = head.min(inner.height);
    let list = Rect { y: inner.y + skip, height: inner.height - skip, ..inner };
    app.drawn.list = list;
    let rows = app.compare.lay_out(columns);
    app.compare.scroll.fit(rows.len(), usize::from(list.height));
    let scroll = app.compare.scroll;
    for (place, at) in scroll.seen().enumerate() {
        let Some(row) = rows.get(at) else { continue };
        let area = row_of(list, place);
        put(buffer, area, 0, cut(line(app, row, half), 0, width));
        if at == scroll.cursor {
            buffer.set_style(area, app.theme.cursor);
        }
    }
    position(scroll, area, app, buffer);
}

fn line(app: &App, row: &Row, half: usize) -> Line<'static> {
    let style = style(app, row.mark);
    let Some(right) = &row.right else {
        let sign = if row.mark == Mark::Holds { ' ' } else { row.mark.sign() };
        return Line::styled(format!("{sign} {}", row.left), style);
    };
    let mut spans = cell(row.left.clone(), style, half);
    spans.push(Span::styled(format!(" {} ", row.mark.sign()), style));
    spans.extend(cell(right.clone(), style, half));
    Line::from(spans)
}

fn style(app: &App, mark: Mark) -> Style {
    match mark {
        Mark::Same => app.theme.text,
        Mark::Note => app.theme.dim,
        Mark::Holds => app.theme.text.add_modifier(Modifier::BOLD),
        Mark::Differs => app.theme.warning,
        Mark::First => app.theme.error,
        Mark::Second => app.theme.good,
    }
}
