//! What TLS says of itself: versions, names, certificates, alerts, why something was not decrypted or failed.
//!
//! In: the facts of a connection. Out: lines of text, escaped. Certificates are public; keys never come here.

use crate::escape;
use crate::http::{Connection, Encrypted};
use crate::session::Session;
use crate::tls::{Facts, Fault, Handshake, KeyExchange, Sealed, Seen, Side, Suite, Version};
use crate::x509::{AltName, Certificate, Name};

/// Names of one certificate that are printed.
const MAX_NAMES: usize = 10;
/// Longest value, in characters.
const MAX_VALUE: usize = 300;

/// What speaks for a session: the handshake that shows the device's certificate, else the first one.
pub fn of_session(session: &Session) -> Option<Handshake> {
    let connections = session.connections();
    let shakes = || connections.iter().filter_map(|connection: &&Connection| connection.handshake.as_ref());
    let shows = |shake: &&Handshake| shake.get(|facts| !facts.client_certificates.is_empty());
    shakes().find(shows).or_else(|| shakes().next()).cloned()
}

/// Connections to a host that nobody could read, in a few words: how many, what was agreed upon, why.
pub fn unread(encrypted: &Encrypted) -> String {
    let facts = encrypted.facts();
    let host = shown(&encrypted.host().unwrap_or_default());
    let many = match encrypted.connections {
        1 => String::new(),
        many => format!(", {many} connections"),
    };
    match facts.failure() {
        Some(failure) => format!("{host}{many}: {}. {}", shown(&failure.to_string()), failure.remedy()),
        None => format!("{host}{many}: {}; {}. {}", brief(&facts), shown(&facts.why_sealed()), facts.remedy()),
    }
}

/// Whether a handshake failed, so that there was nothing to decrypt.
pub fn has_failed(encrypted: &Encrypted) -> bool {
    encrypted.facts().sealed == Some(Sealed::Failed)
}

/// A connection in a few words: `TLS 1.2 · TLS_RSA_WITH_AES_128_CBC_SHA · h2 · client certificate CN=device`.
pub fn brief(facts: &Facts) -> String {
    let version = match (facts.version, facts.offered) {
        (Some(version), _) => version.to_string(),
        (None, Some(offered)) => format!("TLS, up to {offered} offered"),
        (None, None) => "TLS".to_owned(),
    };
    let client = facts.client_certificate().map(|certificate| {
        let name = certificate.subject.as_ref().map_or_else(|| "without a readable name".to_owned(), Name::to_string);
        format!("client certificate {name}")
    });
    let parts = [Some(version), facts.suite.map(|suite| suite.to_string()), facts.alpn.clone(), client];
    shown(&parts.into_iter().flatten().collect::<Vec<_>>().join(" · "))
}

/// All that is known of a connection, a fact a line.
pub fn lines(facts: &Facts) -> Vec<String> {
    let mut lines = Lines(Vec::new());
    lines.add("version", facts.version);
    lines.add(
        "offered",
        facts.offered.map(|version| format!("up to {version}, {}", super::count(facts.offered_suites as u64, "suite"))),
    );
    lines.add("cipher suite", facts.suite.map(|suite| suite.to_string() + secrecy(facts)));
    lines.add("server name", facts.server_name.as_ref());
    let offer = facts.offered_protocols.join(", ");
    lines.add("ALPN", facts.alpn.as_ref().map(|chosen| format!("{chosen} (of {offer})")));
    lines.add(
        "ALPN",
        (facts.alpn.is_none() && !offer.is_empty()).then(|| format!("none agreed upon (offered {offer})")),
    );
    lines.add("proxy", facts.proxied.then_some("the connection runs through CONNECT"));
    lines.add("resumed", facts.resumed.then_some("an earlier session; certificates were exchanged in that one"));
    lines.add("client hello", located(facts.hello));
    lines.add("server hello", located(facts.answer));
    certificates(facts, Side::Server, &mut lines);
    certificates(facts, Side::Client, &mut lines);
    for alert in &facts.alerts {
        let end = if alert.fatal { ", ends the connection" } else { "" };
        lines.add("alert", Some(format!("{alert}, {}{end}", alert.seen)));
    }
    let random = facts.client_random.map(|random| random.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    lines.add("client random", random);
    match facts.failure() {
        Some(failure) => {
            lines.add("failed", Some(&failure.text));
            failure.evidence.iter().for_each(|line| lines.add("evidence", Some(line)));
            lines.add("what to do", Some(failure.remedy()));
        }
        None => {
            let why = facts.why_sealed();
            lines.add("not decrypted", Some(why).filter(|why| !why.is_empty()));
            lines.add("what to do", Some(facts.remedy()).filter(|what| !what.is_empty()));
        }
    }
    lines.0
}

fn secrecy(facts: &Facts) -> &'static str {
    match facts.suite.and_then(Suite::key_exchange) {
        Some(KeyExchange::Rsa) => " (no forward secrecy)",
        Some(KeyExchange::Ephemeral) => " (forward secrecy)",
        _ => "",
    }
}

