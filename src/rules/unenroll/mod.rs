//! Leaving the management: the alert by which a device says goodbye, and the Exec by which a server sends it away.
//!
//! In the user's case the device sends Alert 1226 of [`USER_REQUEST`] in the first package of a new session. In the
//! server's case the Exec stands in a session that ends there, and the same alert comes in the next one.
//!
//! `alert` judges the farewell itself, `exec` the server's order, `answers` what follows in the same session, `later` what
//! follows in others, `account` what the enrollment tells; `memory` is what they remember.

mod account;
mod alert;
mod answers;
mod exec;
mod later;
mod memory;
mod node;

pub(super) use account::*;
pub(super) use alert::*;
pub(super) use answers::*;
pub(super) use exec::*;
pub(super) use later::*;
pub(super) use memory::{Leaving, Setting};

use super::MessageCx;
use crate::syncml::{Command, Doc, Item, Tag};
use node::is_known;

/// The type of the alert.
const USER_REQUEST: &str = "com.microsoft:mdm.unenrollment.userrequest";

/// The unenrollment alerts of a message.
fn goodbyes(doc: &Doc) -> impl Iterator<Item = Command<'_>> {
    doc.alerts(1226).filter(|alert| alert.items().any(is_user_request))
}

fn is_user_request(item: Item<'_>) -> bool {
    item.media_type() == USER_REQUEST
}

/// Whether a message says that the one it answers was not accepted as a whole.
fn refuses(cx: MessageCx<'_>) -> bool {
    cx.statuses().any(|status| status.is_for_header() && status.code().is_some_and(|code| !(200..300).contains(&code)))
}

/// Whether a command is the Exec of an Unenroll node.
fn sends_away(command: Command<'_>) -> bool {
    command.tag() == Tag::Exec && command.items().any(leaves)
}

/// Whether an item addresses an Unenroll node.
fn leaves(item: Item<'_>) -> bool {
    item.target().is_some_and(is_known)
}
