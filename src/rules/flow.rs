//! Which messages make up a package (DMP 6.2).
//!
//! In: a session. Out: one small record for each message, read from its document once, so that a rule may ask for the
//! package that begins at any message without reading documents again.

use super::SessionCx;
use crate::syncml::{Command, Side};

/// The messages of a session as steps of the package flow.
pub(super) struct Flow(Vec<Turn>);

/// One message.
struct Turn {
    side: Option<Side>,
    readable: bool,
    /// A keep-alive or a repetition: part of no package.
    aside: bool,
    ends: bool,
    aborts: bool,
    refuses: bool,
}

/// The messages of one package, by index, the last of them with `Final`.
pub(super) struct Package(pub(super) Vec<usize>);

impl Flow {
    /// Reads the messages of a session.
    pub(super) fn of(cx: SessionCx<'_>) -> &Flow {
        cx.facts.flow.get_or_init(|| Flow::read(cx))
    }

    fn read(cx: SessionCx<'_>) -> Flow {
        let refuses = |status: Command<'_>| {
            status.code().is_some_and(|code| !(200..300).contains(&code)) && status.is_for_header()
        };
        let turns = cx.messages().map(|cx| Turn {
            side: cx.side(),
            readable: cx.message.is_readable(),
            aside: cx.is_keep_alive() || cx.is_repeated(),
            ends: cx.has_final(),
            aborts: cx.has_alert(1223),
            refuses: cx.statuses().any(refuses),
        });
        Flow(turns.collect())
    }

    /// The messages in which `side` sends one package, from index `from` on. `None` when the capture does not show them
    /// all, up to `Final`.
    pub(super) fn package(&self, side: Side, from: usize) -> Option<Package> {
        let mut package = Vec::new();
        for (index, turn) in self.0.iter().enumerate().skip(from).filter(|(_, turn)| turn.side != Some(side.peer())) {
            if turn.side.is_none() || !turn.readable {
                return None;
            }
            if !turn.aside {
                package.push(index);
                if turn.ends {
                    return Some(Package(package));
                }
            }
        }
        None
    }

    /// Whether Alert 1223 stands in a message from index `from` to the end of a package.
    pub(super) fn aborts(&self, from: usize, package: &Package) -> bool {
        self.0.iter().take(package.end() + 1).skip(from).any(|turn| turn.aborts)
    }

    /// Whether a package says that a message as a whole was not accepted: credentials, version, syntax.
    pub(super) fn refuses(&self, package: &Package) -> bool {
        package.0.iter().filter_map(|index| self.0.get(*index)).any(|turn| turn.refuses)
    }
}

impl Package {
    /// Index of the message with `Final`.
    pub(super) fn end(&self) -> usize {
        self.0.last().copied().unwrap_or_default()
    }
}
