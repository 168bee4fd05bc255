//! WAP push: what a server sends to make a device come (package 0), or to set it up (bootstrap).
//!
//! In: the bytes of a datagram, or a notification that stands alone, and what stands around it. Out: a [`Push`] that borrows
//! them; what could not be read is said in its `fault`, never an error. Bounds: `HEADERS` and `PARAMETERS`, and the input.
//! It does not know how the bytes travelled (WSP: WAP-230; notifications: OMA DM Notification 1.2; WTP: WAP-224).

pub mod hex;
pub mod names;
pub mod secret;
#[cfg(test)]
mod tests;
mod trigger;
mod wsp;

use std::net::SocketAddr;
use std::ops::Range;

pub use trigger::{MIN as TRIGGER, Short, Trigger, UiMode, VERSION};
use wsp::Reader;

/// Port of connectionless pushes.
pub const PORT: u16 = 2948;
/// The same, secured by WTLS: nothing of it can be read.
pub const SECURE_PORT: u16 = 2949;
/// Port of connectionless WSP, from which pushes are sent.
pub const WSP_PORT: u16 = 9200;
/// Port of WSP over WTP.
pub const WTP_PORT: u16 = 9201;

/// Headers of one push that are kept: real ones have three.
const HEADERS: usize = 64;
/// Parameters of one content type that are kept: real ones have two.
const PARAMETERS: usize = 16;

/// PDU types of WSP.
const PUSH: u8 = 6;
const CONFIRMED_PUSH: u8 = 7;

/// What stands around the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Framing {
    /// Nothing: it is a notification as it was built.
    Bare,
    /// A connectionless push PDU of WSP.
    Wsp,
    /// A push PDU of WSP in an Invoke of WTP.
    Wtp,
}

impl Framing {
    /// All of them.
    pub const ALL: [Framing; 3] = [Framing::Bare, Framing::Wsp, Framing::Wtp];

    /// The word of reports.
    pub fn name(self) -> &'static str {
        match self {
            Framing::Bare => "notification",
            Framing::Wsp => "wsp",
            Framing::Wtp => "wtp",
        }
    }

    /// What bytes look like of which nothing else is known; nothing where they are neither a push that is about device
    /// management nor a notification.
    pub fn sniff(bytes: &[u8]) -> Option<Framing> {
        let fits = |framing: &Framing| {
            let push = Push::read(bytes, *framing);
            match framing {
                Framing::Bare => push.trigger().is_some_and(|trigger| trigger.is_plausible()),
                _ => push.is_ours() && push.fault.is_none(),
            }
        };
        Framing::ALL.into_iter().find(fits)
    }
}

/// How a push travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// What stands around its content.
    pub framing: Framing,
    /// Who sent it and to whom, where it was captured.
    pub ends: Option<(SocketAddr, SocketAddr)>,
}

impl Bearer {
    /// One that was not captured but stands in a file.
    pub fn of_file(framing: Framing) -> Bearer {
        Bearer { framing, ends: None }
    }
}

/// A value of a header or parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// None.
    Nothing,
    /// An integer.
    Number(u64),
    /// Text; bytes that are not UTF-8 are replaced.
    Text(String),
    /// Something else, as it was sent.
    Octets(Vec<u8>),
}

/// A parameter of the content type, or a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; that of an unknown code is the code.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Where the value stands in the push.
    pub span: Range<usize>,
}

/// The content type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentType {
    /// The code that it was sent as; `None` where it was spelled out.
    pub code: Option<u64>,
    /// Its name in lower case; empty where it is not known.
    pub name: String,
    /// Its parameters.
    pub parameters: Vec<Field>,
}

impl ContentType {
    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&Value> {
        self.parameters.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| &field.value)
    }
}

/// What a push brings, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A notification of DM 1.2.
    Trigger,
    /// A provisioning document, or DM commands, that set a device up; whether they are in WBXML.
    Bootstrap {
        /// Whether they are in WBXML.
        binary: bool,
    },
    /// A notification of another format.
    OtherTrigger,
    /// Something else.
    Other,
}

/// A push, as far as it could be read.
#[derive(Clone, Debug)]
pub struct Push<'a> {
    /// Number of the transaction.
    pub tid: Option<u16>,
    /// Whether the device is to confirm it.
    pub confirmed: bool,
    /// The content type; that of a notification where it stands alone.
    pub content_type: ContentType,
    /// The headers.
    pub headers: Vec<Field>,
    /// The content.
    pub content: &'a [u8],
    /// Where the content begins.
    pub content_at: usize,
    /// What could not be read of the PDU and its headers.
    pub fault: Option<String>,
}

