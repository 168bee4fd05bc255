//! TCP: segments in, two ordered [`Stream`]s per connection out.
//!
//! [`Table`] finds and numbers the connections, `flow` is one of them, `half` one of its directions. What reads the
//! streams is a [`Consumer`]; bounds are `limits.{flows, out_of_order, stream_bytes, tcp_bytes}`.

mod flow;
mod half;
mod idle;
mod table;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::limits::Limits;
use crate::origin::{Origin, Run};
use crate::stream::Stream;
use crate::time::Time;

pub use table::Table;

/// Who reads the two streams of a connection.
pub trait Consumer: Sized {
    /// What all connections of an input share.
    type Context;
    /// What it makes of the bytes.
    type Event;

    /// A connection whose first bytes are about to be given.
    fn open(context: &Self::Context, opening: Opening, limits: &Arc<Limits>) -> Self;

    /// Which side sends such bytes first, where they tell: asked when no SYN was captured.
    fn speaker(first: &[u8]) -> Option<Role>;

    /// Bytes, a gap or an end came to one of the streams: client to server, server to client. Gaps are to be passed
    /// over, and no more bytes left in a stream than are needed to go on.
    fn advance(&mut self, streams: &mut [Stream; 2], out: &mut dyn FnMut(Self::Event));

    /// Nothing more will come; both streams have an end.
    fn close(&mut self, streams: &mut [Stream; 2], at: Option<Time>, out: &mut dyn FnMut(Self::Event));

    /// Bytes it holds besides those in the streams: they count against `limits.tcp_bytes`.
    fn held(&self) -> usize;

    /// False when it will not look at another byte: the connection is then closed and its memory freed.
    fn wants_more(&self) -> bool;
}

/// What is known of a connection when its first bytes come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Its number in the input, from 0.
    pub number: u32,
    /// The side that opened it.
    pub client: SocketAddr,
    /// The other one.
    pub server: SocketAddr,
    /// Whether its start was captured: nothing came before.
    pub from_start: bool,
}

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The side that opened it.
    Client,
    /// The side that was called.
    Server,
}

/// A connection that a client asked for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Who asked.
    pub client: IpAddr,
    /// Whom.
    pub server: SocketAddr,
    /// SYNs that it sent.
    pub times: u32,
    /// Whether it was refused; nobody answered else.
    pub refused: bool,
    /// When it asked last.
    pub at: Option<Time>,
}

/// TCP flags, as far as they matter to reassembly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// SYN.
    pub syn: bool,
    /// ACK.
    pub ack: bool,
    /// FIN.
    pub fin: bool,
    /// RST.
    pub rst: bool,
}

/// One TCP segment of one packet (or of one defragmented datagram).
#[derive(Clone, Debug)]
pub struct Segment<'a> {
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// Sequence number of the first payload byte (of the SYN when it is set).
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Flags.
    pub flags: Flags,
    /// The captured payload.
    pub payload: &'a [u8],
    /// Payload bytes that were sent but cut off by the snap length.
    pub cut: u32,
    /// Where the payload came from.
    pub origin: SegmentOrigin<'a>,
    /// When the (last) packet was captured.
    pub at: Option<Time>,
}

/// Where a segment's payload came from.
#[derive(Clone, Debug)]
pub enum SegmentOrigin<'a> {
    /// One frame; the run's `at` is ignored.
    Frame(Run),
    /// Several IP fragments; offsets count from the payload's first byte.
    Fragments(&'a Origin),
}
