//! DM-PRV-010, DM-PRV-034 and DM-PRV-035: what the first session of an enrolled device shows of its document.

use crate::enroll::Address;
use crate::rules::enrolled::Enrolled;
use crate::rules::finding::Place;
use crate::rules::history::Past;
use crate::rules::security::server_chains;
use crate::rules::{CaptureCx, Sink, quoted};
use crate::session::{Edge, Outcome, Session};
use crate::syncml::message::Envelope;
use crate::syncml::{Command, Kind, Side, uri};
use crate::x509::Name;

/// The enrollment that came right before this session.
fn just_enrolled<'a>(cx: &CaptureCx<'a>) -> Option<(&'a Past, &'a Enrolled)> {
    let past = cx.earlier().next()?;
    Some((past, past.enrolled.as_deref()?))
}

/// A first session with another server than the one of the account.
pub(in crate::rules) fn management_url_differs(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let Some((enrollment, enrolled)) = just_enrolled(cx) else { return };
    let Some((index, host)) = host(cx.session.session) else { return };
    let Some(own) = enrolled.host.as_deref().filter(|own| !own.eq_ignore_ascii_case(&host)) else { return };
    // A device may have several servers: one that it was with before is no stranger.
    let knows = |past: &Past| past.server.as_deref().and_then(uri::host).is_some_and(|known| known.eq_ignore_ascii_case(&host));
    if cx.earlier().any(knows) {
        return;
    }
    let text = format!("the first session goes to {}; ADDR of the enrollment (s{}) is at {}", quoted(&host), enrollment.number, quoted(own));
    out.report(Place::Message(index), text);
}

/// Where the first request of a session goes, and its index: by HTTP, else by the header of the message.
fn host(session: &Session) -> Option<(usize, String)> {
    let (index, first) = session.of(Side::Client).next()?;
    let asked = first.http.as_ref().and_then(Envelope::request_head).map(|head| Address::of_request(head).host);
    let asked = asked.filter(|host| !host.is_empty()).map(|host| host.trim_matches(['[', ']']).to_owned());
    Some((index, asked.or_else(|| session.server.as_deref().and_then(uri::host).map(str::to_owned))?))
}

/// An enterprise id of the device that nobody has set, though its certificate shall be renewed by itself.
pub(in crate::rules) fn entdmid_missing(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let Some((enrollment, enrolled)) = just_enrolled(cx) else { return };
    let session = cx.session.session;
    let whole = session.start == Edge::Seen
        && session.outcome == Outcome::Complete
        && session.messages.iter().all(|message| message.is_readable() || message.kind == Kind::Empty);
    if !enrolled.is_with(cx.session.session) || !enrolled.renews_itself || enrolled.has_id || !whole {
        return;
    }
    let of_server = cx.session.readable().filter(|cx| cx.side() == Some(Side::Server));
    let mut targets = of_server.flat_map(|cx| cx.commands()).flat_map(Command::items).filter_map(|item| item.target());
    let is_id = |target: &str| uri::path(target).rsplit('/').next().is_some_and(|node| node.eq_ignore_ascii_case("EntDMID"));
    if !targets.any(is_id) {
        let text = format!("ROBOSupport is on, and neither the enrollment (s{}) nor its first session sets EntDMID", enrollment.number);
        out.report(Place::Session, text);
    }
}

/// A server whose certificate the document does not make the device trust.
pub(in crate::rules) fn tls_server_not_covered(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let Some((enrollment, enrolled)) = just_enrolled(cx).filter(|(_, enrolled)| enrolled.is_with(cx.session.session)) else { return };
    let Some(chain) = server_chains(cx.session.session).into_iter().next() else { return };
    let issuers: Vec<String> = chain.iter().filter_map(|one| one.issuer.as_ref()).map(Name::to_string).collect();
    let Some(trusted) = enrolled.trusted.as_deref() else { return };
    let trusted = |issuer: &String| trusted.iter().any(|known| **known == **issuer);
    let (Some(first), Some(last)) = (chain.first(), issuers.last()) else { return };
    if first.is_public() || issuers.iter().any(trusted) {
        return;
    }
    let text = format!("the server's certificate was issued by {}, of which the enrollment (s{}) brings no certificate", quoted(last), enrollment.number);
    out.report(Place::Session, text);
}
