//! The connections of one input: finds the one a segment belongs to, numbers them as tshark's `tcp.stream`, and keeps
//! their number and the bytes they hold within `limits.flows` and `limits.tcp_bytes`.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::flow::{Context, Flow, Out};
use super::idle::Idle;
use super::{Attempt, Consumer, Segment};
use crate::anomaly::{Anomaly, Kind};
use crate::limits::Limits;
use crate::origin::Span;
use crate::time::Time;

/// Capture time after which a byte that the receiver has is not expected any more, in nanoseconds.
const GRACE: i64 = 1_000_000_000;
/// The same in segments of the whole input, for captures without time stamps.
const GRACE_SEGMENTS: u64 = 65_536;
/// A SYN that comes late may be this many bytes before the first data seen.
const LATE_SYN: u64 = 64 * 1024;

/// Both endpoints, the lower one first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    addresses: [u128; 2],
    ports: [u16; 2],
}

impl Key {
    /// The key of a segment, and whether its sender is the second endpoint.
    fn of(segment: &Segment<'_>) -> (Key, bool) {
        let (source, destination) = (endpoint(segment.source), endpoint(segment.destination));
        let turned = source > destination;
        let (low, high) = if turned { (destination, source) } else { (source, destination) };
        (Key { addresses: [low.0, high.0], ports: [low.1, high.1] }, turned)
    }
}

/// IPv4 addresses lie apart from all IPv6 ones that a packet can carry.
fn endpoint(address: SocketAddr) -> (u128, u16) {
    let number = match address.ip() {
        IpAddr::V4(v4) => u128::from(u32::from(v4)) | 0xffff_ffff << 32,
        IpAddr::V6(v6) => u128::from(v6),
    };
    (number, address.port())
}

/// What is kept of a connection, after its end too: late segments of it are not a new one.
struct Slot<C> {
    key: Key,
    number: u32,
    /// Initial sequence numbers of the key's endpoints, where a SYN told them.
    initial: [Option<u32>; 2],
    held: usize,
    /// Whether `Table::closed` has it.
    listed: bool,
    /// Whether it ended after it carried data: a SYN of it is then a late copy, not another try after a refusal.
    carried: bool,
    flow: Option<Box<Flow<C>>>,
}

impl<C: Consumer> Slot<C> {
    fn new(key: Key, number: u32, segment: &Segment<'_>) -> Slot<C> {
        let flow = Some(new_flow(number, segment));
        Slot { key, number, initial: [None; 2], held: 0, listed: false, carried: false, flow }
    }
}

/// A flow that waits for missing bytes, to be looked at when the grace has passed.
struct Deadline {
    slot: usize,
    number: u32,
    since: u64,
    at: Option<Time>,
    segments: u64,
}

/// All connections of an input. See the module's head.
pub struct Table<C: Consumer> {
    shared: C::Context,
    limits: Arc<Limits>,
    index: HashMap<Key, usize, RandomState>,
    slots: Vec<Slot<C>>,
    idle: Idle,
    closed: VecDeque<(usize, u32)>,
    deadlines: VecDeque<Deadline>,
    segments: u64,
    streams: u32,
    held: usize,
    evicted: u64,
    /// Servers to which no connection came about, by client; those to which one did, too, as long as there is room.
    attempts: HashMap<(IpAddr, SocketAddr), Option<Attempt>, RandomState>,
}

impl<C: Consumer> Table<C> {
    /// An empty table for one input; `shared` goes to the consumers of all its connections.
    pub fn new(shared: impl Into<C::Context>, limits: &Limits) -> Table<C> {
        Table {
            shared: shared.into(),
            limits: Arc::new(limits.clone()),
            index: HashMap::default(),
            slots: Vec::new(),
            idle: Idle::default(),
            closed: VecDeque::new(),
            deadlines: VecDeque::new(),
            segments: 0,
            streams: 0,
            held: 0,
            evicted: 0,
            attempts: HashMap::default(),
        }
    }

