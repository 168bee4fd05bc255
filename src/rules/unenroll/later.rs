//! DM-UNE-003, 008, 017, 019, 021 and 023: what the device's other sessions tell of one that leaves.

use super::memory::{SLACK, Said, alert, beginning, exec, sent, since};
use crate::rules::history::Past;
use crate::rules::{CaptureCx, Severity, Sink, options, windows};
use crate::session::Session;
use crate::syncml::Side;

const SECOND: i64 = 1_000_000_000;

/// Nanoseconds in words.
pub(super) fn in_words(pause: i64) -> String {
    match pause / SECOND {
        seconds @ ..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} minutes", seconds / 60),
        seconds @ 7200..=172_799 => format!("{} hours", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// A session that goes on although the device said goodbye in another one.
pub(in crate::rules) fn active_sessions_not_ended(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let began_before = |past: &Past| session.started() < past.started;
    let (own, Some(started)) = (alert(session), session.started()) else { return };
    // Whichever of the two sessions closes last knows of the other.
    match own {
        Some((at, _)) => {
            let said = Said { at: session.messages.get(at.message).and_then(sent) };
            let goes_on = |past: &&Past| {
                let later = since(said, past.known.last_request).is_some_and(|pause| pause > SLACK);
                later && past.goodbye().is_none() && past.started.is_some_and(|began| began < started)
            };
            if let Some(past) = cx.of_enrollment().find(goes_on) {
                let pause = in_words(since(said, past.known.last_request).unwrap_or_default());
                out.report(at, format!("session s{}, begun before, still goes on {pause} after the unenrollment alert", past.number));
            }
        }
        None => {
            let goodbye = cx.of_enrollment().filter(|past| began_before(past)).find_map(|past| Some((past.number, past.goodbye()?)));
            let Some((number, said)) = goodbye else { return };
            let later = |message: &crate::rules::MessageCx<'_>| {
                let pause = since(said, sent(message.message));
                message.side() == Some(Side::Client) && pause.is_some_and(|pause| pause > SLACK)
            };
            if let Some(message) = cx.session.readable().find(later) {
                let pause = in_words(since(said, sent(message.message)).unwrap_or_default());
                let text = format!("the session goes on {pause} after the unenrollment alert of session s{number}");
                out.report(crate::rules::finding::Place::Message(message.index), text);
            }
        }
    }
}

/// A device that says goodbye once more.
pub(in crate::rules) fn unenroll_alert_repeated(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let Some((at, _)) = alert(cx.session.session) else { return };
    if let Some(past) = cx.of_enrollment().find(|past| past.goodbye().is_some()) {
        out.report(at, format!("the unenrollment alert came already in session s{}", past.number));
    }
}

/// A device that was sent away and does not say goodbye.
pub(in crate::rules) fn unenroll_not_confirmed(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let patience = i64::from(out.number(options::unenroll_not_confirmed::WAIT_MINUTES)) * 60 * SECOND;
    if let Some((at, _)) = exec(session) {
        let said = Said { at: session.messages.get(at.message).and_then(sent) };
        let confirmed = alert(session).is_some() || cx.of_enrollment().any(|past| past.goodbye().is_some() && past.is_after(said));
        let alone = since(said, session.watched_until).filter(|pause| *pause >= patience && !confirmed);
        if let Some(pause) = alone {
            out.report(at, format!("no unenrollment alert came within {} of this Exec; expected one soon after it", in_words(pause)));
        }
        return;
    }
    // Told once: at the first session behind the time in which the alert should have come.
    let dismissed = cx.of_enrollment().find_map(|past| Some((past, past.dismissal()?)));
    let Some((past, said)) = dismissed.filter(|_| alert(session).is_none()) else { return };
    let Some(pause) = since(said, session.started()).filter(|pause| *pause >= patience) else { return };
    let between = || cx.of_enrollment().filter(|other| other.number != past.number && other.is_after(said));
    let late = |other: &Past| since(said, other.started).is_some_and(|pause| pause >= patience);
    if between().next().is_some() && between().all(|other| other.goodbye().is_none() && !late(other)) {
        let text = format!("the device comes as before {} after the Exec of Unenroll in session s{}; expected its farewell", in_words(pause), past.number);
        if let Some(place) = beginning(cx.session) {
            out.report(place, text);
        }
    }
}

/// A device that said goodbye and comes again.
pub(in crate::rules) fn check_in_after_unenroll(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let Some((past, said)) = farewell_before(cx).filter(|_| alert(session).is_none()) else { return };
    let told = cx.of_enrollment().any(|other| other.goodbye().is_none() && other.number != past.number && other.is_after(said));
    let Some(place) = beginning(cx.session).filter(|_| !told) else { return };
    let pause = in_words(since(said, session.started()).unwrap_or_default());
    let text = format!("the device comes again {pause} after the unenrollment alert of session s{}; expected no more sessions", past.number);
    let finding = out.report(place, text);
    // Windows counts anew from 1 after each enrollment.
    if session.session_id.as_deref() == Some("1") && past.session_id.as_deref() != Some("1") {
        finding.at_most(Severity::Info).help("Nothing, if the device was enrolled again: it counts its sessions from 1.");
    }
}

/// A push to a device that has just said goodbye.
pub(in crate::rules) fn push_too_early(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let pushed = session.of(Side::Client).any(|(_, message)| windows::origin(message) == Some("3"));
    let Some((past, said)) = farewell_before(cx).filter(|_| pushed) else { return };
    let least = i64::from(out.number(options::push_too_early::WAIT_SECONDS)) * SECOND;
    let pause = since(said, session.started()).filter(|pause| *pause < least);
    if let (Some(pause), Some(place)) = (pause, beginning(cx.session)) {
        let text = format!(
            "the server pushes (UserAgentOrigin 3) {} after the unenrollment alert of session s{}; expected {} or more",
            in_words(pause),
            past.number,
            in_words(least)
        );
        out.report(place, text);
    }
}

/// Who began an unenrollment.
pub(in crate::rules) fn unenroll_cause(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let Some((at, _)) = alert(session) else { return };
    let text = match dismissal_before(cx, session) {
        Some((past, said)) => {
            let pause = since(said, session.messages.get(at.message).and_then(sent));
            let pause = pause.map(|pause| format!(", {} before", in_words(pause))).unwrap_or_default();
            format!("the server began this unenrollment: Exec of Unenroll in session s{}{pause}", past.number)
        }
        None => match cx.of_enrollment().count() {
            0 => "no earlier session was captured that tells who began this unenrollment".to_owned(),
            count => format!("the user began this unenrollment, as far as the capture shows: no Exec of Unenroll in {count} earlier session(s)"),
        },
    };
    out.report(at, text);
}

/// The session before this one in which the device said goodbye.
pub(super) fn farewell_before<'a>(cx: &CaptureCx<'a>) -> Option<(&'a Past, Said)> {
    let started = cx.session.session.started();
    let mut left = cx.of_enrollment().filter_map(|past| Some((past, past.goodbye()?)));
    left.find(|(_, said)| since(*said, started).is_some_and(|pause| pause > SLACK))
}

/// The session before this one in which the server sent the device away, after the last goodbye.
pub(super) fn dismissal_before<'a>(cx: &CaptureCx<'a>, session: &Session) -> Option<(&'a Past, Said)> {
    let since_goodbye = cx.of_enrollment().filter(|past| past.started <= session.started()).take_while(|past| past.goodbye().is_none());
    since_goodbye.into_iter().find_map(|past| Some((past, past.dismissal()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_told_in_the_unit_that_fits() {
        let told = [0, 119, 120, 3600, 7200, 86_400, 400_000].map(|seconds| in_words(seconds * SECOND));
        assert_eq!(told, ["0 s", "119 s", "2 minutes", "60 minutes", "2 hours", "24 hours", "4 days"]);
    }
}
