//! Secrets and device management over connections that others can read.

use std::net::IpAddr;

mod accounts;
mod secrets;
mod tls;

pub(super) use accounts::{of_server, shared_server_secret, weak_secret};
pub(super) use secrets::secret_in_data;
pub(super) use tls::{client_certificate, device_certificate_shared, mutual_tls_absent, old_tls_version, server_chains};

use super::finding::Place;
use super::{ElementCx, MessageCx, SessionCx, Severity, Sink, quoted};
use crate::anomaly::{Anomaly, Kind as Note};
use crate::http::{Half, Head};
use crate::session::Edge;
use crate::syncml::message::Envelope;
use crate::syncml::uri::path;
use crate::syncml::{Command, Element, Header, Item, Kind, Message, Side, Tag};

/// Device management or enrollment over plain HTTP: told once, at the session's first such message.
pub(super) fn dm_over_plain_http(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let carries_dm = |message: &Message| {
        matches!(message.kind, Kind::SyncMl | Kind::Fragment | Kind::Soap | Kind::Provisioning)
            && message.http.as_ref().is_some_and(|http| is_plain(http) && !is_probe(http))
    };
    let Some(first) = cx.messages().find(|cx| carries_dm(cx.message)) else { return };
    let head = first.message.http.as_ref().and_then(Envelope::request_head);
    let to = head.map(|head| format!(" to {}", quoted(&address(head)))).unwrap_or_default();
    let finding = out.report(
        Place::Message(first.index),
        format!("the message travels over plain HTTP{to}; expected https"),
    );
    if head.is_some_and(says_https) {
        finding.at_most(Severity::Info).help("Nothing, where the proxy that set the forwarding header ended TLS.");
    } else if head.is_some_and(is_forwarded) {
        finding.at_most(Severity::Warning).help("Make sure that TLS reaches the proxy that forwarded this request.");
    }
}

/// Credentials that are user name and password in base64: told once for each side.
pub(super) fn basic_credentials(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let side = cx.message.side();
    let told = cx.message.in_session().readable().take_while(|earlier| earlier.index < cx.message.index);
    if !is_basic(cx.element) || told.filter(|earlier| earlier.side() == side).any(sends_basic) {
        return;
    }
    let plain = cx.message.message.http.as_ref().is_some_and(is_plain);
    let how = if plain { " over plain HTTP" } else { "" };
    let whose = side.map(|side| format!("the {}'s ", side.name())).unwrap_or_default();
    let text = format!("{whose}Cred is of type `syncml:auth-basic`{how}; expected `syncml:auth-md5`, or TLS certificates");
    let finding = out.report(cx.at(), text);
    if !plain {
        finding.at_most(Severity::Warning);
    }
}

fn sends_basic(cx: MessageCx<'_>) -> bool {
    cx.message.header().and_then(|header| header.cred()).is_some_and(is_basic)
}

/// Basic is also what a `Cred` without a type means (RP 6.1.8).
fn is_basic(cred: Element<'_>) -> bool {
    let scheme = cred.child(Tag::Meta).and_then(|meta| meta.child_value(Tag::Type));
    scheme.is_none_or(|scheme| scheme == "syncml:auth-basic")
}

/// MD5 credentials that others can read: told once for each side.
pub(super) fn md5_over_plain_http(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let side = cx.message.side();
    let told = cx.message.in_session().readable().take_while(|earlier| earlier.index < cx.message.index);
    let mut told = told.filter(|earlier| earlier.side() == side && earlier.message.header().and_then(Header::cred).is_some_and(is_md5));
    if is_md5(cx.element) && cx.message.message.http.as_ref().is_some_and(is_plain) && told.next().is_none() {
        let whose = side.map(|side| format!("the {}'s ", side.name())).unwrap_or_default();
        out.report(cx.at(), format!("{whose}MD5 digest travels over plain HTTP; expected https"));
    }
}

