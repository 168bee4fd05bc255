//! Going places: to findings, along answers, and back.

use super::{App, Pane, REMEMBERED, Screen, Spot, Stop};
use crate::rules::Severity;
use crate::session::{At, Lookup};
use crate::syncml::{NodeId, Tag};
use crate::tui::draw;
use crate::tui::page;
use crate::tui::summary::Target;
use crate::tui::tree::{Row, Shows as _};

impl App {
    /// Where one is.
    pub(crate) fn spot(&self) -> Option<Spot> {
        let (session, message) = self.shown?;
        Some(Spot { session, message, at: self.at })
    }

    /// Goes to a place; "back" leads to where one was.
    pub(crate) fn go(&mut self, spot: Spot) {
        if self.spot() != Some(spot) || self.screen != Screen::Browse {
            self.leave();
        }
        self.stand_at(spot);
        // Where one pane fills the screen, what was gone to is not in the tree.
        if spot.at.is_some() && self.focus == Pane::Tree && draw::is_narrow(self.screen_area) {
            self.focus = Pane::Detail;
        }
    }

    /// Remembers where one is.
    pub(super) fn leave(&mut self) {
        let here = Stop {
            screen: self.screen,
            focus: self.focus,
            tab: self.detail.tab,
            spot: self.spot(),
            finding: self.finding,
        };
        if self.back.last() == Some(&here) {
            return;
        }
        if self.back.len() >= REMEMBERED {
            self.back.remove(0);
        }
        self.back.push(here);
    }

    pub(super) fn go_back(&mut self) {
        let Some(stop) = self.back.pop() else {
            self.said = Some("there is nothing to go back to".to_owned());
            return;
        };
        if let Some(spot) = stop.spot {
            self.stand_at(spot);
        }
        (self.screen, self.focus, self.finding) = (stop.screen, stop.focus, stop.finding);
        self.set_tab(stop.tab);
    }

    pub(super) fn stand_at(&mut self, spot: Spot) {
        self.screen = Screen::Browse;
        let there = self.store.content(spot.session).is_some();
        self.pending = (!there).then_some((spot, None));
        if let Some(device) = self.tree.device_of(spot.session).and_then(|place| self.tree.devices.get_mut(place)) {
            device.closed = false;
        }
        if spot.message.is_some() {
            self.tree.open.insert(spot.session);
        }
        self.tree.rebuild(&self.store, &self.kept);
        let row = match spot.message {
            Some(message) => Row::Message(spot.session, message),
            None => Row::Session(spot.session),
        };
        let line = self.tree.place(row).or_else(|| self.tree.place(Row::Session(spot.session)));
        let Some(line) = line else {
            self.said = Some("that place is filtered out".to_owned());
            return;
        };
        self.tree.scroll.show(line);
        self.show_row();
        if let (Some(at), Some(session)) = (spot.at, self.session()) {
            let line = self.commands.place(session, at);
            if let Some(line) = line {
                self.commands.scroll.show(line);
            }
            self.at = Some(at);
        }
        self.detail.show = true;
    }

    /// The finding at the element that is looked at, the innermost first.
    pub(super) fn finding_here(&self) -> Option<usize> {
        let (at, session) = (self.at?, self.session()?);
        let here = session.element(at)?.span();
        let opened = self.store.sessions.get(self.shown?.0)?;
        let inside = self.findings().into_iter().filter_map(|number| {
            let draft = opened.drafts.get(number)?;
            let span = draft.place.span(session);
            let hit = draft.place.message() == Some(at.message) && (span.is_empty() || span.overlaps(here));
            hit.then_some((span.is_empty(), span.len().abs_diff(here.len()), number))
        });
        inside.min().map(|(_, _, number)| number)
    }

    /// Goes to a finding further on, or back, in the order of the tree.
    pub(super) fn next_finding(&mut self, times: usize, forward: bool) {
        let order: Vec<usize> = self.tree.order(&self.kept).collect();
        let threshold = self.threshold;
        let numbers = |app: &App, session: usize| -> Vec<usize> {
            let drafts = app.store.sessions.get(session).map(|opened| opened.drafts.as_slice()).unwrap_or_default();
            let kept = drafts.iter().enumerate().filter(|(_, draft)| draft.severity >= threshold);
            let kept = kept.filter(|(_, draft)| app.kept.finding(session, draft));
            kept.map(|(number, _)| number).collect()
        };
        let all: Vec<(usize, usize)> = order
            .iter()
            .flat_map(|session| numbers(self, *session).into_iter().map(|number| (*session, number)))
            .collect();
        if all.is_empty() {
            let more = if threshold > Severity::Info { " at this threshold (s lowers it)" } else { "" };
            self.said = Some(format!("there are no findings{more}"));
            return;
        }
        let place = match (self.shown, self.finding) {
            (Some((session, _)), Some(finding)) => all.iter().position(|known| *known == (session, finding)),
            _ => None,
        };
        let (len, times) = (all.len(), times.max(1));
        let (next, wrapped) = match (place, forward) {
            (Some(place), true) => ((place + times) % len, place + times >= len),
            (Some(place), false) => ((place + len - times % len) % len, place < times),
            (None, forward) => (self.first_from_here(&all, &order, forward), false),
        };
        let Some((session, number)) = all.get(next).copied() else { return };
        self.go_to_finding(session, number);
        let wrapped = if wrapped && len > 1 { " (from the other end)" } else { "" };
        self.said = Some(format!("finding {} of {len}{wrapped}", next + 1));
    }

