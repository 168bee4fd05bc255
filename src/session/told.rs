//! Sessions that were exported, message by message: put together again as they were.
//!
//! In: messages that say which session they are of, and their place in it, in any order. Out: the session, once all its
//! messages are there. What was left out of an export stands in its place as a message that was not captured. Bounds:
//! those of the [`super::Assembler`]: `limits.session_messages`, `limits.session_bytes`.

use std::collections::BTreeMap;

use super::{Edge, Flavor, Outcome, Session};
use crate::http::InputId;
use crate::limits::Limits;
use crate::syncml::{Kind, Message, Side};
use crate::transcript::messages::Context;

/// Why a message is not there.
const LEFT_OUT: &str = "the message was left out when its session was exported";

/// Sessions whose messages are not all there yet.
#[derive(Clone, Default)]
pub(super) struct Told {
    /// By input and number.
    open: BTreeMap<(InputId, u32), Partial>,
    bytes: usize,
    latest: u32,
}

#[derive(Clone)]
struct Partial {
    context: Context,
    messages: BTreeMap<u32, Message>,
}

impl Told {
    /// Takes a message. Gives the sessions that are complete now, or that there is no more room for.
    pub(super) fn take(&mut self, before: u32, context: Context, message: Message, limits: &Limits) -> Vec<Session> {
        let own = context.key.strip_prefix('s').and_then(|number| number.parse::<u32>().ok());
        let number = before.saturating_add(own.unwrap_or(self.latest.saturating_sub(before).saturating_add(1)));
        self.latest = self.latest.max(number);
        let key = (message.input, number);
        let place = context.message;
        let partial = self.open.entry(key).or_insert_with(|| Partial { context, messages: BTreeMap::new() });
        self.bytes += message.size();
        if let Some(twice) = partial.messages.insert(place, message) {
            self.bytes = self.bytes.saturating_sub(twice.size());
        }
        let mut done = Vec::new();
        let whole = partial.messages.len() >= partial.context.messages as usize;
        if whole || partial.messages.len() >= limits.session_messages {
            done.extend(self.close(key, limits));
        }
        while self.bytes > limits.session_bytes
            && let Some(first) = self.open.keys().next().copied()
        {
            done.extend(self.close(first, limits));
        }
        done
    }

    /// The highest number that was told so far.
    pub(super) fn latest(&self) -> u32 {
        self.latest
    }

    /// Whether nothing is kept.
    #[cfg(test)]
    pub(super) fn is_clear(&self) -> bool {
        self.open.is_empty() && self.bytes == 0
    }

    /// Gives what is still open.
    pub(super) fn finish(&mut self, limits: &Limits) -> Vec<Session> {
        let keys: Vec<_> = self.open.keys().copied().collect();
        keys.into_iter().filter_map(|key| self.close(key, limits)).collect()
    }

    fn close(&mut self, key: (InputId, u32), limits: &Limits) -> Option<Session> {
        let Partial { context, messages } = self.open.remove(&key)?;
        let size: usize = messages.values().map(Message::size).sum();
        self.bytes = self.bytes.saturating_sub(size);
        Some(restore(key, context, messages, limits))
    }
}

fn restore(
    (input, number): (InputId, u32),
    context: Context,
    mut messages: BTreeMap<u32, Message>,
    limits: &Limits,
) -> Session {
    // A count that nothing stands for is no reason to make up messages without end.
    let most = u32::try_from(limits.session_messages).unwrap_or(u32::MAX);
    let until = messages.keys().next_back().copied().unwrap_or(0).max(context.messages).min(most);
    for place in 1..=until {
        messages.entry(place).or_insert_with(|| Message { side: None, ..Message::left_out(input) });
    }
    let edge = |missing: Option<String>| missing.map_or(Edge::Seen, Edge::NotCaptured);
    let with_document = |message: Message| {
        let document = Message::in_token(&message, limits).filter(|_| context.enrollment);
        [Some(message), document].into_iter().flatten()
    };
    let mut session = Session::new(number, messages.into_values().flat_map(with_document).collect());
    session.flavor = match context.enrollment {
        true => Flavor::Enrollment,
        false if session.messages.iter().all(|message| message.kind == Kind::Push) => Flavor::Notification,
        false => Flavor::Dm,
    };
    session.session_id = context.session_id;
    session.device = context.device;
    session.server = context.server;
    session.start = edge(context.start_missing);
    session.end = edge(context.end_missing);
    session.watched_until = context.watched_until.map(|until| until.0).or(session.ended());
    session.sealed = context.sealed;
    session.pair();
    session.outcome =
        Outcome::ALL.into_iter().find(|known| known.name() == context.outcome).unwrap_or(Outcome::Incomplete);
    session
}

impl Message {
    /// A message that an export left out: nothing is known of it.
    pub(super) fn left_out(input: InputId) -> Message {
        let mut message = Message::not_captured(input, Side::Client, None);
        message.body.captured = crate::http::Captured::Partly(LEFT_OUT.to_owned());
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Body;
    use crate::origin::Origin;
    use crate::session::{At, Lookup};
    use crate::transcript::Document;

    fn message(text: &str) -> Message {
        let body = Body::whole(text.as_bytes(), Origin::default());
        let document = Document { body, side: Some(Side::Server), at: None, position: None };
        Message::from_document(document, InputId(0), &Limits::default())
    }

    fn context(key: &str, message: u32, messages: u32) -> Context {
        Context { key: key.into(), message, messages, outcome: "aborted".into(), ..Context::default() }
    }

    #[test]
    fn a_session_closes_when_its_messages_are_there_in_any_order() {
        let (mut told, limits) = (Told::default(), Limits::default());
        assert!(told.take(0, context("s7", 2, 2), message("<SyncML/>"), &limits).is_empty());
        assert!(told.take(0, context("s3", 1, 2), message("<SyncML/>"), &limits).is_empty());
        let done = told.take(0, context("s7", 1, 2), message("<a/>"), &limits);
        assert_eq!((done.len(), done[0].number, done[0].outcome), (1, 7, Outcome::Aborted));
        assert_eq!(done[0].messages[1].kind, crate::syncml::Kind::SyncMl);
        assert_eq!(told.latest(), 7);
        let rest = told.finish(&limits);
        assert_eq!((rest.len(), rest[0].messages.len(), told.is_clear()), (1, 2, true));
    }

    #[test]
    fn what_was_left_out_is_not_there_and_not_missed() {
        let (mut told, limits) = (Told::default(), Limits { session_messages: 5, ..Limits::default() });
        let answer = "<SyncML><SyncHdr><MsgID>1</MsgID></SyncHdr><SyncBody><Status><MsgRef>1</MsgRef><CmdRef>2</CmdRef></Status></SyncBody></SyncML>";
        told.take(0, context("s1", 3, u32::MAX), message(answer), &limits);
        let session = told.finish(&limits).remove(0);
        assert_eq!(session.messages.len(), 5);
        assert_eq!(session.messages[0].judged(), Err(LEFT_OUT));
        let status = session.messages[2].doc.statuses().next().unwrap();
        assert_eq!(session.referred(2, status), Lookup::<At>::NotCaptured);
    }
}
