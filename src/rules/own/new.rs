//! A page to begin with: a rule that works, with examples that hold.

use std::path::Path;

use super::read::{id_is_free, is_name};

/// The prefix of ids where a directory has no page yet.
const PREFIX: &str = "OWN";

/// The name of a page's file, and its text. The id has the prefix that is given, or that of the pages in the directory, and
/// the number behind the last there.
///
/// # Errors
/// A name or prefix that cannot be, in words.
pub fn new_page(name: &str, prefix: Option<&str>, directory: &Path) -> Result<(String, String), String> {
    if !is_name(name) {
        return Err(format!("{name:?} is no name of a rule: expected small letters with hyphens between words"));
    }
    let paths = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let pages: Vec<(std::path::PathBuf, (String, u32))> =
        paths.filter_map(|path| Some((path.clone(), id(&path)?))).collect();
    for (path, (prefix, _)) in &pages {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
        let named =
            stem.strip_prefix(&format!("{prefix}-")).and_then(|rest| rest.split_once('-')).map(|(_, name)| name);
        if named == Some(name) {
            return Err(format!("{} has this name already", path.display()));
        }
    }
    let known = pages.into_iter().map(|(_, id)| id).collect::<Vec<_>>();
    let prefix = prefix.or(known.iter().map(|(prefix, _)| prefix.as_str()).min()).unwrap_or(PREFIX);
    let last = known.iter().filter(|(known, _)| known == prefix).map(|(_, number)| *number).max().unwrap_or(0);
    let id = format!("{prefix}-{:03}", last.saturating_add(1));
    id_is_free(&id)?;
    let text = include_str!("new.md").replace("{id}", &id).replace("{name}", name);
    Ok((format!("{id}-{name}.md"), text))
}

/// Prefix and number of the rule of a page, by the name of its file.
fn id(path: &Path) -> Option<(String, u32)> {
    let stem = path.file_stem().filter(|_| path.extension().is_some_and(|extension| extension == "md"))?.to_str()?;
    let parts: Vec<&str> = stem.split('-').collect();
    let at = parts.iter().position(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((parts.get(..at).filter(|prefix| !prefix.is_empty())?.join("-"), parts.get(at)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_from_the_name_of_a_file() {
        let read = |name: &str| id(Path::new(name));
        assert_eq!(read("ACME-001-one.md"), Some(("ACME".into(), 1)));
        assert_eq!(read("ACME-NET-12-no-2-things.md"), Some(("ACME-NET".into(), 12)));
        assert_eq!((read("README.md"), read("1-a.md"), read("A-1.txt")), (None, None, None));
    }
}
