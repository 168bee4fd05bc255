//! DM-ENR-036 and DM-ENR-040: whether the steps of an enrollment follow each other, and whether a session follows them.

use std::time::Duration;

use crate::enroll::{Address, Step};
use crate::rules::finding::Place;
use crate::rules::{EnrollmentCx, Sink, quoted};
use crate::session::{At, Edge};

/// A request for a certificate by a device that was told of a policy service and did not ask it.
pub(in crate::rules) fn phase_order(cx: &EnrollmentCx<'_>, out: &mut Sink<'_>) {
    let Some((index, discovered)) = cx.enrollment.discovered() else { return };
    let (Some(field), Some(service)) =
        (discovered.field("EnrollmentPolicyServiceUrl"), discovered.policy_url().and_then(Address::of))
    else {
        return;
    };
    let Some(token) = cx.of_step(Step::Token).find(|cx| cx.asked.request > Some(index)) else { return };
    // What went to another host may not have been captured.
    let (Some(request), Some(true)) = (token.asked.request, token.address().map(|address| address.host == service.host))
    else {
        return;
    };
    let holes = cx.session.messages().any(|cx| cx.message.judged().is_err());
    if holes || cx.session.session.sealed || cx.of_step(Step::Policies).next().is_some() {
        return;
    }
    let text = format!("the request for a certificate comes without GetPolicies before it; the policy service is {}", quoted(&service.path));
    out.report(Place::Message(request), text)
        .related(At { message: index, node: field.id() }, "where the server said so");
}

/// How long a device may take for its first session.
const WAIT: Duration = Duration::from_secs(600);

/// A device that was given an account of a management server and does not come.
pub(in crate::rules) fn no_first_session(cx: &EnrollmentCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let Some((message, document)) = cx.enrollment.provisioning().filter(|_| !cx.enrollment.renews()) else { return };
    let Some(addr) = document.application().and_then(|account| account.addr()) else { return };
    let Some(host) = addr.value().and_then(Address::of).map(|address| address.host) else { return };
    // Else the capture may have left the host out.
    let shown = cx.of_step(Step::Token).any(|cx| cx.address().is_some_and(|address| address.host == host));
    let alone = session.ended().zip(session.watched_until).map(|(ended, until)| until.since(ended));
    if let Some(alone) = alone.filter(|alone| *alone >= WAIT && shown && session.end == Edge::Seen) {
        let minutes = alone.as_secs() / 60;
        let text = format!("no session with {} began in the {minutes} minutes after this document", quoted(&host));
        out.report(At { message, node: addr.0.id() }, text);
    }
}
