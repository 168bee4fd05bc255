//! Draws the state. Panes are laid out by the size of the screen: side by side where there is room, else one at a time.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget as _};
use unicode_width::UnicodeWidthStr as _;

use super::app::{App, Pane, Screen};
use super::keys::Action;
use super::menu::Menu;
use super::page::{self, Look, cut};
use super::scroll::Scroll;

mod commands;
mod compare;
mod help;
mod status;
mod timeline;
mod tree;

/// Narrower, and one pane at a time is shown.
const SIDE_BY_SIDE: u16 = 72;
/// Lower, and the right side shows one pane at a time.
const STACKED: u16 = 14;
/// Columns in which a session's line fits, as far as the user does not want otherwise.
const LEAST_TREE: i32 = 32;
/// Smaller than this nothing can be shown.
const LEAST: (u16, u16) = (20, 4);

/// Where the panes are; those that are not shown have no area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Areas {
    pub(crate) tree: Rect,
    pub(crate) commands: Rect,
    pub(crate) detail: Rect,
    pub(crate) main: Rect,
}

/// Whether one pane at a time is all there is room for.
pub(crate) fn is_narrow(screen: Rect) -> bool {
    screen.width < SIDE_BY_SIDE
}

/// The layout for a size and a state.
pub(crate) fn areas(app: &App, screen: Rect) -> Areas {
    let main = Rect { height: screen.height.saturating_sub(2), ..screen };
    let mut areas = Areas { main, ..Areas::default() };
    let alone = match app.focus {
        Pane::Tree => &mut areas.tree,
        Pane::Commands => &mut areas.commands,
        Pane::Detail => &mut areas.detail,
    };
    if app.maximised || is_narrow(main) {
        *alone = main;
        return areas;
    }
    let wanted = i32::from(main.width) / 3 + i32::from(app.wider);
    let width = wanted.max(LEAST_TREE + i32::from(app.wider)).clamp(24, 60.max(i32::from(main.width) / 3));
    let width = width.min(i32::from(main.width) - 40);
    let width = u16::try_from(width).unwrap_or(24);
    areas.tree = Rect { width, ..main };
    let right = Rect { x: main.x + width, width: main.width - width, ..main };
    if main.height < STACKED {
        match app.focus {
            Pane::Detail => areas.detail = right,
            _ => areas.commands = right,
        }
        return areas;
    }
    let upper = (main.height * 2 / 5).max(6);
    areas.commands = Rect { height: upper, ..right };
    areas.detail = Rect { y: right.y + upper, height: right.height - upper, ..right };
    areas
}

/// Draws everything.
pub(crate) fn draw(app: &mut App, frame: &mut Frame<'_>) {
    let screen = frame.area();
    app.screen_area = screen;
    let buffer = frame.buffer_mut();
    if screen.width < LEAST.0 || screen.height < LEAST.1 {
        put(buffer, screen, 0, Line::raw("too small"));
        return;
    }
    let areas = areas(app, screen);
    match app.screen {
        Screen::Summary => summary(app, areas.main, buffer),
        Screen::Timeline => timeline::draw(app, areas.main, buffer),
        Screen::Compare => compare::draw(app, areas.main, buffer),
        Screen::Story => story(app, areas.main, buffer),
        Screen::Browse => {
            tree::draw(app, areas.tree, buffer);
            commands::draw(app, areas.commands, buffer);
            detail(app, areas.detail, buffer);
            if areas.tree == areas.main || areas.commands == areas.main || areas.detail == areas.main {
                others(app, areas.main, buffer);
            }
        }
    }
    let bottom = Rect { y: screen.bottom() - 2, height: 2, ..screen };
    status::draw(app, bottom, buffer);
    if let Some(menu) = &app.menu {
        app.drawn.menu = choices(app, menu, areas.main, buffer);
    }
    if app.help.is_some() {
        help::draw(app, areas.main, buffer);
    }
}

/// Where one pane fills the screen: how the others come back.
fn others(app: &App, area: Rect, buffer: &mut Buffer) {
    let (action, what) = match app.maximised {
        true => (Action::Maximise, "all panes"),
        false => match app.focus {
            Pane::Tree => (Action::NextPane, "commands"),
            Pane::Commands => (Action::NextPane, "message"),
            Pane::Detail => (Action::NextPane, "sessions"),
        },
    };
    if let Some(key) = app.keys.printed(action).first() {
        buffer.set_string(area.x + 2, area.bottom() - 1, format!(" {key}: {what} "), app.theme.dim);
    }
}

fn summary(app: &mut App, area: Rect, buffer: &mut Buffer) {
    let inner = framed(app, area, Line::raw(" Summary "), true, buffer);
    app.summary.scroll.fit(app.summary.lines.len(), usize::from(inner.height));
    let scroll = app.summary.scroll;
    list(app, inner, scroll, |app, at| app.summary.lines.get(at).map(|(line, _)| line.clone()), buffer);
    position(scroll, area, app, buffer);
}

fn story(app: &mut App, area: Rect, buffer: &mut Buffer) {
    let inner = framed(app, area, Line::raw(" Story "), true, buffer);
    app.stories.rebuild(&app.store, &app.theme, usize::from(inner.width));
    app.stories.scroll.fit(app.stories.lines.len(), usize::from(inner.height));
    let scroll = app.stories.scroll;
    list(app, inner, scroll, |app, at| app.stories.lines.get(at).map(|(line, _)| line.clone()), buffer);
    position(scroll, area, app, buffer);
}

