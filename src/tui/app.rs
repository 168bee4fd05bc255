//! What the screen shows and what each action changes of it. Drawing (`draw`) reads it; it knows no terminal, so that
//! every key can be tested.
//!
//! In: keys, news of the reader. Out: the new state, and [`Effect`]s for the world outside.

use std::sync::Arc;

use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::commands::{self, Commands};
use super::compare::Compare;
use super::export::Export;
use super::keys::{Action, Found, Key, Keys};
use super::menu::{self, Chosen, Menu};
use super::notes::{Notes, Place};
use super::page::{self, Page};
use super::prompt::{self, Prompt};
use super::recent::Recent;
use super::scroll::Scroll;
use super::search::Search;
use super::store::Store;
use super::story::Stories;
use super::summary::{Show, Summary};
use super::theme::Theme;
use super::timeline::Timeline;
use super::tree::{Row, Shows as _, Tree};
use crate::rules::{Rule, Severity};
use crate::session::{At, Session};

mod compare;
mod copy;
mod go;
mod mouse;
mod news;
mod story;
mod text;
mod time;

/// Places that "back" remembers.
const REMEMBERED: usize = 100;
/// Columns in which a hit is brought into sight sideways.
const FAR: usize = 4096;
/// Sessions that may wait to be read again.
const ASKED: usize = 8;
/// Largest count before a motion.
const MAX_COUNT: usize = 1_000_000;

/// The panes of the browsing screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pane {
    Tree,
    Commands,
    Detail,
}

/// What fills the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    Summary,
    Browse,
    Timeline,
    Compare,
    Story,
}

/// Where lists were drawn last that fill the screen or lie over it, for the mouse.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Drawn {
    pub(crate) list: Rect,
    pub(crate) menu: Rect,
}

/// What the world outside has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Give the terminal back and stop.
    Suspend,
    /// Draw everything again.
    Redraw,
    /// Read a session again, by its number.
    ReadAgain(u32),
    /// Read everything again, under this number.
    ReadAll(u32),
    /// Stop doing so.
    StopReadingAll,
    /// Stop reading.
    StopReading,
    /// Put a text on the clipboard.
    Copy(String),
    /// Keep the notes.
    KeepNotes,
    /// Remember the filters that were used.
    KeepFilters,
    /// Write sessions to a file or folder.
    Export(Export),
}

/// A place to come back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) session: usize,
    pub(crate) message: Option<usize>,
    pub(crate) at: Option<At>,
}

/// Where one was and how it was looked at, to come back to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stop {
    screen: Screen,
    focus: Pane,
    tab: usize,
    spot: Option<Spot>,
    finding: Option<usize>,
}

/// What the lower pane was made from; when it differs the page is made anew.
#[derive(Clone, Debug, PartialEq)]
struct Made {
    tab: usize,
    session: Option<usize>,
    message: Option<usize>,
    /// Only what a page depends on.
    at: Option<At>,
    rule: Option<&'static Rule>,
    show_secrets: bool,
    threshold: Severity,
    width: usize,
    theme: &'static str,
    /// Which reading of the session it shows, and whether there can be none.
    content: (Option<u64>, bool),
}

/// The lower pane.
pub(crate) struct Detail {
    pub(crate) tab: usize,
    pub(crate) page: Page,
    pub(crate) scroll: Scroll,
    /// First column seen.
    pub(crate) left: usize,
    made: Option<Made>,
    /// Whether the element that is looked at has to be brought into sight.
    show: bool,
}

