//! The arrows of `docs/architecture.md`: which module may name which; how long a file may be, and where `unsafe` stands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What lies beneath all: every module may name these, and each of these those before it.
const BENEATH: &[&str] =
    &["bug", "time", "limits", "escape", "near", "pattern", "table", "origin", "anomaly", "octets", "stream"];

/// What each module may name besides. A file with arrows of its own is a layer of its own.
const ARROWS: &[(&str, &[&str])] = &[
    ("capture", &[]),
    ("link", &["capture", "defrag", "push", "tcp"]),
    ("defrag", &[]),
    ("push", &[]),
    ("reach", &["http", "link", "tcp"]),
    ("tcp", &[]),
    ("x509", &[]),
    ("tls", &["x509"]),
    ("http", &["tcp", "tls"]),
    ("syncml", &["http", "push"]),
    ("enroll", &["http", "syncml", "x509"]),
    ("xml", &["syncml"]),
    ("wbxml", &["syncml"]),
    ("transcript", &["http", "push", "syncml", "tls", "xml"]),
    ("syncml/read", &["enroll", "http", "syncml", "transcript", "wbxml", "xml"]),
    ("session", &["enroll", "http", "push", "syncml", "tls", "transcript", "xml"]),
    ("credentials", &["syncml"]),
    ("rules", &["credentials", "enroll", "http", "push", "session", "syncml", "tls", "x509", "xml"]),
    ("suppress", &["rules", "session", "syncml"]),
    ("story", &["enroll", "http", "push", "reach", "rules", "session", "syncml", "tls"]),
    (
        "report",
        &[
            "examples", "story", "suppress", "http", "push", "tls", "x509", "rules", "session", "syncml", "engine",
            "input", "capture",
        ],
    ),
    ("input", &["capture", "transcript"]),
    ("diff", &["http", "rules", "session", "syncml"]),
    ("export", &["http", "session", "syncml", "transcript", "xml"]),
    ("examples", &["credentials", "http", "push", "rules", "session", "syncml", "transcript", "wbxml", "xml"]),
    ("workers", &[]),
    ("filter", &["rules", "session", "syncml"]),
    (
        "tui",
        &[
            "credentials",
            "diff",
            "engine",
            "export",
            "filter",
            "http",
            "input",
            "report",
            "rules",
            "session",
            "story",
            "suppress",
            "syncml",
            "tls",
        ],
    ),
];

/// The ends of the picture, which know the whole.
const ENDS: &[&str] = &["cli", "commands", "config", "engine", "lib", "live", "main"];

const MAX_LINES: usize = 800;

#[test]
fn modules_name_only_what_their_arrows_allow() {
    let mut wrong = Vec::new();
    for (path, text) in files("src").into_iter().filter(|(path, _)| !is_test(path)) {
        let module = module_of(&path);
        if ENDS.contains(&module.as_str()) {
            continue;
        }
        let Some(allowed) = allowed(&module) else {
            wrong.push(format!("{}: the module {module} has no arrows in tests/layers.rs", path.display()));
            continue;
        };
        for (line, named) in names(&text) {
            if named != module && !allowed.contains(&named.as_str()) {
                wrong.push(format!("{}:{line}: {module} must not name {named}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn arrows_make_no_circle() {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    fn reach<'a>(from: &'a str, arrows: &BTreeMap<&'a str, &'a [&'a str]>, trail: &mut Vec<&'a str>) {
        assert!(!trail.contains(&from), "{} > {from}", trail.join(" > "));
        trail.push(from);
        arrows.get(from).into_iter().flat_map(|to| to.iter()).for_each(|to| reach(to, arrows, trail));
        trail.pop();
    }
    ARROWS.iter().for_each(|(from, _)| reach(from, &arrows, &mut Vec::new()));
}

#[test]
fn no_file_is_longer_than_one_can_hold_in_the_head() {
    let long: Vec<String> = ["src", "tests"]
        .iter()
        .flat_map(|folder| files(folder))
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(path, lines)| format!("{}: {lines} lines, at most {MAX_LINES}", path.display()))
        .collect();
    assert!(long.is_empty(), "\n{}\n", long.join("\n"));
}

#[test]
fn unsafe_code_stands_once_in_one_file() {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let with = |word: &str| -> Vec<String> {
        let lines = files("src").into_iter().flat_map(|(path, text)| {
            let count = text.lines().filter(is_code).filter(|line| line.contains(word)).count();
            let path = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            std::iter::repeat_n(path, count)
        });
        lines.collect()
    };
    assert_eq!(with("unsafe {"), ["src/capture/map.rs"]);
    // The lint denies it wherever it is not allowed.
    assert_eq!(with("allow(unsafe_code"), ["src/capture/map.rs"]);
}

/// A module of tests in a file of its own, or in a folder of such.
fn is_test(path: &Path) -> bool {
    path.with_extension("").components().any(|part| part.as_os_str() == "tests")
}

fn allowed(module: &str) -> Option<Vec<&'static str>> {
    if let Some(at) = BENEATH.iter().position(|name| *name == module) {
        return Some(BENEATH[..at].to_vec());
    }
    let (_, arrows) = ARROWS.iter().find(|(name, _)| *name == module)?;
    Some([BENEATH, arrows].concat())
}

/// The top-level module of a file below `src`; the file itself, when it has arrows.
fn module_of(path: &Path) -> String {
    let below = path.strip_prefix(root().join("src")).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let below = below.trim_end_matches(".rs");
    let own = ARROWS.iter().any(|(name, _)| *name == below);
    if own { below.to_owned() } else { below.split('/').next().unwrap_or_default().to_owned() }
}

/// The modules that a file names by `crate::`, with their lines; its tests and comments do not count.
fn names(text: &str) -> Vec<(usize, String)> {
    let code = text.lines().take_while(|line| *line != "#[cfg(test)]").enumerate();
    let code = code.filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.flat_map(|(number, line)| {
        line.split("crate::").skip(1).flat_map(named).map(move |name| (number + 1, name)).collect::<Vec<_>>()
    })
    .collect()
}

/// `http::{Body, Half}` names `http`; `{http, tcp::Flags}` names both.
fn named(rest: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim()
            .chars()
            .take_while(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || *letter == '_')
            .collect()
    };
    let names: Vec<String> = match rest.strip_prefix('{') {
        Some(group) => group.split([',', '}']).map(word).collect(),
        None => vec![word(rest)],
    };
    names.into_iter().filter(|name| !name.is_empty()).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder of the project, with their text.
fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the project").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a readable file");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "no Rust files below {folder}");
    found.sort();
    found
}

#[test]
fn names_are_read_from_use_lines() {
    let text = "use crate::http::{Body, Half};\n// crate::tcp\nuse crate::{time, origin::Span};\nfn a() -> crate::xml::B {}\n#[cfg(test)]\nuse crate::rules;";
    let names: Vec<String> = names(text).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["http", "time", "origin", "xml"]);
}
