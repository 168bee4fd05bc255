//! Typing: search, filter, notes, commands; and what is done with what was typed.

use std::time::Duration;

use ratatui::crossterm::event::KeyEvent;

use super::{App, Effect, Screen};
use crate::filter::{Filter, Scene};
use crate::tui::keys::TABLE;
use crate::tui::prompt::{Kind, Prompt, Typed};
use crate::tui::search::Search;
use crate::tui::store::Store;
use crate::tui::theme::Theme;
use crate::tui::tree::Shows;

/// What a filter leaves of the store. A session that is not in memory stays listed.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) filter: Option<Filter>,
    messages: Vec<Option<Vec<bool>>>,
}

impl Kept {
    /// Looks at the sessions that came in since.
    pub(super) fn update(&mut self, store: &Store) {
        let Some(filter) = &self.filter else { return };
        for index in self.messages.len()..store.sessions.len() {
            let found = store.sessions.get(index).zip(store.content(index));
            self.messages
                .push(found.map(|(opened, session)| filter.messages(Scene { session, findings: &opened.drafts })));
        }
    }

    fn set(&mut self, filter: Option<Filter>) {
        *self = Kept { filter, messages: Vec::new() };
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
            Kind::Search if text.is_empty() => self.search = None,
            Kind::Search => self.search = Some(Search::new(text)),
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
        self.kept.set(filter);
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
            self.said = Some(format!("{order} of {} sessions", self.store.sessions.len()));
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
        let index = |number| self.store.sessions.iter().position(|opened| opened.row.number == number);
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
        let Some(search) = search.as_mut().filter(|search| !search.done) else { return false };
        search.step(store, budget, *show_secrets);
        if search.done {
            self.next_hit(true, true);
        }
        true
    }

    /// Goes to the next hit of the search, or the one before; `first` may stay where it is.
    pub(super) fn next_hit(&mut self, forward: bool, first: bool) {
        let order: Vec<usize> = self.tree.order(&self.kept).collect();
        let rank = |session: usize| order.iter().position(|known| *known == session).unwrap_or(usize::MAX);
        let here = self.spot().filter(|_| self.screen != Screen::Summary);
        let Some(search) = &mut self.search else { return };
        if search.hits.is_empty() {
            let left = match search.left_out {
                0 => String::new(),
                many => format!(" ({many} sessions are not in memory and were not searched)"),
            };
            self.said = Some(format!("{:?} is nowhere{left}", search.needle));
            self.search = None;
            return;
        }
        let len = search.hits.len();
        let next = match (search.at, forward) {
            (None, _) => search.nearest(here, &rank, forward),
            (Some(at), true) if !first => Some((at + 1) % len),
            (Some(at), false) => Some((at + len - 1) % len),
            (at, _) => at,
        };
        search.at = next;
        let hit = next.and_then(|next| search.hits.get(next)).copied();
        let text = format!("hit {} of {len} for {:?} (esc ends the search)", next.unwrap_or(0) + 1, search.needle);
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