/// See the module's head.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) theme: Theme,
    pub(crate) show_secrets: bool,
    pub(crate) threshold: Severity,
    pub(crate) screen: Screen,
    pub(crate) focus: Pane,
    pub(crate) maximised: bool,
    /// Columns that the user added to the tree.
    pub(crate) wider: i16,
    pub(crate) tree: Tree,
    pub(crate) commands: Commands,
    pub(crate) detail: Detail,
    pub(crate) summary: Summary,
    pub(crate) timeline: Timeline,
    pub(crate) compare: Compare,
    pub(crate) stories: Stories,
    pub(crate) help: Option<Scroll>,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) menu: Option<Menu>,
    pub(crate) search: Option<Search>,
    pub(crate) kept: text::Kept,
    pub(crate) notes: Notes,
    pub(crate) recent: Recent,
    /// The session, and the message of the tree's cursor, that the commands are of.
    pub(crate) shown: Option<(usize, Option<usize>)>,
    /// The element that is looked at.
    pub(crate) at: Option<At>,
    /// The finding that is looked at, of the session that is shown.
    pub(crate) finding: Option<usize>,
    pub(crate) pressed: Vec<Key>,
    pub(crate) count: Option<usize>,
    /// What was said last.
    pub(crate) said: Option<String>,
    pub(crate) quit: bool,
    /// The screen as it was drawn last.
    pub(crate) screen_area: Rect,
    pub(crate) drawn: Drawn,
    effects: Vec<Effect>,
    back: Vec<Stop>,
    /// Sessions that are being read again.
    asked: Vec<usize>,
    /// Where to go, and to which finding, once the session there was read again.
    pending: Option<(Spot, Option<usize>)>,
    /// The number of the last reading of everything, and whether it goes on.
    pass: (u32, bool),
}

impl App {
    /// The first screen.
    pub(crate) fn new(store: Store, theme: Theme, keys: Keys) -> App {
        let detail = Detail {
            tab: page::XML,
            page: Page::said(""),
            scroll: Scroll::default(),
            left: 0,
            made: None,
            show: false,
        };
        let mut app = App {
            store,
            keys,
            theme,
            show_secrets: false,
            threshold: Severity::Info,
            screen: Screen::Summary,
            focus: Pane::Tree,
            maximised: false,
            wider: 0,
            tree: Tree::default(),
            commands: Commands::default(),
            detail,
            summary: Summary::default(),
            timeline: Timeline::default(),
            compare: Compare::default(),
            stories: Stories::default(),
            help: None,
            prompt: None,
            menu: None,
            search: None,
            kept: text::Kept::default(),
            notes: Notes::default(),
            recent: Recent::default(),
            shown: None,
            at: None,
            finding: None,
            pressed: Vec::new(),
            count: None,
            said: None,
            quit: false,
            screen_area: Rect::default(),
            drawn: Drawn::default(),
            effects: Vec::new(),
            back: Vec::new(),
            asked: Vec::new(),
            pending: None,
            pass: (0, false),
        };
        app.refresh();
        app
    }

    /// What the world has to do, once.
    pub(crate) fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Shows what came in since.
    pub(crate) fn refresh(&mut self) {
        let first = self.tree.rows.is_empty();
        self.tree.rebuild(&self.store, &self.kept);
        // One session alone is what one wants to see.
        if first && !self.store.is_loading() && self.store.sessions.len() == 1 {
            self.tree.open.insert(0);
            self.tree.rebuild(&self.store, &self.kept);
            self.tree.scroll.to(1);
        }
        if !self.store.is_loading() {
            self.stories.hear(&self.store);
        }
        let show = Show {
            kept: &self.kept,
            threshold: self.threshold,
            show_secrets: self.show_secrets,
            stories: &self.stories,
        };
        self.summary.rebuild(&self.store, show, &self.theme);
        self.show_row();
        self.arrive();
    }

    /// The session that is shown.
    pub(crate) fn session(&self) -> Option<&Arc<Session>> {
        self.store.content(self.shown?.0)
    }

    /// The severities and places of the findings of the session that is shown, as far as they are not hidden.
    pub(crate) fn findings(&self) -> Vec<usize> {
        let Some(opened) = self.shown.and_then(|(session, _)| self.store.sessions.get(session)) else {
            return Vec::new();
        };
        let kept = opened.drafts.iter().enumerate().filter(|(_, draft)| draft.severity >= self.threshold);
        kept.map(|(number, _)| number).collect()
    }

    /// Does what a key says.
    pub(crate) fn key(&mut self, event: KeyEvent) {
        self.said = None;
        if self.prompt.is_some() {
            return self.type_key(event);
        }
        let key = Key::of(event);
        if let Some(menu) = &mut self.menu {
            match menu.key(key) {
                Chosen::More => {}
                Chosen::Closed => self.menu = None,
                Chosen::This(choice) => {
                    self.menu = None;
                    self.choose(choice);
                }
            }
            return;
        }
        if let Some(digit) = key.digit().filter(|digit| self.pressed.is_empty() && (*digit > 0 || self.count.is_some()))
        {
            let count = self.count.unwrap_or(0).saturating_mul(10).saturating_add(digit);
            self.count = Some(count.min(MAX_COUNT));
            return;
        }
        self.pressed.push(key);
        match self.keys.find(&self.pressed) {
            Found::Prefix => {}
            Found::Nothing => {
                self.pressed.clear();
                self.count = None;
            }
            Found::Action(action) => {
                self.pressed.clear();
                let count = self.count.take();
                self.act(action, count);
            }
        }
    }

