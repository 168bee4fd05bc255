//! DM-SES-015 to DM-SES-018: where the session ends, and where it should have gone on (DMP 8).

use crate::rules::finding::{Place, named};
use crate::rules::answers::ends_the_device;
use crate::rules::{MessageCx, SessionCx, Severity, Sink};
use crate::session::Edge;
use crate::syncml::{Command, Element, Side, Tag};

use super::refuses;

/// A message that only says that the end of the session arrived.
pub(in crate::rules) fn lone_synchdr_status_sent(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(status) = lone_status(*cx).filter(|_| cx.side() == Some(Side::Client) && !cx.is_repeated()) else { return };
    if let Some(end) = cx.answers().filter(|end| ends_session(*end)) {
        let text = "the message holds the Status for SyncHdr alone, and the server had ended the session; expected no message";
        out.report(cx.at(status.0), text).related(Place::Message(end.index), "the session ended here");
    }
}

/// Anything else that a client sends into a session that is over.
pub(in crate::rules) fn traffic_after_close(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for message in cx.readable().filter(|message| message.side() == Some(Side::Client) && !message.is_repeated()) {
        // A session alert there is DM-SES-006.
        let told = lone_status(message).is_some() || message.has_alert(1200) || message.has_alert(1201);
        let Some(end) = message.answers().filter(|end| !told && ends_session(*end)) else { continue };
        let text = "the client goes on in a session that the server had ended; expected a new session";
        let draft = out.report(Place::Message(message.index), text);
        draft.related(Place::Message(end.index), "the session ended here");
        if has_only_alerts(message) {
            draft.at_most(Severity::Warning);
        }
    }
}

/// A server's message that the client should have answered and did not.
pub(in crate::rules) fn session_left_open(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let Some(last) = cx.session.messages.len().checked_sub(1).and_then(|last| cx.message(last)) else { return };
    let judged = last.side() == Some(Side::Server) && last.message.is_readable() && cx.session.end == Edge::Seen;
    if !judged || last.has_alert(1223) || last.commands().any(ends_the_device) {
        return;
    }
    let command = last.message.doc.commands().find(|command| command.tag().is_command());
    let challenge = || last.statuses().find(|status| status.challenges());
    let what = match (command, challenge()) {
        (Some(alert), _) if alert.code() == Some(1222) => "asks for the next message (Alert 1222)".to_owned(),
        (Some(command), _) => format!("has {}", named(command)),
        (None, Some(_)) => "has a challenge".to_owned(),
        (None, None) => return,
    };
    out.report(Place::Message(last.index), format!("the server's last message {what}, and the client never answers"));
}

/// A client's message that the server should have answered and did not.
pub(in crate::rules) fn server_silent(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let Some(last) = cx.session.messages.len().checked_sub(1).and_then(|last| cx.message(last)) else { return };
    let judged = last.side() == Some(Side::Client) && last.message.is_readable() && cx.session.end == Edge::Seen;
    // A list of documents may hold one direction alone.
    let by_http = last.message.http.is_some();
    // Where one answer was lost to the capture, another may have been.
    let lost = cx.session.of(Side::Server).any(|(_, message)| message.judged().is_err());
    let over = last.has_alert(1223) || lone_status(last).is_some() || last.answers().is_some_and(ends_session);
    if judged && by_http && !over && !lost {
        out.report(Place::Message(last.index), "the server never answers this message; expected an HTTP response with SyncML");
    }
}

/// Whether a server message ends the session: it accepts a whole package and asks for nothing.
fn ends_session(cx: MessageCx<'_>) -> bool {
    let answers_all = |answered: MessageCx<'_>| {
        let whole = answered.message.is_readable() && answered.message.header().is_some() && answered.has_final();
        whole && !answered.is_keep_alive() && !answered.has_alert(1223)
    };
    cx.side() == Some(Side::Server)
        && cx.message.is_readable()
        && cx.message.header().is_some()
        && cx.has_final()
        && !refuses(cx)
        && has_only_statuses(cx)
        && cx.answers().is_some_and(answers_all)
}

/// Whether nothing but Status stands in the body, and none with a challenge. An unknown element may be meant for a command.
fn has_only_statuses(cx: MessageCx<'_>) -> bool {
    let parts = cx.message.doc.sync_body().into_iter().flat_map(Element::children);
    parts.filter(|part| part.tag() != Tag::Final).all(|part| part.tag() == Tag::Status && !Command(part).challenges())
}

/// The Status for the header, when it accepts the message and nothing stands beside it.
fn lone_status(cx: MessageCx<'_>) -> Option<Command<'_>> {
    let mut commands = cx.message.doc.commands();
    let status = commands.next().filter(|status| status.tag() == Tag::Status && status.is_for_header())?;
    let accepts = status.code().is_some_and(|code| (200..300).contains(&code));
    (accepts && commands.next().is_none()).then_some(status)
}

fn has_only_alerts(cx: MessageCx<'_>) -> bool {
    cx.message.doc.commands().all(|command| command.tag() == Tag::Alert || command.is_for_header())
}
