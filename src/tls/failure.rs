//! Why a handshake failed, in plain words, and what is wrong with the certificates at the time of the capture.
//!
//! In: [`Facts`]. Out: the likely cause, the evidence for it, what to do. A certificate is compared with the time of its
//! connection and with the name that the client asked for; its signature is not checked, and one that was not captured or
//! travelled encrypted (TLS 1.3 without keys) is not judged.

use std::fmt;

use super::facts::{Alert, Facts, Sealed, Seen, Side};
use crate::stream::End;
use crate::time::Time;
use crate::x509::{Certificate, DateTime, Name};

/// Words by which the authorities of programs that open TLS on the way name themselves.
const INSPECTORS: &[&str] = &[
    "mitmproxy",
    "do_not_trust_fiddler",
    "charles proxy",
    "portswigger",
    "burp",
    "zscaler",
    "netskope",
    "fortinet",
    "fortigate",
    "palo alto",
    "blue coat",
    "bluecoat",
    "sophos",
    "umbrella",
    "websense",
    "forcepoint",
    "mcafee web gateway",
    "untangle",
    "kaspersky",
    "avast",
    "eset ssl",
    "proxy",
];

/// The kind of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The certificate was no longer valid.
    Expired,
    /// The certificate was not yet valid.
    NotYetValid,
    /// The certificate is for other names.
    WrongName,
    /// Its issuer is not trusted.
    Untrusted,
    /// It was revoked.
    Revoked,
    /// It is refused for a reason that the capture does not show.
    Refused,
    /// A program on the way answers with a certificate of its own.
    Inspected,
    /// The server wants a client certificate, and got none.
    ClientCertificateMissing,
    /// The versions that the sides speak do not meet.
    NoCommonVersion,
    /// The suites, groups or kinds of certificate do not meet.
    NoCommonSuite,
    /// The application protocols do not meet.
    NoCommonProtocol,
    /// The server does not serve that name.
    UnknownName,
    /// The certificate is good, but access is refused.
    AccessDenied,
    /// The server answered in clear text.
    PlainAnswer,
    /// The connection was reset.
    Reset,
    /// The connection ended without a word.
    Closed,
    /// Anything else that an alert says.
    Other,
}

impl Cause {
    /// Its name in reports for programs: `certificate-expired`.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Expired => "certificate-expired",
            Cause::NotYetValid => "certificate-not-yet-valid",
            Cause::WrongName => "certificate-name",
            Cause::Untrusted => "certificate-untrusted",
            Cause::Revoked => "certificate-revoked",
            Cause::Refused => "certificate-refused",
            Cause::Inspected => "intercepted",
            Cause::ClientCertificateMissing => "client-certificate-missing",
            Cause::NoCommonVersion => "no-common-version",
            Cause::NoCommonSuite => "no-common-suite",
            Cause::NoCommonProtocol => "no-common-protocol",
            Cause::UnknownName => "unknown-name",
            Cause::AccessDenied => "access-denied",
            Cause::PlainAnswer => "plain-answer",
            Cause::Reset => "reset",
            Cause::Closed => "closed",
            Cause::Other => "other",
        }
    }
}

/// Something that is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub cause: Cause,
    /// In words, with the value seen and the value expected. Not escaped.
    pub text: String,
}

/// Why a handshake failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The likely cause.
    pub cause: Cause,
    /// The same in words, without a full stop. Not escaped.
    pub text: String,
    /// What shows it: alerts, ends, certificates, with frame and time. Not escaped.
    pub evidence: Vec<String>,
    /// Whose certificate it is about, if about one.
    pub of: Option<Side>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.evidence.first() {
            Some(first) => write!(f, " ({first})"),
            None => Ok(()),
        }
    }
}

