//! `dmscope.toml` end to end: where it is found, what it changes, what is wrong with it, what `--show-config` prints.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "place/mod.rs"]
#[allow(dead_code, reason = "each test uses some of it")]
mod place;

use std::path::Path;

use place::{Place, ROOT};

#[test]
fn the_file_is_found_upward_to_the_root_of_the_repository() {
    let place = Place::with("[rules]\nmsgid-gap = \"error\"\n");
    place.write("sub/deep/x", "");
    let lint = |folder, file| place.run_in(folder, &["lint", "-q", "--format", "concise", file], None);
    assert_eq!(lint("", "a.pcap").0, 1);
    assert_eq!(lint("sub/deep", "../../a.pcap").0, 1);
    place.write("sub/.git", "gitdir: elsewhere");
    assert_eq!(lint("sub/deep", "../../a.pcap").0, 0);
    place.write("sub/dmscope.toml", "fail-on = \"warning\"\n");
    assert_eq!(lint("sub/deep", "../../a.pcap").0, 1);
    let (_, shown, _) = place.run_in("sub/deep", &["lint", "--show-config"], None);
    assert!(shown.contains("fail-on = \"warning\"  # ../dmscope.toml:1\n"), "{shown}");
    place.write("sub/dmscope.toml", "fail-on = 1\n");
    let (exit, _, error) = lint("sub/deep", "../../a.pcap");
    assert_eq!(
        (exit, error.as_str()),
        (2, "error: ../dmscope.toml:1:11: fail-on is a number; expected error, warning, info, never\n")
    );
}

#[test]
fn a_file_is_named_or_none_is_taken() {
    let place = Place::with("fail-on = \"warning\"\n");
    place.write("other.toml", "fail-on = \"never\"\n[rules]\nmsgid-gap = \"error\"\n");
    let lint = |more: &[&str], variable| place.run_in("", &[&["lint", "-q", "a.pcap"], more].concat(), variable).0;
    assert_eq!(lint(&[], None), 1);
    assert_eq!(lint(&["--isolated"], None), 0);
    assert_eq!(lint(&["--isolated"], Some("missing.toml")), 0);
    assert_eq!(lint(&["--config", "other.toml"], None), 0);
    assert_eq!(lint(&["--config", "other.toml", "--fail-on", "error"], None), 1);
    assert_eq!(lint(&[], Some("other.toml")), 0);
    assert_eq!(lint(&["--config", "dmscope.toml"], Some("other.toml")), 1);
    assert_eq!(lint(&[], Some("")), 1);
    let (exit, _, error) = place.run(&["lint", "--config", "missing.toml", "a.pcap"]);
    assert_eq!((exit, error.as_str()), (2, "error: --config missing.toml: no such file or directory\n"));
    let (exit, _, error) = place.run_in("", &["lint", "a.pcap"], Some("missing.toml"));
    assert_eq!((exit, error.as_str()), (2, "error: missing.toml: no such file or directory\n"));
    assert_eq!(lint(&["--isolated", "--config", "other.toml"], None), 2);
}

#[test]
fn what_is_typed_goes_before_the_file() {
    let place = Place::with(
        "profile = \"oma\"\nfail-on = \"never\"\nselect = [\"DM-STA\"]\nreports = [\"json\"]\n[rules]\nDM-MSG-003 = \"error\"\n",
    );
    let (exit, out, _) = place.run(&["lint", "-q", "a.pcap"]);
    assert_eq!(exit, 0);
    assert!(out.contains("\"findings\": []"), "{out}");
    let (exit, out, _) = place.lint(&["--select", "DM-MSG", "--fail-on", "error"]);
    assert_eq!((exit, out.as_str()), (1, "a.pcap:frame 24: error DM-MSG-003 MsgID is 5 after 2; expected 3\n"));
    let (exit, out, _) = place.lint(&["--select", "DM-MSG", "--severity", "msgid-gap=info", "--fail-on", "warning"]);
    assert!(exit == 0 && out.contains("info DM-MSG-003"), "{out}");
    let (_, shown, _) = place.run(&["lint", "--show-config", "--profile", "windows", "--severity", "msgid-gap=info"]);
    let wanted = "profile = \"windows\"  # command line\nfail-on = \"never\"  # dmscope.toml:2\nselect = [\"DM-STA\"]  # dmscope.toml:3\n\
                  reports = [\"json\"]  # dmscope.toml:4\n\n[rules]\nDM-MSG-003 = \"info\"  # dmscope.toml:6, level: command line\n";
    assert!(shown.ends_with(wanted), "{shown}");
}

