//! Device-management sessions: messages put together, commands paired with their answers.
//!
//! In: messages in the order they happened (`assemble`). Out: closed [`Session`]s, complete or marked with what was
//! not captured. Bounds: `limits.sessions`, `limits.session_messages`, `limits.session_bytes`. It judges nothing.

mod assemble;
mod belong;
mod chunk;
mod enrolling;
mod enrollment;
mod exchange;
mod index;
mod notified;
mod open;
mod outcome;
pub mod outline;
mod table;
#[cfg(test)]
mod tests;
mod told;

pub use assemble::{Arrival, Assembler, Counts};
pub use enrollment::{Asked, Enrollment};

use crate::http::Connection;
use crate::syncml::{Command, Element, Header, Message, NodeId, Side, Tag};
use crate::time::Time;
use index::Index;

/// A device's name as its sessions and its enrollment share it: the letters and digits of its identifier, lower case.
pub fn device_key(name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    let bare = lower.strip_prefix("urn:uuid:").unwrap_or(&lower);
    bare.chars().filter(|letter| !matches!(letter, '-' | '{' | '}')).collect()
}

/// A node of a message of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// Index of the message in [`Session::messages`].
    pub message: usize,
    /// The node in its document.
    pub node: NodeId,
}

/// A command (also one inside a container) with all answers to it in the session.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The command.
    pub command: At,
    /// Statuses that refer to it, in the order they came.
    pub statuses: Vec<At>,
    /// Results that refer to it.
    pub results: Vec<At>,
}

/// A large object: an item sent in chunks over several messages (DMP 7).
#[derive(Clone, Debug)]
pub struct LargeObject {
    /// Who sends it.
    pub side: Side,
    /// The items, first chunk first.
    pub chunks: Vec<At>,
    /// The data of all chunks.
    pub data: String,
    /// Whether the last chunk (the one without `MoreData`) came.
    pub complete: bool,
    /// Whether every message of the sender between the first chunk and the last was captured and could be read.
    pub whole: bool,
}

/// Whether the capture holds an end of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edge {
    /// It does.
    Seen,
    /// It does not, and why we think so.
    NotCaptured(String),
}

/// How a session went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Both sides finished.
    Complete,
    /// Alert 1223.
    Aborted,
    /// The last thing said about credentials was no.
    AuthFailed,
    /// The capture ends in it or has holes: not known.
    Incomplete,
    /// The server stopped answering.
    Open,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 5] =
        [Outcome::Complete, Outcome::Aborted, Outcome::AuthFailed, Outcome::Incomplete, Outcome::Open];

    /// The word of the JSON output.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Complete => "complete",
            Outcome::Aborted => "aborted",
            Outcome::AuthFailed => "auth-failed",
            Outcome::Incomplete => "incomplete",
            Outcome::Open => "open",
        }
    }
}

/// Answer of a look-up that must not guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// Here it is.
    Found(T),
    /// The capture shows that there is none.
    Absent,
    /// It may have been in a part that was not captured or could not be read.
    NotCaptured,
}

impl<T> Lookup<T> {
    /// The thing, if it was found.
    pub fn found(self) -> Option<T> {
        match self {
            Lookup::Found(thing) => Some(thing),
            _ => None,
        }
    }

    /// True only when the capture shows that there is none.
    pub fn is_absent(&self) -> bool {
        matches!(self, Lookup::Absent)
    }
}

/// What a session is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// Device management: SyncML messages.
    Dm,
    /// Enrollment: SOAP messages and provisioning documents, as far as they belong together.
    Enrollment,
    /// A push of a server: a notification (package 0), or what sets a device up. One message. Its device is known once a
    /// session answers it.
    Notification,
}

/// A comment on a packet or an entry that messages came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Indices of the messages; at least one.
    pub messages: Vec<usize>,
    /// The comment.
    pub text: Box<str>,
}

