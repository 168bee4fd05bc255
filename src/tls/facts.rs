//! What a TLS connection tells of itself: versions, names, certificates, alerts, and why it could not be decrypted.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use super::suite::{KeyExchange, Suite};
use super::version::Version;
use crate::origin::{Origin, Unit};
use crate::stream::End;
use crate::time::Time;
use crate::x509::Certificate;

/// Alerts of one connection that are kept.
const MAX_ALERTS: usize = 4;

/// What is known of a connection. What was not captured, or travelled encrypted without keys, is `None` or empty.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Facts {
    /// The newest version that the client offered.
    pub offered: Option<Version>,
    /// The version in use.
    pub version: Option<Version>,
    /// The cipher suite in use.
    pub suite: Option<Suite>,
    /// The host that the client asked for, lower case.
    pub server_name: Option<String>,
    /// The protocol agreed upon by ALPN.
    pub alpn: Option<String>,
    /// The protocols that the client offered.
    pub offered_protocols: Vec<String>,
    /// How many cipher suites the client offered.
    pub offered_suites: usize,
    /// Where the client's hello was captured.
    pub hello: Seen,
    /// Where the server's hello was captured.
    pub answer: Seen,
    /// The first line of what the server answered in clear text, where it did not answer with TLS.
    pub plain_answer: Option<String>,
    /// Whether a CONNECT of a proxy stands before it.
    pub proxied: bool,
    /// Whether the server sent any byte.
    pub server_spoke: bool,
    /// How each direction ended, the client's first.
    pub ends: [Option<End>; 2],
    /// Identifies the connection in a key log.
    #[serde(with = "super::told::random")]
    pub client_random: Option<[u8; 32]>,
    /// The server's certificates in DER, its own first.
    #[serde(with = "super::told::certificates")]
    pub server_certificates: Vec<Arc<[u8]>>,
    /// The client's certificates in DER, its own first.
    #[serde(with = "super::told::certificates")]
    pub client_certificates: Vec<Arc<[u8]>>,
    /// Where the certificates were captured, the client's first.
    pub certificates_seen: [Seen; 2],
    /// Whether the server asked for a client certificate.
    pub certificate_requested: bool,
    /// Whether the part of the handshake that would show a client certificate could be read.
    pub client_visible: bool,
    /// Whether an earlier session was taken up; certificates are then those of that one.
    pub resumed: bool,
    /// Alerts that could be read.
    pub alerts: Vec<Alert>,
    /// Whether both sides came to send encrypted records.
    pub completed: bool,
    /// Whether application data was decrypted.
    pub decrypted: bool,
    /// Why nothing was decrypted, once that is known.
    pub sealed: Option<Sealed>,
}

/// Where and when something was captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The frame that brought its end.
    pub frame: Option<u32>,
    /// When.
    pub time: Option<Time>,
}

impl Seen {
    /// Where the bytes of this origin begin.
    pub(super) fn of(origin: &Origin) -> Seen {
        let run = origin.runs().first();
        let frame = run.and_then(|run| match run.unit {
            Unit::Frame(number) => Some(number),
            _ => None,
        });
        Seen { frame, time: run.and_then(|run| run.time) }
    }
}

/// `frame 12 at 10:02:11.120`; nothing where nothing is known.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = self.time.map(|time| time.to_string());
        let clock = clock.as_deref().and_then(|time| time.get(11..23));
        match (self.frame, clock) {
            (Some(frame), Some(clock)) => write!(f, "frame {frame} at {clock}"),
            (Some(frame), None) => write!(f, "frame {frame}"),
            (None, Some(clock)) => write!(f, "at {clock}"),
            (None, None) => Ok(()),
        }
    }
}

/// Who sent something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The client.
    Client,
    /// The server.
    Server,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Side::Client { "client" } else { "server" })
    }
}

/// An alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Alert {
    /// Who sent it.
    pub from: Side,
    /// What it says (RFC 8446 §6).
    pub code: u8,
    /// Whether it ends the connection.
    pub fatal: bool,
    /// Where it was captured.
    #[serde(default)]
    pub seen: Seen,
}

impl Alert {
    /// Its name in the specification; empty for one without.
    pub fn name(self) -> &'static str {
        match self.code {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            21 => "decryption_failed",
            22 => "record_overflow",
            30 => "decompression_failure",
            40 => "handshake_failure",
            41 => "no_certificate",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            60 => "export_restriction",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            120 => "no_application_protocol",
            _ => "",
        }
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            "" => write!(f, "alert {} of the {}", self.code, self.from),
            name => write!(f, "{name} ({}) of the {}", self.code, self.from),
        }
    }
}

