//! Large objects: items that were sent in chunks over several messages (DMP 7), put together again.
//!
//! Chunks belong together by their sender and the URI of the item. Bounds: the data is that of the session's
//! documents, each chunk once.

use std::collections::HashMap;

use super::{At, LargeObject, Session};
use crate::syncml::{Element, Item, Message, Side};

/// The objects of a session, by their first chunk.
pub(super) fn large_objects(session: &Session) -> Vec<LargeObject> {
    let mut objects: Vec<LargeObject> = Vec::new();
    let mut growing: HashMap<(Side, &str), usize> = HashMap::new();
    for (index, message) in session.messages.iter().enumerate() {
        let Some(side) = message.side.filter(|_| !message.retransmission) else { continue };
        for item in items(message) {
            let uri = item.target().or_else(|| item.source()).unwrap_or_default();
            let at = At { message: index, node: item.0.id() };
            let more = item.more_data();
            let number = match growing.remove(&(side, uri)) {
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
                    growing.insert((side, uri), number);
                }
            }
        }
    }
    objects
}

fn items(message: &Message) -> impl Iterator<Item = Item<'_>> {
    message.doc.all_commands().flat_map(|command| command.items())
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
