//! From the place of a finding in its session to what a user can look up: frame, line, path, the words themselves.
//!
//! In: [`Draft`]s, still tied to their session. Out: [`Finding`]s that own all they say. What is not known stays
//! `None`. Nothing secret is copied, unless asked for. Bounds: excerpts and snippets are cut by `render`; renderings
//! of the last few messages are kept, and their lines.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use super::finding::{Draft, Finding, Location, Place};
use super::lines::Lines;
use super::{Fault, Rule};
use crate::escape;
use crate::http::Encrypted;
use crate::origin::{Located, Origin, Span, Unit};
use crate::session::{At, Lookup, Session};
use crate::syncml::doc::Form;
use crate::syncml::render::Rendering;
use crate::syncml::{self, Command, Element, Kind, Message, NodeId, Tag, original_error};

/// Renderings kept: a finding and its related places rarely lie in more messages.
const KEPT: usize = 4;
/// Characters of a place's URI: node paths of Windows stay below.
const MAX_TARGET: usize = 300;
/// Elements looked through for the command around a place: commands stand near the root.
const MAX_DEPTH: usize = 64;

/// Resolves the places of one session.
pub struct Locator<'a> {
    session: &'a Session,
    show_secrets: bool,
    renderings: VecDeque<(usize, Rendering<'a>)>,
    lines: VecDeque<(usize, Lines<'a>)>,
}

impl<'a> Locator<'a> {
    /// `show_secrets` leaves excerpts and snippets as they were sent.
    pub fn new(session: &'a Session, show_secrets: bool) -> Locator<'a> {
        Locator { session, show_secrets, renderings: VecDeque::new(), lines: VecDeque::new() }
    }

    /// The finding on its own.
    pub fn finding(&mut self, draft: Draft) -> Finding {
        let location = self.location(draft.place);
        let related = draft.related.into_iter().map(|(place, text)| (text, self.location(place)));
        let related: Vec<(String, Location)> = related.collect();
        let is_about = |device: &&str| {
            let mut places = related.iter().map(|(_, place)| place).chain([&location]);
            places.any(|place| place.target.as_deref() == Some(*device))
        };
        let device = self.session.device.as_deref().filter(is_about).map(Box::from);
        Finding {
            rule: draft.rule,
            severity: draft.severity,
            fault: fault(draft.rule, &location),
            message: draft.message.into(),
            help: draft.help.map_or(Cow::Borrowed(draft.rule.fix), Cow::Owned),
            location,
            related,
            server: self.session.server.as_deref().map(Arc::from),
            device,
        }
    }

    /// A place, resolved.
    pub fn location(&mut self, place: Place) -> Location {
        let session = Location { session: Some(self.session.key().into()), ..Location::default() };
        let found = place.message().and_then(|index| Some((index, self.session.messages.get(index)?)));
        let Some((index, message)) = found else { return self.whole_session(session) };
        let place = match place {
            // Bytes that are an element are shown as one.
            Place::Bytes(_, span) => {
                let element = message.doc.element_at(span.start).filter(|element| element.span() == span);
                element.map_or(place, |element| Place::Element(At { message: index, node: element.id() }))
            }
            place => place,
        };
        let mut location = of_message(message, Location { message: Some(index), ..session });
        match place {
            Place::Element(at) => self.at_element(index, message, at.node, &mut location),
            Place::Bytes(_, span) => self.at_bytes(index, message, span, &mut location),
            Place::Message(_) | Place::Session => {
                let whole = Span::new(0, message.body.bytes.len());
                captured(message, whole, &mut location);
                (location.line, location.column) = message.position.filter(|_| has_lines(message)).unzip();
                location.offset = location.offset.filter(|_| !whole.is_empty());
                location.length = location.length.filter(|_| !whole.is_empty());
            }
        }
        location
    }

    fn whole_session(&self, session: Location) -> Location {
        let mut location = session;
        let first = self.session.messages.iter().find(|message| message.kind != Kind::Missing);
        if let Some(message) = first {
            location.input = Some(message.input);
            captured(message, Span::new(0, message.body.bytes.len()), &mut location);
            (location.last_frame, location.offset, location.length) = (None, None, None);
        }
        location.time = self.session.started();
        location
    }

    fn at_element(&mut self, index: usize, message: &'a Message, node: NodeId, location: &mut Location) {
        let Some(element) = message.doc.element(node) else { return };
        self.place(index, message, element.span(), location);
        location.path = Some(element.path().into());
        location.status = status(element).map(Into::into);
        if let Some(command) = command_around(element) {
            location.command = Some(command.tag().name());
            let uri = about(command).or_else(|| about(self.answered(index, command)?));
            location.target = uri.map(|uri| escape::shorten(&escape::line(uri), MAX_TARGET).into());
        }
        let rendering = self.rendering(index, message);
        location.excerpt = Some(rendering.excerpt(node).into());
        location.snippet = Some(rendering.snippet(node, text_position(message)).into());
    }

    /// The command that a Status or Results of message `index` answers.
    fn answered(&self, index: usize, answer: Command<'a>) -> Option<Command<'a>> {
        match self.session.referred(index, answer) {
            Lookup::Found(at) => self.session.command_at(at),
            Lookup::Absent | Lookup::NotCaptured => None,
        }
    }

    fn at_bytes(&mut self, index: usize, message: &'a Message, span: Span, location: &mut Location) {
        self.place(index, message, span, location);
        let around = message.doc.element_at(span.start);
        location.path = around.map(|element| element.path().into());
        let rendering = self.rendering(index, message);
        if let (Form::Wbxml, Some(element)) = (message.doc.form(), around) {
            location.snippet = Some(rendering.snippet(element.id(), None).into());
        } else if message.doc.form() == Form::Xml && !message.doc.bytes().is_empty() {
            location.excerpt = Some(rendering.source_excerpt(span).into());
            location.snippet = Some(rendering.source_snippet(span, text_position(message)).into());
        }
    }

    /// Frame, file offset, bytes, line and column of a stretch of the document.
    fn place(&mut self, index: usize, message: &'a Message, span: Span, location: &mut Location) {
        captured(message, span, location);
        location.byte_range = Some((span.start, span.end));
        if !has_lines(message) {
            return;
        }
        let bytes = || if message.doc.bytes().is_empty() { &message.body.bytes } else { message.doc.bytes() };
        let mut position = |from| kept(&mut self.lines, index, || Lines::of(bytes())).position(span.start, from);
        let place = match (message.position, text_position(message)) {
            (_, Some(from)) => position(from),
            // The text was rewritten (unescaped, unquoted) on its way out of the file: where it begins is all that is known.
            (Some(from), None) => from,
            (None, None) => position((1, 1)),
        };
        (location.line, location.column) = (Some(place.0), Some(place.1));
    }

    fn rendering(&mut self, index: usize, message: &'a Message) -> &Rendering<'a> {
        kept(&mut self.renderings, index, || Rendering::new(&message.doc, self.show_secrets))
    }
}

/// What was made for a message before, or is made now. The last [`KEPT`] are kept.
fn kept<T>(known: &mut VecDeque<(usize, T)>, index: usize, make: impl FnOnce() -> T) -> &T {
    let at = known.iter().position(|(known, _)| *known == index).unwrap_or_else(|| {
        known.truncate(KEPT - 1);
        known.push_front((index, make()));
        0
    });
    &known[at].1
}

/// What the Status says that an element is, or is the code of.
fn status(element: Element<'_>) -> Option<String> {
    let of_status = |element: &Element<'_>| element.tag() == Tag::Status;
    let is_code = element.tag() == Tag::Data;
    let status =
        Some(element).filter(of_status).or_else(|| element.parent().filter(|parent| is_code && of_status(parent)))?;
    let is_known = |code: u16| code != 200 && (syncml::status::lookup(code).is_some() || (1000..2000).contains(&code));
    Some(Command(status)).filter(|status| status.code().is_some_and(is_known)).and_then(original_error::describe)
}

/// The innermost command, Status or Results that holds an element, or is it.
fn command_around(element: Element<'_>) -> Option<Command<'_>> {
    let around = std::iter::successors(Some(element), |element| element.parent());
    around.take(MAX_DEPTH).find(|element| element.tag().has_cmd_id()).map(Command)
}

/// The first URI that a command is about.
fn about(command: Command<'_>) -> Option<&str> {
    let of_items = || command.items().find_map(|item| item.target().or_else(|| item.source()));
    command.target_refs().next().or_else(|| command.source_refs().next()).or_else(of_items)
}

/// The rule's fault, `sender` resolved to a side where that is known.
fn fault(rule: &Rule, location: &Location) -> &'static str {
    match (rule.fault, location.side) {
        (Fault::Sender, Some(side)) => side.name(),
        (fault, _) => fault.name(),
    }
}

fn of_message(message: &Message, session: Location) -> Location {
    Location {
        input: Some(message.input),
        time: message.first,
        tcp_stream: message.http.as_ref().map(|http| http.connection.number),
        side: message.side,
        msg_id: message.msg_id().map(Box::from),
        ..session
    }
}

/// WBXML has none, nor has a push.
fn has_lines(message: &Message) -> bool {
    message.doc.form() != Form::Wbxml && message.kind != Kind::Push
}

/// Where the body begins in its file, when it stands there as it is.
fn text_position(message: &Message) -> Option<(u32, u32)> {
    let as_it_is = match message.body.origin.runs() {
        [run] => run.exact && run.unit == Unit::File,
        _ => false,
    };
    message.position.filter(|_| as_it_is)
}

/// Where a connection that could not be decrypted begins.
pub fn of_connection(encrypted: &Encrypted) -> Location {
    let connection = &encrypted.connection;
    let mut location =
        Location { input: Some(connection.input), tcp_stream: Some(connection.number), ..Location::default() };
    if let Some(located) = encrypted.origin.locate(Span::new(0, 1)) {
        fill(located, &mut location);
    }
    location
}

/// Which unit of the input holds a stretch of the document; the head's, when there is no body.
fn captured(message: &Message, span: Span, location: &mut Location) {
    let head = || message.http.as_ref().and_then(|http| http.head.origin.locate(Span::default()));
    let origin: &Origin = &message.body.origin;
    let found = match message.doc.is_exact() {
        true => origin.locate(span),
        false => origin.inexact().locate(span),
    };
    location.length = found.filter(|located| located.whole).map(|_| span.len() as u64);
    if let Some(located) = found.or_else(head) {
        fill(located, location);
    }
}

fn fill(located: Located, location: &mut Location) {
    let Located { first, last, offset, time, exact, .. } = located;
    match first {
        Unit::Frame(frame) => location.frame = Some(frame),
        Unit::Entry(entry) => location.entry = Some(entry),
        Unit::File => {}
    }
    // Other recordings number their connections too, but a TCP stream is a thing of captures.
    location.tcp_stream = location.tcp_stream.filter(|_| location.frame.is_some());
    if let (Unit::Frame(first), Unit::Frame(last)) = (first, last) {
        location.last_frame = Some(last).filter(|last| *last != first);
    }
    location.offset = exact.then_some(offset);
    location.time = time.or(location.time);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Body, InputId};
    use crate::limits::Limits;
    use crate::origin::Run;
    use crate::syncml::Side;
    use crate::transcript::Document;

    const TEXT: &str = "<SyncML>\n <SyncBody>\n  <é/><Status><Data>200</Data></Status>\n </SyncBody>\n</SyncML>";

    fn session(origin: Origin, position: Option<(u32, u32)>) -> Session {
        let body = Body::whole(TEXT.as_bytes(), origin);
        let document = Document { body, side: Some(Side::Client), at: None, position };
        let message = Message::from_document(document, InputId(0), &Limits::default());
        Session::new(1, vec![message])
    }

    fn data_of(session: &Session) -> Place {
        let data = session.messages[0].doc.elements().find(|element| element.tag() == Tag::Data).unwrap();
        Place::Element(At { message: 0, node: data.id() })
    }

    #[test]
    fn an_element_of_a_capture_is_found_in_its_frames() {
        let run = |at, frame, offset| Run { at, unit: Unit::Frame(frame), offset, time: None, exact: true };
        let mut origin = Origin::default();
        origin.push(run(0, 7, 54));
        origin.push(run(40, 9, 66));
        let session = session(origin, None);
        let location = Locator::new(&session, false).location(data_of(&session));
        assert_eq!((location.frame, location.last_frame, location.offset), (Some(7), Some(9), Some(54 + 36)));
        assert_eq!((location.line, location.column), (Some(3), Some(15)));
        assert_eq!(location.path.as_deref(), Some("/SyncML/SyncBody/Status/Data"));
        assert_eq!(location.excerpt.as_deref(), Some("<Data>200</Data>"));
        assert_eq!(location.side, Some(Side::Client));
    }

    #[test]
    fn an_element_of_a_text_file_has_the_lines_of_the_file() {
        let session = session(Origin::file(1000), Some((41, 5)));
        let mut locator = Locator::new(&session, false);
        let location = locator.location(data_of(&session));
        assert_eq!((location.line, location.column, location.offset), (Some(43), Some(15), Some(1036)));
        let root = locator.location(Place::Bytes(0, Span::new(0, 8)));
        assert_eq!((root.line, root.column), (Some(41), Some(5)));
    }

    #[test]
    fn of_text_that_was_rewritten_only_the_beginning_is_known() {
        let session = session(Origin::covering(Unit::File, None), Some((41, 5)));
        let location = Locator::new(&session, false).location(data_of(&session));
        assert_eq!((location.line, location.column, location.offset), (Some(41), Some(5), None));
    }

    #[test]
    fn a_session_as_a_whole_is_where_it_begins() {
        let unit = Unit::Frame(3);
        let session = session(Origin::covering(unit, None), None);
        let location = Locator::new(&session, false).location(Place::Session);
        assert_eq!((location.frame, location.session.as_deref(), location.path), (Some(3), Some("s1"), None));
    }
}
