//! DM-PRV-031 and DM-PRV-032: when the certificate is renewed, and the types of values.

use crate::enroll::provisioning::{Characteristic, Parm};
use crate::enroll::schedule::ROWS;
use crate::rules::{ProvisioningCx, Sink, quoted};
use crate::syncml::Element;

/// Days that may stand for a period or an interval (MS-MDE2 2.2.9.2).
const DAYS: std::ops::RangeInclusive<u64> = 1..=1000;

/// Values for the renewal that the client does not take.
pub(in crate::rules) fn renew_values(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some(renew) = cx.document.renew() else { return };
    // Documents have the first name, MS-MDE2 explains the second.
    let period = renew.parm("RenewPeriod").or_else(|| renew.parm("RenewalPeriod"));
    let retry = renew.parm("RetryInterval");
    let robo = renew.parm("ROBOSupport");
    for parm in [period, retry].into_iter().flatten().filter(|parm| days(*parm).is_none()) {
        let seen = quoted(parm.value().unwrap_or_default());
        out.report(cx.at(parm.0), format!("{} is {seen}; expected 1 to 1000 days", parm.name()));
    }
    if let (Some(period), Some(retry)) = (period, retry)
        && let (Some(all), Some(between)) = (days(period), days(retry))
        && between > all
    {
        let text = format!("RetryInterval is {between} days, {} {all}; expected no more than that", period.name());
        out.report(cx.at(retry.0), text).related(cx.at(period.0), "the period");
    }
    if let Some(robo) = robo.filter(|robo| !robo.value().is_some_and(is_boolean)) {
        let seen = quoted(robo.value().unwrap_or_default());
        out.report(cx.at(robo.0), format!("ROBOSupport is {seen}; expected `true` or `false`"));
    }
    let typed = [(period, "integer"), (retry, "integer"), (robo, "boolean")];
    for (parm, datatype) in typed.into_iter().filter_map(|(parm, datatype)| Some((parm?, datatype))) {
        if parm.datatype().is_none() {
            out.report(cx.at(parm.0), format!("{} has no datatype; expected `{datatype}`", parm.name()));
        }
    }
}

fn days(parm: Parm<'_>) -> Option<u64> {
    parm.value()?.trim().parse().ok().filter(|days| DAYS.contains(days))
}

fn is_boolean(value: &str) -> bool {
    let value = value.trim();
    ["true", "false", "1", "0"].iter().any(|known| value.eq_ignore_ascii_case(known))
}

/// Parameters of the client that are no strings, besides those of the poll schedule.
const NUMBERS: [&str; 3] = ["ForceAadToken", "NumberOfDaysAfterLostContactToUnenroll", "TimeOutUntilSyncFailure"];
const BOOLEANS: [&str; 8] = [
    "AllUsersPollOnFirstLogin", "AllowCollectLogsButton", "EnableOmaDmKeepAliveMessage", "PollOnLogin", "RequireMessageSigning",
    "ServerHasFinishedProvisioning", "SkipDeviceStatusPage", "SkipUserStatusPage",
];

/// A number or a boolean without its type: told once.
pub(in crate::rules) fn datatype_missing(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let nodes = cx.document.providers().flat_map(|provider| provider.0.descendants().chain([provider.0]));
    let parms = nodes.filter(|element| element.name() == "characteristic").flat_map(|node| Characteristic(node).parms());
    let untyped = parms.filter(|parm| parm.datatype().is_none() && datatype(parm.name()).is_some());
    let text = |element: Element<'_>| {
        let parm = Parm(element);
        format!("{} has no datatype; expected `{}`", parm.name(), datatype(parm.name()).unwrap_or_default())
    };
    out.first_of(cx.message.index, untyped.map(|parm| parm.0), text);
}

/// The type that a parameter of the client has, other than string.
fn datatype(name: &str) -> Option<&'static str> {
    let is = |known: &&str| known.eq_ignore_ascii_case(name);
    match () {
        () if NUMBERS.iter().any(is) => Some("integer"),
        () if ROWS.iter().any(|(count, interval)| is(count) || is(interval)) => Some("integer"),
        () if BOOLEANS.iter().any(is) => Some("boolean"),
        () => None,
    }
}
