//! Makes DM traffic for benchmarks: devices that each run one session with one server, as a busy server sees them.

use crate::build::{Conversation, Packet};

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
    let package_1 =
        format!("<Alert><CmdID>2</CmdID><Data>1201</Data></Alert><Replace><CmdID>3</CmdID>{devinfo}</Replace>");
    let mut messages = vec![message(device, 1, true, &package_1)];
    for round in 0..=ROUNDS {
        let msg_id = round + 1;
        let mut body = status(1, msg_id, 0, "SyncHdr");
        let mut from = 2;
        if round == 0 {
            body += &(status(2, 1, 2, "Alert") + &status(3, 1, 3, "Replace"));
            from = 4;
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

fn http(device: usize) -> Vec<Packet> {
    let client =
        format!("127.{}.{}.{}:{}", 1 + device / 65_536, device / 256 % 256, device % 256, 49_152 + device % 16_000);
    let mut conversation =
        Conversation::new(&client, "127.0.0.1:80").at(1_767_225_600_000_000_000 + device as i64 * 1_000_000);
    for (number, body) in session(device).iter().enumerate() {
        let length = body.len();
        let head = "Content-Type: application/vnd.syncml.dm+xml\r\nContent-Length:";
        conversation = if number % 2 == 0 {
            let start = "POST /omadm?mode=Maintenance&Platform=WoA HTTP/1.1\r\nHost: mdm.example.test\r\n\
                         User-Agent: MSFT OMA DM Client/1.2.0.1\r\nAccept-Charset: UTF-8\r\n\
                         Accept: application/vnd.syncml.dm+xml, application/vnd.syncml.dm+wbxml\r\n";
            conversation.client(format!("{start}{head} {length}\r\n\r\n{body}").as_bytes())
        } else {
            conversation.server(format!("HTTP/1.1 200 OK\r\n{head} {length}\r\n\r\n{body}").as_bytes())
        };
    }
    conversation.close()
}

/// Packets of at least `bytes` bytes: sessions of as many devices as it takes, `overlap` of them at a time.
pub(crate) fn dense(bytes: usize, overlap: usize) -> Vec<Packet> {
    let mut out = Vec::new();
    let mut size = 0;
    let mut device = 0;
    while size < bytes {
        let mut group: Vec<Packet> = (0..overlap).flat_map(|number| http(device + number)).collect();
        device += overlap;
        group.sort_by_key(|packet| packet.at);
        size += group.iter().map(|packet| packet.bytes.len()).sum::<usize>();
        out.append(&mut group);
    }
    out
}
