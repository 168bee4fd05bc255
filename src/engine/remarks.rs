//! Comments on packets and entries that are for this program, until the sessions that they stand in close.
//!
//! In: the comments, as they are read. Out: [`Session::remarks`] of each session that is handed on. Bounds:
//! `limits::REMARKED` packets and entries, `limits::REMARKS` lines of each.

use std::collections::{BTreeMap, BTreeSet};

use super::Listener;
use crate::escape;
use crate::http::InputId;
use crate::limits;
use crate::origin::{Origin, Unit};
use crate::session::{Assembler, Remark, Session};
use crate::syncml::Message;
use crate::syncml::doc::REMARK;

/// Letters of a line that are kept.
const LONGEST: usize = 1000;

/// A listener whose sessions know the comments on them.
pub(super) struct Remarks<'a> {
    listener: &'a mut dyn Listener,
    known: BTreeMap<(InputId, Unit), String>,
}

impl<'a> Remarks<'a> {
    pub(super) fn new(listener: &'a mut dyn Listener) -> Remarks<'a> {
        Remarks { listener, known: BTreeMap::new() }
    }

    /// Keeps what a comment says to this program.
    pub(super) fn remark(&mut self, input: InputId, unit: Unit, text: &str) {
        let own = |line: &&str| line.trim_start().starts_with(REMARK);
        let mut lines =
            text.lines().filter(own).take(limits::REMARKS).map(|line| escape::shorten(line, LONGEST)).peekable();
        if lines.peek().is_some() && self.known.len() < limits::REMARKED {
            self.known.insert((input, unit), lines.collect::<Vec<_>>().join("\n"));
        }
    }

    /// The packets or entries of a message that have a comment.
    fn units(&self, message: &Message) -> BTreeSet<(InputId, Unit)> {
        let head = message.http.as_ref().map(|http| &http.head.origin);
        let origins = [Some(&message.body.origin), head];
        let units = origins.into_iter().flatten().flat_map(Origin::runs).map(|run| (message.input, run.unit));
        units.filter(|unit| self.known.contains_key(unit)).collect()
    }

    fn of(&self, session: &Session) -> Vec<Remark> {
        if self.known.is_empty() {
            return Vec::new();
        }
        let mut found: BTreeMap<(InputId, Unit), Vec<usize>> = BTreeMap::new();
        for (index, message) in session.messages.iter().enumerate() {
            self.units(message).into_iter().for_each(|unit| found.entry(unit).or_default().push(index));
        }
        let remark = |(unit, messages)| Some(Remark { messages, text: self.known.get(&unit)?.as_str().into() });
        found.into_iter().filter_map(remark).collect()
    }
}

impl Listener for Remarks<'_> {
    fn session(&mut self, mut session: Session) {
        session.remarks = self.of(&session);
        self.listener.session(session);
    }

    fn pulse(&mut self, done: u64, open: &Assembler) {
        self.listener.pulse(done, open);
    }

    fn idle(&mut self, done: u64, open: &Assembler) {
        self.listener.idle(done, open);
    }

    fn anew(&mut self) {
        self.listener.anew();
    }
}
