//! Puts messages together to sessions, over connections and inputs.
//!
//! In: HTTP events and documents in the order they happened. Out: [`Session`]s as they close; whatever is no device
//! management or enrollment is dropped at once and counted. Bounds: `limits.sessions`, `limits.session_messages`,
//! `limits.session_bytes`, and the constants below.
//!
//! How a message finds its session:
//!
//! - A response belongs where its request is, whatever it says.
//! - A client message belongs to the open session of its Source with the same SessionID and server. It starts a new
//!   one with MsgID 1, or with a session alert (1200, 1201) when no challenge is open and its MsgID does not continue.
//! - A client message equal to the last one byte for byte is a retransmission: it stays, marked.
//! - A SessionID that changes in mid-session on one connection, with the next MsgID, does not make a new session.
//! - A server message without its request is matched by SessionID, Target and Source.
//! - Without HTTP the content tells who sent a message (see `role`).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::open::{Ids, Open};
use super::outcome::{has_session_alert, is_discovery};
use super::{Flavor, Session};
use crate::anomaly::{Anomaly, Kind as Note};
use crate::http::{Captured, Connection, Event, Half, InputId};
use crate::limits::Limits;
use crate::origin::Span;
use crate::stream::End;
use crate::syncml::message::Kind;
use crate::syncml::read::is_syncml_type;
use crate::syncml::{Item, Message, Side, Tag};
use crate::time::Time;

/// Sessions of one device open at once: Windows runs two side by side, one for the device and one for the user.
const PER_DEVICE: usize = 64;
/// Bytes of request bodies kept until their response tells whether they matter.
const HELD_BYTES: usize = 16 * 1024 * 1024;
/// A session that is over is closed when the capture has gone on for so long: nothing more will come.
const IDLE: Duration = Duration::from_secs(600);
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
}

/// Where messages come from: a connection of an input, or the documents of an input.
type Road = (InputId, Option<u32>);

/// Who enrolls: the input, and the address where it has one.
type Enroller = (InputId, Option<IpAddr>);

/// What is known of a road.
#[derive(Default)]
struct Travel {
    /// The session of its last message.
    current: Option<u32>,
    /// Requests without a response, by the number of their exchange.
    waiting: VecDeque<(u32, Waiting)>,
}

enum Waiting {
    /// It is message `.1` of session `.0`.
    Placed(u32, usize),
    /// It may not matter: the response will tell.
    Held(Box<Message>),
}

type Out<'o> = &'o mut dyn FnMut(Session);

/// See the module's head.
pub struct Assembler {
    limits: Limits,
    numbers: u32,
    ticks: u64,
    bytes: usize,
    held: usize,
    open: HashMap<u32, Open>,
    devices: HashMap<String, Vec<u32>>,
    ages: BTreeMap<u64, u32>,
    roads: HashMap<Road, Travel>,
    enrolling: HashMap<Enroller, u32>,
    /// Sessions that are over but may still get a late message: number and age, oldest first.
    over: VecDeque<(u32, u64)>,
    latest: Option<Time>,
    counts: Counts,
    notes: Vec<Anomaly>,
}

impl Assembler {
    /// An assembler without sessions.
    pub fn new(limits: &Limits) -> Assembler {
        Assembler {
            limits: limits.clone(),
            numbers: 0,
            ticks: 0,
            bytes: 0,
            held: 0,
            open: HashMap::new(),
            devices: HashMap::new(),
            ages: BTreeMap::new(),
            roads: HashMap::new(),
            enrolling: HashMap::new(),
            over: VecDeque::new(),
            latest: None,
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
        self.close_idle(out);
        match event {
            Event::Message(message) => {
                self.latest = self.latest.max(message.last.or(message.first));
                let half = message.half;
                let message = Message::from_http(message, &self.limits);
                match half {
                    Half::Request => self.request(message, out),
                    Half::Response => self.response(message, out),
                }
            }
            Event::Missing { connection, exchange, half, request, at } => {
                let message = Message::missing(connection, exchange, half, request, at);
                match half {
                    Half::Request => self.wait(road(&message), exchange, Waiting::Held(Box::new(message))),
                    Half::Response => self.response(message, out),
                }
            }
            Event::Encrypted(_) => {}
            Event::Closed { connection, end, at } => {
                self.latest = self.latest.max(at);
                self.closed(&connection, end);
            }
        }
    }

    /// Takes a document without HTTP around it.
    pub fn document(&mut self, mut message: Message, out: Out<'_>) {
        self.latest = self.latest.max(message.last);
        match message.kind {
            Kind::SyncMl | Kind::Fragment => {
                message.side = message.side.or_else(|| self.role(&message));
                match message.side {
                    Some(Side::Client) => drop(self.client(message, out)),
                    Some(Side::Server) => self.server(message, out),
                    None => drop(self.begin(message, Flavor::Dm, out)),
                }
            }
            Kind::Soap | Kind::Provisioning => drop(self.enroll(message, out)),
            _ => self.counts.dropped += 1,
        }
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
        let mut numbers: Vec<u32> = self.open.keys().copied().collect();
        numbers.sort_unstable();
        for number in numbers {
            self.close(number, None, out);
        }
        self.latest = None;
    }

    /// Sizes of all that is kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> [usize; 8] {
        let Assembler { open, devices, ages, roads, enrolling, over, bytes, held, .. } = self;
        [open.len(), devices.len(), ages.len(), roads.len(), enrolling.len(), over.len(), *bytes, *held]
    }

