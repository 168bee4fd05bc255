//! DM-WIN-013, 014 and 016: what Windows says beside the protocol, explained where it stands.

use crate::rules::{ElementCx, SessionCx, Sink, quoted};
use crate::syncml::{Side, Tag, hresult};

/// A message that only says that the client still works. Told once, at the first.
pub(in crate::rules) fn keep_alive_alert(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut alive = cx.readable().filter(|message| message.side() == Some(Side::Client) && message.is_keep_alive());
    let Some(first) = alive.next() else { return };
    let more = match alive.count() {
        0 => String::new(),
        more => format!(", {more} more time{} in this session", if more == 1 { "" } else { "s" }),
    };
    if let Some(alert) = first.message.doc.alerts(1224).next() {
        out.report(first.at(alert.0), format!("the client says that it still works on the last package{more}"));
    }
}

/// An error of Windows beside a status code. Beside that of a failed command it is told there.
pub(in crate::rules) fn originalerror_decoded(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let of_status = cx.element.parent().is_some_and(|parent| parent.tag() == Tag::Status);
    let Some(value) = cx.element.attribute("originalerror").filter(|_| of_status) else { return };
    let meaning = hresult::meaning(value).unwrap_or_else(|| "no meaning is known".into());
    let code = cx.element.value().unwrap_or_default();
    out.report(cx.at(), format!("originalerror beside status {code} is {}: {meaning}", quoted(value)));
}

/// A correlator, which Windows does not use.
pub(in crate::rules) fn correlator_on_windows(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let in_exec = cx.element.parent().is_some_and(|parent| parent.tag() == Tag::Exec);
    if in_exec && cx.message.side() != Some(Side::Client) {
        out.report(cx.at(), "Exec has a Correlator, which Windows does not repeat in its Alerts");
    }
}
