//! DM-SEC-005 and 006: the secrets by which server and device know each other.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::enroll::Provisioning;
use crate::enroll::provisioning::Parm;
use crate::rules::enrollment::ProvisioningCx;
use crate::rules::finding::Place;
use crate::rules::options::weak_secret::{MINIMUM_OCTETS, WORDS};
use crate::rules::{CaptureCx, Sink};
use crate::session::{At, Session};
use crate::syncml::{Element, Header, Kind, Message, Side, Tag, secret};

/// Secrets of a session that are looked at.
const MOST: usize = 16;

/// A secret that can be guessed, or that both sides share.
pub(in crate::rules) fn weak_secret(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let length = out.number(MINIMUM_OCTETS) as usize;
    let secrets = secrets(cx.document);
    for (number, (level, secret)) in secrets.iter().enumerate() {
        let Some(value) = secret.value() else { continue };
        let same = secrets.iter().take(number).find(|(_, other)| other.value() == Some(value));
        let lower = value.to_ascii_lowercase();
        let bare = lower.trim_matches(|letter: char| letter.is_ascii_digit());
        let guessed = out.any_word(WORDS, |word| bare.eq_ignore_ascii_case(word) || lower.starts_with(&word.to_ascii_lowercase()));
        let what = match (same, guessed) {
            (Some((other, _)), _) => format!("is that of {other}, too; expected one of its own"),
            (None, true) => format!("begins with a word that anybody tries first; expected {length} random octets"),
            (None, false) if value.len() < length => format!("has {} octets; expected {length} random ones", value.len()),
            (None, false) => continue,
        };
        out.report(cx.at(secret.0), format!("AAUTHSECRET of {level} {what}"));
    }
}

/// The secrets of a document, with the level of each.
fn secrets(document: Provisioning<'_>) -> Vec<(&str, Parm<'_>)> {
    let auths = document.application().into_iter().flat_map(|account| account.auths());
    let secret = auths.filter_map(|auth| Some((auth.value("AAUTHLEVEL").unwrap_or("no level"), auth.parm("AAUTHSECRET")?)));
    secret.filter(|(_, secret)| secret.value().is_some_and(is_told)).collect()
}

/// A secret of the server that another device has, too.
pub(in crate::rules) fn shared_server_secret(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let shared = of_server(cx.session.session).into_iter().find_map(|(at, what, hash)| Some((at, what, cx.earlier.owner_of_secret(hash)?)));
    if let Some((at, what, session)) = shared {
        out.report(at, format!("the server's {what} is the same as for another device, in session s{session}; expected one for each"));
    }
}

/// The secrets by which a server proves itself in a session: where, what it is, and a hash of it.
pub(in crate::rules) fn of_server(session: &Session) -> Vec<(Place, &'static str, u64)> {
    let mut found: Vec<(Place, &'static str, u64)> = Vec::new();
    for (index, message) in session.messages.iter().enumerate() {
        let (node, what, hash) = match message.kind {
            Kind::Provisioning => {
                let secret = Provisioning::of(&message.doc).and_then(secret_of_server);
                let Some((parm, value)) = secret else { continue };
                (parm.0, "AAUTHSECRET", hash("secret", value))
            }
            _ => match cred(message) {
                Some((data, value)) => (data, "digest", hash("digest", value)),
                None => continue,
            },
        };
        if found.len() < MOST && !found.iter().any(|(_, _, known)| *known == hash) {
            found.push((At { message: index, node: node.id() }.into(), what, hash));
        }
    }
    found
}

fn secret_of_server(document: Provisioning<'_>) -> Option<(Parm<'_>, &str)> {
    let secret = document.application()?.auth("CLIENT")?.parm("AAUTHSECRET")?;
    secret.value().filter(|value| is_told(value)).map(|value| (secret, value))
}

/// Whether a secret is there, and not masked by an export.
fn is_told(value: &str) -> bool {
    !value.is_empty() && value != secret::MASK
}

fn cred(message: &Message) -> Option<(Element<'_>, &str)> {
    let header = message.header().filter(|_| message.side == Some(Side::Server) && message.is_readable())?;
    let data = Header::cred(header)?.child(Tag::Data)?;
    data.value().filter(|value| is_told(value)).map(|value| (data, value))
}

fn hash(kind: &str, value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kind, value).hash(&mut hasher);
    hasher.finish()
}
