//! The pages against the list of rules, and against the catalog that they were made from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dmscope::rules::{ALL, Profile, Rule, Severity};

/// The pages below `rules/`.
fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let entries = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect()
    };
    let families = entries(&folder).into_iter().filter(|path| path.is_dir());
    families
        .flat_map(|family| entries(&family))
        .filter(|path| path.extension().is_some_and(|ext| ext == "md"))
        .collect()
}

#[test]
fn every_page_is_a_rule_and_every_rule_a_page() {
    let name = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let pages: BTreeSet<String> = pages().iter().filter_map(name).collect();
    let rules: BTreeSet<String> = ALL.iter().map(|rule| format!("{}-{}", rule.id, rule.name)).collect();
    assert_eq!(pages, rules);
}

#[test]
fn ids_and_names_are_unique() {
    let ids: BTreeSet<&str> = ALL.iter().map(|rule| rule.id).collect();
    let names: BTreeSet<&str> = ALL.iter().map(|rule| rule.name).collect();
    assert_eq!((ids.len(), names.len()), (ALL.len(), ALL.len()));
    for rule in ALL {
        let number = rule.id.strip_prefix(rule.family).and_then(|rest| rest.strip_prefix('-'));
        let well = number.is_some_and(|number| number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()));
        assert!(well && rule.family.starts_with("DM-"), "{}", rule.id);
        let kebab = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(rule.name.bytes().all(kebab), "{}", rule.name);
    }
}

#[test]
fn one_liners_are_worded_as_the_readme_says() {
    for rule in ALL {
        assert!(!rule.summary.ends_with('.') && !rule.summary.contains('\n'), "{}: summary", rule.id);
        assert!(rule.fix.ends_with('.') && !rule.fix.contains('\n'), "{}: fix", rule.id);
        assert!(!rule.spec.is_empty(), "{}: spec", rule.id);
        let own = rule.silences.iter().any(|(_, rules)| rules.contains(&rule.id) || rules.contains(&rule.family));
        assert!(!own, "{} silences itself", rule.id);
    }
}

/// The folder with the specification and others' documents, where it is named; says so where it is not.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
pub(crate) fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("DMSCOPE_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: set DMSCOPE_CORPUS to the folder that holds spec/rule-catalog.md");
    }
    folder
}

/// The catalog.
pub(crate) fn text() -> Option<String> {
    let path = corpus()?.join("spec/rule-catalog.md");
    Some(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// Rows of the catalog's index: id, name, oma, windows, fault, scope.
pub(crate) fn rows() -> Option<Vec<Vec<String>>> {
    let text = text()?;
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| DM-"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<String>>());
    Some(rows.filter(|row| row.len() == 6 && row[0].matches('-').count() == 2).collect())
}

#[test]
fn pages_say_what_the_catalog_says_or_why_not() {
    let Some(rows) = rows() else { return };
    assert!(rows.len() > 400, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for rule in ALL {
        let Some(row) = rows.iter().find(|row| row[0] == rule.id) else { continue };
        let page =
            [rule.name, level(rule, Profile::Oma), level(rule, Profile::Windows), rule.fault.name(), rule.scope.name()];
        if row[1..] != page && !rule.page.contains("\ncatalog-differs = ") {
            wrong.push(format!("{}: the catalog has {:?}, the page {page:?}", rule.id, &row[1..]));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn level(rule: &Rule, profile: Profile) -> &'static str {
    match rule.severity(profile) {
        Some(Severity::Error) => "error",
        Some(Severity::Warning) => "warn",
        Some(Severity::Info) => "info",
        None => "off",
    }
}

/// What a page says in its field `catalog-differs`.
fn difference(rule: &Rule) -> Option<&str> {
    let line = rule.page.lines().find_map(|line| line.strip_prefix("catalog-differs = "))?;
    Some(line.trim_matches('"'))
}

#[test]
fn the_docs_list_every_place_where_a_page_differs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/catalog-differences.md");
    let text = std::fs::read_to_string(path).expect("a page");
    let listed: Vec<&str> = text.lines().filter(|line| line.starts_with("| DM-")).collect();
    let row = |rule: &Rule| Some(format!("| {} | {} | {} |", rule.id, rule.name, difference(rule)?));
    let expected: Vec<String> = ALL.iter().filter_map(row).collect();
    assert_eq!(listed, expected, "docs/catalog-differences.md should have:\n{}\n", expected.join("\n"));
    for rule in ALL {
        let worded = |text: &str| !text.starts_with(char::is_lowercase) && text.ends_with('.');
        assert!(difference(rule).is_none_or(worded), "{}: a sentence", rule.id);
    }
}
