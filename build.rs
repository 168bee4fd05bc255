//! Makes the list of rules from the pages in `rules/`, so that a page is the only place that describes a rule.
//!
//! A page without a function fails to compile (unknown function); a function without a page is dead code, which
//! the lints refuse.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[allow(dead_code, reason = "some of it is for a team's own rules")]
#[path = "src/rules/page.rs"]
mod page;

use page::{Front, OptionOfRule};

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
    let page = page::front(&text).unwrap_or_else(|(at, error)| panic!("{} at byte {at}: {error}", path.display()));
    let (id, name) = (page.id.get_ref(), page.name.get_ref());
    assert_eq!(stem(path), format!("{id}-{name}"), "{}: file name is not ID-name.md", path.display());
    let family = id.rsplit_once('-').map(|(family, _)| family).unwrap_or_else(|| panic!("{}: id", path.display()));
    let full = page.fault.is_some() && !page.since.is_empty() && !page.spec.is_empty();
    assert!(full, "{}: fault, since or spec is missing", path.display());
    let of_own = page.when.is_some() || page.message.is_some() || page.at.is_some() || page.partial;
    assert!(!of_own, "{}: when, message, at and partial are of own rules", path.display());
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
        "Rule {{ id: {:?}, name: {:?}, family: {family:?}, summary: {:?}, fix: {:?}, oma: {}, windows: {}, fault: Fault::{}, scope: Scope::{}, since: {:?}, spec: &{:?}, silences: &[{silences}], secrets: {}, gate: {}, options: &[{}], page: include_str!({:?}), check: {} }},\n",
        id,
        name,
        page.summary,
        page.fix,
        severity(page.severity.oma.get_ref()),
        severity(page.severity.windows.get_ref()),
        capital(page.fault.as_ref().map_or("", |fault| fault.get_ref())),
        capital(page.scope.get_ref()),
        page.since,
        page.spec,
        // A provisioning document comes in a token, which is a secret as a whole.
        page.secrets || page.subject.as_deref() == Some("provisioning"),
        gate(path, &page),
        page.options.iter().map(|(name, option)| listed(path, name, option)).collect::<String>(),
        path.display().to_string(),
        check(path, &page),
    );
    let options = match page.options.is_empty() {
        true => String::new(),
        false => {
            let constants = page.options.iter().map(|(name, option)| constant(name, option));
            format!("pub(in crate::rules) mod {} {{\n{}}}\n", name.replace('-', "_"), constants.collect::<String>())
        }
    };
    MadeRule { id: id.clone(), expression: rule, options }
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

/// What an element must show for the function to be called.
fn gate(path: &Path, page: &Front) -> String {
    let tags = |names: &[String]| names.iter().map(|name| format!("Tag::{name}, ")).collect::<String>();
    let signs: Vec<String> = page.signs.iter().map(|name| format!("gate::sign::{}", name.replace('-', "_"))).collect();
    let signs = if signs.is_empty() { "0".to_owned() } else { signs.join(" | ") };
    assert!(page.lacks.is_empty() || !page.on.is_empty(), "{}: lacks is about the elements of `on`", path.display());
    let is_gated = !page.has.is_empty() || !page.signs.is_empty();
    let is_called = page.anomaly.is_empty() && page.subject.is_none() && !page.encrypted && !page.any_message;
    assert!(
        is_called || !is_gated,
        "{}: has and signs are about elements, readable messages and sessions",
        path.display()
    );
    let (has, lacks) = (tags(&page.has), tags(&page.lacks));
    format!("Gate {{ has: gate::any_of(&[{has}]), lacks: gate::any_but(&[{lacks}]), signs: {signs} }}")
}

fn check(path: &Path, page: &Front) -> String {
    let function = format!("{}::{}", stem(path.parent().unwrap_or(path)), page.name.get_ref().replace('-', "_"));
    let list = |names: &[&str], kind: &str| names.iter().map(|name| format!("{kind}::{name}, ")).collect::<String>();
    let anomalies: Vec<&str> = page.anomaly.iter().map(String::as_str).collect();
    let on: Vec<&str> = page.on.iter().map(|name| name.get_ref().as_str()).collect();
    if let Some(subject) = &page.subject {
        let known = ["exchange", "enrollment", "provisioning", "notification"].contains(&subject.as_str());
        let alone = page.anomaly.is_empty() && page.on.is_empty() && !page.any_message && !page.encrypted;
        assert!(known && alone, "{}: subject {subject:?} does not stand alone or is none", path.display());
        return format!("Check::{}({function})", capital(subject));
    }
    match (page.scope.get_ref().as_str(), page.anomaly.is_empty(), page.on.is_empty(), page.any_message) {
        (_, false, true, false) => format!("Check::Anomaly(&[{}])", list(&anomalies, "anomaly::Kind")),
        (_, true, false, false) => format!("Check::Element(&[{}], {function})", list(&on, "Tag")),
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
