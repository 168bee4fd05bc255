//! A session as a list of steps that another can be compared with: its messages, and the commands in them.
//!
//! Names of the device and the server are taken out, so that two devices that do the same look the same. Values are
//! compared as they were sent, and kept as they may be shown.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use crate::escape;
use crate::http::Captured;
use crate::rules::Draft;
use crate::rules::finding::Place;
use crate::session::{At, Edge, Session};
use crate::syncml::secret::{MASK, Secrets};
use crate::syncml::{Command, Item, Kind, Message, Tag, alert, original_error, secret};

/// Longest value that is shown.
const MAX_VALUE: usize = 160;

/// See the module's head.
#[derive(Clone, Debug)]
pub struct Outline {
    /// The key of the session: `s1`.
    pub key: String,
    /// The device, to tell which sessions belong together.
    pub device: Option<String>,
    /// A line that names it.
    pub title: String,
    /// What is compared of the session as a whole.
    pub facts: Vec<Fact>,
    /// Its messages, each followed by its commands.
    pub steps: Vec<Step>,
}

/// A message or a command.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is aligned by.
    pub key: String,
    /// Index of the message.
    pub message: usize,
    /// 0 for a message, 1 for a command, 2 for one in a container.
    pub level: usize,
    /// What it is, for reading.
    pub label: String,
    /// What is compared of it.
    pub facts: Vec<Fact>,
    /// For a message: how long after the one before it.
    pub after: Option<Duration>,
}

/// Something that can differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// Its value, as it may be shown.
    pub text: String,
    /// Its value, as it was sent.
    pub hash: u64,
}

impl Fact {
    fn new(name: &'static str, raw: &str, shown: &str) -> Fact {
        let mut hasher = DefaultHasher::new();
        raw.hash(&mut hasher);
        Fact { name, text: escape::shorten(&escape::line(shown), MAX_VALUE).into_owned(), hash: hasher.finish() }
    }

    fn plain(name: &'static str, text: &str) -> Fact {
        Fact::new(name, text, text)
    }
}

impl Outline {
    /// The outline of a session; `drafts` are the findings in it.
    pub fn of(session: &Session, drafts: &[Draft], show_secrets: bool) -> Outline {
        let maker = Maker { session, drafts, show_secrets };
        let mut steps = Vec::new();
        for (index, message) in session.messages.iter().enumerate() {
            steps.push(maker.message(index, message));
            if message.is_readable() {
                let secrets = if show_secrets { Secrets::shown() } else { Secrets::of(&message.doc) };
                let commands = message.doc.all_commands().filter(|command| command.tag().is_command());
                steps.extend(commands.map(|command| maker.command(index, command, &secrets)));
            }
        }
        Outline {
            key: session.key(),
            device: session.device.clone(),
            title: maker.title(),
            facts: maker.session(),
            steps,
        }
    }
}

struct Maker<'a> {
    session: &'a Session,
    drafts: &'a [Draft],
    show_secrets: bool,
}

