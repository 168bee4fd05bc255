//! The messages of a session, as a person reads a conversation: each with its time, place and sender, each command
//! with the Status and the Results that answer it, whichever message they came in.

use std::cell::OnceCell;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{clock, push, spot, tls};
use crate::escape;
use crate::http::{Captured, Connection};
use crate::rules::finding::Place;
use crate::rules::location::Locator;
use crate::session::{Edge, Flavor, Session};
use crate::syncml::render::Rendering;
use crate::syncml::secret::{self, Secrets};
use crate::syncml::{Kind, Message};

mod answer;
mod hex;
mod http;
mod tree;

pub use hex::Dump;
pub use http::{start as start_line, write as write_http};

const TITLE: Style = AnsiColor::BrightCyan.on_default().bold();
const HEAD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// How messages are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One element a line, the answers as comments.
    Xml,
    /// One command a line, the answers behind it.
    Tree,
    /// The body's bytes.
    Hex,
    /// The HTTP head and facts on the body.
    Http,
    /// What TLS says of the connections that carried them.
    Tls,
}

/// What is shown of a session.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How.
    pub form: Form,
    /// Only the message at this place, from 0.
    pub message: Option<usize>,
    /// Whether secrets are left as they are.
    pub show_secrets: bool,
}

/// A session being shown: what is said beside its commands.
pub struct Shown<'a> {
    session: &'a Session,
    options: Options,
    secrets: Vec<OnceCell<Secrets>>,
}

/// Writes the messages of a session that are wanted; `paths` are those of the inputs, in their order.
pub fn write(
    session: &Session,
    paths: &[String],
    options: Options,
    wanted: &dyn Fn(usize) -> bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let shown = Shown::new(session, options);
    title(session, options.show_secrets, out)?;
    if options.form == Form::Tls {
        return connections(session, out);
    }
    let mut locator = Locator::new(session, options.show_secrets);
    for (index, message) in session.messages.iter().enumerate() {
        if options.message.is_some_and(|only| only != index) || !wanted(index) {
            continue;
        }
        let location = locator.location(Place::Message(index));
        let path = location.input.and_then(|input| paths.get(input.0 as usize)).map_or("", String::as_str);
        writeln!(out, "\n{HEAD}{}{HEAD:#}", shown.heading(index, message, &spot(path, &location)))?;
        shown.message(index, message, out)?;
    }
    Ok(())
}

/// What TLS says of each connection that carried the session.
fn connections(session: &Session, out: &mut dyn Write) -> io::Result<()> {
    for connection in session.connections() {
        write_connection(connection, out)?;
    }
    Ok(())
}

