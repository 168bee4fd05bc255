//! Findings that are known and not told: entries of the configuration, and comments in the recording.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "place/mod.rs"]
#[allow(dead_code, reason = "each test uses some of it")]
mod place;

use std::path::Path;

use place::{Place, ROOT};
use serde_json::Value;

/// A place with the session of `tests/cmd/lint.in`, which has five findings, one of them an error.
fn session(config: &str) -> Place {
    let place = Place::with(config);
    for name in ["1.xml", "2.xml", "3.xml", "4.xml"] {
        let text = std::fs::read_to_string(Path::new(ROOT).join("tests/cmd/lint.in/session").join(name)).unwrap();
        place.write(&format!("session/{name}"), &text);
    }
    place
}

/// The rules of the findings that are told.
fn told(place: &Place, input: &str, more: &[&str]) -> Vec<String> {
    let (_, out, _) = place.run(&[&["lint", "-q", "--format", "concise", input], more].concat());
    out.lines().map(|line| line.split(' ').find(|word| word.starts_with("DM-")).unwrap().to_owned()).collect()
}

fn json(place: &Place, input: &str, more: &[&str]) -> Value {
    serde_json::from_str(&place.run(&[&["lint", "--format", "json", input], more].concat()).1).unwrap()
}

const ALL: [&str; 5] = ["DM-ALR-020", "DM-SEC-008", "DM-URI-023", "DM-STA-021", "DM-MSG-014"];

#[test]
fn entries_hide_findings_where_all_they_say_holds() {
    let left = |entry: &str| {
        let place = session(&format!("[[ignore]]\n{entry}\nreason = \"the lab\"\n"));
        let left = told(&place, "session", &[]);
        ALL.into_iter().filter(|rule| !left.iter().any(|told| told == rule)).collect::<Vec<_>>()
    };
    let hidden = [
        ("rule = \"DM-MSG-014\"", &["DM-MSG-014"][..]),
        ("rule = \"cmdref-unknown\"", &["DM-MSG-014"]),
        ("rule = [\"DM-MSG\", \"DM-URI\"]", &["DM-URI-023", "DM-MSG-014"]),
        ("rule = \"DM-STA-021\"\nlocuri = \"./Vendor/MSFT/*\"", &["DM-STA-021"]),
        ("rule = \"DM-SEC\"\nlocuri = \"./Device/vendor/**\"", &["DM-SEC-008"]),
        ("rule = \"DM-STA\"\nlocuri = \"./Device/Vendor/MSFT/Other\"", &[]),
        ("rule = \"DM-MSG\"\nlocuri = \"**\"", &[]),
        ("rule = [\"DM-URI-023\", \"DM-STA-021\"]\ncommand = \"Status\"", &["DM-STA-021"]),
        ("rule = [\"DM-URI-023\", \"DM-STA-021\"]\ncommand = [\"Status\", \"Replace\"]", &["DM-URI-023", "DM-STA-021"]),
        ("rule = \"DM-MSG\"\nserver = \"*.example.com\"", &["DM-MSG-014"]),
        ("rule = \"DM-MSG\"\nserver = \"*.example.org\"", &[]),
        ("rule = \"DM-MSG\"\ndevice = \"urn:uuid:0b5f*\"", &["DM-MSG-014"]),
        ("rule = \"DM-MSG\"\npath = \"session/*.xml\"", &["DM-MSG-014"]),
        ("rule = \"DM-MSG\"\npath = \"captures/**\"", &[]),
        ("rule = \"DM-MSG\"\nuntil = 2099-12-31", &["DM-MSG-014"]),
        ("rule = \"DM-MSG\"\nuntil = \"2020-01-01\"", &[]),
    ];
    for (entry, rules) in hidden {
        assert_eq!(left(entry), rules, "{entry}");
    }
}

#[test]
fn what_is_hidden_is_counted_and_does_not_fail() {
    let place = session("[[ignore]]\nrule = \"DM-MSG-014\"\nreason = \"the lab's client\"\n");
    let (exit, out, error) = place.run(&["lint", "session"]);
    assert_eq!((exit, error.as_str()), (0, ""));
    assert!(out.ends_with("\nFound 1 warning, 3 infos (1 suppressed) in 4 inputs: 1 session, 4 messages\n"), "{out}");
    let (exit, out, _) = place.run(&["lint", "--no-ignores", "session"]);
    assert!(exit == 1 && out.contains("error[DM-MSG-014]") && !out.contains("suppressed"), "{out}");
    let (_, out, _) = place.run(&["lint", "--select", "DM-MSG", "session"]);
    assert_eq!(out, "No findings (1 suppressed) in 4 inputs: 1 session, 4 messages\n");
    let (_, out, _) = place.run(&["lint", "--select", "DM-MSG", "--format", "markdown", "session"]);
    assert!(out.contains("**No findings** (1 suppressed) in 1 session"), "{out}");
}

