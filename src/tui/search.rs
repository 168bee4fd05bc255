//! Search for text in all messages: in those in memory a few at a time, so that keys are answered meanwhile; in all
//! others as they come by while everything is read again.
//!
//! In: sessions. Out: the places of elements (or of bodies that are no documents) that hold the text, in any letter
//! case. What is masked is not searched. Bounds: [`MOST`] hits.

use std::time::{Duration, Instant};

use super::app::Spot;
use super::store::Store;
use crate::session::{At, Session};
use crate::syncml::secret::Secrets;
use crate::syncml::{Element, Message, NodeId};

/// Hits kept.
const MOST: usize = 100_000;

/// A search under way, or done.
#[derive(Debug)]
pub(crate) struct Search {
    /// What is looked for, in lower case.
    pub(crate) needle: String,
    pub(crate) hits: Vec<Spot>,
    /// The next session that may be in memory.
    next: usize,
    /// Which sessions were looked into.
    looked: Vec<bool>,
    /// Sessions that came by while all are read again, of those that are not in memory.
    passed: usize,
    /// The number of that reading.
    pub(crate) pass: Option<u32>,
    pub(crate) done: bool,
    /// The hit one is at.
    pub(crate) at: Option<usize>,
}

impl Search {
    pub(crate) fn new(text: &str) -> Search {
        Search {
            needle: text.to_ascii_lowercase(),
            hits: Vec::new(),
            next: 0,
            looked: Vec::new(),
            passed: 0,
            pass: None,
            done: false,
            at: None,
        }
    }

    /// Looks into sessions in memory for about that long, at least into one. True when there is more to do here.
    pub(crate) fn step(&mut self, store: &Store, budget: Duration, show_secrets: bool) -> bool {
        let started = Instant::now();
        self.looked.resize(self.looked.len().max(store.sessions.len()), false);
        while self.next < store.sessions.len() && self.hits.len() < MOST {
            let index = self.next;
            self.next += 1;
            if let Some(session) = store.content(index) {
                self.session(index, session, show_secrets);
                if started.elapsed() >= budget {
                    return true;
                }
            }
        }
        false
    }

    /// Looks into a session, if it was not looked into before.
    pub(crate) fn session(&mut self, index: usize, session: &Session, show_secrets: bool) {
        self.looked.resize(self.looked.len().max(index + 1), false);
        match self.looked.get_mut(index) {
            Some(looked) if !*looked && self.hits.len() < MOST => *looked = true,
            _ => return,
        }
        for (number, message) in session.messages.iter().enumerate() {
            self.message(index, number, message, show_secrets);
        }
    }

    /// Looks into a session that comes by.
    pub(crate) fn passing(&mut self, index: usize, store: &Store, session: &Session, show_secrets: bool) {
        let known = store.sessions.get(index).map(|opened| opened.messages.len());
        // One that has grown since is not the one that is listed.
        if known == Some(session.messages.len()) {
            self.session(index, session, show_secrets);
        }
        self.passed += 1;
    }

    /// What a session is has changed: what was found in it does not count.
    pub(crate) fn forget(&mut self, index: usize) {
        if let Some(looked) = self.looked.get_mut(index).filter(|looked| **looked) {
            *looked = false;
            self.hits.retain(|hit| hit.session != index);
            self.at = None;
        }
    }

    /// Sessions that were not looked into.
    pub(crate) fn left_out(&self, store: &Store) -> usize {
        store.sessions.len().saturating_sub(self.looked.iter().filter(|looked| **looked).count())
    }

    /// Whether as many hits were found as are kept.
    pub(crate) fn is_full(&self) -> bool {
        self.hits.len() >= MOST
    }

    /// How much was searched, in percent.
    pub(crate) fn percent(&self, store: &Store) -> usize {
        let searched = if self.pass.is_some() { self.passed } else { self.next };
        let all = store.sessions.len();
        if self.done { 100 } else { searched.saturating_mul(100).checked_div(all).unwrap_or(0).min(100) }
    }

    fn message(&mut self, session: usize, number: usize, message: &Message, show_secrets: bool) {
        let spot = |node: NodeId| {
            let at = At { message: number, node };
            Spot { session, message: Some(number), at: Some(at) }
        };
        if message.doc.is_empty() {
            let text = String::from_utf8_lossy(&message.body.bytes);
            let shown = if show_secrets { text.into_owned() } else { crate::syncml::secret::mask(&text) };
            if self.is_in(&shown) {
                self.hits.push(spot(NodeId(0)));
            }
            return;
        }
        let (mut secrets, mut found) = (None, Vec::new());
        for element in message.doc.elements().filter(|element| self.holds(*element)) {
            let secrets = secrets.get_or_insert_with(|| match show_secrets {
                true => Secrets::shown(),
                false => Secrets::of(&message.doc),
            });
            let seen = self.is_in(element.name())
                || self.is_in(&secrets.text(element))
                || secrets.attributes(element).any(|(_, value)| self.is_in(value));
            if seen {
                found.push(spot(element.id()));
            }
        }
        self.hits.extend(found);
    }

    fn holds(&self, element: Element<'_>) -> bool {
        self.is_in(element.name())
            || self.is_in(element.text())
            || element.attributes().any(|(_, value)| self.is_in(value))
    }

    fn is_in(&self, text: &str) -> bool {
        let needle = self.needle.as_bytes();
        let Some(first) = needle.first() else { return false };
        let text = text.as_bytes();
        let starts = memchr::memchr2_iter(*first, first.to_ascii_uppercase(), text);
        starts
            .into_iter()
            .any(|at| text.get(at..at + needle.len()).is_some_and(|found| found.eq_ignore_ascii_case(needle)))
    }

    /// Puts the hits into the order in which sessions are listed.
    pub(crate) fn sort(&mut self, rank: &[usize]) {
        self.hits.sort_by_key(|hit| key(hit, rank));
    }

    /// The hit after a place (or before it), from the other end where there is none. Hits have to be sorted.
    pub(crate) fn nearest(&self, here: Option<Spot>, rank: &[usize], forward: bool) -> Option<usize> {
        let last = self.hits.len().checked_sub(1)?;
        let Some(here) = here.map(|spot| key(&spot, rank)) else { return Some(if forward { 0 } else { last }) };
        let after = self.hits.partition_point(|hit| key(hit, rank) < here);
        Some(if forward { if after > last { 0 } else { after } } else { after.checked_sub(1).unwrap_or(last) })
    }
}

/// What hits are sorted by.
fn key(spot: &Spot, rank: &[usize]) -> (usize, Option<usize>, Option<NodeId>) {
    let session = rank.get(spot.session).copied().unwrap_or(usize::MAX);
    (session, spot.message, spot.at.map(|at| at.node))
}
