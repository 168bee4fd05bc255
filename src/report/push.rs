//! A push in words: one line for each field, as a table.

use std::io::{self, Write};

use crate::escape;
use crate::push::hex;
use crate::push::{Content, Field, Framing, Push, Short, TRIGGER, Trigger, Value, names};
use crate::syncml::secret;

/// What stands in place of a secret.
const MASKED: &str = "********";
/// Longest value that is printed, in characters.
const LONGEST: usize = 300;
/// Octets of unknown data that are printed.
const OCTETS: usize = 64;

/// A name, and what is said of it.
pub type Line = (String, String);

/// The fields of a push; `show_secrets` leaves digests, MACs and what a bootstrap sets up.
pub fn lines(bytes: &[u8], framing: Framing, show_secrets: bool) -> Vec<Line> {
    let push = Push::read(bytes, framing);
    let mut lines: Vec<Line> = Vec::new();
    let mut say = |name: &str, said: String| lines.push((escape::line(name).into_owned(), said));
    if framing != Framing::Bare {
        let tid = push.tid.map_or_else(|| "no transaction".to_owned(), |tid| format!("transaction {tid}"));
        let confirmed = if push.confirmed { ", to be confirmed" } else { "" };
        let over = if framing == Framing::Wtp { " over WTP" } else { "" };
        let head = push.content_at;
        say("push", format!("WSP{over}, {tid}{confirmed}; {head} octets before the content"));
        let code = push.content_type.code.map_or_else(|| ", spelled out".to_owned(), |code| format!(" (0x{code:02X})"));
        let name = if push.content_type.name.is_empty() { "unknown" } else { &push.content_type.name };
        say("content type", shown(name) + &code);
        for field in &push.content_type.parameters {
            say(&field.name, parameter(field, show_secrets));
        }
        for field in &push.headers {
            say(&field.name, header(&push, field, show_secrets));
        }
    }
    match push.kind() {
        _ if push.fault.is_some() => {}
        Content::Trigger => match Trigger::read(push.content) {
            Ok(trigger) => lines.extend(of_trigger(&trigger, show_secrets)),
            Err(Short { octets }) => say("notification", format!("{octets} octets; the fields take {TRIGGER}")),
        },
        Content::Bootstrap { binary } => {
            let form = if binary { "WBXML" } else { "XML" };
            say("content", format!("{} octets of {form} that set the device up", push.content.len()));
        }
        Content::OtherTrigger => {
            say("content", format!("{} octets: a notification of another format", push.content.len()))
        }
        Content::Other => say("content", format!("{} octets", push.content.len())),
    }
    if let Some(fault) = &push.fault {
        lines.push(("unreadable".to_owned(), shown(fault)));
    }
    lines
}

/// Writes the lines, names in one column.
pub fn write(lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    lines.iter().try_for_each(|(name, said)| writeln!(out, "{name:<width$}  {said}"))
}

fn of_trigger(trigger: &Trigger<'_>, show_secrets: bool) -> Vec<Line> {
    let digest = if show_secrets { hex::text(&trigger.digest) } else { MASKED.to_owned() };
    let initiator = if trigger.by_server { "1, the server" } else { "0, the user" };
    let future =
        if trigger.future == 0 { "0".to_owned() } else { format!("0x{:07X}; all 27 bits are to be 0", trigger.future) };
    let server = shown(&trigger.server_name());
    let server = match usize::from(trigger.server_len) {
        length if length == trigger.server.len() => format!("{server} ({length} octets)"),
        length => format!("{server} ({length} octets, of which {} are there)", trigger.server.len()),
    };
    let vendor = match trigger.vendor {
        [] => "none".to_owned(),
        octets => shown_octets(octets),
    };
    let fields = [
        ("digest", format!("{digest} (MD5)")),
        ("version", format!("{} ({})", trigger.version_name(), trigger.version)),
        ("ui-mode", format!("{}, {}", trigger.ui_mode.bits(), trigger.ui_mode.words())),
        ("initiator", initiator.to_owned()),
        ("future use", future),
        ("session", format!("0x{:04X}; SessionID {} in its messages", trigger.session, trigger.session_id())),
        ("server", server),
        ("vendor data", vendor),
    ];
    fields.into_iter().map(|(name, said)| (name.to_owned(), said)).collect()
}

fn parameter(field: &Field, show_secrets: bool) -> String {
    match &field.value {
        _ if !show_secrets && field.name.eq_ignore_ascii_case("MAC") => MASKED.to_owned(),
        Value::Number(code) if field.name.eq_ignore_ascii_case("SEC") => {
            format!("{} ({code})", names::security(*code).unwrap_or("unknown"))
        }
        value => of_value(value, show_secrets),
    }
}

fn header(push: &Push<'_>, field: &Field, show_secrets: bool) -> String {
    match push.application().filter(|_| field.name == names::APPLICATION_ID) {
        Some((name, Some(code))) => format!("{} (0x{code:02X})", shown(&name)),
        Some((name, None)) => format!("{}, spelled out", shown(&name)),
        None => of_value(&field.value, show_secrets),
    }
}

fn of_value(value: &Value, show_secrets: bool) -> String {
    match value {
        Value::Nothing => "(no value)".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) if show_secrets => shown(text),
        Value::Text(text) => shown(&secret::url(text)),
        Value::Octets(octets) => shown_octets(octets),
    }
}

fn shown(text: &str) -> String {
    escape::shorten(&escape::line(text), LONGEST).into_owned()
}

fn shown_octets(octets: &[u8]) -> String {
    let first = octets.get(..OCTETS).unwrap_or(octets);
    let rest = if first.len() < octets.len() { "…" } else { "" };
    format!("{} octets: {}{rest}", octets.len(), hex::text(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTIFICATION: &[u8] =
        b"\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x02\xE8\0\0\0\0\xAB\x03a\x1bc\x01";

    fn text(bytes: &[u8], framing: Framing, show_secrets: bool) -> String {
        let mut out = Vec::new();
        write(&lines(bytes, framing, show_secrets), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_field_is_said_in_words() {
        let push = [b"\x01\x06\x03\xC4\xAF\x87", NOTIFICATION].concat();
        let said = text(&push, Framing::Wsp, true);
        let expected = "\
push                  WSP, transaction 1; 6 octets before the content
content type          application/vnd.syncml.notification (0x44)
X-Wap-Application-Id  x-wap-application:syncml.dm (0x07)
digest                07070707070707070707070707070707 (MD5)
version               1.1 (11)
ui-mode               2, informative, the user is told
initiator             1, the server
future use            0
session               0x00AB; SessionID AB in its messages
server                a\\u{1b}c (3 octets)
vendor data           1 octets: 01
";
        assert_eq!(said, expected);
        assert!(!text(&push, Framing::Wsp, false).contains("0707"));
    }

    #[test]
    fn a_bootstrap_hides_its_mac() {
        let push = b"\x01\x06\x0A\x07\xB6\x91\x81\x92ab\0\xAF\x87\x03\x0b";
        let masked = text(push, Framing::Wsp, false);
        assert!(masked.contains("SEC") && masked.contains("USERPIN (1)") && !masked.contains("ab"), "{masked}");
    }
}
