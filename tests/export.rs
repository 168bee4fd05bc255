//! `dmscope export` as others use it: files that are whole or not there, and findings that are those of the capture.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_dmscope"));
    program.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("SSLKEYLOGFILE");
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeding = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    output
}

/// What the linter says: rule, session, frame, side, message and element of each finding; and what it did not judge.
fn lint(arguments: &[&str], input: &[u8]) -> (BTreeMap<String, usize>, usize) {
    let fixed = ["lint", "--format", "json", "--fail-on", "never", "--allow-empty"];
    let output = run(&[&fixed, arguments].concat(), input);
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let mut found = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        let place = &finding["location"];
        let parts = ["session", "frame", "direction", "msg_id", "path"].map(|name| place[name].to_string());
        *found.entry(format!("{} {}", finding["rule"], parts.join(" "))).or_insert(0) += 1;
    }
    (found, report["summary"]["not_judged"].as_u64().unwrap() as usize)
}

/// What is said of an export of `path` against what is said of itself.
fn compare(path: &str, form: &str, options: &[&str]) {
    let (before, unjudged) = lint(&[&[path], options].concat(), b"");
    for show_secrets in [true, false] {
        let more: &[&str] = if show_secrets { &["--show-secrets"] } else { &[] };
        let output = run(&[&["export", path, "--to", form], options, more].concat(), b"");
        // Connections that stay encrypted are findings of the capture, but no session to export.
        let in_a_session = |key: &String| key.split(' ').nth(1) != Some("null");
        if !before.keys().any(in_a_session) && output.status.code() == Some(3) {
            continue;
        }
        assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
        let credentials: Vec<&str> = options.iter().skip_while(|word| **word != "--credentials").copied().collect();
        let (after, unjudged_after) = lint(&[&["-"], &*credentials].concat(), &output.stdout);
        // A push is no exchange of HTTP.
        let can_say = |key: &String| form == "jsonl" || !key.contains("DM-NOT");
        let before: BTreeMap<String, usize> =
            before.iter().filter(|(key, _)| can_say(key)).map(|(key, count)| (key.clone(), *count)).collect();
        // Frames are those of the capture where the format can say them.
        let strip = |found: &BTreeMap<String, usize>| -> BTreeMap<String, usize> {
            if form == "jsonl" {
                return found.clone();
            }
            let mut stripped = BTreeMap::new();
            for (key, count) in found {
                let words: Vec<&str> =
                    key.split(' ').enumerate().filter(|(at, _)| *at != 2).map(|(_, word)| word).collect();
                *stripped.entry(words.join(" ")).or_insert(0) += count;
            }
            stripped
        };
        let (before, after) = (strip(&before), strip(&after));
        match show_secrets {
            true => assert_eq!((&before, unjudged), (&after, unjudged_after), "{path} as {form}"),
            false => {
                for (key, count) in &after {
                    assert!(before.get(key) >= Some(count), "{path} as {form}, masked: {key}");
                }
                for (key, _) in before.iter().filter(|(key, count)| after.get(*key) != Some(count)) {
                    let rule = dmscope::rules::find(key.split('"').nth(1).unwrap()).unwrap();
                    assert!(rule.secrets, "{path} as {form}, masked, misses {key}");
                }
                assert!(unjudged_after >= unjudged);
            }
        }
    }
}

fn samples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let wanted = |path: &PathBuf| path.extension().is_some_and(|ending| ending != "md" && ending != "toml");
    paths.filter(wanted).map(|path| path.display().to_string()).collect()
}

#[test]
fn an_export_of_a_sample_is_judged_as_the_sample() {
    let samples = samples();
    assert!(samples.len() >= 10);
    for sample in samples {
        let keylog = Path::new(&sample).with_extension("keylog").display().to_string();
        let keys: &[&str] = if Path::new(&keylog).exists() { &["--keylog", &keylog] } else { &[] };
        for form in ["jsonl", "har"] {
            compare(&sample, form, &[keys, &["--credentials", "samples/credentials.toml"]].concat());
        }
    }
}

