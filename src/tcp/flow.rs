//! One connection: two halves, their streams, and who reads them.
//!
//! Bytes reach the consumer in an order that could have happened: none before those of the other direction that its
//! sender had acknowledged. Missing bytes are declared a gap when the receiver acknowledged them and they did not
//! turn up within the grace, when too much waits for them, or when the connection ends.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::half::{Half, Part};
use super::{Attempt, Consumer, Opening, Role, Segment};
use crate::limits::Limits;
use crate::stream::{End, Stream};
use crate::time::Time;

/// Segments of a connection after which a byte that the receiver has is not expected any more.
/// Capturing on several queues reorders packets by a few tens.
const GRACE_SEGMENTS: u64 = 64;

const CLIENT: usize = 0;
const SERVER: usize = 1;

/// Where events go.
pub(super) type Out<'a, C> = dyn FnMut(<C as Consumer>::Event) + 'a;

/// What a flow needs to know to open its consumer.
pub(super) struct Context<'a, C: Consumer> {
    pub(super) shared: &'a C::Context,
    pub(super) limits: &'a Arc<Limits>,
}

/// Bytes of a direction that are waited for, though the receiver has them or they come before the first seen.
#[derive(Clone, Copy, Debug)]
struct Blocked {
    /// Segments of the connection seen when it began.
    since: u64,
    /// The first missing byte, to know when it came after all.
    next: u64,
    /// What the receiver had then.
    acked: u64,
}

/// One connection. `halves` and `streams` have the client's direction first.
pub(super) struct Flow<C> {
    number: u32,
    endpoints: [SocketAddr; 2],
    roles_known: bool,
    from_start: bool,
    halves: [Half; 2],
    streams: [Stream; 2],
    consumer: Option<C>,
    segments: u64,
    blocked: [Option<Blocked>; 2],
    /// Directions that were waited for in vain: the capture is one-sided.
    absent: [bool; 2],
    reset_at: Option<u64>,
    over: bool,
    last: Option<Time>,
}

impl<C: Consumer> Flow<C> {
    pub(super) fn new(number: u32, client: SocketAddr, server: SocketAddr) -> Flow<C> {
        Flow {
            number,
            endpoints: [client, server],
            roles_known: false,
            from_start: false,
            halves: [Half::new(), Half::new()],
            streams: Default::default(),
            consumer: None,
            segments: 0,
            blocked: [None; 2],
            absent: [false; 2],
            reset_at: None,
            over: false,
            last: None,
        }
    }

