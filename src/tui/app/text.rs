//! Typing: search, filter, notes, commands; and what is done with what was typed.

use std::time::Duration;

use ratatui::crossterm::event::KeyEvent;

use super::{App, Effect, Screen};
use crate::filter::{Filter, Scene};
use crate::session::Session;
use crate::tui::keys::TABLE;
use crate::tui::prompt::{Kind, Prompt, Typed};
use crate::tui::search::Search;
use crate::tui::store::Store;
use crate::tui::theme::Theme;
use crate::tui::tree::Shows;

/// What a filter leaves of the store. A session that was not looked at yet stays listed.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) filter: Option<Filter>,
    messages: Vec<Option<Vec<bool>>>,
    /// Whether sessions that are not in memory wait to be looked at.
    pub(super) wants_pass: bool,
}

impl Kept {
    /// Looks at a session that came.
    pub(super) fn look(&mut self, index: usize, store: &Store, session: &Session) {
        let (Some(filter), Some(opened)) = (&self.filter, store.sessions.get(index)) else { return };
        self.messages.resize_with(self.messages.len().max(index + 1), || None);
        if let Some(place) = self.messages.get_mut(index) {
            *place = Some(filter.messages(Scene { session, findings: &opened.drafts }));
        }
    }

    /// Looks at a session that comes by, unless that was done, or it has grown since.
    pub(super) fn passing(&mut self, index: usize, store: &Store, session: &Session) {
        let listed = store.sessions.get(index).map(|opened| opened.messages.len());
        if self.messages.get(index).is_none_or(Option::is_none) && listed == Some(session.messages.len()) {
            self.look(index, store, session);
        }
    }

    /// Forgets the last session.
    pub(super) fn forget(&mut self, index: usize) {
        self.messages.truncate(index);
    }

    /// Takes another filter, and looks at the sessions in memory. Whether there are others.
    fn set(&mut self, filter: Option<Filter>, store: &Store) -> bool {
        *self = Kept { filter, ..Kept::default() };
        for index in 0..store.sessions.len() {
            if let Some(session) = store.content(index) {
                self.look(index, store, session);
            }
        }
        let looked = self.messages.iter().filter(|messages| messages.is_some()).count();
        self.wants_pass = self.filter.is_some() && looked < store.sessions.len();
        self.wants_pass
    }
}

impl Shows for Kept {
    fn session(&self, session: usize) -> bool {
        match self.messages.get(session) {
            Some(Some(messages)) => messages.contains(&true),
            _ => true,
        }
    }

    fn message(&self, session: usize, message: usize) -> bool {
        match self.messages.get(session) {
            Some(Some(messages)) => messages.get(message).copied().unwrap_or(true),
            _ => true,
        }
    }
}

impl App {
    /// Opens the line at the bottom.
    pub(super) fn ask(&mut self, kind: Kind) {
        let text = match kind {
            Kind::Filter => self.kept.filter.as_ref().map(|filter| filter.text().to_owned()),
            Kind::Note => self.place().and_then(|place| self.notes.text(place)).map(str::to_owned),
            Kind::Search | Kind::Command | Kind::Export(_) => None,
        };
        if kind == Kind::Note && self.place().is_none() {
            self.said = Some("there is no session to write a note on".to_owned());
            return;
        }
        self.prompt = Some(Prompt::new(kind, &text.unwrap_or_default()));
    }

    /// A key while text is typed.
    pub(super) fn type_key(&mut self, event: KeyEvent) {
        let Some(prompt) = &mut self.prompt else { return };
        let kind = prompt.kind;
        match prompt.key(event, &self.recent) {
            Typed::More => {}
            Typed::Cancelled => self.prompt = None,
            Typed::Done(text) => {
                if kind == Kind::Filter && prompt.error().is_some() {
                    return;
                }
                self.prompt = None;
                if !text.trim().is_empty() {
                    self.recent.keep(kind, &text);
                    self.effects.extend((kind == Kind::Filter).then_some(Effect::KeepFilters));
                }
                self.typed(kind, &text);
            }
        }
    }

    /// Text that was pasted.
    pub(crate) fn paste(&mut self, text: &str) {
        if let Some(prompt) = &mut self.prompt {
            text.chars().for_each(|letter| prompt.insert(letter));
        }
    }

    fn typed(&mut self, kind: Kind, text: &str) {
        match kind {
            Kind::Search => {
                self.search = (!text.is_empty()).then(|| Search::new(text));
                self.settle_pass();
            }
            Kind::Filter => self.filter(text),
            Kind::Note => {
                if let Some(place) = self.place() {
                    self.notes.note(place, text);
                    self.effects.push(Effect::KeepNotes);
                }
            }
            Kind::Command => self.command(text.trim()),
            Kind::Export(format) => self.export(format, text),
        }
    }

    /// Lists these alone; all with `None`.
    pub(crate) fn keep(&mut self, filter: Option<Filter>) {
        if self.kept.set(filter, &self.store) {
            self.read_all();
        }
        self.settle_pass();
        self.refresh();
        let hidden = |(session, _): (usize, _)| self.at.is_some_and(|at| !self.kept.message(session, at.message));
        if self.shown.is_some_and(hidden) {
            self.look_at_command();
        }
    }

