//! Credentials and challenges (RP 5.3, DMP 9).

use super::{ElementCx, Severity, Sink, quoted};
use crate::syncml::{Meta, Tag};

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
pub(super) fn challenge_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let status = cx.command();
    let Some(code @ (401 | 407)) = status.code() else { return };
    if status.is_for_header() && status.0.child(Tag::Chal).is_none() {
        out.report(cx.at(), format!("Status {code} for SyncHdr has no Chal; expected one that names the scheme"));
    }
}

/// A `Cred` or `Chal` of a type that no specification names.
pub(super) fn unknown_auth_type(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
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
