//! The baseline end to end: known findings are not told in another run, new ones are, and what is gone is told.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "place/mod.rs"]
#[allow(dead_code, reason = "each test uses some of it")]
mod place;

use std::path::Path;

use place::{Ended, Place, ROOT};

const SESSION: [&str; 4] = ["1.xml", "2.xml", "3.xml", "4.xml"];

/// A place with two recordings: a session of files with five findings, and a HAR with one; changed by `change`.
fn recordings(place: &Place, folder: &str, change: impl Fn(&str) -> String) {
    let root = Path::new(ROOT);
    for name in SESSION {
        let text = std::fs::read_to_string(root.join("tests/cmd/lint.in/session").join(name)).unwrap();
        place.write(&format!("{folder}/session/{name}"), &change(&text));
    }
    let har = std::fs::read_to_string(root.join("samples/proxy.har")).unwrap();
    place.write(&format!("{folder}/proxy.har"), &change(&har));
}

fn first() -> Place {
    let place = Place::new();
    recordings(&place, "first", str::to_owned);
    let (exit, out, error) = place.run(&["lint", "--baseline", "known.toml", "--update-baseline", "first"]);
    assert_eq!((exit, error.as_str()), (0, "known.toml: 6 added; 6 entries\n"));
    assert!(out.starts_with("No findings (6 suppressed) in 5 inputs"), "{out}");
    place
}

