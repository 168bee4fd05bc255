//! Makes DM traffic for benchmarks: devices that each run one session with one server, as a busy server sees them.

use std::cell::RefCell;
use std::io::{self, Write};

use crate::build::tls::Secure;
use crate::build::{self, Conversation, Packet};

const SERVER: &str = "https://mdm.example.test/omadm";
/// Commands in each server message: a policy refresh sets and reads some dozens of nodes.
const COMMANDS: usize = 24;
/// Server messages with commands in each session.
const ROUNDS: usize = 3;

fn device_id(device: usize) -> String {
    format!("urn:uuid:00000000-0000-4000-8000-{device:012x}")
}

fn message(device: usize, msg_id: usize, from_client: bool, body: &str) -> String {
    let device = device_id(device);
    let (target, source) = if from_client { (SERVER, device.as_str()) } else { (device.as_str(), SERVER) };
    format!(
        "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
         <SessionID>1</SessionID><MsgID>{msg_id}</MsgID><Target><LocURI>{target}</LocURI></Target>\
         <Source><LocURI>{source}</LocURI></Source></SyncHdr><SyncBody>{body}<Final/></SyncBody></SyncML>"
    )
}

fn status(cmd_id: usize, msg_ref: usize, cmd_ref: usize, cmd: &str) -> String {
    format!(
        "<Status><CmdID>{cmd_id}</CmdID><MsgRef>{msg_ref}</MsgRef><CmdRef>{cmd_ref}</CmdRef><Cmd>{cmd}</Cmd>\
         <Data>200</Data></Status>"
    )
}

fn node(round: usize, number: usize) -> String {
    format!("./Device/Vendor/MSFT/Policy/Config/Area{round}/Setting{number}")
}

fn commands(round: usize, from: usize) -> String {
    let command = |number: usize| {
        let (id, uri) = (from + number, node(round, number));
        let target = format!("<Item><Target><LocURI>{uri}</LocURI></Target>");
        match number % 2 {
            0 => format!("<Get><CmdID>{id}</CmdID>{target}</Item></Get>"),
            _ => format!(
                "<Replace><CmdID>{id}</CmdID>{target}<Meta><Format xmlns=\"syncml:metinf\">chr</Format>\
                 <Type xmlns=\"syncml:metinf\">text/plain</Type></Meta><Data>&lt;enabled/&gt;{number}</Data></Item></Replace>"
            ),
        }
    };
    (0..COMMANDS).map(command).collect()
}

fn answers(round: usize, msg_ref: usize, from: usize) -> String {
    let mut id = 1;
    let mut out = status(id, msg_ref, 0, "SyncHdr");
    for number in 0..COMMANDS {
        id += 1;
        let reference = from + number;
        out += &status(id, msg_ref, reference, if number % 2 == 0 { "Get" } else { "Replace" });
        if number % 2 == 0 {
            id += 1;
            out += &format!(
                "<Results><CmdID>{id}</CmdID><MsgRef>{msg_ref}</MsgRef><CmdRef>{reference}</CmdRef><Item><Source>\
                 <LocURI>{}</LocURI></Source><Data>value of setting {number}</Data></Item></Results>",
                node(round, number)
            );
        }
    }
    out
}

const DEVINFO: [(&str, &str); 4] = [("Man", "Contoso"), ("Mod", "Lab Laptop"), ("DmV", "1.3"), ("Lang", "en-US")];

