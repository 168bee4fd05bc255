//! Makes the list of rules from the pages in `rules/`, so that a page is the only place that describes a rule.
//!
//! A page without a function fails to compile (unknown function); a function without a page is dead code, which
//! the lints refuse.

use std::collections::BTreeMap;
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
    /// What the user may set.
    #[serde(default)]
    options: BTreeMap<String, OptionOfRule>,
    /// Why the page differs from the catalog it was made from: for the tests alone.
    #[serde(default, rename = "catalog-differs")]
    _catalog_differs: Option<String>,
}

/// What of a rule the user may set: a number with its bounds, or words to add to those the rule knows.
#[derive(serde::Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum OptionOfRule {
    Number { default: u32, least: u32, most: u32, about: String },
    Words { default: Vec<String>, about: String },
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
    let mut rules: Vec<MadeRule> = pages.iter().map(|path| rule(path)).collect();
    rules.sort_by(|a, b| a.id.cmp(&b.id));
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
    rules.iter().for_each(|rule| out.push_str(&rule.expression));
    out.push_str("];\n");
    // An option that no function reads is dead code.
    writeln!(
        out,
        "/// The options of rules, a module for each rule that has some.\npub(in crate::rules) mod options {{"
    )
    .expect("writes to a string");
    rules.iter().for_each(|rule| out.push_str(&rule.options));
    out.push_str("}\n");
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

/// What is made of a page.
struct MadeRule {
    id: String,
    /// The rule in Rust.
    expression: String,
    /// A module with its options in Rust; empty without any.
    options: String,
}

fn rule(path: &Path) -> MadeRule {
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
        "Rule {{ id: {:?}, name: {:?}, family: {family:?}, summary: {:?}, fix: {:?}, oma: {}, windows: {}, fault: Fault::{}, scope: Scope::{}, since: {:?}, spec: &{:?}, silences: &[{silences}], secrets: {}, options: &[{}], page: include_str!({:?}), check: {} }},\n",
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
        page.options.iter().map(|(name, option)| listed(path, name, option)).collect::<String>(),
        path.display().to_string(),
        check(path, &page),
    );
    let options = match page.options.is_empty() {
        true => String::new(),
        false => {
            let constants = page.options.iter().map(|(name, option)| constant(name, option));
            format!(
                "pub(in crate::rules) mod {} {{\n{}}}\n",
                page.name.replace('-', "_"),
                constants.collect::<String>()
            )
        }
    };
    MadeRule { id: page.id, expression: rule, options }
}

/// An option as the list of its rule has it.
fn listed(path: &Path, name: &str, option: &OptionOfRule) -> String {
    let (kind, about) = match option {
        OptionOfRule::Number { default, least, most, about } => {
            assert!(
                (least..=most).contains(&default),
                "{}: option {name}: its default is out of bounds",
                path.display()
            );
            (format!("OptionKind::Number {{ default: {default}, least: {least}, most: {most} }}"), about)
        }
        OptionOfRule::Words { default, about } => (format!("OptionKind::Words {{ default: &{default:?} }}"), about),
    };
    format!("RuleOption {{ name: {name:?}, about: {about:?}, kind: {kind} }},")
}

/// An option as the function of its rule asks for it.
fn constant(name: &str, option: &OptionOfRule) -> String {
    let upper = name.replace('-', "_").to_uppercase();
    match option {
        OptionOfRule::Number { default, .. } => format!(
            "    pub(in crate::rules) const {upper}: super::super::NumberOption = super::super::NumberOption {{ name: {name:?}, default: {default} }};\n"
        ),
        OptionOfRule::Words { default, .. } => format!(
            "    pub(in crate::rules) const {upper}: super::super::WordsOption = super::super::WordsOption {{ name: {name:?}, default: &{default:?} }};\n"
        ),
    }
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
