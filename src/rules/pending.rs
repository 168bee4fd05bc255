//! Work that a device took on without finishing it: an Exec that was answered 202.
//!
//! In: a session. Out: what it leaves open, and whether a later session speaks of it. Bounds: [`MOST`] for each session.

use crate::session::{Edge, Session};
use crate::syncml::uri::{self, Key, Naming};
use crate::syncml::{Command, Item, Side, Tag};

use super::answers::ends_the_device;

/// How many are remembered of a session.
pub const MOST: usize = 16;
/// Longest URI that is remembered, in bytes.
const URI: usize = 256;

/// An Exec that was accepted for later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The node.
    pub target: Box<str>,
    /// The correlator that an Alert will repeat.
    pub correlator: Option<Box<str>>,
}

/// What a session leaves open. Nothing where not all of it was captured.
pub fn left_open(session: &Session) -> Vec<Pending> {
    if !is_whole(session) {
        return Vec::new();
    }
    let accepted = session.exchanges.iter().filter_map(|exchange| {
        let status = exchange.statuses.last().and_then(|at| session.command_at(*at))?;
        let exec = session.command_at(exchange.command).filter(|command| command.tag() == Tag::Exec)?;
        let target = exec.items().find_map(Item::target).filter(|uri| uri.len() <= URI)?;
        let is_later = status.code() == Some(202) && !ends_the_device(exec);
        let correlator = exec.correlator().filter(|text| text.len() <= URI).map(Into::into);
        is_later.then(|| Pending { target: target.into(), correlator })
    });
    let open = accepted.filter(|pending| !speaks_of(session, pending));
    open.take(MOST).collect()
}

/// Whether a session was captured from its start to its end.
pub fn is_whole(session: &Session) -> bool {
    let all = session.messages.len();
    let has_hole = |side| session.has_hole_between(side, 0, all);
    session.start == Edge::Seen && session.end == Edge::Seen && !has_hole(Side::Client) && !has_hole(Side::Server)
}

/// Whether a session asks for the result or reports it: a Get near the node, an Alert 1224 or 1226 that is, or may be,
/// about it.
pub fn speaks_of(session: &Session, pending: &Pending) -> bool {
    let commands = session.messages.iter().flat_map(|message| message.doc.all_commands());
    commands.into_iter().any(|command| match command.tag() {
        Tag::Get => command.items().filter_map(Item::target).any(|uri| is_near(uri, &pending.target)),
        Tag::Alert => reports(command, pending),
        _ => false,
    })
}

fn reports(alert: Command<'_>, pending: &Pending) -> bool {
    let correlated = alert.correlator().is_some() && alert.correlator() == pending.correlator.as_deref();
    let has_source = |item: Item<'_>| item.source().is_some_and(|uri| is_near(uri, &pending.target));
    match alert.code() {
        Some(1224) => correlated || alert.items().any(has_source),
        // A generic alert without a Source may be about anything.
        Some(1226) => correlated || alert.items().any(|item| item.source().is_none() || has_source(item)),
        _ => false,
    }
}

/// Whether one node is the other, stands beside it, or above or below it.
fn is_near(uri: &str, target: &str) -> bool {
    let parent = uri::path(target).trim_end_matches('/').rsplit_once('/').map_or(target, |(parent, _)| parent);
    let (key, parent) = (Key::node(uri, Naming::Windows), Key::node(parent, Naming::Windows));
    let below = key.with_parents().any(|above| above == parent);
    below || parent.with_parents().any(|above| above == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_beside_above_and_below_are_near() {
        let near = |uri| is_near(uri, "./Vendor/Example/Update/Start");
        assert!(near("./Vendor/Example/Update/Start") && near("./Device/Vendor/Example/Update/Status"));
        assert!(near("./Vendor/Example?list=StructData") && near("./Vendor/Example/Update/Start/Result"));
        assert!(!near("./Vendor/Example/Other") && !near("./DevDetail/SwV"));
    }
}
