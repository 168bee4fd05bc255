//! Sessions, one a row: for people as a table, for scripts as JSON.

use std::io::{self, Write};
use std::sync::Arc;

use unicode_width::UnicodeWidthStr as _;

use super::tls;
use crate::escape;
use crate::http::InputId;
use crate::rules::Severity;
use crate::session::{Flavor, Outcome, Session};
use crate::syncml::{Kind, secret};
use crate::time::Time;
use crate::tls::Handshake;

/// What is kept of a session once it is gone.
#[derive(Clone, Debug)]
pub struct Row {
    /// The input that holds its first message.
    pub input: Option<InputId>,
    /// Its running number.
    pub number: u32,
    /// The key that commands take: `s1`.
    pub key: String,
    /// Whether it is a push: a notification or a bootstrap.
    pub push: bool,
    /// `SessionID` as sent; of a notification that of the session it asks for.
    pub session_id: Option<String>,
    /// The device's URI.
    pub device: Option<String>,
    /// The server's URI.
    pub server: Option<Arc<str>>,
    /// Time of the first message.
    pub started: Option<Time>,
    /// Time of the last one.
    pub ended: Option<Time>,
    /// Messages that were captured.
    pub messages: usize,
    /// Commands in them.
    pub commands: usize,
    /// How it went.
    pub outcome: Outcome,
    /// The worst finding.
    pub worst: Option<Severity>,
    /// What TLS says of the connection that speaks for it.
    pub tls: Option<Handshake>,
}

impl Row {
    /// The row of a session; `show_secrets` leaves its URIs as they were sent.
    pub fn of(session: &Session, worst: Option<Severity>, show_secrets: bool) -> Row {
        let shown = |uri: &String| if show_secrets { uri.clone() } else { secret::url(uri).into_owned() };
        Row {
            number: session.number,
            input: session.messages.first().map(|message| message.input),
            key: session.key(),
            push: session.flavor == Flavor::Notification,
            session_id: session.session_id.clone(),
            device: session.device.as_ref().map(shown),
            server: session.server.as_ref().map(shown).map(Arc::from),
            started: session.started(),
            ended: session.ended(),
            messages: session
                .messages
                .iter()
                .filter(|message| message.kind != Kind::Missing && !message.in_token)
                .count(),
            commands: session.exchanges.len(),
            outcome: session.outcome,
            worst,
            tls: tls::of_session(session),
        }
    }
}

const HEAD: [&str; 9] = ["KEY", "STARTED", "ID", "MSGS", "CMDS", "OUTCOME", "WORST", "DEVICE", "SERVER"];
/// Columns that are cut when the table is too wide, and how narrow at most.
const CUT: [(usize, usize); 3] = [(2, 6), (7, 11), (8, 8)];
const GAP: &str = "  ";
/// Longest cell, in characters, however wide the output is.
const MAX_CELL: usize = 300;

/// Writes a table; `width` is that of the terminal, `None` when nothing may be cut.
pub fn text(rows: &[Row], width: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let day = common_day(rows);
    let mut cells = vec![HEAD.map(str::to_owned)];
    cells.extend(rows.iter().map(|row| columns(row, day.is_some())));
    let mut widths = [0; HEAD.len()];
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    if let Some(width) = width {
        narrow(&mut widths, width);
    }
    if let Some(day) = day {
        writeln!(out, "{day} UTC")?;
    }
    for row in &cells {
        let line: Vec<String> =
            row.iter().zip(widths).enumerate().map(|(at, (cell, width))| fit(at, cell, width)).collect();
        writeln!(out, "{}", line.join(GAP).trim_end())?;
    }
    Ok(())
}

/// Writes what TLS says of each session that ran over it.
pub fn over_tls(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let lines = rows.iter().filter_map(|row| Some((&row.key, row.tls.as_ref()?.get(tls::brief))));
    for (number, (key, line)) in lines.enumerate() {
        let head = if number == 0 { "\nTLS\n" } else { "" };
        writeln!(out, "{head}  {key}{GAP}{line}")?;
    }
    Ok(())
}

/// The day of all sessions, when it is one.
fn common_day(rows: &[Row]) -> Option<String> {
    let mut days = rows.iter().filter_map(|row| Some(row.started?.to_string().get(..10)?.to_owned()));
    let first = days.next()?;
    days.all(|day| day == first).then_some(first)
}

