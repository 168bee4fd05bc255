//! Secrets and device management over connections that others can read.

use std::net::IpAddr;

use super::finding::Place;
use super::{ElementCx, MessageCx, SessionCx, Severity, Sink, quoted};
use crate::http::Head;
use crate::syncml::message::Envelope;
use crate::syncml::{Element, Kind, Message, Tag};

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
    fn a_proxy_says_https_in_one_of_three_ways() {
        let said = [("X-Forwarded-Proto", "HTTPS"), ("Front-End-Https", "On"), ("Forwarded", "for=192.0.2.7;Proto=https")];
        assert!(said.iter().all(|header| says_https(&head("/", &[*header]))));
        assert!(!says_https(&head("/", &[("X-Forwarded-Proto", "http"), ("X-Forwarded-For", "192.0.2.7")])));
    }
}
