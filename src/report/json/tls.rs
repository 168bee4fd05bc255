//! What TLS says, as JSON.

use serde::Serialize;

use super::{LocationJson, location};
use crate::http::Encrypted;
use crate::report::Lint;
use crate::rules::Location;
use crate::tls::{Alert, Facts, Seen};
use crate::x509::Certificate;

/// A connection.
#[derive(Serialize)]
pub(super) struct TlsJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offered: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suite: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alpn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_random: Option<String>,
    resumed: bool,
    decrypted: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alerts: Vec<AlertJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_certificate: Option<CertificateJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_certificate: Option<CertificateJson>,
}

#[derive(Serialize)]
struct AlertJson {
    from: String,
    code: u8,
    name: &'static str,
    fatal: bool,
    #[serde(flatten)]
    seen: SeenJson,
}

#[derive(Serialize)]
struct SeenJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
}

#[derive(Serialize)]
struct CertificateJson {
    subject: Option<String>,
    issuer: Option<String>,
    serial: Option<String>,
    not_before: Option<String>,
    not_after: Option<String>,
    alt_names: Vec<String>,
    key: Option<String>,
    signature: Option<String>,
    thumbprint: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    #[serde(flatten)]
    seen: SeenJson,
}

/// Connections to a host that could not be read.
#[derive(Serialize)]
pub(super) struct EncryptedJson<'a> {
    host: String,
    connections: u64,
    reason: String,
    help: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureJson>,
    tls: TlsJson,
    location: LocationJson<'a>,
}

#[derive(Serialize)]
struct FailureJson {
    cause: &'static str,
    message: String,
    evidence: Vec<String>,
}

pub(super) fn connection(facts: &Facts) -> TlsJson {
    let random = facts.client_random.map(|random| random.iter().map(|byte| format!("{byte:02x}")).collect());
    let texts = |faults: Vec<crate::tls::Fault>| faults.into_iter().map(|fault| fault.text).collect();
    let [client_seen, server_seen] = facts.certificates_seen;
    TlsJson {
        version: facts.version.map(|version| version.to_string()),
        offered: facts.offered.map(|version| version.to_string()),
        suite: facts.suite.map(|suite| suite.to_string()),
        server_name: facts.server_name.clone(),
        alpn: facts.alpn.clone(),
        client_random: random,
        resumed: facts.resumed,
        decrypted: facts.decrypted,
        alerts: facts.alerts.iter().map(alert).collect(),
        server_certificate: facts
            .server_certificate()
            .map(|own| certificate(own, texts(facts.server_faults()), server_seen)),
        client_certificate: facts
            .client_certificate()
            .map(|own| certificate(own, texts(facts.client_faults()), client_seen)),
    }
}

fn alert(alert: &Alert) -> AlertJson {
    AlertJson {
        from: alert.from.to_string(),
        code: alert.code,
        name: alert.name(),
        fatal: alert.fatal,
        seen: seen(alert.seen),
    }
}

fn seen(seen: Seen) -> SeenJson {
    SeenJson { frame: seen.frame, time: seen.time.map(|time| time.to_string()) }
}

fn certificate(certificate: Certificate, faults: Vec<String>, at: Seen) -> CertificateJson {
    CertificateJson {
        thumbprint: certificate.thumbprint(),
        subject: certificate.subject.map(|name| name.to_string()),
        issuer: certificate.issuer.map(|name| name.to_string()),
        serial: certificate.serial,
        not_before: certificate.not_before.map(|date| date.to_string()),
        not_after: certificate.not_after.map(|date| date.to_string()),
        alt_names: certificate.alt_names.iter().map(ToString::to_string).collect(),
        key: certificate.key.map(|key| key.to_string()),
        signature: certificate.signature,
        faults,
        seen: seen(at),
    }
}

pub(super) fn encrypted<'a>(lint: &'a Lint, encrypted: &Encrypted, place: &'a Location) -> EncryptedJson<'a> {
    let facts = encrypted.facts();
    let failure = facts.failure().map(|failure| FailureJson {
        cause: failure.cause.name(),
        message: failure.text,
        evidence: failure.evidence,
    });
    EncryptedJson {
        host: encrypted.host().unwrap_or_default(),
        connections: encrypted.connections,
        reason: facts.why_sealed(),
        help: facts.remedy(),
        failure,
        tls: connection(&facts),
        location: location(lint, place),
    }
}