/// The client's and the server's messages of one session, in turn.
pub(crate) fn session(device: usize) -> Vec<String> {
    let item = |name: &str, value: &str| {
        format!("<Item><Source><LocURI>./DevInfo/{name}</LocURI></Source><Data>{value}</Data></Item>")
    };
    let devinfo: String = DEVINFO.iter().map(|(name, value)| item(name, value)).collect();
    let devinfo = item("DevId", &device_id(device)) + &devinfo;
    let package_1 = format!(
        "<Alert><CmdID>2</CmdID><Data>1201</Data></Alert><Alert><CmdID>3</CmdID><Data>1224</Data><Item><Meta>\
         <Type xmlns=\"syncml:metinf\">com.microsoft/MDM/LoginStatus</Type></Meta><Data>user</Data></Item></Alert>\
         <Replace><CmdID>4</CmdID>{devinfo}</Replace>"
    );
    let mut messages = vec![message(device, 1, true, &package_1)];
    for round in 0..=ROUNDS {
        let msg_id = round + 1;
        let mut body = status(1, msg_id, 0, "SyncHdr");
        let mut from = 2;
        if round == 0 {
            body += &(status(2, 1, 2, "Alert") + &status(3, 1, 3, "Alert") + &status(4, 1, 4, "Replace"));
            from = 5;
        }
        if round < ROUNDS {
            body += &commands(round, from);
        }
        messages.push(message(device, msg_id, false, &body));
        if round < ROUNDS {
            messages.push(message(device, msg_id + 1, true, &answers(round, msg_id, from)));
        }
    }
    messages
}

/// How bodies are written: the media type, and the bytes of a message.
#[derive(Clone, Copy)]
pub(crate) struct Coding(pub(crate) &'static str, pub(crate) fn(&str) -> Vec<u8>);

/// As text.
pub(crate) const XML: Coding = Coding("application/vnd.syncml.dm+xml", |body| body.as_bytes().to_vec());

/// A connection of a device to a server's port, at its time.
fn connection(device: usize, port: u16) -> Conversation {
    let client =
        format!("127.{}.{}.{}:{}", 1 + device / 65_536, device / 256 % 256, device % 256, 49_152 + device % 16_000);
    Conversation::new(&client, &format!("127.0.0.1:{port}")).at(1_767_225_600_000_000_000 + device as i64 * 1_000_000)
}

fn http(device: usize, coding: Coding) -> Vec<Packet> {
    let mut conversation = connection(device, 80);
    for (is_client, message) in on_the_wire(device, coding) {
        conversation = if is_client { conversation.client(&message) } else { conversation.server(&message) };
    }
    conversation.close()
}

/// The same under TLS 1.3, and the key log of it.
fn https(device: usize) -> (Vec<Packet>, String) {
    let mut secure = Secure::new(device as u32);
    let [hello, answer, finished] = secure.handshake("mdm.example.test");
    let mut conversation = connection(device, 443).client(&hello).server(&answer).client(&finished);
    for (is_client, message) in on_the_wire(device, XML) {
        conversation = match is_client {
            true => conversation.client(&secure.client(&message)),
            false => conversation.server(&secure.server(&message)),
        };
    }
    (conversation.close(), secure.key_log())
}

/// The HTTP messages of a session, those of the client marked so.
fn on_the_wire(device: usize, Coding(media_type, code): Coding) -> impl Iterator<Item = (bool, Vec<u8>)> {
    session(device).into_iter().enumerate().map(move |(number, body)| {
        let body = code(&body);
        let head = format!("Content-Type: {media_type}\r\nContent-Length: {}\r\n\r\n", body.len());
        let start = match number % 2 {
            0 => {
                "POST /omadm?mode=Maintenance&Platform=WoA HTTP/1.1\r\nHost: mdm.example.test\r\n\
                  User-Agent: MSFT OMA DM Client/1.2.0.1\r\nAccept-Charset: UTF-8\r\n\
                  Accept: application/vnd.syncml.dm+xml, application/vnd.syncml.dm+wbxml\r\n"
            }
            _ => "HTTP/1.1 200 OK\r\n",
        };
        (number % 2 == 0, [start.as_bytes(), head.as_bytes(), &body].concat())
    })
}

/// What is no device management: a download, and a connection that speaks TLS.
fn noise(device: usize, bytes: usize) -> Vec<Packet> {
    let mut seed = device as u64 | 1;
    let mut random = |length: usize| -> Vec<u8> {
        let next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed.to_le_bytes()
        };
        std::iter::repeat_with(next).take(length / 8 + 1).flatten().collect()
    };
    let image = random(bytes / 2);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {}\r\n\r\n", image.len());
    let download = connection(device, 8080)
        .client(b"GET /picture.png HTTP/1.1\r\nHost: www.example.test\r\n\r\n")
        .server(&[head.as_bytes(), &image].concat());
    let record = |kind: u8, body: Vec<u8>| {
        [&[kind, 3, 3][..], &u16::try_from(body.len()).unwrap_or_default().to_be_bytes(), &body].concat()
    };
    let secret: Vec<u8> = (0..bytes / 2 / 16_000).flat_map(|_| record(23, random(15_992))).collect();
    let tls =
        connection(device, 443).client(&record(22, random(500))).server(&record(22, random(1200))).server(&secret);
    [download.close(), tls.close()].concat()
}

