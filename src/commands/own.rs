//! `dmscope rules fields`, `test`, `new`: what there is for those who write rules of their own.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};

use super::{Exit, stdout};
use crate::cli::OwnRules;
use crate::config;
use crate::examples::{self, Tested};
use crate::limits::Limits;
use crate::report;
use crate::rules::own::{new_page, reference};

pub(super) fn run(command: &OwnRules) -> Result<Exit> {
    match command {
        OwnRules::Fields => fields(),
        OwnRules::Test { directories, quiet } => test(directories, *quiet),
        OwnRules::New { name, directory, prefix } => new(name, prefix.as_deref(), directory),
    }
}

fn fields() -> Result<Exit> {
    let mut out = stdout();
    report::rules::reference(&reference(), &mut out)?;
    out.flush()?;
    Ok(Exit::Clean)
}

fn test(directories: &[PathBuf], quiet: bool) -> Result<Exit> {
    let own = config::own_rules(directories)?;
    let limits = Limits::default();
    let mut out = stdout();
    let (mut all, mut failed) = (0, 0);
    for rule in &own {
        let tested = examples::test(rule, &own, &limits);
        let tested =
            tested.unwrap_or_else(|why| vec![Tested { heading: "the page".to_owned(), line: 1, wrong: vec![why] }]);
        all += tested.len();
        failed += tested.iter().filter(|example| !example.wrong.is_empty()).count();
        report::rules::tested(rule, &tested, quiet, &mut out)?;
    }
    let rules = report::count(own.len() as u64, "rule");
    match failed {
        0 => writeln!(out, "{rules}, {}: all hold", report::count(all as u64, "example"))?,
        failed => writeln!(out, "{rules}, {}: {failed} failed", report::count(all as u64, "example"))?,
    }
    out.flush()?;
    Ok(if failed == 0 { Exit::Clean } else { Exit::Findings })
}

fn new(name: &str, prefix: Option<&str>, directory: &Path) -> Result<Exit> {
    let (file, text) = new_page(name, prefix, directory).map_err(|why| anyhow!("{why}"))?;
    let path = directory.join(file);
    let cannot = || format!("{}: cannot be written", path.display());
    std::fs::create_dir_all(directory).with_context(cannot)?;
    let mut page = OpenOptions::new().write(true).create_new(true).open(&path).with_context(cannot)?;
    page.write_all(text.as_bytes()).with_context(cannot)?;
    let mut out = stdout();
    writeln!(out, "{}", path.display())?;
    out.flush()?;
    Ok(Exit::Clean)
}