fn is_md5(cred: Element<'_>) -> bool {
    let scheme = cred.child(Tag::Meta).and_then(|meta| meta.child_value(Tag::Type));
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("syncml:auth-md5"))
}

/// A command that wipes, locks, restarts or unenrolls the device.
pub(super) fn destructive_command(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if cx.message.side() == Some(Side::Client) {
        return;
    }
    for item in cx.command().items() {
        let Some(element) = item.0.child(Tag::Target).and_then(|target| target.child(Tag::LocURI)) else { continue };
        let uri = element.value().unwrap_or_default();
        if let Some(effect) = effect(cx.element.tag(), uri) {
            out.report(cx.message.at(element), format!("{} of {} {effect}", cx.element.name(), quoted(uri)));
        }
    }
}

/// What a command on that node does to the device.
fn effect(command: Tag, uri: &str) -> Option<&'static str> {
    let lower = path(uri).to_ascii_lowercase();
    let (_, node) = lower.split_once("vendor/msft/")?;
    let (object, last) = (node.split('/').next()?, node.rsplit('/').next()?);
    match (command, object, last) {
        (Tag::Exec, "remotewipe" | "cleanpc", _) => Some("resets the device"),
        (Tag::Exec, "remotelock", _) => Some("locks the device"),
        (Tag::Exec | Tag::Replace, "reboot", _) => Some("restarts the device"),
        (Tag::Exec, "dmclient", "unenroll") => Some("ends the enrollment"),
        (Tag::Exec, "bitlocker", "rotaterecoverypasswords") => Some("replaces the recovery passwords"),
        _ => None,
    }
}

/// A certificate with its key, and the password that opens it, side by side.
pub(super) fn pfx_with_password_together(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if cx.side() == Some(Side::Client) {
        return;
    }
    let items = || cx.commands().filter(|command| matches!(command.tag(), Tag::Add | Tag::Replace)).flat_map(Command::items);
    let at = |item: Item<'_>, parent: &str, name: &str| {
        let node = item.target().and_then(|uri| path(uri).rsplit_once('/'));
        node.is_some_and(|(above, last)| above.eq_ignore_ascii_case(parent) && last.eq_ignore_ascii_case(name))
    };
    for password in items() {
        let Some((parent, _)) = password.target().and_then(|uri| path(uri).rsplit_once('/')) else { continue };
        let written = password.data().is_some_and(|data| data.value().is_some());
        if !written || !at(password, parent, "PFXCertPassword") || !items().any(|item| at(item, parent, "PFXCertBlob")) {
            continue;
        }
        let how = items().find(|item| at(*item, parent, "PFXCertPasswordEncryptionType")).and_then(Item::data);
        if how.and_then(Element::value).is_none_or(|how| how == "0") {
            out.at(cx.index, password.0, "PFXCertPassword stands in clear beside PFXCertBlob; expected it encrypted (type 1 or 2)");
        }
    }
}

/// A bearer token or a security token that others can read: told once.
pub(super) fn token_over_http(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let told = cx.in_session().messages().take_while(|earlier| earlier.index < cx.index).any(|earlier| plain_token(earlier).is_some());
    if let Some(what) = plain_token(*cx).filter(|_| !told) {
        out.report(Place::Message(cx.index), format!("the message has a {what} and travels over plain HTTP; expected https"));
    }
}

