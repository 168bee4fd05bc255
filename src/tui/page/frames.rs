//! How a message travelled: its connection, whether that is encrypted, and the packets (entries, bytes of a file) that
//! it and the selected element were captured in.

use ratatui::text::{Line, Span as Text};

use super::Page;
use crate::escape;
use crate::http::Half;
use crate::origin::{Origin, Unit};
use crate::report::clock;
use crate::session::{At, Session};
use crate::syncml::{Element, Message};
use crate::tui::theme::Theme;

/// Packets listed.
const MOST: usize = 10_000;

pub(super) fn page(session: &Session, at: At, theme: &Theme) -> Page {
    let Some(message) = session.messages.get(at.message) else { return Page::said("(no message)") };
    let mut lines = connection(message, theme);
    let element = message.doc.element(at.node).filter(|_| !message.doc.is_empty());
    if let Some(element) = element {
        lines.push(fact("element", element_place(message, element), theme));
    }
    lines.extend(super::text::notes(message, theme));
    lines.push(Line::default());
    if let Some(http) = &message.http {
        listed("head", &http.head.origin, theme, &mut lines);
    }
    listed("body", &message.body.origin, theme, &mut lines);
    Page::Text { lines, items: Vec::new() }
}

fn fact(name: &str, value: String, theme: &Theme) -> Line<'static> {
    Line::from(vec![Text::styled(format!("{name:<12}"), theme.name_style), Text::raw(value)])
}

fn connection(message: &Message, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    match &message.http {
        None => lines.push(fact("connection", "not recorded: this is a document on its own".to_owned(), theme)),
        Some(http) => {
            let connection = &http.connection;
            let address = |address: Option<std::net::SocketAddr>| address.map_or("?".to_owned(), |at| at.to_string());
            let ends = format!("{} → {}", address(connection.client), address(connection.server));
            let ends = if connection.client.is_some() || connection.server.is_some() { ends } else { String::new() };
            lines.push(fact("connection", format!("tcp.stream {}  {ends}", connection.number), theme));
            let tls = match connection.tls {
                Some(true) => "TLS",
                Some(false) => "in the clear",
                None => "the recording does not say whether TLS was used",
            };
            lines.push(fact("encryption", tls.to_owned(), theme));
            if let Some(host) = http.request_head().and_then(|head| head.header("host")) {
                lines.push(fact("host", escape::shorten(&escape::line(host), 200).into_owned(), theme));
            }
            let half = match http.half {
                Half::Request => "request",
                Half::Response => "response",
            };
            let start = if connection.from_start { "" } else { ", whose start was not captured" };
            let exchange = format!("{half} of exchange {} of the connection{start}", u64::from(http.exchange) + 1);
            lines.push(fact("exchange", exchange, theme));
        }
    }
    let time = match (message.first, message.last) {
        (Some(first), Some(last)) if last > first => {
            format!("{first} to {} ({:.1} ms)", clock(last), last.since(first).as_secs_f64() * 1e3)
        }
        (Some(first), _) => first.to_string(),
        (None, _) => "not recorded".to_owned(),
    };
    lines.push(fact("time", time, theme));
    lines
}

fn element_place(message: &Message, element: Element<'_>) -> String {
    let path = escape::shorten(&escape::line(&element.path()), 200).into_owned();
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
    format!("{path} · bytes {}..{}{}", span.start, span.end, place.unwrap_or_default())
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
