//! One TLS connection: takes records off two streams and puts plaintext into two others.
//!
//! After a gap the next record is searched; what the gap took is a gap in the plaintext too, of known length where it lies
//! within one record. Bounds: a side waits for the other's hello with at most [`MAX_WAIT`] bytes.

use super::facts::{Handshake, Seen};
use super::half::Half;
use super::handshake::{self, ClientHello};
use super::keys::Keys;
use super::negotiation::{CLIENT, Negotiation, SERVER};
use super::record::{self, HEADER, Header, Kind};
use crate::origin::Span;
use crate::stream::{End, Stream};

/// Bytes of one side that wait for the other side's hello.
const MAX_WAIT: usize = 256 * 1024;
/// Bytes of encrypted records after which a connection without keys tells nothing more.
const ENOUGH: u64 = 64 * 1024;
/// Records that no key opened after which the keys are taken for wrong.
const MAX_FAILED: u32 = 64;
/// Bytes kept of the first line of an answer in clear text.
const MAX_ANSWER: usize = 200;
/// The last bytes kept of a record with a hole: a block of the largest cipher.
const TAIL: usize = 16;

/// What the caller still expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// More bytes may come.
    Running,
    /// No more bytes will come; more keys may.
    Closing,
    /// Nothing more will come.
    Final,
}

/// See the module's head.
#[derive(Debug)]
pub struct Tls {
    negotiation: Negotiation,
    halves: [Half; 2],
    framing: [Framing; 2],
    waits_for_keys: bool,
    from_start: bool,
    plain: Vec<u8>,
}

/// Where one side's stream stands.
#[derive(Debug, Default)]
enum Framing {
    /// At the beginning of a record.
    #[default]
    Aligned,
    /// Somewhere: the next record is searched.
    Astray,
    /// In a record of which bytes are missing.
    Passing { header: Header, left: usize, tail: Vec<u8> },
}

/// What became of a record.
enum Verdict {
    Done,
    Wait,
}

impl Tls {
    /// A connection; `from_start` when its first bytes are known to be those that follow.
    pub fn new(keys: Keys, from_start: bool) -> Tls {
        Tls {
            negotiation: Negotiation::new(keys),
            halves: Default::default(),
            framing: Default::default(),
            waits_for_keys: false,
            from_start,
            plain: Vec::new(),
        }
    }

    /// What is known of the connection.
    pub fn facts(&self) -> &Handshake {
        &self.negotiation.facts
    }

    /// Bytes held besides those in the streams.
    pub fn held(&self) -> usize {
        let messages: usize = self.halves.iter().map(|half| half.messages.held()).sum();
        messages + self.negotiation.held() + self.plain.capacity()
    }

    /// Whether it is kept because its keys may still come.
    pub fn waits_for_keys(&self) -> bool {
        self.waits_for_keys
    }

    /// Whether no further byte can tell anything.
    pub fn is_exhausted(&self) -> bool {
        let opened = self.halves.iter().any(|half| half.opened > 0);
        let sealed: u64 = self.halves.iter().map(|half| half.sealed.1).sum();
        let wrong = self.halves.iter().any(|half| half.failed > MAX_FAILED);
        let keyless = self.halves.iter().all(Half::is_keyless);
        !opened && !self.waits_for_keys && (wrong || keyless && sealed > ENOUGH)
    }

    /// Takes one record, of the side that sent first; plaintext goes to `plain`. False when there is none that can be taken.
    pub fn step(&mut self, cipher: &mut [Stream; 2], plain: &mut [Stream; 2], phase: Phase) -> bool {
        let first = cipher.each_ref().map(|stream| stream.time_at(0).filter(|_| !stream.bytes().is_empty()));
        let order = match first {
            [Some(client), Some(server)] if server.0 < client.0 => [SERVER, CLIENT],
            _ => [CLIENT, SERVER],
        };
        order.into_iter().any(|side| self.take(side, cipher, &mut plain[side], phase))
    }

