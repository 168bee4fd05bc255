//! Files of a directory and of a pattern, always in the same order.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use ignore::WalkBuilder;
use ignore::overrides::{Override, OverrideBuilder};

use super::{Error, order, unreadable};

/// The files below a directory, hidden ones left out, links followed but not in circles. No ignore file counts.
pub(super) fn files(directory: &Path) -> impl Iterator<Item = Result<PathBuf, Error>> {
    walker(directory, None).filter_map(|entry| match entry {
        Ok(entry) if entry.path().is_file() => Some(Ok(entry.into_path())),
        Ok(_) => None,
        Err(error) => refused(error).map(Err),
    })
}

/// What a path names: itself, or the files and directories that match it when it is a pattern and nothing has that name.
pub(super) fn expand(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let name = path.display().to_string();
    if path.symlink_metadata().is_ok() || !name.contains(['*', '?', '[', '{']) {
        return Ok(vec![path.to_owned()]);
    }
    let is_pattern = |part: &Component<'_>| part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']);
    let parts: Vec<Component<'_>> = path.components().collect();
    let fixed = parts.iter().take_while(|part| !is_pattern(part)).count();
    let (fixed, pattern) = parts.split_at(fixed);
    let root: PathBuf = match fixed.is_empty() {
        true => PathBuf::from("."),
        false => fixed.iter().collect(),
    };
    let pattern: PathBuf = pattern.iter().collect();
    let glob = glob(&root, &pattern).map_err(|why| Error::Pattern { pattern: name.clone(), why: why.to_string() })?;
    let deep = pattern.iter().any(|part| part == OsStr::new("**"));
    let depth = (!deep).then_some(pattern.components().count());
    let mut matches = Vec::new();
    for entry in walker(&root, depth) {
        match entry {
            Ok(entry) if entry.depth() > 0 && glob.matched(entry.path(), entry.path().is_dir()).is_whitelist() => {
                matches.push(if fixed.is_empty() { without_dot(entry.path()) } else { entry.into_path() });
            }
            Ok(_) => {}
            Err(error) => refused(error).map_or(Ok(()), Err)?,
        }
    }
    match matches.is_empty() {
        true => Err(Error::NoMatch(name)),
        false => Ok(matches),
    }
}

fn glob(root: &Path, pattern: &Path) -> Result<Override, ignore::Error> {
    OverrideBuilder::new(root).add(&format!("/{}", pattern.display()))?.build()
}

fn without_dot(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}

fn walker(root: &Path, depth: Option<usize>) -> impl Iterator<Item = Result<ignore::DirEntry, ignore::Error>> {
    WalkBuilder::new(root)
        .standard_filters(false)
        .hidden(true)
        .follow_links(true)
        .max_depth(depth)
        .sort_by_file_name(|a, b| order::natural(&a.to_string_lossy(), &b.to_string_lossy()).then_with(|| a.cmp(b)))
        .build()
}

/// A link that leads in a circle or nowhere is passed over; a directory that may not be read is an error.
fn refused(error: ignore::Error) -> Option<Error> {
    let path = path_of(&error)?.to_owned();
    let source = error.into_io_error()?;
    (source.kind() != std::io::ErrorKind::NotFound).then(|| unreadable(&path, source))
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}
