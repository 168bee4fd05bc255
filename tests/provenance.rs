//! From an element back to the bytes on the wire: through WBXML, content codings, chunks or HTTP/2 frames, TLS records, TCP
//! segments and IP fragments, to frames and offsets. The packets are made here, so the truth is known.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::Write as _;

use dmscope::engine::{self, Settings};
use dmscope::input;
use dmscope::limits::Limits;
use dmscope::origin::Unit;
use dmscope::rules::finding::Place;
use dmscope::rules::location::Locator;
use dmscope::session::{At, Session};
use dmscope::tls::Keys;
use dmscope::{wbxml, xml};

mod build;

use build::http2::{Blocks, DATA, END_STREAM, PREFACE, frame, padded, settings};
use build::tls::Secure;
use build::{Conversation, Packet, ethernet, fragment, pcap};

/// Payload bytes of a segment.
const MSS: usize = 150;

fn message() -> String {
    let item = |number| {
        format!(
            "<Replace><CmdID>{number}</CmdID><Item><Target><LocURI>./Vendor/Example/Node{number}</LocURI></Target>\
             <Data>value number {number}</Data></Item></Replace>"
        )
    };
    let items: String = (2..9).map(item).collect();
    format!(
        "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID>\
         <MsgID>1</MsgID><Target><LocURI>urn:uuid:5f0c4d1e</LocURI></Target><Source><LocURI>http://mdm.example.test/dm</LocURI>\
         </Source></SyncHdr><SyncBody>{items}<Final/></SyncBody></SyncML>"
    )
}

fn binary() -> Vec<u8> {
    let doc = xml::parse(&message().into(), &Limits::default());
    let (bytes, beyond) = wbxml::encode::encode(&doc);
    assert!(beyond.is_empty());
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn begin() -> Conversation {
    Conversation::new("127.0.0.1:50001", "127.0.0.1:80").mss(MSS)
}

const REQUEST: &str = "POST /dm HTTP/1.1\r\nHost: mdm.example.test\r\nContent-Length: 0\r\n\r\n";

/// The body in chunks of 70 bytes.
fn chunked(body: &[u8], kind: &str) -> Vec<Packet> {
    let mut response =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n").into_bytes();
    for chunk in body.chunks(70) {
        response.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    }
    response.extend(b"0\r\n\r\n");
    begin().client(REQUEST.as_bytes()).server(&response).close()
}

/// The body in DATA frames of 60 bytes, every third padded, with frames of another stream between.
fn framed(body: &[u8], kind: &str, coding: Option<&str>) -> Vec<Packet> {
    let (mut client, mut server) = (Blocks::default(), Blocks::default());
    let ask = [(":method", "POST"), (":path", "/dm"), (":authority", "mdm.example.test")];
    let asked = [client.head(1, &ask, true), client.head(3, &ask, true)].concat();
    let mut fields = vec![(":status", "200"), ("content-type", kind)];
    fields.extend(coding.map(|coding| ("content-encoding", coding)));
    let mut answered = [server.head(1, &fields, false), server.head(3, &fields, false)].concat();
    for (number, part) in body.chunks(60).enumerate() {
        answered.extend(match number % 3 {
            0 => padded(DATA, 0, 1, part, 11),
            _ => frame(DATA, 0, 1, part),
        });
        answered.extend(frame(DATA, 0, 3, b"of the other stream"));
    }
    answered.extend([frame(DATA, END_STREAM, 1, b""), frame(DATA, END_STREAM, 3, b"")].concat());
    let start = [PREFACE, &settings(), &asked].concat();
    begin().client(&start).server(&settings()).server(&answered).close()
}

/// Each packet with much data in IP fragments.
fn fragmented(packets: Vec<Packet>) -> Vec<Packet> {
    let cut = |(id, packet): (usize, Packet)| match packet.bytes.len() > 120 {
        true => fragment(&packet.bytes[14..], 48, id as u16)
            .into_iter()
            .map(|part| Packet::new(packet.at, ethernet(&part)))
            .collect(),
        false => vec![packet],
    };
    packets.into_iter().enumerate().flat_map(cut).collect()
}

fn sessions(packets: &[Packet]) -> Vec<Session> {
    decrypted(packets, Keys::default())
}

fn decrypted(packets: &[Packet], keys: Keys) -> Vec<Session> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.pcap");
    std::fs::write(&path, pcap(packets)).unwrap();
    let inputs = input::collect(&[path], None).unwrap();
    let settings = Settings { mmap: false, keys, ..Settings::default() };
    let mut sessions = Vec::new();
    engine::read(&inputs, &settings, &mut |session| sessions.push(session), &mut |_| {}).unwrap();
    sessions
}

