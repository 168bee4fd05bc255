//! The pages of docs/ as a book: every page is in it, links lead somewhere, examples are run, and mdBook builds it without a
//! word of complaint.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

mod peers;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(ROOT).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All Markdown files of a folder, and of those in it.
fn pages(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
        let name = format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap());
        if Path::new(ROOT).join(&name).is_dir() {
            found.extend(pages(&name));
        } else if name.ends_with(".md") {
            found.push(name.into());
        }
    }
    found
}

/// What the links of a page lead to, code left out.
fn links(page: &str) -> Vec<String> {
    let mut code = false;
    let mut found = Vec::new();
    for line in page.lines() {
        code ^= line.starts_with("```");
        let prose = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        if !code {
            let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
            found.extend(targets.map(|(target, _)| target.to_owned()));
        }
    }
    found
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_')).collect()
}

#[test]
fn every_page_is_in_the_book_once() {
    let listed = links(&read("docs/SUMMARY.md"));
    let pages = fs::read_dir(Path::new(ROOT).join("docs")).unwrap();
    let pages = pages.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages: BTreeSet<String> = pages.filter(|name| name.ends_with(".md") && name != "SUMMARY.md").collect();
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), pages);
    assert_eq!(listed.len(), pages.len());
}

#[test]
fn links_lead_somewhere() {
    let top = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(PathBuf::from);
    let folders = ["docs", "rules", "samples", "tests/fuzz", "tests/stories"].into_iter().flat_map(pages);
    let (mut broken, mut seen) = (Vec::new(), 0);
    for page in top.into_iter().chain(folders) {
        for link in links(&read(&page)).into_iter().filter(|link| !link.contains("://")) {
            seen += 1;
            let (path, wanted) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let leads = Path::new(ROOT).join(&target).exists()
                && (wanted.is_empty()
                    || read(&target)
                        .lines()
                        .any(|line| line.starts_with('#') && anchor(line.trim_start_matches('#')) == wanted));
            if !leads {
                broken.push(format!("{}: {link}", page.display()));
            }
            // A page of the book cannot lead out of it.
            let outside = page.starts_with("docs") && !page.starts_with("docs/examples") && path.starts_with("..");
            assert!(!outside, "{}: {link}", page.display());
        }
    }
    assert_eq!(broken, Vec::<String>::new());
    assert!(seen > 40);
}

#[test]
fn console_blocks_stand_where_they_are_run() {
    // tests/cli.rs runs those of README.md and of the pages of docs.
    let elsewhere = ["rules", "samples", "docs/examples"].into_iter().flat_map(pages);
    let idle: Vec<PathBuf> = elsewhere.filter(|page| read(page).contains("```console")).collect();
    assert_eq!(idle, Vec::<PathBuf>::new());
}

#[test]
fn the_book_is_built_with_a_page_for_every_rule() {
    let Some(mdbook) = peers::installed("checks/bin/mdbook") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut build = Command::new(mdbook);
    build.arg("build").arg(Path::new(ROOT).join("docs")).arg("--dest-dir").arg(folder.path());
    let output = build.env("MDBOOK_LOG", "warn").output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""));
    for rule in dmscope::rules::ALL {
        let page = folder.path().join(format!("rules/{}-{}.html", rule.id, rule.name));
        let page = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        assert!(page.contains(rule.id) && page.contains(rule.name));
    }
    let page = fs::read_to_string(folder.path().join("start-admin.html")).unwrap();
    assert!(page.contains("href=\"decrypting.html\""), "links between pages are links of the book");
}
