//! DM-PRV-011, DM-PRV-013 to DM-PRV-015, DM-PRV-022 and DM-PRV-023: the account of the management server.

use crate::enroll::Address;
use crate::enroll::provisioning::Application;
use crate::rules::{ProvisioningCx, Severity, Sink, quoted};
use crate::syncml::secret;

/// No account of device management.
pub(in crate::rules) fn application_missing(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let account = cx.document.application();
    if !cx.enrolls() || cx.renews() || account.is_some_and(|account| account.is_w7()) {
        return;
    }
    match account {
        Some(other) => {
            let id = other.0.value("APPID").map_or("no APPID".to_owned(), |id| format!("APPID {}", quoted(id)));
            out.report(cx.at(other.0.0), format!("the APPLICATION has {id}; expected `w7`"));
        }
        None => {
            out.report(cx.at(cx.document.0), "the document has no APPLICATION with APPID `w7`");
        }
    }
}

/// No usable address of the management server.
pub(in crate::rules) fn addr_invalid(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some(account) = cx.document.application().filter(|account| account.is_w7()) else { return };
    let Some(addr) = account.addr() else {
        if !cx.renews() {
            out.report(cx.at(account.0.0), "the APPLICATION has no ADDR; expected the https address of the management server");
        }
        return;
    };
    let value = addr.value().unwrap_or_default();
    let is_https = value.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    if !is_https || Address::of(value).is_none() {
        let seen = secret::url(value);
        out.report(cx.at(addr.0), format!("ADDR is {}; expected an https address", quoted(&seen)));
    }
}

/// The account of device management.
pub(super) fn account<'a>(cx: &ProvisioningCx<'a>) -> Option<Application<'a>> {
    cx.document.application().filter(|account| account.is_w7())
}

/// No name for the account.
pub(in crate::rules) fn provider_id_missing(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some(account) = account(cx).filter(|account| account.provider_id().is_none()) else { return };
    match account.0.parm("PROVIDER-ID") {
        Some(parm) => out.report(cx.at(parm.0), "PROVIDER-ID is empty; expected the name of the server"),
        None => out.report(cx.at(account.0.0), "the APPLICATION has no PROVIDER-ID"),
    };
}

/// A name for the account that has to be escaped.
pub(in crate::rules) fn provider_id_needs_escaping(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some(parm) = account(cx).and_then(|account| account.0.parm("PROVIDER-ID")) else { return };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if let Some(value) = parm.value().filter(|value| !value.chars().all(plain)) {
        out.report(cx.at(parm.0), format!("PROVIDER-ID is {}; expected letters and digits", quoted(value)));
    }
}

/// The value of ROLE that public servers send, and that is taken.
const ANY_ROLE: &str = "4294967295";

/// A role that only the client sets.
pub(in crate::rules) fn role_present(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some(parm) = account(cx).and_then(|account| account.0.parm("ROLE")) else { return };
    let value = parm.value().unwrap_or_default();
    let finding = out.report(cx.at(parm.0), format!("ROLE is {}; expected no ROLE, the client sets it", quoted(value)));
    if value == ANY_ROLE {
        finding.at_most(Severity::Info);
    }
}

/// INIT, which is for other accounts.
pub(in crate::rules) fn init_present(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    if let Some(parm) = account(cx).and_then(|account| account.0.parm("INIT")) {
        out.report(cx.at(parm.0), "INIT is there; expected none in an MDM enrollment");
    }
}
