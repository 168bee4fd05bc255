//! Nothing secret is printed, and nothing that a terminal obeys, whatever command and format: one marker stands in each secret
//! place of a recording, and control characters in each place that a sender is free to fill.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const SERVER: &str = "https://mdm.example.test/manage";
/// What a terminal obeys or is fooled by: an escape sequence, its one-byte form, a bell, a NUL, an override of direction.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\0\u{202e}\u{2066}\u{feff}";

/// A marker that no other text holds.
fn marker(name: &str) -> String {
    format!("Mark{name}0x5ecret")
}

fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

fn item(uri: &str, data: &str) -> String {
    format!(
        "<Item><Target><LocURI>{uri}</LocURI></Target><Meta><Format xmlns=\"syncml:metinf\">chr</Format></Meta><Data>{data}</Data></Item>"
    )
}

fn message(side: &str, id: u32, cred: &str, body: &str) -> String {
    let (target, source) = if side == "client" { (SERVER, "urn:uuid:1") } else { ("urn:uuid:1", SERVER) };
    format!(
        "<SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID>\
         <MsgID>{id}</MsgID><Target><LocURI>{target}</LocURI></Target><Source><LocURI>{source}</LocURI></Source>{cred}</SyncHdr>\
         <SyncBody>{body}<Final/></SyncBody></SyncML>"
    )
}

/// One exchange of a HAR, its headers besides those that are always there.
fn entry(second: u32, url: &str, media: &str, headers: &[(&str, &str)], request: &str, response: &str) -> Value {
    let fields = |more: &[(&str, &str)]| {
        let all = [&[("Content-Type", media)], more].concat();
        all.iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>()
    };
    json!({
        "startedDateTime": format!("2026-01-02T03:00:{second:02}.000Z"), "time": 20, "connection": "1",
        "request": {"method": "POST", "url": url, "httpVersion": "HTTP/1.1", "headers": fields(headers),
            "bodySize": request.len(), "postData": {"mimeType": media, "text": request}},
        "response": {"status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "headers": fields(&[]),
            "bodySize": response.len(), "content": {"size": response.len(), "mimeType": media, "text": response}},
    })
}

