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
use self::format::{Creator, Entry, Started};
use super::text::Text;
use super::{Record, Summary};
use crate::anomaly::Kind;
use crate::http::InputId;
use crate::limits::Limits;
use crate::time::Time;

/// Reads a HAR.
pub fn read(data: &[u8], input: InputId, limits: &Limits, summary: &mut Summary, out: &mut dyn FnMut(Record)) {
    let text = Text::of(data);
    let json = match std::str::from_utf8(&text.bytes) {
        Ok(json) => Cow::Borrowed(json),
        Err(error) => {
            summary.note(Kind::SourceDamaged, error.valid_up_to(), "bytes that are not UTF-8; they were replaced");
            String::from_utf8_lossy(&text.bytes)
        }
    };
    let mut index = Index { places: Vec::new(), from_mitmproxy: false, limit: limits.entries, json: &json };
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
                _ => format!("the HAR is damaged behind entry {}: {why}", number - 1),
            };
            summary.note(Kind::SourceDamaged, at, what);
        }
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
        let started = serde_json::from_str::<Started<'_>>(raw.get()).ok();
        let started = started.and_then(|started| Time::parse(started.started_date_time.as_text()?)).unwrap_or(before);
        let number = u32::try_from(self.places.len() + 1).unwrap_or(u32::MAX);
        self.places.push(Place { number, start, end: start + raw.get().len(), started });
    }
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