#[test]
fn json_and_sarif_say_what_was_hidden_and_why() {
    let place = session("[[ignore]]\nrule = \"DM-MSG-014\"\nreason = \"the lab's client\"\nuntil = 2099-01-01\n");
    let report = json(&place, "session", &[]);
    assert_eq!(
        (&report["summary"]["suppressed"], report["summary"]["findings"]["error"].as_u64()),
        (&1.into(), Some(0))
    );
    let suppressed = &report["suppressed"][0];
    assert_eq!(suppressed["rule"], "DM-MSG-014");
    assert_eq!(suppressed["location"]["input"], "session/3.xml");
    assert_eq!(
        suppressed["suppression"],
        serde_json::json!({ "kind": "config", "reason": "the lab's client", "place": "dmscope.toml:1" })
    );
    assert_eq!(
        report["suppressions"],
        serde_json::json!([{ "kind": "config", "state": "used", "rule": "DM-MSG-014", "place": "dmscope.toml:1",
            "reason": "the lab's client", "until": "2099-01-01", "count": 1 }])
    );
    assert_eq!(report["sessions"][0]["worst"], "warning");
    let (_, lines, _) = place.run(&["lint", "--format", "jsonl", "session"]);
    assert!(lines.contains("{\"type\":\"suppressed\",") && lines.contains("{\"type\":\"suppression\","), "{lines}");
    let (_, sarif, _) = place.run(&["lint", "--format", "sarif", "session"]);
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 5);
    let of = |rule: &str| results.iter().find(|result| result["ruleId"] == rule).unwrap()["suppressions"].clone();
    assert_eq!(
        of("DM-MSG-014"),
        serde_json::json!([{ "kind": "external", "status": "accepted", "justification": "the lab's client" }])
    );
    assert_eq!(of("DM-SEC-008"), serde_json::json!([]));
    let (_, sarif, _) = place.run(&["lint", "--no-ignores", "--format", "sarif", "session"]);
    assert!(!sarif.contains("\"suppressions\""), "{sarif}");
}

#[test]
fn entries_that_hide_nothing_are_told_and_do_not_fail() {
    let place = session(
        "[[ignore]]\nrule = \"DM-MSG-003\"\nreason = \"a\"\n\
         [[ignore]]\nrule = \"DM-MSG-003\"\nserver = \"other.test\"\nreason = \"b\"\n\
         [[ignore]]\nrule = \"DM-MSG-014\"\nuntil = 2026-01-31\nreason = \"c\"\n\
         [[ignore]]\nrule = \"DM-MSG-014\"\nreason = \"d\"\n",
    );
    let (exit, _, error) = place.run(&["lint", "session"]);
    let wanted = "warning: dmscope.toml:1: this ignore of DM-MSG-003 hides nothing\n\
                  warning: dmscope.toml:8: this ignore of DM-MSG-014 has expired on 2026-01-31\n";
    assert_eq!((exit, error.as_str()), (0, wanted));
    assert_eq!(place.run(&["lint", "-q", "session"]).2, "");
    assert_eq!(place.run(&["lint", "--no-ignores", "session"]).2, "");
    // A rule that does not run could not have said anything.
    assert!(!place.run(&["lint", "--ignore", "DM-MSG-003", "session"]).2.contains("hides nothing"));
    let report = json(&place, "session", &[]);
    let states = report["suppressions"].as_array().unwrap().iter().map(|entry| entry["state"].as_str().unwrap());
    assert_eq!(states.collect::<Vec<_>>(), ["unused", "not judged", "expired", "used"]);
    let (_, sarif, _) = place.run(&["lint", "--format", "sarif", "session"]);
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let told = &sarif["runs"][0]["invocations"][0]["toolConfigurationNotifications"];
    assert_eq!(told.as_array().unwrap().len(), 2);
    assert_eq!(told[0]["message"]["text"], "dmscope.toml:1: this ignore of DM-MSG-003 hides nothing");
}

#[test]
fn the_day_can_be_set() {
    let place = session("[[ignore]]\nrule = \"DM-MSG-014\"\nreason = \"a\"\nuntil = 2026-01-31\n");
    let exit = |seconds: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dmscope"));
        command.args(["lint", "-q", "session"]).current_dir(place.path("")).env("SOURCE_DATE_EPOCH", seconds);
        command.output().unwrap().status.code()
    };
    // 2026-01-31 23:59:59 and the second after it.
    assert_eq!((exit("1769903999"), exit("1769904000")), (Some(0), Some(1)));
}

