//! Puts messages together to sessions, over connections and inputs.
//!
//! In: HTTP events and documents in the order they happened. Out: [`Session`]s as they close; whatever is no device
//! management or enrollment is dropped at once and counted. Bounds: `limits.sessions`, `limits.session_messages`,
//! `limits.session_bytes`, and the constants below.
//!
//! A response belongs where its request is, whatever it says; `belong` tells for all others. A client message that
//! equals the last one byte for byte is a retransmission: it stays where it was sent, marked.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::belong::{self, Belongs};
use super::enrolling::{self, Clue};
use super::notified::Notified;
use super::open::{Ids, Open};
use super::table::Table;
use super::told::Told;
use super::{Flavor, Session, device_key};
use crate::anomaly::{Anomaly, Kind as Note};
use crate::enroll::Step;
use crate::http::{Captured, Connection, Encrypted, Event, Half, InputId};
use crate::limits::Limits;
use crate::octets::Octets;
use crate::origin::{Origin, Span};
use crate::stream::End;
use crate::syncml::message::Kind;
use crate::syncml::read::is_syncml_type;
use crate::syncml::{Message, Side};
use crate::time::Time;
use crate::transcript::{Pushed, Record, messages};

/// Sessions of one device open at once: Windows runs two side by side, one for the device and one for the user.
const PER_DEVICE: usize = 64;
/// Enrollments that are looked at for what a message says of itself: as many may go on behind one address.
const PER_CLUE: usize = 64;
/// A session that is over is closed when the capture has gone on for so long: nothing more will come.
const IDLE: Duration = Duration::from_secs(600);
/// Enrollments that are kept until their device comes, however long ago they were: one that comes in a connection that cannot be
/// decrypted is told of when that ends. A capture of an enrollment service alone would keep them all.
const AWAITED: usize = 256;
/// Notes kept on limits that were reached.
const NOTES: usize = 20;

/// What an [`Assembler`] saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages handed on in sessions, placeholders not counted.
    pub messages: u64,
    /// HTTP messages and documents that are no device management and no enrollment.
    pub dropped: u64,
    /// Sessions of device management handed on.
    pub sessions: u64,
    /// Enrollments handed on.
    pub enrollments: u64,
    /// Pushes handed on.
    pub pushes: u64,
}

/// Where messages come from: a connection of an input, or the documents of an input.
type Road = (InputId, Option<u32>);

/// What is known of a road.
#[derive(Clone, Default)]
struct Travel {
    /// The session of its last message.
    current: Option<u32>,
    /// Requests without a response, by the number of their exchange.
    waiting: VecDeque<(u32, Waiting)>,
}

#[derive(Clone)]
enum Waiting {
    /// It is message `.1` of session `.0`.
    Placed(u32, usize),
    /// It may not matter: the response will tell.
    Held(Box<Message>),
}

/// What an HTTP source handed on, with the document of a message read: the part of the work that needs no order.
pub enum Arrival {
    /// A message.
    Message(Half, Box<Message>),
    /// A message that must have been sent but was not captured.
    Missing(Half, Box<Message>),
    /// A push.
    Push(Box<Message>),
    /// The connection ended.
    Closed(Arc<Connection>, End, Option<Time>),
    /// The connection could not be decrypted.
    Sealed(Box<Encrypted>),
}

impl Arrival {
    /// Reads the document of a message.
    pub fn of(event: Event, limits: &Limits) -> Arrival {
        match event {
            Event::Message(message) => Arrival::Message(message.half, Box::new(Message::from_http(message, limits))),
            Event::Missing { connection, exchange, half, request, at } => {
                let message = Message::missing(connection, exchange, half, request, at);
                Arrival::Missing(half, Box::new(message))
            }
            Event::Closed { connection, end, at } => Arrival::Closed(connection, end, at),
            Event::Encrypted(encrypted) => Arrival::Sealed(Box::new(encrypted)),
        }
    }

    /// A push, where it is about device management.
    pub fn of_push(pushed: Pushed, input: InputId) -> Option<Arrival> {
        let message = Message::from_push(pushed, input);
        message.push()?.is_ours().then(|| Arrival::Push(Box::new(message)))
    }
}

