//! A session that may still grow: its messages so far, and what tells whether the next one belongs to it.

use std::collections::{HashMap, HashSet};

use super::enrolling::Enrolling;
use super::outcome::{self, Around};
use super::{Flavor, Session};
use crate::enroll::Address;
use crate::stream::End;
use crate::syncml::{Command, Kind, Message, Side};
use crate::time::Time;

/// Addresses that a session's messages may be sent to: its first Target and those a `RespURI` gave.
const SERVERS: usize = 8;

/// What a header says of where a message belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) source: Option<String>,
    pub(super) target: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) number: Option<u64>,
}

impl Ids {
    pub(super) fn of(message: &Message) -> Ids {
        let Some(header) = message.header() else { return Ids::default() };
        Ids {
            source: header.source().map(str::to_owned),
            target: header.target().map(str::to_owned),
            session_id: header.session_id().map(str::to_owned),
            number: header.msg_id().and_then(outcome::number),
        }
    }
}

/// See the module's head.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) number: u32,
    pub(super) flavor: Flavor,
    pub(super) device: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) around: Around,
    /// Whether the server ended it, or a side aborted it. An enrollment may end at any answer.
    pub(super) complete: bool,
    /// Whether a challenge of the server waits for an answer.
    pub(super) challenged: bool,
    /// Whether the server sent the device away: it ends its sessions and does not answer.
    pub(super) dismissed: bool,
    /// What is known of an enrollment.
    pub(super) enrolling: Enrolling,
    /// Size of what it holds, in bytes.
    pub(super) bytes: usize,
    /// When it last grew, in messages.
    pub(super) tick: u64,
    server: Option<String>,
    servers: Vec<String>,
    messages: Vec<Message>,
    last: [Option<usize>; 2],
    /// Requests whose connection ended without an answer, by message index.
    unanswered: Vec<(usize, End)>,
}

fn slot(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
}

