//! A message as a list of its commands: what each asks for, and what came of it.

use std::io::{self, Write};

use super::answer::shorten;
use super::{DIM, Shown};
use crate::syncml::{Command, Message, Tag, alert};

pub(super) fn write(shown: &Shown<'_>, index: usize, message: &Message, out: &mut dyn Write) -> io::Result<()> {
    if let Some(header) = message.header() {
        let fact = |name: &str, value: Option<&str>| value.map(|value| format!("{name} {}", shorten(value)));
        let parts = [
            fact("SessionID", header.session_id()),
            fact("MsgID", header.msg_id()),
            header.source().map(|uri| format!("from {}", shown.uri(uri))),
            header.target().map(|uri| format!("to {}", shown.uri(uri))),
            header.cred().map(|_| "with credentials".to_owned()),
        ];
        writeln!(out, "SyncHdr  {}", parts.into_iter().flatten().collect::<Vec<_>>().join(" · "))?;
    }
    for command in message.doc.commands() {
        element(shown, index, command, 0, out)?;
    }
    if message.doc.has_final() {
        writeln!(out, "Final")?;
    }
    Ok(())
}

fn element(shown: &Shown<'_>, index: usize, command: Command<'_>, level: usize, out: &mut dyn Write) -> io::Result<()> {
    let indent = "  ".repeat(level);
    let id = command.cmd_id().map(shorten).unwrap_or_default();
    let answer = matches!(command.tag(), Tag::Status | Tag::Results);
    let answers = shown.answers(index, command);
    let mut items = command.items().map(|item| shown.item(index, item)).filter(|item| !item.is_empty());
    let what = match command.tag() {
        Tag::Alert => Some(alert(command)),
        _ if answer => answers.first().cloned(),
        _ => items.next(),
    };
    let name = command.tag().name();
    writeln!(out, "{}", format!("{indent}{name} {id}  {}", what.unwrap_or_default()).trim_end())?;
    for item in items {
        writeln!(out, "{indent}    {item}")?;
    }
    for said in answers.iter().filter(|_| !answer) {
        writeln!(out, "{indent}    {DIM}=> {said}{DIM:#}")?;
    }
    command.nested().try_for_each(|inside| element(shown, index, inside, level + 1, out))
}

/// `1201 client-initiated session`
fn alert(command: Command<'_>) -> String {
    let code = command.data().map(shorten).unwrap_or_default();
    match command.code().and_then(alert::name) {
        Some(name) => format!("{code} {name}"),
        None => code,
    }
}