    /// Takes one segment; what it completes goes to `out`.
    pub fn segment(&mut self, segment: &Segment<'_>, out: &mut dyn FnMut(C::Event)) {
        self.segments += 1;
        let (key, turned) = Key::of(segment);
        let slot = match self.index.get(&key) {
            Some(slot) => *slot,
            None => self.insert(key, segment, out),
        };
        self.begin_anew_on_syn(slot, turned, segment, out);
        let Some(entry) = self.slots.get_mut(slot) else { return };
        if let Some(flow) = &mut entry.flow {
            let cx = Context { shared: &self.shared, limits: &self.limits };
            let waits = flow.segment(segment, &cx, out);
            let number = entry.number;
            if let Some(since) = waits {
                self.deadlines.push_back(Deadline { slot, number, since, at: segment.at, segments: self.segments });
            }
            self.idle.touch(slot);
            self.look_after(slot, out);
        }
        self.pass_deadlines(segment.at, out);
    }

    /// Ends all connections in the order of their numbers, and tells what was given up for want of room.
    pub fn finish(&mut self, out: &mut dyn FnMut(C::Event)) -> Vec<Anomaly> {
        let mut open: Vec<(u32, usize)> =
            self.slots.iter().enumerate().map(|(slot, entry)| (entry.number, slot)).collect();
        open.sort_unstable();
        open.into_iter().for_each(|(_, slot)| self.close(slot, out));
        let mut notes = Vec::new();
        if self.evicted > 0 {
            let detail = format!("{} connections were given up for want of room", self.evicted);
            notes.push(Anomaly::new(Kind::LimitFlows, Span::default(), detail));
        }
        notes
    }

    /// The servers to which clients got no connection, in the order in which they were tried. Call it at the end.
    pub fn attempts(&mut self) -> Vec<Attempt> {
        let mut attempts: Vec<Attempt> = std::mem::take(&mut self.attempts).into_values().flatten().collect();
        attempts.sort_by_key(|attempt| (attempt.at, attempt.client, attempt.server));
        attempts
    }

    /// Connections seen so far.
    pub fn streams(&self) -> u32 {
        self.streams
    }

    /// Segments seen so far.
    pub fn segments(&self) -> u64 {
        self.segments
    }

    fn insert(&mut self, key: Key, segment: &Segment<'_>, out: &mut Out<'_, C>) -> usize {
        let number = self.next_number();
        let entry = Slot::new(key, number, segment);
        let slot = if self.slots.len() < self.limits.flows.max(1) {
            self.slots.push(entry);
            self.slots.len() - 1
        } else {
            let slot = self.free_one(out);
            if let Some(old) = self.slots.get_mut(slot) {
                self.index.remove(&old.key);
                *old = entry;
            }
            slot
        };
        self.index.insert(key, slot);
        slot
    }

    /// Frees the slot of a connection that ended, or else of the one idle for longest.
    fn free_one(&mut self, out: &mut Out<'_, C>) -> usize {
        while let Some((slot, number)) = self.closed.pop_front() {
            if self.slots.get(slot).is_some_and(|entry| entry.number == number && entry.flow.is_none()) {
                return slot;
            }
        }
        let slot = self.idle.oldest().unwrap_or_default();
        self.evicted += 1;
        self.close(slot, out);
        self.closed.pop_back();
        slot
    }

    fn next_number(&mut self) -> u32 {
        let number = self.streams;
        self.streams = self.streams.saturating_add(1);
        number
    }

    /// A SYN on a known pair of endpoints begins another connection when its sequence number is another.
    fn begin_anew_on_syn(&mut self, slot: usize, turned: bool, segment: &Segment<'_>, out: &mut Out<'_, C>) {
        if !segment.flags.syn {
            return;
        }
        let (own, other) = (usize::from(turned), usize::from(!turned));
        let Some(entry) = self.slots.get_mut(slot) else { return };
        if !segment.flags.ack && !entry.may_take_syn(own, segment) {
            let key = entry.key;
            self.close(slot, out);
            let number = self.next_number();
            let Some(entry) = self.slots.get_mut(slot) else { return };
            *entry = Slot::new(key, number, segment);
        }
        let Some(entry) = self.slots.get_mut(slot) else { return };
        if entry.flow.is_none() && !entry.carried && !segment.flags.ack {
            entry.flow = Some(new_flow(entry.number, segment));
        }
        entry.initial[own].get_or_insert(segment.seq);
        if segment.flags.ack {
            entry.initial[other].get_or_insert(segment.ack.wrapping_sub(1));
        }
    }