#[test]
fn ignore_of_both_counts_unless_rules_are_selected() {
    let place = Place::with("ignore = [\"DM-MSG\"]\n");
    assert_eq!(place.lint(&[]).1, "");
    assert_eq!(place.lint(&["--ignore", "DM-STA"]).1, "");
    assert!(place.lint(&["--select", "DM-MSG"]).1.contains("DM-MSG-003"));
    assert!(
        place
            .run(&["lint", "--ignore", "DM-STA", "--show-config"])
            .1
            .contains("ignore = [\"DM-MSG\", \"DM-STA\"]  # dmscope.toml:1, command line")
    );
}

#[test]
fn what_is_wrong_is_told_in_one_line_with_its_place() {
    let wrong = [
        ("\nselekt = []", "2:1: unknown key \"selekt\"; did you mean \"select\"?"),
        ("profile = \"win\"", "1:11: profile: \"win\" is none of windows, oma"),
        ("profile = \"windos\"", "1:11: profile: \"windos\" is none of windows, oma; did you mean \"windows\"?"),
        ("fail-on = [\"error\"]", "1:11: fail-on is a list; expected error, warning, info, never"),
        ("select = \"DM-MSG\"", "1:10: select is a string; expected a list of strings"),
        ("select = [\"DM-MSG\", 3]", "1:21: select is a number; expected a string in quotes"),
        (
            "ignore = [\"DM-MGS-003\"]",
            "1:11: ignore: no rule or family is named \"DM-MGS-003\"; did you mean \"DM-MSG-003\"?",
        ),
        (
            "reports = [\"yaml\"]",
            "1:12: reports: there is no report \"yaml\"; there are text, concise, json, jsonl, sarif, junit, github, gitlab, markdown",
        ),
        (
            "reports = [\"text\", \"json\"]",
            "1: reports: json: only one report can go to standard output; give the others a file: KIND=FILE",
        ),
        ("keylog = \"\"", "1:10: keylog: the string is empty"),
        ("keylog = \"k.log\"", "1: keylog k.log: No such file or directory (os error 2)"),
        ("credentials = \"c.toml\"", "1: credentials c.toml: no such file or directory"),
        ("rules = []", "1:9: rules is a list; expected a table, [rules]"),
        ("[rules]\nDM-MGS = \"off\"", "2:1: no rule or family is named \"DM-MGS\""),
        ("[rules]\nDM-MSG = \"fatal\"", "2:10: DM-MSG: \"fatal\" is none of error, warning, info, off"),
        ("[rules]\nDM-MSG = true", "2:10: DM-MSG is true or false; expected error, warning, info, off"),
        ("[rules]\nDM-MSG = { level = \"off\" }", "2:10: DM-MSG: a family has a level and no options"),
        ("[rules]\nDM-MSG-003 = { x = 1 }", "2:16: unknown key \"x\"; there are level"),
        (
            "[rules]\nDM-PRV-027 = { minimum-minute = 1 }",
            "2:16: unknown key \"minimum-minute\"; did you mean \"minimum-minutes\"?",
        ),
        ("[rules]\nDM-PRV-027 = { minimum-minutes = 0 }", "2:34: minimum-minutes: expected a number from 1 to 525600"),
        (
            "[rules]\nDM-PRV-027 = { minimum-minutes = \"1\" }",
            "2:34: minimum-minutes: expected a number from 1 to 525600",
        ),
        ("[rules]\nDM-URI-013 = { also = [\"A\", 1] }", "2:23: also: expected a list of words"),
        (
            "[rules]\nDM-MSG-003 = \"off\"\nmsgid-gap = \"off\"",
            "3:1: \"DM-MSG-003\" and \"msgid-gap\" are the same rule",
        ),
        ("override = 1", "1:12: override is a number; expected tables, [[override]]"),
        ("[[override]]\npath = \"a\"", "1:1: rules is missing"),
        ("[[override]]\nhost = \"a\"\nrules = {}", "2:1: unknown key \"host\"; there are path, server, device, rules"),
        (
            "[[override]]\nrules = { DM-PRV-027 = { minimum-minutes = 2 } }",
            "2:24: DM-PRV-027 is a table; expected error, warning, info, off",
        ),
        ("profile = \"oma\"\nprofile = \"oma\"", "2:1: duplicate key"),
        ("profile = ", "1:11: string values must be quoted, expected literal string"),
    ];
    for (text, said) in wrong {
        assert_eq!(Place::with(text).error(), format!("error: dmscope.toml:{said}"), "{text}");
    }
    assert!(Place::with(&"#".repeat(2 << 20)).error().ends_with("dmscope.toml: longer than 1 MiB"));
    let many = format!("select = [{}]", "\"DM-MSG\",".repeat(20_000));
    assert!(Place::with(&many).error().ends_with("select: 20000 entries; at most 10000 are read"));
    let binary = Place::new();
    std::fs::write(binary.path("dmscope.toml"), [0xff, 0xfe]).unwrap();
    assert_eq!(binary.error(), "error: dmscope.toml: not text in UTF-8");
}