    /// Does what an action says.
    pub(crate) fn act(&mut self, action: Action, count: Option<usize>) {
        if self.help.is_some() {
            return self.act_in_help(action, count);
        }
        let times = count.unwrap_or(1);
        match action {
            Action::Quit => self.quit = true,
            Action::Suspend => self.effects.push(Effect::Suspend),
            Action::Redraw => self.effects.push(Effect::Redraw),
            Action::Help => self.help = Some(Scroll::default()),
            Action::Escape => self.escape(),
            Action::Summary => self.toggle_summary(),
            Action::Timeline => self.toggle_timeline(),
            Action::Story => self.toggle_story(),
            Action::Compare => self.toggle_compare(),
            Action::Export => self.menu = Some(menu::EXPORT),
            Action::Secrets => self.toggle_secrets(),
            Action::Threshold => self.next_threshold(),
            Action::Maximise => self.maximised = !self.maximised,
            Action::Wider => self.wider = self.wider.saturating_add(4).min(80),
            Action::Narrower => self.wider = self.wider.saturating_sub(4).max(-24),
            Action::NextFinding if self.screen == Screen::Compare => self.compare.next(true),
            Action::PreviousFinding if self.screen == Screen::Compare => self.compare.next(false),
            Action::NextFinding if self.search.is_some() => self.next_hit(true, false),
            Action::PreviousFinding if self.search.is_some() => self.next_hit(false, false),
            Action::NextFinding => self.next_finding(times, true),
            Action::PreviousFinding => self.next_finding(times, false),
            Action::Search => self.ask(prompt::Kind::Search),
            Action::Filter => self.ask(prompt::Kind::Filter),
            Action::Command => self.ask(prompt::Kind::Command),
            Action::Note => self.ask(prompt::Kind::Note),
            Action::Copy => self.menu = Some(menu::COPY),
            Action::Mark => self.mark(),
            Action::NextMark => self.next_mark(),
            Action::Back => self.go_back(),
            Action::Follow => self.follow(),
            _ if self.screen == Screen::Summary => self.act_in_summary(action, count),
            _ if self.screen == Screen::Timeline => self.act_in_timeline(action, count),
            _ if self.screen == Screen::Compare => self.act_in_compare(action, count),
            _ if self.screen == Screen::Story => self.act_in_story(action, count),
            Action::NextPane => self.turn_pane(true),
            Action::PreviousPane => self.turn_pane(false),
            Action::NextTab => self.set_tab((self.detail.tab + 1) % page::TABS.len()),
            Action::PreviousTab => self.set_tab((self.detail.tab + page::TABS.len() - 1) % page::TABS.len()),
            Action::GoToTab => match count {
                Some(number) => self.set_tab(number.clamp(1, page::TABS.len()) - 1),
                None => self.set_tab((self.detail.tab + 1) % page::TABS.len()),
            },
            Action::Tab(tab) => self.set_tab(tab),
            Action::Left => self.sideways(false, times),
            Action::Right => self.sideways(true, times),
            motion => self.step(motion, count),
        }
    }

    fn act_in_help(&mut self, action: Action, count: Option<usize>) {
        match action {
            Action::Quit | Action::Escape | Action::Help | Action::Back => self.help = None,
            motion => {
                if let Some(scroll) = &mut self.help {
                    moved(scroll, motion, count);
                }
            }
        }
    }

    fn act_in_summary(&mut self, action: Action, count: Option<usize>) {
        match action {
            Action::NextPane | Action::Right => self.screen = Screen::Browse,
            motion => {
                moved(&mut self.summary.scroll, motion, count);
            }
        }
    }

    /// The place that marks and notes are on.
    pub(crate) fn place(&self) -> Option<Place> {
        let (session, message) = match self.screen {
            Screen::Timeline => (self.timeline.of?, self.timeline.message().map(|moment| moment.message)),
            Screen::Compare => self.compare.place()?,
            Screen::Story => self.stories.target().map(|spot| (spot.session, spot.message))?,
            _ => self.shown?,
        };
        let number = self.store.sessions.get(session)?.row.number;
        Some((number, message.and_then(|message| u32::try_from(message + 1).ok())))
    }

