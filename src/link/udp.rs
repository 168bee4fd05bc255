//! UDP datagrams of the ports of WAP push and of DNS; all others are passed over.
//!
//! Fragmented ones are not put together: their first fragment is handed on as one that was cut, so that it is told.

use std::net::SocketAddr;

use etherparse::ip_number;

use super::{be16, ip};
use crate::capture::FrameNo;
use crate::origin::Run;
use crate::push::{PORT, SECURE_PORT, WSP_PORT, WTP_PORT};
use crate::time::Time;

/// The port of DNS.
pub const DNS: u16 = 53;
/// The protocol number of UDP.
pub(super) const UDP: u8 = ip_number::UDP.0;
/// Octets of a header.
const HEADER: usize = 8;

/// A datagram that may be a push, or of DNS.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// What was captured of its payload.
    pub payload: &'a [u8],
    /// Octets of its payload that were not captured.
    pub cut: usize,
    /// Where the payload was captured.
    pub run: Run,
    /// When.
    pub at: Option<Time>,
}

/// What a UDP datagram is to us.
pub(super) enum Found<'a> {
    /// One that may be a push, or of DNS; its offset in the IP payload is [`HEADER`].
    Push(Udp<'a>),
    /// One secured by WTLS.
    Secured,
    /// Another one.
    Other,
}

/// A datagram before its addresses are known.
pub(super) struct Udp<'a> {
    ports: (u16, u16),
    payload: &'a [u8],
    cut: usize,
    /// Offset of the payload in the IP payload.
    pub(super) payload_at: usize,
}

impl<'a> Udp<'a> {
    /// Reads the payload of an IP datagram, or of its first fragment.
    pub(super) fn find(datagram: &ip::Datagram<'a>) -> Found<'a> {
        let bytes = datagram.payload;
        let ports = be16(bytes, 0).zip(be16(bytes, 2)).zip(be16(bytes, 4));
        let Some(((source, destination), length)) = ports else { return Found::Other };
        let is_wsp = |port: u16| matches!(port, WSP_PORT | WTP_PORT);
        let rest = bytes.get(HEADER..).unwrap_or_default();
        match destination {
            SECURE_PORT if looks_like_wtls(rest) => Found::Secured,
            _ if destination == PORT
                || destination == DNS
                || source == DNS
                || is_wsp(destination)
                || is_wsp(source) =>
            {
                let length = usize::from(length).saturating_sub(HEADER);
                let payload = rest.get(..length).unwrap_or(rest);
                let cut = length - payload.len();
                Found::Push(Udp { ports: (source, destination), payload, cut, payload_at: HEADER })
            }
            _ => Found::Other,
        }
    }

    pub(super) fn datagram(self, datagram: &ip::Datagram<'a>, run: Run, at: Option<Time>) -> Datagram<'a> {
        let (source, destination) = datagram.ends;
        Datagram {
            source: SocketAddr::new(source, self.ports.0),
            destination: SocketAddr::new(destination, self.ports.1),
            payload: self.payload,
            cut: self.cut,
            run,
            at,
        }
    }
}

/// Whether a payload begins with a record of WTLS (WAP-261, 9): its type in the low bits, above it a bit that is not used.
fn looks_like_wtls(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| matches!(first & 0x1f, 1..=4))
}

/// Datagrams that nobody can read, counted.
#[derive(Debug, Default)]
pub(super) struct Secured {
    first: FrameNo,
    datagrams: u64,
}

impl Secured {
    pub(super) fn add(&mut self, frame: FrameNo) {
        if self.datagrams == 0 {
            self.first = frame;
        }
        self.datagrams += 1;
    }

    /// What is to be said of them.
    pub(super) fn told(&self) -> Option<String> {
        let Secured { first, datagrams } = self;
        (*datagrams > 0).then(|| {
            format!(
                "pushes to UDP port {SECURE_PORT} are secured by WTLS and are not read: {datagrams}, the first is frame {first}"
            )
        })
    }
}