/// One session. Messages are in the order they happened; a message that must have been sent but was not captured
/// stands in its place with kind `Missing`.
#[derive(Debug)]
pub struct Session {
    /// Running number in the order of first messages, from 1: `s1` is the key that commands take.
    pub number: u32,
    /// What it is about.
    pub flavor: Flavor,
    /// `SessionID` as sent.
    pub session_id: Option<String>,
    /// The device: its Source URI.
    pub device: Option<String>,
    /// The server: the Target URI of the first client message.
    pub server: Option<String>,
    /// The messages.
    pub messages: Vec<Message>,
    /// Commands with their answers, in the order of the commands.
    pub exchanges: Vec<Exchange>,
    /// Large objects.
    pub objects: Vec<LargeObject>,
    /// Whether its first message was captured.
    pub start: Edge,
    /// Whether its end was captured.
    pub end: Edge,
    /// How it went.
    pub outcome: Outcome,
    /// Comments for this program on the packets or entries of its messages.
    pub remarks: Vec<Remark>,
    /// Until when the recording had gone on when it was closed, as far as that is known.
    pub watched_until: Option<Time>,
    /// Whether a connection that could not be decrypted may have held messages of it. Of an enrollment alone.
    pub sealed: bool,
    index: Index,
}

impl Session {
    /// A session of these messages, with nothing paired yet and its ends taken as seen.
    pub fn new(number: u32, messages: Vec<Message>) -> Session {
        let index = Index::of(&messages);
        Session {
            number,
            flavor: Flavor::Dm,
            session_id: None,
            device: None,
            server: None,
            messages,
            exchanges: Vec::new(),
            objects: Vec::new(),
            start: Edge::Seen,
            end: Edge::Seen,
            outcome: Outcome::Incomplete,
            remarks: Vec::new(),
            watched_until: None,
            sealed: false,
            index,
        }
    }

    /// The key that commands take and reports print: `s1`.
    pub fn key(&self) -> String {
        format!("s{}", self.number)
    }

    /// Memory that it takes in bytes, about.
    pub fn size(&self) -> usize {
        self.messages.iter().map(Message::size).fold(size_of::<Session>(), usize::saturating_add)
    }

    /// The connections that carried it, each once, in the order of their first messages.
    pub fn connections(&self) -> Vec<&Connection> {
        let mut connections: Vec<&Connection> = Vec::new();
        for connection in self.messages.iter().filter_map(|message| message.http.as_ref()).map(|http| &*http.connection)
        {
            let same = |known: &&Connection| (known.input, known.number) == (connection.input, connection.number);
            // Nearly always it is the last one.
            if !connections.iter().rev().any(same) {
                connections.push(connection);
            }
        }
        connections
    }

    /// Time of the first message.
    pub fn started(&self) -> Option<Time> {
        self.messages.iter().find_map(|message| message.first)
    }

    /// Time of the last message.
    pub fn ended(&self) -> Option<Time> {
        self.messages.iter().rev().find_map(|message| message.last.or(message.first))
    }

    /// Whether it is data synchronization (`VerProto` SyncML/1.x) and not device management: a message says so, and no
    /// other speaks DM. A server that puts the wrong version into a DM session does not make it one.
    pub fn is_data_sync(&self) -> bool {
        let speaks_dm = |message: &Message| {
            let version = message.header().and_then(Header::ver_proto);
            version.is_some_and(|version| version.starts_with("DM/"))
                || [1200, 1201].iter().any(|code| message.doc.alerts(*code).next().is_some())
        };
        self.messages.iter().any(Message::is_data_sync) && !self.messages.iter().any(speaks_dm)
    }

    /// Messages of one side with their indices, in order.
    pub fn of(&self, side: Side) -> impl Iterator<Item = (usize, &Message)> {
        self.messages.iter().enumerate().filter(move |(_, message)| message.side == Some(side))
    }

    /// The last message of the other side before message `index`, captured or not.
    pub fn answered_by(&self, index: usize) -> Option<(usize, &Message)> {
        let side = self.messages.get(index)?.side?;
        let before = self.messages.get(..index)?.iter().enumerate().rev();
        before.into_iter().find(|(_, message)| message.side == Some(side.peer()))
    }

    /// The message before `index` of the same side, retransmissions left out.
    pub fn previous_of_side(&self, index: usize) -> Option<(usize, &Message)> {
        let side = self.messages.get(index)?.side;
        let before = self.messages.get(..index)?.iter().enumerate().rev();
        before.into_iter().find(|(_, message)| message.side == side && !message.retransmission)
    }