#[test]
fn what_is_wrong_with_an_entry_is_told() {
    let entry = |text: &str| Place::with(&format!("[[ignore]]\n{text}\n")).error();
    assert_eq!(entry("rule = \"DM-MSG\""), "error: dmscope.toml:1:1: reason is missing");
    assert_eq!(entry("reason = \"a\""), "error: dmscope.toml:1:1: rule is missing");
    assert_eq!(entry("rule = \"DM-MSG\"\nreason = \"\""), "error: dmscope.toml:3:10: reason: the string is empty");
    assert!(entry("rule = \"DM-MGS-003\"\nreason = \"a\"").ends_with("did you mean \"DM-MSG-003\"?"));
    assert_eq!(
        entry("rule = \"DM-MSG\"\nreason = \"a\"\nuntil = 2026-01-31T10:00:00"),
        "error: dmscope.toml:4:9: until is no day; expected a day such as 2026-12-31"
    );
    assert!(entry("rule = \"DM-MSG\"\nreason = \"a\"\ncommand = \"Git\"").contains("\"Git\" is none of Add, Alert"));
    assert_eq!(
        entry("rule = \"DM-MSG\"\nreason = \"a\"\nloc-uri = \"x\""),
        "error: dmscope.toml:4:1: unknown key \"loc-uri\"; did you mean \"locuri\"?"
    );
}

#[test]
fn rules_and_entries_stand_in_one_list() {
    let place = session("ignore = [\"DM-ALR\", { rule = \"DM-MSG-014\", reason = \"x\" }]\n");
    assert_eq!(told(&place, "session", &[]), ["DM-SEC-008", "DM-URI-023", "DM-STA-021"]);
    let (_, shown, _) = place.run(&["lint", "--show-config"]);
    let line = "ignore = [\"DM-ALR\", { rule = [\"DM-MSG-014\"], reason = \"x\" }]  # dmscope.toml:1\n";
    assert!(shown.contains(line), "{shown}");
    let place =
        session("[[ignore]]\nrule = \"DM-MSG\"\nlocuri = [\"./a\", \"b\"]\nreason = \"x\"\nuntil = 2099-01-01\n");
    let (_, shown, _) = place.run(&["lint", "--show-config"]);
    let wanted = "\n[[ignore]]  # dmscope.toml:1\nrule = [\"DM-MSG\"]\nlocuri = [\"./a\", \"b\"]\nreason = \"x\"\nuntil = 2099-01-01\n";
    assert!(shown.ends_with(wanted), "{shown}");
}

/// The session with a comment in place of the text `at` of a file, and that text behind it.
fn with_comment(name: &str, at: &str, comment: &str) -> Place {
    let place = session("");
    let path = format!("session/{name}");
    let text = std::fs::read_to_string(place.path(&path)).unwrap();
    assert!(text.contains(at));
    place.write(&path, &text.replacen(at, &format!("<!-- {comment} -->{at}"), 1));
    place
}

#[test]
fn a_comment_in_a_message_holds_for_its_command_or_the_message() {
    let left = |name: &str, at: &str, comment: &str| {
        let left = told(&with_comment(name, at, comment), "session", &[]);
        ALL.into_iter().filter(|rule| !left.iter().any(|told| told == rule)).collect::<Vec<_>>()
    };
    let wrong = "<CmdRef>9</CmdRef>";
    assert_eq!(left("3.xml", wrong, "dmscope: ignore DM-MSG-014 known"), ["DM-MSG-014"]);
    assert_eq!(left("3.xml", wrong, "dmscope: ignore DM-MSG-014,DM-STA-021 known"), ["DM-MSG-014"]);
    assert_eq!(left("3.xml", "<SyncBody>", "dmscope: ignore DM-MSG,DM-STA known"), ["DM-STA-021", "DM-MSG-014"]);
    assert_eq!(
        left("3.xml", "<SyncBody>", "\n  dmscope: ignore DM-MSG known\n  dmscope: ignore DM-STA known\n"),
        ["DM-STA-021", "DM-MSG-014"]
    );
    assert_eq!(left("3.xml", "<CmdRef>4</CmdRef>", "dmscope: ignore DM-MSG-014 known"), [""; 0]);
    assert_eq!(left("2.xml", "<SyncBody>", "dmscope: ignore DM-MSG-014 known"), [""; 0]);
    assert_eq!(left("3.xml", wrong, "dmscope: ignore DM-MSG-014"), [""; 0]);
    assert_eq!(left("3.xml", wrong, "DM-MSG-014"), [""; 0]);
}

