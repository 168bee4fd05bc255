//! `dmscope capture`: reads packets from an interface, judges sessions as they close, and reports at the end.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::judge::{self, Judge};
use super::record::{Judged, Record};
use super::{Exit, known, reading, stdout, width};
use crate::capture::live::{self, Live};
use crate::report::text;
use crate::rules::Severity;
use crate::rules::history::History;
use crate::{cli, config, engine, escape};

pub(super) fn run(options: &cli::Capture) -> Result<Exit> {
    let Some(interface) = &options.interface else { return interfaces() };
    let config = config::Capture::new(options)?;
    let filter = (!options.filter.is_empty()).then(|| options.filter.join(" "));
    let mut live = Live::open(interface, filter.as_deref(), options.write.as_deref())
        .context("capturing takes privileges, and an interface that `dmscope capture` lists")?;
    // Before there are other threads: they have the rights of this one.
    live::drop_privileges(config.engine.keys.follows())?;
    let judge = Judge::new(&config.selection, &config.engine.limits, options.show_secrets, false)
        .with_credentials(config.credentials.clone())
        .with_suppressor(config.suppressor.clone());
    let limits = &config.engine.limits;
    let (mut record, mut history) = (Record::new(&judge, limits), History::new(limits));
    let stop = stop_on_ctrl_c()?;
    let until = options.duration.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut go_on = || !stop.load(Ordering::Relaxed) && until.is_none_or(|until| Instant::now() < until);
    writeln!(anstream::stderr(), "capturing on {interface}; Ctrl-C ends it and prints the report")?;
    let read = engine::watch(&mut live, interface, &config.engine, &mut go_on, &mut |session| {
        let earlier = judge::remember(&mut history, &session, &mut record);
        let verdict = judge.session(&session, &earlier);
        let worst = verdict.row.worst.map_or("no finding", Severity::name);
        record.take(verdict);
        let device = session.device.as_deref().unwrap_or("unknown device");
        let line = format!("{} closed: {device}, {}, {worst}", session.key(), session.outcome.name());
        // A terminal that went away does not end the capture: the report is still to come.
        let _ = writeln!(anstream::stderr(), "{}", escape::line(&line));
    });
    let Judged { lint, bugs, .. } = record.finish(&judge, &history, &read);
    let mut out = stdout();
    text::write(&lint, text::Options { width: width(), quiet: false, verbose: false }, &mut out)?;
    out.flush()?;
    known::warn(&lint)?;
    if let Some(exit) = reading::broken(&bugs)? {
        return Ok(exit);
    }
    if lint.totals.messages == 0 {
        return reading::nothing_seen(&format!("no device-management message on {interface}"), false);
    }
    let failed = lint.counts.worst().zip(config.fail_on).is_some_and(|(worst, level)| worst >= level);
    Ok(if failed { Exit::Findings } else { Exit::Clean })
}

fn stop_on_ctrl_c() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || asked.store(true, Ordering::Relaxed)).context("Ctrl-C cannot be handled")?;
    Ok(stop)
}

fn interfaces() -> Result<Exit> {
    let mut out = io::stdout().lock();
    for interface in live::interfaces()? {
        let addresses: Vec<String> = interface.addresses.iter().map(ToString::to_string).collect();
        let state = if interface.up { "up" } else { "down" };
        writeln!(out, "{:<16} {state:<4} {}", interface.name, addresses.join(", "))?;
    }
    Ok(Exit::Clean)
}