    /// The element at a place.
    pub fn element(&self, at: At) -> Option<Element<'_>> {
        self.messages.get(at.message)?.doc.element(at.node)
    }

    /// The command at a place.
    pub fn command_at(&self, at: At) -> Option<Command<'_>> {
        self.element(at).map(Command)
    }

    /// The latest message before message `before` that `side` sent with this MsgID.
    pub fn message(&self, side: Side, msg_id: &str, before: usize) -> Lookup<usize> {
        match self.index.message(side, msg_id, before) {
            // One that was lost since may have used the MsgID again.
            Some(index) if self.has_unnamed(side, index, before) => Lookup::NotCaptured,
            Some(index) => Lookup::Found(index),
            None if self.has_hole(side, before) => Lookup::NotCaptured,
            None => Lookup::Absent,
        }
    }

    /// Whether a message of `side` between two others was captured so badly that its MsgID is not known.
    fn has_unnamed(&self, side: Side, after: usize, before: usize) -> bool {
        let between = self.messages.get(after + 1..before).unwrap_or_default();
        let unnamed = |message: &Message| message.judged().is_err() && message.msg_id().is_none();
        between.iter().any(|message| message.side.is_none_or(|of| of == side) && unnamed(message))
    }

    /// The command with this CmdID in message `message`.
    pub fn command(&self, message: usize, cmd_id: &str) -> Lookup<At> {
        match self.index.command(message, cmd_id) {
            Some(node) => Lookup::Found(At { message, node }),
            None if self.messages.get(message).is_some_and(Message::is_readable) => Lookup::Absent,
            None => Lookup::NotCaptured,
        }
    }

    /// The command that a Status or Results of message `from` refers to. A missing MsgRef means the peer's last message;
    /// a Results without CmdRef refers to command 1 (RP 6.1.5).
    pub fn referred(&self, from: usize, answer: Command<'_>) -> Lookup<At> {
        let known = self.index.referred(At { message: from, node: answer.0.id() });
        known.unwrap_or_else(|| self.refer(from, answer))
    }

    /// What the Statuses and Results of a message refer to, in document order; nothing where that was not remembered.
    pub(crate) fn references(&self, message: usize) -> &[(At, Lookup<At>)] {
        self.index.references(message)
    }

    fn refer(&self, from: usize, answer: Command<'_>) -> Lookup<At> {
        let Some(side) = self.messages.get(from).and_then(|message| message.side) else { return Lookup::NotCaptured };
        let message = match answer.msg_ref() {
            Some(msg_id) => self.message(side.peer(), msg_id, from),
            None => self.answered_by(from).map_or(Lookup::Absent, |(index, _)| Lookup::Found(index)),
        };
        let default = (answer.tag() == Tag::Results).then_some("1");
        match (message, answer.cmd_ref().or(default)) {
            (Lookup::Found(message), Some(cmd_id)) => self.command(message, cmd_id),
            (Lookup::Found(_), None) | (Lookup::Absent, _) => Lookup::Absent,
            (Lookup::NotCaptured, _) => Lookup::NotCaptured,
        }
    }

    /// Whether other commands of its message share the CmdID of a command, so that a reference to it may mean another.
    pub fn is_ambiguous(&self, command: At) -> bool {
        if !self.index.has_shared(command.message) {
            return false;
        }
        let cmd_id = self.command_at(command).and_then(Command::cmd_id);
        cmd_id.is_some_and(|cmd_id| self.index.is_shared(command.message, cmd_id))
    }

    /// Whether a message of `side` before `before` is missing or unreadable, or the session's start is.
    pub fn has_hole(&self, side: Side, before: usize) -> bool {
        self.start != Edge::Seen || self.has_hole_between(side, 0, before)
    }

    /// Whether a message of `side` from `from` on and before `until` is missing or unreadable.
    pub fn has_hole_between(&self, side: Side, from: usize, until: usize) -> bool {
        let unread = |message: &Message| {
            message.side.is_none_or(|of| of == side) && (message.judged().is_err() || !message.is_well_formed())
        };
        self.messages.get(from..until.min(self.messages.len())).unwrap_or_default().iter().any(unread)
    }

    /// The exchange of a command.
    pub fn exchange(&self, command: At) -> Option<&Exchange> {
        let index = self.exchanges.binary_search_by_key(&command, |exchange| exchange.command).ok()?;
        self.exchanges.get(index)
    }
}
