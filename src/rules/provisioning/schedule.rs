//! DM-PRV-025 to DM-PRV-029: the poll schedule.

use crate::enroll::schedule::{Poll, Row};
use crate::rules::{ProvisioningCx, Sink, options};

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

/// A last row that is faster than once a day.
pub(in crate::rules) fn remaining_interval_too_short(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some([.., last]) = cx.document.poll().map(Poll::rows) else { return };
    let Some((parm, minutes)) = last.interval.zip(last.minutes()) else { return };
    // A row that is never gone through, and one of a schedule that is none, have nothing to be too fast.
    let least = u64::from(out.number(options::remaining_interval_too_short::MINIMUM_MINUTES));
    if (1..least).contains(&minutes) {
        let text = format!("IntervalForRemainingScheduledRetries is {minutes} minutes; expected {least} or more");
        out.report(cx.at(parm.0), text);
    }
}

/// A second row that is not slower than the first.
pub(in crate::rules) fn second_interval_not_longer(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some([first, second, _]) = cx.document.poll().map(Poll::rows) else { return };
    let (Some(before), Some((parm, after))) = (first.minutes(), second.interval.zip(second.minutes())) else { return };
    if after > 0 && after <= before {
        let text = format!("the second interval is {after} minutes, the first {before}; expected a longer one");
        out.report(cx.at(parm.0), text);
    }
}

/// A second row without end.
pub(in crate::rules) fn several_infinite_schedules(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some(poll) = cx.document.poll() else { return };
    let endless = poll.rows().into_iter().filter(|row| row.times() == Some(0)).filter_map(|row| row.count);
    if let Some(second) = endless.clone().nth(1) {
        let text = format!("{} is 0 and so is {}; expected one row without end", second.name(), endless.clone().next().map_or("another", |first| first.name()));
        out.report(cx.at(second.0), text);
    }
}
