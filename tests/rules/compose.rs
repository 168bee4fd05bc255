//! From the blocks of an example to the messages that are sent, those of enrollment and of TLS among them.

pub(crate) use dmscope::examples::compose::*;
use dmscope::examples::page::Example;
use dmscope::octets::Octets;

use super::{enroll, push};

/// The messages of an example, in the order they are sent.
pub(crate) fn messages(example: &Example) -> Vec<Sent<'_>> {
    let documents: Documents<'_> = &|block, side, content, before| match block.push {
        true => Some(content.to_owned()),
        false => enroll::is_enrollment(block).then(|| enroll::document(block, side, content, before)),
    };
    let sent = messages_with(example, documents).unwrap_or_else(|why| panic!("{}: {why}", example.heading));
    sent.into_iter().map(|sent| if sent.block.push { pushed(sent) } else { sent }).collect()
}

/// A push, its bytes made of what its block says.
fn pushed(sent: Sent<'_>) -> Sent<'_> {
    let text = str::from_utf8(&sent.body).expect("the text of a block");
    let body = push::bytes(text).unwrap_or_else(|error| panic!("line {}: {error}", sent.block.line)).into();
    Sent { body, ..sent }
}

/// The body as it travels.
pub(crate) trait Wire {
    fn wire(&self) -> Octets;
}

impl Wire for Sent<'_> {
    fn wire(&self) -> Octets {
        enroll::on_the_wire(self.block, &self.body).map_or_else(|| self.body.clone(), Octets::from)
    }
}
