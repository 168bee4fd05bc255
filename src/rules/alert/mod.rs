//! Alerts (DMP 6.2, 7, 8.7 and 10, DMR 6.6.2 and 7).

mod codes;
mod correlator;
mod event;
mod flow;
mod generic;
mod user;
mod windows;

pub(super) use codes::{alert_code_unknown, alert_data_missing, alert_wrong_direction};
pub(super) use correlator::{Started, correlator_mismatch, started};
pub(super) use event::{client_event_answer_code, client_event_form};
pub(super) use flow::{next_message_without_cause, no_end_of_data_without_chunk};
pub(super) use generic::{
    alert_mark_value, generic_alert_answer_code, generic_alert_data_missing, generic_alert_item_missing,
    generic_alert_meta_missing, generic_alert_type_syntax, large_generic_alert,
};
pub(super) use user::{ui_alert_option_syntax, ui_alert_structure, ui_alert_to_windows, user_alert_status_ignored};
pub(super) use windows::{
    login_status, loginstatus_missing, loginstatus_value, sync_type, synctype_or_prep_value, unknown_windows_alert_type,
};

use super::{ElementCx, SessionCx, Sink};
use crate::session::Exchange;
use crate::syncml::{Command, Item, Side, Tag};

/// The items of an Alert with this code that the server did not send.
fn items_of_client<'a>(cx: &ElementCx<'a>, code: u16) -> impl Iterator<Item = Item<'a>> + use<'a> {
    let alert = cx.command();
    let counts = alert.code() == Some(code) && cx.message.side() != Some(Side::Server);
    alert.items().filter(move |_| counts)
}

/// Statuses by which `side` answered Alerts of these codes, with the Alert.
fn answers_to_alerts<'a>(
    cx: &SessionCx<'a>,
    side: Side,
    is_meant: impl Fn(u16) -> bool + Copy,
) -> impl Iterator<Item = (&'a Exchange, Command<'a>)> {
    let session = cx.session;
    let meant = move |exchange: &&Exchange| {
        let alert = session.command_at(exchange.command).filter(|command| command.tag() == Tag::Alert);
        let sender = session.messages.get(exchange.command.message).and_then(|message| message.side);
        sender == Some(side.peer()) && alert.and_then(Command::code).is_some_and(is_meant)
    };
    let clear = move |exchange: &&Exchange| !session.is_ambiguous(exchange.command);
    let statuses = move |exchange: &'a Exchange| {
        exchange.statuses.iter().filter_map(move |at| Some((exchange, session.command_at(*at)?)))
    };
    session.exchanges.iter().filter(meant).filter(clear).flat_map(statuses)
}

/// Reports the Statuses of the server for Alerts of a code that are none of `allowed`. Where the message as a whole was
/// refused, the Status of its Alert says so once more.
fn judge_answers(cx: &SessionCx<'_>, code: u16, allowed: &[u16], expected: &str, out: &mut Sink<'_>) {
    for (exchange, status) in answers_to_alerts(cx, Side::Server, |seen| seen == code) {
        let Some(at) = exchange.statuses.iter().find(|at| cx.session.command_at(**at) == Some(status)) else { continue };
        let (Some(seen), Some(message)) = (status.code(), cx.message(at.message)) else { continue };
        let refused = |status: Command<'_>| {
            status.is_for_header() && status.code().is_some_and(|code| !(200..300).contains(&code))
        };
        if allowed.contains(&seen) || message.statuses().any(refused) {
            continue;
        }
        let place = status.0.child(Tag::Data).map_or(*at, |data| message.at(data));
        out.report(place, format!("the Status for Alert {code} is {seen}; expected {expected}"))
            .related(exchange.command, "the Alert it answers");
    }
}