type Out<'o> = &'o mut dyn FnMut(Session);

/// See the module's head.
#[derive(Clone)]
pub struct Assembler {
    limits: Limits,
    numbers: u32,
    held: usize,
    table: Table,
    roads: HashMap<Road, Travel>,
    /// Enrollments that go on, by what they can be found by; the last one last.
    enrolling: HashMap<Clue, Vec<u32>>,
    /// Notifications that wait for their session.
    notified: Notified,
    /// Sessions that are over but may still get a late message: number and age, oldest first.
    over: VecDeque<(u32, u64)>,
    /// Enrollments whose device has not come so far although the capture has left them behind, oldest first.
    awaited: VecDeque<u32>,
    latest: Option<Time>,
    told: Told,
    counts: Counts,
    notes: Vec<Anomaly>,
}

impl Assembler {
    /// An assembler without sessions.
    pub fn new(limits: &Limits) -> Assembler {
        Assembler {
            limits: limits.clone(),
            numbers: 0,
            held: 0,
            table: Table::default(),
            roads: HashMap::new(),
            enrolling: HashMap::new(),
            notified: Notified::default(),
            over: VecDeque::new(),
            awaited: VecDeque::new(),
            latest: None,
            told: Told::default(),
            counts: Counts::default(),
            notes: Vec::new(),
        }
    }

    /// What was seen so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Limits that were reached since the last call.
    pub fn take_notes(&mut self) -> Vec<Anomaly> {
        std::mem::take(&mut self.notes)
    }

    /// Takes what an HTTP source hands on.
    pub fn http(&mut self, event: Event, out: Out<'_>) {
        let arrival = Arrival::of(event, &self.limits);
        self.arrived(arrival, out);
    }

    /// The same with the document read already.
    pub fn arrived(&mut self, arrival: Arrival, out: Out<'_>) {
        self.close_idle(out);
        match arrival {
            Arrival::Message(half, message) => {
                self.latest = self.latest.max(message.last.or(message.first));
                self.meet(&message);
                match half {
                    Half::Request => self.request(*message, out),
                    Half::Response => self.response(*message, out),
                }
            }
            Arrival::Missing(Half::Request, message) => {
                self.meet(&message);
                self.hold(road(&message), exchange(&message), *message);
            }
            Arrival::Missing(Half::Response, message) => self.response(*message, out),
            Arrival::Push(message) => {
                self.latest = self.latest.max(message.first);
                self.pushed(*message, out);
            }
            Arrival::Closed(connection, end, at) => {
                self.latest = self.latest.max(at);
                self.closed(&connection, end);
            }
            // It is no part of a session, but it may be one.
            Arrival::Sealed(encrypted) => {
                let client = encrypted.connection.client.map(|client| Clue::Client(client.ip()));
                for number in client.and_then(|client| self.enrolling.get(&client)).into_iter().flatten() {
                    if let Some(open) = self.table.get_mut(*number) {
                        open.enrolling.meet_sealed(&encrypted);
                    }
                }
                self.notified.meet_sealed(&encrypted);
            }
        }
    }

    /// Tells the enrollments of a message's place that their device may have come.
    fn meet(&mut self, message: &Message) {
        if self.enrolling.is_empty() {
            return;
        }
        for number in self.enrolling.get(&enrolling::place(message)).into_iter().flatten() {
            if let Some(open) = self.table.get_mut(*number) {
                open.enrolling.meet(message);
            }
        }
    }

    /// Takes a push: a session of its own, that waits for the one it asks for.
    pub fn pushed(&mut self, message: Message, out: Out<'_>) {
        self.begin(message, Flavor::Notification, out);
    }

    /// Takes a document without HTTP around it.
    pub fn document(&mut self, mut message: Message, out: Out<'_>) {
        self.latest = self.latest.max(message.last.or(message.first));
        self.meet(&message);
        match message.kind {
            Kind::SyncMl | Kind::Fragment => {
                message.side = message.side.or_else(|| belong::role(&self.table, &message));
                match message.side {
                    Some(Side::Client) => drop(self.client(message, out)),
                    Some(Side::Server) => self.server(message, out),
                    None => drop(self.begin(message, Flavor::Dm, out)),
                }
            }
            Kind::Soap | Kind::Provisioning => {
                message.side = message.side.or_else(|| enrolling::role(&message));
                self.enroll(message, out);
            }
            _ => self.counts.dropped += 1,
        }
    }

