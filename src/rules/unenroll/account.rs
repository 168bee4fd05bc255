//! DM-UNE-020, 022, 024, 026 and 027: what the enrollment, and the one after it, tell of a device that leaves.

use super::later::{dismissal_before, farewell_before, in_words};
use super::memory::{alert, beginning, certificate, exec, has_bearer, setting, settings_of, since};
use crate::rules::history::Past;
use crate::rules::{CaptureCx, SessionCx, Sink, quoted};
use crate::session::At;
use crate::syncml::Command;

/// A server that sends away a device which belongs to Entra.
pub(in crate::rules) fn entra_device_unenroll(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let Some((at, _)) = exec(cx.session.session) else { return };
    if let Some(why) = entra(cx) {
        out.report(at, format!("Exec of Unenroll for a device that belongs to Entra ({why}): its association ends, too"));
    }
}

/// A user who leaves although the enrollment belongs to Entra.
pub(in crate::rules) fn user_unenroll_of_entra_enrollment(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let Some((at, _)) = alert(session).filter(|_| dismissal_before(cx, session).is_none()) else { return };
    if let Some(why) = entra(cx) {
        out.report(at, format!("no Exec came before this farewell, and the enrollment belongs to Entra ({why})"));
    }
}

/// What shows that the enrollment a session belongs to was made with a token of Entra.
fn entra(cx: &CaptureCx<'_>) -> Option<&'static str> {
    const BEARER: &str = "its requests have a bearer token";
    if has_bearer(cx.session.session) {
        return Some(BEARER);
    }
    for past in cx.earlier() {
        match &past.enrolled {
            Some(enrolled) if enrolled.is_with(cx.session.session) => return enrolled.entra,
            _ if past.has_bearer() && past.server.as_deref() == cx.session.session.server.as_deref() => return Some(BEARER),
            _ => {}
        }
    }
    None
}

/// The last enrollment of the device with the server of a session, and the sessions behind it and before it.
fn around_enrollment<'a>(cx: &CaptureCx<'a>) -> Option<(Vec<&'a Past>, &'a Past, Vec<&'a Past>)> {
    let all: Vec<&Past> = cx.earlier().collect();
    let is_enrollment = |past: &&Past| past.enrolled.as_ref().is_some_and(|enrolled| enrolled.is_with(cx.session.session));
    let place = all.iter().position(is_enrollment)?;
    let of_server = |past: &&&Past| past.server.as_deref() == cx.session.session.server.as_deref();
    let (behind, before) = (all.get(..place)?, all.get(place + 1..)?);
    let only = |pasts: &[&'a Past]| pasts.iter().filter(of_server).copied().collect();
    Some((only(behind), all.get(place)?, only(before)))
}

/// The first session after a new enrollment.
pub(in crate::rules) fn re_enrollment_resets_ids(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let Some((behind, enrollment, before)) = around_enrollment(cx).filter(|(behind, ..)| behind.is_empty()) else { return };
    let Some(left) = before.iter().find(|past| past.goodbye().is_some()) else { return };
    let id = |id: Option<&str>| id.map_or("none".to_owned(), quoted);
    if let (true, Some(place)) = (behind.is_empty(), beginning(cx.session)) {
        let text = format!(
            "the device was enrolled again in s{}, after its farewell in s{}: SessionID is {} after {}",
            enrollment.number,
            left.number,
            id(cx.session.session.session_id.as_deref()),
            id(left.session_id.as_deref())
        );
        out.report(place, text);
    }
}

/// Values of the enrollment before that a device still has.
pub(in crate::rules) fn leftover_state_after_re_enrollment(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let Some((behind, _, before)) = around_enrollment(cx) else { return };
    let Some(place) = before.iter().position(|past| past.goodbye().is_some()) else { return };
    let session = cx.session.session;
    let left = before.get(place..).unwrap_or_default();
    for exchange in &session.exchanges {
        let results = exchange.results.iter().filter_map(|at| Some((*at, session.command_at(*at)?)));
        for (at, item) in results.flat_map(|(at, results)| results.items().map(move |item| (at, item))) {
            let Some((node, value)) = item.source().or(item.target()).and_then(|uri| setting(uri, item)) else { continue };
            let sets = |past: &&&Past| past.settings().iter().any(|(known, _)| *known == node);
            let set_before = left.iter().find(|past| past.settings().contains(&(node, value)));
            let set_since = behind.iter().any(|past| sets(&past)) || is_set_here(cx.session, node);
            if let Some(past) = set_before.filter(|_| !set_since) {
                let uri = item.source().or(item.target()).unwrap_or_default();
                let place = At { message: at.message, node: item.0.id() };
                let text = format!("{} still has the value that was set in s{}, before the device left", quoted(uri), past.number);
                out.report(place, text);
            }
        }
    }
}

/// Whether a session itself writes a node.
fn is_set_here(cx: SessionCx<'_>, node: u64) -> bool {
    let written = |command: Command<'_>| settings_of(command).any(|(known, _)| known == node);
    cx.readable().any(|message| message.commands().any(written))
}

/// A device that still uses the certificate of an enrollment that it left.
pub(in crate::rules) fn certificate_used_after_unenroll(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let Some((past, said)) = farewell_before(cx).filter(|_| alert(session).is_none()) else { return };
    let Some((place, used)) = certificate(session) else { return };
    let told = cx.earlier().take_while(|other| other.number != past.number).any(|other| other.certificate() == Some(used));
    if past.certificate() == Some(used) && !told {
        let pause = in_words(since(said, session.started()).unwrap_or_default());
        let text = format!("the client's certificate of session s{} is used again {pause} after the unenrollment alert in it", past.number);
        out.report(place, text);
    }
}
