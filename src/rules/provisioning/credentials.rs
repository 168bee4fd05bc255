//! DM-PRV-016 to DM-PRV-021: how device and server prove themselves to each other.

use super::application::account;
use crate::credentials::octets;
use crate::enroll::provisioning::Characteristic;
use crate::rules::{ProvisioningCx, Severity, Sink, quoted};

/// Who proves itself to whom: the server to the client, and the client to the server.
const LEVELS: [&str; 2] = ["CLIENT", "APPSRV"];

/// The blocks of credentials.
fn blocks<'a>(cx: &ProvisioningCx<'a>) -> impl Iterator<Item = Characteristic<'a>> {
    account(cx).into_iter().flat_map(|account| account.auths())
}

fn is_level(block: Characteristic<'_>, level: &str) -> bool {
    block.value("AAUTHLEVEL").is_some_and(|value| value.eq_ignore_ascii_case(level))
}

/// The server's own credentials, not as a digest.
pub(in crate::rules) fn client_auth_not_digest(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    for block in blocks(cx).filter(|block| is_level(*block, "CLIENT")) {
        let Some((parm, kind)) = block.parm("AAUTHTYPE").and_then(|parm| Some((parm, parm.value()?))) else { continue };
        if kind.eq_ignore_ascii_case("BASIC") {
            out.report(cx.at(parm.0), format!("AAUTHTYPE of the CLIENT block is {}; expected `DIGEST`", quoted(kind)));
        }
    }
}

/// Values that do not exist.
pub(in crate::rules) fn auth_values(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    const KNOWN: [(&str, [&str; 2]); 2] = [("AAUTHLEVEL", LEVELS), ("AAUTHTYPE", ["BASIC", "DIGEST"])];
    for (block, (name, values)) in blocks(cx).flat_map(|block| KNOWN.map(|known| (block, known))) {
        let Some((parm, value)) = block.parm(name).and_then(|parm| Some((parm, parm.value()?))) else { continue };
        if !values.iter().any(|known| value.eq_ignore_ascii_case(known)) {
            let [first, second] = values;
            out.report(cx.at(parm.0), format!("{name} is {}; expected `{first}` or `{second}`", quoted(value)));
        }
    }
}

/// An account without the credentials of one side.
pub(in crate::rules) fn appauth_missing(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some(account) = account(cx).filter(|_| !cx.renews() && cx.enrolls_device()) else { return };
    let missing: Vec<&str> = LEVELS.into_iter().filter(|level| account.auth(level).is_none()).collect();
    // A block with a level that does not exist may be the one; another rule tells that.
    let is_odd = |block: Characteristic<'_>| block.value("AAUTHLEVEL").is_some() && !LEVELS.iter().any(|level| is_level(block, level));
    if !missing.is_empty() && !account.auths().any(is_odd) {
        out.report(cx.at(account.0.0), format!("the APPLICATION has no APPAUTH block for {}", missing.join(" and none for ")));
    }
}

/// The nonce that public servers copy from each other, and that is taken.
const COPIED: &str = "nonce";

/// A digest without a nonce, or with one that is no base64.
pub(in crate::rules) fn nonce_missing_or_bad(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let digests = |block: &Characteristic<'_>| block.value("AAUTHTYPE").is_some_and(|kind| kind.eq_ignore_ascii_case("DIGEST"));
    for block in blocks(cx).filter(digests) {
        let level = block.value("AAUTHLEVEL").map_or("without AAUTHLEVEL".to_owned(), quoted);
        let nonce = block.parm("AAUTHDATA").and_then(|parm| Some((parm, parm.value()?)));
        let Some((parm, nonce)) = nonce.filter(|(_, nonce)| !nonce.is_empty()) else {
            out.report(cx.at(block.0), format!("the DIGEST block {level} has no AAUTHDATA; expected the base64 of a nonce"));
            continue;
        };
        if octets(nonce).is_none() {
            let finding = out.report(cx.at(parm.0), format!("AAUTHDATA of the block {level} is not base64"));
            if nonce == COPIED {
                finding.at_most(Severity::Info);
            }
        }
    }
}

/// Credentials without a secret.
pub(in crate::rules) fn auth_secret_missing(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    for block in blocks(cx).filter(|block| block.value("AAUTHSECRET").is_none_or(str::is_empty)) {
        let level = block.value("AAUTHLEVEL").map_or("without AAUTHLEVEL".to_owned(), quoted);
        out.report(cx.at(block.0), format!("the APPAUTH block {level} has no AAUTHSECRET"));
    }
}

/// The device's credentials without a name.
pub(in crate::rules) fn name_missing_for_appsrv(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let nameless = |block: &Characteristic<'_>| is_level(*block, "APPSRV") && block.value("AAUTHNAME").is_none_or(str::is_empty);
    for block in blocks(cx).filter(nameless) {
        out.report(cx.at(block.0), "the APPSRV block has no AAUTHNAME");
    }
}
