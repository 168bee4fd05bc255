//! Fiddler's archives of sessions (SAZ): a ZIP file with the bytes of each request and response.
//!
//! In: the file. Out: its requests and responses, in the order they began. What cannot be unpacked is told and left out.
//! Bounds: `limits.entries`, `limits.decoded_body` for a member, `limits.decode_ratio`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::SocketAddr;

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipSliceArchive};

use super::roads::Roads;
use super::{Record, Summary};
use crate::anomaly::Kind;
use crate::http::{InputId, Recorded};
use crate::limits::Limits;
use crate::origin::Unit;
use crate::syncml::Doc;
use crate::time::Time;
use crate::xml;

/// Unpacked bytes of a member that the ratio does not judge.
const FREE: u64 = 1024 * 1024;

/// A member of the archive.
#[derive(Clone, Copy)]
struct Member {
    place: ZipArchiveEntryWayfinder,
    method: CompressionMethod,
}

/// The files of one session: request, response, facts.
#[derive(Clone, Copy, Default)]
struct Session {
    request: Option<Member>,
    response: Option<Member>,
    facts: Option<Member>,
}

/// Reads an archive.
pub(super) fn read(data: &[u8], input: InputId, limits: &Limits, summary: &mut Summary, out: &mut dyn FnMut(Record)) {
    let archive = match ZipArchive::from_slice(data) {
        Ok(archive) => archive,
        Err(error) => return summary.note(Kind::SourceDamaged, 0, format!("the archive cannot be read: {error}")),
    };
    let sessions = sessions(&archive, limits, summary);
    let mut unpacker = Unpacker { archive: &archive, limits, summary };
    let mut order: Vec<(Option<Time>, u32, Session, Facts)> = Vec::new();
    for (number, session) in sessions {
        let facts =
            session.facts.and_then(|member| unpacker.unpack(member, number)).map(|text| Facts::read(text, limits));
        let facts = facts.unwrap_or_default();
        order.push((facts.sent, number, session, facts));
    }
    if order.iter().all(|(sent, ..)| sent.is_some()) {
        order.sort_by_key(|(sent, number, ..)| (*sent, *number));
    }
    let mut roads = Roads::new(input);
    for (_, number, session, facts) in order {
        let Some(request) = session.request.and_then(|member| unpacker.unpack(member, number)) else { continue };
        let response = session.response.and_then(|member| unpacker.unpack(member, number));
        let response = response.filter(|bytes| !bytes.is_empty());
        let line = request.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
        let tls = memchr::memmem::find(line, b" https://").is_some() || line.starts_with(b"CONNECT ");
        let (connection, exchange) = roads.of(facts.road(), facts.client, facts.server, Some(tls));
        let recorded = Recorded {
            connection,
            exchange,
            unit: Unit::Entry(number),
            request: (&request, facts.sent),
            response: response.as_deref().map(|response| (response, facts.answered)),
        };
        if !recorded.read(limits, &mut |event| out(Record::Http(event))) {
            unpacker.summary.note(Kind::SourceDamaged, 0, format!("the request of session {number} is no HTTP"));
        }
    }
}

/// The sessions in the archive, by their number.
fn sessions(archive: &ZipSliceArchive<&[u8]>, limits: &Limits, summary: &mut Summary) -> BTreeMap<u32, Session> {
    let mut sessions = BTreeMap::<u32, Session>::new();
    let mut entries = archive.entries();
    loop {
        let entry = match entries.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(error) => {
                summary.note(Kind::SourceDamaged, 0, format!("the archive's list is damaged: {error}"));
                break;
            }
        };
        let path = String::from_utf8_lossy(entry.file_path().as_bytes()).replace('\\', "/");
        let Some((number, what)) = path.strip_prefix("raw/").and_then(|name| name.split_once('_')) else { continue };
        let Ok(number) = number.parse() else { continue };
        if !sessions.contains_key(&number) && sessions.len() >= limits.entries {
            let what = format!("the archive has more than {} sessions; the rest was not read", limits.entries);
            summary.note(Kind::LimitEntries, 0, what);
            break;
        }
        let session = sessions.entry(number).or_default();
        let member = Some(Member { place: entry.wayfinder(), method: entry.compression_method() });
        match what.to_ascii_lowercase().as_str() {
            "c.txt" => session.request = member,
            "s.txt" => session.response = member,
            "m.xml" => session.facts = member,
            _ => {}
        }
    }
    sessions
}

