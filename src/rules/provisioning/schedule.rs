//! DM-PRV-025 and DM-PRV-026: the poll schedule.

use crate::enroll::schedule::{Poll, Row};
use crate::rules::{ProvisioningCx, Sink};

/// A schedule by which no session is ever started.
pub(in crate::rules) fn poll_all_zero(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some(poll) = cx.document.poll() else { return };
    let counts: Vec<Option<u64>> = poll.rows().iter().map(|row| row.times()).collect();
    let minutes: Vec<Option<u64>> = poll.rows().iter().map(|row| row.minutes()).collect();
    if counts.iter().all(|count| *count == Some(0)) {
        let all = minutes.iter().all(|minutes| *minutes == Some(0));
        let what = if all { "all six values of the poll schedule are 0" } else { "all three retry counts of the poll schedule are 0" };
        out.report(cx.at(poll.0.0), what);
    }
}

/// A first row without end, so that the others never begin.
pub(in crate::rules) fn first_retries_zero(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some([first, ..]) = cx.document.poll().map(Poll::rows) else { return };
    let Row { count: Some(count), .. } = first else { return };
    if first.times() == Some(0) {
        let minutes = first.minutes().map(|minutes| format!(": the device polls every {minutes} minutes for ever"));
        let text = format!("NumberOfFirstRetries is 0, which is endless{}; expected 1 or more", minutes.unwrap_or_default());
        out.report(cx.at(count.0), text);
    }
}
