//! Makes the list of rules from the pages in `rules/`, so that a page is the only place that describes a rule.
//!
//! A page without a function fails to compile (unknown function); a function without a page is dead code, which
//! the lints refuse.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    id: String,
    name: String,
    summary: String,
    fix: String,
    severity: Severities,
    fault: String,
    scope: String,
    since: String,
    spec: Vec<String>,
    /// Element names: the function is called for each such element.
    #[serde(default)]
    on: Vec<String>,
    /// Anomaly kinds (variant names): there is no function.
    #[serde(default)]
    anomaly: Vec<String>,
    /// The function wants connections that could not be decrypted.
    #[serde(default)]
    encrypted: bool,
    /// What of an enrollment the function is called for: `exchange`, `enrollment`, `provisioning`.
    subject: Option<String>,
    /// The function also wants messages that could not be read.
    #[serde(default)]
    any_message: bool,
    /// What it says depends on the text of secrets: where an export redacted them it does not judge.
    #[serde(default)]
    secrets: bool,
    #[serde(default)]
    silences: Silences,
    /// Why the page differs from the catalog it was made from: for the tests alone.
    #[serde(default, rename = "catalog-differs")]
    _catalog_differs: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Severities {
    oma: String,
    windows: String,
}

#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Silences {
    session: Vec<String>,
    message: Vec<String>,
    element: Vec<String>,
}

fn main() {
    println!("cargo::rerun-if-changed=rules");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut pages: Vec<PathBuf> = Vec::new();
    let mut families: Vec<String> = Vec::new();
    for folder in entries(&root.join("rules")).into_iter().filter(|path| path.is_dir()) {
        println!("cargo::rerun-if-changed={}", folder.display());
        families.push(stem(&folder));
        pages.extend(entries(&folder).into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "md")));
    }
    let mut rules: Vec<(String, String)> = pages.iter().map(|path| rule(path)).collect();
    rules.sort();
    let mut out = String::new();
    for family in families {
        let file = root.join("src/rules").join(format!("{family}.rs"));
        let folder = root.join("src/rules").join(&family).join("mod.rs");
        let source = if file.exists() { file } else { folder };
        if source.exists() {
            writeln!(out, "#[path = {source:?}]\nmod {family};").expect("writes to a string");
        }
    }
    writeln!(out, "/// All rules, by id.\npub static ALL: &[Rule] = &[").expect("writes to a string");
    for (_, rule) in rules {
        out.push_str(&rule);
    }
    out.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("rules.rs"), out)
        .expect("OUT_DIR is writable");
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(folder).map(|dir| dir.flatten().map(|entry| entry.path()).collect()).unwrap_or_default();
    all.sort();
    all
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The id and the Rust expression of the rule of a page.
fn rule(path: &Path) -> (String, String) {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let front = text.strip_prefix("+++\n").and_then(|rest| rest.split_once("\n+++\n")).map(|(front, _)| front);
    let front = front.unwrap_or_else(|| panic!("{}: no front matter between +++ lines", path.display()));
    let page: Page = toml::from_str(front).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(stem(path), format!("{}-{}", page.id, page.name), "{}: file name is not ID-name.md", path.display());
    let family = page.id.rsplit_once('-').map(|(family, _)| family).unwrap_or_else(|| panic!("{}: id", path.display()));
    let severity = |word: &str| match word {
        "error" => "Some(Severity::Error)",
        "warn" | "warning" => "Some(Severity::Warning)",
        "info" => "Some(Severity::Info)",
        "off" => "None",
        other => panic!("{}: severity {other:?}", path.display()),
    };
    let silences: String =
        [("Session", &page.silences.session), ("Message", &page.silences.message), ("Element", &page.silences.element)]
            .iter()
            .filter(|(_, ids)| !ids.is_empty())
            .map(|(reach, ids)| format!("(Reach::{reach}, &{ids:?}),"))
            .collect();
    let rule = format!(
        "Rule {{ id: {:?}, name: {:?}, family: {family:?}, summary: {:?}, fix: {:?}, oma: {}, windows: {}, fault: Fault::{}, scope: Scope::{}, since: {:?}, spec: &{:?}, silences: &[{silences}], secrets: {}, page: include_str!({:?}), check: {} }},\n",
        page.id,
        page.name,
        page.summary,
        page.fix,
        severity(&page.severity.oma),
        severity(&page.severity.windows),
        capital(&page.fault),
        capital(&page.scope),
        page.since,
        page.spec,
        // A provisioning document comes in a token, which is a secret as a whole.
        page.secrets || page.subject.as_deref() == Some("provisioning"),
        path.display().to_string(),
        check(path, &page),
    );
    (page.id, rule)
}

fn check(path: &Path, page: &Page) -> String {
    let function = format!("{}::{}", stem(path.parent().unwrap_or(path)), page.name.replace('-', "_"));
    let list = |names: &[String], kind: &str| names.iter().map(|name| format!("{kind}::{name}, ")).collect::<String>();
    if let Some(subject) = &page.subject {
        let known = ["exchange", "enrollment", "provisioning"].contains(&subject.as_str());
        let alone = page.anomaly.is_empty() && page.on.is_empty() && !page.any_message && !page.encrypted;
        assert!(known && alone, "{}: subject {subject:?} does not stand alone or is none", path.display());
        return format!("Check::{}({function})", capital(subject));
    }
    match (page.scope.as_str(), page.anomaly.is_empty(), page.on.is_empty(), page.any_message) {
        (_, false, true, false) => format!("Check::Anomaly(&[{}])", list(&page.anomaly, "anomaly::Kind")),
        (_, true, false, false) => format!("Check::Element(&[{}], {function})", list(&page.on, "Tag")),
        (_, true, true, true) => format!("Check::AnyMessage({function})"),
        ("message", true, true, false) => format!("Check::Message({function})"),
        ("session" | "capture", true, true, false) if page.encrypted => format!("Check::Encrypted({function})"),
        ("session", true, true, false) => format!("Check::Session({function})"),
        ("capture", true, true, false) => format!("Check::Capture({function})"),
        _ => panic!("{}: scope, on, anomaly and any_message do not go together", path.display()),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