struct Unpacker<'a, 's> {
    archive: &'a ZipSliceArchive<&'a [u8]>,
    limits: &'a Limits,
    summary: &'s mut Summary,
}

impl Unpacker<'_, '_> {
    /// The bytes of a member; `None`, with a note, when they cannot be had.
    fn unpack(&mut self, member: Member, number: u32) -> Option<Vec<u8>> {
        let entry = match self.archive.get_entry(member.place) {
            Ok(entry) => entry,
            Err(error) => return self.refuse(Kind::SourceDamaged, format!("session {number} cannot be read: {error}")),
        };
        if entry.local_header().flags().is_encrypted() || member.method == CompressionMethod::AES {
            let why = "the archive is protected by a password: save it again without one";
            return self.refuse(Kind::SourceUnsupported, why.to_owned());
        }
        let packed = entry.data();
        if member.method == CompressionMethod::STORE {
            return Some(packed.to_vec());
        }
        if member.method != CompressionMethod::DEFLATE {
            return self.refuse(Kind::SourceUnsupported, format!("session {number} is compressed in an unknown way"));
        }
        let ratio = FREE.max((packed.len() as u64).saturating_mul(self.limits.decode_ratio as u64));
        let most = ratio.min(self.limits.decoded_body as u64);
        let mut bytes = Vec::new();
        let read = DeflateDecoder::new(packed).take(most + 1).read_to_end(&mut bytes);
        if bytes.len() as u64 > most {
            return self.refuse(Kind::LimitDecoded, format!("session {number} unpacks to more than the limit"));
        }
        if let Err(error) = read {
            self.summary.note(Kind::SourceDamaged, 0, format!("session {number} is damaged: {error}"));
        }
        Some(bytes)
    }

    fn refuse<T>(&mut self, kind: Kind, why: String) -> Option<T> {
        self.summary.note(kind, 0, why);
        None
    }
}

/// What `N_m.xml` says of a session.
#[derive(Default)]
struct Facts {
    sent: Option<Time>,
    answered: Option<Time>,
    client: Option<SocketAddr>,
    server: Option<SocketAddr>,
    /// The pipe to the client, by the port it came from.
    port: Option<u16>,
}

impl Facts {
    fn read(text: Vec<u8>, limits: &Limits) -> Facts {
        let doc = xml::parse(&text.into(), limits);
        let timer = |name: &str| {
            let timers = doc.elements().find(|element| element.name() == "SessionTimers")?;
            // A timer that did not run has the first moment of .NET's calendar.
            timers.attribute(name).filter(|at| !at.starts_with("0001")).and_then(Time::parse)
        };
        let port = flag(&doc, "x-clientport").and_then(|port| port.parse().ok());
        let address = |name: &str, port: u16| Some(SocketAddr::new(flag(&doc, name)?.parse().ok()?, port));
        Facts {
            sent: timer("ClientBeginRequest"),
            answered: timer("ServerBeginResponse").or_else(|| timer("ClientBeginResponse")),
            client: port.and_then(|port| address("x-clientip", port)),
            server: address("x-hostip", 443),
            port,
        }
    }

    fn road(&self) -> Option<String> {
        self.port.map(|port| format!("{port} {:?}", self.server))
    }
}

fn flag<'a>(doc: &'a Doc, name: &str) -> Option<&'a str> {
    let is_named = |flag: &crate::syncml::Element<'_>| {
        flag.name() == "SessionFlag" && flag.attribute("N").is_some_and(|known| known.eq_ignore_ascii_case(name))
    };
    doc.elements().find(is_named)?.attribute("V")
}
