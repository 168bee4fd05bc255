//! Search for text in all messages that are in memory, a few at a time so that keys are answered meanwhile.
//!
//! In: the store. Out: the places of elements (or of bodies that are no documents) that hold the text, in any letter
//! case. What is masked is not searched. Bounds: [`MOST`] hits.

use std::time::{Duration, Instant};

use super::app::Spot;
use super::store::Store;
use crate::session::At;
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
    /// The next message to look into.
    next: (usize, usize),
    /// Sessions that were not in memory.
    pub(crate) left_out: usize,
    pub(crate) done: bool,
    /// The hit one is at.
    pub(crate) at: Option<usize>,
}

impl Search {
    pub(crate) fn new(text: &str) -> Search {
        let needle = text.to_ascii_lowercase();
        Search { needle, hits: Vec::new(), next: (0, 0), left_out: 0, done: false, at: None }
    }

    /// Looks into messages for about that long, at least into one.
    pub(crate) fn step(&mut self, store: &Store, budget: Duration, show_secrets: bool) {
        let started = Instant::now();
        while !self.done {
            self.one(store, show_secrets);
            if started.elapsed() >= budget {
                return;
            }
        }
    }

    /// How much was searched, in percent.
    pub(crate) fn percent(&self, store: &Store) -> usize {
        if self.done { 100 } else { self.next.0.saturating_mul(100).checked_div(store.sessions.len()).unwrap_or(0) }
    }

    fn one(&mut self, store: &Store, show_secrets: bool) {
        let (index, number) = self.next;
        if index >= store.sessions.len() || self.hits.len() >= MOST {
            self.done = true;
            return;
        }
        let Some(session) = store.content(index) else {
            self.left_out += 1;
            self.next = (index + 1, 0);
            return;
        };
        match session.messages.get(number) {
            Some(message) => {
                self.message(index, number, message, show_secrets);
                self.next = (index, number + 1);
            }
            None => self.next = (index + 1, 0),
        }
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

    /// The hit after a place (or before it), from the other end where there is none.
    pub(crate) fn nearest(&self, here: Option<Spot>, order: &dyn Fn(usize) -> usize, forward: bool) -> Option<usize> {
        let key = |spot: &Spot| (order(spot.session), spot.message, spot.at.map(|at| at.node));
        let last = self.hits.len().checked_sub(1)?;
        let Some(here) = here.map(|spot| key(&spot)) else { return Some(if forward { 0 } else { last }) };
        let mut best: Option<usize> = None;
        for (number, hit) in self.hits.iter().enumerate() {
            let beyond = if forward { key(hit) >= here } else { key(hit) < here };
            let better = |known: usize| {
                let known = self.hits.get(known).map(key);
                if forward { known > Some(key(hit)) } else { known < Some(key(hit)) }
            };
            if beyond && best.is_none_or(better) {
                best = Some(number);
            }
        }
        best.or(Some(if forward { 0 } else { last }))
    }
}
