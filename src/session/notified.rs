//! Notifications that wait for their session: which of them a new session answers, and what else may be the answer.
//!
//! In: notifications, and the first client message of each session. A session answers those that were sent to its client's
//! address, or that name its SessionID, not longer than [`WAITS`] before it began. Bounds: [`PER_KEY`], and the open sessions.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use crate::http::Encrypted;
use crate::origin::Span;
use crate::syncml::Message;
use crate::time::Time;

/// A session that begins so long after a notification is not its answer.
pub(super) const WAITS: Duration = Duration::from_secs(600);
/// Notifications with one address or one session that may be answered: a server repeats one a few times.
const PER_KEY: usize = 64;

/// A notification that waits.
#[derive(Clone, Debug)]
struct Waiting {
    to: Option<IpAddr>,
    at: Option<Time>,
    session: u16,
    /// What may be the answer, but cannot be read or is not certain.
    doubt: Option<&'static str>,
}

/// See the module's head.
#[derive(Clone, Debug, Default)]
pub(super) struct Notified {
    waiting: HashMap<u32, Waiting>,
    by_address: HashMap<Option<IpAddr>, Vec<u32>>,
    by_session: HashMap<u16, Vec<u32>>,
    /// When the last session began that a server had asked for, and that answered none of them.
    asked_elsewhere: Option<Time>,
}

impl Notified {
    /// Waits for the session of a push, if it asks for one.
    pub(super) fn add(&mut self, number: u32, message: &Message) {
        let Some(trigger) = message.push().and_then(|push| push.trigger()) else { return };
        let to = message.bearer.and_then(|bearer| bearer.ends).map(|(_, to)| to.ip());
        let (at, session) = (message.first, trigger.session);
        self.waiting.insert(number, Waiting { to, at, session, doubt: None });
        for dropped in [file(&mut self.by_address, to, number), file(&mut self.by_session, session, number)] {
            if let Some(waiting) = dropped.and_then(|dropped| self.waiting.get_mut(&dropped)) {
                waiting.doubt = Some("too many notifications wait for a session of the device");
            }
        }
    }

    /// The notifications that a session answers that begins with this message.
    pub(super) fn answered(&mut self, first: &Message) -> Vec<u32> {
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let from = first.http.as_ref().and_then(|http| http.connection.client).map(|client| client.ip());
        let session = first.header().and_then(|header| header.session_id());
        let session = session.and_then(|id| u16::from_str_radix(id.trim(), 16).ok());
        let is_asked_for = first.doc.alerts(1200).next().is_some();
        let in_time = |waiting: &Waiting| {
            let times = waiting.at.zip(first.first);
            times.is_none_or(|(sent, begun)| begun >= sent && begun.since(sent) <= WAITS)
        };
        let known = |numbers: Option<&Vec<u32>>| numbers.cloned().unwrap_or_default();
        let by_address = known(self.by_address.get(&from)).into_iter().filter(|_| from.is_some() || is_asked_for);
        let by_session = known(session.and_then(|session| self.by_session.get(&session)));
        let mut answered: Vec<u32> = by_address.chain(by_session).collect();
        answered.retain(|number| self.waiting.get(number).is_some_and(in_time));
        answered.sort_unstable();
        answered.dedup();
        if answered.is_empty() && is_asked_for {
            self.asked_elsewhere = self.asked_elsewhere.max(first.first);
        }
        answered
    }

    /// Says that a connection cannot be decrypted: it may hold the session of those that were sent to its client.
    pub(super) fn meet_sealed(&mut self, encrypted: &Encrypted) {
        let client = encrypted.connection.client.map(|client| client.ip());
        let began = encrypted.origin.locate(Span::new(0, 1)).and_then(|located| located.time);
        for number in client.and_then(|client| self.by_address.get(&Some(client))).into_iter().flatten() {
            if let Some(waiting) = self.waiting.get_mut(number)
                && began.zip(waiting.at).is_none_or(|(began, sent)| began.since(sent) <= WAITS)
            {
                waiting.doubt = Some("a connection of the device that could not be decrypted may hold its session");
            }
        }
    }

    /// Waits no longer for the session of a push. Says what may be its session.
    pub(super) fn forget(&mut self, number: u32) -> Option<&'static str> {
        let waiting = self.waiting.remove(&number)?;
        unfile(&mut self.by_address, waiting.to, number);
        unfile(&mut self.by_session, waiting.session, number);
        let elsewhere = self.asked_elsewhere.is_some() && self.asked_elsewhere >= waiting.at;
        waiting.doubt.or(elsewhere.then_some("a session from another address may be its answer"))
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        *self = Notified::default();
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_clear(&self) -> bool {
        self.waiting.is_empty() && self.by_address.is_empty() && self.by_session.is_empty()
    }
}

/// Adds a number under a key; gives the one that there is no more room for.
fn file<K: Eq + Hash>(index: &mut HashMap<K, Vec<u32>>, key: K, number: u32) -> Option<u32> {
    let numbers = index.entry(key).or_default();
    numbers.push(number);
    (numbers.len() > PER_KEY).then(|| numbers.remove(0))
}

fn unfile<K: Eq + Hash>(index: &mut HashMap<K, Vec<u32>>, key: K, number: u32) {
    if let Some(numbers) = index.get_mut(&key) {
        numbers.retain(|known| *known != number);
        if numbers.is_empty() {
            index.remove(&key);
        }
    }
}