    fn request(&mut self, message: Message, out: Out<'_>) {
        let (road, exchange) = (road(&message), exchange(&message));
        let waiting = match flavor(&message) {
            Some(Flavor::Dm) => self.client(message, out),
            Some(Flavor::Enrollment) => self.enroll(message, out),
            None => return self.hold(road, exchange, message),
        };
        self.wait(road, exchange, Waiting::Placed(waiting.0, waiting.1));
    }

    fn wait(&mut self, road: Road, exchange: u32, waiting: Waiting) {
        self.roads.entry(road).or_default().waiting.push_back((exchange, waiting));
    }

    /// Keeps a request that does not matter by itself until its response tells; its body only while there is room.
    fn hold(&mut self, road: Road, exchange: u32, mut message: Message) {
        let size = message.body.bytes.len();
        if self.held.saturating_add(size) > HELD_BYTES {
            message.body.bytes = Arc::from([]);
            message.body.captured =
                Captured::Refused("the body was not kept: nothing in it is device management".into());
        }
        self.held += message.body.bytes.len();
        self.wait(road, exchange, Waiting::Held(Box::new(message)));
    }

    fn response(&mut self, message: Message, out: Out<'_>) {
        let road = road(&message);
        match self.take_waiting(road, exchange(&message)) {
            Some(Waiting::Placed(session, index)) if self.open.contains_key(&session) => {
                // Status 0 is how a HAR says that there was no answer.
                let none =
                    message.kind == Kind::Empty && message.http.as_ref().is_some_and(|http| http.head.status == 0);
                match self.open.get_mut(&session).filter(|_| none) {
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
        if let Some(open) = self.open.get(&session) {
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
            Some(Flavor::Enrollment) => self.enrolling.get(&enroller(&message)).copied(),
            _ => self.session_of_server(&message, road),
        };
        let session = session.filter(|number| self.open.contains_key(number));
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
        if self.open.contains_key(&session) {
            self.add(session, message, out);
        } else {
            self.begin(message, flavor, out);
        }
    }

    fn closed(&mut self, connection: &Connection, end: End) {
        let Some(travel) = self.roads.remove(&(connection.input, Some(connection.number))) else { return };
        for (_, waiting) in travel.waiting {
            match waiting {
                Waiting::Placed(session, index) => {
                    if let Some(open) = self.open.get_mut(&session) {
                        open.unanswered(index, end);
                    }
                }
                Waiting::Held(message) => {
                    self.held = self.held.saturating_sub(message.body.bytes.len());
                    self.counts.dropped += u64::from(message.kind != Kind::Missing);
                }
            }
        }
    }

    fn take_waiting(&mut self, road: Road, exchange: u32) -> Option<Waiting> {
        let waiting = &mut self.roads.get_mut(&road)?.waiting;
        let index = waiting.iter().position(|(number, _)| *number == exchange)?;
        let (_, found) = waiting.remove(index)?;
        if let Waiting::Held(message) = &found {
            self.held = self.held.saturating_sub(message.body.bytes.len());
        }
        Some(found)
    }

    fn forget_idle(&mut self, road: Road) {
        let idle = |travel: &Travel| travel.waiting.is_empty() && travel.current.is_none();
        if self.roads.get(&road).is_some_and(idle) {
            self.roads.remove(&road);
        }
    }

    /// Places a message of the client; gives its session and index.
    fn client(&mut self, mut message: Message, out: Out<'_>) -> (u32, usize) {
        match self.session_of_client(&message, out) {
            Some(session) => {
                let open = self.open.get(&session);
                message.retransmission = open.is_some_and(|open| open.repeats(Side::Client, &message));
                self.add(session, message, out)
            }
            None => self.begin(message, Flavor::Dm, out),
        }
    }

    /// The open session that a client message continues; closes the one that it restarts.
    fn session_of_client(&mut self, message: &Message, out: Out<'_>) -> Option<u32> {
        let ids = Ids::of(message);
        let road = road(message);
        let current =
            self.roads.get(&road).and_then(|travel| travel.current).filter(|number| self.open.contains_key(number));
        let (Some(device), Some(session_id)) = (&ids.source, &ids.session_id) else {
            return current
                .filter(|_| message.kind == Kind::SyncMl && (message.http.is_some() || !message.is_readable()));
        };
        let alert = has_session_alert(message);
        let same = self.of_device(device).filter(|open| {
            open.session_id.as_deref().is_none_or(|known| known == session_id) && open.knows(ids.target.as_deref())
        });
        if let Some(open) = same.max_by_key(|open| open.tick) {
            let continues = ids.number.is_some() && ids.number == open.next_number();
            let starts = ids.number == Some(1) || (alert && !open.challenged && (open.complete || !continues));
            let again = open.repeats(Side::Client, message) && !(starts && open.complete);
            let number = open.number;
            if again || !(starts || is_unrelated(open, message, &ids)) {
                return Some(number);
            }
            if let Some(open) = self.open.get_mut(&number) {
                open.around.superseded = open.is_recorded_with(message);
            }
            self.close(number, None, out);
            return None;
        }
        let open = self.open.get(&current?)?;
        let next = ids.number.is_some() && ids.number == open.next_number();
        let changed = open.device.as_ref() == Some(device) && open.knows(ids.target.as_deref());
        (changed && next && !alert && !open.complete && message.http.is_some()).then_some(open.number)
    }

    /// Places a document of the server.
    fn server(&mut self, mut message: Message, out: Out<'_>) {
        match self.session_of_server(&message, road(&message)) {
            Some(session) => {
                let last = self.open.get(&session);
                message.retransmission = last.is_some_and(|open| {
                    open.last().is_some_and(|last| last.side == Some(Side::Server))
                        && open.repeats(Side::Server, &message)
                });
                self.add(session, message, out);
            }
            None => drop(self.begin(message, Flavor::Dm, out)),
        }
    }

    /// The open session that a server message belongs to when its request does not say.
    fn session_of_server(&self, message: &Message, road: Road) -> Option<u32> {
        let ids = Ids::of(message);
        let (Some(device), Some(session_id)) = (&ids.target, &ids.session_id) else {
            let current = self.roads.get(&road)?.current?;
            let fits = message.kind != Kind::Fragment && self.open.contains_key(&current) && !message.is_readable();
            return fits.then_some(current);
        };
        let same = self.of_device(device).filter(|open| open.session_id.as_ref() == Some(session_id));
        let best = same.max_by_key(|open| (open.knows(ids.source.as_deref()), open.tick))?;
        let answers = best.last().is_some_and(|last| last.side == Some(Side::Client));
        let later = ids.number > best.last_number(Side::Server);
        let unrelated = message.http.is_none() && !answers && !later && !best.repeats(Side::Server, message);
        (!unrelated).then_some(best.number)
    }

    fn of_device(&self, device: &str) -> impl Iterator<Item = &Open> {
        let numbers = self.devices.get(device).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().filter_map(|number| self.open.get(number))
    }

    /// Adds a message to the enrollment of its sender. Each discovery begins another, once the last one came further.
    fn enroll(&mut self, message: Message, out: Out<'_>) -> (u32, usize) {
        let going_on = self.enrolling.get(&enroller(&message)).copied();
        match going_on.filter(|number| self.open.contains_key(number)) {
            Some(number) if self.open.get(&number).is_some_and(|open| open.complete && is_discovery(&message)) => {
                self.close(number, None, out);
                self.begin(message, Flavor::Enrollment, out)
            }
            Some(number) => self.add(number, message, out),
            None => self.begin(message, Flavor::Enrollment, out),
        }
    }

    /// Begins a session with a message.
    fn begin(&mut self, message: Message, flavor: Flavor, out: Out<'_>) -> (u32, usize) {
        if self.open.len() >= self.limits.sessions
            && let Some(oldest) = self.ages.first_entry().map(|entry| *entry.get())
        {
            self.limit(format!(
                "more than {} sessions at once; the one idle for longest was closed",
                self.limits.sessions
            ));
            self.close(oldest, Some("too many sessions at once: it was closed as it stood"), out);
        }
        self.numbers += 1;
        let number = self.numbers;
        let mut open = Open::new(number, flavor);
        if flavor == Flavor::Dm && message.side == Some(Side::Client) {
            open.around.follows = self.supersede(&message, out);
        }
        self.open.insert(number, open);
        self.add(number, message, out)
    }

    /// Ends the sessions that a new one of their device leaves behind. Whether one of them was complete.
    fn supersede(&mut self, message: &Message, out: Out<'_>) -> bool {
        let ids = Ids::of(message);
        let Some(device) = &ids.source else { return false };
        let earlier = self.of_device(device).filter(|open| open.knows(ids.target.as_deref()));
        let earlier: Vec<u32> = earlier.map(|open| open.number).collect();
        let mut follows = false;
        for number in earlier {
            let Some(open) = self.open.get_mut(&number) else { continue };
            open.around.superseded = open.is_recorded_with(message);
            if open.complete {
                follows = true;
                self.close(number, None, out);
            }
        }
        follows
    }

    /// Adds a message to an open session; gives where it went.
    fn add(&mut self, number: u32, message: Message, out: Out<'_>) -> (u32, usize) {
        let (road, enroller) = (road(&message), enroller(&message));
        let Some(open) = self.open.get_mut(&number) else { return (number, 0) };
        self.counts.messages += u64::from(message.kind != Kind::Missing);
        let (unknown, before) = (open.device.is_none(), open.bytes);
        let index = open.push(message);
        self.ticks += 1;
        self.ages.remove(&open.tick);
        open.tick = self.ticks;
        self.ages.insert(self.ticks, number);
        self.bytes = self.bytes.saturating_add(open.bytes - before);
        match open.flavor {
            Flavor::Dm => self.roads.entry(road).or_default().current = Some(number),
            Flavor::Enrollment => drop(self.enrolling.insert(enroller, number)),
        }
        if open.complete {
            self.over.push_back((number, self.ticks));
        }
        let full = open.len() >= self.limits.session_messages;
        if unknown && let Some(device) = open.device.clone() {
            self.index(device, number, out);
        }
        if full {
            self.limit(format!("a session of more than {} messages", self.limits.session_messages));
            self.close(number, Some("too many messages: the session was cut here"), out);
        }
        self.make_room(out);
        (number, index)
    }

    fn index(&mut self, device: String, number: u32, out: Out<'_>) {
        let sessions = self.devices.entry(device).or_default();
        sessions.push(number);
        let oldest = (sessions.len() > PER_DEVICE).then(|| sessions.first().copied()).flatten();
        if let Some(oldest) = oldest {
            self.limit(format!("more than {PER_DEVICE} sessions of one device at once; the first of them was closed"));
            self.close(oldest, Some("too many sessions of the device at once: it was closed as it stood"), out);
        }
    }

    /// Closes sessions that are over and that the capture has left behind. What is no longer there is forgotten.
    fn close_idle(&mut self, out: Out<'_>) {
        while let Some((number, age)) = self.over.front().copied() {
            let grown = self.open.get(&number).is_none_or(|open| open.tick != age);
            let ended = self.open.get(&number).and_then(|open| open.last()?.last);
            let idle = ended.zip(self.latest).is_some_and(|(ended, now)| now.since(ended) >= IDLE);
            if !(grown || idle) {
                break;
            }
            self.over.pop_front();
            if !grown {
                self.close(number, None, out);
            }
        }
        if self.over.len() > self.limits.sessions.saturating_mul(2) {
            let open = &self.open;
            self.over.retain(|(number, age)| open.get(number).is_some_and(|open| open.tick == *age));
        }
    }

    fn make_room(&mut self, out: Out<'_>) {
        while self.bytes > self.limits.session_bytes
            && let Some(oldest) = self.ages.first_entry().map(|entry| *entry.get())
        {
            self.limit(format!(
                "open sessions hold more than {} bytes; the one idle for longest was closed",
                self.limits.session_bytes
            ));
            self.close(oldest, Some("too many bytes in open sessions: it was closed as it stood"), out);
        }
    }

    fn limit(&mut self, detail: String) {
        if self.notes.len() < NOTES {
            self.notes.push(Anomaly::new(Note::LimitSessions, Span::default(), detail));
        }
    }

    fn close(&mut self, number: u32, limit: Option<&'static str>, out: Out<'_>) {
        let Some(mut open) = self.open.remove(&number) else { return };
        self.ages.remove(&open.tick);
        self.bytes = self.bytes.saturating_sub(open.bytes);
        if let Some(device) = &open.device
            && let Some(sessions) = self.devices.get_mut(device)
        {
            sessions.retain(|known| *known != number);
            if sessions.is_empty() {
                self.devices.remove(device);
            }
        }
        match open.flavor {
            Flavor::Dm => self.counts.sessions += 1,
            Flavor::Enrollment => {
                self.counts.enrollments += 1;
                self.enrolling.retain(|_, enrolling| *enrolling != number);
            }
        }
        open.around.limit = limit;
        open.around.last = self.latest;
        out(open.close());
    }

    /// Who sent a document, by its content: session alerts, DevInfo and Results come from the client, and so does what
    /// has a Source that is no HTTP address; what no client may send comes from the server.
    fn role(&self, message: &Message) -> Option<Side> {
        let commands = || message.doc.commands().map(|command| command.tag());
        let dev_info = |item: Item<'_>| item.source().is_some_and(|uri| uri.starts_with("./DevInfo/"));
        let replaced = || {
            message.doc.commands().filter(|command| command.tag() == Tag::Replace).flat_map(|command| command.items())
        };
        if has_session_alert(message) || commands().any(|tag| tag == Tag::Results) || replaced().any(dev_info) {
            return Some(Side::Client);
        }
        let ids = Ids::of(message);
        let is_http = |uri: &str| uri.starts_with("http://") || uri.starts_with("https://");
        let source = ids.source.as_deref().map(is_http);
        let target = ids.target.as_deref().map(is_http);
        let known = |uri: &Option<String>| uri.as_ref().is_some_and(|uri| self.devices.contains_key(uri));
        let operates = || commands().any(|tag| tag.is_command() && !matches!(tag, Tag::Alert | Tag::Replace));
        match (source, target) {
            (Some(false), Some(true)) => Some(Side::Client),
            (Some(true), Some(false)) => Some(Side::Server),
            (Some(_), _) if known(&ids.source) != known(&ids.target) => {
                Some(if known(&ids.source) { Side::Client } else { Side::Server })
            }
            _ if operates() => Some(Side::Server),
            (Some(false), _) => Some(Side::Client),
            (Some(true), _) => Some(Side::Server),
            (None, _) => None,
        }
    }
}

fn road(message: &Message) -> Road {
    (message.input, message.http.as_ref().map(|http| http.connection.number))
}

fn enroller(message: &Message) -> Enroller {
    let client = message.http.as_ref().and_then(|http| http.connection.client);
    (message.input, client.map(|address| address.ip()))
}

fn exchange(message: &Message) -> u32 {
    message.http.as_ref().map(|http| http.exchange).unwrap_or_default()
}

/// A document from another input that does not go on where the session is: it only has the same names in it.
fn is_unrelated(open: &Open, message: &Message, ids: &Ids) -> bool {
    let elsewhere = open.last().is_some_and(|last| last.input != message.input);
    message.http.is_none() && elsewhere && ids.number <= open.last_number(Side::Client)
}

/// What a message is about, by itself; `None` when it speaks of nothing that matters here.
fn flavor(message: &Message) -> Option<Flavor> {
    let media_type = message.media_type();
    match message.kind {
        Kind::SyncMl | Kind::Fragment => Some(Flavor::Dm),
        Kind::Provisioning => Some(Flavor::Enrollment),
        Kind::Soap if speaks_of_enrollment(message) => Some(Flavor::Enrollment),
        Kind::Missing => None,
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
