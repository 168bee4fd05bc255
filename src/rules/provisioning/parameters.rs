//! DM-PRV-012, DM-PRV-024 and DM-PRV-030: names and values in the account, and the client's settings for it.

use super::application::account;
use crate::enroll::provisioning::Parm;
use crate::rules::{ProvisioningCx, Severity, Sink, quoted};
use crate::syncml::Element;
use crate::syncml::uri::{Key, Naming};

/// Names of parameters and types of nodes in the account.
const NAMES: [&str; 28] = [
    "AAUTHDATA", "AAUTHLEVEL", "AAUTHNAME", "AAUTHSECRET", "AAUTHTYPE", "ADDR", "ADDRTYPE", "APPADDR", "APPAUTH", "APPID",
    "APPLICATION", "BACKCOMPATRETRYDISABLED", "CONNRETRYFREQ", "DEFAULTENCODING", "INIT", "INITIALBACKOFFTIME",
    "INITIALBACKOFTIME", "MAXBACKOFFTIME", "MAXBACKOFTIME", "NAME", "PORT", "PORTNBR", "PROTOVER", "PROVIDER-ID", "ROLE",
    "SSLCLIENTCERTSEARCHCRITERIA", "TO-NAPID", "USEHWDEVID",
];
/// How the tree in Microsoft's text has APPID.
const AS_IN_THE_TREE: &str = "AppID";

/// A documented name in other letters.
pub(in crate::rules) fn lower_case_name(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some(account) = account(cx).map(|account| account.0.0) else { return };
    for element in std::iter::once(account).chain(account.descendants()) {
        let Some(name) = name(element) else { continue };
        let Some(known) = NAMES.iter().find(|known| known.eq_ignore_ascii_case(name) && **known != name) else { continue };
        let finding = out.report(cx.at(element), format!("the name {} counts by its letters; expected `{known}`", quoted(name)));
        if name == AS_IN_THE_TREE {
            finding.at_most(Severity::Info);
        }
    }
}

/// What a parameter or a node is known by.
fn name(element: Element<'_>) -> Option<&str> {
    match element.name() {
        "parm" => element.attribute("name"),
        "characteristic" => element.attribute("type"),
        _ => None,
    }
}

const ENCODINGS: [&str; 2] = ["application/vnd.syncml.dm+xml", "application/vnd.syncml.dm+wbxml"];
const VERSIONS: [&str; 2] = ["1.1", "1.2"];
/// Parameters that have no value.
const MARKS: [&str; 2] = ["BACKCOMPATRETRYDISABLED", "USEHWDEVID"];
/// Names that the tree in Microsoft's text has, and what its explanations have.
const SHORT: [(&str, &str); 2] = [("INITIALBACKOFTIME", "INITIALBACKOFFTIME"), ("MAXBACKOFTIME", "MAXBACKOFFTIME")];

/// A value that a parameter of the account cannot have.
pub(in crate::rules) fn application_parameter_value(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some(account) = account(cx) else { return };
    for parm in account.0.parms() {
        if let Some(expected) = expected(parm) {
            let seen = quoted(parm.value().unwrap_or_default());
            out.report(cx.at(parm.0), format!("{} is {seen}; expected {expected}", parm.name()));
        }
        if let Some((_, name)) = SHORT.iter().find(|(short, _)| parm.name().eq_ignore_ascii_case(short)) {
            let text = format!("{} is how one text spells it; expected `{name}`", quoted(parm.name()));
            out.report(cx.at(parm.0), text).at_most(Severity::Info);
        }
    }
    let wait = |name: &str| {
        let parm = account.0.parm(name)?;
        Some((parm, parm.value()?.trim().parse::<u64>().ok()?))
    };
    if let (Some((parm, first)), Some((longest, most))) = (wait("INITIALBACKOFFTIME"), wait("MAXBACKOFFTIME"))
        && first > most
    {
        let text = format!("INITIALBACKOFFTIME is {first} ms, MAXBACKOFFTIME {most}; expected no more than that");
        out.report(cx.at(parm.0), text).related(cx.at(longest.0), "the longest wait");
    }
}

/// What a parameter should be, when it is not that.
fn expected(parm: Parm<'_>) -> Option<String> {
    let (name, value) = (parm.name().to_ascii_uppercase(), parm.value().unwrap_or_default().trim());
    let one_of = |[one, other]: [&str; 2]| {
        let is_known = [one, other].iter().any(|known| known.eq_ignore_ascii_case(value));
        (!is_known).then(|| format!("`{one}` or `{other}`"))
    };
    match name.as_str() {
        "PROTOVER" => one_of(VERSIONS),
        "DEFAULTENCODING" => one_of(ENCODINGS),
        "CONNRETRYFREQ" | "INITIALBACKOFFTIME" | "MAXBACKOFFTIME" => value.parse::<u64>().is_err().then(|| "a number".into()),
        name if MARKS.contains(&name) => (!value.is_empty()).then(|| "no value: it holds where it is there".into()),
        _ => None,
    }
}

/// Settings of the client for another account.
pub(in crate::rules) fn dmclient_provider_mismatch(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some(account) = account(cx) else { return };
    let (Some(own), Some(parm)) = (account.provider_id(), account.0.parm("PROVIDER-ID")) else { return };
    for provider in cx.document.providers().filter(|provider| !Key::same(own, provider.kind(), Naming::Windows)) {
        let text = format!("DMClient sets up the provider {}; PROVIDER-ID is {}", quoted(provider.kind()), quoted(own));
        out.report(cx.at(provider.0), text).related(cx.at(parm.0), "the account");
    }
}