fn plain_token(cx: MessageCx<'_>) -> Option<&'static str> {
    let http = cx.message.http.as_ref().filter(|http| is_plain(http))?;
    let bearer = |value: &str| value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "));
    if http.half == Half::Request && http.head.header("authorization").is_some_and(bearer) {
        return Some("bearer token");
    }
    let is_soap = cx.message.kind == Kind::Soap;
    let token = is_soap && cx.message.doc.elements().any(|element| element.name().rsplit(':').next() == Some("BinarySecurityToken"));
    token.then_some("BinarySecurityToken")
}

/// A server that manages whoever comes, over a connection on which nobody can have proved who he is.
pub(super) fn anonymous_session_accepted(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let proves = |cx: MessageCx<'_>| {
        let head = cx.message.http.as_ref().and_then(Envelope::request_head);
        let shows = |head: &Head| {
            let named = |name: &str| {
                let name = name.to_ascii_lowercase();
                ["authorization", "cookie", "x-syncml-hmac"].contains(&name.as_str()) || name.contains("cert")
            };
            says_https(head) || is_forwarded(head) || head.headers.iter().any(|(name, _)| named(name))
        };
        let plain = cx.message.http.as_ref().is_some_and(is_plain);
        !plain || head.is_none_or(shows) || (cx.side() == Some(Side::Client) && has_cred(cx))
    };
    if cx.session.start != Edge::Seen || cx.messages().any(|cx| proves(cx) || !cx.message.is_readable()) {
        return;
    }
    let accepts = |cx: MessageCx<'_>| {
        cx.statuses().any(|status| status.is_for_header() && matches!(status.code(), Some(200 | 212)))
    };
    let mut answers = cx.readable().filter(|cx| cx.side() == Some(Side::Server));
    let first = answers.next().filter(|first| accepts(*first));
    let Some(first) = first else { return };
    if let Some(command) = first.commands().find(|command| command.tag().is_command() && command.tag() != Tag::Alert) {
        let text = format!("the server sends this {} to a client that showed no credentials; expected Status 407", command.tag().name());
        out.at(first.index, command.0, text);
    }
}

fn has_cred(cx: MessageCx<'_>) -> bool {
    cx.message.header().and_then(Header::cred).is_some()
}

/// An address that takes a client from https to http.
pub(super) fn downgrade_redirect(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let http = cx.message.http.as_ref();
    if let Some(http) = http.filter(|http| http.half == Half::Response && http.connection.tls == Some(true))
        && let Some(to) = http_redirect(&http.head)
    {
        let to = quoted(path(to));
        out.report(Place::Message(cx.index), format!("status {} leads from https to {to}; expected https", http.head.status));
    }
    let header = cx.message.header().filter(|_| cx.message.is_readable() && cx.side() == Some(Side::Server));
    let secure = cx.session.server.as_deref().is_some_and(|server| server.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://")));
    if let Some(element) = header.and_then(|header| header.0.child(Tag::RespURI)).filter(|_| secure)
        && element.value().is_some_and(is_downgrade)
    {
        let to = quoted(path(element.value().unwrap_or_default()));
        out.at(cx.index, element, format!("RespURI is {to} in a session that began with https; expected https"));
    }
}

fn http_redirect(head: &Head) -> Option<&str> {
    let to = head.header("location").filter(|_| matches!(head.status, 301 | 302 | 303 | 307 | 308))?;
    is_downgrade(to).then_some(to)
}

fn is_downgrade(uri: &str) -> bool {
    let plain = uri.split_at_checked("http://".len()).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("http://"));
    plain.is_some_and(|(_, rest)| !is_local_name(rest))
}

/// Names of URL parameters whose values open something.
const SECRET_PARAMETERS: [&str; 11] = [
    "password", "passwd", "pwd", "secret", "client_secret", "token", "access_token", "id_token", "refresh_token", "authtoken", "nonce",
];

/// A secret in the address of the server: told once for each place it stands in.
pub(super) fn credentials_in_url(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    for tag in [None, Some(Tag::RespURI), Some(Tag::Target), Some(Tag::Source)] {
        let Some((place, name)) = secret_in(*cx, tag) else { continue };
        if cx.in_session().messages().take(cx.index).any(|earlier| secret_in(earlier, tag).is_some()) {
            continue;
        }
        let of = tag.map_or("the request's URL", Tag::name);
        out.report(place, format!("{of} has the parameter {} in its query; expected no secret there", quoted(&name)));
    }
}

