//! DM-AUT-001 to 003, 009 to 011, 027, 030, 031 and 035: the form of credentials and challenges in one message.

use super::dialog::{Chal, Cred, Scheme, Turn, holds_octets, is_coded};
use super::hmac::{self, Parameters};
use super::proof;
use crate::credentials::octets;
use crate::rules::finding::Place;
use crate::rules::{ElementCx, MessageCx, Severity, Sink, quoted};
use crate::syncml::{Header, Meta, Tag};

/// The authentication types of RP 5.3.1 and DMS 5.4.
const SCHEMES: [&str; 7] = [
    "syncml:auth-basic",
    "syncml:auth-md5",
    "syncml:auth-MAC",
    "syncml:auth-x509",
    "syncml:auth-securid",
    "syncml:auth-safeword",
    "syncml:auth-digipass",
];

/// A refusal for want of credentials that does not say how to authenticate.
pub(in crate::rules) fn challenge_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let status = cx.command();
    let Some(code @ (401 | 407)) = status.code() else { return };
    if status.is_for_header() && status.0.child(Tag::Chal).is_none() {
        out.report(cx.at(), format!("Status {code} for SyncHdr has no Chal; expected one that names the scheme"));
    }
}

/// A `Cred` or `Chal` of a type that no specification names.
pub(in crate::rules) fn unknown_auth_type(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let meta = cx.element.child(Tag::Meta);
    let Some((element, scheme)) = meta.and_then(|meta| Some((meta.child(Tag::Type)?, Meta(meta).media_type()?))) else {
        return;
    };
    if SCHEMES.contains(&scheme) {
        return;
    }
    let name = cx.element.name();
    match SCHEMES.iter().find(|known| known.eq_ignore_ascii_case(scheme)) {
        Some(known) => {
            out.report(cx.message.at(element), format!("Type of {name} is {}; expected `{known}`", quoted(scheme)));
        }
        None => {
            let text = format!("Type of {name} is {}; expected `syncml:auth-basic` or `syncml:auth-md5`", quoted(scheme));
            let finding = out.report(cx.message.at(element), text);
            if !scheme.to_ascii_lowercase().starts_with("syncml:") {
                finding.at_most(Severity::Info);
            }
        }
    }
}

/// A `Cred` or `Chal` that does not say that it is base64.
pub(in crate::rules) fn auth_format_not_b64(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let meta = cx.element.child(Tag::Meta);
    if holds_octets(cx.element) || (meta.is_none() && cx.element.tag() == Tag::Chal) {
        return;
    }
    let format = meta.and_then(|meta| meta.child(Tag::Format));
    let name = cx.element.name();
    match format.and_then(|format| Some((format, format.value()?))) {
        Some((_, "b64")) => {}
        Some((element, seen)) => {
            out.report(cx.message.at(element), format!("Format of {name} is {}; expected `b64`", quoted(seen)));
        }
        None => {
            out.report(cx.at(), format!("{name} has no Format; expected `b64`"));
        }
    }
}

/// Credentials that are not base64, or no digest.
pub(in crate::rules) fn cred_not_base64(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let cred = Cred(cx.element);
    let (Some(data), Some(text)) = (cred.data(), cred.text()) else { return };
    if !is_coded(cx.element) {
        return;
    }
    let md5 = cred.scheme() == Scheme::Md5;
    let is_hex = |bytes: &[u8]| bytes.len() == 32 && bytes.iter().all(u8::is_ascii_hexdigit);
    let what = match octets(text) {
        _ if md5 && is_hex(text.as_bytes()) => "32 hexadecimal digits; expected the 16 octets of the digest in base64".to_owned(),
        None => "not base64".to_owned(),
        Some(octets) if md5 && is_hex(&octets) => "32 hexadecimal digits in base64; expected the 16 octets that they stand for".to_owned(),
        Some(octets) if md5 && octets.len() != 16 => format!("base64 of {} octets; expected the 16 of an md5 digest", octets.len()),
        Some(_) => return,
    };
    out.report(cx.message.at(data), format!("Data of Cred is {what}"));
}

