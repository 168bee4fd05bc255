//! What was read: the index of sessions with their findings, and the sessions themselves as far as there is room.
//!
//! Bounds: the contents of at most [`ROOM`] bytes are kept; what came later is read again when it is looked at, and
//! the last few of those are kept. Of every session a row and its findings stay.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::Reading;
use crate::report::sessions::Row;
use crate::rules::{Draft, Severity};
use crate::session::Session;
use crate::syncml::Message;

/// Bytes of sessions kept for browsing: some hundred thousand messages of the usual size.
pub(crate) const ROOM: usize = 256 << 20;
/// Sessions kept that were read again.
const AGAIN: usize = 4;

/// A session as it is listed.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) row: Row,
    /// The findings, by message, place and rule.
    pub(crate) drafts: Vec<Draft>,
    /// Findings past the limit.
    pub(crate) more: usize,
    /// Messages that were not judged, and why.
    pub(crate) not_judged: Vec<(usize, String)>,
    content: Option<Arc<Session>>,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) sessions: Vec<Opened>,
    /// Names of the inputs.
    pub(crate) names: Vec<String>,
    /// Bytes read so far, and of all inputs where that is known.
    pub(crate) progress: (u64, Option<u64>),
    /// How reading ended; `None` while it goes on.
    pub(crate) ended: Option<Result<Reading, String>>,
    /// Whether the user ended it.
    pub(crate) stopped: bool,
    held: usize,
    again: VecDeque<(usize, Arc<Session>)>,
}

impl Opened {
    /// A session that was judged.
    pub(crate) fn new(session: Session, drafts: Vec<Draft>, more: usize, not_judged: Vec<(usize, String)>) -> Opened {
        let worst = drafts.iter().map(|draft| draft.severity).max();
        // What is listed is masked when it is drawn.
        let row = Row::of(&session, worst, true);
        Opened { row, drafts, more, not_judged, content: Some(Arc::new(session)) }
    }

    /// The worst finding at or above a severity.
    pub(crate) fn worst(&self, threshold: Severity) -> Option<Severity> {
        self.row.worst.filter(|worst| *worst >= threshold)
    }

    /// The worst finding in a message.
    pub(crate) fn worst_in(&self, message: usize, threshold: Severity) -> Option<Severity> {
        let inside = self.drafts.iter().filter(|draft| draft.place.message() == Some(message));
        inside.map(|draft| draft.severity).filter(|severity| *severity >= threshold).max()
    }

    /// How many findings there are at or above a severity.
    pub(crate) fn count(&self, threshold: Severity) -> usize {
        self.drafts.iter().filter(|draft| draft.severity >= threshold).count()
    }
}

impl Store {
    /// Adds a session.
    pub(crate) fn add(&mut self, mut opened: Opened) {
        let size = opened.content.as_deref().map_or(0, size);
        if self.held.saturating_add(size) > ROOM {
            opened.content = None;
        } else {
            self.held += size;
        }
        self.sessions.push(opened);
    }

    /// A session's content; `None` when it has to be read again.
    pub(crate) fn content(&self, index: usize) -> Option<&Arc<Session>> {
        let kept = self.sessions.get(index)?.content.as_ref();
        kept.or_else(|| self.again.iter().find(|(known, _)| *known == index).map(|(_, session)| session))
    }

    /// Takes a session that was read again.
    pub(crate) fn read_again(&mut self, session: Session) {
        let Some(index) = self.sessions.iter().position(|known| known.row.number == session.number) else { return };
        self.again.truncate(AGAIN - 1);
        self.again.push_front((index, Arc::new(session)));
    }

    /// Whether reading goes on.
    pub(crate) fn is_loading(&self) -> bool {
        self.ended.is_none()
    }

    /// Messages of all sessions that were not judged.
    pub(crate) fn not_judged(&self) -> usize {
        self.sessions.iter().map(|opened| opened.not_judged.len()).sum()
    }

    /// How much was read, in percent; `None` when the size is not known.
    pub(crate) fn percent(&self) -> Option<u64> {
        let (done, total) = self.progress;
        let total = total.filter(|total| *total > 0)?;
        Some((done.saturating_mul(100) / total).min(100))
    }
}

/// Memory that a session takes, about.
fn size(session: &Session) -> usize {
    let message = |message: &Message| message.body.bytes.len() + message.doc.size() + 1024;
    session.messages.iter().map(message).sum::<usize>() + session.exchanges.len() * 96
}