/// Why a connection could not be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sealed {
    /// No keys were given at all.
    NoKeys,
    /// Key logs were given, without a line for this connection.
    NotLogged,
    /// There are RSA keys, but the suite's keys do not come from RSA.
    ForwardSecret,
    /// There are RSA keys, but none is the server's.
    OtherKey,
    /// A session was resumed whose beginning, or secret, is not known.
    Resumed,
    /// The beginning of the connection was not captured.
    NoStart,
    /// The handshake was not captured whole.
    Incomplete,
    /// Not a suite that can be decrypted.
    Suite,
    /// The secrets that were given do not fit the records.
    WrongKeys,
    /// The handshake failed: there is nothing to decrypt.
    Failed,
    /// The connection carried no data.
    Empty,
}

impl Facts {
    /// A sentence on why nothing was decrypted, without a full stop; empty when it was.
    pub fn why_sealed(&self) -> String {
        let Some(sealed) = self.sealed else { return String::new() };
        let suite = || self.suite.map_or_else(|| "the suite".to_owned(), |suite| suite.to_string());
        match sealed {
            Sealed::NoKeys => "no keys were given".to_owned(),
            Sealed::NotLogged => match self.client_random {
                Some(random) if self.resumed => {
                    format!(
                        "it resumes a session, and the key logs have no line for its own client random {}",
                        hex(&random)
                    )
                }
                Some(random) => format!("the key logs have no line for client random {}", hex(&random)),
                None => "the key logs have no line for it".to_owned(),
            },
            Sealed::ForwardSecret => format!("{} has forward secrecy, so an RSA key cannot decrypt it", suite()),
            Sealed::OtherKey => "none of the RSA keys is the server's".to_owned(),
            Sealed::Resumed => "it resumes a session whose beginning was not captured".to_owned(),
            Sealed::NoStart => "its beginning was not captured".to_owned(),
            Sealed::Incomplete => "its handshake was not captured whole".to_owned(),
            Sealed::Suite => format!("{} cannot be decrypted by this version", suite()),
            Sealed::WrongKeys => "the keys that were given do not fit it".to_owned(),
            Sealed::Failed => match self.failure() {
                Some(failure) => format!("its handshake failed: {failure}"),
                None => "its handshake was broken off".to_owned(),
            },
            Sealed::Empty => "it carried no data".to_owned(),
        }
    }

    /// What to do about it, a sentence; empty when it was decrypted.
    pub fn remedy(&self) -> &'static str {
        match self.sealed {
            None | Some(Sealed::Empty) => "",
            Some(Sealed::NoKeys) if self.suite.and_then(Suite::key_exchange) == Some(KeyExchange::Rsa) => {
                "Give the server's RSA key (--key) or a key log of the server or a proxy (--keylog); Windows writes none."
            }
            Some(Sealed::NoKeys | Sealed::Suite) => {
                "Windows writes no key log: take one from the server or from a proxy (--keylog), or record where TLS ends."
            }
            Some(Sealed::NotLogged) => {
                "Switch the key log on before the connection begins, at the program that ends this connection, and give all its files."
            }
            Some(Sealed::ForwardSecret) => {
                "Take a key log from the server or from a proxy (--keylog); a private key opens suites named TLS_RSA_ alone."
            }
            Some(Sealed::OtherKey) => {
                "Give the key of the certificate that the server shows (--key), or a key log (--keylog)."
            }
            Some(Sealed::Resumed) => "Capture the first connection of the client too, or take a key log (--keylog).",
            Some(Sealed::NoStart) => "Start the capture before the connection begins.",
            Some(Sealed::Incomplete) => {
                "Capture all bytes of all packets (-s 0), from before the connection begins to its end."
            }
            Some(Sealed::WrongKeys) => "Give the key log that was written while this capture was taken.",
            Some(Sealed::Failed) => self.failure().map_or("", |failure| failure.remedy()),
        }
    }

    /// The server's own certificate.
    pub fn server_certificate(&self) -> Option<Certificate> {
        self.server_certificates.first().map(|der| Certificate::read(der))
    }

    /// The certificates that the server sent, its own first.
    pub fn server_chain(&self) -> Vec<Certificate> {
        self.server_certificates.iter().map(|der| Certificate::read(der)).collect()
    }

    /// The client's own certificate.
    pub fn client_certificate(&self) -> Option<Certificate> {
        self.client_certificates.first().map(|der| Certificate::read(der))
    }

    /// Whether the suite gives fresh keys to each connection.
    pub fn is_forward_secret(&self) -> bool {
        self.suite.and_then(Suite::key_exchange) == Some(KeyExchange::Ephemeral)
    }

    pub(super) fn add_alert(&mut self, alert: Alert) {
        if self.alerts.len() < MAX_ALERTS {
            self.alerts.push(alert);
        }
    }
}

/// Octets in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The facts of a connection, which grow while it is read: a certificate may come after the first messages.
#[derive(Clone, Debug, Default)]
pub struct Handshake(Arc<RwLock<Facts>>);

impl Handshake {
    /// What is known so far.
    pub fn facts(&self) -> Facts {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One fact of what is known so far.
    pub fn get<T>(&self, fact: impl FnOnce(&Facts) -> T) -> T {
        fact(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what is known.
    pub fn set(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}
