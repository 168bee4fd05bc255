//! The commands of a message or of a whole session as lines: what each asks for, and what came of it.
//!
//! In: a session and what is shown of it. Out: lines of safe text. An answer stands beside its command, whichever
//! message it came in; the commands of a container are rolled up into one line.

use std::collections::HashSet;

use crate::escape;
use crate::report::clock;
use crate::report::show::{self, Form, Options, Shown};
use crate::rules::Severity;
use crate::session::{At, Session};
use crate::syncml::{Command, Kind, Message, Side, Tag, alert, status};

use super::scroll::Scroll;
use super::store::Opened;

/// How something went, told by a sign beside the colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Good,
    Bad,
    /// No answer.
    Open,
    /// Undone, or left out, because another command of its Atomic failed.
    Undone,
    Plain,
}

impl Sign {
    /// Of a status code.
    fn of(code: Option<u16>) -> Sign {
        match code {
            Some(215 | 216) => Sign::Undone,
            Some(200..=299) => Sign::Good,
            Some(300..) => Sign::Bad,
            _ => Sign::Plain,
        }
    }

    /// The sign.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Sign::Good => "✓",
            Sign::Bad => "✗",
            Sign::Open => "?",
            Sign::Undone => "↺",
            Sign::Plain => " ",
        }
    }
}

/// A line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// What it is about: a command, a header, or (the heading of a message) nothing closer than the message.
    pub(crate) message: usize,
    pub(crate) at: Option<At>,
    pub(crate) heading: bool,
    pub(crate) depth: usize,
    /// `▾` or `▸` for a container.
    pub(crate) fold: Option<bool>,
    pub(crate) name: String,
    pub(crate) what: String,
    pub(crate) answer: String,
    pub(crate) sign: Sign,
    pub(crate) badge: Option<Severity>,
}

/// What is shown of a session.
#[derive(Clone, Copy)]
pub(crate) struct Show<'a> {
    /// Whether a message is.
    pub(crate) kept: &'a dyn Fn(usize) -> bool,
    pub(crate) show_secrets: bool,
    pub(crate) threshold: Severity,
}

/// The list.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    pub(crate) lines: Vec<Line>,
    pub(crate) scroll: Scroll,
    pub(crate) folded: HashSet<At>,
}

impl Commands {
    /// Makes the lines of one message, or of all.
    pub(crate) fn rebuild(&mut self, opened: &Opened, session: &Session, only: Option<usize>, show: Show<'_>) {
        let Show { kept, show_secrets, threshold } = show;
        let options = Options { form: Form::Tree, message: None, show_secrets };
        let mut list = List {
            shown: Shown::new(session, options),
            session,
            opened,
            threshold,
            show_secrets,
            folded: &self.folded,
            lines: Vec::new(),
        };
        for (index, message) in session.messages.iter().enumerate() {
            if only.is_none_or(|only| only == index) && kept(index) {
                list.message(index, message, only.is_none());
            }
        }
        self.lines = list.lines;
        self.scroll.fit(self.lines.len(), self.scroll.height());
    }

    /// Empties the list.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
        self.scroll.fit(0, self.scroll.height());
    }

    /// The line of the cursor.
    pub(crate) fn line(&self) -> Option<&Line> {
        self.lines.get(self.scroll.cursor)
    }

    /// The line that holds a place: that of its command, else the first of its message.
    pub(crate) fn place(&self, session: &Session, at: At) -> Option<usize> {
        let mut element = session.element(at);
        while let Some(here) = element {
            let at = At { message: at.message, node: here.id() };
            if let Some(line) = self.lines.iter().position(|line| line.at == Some(at)) {
                return Some(line);
            }
            element = here.parent();
        }
        self.lines.iter().position(|line| line.message == at.message)
    }

    /// Folds or unfolds the container of the cursor. Returns whether anything changed.
    pub(crate) fn fold(&mut self, fold: bool) -> bool {
        match self.line() {
            Some(Line { fold: Some(folded), at: Some(at), .. }) if *folded != fold => {
                let at = *at;
                if fold { self.folded.insert(at) } else { self.folded.remove(&at) }
            }
            _ => false,
        }
    }
}

/// The list being made.
struct List<'a> {
    shown: Shown<'a>,
    session: &'a Session,
    opened: &'a Opened,
    threshold: Severity,
    show_secrets: bool,
    folded: &'a HashSet<At>,
    lines: Vec<Line>,
}

