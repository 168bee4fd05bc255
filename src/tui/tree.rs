//! The tree of devices, sessions and messages, as the list of rows that is seen of it.
//!
//! In: the store and what is shown of it. Out: rows; the cursor stays on what it was on while rows come and go.

use std::collections::{HashMap, HashSet};

use super::scroll::Scroll;
use super::store::Store;
use crate::rules::Draft;

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Row {
    /// A device, by its place in [`Tree::devices`].
    Device(usize),
    /// A session, by its place in the store.
    Session(usize),
    /// A message of a session.
    Message(usize, usize),
}

/// A device and its sessions.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    /// Its URI as sent; `None` where no message names one.
    pub(crate) uri: Option<String>,
    pub(crate) sessions: Vec<usize>,
    pub(crate) closed: bool,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) devices: Vec<Device>,
    pub(crate) rows: Vec<Row>,
    pub(crate) open: HashSet<usize>,
    pub(crate) scroll: Scroll,
    by_uri: HashMap<Option<String>, usize>,
    known: usize,
}

/// What of the store is shown.
pub(crate) trait Shows {
    /// Whether a session is.
    fn session(&self, session: usize) -> bool;
    /// Whether a message of it is.
    fn message(&self, session: usize, message: usize) -> bool;
    /// Whether a finding of it is.
    fn finding(&self, session: usize, draft: &Draft) -> bool {
        self.session(session) && draft.place.message().is_none_or(|message| self.message(session, message))
    }
}

impl Tree {
    /// Makes the rows anew.
    pub(crate) fn rebuild(&mut self, store: &Store, shows: &dyn Shows) {
        let on = self.row();
        for index in self.known..store.sessions.len() {
            self.enlist(store, index);
        }
        self.known = store.sessions.len();
        self.rows.clear();
        for (place, device) in self.devices.iter().enumerate() {
            let shown: Vec<usize> = device.sessions.iter().copied().filter(|index| shows.session(*index)).collect();
            if shown.is_empty() {
                continue;
            }
            self.rows.push(Row::Device(place));
            if device.closed {
                continue;
            }
            for index in shown {
                self.rows.push(Row::Session(index));
                if !self.open.contains(&index) {
                    continue;
                }
                let messages = store.sessions.get(index).map_or(0, |opened| opened.messages.len());
                let messages = (0..messages).filter(|message| shows.message(index, *message));
                self.rows.extend(messages.map(|message| Row::Message(index, message)));
            }
        }
        let height = self.scroll.height();
        self.scroll.fit(self.rows.len(), height);
        if let Some(row) = on.filter(|row| self.row() != Some(*row)) {
            let kept = self.rows.iter().position(|known| *known == row);
            let parent = match row {
                Row::Message(session, _) => self.place(Row::Session(session)),
                Row::Session(session) => self.device_of(session).and_then(|device| self.place(Row::Device(device))),
                Row::Device(_) => None,
            };
            if let Some(line) = kept.or(parent) {
                self.scroll.to(line);
            }
        }
    }

    /// Puts a session below its device.
    fn enlist(&mut self, store: &Store, index: usize) {
        let number = |index: &usize| store.sessions.get(*index).map(|opened| opened.row.number);
        let uri = store.sessions.get(index).and_then(|opened| opened.row.device.clone());
        let place = *self.by_uri.entry(uri.clone()).or_insert_with(|| {
            self.devices.push(Device { uri, sessions: Vec::new(), closed: false });
            self.devices.len() - 1
        });
        if let Some(device) = self.devices.get_mut(place) {
            let at = device.sessions.partition_point(|known| number(known) < number(&index));
            device.sessions.insert(at, index);
        }
    }

    /// A session that is listed may be one of another device now.
    pub(crate) fn enlist_again(&mut self, store: &Store, index: usize) {
        let uri = store.sessions.get(index).map(|opened| &opened.row.device);
        let listed = self.device_of(index).and_then(|device| self.devices.get_mut(device));
        if let Some(device) = listed.filter(|device| Some(&device.uri) != uri) {
            device.sessions.retain(|known| *known != index);
            self.enlist(store, index);
        }
    }

    /// Forgets the last session of the store.
    pub(crate) fn forget(&mut self, session: usize) {
        self.known = self.known.min(session);
        self.open.remove(&session);
        self.devices.iter_mut().for_each(|device| device.sessions.retain(|known| *known != session));
    }

    /// The row of the cursor.
    pub(crate) fn row(&self) -> Option<Row> {
        self.rows.get(self.scroll.cursor).copied()
    }

    /// The line of a row.
    pub(crate) fn place(&self, row: Row) -> Option<usize> {
        self.rows.iter().position(|known| *known == row)
    }

    /// The sessions in the order in which they are listed, those of closed devices too.
    pub(crate) fn order<'a>(&'a self, shows: &'a dyn Shows) -> impl Iterator<Item = usize> + 'a {
        self.devices.iter().flat_map(|device| device.sessions.iter().copied()).filter(|index| shows.session(*index))
    }

    /// The device of a session.
    pub(crate) fn device_of(&self, session: usize) -> Option<usize> {
        self.devices.iter().position(|device| device.sessions.contains(&session))
    }

    /// Opens or closes the row of the cursor. Returns whether anything changed.
    pub(crate) fn set_open(&mut self, open: bool) -> bool {
        match self.row() {
            Some(Row::Device(place)) => match self.devices.get_mut(place) {
                Some(device) => std::mem::replace(&mut device.closed, !open) == open,
                None => false,
            },
            Some(Row::Session(session)) if open => self.open.insert(session),
            Some(Row::Session(session)) => self.open.remove(&session),
            _ => false,
        }
    }

    /// Puts the cursor on the row above the one of the cursor: its session, its device.
    pub(crate) fn ascend(&mut self) {
        let parent = match self.row() {
            Some(Row::Message(session, _)) => self.place(Row::Session(session)),
            Some(Row::Session(session)) => self.device_of(session).and_then(|device| self.place(Row::Device(device))),
            _ => None,
        };
        if let Some(line) = parent {
            self.scroll.to(line);
        }
    }
}
