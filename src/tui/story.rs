//! The stories of the devices, a page each: how far enrollment came, where it stopped and why, and where that is.
//!
//! In: what the store kept of each session. Out: lines, some of which lead to a message. They are made when the screen is
//! opened, and anew when more was read or the width changed.

use std::collections::HashMap;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::app::Spot;
use super::page::wrap;
use super::scroll::Scroll;
use super::store::Store;
use super::theme::Theme;
use crate::limits::Limits;
use crate::report::story::{self as page, Page};
use crate::rules::Location;
use crate::story::{Outcome, Stage, Story};

/// Columns of the labels at the left, and of a stage before what is said of it.
const LABEL: usize = 10;
const STAGE: usize = 42;
/// Stories that are shown; a capture of more devices is looked at device by device.
const MOST: usize = 200;
/// Narrowest column of text.
const LEAST: usize = 36;

/// See the module's head.
#[derive(Debug, Default)]
pub(crate) struct Stories {
    pub(crate) lines: Vec<(Line<'static>, Option<Spot>)>,
    pub(crate) scroll: Scroll,
    told: Vec<Story>,
    /// The line behind the last of each story.
    ends: Vec<usize>,
    /// How much was read when they were told: sessions, bytes, and whether that was all.
    heard: Option<(usize, u64, bool)>,
    /// The width and the theme for which the lines were made.
    made: Option<(usize, &'static str)>,
}

impl Stories {
    /// Tells the stories anew if more was read since. Whether it was.
    pub(crate) fn hear(&mut self, store: &Store) -> bool {
        let heard = Some((store.sessions.len(), store.progress.0, !store.is_loading()));
        if self.heard == heard {
            return false;
        }
        (self.heard, self.told) = (heard, store.stories(&Limits::default()));
        true
    }

    /// The stories that stop, with their numbers.
    pub(crate) fn stopped(&self) -> impl Iterator<Item = (usize, &Story)> {
        self.told.iter().enumerate().filter(|(_, story)| story.stop.is_some())
    }

    /// Makes the lines, unless they are what they would be.
    pub(crate) fn rebuild(&mut self, store: &Store, theme: &Theme, width: usize) {
        if !self.hear(store) && self.made == Some((width, theme.name)) {
            return;
        }
        self.made = Some((width, theme.name));
        (self.lines, self.ends) = (Vec::new(), Vec::new());
        let keys = store.sessions.iter().enumerate().map(|(index, opened)| (opened.row.key.as_str(), index));
        let sessions = keys.collect();
        for story in self.told.iter().take(MOST) {
            let mut writer = Writer { sessions: &sessions, names: &store.names, theme, width, lines: &mut self.lines };
            writer.story(story);
            self.ends.push(writer.lines.len());
        }
        let more = self.told.len().saturating_sub(MOST);
        if more > 0 {
            self.lines
                .push((Line::styled(format!("the stories of {more} further devices are left out"), theme.dim), None));
        }
        if self.lines.is_empty() {
            self.lines.push((Line::raw("there is no story to tell: no session was read so far"), None));
        }
        let height = self.scroll.height();
        self.scroll.fit(self.lines.len(), height);
    }

    /// The story that a session is part of.
    pub(crate) fn of(&self, key: &str) -> Option<usize> {
        self.told.iter().position(|story| story.sessions.iter().any(|session| session == key))
    }

    /// To a story, by its number.
    pub(crate) fn show(&mut self, story: usize) {
        let before = story.checked_sub(1);
        let head = before.and_then(|before| self.ends.get(before)).map_or(0, |end| end + 1);
        let leads = self.lines.iter().skip(head).position(|(_, place)| place.is_some());
        self.scroll.top = head;
        self.scroll.cursor = head + leads.unwrap_or(0);
    }

    /// Where the line of the cursor leads.
    pub(crate) fn target(&self) -> Option<Spot> {
        self.lines.get(self.scroll.cursor)?.1
    }
}

struct Writer<'a> {
    /// The sessions, by their keys.
    sessions: &'a HashMap<&'a str, usize>,
    names: &'a [String],
    theme: &'a Theme,
    width: usize,
    lines: &'a mut Vec<(Line<'static>, Option<Spot>)>,
}

impl Writer<'_> {
    fn story(&mut self, story: &Story) {
        if !self.lines.is_empty() {
            self.blank();
        }
        for line in page::head(story) {
            self.prose(&line, self.theme.heading, None);
        }
        let place = story.stop.as_ref().and_then(|stop| self.spot(stop.place.as_ref()));
        let style = if story.stop.is_some() { self.theme.error } else { self.theme.good };
        self.prose(&page::sentence(&page::safe(&story.verdict())), style, place);
        self.blank();
        story.stages.iter().for_each(|stage| self.stage(stage));
        let names = Page { stories: &[], paths: self.names, notes: &[] };
        for (label, lines) in page::parts(&names, story) {
            self.blank();
            for (at, line) in lines.iter().enumerate() {
                let place = place.filter(|_| label == "Where");
                self.part(if at == 0 { label } else { "" }, line, place);
            }
        }
    }

    /// A line for a stage; what is said of it stands beside it where there is room, else below.
    fn stage(&mut self, stage: &Stage) {
        let (sign, style) = match stage.outcome {
            Outcome::Done => ("✓", self.theme.good),
            Outcome::Failed => ("✗", self.theme.error),
            Outcome::NotReached => ("·", self.theme.dim),
            Outcome::NotSeen => ("?", self.theme.warning),
        };
        let place = self.spot(stage.place.as_ref());
        let [name, time, took, outcome, said] = page::stage_line(stage);
        let beside = self.width >= STAGE + LEAST;
        let indent = if beside { STAGE } else { 2 };
        let mut rows = wrap(&said, self.width.saturating_sub(indent)).into_iter();
        let first = if beside { rows.next().unwrap_or_default() } else { String::new() };
        let head = format!(" {name:<14} {time:<8} {took:>7} {outcome}");
        let head = format!("{head:<width$}", width = STAGE - 1);
        let line = Line::from(vec![Span::styled(sign, style), Span::raw(head), Span::styled(first, self.theme.dim)]);
        self.lines.push((line, place));
        for row in rows {
            self.lines.push((Line::styled(format!("{}{row}", " ".repeat(indent)), self.theme.dim), place));
        }
    }

    fn blank(&mut self) {
        self.lines.push((Line::default(), None));
    }

    fn prose(&mut self, text: &str, style: Style, place: Option<Spot>) {
        let lines = wrap(text, self.width).into_iter();
        self.lines.extend(lines.map(|line| (Line::styled(line, style), place)));
    }

    /// A text behind a label.
    fn part(&mut self, label: &str, text: &str, place: Option<Spot>) {
        for (row, text) in wrap(text, self.width.saturating_sub(LABEL)).into_iter().enumerate() {
            let label = if row == 0 { label } else { "" };
            let label = Span::styled(format!("{label:<LABEL$}"), self.theme.heading);
            self.lines.push((Line::from(vec![label, Span::raw(text)]), place));
        }
    }

    /// The message at a place, as far as it is in the store.
    fn spot(&self, place: Option<&Location>) -> Option<Spot> {
        let place = place?;
        let session = *self.sessions.get(place.session.as_deref()?)?;
        Some(Spot { session, message: place.message, at: None })
    }
}
