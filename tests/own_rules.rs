//! A team's own rules, through the program: found, reported, selected, refused, bounded.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::process::{Command, Output};

fn dmscope(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dmscope"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("NO_COLOR").output().unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    String::from_utf8(dmscope(arguments).stdout).unwrap()
}

fn json(arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&stdout(arguments)).unwrap()
}

/// A page with these fields in place of the usual ones.
fn page(id: &str, name: &str, fields: &str) -> String {
    let usual = [
        ("summary", "\"A Replace of a firewall setting\""),
        ("fix", "\"Leave the firewall alone.\""),
        ("severity", "{ oma = \"off\", windows = \"warning\" }"),
        ("scope", "\"item\""),
        ("when", "'item.target.contains(\"Firewall\")'"),
        ("message", "'{item.target} is set to {item.data}'"),
    ];
    let usual = usual.iter().filter(|(field, _)| !fields.lines().any(|line| line.starts_with(&format!("{field} ="))));
    let usual: String = usual.map(|(field, value)| format!("{field} = {value}\n")).collect();
    format!("+++\nid = \"{id}\"\nname = \"{name}\"\n{usual}{fields}+++\nWhy it matters.\n")
}

/// A folder with these pages.
fn folder(pages: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (id, name, fields) in pages {
        std::fs::write(folder.path().join(format!("{id}-{name}.md")), page(id, name, fields)).unwrap();
    }
    folder
}

fn name(folder: &tempfile::TempDir) -> &str {
    folder.path().to_str().unwrap()
}

const ROLLED_BACK: &str = "samples/atomic-rolled-back.pcap";

#[test]
fn findings_of_own_rules_are_like_those_of_built_in_ones() {
    let rules = folder(&[("ACME-001", "firewall", "spec = [\"our policy §4\"]\n")]);
    let report = json(&["lint", "--rules", name(&rules), "--select", "ACME", "--format", "json", ROLLED_BACK]);
    let finding = &report["findings"][0];
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    let same = |field: &str, value: &str| assert_eq!(finding[field], value, "{field}");
    same("rule", "ACME-001");
    same("name", "firewall");
    same("severity", "warning");
    same("fault", "server");
    same("message", "./Vendor/MSFT/Firewall/MdmStore/PublicProfile/EnableFirewall is set to true");
    same("help", "Leave the firewall alone.");
    assert_eq!(finding["spec"][0], "our policy §4");
    assert_eq!(finding["location"]["frame"], 10);
    assert_eq!(finding["location"]["path"], "/SyncML/SyncBody/Atomic/Replace[1]/Item");
    let sarif = json(&["lint", "--rules", name(&rules), "--select", "ACME", "--format", "sarif", ROLLED_BACK]);
    let rule = &sarif["runs"][0]["tool"]["driver"]["rules"][0];
    assert_eq!((&rule["id"], &rule["name"]), (&"ACME-001".into(), &"Firewall".into()));
    assert_eq!(rule["help"]["markdown"], "Why it matters.");
}

#[test]
fn own_rules_are_selected_like_built_in_ones() {
    let rules = folder(&[("ACME-001", "firewall", ""), ("X-Y-7", "any-item", "when = 'true'\nmessage = 'an item'\n")]);
    let found = |arguments: &[&str]| {
        let common = ["lint", "--rules", name(&rules), "--format", "json", ROLLED_BACK];
        let report = json(&[&common[..], arguments].concat());
        let own = report["findings"].as_array().unwrap().clone();
        let ids = own.iter().map(|finding| finding["rule"].as_str().unwrap().to_owned());
        let own: Vec<String> = ids.filter(|id| !id.starts_with("DM-")).collect();
        (own.iter().filter(|id| *id == "ACME-001").count(), own.iter().filter(|id| *id == "X-Y-7").count())
    };
    let items = found(&[]).1;
    assert!(items > 3);
    assert_eq!(found(&[]), (1, items));
    assert_eq!(found(&["--ignore", "x-y"]), (1, 0));
    assert_eq!(found(&["--select", "firewall"]), (1, 0));
    assert_eq!(found(&["--select", "ACME/firewall"]), (1, 0));
    assert_eq!(found(&["--profile", "oma"]), (0, 0));
    assert_eq!(found(&["--profile", "oma", "--severity", "ACME=error"]), (1, 0));
    let fails = ["lint", "--rules", name(&rules), "--severity", "firewall=error", ROLLED_BACK];
    assert_eq!(dmscope(&fails).status.code(), Some(1));
    let unknown = dmscope(&["lint", "--rules", name(&rules), "--select", "firewal", ROLLED_BACK]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean \"firewall\"?"));
}

