//! The encodings of WSP (WAP-230, 8.4.2): integers, texts, content types, headers.
//!
//! Each read takes what it reads, or says what is wrong and where. Nothing is read past the end that was given.

use std::ops::Range;

use super::{ContentType, Field, PARAMETERS, Value, names};

/// Octets of a long integer that fit into a number.
const LONG: usize = 8;
/// Octets of an integer of seven bits each.
const UINTVAR: usize = 5;

type Read<T> = Result<T, String>;

/// Reads one octet after the other.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    /// The code page of header names.
    page: u8,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader::within(bytes, 0..bytes.len())
    }

    /// Of a part; places are those in the whole.
    pub(super) fn within(bytes: &'a [u8], part: Range<usize>) -> Reader<'a> {
        Reader { bytes, at: part.start, end: part.end.min(bytes.len()), page: 1 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.end
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..self.end).unwrap_or_default()
    }

    fn peek(&self, what: &str) -> Read<u8> {
        self.rest().first().copied().ok_or_else(|| format!("{what} is missing: it ends at octet {}", self.end))
    }

    pub(super) fn byte(&mut self, what: &str) -> Read<u8> {
        let byte = self.peek(what)?;
        self.at += 1;
        Ok(byte)
    }

    fn take(&mut self, length: usize, what: &str) -> Read<&'a [u8]> {
        let taken = self.rest().get(..length).ok_or_else(|| {
            format!("{what} at octet {} has {length} octets, but {} are there", self.at, self.rest().len())
        })?;
        self.at += length;
        Ok(taken)
    }

    /// An integer of seven bits an octet.
    pub(super) fn uintvar(&mut self, what: &str) -> Read<u64> {
        let from = self.at;
        let mut value = 0;
        for _ in 0..UINTVAR {
            let byte = self.byte(what)?;
            value = value << 7 | u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(format!("{what} at octet {from} has more than {UINTVAR} octets"))
    }

    /// A text up to its zero; the quote that lets one begin with any octet is left out.
    fn text(&mut self, what: &str) -> Read<String> {
        let rest = self.rest();
        let Some(length) = memchr::memchr(0, rest) else {
            return Err(format!("{what} at octet {} has no zero at its end", self.at));
        };
        self.at += length + 1;
        let text = rest.get(..length).unwrap_or_default();
        let text = text.strip_prefix(&[127]).or_else(|| text.strip_prefix(b"\"")).unwrap_or(text);
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// The length in front of a value: in one octet up to 30, else behind 31.
    fn value_length(&mut self, what: &str) -> Read<usize> {
        match self.byte(what)? {
            length @ 0..=30 => Ok(usize::from(length)),
            31 => Ok(usize::try_from(self.uintvar(what)?).unwrap_or(usize::MAX)),
            other => Err(format!("{what} at octet {} begins with 0x{other:02X}; expected a length", self.at - 1)),
        }
    }

    /// A short or long integer, or a text: the name of a well-known thing, or of another one.
    fn integer_or_text(&mut self, what: &str) -> Read<Value> {
        match self.peek(what)? {
            0 => {
                self.at += 1;
                Ok(Value::Nothing)
            }
            short @ 128.. => {
                self.at += 1;
                Ok(Value::Number(u64::from(short & 0x7f)))
            }
            1..=30 => {
                let length = usize::from(self.byte(what)?);
                let octets = self.take(length, what)?;
                Ok(if length <= LONG { Value::Number(big_endian(octets)) } else { Value::Octets(octets.to_vec()) })
            }
            31 => Err(format!("{what} at octet {} begins with 0x1F; expected an integer or a text", self.at)),
            _ => Ok(Value::Text(self.text(what)?)),
        }
    }

    pub(super) fn content_type(&mut self) -> Read<ContentType> {
        const WHAT: &str = "the content type";
        match self.peek(WHAT)? {
            // With its length: then parameters may follow.
            0..=31 => {
                let length = self.value_length(WHAT)?;
                let from = self.at;
                self.take(length, WHAT)?;
                let mut inner = Reader::within(self.bytes, from..from + length);
                let mut read = media(inner.integer_or_text(WHAT)?);
                while !inner.is_empty() && read.parameters.len() < PARAMETERS {
                    read.parameters.push(inner.parameter()?);
                }
                Ok(read)
            }
            _ => Ok(media(self.integer_or_text(WHAT)?)),
        }
    }

    fn parameter(&mut self) -> Read<Field> {
        const WHAT: &str = "a parameter of the content type";
        let name = match self.integer_or_text(WHAT)? {
            Value::Number(code) => names::parameter(code),
            Value::Text(name) => name,
            Value::Nothing | Value::Octets(_) => return Err(format!("{WHAT} has no name")),
        };
        let from = self.at;
        let value = self.integer_or_text(WHAT)?;
        Ok(Field { name, value, span: from..self.at })
    }

    /// A header; nothing where the page of names is changed.
    pub(super) fn header(&mut self) -> Read<Option<Field>> {
        const WHAT: &str = "a header";
        match self.peek(WHAT)? {
            127 => {
                self.at += 1;
                self.page = self.byte("the page of header names")?;
                Ok(None)
            }
            page @ 1..=31 => {
                self.at += 1;
                self.page = page;
                Ok(None)
            }
            128.. => {
                let code = self.byte(WHAT)? & 0x7f;
                let name = names::header(self.page, code);
                self.field(name)
            }
            _ => {
                let name = self.text(WHAT)?;
                self.field(name)
            }
        }
    }

    fn field(&mut self, name: String) -> Read<Option<Field>> {
        let from = self.at;
        let value = match self.peek(&name)? {
            1..=31 if name != names::APPLICATION_ID => {
                let length = self.value_length(&name)?;
                Value::Octets(self.take(length, &name)?.to_vec())
            }
            _ => self.integer_or_text(&name)?,
        };
        Ok(Some(Field { name, value, span: from..self.at }))
    }
}

fn media(value: Value) -> ContentType {
    match value {
        Value::Number(code) => {
            ContentType { code: Some(code), name: names::content_type(code).to_owned(), parameters: Vec::new() }
        }
        Value::Text(name) => ContentType { code: None, name: name.to_ascii_lowercase(), parameters: Vec::new() },
        Value::Nothing | Value::Octets(_) => ContentType::default(),
    }
}

fn big_endian(octets: &[u8]) -> u64 {
    octets.iter().fold(0, |value, octet| value << 8 | u64::from(*octet))
}
