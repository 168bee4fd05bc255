//! A connection over TLS: what `tls` decrypts goes to a [`Conn`] of its own, which finds out what is spoken inside.
//!
//! In: the two streams of records. Out: the events of what is inside, or one event that says why it cannot be read. A
//! connection whose keys may still come is parked when it ends; `limits.{parked, parked_in_all}` bound that.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Conn, Connection, Encrypted, Event, InputId};
use crate::limits::Limits;
use crate::origin::{Origin, Span};
use crate::stream::Stream;
use crate::tcp::Consumer;
use crate::time::Time;
use crate::tls::{Keys, Phase, Sealed, Tls};

/// What all connections of an input share.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The input.
    pub input: InputId,
    /// What decrypts.
    pub keys: Keys,
    /// The connections that are read; all where it does not say.
    only: Option<Arc<HashSet<u32>>>,
    parked: Arc<Mutex<Parked>>,
}

impl From<InputId> for Source {
    /// An input without keys.
    fn from(input: InputId) -> Source {
        Source { input, ..Source::default() }
    }
}

/// Connections that ended before their keys came.
#[derive(Debug, Default)]
struct Parked {
    all: Vec<(Box<Secure>, [Stream; 2], Option<Time>)>,
    held: usize,
}

impl Source {
    /// An input with the keys of the run.
    pub fn new(input: InputId, keys: Keys) -> Source {
        Source { input, keys, ..Source::default() }
    }

    /// Reads these connections alone. The others keep their numbers.
    pub fn only(self, connections: HashSet<u32>) -> Source {
        Source { only: Some(Arc::new(connections)), ..self }
    }

    /// Whether a connection is read.
    pub(super) fn wants(&self, connection: u32) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&connection))
    }

    /// Reads the connections that ended before their keys came; no more keys will come.
    pub fn read_parked(&self, out: &mut dyn FnMut(Event)) {
        let parked = std::mem::take(&mut *self.parked.lock().unwrap_or_else(PoisonError::into_inner));
        for (mut secure, mut streams, at) in parked.all {
            secure.close(&mut streams, at, Phase::Final, out);
        }
    }

    /// Keeps a connection; gives it back when there is no room.
    fn park(
        &self,
        secure: Box<Secure>,
        streams: &mut [Stream; 2],
        at: Option<Time>,
        limits: &Limits,
    ) -> Option<Box<Secure>> {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        let held: usize = streams.iter().map(Stream::held).sum();
        if parked.held + held > limits.parked_in_all {
            return Some(secure);
        }
        parked.held += held;
        parked.all.push((secure, std::mem::take(streams), at));
        None
    }
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Secure {
    tls: Tls,
    plain: [Stream; 2],
    inner: Box<Conn>,
    connection: Arc<Connection>,
    origin: Origin,
}

impl Secure {
    /// TLS on this connection, after `exchanges` in the clear.
    pub(super) fn new(
        outer: &Connection,
        source: &Source,
        exchanges: u32,
        from_start: bool,
        streams: &[Stream; 2],
        limits: &Arc<Limits>,
        depth: u32,
    ) -> Secure {
        let tls = Tls::new(source.keys.clone(), from_start);
        tls.facts().set(|facts| facts.proxied = exchanges > 0);
        let handshake = Some(tls.facts().clone());
        let connection = Arc::new(Connection { tls: Some(true), handshake, ..outer.clone() });
        let first = streams.iter().find(|stream| !stream.bytes().is_empty());
        let origin = first.map(|stream| stream.origin_of(Span::new(0, 1))).unwrap_or_default();
        let inner =
            Box::new(Conn::inside(connection.clone(), source.clone(), exchanges, from_start, limits.clone(), depth));
        let mut plain: [Stream; 2] = Default::default();
        plain.iter_mut().for_each(|stream| stream.from_start = from_start);
        Secure { tls, plain, inner, connection, origin }
    }

    /// Reads on; false when nothing more can come of it.
    pub(super) fn advance(&mut self, streams: &mut [Stream; 2], phase: Phase, out: &mut dyn FnMut(Event)) -> bool {
        while self.tls.step(streams, &mut self.plain, phase) {
            if self.plain.iter().any(|stream| stream.seen) {
                self.inner.advance(&mut self.plain, out);
            }
        }
        !self.tls.is_exhausted() && self.inner.wants_more()
    }

    /// Ends it, or parks it where its keys may still come.
    pub(super) fn end(
        mut self: Box<Self>,
        streams: &mut [Stream; 2],
        at: Option<Time>,
        source: &Source,
        limits: &Limits,
        out: &mut dyn FnMut(Event),
    ) {
        self.advance(streams, Phase::Closing, out);
        let rest = if self.tls.waits_for_keys() { source.park(self, streams, at, limits) } else { Some(self) };
        if let Some(mut secure) = rest {
            secure.close(streams, at, Phase::Final, out);
        }
    }

    /// Ends it, and says why nothing could be read if so.
    pub(super) fn close(
        &mut self,
        streams: &mut [Stream; 2],
        at: Option<Time>,
        phase: Phase,
        out: &mut dyn FnMut(Event),
    ) {
        self.advance(streams, phase, out);
        self.tls.finish(streams, &mut self.plain);
        let (sealed, server_name) = self.tls.facts().get(|facts| (facts.sealed, facts.server_name.clone()));
        if sealed.is_some_and(|sealed| sealed != Sealed::Empty) {
            let (connection, origin) = (self.connection.clone(), self.origin.clone());
            out(Event::Encrypted(Encrypted { connection, server_name, origin, connections: 1 }));
        }
        self.inner.close(&mut self.plain, at, out);
    }

    /// Bytes held besides those in the streams of records.
    pub(super) fn held(&self) -> usize {
        self.tls.held() + self.plain.iter().map(Stream::held).sum::<usize>() + self.inner.held()
    }
}
