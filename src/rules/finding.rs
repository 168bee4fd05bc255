//! Findings: how a rule states one, and what is kept of it once the session is gone.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::option::{NumberOption, Options, WordsOption};
use super::own::Spent;
use super::redactions::Redactions;
use super::{Rule, Severity};
use crate::http::InputId;
use crate::origin::Span;
use crate::session::{At, Session};
pub use crate::syncml::render::Snippet;
use crate::syncml::{Command, Element, Side};
use crate::time::Time;

/// A place in a session that a finding points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The whole session.
    Session,
    /// A message as a whole.
    Message(usize),
    /// An element of a message.
    Element(At),
    /// Bytes of a message's document.
    Bytes(usize, Span),
}

impl Place {
    /// The message it lies in.
    pub fn message(self) -> Option<usize> {
        match self {
            Place::Session => None,
            Place::Message(message) | Place::Bytes(message, _) => Some(message),
            Place::Element(at) => Some(at.message),
        }
    }

    /// The bytes of the message's document; empty for a session or a message as a whole.
    pub fn span(self, session: &Session) -> Span {
        match self {
            Place::Session | Place::Message(_) => Span::default(),
            Place::Bytes(_, span) => span,
            Place::Element(at) => session.element(at).map(Element::span).unwrap_or_default(),
        }
    }
}

impl From<At> for Place {
    fn from(at: At) -> Place {
        Place::Element(at)
    }
}

/// A finding as a rule states it, still tied to its session.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The rule.
    pub rule: &'static Rule,
    /// Severity; the rule's own unless the finding changed it.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// One sentence with the values seen and expected, no full stop.
    pub message: String,
    /// What to change, when that is more exact than the page's fix.
    pub help: Option<String>,
    /// Further places with what they show.
    pub related: Vec<(Place, String)>,
}

/// Findings past the limit: how many of which rule in which message.
#[derive(Debug, Default)]
pub(super) struct Over(BTreeMap<(&'static str, Option<usize>), (&'static Rule, usize)>);

impl Over {
    fn add(&mut self, rule: &'static Rule, place: Place) {
        self.0.entry((rule.id, place.message())).or_insert((rule, 0)).1 += 1;
    }

    /// Where there are some.
    pub(super) fn places(&self) -> impl Iterator<Item = (&'static Rule, Option<usize>)> {
        self.0.iter().map(|((_, message), (rule, _))| (*rule, *message))
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of a rule: in which message, how many.
    pub(super) fn of(&self, rule: &'static Rule) -> impl Iterator<Item = (Option<usize>, usize)> {
        self.0.range((rule.id, None)..=(rule.id, Some(usize::MAX))).map(|((_, message), (_, count))| (*message, *count))
    }
}

/// What the rules said of one session.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What is kept.
    pub(super) drafts: Vec<Draft>,
    /// What is counted alone.
    pub(super) over: Over,
    /// The last finding that is not kept: its rule may go on writing it.
    spare: Option<Draft>,
}

/// What one rule may still say of a session, and cost.
pub(super) struct Share {
    /// How many more findings are kept.
    pub(super) room: usize,
    /// What it has used if it is an own rule, and what it did not judge.
    pub(super) spent: Spent,
}

/// What is the same for all rules on a session.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) redactions: &'a Redactions<'a>,
    pub(super) options: &'a Options,
}

/// Where a rule puts its findings.
pub struct Sink<'a> {
    pub(super) rule: &'static Rule,
    pub(super) severity: Severity,
    pub(super) told: &'a mut Told,
    pub(super) share: &'a mut Share,
    pub(super) given: &'a Given<'a>,
}

impl Sink<'_> {
    /// What the user set for an option of the rule, or its default.
    pub(super) fn number(&self, option: NumberOption) -> u32 {
        self.given.options.number(self.rule, option)
    }

    /// Whether one of the words that the user set, or of the default ones, is as asked for.
    pub(super) fn any_word(&self, option: WordsOption, is: impl FnMut(&str) -> bool) -> bool {
        self.given.options.any_word(self.rule, option, is)
    }

    /// States a finding. `message` names the value seen and the value expected.
    pub fn report(&mut self, place: impl Into<Place>, message: impl Into<String>) -> &mut Draft {
        let draft = Draft {
            rule: self.rule,
            severity: self.severity,
            place: place.into(),
            message: message.into(),
            help: None,
            related: Vec::new(),
        };
        let Told { drafts, over, spare } = &mut *self.told;
        if self.rule.secrets && self.given.redactions.hide(draft.place) {
            return spare.insert(draft);
        }
        match self.share.room.checked_sub(1) {
            Some(room) => {
                self.share.room = room;
                let at = drafts.len();
                drafts.push(draft);
                &mut drafts[at]
            }
            None => {
                over.add(self.rule, draft.place);
                spare.insert(draft)
            }
        }
    }

    /// States that a place cannot be judged: what it takes is not known.
    pub fn not_judged(&mut self, place: Place, why: impl FnOnce() -> String) {
        if !(self.rule.secrets && self.given.redactions.hide(place)) {
            self.share.spent.give_up(place, why);
        }
    }

    /// Tells the first of these elements of message `message`, and how many more there are: what a program writes
    /// wrong once, it writes wrong everywhere.
    pub fn first_of<'e>(
        &mut self,
        message: usize,
        mut elements: impl Iterator<Item = Element<'e>>,
        text: impl FnOnce(Element<'e>) -> String,
    ) -> Option<&mut Draft> {
        let first = elements.next()?;
        let more = match elements.count() {
            0 => String::new(),
            more => format!("; the same for {more} more in this message"),
        };
        Some(self.at(message, first, text(first) + &more))
    }

    /// The same at an element of message `message`.
    pub fn at(&mut self, message: usize, element: Element<'_>, text: impl Into<String>) -> &mut Draft {
        self.report(At { message, node: element.id() }, text)
    }
}

