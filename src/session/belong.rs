//! Which session a message belongs to, and who sent it, by what stands in it.
//!
//! - A client message belongs to the open session of its Source with the same SessionID and server. It starts a new
//!   one with MsgID 1, or with a session alert (1200, 1201) when no challenge is open and its MsgID does not continue.
//! - A SessionID that changes in mid-session on one connection, with the next MsgID, does not make a new session.
//! - A server message without its request is matched by SessionID, Target and Source.
//! - A message whose header cannot be read belongs to what goes on on its road.
//! - Documents in several files have no order: one that does not go on where a session is only has the same names.

use super::open::{Ids, Open};
use super::outcome::has_session_alert;
use super::table::Table;
use crate::syncml::{Item, Kind, Message, Side, Tag};

/// Where a message of the client belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Belongs {
    /// To this session.
    To(u32),
    /// To a new one, which ends this one.
    Restarts(u32),
    /// To a new one.
    New,
}

/// Where a client message belongs. `current` is the session that goes on on its road.
pub(super) fn of_client(table: &Table, message: &Message, current: Option<u32>) -> Belongs {
    let ids = Ids::of(message);
    let current = current.and_then(|number| table.get(number));
    let (Some(device), Some(session_id)) = (&ids.source, &ids.session_id) else {
        let on_the_road = current.filter(|open| has_lost_header(message) && !open.complete);
        return on_the_road.map_or(Belongs::New, |open| Belongs::To(open.number));
    };
    let alert = has_session_alert(message);
    let next = |open: &Open| ids.number.is_some() && ids.number == open.next_number();
    let same = table.of_device(device).filter(|open| {
        open.session_id.as_deref().is_none_or(|known| known == session_id) && open.knows(ids.target.as_deref())
    });
    if let Some(open) = same.max_by_key(|open| open.tick) {
        let starts = ids.number == Some(1) || (alert && !open.challenged && (open.complete || !next(open)));
        let again = open.repeats(Side::Client, message) && !(starts && open.complete);
        return match again || !(starts || is_unrelated(open, message, &ids)) {
            true => Belongs::To(open.number),
            false => Belongs::Restarts(open.number),
        };
    }
    let goes_on = |open: &&Open| {
        let same = open.device.as_ref() == Some(device) && open.knows(ids.target.as_deref());
        same && next(open) && !alert && !open.complete && message.http.is_some()
    };
    current.filter(goes_on).map_or(Belongs::New, |open| Belongs::To(open.number))
}

/// The open session that a server message belongs to when its request does not say.
pub(super) fn of_server(table: &Table, message: &Message, current: Option<u32>) -> Option<u32> {
    let ids = Ids::of(message);
    let (Some(device), Some(session_id)) = (&ids.target, &ids.session_id) else {
        let open = table.get(current?)?;
        return has_lost_header(message).then_some(open.number);
    };
    let same = table.of_device(device).filter(|open| open.session_id.as_ref() == Some(session_id));
    let best = same.max_by_key(|open| (open.knows(ids.source.as_deref()), open.tick))?;
    let answers = best.last().is_some_and(|last| last.side == Some(Side::Client));
    let later = ids.number > best.last_number(Side::Server);
    let unrelated = message.http.is_none() && !answers && !later && !best.repeats(Side::Server, message);
    (!unrelated).then_some(best.number)
}

/// Whether a message had a header that tells where it belongs, as far as can be said: over HTTP each message has, a
/// document may be a piece of one.
fn has_lost_header(message: &Message) -> bool {
    message.http.is_some() || (message.kind == Kind::SyncMl && !message.is_readable())
}

fn is_unrelated(open: &Open, message: &Message, ids: &Ids) -> bool {
    let elsewhere = open.last().is_some_and(|last| last.input != message.input);
    message.http.is_none() && elsewhere && ids.number <= open.last_number(Side::Client)
}

/// Who sent a document, by its content: session alerts, DevInfo and Results come from the client, and so does what
/// has a Source that is no HTTP address; what no client may send comes from the server.
pub(super) fn role(table: &Table, message: &Message) -> Option<Side> {
    let commands = || message.doc.commands().map(|command| command.tag());
    let replaced = message.doc.of_tag(Tag::Replace);
    let dev_info = |item: Item<'_>| item.source().is_some_and(|uri| uri.starts_with("./DevInfo/"));
    let tells_of_device = replaced.flat_map(|command| command.items()).any(dev_info);
    if has_session_alert(message) || tells_of_device || commands().any(|tag| tag == Tag::Results) {
        return Some(Side::Client);
    }
    let ids = Ids::of(message);
    let is_http = |uri: &str| uri.starts_with("http://") || uri.starts_with("https://");
    let known = |uri: &Option<String>| uri.as_ref().is_some_and(|uri| table.knows_device(uri));
    let operates = || commands().any(|tag| tag.is_command() && !matches!(tag, Tag::Alert | Tag::Replace));
    match (ids.source.as_deref().map(is_http), ids.target.as_deref().map(is_http)) {
        (Some(false), Some(true)) => Some(Side::Client),
        (Some(true), Some(false)) => Some(Side::Server),
        (Some(_), _) if known(&ids.source) && !known(&ids.target) => Some(Side::Client),
        (Some(_), _) if known(&ids.target) && !known(&ids.source) => Some(Side::Server),
        _ if operates() => Some(Side::Server),
        (Some(false), _) => Some(Side::Client),
        (Some(true), _) => Some(Side::Server),
        (None, _) => None,
    }
}