/// Writes what TLS says of a connection.
pub fn write_connection(connection: &Connection, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{HEAD}{}{HEAD:#}", connection_heading(connection))?;
    match (&connection.handshake, connection.tls) {
        (Some(handshake), _) => tls::lines(&handshake.facts()).iter().try_for_each(|line| writeln!(out, "{line}")),
        (None, Some(false)) => writeln!(out, "(in clear text)"),
        (None, _) => writeln!(out, "(the recording does not hold the TLS records)"),
    }
}

/// `connection 3 · 10.0.0.2:50001 to 10.0.0.1:443`
fn connection_heading(connection: &Connection) -> String {
    let ends = connection.client.zip(connection.server).map(|(client, server)| format!(" · {client} to {server}"));
    format!("connection {}{}", connection.number, ends.unwrap_or_default())
}

fn title(session: &Session, show_secrets: bool, out: &mut dyn Write) -> io::Result<()> {
    let named = |name: &str, value: &Option<String>| {
        let value = value.as_deref().map(|value| if show_secrets { value.into() } else { secret::url(value) });
        let value = value.map(|value| escape::shorten(&escape::line(&value), 200).into_owned());
        value.map(|value| format!("{name} {value}"))
    };
    let edge = |edge: &Edge, name: &str| match edge {
        Edge::Seen => None,
        Edge::NotCaptured(why) => Some(format!("{name} not captured: {}", escape::line(why))),
    };
    let parts = [
        Some(format!("{} {}", if session.flavor == Flavor::Notification { "push" } else { "session" }, session.key())),
        named("SessionID", &session.session_id),
        named("device", &session.device),
        named("server", &session.server),
        Some(session.outcome.name().to_owned()),
        tls::of_session(session).map(|handshake| handshake.get(tls::brief)),
        edge(&session.start, "start"),
        edge(&session.end, "end"),
    ];
    let line: Vec<String> = parts.into_iter().flatten().collect();
    writeln!(out, "{TITLE}{}{TITLE:#}", line.join(" · "))
}

impl<'a> Shown<'a> {
    /// Nothing is worked out before it is asked for.
    pub fn new(session: &'a Session, options: Options) -> Shown<'a> {
        Shown { session, options, secrets: session.messages.iter().map(|_| OnceCell::new()).collect() }
    }
}

impl Shown<'_> {
    /// `message 3 · server to client · 10:02:11.120 · a.pcap frame 31 · MsgID 2 · HTTP 200 · 812 bytes`
    fn heading(&self, index: usize, message: &Message, spot: &str) -> String {
        let direction = message.side.map(|side| format!("{} to {}", side.name(), side.peer().name()));
        let http = message
            .http
            .as_ref()
            .filter(|_| message.kind != Kind::Missing)
            .map(|http| http::start(http, self.options.show_secrets));
        let msg_id = message.msg_id().map(|msg_id| format!("MsgID {}", escape::shorten(&escape::line(msg_id), 20)));
        let bytes = (message.kind != Kind::Missing).then(|| format!("{} bytes", message.body.bytes.len()));
        let parts = [
            Some(format!("message {}", index + 1)),
            direction,
            message.first.map(clock),
            Some(spot.to_owned()),
            msg_id,
            http,
            bytes,
        ];
        parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }

    fn message(&self, index: usize, message: &Message, out: &mut dyn Write) -> io::Result<()> {
        match &message.body.captured {
            _ if message.kind == Kind::Missing => {
                return writeln!(out, "(it must have been sent, but was not captured)");
            }
            Captured::Whole => {}
            Captured::Partly(why) => writeln!(out, "{DIM}not all of it was captured: {}{DIM:#}", escape::line(why))?,
            Captured::Refused(why) => writeln!(out, "{DIM}could not be decoded: {}{DIM:#}", escape::line(why))?,
        }
        for note in message.notes.iter().chain(&message.doc.notes) {
            writeln!(out, "{DIM}{}: {}{DIM:#}", note.kind.code(), escape::line(&note.detail))?;
        }
        match self.options.form {
            Form::Hex => hex::write(message, self.secrets(index), self.options.show_secrets, out),
            Form::Http | Form::Tls => http::write(message, self.options.show_secrets, out),
            Form::Xml | Form::Tree if message.kind == Kind::Push => self.push(message, out),
            Form::Xml if message.doc.is_empty() => self.text(message, out),
            Form::Tree if message.doc.sync_body().is_none() => self.text(message, out),
            Form::Xml => self.xml(index, message, out),
            Form::Tree => tree::write(self, index, message, out),
        }
    }

    /// The secrets of a message.
    pub fn secrets(&self, index: usize) -> Option<&Secrets> {
        let message = self.session.messages.get(index)?;
        let secrets = || if self.options.show_secrets { Secrets::shown() } else { Secrets::of(&message.doc) };
        self.secrets.get(index).map(|cell| cell.get_or_init(secrets))
    }

    /// The document with the answers behind the start tags of the commands.
    fn xml(&self, index: usize, message: &Message, out: &mut dyn Write) -> io::Result<()> {
        let rendering = Rendering::new(&message.doc, self.options.show_secrets);
        let text = rendering.text();
        let mut at = 0;
        for command in message.doc.all_commands() {
            let end = rendering.tag_range(command.0.id()).end;
            out.write_all(text.get(at..end).unwrap_or_default().as_bytes())?;
            at = end;
            let answers = self.answers(index, command);
            let line_start = text.get(..end).and_then(|before| before.rfind('\n')).map_or(0, |found| found + 1);
            let tag_start = rendering.tag_range(command.0.id()).start;
            for answer in &answers {
                match answers.len() {
                    1 => write!(out, " ")?,
                    _ => write!(out, "\n{:width$}", "", width = tag_start - line_start + 2)?,
                }
                // Two hyphens would end the comment.
                write!(out, "{DIM}<!-- {} -->{DIM:#}", answer.replace("--", "- -"))?;
            }
        }
        out.write_all(text.get(at..).unwrap_or_default().as_bytes())
    }

    /// The fields of a push.
    fn push(&self, message: &Message, out: &mut dyn Write) -> io::Result<()> {
        let Some(bearer) = message.bearer else { return Ok(()) };
        push::write(&push::lines(&message.body.bytes, bearer.framing, self.options.show_secrets), out)
    }

    /// A body that is no SyncML document: its text, if it is any.
    fn text(&self, message: &Message, out: &mut dyn Write) -> io::Result<()> {
        let body = &message.body.bytes;
        if !message.doc.is_empty() {
            return write!(out, "{}", Rendering::new(&message.doc, self.options.show_secrets).text());
        }
        match body.text() {
            Some("") => writeln!(out, "(no body)"),
            Some(text) if self.options.show_secrets => writeln!(out, "{}", escape::lines(text).trim_end()),
            Some(text) => writeln!(out, "{}", escape::lines(&secret::mask(text)).trim_end()),
            None => writeln!(out, "({} bytes that are no text; --as hex shows them)", body.len()),
        }
    }
}
