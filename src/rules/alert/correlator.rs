//! DM-ALR-015: an Alert that reports the end of an Exec has its Correlator (DMR 6.6.2).
//!
//! An Exec may have been sent long before the capture began. So an Alert is only judged where the capture has Execs with
//! a Correlator on the very node that the Alert names, and lacks no message of the server since its first session.

use crate::rules::{CaptureCx, Severity, Sink, quoted};
use crate::session::{Edge, Session};
use crate::syncml::uri::{Key, Naming};
use crate::syncml::{Command, Side, Tag};

/// The nodes that Execs addressed, with their Correlators. At most this many of a session are remembered.
const MOST: usize = 64;

/// An Exec with a Correlator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rules) struct Started {
    target: Box<str>,
    correlator: Box<str>,
}

/// The Execs of a session with a Correlator; `None` where not all of them are known.
pub(in crate::rules) fn started(session: &Session) -> Option<Vec<Started>> {
    let shown = session.start == Edge::Seen && session.end == Edge::Seen;
    if !shown || session.has_hole_between(Side::Server, 0, session.messages.len()) {
        return None;
    }
    let started: Vec<Started> = execs(session).take(MOST + 1).map(|(_, started)| started).collect();
    (started.len() <= MOST).then_some(started)
}

/// Each Exec with a Correlator, and the message it is in.
fn execs(session: &Session) -> impl Iterator<Item = (usize, Started)> {
    let commands = session
        .of(Side::Server)
        .filter(|(_, message)| message.is_readable())
        .flat_map(|(index, message)| message.doc.all_commands().map(move |command| (index, command)));
    commands.filter(|(_, command)| command.tag() == Tag::Exec).filter_map(|(index, exec)| {
        let (target, correlator) = (exec.items().find_map(|item| item.target())?, exec.correlator()?);
        Some((index, Started { target: target.into(), correlator: correlator.into() }))
    })
}

/// An Alert with a Correlator that none of the Execs on its node had.
pub(in crate::rules) fn correlator_mismatch(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let naming = cx.session.profile.naming();
    for message in cx.session.readable().filter(|message| message.side() == Some(Side::Client)) {
        for alert in message.commands().filter(|command| command.tag() == Tag::Alert) {
            let (Some(seen), Some(element)) = (alert.correlator(), alert.0.child(Tag::Correlator)) else { continue };
            if session.has_hole(Side::Server, message.index) {
                return;
            }
            let here = execs(session).filter(|(index, _)| *index < message.index).map(|(_, started)| started);
            let Some(known) = correlators(cx, alert, here, naming) else { continue };
            if let Some(expected) = known.last().filter(|_| !known.iter().any(|one| **one == *seen)) {
                let text = format!(
                    "Correlator is {}, which no Exec on this node had; the last one had {}",
                    quoted(seen),
                    quoted(expected)
                );
                out.report(message.at(element), text).at_most(Severity::Warning);
            }
        }
    }
}

/// The Correlators of the Execs on the node that an Alert names, the latest last; `None` when they may not be all.
fn correlators(
    cx: &CaptureCx<'_>,
    alert: Command<'_>,
    here: impl Iterator<Item = Started>,
    naming: Naming,
) -> Option<Vec<Box<str>>> {
    let source = alert.items().find_map(|item| item.source())?;
    cx.session.session.device.as_ref()?;
    let mut before = Vec::new();
    for past in cx.earlier() {
        before.push(past.execs.as_ref()?);
    }
    let before = before.into_iter().rev().flatten().cloned();
    let same = |started: &Started| Key::same(&started.target, source, naming);
    Some(before.chain(here).filter(same).map(|started| started.correlator).collect())
}