/// The first secret parameter of the request's URL (`None`) or of an address in the header.
fn secret_in(cx: MessageCx<'_>, tag: Option<Tag>) -> Option<(Place, String)> {
    let (place, url) = match tag {
        None => {
            let http = cx.message.http.as_ref().filter(|http| http.half == Half::Request)?;
            (Place::Message(cx.index), http.head.target.as_str())
        }
        Some(tag) => {
            let found = cx.message.header().filter(|_| cx.message.is_readable())?.0.child(tag)?;
            let element = found.child(Tag::LocURI).unwrap_or(found);
            (cx.at(element).into(), element.value()?)
        }
    };
    let (_, query) = url.split_once('?')?;
    let pairs = query.split(['&', ';']).filter_map(|pair| pair.split_once('=')).filter(|(_, value)| !value.is_empty());
    let secret = |name: &str| SECRET_PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(name));
    pairs.map(|(name, _)| name).find(|name| secret(name)).map(|name| (place, name.to_owned()))
}

/// A DOCTYPE that names something outside the message.
pub(super) fn external_entity(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if !matches!(cx.message.kind, Kind::SyncMl | Kind::Fragment | Kind::Soap | Kind::Provisioning) || cx.message.judged().is_err() {
        return;
    }
    let bytes = cx.message.doc.bytes();
    let text = |note: &Anomaly| String::from_utf8_lossy(note.span.slice(bytes)).into_owned();
    let found = cx.message.doc.notes.iter().filter(|note| note.kind == Note::XmlDoctype).find_map(|note| Some((note, external(&text(note))?)));
    if let Some((note, what)) = found {
        out.report(Place::Bytes(cx.index, note.span), format!("the DOCTYPE names {what}; expected none"));
    }
}

/// What a DOCTYPE takes from elsewhere. The public names of OMA's own, as old programs write them, are left to DM-XML-012.
fn external(doctype: &str) -> Option<&'static str> {
    let (outside, inside) = doctype.split_once('[').unwrap_or((doctype, ""));
    let names = |text: &str, word: &str| text.split_ascii_whitespace().any(|found| found == word);
    let is_own = ["-//SYNCML//", "-//OMA//", "-//WAPFORUM//"].iter().any(|owner| outside.contains(owner));
    let own = names(outside, "SYSTEM") || (names(outside, "PUBLIC") && !is_own);
    if !doctype.starts_with("<!DOCTYPE") {
        return None;
    }
    if inside.contains("<!ENTITY") && (names(inside, "SYSTEM") || names(inside, "PUBLIC")) {
        Some("an external entity")
    } else if inside.contains("<!ENTITY") && names(inside, "%") {
        Some("a parameter entity")
    } else {
        own.then_some("a DTD outside of the message")
    }
}

/// Whether others on the way could read it: no TLS, and not within one machine.
fn is_plain(http: &Envelope) -> bool {
    let ends = [http.connection.client, http.connection.server];
    let known = ends.iter().any(Option::is_some);
    let local = if known {
        ends.iter().flatten().any(|end| end.ip().to_canonical().is_loopback())
    } else {
        http.request_head().is_some_and(|head| is_local_name(&address(head)))
    };
    http.connection.tls == Some(false) && !local
}

/// The same for one that no proxy before the server took out of TLS.
pub(super) fn is_exposed(http: &Envelope) -> bool {
    is_plain(http) && !http.request_head().is_some_and(|head| says_https(head) || is_forwarded(head))
}

/// The GET that only asks whether a discovery service is there; Windows may send it over http (MDE 3.1).
fn is_probe(http: &Envelope) -> bool {
    http.request_head().is_some_and(|head| head.method == "GET")
}

/// Whether a proxy says that the client came by TLS.
fn says_https(head: &Head) -> bool {
    let is = |name: &str, value: &str| head.header(name).is_some_and(|seen| seen.eq_ignore_ascii_case(value));
    let forwarded = head.header("forwarded").unwrap_or_default().to_ascii_lowercase();
    is("x-forwarded-proto", "https") || is("front-end-https", "on") || forwarded.contains("proto=https")
}