    /// Takes a message of a session that was exported: it is put together as it was.
    pub fn told(&mut self, told: messages::Told, input: InputId, out: Out<'_>) {
        let messages::Told { session, record, missing, side, retransmission } = told;
        let message = match *record {
            Record::Http(event) => match Arrival::of(event, &self.limits) {
                Arrival::Message(_, message) | Arrival::Missing(_, message) => *message,
                _ => return,
            },
            Record::Document(document) if missing => {
                Message::not_captured(input, side.unwrap_or(Side::Client), document.at)
            }
            Record::Document(document) => Message::from_document(document, input, &self.limits),
            Record::Push(pushed) => Message::from_push(pushed, input),
            Record::Told(_) | Record::Remark(..) => return,
        };
        self.counts.messages += u64::from(message.kind != Kind::Missing);
        let message = Message { side, retransmission, ..message };
        let done = self.told.take(self.numbers, session, message, &self.limits);
        done.into_iter().for_each(|session| self.restored(session, out));
    }

    fn restored(&mut self, session: Session, out: Out<'_>) {
        match session.flavor {
            Flavor::Dm => self.counts.sessions += 1,
            Flavor::Enrollment => self.counts.enrollments += 1,
            Flavor::Notification => self.counts.pushes += 1,
        }
        out(session);
    }

    /// The sessions that are open and have grown since a tick (0 for all), with the tick at which each did, the earliest
    /// first.
    pub fn grown_since(&self, tick: u64) -> impl Iterator<Item = (u64, u32)> {
        self.table.grown_since(tick)
    }

    /// An open session as it would be if the recording ended here.
    pub fn as_it_stands(&self, number: u32) -> Option<Session> {
        let mut open = self.table.get(number)?.clone();
        open.around.last = self.latest;
        Some(open.close())
    }

    /// Says that the recording went on at least until then.
    pub fn until(&mut self, at: Option<Time>) {
        self.latest = self.latest.max(at);
    }

    /// Closes all that is open, in the order of the sessions' numbers.
    pub fn finish(&mut self, out: Out<'_>) {
        for travel in std::mem::take(&mut self.roads).into_values() {
            for (_, waiting) in travel.waiting {
                self.counts.dropped +=
                    u64::from(matches!(waiting, Waiting::Held(message) if message.kind != Kind::Missing));
            }
        }
        self.held = 0;
        self.enrolling.clear();
        self.over.clear();
        self.awaited.clear();
        for number in self.table.numbers() {
            self.close(number, None, out);
        }
        for session in self.told.finish(&self.limits) {
            self.restored(session, out);
        }
        self.numbers = self.numbers.max(self.told.latest());
        self.notified.clear();
        self.latest = None;
    }

    /// Whether nothing at all is kept.
    #[cfg(test)]
    pub(super) fn is_clear(&self) -> bool {
        let Assembler { table, roads, enrolling, notified, over, awaited, held, told, .. } = self;
        let queues = over.is_empty() && awaited.is_empty() && notified.is_clear();
        told.is_clear() && table.is_clear() && roads.is_empty() && enrolling.is_empty() && queues && *held == 0
    }

    fn request(&mut self, message: Message, out: Out<'_>) {
        let (road, exchange) = (road(&message), exchange(&message));
        let waiting = match flavor(&message) {
            Some(Flavor::Dm) => self.client(message, out),
            Some(_) => self.enroll(message, out),
            // What goes to an address that discovery gave, whatever it is: a page to sign in, an empty request.
            None if self.enrollment_of(&message).is_some() => self.enroll(message, out),
            None => return self.hold(road, exchange, message),
        };
        self.wait(road, exchange, Waiting::Placed(waiting.0, waiting.1));
    }

