//! The statements that the catalog was made from, each with its rules: all of them are live.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use dmscope::limits::Limits;
use dmscope::rules::runner::Runner;
use dmscope::rules::select::Selection;
use dmscope::rules::{ALL, Profile, find};

use super::{catalog, run};

/// The families, and how many rules the catalog has of each.
const FAMILIES: [(&str, usize); 20] = [
    ("DM-CAP", 5),
    ("DM-HTTP", 19),
    ("DM-WBX", 15),
    ("DM-XML", 13),
    ("DM-SCH", 24),
    ("DM-HDR", 16),
    ("DM-SES", 27),
    ("DM-MSG", 22),
    ("DM-STA", 29),
    ("DM-ALR", 23),
    ("DM-AUT", 36),
    ("DM-ATM", 17),
    ("DM-URI", 26),
    ("DM-LOB", 18),
    ("DM-WIN", 19),
    ("DM-UNE", 27),
    ("DM-ENR", 42),
    ("DM-PRV", 35),
    ("DM-SEC", 16),
    ("DM-NOT", 12),
];

/// `DM-MSG` of `DM-MSG-010`.
fn family(id: &str) -> &str {
    id.rsplit_once('-').map_or(id, |(family, _)| family)
}

/// The ids in a cell: `DM-HTTP-001, DM-ALR-007 to DM-ALR-014, DM-URI-004 (exemption)`.
fn ids(cell: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let mut through = false;
    for word in cell.split([' ', ',']).filter(|word| !word.is_empty()) {
        if word.starts_with("DM-") {
            let (family, number) = word.rsplit_once('-').expect("a number");
            let number: u32 = number.parse().expect("a number");
            let from = ids.last().filter(|_| through).map(|id| id.rsplit_once('-').expect("a number"));
            let from = from.map_or(number, |(before, from)| {
                assert_eq!(before, family, "{cell}");
                from.parse::<u32>().expect("a number") + 1
            });
            ids.extend((from..=number).map(|number| format!("{family}-{number:03}")));
        }
        through = word == "to";
    }
    ids
}

/// The rows of the tables between the heading that begins so and the next: statement, rules.
fn statements(catalog: &str) -> Vec<(String, Vec<String>)> {
    let (_, table) = catalog.split_once("\n### 3.1 ").expect("table 3.1");
    let table = table.split("\n### ").next().expect("table 3.1");
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Statement "));
    let cells = rows.filter_map(|row| row.trim_matches('|').split_once(" | "));
    cells.map(|(statement, rules)| (statement.trim().to_owned(), ids(rules))).collect()
}

#[test]
fn ranges_of_rules_are_read() {
    let all = ["DM-ALR-003", "DM-ALR-007", "DM-ALR-008", "DM-ALR-009", "DM-URI-004"];
    assert_eq!(ids("DM-ALR-003, DM-ALR-007 to DM-ALR-009, DM-URI-004 (exemption)"), all);
    assert!(ids("screen only, not visible on the wire").is_empty());
}