impl Failure {
    /// What to do, a sentence.
    pub fn remedy(&self) -> &'static str {
        let client = self.of == Some(Side::Client);
        match self.cause {
            Cause::Expired | Cause::NotYetValid if client => {
                "Renew the device's certificate, and check the clock of the server."
            }
            Cause::Expired | Cause::NotYetValid => "Renew the server's certificate, and check the clock of the device.",
            Cause::WrongName => "Give the server a certificate that names the host which the device asks for.",
            Cause::Untrusted | Cause::Revoked | Cause::Refused if client => {
                "Let the server trust the authority that issues the devices' certificates, and check that this one is current."
            }
            Cause::Untrusted => {
                "Send the whole chain, and see that the device trusts its root: by a public authority, or installed before."
            }
            Cause::Revoked => "Replace the server's certificate.",
            Cause::Refused => {
                "Check issuer, chain, names, dates and revocation of the server's certificate as the device sees them."
            }
            Cause::Inspected => {
                "Exempt the management hosts from TLS inspection; the device does not trust the inspecting authority."
            }
            Cause::ClientCertificateMissing => {
                "See that the device has its certificate (My store), that SSLCLIENTCERTSEARCHCRITERIA matches it, and that the server names its issuer."
            }
            Cause::NoCommonVersion => "Let both sides speak TLS 1.2 or 1.3.",
            Cause::NoCommonSuite => "Let the server offer a suite and a kind of certificate that the client knows.",
            Cause::NoCommonProtocol => "Let the server speak HTTP/1.1 or h2 by ALPN.",
            Cause::UnknownName => "Let the server serve that name, or correct the address that the device was given.",
            Cause::AccessDenied => "Let the server accept this device, or enroll it anew.",
            Cause::PlainAnswer => {
                "Let the port speak TLS, or correct the port; behind a portal or proxy sign in or pass by it."
            }
            Cause::Reset | Cause::Closed => {
                "Look for a firewall or proxy on the way, and at the server's log for this moment."
            }
            Cause::Other => "Look at the log of the side that sent the alert.",
        }
    }
}

impl Facts {
    /// What is wrong with the server's certificate, as far as the capture shows it.
    pub fn server_faults(&self) -> Vec<Fault> {
        let Some(certificate) = self.server_certificate() else { return Vec::new() };
        let mut faults = date_faults(&certificate, self.hello.time, "server");
        if let Some(host) = self.server_name.as_deref().filter(|host| certificate.covers(host) == Some(false)) {
            let names = names(&certificate);
            let text = format!("the server's certificate is for {names}, and the client asked for {host}");
            faults.push(Fault { cause: Cause::WrongName, text });
        }
        faults
    }

    /// What is wrong with the client's certificate, as far as the capture shows it.
    pub fn client_faults(&self) -> Vec<Fault> {
        let certificate = self.client_certificate();
        certificate.map(|certificate| date_faults(&certificate, self.hello.time, "client")).unwrap_or_default()
    }

    /// Who says that it opens TLS on the way: the issuer of the server's certificate, where its name is one of a program
    /// that does so.
    pub fn inspector(&self) -> Option<Name> {
        let issuer = self.server_certificate()?.issuer?;
        let lower = issuer.to_string().to_lowercase();
        INSPECTORS.iter().any(|word| lower.contains(word)).then_some(issuer)
    }

    /// Why the handshake failed; `None` when it did not, or when that is not known.
    pub fn failure(&self) -> Option<Failure> {
        if self.sealed != Some(Sealed::Failed) {
            return None;
        }
        if let Some(line) = &self.plain_answer {
            let text = format!("the server answers in plain HTTP ({line}) where TLS is expected");
            let evidence = vec![format!("answer in {}", self.answer)];
            return Some(Failure { cause: Cause::PlainAnswer, text, evidence, of: None });
        }
        Some(match self.alerts.iter().find(|alert| alert.fatal) {
            Some(alert) => self.by_alert(*alert),
            None => self.by_end(),
        })
    }

    fn by_alert(&self, alert: Alert) -> Failure {
        let mut evidence = vec![join(&alert.to_string(), alert.seen)];
        let mut failure = match alert.code {
            42 | 43 | 44 | 45 | 46 | 48 => self.certificate_refused(alert, &mut evidence),
            40 | 116 if alert.from == Side::Server && self.wants_client_certificate() => Failure {
                cause: Cause::ClientCertificateMissing,
                text: "the server requires a client certificate, and the client sent none".to_owned(),
                evidence: Vec::new(),
                of: Some(Side::Client),
            },
            _ => {
                let (cause, text) = self.plain_cause(alert);
                Failure { cause, text, evidence: Vec::new(), of: None }
            }
        };
        failure.evidence = evidence;
        failure
    }

    /// Whether the server asked for a certificate that the client did not send, as far as that can be seen. In TLS 1.3 only
    /// the alert `certificate_required` says so.
    fn wants_client_certificate(&self) -> bool {
        let missing = self.certificate_requested && self.client_visible && self.client_certificates.is_empty();
        missing || self.alerts.iter().any(|alert| alert.code == 116)
    }