#[test]
fn overrides_hold_for_their_inputs_servers_and_devices() {
    let count = |keys: &str, name: &str| {
        let place = Place::with(&format!("[[override]]\n{keys}\nrules = {{ DM-MSG = \"off\" }}\n"));
        place.write("captures/old/x", "");
        std::fs::copy(place.path("a.pcap"), place.path("captures/old/b.pcap")).unwrap();
        let (_, out, error) = place.run(&["lint", "-q", "--format", "concise", name]);
        assert_eq!(error, "");
        out.lines().count()
    };
    assert_eq!(count("path = \"captures/**\"", "a.pcap"), 1);
    assert_eq!(count("path = \"captures/**\"", "captures/old/b.pcap"), 0);
    assert_eq!(count("path = \"b.pcap\"", "captures"), 0);
    assert_eq!(count("path = [\"x\", \"captures/*/b.pcap\"]", "captures"), 0);
    assert_eq!(count("path = \"captures/*\"", "captures"), 1);
    assert_eq!(count("server = \"127.0.0.*\"", "a.pcap"), 0);
    assert_eq!(count("server = \"http://127.0.0.1:*/**\"", "a.pcap"), 0);
    assert_eq!(count("server = \"*.example.test\"", "a.pcap"), 1);
    assert_eq!(count("device = \"URN:uuid:*\"", "a.pcap"), 0);
    assert_eq!(count("device = \"imei:*\"", "a.pcap"), 1);
    assert_eq!(count("device = \"urn:uuid:*\"\nserver = \"other\"", "a.pcap"), 1);
}

#[test]
fn overrides_switch_rules_on_and_the_command_line_goes_before_them() {
    let place =
        Place::with("ignore = [\"DM-MSG\"]\n[[override]]\npath = \"*.pcap\"\nrules = { DM-MSG-003 = \"error\" }\n");
    assert!(place.lint(&[]).1.contains("error DM-MSG-003"));
    assert!(place.lint(&["--severity", "DM-MSG-003=info"]).1.contains("info DM-MSG-003"));
    assert_eq!(place.lint(&["--ignore", "DM-MSG-003"]).1, "");
    assert_eq!(place.lint(&["--select", "DM-STA"]).1, "");
}

#[test]
fn other_commands_take_what_is_for_them() {
    let place = Place::with("[rules]\nDM-MSG-003 = \"off\"\n");
    let worst = |arguments: &[&str]| place.run(&[&["sessions", "--format", "json", "a.pcap"], arguments].concat()).1;
    assert!(worst(&[]).contains("\"worst\": null") && worst(&["--isolated"]).contains("\"worst\": \"warning\""));
    let found = place.run(&["show", "--filter", "rule = DM-MSG-003", "a.pcap"]);
    assert_eq!((found.0, found.2.as_str()), (2, "error: no message for which the filter holds\n"));
    let view = place.run(&["view", "a.pcap"]).1;
    assert!(!view.contains("DM-MSG-003"), "{view}");
}