#[test]
fn every_statement_has_its_rules() {
    let Some(text) = catalog::text() else { return };
    let statements = statements(&text);
    assert!(statements.len() > 55, "{} statements", statements.len());
    let mut wrong = Vec::new();
    for (statement, rules) in &statements {
        let missing: Vec<&String> = rules.iter().filter(|id| find(id).is_none()).collect();
        wrong.extend(missing.iter().map(|id| format!("{statement}: {id} is not live")));
        if rules.is_empty() && !statement.starts_with("user is told") {
            wrong.push(format!("{statement}: no rules"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_rule_of_the_catalog_is_live_and_there_are_no_others() {
    for (family, count) in FAMILIES {
        assert_eq!(ALL.iter().filter(|rule| rule.family == family).count(), count, "{family}");
    }
    assert_eq!(ALL.len(), FAMILIES.iter().map(|(_, count)| count).sum::<usize>());
    let Some(rows) = catalog::rows() else { return };
    let missing: Vec<&str> = rows.iter().map(|row| row[0].as_str()).filter(|id| find(id).is_none()).collect();
    assert!(missing.is_empty(), "not live: {missing:?}");
    for (family, count) in FAMILIES {
        assert_eq!(rows.iter().filter(|row| self::family(&row[0]) == family).count(), count, "{family}");
    }
}

#[test]
fn the_program_lists_all_rules_with_what_one_asks_of_them() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_dmscope")).args(["rules", "--format", "json"]).output().expect("runs");
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let listed = listed["rules"].as_array().expect("a list");
    let of_ours =
        |rule: &&serde_json::Value| FAMILIES.iter().any(|(family, _)| rule["family"].as_str() == Some(family));
    let all: usize = FAMILIES.iter().map(|(_, count)| count).sum();
    assert_eq!(all, 441);
    assert_eq!(listed.iter().filter(of_ours).count(), all);
    for rule in listed {
        let text = |name: &str| {
            rule[name].as_str().filter(|text| !text.is_empty()).unwrap_or_else(|| panic!("{rule}: {name}"))
        };
        let known = find(text("id")).unwrap_or_else(|| panic!("{rule}"));
        assert_eq!((text("name"), text("family"), text("scope")), (known.name, known.family, known.scope.name()));
        for (name, profile) in [("windows", Profile::Windows), ("oma", Profile::Oma)] {
            let severity = known.severity(profile).map(|severity| severity.name());
            assert_eq!(rule["profiles"][name].as_str(), severity, "{rule}: {name}");
        }
        assert!(rule["spec"].as_array().is_some_and(|spec| !spec.is_empty()), "{rule}: spec");
    }
    let ids: BTreeSet<_> = listed.iter().filter_map(|rule| rule["id"].as_str()).collect();
    assert_eq!(ids, ALL.iter().map(|rule| rule.id).collect());
}

/// Rules and how often each speaks of a file with this text.
fn counts(text: &str) -> BTreeMap<&'static str, usize> {
    let runner = Runner::new(&Selection::of(Profile::Windows), &Limits::default());
    let mut counts = BTreeMap::new();
    for session in run::as_file(text.as_bytes(), "sample.xml").sessions {
        runner.run(&session).drafts.iter().for_each(|draft| *counts.entry(draft.rule.id).or_default() += 1);
    }
    counts
}

/// The sample package of an unenrollment, as Microsoft published it (`docs/bug-stories.md` has the table).
#[test]
fn the_published_sample_yields_its_defects_each_once() {
    let Some(folder) = catalog::corpus() else { return };
    let printed = std::fs::read_to_string(folder.join("corpus/ms-docs/001.xml")).expect("the sample");
    // As printed it cannot be read: the quotes of the first attribute are character references.
    let unread = BTreeMap::from([("DM-XML-001", 1), ("DM-XML-002", 1)]);
    assert_eq!(counts(&printed), unread);
    assert_eq!(counts(&printed.replace("&#39;", "\u{2019}")), unread);
    // With straight quotes the rest shows.
    let defects = [
        // No 1200 or 1201; the second one says it of the farewell.
        "DM-SES-001",
        "DM-UNE-007",
        // Target and Source swapped.
        "DM-HDR-008",
        // A blank before the type; the second one says that a server will not know it.
        "DM-XML-010",
        "DM-UNE-004",
        // syncml:metinfo.
        "DM-XML-005",
        // CmdID 2 twice.
        "DM-MSG-009",
        // DevID alone, which Windows takes for DevId.
        "DM-SES-003",
        // The Item that the print left out.
        "DM-SCH-009",
        "DM-XML-013",
        // No defect: who began it.
        "DM-UNE-023",
    ];
    let expected: BTreeMap<_, _> = defects.into_iter().map(|id| (id, 1)).collect();
    assert_eq!(counts(&printed.replace("&#39;", "'")), expected);
}
