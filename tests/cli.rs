//! What the program prints and how it exits: the command lines under `tests/cmd`, and reports on the samples.
//!
//! `TRYCMD=overwrite cargo test --test cli` and `INSTA_UPDATE=always cargo test --test cli` write what is printed now;
//! read it before it is committed.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::ops::RangeInclusive;
use std::process::{Command, Output};

fn dmscope(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmscope"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("NO_COLOR")
        .output()
        .expect("the program runs")
}

fn stdout(arguments: &[&str]) -> String {
    String::from_utf8(dmscope(arguments).stdout).expect("UTF-8")
}

#[test]
fn command_lines() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd").case("README.md").case("docs/*.md");
}

#[test]
fn text_report() {
    insta::assert_snapshot!(stdout(&["lint", "samples/msgid-skipped.pcap"]));
}

#[test]
fn json_report() {
    insta::assert_snapshot!(stdout(&["lint", "--select", "DM-MSG", "--format", "json", "samples/msgid-skipped.pcap"]));
}

#[test]
fn concise_report() {
    insta::assert_snapshot!(stdout(&[
        "lint",
        "--format",
        "concise",
        "samples/alert-unanswered.pcap",
        "samples/proxy.har"
    ]));
}

#[test]
fn reports_for_other_programs() {
    let samples = ["samples/alert-unanswered.pcap", "samples/proxy.har", "samples/clean.pcap"];
    for format in ["junit", "github", "gitlab", "markdown"] {
        insta::assert_snapshot!(
            format!("{format}_report"),
            stdout(&[&["lint", "--format", format][..], &samples].concat())
        );
    }
}

#[test]
fn sarif_report() {
    let text = stdout(&["lint", "--format", "sarif", "samples/alert-unanswered.pcap", "samples/proxy.har"]);
    let mut log: serde_json::Value = serde_json::from_str(&text).unwrap();
    // Pages and versions change without the report's shape.
    let driver = &mut log["runs"][0]["tool"]["driver"];
    assert_eq!(driver["semanticVersion"].take(), env!("CARGO_PKG_VERSION"));
    for rule in driver["rules"].as_array_mut().unwrap() {
        assert!(rule["help"]["markdown"].take().as_str().unwrap().contains("## Bad"));
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&log).unwrap());
}

#[test]
fn a_fault_has_one_fingerprint_in_every_recording() {
    let fingerprint = |file: &str| {
        let report: serde_json::Value = serde_json::from_str(&stdout(&["lint", "--format", "json", file])).unwrap();
        let findings = report["findings"].as_array().unwrap().clone();
        findings.into_iter().find(|finding| finding["rule"] == "DM-MSG-003").unwrap()["fingerprint"].clone()
    };
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("other.har");
    let har = std::fs::read_to_string("samples/proxy.har").unwrap();
    let other = har.replace("<SessionID>1</SessionID>", "<SessionID>2A</SessionID>").replace("2026-", "2027-");
    assert_ne!(har, other);
    std::fs::write(&copy, other).unwrap();
    assert_eq!(fingerprint("samples/proxy.har"), fingerprint(copy.to_str().unwrap()));
}

/// The content of the first fenced block of that language on a page.
fn block<'a>(page: &'a str, language: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("```{language}\n")).expect("a block");
    rest.split_once("```").expect("its end").0
}

#[test]
fn the_page_on_credentials_holds() {
    let page = std::fs::read_to_string("docs/credentials.md").unwrap();
    assert_eq!(block(&page, "toml"), std::fs::read_to_string("samples/credentials.toml").unwrap());
    let right = ["lint", "--credentials", "samples/credentials.toml", "--fail-on", "info", "samples/md5-sessions.pcap"];
    assert_eq!(dmscope(&right).status.code(), Some(0));
}

/// A sample without some of its packets, counted from 1.
fn without(sample: &str, lost: RangeInclusive<usize>) -> Vec<u8> {
    let bytes = std::fs::read(sample).unwrap();
    let (head, mut rest) = bytes.split_at(24);
    let mut out = head.to_vec();
    for number in 1.. {
        let Some(length) = rest.get(8..12) else { break };
        let size = 16 + u32::from_le_bytes(length.try_into().unwrap()) as usize;
        let (record, after) = rest.split_at(size);
        out.extend(if lost.contains(&number) { &[] } else { record });
        rest = after;
    }
    out
}

/// The second session of the sample goes on with a nonce of the first; what the first begins with is of its challenge.
#[test]
fn a_digest_whose_nonce_is_not_certain_is_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lost.pcap");
    let fixed = ["lint", "--credentials", "samples/credentials.toml", "--format", "json", "--select", "DM-AUT-012"];
    for (lost, why) in [
        (0..=0, None),
        (10..=10, Some("given in a message that was not captured")),
        (1..=10, Some("given before the part of the session that was captured")),
        (1..=36, Some("fits no nonce that is known")),
    ] {
        std::fs::write(&path, without("samples/md5-sessions.pcap", lost.clone())).unwrap();
        let report: serde_json::Value =
            serde_json::from_str(&stdout(&[&fixed[..], &[path.to_str().unwrap()]].concat())).unwrap();
        assert_eq!(report["findings"], serde_json::json!([]));
        let holes = report["not_judged_by"].as_array();
        let said: Vec<&str> = holes.into_iter().flatten().filter_map(|hole| hole["reason"].as_str()).collect();
        let fits = why.map_or(said.is_empty(), |why| said.iter().any(|said| said.contains(why)));
        assert!(fits, "without {lost:?}: {said:?}");
    }
}

#[test]
fn what_was_not_judged_is_said_aloud() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lost.pcap");
    // The second request of the client.
    std::fs::write(&path, without("samples/clean.pcap", 13..=13)).unwrap();
    let file = path.to_str().unwrap();
    let text = stdout(&["lint", "--ignore", "DM-CAP", file]);
    let (_, said) = text.split_once("\nNot judged: 1 message\n").expect(&text);
    let line = said.lines().next().unwrap();
    assert!(line.contains(" · s1 · client message") && line.contains(": "), "{line}");
    let report: serde_json::Value = serde_json::from_str(&stdout(&["lint", "--format", "json", file])).unwrap();
    assert_eq!(report["summary"]["not_judged"], 1);
    assert_eq!(report["summary"]["findings"]["error"], 0);
    let hole = &report["not_judged"][0];
    assert_eq!(
        (&hole["location"]["direction"], &hole["location"]["session"]),
        (&"client-to-server".into(), &"s1".into())
    );
    assert!(hole["reason"].is_string());
}

#[test]
fn every_published_recording_ends_well() {
    let Some(root) = std::env::var_os("DMSCOPE_CORPUS") else {
        eprintln!("SKIPPED: DMSCOPE_CORPUS is not set, no published recording was read");
        return;
    };
    let mut folders = vec![std::path::PathBuf::from(root)];
    let mut seen = [0; 4];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = path.to_str().unwrap();
            for arguments in [vec!["lint", file], vec!["lint", "--format", "json", file], vec!["show", file]] {
                let Output { status, stdout, stderr } = dmscope(&arguments);
                let code = status.code().filter(|code| (0..=3).contains(code));
                seen[code.unwrap_or_else(|| panic!("{arguments:?}: {status}")) as usize] += 1;
                let stderr = String::from_utf8(stderr).unwrap();
                assert!(!stderr.contains("internal error"), "{arguments:?}: {stderr}");
                for text in [String::from_utf8(stdout).unwrap(), stderr] {
                    let hidden = text.chars().find(|c| !matches!(c, '\n' | '\t') && dmscope::escape::is_hidden(*c));
                    assert_eq!(hidden, None, "{arguments:?}");
                }
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for format in ["text", "concise", "json", "jsonl"] {
        let run = || dmscope(&["lint", "--format", format, "samples"]);
        let (first, second) = (run(), run());
        assert!(!first.stdout.is_empty(), "{format}");
        assert_eq!((first.stdout, first.status), (second.stdout, second.status), "{format}");
    }
}

#[test]
fn colours_only_where_they_are_wanted() {
    let coloured = |arguments: &[&str]| stdout(arguments).contains('\u{1b}');
    assert!(!coloured(&["lint", "samples/msgid-skipped.pcap"]));
    assert!(coloured(&["lint", "--color", "always", "samples/msgid-skipped.pcap"]));
    assert!(coloured(&["show", "--color", "always", "samples/clean.pcap"]));
}

#[test]
fn nothing_of_the_input_acts_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a\u{1b}[31m\u{202e}.xml");
    let xml = "<SyncML><SyncHdr><SessionID>\u{1b}[2J</SessionID><MsgID>\u{9b}1</MsgID></SyncHdr><SyncBody><Status>\
               <CmdID>1</CmdID><MsgRef>\u{202e}9</MsgRef><Cmd>\u{7}Get</Cmd><Data>\u{1b}]0;owned\u{7}</Data></Status>\
               <Replace><Item><Target><LocURI>./A\u{200b}\r\u{1b}[1m</LocURI></Target><Data>\u{85}</Data></Item></Replace>\
               </SyncBody></SyncML>";
    std::fs::write(&path, xml).unwrap();
    let file = path.to_str().unwrap();
    let missing = folder.path().join("\u{1b}[31mnone");
    let runs = [
        vec!["lint", "--input-kind", "xml", file],
        vec!["lint", "--format", "concise", "--input-kind", "xml", file],
        vec!["lint", "--format", "json", "--input-kind", "xml", file],
        vec!["lint", "--format", "jsonl", "--input-kind", "xml", file],
        vec!["sessions", "--input-kind", "xml", file],
        vec!["show", "--input-kind", "xml", file],
        vec!["show", "--as", "tree", "--input-kind", "xml", file],
        vec!["show", "--as", "hex", "--input-kind", "xml", file],
        vec!["show", "--as", "http", "--input-kind", "xml", file],
        vec!["lint", missing.to_str().unwrap()],
    ];
    for arguments in runs {
        let Output { stdout, stderr, .. } = dmscope(&arguments);
        for text in [String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap()] {
            let hidden = text.chars().find(|c| *c != '\n' && dmscope::escape::is_hidden(*c));
            assert_eq!(hidden, None, "{arguments:?}: {text}");
        }
        assert!(arguments.len() == 2 || !dmscope(&arguments).stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn secrets_are_masked_until_they_are_asked_for() {
    let runs = [["--as", "xml"], ["--as", "tree"], ["--as", "hex"]];
    for form in runs {
        let hidden = stdout(&[&["show", "tests/cmd/show.in/session"], &form[..]].concat());
        assert!(!hidden.contains("correct horse") && !hidden.contains("|orrect hor"), "{hidden}");
    }
    let hex = stdout(&["show", "tests/cmd/show.in/session", "--as", "hex", "--message", "2"]);
    assert!(hex.contains(" ** **") && hex.contains("****"), "{hex}");
    let shown = stdout(&["show", "tests/cmd/show.in/session", "--show-secrets"]);
    assert!(shown.contains("<Data>correct horse</Data>") && shown.contains("Zm9ydHktdHdvIGJ5dGVzIQ=="));
}

#[test]
fn statistics_go_to_standard_error() {
    let output = dmscope(&["lint", "--stats", "--format", "concise", "samples/clean.pcap"]);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    for line in ["1  inputs", "28  packets", "1  TCP streams", "1  sessions", "6  messages", "  MB/s", " %) in DM-"] {
        assert!(err.contains(line) && !out.contains(line), "{line}: {err}");
    }
}

#[test]
fn every_rule_is_listed_and_explained() {
    let listed: serde_json::Value = serde_json::from_str(&stdout(&["rules", "--format", "json"])).unwrap();
    assert_eq!(listed["schema"], "dmscope/rules/1");
    let rules = listed["rules"].as_array().unwrap();
    assert_eq!(rules.len(), dmscope::rules::ALL.len());
    for (rule, known) in rules.iter().zip(dmscope::rules::ALL) {
        assert_eq!(rule["id"], known.id);
        for field in ["name", "family", "severity", "fault", "scope", "since", "summary"] {
            assert!(rule[field].is_string(), "{} {field}", known.id);
        }
        assert!(rule["profiles"].is_object() && rule["spec"].is_array());
    }
    for rule in dmscope::rules::ALL {
        let page = stdout(&["explain", rule.name]);
        assert!(page.starts_with(&format!("{} {}\n", rule.id, rule.name)), "{page}");
        assert_eq!(stdout(&["explain", rule.id, "--format", "markdown"]), rule.page);
    }
    assert_eq!(stdout(&["rules"]).lines().count(), dmscope::rules::ALL.len());
}

#[test]
fn a_closed_pipe_is_success() {
    use std::process::Stdio;
    let mut child = Command::new(env!("CARGO_BIN_EXE_dmscope"))
        .args(["show", "samples"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn completions_and_the_manual_page_name_all_commands() {
    let commands = ["lint", "sessions", "show", "explain", "rules", "completions", "man"];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stdout(&["completions", shell]);
        assert!(commands.iter().all(|command| script.contains(command)), "{shell}");
    }
    let page = stdout(&["man"]);
    assert!(commands.iter().all(|command| page.contains(&format!(".SH DMSCOPE {}", command.to_uppercase()))));
}

#[test]
fn reports_go_to_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    let format = format!("json={}", path.display());
    let output = dmscope(&["lint", "--format", &format, "--format", "concise", "samples/msgid-skipped.pcap"]);
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), String::from_utf8(output.stdout).unwrap().lines().count());
    let unwritable = format!("json={}/no/such/folder", folder.path().display());
    let output = dmscope(&["lint", "--format", &unwritable, "samples/msgid-skipped.pcap"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("/no/such/folder: cannot be written: No such file"));
}

/// `view` with that text as its configuration.
fn view_with(config: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("dmscope")).unwrap();
    std::fs::write(folder.path().join("dmscope/view.toml"), config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmscope"));
    command.arg("view").args(arguments).env("XDG_CONFIG_HOME", folder.path());
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("NO_COLOR").output().unwrap()
}

#[test]
fn a_view_without_a_terminal_is_the_summary() {
    insta::assert_snapshot!(stdout(&["view", "samples/alert-unanswered.pcap", "samples/msgid-skipped.pcap"]));
    let filtered = stdout(&["view", "--filter", "severity = error", "samples"]);
    assert!(filtered.contains("(filtered)") && !filtered.contains("DM-MSG-003"), "{filtered}");
    let nothing = dmscope(&["view", "Cargo.toml"]);
    assert_ne!(nothing.status.code(), Some(0));
}

#[test]
fn the_configuration_that_is_printed_is_one() {
    let printed = view_with("", &["--print-config", "samples"]);
    assert_eq!(printed.status.code(), Some(0));
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert_eq!(String::from_utf8(view_with(&printed, &["--print-config", "samples"]).stdout).unwrap(), printed);
}

#[test]
fn a_wrong_configuration_is_one_line() {
    let wrong = [
        ("theme = \"pink\"", "there is no theme \"pink\""),
        ("[keys]\nquit = [\"hyper-q\"]", "quit: \"hyper-q\" is no key"),
        ("[keys]\nfly = [\"f\"]", "there is no action \"fly\""),
        ("[colors]\nerror = \"loud\"", "error: \"loud\" is no colour"),
        ("[keys\n", "line 1: "),
        ("[sounds]", "line 1: unknown field `sounds`"),
    ];
    for (config, said) in wrong {
        let output = view_with(config, &["samples"]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
        assert!(error.contains("view.toml") && error.contains(said), "{error}");
    }
}