/// A list that fills the screen, its cursor shown.
fn list(
    app: &mut App,
    area: Rect,
    scroll: Scroll,
    line: fn(&App, usize) -> Option<Line<'static>>,
    buffer: &mut Buffer,
) {
    app.drawn.list = area;
    for (row, at) in scroll.seen().enumerate() {
        let Some(line) = line(app, at) else { continue };
        let area = row_of(area, row);
        put(buffer, area, 0, cut(line, 0, usize::from(area.width)));
        if at == scroll.cursor {
            buffer.set_style(area, app.theme.cursor);
        }
    }
}

fn detail(app: &mut App, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let focused = app.focus == Pane::Detail;
    let inner = framed(app, area, tabs(app, area.width), focused, buffer);
    let height = usize::from(inner.height);
    app.make_page(usize::from(inner.width), height);
    let len = app.detail.page.len();
    app.detail.scroll.fit(len, height);
    let scroll = app.detail.scroll;
    let node = app.at.map(|at| at.node);
    let look = Look { theme: &app.theme, node, needle: app.search.as_ref().map(|search| search.needle.as_str()) };
    let item = (app.detail.tab == page::FINDINGS).then(|| app.detail.page.item(scroll.cursor)).flatten();
    for (row, at) in scroll.seen().enumerate() {
        let area = row_of(inner, row);
        put(buffer, area, 0, app.detail.page.line(at, app.detail.left, usize::from(area.width), &look));
        let chosen = at == scroll.cursor || (item.is_some() && item == app.detail.page.item(at));
        if chosen && focused {
            let style = if at == scroll.cursor { app.theme.cursor } else { app.theme.resting };
            buffer.set_style(area, style);
        } else if at == scroll.cursor && app.detail.tab <= page::XML {
            buffer.set_style(area, app.theme.resting);
        }
    }
    position(scroll, area, app, buffer);
}

/// The choices of a menu. Returns where they stand.
fn choices(app: &App, menu: &Menu, screen: Rect, buffer: &mut Buffer) -> Rect {
    let width = menu.choices.iter().map(|(_, text, _)| text.width() + 5).max().unwrap_or(0).max(menu.title.width() + 2);
    let inner = boxed(app, screen, width, menu.choices.len(), menu.title, buffer);
    for (row, (letter, text, _)) in menu.choices.iter().enumerate() {
        let area = row_of(inner, row);
        let line = Line::from(vec![Span::styled(format!(" {letter}  "), app.theme.key), Span::raw(*text)]);
        put(buffer, area, 0, line);
        if row == menu.cursor {
            buffer.set_style(area, app.theme.cursor);
        }
    }
    inner
}

/// The names of the tabs, the open one in brackets; only that one where there is no room.
fn tabs(app: &App, width: u16) -> Line<'static> {
    let Some(names) = page::names(usize::from(width)) else {
        let name = page::TABS.get(app.detail.tab).copied().unwrap_or_default();
        let place = format!(" {} of {} ", app.detail.tab + 1, page::TABS.len());
        return Line::from(vec![
            Span::styled(format!(" [{name}]"), app.theme.heading),
            Span::styled(place, app.theme.dim),
        ]);
    };
    let mut spans = Vec::new();
    for (number, name) in names.iter().enumerate() {
        if number == app.detail.tab {
            spans.push(Span::styled(format!("[{name}]"), app.theme.heading));
        } else {
            spans.push(Span::styled(format!(" {name} "), app.theme.text));
        }
    }
    Line::from(spans)
}

/// A frame with a title; gives what is inside. Without a frame where the screen is small.
fn framed(app: &App, area: Rect, title: Line<'static>, focused: bool, buffer: &mut Buffer) -> Rect {
    let style = if focused { app.theme.focus } else { app.theme.border };
    let block = Block::bordered().border_style(style).title(title);
    let block = if focused { block.border_type(ratatui::widgets::BorderType::Thick) } else { block };
    let inner = block.inner(area);
    block.render(area, buffer);
    inner
}

/// Where in a list one is, in the lower border.
fn position(scroll: Scroll, area: Rect, app: &App, buffer: &mut Buffer) {
    if scroll.len() <= scroll.height() || area.height < 2 {
        return;
    }
    let text = format!(" {}/{} ", scroll.cursor + 1, scroll.len());
    let width = u16::try_from(text.width()).unwrap_or(0);
    if width + 4 < area.width {
        let x = area.right() - width - 2;
        buffer.set_string(x, area.bottom() - 1, text, app.theme.dim);
    }
}

/// Line `row` of an area.
fn row_of(area: Rect, row: usize) -> Rect {
    let y = area.y.saturating_add(u16::try_from(row).unwrap_or(u16::MAX));
    Rect { y, height: 1, ..area }.intersection(area)
}

/// Writes a line from a column of an area on.
fn put(buffer: &mut Buffer, area: Rect, column: u16, line: Line<'static>) {
    if column < area.width && area.height > 0 {
        buffer.set_line(area.x + column, area.y, &line, area.width - column);
    }
}

/// A box over what is drawn, as large as its content needs; gives what is inside.
fn boxed(app: &App, screen: Rect, width: usize, height: usize, title: &str, buffer: &mut Buffer) -> Rect {
    let clamp = |size: usize| u16::try_from(size.saturating_add(2)).unwrap_or(u16::MAX);
    let (width, height) = (clamp(width).min(screen.width), clamp(height).min(screen.height));
    let area =
        Rect { x: screen.x + (screen.width - width) / 2, y: screen.y + (screen.height - height) / 2, width, height };
    Clear.render(area, buffer);
    buffer.set_style(area, Style::reset());
    framed(app, area, Line::raw(format!(" {title} ")), true, buffer)
}