/// An element: its path, first and last frame, offset in the first, bytes.
type Found = (String, u32, u32, Option<u64>, Vec<u8>);

/// Where the elements of the one message with content were found.
fn places(packets: &[Packet]) -> Vec<Found> {
    places_in(&sessions(packets))
}

fn places_in(sessions: &[Session]) -> Vec<Found> {
    let found = sessions.iter().flat_map(|session| {
        let messages = session.messages.iter().enumerate();
        messages.filter(|(_, message)| message.doc.len() > 9).map(move |(index, _)| (session, index))
    });
    let (session, index) = found.last().unwrap();
    let mut locator = Locator::new(session, false);
    let doc = &session.messages[index].doc;
    let place = |element: dmscope::syncml::Element<'_>| {
        let location = locator.location(Place::Element(At { message: index, node: element.id() }));
        let first = location.frame.unwrap();
        let bytes = element.span().slice(doc.bytes()).to_vec();
        (element.path(), first, location.last_frame.unwrap_or(first), location.offset, bytes)
    };
    doc.elements().map(place).collect()
}

/// Every byte of the bodies stands where its origin says.
fn each_byte(packets: &[Packet]) {
    for message in sessions(packets).iter().flat_map(|session| &session.messages) {
        for (at, byte) in message.body.bytes.iter().enumerate() {
            let run = message.body.origin.run_at(at as u64).unwrap();
            let Unit::Frame(number) = run.unit else { panic!("{run:?}") };
            let offset = (run.offset + at as u64 - run.at) as usize;
            assert!(run.exact && packets[number as usize - 1].bytes[offset] == *byte, "byte {at}: {run:?}");
        }
    }
}

/// Every element begins at the offset that is said, in the frame that is said, and ends in the last one.
fn exact(packets: &[Packet], elements: usize) {
    let places = places(packets);
    assert_eq!(places.len(), elements);
    each_byte(packets);
    let mut spread = 0;
    for (path, first, last, offset, bytes) in places {
        let at = offset.unwrap_or_else(|| panic!("{path} is not exact")) as usize;
        let rest = &packets[first as usize - 1].bytes[at..];
        let same = rest.iter().zip(&bytes).take_while(|(one, other)| one == other).count();
        assert!(same >= 1, "{path}: not in frame {first} at {at}");
        let tail = &bytes[bytes.len() - bytes.len().min(4)..];
        let end = &packets[last as usize - 1].bytes;
        let ends = (1..=tail.len()).rev().any(|len| end.windows(len).any(|window| window == &tail[tail.len() - len..]));
        assert!(ends && last >= first, "{path} does not end in frame {last}");
        spread += u32::from(last > first);
    }
    assert!(spread > 3, "only {spread} elements lie in several frames");
}

const XML: &str = "application/vnd.syncml.dm+xml";
const WBXML: &str = "application/vnd.syncml.dm+wbxml";
/// Elements of the message.
const ELEMENTS: usize = 10 + 7 * 6 + 2;

#[test]
fn elements_of_xml_in_chunks_stand_where_it_is_said() {
    exact(&chunked(message().as_bytes(), XML), ELEMENTS);
}

#[test]
fn elements_of_wbxml_in_http2_frames_stand_where_it_is_said() {
    exact(&framed(&binary(), WBXML, None), ELEMENTS);
}

#[test]
fn elements_in_fragments_stand_where_it_is_said() {
    exact(&fragmented(framed(message().as_bytes(), XML, None)), ELEMENTS);
    exact(&fragmented(chunked(&binary(), WBXML)), ELEMENTS);
}

