//! DM-PRV-033: by what the device finds its certificate.

use super::application::account;
use crate::enroll::criteria::{Criterion, attributes};
use crate::rules::{ProvisioningCx, Sink, quoted};
use crate::x509::{Certificate, Name};

/// Where the certificate of an enrollment may lie.
const STORES: [&str; 2] = ["My\\User", "My\\System"];

/// Criteria by which the device does not find its certificate.
pub(in crate::rules) fn client_certificate_criteria(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some(parm) = account(cx).and_then(|account| account.0.parm("SSLCLIENTCERTSEARCHCRITERIA")) else { return };
    let value = parm.value().unwrap_or_default();
    let issued = || Certificate::read(&cx.document.client_certificate()?.der()?).subject;
    if let Some(what) = form(value).or_else(|| stores(value)).or_else(|| subject(value, &issued()?)) {
        out.report(cx.at(parm.0), format!("SSLCLIENTCERTSEARCHCRITERIA {what}"));
    }
}

fn named<'a>(value: &'a str, name: &'static str) -> impl Iterator<Item = Criterion<'a>> {
    Criterion::all(value).filter(move |one| one.is(name))
}

/// What is wrong with how the criteria are written.
fn form(value: &str) -> Option<String> {
    if Criterion::all(value).any(|one| one.name.starts_with("amp;")) {
        return Some("has `&amp;` for an ampersand: it was escaped twice".into());
    }
    let known = || Criterion::all(value).filter(|one| one.is("Subject") || one.is("Stores"));
    if known().next().is_none() {
        return Some("has neither Subject nor Stores; expected both".into());
    }
    let raw = known().find_map(|one| Some((one.name, one.written.chars().find(|letter| matches!(letter, '=' | '\\'))?)));
    if let Some((name, letter)) = raw {
        return Some(format!("has `{letter}` in the value of {name}; expected `%{:02X}`", u32::from(letter)));
    }
    let wild = known().any(|one| one.values().iter().any(|value| value.contains('*')));
    wild.then(|| "has a wildcard; expected the name of one certificate".into())
}

/// A store that no certificate of an enrollment lies in.
fn stores(value: &str) -> Option<String> {
    let all: Vec<String> = named(value, "Stores").flat_map(Criterion::values).collect();
    let wrong = all.iter().find(|store| !STORES.iter().any(|known| known.eq_ignore_ascii_case(store.trim())))?;
    Some(format!("names the store {}; expected `{}` or `{}`", quoted(wrong), STORES[0], STORES[1]))
}

/// A subject that the certificate does not have. What cannot be taken apart is not compared.
fn subject(value: &str, issued: &Name) -> Option<String> {
    let wanted = named(value, "Subject").next()?.values().into_iter().next()?;
    // Some programs write a blank as in forms.
    let same = |a: &str, b: &str| a.replace('+', " ").eq_ignore_ascii_case(&b.replace('+', " "));
    let has = |(kind, value): &(String, String)| issued.parts().iter().any(|(own, text)| own == kind && same(text.trim(), value));
    let differs = !attributes(&wanted)?.iter().all(has);
    differs.then(|| format!("looks for the subject {}; the certificate has {}", quoted(&wanted), quoted(&issued.to_string())))
}
