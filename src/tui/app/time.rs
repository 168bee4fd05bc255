//! The timeline of the session that is looked at: opened, moved in, left.

use super::{App, Pane, Screen, Spot, moved};
use crate::tui::keys::Action;
use crate::tui::summary::Target;

impl App {
    /// Opens the timeline, or leaves it.
    pub(super) fn toggle_timeline(&mut self) {
        if self.screen == Screen::Timeline {
            self.screen = Screen::Browse;
            return;
        }
        let session = match (self.screen, self.summary.target()) {
            (Screen::Summary, Some(Target::Session(session) | Target::Finding(session, _))) => Some(session),
            _ => self.shown.map(|(session, _)| session),
        };
        let Some(content) = session.and_then(|session| self.store.content(session)).cloned() else {
            self.said = Some("there is no session in memory to draw a timeline of".to_owned());
            return;
        };
        let message = self.at.map(|at| at.message).filter(|_| self.shown.map(|(shown, _)| shown) == session);
        self.timeline.rebuild(session.unwrap_or_default(), &content);
        self.timeline.scroll.show(message.and_then(|message| self.timeline.row_of(message)).unwrap_or(0));
        self.screen = Screen::Timeline;
    }

    pub(super) fn act_in_timeline(&mut self, action: Action, count: Option<usize>) {
        match action {
            Action::NextPane | Action::PreviousPane | Action::Left => self.screen = Screen::Browse,
            motion => {
                moved(&mut self.timeline.scroll, motion, count);
            }
        }
    }

    /// To the message of the row.
    pub(super) fn follow_timeline(&mut self) {
        let place = self.timeline.of.zip(self.timeline.message().map(|moment| moment.message));
        if let Some((session, message)) = place {
            self.go(Spot { session, message: Some(message), at: None });
            self.focus = Pane::Commands;
        }
    }
}