/// A session in which each secret place holds a marker. Returns it with the markers, as they are and coded.
fn session() -> (Vec<Value>, Vec<String>) {
    let mut markers = Vec::new();
    let mut mark = |name: &str| {
        markers.push(marker(name));
        marker(name)
    };
    let basic = base64(&format!("user:{}", mark("Basic")));
    let cred = format!(
        "<Cred><Meta><Format xmlns=\"syncml:metinf\">b64</Format><Type xmlns=\"syncml:metinf\">syncml:auth-basic</Type></Meta>\
         <Data>{basic}</Data></Cred>"
    );
    let nonce = base64(&mark("Nonce"));
    let challenge = format!(
        "<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Chal><Meta><Format xmlns=\"syncml:metinf\">\
         b64</Format><Type xmlns=\"syncml:metinf\">syncml:auth-md5</Type><NextNonce xmlns=\"syncml:metinf\">{nonce}</NextNonce></Meta>\
         </Chal><Data>212</Data></Status>"
    );
    let account = item("./SyncML/DMAcc/lab/AppAuth/1/AAuthSecret", &mark("AuthSecret"));
    let wifi = format!(
        "&lt;WLANProfile&gt;&lt;sharedKey&gt;&lt;keyMaterial&gt;{}&lt;/keyMaterial&gt;&lt;/sharedKey&gt;&lt;/WLANProfile&gt;",
        mark("Wifi")
    );
    let wifi = item("./Vendor/MSFT/WiFi/Profile/Lab/WlanXml", &wifi);
    let pfx = "./Vendor/MSFT/ClientCertificateInstall/PFXCertInstall/1";
    let password = item(&format!("{pfx}/PFXCertPassword"), &mark("PfxPassword"));
    let blob = item(&format!("{pfx}/PFXCertBlob"), &base64(&mark("PfxBlob")));
    let scep = item("./Vendor/MSFT/ClientCertificateInstall/SCEP/1/Install/Challenge", &mark("Scep"));
    let vpn = item("./Vendor/MSFT/VPNv2/Lab/NativeProfile/L2tpPsk", &mark("Vpn"));
    let mail = item("./Vendor/MSFT/EMAIL2/1/AUTHSECRET", &format!("<![CDATA[{}]]>", mark("Mail")));
    let kiosk = item("./Device/Vendor/MSFT/Accounts/Users/kiosk/Password", &mark("Kiosk"));
    let pin = item("./Device/Vendor/MSFT/RemoteLock/NewPINValue", &mark("Pin"));
    let commands: String = [account, wifi, password, blob, scep, vpn, mail, kiosk, pin]
        .iter()
        .enumerate()
        .map(|(number, item)| format!("<Add><CmdID>{}</CmdID>{item}</Add>", number + 2))
        .collect();
    let results = format!(
        "<Alert><CmdID>1</CmdID><Data>1201</Data></Alert><Results><CmdID>2</CmdID><MsgRef>1</MsgRef><CmdRef>9</CmdRef>\
         <Item><Source><LocURI>./SyncML/DMAcc/lab/AppAuth/2/AAuthData</LocURI></Source><Data>{}</Data></Item></Results>",
        mark("Results")
    );
    let request = message("client", 1, &cred, &results);
    let response = message("server", 1, "", &format!("{challenge}{commands}"));
    let bearer = format!("Bearer {}", mark("Bearer"));
    let proxy = format!("Basic {}", base64(&format!("proxy:{}", mark("Proxy"))));
    let cookie = format!("session={}", mark("Cookie"));
    let headers = [("Authorization", &*bearer), ("Proxy-Authorization", &proxy), ("Cookie", &cookie)];
    let url = format!("{SERVER}?mode=Maintenance&token={}", mark("Url"));
    let dm = entry(0, &url, "application/vnd.syncml.dm+xml", &headers, &request, &response);
    let (mac, digest) = (base64(&mark("Mac")), base64(&mark("Digest")));
    let basic_header = format!("Basic {}", base64(&format!("user:{}", mark("BasicHeader"))));
    let hmac = format!("algorithm=MD5, username=\"user\", mac={mac}");
    let headers = [("Authorization", &*basic_header), ("x-syncml-hmac", &hmac)];
    let cred = cred.replace("auth-basic", "auth-md5").replace(&basic, &digest);
    let login = message("client", 2, &cred, "<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>");
    let mut login = entry(1, SERVER, "application/vnd.syncml.dm+xml", &headers, &login, &message("server", 2, "", ""));
    let set = json!({"name": "Set-Cookie", "value": format!("id={}", mark("SetCookie"))});
    login["response"]["headers"].as_array_mut().unwrap().push(set);
    let coded: Vec<String> = markers.iter().map(|marker| base64(marker)).collect();
    markers.extend(coded);
    markers.extend([basic, nonce, mac, digest]);
    (vec![dm, login, binary(&mut markers), enrollment(&mut markers)], markers)
}

/// A message in WBXML with a password.
fn binary(markers: &mut Vec<String>) -> Value {
    let password = item("./Device/Vendor/MSFT/Accounts/Users/other/Password", &marker("Binary"));
    let text = message("server", 3, "", &format!("<Add><CmdID>2</CmdID>{password}</Add>"));
    let doc = dmscope::xml::parse(&text.as_bytes().into(), &dmscope::limits::Limits::default());
    let (bytes, left_out) = dmscope::wbxml::encode::encode(&doc);
    assert!(left_out.is_empty(), "{left_out:?}");
    let request = message("client", 3, "", "");
    let mut entry = entry(2, SERVER, "application/vnd.syncml.dm+wbxml", &[], &request, "");
    let content = &mut entry["response"]["content"];
    content["text"] = json!(STANDARD.encode(&bytes));
    content["encoding"] = json!("base64");
    content["size"] = json!(bytes.len());
    entry["response"]["bodySize"] = json!(bytes.len());
    markers.push(marker("Binary"));
    entry
}

