//! DM-ALR-013 and DM-ALR-014: the client event, 1224 (DMR 6.6.2).

use super::generic::missing_meta;
use super::{items_of_client, judge_answers};
use crate::rules::{ElementCx, Profile, SessionCx, Sink};
use crate::syncml::Side;

const EVENT: u16 = 1224;

/// A client event that does not say what happened. Windows leaves out Format, and Data where it has none.
pub(in crate::rules) fn client_event_form(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let alert = cx.command();
    if alert.code() == Some(EVENT) && cx.message.side() != Some(Side::Server) && alert.items().next().is_none() {
        out.report(cx.at(), "Alert 1224 has no Item; expected one for each event");
    }
    for item in items_of_client(cx, EVENT) {
        let lacks = match missing_meta(item, cx.message.profile) {
            Some(missing) => format!("{missing} in its Meta"),
            None if item.data().is_none() && cx.message.profile == Profile::Oma => "Data".to_owned(),
            None => continue,
        };
        out.report(cx.message.at(item.0), format!("this Item of Alert 1224 has no {lacks}"));
    }
}

/// A Status for a client event that is neither yes nor "not supported".
pub(in crate::rules) fn client_event_answer_code(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    judge_answers(cx, EVENT, &[200, 202, 401, 406, 407], "200, or 406 when the server does not know the event", out);
}