/// Basic credentials that are not user and password.
pub(in crate::rules) fn basic_cred_form(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let cred = Cred(cx.element);
    let Some(data) = cred.data().filter(|_| cred.scheme() == Scheme::Basic && is_coded(cx.element)) else { return };
    let Some(octets) = data.value().and_then(octets) else { return };
    let zeros = octets.iter().filter(|octet| **octet == 0).count();
    let what = match String::from_utf8(octets) {
        _ if zeros > 0 => "are in UTF-16, or hold zeros; expected UTF-8",
        Err(_) => "are not UTF-8",
        Ok(plain) if !plain.contains(':') => "have no colon; expected `user:password`",
        Ok(_) => return proof::basic(cx, cred, data, out),
    };
    out.report(cx.message.at(data), format!("the basic credentials {what}"));
}

/// An md5 digest of whom?
pub(in crate::rules) fn md5_username_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let header = cx.element.parent().filter(|parent| parent.tag() == Tag::SyncHdr);
    let Some(header) = header.filter(|_| Cred(cx.element).scheme() == Scheme::Md5) else { return };
    if Header(header).source_name().is_none() {
        let place = header.child(Tag::Source).unwrap_or(header);
        out.report(cx.message.at(place), "Source has no LocName; expected the user of the md5 credentials");
    }
}

/// A MAC where it must not be.
pub(in crate::rules) fn mac_in_cred(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if Cred(cx.element).scheme() == Scheme::Mac {
        out.report(cx.at(), "Cred has the type `syncml:auth-MAC`; expected the HTTP header x-syncml-hmac");
    }
}

/// A header `x-syncml-hmac` that cannot be read.
pub(in crate::rules) fn hmac_header_syntax(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(parameters) = hmac::of(cx.message).map(Parameters::of) else { return };
    let mut wrong: Vec<String> = Vec::new();
    match parameters.username {
        None => wrong.push("no username".into()),
        Some((_, false)) => wrong.push("a username without quotes".into()),
        Some((_, true)) => {}
    }
    let hex = parameters.is_hex_in_base64();
    match parameters.mac {
        None => wrong.push("no mac".into()),
        Some(_) if hex => wrong.push("a mac of 32 hexadecimal digits in base64".into()),
        Some(_) if parameters.digest().is_none() => wrong.push("a mac that is not 16 octets in base64".into()),
        Some(_) => {}
    }
    if let Some(other) = parameters.algorithm.filter(|name| !name.eq_ignore_ascii_case("MD5")) {
        wrong.push(format!("the algorithm {}", quoted(other)));
    }
    if !wrong.is_empty() {
        let expected = "expected `algorithm=MD5, username=\"…\", mac=…`";
        let finding = out.report(Place::Message(cx.index), format!("x-syncml-hmac has {}; {expected}", wrong.join(" and ")));
        if hex && wrong.len() == 1 {
            finding.at_most(Severity::Warning);
        }
    }
}

/// A header `x-syncml-hmac` of somebody else than the message.
pub(in crate::rules) fn hmac_username_mismatch(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let parameters = hmac::of(cx.message).map(Parameters::of);
    let source = cx.message.header().and_then(|header| header.0.child(Tag::Source));
    let name = source.and_then(|source| source.child(Tag::LocName));
    let (Some((user, _)), Some(name)) = (parameters.and_then(|parameters| parameters.username), name) else { return };
    if let Some(expected) = name.value().filter(|name| *name != user) {
        let text = format!("x-syncml-hmac is of the user {}, the LocName of Source is {}", quoted(user), quoted(expected));
        out.report(cx.at(name), text);
    }
}

/// A challenge for basic credentials together with success.
pub(in crate::rules) fn challenge_on_success_basic(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let status = cx.command();
    let Some((code, chal)) = status.code().zip(status.0.child(Tag::Chal)) else { return };
    if status.is_for_header() && matches!(code, 200 | 212) && Chal(chal).scheme() == Scheme::Basic {
        let text = format!("a Chal for basic credentials stands beside {code}; expected none, since it carries no nonce");
        out.report(cx.message.at(chal), text);
    }
}

impl<'a> ElementCx<'a> {
    /// What the message of an element says of who sent it.
    pub(super) fn turn(&self) -> Option<Turn<'a>> {
        Turn::of(self.message)
    }
}
