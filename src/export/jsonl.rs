//! One JSON object a message: `dmscope/message/1`, the lines that `transcript/messages` reads.

use std::io::{self, Write};

use super::Scope;
use crate::http::{Half, Head};
use crate::session::{Edge, Flavor};
use crate::syncml::message::Envelope;
use crate::syncml::{Kind, Message, redact};
use crate::transcript::messages::{
    Content, Context, Direction, Frame, Http, Line, Moment, Note, PushRoad, Road, SCHEMA, Sender, Start,
};

/// Writes messages to a stream of lines.
pub struct Lines<W> {
    out: W,
}

impl<W: Write> Lines<W> {
    /// Nothing is written yet.
    pub fn new(out: W) -> Lines<W> {
        Lines { out }
    }

    /// Writes the messages of a session.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn session(&mut self, scope: Scope<'_>) -> io::Result<usize> {
        let mut written = 0;
        for (index, message) in scope.messages() {
            self.message(scope, index, message)?;
            written += 1;
        }
        Ok(written)
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn message(&mut self, scope: Scope<'_>, index: usize, message: &Message) -> io::Result<()> {
        let body = scope.body(message);
        let missing = message.kind == Kind::Missing;
        let line = Line {
            schema: SCHEMA.into(),
            input: scope.path(message).map(str::to_owned),
            session: Some(context(scope, index)),
            side: message.side.map(Sender::of),
            kind: kind(message.kind).into(),
            msg_id: message.msg_id().map(str::to_owned),
            time: message.first.map(Moment),
            ended: message.last.filter(|last| Some(*last) != message.first).map(Moment),
            missing,
            retransmission: message.retransmission,
            redacted: !scope.show_secrets,
            http: message.http.as_ref().map(|envelope| http(scope, envelope)),
            push: message.bearer.map(PushRoad::of),
            frames: Frame::all(&body.origin),
            position: message.position,
            body: if missing { Content::default() } else { Content::of(&body) },
            notes: message.notes.iter().map(Note::of).collect(),
        };
        serde_json::to_writer(&mut self.out, &line)?;
        self.out.write_all(b"\n")
    }
}

fn context(scope: Scope<'_>, index: usize) -> Context {
    let session = scope.session;
    let url = |url: &Option<String>| url.as_deref().map(|url| scope.url(url).into_owned());
    let missing = |edge: &Edge| match edge {
        Edge::Seen => None,
        Edge::NotCaptured(why) => Some(why.clone()),
    };
    let travelled = |until: usize| session.messages.iter().take(until).filter(|message| !message.in_token).count();
    let count = |until: usize| u32::try_from(travelled(until)).unwrap_or(u32::MAX);
    Context {
        key: session.key(),
        message: count(index + 1),
        messages: count(session.messages.len()),
        enrollment: session.flavor == Flavor::Enrollment,
        session_id: session.session_id.clone(),
        device: url(&session.device),
        server: url(&session.server),
        start_missing: missing(&session.start),
        end_missing: missing(&session.end),
        watched_until: session.watched_until.filter(|until| Some(*until) > session.ended()).map(Moment),
        sealed: session.sealed,
        outcome: session.outcome.name().to_owned(),
    }
}

fn http(scope: Scope<'_>, envelope: &Envelope) -> Http {
    let start = |head: &Head| if scope.show_secrets { Start::of(head) } else { Start::of(&redact::head(head)) };
    let connection = &envelope.connection;
    Http {
        half: match envelope.half {
            Half::Request => Direction::Request,
            Half::Response => Direction::Response,
        },
        exchange: envelope.exchange,
        head: start(&envelope.head),
        request: envelope.request.as_deref().map(start),
        connection: Road {
            number: connection.number,
            client: connection.client,
            server: connection.server,
            tls: connection.tls,
            handshake: connection.handshake.as_ref().map(|handshake| handshake.facts()),
            from_start: connection.from_start,
        },
    }
}

/// What a message is, in a word.
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::SyncMl => "syncml",
        Kind::Fragment => "syncml-fragment",
        Kind::Soap => "soap",
        Kind::Provisioning => "provisioning",
        Kind::Push => "push",
        Kind::Html => "html",
        Kind::OtherXml => "xml",
        Kind::Empty => "empty",
        Kind::Other => "other",
        Kind::Missing => "missing",
    }
}
