//! DM-URI-014 to DM-URI-017: `?prop=` and `?list=` behind an address (TND 6 to 8).

use super::{Address, addressed};
use crate::rules::gate::sign;
use crate::rules::{ElementCx, Profile, Sink, quoted};
use crate::syncml::Tag;

/// The properties of a node (TND 7.2).
const PROPERTIES: [&str; 8] = ["ACL", "Format", "Name", "Size", "Title", "TStamp", "Type", "VerNo"];
/// Those that a Replace may change (TND 7.5).
const CHANGEABLE: [&str; 3] = ["ACL", "Name", "Title"];
/// The ways to ask for a subtree.
const LISTS: [&str; 3] = ["Struct", "StructData", "TNDS"];

/// A property in a command that cannot do anything with it.
pub(in crate::rules) fn property_on_wrong_command(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for (address, property) in asked(cx, "prop") {
        let command = address.command.0.name();
        let text = match address.command.tag() {
            Tag::Replace if is_known(cx, property, &PROPERTIES) && !is_known(cx, property, &CHANGEABLE) => {
                format!("this Replace is of the property {}; expected ACL, Name or Title", quoted(property))
            }
            Tag::Get | Tag::Replace => continue,
            _ => format!("this {command} is of the property {}; expected a Get or Replace", quoted(property)),
        };
        out.at(cx.message.index, address.element, text);
    }
}

/// A property that there is not.
pub(in crate::rules) fn unknown_property(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for (address, property) in asked(cx, "prop").filter(|(_, property)| !is_known(cx, property, &PROPERTIES)) {
        let text = format!("the property is {}; expected one of {}", quoted(property), PROPERTIES.join(", "));
        out.at(cx.message.index, address.element, text);
    }
}

/// `?list=` in another command than Get, or with a value that it does not have.
pub(in crate::rules) fn list_on_wrong_command(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for (address, value) in asked(cx, "list") {
        let (form, properties) = value.split_at(value.find(['+', '-']).unwrap_or(value.len()));
        let text = if address.command.tag() != Tag::Get {
            format!("this {} has `?list={}`; expected that in a Get alone", address.command.0.name(), value)
        } else if !is_known(cx, form, &LISTS) {
            format!("the list asked for is {}; expected Struct, StructData or TNDS", quoted(form))
        } else if properties.contains('+') && properties.contains('-') {
            format!("the list asked for is {}; expected properties with `+` or with `-`, not both", quoted(value))
        } else {
            continue;
        };
        out.at(cx.message.index, address.element, text);
    }
}

/// Access rights, which Windows does not have.
pub(in crate::rules) fn acl_on_windows(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for (address, _) in asked(cx, "prop").filter(|(_, property)| property.eq_ignore_ascii_case("ACL")) {
        let text = format!("LocURI is {}: Windows has no access control lists", quoted(address.uri));
        out.at(cx.message.index, address.element, text);
    }
}

/// The addresses of a command with that parameter, and its value.
fn asked<'a>(cx: &ElementCx<'a>, name: &'static str) -> impl Iterator<Item = (&'a Address<'a>, &'a str)> + use<'a> {
    addressed(cx).filter(|address| address.shows(sign::query)).filter_map(move |address| {
        let (_, query) = address.uri.split_once('?')?;
        let mut parameters = query.split('&').map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")));
        parameters.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| (address, value))
    })
}

fn is_known(cx: &ElementCx<'_>, word: &str, list: &[&str]) -> bool {
    list.iter().any(|known| match cx.message.profile {
        Profile::Windows => known.eq_ignore_ascii_case(word),
        Profile::Oma => *known == word,
    })
}