    /// Keeps a request until its response comes. Where too many of one connection wait, the oldest has none.
    fn wait(&mut self, road: Road, exchange: u32, waiting: Waiting) {
        let queue = &mut self.roads.entry(road).or_default().waiting;
        queue.push_back((exchange, waiting));
        if queue.len() > self.limits.pipelined
            && let Some((_, oldest)) = queue.pop_front()
        {
            self.unanswered(oldest, End::Unknown);
        }
    }

    /// Keeps a request that does not matter by itself until its response tells: its body only while there is room, and none
    /// of it where there is no room at all, as if it had not been captured.
    fn hold(&mut self, road: Road, exchange: u32, mut message: Message) {
        if self.held.saturating_add(message.size()) > self.limits.unanswered / 2 {
            message.body.bytes = Octets::default();
            message.body.origin = Origin::default();
            message.body.captured =
                Captured::Refused("the body was not kept: nothing in it is device management".into());
        }
        if self.held.saturating_add(message.size()) > self.limits.unanswered {
            self.counts.dropped += u64::from(message.kind != Kind::Missing);
            return;
        }
        self.held += message.size();
        self.wait(road, exchange, Waiting::Held(Box::new(message)));
    }

    /// No response of a request will come.
    fn unanswered(&mut self, request: Waiting, end: End) {
        match request {
            Waiting::Placed(session, index) => {
                if let Some(open) = self.table.get_mut(session) {
                    open.unanswered(index, end);
                }
            }
            Waiting::Held(message) => {
                self.held = self.held.saturating_sub(message.size());
                self.counts.dropped += u64::from(message.kind != Kind::Missing);
            }
        }
    }

    fn response(&mut self, message: Message, out: Out<'_>) {
        let road = road(&message);
        match self.take_waiting(road, exchange(&message)) {
            Some(Waiting::Placed(session, index)) if self.table.get(session).is_some() => {
                // Status 0 is how a HAR says that there was no answer; HTTP/2 may have a status that cannot be known.
                let no_status =
                    message.http.as_ref().is_some_and(|http| http.head.status == 0 && http.head.unknown == 0);
                let none = no_status && message.kind != Kind::Missing && message.body.bytes.is_empty();
                match self.table.get_mut(session).filter(|_| none) {
                    Some(open) => open.unanswered(index, End::Closed),
                    None => self.answer(session, index, message, out),
                }
            }
            Some(Waiting::Held(request)) => match flavor(&message) {
                None => self.counts.dropped += 1 + u64::from(request.kind != Kind::Missing),
                Some(_) => self.orphan(message, Some(*request), out),
            },
            _ => match flavor(&message) {
                None => self.counts.dropped += u64::from(message.kind != Kind::Missing),
                Some(_) => self.orphan(message, None, out),
            },
        }
        self.forget_idle(road);
    }

    /// A response in the session of its request, which is message `index`.
    fn answer(&mut self, session: u32, index: usize, mut message: Message, out: Out<'_>) {
        if let Some(open) = self.table.get(session) {
            message.retransmission = open.is_retransmission(index) && open.repeats(Side::Server, &message);
        }
        self.add(session, message, out);
    }

    /// A response whose request was not captured, or was not taken for device management.
    fn orphan(&mut self, message: Message, request: Option<Message>, out: Out<'_>) {
        let road = road(&message);
        let http = message.http.as_ref();
        let request = request.or_else(|| {
            let http = http?;
            Some(Message::missing(Arc::clone(&http.connection), http.exchange, Half::Request, None, message.first))
        });
        let session = match flavor(&message) {
            Some(Flavor::Enrollment) => self.enrollment_of(&message),
            _ => belong::of_server(&self.table, &message, self.current(road)),
        };
        let session = session.filter(|number| self.table.get(*number).is_some());
        let flavor = flavor(&message).unwrap_or(Flavor::Dm);
        match (session, request) {
            (Some(session), Some(request)) => {
                let session = self.add(session, request, out).0;
                self.add_or_begin(session, message, flavor, out);
            }
            (Some(session), None) => drop(self.add(session, message, out)),
            (None, Some(request)) => {
                let session = self.begin(request, flavor, out).0;
                self.add_or_begin(session, message, flavor, out);
            }
            (None, None) => drop(self.begin(message, flavor, out)),
        }
    }

