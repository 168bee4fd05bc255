//! Sizes: what a side said it takes, and what it gets. DM-LOB-011 to DM-LOB-015.

use super::{Chunk, chunks, lengths, objects, size, size_element};
use crate::rules::finding::{Place, named};
use crate::rules::{MessageCx, SessionCx, Sink, options, quoted};
use crate::session::LargeObject;
use crate::syncml::uri::Key;
use crate::syncml::{Command, Header, Item, Meta, Side, Tag};

/// The latest value of a limit of each side, and the message that set it.
#[derive(Clone, Copy)]
struct Latest<'a> {
    tag: Tag,
    of: [Option<(u64, MessageCx<'a>)>; 2],
}

impl<'a> Latest<'a> {
    fn new(tag: Tag) -> Latest<'a> {
        Latest { tag, of: [None; 2] }
    }

    /// Takes in what a message says. 0 and text that is no number set no limit.
    fn learn(&mut self, cx: MessageCx<'a>) {
        let value = cx.message.header().and_then(Header::meta).and_then(|meta: Meta<'_>| meta.get(self.tag));
        if let (Some(side), Some(value)) = (cx.side(), value) {
            self.of[usize::from(side == Side::Server)] = value.parse().ok().filter(|limit| *limit > 0).map(|limit| (limit, cx));
        }
    }

    /// What the other side of a message takes. `None` also where it may have said something else since.
    fn for_message(&self, cx: MessageCx<'_>) -> Option<(u64, MessageCx<'a>)> {
        let peer = cx.side()?.peer();
        let (limit, by) = self.of[usize::from(peer == Side::Server)]?;
        (!cx.session.has_hole_between(peer, by.index, cx.index)).then_some((limit, by))
    }
}

/// The largest message that the other side of `cx` takes.
pub(super) fn max_msg_size(cx: MessageCx<'_>) -> Option<u64> {
    let mut latest = Latest::new(Tag::MaxMsgSize);
    cx.in_session().readable().take_while(|message| message.index < cx.index).for_each(|message| latest.learn(message));
    latest.for_message(cx).map(|(limit, _)| limit)
}

/// An object that is larger than its receiver takes.
pub(in crate::rules) fn maxobjsize_exceeded(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut latest = Latest::new(Tag::MaxObjSize);
    for message in cx.readable() {
        if let Some((limit, by)) = latest.for_message(message) {
            for item in message.commands().filter(|command| command.tag() != Tag::Alert).flat_map(Command::items) {
                let chunk = Chunk { cx: message, item };
                let length = match (size(item).filter(|_| size_element(item).is_some()), item.more_data()) {
                    (Some(size), _) => size,
                    (None, true) => continue,
                    // However it is counted; a last chunk is no whole object, but cannot be larger than one.
                    (None, false) => shortest(item),
                };
                if length > limit {
                    let text = format!("{} has {length} bytes; the {} takes {limit} (MaxObjSize)", quoted(chunk.uri()), super::peer(message));
                    out.report(chunk.at(), text).related(Place::Message(by.index), "the message that gives MaxObjSize");
                }
            }
        }
        latest.learn(message);
    }
}

/// The length of an item's data, counted to the sender's favour.
fn shortest(item: Item<'_>) -> u64 {
    let [text, _, solid, bytes, _] = lengths(std::iter::once(item));
    if matches!(item.format(), "b64" | "bin") { bytes } else { text.min(solid) }
}

/// A message that is larger than its receiver takes.
pub(in crate::rules) fn maxmsgsize_exceeded(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let tolerance = u64::from(out.number(options::maxmsgsize_exceeded::TOLERANCE_PERCENT));
    let mut latest = Latest::new(Tag::MaxMsgSize);
    for message in cx.readable() {
        // Without HTTP, text may be a view of something shorter: WBXML.
        if let Some((limit, by)) = latest.for_message(message).filter(|_| message.message.http.is_some()) {
            let length = message.message.body.size();
            if length > limit.saturating_add(limit.saturating_mul(tolerance) / 100) {
                let text = format!("the message has {length} bytes; the {} takes {limit} (MaxMsgSize)", super::peer(message));
                out.report(Place::Message(message.index), text).related(Place::Message(by.index), "the message that gives MaxMsgSize");
            }
        }
        latest.learn(message);
    }
}

/// Chunks from a client that says that it knows none. Told once.
pub(in crate::rules) fn large_object_from_undeclared_client(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    undeclared(*cx, Side::Client, "the client sends a large object, although it says that it knows none (LrgObj false)", out);
}

/// Chunks for a client that says that it knows none. Told once.
pub(in crate::rules) fn chunking_to_undeclared_client(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    undeclared(*cx, Side::Server, "the server sends a large object to a client that says it knows none (LrgObj false)", out);
}

fn undeclared(cx: SessionCx<'_>, side: Side, text: &str, out: &mut Sink<'_>) {
    let of_side = |object: &&LargeObject| object.side == side;
    let Some(object) = objects(cx).find(of_side) else { return };
    let Some(first) = chunks(cx, object).next().filter(|first| first.cx.message.is_readable()) else { return };
    let naming = cx.profile.naming();
    let node = Key::of("./DevDetail/LrgObj", naming);
    let said = cx.readable().take_while(|message| message.index < first.cx.index).flat_map(|message| {
        let results = message.commands().filter(|command| command.tag() == Tag::Results);
        results.flat_map(Command::items).map(move |item| Chunk { cx: message, item })
    });
    let says = said.filter(|chunk| chunk.item.source().is_some_and(|uri| Key::node(uri, naming) == node)).last();
    let value = says.and_then(|says| says.item.data()?.value());
    if let Some(says) = says.filter(|_| value.is_some_and(|value| value.eq_ignore_ascii_case("false"))) {
        out.report(first.at(), text).related(says.at(), "LrgObj of the client");
    }
}

/// An abort in place of Results, where the server limits messages.
pub(in crate::rules) fn abort_after_large_get(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let aborts = |message: &MessageCx<'_>| message.side() == Some(Side::Client) && message.has_alert(1223);
    let Some(message) = cx.readable().find(aborts) else { return };
    let Some(answered) = message.answers().filter(|answered| answered.message.is_readable()) else { return };
    let mut latest = Latest::new(Tag::MaxMsgSize);
    cx.readable().take_while(|before| before.index < message.index).for_each(|before| latest.learn(before));
    let Some((limit, by)) = latest.for_message(message) else { return };
    let open = |get: &Command<'_>| {
        let exchange = cx.session.exchange(answered.at(get.0)).filter(|exchange| exchange.results.is_empty())?;
        let status = exchange.statuses.first().and_then(|at| cx.session.command_at(*at));
        status.is_none_or(|status| status.code() == Some(200)).then_some(())
    };
    let get = answered.commands().filter(|command| command.tag() == Tag::Get).find(|get| open(get).is_some());
    if let (Some(get), Some(alert)) = (get, message.message.doc.alerts(1223).next()) {
        let text = format!("the client aborts in place of Results for {}; the server takes messages of {limit} bytes (MaxMsgSize)", named(get));
        out.report(message.at(alert.0), text)
            .related(answered.at(get.0), "the Get without Results")
            .related(Place::Message(by.index), "the message that gives MaxMsgSize");
    }
}
