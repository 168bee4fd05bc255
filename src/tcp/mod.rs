//! TCP: segments in, two ordered [`Stream`](crate::stream::Stream)s per connection out.

use std::net::SocketAddr;

use crate::origin::{Origin, Run};
use crate::time::Time;

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