    fn add_or_begin(&mut self, session: u32, message: Message, flavor: Flavor, out: Out<'_>) {
        if self.table.get(session).is_some() {
            self.add(session, message, out);
        } else {
            self.begin(message, flavor, out);
        }
    }

    fn closed(&mut self, connection: &Connection, end: End) {
        let Some(travel) = self.roads.remove(&(connection.input, Some(connection.number))) else { return };
        for (_, waiting) in travel.waiting {
            self.unanswered(waiting, end);
        }
    }

    fn take_waiting(&mut self, road: Road, exchange: u32) -> Option<Waiting> {
        let waiting = &mut self.roads.get_mut(&road)?.waiting;
        let index = waiting.iter().position(|(number, _)| *number == exchange)?;
        let (_, found) = waiting.remove(index)?;
        if let Waiting::Held(message) = &found {
            self.held = self.held.saturating_sub(message.size());
        }
        Some(found)
    }

    fn forget_idle(&mut self, road: Road) {
        let idle = |travel: &Travel| travel.waiting.is_empty() && travel.current.is_none();
        if self.roads.get(&road).is_some_and(idle) {
            self.roads.remove(&road);
        }
    }

    /// The session that goes on on a road.
    fn current(&self, road: Road) -> Option<u32> {
        self.roads.get(&road)?.current
    }

    /// Places a message of the client; gives its session and index.
    fn client(&mut self, mut message: Message, out: Out<'_>) -> (u32, usize) {
        match belong::of_client(&self.table, &message, self.current(road(&message))) {
            Belongs::To(session) => {
                let open = self.table.get(session);
                message.retransmission = open.is_some_and(|open| open.repeats(Side::Client, &message));
                return self.add(session, message, out);
            }
            Belongs::Restarts(session) => {
                if let Some(open) = self.table.get_mut(session) {
                    open.around.superseded = open.is_recorded_with(&message);
                }
                self.close(session, None, out);
            }
            Belongs::New => {}
        }
        self.begin(message, Flavor::Dm, out)
    }

    /// Places a document of the server.
    fn server(&mut self, mut message: Message, out: Out<'_>) {
        let session = belong::of_server(&self.table, &message, self.current(road(&message)));
        match session.and_then(|session| self.table.get(session)) {
            Some(open) => {
                let after_itself = open.last().is_some_and(|last| last.side == Some(Side::Server));
                message.retransmission = after_itself && open.repeats(Side::Server, &message);
                let number = open.number;
                self.add(number, message, out);
            }
            None => drop(self.begin(message, Flavor::Dm, out)),
        }
    }

    /// Adds a message to the enrollment that it belongs to, or begins one with it.
    fn enroll(&mut self, message: Message, out: Out<'_>) -> (u32, usize) {
        match self.enrollment_of(&message) {
            Some(number) => self.add(number, message, out),
            None => self.begin(message, Flavor::Enrollment, out),
        }
    }

    /// The enrollment that a message belongs to: of those with the same device, user or address the one that fits best,
    /// the latest of several.
    fn enrollment_of(&self, message: &Message) -> Option<u32> {
        let known = enrolling::clues(message).into_iter().filter_map(|clue| self.enrolling.get(&clue)).flatten();
        let fits = known.filter_map(|number| Some((self.table.get(*number)?.enrolling.fits(message)?, *number)));
        fits.max().map(|(_, number)| number)
    }

    /// Begins a session with a message.
    fn begin(&mut self, message: Message, flavor: Flavor, out: Out<'_>) -> (u32, usize) {
        if self.table.len() >= self.limits.sessions
            && !self.close_over(out)
            && let Some(idlest) = self.table.idlest()
        {
            self.limit(format!(
                "more than {} sessions at once; the one idle for longest was closed",
                self.limits.sessions
            ));
            self.close(idlest, Some("too many sessions at once: it was closed as it stood"), out);
        }
        self.numbers += 1;
        let number = self.numbers;
        let mut open = Open::new(number, flavor);
        if flavor == Flavor::Dm && message.side == Some(Side::Client) {
            open.around.follows = self.supersede(&message, out);
            self.close_enrollment(&message, out);
            self.answer_notifications(&message, out);
        }
        if flavor == Flavor::Notification {
            self.notified.add(number, &message);
        }
        self.table.insert(open);
        self.add(number, message, out)
    }

