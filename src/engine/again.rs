//! Reads some messages once more: what they were read from is looked at again, and all else passed over.
//!
//! In: the inputs, and outlines of sessions. Out: their messages, in the order of the inputs. Of a capture, TCP
//! is put together as it was, so that connections have their numbers; what is said on them is looked at only on those
//! that are asked for, and documents are made of those bodies alone. Reading ends with the last message that is asked for, in the clear.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Settings, pushed};
use crate::capture::{self, Source, map::Data};
use crate::http::{self, Conn, Event, InputId};
use crate::input::{Error, Input, Kind};
use crate::link::{self, Carried};
use crate::session::Arrival;
use crate::session::outline::{Found, Key, Outline, Place};
use crate::syncml::Message;
use crate::tcp;
use crate::transcript::{self, Document, Pushed, Record};

/// What is read from.
enum From {
    Data(Data),
    /// A file that may shrink meanwhile is not mapped.
    File(File),
}

/// Reads the messages of these sessions, until `stop` is set. One that is no longer there is left out.
///
/// # Errors
/// An input that cannot be opened or read any more.
pub fn again(inputs: &[Input], settings: &Settings, outlines: &[&Outline], stop: &AtomicBool) -> Result<Found, Error> {
    let wanted: HashSet<Key> = outlines.iter().flat_map(|outline| outline.wanted()).collect();
    let missing = outlines.iter().flat_map(|outline| outline.missing()).collect();
    let mut ids: Vec<InputId> = wanted.iter().map(|key| key.input).collect();
    let mut search = Search { settings, stop, wanted, missing, found: Found::new(), to_the_end: false };
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        if let Some(input) = inputs.get(id.0 as usize) {
            search.input(id, input)?;
        }
    }
    Ok(search.found)
}

struct Search<'a> {
    settings: &'a Settings,
    stop: &'a AtomicBool,
    wanted: HashSet<Key>,
    missing: HashSet<Key>,
    found: Found,
    /// Whether a connection tells more of itself when it ends: TLS does.
    to_the_end: bool,
}

impl Search<'_> {
    fn input(&mut self, id: InputId, input: &Input) -> Result<(), Error> {
        let unreadable = |source| Error::Unreadable { name: input.name.clone(), source };
        let from = self.open(id, input).map_err(unreadable)?;
        let kind = match (&from, input.kind) {
            (_, Some(kind)) => kind,
            (From::Data(data), None) => input.kind_of(data)?,
            (From::File(_), None) => return Ok(()),
        };
        let mut left = self.wanted.iter().filter(|key| key.input == id).count();
        match (from, kind) {
            (From::Data(data), Kind::Transcript(kind)) => self.transcript(id, kind, &data, &mut left),
            (From::File(file), Kind::Transcript(kind)) => {
                let data = Data::of(&file, false).map_err(unreadable)?;
                self.transcript(id, kind, &data, &mut left);
            }
            (From::Data(data), _) => self.capture(id, Source::Bytes(&data), &mut left),
            (From::File(file), _) => self.capture(id, Source::Stream(Box::new(BufReader::new(file))), &mut left),
        }
        Ok(())
    }

    fn open(&self, id: InputId, input: &Input) -> io::Result<From> {
        let Settings { mmap, spool, follow, .. } = self.settings;
        match (input.path.as_deref().filter(|path| path.is_file()), spool) {
            // A text has to be in memory as a whole, one way or the other.
            (Some(path), _) if *mmap && !follow => Data::open(path, true).map(From::Data),
            (Some(path), _) => File::open(path).map(From::File),
            (None, Some(spool)) => spool.of(id).map(From::Data),
            (None, None) => Err(io::Error::other("it could be read only once")),
        }
    }

    fn capture(&mut self, id: InputId, source: Source<'_>, left: &mut usize) {
        let Settings { limits, keys, .. } = self.settings;
        self.to_the_end = false;
        let connection = |key: &Key| match key.place {
            Place::Exchange(connection, ..) if key.input == id => Some(connection),
            _ => None,
        };
        let connections: HashSet<u32> = self.wanted.iter().filter_map(connection).collect();
        let read = http::Source::new(id, keys.clone()).only(connections);
        let mut decoder = link::Decoder::new(limits);
        let mut table: tcp::Table<Conn> = tcp::Table::new(read.clone(), limits);
        let stop = self.stop;
        capture::read(source, limits, &mut |frame| {
            match decoder.frame(&frame) {
                Some(Carried::Segment(segment)) => table.segment(&segment, &mut |event| self.event(event, left)),
                Some(Carried::Datagram(datagram)) => self.push(pushed::of(&datagram), id, left),
                None => {}
            }
            let over = (*left == 0 && !self.to_the_end) || stop.load(Ordering::Relaxed);
            if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if (*left > 0 || self.to_the_end) && !stop.load(Ordering::Relaxed) {
            table.finish(&mut |event| self.event(event, left));
            read.read_parked(&mut |event| self.event(event, left));
        }
    }

    fn transcript(&mut self, id: InputId, kind: transcript::Kind, data: &[u8], left: &mut usize) {
        let limits = &self.settings.limits;
        transcript::read(kind, data, id, limits, &mut |record| match record {
            Record::Http(event) => self.event(event, left),
            Record::Document(document) => self.document(id, document),
            Record::Push(pushed) => self.push(pushed, id, left),
            Record::Told(told) => match *told.record {
                Record::Http(event) => self.told(event),
                Record::Document(document) if !told.missing => self.document(id, document),
                Record::Push(pushed) => self.push(pushed, id, left),
                Record::Document(_) | Record::Told(_) | Record::Remark(..) => {}
            },
            Record::Remark(..) => {}
        });
    }

    fn document(&mut self, id: InputId, document: Document) {
        let key = Key { input: id, place: Place::of(document.position) };
        if self.wanted.contains(&key) {
            let message = Message::from_document(document, id, &self.settings.limits);
            self.found.entry(key).or_default().push(message);
        }
    }

    fn push(&mut self, pushed: Pushed, input: InputId, left: &mut usize) {
        let key = Key { input, place: Place::of_push(&pushed.body.origin) };
        if self.wanted.contains(&key) {
            self.found.entry(key).or_default().push(Message::from_push(pushed, input));
            *left = left.saturating_sub(1);
        }
    }

    /// A message that was exported: others may say that they stand at the same place.
    fn told(&mut self, event: Event) {
        let Some(key) = Key::of_event(&event) else { return };
        if !(self.wanted.contains(&key) || self.missing.contains(&key)) {
            return;
        }
        if let Arrival::Message(_, message) | Arrival::Missing(_, message) = Arrival::of(event, &self.settings.limits) {
            self.found.entry(key).or_default().push(*message);
        }
    }

    fn event(&mut self, event: Event, left: &mut usize) {
        let Some(key) = Key::of_event(&event) else { return };
        if let Event::Message(message) = event
            && self.wanted.contains(&key)
            && !self.found.contains_key(&key)
        {
            self.to_the_end |= message.connection.tls == Some(true);
            let message = Message::from_http(message, &self.settings.limits);
            self.found.insert(key, vec![message]);
            *left = left.saturating_sub(1);
        }
    }
}