impl Open {
    pub(super) fn new(number: u32, flavor: Flavor) -> Open {
        Open {
            number,
            flavor,
            device: None,
            session_id: None,
            around: Around::default(),
            complete: false,
            challenged: false,
            dismissed: false,
            enrolling: Enrolling::default(),
            bytes: 0,
            tick: 0,
            server: None,
            servers: Vec::new(),
            messages: Vec::new(),
            last: [None; 2],
            unanswered: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// The last message of a side.
    pub(super) fn last_of(&self, side: Side) -> Option<&Message> {
        self.messages.get(self.last[slot(side)]?)
    }

    /// The last message.
    pub(super) fn last(&self) -> Option<&Message> {
        self.messages.last()
    }

    /// Number of the last message of a side.
    pub(super) fn last_number(&self, side: Side) -> Option<u64> {
        outcome::number(self.last_of(side)?.msg_id()?)
    }

    /// Number that the client's next message should have.
    pub(super) fn next_number(&self) -> Option<u64> {
        self.last_number(Side::Client)?.checked_add(1)
    }

    /// Whether a server address is one of this session; unknown ones are.
    pub(super) fn knows(&self, server: Option<&str>) -> bool {
        self.servers.is_empty() || server.is_none_or(|server| self.servers.iter().any(|known| known == server))
    }

    /// Whether message `index` is a retransmission.
    pub(super) fn is_retransmission(&self, index: usize) -> bool {
        self.messages.get(index).is_some_and(|message| message.retransmission)
    }

    /// Whether a message is the last one of its side once more.
    pub(super) fn repeats(&self, side: Side, message: &Message) -> bool {
        self.last_of(side).is_some_and(|last| {
            message.judged().is_ok()
                && last.judged().is_ok()
                && !last.body.bytes.is_empty()
                && last.body.bytes == message.body.bytes
        })
    }

    /// Adds a message and gives its index.
    pub(super) fn push(&mut self, message: Message) -> usize {
        let index = self.messages.len();
        self.bytes = self.bytes.saturating_add(message.size());
        if message.kind != Kind::Missing {
            self.learn(&message);
        }
        if let Some(side) = message.side.filter(|_| message.kind != Kind::Missing) {
            self.last[slot(side)] = Some(index);
        }
        self.around.superseded = false;
        self.messages.push(message);
        index
    }

    /// Whether a message is part of the same recording, so that it shows that the session was left behind. Documents in
    /// several files have no such order.
    pub(super) fn is_recorded_with(&self, message: &Message) -> bool {
        message.http.is_some() || self.last().is_some_and(|last| last.input == message.input)
    }

    fn learn(&mut self, message: &Message) {
        if self.flavor == Flavor::Enrollment {
            self.enrolling.learn(message);
            self.complete = self.enrolling.answered && outcome::ends_enrollment(message);
            self.device = self.device.take().or_else(|| self.enrolling.device().map(str::to_owned));
            self.server = self.server.take().or_else(|| server_of(message));
            return;
        }
        if self.flavor == Flavor::Notification {
            let trigger = message.push().and_then(|push| push.trigger());
            self.session_id = trigger.map(|trigger| trigger.session_id());
            self.server = trigger.map(|trigger| trigger.server_name());
            return;
        }
        let ids = Ids::of(message);
        let (device, server) = match message.side {
            Some(Side::Server) => (ids.target, ids.source),
            _ => (ids.source, ids.target),
        };
        self.device = self.device.take().or(device);
        self.session_id = self.session_id.take().or(ids.session_id);
        if message.side == Some(Side::Client) && self.last_of(Side::Client).is_none() {
            self.server = server.clone().or_else(|| self.server.take());
        }
        self.server = self.server.take().or_else(|| server.clone());
        if message.side != Some(Side::Server) {
            self.add_server(server);
        }
        self.add_server(message.header().and_then(|header| header.resp_uri()).map(str::to_owned));
        if message.side == Some(Side::Server) {
            self.complete = outcome::is_end(message);
            let chal = message.doc.statuses().any(Command::challenges);
            self.challenged = chal || outcome::refuses(message);
            self.dismissed = outcome::dismisses(message);
        } else {
            self.dismissed = false;
            self.complete = false;
            self.challenged = false;
        }
        self.complete |= outcome::has_abort(message);
    }

    fn add_server(&mut self, server: Option<String>) {
        if let Some(server) = server
            && self.servers.len() < SERVERS
            && !self.servers.contains(&server)
        {
            self.servers.push(server);
        }
    }

    /// Notes that the connection of a request ended before an answer came.
    pub(super) fn unanswered(&mut self, index: usize, end: End) {
        self.unanswered.push((index, end));
    }

    /// Puts documents of single files into the order of their numbers, where that makes client and server take turns
    /// and the order of the files does not: `client-1, client-2, server-1, server-2`.
    fn order_files(&mut self) {
        let files: HashSet<u32> = self.messages.iter().map(|message| message.input.0).collect();
        let alone = files.len() == self.messages.len() && self.messages.iter().all(|message| message.http.is_none());
        if !alone || take_turns(self.messages.iter()) {
            return;
        }
        let key = |message: &Message| Some((outcome::number(message.msg_id()?)?, slot(message.side?)));
        let mut order: Vec<&Message> = self.messages.iter().collect();
        order.sort_by_key(|message| key(message));
        if order.iter().all(|message| key(message).is_some()) && take_turns(order.into_iter()) {
            self.messages.sort_by_key(key);
        }
    }

    /// Puts the exchanges of several connections into the order of their times: what stands behind a lost packet is handed
    /// on late. Within a connection the order is right already.
    fn order_connections(&mut self) {
        let mut begin: HashMap<(u32, u32, u32), Time> = HashMap::new();
        for (exchange, time) in self.messages.iter().filter_map(|message| exchange_of(message).zip(message.first)) {
            begin.entry(exchange).and_modify(|known| *known = time.min(*known)).or_insert(time);
        }
        let mut reached: HashMap<(u32, u32), Time> = HashMap::new();
        let times = self.messages.iter().map(|message| {
            let exchange = exchange_of(message)?;
            let begin = *begin.get(&exchange)?;
            Some(*reached.entry((exchange.0, exchange.1)).and_modify(|time| *time = begin.max(*time)).or_insert(begin))
        });
        let Some(times) = times.collect::<Option<Vec<Time>>>().filter(|times| !times.is_sorted()) else { return };
        let mut order: Vec<usize> = (0..times.len()).collect();
        order.sort_by_key(|index| times[*index]);
        let mut messages: Vec<Option<Message>> = std::mem::take(&mut self.messages).into_iter().map(Some).collect();
        self.messages = order.iter().filter_map(|index| messages[*index].take()).collect();
        for (request, _) in &mut self.unanswered {
            *request = order.iter().position(|index| index == request).unwrap_or(*request);
        }
    }

    /// Puts answers that were not captured right behind their requests: that they are missing is known late, when nothing
    /// else can come on their connection.
    fn settle_late_answers(&mut self) {
        for late in 0..self.messages.len() {
            let message = &self.messages[late];
            let key =
                exchange_key(message).filter(|_| message.kind == Kind::Missing && message.side == Some(Side::Server));
            let Some((input, connection, exchange, _)) = key else { continue };
            let request = Some((input, connection, exchange, Side::Client));
            let asked = self.messages[..late].iter().rposition(|message| exchange_key(message) == request);
            let Some(place) = asked.map(|asked| asked + 1).filter(|place| *place < late) else { continue };
            let message = self.messages.remove(late);
            self.messages.insert(place, message);
            let between = self.unanswered.iter_mut().filter(|(index, _)| (place..late).contains(index));
            between.for_each(|(index, _)| *index += 1);
        }
    }

    /// Ends it as it stands.
    pub(super) fn close(mut self) -> Session {
        self.order_files();
        self.order_connections();
        self.settle_late_answers();
        let last = self.messages.len().checked_sub(1);
        self.around.unanswered = self.unanswered.iter().find(|(index, _)| Some(*index) == last).map(|(_, end)| *end);
        let messages = if self.flavor == Flavor::Dm { self.with_missing() } else { std::mem::take(&mut self.messages) };
        let mut session = Session::new(self.number, messages);
        session.flavor = self.flavor;
        session.session_id = self.session_id;
        session.device = self.device;
        session.server = self.server;
        if self.flavor == Flavor::Dm {
            session.start = outcome::start(&session, &self.around);
        }
        session.watched_until = self.enrolling.watched_until(self.around.last);
        session.sealed = self.enrolling.sealed;
        session.pair();
        session.end = outcome::end(&session, &self.around);
        session.outcome = outcome::outcome(&session);
        session
    }

    /// The messages, with a placeholder wherever one must have been sent that was not captured: client and server take
    /// turns, so between two messages of one side stands one of the other; and what is counted on and answered was sent.
    fn with_missing(&mut self) -> Vec<Message> {
        let seen: HashSet<ExchangeKey> = self.messages.iter().filter_map(exchange_key).collect();
        let mut whole: Vec<Message> = Vec::with_capacity(self.messages.len());
        let mut messages = std::mem::take(&mut self.messages).into_iter().enumerate().peekable();
        while let Some((index, message)) = messages.next() {
            if let Some(before) = whole.last()
                && let Some(side) = message.side.filter(|side| before.side == Some(*side))
                && !message.retransmission
                && !has_peer(&seen, if side == Side::Client { before } else { &message })
                && !self.was_refused(index)
            {
                let at = before.last.or(message.first);
                whole.push(Message::not_captured(message.input, side.peer(), at));
            } else if follows_unseen(&whole, &message, messages.peek().map(|(_, next)| next)) {
                for side in [Side::Client, Side::Server] {
                    whole.push(Message::not_captured(message.input, side, message.first));
                }
            }
            whole.push(message);
        }
        whole
    }

    /// Whether the request before message `index` is known to have got no answer at all.
    fn was_refused(&self, index: usize) -> bool {
        self.unanswered.iter().any(|(request, end)| *request + 1 == index && *end != End::Unknown)
    }
}

/// The address that a request of enrollment went to.
fn server_of(message: &Message) -> Option<String> {
    let http = message.http.as_ref()?;
    let address = Address::of_request(http.request_head()?);
    let scheme = if http.connection.tls == Some(false) { "http" } else { "https" };
    (!address.host.is_empty()).then(|| format!("{scheme}://{}{}", address.host, address.path))
}

/// Whether client and server take turns.
fn take_turns<'a>(mut messages: impl Iterator<Item = &'a Message>) -> bool {
    let mut last = None;
    messages.all(|message| std::mem::replace(&mut last, message.side) != message.side)
}

/// Whether an exchange before a client message ran where nothing was captured, on another connection for instance: the
/// client leaves out a MsgID, and answers a message that the server had not sent so far; or it answers none, since it needs time,
/// and the server leaves out a MsgID `next`, too.
fn follows_unseen(before: &[Message], message: &Message, next: Option<&Message>) -> bool {
    let number = |message: &Message| outcome::number(message.msg_id()?);
    let last = |side| {
        let seen = before.iter().rev().find(|known| known.side == Some(side) && known.kind != Kind::Missing);
        seen.and_then(number)
    };
    let above = |seen: Option<u64>, known: Option<u64>| seen.zip(known).is_some_and(|(seen, known)| seen > known);
    let skips = |message: &Message, side| {
        message.side == Some(side) && above(number(message), last(side).map(|last| last.saturating_add(1)))
    };
    let answers_unseen = || match message.doc.statuses().find(|status| status.is_for_header()) {
        Some(status) => above(status.msg_ref().and_then(outcome::number), last(Side::Server)),
        None => next.is_some_and(|next| skips(next, Side::Server)),
    };
    skips(message, Side::Client) && answers_unseen()
}

/// Input, connection, number of the exchange, and half of it.
type ExchangeKey = (u32, u32, u32, Side);

fn exchange_key(message: &Message) -> Option<ExchangeKey> {
    let (input, connection, exchange) = exchange_of(message)?;
    Some((input, connection, exchange, message.side?))
}

/// Input, connection and number of the exchange of a message.
fn exchange_of(message: &Message) -> Option<(u32, u32, u32)> {
    let http = message.http.as_ref()?;
    Some((message.input.0, http.connection.number, http.exchange))
}

/// Whether the other half of a message's exchange is among those seen.
fn has_peer(seen: &HashSet<ExchangeKey>, message: &Message) -> bool {
    exchange_key(message)
        .is_some_and(|(input, connection, exchange, side)| seen.contains(&(input, connection, exchange, side.peer())))
}