    /// Ends the plaintext as the connection ended, and says why nothing was decrypted if so.
    pub fn finish(&mut self, cipher: &[Stream; 2], plain: &mut [Stream; 2]) {
        for side in [CLIENT, SERVER] {
            plain[side].close(cipher[side].end().unwrap_or(End::Unknown));
            if self.halves[side].is_clear() {
                self.negotiation.cut_message(side, &mut self.halves);
            }
        }
        let spoke = cipher[SERVER].end_offset() > 0;
        let ends = cipher.each_ref().map(Stream::end);
        self.negotiation.facts.set(|facts| (facts.server_spoke, facts.ends) = (spoke, ends));
        let cut = cipher.iter().any(|stream| stream.end().is_none_or(|end| end == End::Unknown));
        let sealed = self.negotiation.why_sealed(&self.halves, cut);
        self.negotiation.facts.set(|facts| facts.sealed = sealed);
    }

    /// Takes one record of this side, or one step towards the next.
    fn take(&mut self, side: usize, cipher: &mut [Stream; 2], plain: &mut Stream, phase: Phase) -> bool {
        let stream = &mut cipher[side];
        let ended = phase > Phase::Running || stream.end().is_some();
        match self.framing[side] {
            Framing::Passing { .. } => return self.pass_on(side, stream, plain, ended),
            Framing::Astray => return self.search(side, stream, ended),
            Framing::Aligned => {}
        }
        let bytes = stream.bytes();
        if side == CLIENT && self.negotiation.client.is_none() && handshake::is_old_hello(bytes) {
            let hello = ClientHello::read_old(bytes);
            if hello.is_none() && stream.next_gap().is_none() && !ended {
                return false;
            }
            if let Some((len, hello)) = hello {
                self.negotiation.here = Seen::of(&stream.origin_of(Span::new(0, 1)));
                stream.consume(len);
                self.negotiation.begin(hello);
                return true;
            }
        }
        let Some(header) = Header::of(bytes) else {
            if bytes.len() >= HEADER {
                let hellos = (self.negotiation.client.is_some(), self.negotiation.server.is_some());
                if side == SERVER && hellos == (true, false) && bytes.starts_with(b"HTTP/") {
                    self.plain_answer(bytes, Seen::of(&stream.origin_of(Span::new(0, 1))));
                }
                self.go_astray(side, 0, plain);
                return true;
            }
            // The beginning of a header, or nothing.
            let Some(gap) = stream.skip_gap() else { return false };
            self.go_astray(side, gap.len.unwrap_or(u64::MAX), plain);
            return true;
        };
        if bytes.len() < HEADER + header.len {
            return self.begin_passing(side, header, stream, plain, ended);
        }
        if self.must_wait(side, header, cipher, phase) {
            return false;
        }
        let stream = &mut cipher[side];
        match self.record(side, header, stream, plain, phase) {
            Verdict::Done => stream.consume(HEADER + header.len),
            Verdict::Wait => return false,
        }
        true
    }

    /// Whether a record can only be read once the other side's hello was, or its answer to early data.
    fn must_wait(&self, side: usize, header: Header, cipher: &[Stream; 2], phase: Phase) -> bool {
        let needs = match side {
            CLIENT if self.negotiation.server.is_none() => {
                !(self.halves[CLIENT].is_clear() && header.kind == Kind::Handshake)
            }
            CLIENT => header.kind == Kind::Data && self.negotiation.awaits_early(&self.halves),
            _ => self.negotiation.client.is_none(),
        };
        let other = 1 - side;
        let may_come = !self.halves[other].harmed && cipher[other].next_gap().is_none() && self.from_start;
        let short = phase == Phase::Running && cipher[side].held() < MAX_WAIT;
        needs && header.kind != Kind::Alert && may_come && short
    }

    /// The server answers a hello in clear text.
    fn plain_answer(&mut self, bytes: &[u8], seen: Seen) {
        let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let line = String::from_utf8_lossy(line.get(..MAX_ANSWER).unwrap_or(line)).into_owned();
        self.negotiation.facts.set(|facts| {
            facts.plain_answer.get_or_insert(line);
            facts.answer = seen;
        });
    }