/// Another device, other times, SessionIDs, addresses of the server's port.
fn other_run(text: &str) -> String {
    let changes = [
        ("0b5f2f0e-3f8a-4a52-9d3f-5f6a7b8c9d0e", "7e1a2b3c-0000-4d5e-8f90-a1b2c3d4e5f6"),
        ("6f1d0c52-8a0e-4c5b-9d53-2f7f5b1c9a10", "11111111-2222-4333-8444-555555555555"),
        ("<SessionID>7</SessionID>", "<SessionID>4A</SessionID>"),
        ("<SessionID>1</SessionID>", "<SessionID>93</SessionID>"),
        ("2026-11-22T22:", "2027-03-05T08:"),
        ("127.0.0.1:38381", "127.0.0.1:40404"),
    ];
    changes.into_iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn lint(place: &Place, inputs: &[&str]) -> Ended {
    place.run(&[&["lint", "--format", "concise", "--fail-on", "info", "--baseline", "known.toml"], inputs].concat())
}

#[test]
fn another_run_of_the_same_is_known() {
    let place = first();
    recordings(&place, "second", other_run);
    assert_ne!(
        std::fs::read(place.path("first/proxy.har")).unwrap(),
        std::fs::read(place.path("second/proxy.har")).unwrap()
    );
    let quiet = (0, String::new(), String::new());
    assert_eq!(lint(&place, &["first"]), quiet);
    // In another order, more of it, and less.
    assert_eq!(lint(&place, &["second/session", "second/proxy.har"]), quiet);
    assert_eq!(lint(&place, &["second/proxy.har", "second/session", "first"]), quiet);
    assert_eq!(lint(&place, &["second/session"]), quiet);
}

#[test]
fn an_injected_defect_is_told_and_nothing_else() {
    let place = first();
    recordings(&place, "second", |text| {
        other_run(text).replace("<LocURI>./DevDetail/SwV</LocURI>", "<LocURI>/DevDetail/SwV</LocURI>")
    });
    let (exit, out, _) = lint(&place, &["second/session"]);
    let rules: Vec<&str> =
        out.lines().map(|line| line.split(' ').find(|word| word.starts_with("DM-")).unwrap()).collect();
    assert_eq!(exit, 1);
    assert!(!rules.is_empty() && rules.iter().all(|rule| *rule == "DM-URI-001"), "{out}");
}

#[test]
fn one_more_of_a_kind_is_told() {
    let place = first();
    let wrong = "<Status>\n      <CmdID>6</CmdID>";
    let again =
        "<Status><CmdID>16</CmdID><MsgRef>1</MsgRef><CmdRef>8</CmdRef><Cmd>Get</Cmd><Data>200</Data></Status>\n    ";
    recordings(&place, "second", |text| other_run(text).replace(wrong, &format!("{again}{wrong}")));
    let (exit, out, error) = lint(&place, &["second/session"]);
    let told = out.lines().filter(|line| line.contains("DM-MSG-014")).count();
    assert_eq!((exit, told), (1, 2), "{out}");
    assert_eq!(
        error.lines().next(),
        Some(
            "warning: known.toml: DM-MSG-014 of mdm.example.com · client · Status: 2 in one session, 1 known; all of them are told"
        )
    );
    let (exit, _, error) = place.run(&["lint", "--baseline", "known.toml", "--update-baseline", "second/session"]);
    assert_eq!(exit, 0);
    assert!(error.starts_with("known.toml: ") && error.contains("1 raised"), "{error}");
    assert_eq!(lint(&place, &["second/session"]).0, 0);
}

#[test]
fn the_file_is_sorted_and_the_same_from_any_run() {
    let place = first();
    let text = std::fs::read_to_string(place.path("known.toml")).unwrap();
    let wanted = "\n[[finding]]\nrule = \"DM-MSG-014\"\nserver = \"mdm.example.com\"\nfrom = \"client\"\ncommand = \"Status\"\n\
                  path = \"/SyncML/SyncBody/Status/CmdRef\"\ncount = 1\n";
    assert!(text.contains(wanted), "{text}");
    let rules: Vec<&str> = text.lines().filter(|line| line.starts_with("rule")).collect();
    assert!(rules.len() == 6 && rules.is_sorted());
    recordings(&place, "second", other_run);
    let update = ["lint", "-q", "--baseline", "other.toml", "--update-baseline", "second/session", "second/proxy.har"];
    assert_eq!(place.run(&update).0, 0);
    assert_eq!(std::fs::read_to_string(place.path("other.toml")).unwrap(), text);
    let (exit, _, error) = place.run(&["lint", "--baseline", "known.toml", "--update-baseline", "first"]);
    assert_eq!((exit, error.as_str()), (0, "known.toml: no change; 6 entries\n"));
    assert_eq!(std::fs::read_to_string(place.path("known.toml")).unwrap(), text);
}

/// The recordings with the wrong CmdRef put right.
fn mended(place: &Place) {
    recordings(place, "second", |text| {
        let (before, status) = text.split_once("<Status>\n      <CmdID>6</CmdID>").unwrap_or((text, ""));
        let rest = status.split_once("</Status>\n").map_or(status, |(_, rest)| rest);
        other_run(&format!("{before}{rest}"))
    });
}

#[test]
fn what_is_gone_fails_until_it_is_taken_out() {
    let place = first();
    mended(&place);
    let (exit, out, error) = lint(&place, &["second"]);
    assert_eq!((exit, out.as_str()), (1, ""));
    let wanted = "error: known.toml: 1 entry not found any more; --prune-baseline takes them out, --allow-stale lets them pass\n  \
                  DM-MSG-014 of mdm.example.com · client · Status\n";
    assert_eq!(error, wanted);
    let (exit, _, error) = lint(&place, &["--allow-stale", "second"]);
    assert!(exit == 0 && error.starts_with("warning: known.toml: 1 entry not found any more\n"), "{error}");
    assert_eq!(lint(&place, &["--fail-on", "never", "second"]).0, 2, "--fail-on twice is wrong usage");
    assert_eq!(place.run(&["lint", "--baseline", "known.toml", "--fail-on", "never", "second"]).0, 0);
    let (_, json, _) = place.run(&["lint", "--baseline", "known.toml", "--format", "json", "second"]);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["suppressions"][0]["state"], "stale");
    assert_eq!(report["summary"]["suppressed"], 5);
    // Of another server, or of rules that do not run, nothing is said.
    assert_eq!(lint(&place, &["second/proxy.har"]).0, 0);
    assert_eq!(lint(&place, &["--ignore", "DM-MSG-014", "second"]).0, 0);
    let (exit, _, error) = place.run(&["lint", "--baseline", "known.toml", "--prune-baseline", "second"]);
    assert_eq!((exit, error.as_str()), (0, "known.toml: 1 taken out; 5 entries\n"));
    assert_eq!(lint(&place, &["second"]), (0, String::new(), String::new()));
    assert_eq!(lint(&place, &["first"]).0, 1);
}

#[test]
fn the_configuration_names_the_baseline() {
    let place = first();
    std::fs::create_dir(place.path("ci")).unwrap();
    place.write("ci/dmscope.toml", "baseline = \"../known.toml\"\nallow-stale = true\nfail-on = \"info\"\n");
    let exit = |more: &[&str]| place.run(&[&["lint", "--config", "ci/dmscope.toml"], more].concat()).0;
    assert_eq!((exit(&["first"]), exit(&["--no-ignores", "first"])), (0, 1));
    mended(&place);
    assert_eq!(exit(&["second"]), 0);
    let shown = place.run(&["lint", "--config", "ci/dmscope.toml", "--show-config"]).1;
    assert!(
        shown.contains("baseline = \"../known.toml\"  # ci/dmscope.toml:1\nallow-stale = true  # ci/dmscope.toml:2\n"),
        "{shown}"
    );
}

