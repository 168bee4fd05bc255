//! What a session shows of a device that leaves, for the sessions that follow.
//!
//! In: a session. Out: a small record, nothing for a session that tells nothing. Bounds: [`SETTINGS`] values, of which
//! only hashes are kept.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::{goodbyes, sends_away};
use crate::rules::SessionCx;
use crate::rules::finding::Place;
use crate::rules::history::Past;
use crate::octets::share;
use crate::session::{At, Session};
use crate::syncml::uri::path;
use crate::syncml::{Command, Item, Message, Side, Tag};
use crate::time::Time;

/// Values that are remembered of a session: the first ones.
const SETTINGS: usize = 16;
/// How much later is not at the same time any more, in nanoseconds.
pub(super) const SLACK: i64 = 1_000_000_000;
/// Where stands what an unenrollment removes: apps, policies, certificates.
const REMOVED: [&str; 6] = [
    "policy/config/",
    "certificatestore/",
    "rootcatrustedcertificates/",
    "clientcertificateinstall/",
    "enterprisemodernappmanagement/",
    "enterprisedesktopappmanagement/",
];

/// See the module's head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::rules) struct Leaving {
    /// The device said goodbye.
    alert: Option<Said>,
    /// The server sent it away, and the device did not refuse.
    exec: Option<Said>,
    /// A request had a bearer token.
    bearer: bool,
    /// A hash of the client's certificate.
    certificate: Option<u64>,
    /// What the server set of what an unenrollment removes, as hashes of node and value.
    settings: Arc<[Setting]>,
}

/// Hashes of a node and of a value.
pub(in crate::rules) type Setting = (u64, u64);

/// Something that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// When, as far as the recording tells.
    pub(super) at: Option<Time>,
}

impl Leaving {
    /// Holds the settings of the session before in common with it, where they are the same: a server sets them on all devices.
    pub(in crate::rules) fn share_settings(&mut self, last: &mut Arc<[Setting]>) {
        share(last, &mut self.settings);
    }

    /// What to remember of a session.
    pub(in crate::rules) fn of(session: &Session) -> Option<Box<Leaving>> {
        let said = |(at, _): (At, Command<'_>)| Said { at: session.messages.get(at.message).and_then(sent) };
        let of_server = session.of(Side::Server).filter(|(_, message)| message.is_readable());
        let settings = of_server.flat_map(|(_, message)| message.doc.all_commands()).flat_map(settings_of);
        let leaving = Leaving {
            alert: alert(session).map(said),
            exec: exec(session).map(said),
            bearer: has_bearer(session),
            certificate: certificate(session).map(|(_, hash)| hash),
            settings: settings.take(SETTINGS).collect(),
        };
        (leaving != Leaving::default()).then(|| Box::new(leaving))
    }
}

impl Past {
    /// When the device said goodbye in it, where it did.
    pub(super) fn goodbye(&self) -> Option<Said> {
        self.leaving.as_ref()?.alert
    }

    /// When the server sent the device away in it, where it did.
    pub(super) fn dismissal(&self) -> Option<Said> {
        self.leaving.as_ref()?.exec
    }

    /// Whether a request in it had a bearer token.
    pub(super) fn has_bearer(&self) -> bool {
        self.leaving.as_ref().is_some_and(|leaving| leaving.bearer)
    }

    /// A hash of the client's certificate in it.
    pub(super) fn certificate(&self) -> Option<u64> {
        self.leaving.as_ref()?.certificate
    }

    /// What the server set in it of what an unenrollment removes.
    pub(super) fn settings(&self) -> &[Setting] {
        self.leaving.as_ref().map(|leaving| &*leaving.settings).unwrap_or_default()
    }