    /// Whether no segment of it has come yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.segments == 0
    }

    /// Whether a consumer was given bytes.
    pub(super) fn carried_data(&self) -> bool {
        self.consumer.is_some()
    }

    /// The client's address, and the server's with its port.
    pub(super) fn ends(&self) -> (IpAddr, SocketAddr) {
        let [client, server] = self.endpoints;
        (client.ip(), server)
    }

    /// What it was if it was but an attempt: a client's SYN that was refused, or that was sent again and not answered.
    pub(super) fn attempt(&self) -> Option<Attempt> {
        let [client, server] = self.endpoints;
        let asked = self.roles_known && self.streams[CLIENT].from_start && self.consumer.is_none();
        let silent = !self.streams[SERVER].seen && self.reset_at.is_none() && self.segments > 1;
        // A server that refuses has sent no SYN.
        let refused = self.streams[SERVER].seen && !self.streams[SERVER].from_start && self.reset_at.is_some();
        let times = u32::try_from(self.segments).unwrap_or(u32::MAX);
        let times = if refused { times / 2 } else { times };
        let attempt = Attempt { client: client.ip(), server, times: times.max(1), refused, at: self.last };
        (asked && (silent || refused)).then_some(attempt)
    }

    /// Whether this SYN can be the one that began what was seen so far.
    pub(super) fn may_begin_after(&self, syn: &Segment<'_>, within: u64) -> bool {
        self.halves[self.sender_of(syn)].may_begin_after(syn.seq, within)
    }

    /// Takes one segment. When the flow just came to wait for missing bytes, the answer is what the table gives to
    /// [`Flow::grace_passed`] in a while.
    pub(super) fn segment(&mut self, segment: &Segment<'_>, cx: &Context<'_, C>, out: &mut Out<'_, C>) -> Option<u64> {
        self.segments += 1;
        self.last = segment.at.or(self.last);
        self.learn_roles(segment);
        let sender = self.sender_of(segment);
        let needs = self.learn(sender, segment, cx.limits.stream_bytes as u64);
        let seq = segment.seq.wrapping_add(u32::from(segment.flags.syn));

        let mut moved = false;
        if !segment.payload.is_empty() || segment.cut > 0 {
            let part = Part::new(segment.payload, &segment.origin, segment.cut);
            let ready = self.may_follow(1 - sender, needs);
            moved = self.halves[sender].take(part, seq, needs, ready, &mut self.streams[sender]);
        }
        if segment.flags.fin {
            let sent = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX).wrapping_add(segment.cut);
            self.halves[sender].finish(seq.wrapping_add(sent));
        }
        if segment.flags.rst {
            self.reset_at.get_or_insert(self.segments);
        }
        if moved {
            self.advance(cx, out);
        }
        self.deliver(cx, out);
        if self.is_in_order() {
            return None;
        }
        self.keep_bounds(cx, out);
        self.give_up_before(self.segments.saturating_sub(GRACE_SEGMENTS), cx, out);
        self.note_blocked()
    }

    /// Whether nothing waits for anything, and nothing did.
    fn is_in_order(&self) -> bool {
        let in_order = self.streams.iter().zip(&self.halves).all(|(stream, half)| stream.seen && half.is_in_order());
        in_order && self.reset_at.is_none() && self.blocked.iter().all(Option::is_none)
    }

    /// Gives up waiting for what was already missing when `since` was answered.
    pub(super) fn grace_passed(&mut self, since: u64, cx: &Context<'_, C>, out: &mut Out<'_, C>) -> Option<u64> {
        self.give_up_before(since, cx, out);
        self.note_blocked()
    }

    /// Ends the connection: what waits is delivered with gaps before it.
    pub(super) fn close(&mut self, cx: &Context<'_, C>, out: &mut Out<'_, C>) {
        while self.give_up_one([u64::MAX; 2], cx, out) || self.release_unordered(cx, out) {}
        let end = if self.reset_at.is_some() { End::Reset } else { End::Unknown };
        for stream in &mut self.streams {
            stream.close(end);
        }
        if let Some(consumer) = &mut self.consumer {
            consumer.close(&mut self.streams, self.last, out);
        }
    }

    /// Whether nothing more is to come, or to be read.
    pub(super) fn is_over(&self) -> bool {
        let ended = self.streams.iter().all(|stream| stream.end().is_some());
        ended || self.over || self.is_ignored()
    }

    /// Whether its consumer wants no more bytes.
    fn is_ignored(&self) -> bool {
        self.consumer.as_ref().is_some_and(|consumer| !consumer.wants_more())
    }

    /// Bytes held for it.
    pub(super) fn held(&self) -> usize {
        let streams: usize = self.streams.iter().map(Stream::held).sum();
        let waiting: usize = self.halves.iter().map(Half::held).sum();
        streams + waiting + self.consumer.as_ref().map_or(0, Consumer::held)
    }

    fn sender_of(&self, segment: &Segment<'_>) -> usize {
        if segment.source == self.endpoints[CLIENT] { CLIENT } else { SERVER }
    }

    /// A SYN tells which side is the client.
    fn learn_roles(&mut self, segment: &Segment<'_>) {
        if segment.flags.syn && !self.roles_known && self.consumer.is_none() {
            let from_client = self.sender_of(segment) == CLIENT;
            if from_client == segment.flags.ack {
                self.swap();
            }
            self.roles_known = true;
        }
    }

    /// Takes what the header says; returns the offset of the other direction that the sender had got.
    fn learn(&mut self, sender: usize, segment: &Segment<'_>, plausible: u64) -> u64 {
        let flags = segment.flags;
        self.streams[sender].seen = true;
        if flags.syn {
            self.from_start = true;
            self.begin(sender, segment.seq.wrapping_add(1));
            if flags.ack {
                self.begin(1 - sender, segment.ack);
            }
        } else {
            self.halves[sender].place(segment.seq);
        }
        if flags.ack && !flags.rst { self.halves[1 - sender].acknowledge(segment.ack, plausible) } else { 0 }
    }

    fn begin(&mut self, sender: usize, seq: u32) {
        self.halves[sender].begin(seq);
        self.streams[sender].from_start = true;
    }

    fn swap(&mut self) {
        self.endpoints.swap(0, 1);
        self.halves.swap(0, 1);
        self.streams.swap(0, 1);
        self.blocked.swap(0, 1);
        self.absent.swap(0, 1);
    }

    /// Whether bytes that follow `needs` of `direction` may be delivered.
    fn may_follow(&self, direction: usize, needs: u64) -> bool {
        self.is_absent(direction) || self.halves[direction].satisfies(needs)
    }

    /// Moves to the streams what may be moved, in an order that could have happened.
    fn deliver(&mut self, cx: &Context<'_, C>, out: &mut Out<'_, C>) {
        loop {
            let mut moved = false;
            for sender in [CLIENT, SERVER] {
                while self.release(sender) {
                    moved = true;
                    self.advance(cx, out);
                }
                if self.halves[sender].close_if_finished(&mut self.streams[sender]) {
                    moved = true;
                    self.advance(cx, out);
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn release(&mut self, sender: usize) -> bool {
        let absent = self.is_absent(1 - sender);
        let [client, server] = &mut self.halves;
        let (half, other) = if sender == CLIENT { (client, server) } else { (server, client) };
        half.release(|needs| absent || other.satisfies(needs), &mut self.streams[sender])
    }

    /// Lets the consumer read; opens it with the first bytes.
    fn advance(&mut self, cx: &Context<'_, C>, out: &mut Out<'_, C>) {
        if self.consumer.is_none() {
            if self.streams.iter().all(|stream| stream.held() == 0) {
                return;
            }
            self.open(cx);
        }
        if let Some(consumer) = &mut self.consumer {
            consumer.advance(&mut self.streams, out);
        }
    }

    fn open(&mut self, cx: &Context<'_, C>) {
        if !self.roles_known {
            let speaks = |stream: &Stream, role: Role| C::speaker(stream.bytes()) == Some(role);
            if speaks(&self.streams[CLIENT], Role::Server) || speaks(&self.streams[SERVER], Role::Client) {
                self.swap();
            }
            self.roles_known = true;
        }
        let [client, server] = self.endpoints;
        let opening = Opening { number: self.number, client, server, from_start: self.from_start };
        self.consumer = Some(C::open(cx.shared, opening, cx.limits));
    }

    /// Declares gaps until what waits is within the limits.
    fn keep_bounds(&mut self, cx: &Context<'_, C>, out: &mut Out<'_, C>) {
        let over = |half: &Half| {
            let (segments, bytes) = half.waiting();
            segments > cx.limits.out_of_order || bytes > cx.limits.stream_bytes
        };
        while self.halves.iter().any(over)
            && (self.give_up_one([u64::MAX; 2], cx, out) || self.release_unordered(cx, out))
        {}
    }

    /// Keeps count of since when something is waited for; an answer when that is now.
    fn note_blocked(&mut self) -> Option<u64> {
        let mut began = self.reset_at.filter(|since| *since == self.segments && !self.over);
        for direction in [CLIENT, SERVER] {
            let half = &self.halves[direction];
            let (next, acked) = half.progress();
            let unknown = self.is_unsettled(direction) || self.is_awaited(direction);
            let blocked = unknown || self.hole(direction, acked).is_some();
            let known = self.blocked[direction].filter(|known| known.next == next);
            self.blocked[direction] = match known {
                _ if !blocked => None,
                Some(known) => Some(known),
                None => {
                    began = Some(self.segments);
                    Some(Blocked { since: self.segments, next, acked })
                }
            };
        }
        began
    }

    /// Gives up waiting for what was missing when `since` segments had come.
    fn give_up_before(&mut self, since: u64, cx: &Context<'_, C>, out: &mut Out<'_, C>) {
        let late = self.blocked.map(|blocked| blocked.filter(|blocked| blocked.since <= since));
        if late.iter().any(Option::is_some) {
            let upto = late.map(|blocked| blocked.map_or(0, |blocked| blocked.acked));
            for direction in [CLIENT, SERVER].into_iter().filter(|direction| late[*direction].is_some()) {
                self.settle(direction);
            }
            self.deliver(cx, out);
            while self.give_up_one(upto, cx, out) {}
        }
        self.over |= self.reset_at.is_some_and(|reset| reset <= since);
    }

    /// Ends waiting for a direction's first bytes. False when they are not waited for.
    fn settle(&mut self, direction: usize) -> bool {
        let (unsettled, awaited) = (self.is_unsettled(direction), self.is_awaited(direction));
        if unsettled {
            self.halves[direction].settle();
        }
        self.absent[direction] |= awaited;
        unsettled || awaited
    }

    /// Settles where the streams begin, or declares one gap, and delivers what that sets free. False when there is
    /// nothing to give up before the offsets `upto`.
    fn give_up_one(&mut self, upto: [u64; 2], cx: &Context<'_, C>, out: &mut Out<'_, C>) -> bool {
        let settled = upto == [u64::MAX; 2] && [CLIENT, SERVER].map(|direction| self.settle(direction)).contains(&true);
        let gap = |direction: usize| self.hole(direction, upto[direction]).map(|end| (direction, end));
        if settled {
            // What was unknown is so no more: gaps come after what that sets free.
        } else if let Some((direction, end)) = gap(CLIENT).or_else(|| gap(SERVER)) {
            self.halves[direction].skip_to(end, &mut self.streams[direction]);
            self.advance(cx, out);
        } else {
            return false;
        }
        self.deliver(cx, out);
        true
    }

    /// Two directions that wait for each other have lied about what they got: the client's bytes go first.
    fn release_unordered(&mut self, cx: &Context<'_, C>, out: &mut Out<'_, C>) -> bool {
        let freed =
            [CLIENT, SERVER].into_iter().any(|sender| self.halves[sender].release(|_| true, &mut self.streams[sender]));
        if freed {
            self.advance(cx, out);
            self.deliver(cx, out);
        }
        freed
    }

    fn is_unsettled(&self, direction: usize) -> bool {
        self.streams[direction].seen && !self.halves[direction].is_settled()
    }

    fn is_absent(&self, direction: usize) -> bool {
        self.absent[direction] && !self.streams[direction].seen
    }

    /// Whether bytes wait for those of a direction of which nothing came yet.
    fn is_awaited(&self, direction: usize) -> bool {
        let unseen = !self.streams[direction].seen && !self.absent[direction];
        unseen && !self.halves[direction].satisfies(self.halves[1 - direction].wants())
    }

    /// End of the first hole of a direction, when it ends before `upto`.
    fn hole(&self, direction: usize, upto: u64) -> Option<u64> {
        if !self.streams[direction].seen {
            return None;
        }
        self.halves[direction].hole(self.halves[1 - direction].wants()).filter(|end| *end <= upto)
    }
}