impl Maker<'_> {
    fn url(&self, text: &str) -> String {
        if self.show_secrets { text.to_owned() } else { secret::url(text).into_owned() }
    }

    /// A text without the names of this device and this server.
    fn common(&self, text: &str) -> String {
        let names = [(&self.session.device, "(device)"), (&self.session.server, "(server)")];
        names.into_iter().fold(text.to_owned(), |text, (name, word)| match name {
            Some(name) if name.len() > 3 && text.contains(name.as_str()) => text.replace(name.as_str(), word),
            _ => text,
        })
    }

    fn title(&self) -> String {
        let session = self.session;
        let device = session.device.as_deref().map(|device| format!("device {}", escape::line(&self.url(device))));
        let started = session.started().map(|started| started.to_string());
        let count = format!("{} messages", session.messages.len());
        let parts = [Some(session.outcome.name().to_owned()), Some(count), started, device];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    fn session(&self) -> Vec<Fact> {
        let session = self.session;
        let edge = |name, edge: &Edge| match edge {
            Edge::Seen => None,
            Edge::NotCaptured(_) => Some(Fact::plain(name, "not captured")),
        };
        let versions = session.messages.iter().filter_map(|message| message.header());
        let versions: Vec<&str> = versions.filter_map(|header| header.ver_proto()).collect();
        let tls = session.messages.iter().find_map(|message| message.http.as_ref()?.connection.tls);
        let facts = [
            Some(Fact::plain("outcome", session.outcome.name())),
            edge("start", &session.start),
            edge("end", &session.end),
            versions.first().map(|version| Fact::plain("version", version)),
            tls.map(|tls| Fact::plain("tls", if tls { "yes" } else { "no" })),
            self.findings(|place| place == Place::Session),
        ];
        facts.into_iter().flatten().collect()
    }

    /// The rules that have something to say of a place.
    fn findings(&self, here: impl Fn(Place) -> bool) -> Option<Fact> {
        let mut ids: Vec<&str> =
            self.drafts.iter().filter(|draft| here(draft.place)).map(|draft| draft.rule.id).collect();
        ids.sort_unstable();
        ids.dedup();
        (!ids.is_empty()).then(|| Fact::plain("findings", &ids.join(", ")))
    }

    fn message(&self, index: usize, message: &Message) -> Step {
        let side = message.side.map_or("unknown", |side| side.name());
        let id = message.msg_id().map(|id| format!(" {}", escape::shorten(&escape::line(id), 20))).unwrap_or_default();
        let before = index.checked_sub(1).and_then(|before| self.session.messages.get(before));
        let before = before.and_then(|before| before.last.or(before.first));
        let (status, captured) = (message.http.as_ref().map(|http| http.head.status), &message.body.captured);
        let header = message.doc.statuses().find(|status| status.is_for_header());
        let cred = message.header().and_then(|header| header.cred()).map(|cred| scheme(cred.child(Tag::Meta)));
        let chal = header.and_then(|status| status.0.child(Tag::Chal)).map(|chal| scheme(chal.child(Tag::Meta)));
        let facts = [
            status.filter(|status| *status > 0).map(|status| Fact::plain("http", &status.to_string())),
            (message.kind == Kind::Missing).then(|| Fact::plain("captured", "no")),
            match captured {
                Captured::Partly(_) if message.kind != Kind::Missing => Some(Fact::plain("captured", "in part")),
                Captured::Refused(_) => Some(Fact::plain("captured", "not decoded")),
                _ => None,
            },
            message.retransmission.then(|| Fact::plain("sent", "once more")),
            cred.map(|scheme| Fact::plain("credentials", &scheme)),
            header.map(|status| Fact::plain("status of header", &code(status))),
            chal.map(|scheme| Fact::plain("challenge", &scheme)),
            self.findings(|place| place.message() == Some(index) && self.command_of(place).is_none()),
        ];
        Step {
            key: format!("message {side}"),
            message: index,
            level: 0,
            label: format!("{side} message{id}"),
            facts: facts.into_iter().flatten().collect(),
            after: message.first.zip(before).map(|(now, before)| now.since(before)),
        }
    }

    /// The command that a place lies in.
    fn command_of(&self, place: Place) -> Option<At> {
        let Place::Element(at) = place else { return None };
        let around = std::iter::successors(self.session.element(at), |element| element.parent());
        let command = around.into_iter().find(|element| element.tag().is_command())?;
        Some(At { message: at.message, node: command.id() })
    }

    fn command(&self, index: usize, command: Command<'_>, secrets: &Secrets) -> Step {
        let at = At { message: index, node: command.0.id() };
        let level = std::iter::successors(command.container(), |above| above.container()).count() + 1;
        let uris: Vec<&str> = command.items().filter_map(|item| item.target().or(item.source())).collect();
        let name = command.tag().name();
        let what = match command.tag() {
            Tag::Alert => {
                let said = command.code().and_then(alert::name).map(|said| format!(" {said}")).unwrap_or_default();
                let kinds: Vec<&str> =
                    command.items().map(|item| item.media_type()).filter(|kind| *kind != "text/plain").collect();
                format!("{}{said} {}", command.data().unwrap_or_default(), [kinds, uris].concat().join(" "))
            }
            _ => uris.join(" "),
        };
        let what = self.common(what.trim());
        let side = self.session.messages.get(index).and_then(|message| message.side).map_or("", |side| side.name());
        let mut facts = Vec::new();
        facts.extend(self.data("data", command.items(), secrets));
        if let Some(exchange) = self.session.exchange(at) {
            let codes: Vec<String> =
                exchange.statuses.iter().filter_map(|at| self.session.command_at(*at)).map(code).collect();
            facts.push(Fact::plain("status", if codes.is_empty() { "none" } else { "" }));
            if let Some(fact) = facts.last_mut().filter(|_| !codes.is_empty()) {
                *fact = Fact::plain("status", &codes.join(", "));
            }
            facts.extend(self.results(&exchange.results));
        }
        facts.extend(self.findings(|place| self.command_of(place) == Some(at)));
        let shown = escape::shorten(&escape::line(&self.url(&what)), MAX_VALUE).into_owned();
        Step {
            key: format!("{side} {level} {name} {what}"),
            message: index,
            level,
            label: format!("{name} {shown}").trim_end().to_owned(),
            facts,
            after: None,
        }
    }

    /// What items hold, one fact for all.
    fn data<'d>(&self, name: &'static str, items: impl Iterator<Item = Item<'d>>, secrets: &Secrets) -> Option<Fact> {
        let (mut raw, mut shown) = (Vec::new(), Vec::new());
        for (item, data) in items.filter_map(|item| Some((item, item.data()?))) {
            let inside: String =
                data.descendants().map(|below| format!("<{}>{}", below.name(), below.text())).collect();
            let text = secrets.text(data);
            raw.push(self.common(&format!(
                "{} {}{inside}",
                data.text(),
                item.effective(Tag::Format).unwrap_or_default()
            )));
            let hidden = !inside.is_empty() && data.descendants().any(|below| secrets.hides(below.id()));
            shown.push(if hidden { MASK.to_owned() } else { self.common(&format!("{}{inside}", text.trim())) });
        }
        (!raw.is_empty()).then(|| Fact::new(name, &raw.join("\u{1f}"), &shown.join(" | ")))
    }

    fn results(&self, results: &[At]) -> Option<Fact> {
        let (mut raw, mut shown) = (String::new(), Vec::new());
        for (at, command) in results.iter().filter_map(|at| Some((at, self.session.command_at(*at)?))) {
            let message = self.session.messages.get(at.message)?;
            let secrets = if self.show_secrets { Secrets::shown() } else { Secrets::of(&message.doc) };
            for item in command.items() {
                let fact = self.data("", std::iter::once(item), &secrets);
                let uri = item.source().or(item.target()).unwrap_or_default();
                raw.push_str(&format!("{uri} {:x}\n", fact.as_ref().map_or(0, |fact| fact.hash)));
                shown.push(format!("{} = {}", self.url(uri), fact.map(|fact| fact.text).unwrap_or_default()));
            }
        }
        (!results.is_empty()).then(|| Fact::new("results", &raw, &shown.join(" | ")))
    }
}

fn code(status: Command<'_>) -> String {
    original_error::describe(status).unwrap_or_else(|| "without code".to_owned())
}

fn scheme(meta: Option<crate::syncml::Element<'_>>) -> String {
    meta.and_then(|meta| crate::syncml::Meta(meta).media_type()).unwrap_or("syncml:auth-basic").to_owned()
}