    fn certificate_refused(&self, alert: Alert, evidence: &mut Vec<String>) -> Failure {
        let of = if alert.from == Side::Client { Side::Server } else { Side::Client };
        let (certificate, faults, seen) = match of {
            Side::Server => (self.server_certificate(), self.server_faults(), self.certificates_seen[1]),
            Side::Client => (self.client_certificate(), self.client_faults(), self.certificates_seen[0]),
        };
        match &certificate {
            Some(certificate) => evidence.push(join(&told(certificate, of), seen)),
            None => evidence.push(format!("the {of}'s certificate was not captured or is encrypted: not judged")),
        }
        let inspector = self.inspector().filter(|_| of == Side::Server);
        if let Some(name) = inspector {
            let text = format!("a program on the way answers with a certificate of its own, issued by {name}");
            return Failure { cause: Cause::Inspected, text, evidence: Vec::new(), of: Some(of) };
        }
        if let Some(fault) = faults.into_iter().next() {
            return Failure { cause: fault.cause, text: fault.text, evidence: Vec::new(), of: Some(of) };
        }
        let issuer = certificate.as_ref().and_then(|certificate| certificate.issuer.as_ref());
        let by = match (issuer, certificate.as_ref().is_some_and(Certificate::is_self_issued)) {
            (Some(name), true) => format!(", which {name} issued for itself"),
            (Some(name), false) => format!(", which {name} issued"),
            (None, _) => String::new(),
        };
        let from = alert.from;
        let (cause, text) = match alert.code {
            48 => (Cause::Untrusted, format!("the {from} does not trust the issuer of the {of}'s certificate{by}")),
            44 => (Cause::Revoked, format!("the {from} says that the {of}'s certificate was revoked")),
            45 => {
                (Cause::Expired, format!("the {from} takes the {of}'s certificate for expired; its clock may be wrong"))
            }
            _ => (Cause::Refused, format!("the {from} does not accept the {of}'s certificate{by}")),
        };
        Failure { cause, text, evidence: Vec::new(), of: Some(of) }
    }

    fn plain_cause(&self, alert: Alert) -> (Cause, String) {
        let offered = self.offered.map(|version| format!("; the client offers up to {version}")).unwrap_or_default();
        let name = self.server_name.as_deref().unwrap_or("no name");
        match (alert.code, alert.from) {
            (70, Side::Client) => {
                let chosen = self.version.map(|version| format!(": it refuses {version}")).unwrap_or_default();
                (Cause::NoCommonVersion, format!("the client does not speak the version that the server chose{chosen}"))
            }
            (70, Side::Server) => (Cause::NoCommonVersion, format!("the sides have no TLS version in common{offered}")),
            (40 | 71, Side::Server) if self.version.is_none() => {
                let suites = self.offered_suites;
                let text = "the sides have no cipher suite, group or kind of certificate in common";
                (Cause::NoCommonSuite, format!("{text} (suites that the client offers: {suites}{offered})"))
            }
            (112, _) => {
                (Cause::UnknownName, format!("the server does not serve the name that the client asked for: {name}"))
            }
            (120, _) => {
                let offer = self.offered_protocols.join(", ");
                (
                    Cause::NoCommonProtocol,
                    format!("the server speaks none of the protocols that the client offers: {offer}"),
                )
            }
            (49, _) => (Cause::AccessDenied, "the certificate is valid, but access is refused".to_owned()),
            _ => (Cause::Other, format!("the {} gave up", alert.from)),
        }
    }

    /// The connection ended before the handshake did, without an alert that can be read.
    fn by_end(&self) -> Failure {
        let reset = self.ends.contains(&Some(End::Reset));
        let (cause, how) =
            if reset { (Cause::Reset, "was reset") } else { (Cause::Closed, "was closed without an alert") };
        let hello = join("hello of the client", self.hello);
        if self.version.is_none() {
            let spoke = if self.server_spoke { "something that is no TLS came back" } else { "no byte came back" };
            let text = format!("the connection {how} after the client's hello: {spoke}");
            return Failure { cause, text, evidence: vec![hello], of: None };
        }
        let mut evidence = vec![join("hello of the server", self.answer)];
        let Some(certificate) = self.server_certificate() else {
            let encrypted = self.version.is_some_and(super::Version::is_13);
            let text = match encrypted {
                true => {
                    "the client ended it right after the server's certificate, which it most often does not accept; \
                         in TLS 1.3 certificate and alert are encrypted"
                        .to_owned()
                }
                false => format!("the connection {how} before the handshake was over"),
            };
            let cause = if encrypted { Cause::Refused } else { cause };
            return Failure { cause, text, evidence, of: encrypted.then_some(Side::Server) };
        };
        evidence.push(join(&told(&certificate, Side::Server), self.certificates_seen[1]));
        let inspector = self.inspector().map(|name| Fault {
            cause: Cause::Inspected,
            text: format!("a program on the way answers with a certificate of its own, issued by {name}"),
        });
        let fault = inspector.or_else(|| self.server_faults().into_iter().next());
        let fault = fault.unwrap_or_else(|| Fault {
            cause: Cause::Refused,
            text: "the client most likely does not accept it: Windows then often ends the connection without an alert"
                .to_owned(),
        });
        let text = format!("the connection {how} after the server's certificate; {}", fault.text);
        Failure { cause: fault.cause, text, evidence, of: Some(Side::Server) }
    }
}