#[test]
fn every_command_that_judges_takes_own_rules() {
    let rules = folder(&[("ACME-001", "firewall", "severity = { oma = \"error\", windows = \"error\" }\n")]);
    let own = ["--rules", name(&rules)];
    let run = |arguments: &[&str]| stdout(&[arguments, &own].concat());
    assert!(run(&["sessions", ROLLED_BACK]).contains(" error "));
    let filtered = run(&["show", "--as", "tree", "--filter", "rule = ACME-001", ROLLED_BACK]);
    assert!(filtered.contains("EnableFirewall") && !filtered.contains("message 1 ·"), "{filtered}");
    assert!(run(&["export", "--to", "jsonl", "--filter", "rule = firewall", ROLLED_BACK]).lines().count() == 1);
    assert!(run(&["view", ROLLED_BACK]).contains("ACME-001"));
    assert!(run(&["diff", "samples/clean.pcap", ROLLED_BACK]).contains("ACME-001"));
    assert!(run(&["explain", "acme-001"]).contains("when: item.target.contains(\"Firewall\")"));
    assert!(run(&["rules"]).contains("ACME-001"));
    let listed = json(&["rules", "--format", "json", "--rules", name(&rules)]);
    let last = listed["rules"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["id"], &last["family"], &last["scope"]), (&"ACME-001".into(), &"ACME".into(), &"item".into()));
}