    fn mark(&mut self) {
        let Some(place) = self.place() else { return };
        let marked = self.notes.mark(place);
        self.said = Some(if marked { "marked" } else { "the mark is gone" }.to_owned());
        self.effects.push(Effect::KeepNotes);
    }

    fn next_mark(&mut self) {
        let here = self.place();
        let after = self.notes.marked().find(|place| Some(*place) > here);
        let Some((number, message)) = after.or_else(|| self.notes.marked().next()) else {
            self.said = Some("there are no marks; m sets one".to_owned());
            return;
        };
        let session = self.store.sessions.iter().position(|opened| opened.row.number == number);
        if let Some(session) = session {
            let message = message.and_then(|message| (message as usize).checked_sub(1));
            self.go(Spot { session, message, at: None });
        }
    }

    fn escape(&mut self) {
        if self.search.take().is_some() || self.count.is_some() {
            self.count = None;
            return self.settle_pass();
        }
        if self.maximised {
            self.maximised = false;
            return;
        }
        if self.screen == Screen::Browse && self.kept.filter.is_some() {
            return self.unfilter();
        }
        if self.store.is_loading() && self.screen == Screen::Browse {
            self.store.stopped = true;
            self.effects.push(Effect::StopReading);
            self.said = Some("reading was stopped; what was read stays".to_owned());
        }
        if self.screen != Screen::Browse && !self.tree.rows.is_empty() {
            self.screen = Screen::Browse;
        }
    }

    fn toggle_summary(&mut self) {
        self.screen = match self.screen {
            Screen::Summary => Screen::Browse,
            Screen::Browse | Screen::Timeline | Screen::Compare | Screen::Story => Screen::Summary,
        };
    }

    fn toggle_secrets(&mut self) {
        self.show_secrets = !self.show_secrets;
        let said = if self.show_secrets { "secrets are shown" } else { "secrets are hidden" };
        self.refresh();
        self.compare_again();
        self.said = Some(said.to_owned());
    }

    fn next_threshold(&mut self) {
        self.threshold = match self.threshold {
            Severity::Info => Severity::Warning,
            Severity::Warning => Severity::Error,
            Severity::Error => Severity::Info,
        };
        self.finding = None;
        self.refresh();
        self.said = Some(match self.threshold {
            Severity::Info => "all findings are shown".to_owned(),
            Severity::Warning => "warnings and errors are shown".to_owned(),
            Severity::Error => "errors alone are shown".to_owned(),
        });
    }

    fn turn_pane(&mut self, forward: bool) {
        self.focus = match (self.focus, forward) {
            (Pane::Tree, true) | (Pane::Detail, false) => Pane::Commands,
            (Pane::Commands, true) | (Pane::Tree, false) => Pane::Detail,
            (Pane::Detail, true) | (Pane::Commands, false) => Pane::Tree,
        };
    }

    /// Turns to a tab.
    pub(crate) fn set_tab(&mut self, tab: usize) {
        if tab == page::EXPLAIN && self.finding.is_none() {
            self.finding = self.finding_here().or_else(|| self.findings().first().copied());
        }
        self.detail.tab = tab;
        self.detail.left = 0;
        self.detail.show = true;
    }

    fn sideways(&mut self, right: bool, times: usize) {
        match self.focus {
            Pane::Tree => {
                if self.tree.set_open(right) {
                    self.refresh();
                } else if right {
                    self.tree.scroll.by(1);
                    self.show_row();
                } else {
                    self.tree.ascend();
                    self.show_row();
                }
            }
            Pane::Commands => {
                if self.commands.fold(!right) {
                    self.show_commands();
                }
            }
            Pane::Detail => {
                let by = times.saturating_mul(8);
                let left = self.detail.left;
                self.detail.left = if right { left.saturating_add(by) } else { left.saturating_sub(by) };
            }
        }
    }

    /// Moves the cursor of the pane that has the keys.
    fn step(&mut self, motion: Action, count: Option<usize>) {
        match self.focus {
            Pane::Tree => {
                if moved(&mut self.tree.scroll, motion, count) {
                    self.show_row();
                }
            }
            Pane::Commands => {
                if moved(&mut self.commands.scroll, motion, count) {
                    self.look_at_command();
                }
            }
            Pane::Detail => self.step_in_detail(motion, count),
        }
    }