fn join(what: &str, seen: Seen) -> String {
    if seen == Seen::default() { what.to_owned() } else { format!("{what}, {seen}") }
}

/// A certificate in a few words.
fn told(certificate: &Certificate, of: Side) -> String {
    let name =
        |name: &Option<Name>| name.as_ref().map_or_else(|| "a name that cannot be read".to_owned(), Name::to_string);
    let date =
        |date: Option<DateTime>| date.map_or_else(|| "a date that cannot be read".to_owned(), |date| date.to_string());
    format!(
        "certificate of the {of}: {}, issued by {}, valid {} to {}",
        name(&certificate.subject),
        name(&certificate.issuer),
        date(certificate.not_before),
        date(certificate.not_after)
    )
}

/// The names a certificate holds for, the first few.
fn names(certificate: &Certificate) -> String {
    const SHOWN: usize = 4;
    let all: Vec<String> = match certificate.alt_names.as_slice() {
        [] => certificate.subject.iter().map(Name::to_string).collect(),
        names => names.iter().map(ToString::to_string).collect(),
    };
    let more = if all.len() > SHOWN { format!(" and {} more", all.len() - SHOWN) } else { String::new() };
    format!("{}{more}", all.into_iter().take(SHOWN).collect::<Vec<_>>().join(", "))
}

