//! DM-ALR-001 to DM-ALR-003: the code of an Alert, and who may send it (DMR 6.6.2 and 7).

use crate::rules::{ElementCx, Sink, quoted};
use crate::syncml::{Header, Side, Tag, uri};

/// An alert code outside the closed list of device management.
pub(in crate::rules) fn alert_code_unknown(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let alert = cx.command();
    let (Some(element), Some(data)) = (alert.0.child(Tag::Data), alert.data()) else { return };
    let known = matches!(alert.code(), Some(1100..=1104 | 1200 | 1201 | 1222..=1226));
    if known || !is_number(data) || (matches!(alert.code(), Some(100..=299)) && !says_dm(cx)) {
        return;
    }
    let text = format!("alert code is {}; expected 1100 to 1104, 1200, 1201 or 1222 to 1226", quoted(data));
    let finding = out.report(cx.message.at(element), text);
    match alert.code() {
        Some(1221) => finding.help("1221 (result alert) is of DM 1.1: report a result by Alert 1226 or by Status."),
        Some(100..=299) => finding.help("Codes 100 to 299 are of data synchronization: use the DM code, such as 1201."),
        _ => finding,
    };
}

/// An alert without a code.
pub(in crate::rules) fn alert_data_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let alert = cx.command();
    match (alert.0.child(Tag::Data), alert.data()) {
        (Some(_), Some(data)) if is_number(data) => {}
        (Some(element), Some(data)) => {
            let text = format!("Data of the Alert is {}; expected an alert code such as 1201", quoted(data));
            out.report(cx.message.at(element), text);
        }
        (Some(element), None) => {
            out.report(cx.message.at(element), "Data of the Alert is empty; expected an alert code such as 1201");
        }
        (None, _) => {
            out.report(cx.at(), "Alert has no Data; expected an alert code such as 1201");
        }
    }
}

/// An Alert of the client sent by the server, or one of the server sent by the client.
pub(in crate::rules) fn alert_wrong_direction(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let alert = cx.command();
    let (Some(code), Some(element)) = (alert.code(), alert.0.child(Tag::Data)) else { return };
    let from = match code {
        1100..=1104 => Side::Server,
        1200 | 1201 | 1224 | 1226 => Side::Client,
        _ => return,
    };
    if cx.message.side() == Some(from.peer()) && is_sure_of_side(cx) {
        let (seen, expected) = (from.peer().name(), from.name());
        let text = format!("Alert {code} comes from the {seen}; only the {expected} may send it");
        out.report(cx.message.at(element), text);
    }
}

/// Whether HTTP or the addresses of the header tell who sent the message. What a log holds without them may have been
/// taken for the wrong side's because of this very Alert.
fn is_sure_of_side(cx: &ElementCx<'_>) -> bool {
    let message = cx.message.message;
    let addresses = message.header().and_then(|header| Some((header.source()?, header.target()?)));
    message.http.is_some() || addresses.is_some_and(|(source, target)| uri::is_http(source) != uri::is_http(target))
}

fn is_number(data: &str) -> bool {
    data.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the header names the device-management protocol: codes below 300 are right in data synchronization.
fn says_dm(cx: &ElementCx<'_>) -> bool {
    let version = cx.message.message.header().and_then(Header::ver_proto);
    version.is_some_and(|version| version.starts_with("DM/"))
}
