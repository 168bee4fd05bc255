//! WAP pushes through the whole program: in captures among other traffic, in files, from standard input.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dmscope::push::{Framing, Value, hex};
use serde_json::Value as Json;

mod build;
mod peers;

use build::push::{Named, Push, Trigger};
use build::{Packet, START, ethernet, fragment, pcap, udp};

const SECOND: i64 = 1_000_000_000;

/// What a command says of these arguments, and of what it reads from standard input.
fn run(arguments: &[&str], input: &[u8]) -> (String, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dmscope"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

fn json(arguments: &[&str], input: &[u8]) -> Json {
    serde_json::from_str(&run(arguments, input).0).unwrap()
}

fn datagram(at: i64, from: &str, to: &str, payload: &[u8]) -> Packet {
    Packet::new(START + at, ethernet(&udp(from.parse().unwrap(), to.parse().unwrap(), payload)))
}

fn notification() -> Vec<u8> {
    Push::of(Trigger::default().bytes()).bytes()
}

/// A capture in a folder of its own.
fn capture(packets: &[Packet]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcap");
    std::fs::write(&path, pcap(packets)).unwrap();
    (folder, path)
}

fn lint(path: &Path) -> Json {
    json(&["lint", "--profile", "oma", "--format", "json", "--allow-empty", path.to_str().unwrap()], b"")
}

#[test]
fn datagrams_of_other_kinds_are_passed_over() {
    // Resolvers answer to any port; phones get pushes about other things.
    let dns = b"\x12\x06\x81\x80\0\x01\0\x01\0\0\0\0\x07example\x04test\0\0\x01\0\x01";
    let mms = b"\x01\x06\x03\xBE\xAF\x84\x8c\x82\x98abc\0";
    let wtls = b"\x17\xfe\xfd\0\0\0\x05hello";
    let (_folder, path) = capture(&[
        datagram(0, "10.0.0.1:53", "10.0.0.9:2948", dns),
        datagram(1, "10.0.0.1:9200", "10.0.0.9:2948", mms),
        datagram(2, "10.0.0.9:50000", "10.0.0.1:9200", b"\x01\x40\x05http:"),
        datagram(3, "10.0.0.1:9203", "10.0.0.9:2949", &[&[3], &wtls[..]].concat()),
        datagram(4, "10.0.0.1:9203", "10.0.0.9:2949", &[&[4], &wtls[..]].concat()),
    ]);
    let report = lint(&path);
    assert_eq!((&report["summary"]["pushes"], &report["summary"]["messages"]), (&0.into(), &0.into()));
    let note = "pushes to UDP port 2949 are secured by WTLS and are not read: 2, the first is frame 4";
    assert_eq!(report["inputs"][0]["notes"], serde_json::json!([note]));
}

#[test]
fn pushes_are_found_by_port_and_framing() {
    let over_wtp = [&[0x0A, 0, 9, 0x12][..], &notification()[1..]].concat();
    let (_folder, path) = capture(&[
        datagram(0, "10.0.0.1:9200", "10.0.0.9:2948", &notification()),
        datagram(1, "10.0.0.1:9200", "10.0.0.8:50001", &notification()),
        datagram(2, "10.0.0.1:9201", "10.0.0.7:50001", &over_wtp),
        datagram(3, "[fd00::1]:9200", "[fd00::2]:2948", &notification()),
    ]);
    let report = lint(&path);
    assert_eq!(report["summary"]["pushes"], 4);
    let found = report["findings"].as_array().unwrap();
    let told: Vec<_> = found.iter().map(|found| (&found["rule"], &found["location"]["frame"])).collect();
    assert_eq!(told, [(&"DM-NOT-008".into(), &2.into())], "{report}");
    assert_eq!(report["sessions"][3]["session_id"], "12");
}

#[test]
fn one_that_was_cut_is_not_judged() {
    let whole = Push::of(Trigger { vendor: vec![7; 2000], ..Trigger::default() }.bytes()).bytes();
    let ip = udp("10.0.0.1:9200".parse().unwrap(), "10.0.0.9:2948".parse().unwrap(), &whole);
    let pieces = fragment(&ip, 1480, 7).into_iter().map(|piece| Packet::new(START, ethernet(&piece)));
    let mut packets: Vec<Packet> = pieces.collect();
    packets.push(datagram(SECOND, "10.0.0.1:9200", "10.0.0.9:2948", &notification()).cut(60));
    let (_folder, path) = capture(&packets);
    let report = lint(&path);
    assert_eq!(report["summary"]["pushes"], 2);
    let reasons: Vec<_> = report["not_judged"].as_array().unwrap().iter().map(|one| &one["reason"]).collect();
    assert_eq!(reasons, ["1472 of 2046 bytes were captured", "18 of 46 bytes were captured"]);
    let rules: Vec<_> = report["findings"].as_array().unwrap().iter().map(|found| &found["rule"]).collect();
    assert_eq!(rules, ["DM-CAP-003", "DM-CAP-003"]);
}

#[test]
fn files_hold_pushes_in_three_forms() {
    let folder = tempfile::tempdir().unwrap();
    let bare = Trigger { future: 1, ..Trigger::default() }.bytes();
    let forms = [Push::of(bare.clone()).bytes(), bare.clone(), hex::text(&bare).into_bytes()];
    for (number, content) in forms.iter().enumerate().filter(|(number, _)| *number != 1) {
        let path = folder.path().join(format!("{number}.bin"));
        std::fs::write(&path, content).unwrap();
        // Bits that have to be zero make a notification that stands alone look like nothing: its kind is named then.
        let report = json(
            &["lint", "--profile", "oma", "--format", "json", "--input-kind", "push", path.to_str().unwrap()],
            b"",
        );
        assert_eq!(report["findings"][0]["rule"], "DM-NOT-003", "{report}");
    }
    let good = Trigger::default().bytes();
    for content in [notification(), good.clone(), hex::text(&good).into_bytes()] {
        let sessions = json(&["sessions", "--format", "json", "-"], &content);
        assert_eq!(
            (&sessions["sessions"][0]["push"], &sessions["sessions"][0]["session_id"]),
            (&true.into(), &"12".into())
        );
    }
}

#[test]
fn a_story_stops_where_no_session_comes() {
    let later = Push::of(Trigger { session: 0x13, ..Trigger::default() }.bytes()).bytes();
    let (_folder, path) = capture(&[
        datagram(0, "10.0.0.1:9200", "10.0.0.9:2948", &notification()),
        datagram(700 * SECOND, "10.0.0.1:9200", "10.0.0.8:2948", &later),
    ]);
    let page = json(&["diagnose", "-q", "--format", "json", path.to_str().unwrap()], b"");
    let stories = page["stories"].as_array().unwrap();
    assert_eq!(stories.len(), 2);
    assert_eq!(stories[0]["stopped"]["stage"], "notification");
    assert_eq!((&stories[1]["stopped"], &stories[1]["stages"][0]["outcome"]), (&Json::Null, &"not seen".into()));
}

#[test]
fn the_sample_is_the_notification_and_its_session() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/notification.pcap");
    let sample = sample.to_str().unwrap();
    let shown = run(&["show", sample, "--session", "s1"], b"").0;
    assert!(
        shown.contains("SessionID 1F in its messages") && shown.contains("digest                ********"),
        "{shown}"
    );
    let dumped = run(&["show", sample, "--session", "s1", "--as", "hex"], b"").0;
    assert!(dumped.contains("00000000  01 06 03 c4 af 87 ** **  ** **"), "{dumped}");
    let report = lint(Path::new(sample));
    let rules: Vec<_> = report["findings"].as_array().unwrap().iter().map(|found| &found["rule"]).collect();
    assert!(rules.contains(&&"DM-NOT-007".into()), "{rules:?}");
    assert_eq!(report["sessions"][0]["device"], report["sessions"][1]["device"]);
}

