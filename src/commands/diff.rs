//! `dmscope diff`: two sessions, or the sessions of two captures.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::wanted::is_named;
use super::{Exit, reading, stdout, width};
use crate::cli;
use crate::config;
use crate::credentials::Credentials;
use crate::diff::{self, Diff, Outline};
use crate::filter::Scene;
use crate::input;
use crate::rules::history::History;
use crate::rules::location::Locator;
use crate::rules::runner::{Outcome, Runner};
use crate::rules::select::Selection;
use crate::session::Session;
use crate::suppress::Suppressor;

/// One of the two things that are compared.
struct Side {
    /// What reports call it.
    name: String,
    path: PathBuf,
    session: Option<String>,
}

/// What judges both.
struct Rules {
    file: config::File,
    selection: Selection,
    suppressor: Suppressor,
    credentials: Credentials,
}

pub(super) fn run(options: &cli::Diff) -> Result<Exit> {
    let file = config::File::load(&options.reading.setup)?;
    let config = file.reading(&options.reading, false)?;
    let [a, b] = sides(options)?;
    let selection = file.selection_for(options.profile)?;
    let judge = Rules {
        suppressor: file.known(&selection, options.ignores)?,
        selection,
        credentials: file.credentials(&options.secrets)?,
        file,
    };
    let (of_a, of_b) = (outlines(&a, &config, options, &judge)?, outlines(&b, &config, options, &judge)?);
    for (side, found) in [(&a, &of_a), (&b, &of_b)] {
        match (&side.session, found.as_slice()) {
            (Some(key), []) => bail!("{}: there is no session {key:?}; `dmscope sessions` lists them", side.name),
            (None, []) if config.filter.is_some() => bail!("{}: no session for which the filter holds", side.name),
            (None, []) => {
                return reading::nothing_seen(&format!("no device-management session in {}", side.name), false);
            }
            _ => {}
        }
    }
    let compared = |(at, bt): diff::Pair| {
        let both = at.and_then(|at| of_a.get(at)).zip(bt.and_then(|bt| of_b.get(bt)));
        ((at, bt), both.map(|(a, b)| Diff::of(a, b)))
    };
    let pairs: Vec<_> = diff::pair(&of_a, &of_b).into_iter().map(compared).collect();
    let same = pairs.iter().all(|(_, diff)| diff.as_ref().is_some_and(Diff::is_same));
    let names = [a.name.as_str(), b.name.as_str()];
    let mut out = stdout();
    match options.format {
        cli::TableFormat::Json => diff::write_json(names, [&of_a, &of_b], &pairs, &mut out)?,
        cli::TableFormat::Text => text(names, [&of_a, &of_b], &pairs, &mut out)?,
    }
    out.flush()?;
    if same && !config.quiet && options.format == cli::TableFormat::Text {
        writeln!(anstream::stderr(), "no difference")?;
    }
    Ok(if same { Exit::Clean } else { Exit::Findings })
}

fn text(
    names: [&str; 2],
    [a, b]: [&[Outline]; 2],
    pairs: &[(diff::Pair, Option<Diff>)],
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
    let mut first = true;
    for ((at, bt), diff) in pairs.iter().filter(|(_, diff)| diff.as_ref().is_none_or(|diff| !diff.is_same())) {
        if !std::mem::take(&mut first) {
            writeln!(out)?;
        }
        match (at.and_then(|at| a.get(at)), bt.and_then(|bt| b.get(bt)), diff) {
            (Some(a), Some(b), Some(diff)) => diff::write_text(names, [a, b], diff, width(), out)?,
            (Some(a), ..) => writeln!(out, "--- only in {}: {} · {}", names[0], a.key, a.title)?,
            (_, Some(b), _) => writeln!(out, "+++ only in {}: {} · {}", names[1], b.key, b.title)?,
            _ => {}
        }
    }
    Ok(())
}

/// What is compared: two paths, each with a session behind a colon or without, or two sessions of one path.
fn sides(options: &cli::Diff) -> Result<[Side; 2]> {
    let side = |path: &Path, session: Option<&String>| {
        let name = path.display().to_string();
        // A colon may be part of a file's name.
        match name.rsplit_once(':').filter(|(path, key)| !key.is_empty() && !path.is_empty()) {
            Some((file, key)) if !path.exists() && session.is_none() => {
                let (path, session) = (PathBuf::from(file), Some(key.to_owned()));
                Side { name, path, session }
            }
            _ => Side { path: path.to_owned(), session: session.cloned(), name },
        }
    };
    match (options.reading.paths.as_slice(), options.session.as_slice()) {
        ([a, b], []) => Ok([side(a, None), side(b, None)]),
        ([a, b], [key]) => Ok([side(a, Some(key)), side(b, Some(key))]),
        ([a, b], [first, second]) => Ok([side(a, Some(first)), side(b, Some(second))]),
        ([one], [first, second]) => Ok([side(one, Some(first)), side(one, Some(second))]),
        ([_], _) => bail!("name a second capture, or two sessions of this one: --session s1 --session s2"),
        _ => bail!("there can be two captures and two sessions at most"),
    }
}

/// The sessions of one side, with what the rules say of them.
fn outlines(side: &Side, config: &config::Reading, options: &cli::Diff, rules: &Rules) -> Result<Vec<Outline>> {
    let inputs = input::collect(std::slice::from_ref(&side.path), config.kind)?;
    let limits = &config.engine.limits;
    let selection = rules.file.for_inputs(&rules.selection, &inputs);
    let suppressor = rules.file.known_in(&rules.suppressor, &inputs);
    let runner = Runner::new(&selection, limits).with_credentials(rules.credentials.clone());
    let mut history = History::new(limits);
    let (mut found, mut left_out): (Vec<(u32, Outline)>, usize) = (Vec::new(), 0);
    reading::read(&inputs, config, &mut |session: Session| {
        let Outcome { drafts, more, .. } = runner.run_after(&session, &history.before(&session));
        let drafts = suppressor.sort(&session, drafts, more, &mut Locator::new(&session, false)).told;
        history.add(&session);
        let scene = Scene { session: &session, findings: &drafts };
        let held = config.filter.as_ref().is_none_or(|filter| filter.session(scene));
        if !held || !side.session.as_ref().is_none_or(|name| is_named(&session, name)) {
            return;
        }
        if found.len() < limits.compared {
            found.push((session.number, Outline::of(&session, &drafts, options.show_secrets)));
        } else {
            left_out += 1;
        }
    })?;
    if left_out > 0 {
        bail!("{}: more than {} sessions; choose some with --filter or --session", side.name, limits.compared);
    }
    found.sort_by_key(|(number, _)| *number);
    Ok(found.into_iter().map(|(_, outline)| outline).collect())
}