#[test]
fn a_content_coding_leaves_the_frames_that_cover_it() {
    let coded = gzip(&binary());
    let packets = framed(&coded, WBXML, Some("gzip"));
    let holds = |packet: &&Packet| {
        coded.chunks(60).any(|part| packet.bytes.windows(part.len().min(20)).any(|window| part.starts_with(window)))
    };
    let of_body: Vec<usize> = (1..=packets.len()).filter(|number| holds(&&packets[number - 1])).collect();
    let (first, last) = (*of_body.first().unwrap() as u32, *of_body.last().unwrap() as u32);
    assert!(first < last);
    for (path, from, to, offset, _) in places(&packets) {
        assert_eq!((from, offset), (first, None), "{path}");
        assert!(to >= last, "{path} ends in {to}, the body in {last}");
    }
}

/// Octets of text in a record: records span segments, and segments records.
const TEXT: usize = 400;

/// The body in records, as TLS 1.3 seals them, with the packet of each of its bytes.
fn sealed(body: &[u8]) -> (Vec<Packet>, Keys, Vec<u32>) {
    /// A record's header, before the text; the kind of its content and the tag, behind it.
    const BEFORE: usize = 5;
    const BEHIND: usize = 1 + 16;
    let mut secure = Secure::new(1);
    let [hello, answer, finished] = secure.handshake("mdm.example.test");
    let asked = begin().client(&hello).server(&answer).client(&finished).client(&secure.client(REQUEST.as_bytes()));
    let before = asked.clone().unfinished().len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {WBXML}\r\nContent-Length: {}\r\n\r\n", body.len());
    let response = [head.as_bytes(), body].concat();
    let records: Vec<u8> = response.chunks(TEXT).flat_map(|part| secure.server(part)).collect();
    let place = |at: usize| (at / TEXT) * (BEFORE + TEXT + BEHIND) + BEFORE + at % TEXT;
    let packet = |at| (before + place(at) / MSS + 1) as u32;
    let keys = Keys::new(&Limits::default());
    keys.add_log(secure.key_log().as_bytes());
    (asked.server(&records).close(), keys, (head.len()..response.len()).map(packet).collect())
}

/// Through WBXML, records and segments: the frames are those that carried the element, and no offset is said, for what stands
/// there is not text.
#[test]
fn elements_in_records_lie_in_the_frames_that_are_said() {
    let body = binary();
    let (packets, keys, frames) = sealed(&body);
    let sessions = decrypted(&packets, keys);
    let message = sessions.iter().flat_map(|session| &session.messages).find(|message| message.doc.len() > 9).unwrap();
    assert_eq!(&*message.body.bytes, &body[..]);
    for (at, frame) in frames.iter().enumerate() {
        let run = message.body.origin.run_at(at as u64).unwrap();
        assert_eq!((run.unit, run.exact), (Unit::Frame(*frame), false), "byte {at}");
    }
    let doc = &message.doc;
    let places = places_in(&sessions);
    assert_eq!(places.len(), ELEMENTS);
    for (element, (path, first, last, offset, _)) in doc.elements().zip(places) {
        let span = element.span().range();
        assert_eq!((first, last, offset), (frames[span.start], frames[span.end - 1], None), "{path}");
    }
    assert!(frames.first() < frames.last());
}

/// The text report names the frames of an element that lies in several.
#[test]
fn the_report_names_frames_and_json_their_offset() {
    let body = message().replace("<CmdID>3</CmdID>", "<CmdID>2</CmdID>");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.pcap");
    std::fs::write(&path, pcap(&framed(body.as_bytes(), XML, None))).unwrap();
    let said = |format: &str| {
        let program = env!("CARGO_BIN_EXE_dmscope");
        let output =
            std::process::Command::new(program).args(["lint", "--format", format]).arg(&path).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let json: serde_json::Value = serde_json::from_str(&said("json")).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let spread = findings.iter().map(|finding| &finding["location"]).find(|place| !place["last_frame"].is_null());
    let place = spread.expect("a finding in several frames");
    let frames = format!("frames {}-{}", place["frame"], place["last_frame"]);
    assert!(place["offset"].is_u64() && said("text").contains(&frames), "{frames}\n{}", said("text"));
}
