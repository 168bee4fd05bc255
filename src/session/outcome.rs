//! What a capture shows of a session's two ends, and how the session went.

use std::time::Duration;

use super::notified::WAITS;
use super::{Edge, Flavor, Outcome, Session};
use crate::enroll::Envelope;
use crate::stream::End;
use crate::syncml::{Command, Kind, Message, Side};
use crate::time::Time;

/// A capture that goes on for so long after a session has seen its end (DM-SES-018).
const GOES_ON: Duration = Duration::from_secs(120);

/// What is known of the time around a session.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    /// An earlier session of the device with the server was seen to its end.
    pub(super) follows: bool,
    /// A later session of the device with the server was seen.
    pub(super) superseded: bool,
    /// Time of the last message of any kind in the capture so far.
    pub(super) last: Option<Time>,
    /// The limit at which the session was closed.
    pub(super) limit: Option<&'static str>,
    /// How the connection of the last request ended, which brought no answer.
    pub(super) unanswered: Option<End>,
    /// What may be the session that a notification asks for.
    pub(super) doubt: Option<&'static str>,
}

/// Whether the session's first message was captured.
pub(super) fn start(session: &Session, around: &Around) -> Edge {
    let Some(first) = session.messages.first() else { return Edge::Seen };
    let unseen = |why: &str| Edge::NotCaptured(why.to_owned());
    match (first.side, first.kind) {
        (_, Kind::Missing) => return unseen("its first message was not captured"),
        (_, Kind::Fragment) => return unseen("only a piece of a message is there"),
        (Some(Side::Server), _) => return unseen("the first message seen is the server's"),
        (None, _) => return unseen("nothing tells who sent the first message"),
        _ => {}
    }
    let begins = opens(first) && (around.follows || begins_connection(first));
    match first.msg_id() {
        Some(id) if number(id) == Some(1) || begins => Edge::Seen,
        Some(id) => Edge::NotCaptured(format!("the first client message seen has MsgID {id}")),
        None if first.is_readable() && opens(first) => Edge::Seen,
        None if first.is_readable() => unseen("the first client message seen has no MsgID"),
        None => unseen("the first client message could not be read"),
    }
}

/// A session alert, and no Status for a message before it.
fn opens(message: &Message) -> bool {
    has_session_alert(message) && !message.doc.statuses().any(|status| status.is_for_header())
}

fn begins_connection(message: &Message) -> bool {
    message.http.as_ref().is_some_and(|http| http.connection.from_start && http.exchange == 0)
}

/// Whether the session's end was captured.
pub(super) fn end(session: &Session, around: &Around) -> Edge {
    if let Some(limit) = around.limit {
        return Edge::NotCaptured(limit.to_owned());
    }
    let Some(last) = session.messages.last() else { return Edge::Seen };
    if session.flavor == Flavor::Notification {
        return end_of_notification(session, last, around);
    }
    // The client may begin another session while it waits for an answer; not while the server waits for one.
    let gone_on = goes_on(session, around) || (around.superseded && last.side == Some(Side::Server));
    let open = match last.side {
        _ if last.kind == Kind::Missing => return Edge::NotCaptured("its last message was not captured".into()),
        Some(Side::Server) if last.judged().is_err() => "its last message was not captured whole",
        Some(Side::Server) if last.kind == Kind::Fragment => "only a piece of a message is there",
        Some(Side::Server) if last.kind != Kind::SyncMl => return Edge::Seen,
        Some(Side::Server) if !last.is_readable() => "its last message could not be read",
        Some(Side::Server) if closes(last) || has_abort(last) || dismisses(last) => return Edge::Seen,
        Some(Side::Server) => "the client's answer to the last message was not captured",
        Some(Side::Client) if matches!(around.unanswered, Some(End::Closed | End::Reset)) => return Edge::Seen,
        Some(Side::Client) => "the server's answer to the last message was not captured",
        None => return Edge::NotCaptured("nothing tells who sent the last message".into()),
    };
    if gone_on { Edge::Seen } else { Edge::NotCaptured(open.to_owned()) }
}

/// Whether the session that a notification asks for was captured, or that none came.
fn end_of_notification(session: &Session, push: &Message, around: &Around) -> Edge {
    let asks = push.push().is_some_and(|push| push.trigger().is_some());
    if session.device.is_some() || !asks {
        return Edge::Seen;
    }
    if let Some(doubt) = around.doubt {
        return Edge::NotCaptured(doubt.to_owned());
    }
    let watched = push.first.zip(around.last).map(|(sent, last)| last.since(sent));
    match watched {
        Some(watched) if watched > WAITS => Edge::Seen,
        Some(_) => Edge::NotCaptured("the recording ends less than ten minutes after the notification".into()),
        None => Edge::NotCaptured("the recording has no times that show whether a session came".into()),
    }
}