fn certificates(facts: &Facts, side: Side, lines: &mut Lines) {
    let (chain, faults, seen) = match side {
        Side::Server => (&facts.server_certificates, facts.server_faults(), facts.certificates_seen[1]),
        Side::Client => (&facts.client_certificates, facts.client_faults(), facts.certificates_seen[0]),
    };
    let name = if side == Side::Server { "server certificate" } else { "client certificate" };
    let Some((own, others)) = chain.split_first() else {
        return lines.add(name, Some(absent(facts, side)));
    };
    let own = Certificate::read(own);
    lines.add(name, Some(subject(&own)));
    lines.add("  captured", located(seen));
    lines.add("  issuer", own.issuer.as_ref());
    lines.add("  valid", validity(&own));
    lines.add("  holds for", holds_for(&own.alt_names));
    let signature = own.signature.as_deref().map(|signature| format!(", signed with {signature}")).unwrap_or_default();
    lines.add("  key", own.key.as_ref().map(|key| format!("{key}{signature}")));
    lines.add("  used for", (!own.purposes.is_empty()).then(|| own.purposes.join(", ")));
    lines.add("  serial number", own.serial.as_ref());
    lines.add("  thumbprint", Some(own.thumbprint()));
    lines.add("  not readable", (!own.unreadable.is_empty()).then(|| own.unreadable.join(", ")));
    for Fault { text, .. } in faults {
        lines.add("  wrong", Some(text));
    }
    if let Some(issuer) = facts.inspector().filter(|_| side == Side::Server) {
        lines.add("  intercepted", Some(format!("{issuer} issues certificates for programs that open TLS on the way")));
    }
    for other in others {
        let other = Certificate::read(other);
        lines.add("  chain", Some(format!("{}, thumbprint {}", subject(&other), other.thumbprint())));
    }
}

/// Why there is no certificate to show.
fn absent(facts: &Facts, side: Side) -> &'static str {
    let is_13 = facts.version.is_some_and(Version::is_13);
    match side {
        _ if facts.version.is_none() => "none: the server sent no hello",
        _ if facts.resumed => "not sent again: the session was resumed",
        Side::Client if facts.client_visible && facts.certificate_requested => "none, though the server asked for one",
        Side::Client if facts.client_visible => "none; the server did not ask for one",
        _ if is_13 => "not judged: encrypted in TLS 1.3, and not decrypted",
        Side::Server if facts.client_visible => "none was sent",
        _ => "not captured",
    }
}

fn subject(certificate: &Certificate) -> String {
    certificate.subject.as_ref().map_or_else(|| "(the subject cannot be read)".to_owned(), Name::to_string)
}

fn validity(certificate: &Certificate) -> Option<String> {
    Some(format!("{} to {}", certificate.not_before?, certificate.not_after?))
}

fn holds_for(names: &[AltName]) -> Option<String> {
    let more = names.len().saturating_sub(MAX_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let some: Vec<String> = names.iter().take(MAX_NAMES).map(ToString::to_string).collect();
    (!some.is_empty()).then(|| format!("{}{more}", some.join(", ")))
}

fn located(seen: Seen) -> Option<String> {
    Some(seen.to_string()).filter(|seen| !seen.is_empty())
}

fn shown(text: &str) -> String {
    escape::shorten(&escape::line(text), MAX_VALUE).into_owned()
}

/// Lines of a name and a value.
struct Lines(Vec<String>);

impl Lines {
    fn add(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.0.push(format!("{name}: {}", shown(&value.to_string())));
        }
    }
}