#[test]
fn ignores_go_before_the_baseline() {
    let place = first();
    place.write("dmscope.toml", "[[ignore]]\nrule = \"DM-MSG\"\nreason = \"known\"\n");
    place.run(&["lint", "-q", "--baseline", "other.toml", "--update-baseline", "first"]);
    let text = std::fs::read_to_string(place.path("other.toml")).unwrap();
    assert!(!text.contains("DM-MSG") && text.contains("DM-STA-021"), "{text}");
}

#[test]
fn what_is_wrong_is_told() {
    let place = first();
    let error = |arguments: &[&str]| {
        let (exit, _, error) = place.run(&[&["lint", "first"], arguments].concat());
        assert_eq!((exit, error.lines().count()), (2, 1), "{error}");
        error
    };
    assert_eq!(error(&["--baseline", "no.toml"]), "error: no.toml: no such file; --update-baseline makes it\n");
    assert_eq!(
        error(&["--update-baseline"]),
        "error: which baseline? name its file with --baseline, or in dmscope.toml\n"
    );
    place.write("bad.toml", "version = 1\n[[finding]]\nrule = \"DM-MSG-003\"\n");
    assert_eq!(error(&["--baseline", "bad.toml"]), "error: bad.toml:2:1: count is missing\n");
    place.write("bad.toml", "version = 2\n");
    assert_eq!(
        error(&["--baseline", "bad.toml", "--update-baseline"]),
        "error: bad.toml:1:11: this version of dmscope reads version 1\n"
    );
    assert!(
        error(&["--baseline", "missing/known.toml", "--update-baseline"])
            .contains("missing/known.toml: cannot be written")
    );
    // A run without messages is no reason to change it.
    place.write("empty.log", "nothing\n");
    let before = std::fs::read(place.path("known.toml")).unwrap();
    assert_eq!(place.run(&["lint", "--baseline", "known.toml", "--prune-baseline", "empty.log"]).0, 3);
    assert_eq!(std::fs::read(place.path("known.toml")).unwrap(), before);
}

#[test]
fn encrypted_connections_are_known_by_their_host() {
    let place = Place::new();
    let capture = Path::new(ROOT).join("samples/mutual-tls.pcap").display().to_string();
    let update = ["lint", "-q", "--baseline", "known.toml", "--update-baseline", "a.pcap", &capture];
    assert_eq!(place.run(&update).0, 0);
    let text = std::fs::read_to_string(place.path("known.toml")).unwrap();
    assert!(text.contains("rule = \"DM-CAP-004\"\nserver = \"mdm.contoso.test\"\ncount = 1\n"), "{text}");
    assert_eq!(lint(&place, &["a.pcap", &capture]), (0, String::new(), String::new()));
}

#[cfg(unix)]
#[test]
fn a_link_stays_one_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = first();
    std::fs::create_dir(place.path("shared")).unwrap();
    std::fs::rename(place.path("known.toml"), place.path("shared/known.toml")).unwrap();
    std::fs::set_permissions(place.path("shared/known.toml"), std::fs::Permissions::from_mode(0o664)).unwrap();
    std::os::unix::fs::symlink("shared/known.toml", place.path("known.toml")).unwrap();
    mended(&place);
    assert_eq!(place.run(&["lint", "-q", "--baseline", "known.toml", "--prune-baseline", "second"]).0, 0);
    assert!(std::fs::symlink_metadata(place.path("known.toml")).unwrap().is_symlink());
    let kept = std::fs::metadata(place.path("shared/known.toml")).unwrap();
    assert_eq!(kept.permissions().mode() & 0o777, 0o664);
    assert!(!std::fs::read_to_string(place.path("shared/known.toml")).unwrap().contains("DM-MSG-014"));
}

#[test]
fn the_page_shows_the_sample() {
    let sample = std::fs::read_to_string(Path::new(ROOT).join("samples/baseline.toml")).unwrap();
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/baseline.md")).unwrap();
    assert!(page.contains(&format!("```toml\n{sample}```")));
    let place = Place::new();
    assert_eq!(place.run(&["lint", "-q", "--baseline", "made.toml", "--update-baseline", "a.pcap"]).0, 0);
    assert_eq!(std::fs::read_to_string(place.path("made.toml")).unwrap(), sample);
}