#[test]
fn keys_lie_beside_the_file() {
    let place = Place::with("keylog = [\"../keys.log\"]\nselect = [\"DM-CAP-004\"]\n");
    std::fs::create_dir(place.path("sub")).unwrap();
    std::fs::rename(place.path("dmscope.toml"), place.path("sub/dmscope.toml")).unwrap();
    let sample = |name: &str| Path::new(ROOT).join("samples").join(name);
    std::fs::copy(sample("mutual-tls.keylog"), place.path("keys.log")).unwrap();
    let capture = sample("mutual-tls.pcap").display().to_string();
    let sessions = |more: &[&str]| place.run(&[&["sessions", &capture], more].concat()).0;
    assert_eq!((sessions(&[]), sessions(&["--config", "sub/dmscope.toml"])), (3, 0));
}

#[test]
fn reports_lie_beside_the_file() {
    let place = Place::with("reports = [\"concise\", \"json=out/report.json\"]\n");
    place.write("out/x", "");
    place.write("sub/x", "");
    let (exit, out, _) = place.run_in("sub", &["lint", "../a.pcap"], None);
    assert_eq!((exit, out.lines().count()), (0, 1));
    assert!(std::fs::read_to_string(place.path("out/report.json")).unwrap().contains("DM-MSG-003"));
}

#[test]
fn options_change_what_a_rule_says() {
    let count = |value: &str| {
        let place = Place::with(&format!("[rules]\nDM-SES-023 = {{ {value} }}\n"));
        place.lint(&["--select", "DM-SES-023"]).1.lines().count()
    };
    assert_eq!((count(""), count("messages = 3"), count("level = \"off\", messages = 3")), (0, 1, 0));
}

/// What is printed, read as the file, is the same.
#[test]
fn what_is_shown_reads_back() {
    let place = Place::new();
    let text = std::fs::read_to_string(Path::new(ROOT).join("samples/dmscope.toml")).unwrap();
    place.write("dmscope.toml", &text.replace("mutual-tls.keylog", "k\\\".log"));
    std::fs::copy(Path::new(ROOT).join("samples/mutual-tls.keylog"), place.path("k\".log")).unwrap();
    let shown = |more: &[&str]| place.run(&[&["lint", "--show-config"], more].concat());
    let (exit, first, error) = shown(&["--severity", "DM-WIN=off,DM-PRV-027=error", "--ignore", "DM-SEC"]);
    assert_eq!((exit, error.as_str()), (0, ""));
    place.write("dmscope.toml", &first);
    let (_, again, _) = shown(&[]);
    let plain = |text: &str| {
        let lines = text.lines().map(|line| line.split("  # ").next().unwrap_or_default().to_owned());
        lines.filter(|line| !line.starts_with('#')).collect::<Vec<String>>()
    };
    assert_eq!(plain(&first), plain(&again));
    assert!(first.contains("DM-PRV-027 = { level = \"error\", minimum-minutes = 480 }"), "{first}");
}

#[test]
fn the_schema_in_the_docs_is_that_of_the_program() {
    let path = Path::new(ROOT).join("docs/dmscope.schema.json");
    let schema = serde_json::to_string_pretty(&dmscope::config::schema()).unwrap() + "\n";
    if std::env::var_os("DMSCOPE_SCHEMA").is_some_and(|value| value == "remake") {
        std::fs::write(&path, &schema).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(published == schema, "stale; DMSCOPE_SCHEMA=remake cargo test --test config makes it anew");
}

#[test]
fn the_page_names_every_key_and_shows_the_sample() {
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/configuration.md")).unwrap();
    let sample = std::fs::read_to_string(Path::new(ROOT).join("samples/dmscope.toml")).unwrap();
    assert!(page.contains(&format!("```toml\n{sample}```")));
    let schema = dmscope::config::schema();
    let tables = [&schema, &schema["properties"]["override"]["items"]];
    for key in tables.iter().flat_map(|table| table["properties"].as_object().unwrap().keys()) {
        assert!(page.contains(&format!("`{key}`")), "docs/configuration.md does not tell of {key}");
    }
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/suppressing.md")).unwrap();
    for key in schema["properties"]["ignore"]["items"]["anyOf"][1]["properties"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("`{key}`")), "docs/suppressing.md does not tell of {key}");
    }
}
