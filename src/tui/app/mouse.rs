//! The mouse: a click puts the cursor, a second one opens, the wheel scrolls what is under it.

use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{App, Pane, Screen};
use crate::tui::draw::{self, Areas};
use crate::tui::page;
use crate::tui::scroll::Scroll;

/// Lines that one notch of the wheel moves.
const NOTCH: isize = 3;

impl App {
    /// Does what the mouse says.
    pub(crate) fn mouse(&mut self, event: MouseEvent) {
        let at = Position { x: event.column, y: event.row };
        match event.kind {
            MouseEventKind::ScrollDown => self.wheel(at, NOTCH),
            MouseEventKind::ScrollUp => self.wheel(at, -NOTCH),
            MouseEventKind::Down(MouseButton::Left) => self.click(at),
            _ => {}
        }
    }

    fn areas(&self) -> Areas {
        draw::areas(self, self.screen_area)
    }

    fn pane_at(&self, at: Position) -> Option<(Pane, Rect)> {
        let areas = self.areas();
        let panes = [(Pane::Tree, areas.tree), (Pane::Commands, areas.commands), (Pane::Detail, areas.detail)];
        panes.into_iter().find(|(_, area)| area.contains(at))
    }

    fn wheel(&mut self, at: Position, lines: isize) {
        if let Some(help) = &mut self.help {
            return help.by(lines);
        }
        match (self.screen, self.pane_at(at)) {
            (Screen::Summary, _) => self.summary.scroll.wheel(lines),
            (Screen::Timeline, _) => self.timeline.scroll.wheel(lines),
            (Screen::Compare, _) => self.compare.scroll.wheel(lines),
            (Screen::Story, _) => self.stories.scroll.wheel(lines),
            (Screen::Browse, Some((Pane::Tree, _))) => {
                self.tree.scroll.wheel(lines);
                self.show_row();
            }
            (Screen::Browse, Some((Pane::Commands, _))) => {
                self.commands.scroll.wheel(lines);
                self.look_at_command();
            }
            (Screen::Browse, Some((Pane::Detail, _))) => self.detail.scroll.wheel(lines),
            (Screen::Browse, None) => {}
        }
    }

    fn click(&mut self, at: Position) {
        self.said = None;
        if self.help.take().is_some() {
            return;
        }
        if let Some(menu) = self.menu.take() {
            let row = at.y.checked_sub(self.drawn.menu.y).filter(|_| self.drawn.menu.contains(at));
            if let Some((.., choice)) = row.and_then(|row| menu.choices.get(usize::from(row))) {
                self.choose(*choice);
            }
            return;
        }
        let alone = match self.screen {
            Screen::Summary => Some((&mut self.summary.scroll, self.drawn.list)),
            Screen::Timeline => Some((&mut self.timeline.scroll, self.drawn.list)),
            Screen::Compare => Some((&mut self.compare.scroll, self.drawn.list)),
            Screen::Story => Some((&mut self.stories.scroll, self.drawn.list)),
            Screen::Browse => None,
        };
        if let Some((scroll, list)) = alone {
            if to_line(scroll, list, at) {
                self.follow();
            }
            return;
        }
        let Some((pane, area)) = self.pane_at(at) else { return };
        let had_keys = std::mem::replace(&mut self.focus, pane) == pane;
        let again = match pane {
            Pane::Detail if at.y == area.y => {
                return self.click_tab(usize::from(at.x - area.x), usize::from(area.width));
            }
            Pane::Tree => to_line(&mut self.tree.scroll, inside(area), at),
            Pane::Commands => to_line(&mut self.commands.scroll, inside(area), at),
            Pane::Detail => to_line(&mut self.detail.scroll, inside(area), at),
        };
        match pane {
            _ if again && had_keys => self.follow(),
            Pane::Tree => self.show_row(),
            Pane::Commands => self.look_at_command(),
            Pane::Detail => self.look_at_line(),
        }
    }

    /// The tabs stand in the border with a column on each side of a name.
    fn click_tab(&mut self, column: usize, width: usize) {
        let Some(names) = page::names(width) else { return self.set_tab((self.detail.tab + 1) % page::TABS.len()) };
        let mut end = 1;
        for (tab, name) in names.iter().enumerate() {
            end += name.len() + 2;
            if column < end {
                return self.set_tab(tab);
            }
        }
    }
}

/// What the frame of a pane leaves.
fn inside(area: Rect) -> Rect {
    area.inner(ratatui::layout::Margin { horizontal: 1, vertical: 1 })
}

/// Puts the cursor on the line under the mouse. Returns whether it was there before.
fn to_line(scroll: &mut Scroll, area: Rect, at: Position) -> bool {
    let Some(row) = at.y.checked_sub(area.y).filter(|_| at.y < area.bottom()) else { return false };
    let line = scroll.top + usize::from(row);
    if line >= scroll.len() {
        return false;
    }
    let again = scroll.cursor == line;
    scroll.to(line);
    again
}