/// A request for a certificate with a password, and the provisioning document in the answer with a secret.
fn enrollment(markers: &mut Vec<String>) -> Value {
    let (password, token, secret) = (marker("SoapPassword"), base64(&marker("SoapToken")), marker("AppAuth"));
    let wap = format!(
        "<wap-provisioningdoc version=\"1.1\"><characteristic type=\"APPLICATION\"><parm name=\"APPID\" value=\"w7\"/>\
         <parm name=\"PROVIDER-ID\" value=\"Lab\"/><characteristic type=\"APPAUTH\"><parm name=\"AAUTHLEVEL\" value=\"CLIENT\"/>\
         <parm name=\"AAUTHTYPE\" value=\"DIGEST\"/><parm name=\"AAUTHSECRET\" value=\"{secret}\"/><parm name=\"AAUTHDATA\" \
         value=\"{secret}\"/></characteristic></characteristic></wap-provisioningdoc>"
    );
    let envelope = |header: &str, body: &str| {
        format!(
            "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"http://www.w3.org/2005/08/addressing\">\
             <s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )
    };
    let wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    let request = envelope(
        &format!(
            "<a:Action>http://schemas.microsoft.com/windows/pki/2009/01/enrollment/RST/wstep</a:Action><wsse:Security \
             xmlns:wsse=\"{wsse}\"><wsse:UsernameToken><wsse:Username>user@example.test</wsse:Username><wsse:Password>{password}\
             </wsse:Password></wsse:UsernameToken><wsse:BinarySecurityToken ValueType=\"urn:ietf:params:oauth:token-type:jwt\">{token}\
             </wsse:BinarySecurityToken></wsse:Security>"
        ),
        "<RequestSecurityToken xmlns=\"http://docs.oasis-open.org/ws-sx/ws-trust/200512\"/>",
    );
    let response = envelope(
        "<a:Action>http://schemas.microsoft.com/windows/pki/2009/01/enrollment/RSTRC/wstep</a:Action>",
        &format!(
            "<RequestSecurityTokenResponseCollection xmlns=\"http://docs.oasis-open.org/ws-sx/ws-trust/200512\">\
             <RequestSecurityTokenResponse><RequestedSecurityToken><BinarySecurityToken xmlns=\"{wsse}\" ValueType=\"http://schemas.\
             microsoft.com/5.0.0.0/ConfigurationManager/Enrollment/DeviceEnrollmentProvisionDoc\">{}</BinarySecurityToken>\
             </RequestedSecurityToken></RequestSecurityTokenResponse></RequestSecurityTokenResponseCollection>",
            base64(&wap)
        ),
    );
    markers.extend([password, token, marker("SoapToken"), secret, base64(&wap)]);
    let url = "https://mdm.example.test/EnrollmentServer/Enrollment.svc";
    entry(30, url, "application/soap+xml; charset=utf-8", &[("User-Agent", "ENROLLClient")], &request, &response)
}

fn har(folder: &Path, name: &str, entries: Vec<Value>) -> PathBuf {
    let path = folder.join(name);
    let log = json!({"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": entries}});
    std::fs::write(&path, log.to_string()).unwrap();
    path
}

/// All that the program says of a recording, by command: standard output, standard error, and files that it writes.
fn said(path: &Path, folder: &Path, options: &[&str]) -> Vec<(String, String)> {
    let file = path.display().to_string();
    let formats = ["text", "concise", "json", "jsonl", "sarif", "junit", "github", "gitlab", "markdown"];
    let mut calls: Vec<Vec<String>> = Vec::new();
    let mut call = |words: &[&str]| calls.push(words.iter().map(|word| (*word).to_owned()).collect());
    for format in formats {
        call(&["lint", "--stats", "-v", "--profile", "windows", "--format", format, &file]);
        call(&["lint", "--profile", "oma", "--format", format, &file]);
    }
    for form in ["xml", "tree", "hex", "http", "tls"] {
        call(&["show", "--as", form, &file]);
    }
    for format in ["text", "json", "markdown"] {
        call(&["diagnose", "--format", format, &file]);
    }
    call(&["sessions", &file]);
    call(&["sessions", "--format", "json", &file]);
    call(&["view", &file]);
    for format in ["text", "json"] {
        call(&["diff", "--format", format, &file, &file]);
    }
    let baseline = folder.join("baseline.toml").display().to_string();
    call(&["lint", "--update-baseline", "--baseline", &baseline, &file]);
    for to in ["har", "jsonl"] {
        call(&["export", "--to", to, &file]);
    }
    let out = folder.join("exported");
    call(&["export", "--to", "xml", "--out", &out.display().to_string(), &file]);
    let run = |words: &Vec<String>| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_dmscope"));
        let output = program.args(words).args(options).env("RUST_BACKTRACE", "1").output().unwrap();
        assert!(matches!(output.status.code(), Some(0..=3)), "{words:?}: {output:?}");
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        // A report of one line for each finding is empty without any.
        let may_be_empty = words.iter().any(|word| word == "concise" || word == "github");
        assert!(may_be_empty || !text.is_empty(), "{words:?}");
        (words.join(" "), text)
    };
    let mut said: Vec<(String, String)> = calls.iter().map(run).collect();
    said.extend(files(&out).into_iter().chain(Some(folder.join("baseline.toml")).filter(|path| path.exists())).map(
        |path| (path.display().to_string(), String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned()),
    ));
    said
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Where one of the markers is said.
fn leaks(said: &[(String, String)], markers: &[String]) -> Vec<String> {
    let mut leaks = Vec::new();
    for (call, text) in said {
        // What stands in lines of hexadecimal is read there.
        let letters: String =
            text.lines().filter_map(|line| line.rsplit_once("  ")).map(|(_, letters)| letters).collect();
        let bytes: String = text.split_whitespace().collect();
        for marker in markers {
            if [text, &letters, &bytes].iter().any(|text| text.contains(marker.as_str())) {
                leaks.push(format!("{call}: {marker}"));
            }
        }
    }
    leaks
}