    /// Whether it began after something was said, as far as the recording tells.
    pub(super) fn is_after(&self, said: Said) -> bool {
        since(said, self.started).is_some_and(|pause| pause > SLACK)
    }
}

/// Nanoseconds from something that was said to a time.
pub(super) fn since(said: Said, time: Option<Time>) -> Option<i64> {
    Some(time?.0.saturating_sub(said.at?.0))
}

/// When a message was sent.
pub(super) fn sent(message: &Message) -> Option<Time> {
    message.first.or(message.last)
}

/// The first unenrollment alert of a session.
pub(super) fn alert(session: &Session) -> Option<(At, Command<'_>)> {
    let of_client = session.of(Side::Client).filter(|(_, message)| message.is_readable());
    let mut alerts =
        of_client.flat_map(|(index, message)| goodbyes(&message.doc).map(move |alert| (at(index, alert), alert)));
    alerts.next()
}

/// The last Exec of Unenroll in a session that the device did not refuse.
pub(super) fn exec(session: &Session) -> Option<(At, Command<'_>)> {
    let of_server = session.of(Side::Server).filter(|(_, message)| message.is_readable());
    let execs = of_server
        .flat_map(|(index, message)| message.doc.all_commands().map(move |command| (at(index, command), command)));
    let obeyed = |(at, exec): &(At, Command<'_>)| sends_away(*exec) && !is_refused(session, *at);
    execs.filter(obeyed).last()
}

/// Whether the device answered a command with a failure.
pub(super) fn is_refused(session: &Session, command: At) -> bool {
    let statuses = session.exchange(command).into_iter().flat_map(|exchange| &exchange.statuses);
    statuses.filter_map(|at| session.command_at(*at)?.code()).any(|code| code >= 300)
}

fn at(message: usize, command: Command<'_>) -> At {
    At { message, node: command.0.id() }
}

/// Whether a request of a session has a bearer token: the enrollment belongs to Entra (MS-MDM 2.1).
pub(super) fn has_bearer(session: &Session) -> bool {
    let is_bearer = |value: &str| value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "));
    let heads = session.of(Side::Client).filter_map(|(_, message)| message.http.as_ref()?.request_head());
    heads.into_iter().any(|head| head.header("authorization").is_some_and(is_bearer))
}

/// The certificate by which the client proved itself in a session: the first message it was used for, and a hash of it.
pub(super) fn certificate(session: &Session) -> Option<(Place, u64)> {
    session.of(Side::Client).find_map(|(index, message)| {
        let handshake = message.http.as_ref()?.connection.handshake.as_ref()?;
        let own = handshake.get(|facts| facts.client_certificates.first().map(|der| hash_of(&**der)))?;
        Some((Place::Message(index), own))
    })
}

/// What a command sets of what an unenrollment removes.
pub(super) fn settings_of(command: Command<'_>) -> impl Iterator<Item = Setting> {
    let writes = matches!(command.tag(), Tag::Add | Tag::Replace);
    let items = writes.then(|| command.items()).into_iter().flatten();
    items.filter_map(|item| setting(item.target()?, item))
}

/// A value of what an unenrollment removes, at a node.
pub(super) fn setting(uri: &str, item: Item<'_>) -> Option<Setting> {
    let below = behind_vendor(path(uri)).filter(|below| REMOVED.iter().any(|start| begins(below, start)))?;
    let value = item.data()?.value()?;
    Some((hash_of(below.to_ascii_lowercase()), hash_of(value)))
}

/// What stands behind `Vendor/MSFT/` in a path, for the device or its user.
fn behind_vendor(path: &str) -> Option<&str> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let scope = ["device/", "user/"].into_iter().find(|scope| begins(path, scope));
    let path = scope.and_then(|scope| path.get(scope.len()..)).unwrap_or(path);
    path.get("vendor/msft/".len()..).filter(|_| begins(path, "vendor/msft/"))
}

fn begins(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

fn hash_of(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Where a session that follows others is told of as a whole: its first message that can be read.
pub(super) fn beginning(cx: SessionCx<'_>) -> Option<Place> {
    cx.readable().next().map(|first| Place::Message(first.index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_is_told_by_its_place() {
        let removed = |uri: &str| behind_vendor(uri).is_some_and(|below| REMOVED.iter().any(|start| begins(below, start)));
        for uri in ["./Device/Vendor/MSFT/Policy/Config/Camera/AllowCamera", "./user/vendor/msft/policy/config/a", "Vendor/MSFT/CertificateStore/Root"] {
            assert!(removed(uri), "{uri}");
        }
        for uri in ["./DevInfo/DevId", "./Device/Vendor/MSFT/DMClient/Provider/A", "./Vendor", "./Vendor/MSFT/Policyä"] {
            assert!(!removed(uri), "{uri}");
        }
    }
}
