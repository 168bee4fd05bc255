//! The HTTP side of a message: start line, headers, facts on the body.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::escape;
use crate::http::{Captured, Half};
use crate::syncml::message::Envelope;
use crate::syncml::{Kind, Message, secret};

/// The start line in short: `POST /omadm`, `HTTP 200`.
pub fn start(http: &Envelope, show_secrets: bool) -> String {
    match http.half {
        Half::Request => format!("{} {}", escape::line(&http.head.method), target(&http.head.target, show_secrets)),
        Half::Response if http.head.status == 0 => String::new(),
        Half::Response => format!("HTTP {}", http.head.status),
    }
}

/// Writes start line, headers, and facts on the body.
pub fn write(message: &Message, show_secrets: bool, out: &mut dyn Write) -> io::Result<()> {
    let Some(http) = message.http.as_ref().filter(|_| message.kind != Kind::Missing) else {
        let ends = message.bearer.and_then(|bearer| bearer.ends);
        return match ends {
            Some((from, to)) => writeln!(out, "UDP from {from} to {to}\n\n{}", body(message)),
            None => writeln!(out, "(there is no HTTP around this message)"),
        };
    };
    let (head, version) = (&http.head, escape::line(&http.head.version));
    match http.half {
        Half::Request => {
            writeln!(out, "{} {} {version}", escape::line(&head.method), target(&head.target, show_secrets))?;
        }
        Half::Response => writeln!(out, "{version} {} {}", head.status, escape::line(&head.reason))?,
    }
    for (name, value) in &head.headers {
        let value = if show_secrets { Cow::Borrowed(value.as_str()) } else { secret::header(name, value) };
        writeln!(out, "{}: {}", escape::line(name), escape::line(&value))?;
    }
    writeln!(out, "\n{}", body(message))
}

fn target(target: &str, show_secrets: bool) -> String {
    let target = if show_secrets { Cow::Borrowed(target) } else { secret::url(target) };
    escape::shorten(&escape::line(&target), 300).into_owned()
}

/// `body: 812 bytes of SyncML (gzip, 400 bytes on the wire), all captured`
fn body(message: &Message) -> String {
    let kind = match message.kind {
        Kind::SyncMl => "SyncML",
        Kind::Fragment => "a piece of SyncML",
        Kind::Soap => "SOAP",
        Kind::Provisioning => "a provisioning document",
        Kind::Push => "a push",
        Kind::Html => "HTML",
        Kind::OtherXml => "XML",
        Kind::Empty => return "no body".to_owned(),
        Kind::Other | Kind::Missing => "other data",
    };
    let codings = message.body.codings.iter().map(|coding| escape::line(coding));
    let codings = codings.collect::<Vec<_>>().join(", ");
    let wire = message.body.wire_len.filter(|_| !codings.is_empty());
    let coded = match wire {
        Some(bytes) => format!(" ({codings}, {bytes} bytes on the wire)"),
        None if codings.is_empty() => String::new(),
        None => format!(" ({codings})"),
    };
    let captured = match &message.body.captured {
        Captured::Whole => "all captured".to_owned(),
        Captured::Partly(why) => format!("not all captured: {}", escape::line(why)),
        Captured::Refused(why) => format!("not decoded: {}", escape::line(why)),
    };
    format!("body: {} bytes of {kind}{coded}, {captured}", message.body.bytes.len())
}
