//! What there is to say and to do about findings that are known: warnings on suppressions, and the baseline's file.

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};

use crate::config::Baseline;
use crate::report::{self, Lint};
use crate::rules::Rule;
use crate::suppress::baseline::Changes;
use crate::suppress::{Ledger, State};

/// Stale entries that are listed.
const LISTED: usize = 5;

/// Says which suppressions hid nothing, have expired or cannot be read, and where the baseline is exceeded.
///
/// # Errors
/// Standard error cannot be written.
pub(super) fn warn(lint: &Lint) -> Result<()> {
    let mut stderr = anstream::stderr();
    let trouble = lint.suppressions.iter().filter(|entry| entry.state.is_trouble() && entry.state != State::Stale);
    for entry in trouble {
        writeln!(stderr, "warning: {}: {}", lint.stands(entry), entry.message)?;
    }
    Ok(())
}

/// Says which entries of the baseline the run does not show any more. Gives whether the run fails for it.
///
/// # Errors
/// Standard error cannot be written.
pub(super) fn stale(lint: &Lint, allowed: bool) -> Result<bool> {
    let stale: Vec<_> = lint.suppressions.iter().filter(|entry| entry.state == State::Stale).collect();
    let Some(first) = stale.first() else { return Ok(false) };
    let mut stderr = anstream::stderr();
    let (level, hint) = match allowed {
        true => ("warning", ""),
        false => ("error", "; --prune-baseline takes them out, --allow-stale lets them pass"),
    };
    let many = report::entries(stale.len());
    writeln!(stderr, "{level}: {}: {many} not found any more{hint}", lint.stands(first))?;
    for entry in stale.iter().take(LISTED) {
        writeln!(stderr, "  {}", crate::escape::line(&entry.key.as_ref().map(|key| key.words()).unwrap_or_default()))?;
    }
    if stale.len() > LISTED {
        writeln!(stderr, "  … and {} more", stale.len() - LISTED)?;
    }
    Ok(!allowed)
}

/// Brings the baseline's file up to date, where that is asked for.
///
/// # Errors
/// It cannot be written, or would be too large.
pub(super) fn update(baseline: &Baseline, ledger: &Ledger, runs: &dyn Fn(&Rule) -> bool, quiet: bool) -> Result<()> {
    let name = baseline.path.display();
    let Some((updated, changes)) = ledger.updated(baseline.adds, baseline.prunes, runs) else {
        bail!("{name}: more kinds of findings than a baseline holds; fix some, or leave rules out with --ignore");
    };
    let is_new = baseline.adds && !baseline.path.exists();
    if is_new || changes != Changes::default() {
        updated.save(&baseline.path).with_context(|| format!("{name}: cannot be written"))?;
    }
    if !quiet {
        let count = [
            (changes.added, "added"),
            (changes.raised, "raised"),
            (changes.lowered, "lowered"),
            (changes.removed, "taken out"),
        ];
        let said: Vec<String> =
            count.iter().filter(|(many, _)| *many > 0).map(|(many, what)| format!("{many} {what}")).collect();
        let said = if said.is_empty() { "no change".to_owned() } else { said.join(", ") };
        let entries = report::entries(updated.len());
        writeln!(anstream::stderr(), "{name}: {said}; {entries}")?;
    }
    Ok(())
}
