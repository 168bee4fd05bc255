//! The HTTP binding: how messages travel (HB 5). Documents without HTTP, and heads that a log left out, are not judged.

mod body;
mod charset;
mod flow;
mod headers;
mod status;

pub(super) use body::{
    content_type_encoding_mismatch, content_type_not_dm, dm_message_not_post, more_than_one_message_per_body,
    response_encoding_switch, response_without_syncml,
};
pub(super) use charset::charset_conflict;
pub(super) use flow::{
    Wait, duplicate_transport_retry, overlapping_requests_in_session, respuri_not_followed, retry_after_ignored, wait,
};
pub(super) use headers::{
    accept_charset_missing, accept_missing_dm_type, cacheable_dm_response, response_type_not_acceptable,
    user_agent_missing,
};
pub(super) use status::{http_auth_versus_dm_auth, http_error_status, redirect_in_dm_session};

use std::borrow::Cow;

use super::MessageCx;
use crate::http::{Half, Head};
use crate::syncml::{Message, Side};

const DM_XML: &str = "application/vnd.syncml.dm+xml";
const DM_WBXML: &str = "application/vnd.syncml.dm+wbxml";

/// The head that a message travelled with. A log that kept nothing but the type of the content kept no head, and of one
/// with fields that are not known, none can be missed.
pub(super) fn head(message: &Message) -> Option<&Head> {
    let head = Some(&*message.http.as_ref()?.head).filter(|head| head.unknown == 0)?;
    head.headers.iter().any(|(name, _)| !name.eq_ignore_ascii_case("content-type")).then_some(head)
}

/// The head of a client's request, or of a server's response.
fn head_of_side(message: &Message, side: Side) -> Option<&Head> {
    let half = message.http.as_ref()?.half;
    let matches = (half == Half::Request) == (side == Side::Client) && message.side == Some(side);
    head(message).filter(|_| matches)
}

/// The status of the response that a message is.
pub(super) fn status(message: &Message) -> Option<(u16, &Head)> {
    let http = message.http.as_ref().filter(|http| http.half == Half::Response)?;
    (http.head.status != 0).then_some((http.head.status, &*http.head))
}

/// Whether the message is the first of its side in the session that is `flawed`: what is wrong with every message is told
/// once.
fn is_first(cx: &MessageCx<'_>, flawed: impl Fn(&Message) -> bool) -> bool {
    let Some(side) = cx.side().filter(|_| flawed(cx.message)) else { return false };
    let mut judged = cx.session.of(side).filter(|(_, message)| message.is_readable() && !message.retransmission);
    judged.find(|(_, message)| flawed(message)).is_some_and(|(index, _)| index == cx.index)
}

/// Whether a list of an `Accept` header allows a name. `tree` is what stands before its slash, for media types.
fn allows(values: &str, name: &str) -> bool {
    let tree = name.split_once('/').map(|(tree, _)| format!("{tree}/*"));
    values.split(',').any(|value| {
        let mut parts = value.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default();
        let wild = matches!(range, "*" | "*/*") || tree.as_deref().is_some_and(|tree| tree.eq_ignore_ascii_case(range));
        let refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.and_then(|weight| weight.parse::<f32>().ok()) == Some(0.0)
        });
        !refused && (wild || range.eq_ignore_ascii_case(name))
    })
}

/// All values of a header, joined; `None` without one.
fn joined<'a>(head: &'a Head, name: &'a str) -> Option<Cow<'a, str>> {
    let first = head.header(name)?;
    let is_only = head.all(name).nth(1).is_none();
    Some(if is_only { first.into() } else { head.all(name).collect::<Vec<_>>().join(", ").into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_weights_of_accept_headers() {
        assert!(allows("application/vnd.syncml.dm+xml", DM_XML) && allows("text/html, */*;q=0.1", DM_XML));
        assert!(allows("Application/*", DM_XML) && allows("*", "utf-8") && allows("UTF-8", "utf-8"));
        assert!(!allows("application/vnd.syncml.dm+wbxml", DM_XML) && !allows("*/*; q=0", DM_XML));
        assert!(!allows("", DM_XML) && !allows("text/*", DM_XML));
    }
}
