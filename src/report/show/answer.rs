//! What is said beside a command: its Status codes in words, its Results; beside a Status: what it answers.

use super::Shown;
use crate::escape;
use crate::session::{At, Lookup};
use crate::syncml::{Command, Item, Tag, hresult, original_error, secret};

/// Longest value that is shown beside a command.
const MAX_VALUE: usize = 120;
/// Results shown beside a command.
const MAX_RESULTS: usize = 20;

impl Shown<'_> {
    /// A sentence for each answer to a command, or for what a Status or Results answers.
    pub(super) fn answers(&self, index: usize, command: Command<'_>) -> Vec<String> {
        if matches!(command.tag(), Tag::Status | Tag::Results) {
            return vec![self.answered(index, command)];
        }
        let at = At { message: index, node: command.0.id() };
        let Some(exchange) = self.session.exchange(at) else { return Vec::new() };
        let statuses = exchange.statuses.iter().map(|at| self.status(*at));
        let results = exchange.results.iter().flat_map(|at| self.results(*at)).take(MAX_RESULTS);
        let mut answers: Vec<String> = statuses.chain(results).collect();
        // A message on its own cannot show its answers.
        let alone = self.session.messages.len() == 1;
        if exchange.statuses.is_empty() && command.0.child(Tag::NoResp).is_none() && !alone {
            answers.push("no Status in this capture".to_owned());
        }
        answers
    }

    fn status(&self, at: At) -> String {
        let Some(status) = self.session.command_at(at) else { return String::new() };
        let code = original_error::describe(status).unwrap_or_else(|| "a Status without code".to_owned());
        // A Status may be about one item of several.
        let about: Vec<_> = status.target_refs().chain(status.source_refs()).map(|uri| self.uri(uri)).collect();
        let about = if about.is_empty() { String::new() } else { format!(" for {}", about.join(", ")) };
        format!("{code}{about}, in {}", self.name(at.message))
    }

    fn results(&self, at: At) -> Vec<String> {
        let Some(results) = self.session.command_at(at) else { return Vec::new() };
        let name = self.name(at.message);
        results.items().map(|item| format!("{}, in {name}", self.item(at.message, item))).collect()
    }

    /// An item: `./DevDetail/SwV = 10.0.26100 (int)`.
    pub fn item(&self, index: usize, item: Item<'_>) -> String {
        let uri = item.target().or(item.source()).map(|uri| self.uri(uri)).unwrap_or_default();
        let value = item.data().map(|data| {
            let inside = data.children().count();
            let text = match self.secrets(index) {
                Some(secrets) => secrets.text(data),
                None => "".into(),
            };
            match inside {
                0 => shorten(&text) + &explained(&text),
                _ => {
                    format!("<{}>…", data.children().next().map(|child| escape::line(child.name())).unwrap_or_default())
                }
            }
        });
        let format = Some(item.format()).filter(|format| *format != "chr" && value.is_some());
        let format = format.map(|format| format!(" ({})", shorten(format))).unwrap_or_default();
        let more = if item.more_data() { " (more to come)" } else { "" };
        match value {
            Some(value) if uri.is_empty() => format!("{value}{format}{more}"),
            Some(value) => format!("{uri} = {value}{format}{more}"),
            None => format!("{uri}{more}"),
        }
    }

    /// An address on one line, the tokens in it masked.
    pub fn uri(&self, uri: &str) -> String {
        if self.options.show_secrets { shorten(uri) } else { shorten(&secret::url(uri)) }
    }

    /// What a Status or Results answers, and a Status' code in words.
    fn answered(&self, index: usize, answer: Command<'_>) -> String {
        let what = self.referred(index, answer);
        let said = Some(answer).filter(|answer| answer.tag() == Tag::Status).and_then(original_error::describe);
        match said {
            Some(said) => format!("{what}: {said}"),
            None => what,
        }
    }

    /// What a Status or Results answers: `Get 5 of server message 2`.
    pub fn referred(&self, index: usize, answer: Command<'_>) -> String {
        match self.session.referred(index, answer) {
            Lookup::Found(at) => {
                let command = self.session.command_at(at);
                let name = command.map(|command| command.tag().name()).unwrap_or_default();
                let id = command.and_then(Command::cmd_id).map(shorten).unwrap_or_default();
                format!("{name} {id} of {}", self.name(at.message))
            }
            _ if answer.cmd_ref() == Some("0") => {
                let side = self.session.messages.get(index).and_then(|message| message.side);
                let side = side.map_or("", |side| side.peer().name());
                let id = answer.msg_ref().map(shorten).unwrap_or_default();
                format!("header of {side} message {id}").trim_end().to_owned()
            }
            Lookup::Absent => "a command that was not sent".to_owned(),
            Lookup::NotCaptured => "a command that was not captured".to_owned(),
        }
    }

    /// `client message 3`, by MsgID.
    pub fn name(&self, index: usize) -> String {
        let Some(message) = self.session.messages.get(index) else { return String::new() };
        let side = message.side.map_or("", |side| side.name());
        let id = message.msg_id().map_or_else(|| format!("number {}", index + 1), shorten);
        format!("{side} message {id}").trim_start().to_owned()
    }
}

/// What a value says that is an error number of Windows.
fn explained(value: &str) -> String {
    hresult::meaning(value).map_or(String::new(), |meaning| format!(" [{meaning}]"))
}

/// A value on one line, not too long.
pub(super) fn shorten(value: &str) -> String {
    escape::shorten(&escape::line(value), MAX_VALUE).into_owned()
}
