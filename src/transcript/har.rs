//! HTTP archives (HAR 1.2) as browsers, Charles, Fiddler and mitmproxy write them.
//!
//! In: the file. Out: its entries as requests and responses, in the order they started. One entry is in memory at a
//! time; of the others only where they stand in the file. A broken or truncated file is read as far as it goes.
//! Bound: `limits.entries`, `limits.body`.

mod content;
mod exchange;
mod format;
mod repair;

use std::borrow::Cow;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use self::exchange::Exchanges;
use self::format::{Creator, Entry};
use super::text::{Position, Text};
use super::{Record, Summary};
use crate::anomaly::Kind;
use crate::http::InputId;
use crate::limits::Limits;
use crate::time::Time;

/// Reads a HAR.
pub fn read(data: &[u8], input: InputId, limits: &Limits, summary: &mut Summary, out: &mut dyn FnMut(Record)) {
    let text = Text::of(data);
    if let Err(error) = std::str::from_utf8(&text.bytes) {
        summary.note(Kind::SourceDamaged, error.valid_up_to(), "bytes that are not UTF-8; they were replaced");
    }
    let json = String::from_utf8_lossy(&text.bytes);
    let mut index = Index::new(&json, limits);
    let end = index.build();
    let mut places = std::mem::take(&mut index.places);
    places.sort_by_key(|place| place.started);
    let mut exchanges = Exchanges::new(input, index.from_mitmproxy, limits);
    for place in &places {
        let raw = json.get(place.start..place.end).unwrap_or_default();
        if let Err(why) = read_entry(raw, |entry| exchanges.read(place.number, entry, false, out)) {
            summary.note(Kind::SourceDamaged, place.start, format!("entry {} cannot be read: {why}", place.number));
        }
    }
    match end {
        End::Whole => {}
        End::TooMany => {
            let what = format!("the HAR has more than {} entries; those after it were not read", limits.entries);
            summary.note(Kind::LimitEntries, 0, what);
        }
        End::Broken { at, why } => {
            let from = index.tail(&places);
            let cut = json.get(from..at).and_then(repair::close);
            let number = places.len() as u32 + 1;
            let read = cut.map(|cut| read_entry(&cut, |entry| exchanges.read(number, entry, true, out)));
            let what = match read {
                Some(Ok(())) => format!("entry {number} is cut: {why}"),
                _ if number == 1 => format!("the HAR is damaged: {why}"),
                _ => format!("the HAR is damaged behind entry {}: {why}", number - 1),
            };
            summary.note(Kind::SourceDamaged, at, what);
        }
    }
}

/// Tells of each entry its number, and line and column where it begins and behind its end.
pub fn positions(data: &[u8], limits: &Limits, each: &mut dyn FnMut(u32, (u32, u32), (u32, u32))) {
    let text = Text::of(data);
    let json = String::from_utf8_lossy(&text.bytes);
    let mut index = Index::new(&json, limits);
    index.build();
    let mut position = Position::default();
    for place in &index.places {
        let mut at = |to| position.advance(json.as_bytes(), to);
        let (from, to) = (at(place.start), at(place.end));
        each(place.number, from, to);
    }
}

/// Reads one entry. Escapes of half a surrogate pair, which browsers write for binary text, are replaced.
fn read_entry(raw: &str, mut with: impl FnMut(Entry<'_>)) -> Result<(), serde_json::Error> {
    match serde_json::from_str::<Entry<'_>>(raw) {
        Ok(entry) => with(entry),
        Err(_) => with(serde_json::from_str(&mend_surrogates(raw))?),
    }
    Ok(())
}