#[test]
fn no_secret_is_in_any_output() {
    let folder = tempfile::tempdir().unwrap();
    let (entries, markers) = session();
    let path = har(folder.path(), "secrets.har", entries);
    let leaks = leaks(&said(&path, folder.path(), &[]), &markers);
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    // The test can fail: what was asked for is shown.
    let shown =
        Command::new(env!("CARGO_BIN_EXE_dmscope")).args(["show", "--show-secrets"]).arg(&path).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    for name in [
        "AuthSecret",
        "Wifi",
        "PfxPassword",
        "Scep",
        "Vpn",
        "Mail",
        "Kiosk",
        "Pin",
        "Results",
        "Binary",
        "SoapPassword",
    ] {
        assert!(shown.contains(&marker(name)), "{name}: {shown}");
    }
}

/// The secrets of a key log, in hexadecimal.
fn keys(log: &str) -> Vec<String> {
    let lines = log.lines().filter(|line| line.starts_with("CLIENT_"));
    lines.filter_map(|line| line.rsplit_once(' ')).map(|(_, secret)| secret.trim().to_owned()).collect()
}

#[test]
fn no_key_is_in_any_output() {
    let folder = tempfile::tempdir().unwrap();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    // A key log beside the capture, and one in it.
    let log = samples.join("mutual-tls.keylog");
    let inside = std::fs::read(samples.join("enrollment-refused.pcapng")).unwrap();
    let inside = String::from_utf8_lossy(&inside).replace("CLIENT_", "\nCLIENT_");
    for (name, log_text, options) in [
        ("mutual-tls.pcap", std::fs::read_to_string(&log).unwrap(), vec!["--keylog", log.to_str().unwrap()]),
        ("enrollment-refused.pcapng", inside, vec![]),
    ] {
        let keys = keys(&log_text);
        assert!(!keys.is_empty() && keys.iter().all(|key| key.len() >= 64), "{name}: {keys:?}");
        let place = folder.path().join(name);
        std::fs::create_dir(&place).unwrap();
        let said = said(&samples.join(name), &place, &options);
        assert!(said.iter().any(|(_, text)| text.contains("TLS 1.2")), "{name} was decrypted");
        let leaks = leaks(&said, &keys);
        assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    }
}

#[test]
fn nothing_that_a_terminal_obeys_is_in_any_output() {
    let folder = tempfile::tempdir().unwrap();
    let evil: String = HOSTILE.chars().filter(|letter| *letter != '\u{1b}' && *letter != '\u{7}').collect();
    let request = message("client", 1, "", &format!("<Alert><CmdID>{HOSTILE}</CmdID><Data>{HOSTILE}</Data></Alert>"))
        .replace("urn:uuid:1", &format!("urn:{HOSTILE}"));
    let response = message("server", 1, "", &format!("<Get><CmdID>9</CmdID>{}</Get>", item(HOSTILE, HOSTILE)));
    let url = format!("{SERVER}?{HOSTILE}");
    let media = "application/vnd.syncml.dm+xml";
    let mut entry = entry(0, &url, media, &[("User-Agent", HOSTILE), ("X-Evil", HOSTILE)], &request, &response);
    entry["response"]["statusText"] = json!(HOSTILE);
    entry["comment"] = json!(HOSTILE);
    let path = har(folder.path(), "hostile.har", vec![entry]);
    let mut obeyed = Vec::new();
    let said = said(&path, folder.path(), &[]);
    assert!(said.iter().filter(|(_, text)| text.contains("owned")).count() > 10, "it came through, spelled out");
    for (call, text) in said {
        // An export is for programs, and holds what was sent; JSON escapes it, and XML is the message itself.
        if call.starts_with("export") || call.ends_with(".xml") {
            continue;
        }
        let bad = |letter: char| {
            (letter.is_control() && !matches!(letter, '\n' | '\t')) || evil.contains(letter) && !letter.is_ascii()
        };
        if let Some(letter) = text.chars().find(|letter| bad(*letter)) {
            obeyed.push(format!("{call}: {letter:?}"));
        }
    }
    assert!(obeyed.is_empty(), "{}", obeyed.join("\n"));
}