    fn filter(&mut self, text: &str) {
        // The prompt does not let go of a text that is no filter.
        self.keep(Filter::parse(text).ok());
        if self.kept.filter.is_some() {
            let order = self.tree.order(&self.kept).count();
            self.screen = Screen::Browse;
            let looking = if self.kept.wants_pass { " so far, those not in memory are being read" } else { "" };
            self.said = Some(format!("{order} of {} sessions{looking}", self.store.sessions.len()));
        }
    }

    /// Takes the filter away.
    pub(super) fn unfilter(&mut self) {
        self.keep(None);
        self.said = Some("everything is shown".to_owned());
    }

    /// `:q`, `:s3`, `:theme light`, `:filter EXPR`, `:42`, or the name of an action.
    fn command(&mut self, text: &str) {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let action = TABLE.iter().find(|entry| entry.name == text).map(|entry| entry.action);
        let session = word.strip_prefix('s').and_then(|number| number.parse::<u32>().ok());
        let index = |number| self.store.index(number);
        match (word, action, session.and_then(index)) {
            ("", ..) => {}
            ("q" | "q!" | "wq" | "x", ..) => self.quit = true,
            (_, Some(action), _) => self.act(action, None),
            (_, _, Some(session)) => self.go(super::Spot { session, message: None, at: None }),
            ("filter", ..) if !rest.is_empty() => match Filter::parse(rest) {
                Ok(_) => self.filter(rest),
                Err(error) => self.said = Some(error.to_string()),
            },
            ("theme", ..) => match Theme::named(rest) {
                Some(theme) => self.set_theme(theme),
                None => self.said = Some(format!("themes are {}", Theme::NAMES.join(", "))),
            },
            _ => match word.parse::<usize>() {
                Ok(line) => self.act(crate::tui::keys::Action::First, Some(line)),
                Err(_) => self.said = Some(format!("there is no command {word:?}; ? lists the keys and their names")),
            },
        }
    }

    pub(crate) fn set_theme(&mut self, theme: Theme) {
        self.theme = theme;
        self.refresh();
    }

    /// Searches on for a moment. Returns whether anything changed.
    pub(crate) fn search_on(&mut self, budget: Duration) -> bool {
        let App { search, store, show_secrets, .. } = self;
        let Some(search) = search.as_mut().filter(|search| !search.done && search.pass.is_none()) else { return false };
        if search.step(store, budget, *show_secrets) {
            return true;
        }
        if search.left_out(store) > 0 && !search.is_full() {
            search.pass = Some(self.pass.0 + 1);
            self.read_all();
        } else {
            self.end_search();
        }
        true
    }

    /// All was searched that can be: goes to the first hit.
    pub(super) fn end_search(&mut self) {
        let rank = self.rank();
        let Some(search) = self.search.as_mut().filter(|search| !search.done) else { return };
        search.done = true;
        search.sort(&rank);
        self.next_hit(true, true);
    }

    /// Of each session, where in the list it is.
    fn rank(&self) -> Vec<usize> {
        let mut rank = vec![usize::MAX; self.store.sessions.len()];
        for (place, session) in self.tree.order(&self.kept).enumerate() {
            if let Some(rank) = rank.get_mut(session) {
                *rank = place;
            }
        }
        rank
    }

    /// Goes to the next hit of the search, or the one before; `first` may stay where it is.
    pub(super) fn next_hit(&mut self, forward: bool, first: bool) {
        let here = self.spot().filter(|_| self.screen != Screen::Summary);
        let rank = self.search.as_ref().filter(|search| search.at.is_none()).map(|_| self.rank());
        let Some(search) = &mut self.search else { return };
        if search.hits.is_empty() {
            if !search.done {
                return;
            }
            let left = match search.left_out(&self.store) {
                0 => String::new(),
                many => format!(" ({many} sessions could not be read again and were not searched)"),
            };
            self.said = Some(format!("{:?} is nowhere{left}", search.needle));
            self.search = None;
            return;
        }
        if let Some(rank) = &rank {
            search.sort(rank);
        }
        let len = search.hits.len();
        let next = match (search.at, forward) {
            (None, _) => search.nearest(here, &rank.unwrap_or_default(), forward),
            (Some(at), true) if !first => Some((at + 1) % len),
            (Some(at), false) => Some((at + len - 1) % len),
            (at, _) => at,
        };
        search.at = next;
        let hit = next.and_then(|next| search.hits.get(next)).copied();
        let so_far = if search.done { "" } else { " so far" };
        let text =
            format!("hit {} of {len}{so_far} for {:?} (esc ends the search)", next.unwrap_or(0) + 1, search.needle);
        if let Some(spot) = hit {
            self.go(spot);
            self.finding = None;
            if self.detail.tab > crate::tui::page::XML {
                self.set_tab(crate::tui::page::XML);
            }
        }
        self.said = Some(text);
    }
}
