//! Burp's "Save items" XML.
//!
//! In: the file. Out: its requests and responses, in its order: Burp writes times in a local zone that it only names.
//! Bounds: `limits.entries`, `limits.nodes`, `limits.body` as HTTP has them.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::roads::Roads;
use super::{Record, Summary};
use crate::anomaly::Kind;
use crate::http::{InputId, Recorded};
use crate::limits::Limits;
use crate::origin::Unit;
use crate::syncml::Element;
use crate::xml;

/// Reads a list of items.
pub(super) fn read(data: &[u8], input: InputId, limits: &Limits, summary: &mut Summary, out: &mut dyn FnMut(Record)) {
    let doc = xml::parse(&data.into(), limits);
    let mut roads = Roads::new(input);
    let items = doc.elements().filter(|element| element.name().eq_ignore_ascii_case("item"));
    for (index, item) in items.enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        if index >= limits.entries {
            let what = format!("the file has more than {} items; those after it were not read", limits.entries);
            summary.note(Kind::LimitEntries, item.span().start as usize, what);
            break;
        }
        let Some(request) = child(item, "request").and_then(bytes) else {
            summary.note(Kind::SourceDamaged, item.span().start as usize, format!("item {number} has no request"));
            continue;
        };
        let response = child(item, "response").and_then(bytes).filter(|bytes| !bytes.is_empty());
        let text = |name| child(item, name).and_then(Element::value).unwrap_or_default();
        let tls = text("protocol").eq_ignore_ascii_case("https");
        let address =
            child(item, "host").and_then(|host| host.attribute("ip")).and_then(|ip| ip.parse::<IpAddr>().ok());
        let port = text("port").parse().unwrap_or(if tls { 443 } else { 80 });
        let (connection, exchange) = roads.of(None, None, address.map(|ip| SocketAddr::new(ip, port)), Some(tls));
        let recorded = Recorded {
            connection,
            exchange,
            unit: Unit::Entry(number),
            request: (&request, None),
            response: response.as_deref().map(|response| (response, None)),
        };
        if !recorded.read(limits, &mut |event| out(Record::Http(event))) {
            let what = format!("the request of item {number} is no HTTP");
            summary.note(Kind::SourceDamaged, item.span().start as usize, what);
        }
    }
    if let Some(note) = doc.notes.iter().find(|note| note.kind.stops_decoding() && note.kind != Kind::XmlCharacter) {
        let what = format!("the file is damaged: {}", note.detail);
        summary.note(Kind::SourceDamaged, note.span.start as usize, what);
    }
}

fn child<'a>(item: Element<'a>, name: &str) -> Option<Element<'a>> {
    item.children().find(|child| child.name().eq_ignore_ascii_case(name))
}

fn bytes(element: Element<'_>) -> Option<Cow<'_, [u8]>> {
    if element.attribute("base64") != Some("true") {
        return Some(Cow::Borrowed(element.text().as_bytes()));
    }
    let digits: Vec<u8> = element.text().bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(digits).ok().map(Cow::Owned)
}