/// Whether a proxy passed it on.
fn is_forwarded(head: &Head) -> bool {
    ["x-forwarded-for", "via"].iter().any(|name| head.header(name).is_some())
}

/// Host and path of a request, without a user, a password or a query.
fn address(head: &Head) -> String {
    let target = head.target.split('?').next().unwrap_or_default();
    match target.split_once("://") {
        Some((_, rest)) => rest.rsplit_once('@').map_or(rest, |(_, host)| host).to_owned(),
        None => format!("{}{target}", head.header("host").unwrap_or_default()),
    }
}

fn is_local_name(address: &str) -> bool {
    let authority = address.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next(),
        None => authority.split(':').next(),
    };
    let host = host.unwrap_or_default();
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(target: &str, headers: &[(&str, &str)]) -> Head {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Head { method: "POST".into(), target: target.into(), headers, ..Head::default() }
    }

    #[test]
    fn an_address_has_neither_user_nor_query() {
        let host = [("Host", "mdm.example.test")];
        assert_eq!(address(&head("/omadm?mode=Maintenance", &host)), "mdm.example.test/omadm");
        assert_eq!(address(&head("http://user:word@mdm.example.test:8080/omadm?a=b@c", &[])), "mdm.example.test:8080/omadm");
    }

    #[test]
    fn local_names_are_told_by_the_host_alone() {
        let local = ["localhost:8080/omadm", "127.0.0.1/omadm", "[::1]:80/omadm"];
        assert!(local.into_iter().all(is_local_name));
        assert!(!["mdm.example.test/localhost", "localhost.example.test", "127.example.test"].into_iter().any(is_local_name));
    }

    #[test]
    fn a_redirect_to_http_is_told_by_its_location() {
        let redirect = |status, to: &str| Head { status, ..head("", &[("Location", to)]) };
        assert_eq!(http_redirect(&redirect(302, "HTTP://mdm.example.test/a")), Some("HTTP://mdm.example.test/a"));
        let others = [(302, "https://mdm.example.test/a"), (302, "/a"), (302, "http://localhost/a"), (200, "http://mdm.example.test/a")];
        assert!(others.into_iter().all(|(status, to)| http_redirect(&redirect(status, to)).is_none()));
    }

    #[test]
    fn destructive_nodes_are_told_by_object_and_command() {
        assert!(effect(Tag::Exec, "./Device/Vendor/MSFT/DMClient/Provider/A/Unenroll").is_some());
        assert!(effect(Tag::Replace, "./Vendor/MSFT/Reboot/Schedule/Single").is_some());
        assert!(effect(Tag::Replace, "./Vendor/MSFT/DMClient/Provider/A/Unenroll").is_none());
        assert!(effect(Tag::Exec, "./Vendor/MSFT/Policy/Config/Reboot/RebootNow").is_none());
    }

    #[test]
    fn a_doctype_is_external_by_what_it_names() {
        assert!(external("<!DOCTYPE SyncML SYSTEM 'a.dtd'>").is_some());
        assert!(external("<!DOCTYPE SyncML [<!ENTITY % a 'b'>]>").is_some());
        assert!(external("<!DOCTYPE SyncML [<!ENTITY a '200'>]>").is_none());
        assert!(external("<!DOCTYPE wap-provisioningdoc PUBLIC '-//WAPFORUM//DTD PROV 1.0//EN' 'a.dtd'>").is_none());
        assert!(external("&a;").is_none());
    }

    #[test]
    fn a_proxy_says_https_in_one_of_three_ways() {
        let said = [("X-Forwarded-Proto", "HTTPS"), ("Front-End-Https", "On"), ("Forwarded", "for=192.0.2.7;Proto=https")];
        assert!(said.iter().all(|header| says_https(&head("/", &[*header]))));
        assert!(!says_https(&head("/", &[("X-Forwarded-Proto", "http"), ("X-Forwarded-For", "192.0.2.7")])));
    }
}
