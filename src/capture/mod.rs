//! Packets of a capture file, one after the other, borrowed from the mapped file or the current slab.

use crate::origin::Run;
use crate::time::Time;

/// Number of a packet in its capture, from 1, as Wireshark counts.
pub type FrameNo = u32;

/// One captured packet.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its number.
    pub no: FrameNo,
    /// When it was captured. Packets without a time stamp (pcapng simple packets) have none.
    pub at: Option<Time>,
    /// The link type (`LINKTYPE_*`) of its interface.
    pub link: u16,
    /// Its length on the wire; more than `bytes.len()` when the snap length cut it.
    pub wire_len: u32,
    /// The captured bytes.
    pub bytes: &'a [u8],
    /// The packet's comment (pcapng `opt_comment`), if it has one.
    pub comment: Option<&'a str>,
}

impl Frame<'_> {
    /// The run of bytes that begins at `offset` of this frame.
    pub fn run(&self, offset: usize) -> Run {
        Run { at: 0, unit: crate::origin::Unit::Frame(self.no), offset: offset as u64, time: self.at, exact: true }
    }
}