/// What tshark sees of pushes is what is read of them.
#[test]
fn tshark_reads_the_same() {
    if !peers::are_here(&["tshark"]) {
        return;
    }
    let mac = "0123456789ABCDEF0123456789ABCDEF01234567";
    let bootstrap = Push {
        content_type: Named::Code(0x36),
        sec: Some(1),
        mac: Some(mac.into()),
        ..Push::of(b"\x03\x0b\x6a\0".to_vec())
    };
    let spelled = Push {
        content_type: Named::Name("application/vnd.syncml.notification".into()),
        application: Some(Named::Name("x-wap-application:syncml.dm".into())),
        ..Push::of(Trigger::default().bytes())
    };
    let pushes = [notification(), bootstrap.bytes(), spelled.bytes()];
    let packets: Vec<Packet> =
        (0..).zip(&pushes).map(|(at, push)| datagram(at, "10.0.0.1:9200", "10.0.0.9:2948", push)).collect();
    let (_folder, path) = capture(&packets);
    let fields = [
        "wsp.TID",
        "wsp.pdu_type",
        "wsp.headers_length",
        "wsp.parameter.sec",
        "wsp.parameter.mac",
        "wsp.header.x_wap_application_id",
    ];
    let asked = fields.iter().flat_map(|field| ["-e", field]);
    let output = Command::new("tshark").args(["-T", "fields", "-r"]).arg(&path).args(asked).output().unwrap();
    let seen = String::from_utf8(output.stdout).unwrap();
    let read = pushes.iter().map(|bytes| {
        let push = dmscope::push::Push::read(bytes, Framing::Wsp);
        assert_eq!(push.fault, None);
        let parameter = |name| match push.content_type.parameter(name) {
            Some(Value::Number(code)) => format!("0x{code:02x}"),
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        };
        let (tid, length) = (push.tid.unwrap(), push.content_at - 3);
        let application = push.application().unwrap().0;
        format!("0x{tid:02x}\t0x06\t{length}\t{}\t{}\t{application}\n", parameter("SEC"), parameter("MAC"))
    });
    assert_eq!(seen, read.collect::<String>());
}

