//! DM-PRV-011 and DM-PRV-015: the account of the management server.

use crate::enroll::Address;
use crate::rules::{ProvisioningCx, Sink, quoted};
use crate::syncml::secret;

/// No account of device management.
pub(in crate::rules) fn application_missing(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let account = cx.document.application();
    if cx.renews() || account.is_some_and(|account| account.is_w7()) {
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
