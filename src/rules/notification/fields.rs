//! The fields of a notification (OMA-TS-DM_Notification-V1_2_1, 6.2).

use crate::push::{Content, Short, TRIGGER, Trigger, VERSION};
use crate::rules::{NotificationCx, Sink};

/// Octets of the digest, behind which the fields begin.
const DIGEST: usize = 16;
/// Where a field of the header stands behind the digest, and its octets.
const VERSION_AND_FUTURE: (usize, usize) = (DIGEST, 5);
const SESSION: (usize, usize) = (DIGEST + 5, 2);
const LENGTH: (usize, usize) = (DIGEST + 7, 1);

/// One that ends before the server's name.
pub(in crate::rules) fn trigger_too_short(cx: &NotificationCx<'_>, out: &mut Sink<'_>) {
    if cx.push.kind() != Content::Trigger || cx.push.fault.is_some() {
        return;
    }
    if let Err(Short { octets }) = Trigger::read(cx.push.content) {
        out.report(cx.content(0, octets), format!("the notification has {octets} octets; expected {TRIGGER} and the server's name"));
    }
}

/// One of another version.
pub(in crate::rules) fn trigger_version(cx: &NotificationCx<'_>, out: &mut Sink<'_>) {
    let Some(trigger) = cx.trigger().filter(|trigger| trigger.version != VERSION) else { return };
    let (at, octets) = VERSION_AND_FUTURE;
    let (name, version) = (trigger.version_name(), trigger.version);
    let finding = out.report(cx.content(at, octets), format!("the version is {name} ({version} in its ten bits); expected 1.1 ({VERSION})"));
    if version == VERSION + 1 {
        finding.help("1.2 is the version of data synchronization, whose notifications have a content type of their own, 0x4E.");
    }
}

/// Reserved bits that are set.
pub(in crate::rules) fn future_bits_set(cx: &NotificationCx<'_>, out: &mut Sink<'_>) {
    // Of another version they may mean something.
    let of_version = cx.trigger().filter(|trigger| trigger.version == VERSION && trigger.future != 0);
    let Some(trigger) = of_version else { return };
    let (at, octets) = VERSION_AND_FUTURE;
    out.report(cx.content(at, octets), format!("the 27 bits for future use are 0x{:07X}; expected 0", trigger.future));
}

/// A server's name that is empty, or shorter than is said.
pub(in crate::rules) fn server_id_length(cx: &NotificationCx<'_>, out: &mut Sink<'_>) {
    let Some(trigger) = cx.trigger() else { return };
    let (at, octets) = LENGTH;
    match (usize::from(trigger.server_len), trigger.server.len()) {
        (0, _) => {
            out.report(cx.content(at, octets), "the length of the server's name is 0; expected the octets of the name");
        }
        (said, there) if said > there => {
            let text = format!("the length of the server's name is {said}; octets that follow: {there}");
            out.report(cx.content(at, octets), text);
        }
        _ => {}
    }
}

/// A session that has no number.
pub(in crate::rules) fn trigger_session_zero(cx: &NotificationCx<'_>, out: &mut Sink<'_>) {
    if cx.trigger().is_some_and(|trigger| trigger.session == 0) {
        let (at, octets) = SESSION;
        out.report(cx.content(at, octets), "the session is 0; expected a number from 1 to FFFF");
    }
}
