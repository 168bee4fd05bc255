//! DM-HDR: the message header, `SyncHdr`.
//!
//! `versions` judges what it says of the protocol, `identity` the names of device, server and session, `options` what
//! it may hold besides.

mod identity;
mod options;
mod versions;

pub(super) use identity::*;
pub(super) use options::*;
pub(super) use versions::*;

use super::ElementCx;
use crate::session::At;
use crate::syncml::{Element, Tag};

fn child_or_header(cx: &ElementCx<'_>, tag: Tag) -> At {
    cx.message.at(cx.element.child(tag).unwrap_or(cx.element))
}

/// What stands before the colon of an absolute URI, when something stands behind it too.
fn scheme(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_name = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    (is_name && scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && !rest.is_empty()).then_some(scheme)
}

/// Whether a header holds no element at all: one rule says so for all that look for their own.
fn is_empty(header: Element<'_>) -> bool {
    header.children().next().is_none()
}