    fn step_in_detail(&mut self, motion: Action, count: Option<usize>) {
        let before = self.detail.scroll.cursor;
        if !moved(&mut self.detail.scroll, motion, count) {
            return;
        }
        if self.detail.tab == page::FINDINGS {
            self.step_to_item(before, motion, count);
        }
        self.look_at_line();
    }

    /// In a list of items the cursor goes from item to item.
    fn step_to_item(&mut self, before: usize, motion: Action, count: Option<usize>) {
        let page = &self.detail.page;
        let (Some(from), by) = (page.item(before), count.unwrap_or(1)) else { return };
        let item = match motion {
            Action::Down => Some(from.saturating_add(by)),
            Action::Up => Some(from.saturating_sub(by)),
            _ => page.item(self.detail.scroll.cursor),
        };
        let line = item.and_then(|item| page.item_line(item)).or_else(|| page.item_line(from));
        if let Some(line) = line {
            self.detail.scroll.to(line);
        }
    }

    /// What the cursor of the lower pane is on is looked at.
    fn look_at_line(&mut self) {
        let line = self.detail.scroll.cursor;
        if self.detail.tab == page::FINDINGS {
            let item = self.detail.page.item(line);
            self.finding = item.and_then(|item| self.findings().get(item).copied());
        } else if let (Some(node), Some(at)) = (self.detail.page.node(line), self.at) {
            self.at = Some(At { message: at.message, node });
        }
    }

    /// What the cursor of the tree is on is shown in the other panes.
    fn show_row(&mut self) {
        let shown = match self.tree.row() {
            Some(Row::Session(session)) => Some((session, None)),
            Some(Row::Message(session, message)) => Some((session, Some(message))),
            Some(Row::Device(place)) => {
                let device = self.tree.devices.get(place);
                device.and_then(|device| device.sessions.first()).map(|session| (*session, None))
            }
            None => None,
        };
        let other = self.shown != shown;
        if self.shown.map(|(session, _)| session) != shown.map(|(session, _)| session) {
            self.finding = None;
        }
        self.shown = shown;
        if let Some((session, _)) = shown {
            self.read_again(session);
        }
        if other {
            self.commands.scroll.to(0);
            self.at = None;
        }
        self.show_commands();
        if other || self.at.is_none() {
            self.look_at_command();
        }
    }

    fn show_commands(&mut self) {
        let App { shown, store, commands, kept, .. } = self;
        let content =
            shown.and_then(|(session, only)| Some((store.sessions.get(session)?, store.content(session)?, only)));
        match content {
            Some((opened, session, only)) => {
                let place = shown.map_or(0, |(session, _)| session);
                let kept = |message: usize| kept.message(place, message);
                let show = commands::Show { kept: &kept, show_secrets: self.show_secrets, threshold: self.threshold };
                commands.rebuild(opened, session, only, show);
            }
            None => commands.clear(),
        }
    }

    /// What the cursor of the commands is on is looked at.
    fn look_at_command(&mut self) {
        let line = self.commands.line();
        let root = |message: usize| At { message, node: crate::syncml::NodeId(0) };
        let first = self.shown.map(|(_, message)| root(message.unwrap_or(0)));
        self.at = line.map(|line| line.at.unwrap_or(root(line.message))).or(first);
        self.detail.show = true;
        self.detail.left = 0;
    }

