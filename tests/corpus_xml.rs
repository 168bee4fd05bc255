//! Every published document of the corpus through the XML reader: what is well-formed has no note, what is not has one.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::path::{Path, PathBuf};

use dmscope::anomaly::Kind;
use dmscope::limits::Limits;
use dmscope::syncml::Doc;
use dmscope::xml;

fn corpus() -> Option<PathBuf> {
    let found = std::env::var_os("DMSCOPE_CORPUS").map(|root| Path::new(&root).join("corpus"));
    if found.is_none() {
        eprintln!("SKIPPED: DMSCOPE_CORPUS is not set, no corpus document was read");
    }
    found
}

/// File, and what the manifest says of its form.
fn documents(corpus: &Path) -> Vec<(PathBuf, String)> {
    let manifest = std::fs::read_to_string(corpus.join("manifest.tsv")).unwrap();
    let mut lines = manifest.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let column = head.iter().position(|name| *name == "well_formed").unwrap();
    lines.filter(|line| line[0].ends_with(".xml")).map(|line| (corpus.join(line[0]), line[column].to_owned())).collect()
}

fn faults(doc: &Doc) -> Vec<String> {
    let faults = doc.notes.iter().filter(|note| note.kind == Kind::XmlNotWellFormed);
    faults.map(|note| format!("{}..{} {}", note.span.start, note.span.end, note.detail)).collect()
}

#[test]
fn faults_are_found_where_the_manifest_says_and_nowhere_else() {
    let Some(corpus) = corpus() else { return };
    let mut wrong = Vec::new();
    let mut read = 0;
    for (path, form) in documents(&corpus) {
        let body = std::fs::read(&path).unwrap();
        let doc = xml::parse(&body.into(), &Limits::default());
        let faults = faults(&doc);
        let right = match form.as_str() {
            "yes" => faults.is_empty() && !doc.is_empty(),
            "no" => !faults.is_empty(),
            // Several roots, or a declared encoding that it does not have.
            "as-fragment" => !doc.notes.is_empty() && !doc.is_empty(),
            _ => true,
        };
        read += 1;
        if !right {
            wrong.push(format!("{} ({form}): {faults:?}", path.display()));
        }
    }
    assert!(read > 300, "only {read} documents");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