#[test]
fn an_export_of_recorded_tls_is_judged_as_the_capture() {
    let Some(corpus) = std::env::var_os("DMSCOPE_CORPUS") else {
        eprintln!("skipped: DMSCOPE_CORPUS is not set");
        return;
    };
    let lab = Path::new(&corpus).join("captures/lab");
    let mut seen = 0;
    for entry in fs::read_dir(lab).unwrap() {
        let path = entry.unwrap().path();
        let (keylog, key) = (path.with_extension("keylog"), path.with_extension("server.der"));
        let options = match (keylog.exists(), key.exists()) {
            (true, _) => vec!["--keylog".to_owned(), keylog.display().to_string()],
            (false, true) => vec!["--key".to_owned(), key.display().to_string()],
            _ => Vec::new(),
        };
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        if path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng") {
            compare(&path.display().to_string(), "jsonl", &options);
            seen += 1;
        }
    }
    assert!(seen >= 6);
}

/// What `export` writes to a file or folder in `folder`.
fn export(folder: &Path, to: &str, name: &str, more: &[&str]) -> Output {
    let out = folder.join(name).display().to_string();
    run(&[&["export", "samples/md5-sessions.pcap", "--to", to, "--out", &out], more].concat(), b"")
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let output = export(folder.path(), "jsonl", "a.jsonl", &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.ends_with("a.jsonl: 14 messages of 2 sessions, secrets masked\n"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("a.jsonl")).unwrap().lines().count(), 14);
    let again = export(folder.path(), "har", "a.jsonl", &[]);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("the file exists; --force replaces it"));
    assert!(export(folder.path(), "har", "a.jsonl", &["--force", "-q"]).stderr.is_empty());
    let har: Value = serde_json::from_slice(&fs::read(folder.path().join("a.jsonl")).unwrap()).unwrap();
    assert_eq!(har["log"]["entries"].as_array().unwrap().len(), 7);
    assert_eq!(export(folder.path(), "har", "b.har", &["--session", "s9"]).status.code(), Some(2));
    assert_eq!(export(folder.path(), "xml", "b", &["--session", "s9"]).status.code(), Some(2));
    assert_eq!(names(folder.path()), ["a.jsonl"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_one_line() {
    let output = export(Path::new("/dev"), "jsonl", "full", &["--force"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.lines().count() == 1 && said.contains("/dev/full: cannot be written"), "{said}");
}

#[test]
fn a_folder_has_a_file_a_message_and_an_index() {
    let folder = tempfile::tempdir().unwrap();
    assert!(export(folder.path(), "xml", "out", &["--session", "s2"]).status.success());
    let out = folder.path().join("out");
    let files = names(&out);
    assert_eq!(files.len(), 7);
    assert_eq!((&*files[0], &*files[1], &*files[2]), ("index.json", "s2-001-client.xml", "s2-002-server.xml"));
    let index: Value = serde_json::from_slice(&fs::read(out.join("index.json")).unwrap()).unwrap();
    let row = &index["messages"][1];
    assert_eq!(
        (row["file"].as_str(), row["side"].as_str(), row["message"].as_u64()),
        (Some(&*files[2]), Some("server"), Some(2))
    );
    assert!(row["frames"].as_array().is_some_and(|frames| !frames.is_empty()));
    let mut nonces = 0;
    for file in files.iter().filter(|file| file.ends_with(".xml")) {
        let text = fs::read_to_string(out.join(file)).unwrap();
        assert!(text.starts_with("<?xml version"), "{text}");
        for nonce in text.lines().filter(|line| line.contains("<NextNonce")) {
            assert!(nonce.contains(">********<"), "{nonce}");
            nonces += 1;
        }
    }
    assert!(nonces > 0);
    assert_eq!(export(folder.path(), "xml", "out", &[]).status.code(), Some(2));
    assert!(export(folder.path(), "xml", "out", &["--force"]).status.success());
    assert_eq!(names(&out).len(), 15);
}

#[test]
fn a_part_of_a_session_is_not_taken_for_a_capture_with_gaps() {
    let output = run(&["export", "samples/clean.pcap", "--to", "jsonl", "--filter", "from = server"], b"");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 3);
    let (found, not_judged) = lint(&["-"], &output.stdout);
    assert_eq!((found.len(), not_judged), (0, 3), "{found:?}");
}
