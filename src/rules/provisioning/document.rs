//! DM-PRV-001 to DM-PRV-003: the document as a whole.

use crate::rules::{ProvisioningCx, Severity, Sink, quoted};
use crate::syncml::Element;

const ROOT: &str = "wap-provisioningdoc";
const VERSION: &str = "1.1";

/// A root or a version that Windows does not know.
pub(in crate::rules) fn root_or_version(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let root = cx.document.0;
    let text = match (root.name(), cx.document.version()) {
        _ if !cx.enrolls() => return,
        (ROOT, Some(VERSION)) => return,
        (ROOT, Some(other)) => format!("version is {}; expected `{VERSION}`", quoted(other)),
        (ROOT, None) => format!("{ROOT} has no version; expected `{VERSION}`"),
        (other, _) => format!("the root is called {}; expected `{ROOT}`", quoted(other)),
    };
    out.report(cx.at(root), text);
}

/// Elements that a document does not have, and those that lack the attribute they are known by.
pub(in crate::rules) fn unexpected_element(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let index = cx.message.index;
    let all = || cx.document.0.descendants().filter(|_| cx.enrolls());
    let without = |name: &'static str, attribute: &'static str| {
        all().filter(move |element| element.name() == name && element.attribute(attribute).is_none_or(str::is_empty))
    };
    let unknown = all().filter(|element| !["characteristic", "parm"].contains(&element.name()));
    out.first_of(index, unknown, |element| format!("the document has {}; expected `characteristic` or `parm`", quoted(element.name())));
    out.first_of(index, without("characteristic", "type"), |_| "a characteristic has no type".into());
    out.first_of(index, without("parm", "name"), |parm: Element<'_>| match parm.attribute("value") {
        Some(_) => "a parm has a value and no name".into(),
        None => "a parm has no name".into(),
    });
}

/// What an enrollment may set up.
const ALLOWED: [&str; 3] = ["CertificateStore", "APPLICATION", "DMClient"];
/// What clients of the first version of the protocol took besides.
const OLD: [&str; 2] = ["EnterpriseAppManagement", "Registry"];

/// Settings that belong into a session.
pub(in crate::rules) fn disallowed_csp(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    for node in cx.document.top().filter(|node| cx.enrolls() && !node.kind().is_empty()) {
        if ALLOWED.iter().any(|known| node.is(known)) {
            continue;
        }
        let text = format!("{} stands at the top; expected {} alone", quoted(node.kind()), ALLOWED.join(", "));
        let finding = out.report(cx.at(node.0), text);
        if OLD.iter().any(|old| node.is(old)) {
            finding.at_most(Severity::Info);
        }
    }
}
