//! What TLS shows of a session: its version, and the certificate of the device.

use crate::http::Connection;
use crate::rules::finding::Place;
use crate::rules::{CaptureCx, MessageCx, SessionCx, Sink, quoted};
use crate::session::{Edge, Session};
use crate::syncml::message::Envelope;
use crate::syncml::{Header, Side};
use crate::tls::{Facts, Handshake, Version};
use crate::x509::{Certificate, Name};

/// Headers by which a proxy that ends TLS hands on who the client is.
const HANDED_ON: &[&str] = &["authorization", "cookie", "x-syncml-hmac"];

/// A session over a version of TLS that is no longer safe: told once.
pub(in crate::rules) fn old_tls_version(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let version = |connection: &Connection| fact(connection, |facts| facts.version);
    let old = |cx: &MessageCx<'_>| {
        let connection = &cx.message.http.as_ref()?.connection;
        let version = version(connection).filter(|version| *version < Version::TLS12)?;
        Some((version, fact(connection, |facts| facts.offered)))
    };
    let Some((index, (version, offered))) = cx.messages().find_map(|cx| Some((cx.index, old(&cx)?))) else { return };
    let why = match offered {
        Some(offered) if offered > version => format!("; the client offers up to {offered}"),
        Some(offered) => format!("; the client offers no more than {offered}"),
        None => String::new(),
    };
    out.report(Place::Message(index), format!("the session runs over {version}{why}; expected TLS 1.2 or 1.3"));
}

/// A session over TLS in which nothing shows who the client is.
pub(in crate::rules) fn mutual_tls_absent(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let connections = cx.session.connections();
    let anonymous = |connection: &&Connection| {
        let absent = |facts: &Facts| {
            facts.client_visible && !facts.resumed && facts.client_certificates.is_empty()
        };
        connection.handshake.as_ref().is_some_and(|handshake| handshake.get(absent))
    };
    if cx.session.start != Edge::Seen || connections.is_empty() || !connections.iter().all(anonymous) {
        return;
    }
    if cx.messages().any(|cx| !cx.message.is_readable() || shows_client(cx)) {
        return;
    }
    let mut shakes = connections.iter().filter_map(|connection| connection.handshake.as_ref());
    let asked = shakes.any(|handshake| handshake.get(|facts| facts.certificate_requested));
    let why = if asked { "the client sent no certificate though the server asked for one" } else { "the server asked for no client certificate" };
    out.report(Place::Session, format!("nothing in the session shows who the client is: {why}, and there is no Cred and no token"));
}

/// Whether a message carries something that may tell the client, itself or through a proxy.
fn shows_client(cx: MessageCx<'_>) -> bool {
    let head = cx.message.http.as_ref().and_then(Envelope::request_head);
    let named = |name: &str| {
        let name = name.to_ascii_lowercase();
        HANDED_ON.contains(&name.as_str()) || name.contains("cert") || name.contains("forwarded")
    };
    let in_head = head.is_some_and(|head| head.unknown > 0 || head.headers.iter().any(|(name, _)| named(name)));
    in_head || (cx.side() == Some(Side::Client) && cx.message.header().and_then(Header::cred).is_some())
}

/// A client certificate that another device has shown too.
pub(in crate::rules) fn device_certificate_shared(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let Some((other, number)) = cx.earlier.owner_of_certificate() else { return };
    let Some(certificate) = client_certificate(session) else { return };
    let name = certificate.subject.as_ref().map_or_else(String::new, Name::to_string);
    let device = session.device.as_deref().unwrap_or_default();
    let text = format!(
        "the device {} shows the client certificate {} (thumbprint {}), which {} showed in s{number}; expected one for each device",
        quoted(device),
        quoted(&name),
        certificate.thumbprint(),
        quoted(other)
    );
    out.report(Place::Session, text);
}

/// The certificate that the client of a session showed.
pub(in crate::rules) fn client_certificate(session: &Session) -> Option<Certificate> {
    let shown = |connection: &&Connection| fact(connection, Facts::client_certificate);
    session.connections().iter().find_map(shown)
}

/// The certificates that servers showed in a session, a list for each connection in which they can be seen.
pub(in crate::rules) fn server_chains(session: &Session) -> Vec<Vec<Certificate>> {
    let chain = |connection: &&Connection| fact(connection, |facts| Some(facts.server_chain()));
    session.connections().iter().filter_map(chain).filter(|chain| !chain.is_empty()).collect()
}

fn fact<T>(connection: &Connection, fact: impl FnOnce(&Facts) -> Option<T>) -> Option<T> {
    connection.handshake.as_ref().and_then(|handshake: &Handshake| handshake.get(fact))
}