    /// Makes the page of the lower pane when it is not the one that is wanted, and brings into sight what has to be.
    pub(crate) fn make_page(&mut self, width: usize, height: usize) {
        let tab = self.detail.tab;
        let of_message = tab <= page::FRAMES;
        let rule = self.rule().filter(|_| tab == page::EXPLAIN);
        let made = Made {
            tab,
            session: self.shown.map(|(session, _)| session).filter(|_| tab != page::EXPLAIN),
            message: self.at.map(|at| at.message).filter(|_| of_message),
            at: self.at.filter(|_| tab == page::FRAMES),
            rule,
            show_secrets: self.show_secrets,
            threshold: self.threshold,
            width: if tab <= page::XML { 0 } else { width },
            theme: self.theme.name,
            content: (
                self.shown.and_then(|(session, _)| self.store.content_number(session)),
                self.shown.is_some_and(|(session, _)| self.store.lost(session).is_some()),
            ),
        };
        if self.detail.made.as_ref() != Some(&made) {
            let same_place = self.detail.made.as_ref().is_some_and(|old| {
                (old.tab, old.session, old.message, old.rule) == (made.tab, made.session, made.message, made.rule)
            });
            self.detail.page = self.page(tab, rule, width);
            self.detail.made = Some(made);
            if !same_place {
                self.detail.scroll = Scroll::default();
                self.detail.show = true;
            }
        }
        self.detail.scroll.fit(self.detail.page.len(), height);
        if std::mem::take(&mut self.detail.show) {
            let line = match tab {
                page::FINDINGS => self.finding.and_then(|finding| {
                    let item = self.findings().iter().position(|known| *known == finding)?;
                    self.detail.page.item_line(item)
                }),
                _ => self.at.and_then(|at| self.detail.page.line_of(at.node)),
            };
            self.detail.scroll.show(line.unwrap_or(self.detail.scroll.cursor));
            self.detail.left =
                self.hit_column().filter(|column| column + 4 > width).map_or(0, |column| column - width / 2);
        }
    }

    /// The column behind what a search found on the line of the cursor.
    fn hit_column(&self) -> Option<usize> {
        let needle = &self.search.as_ref()?.needle;
        let look = page::Look { theme: &self.theme, node: None, needle: None };
        let line = self.detail.page.line(self.detail.scroll.cursor, 0, FAR, &look);
        let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
        let at = text.to_ascii_lowercase().find(needle.as_str())?;
        Some(text.get(..at + needle.len())?.width())
    }

    fn page(&self, tab: usize, rule: Option<&'static Rule>, width: usize) -> Page {
        let Some((index, _)) = self.shown else { return Page::said("(nothing to show yet)") };
        let (Some(opened), Some(session)) = (self.store.sessions.get(index), self.store.content(index)) else {
            return Page::said(&match self.store.lost(index) {
                Some(why) => format!("This session cannot be read again: {why}"),
                None => "(reading …)".to_owned(),
            });
        };
        match (tab, rule, self.at) {
            (page::FINDINGS, ..) => {
                let kept = (self.findings(), self.threshold);
                page::findings(opened, session, (&kept.0, kept.1), &self.store.names, width, &self.theme)
            }
            (page::EXPLAIN, Some(rule), _) => page::explain(rule, width, &self.theme),
            (page::EXPLAIN, None, _) => Page::said("There is no finding here to explain."),
            (_, _, Some(at)) => {
                let here = opened
                    .drafts
                    .iter()
                    .filter(|draft| draft.severity >= self.threshold && draft.place.message() == Some(at.message));
                let marks = here.map(|draft| {
                    let node = match draft.place {
                        crate::rules::finding::Place::Element(at) => Some(at.node),
                        _ => None,
                    };
                    (draft.place.span(session), node, draft.severity)
                });
                let marks = marks.filter(|(span, ..)| !span.is_empty()).collect();
                Page::of(tab, session, at, marks, self.show_secrets, width, &self.theme)
            }
            _ => Page::said("(no message)"),
        }
    }

    /// The rule of the finding that is looked at.
    pub(crate) fn rule(&self) -> Option<&'static Rule> {
        let (session, _) = self.shown?;
        let draft = self.store.sessions.get(session)?.drafts.get(self.finding?)?;
        Some(draft.rule)
    }
}

/// Moves a cursor. Returns whether the action is a motion.
pub(crate) fn moved(scroll: &mut Scroll, motion: Action, count: Option<usize>) -> bool {
    let times = isize::try_from(count.unwrap_or(1)).unwrap_or(isize::MAX);
    let height = isize::try_from(scroll.height()).unwrap_or(isize::MAX);
    match motion {
        Action::Down => scroll.by(times),
        Action::Up => scroll.by(-times),
        Action::HalfDown => scroll.by(times.saturating_mul((height / 2).max(1))),
        Action::HalfUp => scroll.by(-times.saturating_mul((height / 2).max(1))),
        Action::PageDown => scroll.by(times.saturating_mul((height - 1).max(1))),
        Action::PageUp => scroll.by(-times.saturating_mul((height - 1).max(1))),
        Action::First => scroll.to(count.unwrap_or(1).saturating_sub(1)),
        Action::Last => scroll.to(count.map_or(usize::MAX, |line| line.saturating_sub(1))),
        _ => return false,
    }
    true
}