fn columns(row: &Row, one_day: bool) -> [String; HEAD.len()] {
    let shown = |value: &str| escape::shorten(&escape::line(value), MAX_CELL).into_owned();
    let text = |value: Option<&str>| value.map_or("-".to_owned(), shown);
    let started = row.started.map(|time| time.to_string());
    let started = started.as_deref().and_then(|time| if one_day { time.get(11..19) } else { time.get(..19) });
    [
        row.key.clone(),
        started.unwrap_or("-").replace('T', " "),
        if row.push { format!("push {}", text(row.session_id.as_deref())) } else { text(row.session_id.as_deref()) },
        row.messages.to_string(),
        row.commands.to_string(),
        row.outcome.name().to_owned(),
        row.worst.map_or("-", Severity::name).to_owned(),
        text(row.device.as_deref()),
        text(row.server.as_deref()),
    ]
}

/// Takes from the columns that may be cut until the table fits, from the wider one first.
fn narrow(widths: &mut [usize; HEAD.len()], max: usize) {
    loop {
        let total = widths.iter().sum::<usize>() + GAP.len() * (widths.len() - 1);
        let widest =
            CUT.iter().filter(|(at, least)| widths[*at] > *least).max_by_key(|(at, least)| widths[*at] - least);
        match widest {
            Some((at, _)) if total > max => widths[*at] -= 1,
            _ => return,
        }
    }
}

/// A cell of exactly that width. A device is told by the end of its URI, a server by its host.
fn fit(column: usize, cell: &str, width: usize) -> String {
    let cut = match column {
        2 => cut_end(cell, width),
        7 => cut_start(cell, width),
        8 => cut_end(cell.split_once("://").filter(|_| cell.width() > width).map_or(cell, |(_, host)| host), width),
        _ => cell.to_owned(),
    };
    let pad = " ".repeat(width.saturating_sub(cut.width()));
    if matches!(column, 3 | 4) { pad + &cut } else { cut + &pad }
}

fn cut_start(cell: &str, width: usize) -> String {
    let mut kept = cell;
    while kept.width() > width.saturating_sub(usize::from(kept.len() < cell.len())) {
        let mut letters = kept.chars();
        letters.next();
        kept = letters.as_str();
    }
    if kept.len() < cell.len() { format!("…{kept}") } else { kept.to_owned() }
}

fn cut_end(cell: &str, width: usize) -> String {
    let mut kept = cell;
    while kept.width() > width.saturating_sub(usize::from(kept.len() < cell.len())) {
        let mut letters = kept.chars();
        letters.next_back();
        kept = letters.as_str();
    }
    if kept.len() < cell.len() { format!("{kept}…") } else { kept.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u32) -> Row {
        Row {
            input: Some(InputId(0)),
            number,
            key: format!("s{number}"),
            push: false,
            session_id: Some("1F".to_owned()),
            device: Some("urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8".to_owned()),
            server: Some("https://dm.example.com/manage/v2".into()),
            started: Time::parse("2026-01-02T03:04:05Z"),
            ended: None,
            messages: 8,
            commands: 12,
            outcome: Outcome::AuthFailed,
            worst: Some(Severity::Warning),
            tls: None,
        }
    }

    fn table(rows: &[Row], width: Option<usize>) -> String {
        let mut out = Vec::new();
        text(rows, width, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fits_eighty_columns() {
        let narrow = table(&[row(1), row(2)], Some(80));
        assert!(narrow.lines().all(|line| line.width() <= 80), "{narrow}");
        assert!(narrow.contains("d430c8  dm.example"), "{narrow}");
        assert!(table(&[row(1)], None).contains("https://dm.example.com/manage/v2"));
    }

    #[test]
    fn names_the_day_once_when_it_is_one() {
        assert!(table(&[row(1), row(2)], None).starts_with("2026-01-02 UTC\nKEY  STARTED   ID"));
        let mut other = row(2);
        other.started = Time::parse("2026-01-03T03:04:05Z");
        other.device = Some("a\u{1b}b".to_owned());
        let both = table(&[row(1), other], None);
        assert!(both.contains("2026-01-03 03:04:05") && both.contains("a\\u{1b}b"), "{both}");
    }
}