/// Replaces `\uD800` to `\uDFFF` that are not one half of a pair by `\uFFFD`.
fn mend_surrogates(json: &str) -> String {
    let unit = |at: usize| {
        let escape = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let mut out = String::with_capacity(json.len());
    let mut at = 0;
    while let Some(step) = json.get(at..).and_then(|rest| memchr::memchr(b'\\', rest.as_bytes())) {
        let escape = at + step;
        out.push_str(json.get(at..escape).unwrap_or_default());
        let (text, len) = match (unit(escape), unit(escape + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (json.get(escape..escape + 12), 12),
            (Some(0xD800..=0xDFFF), _) => (Some("\\uFFFD"), 6),
            _ => (json.get(escape..escape + 2), 2),
        };
        match text {
            Some(text) => out.push_str(text),
            None => out.push('\\'),
        }
        at = if text.is_some() { escape + len } else { escape + 1 };
    }
    out.push_str(json.get(at..).unwrap_or_default());
    out
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Its number, from 1, in the file.
    number: u32,
    start: usize,
    end: usize,
    /// When it started; an entry that does not say takes the place of the one before it.
    started: Time,
}

/// How the reading of the file ended.
#[derive(Debug)]
enum End {
    Whole,
    TooMany,
    Broken { at: usize, why: String },
}

/// The places of all entries, found in one pass.
struct Index<'a> {
    places: Vec<Place>,
    from_mitmproxy: bool,
    limit: usize,
    json: &'a str,
}

impl<'a> Index<'a> {
    fn new(json: &'a str, limits: &Limits) -> Index<'a> {
        Index { places: Vec::new(), from_mitmproxy: false, limit: limits.entries, json }
    }

    fn build(&mut self) -> End {
        let json = self.json;
        let mut reader = serde_json::Deserializer::from_str(json);
        let end = Level { index: self, at: &["log", "entries"] }.deserialize(&mut reader).and_then(|()| reader.end());
        match end {
            _ if self.places.len() > self.limit => {
                self.places.truncate(self.limit);
                End::TooMany
            }
            Ok(()) => End::Whole,
            Err(error) => End::Broken { at: offset(json, error.line(), error.column()), why: error.to_string() },
        }
    }

    /// Where the first entry that could not be indexed starts.
    fn tail(&self, places: &[Place]) -> usize {
        match places.iter().map(|place| place.end).max() {
            Some(end) => {
                let rest = self.json.get(end..).unwrap_or_default();
                end + rest.len() - rest.trim_start_matches([',', ' ', '\t', '\r', '\n']).len()
            }
            None => {
                let key = memchr::memmem::find(self.json.as_bytes(), b"\"entries\"").unwrap_or(self.json.len());
                let rest = self.json.get(key..).unwrap_or_default();
                key + memchr::memchr(b'[', rest.as_bytes()).map_or(rest.len(), |bracket| bracket + 1)
            }
        }
    }

    fn add(&mut self, raw: &'a RawValue) {
        let start = (raw.get().as_ptr() as usize).saturating_sub(self.json.as_ptr() as usize);
        let before = self.places.last().map_or(Time(i64::MIN), |place| place.started);
        let started = started(raw.get()).unwrap_or(before);
        let number = u32::try_from(self.places.len() + 1).unwrap_or(u32::MAX);
        self.places.push(Place { number, start, end: start + raw.get().len(), started });
    }
}

/// When an entry started, without reading all of it. Inside a string, the quotes of the key would be escaped.
fn started(entry: &str) -> Option<Time> {
    const KEY: &str = "\"startedDateTime\"";
    let key = memchr::memmem::find(entry.as_bytes(), KEY.as_bytes())?;
    let value = entry.get(key + KEY.len()..)?.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    Time::parse(value.split('"').next()?)
}

/// The byte offset of a line and column of serde_json.
fn offset(json: &str, line: usize, column: usize) -> usize {
    let start = match line {
        0 | 1 => 0,
        line => memchr::memchr_iter(b'\n', json.as_bytes()).nth(line - 2).map_or(0, |end| end + 1),
    };
    let mut at = (start + column).min(json.len());
    while !json.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Descends to `log.entries`, one key at a time.
struct Level<'i, 'a> {
    index: &'i mut Index<'a>,
    at: &'static [&'static str],
}

impl<'a> DeserializeSeed<'a> for Level<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.at {
            [] => deserializer.deserialize_seq(self),
            _ => deserializer.deserialize_map(self),
        }
    }
}