fn wrong(arguments: &[&str]) -> Vec<String> {
    let output = dmscope(arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn all_that_is_wrong_is_said_in_one_run() {
    let rules = folder(&[
        ("ACME-001", "one", "when = '''\nitem.targt == \"x\"\n  && itm.x'''\nmessage = '{item'\n"),
        ("ACME-002", "two", "scope = \"itm\"\nseverity = { oma = \"bad\", windows = \"info\" }\nfault = \"me\"\n"),
        (
            "ACME-003",
            "three",
            "on = [\"Replase\"]\nsilences = { session = [\"DM-MSG-001\"] }\nwhen = \"item.data == \\\"ä\\\" &&\"\n",
        ),
        ("ACME-004", "four", "nme = 1\n"),
        ("acme", "Five", ""),
        ("DM-ACME-001", "six", ""),
        ("MSG-099", "seven", ""),
        ("ACME-005", "msgid-gap", ""),
        ("ACME-006", "one", "scope = \"session\"\nwhen = 'session.whole'\nmessage = 'x'\nat = 'session.key'\n"),
        ("ACME-007", "element", "scope = \"element\"\nwhen = 'true'\nmessage = ' '\npartial = true\n"),
    ]);
    std::fs::write(rules.path().join("ACME-009-other-name.md"), page("ACME-008", "eight", "")).unwrap();
    std::fs::write(rules.path().join("notes.md"), "# no rule\n").unwrap();
    std::fs::write(rules.path().join("binary.md"), [0xff, 0xfe]).unwrap();
    std::fs::write(rules.path().join("README.md"), "# about these rules\n").unwrap();
    let lines = wrong(&["lint", "--rules", name(&rules), "samples/clean.pcap"]);
    insta::assert_snapshot!(lines.join("\n").replace(&format!("{}/", name(&rules)), ""));
}

#[test]
fn a_directory_that_is_none_is_said_so() {
    let empty = tempfile::tempdir().unwrap();
    assert!(
        wrong(&["lint", "--rules", "no/such/folder", "samples/clean.pcap"])[0].contains("no/such/folder: No such file")
    );
    assert!(wrong(&["lint", "--rules", name(&empty), "samples/clean.pcap"])[0].contains("no page of a rule in it"));
    let (a, b) = (folder(&[("A-1", "one", "")]), folder(&[("A-1", "two", ""), ("B-1", "one", "")]));
    let lines = wrong(&["lint", "--rules", name(&a), "--rules", name(&b), "samples/clean.pcap"]);
    assert!(
        lines.len() == 2
            && lines[0].contains("the id A-1 is that of ")
            && lines[1].contains("the name one is that of ")
    );
    // The same one twice is no clash.
    assert_eq!(
        dmscope(&["lint", "--rules", name(&a), "--rules", name(&a), "samples/clean.pcap"]).status.code(),
        Some(0)
    );
}

#[test]
fn pages_lie_in_folders_too_and_end_lines_as_they_like() {
    let rules = tempfile::tempdir().unwrap();
    std::fs::create_dir(rules.path().join("network")).unwrap();
    let text = format!("\u{feff}{}", page("ACME-001", "firewall", "")).replace('\n', "\r\n");
    std::fs::write(rules.path().join("network/ACME-001-firewall.md"), text).unwrap();
    let report = json(&["lint", "--rules", name(&rules), "--select", "ACME", "--format", "json", ROLLED_BACK]);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn a_rule_that_takes_too_long_is_stopped_and_said_so() {
    let ten = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
    let nested = "abcdef"
        .chars()
        .fold("CONDITION".to_owned(), |all, name| all.replace("CONDITION", &format!("{ten}.all({name}, CONDITION)")));
    let slow = format!("scope = \"session\"\nmessage = 'x'\nwhen = '{}'\n", nested.replace("CONDITION", "a + f > 0"));
    let broken = "when = 'int(item.data) > 0'\nmessage = 'x'\n";
    let rules = folder(&[("ACME-001", "slow", &slow), ("ACME-002", "broken", broken)]);
    let arguments = ["lint", "--rules", name(&rules), "--select", "ACME", "samples/md5-sessions.pcap", ROLLED_BACK];
    let text = stdout(&arguments);
    assert!(text.contains("Not judged by a rule\n"), "{text}");
    assert!(text.contains("ACME-001: its budget of 2000000 steps is used up\n"), "{text}");
    assert!(text.contains("ACME-002: `when` has no result: int() of a string that is no number; so for "), "{text}");
    let report = json(&[&arguments[..], &["--format", "json"]].concat());
    let holes = report["not_judged_by"].as_array().unwrap();
    assert!(holes.iter().any(|hole| hole["rule"] == "ACME-002" && hole["count"].as_u64() > Some(1)), "{holes:?}");
    let sarif = stdout(&[&arguments[..], &["--format", "sarif"]].concat());
    assert!(sarif.contains("not judged by ACME-002"));
    for format in ["junit", "markdown", "jsonl"] {
        assert!(stdout(&[&arguments[..], &["--format", format]].concat()).contains("ACME-002"), "{format}");
    }
}

#[test]
fn a_session_of_which_a_part_is_missing_is_not_judged_unless_the_rule_says_so() {
    let never = "scope = \"session\"\nwhen = '!session.commands.exists(c, c.name == \"Exec\")'\nmessage = 'no Exec'\n";
    let rules = folder(&[("ACME-001", "strict", never), ("ACME-002", "lenient", &format!("{never}partial = true\n"))]);
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/clean.pcap");
    let bytes = std::fs::read(sample).unwrap();
    let cut = rules.path().join("cut.pcap");
    std::fs::write(&cut, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let arguments = ["lint", "--rules", name(&rules), "--select", "ACME", "--format", "json", cut.to_str().unwrap()];
    let report = json(&arguments);
    let found: Vec<&str> = report["findings"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
    assert_eq!(found, ["ACME-002"]);
    assert_eq!(report["not_judged_by"][0]["rule"], "ACME-001");
    assert_eq!(report["not_judged_by"][0]["reason"], "a part of the session was not captured");
}

#[test]
fn secrets_are_masked_in_what_own_rules_say() {
    let rules = folder(&[(
        "ACME-001",
        "data",
        "when = 'has(item.data)'\nmessage = 'Data is <{item.data}> {item.data.size()}'\n",
    )]);
    let text = stdout(&[
        "lint",
        "--rules",
        name(&rules),
        "--select",
        "ACME",
        "--format",
        "concise",
        "tests/cmd/show.in/session",
    ]);
    assert!(text.contains("Data is <********> ********") && !text.contains("correct horse"), "{text}");
}

#[test]
fn the_output_does_not_depend_on_the_number_of_threads() {
    let rules = folder(&[("ACME-001", "any", "when = 'item.index >= 1'\nmessage = '{session.key} {item.target}'\n")]);
    let run = |jobs| stdout(&["lint", "--rules", name(&rules), "--jobs", jobs, "samples"]);
    assert_eq!(run("1"), run("5"));
}

/// What `dmscope rules fields` says, in Markdown.
fn tables() -> String {
    let mut out = String::new();
    for table in dmscope::rules::own::reference() {
        let typed = table.rows.iter().any(|[_, of, _]| !of.is_empty());
        let (head, line) = match (table.title.as_str(), typed) {
            ("scopes", _) => ("| scope | what is known by name |", "|---|---|"),
            (_, true) => ("| name | type | what it is |", "|---|---|---|"),
            (_, false) => ("| name | what it is |", "|---|---|"),
        };
        out += &format!("### {}\n\n{head}\n{line}\n", table.title);
        for [name, of, doc] in &table.rows {
            let of = if typed { format!("`{of}` | ") } else { String::new() };
            out += &format!("| `{name}` | {of}{doc} |\n");
        }
        out += "\n";
    }
    out
}

/// `DMSCOPE_FIELDS=remake` writes them into the page.
#[test]
fn the_page_lists_all_that_expressions_can_name() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/own-rules.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- fields -->\n").unwrap();
    let (listed, after) = rest.split_once("<!-- end of fields -->").unwrap();
    let expected = format!("\n{}", tables());
    if std::env::var("DMSCOPE_FIELDS").is_ok_and(|wish| wish == "remake") {
        std::fs::write(&path, format!("{before}<!-- fields -->\n{expected}<!-- end of fields -->{after}")).unwrap();
        return;
    }
    assert_eq!(listed, expected, "DMSCOPE_FIELDS=remake cargo test --test own_rules writes the tables");
}

#[test]
fn the_configuration_file_names_own_rules_and_sets_them() {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("ours")).unwrap();
    for (id, own) in [("ACME-001", "firewall"), ("ACME-002", "other")] {
        std::fs::write(place.path().join(format!("ours/{id}-{own}.md")), page(id, own, "")).unwrap();
    }
    let file = place.path().join("dmscope.toml");
    let found = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let report = json(&["lint", "--config", file.to_str().unwrap(), "--format", "json", ROLLED_BACK]);
        let own = report["findings"].as_array().unwrap().clone();
        let told =
            own.iter().map(|finding| (finding["rule"].as_str().unwrap().to_owned(), finding["severity"].clone()));
        told.filter(|(id, _)| id.starts_with("ACME")).map(|(id, level)| format!("{id} {level}")).collect::<Vec<_>>()
    };
    assert_eq!(found("own-rules = \"ours\"\n"), ["ACME-001 \"warning\"", "ACME-002 \"warning\""]);
    let levels = "own-rules = [\"ours\"]\nignore = [\"other\"]\n[rules]\nACME = \"info\"\nfirewall = \"error\"\n";
    assert_eq!(found(levels), ["ACME-001 \"error\""]);
    let shown = stdout(&["lint", "--config", file.to_str().unwrap(), "--show-config"]);
    assert!(shown.contains("own-rules = [\"ours\"]") && shown.contains("ACME-001 = \"error\""), "{shown}");
    std::fs::write(&file, "own-rules = \"ours\"\n[rules]\nfirewal = \"info\"\n").unwrap();
    let said = wrong(&["lint", "--config", file.to_str().unwrap(), "samples/clean.pcap"]);
    assert!(
        said[0].ends_with("dmscope.toml:3:1: no rule or family is named \"firewal\"; did you mean \"firewall\"?"),
        "{said:?}"
    );
    std::fs::write(place.path().join("ours/ACME-002-other.md"), page("ACME-002", "other", "when = 'itm.x'\n")).unwrap();
    let said = wrong(&["lint", "--config", file.to_str().unwrap(), "samples/clean.pcap"]);
    assert!(said.len() == 1 && said[0].contains("ours/ACME-002-other.md:"), "{said:?}");
}

fn tested(rules: &tempfile::TempDir) -> (Option<i32>, String) {
    let output = dmscope(&["rules", "test", name(rules)]);
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_examples_of_the_docs_hold() {
    let output = dmscope(&["rules", "test", "docs/examples/rules"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.ends_with("10 rules, 23 examples: all hold\n"), "{text}");
}

#[test]
fn a_new_page_holds_and_takes_the_next_number() {
    let place = tempfile::tempdir().unwrap();
    let new = |arguments: &[&str]| dmscope(&[&["rules", "new"], arguments, &[name(&place)]].concat());
    assert!(new(&["first"]).status.success());
    assert!(new(&["second", "--prefix", "ACME"]).status.success());
    assert!(String::from_utf8_lossy(&new(&["third", "--prefix", "ACME"]).stdout).contains("ACME-002-third.md"));
    assert_eq!(tested(&place), (Some(0), stdout(&["rules", "test", name(&place)])));
    assert!(tested(&place).1.ends_with("3 rules, 6 examples: all hold\n"));
    for (arguments, said) in [
        (&["second"][..], "ACME-001-second.md has this name already"),
        (&["No-Name"], "\"No-Name\" is no name of a rule"),
        (&["fine", "--prefix", "DM-MSG"], "ids that begin with DM-"),
        (&["fine", "--prefix", "x"], "is no id"),
    ] {
        let output = new(arguments);
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{arguments:?}");
        assert_eq!(output.status.code(), Some(2));
    }
}

/// The page that `rules new` writes, changed.
fn changed(old: &str, new: &str) -> (Option<i32>, String) {
    let place = tempfile::tempdir().unwrap();
    dmscope(&["rules", "new", "camera", "--prefix", "ACME", name(&place)]);
    let path = place.path().join("ACME-001-camera.md");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{old}");
    std::fs::write(&path, text.replacen(old, new, 1)).unwrap();
    tested(&place)
}

#[test]
fn examples_that_do_not_hold_are_told() {
    for (old, new, said) in [
        (" <!-- ACME-001 -->", "", "nothing in it is marked <!-- ACME-001 -->"),
        ("</Meta>\n    <Data>0</Data>", "</Meta>\n    <Data>2</Data>", "not marked: warning ACME-001 camera"),
        (
            "<Data>1</Data>",
            "<Data>0</Data>",
            "no finding ACME-001 where the block of line 24 marks what ends with </Item>",
        ),
        ("item.data != ", "item.data == ", "no finding ACME-001"),
        ("<Data>1</Data>", "<Data>1</Data><Data>2</Data>", "not marked: error DM-"),
        ("## Good", "## Fine", "an example outside of a section Bad or Good"),
        ("```syncml server 1", "```syncml sever 1", "client or server expected"),
        ("```syncml server 1", "```syncml server 1 lots", "\"lots\" is no word of an info line"),
        ("```syncml server 1", "```soap server discover", "only syncml, wbxml and http blocks can be run here"),
        ("```syncml server 1\n…", "```wbxml server 1\n…\nXY => 01", "line 24: \"XY\" is no byte"),
        ("```syncml server 1\n…", "```wbxml server 1\n…\nFF FF FF => 01", "[FF, FF, FF] is not in"),
        ("```syncml client 2\n…\n```", "```syncml client 2\n…\n", "not marked: error DM-SES-018"),
    ] {
        let (code, text) = changed(old, new);
        assert_eq!(code, Some(1), "{new}: {text}");
        assert!(text.contains("FAIL  line ") && text.contains(said), "{new}: {text}");
    }
    assert_eq!(changed("syncml server 1", "wbxml server 1").0, Some(0));
    // No time that can be: the messages cannot be told apart by it.
    assert_eq!(changed("syncml server 1", "syncml server 1 after=1e30").0, Some(1));
}