impl<'a> Push<'a> {
    /// Reads a push.
    pub fn read(bytes: &'a [u8], framing: Framing) -> Push<'a> {
        let mut push = Push {
            tid: None,
            confirmed: false,
            content_type: ContentType::default(),
            headers: Vec::new(),
            content: &[],
            content_at: bytes.len(),
            fault: None,
        };
        match framing {
            Framing::Bare => {
                push.content_type.name = names::TRIGGER.to_owned();
                (push.content, push.content_at) = (bytes, 0);
            }
            Framing::Wsp | Framing::Wtp => push.fault = push.read_pdu(bytes, framing).err(),
        }
        push
    }

    fn read_pdu(&mut self, bytes: &'a [u8], framing: Framing) -> Result<(), String> {
        let mut reader = Reader::new(bytes);
        self.tid = Some(match framing {
            Framing::Wtp => invoke(&mut reader)?,
            _ => u16::from(reader.byte("the transaction")?),
        });
        let kind = reader.byte("the PDU type")?;
        if !matches!(kind, PUSH | CONFIRMED_PUSH) {
            return Err(format!("PDU type is 0x{kind:02X}; expected 0x06, a push"));
        }
        self.confirmed = kind == CONFIRMED_PUSH;
        let length = reader.uintvar("the length of the headers")?;
        let from = reader.at();
        let room = bytes.len() - from;
        let end = usize::try_from(length).ok().filter(|length| *length <= room).map(|length| from + length);
        let Some(end) = end else {
            return Err(format!("the length of the headers is {length}; octets behind it: {room}"));
        };
        self.content_at = end;
        self.content = bytes.get(end..).unwrap_or_default();
        let mut headers = Reader::within(bytes, from..end);
        self.content_type = headers.content_type()?;
        while !headers.is_empty() && self.headers.len() < HEADERS {
            self.headers.extend(headers.header()?);
        }
        Ok(())
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&Value> {
        self.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| &field.value)
    }

    /// The application that it is for: the name, and the code where it was sent as one.
    pub fn application(&self) -> Option<(String, Option<u64>)> {
        match self.header(names::APPLICATION_ID)? {
            Value::Number(code) => Some((names::application(*code), Some(*code))),
            Value::Text(name) => Some((name.clone(), None)),
            Value::Nothing | Value::Octets(_) => None,
        }
    }

    /// What it brings.
    pub fn kind(&self) -> Content {
        match self.content_type.name.as_str() {
            names::TRIGGER => Content::Trigger,
            "application/vnd.wap.connectivity-wbxml" | "application/vnd.syncml.dm+wbxml" => {
                Content::Bootstrap { binary: true }
            }
            "text/vnd.wap.connectivity-xml" | "application/vnd.syncml.dm+xml" => Content::Bootstrap { binary: false },
            "application/vnd.syncml.dm.notification" | "application/vnd.syncml.ds.notification" => {
                Content::OtherTrigger
            }
            // Whatever its type: it is for the DM client.
            _ if self.is_for_dm() => Content::Trigger,
            _ => Content::Other,
        }
    }

    /// Whether it names the DM client as its application.
    fn is_for_dm(&self) -> bool {
        self.application().is_some_and(|(name, _)| name.eq_ignore_ascii_case(names::DM_CLIENT))
    }

    /// Whether it is about device management.
    pub fn is_ours(&self) -> bool {
        self.kind() != Content::Other
    }

    /// The notification that it brings, when that can be read.
    pub fn trigger(&self) -> Option<Trigger<'a>> {
        Some(self.content).filter(|_| self.kind() == Content::Trigger).and_then(|content| Trigger::read(content).ok())
    }
}

/// An Invoke of WTP that is not part of a segmented one (WAP-224, 8.3.1); gives its transaction.
fn invoke(reader: &mut Reader<'_>) -> Result<u16, String> {
    const INVOKE: u8 = 1;
    let first = reader.byte("the WTP header")?;
    let (is_continued, kind) = (first & 0x80 != 0, first >> 3 & 0xf);
    if kind != INVOKE {
        return Err(format!("the PDU type of WTP is {kind}; expected 1, an Invoke"));
    }
    let tid = u16::from_be_bytes([reader.byte("the transaction")?, reader.byte("the transaction")?]);
    reader.byte("the WTP header")?;
    match is_continued {
        true => Err("the WTP header has variable parts, which are not read".to_owned()),
        false => Ok(tid),
    }
}