    /// Bytes were lost with which up to so many records went; it is not known where the next one begins.
    fn go_astray(&mut self, side: usize, bytes: u64, plain: &mut Stream) {
        self.framing[side] = Framing::Astray;
        self.halves[side].lose((bytes / HEADER as u64).saturating_add(1));
        plain.gap(None);
    }

    /// Searches the beginning of the next record.
    fn search(&mut self, side: usize, stream: &mut Stream, ended: bool) -> bool {
        let bytes = stream.bytes();
        let more = stream.next_gap().is_none() && !ended;
        // Too few to tell, and more are to come.
        if bytes.len() < HEADER && more {
            return false;
        }
        if let Some(at) = record::find(bytes) {
            self.framing[side] = Framing::Aligned;
            stream.consume(at);
            return true;
        }
        let count = bytes.len().saturating_sub(if more { HEADER - 1 } else { 0 });
        stream.consume(count);
        let gap = if more { None } else { stream.skip_gap() };
        let lost = (count as u64).saturating_add(gap.map_or(0, |gap| gap.len.unwrap_or(u64::MAX)));
        self.halves[side].lose(lost / HEADER as u64);
        count > 0 || gap.is_some()
    }

    /// A record that is not whole: waits for the rest, or passes over the hole where that lies within the record.
    fn begin_passing(
        &mut self,
        side: usize,
        header: Header,
        stream: &mut Stream,
        plain: &mut Stream,
        ended: bool,
    ) -> bool {
        if stream.next_gap().is_none() && !ended {
            return false;
        }
        let have = stream.bytes().get(HEADER..).unwrap_or_default();
        let left = header.len.saturating_sub(have.len());
        if header.kind == Kind::Handshake && self.halves[side].is_clear() {
            self.negotiation.here = Seen::of(&stream.origin_of(Span::new(0, 1)));
            self.halves[side].messages.push(have);
            self.negotiation.cut_message(side, &mut self.halves);
        }
        let Some(gap) = stream.skip_gap() else {
            let count = stream.bytes().len();
            stream.consume(count);
            self.go_astray(side, 0, plain);
            return true;
        };
        match gap.len.and_then(|len| usize::try_from(len).ok()).and_then(|len| left.checked_sub(len)) {
            Some(left) => self.framing[side] = Framing::Passing { header, left, tail: Vec::new() },
            None => self.go_astray(side, gap.len.map_or(u64::MAX, |len| len - left as u64), plain),
        }
        true
    }

    /// Passes over what is left of a record with a hole.
    fn pass_on(&mut self, side: usize, stream: &mut Stream, plain: &mut Stream, ended: bool) -> bool {
        let Framing::Passing { header, left, tail } = &mut self.framing[side] else { return false };
        let bytes = stream.bytes();
        let count = (*left).min(bytes.len());
        tail.extend_from_slice(bytes.get(..count).unwrap_or_default());
        tail.drain(..tail.len().saturating_sub(TAIL));
        *left -= count;
        stream.consume(count);
        if *left == 0 {
            let missing = self.halves[side].pass(*header, tail);
            plain.gap(missing.map(|len| len as u64));
            self.framing[side] = Framing::Aligned;
            return true;
        }
        let Some(gap) = stream.skip_gap() else {
            if ended && count == 0 {
                self.go_astray(side, 0, plain);
            }
            return count > 0 || ended;
        };
        tail.clear();
        match gap.len.and_then(|len| usize::try_from(len).ok()).and_then(|len| left.checked_sub(len)) {
            Some(rest) => *left = rest,
            None => self.go_astray(side, gap.len.unwrap_or(u64::MAX), plain),
        }
        true
    }