impl Draft {
    /// Adds a place that explains the finding.
    pub fn related(&mut self, place: impl Into<Place>, text: impl Into<String>) -> &mut Draft {
        self.related.push((place.into(), text.into()));
        self
    }

    /// Replaces the page's fix by a more exact one.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Draft {
        self.help = Some(text.into());
        self
    }

    /// Lowers the severity (never raises it): for the cases a page names as milder.
    pub fn at_most(&mut self, severity: Severity) -> &mut Draft {
        self.severity = self.severity.min(severity);
        self
    }
}

/// A value as it stands in a finding's message: in backticks, on one line, cut after 60 characters. Not for secrets.
pub fn quoted(value: &str) -> String {
    if value.contains(['\n', '\r', '\t']) {
        return quoted(&value.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    match value.char_indices().nth(60) {
        Some((end, _)) => format!("`{}…`", value.get(..end).unwrap_or_default()),
        None => format!("`{value}`"),
    }
}

/// A command as it stands in a finding's message: `Get (CmdID 5)`.
pub fn named(command: Command<'_>) -> String {
    let name = command.0.name();
    match command.cmd_id() {
        Some(id) if id.len() <= 20 && id.bytes().all(|byte| byte.is_ascii_digit()) => format!("{name} (CmdID {id})"),
        Some(id) => format!("{name} (CmdID {})", quoted(id)),
        None => format!("{name} without CmdID"),
    }
}

/// A finding on its own: what reports print.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// Severity in force.
    pub severity: Severity,
    /// Who is to blame: the rule's fault, with `sender` resolved to a side where known.
    pub fault: &'static str,
    /// One sentence.
    pub message: Arc<str>,
    /// What to change.
    pub help: Cow<'static, str>,
    /// Where.
    pub location: Location,
    /// Further places.
    pub related: Vec<(String, Location)>,
    /// The server: its address, or its host alone.
    pub server: Option<Arc<str>>,
    /// The device, where one of the places is about it.
    pub device: Option<Box<str>>,
}

impl Finding {
    /// The place of the command that it is about: its own, or where it stands in none the first related one that does.
    pub fn about(&self) -> &Location {
        self.places().find(|place| place.command.is_some()).unwrap_or(&self.location)
    }

    /// Its own place, then the related ones.
    pub fn places(&self) -> impl Iterator<Item = &Location> {
        std::iter::once(&self.location).chain(self.related.iter().map(|(_, place)| place))
    }
}

/// A place, resolved to what a user can look up. Everything unknown is `None`.
#[derive(Clone, Debug, Default)]
pub struct Location {
    /// The input.
    pub input: Option<InputId>,
    /// First frame.
    pub frame: Option<u32>,
    /// Last frame, when the place spans several.
    pub last_frame: Option<u32>,
    /// Entry of a HAR or another list.
    pub entry: Option<u32>,
    /// When.
    pub time: Option<Time>,
    /// Connection number in the input.
    pub tcp_stream: Option<u32>,
    /// Session key.
    pub session: Option<Box<str>>,
    /// Index of the message in the session.
    pub message: Option<usize>,
    /// Who sent the message.
    pub side: Option<Side>,
    /// `MsgID` of the message.
    pub msg_id: Option<Box<str>>,
    /// Path of the element.
    pub path: Option<Box<str>>,
    /// The command, Status or Results it stands in: `Replace`.
    pub command: Option<&'static str>,
    /// What that is about: the first `LocURI`, `TargetRef` or `SourceRef` of it, escaped and shortened.
    pub target: Option<Box<str>>,
    /// Line from 1: in the file for text inputs, in the decoded body else.
    pub line: Option<u32>,
    /// Column in characters from 1.
    pub column: Option<u32>,
    /// Bytes in the decoded body.
    pub byte_range: Option<(u32, u32)>,
    /// Offset in the file (text inputs) or in the frame, when exact.
    pub offset: Option<u64>,
    /// How many bytes, where they stand there in one piece.
    pub length: Option<u64>,
    /// What a Status here says, in words; nothing for 200.
    pub status: Option<Box<str>>,
    /// The element as text, masked, escaped and shortened.
    pub excerpt: Option<Box<str>>,
    /// The decoded message around the place, for text reports.
    pub snippet: Option<Box<Snippet>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report keeps `limits.reported` of them.
    #[test]
    fn a_finding_is_small() {
        assert!(size_of::<Finding>() <= 384, "{}", size_of::<Finding>());
    }
}
