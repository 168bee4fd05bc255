//! What `dmscope diagnose` tells: of enrollments that the lab records over TLS, each with a fault of its own, and of recordings
//! of devices that are managed.
//!
//! The lab (`tests/lab/enroll.py`) needs python3, openssl and tcpdump, and the right to capture; without them that part is skipped,
//! loudly, unless `DMSCOPE_PEERS` is set.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

#[path = "build/mod.rs"]
mod build;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use build::{ACK, Packet, RST, SYN, Tcp};
use serde_json::{Value, json};

fn diagnose(arguments: &[&str]) -> (String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_dmscope")).arg("diagnose").args(arguments).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

fn story(arguments: &[&str]) -> Value {
    let (text, code) = diagnose(&[&["--format", "json", "-q"], arguments].concat());
    assert_eq!(code, 0, "{arguments:?}: {text}");
    let page: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(page["stories"].as_array().map(Vec::len), Some(1), "{text}");
    page["stories"][0].clone()
}

/// Recording, the stage at which it stops, the code, and words that must be told of the cause.
const STOPS: &[(&str, &str, &str, &str)] = &[
    ("fault-MessageFormat", "certificate", "0x80180001", "namespaces"),
    ("fault-Authentication", "certificate", "0x80180002", "user name or password"),
    ("fault-Authorization", "certificate", "0x80180003", "group that may enroll"),
    ("fault-CertificateRequest", "certificate", "0x80180004", "template"),
    ("fault-EnrollmentServer", "certificate", "0x80180005", "management server failed"),
    ("fault-InternalServiceFault", "certificate", "0x80180006", "exception"),
    ("fault-InvalidSecurity", "certificate", "0x80180007", "security header"),
    ("fault-DeviceCapReached", "certificate", "0x80180013", "as many devices"),
    ("fault-DeviceNotSupported", "certificate", "0x80180014", "platform"),
    ("fault-NotSupported", "certificate", "0x80180015", "tenant"),
    ("fault-NotEligibleToRenew", "certificate", "0x80180016", "renew"),
    ("fault-InMaintenance", "certificate", "0x80180017", "maintenance"),
    ("fault-UserLicense", "certificate", "0x80180018", "licence"),
    ("fault-InvalidEnrollmentData", "certificate", "0x80180019", "says of itself"),
    ("fault-CustomServerError", "certificate", "0x80180032", "message of its own"),
    ("discovery-html", "discovery", "0x801900C8", "web page"),
    ("chunked", "policy", "", "sent in chunks"),
    ("wrong-auth-policy", "discovery", "", "the device offered OnPremise, Federated"),
    ("request-version", "discovery", "0x80180006", "RequestVersion 9.0"),
    ("other-key", "provisioning", "0x8018001E", "another key"),
    ("no-addr", "provisioning", "0x8018001F", "no ADDR"),
    ("tls", "discovery", "0x80180012", "unknown_ca"),
    ("proxy", "discovery", "0x80190197", "proxy asks for credentials"),
    ("empty", "certificate", "0x80180029", "without a body"),
    ("http-400", "policy", "0x80190190", "no licence for user@example.test"),
    ("http-400-silent", "policy", "0x80190190", "where a licence is missing"),
];

#[test]
fn the_lab_s_enrollments_are_diagnosed() {
    let missing: Vec<&str> = ["python3", "openssl", "tcpdump"]
        .into_iter()
        .filter(|program| Command::new(program).arg("--version").output().is_err())
        .collect();
    let required = std::env::var_os("DMSCOPE_PEERS").is_some();
    assert!(missing.is_empty() || !required, "not here: {missing:?}");
    if !missing.is_empty() {
        eprintln!("SKIPPED: no {missing:?}, no enrollment was recorded");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // tcpdump gives up its rights: it must be able to write here.
    let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/enroll.py");
    let output = Command::new("python3").arg(lab).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() && said.contains("permission") && !required {
        eprintln!("SKIPPED: no right to capture");
        return;
    }
    assert!(output.status.success(), "{said}");
    let of = |name: &str| {
        let file = |end: &str| folder.path().join(format!("{name}.{end}")).display().to_string();
        story(&["--keylog", &file("keys"), &file("pcap")])
    };
    let mut wrong = Vec::new();
    for (name, stage, code, cause) in STOPS {
        let story = of(name);
        let stopped = &story["stopped"];
        let causes = stopped["causes"].to_string();
        let told = stopped["stage"] == *stage
            && stopped["code"].as_str().unwrap_or_default() == *code
            && causes.contains(cause);
        let helped = stopped["next"].as_array().is_some_and(|next| !next.is_empty());
        let stage_failed = story["stages"].as_array().unwrap().iter().any(|one| one["stage"] == *stage);
        let secret = ["lab Pa55word", "lab s3cret"].iter().any(|secret| story.to_string().contains(secret));
        if !told || !helped || !stage_failed || secret {
            wrong.push(format!("{name}: expected {stage} {code} ({cause}): {story:#}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let success = of("success");
    assert_eq!(success["verdict"], "the device enrolled and is managed", "{success:#}");
    assert_eq!(success["schedule"], "every 3 minutes 5 times, then every 15 minutes 8 times, then every 24 hours");
    let done: Vec<&str> =
        success["stages"].as_array().unwrap().iter().filter_map(|stage| stage["stage"].as_str()).collect();
    assert_eq!(done, ["discovery", "policy", "certificate", "provisioning", "first session"], "{success:#}");
    assert!(success["stages"].as_array().unwrap().iter().all(|stage| stage["outcome"] == "done"), "{success:#}");
    assert!(success["stopped"].is_null());
    // A rule that the configuration switches off is no cause.
    let config = folder.path().join("dmscope.toml");
    std::fs::write(&config, "[rules]\nDM-ENR-014 = \"off\"\n").unwrap();
    let of_file = |end: &str| folder.path().join(format!("chunked.{end}")).display().to_string();
    let told = of("chunked").to_string();
    let config = config.display().to_string();
    let quiet = story(&["--config", &config, "--keylog", &of_file("keys"), &of_file("pcap")]).to_string();
    assert!(told.contains("DM-ENR-014") && !quiet.contains("DM-ENR-014"), "{quiet}");
    // With the keys of the first connection alone, the rest was not seen, which is not that it was not reached.
    let keys = std::fs::read_to_string(folder.path().join("success.keys")).unwrap();
    let secret = |line: &&str| !line.starts_with('#');
    std::fs::write(folder.path().join("first.keys"), keys.lines().find(secret).unwrap()).unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let first = story(&["--keylog", &file("first.keys"), &file("success.pcap")]);
    let policy = first["stages"].as_array().unwrap().iter().find(|stage| stage["stage"] == "policy").unwrap();
    assert_eq!(policy["outcome"], "not seen", "{first:#}");
    assert!(first["not_shown"].to_string().contains("could not be decrypted"), "{first:#}");
}

const DEVICE: &str = "urn:uuid:5f0c4d1e-7a3b-4c55-9d2e-1b6a8e94c7f0";
const SERVER: &str = "https://mdm.example.test/manage";

/// One exchange: minute, request and response.
fn entry(minute: f64, request: &str, response: (u16, &str)) -> Value {
    let seconds = (minute * 60.0) as u64;
    let time = format!("2026-01-02T{:02}:{:02}:{:02}.000Z", 3 + seconds / 3600, seconds / 60 % 60, seconds % 60);
    let kind = json!([{"name": "Content-Type", "value": "application/vnd.syncml.dm+xml"}]);
    let (status, body) = response;
    json!({
        "startedDateTime": time, "time": 20, "connection": "1",
        "request": {"method": "POST", "url": SERVER, "httpVersion": "HTTP/1.1", "headers": kind, "bodySize": request.len(),
            "postData": {"mimeType": "", "text": request}},
        "response": {"status": status, "statusText": "", "httpVersion": "HTTP/1.1", "headers": kind, "bodySize": body.len(),
            "content": {"mimeType": "", "text": body, "size": body.len()}},
        "timings": {"send": 0, "wait": 20, "receive": 0},
    })
}

fn message(session: &str, msg_id: u32, server: bool, body: &str) -> String {
    let (source, target) = if server { (SERVER, DEVICE) } else { (DEVICE, SERVER) };
    format!(
        "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>{session}</SessionID>\
         <MsgID>{msg_id}</MsgID><Target><LocURI>{target}</LocURI></Target><Source><LocURI>{source}</LocURI></Source></SyncHdr>\
         <SyncBody>{body}<Final/></SyncBody></SyncML>"
    )
}

fn status(cmd_ref: u32, cmd: &str, code: u16) -> String {
    format!(
        "<Status><CmdID>{}</CmdID><MsgRef>1</MsgRef><CmdRef>{cmd_ref}</CmdRef><Cmd>{cmd}</Cmd><Data>{code}</Data></Status>",
        100 + cmd_ref
    )
}

fn package_1(login: &str, more: &str) -> String {
    format!(
        "<Alert><CmdID>2</CmdID><Data>1201</Data></Alert><Alert><CmdID>3</CmdID><Data>1224</Data><Item><Meta>\
         <Type xmlns=\"syncml:metinf\">com.microsoft/MDM/LoginStatus</Type></Meta><Data>{login}</Data></Item></Alert>{more}"
    )
}

/// A session in which the server sends one command, which gets `code`; none without a code.
fn session(minute: f64, id: &str, login: &str, command: &str, name: &str, code: Option<u16>) -> Vec<Value> {
    let asks = format!("{}{}{}{command}", status(0, "SyncHdr", 200), status(2, "Alert", 200), status(3, "Alert", 200));
    let first = entry(minute, &message(id, 1, false, &package_1(login, "")), (200, &message(id, 1, true, &asks)));
    let Some(code) = code else { return vec![first] };
    let answer = format!("{}{}", status(0, "SyncHdr", 200), status(9, name, code));
    let end = message(id, 2, true, &status(0, "SyncHdr", 200).replace("<MsgRef>1", "<MsgRef>2"));
    vec![first, entry(minute + 0.01, &message(id, 2, false, &answer), (200, &end))]
}

fn add(uri: &str) -> String {
    format!("<Add><CmdID>9</CmdID><Item><Target><LocURI>{uri}</LocURI></Target><Data>1</Data></Item></Add>")
}

fn exec(uri: &str) -> String {
    format!("<Exec><CmdID>9</CmdID><Item><Target><LocURI>{uri}</LocURI></Target><Data>LabMDM</Data></Item></Exec>")
}

const GOODBYE: &str = "<Alert><CmdID>4</CmdID><Data>1226</Data><Item><Meta><Type xmlns=\"syncml:metinf\">\
    com.microsoft:mdm.unenrollment.userrequest</Type><Format xmlns=\"syncml:metinf\">int</Format></Meta><Data>1</Data></Item></Alert>";

fn farewell(minute: f64, id: &str, status_of_http: u16) -> Value {
    let answer = format!("{}{}{}", status(0, "SyncHdr", 200), status(2, "Alert", 200), status(4, "Alert", 200));
    let body = if status_of_http == 200 { message(id, 1, true, &answer) } else { String::new() };
    entry(minute, &message(id, 1, false, &package_1("user", GOODBYE)), (status_of_http, &body))
}

fn of_entries(entries: Vec<Value>) -> Value {
    let har = json!({"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": entries}});
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("device.har");
    std::fs::write(&path, har.to_string()).unwrap();
    story(&[&path.display().to_string()])
}

fn assert_trouble(story: &Value, words: &[&str]) {
    let trouble = story["trouble"].to_string();
    for words in words {
        assert!(trouble.contains(words), "{words}: {story:#}");
    }
}

#[test]
fn commands_that_keep_failing_are_counted() {
    let user = "./User/Vendor/MSFT/Policy/Config/Start/HideSleep";
    let add_user = add(user);
    let entries = (0..3)
        .flat_map(|n| session(f64::from(n) * 60.0, &n.to_string(), "none", &add_user, "Add", Some(405)))
        .collect();
    let told = of_entries(entries);
    assert_trouble(&told, &["405 in 3 sessions", "no user has signed in", "the same commands again in 3 sessions"]);
    let again = add("./Vendor/MSFT/WiFi/Profile/Lab");
    let entries =
        (0..4).flat_map(|n| session(f64::from(n) * 60.0, &n.to_string(), "user", &again, "Add", Some(418))).collect();
    assert_trouble(
        &of_entries(entries),
        &["Add ./Vendor/MSFT/WiFi/Profile/Lab is refused with 418 in 4 sessions", "send Replace"],
    );
}

#[test]
fn a_device_that_falls_silent_after_202_is_told() {
    let download = exec("./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/1/DownloadInstall");
    let told = of_entries(session(0.0, "1", "user", &download, "Exec", Some(202)));
    assert_trouble(
        &told,
        &["accepted ./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/1/DownloadInstall for later (202, in s1)"],
    );
    let get = "<Get><CmdID>9</CmdID><Item><Target><LocURI>./DevDetail/SwV</LocURI></Target></Item></Get>";
    let entries =
        [session(0.0, "1", "user", &download, "Exec", Some(202)), session(60.0, "2", "user", get, "Get", Some(200))]
            .concat();
    assert_trouble(&of_entries(entries), &["told nothing of it in 1 session"]);
}

#[test]
fn a_device_that_comes_faster_and_faster_is_told() {
    let get = "<Get><CmdID>9</CmdID><Item><Target><LocURI>./DevDetail/SwV</LocURI></Target></Item></Get>";
    let minutes = [0.0, 60.0, 120.0, 180.0, 183.0, 185.0, 187.0, 188.0];
    let entries = minutes
        .iter()
        .enumerate()
        .flat_map(|(n, minute)| session(*minute, &n.to_string(), "user", get, "Get", Some(200)))
        .collect();
    assert_trouble(&of_entries(entries), &["faster and faster: 8 since"]);
}

#[test]
fn a_user_s_farewell_is_a_story_of_its_own() {
    let get = "<Get><CmdID>9</CmdID><Item><Target><LocURI>./DevDetail/SwV</LocURI></Target></Item></Get>";
    let before = session(0.0, "1", "user", get, "Get", Some(200));
    let left = of_entries([before.clone(), vec![farewell(30.0, "2", 200)]].concat());
    assert_eq!(left["verdict"], "the device left the management", "{left:#}");
    assert!(
        left.to_string().contains("the user asked for it") && left.to_string().contains("removes its MDM certificates")
    );
    let came_back =
        [before.clone(), vec![farewell(30.0, "2", 200)], session(90.0, "3", "user", get, "Get", Some(200))].concat();
    let came_back = of_entries(came_back);
    assert_eq!(came_back["stopped"]["stage"], "unenrollment", "{came_back:#}");
    assert!(came_back["verdict"].as_str().unwrap().contains("it did not leave: it came again at 2026-01-02 04:30:00"));
    // The server has switched the device off and turns its farewell away.
    let refused = of_entries([before, vec![farewell(30.0, "2", 400)]].concat());
    assert!(refused.to_string().contains("was refused with HTTP 400; it leaves all the same"), "{refused:#}");
}

#[test]
fn a_server_that_sends_a_device_away_is_told_apart() {
    let order = exec("./Device/Vendor/MSFT/DMClient/Provider/LabMDM/Unenroll");
    let entries = [session(0.0, "1", "user", &order, "Exec", None), vec![farewell(1.0, "2", 200)]].concat();
    let left = of_entries(entries);
    assert!(left.to_string().contains("the server ordered it (Exec on Unenroll in s1)"), "{left:#}");
    let refused = of_entries(session(0.0, "1", "user", &order, "Exec", Some(405)));
    assert_eq!(refused["stopped"]["stage"], "unenrollment", "{refused:#}");
}

const DEVICE_END: &str = "10.0.0.7:50123";
const DISCOVERY: &str = "enterpriseenrollment.example.test";

/// A question for the address of the discovery host, or the answer to it.
fn dns(second: i64, answer: Option<(u8, Option<Ipv4Addr>)>) -> Packet {
    let [device, resolver]: [SocketAddr; 2] = [DEVICE_END, "10.0.0.53:53"].map(|end| end.parse().unwrap());
    let name = DISCOVERY.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat());
    let question = name.chain([0, 0, 1, 0, 1]);
    let (code, address) = answer.unwrap_or_default();
    let flags = if answer.is_some() { [0x81, 0x80 | code] } else { [1, 0] };
    let mut message = [&[0x12, 0x34], &flags[..], &[0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]].concat();
    message.extend(question);
    if let Some(address) = address {
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        message.extend(address.octets());
    }
    let (source, destination) = if answer.is_some() { (resolver, device) } else { (device, resolver) };
    packet(second, build::udp(source, destination, &message))
}

fn packet(second: i64, datagram: Vec<u8>) -> Packet {
    Packet::new(build::START + second * 1_000_000_000, build::ethernet(&datagram))
}

fn of_packets(packets: &[Packet]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("start.pcap");
    std::fs::write(&path, build::pcap(packets)).unwrap();
    story(&[&path.display().to_string()])
}

#[test]
fn a_host_that_is_not_reached_is_where_it_stops() {
    let [device, server]: [SocketAddr; 2] = [DEVICE_END, "10.0.0.9:443"].map(|end| end.parse().unwrap());
    let tcp = |second, flags, turned| {
        let (source, destination) = if turned { (server, device) } else { (device, server) };
        packet(
            second,
            Tcp { seq: 1000, ack: if turned { 1001 } else { 0 }, flags, payload: &[] }.datagram(source, destination),
        )
    };
    let found = [dns(0, None), dns(0, Some((0, Some(Ipv4Addr::new(10, 0, 0, 9)))))];
    let silent = [&found[..], &[tcp(1, SYN, false), tcp(2, SYN, false), tcp(4, SYN, false)]].concat();
    let refused = [&found[..], &[tcp(1, SYN, false), tcp(1, RST | ACK, true)]].concat();
    let cases = [
        (
            vec![dns(0, None), dns(0, Some((3, None)))],
            "DNS has no address for",
            "0x80072EE7",
            "asked 10.0.0.53:53 once",
        ),
        (vec![dns(0, None), dns(0, Some((2, None)))], "DNS failed for", "0x80072EE7", "asked 10.0.0.53:53 once"),
        (vec![dns(0, None), dns(1, None), dns(2, None)], "the DNS server did not answer for", "0x80072EE7", "3 times"),
        (silent, "did not answer the connection", "0x80072EE2", "asked 10.0.0.9:443 3 times"),
        (refused, "refused the connection", "0x80072EFD", "asked 10.0.0.9:443 once"),
    ];
    for (packets, what, code, evidence) in cases {
        let told = of_packets(&packets);
        let stopped = &told["stopped"];
        assert_eq!((stopped["stage"].as_str(), stopped["code"].as_str()), (Some("discovery"), Some(code)), "{told:#}");
        let sentence = stopped["what"].as_str().unwrap();
        assert!(sentence.contains(what) && sentence.contains(DISCOVERY), "{told:#}");
        assert!(stopped["causes"][0].to_string().contains(evidence), "{told:#}");
        assert!(stopped["next"].as_array().is_some_and(|next| !next.is_empty()), "{told:#}");
    }
    // One question at the end of a capture says nothing.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.pcap");
    std::fs::write(&path, build::pcap(&[dns(0, None)])).unwrap();
    assert_eq!(diagnose(&["-q", &path.display().to_string()]).1, 3);
}

#[test]
fn a_bare_code_is_explained_without_a_capture() {
    let (text, code) = diagnose(&["--code", "0x80180014"]);
    assert!(
        code == 0 && text.starts_with("0x80180014: ") && text.contains("Likely") && text.contains("Next"),
        "{text}"
    );
    let (markdown, _) = diagnose(&["--code", "80190197", "--format", "markdown"]);
    assert!(markdown.starts_with("## 0x80190197: ") && markdown.contains("1. a proxy"), "{markdown}");
    let (json, _) = diagnose(&["--code", "DeviceCapReached", "--format", "json"]);
    let page: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((page["schema"].as_str(), page["code"].as_str()), (Some("dmscope/diagnose/1"), Some("0x80180013")));
    assert_eq!(diagnose(&["--code", "hello"]).1, 2);
    assert_eq!(diagnose(&[]).1, 2);
}

#[test]
fn the_page_is_one_page_in_each_form() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/enrollment-refused.pcapng").display().to_string();
    let (text, code) = diagnose(&["-q", &sample]);
    assert!(code == 0 && text.lines().count() < 50 && text.contains("It stopped at certificate"), "{text}");
    let (markdown, _) = diagnose(&["-q", "--format", "markdown", &sample]);
    assert!(markdown.contains("| Stage | Time |") && markdown.contains("**Likely**"), "{markdown}");
    for page in [text, markdown] {
        assert!(!page.contains("Pa55word"), "{page}");
    }
}

#[test]
fn where_nothing_could_be_decrypted_that_is_said() {
    let sealed = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/mutual-tls.pcap");
    for command in ["diagnose", "sessions", "show"] {
        let output = Command::new(env!("CARGO_BIN_EXE_dmscope")).arg(command).arg(&sealed).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("one connection could not be decrypted: `dmscope lint` says why"), "{command}: {told}");
        assert_eq!(output.status.code(), Some(3), "{command}");
    }
}
