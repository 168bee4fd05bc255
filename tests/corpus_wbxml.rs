//! The WBXML decoder against libwbxml, on every binary of the corpus that libwbxml accepts: those of SyncML, DevInf, the
//! DDF and provisioning read the same; those of other languages are told apart.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use dmscope::anomaly::Kind;
use dmscope::limits::Limits;
use dmscope::octets::Octets;
use dmscope::syncml::{Doc, Element};
use dmscope::{wbxml, xml};

fn corpus() -> Option<PathBuf> {
    let found = std::env::var_os("DMSCOPE_CORPUS").map(|root| Path::new(&root).join("corpus"));
    if found.is_none() {
        eprintln!("SKIPPED: DMSCOPE_CORPUS is not set, no WBXML of the corpus was read");
    }
    found
}

/// The XML that libwbxml makes of a binary; `None` where the program is absent, which is told.
fn by_libwbxml(binary: &Path) -> Option<Vec<u8>> {
    match Command::new("wbxml2xml").args(["-o", "-"]).arg(binary).output() {
        Ok(output) => Some(output.stdout),
        Err(error) => {
            assert!(std::env::var_os("DMSCOPE_PEERS").is_none(), "wbxml2xml: {error}");
            eprintln!("SKIPPED: no wbxml2xml, binaries were compared with nothing");
            None
        }
    }
}

/// Names, attributes and texts in document order, without the white space that a pretty printer adds. libwbxml rewrites the types
/// of embedded documents to their XML form, since it shows them as XML; here they stay as sent.
fn outline(doc: &Doc) -> Vec<(String, String)> {
    let row = |element: Element<'_>| {
        let attributes = element.attributes().filter(|(name, _)| !name.starts_with("xmlns"));
        let attributes: String = attributes.map(|(name, value)| format!(" {name}={value}")).collect();
        (format!("{}{attributes}", element.name()), element.text().trim().replace("+wbxml", "+xml"))
    };
    doc.elements().map(row).collect()
}

#[test]
fn what_libwbxml_reads_is_read_the_same() {
    let Some(corpus) = corpus() else { return };
    let facts = std::fs::read_to_string(corpus.join("wbxml-facts.tsv")).unwrap();
    let rows = facts.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    let (mut compared, mut others) = (0, 0);
    for row in rows.filter(|row| row[2] == "yes") {
        let path = corpus.join(row[0]);
        let body: Octets = std::fs::read(&path).unwrap().into();
        let doc = wbxml::parse(&body, &Limits::default());
        if !["SyncML", "DevInf", "MgmtTree", "wap-provisioningdoc"].contains(&row[3]) {
            let told = |kind| doc.notes.iter().any(|note| note.kind == kind);
            assert!(told(Kind::WbxmlPublicId) || told(Kind::WbxmlVersion), "{}: {:?}", row[0], doc.notes);
            others += 1;
            continue;
        }
        assert_eq!(doc.root().unwrap().name(), row[3], "{}", row[0]);
        // That the others are no messages is said of them.
        let notes = doc
            .notes
            .iter()
            .filter(|_| ["SyncML", "wap-provisioningdoc"].contains(&row[3]))
            .map(|note| note.kind.code());
        assert_eq!(notes.collect::<Vec<_>>(), Vec::<&str>::new(), "{}", row[0]);
        let Some(text) = by_libwbxml(&path) else { return };
        let theirs = xml::parse(&text.into(), &Limits::default());
        let (ours, theirs) = (outline(&doc), outline(&theirs));
        let differ = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
        assert_eq!((differ, ours.len()), (None, theirs.len()), "{}", row[0]);
        compared += 1;
    }
    assert!(compared >= 32 && others >= 5, "only {compared} binaries compared, {others} of other languages");
}