    /// A whole record.
    fn record(&mut self, side: usize, header: Header, stream: &Stream, plain: &mut Stream, phase: Phase) -> Verdict {
        let content = stream.bytes().get(HEADER..HEADER + header.len).unwrap_or_default();
        if matches!(header.kind, Kind::Handshake | Kind::Alert) {
            self.negotiation.here = Seen::of(&stream.origin_of(Span::new(0, 1)));
        }
        let is_13 = self.negotiation.is_13();
        let clear = self.halves[side].is_clear();
        match header.kind {
            // TLS 1.3 sends it for the sake of middleboxes.
            Kind::ChangeCipherSpec if is_13 || self.negotiation.server.is_none() => Verdict::Done,
            Kind::ChangeCipherSpec => {
                if self.wait_for_keys(side, stream.held(), phase) {
                    return Verdict::Wait;
                }
                self.halves[side].change_cipher();
                Verdict::Done
            }
            // In TLS 1.3 too alerts come in the clear where the sender has no keys yet.
            Kind::Alert if content.len() == 2 && (clear || is_13) => {
                self.alert(side, content, plain);
                Verdict::Done
            }
            Kind::Handshake if clear && self.halves[side].lost == 0 => {
                self.handshake(side, content);
                Verdict::Done
            }
            _ => self.sealed(side, header, stream, plain, phase),
        }
    }

    /// A record that is encrypted, or may be.
    fn sealed(&mut self, side: usize, header: Header, stream: &Stream, plain: &mut Stream, phase: Phase) -> Verdict {
        if self.halves[side].is_keyless() && self.wait_for_keys(side, stream.held(), phase) {
            return Verdict::Wait;
        }
        let content = stream.bytes().get(HEADER..HEADER + header.len).unwrap_or_default();
        let half = &mut self.halves[side];
        if header.kind == Kind::Handshake && half.is_clear() && half.is_keyless() {
            // In the clear, after others were lost.
            half.lost = 0;
            self.handshake(side, content);
            return Verdict::Done;
        }
        half.sealed = (half.sealed.0.saturating_add(1), half.sealed.1.saturating_add(header.len as u64));
        let mut out = std::mem::take(&mut self.plain);
        let opened = half.open(header, content, &mut out);
        if opened.as_ref().is_some_and(|opened| opened.kind != Kind::Data) {
            self.negotiation.here = Seen::of(&stream.origin_of(Span::new(0, 1)));
        }
        match opened {
            Some(opened) => match opened.kind {
                Kind::Data if half.is_refused() => {}
                Kind::Data if !out.is_empty() => {
                    let start = HEADER + opened.skipped;
                    plain.append_mapped(&out, &stream.origin_of(Span::new(start, start + out.len())).in_place());
                    plain.seen = true;
                    if !self.negotiation.facts.get(|facts| facts.decrypted) {
                        self.negotiation.facts.set(|facts| facts.decrypted = true);
                    }
                }
                Kind::Handshake => self.handshake(side, &out),
                Kind::Alert => self.alert(side, &out, plain),
                _ => {}
            },
            None if header.kind == Kind::Data && half.opened > 0 => plain.gap(None),
            None => {}
        }
        self.plain = out;
        if self.halves.iter().all(|half| half.sealed.0 > 0) && !self.negotiation.facts.get(|facts| facts.completed) {
            self.negotiation.facts.set(|facts| facts.completed = true);
        }
        Verdict::Done
    }

    /// Looks for keys where there are none; whether to wait until they come.
    fn wait_for_keys(&mut self, side: usize, held: usize, phase: Phase) -> bool {
        self.waits_for_keys = false;
        if !self.halves[side].next.is_empty() {
            return false;
        }
        self.negotiation.try_keys(&mut self.halves);
        if !self.halves[side].is_keyless() || phase == Phase::Final {
            return false;
        }
        let hellos = self.negotiation.client.is_some() && self.negotiation.server.is_some();
        self.waits_for_keys = hellos && self.negotiation.keys.store().may_come(held);
        self.waits_for_keys
    }

    fn handshake(&mut self, side: usize, content: &[u8]) {
        self.halves[side].messages.push(content);
        self.negotiation.messages(side, &mut self.halves);
    }

    fn alert(&mut self, side: usize, content: &[u8], plain: &mut Stream) {
        if self.negotiation.alert(side, content) {
            plain.close(if content.get(1) == Some(&0) { End::Closed } else { End::Reset });
        }
    }
}