    /// Ends the sessions that a new one of their device leaves behind. Whether one of them was over.
    fn supersede(&mut self, message: &Message, out: Out<'_>) -> bool {
        let ids = Ids::of(message);
        let Some(device) = &ids.source else { return false };
        let earlier = self.table.of_device(device).filter(|open| open.knows(ids.target.as_deref()));
        let earlier: Vec<u32> = earlier.map(|open| open.number).collect();
        let mut follows = false;
        for number in earlier {
            let Some(open) = self.table.get_mut(number) else { continue };
            open.around.superseded = open.is_recorded_with(message);
            if open.complete || open.dismissed {
                follows = true;
                self.close(number, None, out);
            }
        }
        follows
    }

    /// Closes the enrollment that made a device come: it is remembered before the device's first session is judged.
    fn close_enrollment(&mut self, message: &Message, out: Out<'_>) {
        let Some(device) = message.header().and_then(|header| header.source()) else { return };
        let known = self.enrolling.get(&Clue::Device(device_key(device))).cloned().unwrap_or_default();
        for number in known {
            if self.table.get(number).is_some_and(|open| open.complete) {
                self.close(number, None, out);
            }
        }
    }

    /// Closes the notifications that made a device come, which are of that device then.
    fn answer_notifications(&mut self, message: &Message, out: Out<'_>) {
        let device = message.header().and_then(|header| header.source());
        for number in self.notified.answered(message) {
            if let Some(open) = self.table.get_mut(number) {
                open.device = device.map(str::to_owned);
            }
            self.close(number, None, out);
        }
    }

    /// Adds a message to an open session; gives where it went.
    fn add(&mut self, number: u32, message: Message, out: Out<'_>) -> (u32, usize) {
        let road = road(&message);
        self.counts.messages += u64::from(message.kind != Kind::Missing);
        let provisioned = Message::in_token(&message, &self.limits);
        let index = self.table.push(number, message).unwrap_or_default();
        if let Some(document) = provisioned {
            self.table.push(number, document);
        }
        if let Some(open) = self.table.get(number) {
            match open.flavor {
                Flavor::Dm => self.roads.entry(road).or_default().current = Some(number),
                Flavor::Notification => {}
                Flavor::Enrollment => {
                    for clue in open.enrolling.clues() {
                        let known = self.enrolling.entry(clue.clone()).or_default();
                        known.retain(|known| *known != number);
                        known.drain(..known.len().saturating_sub(PER_CLUE - 1));
                        known.push(number);
                    }
                }
            }
            if open.complete {
                self.over.push_back((number, open.tick));
            }
        }
        self.keep_limits(number, out);
        (number, index)
    }

    /// Closes what goes beyond the limits after session `number` has grown.
    fn keep_limits(&mut self, number: u32, out: Out<'_>) {
        let Some(open) = self.table.get(number) else { return };
        let device = open.device.as_deref().unwrap_or_default();
        let mut others = self.table.of_device(device);
        let first = others.next().map(|open| open.number).filter(|_| others.count() >= PER_DEVICE);
        if open.len() >= self.limits.session_messages {
            self.limit(format!("a session of {} messages was cut", self.limits.session_messages));
            self.close(number, Some("too many messages: the session was cut here"), out);
        }
        if let Some(first) = first {
            self.limit(format!("more than {PER_DEVICE} sessions of one device at once; the first of them was closed"));
            self.close(first, Some("too many sessions of the device at once: it was closed as it stood"), out);
        }
        while self.table.bytes() > self.limits.session_bytes {
            if self.close_over(out) {
                continue;
            }
            let Some(idlest) = self.table.idlest() else { break };
            let bytes = self.limits.session_bytes;
            self.limit(format!("open sessions hold more than {bytes} bytes; the one idle for longest was closed"));
            self.close(idlest, Some("too many bytes in open sessions: it was closed as it stood"), out);
        }
    }

