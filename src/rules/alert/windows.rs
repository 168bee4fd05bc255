//! DM-ALR-018 to DM-ALR-021: the alert types of Windows and their values.

use crate::rules::{ElementCx, MessageCx, SessionCx, Sink, options, quoted};
use crate::session::At;
use crate::syncml::{Command, Item, Side, Tag};

const LOGIN_STATUS: &str = "com.microsoft/MDM/LoginStatus";
const SYNC_TYPE: &str = "com.microsoft.mdm.synctype";
const PREPARATION: &str = "com.microsoft/MDM/DevicePrepSync";
const UNENROLLMENT: &str = "com.microsoft:mdm.unenrollment.userrequest";

/// The types of Alert 1224 and 1226 that Windows is known to send, without prefix.
const KNOWN: [&str; 14] = [
    LOGIN_STATUS,
    SYNC_TYPE,
    PREPARATION,
    UNENROLLMENT,
    "com.microsoft/MDM/AADUserToken",
    "com.microsoft.mdm:HealthAttestation.Result",
    "com.microsoft:mdm.SCEPcertinstall.result",
    "com.microsoft.mdm.EnterpriseHostedAppInstall.result",
    "com.microsoft.mdm.EnterpriseStoreAppInstall.result",
    "com.microsoft.mdm.EnterpriseAppUninstall.result",
    "com.microsoft.mdm.win32csp_install",
    "com.microsoft.mdm.declaredconfigurationdocuments",
    "com.microsoft.mdm.requestpending",
    "org.openmobilealliance.dm.firmwareupdate",
];

/// A type that is none of Windows' own: an application's, or a newer one.
pub(in crate::rules) fn unknown_windows_alert_type(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in events(cx) {
        let element = item.meta().and_then(|meta| meta.0.child(Tag::Type));
        let Some((element, name)) = element.and_then(|element| Some((element, element.value()?))) else { continue };
        let name = without_prefix(name);
        let is_known = |known: &str| {
            let head = name.get(..known.len()).is_some_and(|head| head.eq_ignore_ascii_case(known));
            head && matches!(name.as_bytes().get(known.len()), None | Some(b'.'))
        };
        if !KNOWN.iter().any(|known| is_known(known)) && !out.any_word(options::unknown_windows_alert_type::ALSO, is_known) {
            let text = format!("type of the alert is {}, which is none of Windows' own", quoted(name));
            out.report(cx.message.at(element), text);
        }
    }
}

/// A login state that does not exist.
pub(in crate::rules) fn loginstatus_value(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    closed_values(cx, LOGIN_STATUS, &["user", "others", "none"], out);
}

/// A kind of synchronization or a step of preparation that does not exist.
pub(in crate::rules) fn synctype_or_prep_value(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    closed_values(cx, SYNC_TYPE, &["user", "device", "mixed"], out);
    let steps = ["PendingProvisioning", "Bootstrapping", "ExecutingProvisioning", "ProvisioningComplete"];
    closed_values(cx, PREPARATION, &steps, out);
}

fn closed_values(cx: &ElementCx<'_>, name: &str, values: &[&str], out: &mut Sink<'_>) {
    for item in events(cx).filter(|item| is_type(*item, name)) {
        let Some(data) = item.data().filter(|data| !data.flags().unclosed) else { continue };
        let seen = data.value().unwrap_or_default();
        if !values.iter().any(|value| value.eq_ignore_ascii_case(seen)) {
            let text = format!("{name} is {}; expected one of {}", quoted(seen), values.join(", "));
            out.report(cx.message.at(data), text);
        }
    }
}

/// A first package that does not tell who is logged in.
pub(in crate::rules) fn loginstatus_missing(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let starts = cx.has_alert(1200) || cx.has_alert(1201);
    if !cx.is_package_1() || cx.side() != Some(Side::Client) || !cx.has_final() || !starts {
        return;
    }
    let events = cx.message.doc.alerts(1224).chain(cx.message.doc.alerts(1226)).flat_map(Command::items);
    let instead = [LOGIN_STATUS, SYNC_TYPE, PREPARATION, UNENROLLMENT];
    let mut told = events.filter(|item| instead.iter().any(|name| is_type(*item, name)));
    let place = cx.message.doc.alerts(1201).chain(cx.message.doc.alerts(1200)).next();
    if let (None, Some(alert)) = (told.next(), place) {
        let text = format!("the first message has no Alert 1224 of type {LOGIN_STATUS}");
        out.report(cx.at(alert.0), text);
    }
}

/// Who is logged in, as the client says in a session: the place and the word.
pub(in crate::rules) fn login_status(cx: SessionCx<'_>) -> Option<(At, &str)> {
    said(cx, LOGIN_STATUS)
}

/// What a session synchronizes, as the client says: the place and the word.
pub(in crate::rules) fn sync_type(cx: SessionCx<'_>) -> Option<(At, &str)> {
    said(cx, SYNC_TYPE)
}

/// The first value of an event in the client's messages.
fn said<'a>(cx: SessionCx<'a>, name: &str) -> Option<(At, &'a str)> {
    let mut messages = cx.readable().filter(|message| message.side() == Some(Side::Client));
    messages.find_map(|message| {
        let mut items = message.message.doc.alerts(1224).flat_map(Command::items);
        let data = items.find(|item| is_type(*item, name))?.data()?;
        Some((message.at(data), data.value()?))
    })
}

/// The items of a client event or generic alert.
fn events<'a>(cx: &ElementCx<'a>) -> impl Iterator<Item = Item<'a>> + use<'a> {
    let alert = cx.command();
    let counts = matches!(alert.code(), Some(1224 | 1226)) && cx.message.side() != Some(Side::Server);
    alert.items().filter(move |_| counts)
}

fn is_type(item: Item<'_>, name: &str) -> bool {
    without_prefix(item.media_type()).eq_ignore_ascii_case(name)
}

/// The name of a type without what says how it is named.
fn without_prefix(name: &str) -> &str {
    let name = name.trim();
    let prefix = "Reversed-Domain-Name:";
    match name.split_at_checked(prefix.len()) {
        Some((head, rest)) if head.eq_ignore_ascii_case(prefix) => rest.trim_start(),
        _ => name,
    }
}