fn goes_on(session: &Session, around: &Around) -> bool {
    let pause = session.ended().zip(around.last).map(|(ended, last)| last.since(ended));
    pause.is_some_and(|pause| pause >= GOES_ON)
}

/// How the session went. Its edges are set.
pub(super) fn outcome(session: &Session) -> Outcome {
    let Some(last) = session.messages.last() else { return Outcome::Incomplete };
    if session.flavor == Flavor::Notification {
        return match &session.end {
            Edge::NotCaptured(_) => Outcome::Incomplete,
            Edge::Seen if session.device.is_none() && session.session_id.is_some() => Outcome::Open,
            Edge::Seen => Outcome::Complete,
        };
    }
    if session.flavor == Flavor::Enrollment {
        return match last.side {
            _ if session.messages.iter().any(is_provisioned) => Outcome::Complete,
            Some(Side::Server) if refuses(last) => Outcome::AuthFailed,
            Some(Side::Server) if ends_enrollment(last) => Outcome::Aborted,
            Some(Side::Client) if session.end == Edge::Seen => Outcome::Open,
            _ => Outcome::Incomplete,
        };
    }
    let readable = || session.messages.iter().filter(|message| message.is_readable());
    if readable().any(has_abort) {
        return Outcome::Aborted;
    }
    if session.end != Edge::Seen {
        return Outcome::Incomplete;
    }
    if refuses(last) || readable().next_back().is_some_and(refuses) {
        return Outcome::AuthFailed;
    }
    let whole = session.start == Edge::Seen && session.messages.iter().all(|message| message.judged().is_ok());
    match last.side {
        Some(Side::Server) if (is_end(last) || dismisses(last)) && whole => Outcome::Complete,
        Some(Side::Server) if last.kind == Kind::SyncMl || is_end(last) => Outcome::Incomplete,
        _ => Outcome::Open,
    }
}

/// Whether a server message ends the session: a package with no operation and no challenge (DMP 8), or an empty
/// answer, which Windows takes for the same.
pub(super) fn is_end(message: &Message) -> bool {
    match message.kind {
        Kind::SyncMl => message.is_readable() && closes(message),
        Kind::Empty => message.http.as_ref().is_some_and(|http| (200..300).contains(&http.head.status)),
        _ => false,
    }
}

fn closes(message: &Message) -> bool {
    !message.doc.commands().any(|command| command.tag().is_command() || command.challenges())
}

/// Whether the last word on credentials in a message is no.
pub(super) fn refuses(message: &Message) -> bool {
    if message.kind != Kind::SyncMl {
        return message.http.as_ref().is_some_and(|http| matches!(http.head.status, 401 | 407));
    }
    let code = message.doc.statuses().find(|status| status.is_for_header()).and_then(|status| status.code());
    matches!(code, Some(401 | 407))
}

/// Whether a message of the server ends the enrollment: the device ends its sessions and does not answer.
pub(super) fn dismisses(message: &Message) -> bool {
    message.doc.all_commands().any(Command::unenrolls)
}

/// Alert 1223 in a message.
pub(super) fn has_abort(message: &Message) -> bool {
    message.doc.alerts(1223).next().is_some()
}

/// Alert 1200 or 1201 in a message.
pub(super) fn has_session_alert(message: &Message) -> bool {
    message.doc.alerts(1200).chain(message.doc.alerts(1201)).next().is_some()
}

/// Whether a message of enrollment is a provisioning document: what the device needs for its first session.
fn is_provisioned(message: &Message) -> bool {
    message.kind == Kind::Provisioning
}

/// Whether a server message ends an enrollment: the device has what it needs, or was refused.
pub(super) fn ends_enrollment(message: &Message) -> bool {
    let status = message.http.as_ref().map_or(200, |http| http.head.status);
    is_provisioned(message) || status >= 400 || fault(message)
}

fn fault(message: &Message) -> bool {
    Envelope::of(&message.doc).and_then(Envelope::fault).is_some()
}

/// A MsgID as a number.
pub(super) fn number(msg_id: &str) -> Option<u64> {
    msg_id.parse().ok()
}