/// Writes a capture of at least `bytes` bytes: sessions of as many devices as it takes, `overlap` of them at a time.
pub(crate) fn dense(bytes: usize, overlap: usize, coding: Coding, out: &mut dyn Write) -> io::Result<()> {
    capture(bytes, overlap, |device| http(device, coding), out)
}

/// The same under TLS 1.3; the key log goes to `log`.
pub(crate) fn tls(bytes: usize, overlap: usize, out: &mut dyn Write, log: &RefCell<dyn Write>) -> io::Result<()> {
    let packets = |device| {
        let (packets, keys) = https(device);
        log.borrow_mut().write_all(keys.as_bytes()).map(|()| packets).unwrap_or_default()
    };
    capture(bytes, overlap, packets, out)
}

/// The same with ten times as much that is no device management.
pub(crate) fn mixed(bytes: usize, overlap: usize, out: &mut dyn Write) -> io::Result<()> {
    let packets = |device| {
        let packets = http(device, XML);
        let size: usize = packets.iter().map(|packet| packet.bytes.len()).sum();
        [packets, noise(device, size * 10)].concat()
    };
    capture(bytes, overlap, packets, out)
}

/// Length of the header of a capture file.
const HEADER: usize = 24;

fn capture(
    bytes: usize,
    overlap: usize,
    packets_of: impl Fn(usize) -> Vec<Packet>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut size = 0;
    for first in (0..).step_by(overlap) {
        let mut group: Vec<Packet> = (first..first + overlap).flat_map(&packets_of).collect();
        group.sort_by_key(|packet| packet.at);
        let file = build::pcap(&group);
        let from = if size == 0 { 0 } else { HEADER };
        out.write_all(&file[from..])?;
        size += file.len() - from;
        if size >= bytes {
            break;
        }
    }
    Ok(())
}

/// Writes a HAR of at least `bytes` bytes that holds the same sessions.
pub(crate) fn har(bytes: usize, out: &mut dyn Write) -> io::Result<()> {
    let text = |body: &str| serde_json::to_string(body).unwrap_or_default();
    let headers = "\"headers\":[{\"name\":\"Content-Type\",\"value\":\"application/vnd.syncml.dm+xml\"}]";
    let mut size = 0;
    write!(out, "{{\"log\":{{\"version\":\"1.2\",\"creator\":{{\"name\":\"bench\",\"version\":\"1\"}},\"entries\":[")?;
    for device in 0.. {
        for (number, pair) in session(device).chunks_exact(2).enumerate() {
            let comma = if device + number == 0 { "" } else { "," };
            let (minute, second) = (device / 60 % 60, device % 60);
            let entry = format!(
                "{comma}{{\"startedDateTime\":\"2026-01-01T00:{minute:02}:{second:02}.{number:03}Z\",\"time\":1,\"connection\":\"{device}\",\
                 \"request\":{{\"method\":\"POST\",\"url\":\"{SERVER}?mode=Maintenance\",\"httpVersion\":\"HTTP/1.1\",{headers},\
                 \"postData\":{{\"mimeType\":\"application/vnd.syncml.dm+xml\",\"text\":{}}}}},\
                 \"response\":{{\"status\":200,\"statusText\":\"OK\",\"httpVersion\":\"HTTP/1.1\",{headers},\
                 \"content\":{{\"mimeType\":\"application/vnd.syncml.dm+xml\",\"text\":{}}}}}}}",
                text(&pair[0]),
                text(&pair[1]),
            );
            out.write_all(entry.as_bytes())?;
            size += entry.len();
        }
        if size >= bytes {
            break;
        }
    }
    write!(out, "]}}}}")
}
