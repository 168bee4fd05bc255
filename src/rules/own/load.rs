//! The pages of directories to rules that run as long as the program does, or all that is wrong with them.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Wrong as Fault;
use super::read::{self, Page, Read, family};
use crate::limits;
use crate::rules::gate::Gate;
use crate::rules::{Check, Rule};

/// What is wrong with a page, or with a directory of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The page, or the directory.
    pub path: PathBuf,
    /// Line and column, from 1, in characters; `None` for what is wrong with the file as a whole.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// The rules of these directories, by id: pages in them, and in their folders.
///
/// # Errors
/// All that is wrong with any of the pages.
pub fn load(directories: &[PathBuf]) -> Result<Vec<&'static Rule>, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let mut known = Vec::new();
    let mut pages: Vec<(String, Page)> = Vec::new();
    for directory in directories {
        for path in files(directory, &mut wrong) {
            if known.iter().any(|other: &Known| other.path == path) {
                continue;
            }
            let text = match text(&path) {
                Ok(text) => text,
                Err(of_file) => {
                    wrong.push(of_file);
                    continue;
                }
            };
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let Read { names, page, wrong: of_page } = read::page(&text, Some(&stem));
            let placed =
                |Fault { at, message }| Wrong { path: path.clone(), place: Some(position(&text, at)), message };
            wrong.extend(of_page.into_iter().map(placed));
            if let Some(names) = names {
                wrong.extend(clashes(&path, &text, &names, &known));
                known.push(Known { path, names: names.map(|(name, _)| name) });
            }
            pages.extend(page.map(|page| (text, page)));
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    pages.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
    Ok(pages.into_iter().map(|(text, page)| rule(text, page)).collect())
}

/// A page that was read: where it is, its id and its name.
struct Known {
    path: PathBuf,
    names: [String; 2],
}

/// The pages of a directory in order; notes what keeps them from being read.
fn files(directory: &Path, wrong: &mut Vec<Wrong>) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut fail = |path: &Path, message: String| wrong.push(Wrong { path: path.to_owned(), place: None, message });
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                fail(&folder, error.to_string());
                continue;
            }
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let is_page = path.extension().is_some_and(|extension| extension == "md");
            let is_readme = path.file_stem().is_some_and(|stem| stem.eq_ignore_ascii_case("readme"));
            if path.is_dir() && folder == directory {
                folders.push(path);
            } else if is_page && !is_readme && path.is_file() {
                all.push(path);
            }
        }
    }
    all.sort();
    if all.len() > limits::RULE_PAGES {
        let message = format!("there are {} pages; {} are read at most", all.len(), limits::RULE_PAGES);
        fail(directory, message);
        all.truncate(limits::RULE_PAGES);
    }
    if all.is_empty() && wrong.is_empty() {
        let message = "no page of a rule in it: a page is a file NAME.md; `dmscope rules new` writes one".to_owned();
        wrong.push(Wrong { path: directory.to_owned(), place: None, message });
    }
    all
}

/// A page's text, with lines that end with line feeds.
fn text(path: &Path) -> Result<String, Wrong> {
    let fail = |message: String| Wrong { path: path.to_owned(), place: None, message };
    let size = std::fs::metadata(path).map_or(0, |file| file.len());
    if size > limits::RULE_PAGE {
        return Err(fail(format!("it has {size} bytes; a page has {} at most", limits::RULE_PAGE)));
    }
    let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| fail("it is not UTF-8".to_owned()))?;
    Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
}

/// Line and column of a byte.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before: String = text.char_indices().take_while(|(place, _)| *place < at).map(|(_, letter)| letter).collect();
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// What another page has already.
fn clashes(path: &Path, text: &str, names: &[(String, usize); 2], known: &[Known]) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for other in known {
        let both = names.iter().zip(&other.names).zip(["id", "name"]);
        for (((own, at), _), what) in both.filter(|(((own, _), theirs), _)| own == *theirs) {
            let message = format!("the {what} {own} is that of {} too", other.path.display());
            wrong.push(Wrong { path: path.to_owned(), place: Some(position(text, *at)), message });
        }
    }
    wrong
}

/// The rule of a page. Rules live as long as the program: what was read of the page is never given back.
fn rule(text: String, page: Page) -> &'static Rule {
    let Page { id, name, summary, fix, since, spec, windows, oma, fault, scope, secrets, own, .. } = page;
    let id: &'static str = id.leak();
    let spec: Vec<&'static str> = spec.into_iter().map(|section| &*section.leak()).collect();
    Box::leak(Box::new(Rule {
        id,
        name: name.leak(),
        family: family(id),
        summary: summary.leak(),
        fix: fix.leak(),
        oma,
        windows,
        fault,
        scope,
        since: since.leak(),
        spec: spec.leak(),
        silences: &[],
        secrets,
        gate: Gate::OPEN,
        options: &[],
        page: text.leak(),
        check: Check::Own(Box::leak(Box::new(own))),
    }))
}