const DEVICE: &str = "urn:uuid:5f0c4d1e-7a3b-4c55-9d2e-1b6a8e94c7f0";
const SERVER: &str = "https://mdm.example.test/manage";

/// A message of a session over HTTP; a response where the server sends it.
fn over_http(session: &str, msg_id: u32, by_server: bool, body: &str) -> Vec<u8> {
    let (source, target) = if by_server { (SERVER, DEVICE) } else { (DEVICE, SERVER) };
    let document = format!(
        "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>{session}\
         </SessionID><MsgID>{msg_id}</MsgID><Target><LocURI>{target}</LocURI></Target><Source><LocURI>{source}</LocURI>\
         </Source></SyncHdr><SyncBody>{body}<Final/></SyncBody></SyncML>"
    );
    let start = if by_server { "HTTP/1.1 200 OK" } else { "POST /manage HTTP/1.1\r\nHost: mdm.example.test" };
    let length = document.len();
    format!("{start}\r\nContent-Type: application/vnd.syncml.dm+xml\r\nContent-Length: {length}\r\n\r\n{document}")
        .into()
}

/// A session of one exchange and, with a nonce for the server, one more.
fn session(at: i64, id: &str, nonce: Option<&str>) -> Vec<Packet> {
    let status = "<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd>";
    let alert = "<Alert><CmdID>2</CmdID><Data>1200</Data></Alert>";
    let answer = format!("{status}<Data>200</Data></Status>");
    let get = "<Get><CmdID>3</CmdID><Item><Target><LocURI>./DevDetail/SwV</LocURI></Target></Item></Get>";
    // With a command, the session goes on.
    let first = format!("{answer}{}", if nonce.is_some() { get } else { "" });
    let talk = build::Conversation::new(&format!("10.0.0.9:400{id}"), "10.0.0.1:80").at(START + at).open();
    let talk = talk.client(&over_http(id, 1, false, alert)).server(&over_http(id, 1, true, &first));
    let Some(nonce) = nonce else { return talk.close() };
    let chal = format!(
        "{status}<Chal><Meta><Type xmlns=\"syncml:metinf\">syncml:auth-md5</Type><Format xmlns=\"syncml:metinf\">b64</Format>\
         <NextNonce xmlns=\"syncml:metinf\">{nonce}</NextNonce></Meta></Chal><Data>407</Data></Status>"
    );
    talk.client(&over_http(id, 2, false, &chal)).server(&over_http(id, 2, true, &answer)).close()
}

/// What is said of the digest of a notification behind a session that may have given the nonce `bm9uY2U=`: the finding, and why
/// there is none.
fn digest(nonce: Option<&str>, of_push: &[u8], of_file: Option<&str>) -> (Json, Json) {
    let trigger = Trigger { secret: ("sesame too".into(), of_push.to_vec()), ..Trigger::default() };
    let push = Push::of(trigger.bytes()).bytes();
    let mut packets = if nonce.is_some() { session(0, "11", nonce) } else { Vec::new() };
    packets.push(datagram(60 * SECOND, "10.0.0.1:9200", "10.0.0.9:2948", &push));
    packets.extend(session(70 * SECOND, "12", None));
    let (folder, path) = capture(&packets);
    let entry = "[[credentials]]\nserver = \"mdm.example.test\"\nuser = \"mdm\"\nsecret = \"sesame too\"\n";
    let own = of_file.map(|nonce| format!("nonce = \"{nonce}\"\n")).unwrap_or_default();
    let file = folder.path().join("credentials.toml");
    std::fs::write(&file, format!("{entry}{own}")).unwrap();
    let arguments = ["lint", "--profile", "oma", "--select", "DM-NOT-006", "--format", "json", "--credentials"];
    let report = json(&[&arguments[..], &[file.to_str().unwrap(), path.to_str().unwrap()]].concat(), b"");
    (report["findings"][0]["message"].clone(), report["not_judged_by"][0]["reason"].clone())
}

#[test]
fn a_digest_is_wrong_only_where_its_nonce_is_certain() {
    let says = |told: (Json, Json), finding: &str, reason: &str| {
        let (found, why) = (told.0.as_str().unwrap_or_default(), told.1.as_str().unwrap_or_default());
        let is = |said: &str, words: &str| if words.is_empty() { said.is_empty() } else { said.contains(words) };
        assert!(is(found, finding) && is(why, reason), "{told:?}");
    };
    let given = Some("bm9uY2U=");
    says(digest(given, b"nonce", None), "", "");
    says(
        digest(given, b"bm9uY2U=", None),
        "with the base64 text of the nonce, not its octets; the nonce is that of session s1",
        "",
    );
    says(digest(given, b"newer", given), "", "the last one is of session s1, and a session that was not recorded");
    // Nothing went before: the nonce of the file is the one to use.
    says(digest(None, b"other", given), "the nonce of the credentials file and the notification", "");
    says(digest(None, b"other", None), "", "no nonce is known");
}
