//! Sessions that are marked: exported, or two of them side by side.

use super::{App, Effect, Pane, Screen, Spot, moved};
use crate::export::Format;
use crate::tui::compare::Compare;
use crate::tui::export::{self, Export};
use crate::tui::keys::Action;
use crate::tui::prompt::{Kind, Prompt};

impl App {
    /// The sessions that have a mark, on themselves or on a message, by their place in the store.
    fn marked_sessions(&self) -> Vec<usize> {
        let place = |number: u32| self.store.sessions.iter().position(|opened| opened.row.number == number);
        let mut sessions: Vec<usize> = self.notes.marked().filter_map(|(number, _)| place(number)).collect();
        sessions.dedup();
        sessions
    }

    /// What is exported: the marked sessions, else the one under the cursor.
    fn to_export(&self) -> Vec<usize> {
        let marked = self.marked_sessions();
        if marked.is_empty() { self.here().into_iter().collect() } else { marked }
    }

    /// The session under the cursor.
    fn here(&self) -> Option<usize> {
        match self.screen {
            Screen::Compare => self.compare.place().map(|(session, _)| session),
            Screen::Timeline => self.timeline.of,
            Screen::Summary | Screen::Browse | Screen::Story => self.shown.map(|(session, _)| session),
        }
    }

    /// Asks where an export of that format is to go.
    pub(super) fn ask_where(&mut self, format: Format) {
        let sessions = self.to_export();
        if sessions.is_empty() {
            self.said = Some("there is no session to export".to_owned());
            return;
        }
        let path = export::path(format, &self.store, &sessions);
        self.prompt = Some(Prompt::new(Kind::Export(format), &path));
    }

    /// Exports to that path.
    pub(super) fn export(&mut self, format: Format, path: &str) {
        if path.trim().is_empty() {
            return;
        }
        let (sessions, show_secrets) = (self.to_export(), self.show_secrets);
        self.effects.push(Effect::Export(Export { format, path: path.to_owned(), sessions, show_secrets }));
    }

    /// Puts two marked sessions side by side, or leaves them.
    pub(super) fn toggle_compare(&mut self) {
        if self.screen == Screen::Compare {
            self.screen = Screen::Browse;
            return;
        }
        let [a, b] = *self.marked_sessions() else {
            self.said = Some("mark two sessions with m; d then puts them side by side".to_owned());
            return;
        };
        match Compare::of(&self.store, a, b, self.show_secrets) {
            Some(compare) => {
                self.compare = compare;
                self.screen = Screen::Compare;
            }
            None => self.said = Some("one of the two sessions is not in memory: look at it first".to_owned()),
        }
    }

    /// Makes the comparison anew when secrets are shown or hidden.
    pub(super) fn compare_again(&mut self) {
        if self.screen == Screen::Compare
            && let (Some((a, b)), scroll) = (self.compare.of, self.compare.scroll)
            && let Some(mut compare) = Compare::of(&self.store, a, b, self.show_secrets)
        {
            compare.scroll = scroll;
            self.compare = compare;
        }
    }

    pub(super) fn act_in_compare(&mut self, action: Action, count: Option<usize>) {
        match action {
            Action::NextPane | Action::PreviousPane | Action::Left => self.screen = Screen::Browse,
            motion => {
                moved(&mut self.compare.scroll, motion, count);
            }
        }
    }

    /// To the message of the row: of the first session, where it has it.
    pub(super) fn follow_compare(&mut self) {
        if let Some((session, message)) = self.compare.place() {
            self.go(Spot { session, message, at: None });
            self.focus = Pane::Commands;
        }
    }
}
