//! The stories of the devices: opened, moved in, left.

use super::{App, Pane, Screen, moved};
use crate::tui::keys::Action;
use crate::tui::summary::Target;

impl App {
    /// Opens the stories at that of the session that is looked at, or leaves them.
    pub(super) fn toggle_story(&mut self) {
        if self.screen == Screen::Story {
            self.screen = Screen::Browse;
            return;
        }
        let session = match (self.screen, self.summary.target()) {
            (Screen::Summary, Some(Target::Session(session) | Target::Finding(session, _))) => Some(session),
            (Screen::Summary, Some(Target::Story(story))) => return self.open_story(story),
            _ => self.shown.map(|(session, _)| session),
        };
        self.stories.hear(&self.store);
        let opened = session.and_then(|session| self.store.sessions.get(session));
        let story = opened.and_then(|opened| self.stories.of(&opened.row.key));
        self.open_story(story.unwrap_or(0));
    }

    /// Opens the stories at one of them.
    pub(super) fn open_story(&mut self, story: usize) {
        self.leave();
        self.screen = Screen::Story;
        let width = usize::from(self.screen_area.width.saturating_sub(2));
        self.stories.rebuild(&self.store, &self.theme, width);
        self.stories.show(story);
    }

    pub(super) fn act_in_story(&mut self, action: Action, count: Option<usize>) {
        match action {
            Action::NextPane | Action::PreviousPane | Action::Left => self.screen = Screen::Browse,
            motion => {
                moved(&mut self.stories.scroll, motion, count);
            }
        }
    }

    /// To the message that the line is about.
    pub(super) fn follow_story(&mut self) {
        match self.stories.target() {
            Some(spot) => {
                self.go(spot);
                self.focus = if spot.message.is_some() { Pane::Commands } else { Pane::Tree };
            }
            None => self.said = Some("this line leads to no message".to_owned()),
        }
    }
}