#[test]
fn what_is_no_comment_hides_nothing() {
    let place = session("");
    let text = std::fs::read_to_string(place.path("session/3.xml")).unwrap();
    for fake in [
        "<![CDATA[<!-- dmscope: ignore DM-MSG a -->]]>",
        "&lt;!-- dmscope: ignore DM-MSG a --&gt;",
        "dmscope: ignore DM-MSG a",
    ] {
        place.write("session/3.xml", &text.replace("10.0.26100", fake));
        assert!(told(&place, "session", &[]).contains(&"DM-MSG-014".to_owned()), "{fake}");
    }
}

#[test]
fn comments_that_hide_nothing_or_are_wrong_are_told() {
    let error = |comment: &str| with_comment("3.xml", "<SyncBody>", comment).run(&["lint", "session"]).2;
    assert_eq!(
        error("dmscope: ignore DM-MSG-003 known"),
        "warning: session/3.xml:1:1: this ignore of DM-MSG-003 hides nothing\n"
    );
    let wrong = error("dmscope: ignore DM-MSG-014");
    assert!(wrong.contains("`ignore DM-MSG-014` has no reason; expected `dmscope: ignore RULE reason`"), "{wrong}");
    assert!(error("dmscope: ignroe DM-MSG-014 x").contains("expected `dmscope: ignore RULE reason`"));
    assert!(error("dmscope: ignore DM-MGS-014 x").contains("did you mean \"DM-MSG-014\"?"));
    assert_eq!(error("dmscope: ignore DM-MSG-014 known"), "");
    let place = with_comment("3.xml", "<SyncBody>", "dmscope: ignore DM-MSG-014 known by \u{202e}all");
    let report = json(&place, "session", &[]);
    assert_eq!(report["suppressed"][0]["suppression"]["kind"], "comment");
    let reason = report["suppressed"][0]["suppression"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("known by ") && !reason.contains('\u{202e}'), "{reason}");
    assert_eq!(report["suppressions"][0]["location"]["input"], "session/3.xml");
    assert!(json(&place, "session", &["--no-ignores"])["suppressed"].is_null());
    let sarif: Value = serde_json::from_str(&place.run(&["lint", "--format", "sarif", "session"]).1).unwrap();
    let of_comments = sarif["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|result| result["suppressions"][0]["kind"] == "inSource");
    assert_eq!(of_comments.count(), 1);
}

#[test]
fn the_comment_of_an_entry_holds_for_its_messages() {
    let place = Place::new();
    let har = std::fs::read_to_string(Path::new(ROOT).join("samples/proxy.har")).unwrap();
    let mut har: Value = serde_json::from_str(&har).unwrap();
    let mut with = |entry: usize, comment: &str| {
        har["log"]["entries"][entry]["comment"] = comment.into();
        place.write("a.har", &har.to_string());
        told(&place, "a.har", &[])
    };
    assert_eq!(with(1, "dmscope: ignore DM-MSG-003 known"), ["DM-MSG-003"]);
    assert_eq!(with(2, "seen in the lab\ndmscope: ignore DM-MSG-003 known"), [""; 0]);
    let (_, _, error) = place.run(&["lint", "a.har"]);
    assert_eq!(error.lines().count(), 1);
    assert!(error.starts_with("warning: a.har entry 2: this ignore of DM-MSG-003 hides nothing"), "{error}");
}

/// The sample as pcapng, with comments on some of its packets.
fn pcapng(comments: &[(usize, &str)]) -> Vec<u8> {
    let bytes = std::fs::read(Path::new(ROOT).join(place::SAMPLE)).unwrap();
    let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let block = |kind: u32, body: Vec<u8>| {
        let length = (body.len() as u32 + 12).to_le_bytes();
        [&kind.to_le_bytes()[..], &length, &body, &length].concat()
    };
    let padded = |bytes: &[u8]| [bytes, &vec![0; bytes.len().next_multiple_of(4) - bytes.len()]].concat();
    let mut out = block(0x0a0d_0d0a, [&0x1a2b_3c4du32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
    out.extend(block(1, [&(u32_at(20) as u16).to_le_bytes()[..], &[0; 6]].concat()));
    let (mut at, mut number) = (24, 0);
    while at < bytes.len() {
        number += 1;
        let length = u32_at(at + 8) as usize;
        let micros = u64::from(u32_at(at)) * 1_000_000 + u64::from(u32_at(at + 4));
        let packet = &bytes[at + 16..at + 16 + length];
        let mut body =
            [0u32, (micros >> 32) as u32, micros as u32, length as u32, u32_at(at + 12)].map(u32::to_le_bytes).concat();
        body.extend(padded(packet));
        for (_, comment) in comments.iter().filter(|(on, _)| *on == number) {
            body.extend(
                [&[1, 0][..], &(comment.len() as u16).to_le_bytes(), &padded(comment.as_bytes()), &[0; 4]].concat(),
            );
        }
        out.extend(block(6, body));
        at += 16 + length;
    }
    out
}

#[test]
fn the_comment_of_a_packet_holds_for_its_message() {
    let place = Place::new();
    let with = |comments: &[(usize, &str)]| {
        std::fs::write(place.path("a.pcapng"), pcapng(comments)).unwrap();
        told(&place, "a.pcapng", &[])
    };
    assert_eq!(with(&[]), ["DM-MSG-003"]);
    assert_eq!(with(&[(24, "dmscope: ignore msgid-gap the server's counter")]), [""; 0]);
    assert_eq!(
        place.run(&["lint", "--jobs", "3", "a.pcapng"]).1.lines().last(),
        Some("No findings (1 suppressed) in a.pcapng (28 packets): 1 session, 6 messages")
    );
    assert_eq!(with(&[(24, "look here")]), ["DM-MSG-003"]);
    assert_eq!(with(&[(17, "dmscope: ignore msgid-gap the server's counter")]), ["DM-MSG-003"]);
    let error = place.run(&["lint", "a.pcapng"]).2;
    assert!(error.starts_with("warning: a.pcapng frame 17: this ignore of msgid-gap hides nothing"), "{error}");
    std::fs::write(place.path("a.pcapng"), pcapng(&[(24, "dmscope: ignore msgid-gap known")])).unwrap();
    let piped = std::process::Command::new(env!("CARGO_BIN_EXE_dmscope"))
        .args(["lint", "-"])
        .stdin(std::fs::File::open(place.path("a.pcapng")).unwrap())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&piped.stdout).starts_with("No findings (1 suppressed)"));
}

#[test]
fn the_other_commands_do_not_tell_what_is_known() {
    let place = session("");
    let worst = |more: &[&str]| {
        let (_, out, _) = place.run(&[&["sessions", "--format", "json", "session"], more].concat());
        serde_json::from_str::<Value>(&out).unwrap()["sessions"][0]["worst"].clone()
    };
    let view = |more: &[&str]| place.run(&[&["view", "session"], more].concat()).1;
    assert_eq!(worst(&[]), "error");
    assert!(view(&[]).contains("E DM-MSG-014"), "{}", view(&[]));
    place.write("dmscope.toml", "[[ignore]]\nrule = \"DM-MSG-014\"\nreason = \"the lab's client\"\n");
    assert_eq!((worst(&[]), worst(&["--no-ignores"])), ("warning".into(), "error".into()));
    assert!(view(&[]).contains("\nFindings (1 suppressed)\n") && !view(&[]).contains("DM-MSG-014"), "{}", view(&[]));
    assert!(view(&["--no-ignores"]).contains("E DM-MSG-014"));
    // A filter sees what is told.
    let listed =
        |more: &[&str]| place.run(&[&["sessions", "session", "--filter", "severity = error"], more].concat()).0;
    assert_eq!((listed(&[]), listed(&["--no-ignores"])), (3, 0));
    // The baseline of the file counts, too; one that is still to be made knows nothing.
    place.write("dmscope.toml", "baseline = \"baseline.toml\"\n");
    assert_eq!(worst(&[]), "error");
    assert_eq!(place.run(&["lint", "-q", "--update-baseline", "session"]).0, 0);
    assert_eq!((worst(&[]), worst(&["--no-ignores"])), (Value::Null, "error".into()));
    assert!(view(&[]).contains("No findings (5 suppressed)"), "{}", view(&[]));
}

#[test]
fn a_difference_is_what_is_told() {
    let place = Place::new();
    std::fs::copy(Path::new(ROOT).join("samples/clean.pcap"), place.path("clean.pcap")).unwrap();
    let diff = |more: &[&str]| place.run(&[&["diff", "-q", "clean.pcap", "a.pcap"], more].concat());
    assert!(diff(&[]).0 == 1 && diff(&[]).1.contains("findings: DM-MSG-003"), "{:?}", diff(&[]));
    place.write("dmscope.toml", "[[ignore]]\nrule = \"DM-MSG-003\"\nreason = \"known\"\n");
    assert_eq!(diff(&[]), (0, String::new(), String::new()));
    assert_eq!(diff(&["--no-ignores"]).0, 1);
}
