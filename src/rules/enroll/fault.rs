//! DM-ENR-033 to DM-ENR-035: SOAP faults.

use super::envelope::is_soap;
use crate::enroll::fault::lookup;
use crate::rules::finding::Place;
use crate::rules::{ExchangeCx, Sink, quoted};
use crate::syncml::{Element, Kind};

/// A subcode that Windows does not know.
pub(in crate::rules) fn soap_fault_subcode_unknown(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(fault) = cx.answers().and_then(|envelope| envelope.fault()).filter(|fault| fault.known().is_none()) else {
        return;
    };
    let named = fault.subcode().and_then(|subcode| Some((subcode, subcode.value()?)));
    match named {
        Some((subcode, value)) if lookup(value).is_none() => {
            let text = format!("the subcode of the fault is {}, which Windows does not know", quoted(value));
            out.report(cx.in_response(subcode), text);
        }
        Some(_) => {}
        None => {
            out.report(cx.in_response(fault.0), "the fault has no subcode; expected one of those that Windows knows");
        }
    }
}

/// The server refuses by a SOAP fault: what it says, and what the device makes of it.
pub(in crate::rules) fn enrollment_failed(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(fault) = cx.answers().and_then(|envelope| envelope.fault()) else { return };
    let code = fault.error_type().filter(|kind| kind.value().and_then(lookup).is_some()).or_else(|| fault.subcode());
    let code = code.and_then(Element::value).map_or("a fault without subcode".to_owned(), quoted);
    let known = fault.known().map(|known| {
        format!(": {:#010X}, {}; the user is told of {}", known.hresult, known.meaning, known.class.name()).replace("0X", "0x")
    });
    let said = fault.message().or_else(|| fault.reason()).map(|text| format!("; it says {}", quoted(text)));
    let trace = fault.trace_id().map(|id| format!("; TraceId {}", quoted(id)));
    let more = [known, said, trace].into_iter().flatten().collect::<String>();
    let text = format!("the server refuses the {} step with {code}{more}", cx.step().name());
    out.report(cx.in_response(fault.0), text);
}

/// A fault with a status of success, or an error without a fault.
pub(in crate::rules) fn fault_http_status(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let response = cx.response().filter(|cx| cx.message.judged().is_ok());
    let (Some(response), Some(status), true) = (response, cx.status(), is_soap(cx.step())) else { return };
    let body = match response.message.kind {
        Kind::Soap => {
            let fault = cx.answers().and_then(|envelope| envelope.fault());
            if let Some(fault) = fault.filter(|_| status < 400) {
                out.report(cx.in_response(fault.0), format!("the fault comes with HTTP {status}; expected 500"));
            }
            return;
        }
        Kind::Empty => "no body",
        Kind::Html => "a web page",
        _ => "a body that is no SOAP",
    };
    // A proxy that wants credentials has a rule of its own.
    if status >= 400 && status != 407 {
        out.report(Place::Message(response.index), format!("HTTP {status} comes with {body}; expected a SOAP fault"));
    }
}
