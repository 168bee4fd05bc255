//! What the reader tells, and what it is asked to read again.

use std::sync::Arc;

use super::{ASKED, App, Effect};
use crate::tui::load::News;

impl App {
    /// Takes news of the reader; [`App::refresh`] shows them.
    pub(crate) fn take(&mut self, news: News) {
        match news {
            News::Session(opened, content) => {
                let known = self.store.sessions.len();
                let index = self.store.add(*opened, Arc::clone(&content));
                if index < known {
                    self.tree.enlist_again(&self.store, index);
                }
                self.kept.look(index, &self.store, &content);
                if let Some(search) = &mut self.search {
                    search.forget(index);
                    search.session(index, &content, self.show_secrets);
                }
            }
            News::Whole => {
                while let Some(index) = self.store.take_last_gone() {
                    self.tree.forget(index);
                    self.kept.forget(index);
                    if let Some(search) = &mut self.search {
                        search.forget(index);
                    }
                }
            }
            News::Passing(number, session) if self.pass == (number, true) => {
                let Some(index) = self.store.index(session.number) else { return };
                self.kept.passing(index, &self.store, &session);
                if let Some(search) = self.search.as_mut().filter(|search| !search.done) {
                    search.passing(index, &self.store, &session, self.show_secrets);
                }
            }
            News::Passed(number) if self.pass == (number, true) => {
                self.pass.1 = false;
                self.kept.wants_pass = false;
                self.end_search();
            }
            news => self.store.take(news),
        }
    }

    /// Reads everything again, from the start.
    pub(super) fn read_all(&mut self) {
        self.pass = (self.pass.0 + 1, true);
        self.effects.push(Effect::ReadAll(self.pass.0));
    }

    /// Stops reading everything again when nobody waits for it any more.
    pub(super) fn settle_pass(&mut self) {
        let searches = self.search.as_ref().is_some_and(|search| search.pass.is_some() && !search.done);
        if self.pass.1 && !searches && !self.kept.wants_pass {
            self.pass.1 = false;
            self.effects.push(Effect::StopReadingAll);
        }
    }

    /// Goes on to where one wanted to be, once the session there was read again.
    pub(super) fn arrive(&mut self) {
        let Some((spot, finding)) = self.pending else { return };
        if self.shown.map(|(session, _)| session) != Some(spot.session) {
            self.pending = None;
        } else if self.store.content(spot.session).is_some() {
            self.pending = None;
            match finding {
                Some(finding) => self.stand_at_finding(spot.session, finding),
                None => self.stand_at(spot),
            }
        }
    }

    /// A session that was not kept is read again when it is looked at.
    pub(super) fn read_again(&mut self, session: usize) {
        if self.store.content(session).is_some() {
            self.store.look_at(session);
            self.asked.retain(|asked| *asked != session);
        } else if !self.asked.contains(&session) && self.store.lost(session).is_none() {
            if self.asked.len() >= ASKED {
                self.asked.remove(0);
            }
            self.asked.push(session);
            let number = self.store.sessions.get(session).map(|opened| opened.row.number);
            self.effects.extend(number.map(Effect::ReadAgain));
        }
    }
}
