//! From a datagram to a push that is kept: its bytes, how much of it was captured, and how it travelled.

use crate::http::{Body, Captured};
use crate::link::Datagram;
use crate::origin::Origin;
use crate::push::{Bearer, Framing, WTP_PORT};
use crate::transcript::Pushed;

/// The push that a datagram may be.
pub(super) fn of(datagram: &Datagram<'_>) -> Pushed {
    let mut origin = Origin::default();
    origin.push(datagram.run);
    let mut body = Body::whole(datagram.payload, origin);
    if datagram.cut > 0 {
        let (kept, all) = (datagram.payload.len(), datagram.payload.len() + datagram.cut);
        body.captured = Captured::Partly(format!("{kept} of {all} bytes were captured"));
        body.wire_len = Some(all as u64);
    }
    let over_wtp = [datagram.source, datagram.destination].iter().any(|end| end.port() == WTP_PORT);
    let framing = if over_wtp { Framing::Wtp } else { Framing::Wsp };
    let bearer = Bearer { framing, ends: Some((datagram.source, datagram.destination)) };
    Pushed { body, bearer, at: datagram.at }
}