impl<'a> Visitor<'a> for Level<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a HAR")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((wanted, below)) = self.at.split_first() else { return Ok(()) };
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match &*key {
                key if key == *wanted => map.next_value_seed(Level { index: self.index, at: below })?,
                "creator" => {
                    let creator: Creator<'_> = map.next_value()?;
                    self.index.from_mitmproxy = creator.name.text() == "mitmproxy";
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(raw) = seq.next_element::<&RawValue>()? {
            self.index.add(raw);
            if self.index.places.len() > self.index.limit {
                return Err(serde::de::Error::custom("too many entries"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Captured, Event, Half, Message};

    fn read_all(json: &str) -> (Vec<Event>, Summary) {
        let mut events = Vec::new();
        let mut summary = Summary::default();
        read(json.as_bytes(), InputId(0), &Limits::default(), &mut summary, &mut |record| match record {
            Record::Http(event) => events.push(event),
            other => panic!("{other:?}"),
        });
        (events, summary)
    }

    fn messages(json: &str) -> Vec<Message> {
        let message = |event| match event {
            Event::Message(message) => message,
            other => panic!("{other:?}"),
        };
        read_all(json).0.into_iter().map(message).collect()
    }

    fn entry(started: &str, connection: &str, text: &str) -> String {
        format!(
            r#"{{"startedDateTime": "2026-01-02T03:04:{started}Z", "connection": {connection}, "time": 2000,
                "serverIPAddress": "192.0.2.1", "timings": {{"send": 100, "wait": 200, "receive": 500}},
                "request": {{"method": "POST", "url": "https://mdm.example:8443/dm", "postData": {{"text": "{text}"}}}},
                "response": {{"status": 200, "content": {{"text": "answer"}}}}}}"#
        )
    }

    fn har(creator: &str, entries: &[String]) -> String {
        format!(r#"{{"log": {{"creator": {{"name": "{creator}"}}, "entries": [{}]}}}}"#, entries.join(","))
    }

    #[test]
    fn entries_come_in_the_order_they_started_on_their_connections() {
        let json = har("Charles", &[entry("09", "\"a\"", "3"), entry("07", "443", "1"), entry("08", "\"a\"", "2")]);
        let found: Vec<(String, u32, u32, String)> = messages(&json)
            .iter()
            .filter(|message| message.half == Half::Request)
            .map(|message| {
                let text = String::from_utf8_lossy(&message.body.bytes).into_owned();
                let unit = format!("{:?}", message.body.origin.runs()[0].unit);
                (text, message.connection.number, message.exchange, unit)
            })
            .collect();
        let expected = [("1", 0, 0, "Entry(2)"), ("2", 1, 0, "Entry(3)"), ("3", 1, 1, "Entry(1)")];
        assert_eq!(
            found,
            expected.map(|(text, connection, exchange, unit)| (text.into(), connection, exchange, unit.into()))
        );
    }

    #[test]
    fn an_exchange_has_its_times_and_its_server() {
        for (creator, answer, end) in
            [("WebInspector", "01.500000Z", "02.000000Z"), ("mitmproxy", "00.300000Z", "00.800000Z")]
        {
            let messages = messages(&har(creator, &[entry("00", "null", "")]));
            let text = |time: Option<Time>| time.unwrap().to_string();
            assert_eq!(text(messages[0].first), "2026-01-02T03:04:00.000000Z");
            assert!(text(messages[1].first).ends_with(answer) && text(messages[1].last).ends_with(end));
            assert_eq!(messages[1].connection.server.unwrap().to_string(), "192.0.2.1:8443");
            assert_eq!(messages[1].request.as_ref().unwrap().target, "https://mdm.example:8443/dm");
        }
    }

    #[test]
    fn a_request_without_its_response_misses_it() {
        let request = r#"{"request": {"method": "GET", "url": "http://a/"}}"#.to_owned();
        let refused = r#"{"request": {}, "response": {"status": 0, "_error": "net::ERR_FAILED"}}"#.to_owned();
        let (events, summary) = read_all(&har("x", &[request, refused]));
        assert!(matches!(&events[1], Event::Missing { half: Half::Response, request: Some(_), .. }));
        let Event::Message(response) = &events[3] else { panic!("{:?}", events[3]) };
        assert_eq!(
            response.body.captured,
            Captured::Partly("the recording tool saw no answer: net::ERR_FAILED".into())
        );
        assert!(summary.notes.is_empty());
    }

    #[test]
    fn an_entry_that_cannot_be_read_does_not_hide_the_others() {
        let broken = r#"{"request": {"headers": 7}}"#.to_owned();
        let (events, summary) = read_all(&har("x", &[entry("00", "1", "a"), broken, entry("01", "1", "b")]));
        assert_eq!(events.len(), 4);
        assert!(summary.notes[0].detail.starts_with("entry 2 cannot be read: "), "{:?}", summary.notes);
    }

    #[test]
    fn what_follows_a_syntax_error_is_told() {
        let json = har("x", &[entry("00", "1", "a"), entry("01", "1", "b\" c \"d")]);
        let (events, summary) = read_all(&json);
        let Event::Message(second) = &events[2] else { panic!("{:?}", events[2]) };
        assert_eq!((&*second.body.bytes, events.len()), (&b"b"[..], 4));
        assert!(matches!(second.body.captured, Captured::Partly(_)));
        assert!(summary.notes[0].detail.starts_with("entry 2 is cut: "), "{:?}", summary.notes);
        assert!(read_all("{\"log\": 7}").1.notes[0].detail.contains("damaged"));
    }

    #[test]
    fn a_file_that_ends_before_the_status_does_not_say_that_nobody_answered() {
        let json = har("x", &[entry("00", "1", "a")]);
        let (events, _) = read_all(&json[..json.find("\"status\"").unwrap()]);
        assert!(matches!(&events[1], Event::Missing { half: Half::Response, .. }), "{events:?}");
    }

    /// Three bytes less than the size once looked like a byte order mark that the producer took off.
    #[test]
    fn the_beginning_of_a_text_is_not_guessed_to_be_another_encoding() {
        let entry = r#"{"request": {"url": "http://a/", "bodySize": 7, "postData": {"text": "abcdefg"}}}"#.to_owned();
        let json = har("x", &[entry]);
        let (events, _) = read_all(&json[..json.find("efg").unwrap()]);
        let Event::Message(request) = &events[0] else { panic!("{:?}", events[0]) };
        assert_eq!(&*request.body.bytes, b"abcd");
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        let found = messages(&har("x", &[entry("00", "1", "a\\ud83d\\\\ud83db\\ud83d\\ude00")]));
        assert_eq!(String::from_utf8_lossy(&found[0].body.bytes), "a\u{FFFD}\\ud83db\u{1F600}");
    }

    #[test]
    fn bytes_that_are_not_utf_8_and_limits_are_told() {
        let mut json = har("x", &[entry("00", "1", "a?")]).into_bytes();
        let at = json.windows(2).position(|two| two == b"a?").unwrap();
        json[at + 1] = 0xFF;
        let mut summary = Summary::default();
        read(&json, InputId(0), &Limits::default(), &mut summary, &mut |_| {});
        assert_eq!(summary.notes[0].kind, Kind::SourceDamaged);
        let limits = Limits { entries: 1, ..Limits::default() };
        let (mut summary, mut count) = (Summary::default(), 0);
        let two = har("x", &[entry("00", "1", "a"), entry("01", "1", "b")]);
        read(two.as_bytes(), InputId(0), &limits, &mut summary, &mut |_| count += 1);
        assert_eq!((count, summary.notes[0].kind), (2, Kind::LimitEntries));
    }
}