    /// Closes the flow when it is over, and keeps the bytes held by all within their limit.
    fn look_after(&mut self, slot: usize, out: &mut Out<'_, C>) {
        let Some(entry) = self.slots.get_mut(slot) else { return };
        let Some(flow) = &entry.flow else { return };
        if flow.is_over() {
            return self.close(slot, out);
        }
        let held = flow.held();
        self.held = self.held - entry.held + held;
        entry.held = held;
        while self.held > self.limits.tcp_bytes {
            let Some(oldest) = self.idle.oldest() else { return };
            self.evicted += 1;
            self.close(oldest, out);
        }
    }

    fn close(&mut self, slot: usize, out: &mut Out<'_, C>) {
        let Some(entry) = self.slots.get_mut(slot) else { return };
        let Some(mut flow) = entry.flow.take() else { return };
        self.held -= std::mem::take(&mut entry.held);
        entry.carried = flow.carried_data();
        self.idle.remove(slot);
        if !std::mem::replace(&mut entry.listed, true) {
            self.closed.push_back((slot, entry.number));
        }
        flow.close(&Context { shared: &self.shared, limits: &self.limits }, out);
        note(&mut self.attempts, &flow, self.limits.names);
        if self.closed.len() > 2 * self.slots.len() + 16 {
            let slots = &self.slots;
            let is_closed = |entry: &Slot<C>, number: u32| entry.number == number && entry.flow.is_none();
            self.closed.retain(|(slot, number)| slots.get(*slot).is_some_and(|entry| is_closed(entry, *number)));
        }
    }

    fn pass_deadlines(&mut self, now: Option<Time>, out: &mut Out<'_, C>) {
        while let Some(first) = self.deadlines.front() {
            let by_clock = now.zip(first.at).is_some_and(|(now, at)| now.0.saturating_sub(at.0) >= GRACE);
            if !by_clock && self.segments - first.segments < GRACE_SEGMENTS {
                return;
            }
            let Some(due) = self.deadlines.pop_front() else { return };
            let Some(entry) = self.slots.get_mut(due.slot).filter(|entry| entry.number == due.number) else { continue };
            let Some(flow) = &mut entry.flow else { continue };
            let cx = Context { shared: &self.shared, limits: &self.limits };
            if let Some(since) = flow.grace_passed(due.since, &cx, out) {
                self.deadlines.push_back(Deadline { since, at: now, segments: self.segments, ..due });
            }
            self.look_after(due.slot, out);
        }
    }
}

/// Keeps in mind how a connection came about, if a client was seen to ask for it.
fn note<C: Consumer>(
    attempts: &mut HashMap<(IpAddr, SocketAddr), Option<Attempt>, RandomState>,
    flow: &Flow<C>,
    most: usize,
) {
    let ends = flow.ends();
    let room = attempts.len() < most;
    match (flow.attempt(), attempts.get_mut(&ends)) {
        (Some(attempt), Some(Some(known))) => {
            *known =
                Attempt { times: known.times.saturating_add(attempt.times), at: known.at.or(attempt.at), ..attempt };
        }
        (Some(attempt), None) if room => drop(attempts.insert(ends, Some(attempt))),
        (None, Some(known)) if flow.carried_data() => *known = None,
        _ => {}
    }
}

impl<C: Consumer> Slot<C> {
    /// Whether a SYN belongs to this connection: sent again, or captured late.
    fn may_take_syn(&self, own: usize, segment: &Segment<'_>) -> bool {
        match (self.initial[own], &self.flow) {
            (Some(initial), _) => initial == segment.seq,
            (None, Some(flow)) => flow.is_untouched() || flow.may_begin_after(segment, LATE_SYN),
            (None, None) => false,
        }
    }
}

/// Without a SYN the side with the higher port is taken for the client, until it is seen what the sides say.
fn new_flow<C: Consumer>(number: u32, segment: &Segment<'_>) -> Box<Flow<C>> {
    let (source, destination) = (segment.source, segment.destination);
    let from_server = if segment.flags.syn { segment.flags.ack } else { source.port() < destination.port() };
    let (client, server) = if from_server { (destination, source) } else { (source, destination) };
    Box::new(Flow::new(number, client, server))
}
