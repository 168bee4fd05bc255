//! What is remembered of how a session authenticated: the nonces that each side was given, and whether it ended with no.
//!
//! In: a session. Out: a small record, nothing for a session without authentication. Bounds: [`MOST`] nonces of
//! [`NONCE`] octets for each side.

use std::collections::VecDeque;

use super::dialog::Chal;
use crate::credentials::octets;
use crate::session::{Edge, Outcome, Session};
use crate::syncml::{Command, Side, Tag};

/// Nonces remembered of a session for each side: the last ones.
const MOST: usize = 4;
/// Longest nonce that is remembered, in octets.
const NONCE: usize = 64;

/// A nonce that a side was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rules) struct Given {
    /// Its octets.
    pub(in crate::rules) octets: Box<[u8]>,
    /// Whether it came with 401 or 407, from a peer that may not have proved who it is.
    pub(super) refused: bool,
}

/// See the module's head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::rules) struct Remembered {
    client: VecDeque<Given>,
    server: VecDeque<Given>,
    /// Whether its last word on credentials was no.
    pub(super) failed: bool,
    /// Whether it ended with a challenge that nobody answered.
    pub(super) challenged: bool,
}

impl Remembered {
    /// What to remember of a session.
    pub(in crate::rules) fn of(session: &Session) -> Option<Box<Remembered>> {
        let mut kept = Remembered { failed: session.outcome == Outcome::AuthFailed, ..Remembered::default() };
        for message in session.messages.iter().filter(|message| message.is_readable() && !message.retransmission) {
            let status = message.doc.statuses().find(|status| status.is_for_header());
            let given = status.and_then(given).filter(|given| given.octets.len() <= NONCE);
            if let (Some(given), Some(side)) = (given, message.side) {
                kept.keep(side.peer(), given);
            }
        }
        let last = session.messages.last().filter(|last| last.side == Some(Side::Server) && last.is_readable());
        let asks = |status: Command<'_>| status.0.child(Tag::Chal).is_some();
        kept.challenged = kept.failed && session.end == Edge::Seen && last.is_some_and(|last| last.doc.statuses().any(asks));
        (kept != Remembered::default()).then(|| Box::new(kept))
    }

    /// The nonces that a side was given, in order.
    pub(in crate::rules) fn given(&self, side: Side) -> impl DoubleEndedIterator<Item = &Given> {
        match side {
            Side::Client => self.client.iter(),
            Side::Server => self.server.iter(),
        }
    }

    /// All of them.
    pub(in crate::rules) fn all(&self) -> impl Iterator<Item = &Given> {
        self.client.iter().chain(&self.server)
    }

    fn keep(&mut self, side: Side, given: Given) {
        let kept = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        if kept.back().is_some_and(|last| last.octets == given.octets) {
            return;
        }
        if kept.len() >= MOST {
            kept.pop_front();
        }
        kept.push_back(given);
    }
}

fn given(status: Command<'_>) -> Option<Given> {
    let octets = octets(Chal(status.0.child(Tag::Chal)?).next_nonce()?.value()?)?;
    Some(Given { octets: octets.into(), refused: matches!(status.code(), Some(401 | 407)) })
}
