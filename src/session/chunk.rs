//! Large objects: items that were sent in chunks over several messages (DMP 7), put together again.
//!
//! Chunks belong together by their sender, their command and the URI of the item; one without URI goes on with the
//! only object that is open. A chunk with `Size` behind a refusal, or behind other messages, begins the object anew.
//! Bounds: the data is that of the session's documents, each chunk once.

use std::collections::HashMap;

use super::{At, LargeObject, Session};
use crate::syncml::{Command, Element, Item, Message, Side, Tag};

/// What an object is known by.
type Key<'a> = (Side, Tag, &'a str);

/// The objects of a session, by their first chunk.
pub(super) fn large_objects(session: &Session) -> Vec<LargeObject> {
    let mut objects: Vec<LargeObject> = Vec::new();
    let mut growing: HashMap<Key<'_>, usize> = HashMap::new();
    for (index, message) in session.messages.iter().enumerate() {
        let Some(side) = message.side.filter(|_| !message.retransmission) else { continue };
        for (command, item) in items(message) {
            let more = item.more_data();
            if !more && growing.is_empty() {
                continue;
            }
            let at = At { message: index, node: item.0.id() };
            let key = key(&growing, side, command, item);
            let open = growing.remove(&key).filter(|number| {
                let last = objects.get(*number).and_then(|object| object.chunks.last());
                !(has_size(item) && last.is_some_and(|last| is_broken(session, *last, index, side)))
            });
            let number = match open {
                Some(number) => number,
                None if more => {
                    objects.push(LargeObject {
                        side,
                        chunks: Vec::new(),
                        data: String::new(),
                        complete: false,
                        whole: true,
                    });
                    objects.len() - 1
                }
                None => continue,
            };
            if let Some(object) = objects.get_mut(number) {
                object.add(session, at, item, more);
                if more {
                    growing.insert(key, number);
                }
            }
        }
    }
    objects
}

fn items(message: &Message) -> impl Iterator<Item = (Command<'_>, Item<'_>)> {
    message.doc.all_commands().flat_map(|command| command.items().map(move |item| (command, item)))
}

fn key<'a>(growing: &HashMap<Key<'a>, usize>, side: Side, command: Command<'_>, item: Item<'a>) -> Key<'a> {
    let tag = command.tag();
    let uri = item.target().or_else(|| item.source());
    let mut open = growing.keys().filter(|(of, with, _)| (*of, *with) == (side, tag));
    match (uri, open.next(), open.next()) {
        (None, Some(only), None) => *only,
        _ => (side, tag, uri.unwrap_or_default()),
    }
}

/// Whether an item, or its command, says how large the object is.
fn has_size(item: Item<'_>) -> bool {
    let own = |element: Element<'_>| element.child(Tag::Meta).is_some_and(|meta| meta.child(Tag::Size).is_some());
    own(item.0) || item.0.parent().is_some_and(own)
}

/// Whether the object of a chunk came to an end before message `index`: its sender went on without it, or the receiver
/// refused it.
fn is_broken(session: &Session, chunk: At, index: usize, side: Side) -> bool {
    let between = session.messages.get(chunk.message + 1..index).unwrap_or_default();
    between.iter().filter(|message| !message.retransmission).any(|message| {
        let refuses = || message.doc.statuses().any(|status| status.code().is_some_and(|code| code >= 300));
        message.side == Some(side) || message.doc.alerts(1225).next().is_some() || refuses()
    })
}

impl LargeObject {
    fn add(&mut self, session: &Session, at: At, item: Item<'_>, more: bool) {
        if let Some(last) = self.chunks.last() {
            self.whole &= !session.has_hole_between(self.side, last.message, at.message + 1);
        }
        self.data.push_str(item.data().map(data).unwrap_or_default());
        self.chunks.push(at);
        self.complete = !more;
    }
}

/// The text of a `Data`, or its markup where the sender did not escape it.
fn data(element: Element<'_>) -> &str {
    match element.children().next() {
        Some(_) => std::str::from_utf8(element.inner().slice(element.doc().bytes())).unwrap_or_default(),
        None => element.text(),
    }
}