    /// Closes the session that is over for longest, to make room: all that a late message could show is that it came.
    fn close_over(&mut self, out: Out<'_>) -> bool {
        while let Some((number, age)) = self.over.pop_front() {
            if self.table.get(number).is_some_and(|open| open.tick == age) {
                self.close(number, None, out);
                return true;
            }
        }
        false
    }

    /// Closes sessions that are over and that the capture has left behind; enrollments when the device came. What is no
    /// longer there is forgotten.
    fn close_idle(&mut self, out: Out<'_>) {
        while let Some((number, age)) = self.over.front().copied() {
            let open = self.table.get(number);
            let grown = open.is_none_or(|open| open.tick != age);
            let ended = open.and_then(|open| open.last()?.last);
            let idle = ended.zip(self.latest).is_some_and(|(ended, now)| now.since(ended) >= IDLE);
            if !(grown || idle) {
                break;
            }
            self.over.pop_front();
            let awaits = self.table.get(number).is_some_and(|open| open.enrolling.awaits());
            match (grown, awaits) {
                (true, _) => {}
                (false, false) => self.close(number, None, out),
                (false, true) => self.keep_awaited(number, out),
            }
        }
        if self.over.len() > self.limits.sessions.saturating_mul(2) {
            let table = &self.table;
            self.over.retain(|(number, age)| table.get(*number).is_some_and(|open| open.tick == *age));
        }
    }

    fn keep_awaited(&mut self, number: u32, out: Out<'_>) {
        self.awaited.push_back(number);
        if self.awaited.len() > AWAITED
            && let Some(first) = self.awaited.pop_front()
            && let Some(open) = self.table.get_mut(first)
        {
            open.enrolling.stop_waiting();
            self.close(first, None, out);
        }
    }

    fn limit(&mut self, detail: String) {
        // What happens again and again is told once.
        if self.notes.len() < NOTES && self.notes.iter().all(|note| note.detail != detail) {
            self.notes.push(Anomaly::new(Note::LimitSessions, Span::default(), detail));
        }
    }

    fn close(&mut self, number: u32, limit: Option<&'static str>, out: Out<'_>) {
        let Some(mut open) = self.table.remove(number) else { return };
        match open.flavor {
            Flavor::Dm => self.counts.sessions += 1,
            Flavor::Notification => {
                self.counts.pushes += 1;
                open.around.doubt = self.notified.forget(number);
            }
            Flavor::Enrollment => {
                self.counts.enrollments += 1;
                for clue in open.enrolling.clues() {
                    if let Some(known) = self.enrolling.get_mut(clue) {
                        known.retain(|known| *known != number);
                        if known.is_empty() {
                            self.enrolling.remove(clue);
                        }
                    }
                }
            }
        }
        open.around.limit = limit;
        open.around.last = self.latest;
        out(open.close());
    }
}

fn road(message: &Message) -> Road {
    (message.input, message.http.as_ref().map(|http| http.connection.number))
}

fn exchange(message: &Message) -> u32 {
    message.http.as_ref().map(|http| http.exchange).unwrap_or_default()
}

/// What a message is about, by itself; `None` when it speaks of nothing that matters here.
fn flavor(message: &Message) -> Option<Flavor> {
    let media_type = message.media_type();
    match message.kind {
        Kind::SyncMl | Kind::Fragment => Some(Flavor::Dm),
        Kind::Provisioning => Some(Flavor::Enrollment),
        Kind::Soap if speaks_of_enrollment(message) => Some(Flavor::Enrollment),
        Kind::Missing => None,
        _ if message.side == Some(Side::Client) && Step::of(message).is_some() => Some(Flavor::Enrollment),
        _ if is_syncml_type(&media_type) => Some(Flavor::Dm),
        _ if media_type.contains("vnd.wap.connectivity-") => Some(Flavor::Enrollment),
        _ => None,
    }
}

/// SOAP is used for much: what MS-MDE2 sends names enrollment in its actions or namespaces.
fn speaks_of_enrollment(message: &Message) -> bool {
    let bytes = message.doc.bytes();
    [b"nrollment".as_slice(), b"ws-trust"].iter().any(|word| memchr::memmem::find(bytes, word).is_some())
}