    /// The finding nearest to the place of the cursor.
    fn first_from_here(&self, all: &[(usize, usize)], order: &[usize], forward: bool) -> usize {
        let on_summary = self.screen == Screen::Summary;
        let Some((session, message)) = self.shown.filter(|_| !on_summary) else {
            return if forward { 0 } else { all.len() - 1 };
        };
        let rank = |session: usize| order.iter().position(|known| *known == session);
        let here = (rank(session), message);
        let key = |(session, number): &(usize, usize)| {
            let draft = self.store.sessions.get(*session).and_then(|opened| opened.drafts.get(*number));
            (rank(*session), draft.and_then(|draft| draft.place.message()))
        };
        let after = all.partition_point(|finding| key(finding) < here);
        match forward {
            true => after % all.len(),
            false => after.checked_sub(1).unwrap_or(all.len() - 1),
        }
    }

    /// Goes to a finding of a session.
    pub(super) fn go_to_finding(&mut self, session: usize, number: usize) {
        let Some(spot) = self.spot_of_finding(session, number) else { return };
        self.go(spot);
        self.look_at_finding(session, number);
    }

    /// The same, without a way back to where one was.
    pub(super) fn stand_at_finding(&mut self, session: usize, number: usize) {
        let Some(spot) = self.spot_of_finding(session, number) else { return };
        self.stand_at(spot);
        self.look_at_finding(session, number);
    }

    fn look_at_finding(&mut self, session: usize, number: usize) {
        self.finding = Some(number);
        self.detail.show = true;
        if let Some((_, finding)) = self.pending.as_mut().filter(|(spot, _)| spot.session == session) {
            *finding = Some(number);
        }
    }

    /// Where a finding is, as far as the session is in memory.
    fn spot_of_finding(&self, session: usize, number: usize) -> Option<Spot> {
        let draft = self.store.sessions.get(session)?.drafts.get(number)?;
        let at = self.store.content(session).and_then(|content| match draft.place {
            crate::rules::finding::Place::Element(at) => Some(at),
            place => {
                let message = place.message()?;
                let span = place.span(content);
                let doc = &content.messages.get(message)?.doc;
                let node = doc.element_at(span.start).map_or(NodeId(0), |element| element.id());
                Some(At { message, node })
            }
        });
        Some(Spot { session, message: draft.place.message(), at })
    }

    /// Enter: goes where the thing under the cursor leads.
    pub(super) fn follow(&mut self) {
        match self.screen {
            Screen::Summary => return self.follow_summary(),
            Screen::Timeline => return self.follow_timeline(),
            Screen::Compare => return self.follow_compare(),
            Screen::Story => return self.follow_story(),
            Screen::Browse => {}
        }
        match self.focus {
            Pane::Tree => self.follow_row(),
            Pane::Detail if self.detail.tab >= page::FINDINGS => match (self.shown, self.finding) {
                (Some((session, _)), Some(finding)) => {
                    self.leave();
                    self.go_to_finding(session, finding);
                    self.set_tab(page::XML);
                }
                _ => self.said = Some("there is no finding under the cursor".to_owned()),
            },
            Pane::Commands | Pane::Detail => self.follow_answer(),
        }
    }

    fn follow_summary(&mut self) {
        match self.summary.target() {
            Some(Target::Finding(session, number)) => self.go_to_finding(session, number),
            Some(Target::Session(session)) => {
                self.tree.open.insert(session);
                self.go(Spot { session, message: None, at: None });
            }
            Some(Target::Story(story)) => self.open_story(story),
            None => self.screen = Screen::Browse,
        }
    }

    fn follow_row(&mut self) {
        match self.tree.row() {
            Some(Row::Message(..)) => self.focus = Pane::Commands,
            Some(Row::Device(place)) => {
                let closed = self.tree.devices.get(place).is_some_and(|device| device.closed);
                self.tree.set_open(closed);
                self.refresh();
            }
            Some(Row::Session(session)) => {
                let open = self.tree.open.contains(&session);
                self.tree.set_open(!open);
                self.refresh();
            }
            None => {}
        }
    }

    /// From a Status or Results to its command, from a command to its answers.
    fn follow_answer(&mut self) {
        let (Some((index, only)), Some(at)) = (self.shown, self.at) else { return };
        let Some(session) = self.session() else { return };
        let mut element = session.element(at);
        while let Some(here) = element.filter(|here| !here.tag().has_cmd_id()) {
            element = here.parent();
        }
        let Some(command) = element.map(crate::syncml::Command) else {
            let heading = self.focus == Pane::Commands && only.is_none();
            if heading {
                return self.go(Spot { session: index, message: Some(at.message), at: Some(at) });
            }
            self.said = Some("this belongs to no command".to_owned());
            return;
        };
        let target = match command.tag() {
            Tag::Status | Tag::Results => match session.referred(at.message, command) {
                Lookup::Found(command) => Ok(command),
                Lookup::Absent if command.is_for_header() => {
                    let peer =
                        session.messages.get(at.message).and_then(|message| message.side).map(|side| side.peer());
                    let header = peer
                        .zip(command.msg_ref())
                        .and_then(|(side, id)| session.message(side, id, at.message).found());
                    let header = header.and_then(|message| {
                        let header = session.messages.get(message)?.header()?;
                        Some(At { message, node: header.0.id() })
                    });
                    header.ok_or("the header that it answers is not in this capture")
                }
                Lookup::Absent => Err("it refers to a command that was not sent"),
                Lookup::NotCaptured => Err("it refers to a command that was not captured"),
            },
            _ => {
                let here = At { message: at.message, node: command.0.id() };
                let exchange = session.exchange(here);
                let answer = exchange.and_then(|exchange| exchange.statuses.iter().chain(&exchange.results).next());
                answer.copied().ok_or("no answer to it is in this capture")
            }
        };
        match target {
            Ok(at) => self.go(Spot { session: index, message: only.map(|_| at.message), at: Some(at) }),
            Err(why) => self.said = Some(why.to_owned()),
        }
    }
}