impl List<'_> {
    fn message(&mut self, index: usize, message: &Message, heading: bool) {
        if heading {
            self.heading(index, message);
        }
        let depth = usize::from(heading);
        if let Some(header) = message.header() {
            let part = |name: &str, value: Option<&str>| value.map(|value| format!("{name} {}", short(value)));
            let parts = [
                part("SessionID", header.session_id()),
                part("MsgID", header.msg_id()),
                header.cred().map(|_| "with credentials".to_owned()),
                header.source().map(|uri| format!("from {}", self.shown.uri(uri))),
            ];
            let at = At { message: index, node: header.0.id() };
            self.lines.push(Line {
                at: Some(at),
                name: "SyncHdr".to_owned(),
                what: parts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
                badge: self.badge(at),
                ..self.plain(index, depth)
            });
        }
        for command in message.doc.commands() {
            self.command(index, command, depth);
        }
        if let Some(mark) = message.doc.final_mark() {
            let at = At { message: index, node: mark.id() };
            self.lines.push(Line { at: Some(at), name: "Final".to_owned(), ..self.plain(index, depth) });
        }
        if message.doc.commands().next().is_none() && message.header().is_none() {
            let root = message.doc.root().map(|root| At { message: index, node: root.id() });
            self.lines.push(Line { at: root, what: content(message), ..self.plain(index, depth) });
        }
    }

    fn heading(&mut self, index: usize, message: &Message) {
        let http = message.http.as_ref().filter(|_| message.kind != Kind::Missing);
        let parts = [
            message.first.map(clock),
            http.map(|http| show::start_line(http, self.show_secrets)),
            Some(format!("{} bytes", message.body.bytes.len())).filter(|_| message.kind != Kind::Missing),
        ];
        self.lines.push(Line {
            heading: true,
            name: format!("{} {}", arrow(message.side), self.shown.name(index)),
            what: parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · "),
            badge: self.opened.worst_in(index, self.threshold),
            ..self.plain(index, 0)
        });
    }

    fn plain(&self, message: usize, depth: usize) -> Line {
        Line {
            message,
            at: None,
            heading: false,
            depth,
            fold: None,
            name: String::new(),
            what: String::new(),
            answer: String::new(),
            sign: Sign::Plain,
            badge: None,
        }
    }

    fn command(&mut self, index: usize, command: Command<'_>, depth: usize) {
        let at = At { message: index, node: command.0.id() };
        let inside: Vec<Command<'_>> = command.nested().collect();
        let folded = self.folded.contains(&at);
        let (sign, answer) = self.answer(at, command);
        let id = command.cmd_id().map(short).unwrap_or_default();
        self.lines.push(Line {
            at: Some(at),
            fold: (!inside.is_empty()).then_some(folded),
            name: format!("{} {id}", command.tag().name()).trim_end().to_owned(),
            what: self.what(index, command, &inside),
            answer,
            sign,
            badge: self.badge(at),
            ..self.plain(index, depth)
        });
        if !folded {
            inside.into_iter().for_each(|command| self.command(index, command, depth + 1));
        }
    }

    fn what(&self, index: usize, command: Command<'_>, inside: &[Command<'_>]) -> String {
        let items: Vec<String> = command.items().map(|item| self.shown.item(index, item)).collect();
        let items: Vec<&str> = items.iter().map(String::as_str).filter(|item| !item.is_empty()).collect();
        let first = items.first().copied().unwrap_or_default();
        let more = if items.len() > 1 { format!("  (+{} items)", items.len() - 1) } else { String::new() };
        match command.tag() {
            Tag::Status | Tag::Results if first.is_empty() => self.shown.referred(index, command),
            Tag::Status => format!("{}  {first}{more}", self.shown.referred(index, command)),
            Tag::Alert => {
                let code = command.data().map(short).unwrap_or_default();
                let name = command.code().and_then(alert::name).unwrap_or_default();
                // What a generic alert or an event is about, its Type says alone.
                let about = command.items().find_map(|item| item.meta()?.get(Tag::Type)).map(short);
                let about = about.map(|about| format!("{about}  ")).unwrap_or_default();
                format!("{code} {name}  {about}{first}{more}").trim_end().to_owned()
            }
            tag if tag.is_container() => self.rolled_up(index, inside),
            _ => format!("{first}{more}"),
        }
    }

    /// `2 rolled back, 1 failed`
    fn rolled_up(&self, index: usize, inside: &[Command<'_>]) -> String {
        const TOLD: [&str; 5] = ["ok", "rolled back", "not executed", "failed", "unanswered"];
        let mut counts = [0usize; TOLD.len()];
        for command in inside {
            let at = At { message: index, node: command.0.id() };
            let word = match (self.worst(at).and_then(Command::code), self.answer(at, *command).0) {
                (Some(216), _) => 1,
                (Some(215), _) => 2,
                (_, Sign::Good) => 0,
                (_, Sign::Bad | Sign::Undone) => 3,
                (_, Sign::Open) => 4,
                (_, Sign::Plain) => continue,
            };
            if let Some(count) = counts.get_mut(word) {
                *count += 1;
            }
        }
        let told = counts.iter().zip(TOLD).filter(|(count, _)| **count > 0);
        let told: Vec<String> = told.map(|(count, word)| format!("{count} {word}")).collect();
        match told.is_empty() {
            true => crate::report::count(inside.len() as u64, "command"),
            false => told.join(", "),
        }
    }

    /// The Status of a command that says most: of several the worst.
    fn worst(&self, at: At) -> Option<Command<'_>> {
        let statuses = &self.session.exchange(at)?.statuses;
        let statuses = statuses.iter().filter_map(|status| self.session.command_at(*status));
        statuses.max_by_key(|status| match Sign::of(status.code()) {
            Sign::Bad => 3,
            Sign::Undone => 2,
            Sign::Good => 1,
            _ => 0,
        })
    }

    fn answer(&self, at: At, command: Command<'_>) -> (Sign, String) {
        match command.tag() {
            Tag::Status => return (Sign::of(command.code()), in_short(command)),
            Tag::Results => return (Sign::Plain, format!("for {}", self.shown.referred(at.message, command))),
            _ => {}
        }
        let Some(exchange) = self.session.exchange(at) else { return (Sign::Plain, String::new()) };
        let Some(worst) = self.worst(at) else {
            let quiet = command.0.child(Tag::NoResp).is_some() || self.session.messages.len() == 1;
            return if quiet { (Sign::Plain, String::new()) } else { (Sign::Open, "no Status".to_owned()) };
        };
        let value = exchange.results.iter().find_map(|results| {
            let item = self.session.command_at(*results)?.items().next()?;
            let text = self.shown.item(results.message, item);
            Some(text.split_once(" = ").map(|(_, value)| value.to_owned()).unwrap_or(text))
        });
        let value = value.map(|value| format!(" = {value}")).unwrap_or_default();
        (Sign::of(worst.code()), format!("{}{value}", in_short(worst)))
    }

    /// The worst finding in a command, those in commands inside it too.
    fn badge(&self, at: At) -> Option<Severity> {
        let span = self.session.element(at)?.span();
        let inside = self.opened.drafts.iter().filter(|draft| draft.place.message() == Some(at.message));
        let inside = inside.filter(|draft| {
            let place = draft.place.span(self.session);
            !place.is_empty() && place.start >= span.start && place.end <= span.end
        });
        inside.map(|draft| draft.severity).filter(|severity| *severity >= self.threshold).max()
    }
}

/// A Status' code with its name: `404 not found`.
fn in_short(status: Command<'_>) -> String {
    let code = status.data().map(short).unwrap_or_default();
    match status.code().and_then(status::lookup) {
        Some(known) => format!("{code} {}", known.name),
        None => code,
    }
}

/// What a message is that holds no command.
fn content(message: &Message) -> String {
    match message.kind {
        Kind::Missing => "(it must have been sent, but was not captured)".to_owned(),
        Kind::Empty => "(no body)".to_owned(),
        Kind::Soap => "SOAP".to_owned(),
        Kind::Provisioning => "provisioning document".to_owned(),
        Kind::Push => "WAP push".to_owned(),
        Kind::Html => "HTML".to_owned(),
        _ => match message.doc.root() {
            Some(root) => format!("<{}>", escape::line(root.name())),
            None => "(no document)".to_owned(),
        },
    }
}

/// The direction of a message.
pub(crate) fn arrow(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Client) => "→",
        Some(Side::Server) => "←",
        None => "·",
    }
}

fn short(value: &str) -> String {
    escape::shorten(&escape::line(value), 40).into_owned()
}
