//! How a message travelled: its connection, whether that is encrypted, and the packets (entries, bytes of a file) that
//! it and the selected element were captured in.

use ratatui::text::Line;
use unicode_width::UnicodeWidthStr as _;

use super::Page;
use super::text::{fact, wrap};
use crate::escape;
use crate::http::Half;
use crate::origin::{Origin, Unit};
use crate::report::{clock, tls};
use crate::session::{At, Session};
use crate::syncml::{Element, Message};
use crate::tls::Facts;
use crate::tui::theme::Theme;

/// Packets listed.
const MOST: usize = 10_000;

pub(super) fn page(session: &Session, at: At, width: usize, theme: &Theme) -> Page {
    let Some(message) = session.messages.get(at.message) else { return Page::said("(no message)") };
    let mut facts = connection(message);
    let element = message.doc.element(at.node).filter(|_| !message.doc.is_empty());
    if let Some(element) = element {
        facts.push(("element", escape::shorten(&escape::line(&element.path()), 200).into_owned()));
        facts.push(("its bytes", element_place(message, element)));
    }
    let facts = facts
        .into_iter()
        .flat_map(|(name, value)| fact(&format!("{name:<12}"), wrap(&value, width.saturating_sub(12)), theme));
    let mut lines: Vec<Line<'static>> = facts.collect();
    lines.extend(super::text::notes(message, theme));
    lines.push(Line::default());
    let handshake = message.http.as_ref().and_then(|http| http.connection.handshake.as_ref());
    if let Some(handshake) = handshake {
        lines.extend(tls_lines(&handshake.facts(), width, theme));
        lines.push(Line::default());
    }
    if let Some(http) = &message.http {
        listed("head", &http.head.origin, theme, &mut lines);
    }
    listed("body", &message.body.origin, theme, &mut lines);
    Page::Text { lines, items: Vec::new() }
}

/// What TLS says of itself.
fn tls_lines(facts: &Facts, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("TLS", theme.heading)];
    for line in tls::lines(facts) {
        match line.split_once(": ") {
            Some((name, value)) => {
                let name = format!("{name:<12}");
                let name = if name.ends_with(' ') { name } else { name + " " };
                lines.extend(fact(&name, wrap(value, width.saturating_sub(name.width())), theme));
            }
            None => lines.extend(wrap(&line, width).into_iter().map(Line::raw)),
        }
    }
    lines
}

/// Names and values.
fn connection(message: &Message) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    match &message.http {
        None => facts.push(("connection", "not recorded: this is a document on its own".to_owned())),
        Some(http) => {
            let connection = &http.connection;
            let address = |address: Option<std::net::SocketAddr>| address.map_or("?".to_owned(), |at| at.to_string());
            let ends = format!("{} → {}", address(connection.client), address(connection.server));
            let ends = if connection.client.is_some() || connection.server.is_some() { ends } else { String::new() };
            let packets = matches!(message.body.origin.runs().first(), Some(run) if matches!(run.unit, Unit::Frame(_)));
            let number = if packets { "tcp.stream" } else { "number" };
            facts.push(("connection", format!("{number} {}  {ends}", connection.number)));
            let tls = match connection.tls {
                Some(true) => "TLS",
                Some(false) => "in the clear",
                None => "the recording does not say whether TLS was used",
            };
            facts.push(("encryption", tls.to_owned()));
            if let Some(host) = http.request_head().and_then(|head| head.header("host")) {
                facts.push(("host", escape::shorten(&escape::line(host), 200).into_owned()));
            }
            let half = match http.half {
                Half::Request => "request",
                Half::Response => "response",
            };
            let start = if connection.from_start { "" } else { ", whose start was not captured" };
            let exchange = format!("{half} of exchange {} of the connection{start}", u64::from(http.exchange) + 1);
            facts.push(("exchange", exchange));
        }
    }
    let time = match (message.first, message.last) {
        (Some(first), Some(last)) if last > first => {
            format!("{first} to {} ({:.1} ms)", clock(last), last.since(first).as_secs_f64() * 1e3)
        }
        (Some(first), _) => first.to_string(),
        (None, _) => "not recorded".to_owned(),
    };
    facts.push(("time", time));
    facts
}

fn element_place(message: &Message, element: Element<'_>) -> String {
    let span = element.span();
    let origin = if message.doc.is_exact() { message.body.origin.clone() } else { message.body.origin.inexact() };
    let place = origin.locate(span).map(|located| {
        let exact = if located.exact { format!(" offset {}", located.offset) } else { String::new() };
        if located.first == located.last {
            format!(" · {}{exact}", unit(located.first))
        } else {
            format!(" · {}{exact} to {}", unit(located.first), unit(located.last))
        }
    });
    format!("{}..{} of the body{}", span.start, span.end, place.unwrap_or_default())
}

fn unit(unit: Unit) -> String {
    match unit {
        Unit::Frame(number) => format!("frame {number}"),
        Unit::Entry(number) => format!("entry {number}"),
        Unit::File => "file".to_owned(),
    }
}

/// One line for each packet.
fn listed(what: &str, origin: &Origin, theme: &Theme, lines: &mut Vec<Line<'static>>) {
    let runs = origin.runs();
    for run in runs.iter().take(MOST) {
        let time = run.time.map(clock).unwrap_or_default();
        let exact = if run.exact { format!("offset {}", run.offset) } else { "rewritten".to_owned() };
        let text = format!("{:<14} {time:<12}  {what} from byte {:<8} {exact}", unit(run.unit), run.at);
        lines.push(Line::raw(text.trim_end().to_owned()));
    }
    if runs.len() > MOST {
        lines.push(Line::styled(format!("… and {} more", runs.len() - MOST), theme.dim));
    }
}
