//! DM-ENR-023 to DM-ENR-026: what is asked of the policy service, and the policies that it gives.

use std::collections::HashSet;

use crate::enroll::policy::{GetPolicies, PoliciesResponse};
use crate::enroll::soap::{child, is_nil, value};
use crate::rules::{ExchangeCx, Sink, quoted};
use crate::syncml::Element;

/// The schema of the policies of devices.
const SCHEMA: &str = "3";
/// References that a message names when there is none of those that it should have.
const NAMED: usize = 5;

fn policies<'a>(cx: &ExchangeCx<'a>) -> Option<PoliciesResponse<'a>> {
    cx.answers_with("GetPoliciesResponse").map(PoliciesResponse)
}

/// A text as it stands in a message.
fn seen(element: Element<'_>) -> String {
    element.value().map_or_else(|| "empty".to_owned(), quoted)
}

/// A policy of another schema than 3.
pub(in crate::rules) fn policy_schema(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    for policy in policies(cx).into_iter().flat_map(PoliciesResponse::policies) {
        let Some(attributes) = policy.attributes().filter(|attributes| !is_nil(*attributes)) else { continue };
        match policy.schema() {
            Some(schema) if schema.value() == Some(SCHEMA) => {}
            Some(schema) => {
                out.report(cx.in_response(schema), format!("policySchema is {}; expected {SCHEMA}", seen(schema)));
            }
            None => {
                out.report(cx.in_response(attributes), format!("the policy has no policySchema; expected {SCHEMA}"));
            }
        }
    }
}

/// A policy that refers to an object identifier which is not there.
pub(in crate::rules) fn policy_oid_unresolved(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(response) = policies(cx) else { return };
    let given: Vec<&str> = response.oids().filter_map(|oid| value(oid, "oIDReferenceID")).collect();
    let known: HashSet<&str> = given.iter().copied().collect();
    let references = response.policies().flat_map(|policy| [policy.hash(), policy.key_algorithm()]).flatten();
    for reference in references.filter(|reference| !reference.value().is_some_and(|id| known.contains(id))) {
        let expected = match given.as_slice() {
            [] => "the response has no oID".to_owned(),
            [id] => format!("the only oID has the oIDReferenceID {}", quoted(id)),
            ids => format!("the oIDs have {}", ids.iter().take(NAMED).map(|id| quoted(id)).collect::<Vec<_>>().join(", ")),
        };
        let text = format!("{} is {}, and no oID has that oIDReferenceID; {expected}", reference.name(), seen(reference));
        out.report(cx.in_response(reference), text);
    }
}

/// A time to the next update that is none.
pub(in crate::rules) fn policy_nextupdatehours(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let hours = policies(cx).and_then(PoliciesResponse::next_update).filter(|hours| !is_nil(*hours));
    let Some(hours) = hours else { return };
    if !hours.value().is_some_and(|hours| hours.parse::<u64>().is_ok_and(|hours| hours > 0)) {
        let text = format!("nextUpdateHours is {}; expected a positive number, or nil", seen(hours));
        out.report(cx.in_response(hours), text);
    }
}

/// A request for policies that does not say what the device has.
pub(in crate::rules) fn policy_client_missing(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(asks) = cx.asks_for("GetPolicies").filter(|asks| GetPolicies(*asks).client().is_none()) else { return };
    let (place, text) = match child(asks, "client") {
        Some(client) => (client, "client is nil; expected lastUpdate and preferredLanguage in it"),
        None => (asks, "the GetPolicies request has no client"),
    };
    out.report(cx.in_request(place), text);
}