fn date_faults(certificate: &Certificate, at: Option<Time>, whose: &str) -> Vec<Fault> {
    let Some(now) = at.and_then(|at| u64::try_from(at.0 / 1_000_000_000).ok()) else { return Vec::new() };
    let seconds = |date: DateTime| date.unix_duration().as_secs();
    let clock = at.map(|at| at.to_string().chars().take(19).collect::<String>()).unwrap_or_default();
    let mut faults = Vec::new();
    if let Some(date) = certificate.not_after.filter(|date| seconds(*date) < now) {
        let text = format!("the {whose}'s certificate expired at {date}; the connection is of {clock}Z");
        faults.push(Fault { cause: Cause::Expired, text });
    }
    if let Some(date) = certificate.not_before.filter(|date| seconds(*date) > now) {
        let text = format!("the {whose}'s certificate is not valid before {date}; the connection is of {clock}Z");
        faults.push(Fault { cause: Cause::NotYetValid, text });
    }
    faults
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::tls::Version;
    use crate::x509::build::Template;

    fn der(template: Template) -> Vec<Arc<[u8]>> {
        vec![template.der().into()]
    }

    /// A handshake of 2026-01-02 with mdm.example.test that failed.
    fn failed(certificate: Option<Template>, alert: Option<(Side, u8)>) -> Facts {
        let time = Time::parse("2026-01-02T03:04:05Z");
        let seen = |frame| Seen { frame: Some(frame), time };
        Facts {
            offered: Some(Version::TLS12),
            version: Some(Version::TLS12),
            server_name: Some("mdm.example.test".to_owned()),
            hello: seen(4),
            answer: seen(6),
            server_certificates: certificate.map(der).unwrap_or_default(),
            certificates_seen: [Seen::default(), seen(7)],
            alerts: alert.map(|(from, code)| Alert { from, code, fatal: true, seen: seen(8) }).into_iter().collect(),
            sealed: Some(Sealed::Failed),
            ..Facts::default()
        }
    }

    fn told(facts: &Facts) -> (Cause, String) {
        let failure = facts.failure().unwrap();
        assert!(!failure.remedy().is_empty() && !failure.evidence.is_empty());
        (failure.cause, failure.to_string())
    }

    fn valid(from: &str, to: &str) -> Template {
        Template { validity: [from.to_owned(), to.to_owned()], ..Template::default() }
    }

    #[test]
    fn an_alert_is_explained_by_what_the_certificate_shows() {
        let refused = |template, code| told(&failed(Some(template), Some((Side::Client, code))));
        let (cause, text) = refused(valid("20240101000000Z", "20250101000000Z"), 46);
        assert_eq!(cause, Cause::Expired);
        assert_eq!(
            text,
            "the server's certificate expired at 2025-01-01T00:00:00Z; the connection is of 2026-01-02T03:04:05Z \
             (certificate_unknown (46) of the client, frame 8 at 03:04:05.000)"
        );
        assert_eq!(refused(valid("20270101000000Z", "20280101000000Z"), 42).0, Cause::NotYetValid);
        let other = Template { hosts: vec!["www.example.test".to_owned()], ..Template::default() };
        let (cause, text) = refused(other, 42);
        assert_eq!(cause, Cause::WrongName);
        assert!(text.contains("is for DNS:www.example.test, and the client asked for mdm.example.test"), "{text}");
        let (cause, text) = refused(Template { issuer: b"mitmproxy".to_vec(), ..Template::default() }, 48);
        assert!(cause == Cause::Inspected && text.contains("issued by CN=mitmproxy"), "{text}");
        let (cause, text) = refused(Template::default(), 48);
        assert!(cause == Cause::Untrusted && text.contains("which CN=Example CA issued"), "{text}");
        let (cause, text) = refused(Template { issuer: b"mdm.example.test".to_vec(), ..Template::default() }, 48);
        assert!(cause == Cause::Untrusted && text.contains("CN=mdm.example.test issued for itself"), "{text}");
    }

    #[test]
    fn a_certificate_that_is_not_there_is_not_judged() {
        let facts = failed(None, Some((Side::Client, 48)));
        assert_eq!(told(&facts).0, Cause::Untrusted);
        assert!(facts.failure().unwrap().evidence.iter().any(|line| line.contains("not judged")));
        let no_time =
            Facts { hello: Seen::default(), ..failed(Some(valid("20240101000000Z", "20250101000000Z")), None) };
        assert_eq!(no_time.server_faults(), []);
    }

    #[test]
    fn mutual_tls_without_a_certificate_is_named() {
        let asked = Facts {
            certificate_requested: true,
            client_visible: true,
            ..failed(Some(Template::default()), Some((Side::Server, 40)))
        };
        assert_eq!(told(&asked).0, Cause::ClientCertificateMissing);
        assert_eq!(told(&failed(None, Some((Side::Server, 116)))).0, Cause::ClientCertificateMissing);
        let expired = Facts {
            client_certificates: der(valid("20240101000000Z", "20250101000000Z")),
            ..failed(Some(Template::default()), Some((Side::Server, 45)))
        };
        let (cause, text) = told(&expired);
        assert!(cause == Cause::Expired && text.starts_with("the client's certificate expired"), "{text}");
        assert!(expired.failure().unwrap().remedy().contains("device"));
    }

    #[test]
    fn what_the_sides_do_not_share_is_named() {
        let nothing = |code| Facts { version: None, offered_suites: 3, ..failed(None, Some((Side::Server, code))) };
        let (cause, text) = told(&nothing(40));
        assert!(cause == Cause::NoCommonSuite && text.contains("offers: 3; the client offers up to TLS 1.2"), "{text}");
        assert_eq!(told(&nothing(70)).0, Cause::NoCommonVersion);
        assert_eq!(told(&nothing(112)).0, Cause::UnknownName);
        assert_eq!(told(&nothing(120)).0, Cause::NoCommonProtocol);
        assert_eq!(told(&nothing(80)).0, Cause::Other);
    }

    #[test]
    fn an_end_without_an_alert_is_explained_too() {
        let end = |end, facts| Facts { ends: [Some(End::Closed), Some(end)], ..facts };
        let mute = Facts { version: None, ..failed(None, None) };
        let (cause, text) = told(&end(End::Reset, mute.clone()));
        assert!(
            cause == Cause::Reset && text.contains("was reset after the client's hello: no byte came back"),
            "{text}"
        );
        assert_eq!(told(&end(End::Closed, mute)).0, Cause::Closed);
        let (cause, text) = told(&end(End::Closed, failed(Some(Template::default()), None)));
        assert!(cause == Cause::Refused && text.contains("Windows"), "{text}");
        assert_eq!(
            told(&end(End::Reset, failed(Some(valid("20240101000000Z", "20250101000000Z")), None))).0,
            Cause::Expired
        );
        let plain = Facts { plain_answer: Some("HTTP/1.1 400 Bad Request".to_owned()), ..failed(None, None) };
        assert_eq!(told(&plain).0, Cause::PlainAnswer);
    }

    #[test]
    fn what_did_not_fail_has_no_cause() {
        assert_eq!(Facts { sealed: Some(Sealed::NoKeys), ..failed(None, Some((Side::Client, 48))) }.failure(), None);
    }
}
