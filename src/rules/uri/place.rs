//! DM-URI-012, DM-URI-013, DM-URI-018 to DM-URI-020 and DM-URI-024: which part of the tree an address names.

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::{ROOTS, Address, addressed, is_one_of, names, of_commands};
use crate::rules::gate::sign;
use crate::rules::{ElementCx, MessageCx, Profile, Sink, options, quoted};
use crate::syncml::uri::Key;
use crate::syncml::{Command, Element, Side, Tag};

/// What Windows can configure for the device and for the user: there the scope makes a difference.
const SCOPED: [&str; 8] = [
    "ClientCertificateInstall",
    "EnterpriseDesktopAppManagement",
    "EnterpriseModernAppManagement",
    "PassportForWork",
    "Policy",
    "RootCATrustedCertificates",
    "VPNv2",
    "WiFi",
];

/// Nodes that no client lets go.
const PERMANENT: [&str; 3] = [".", "./DevInfo", "./DevDetail"];
/// Those of Windows.
const PERMANENT_ON_WINDOWS: [&str; 6] =
    ["./Vendor", "./Vendor/MSFT", "./Device", "./User", "./User/Vendor", "./User/Vendor/MSFT"];

/// A path that exists for the device and for the user, without saying which. Told once per message.
pub(in crate::rules) fn scope_prefix_missing(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let mut unsaid = of_commands(*cx).filter(|address| is_unscoped(address.uri));
    let Some(first) = unsaid.next() else { return };
    let more = match unsaid.count() {
        0 => String::new(),
        more => format!("; so do {more} more of this message"),
    };
    let text = format!("LocURI is {}, which means the device; expected ./Device or ./User{more}", quoted(first.uri));
    out.at(cx.index, first.element, text);
}

/// A path that begins with a name that no object has. Told once per name and message.
pub(in crate::rules) fn unknown_root(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let mut told = HashSet::new();
    for address in of_commands(*cx) {
        let mut names = names(address.uri);
        let Some(root) = names.next().filter(|first| *first == ".").and_then(|_| names.next()) else { continue };
        let known = is_one_of(root, &ROOTS) || out.any_word(options::unknown_root::ALSO, |word| word.eq_ignore_ascii_case(root));
        if !matches!(root, "" | "." | ".." | "*") && !known && told.insert(root) {
            let text = format!("LocURI is {}; expected DevInfo, DevDetail, Vendor, Device, User or another known object behind `./`", quoted(address.uri));
            out.at(cx.index, address.element, text);
        }
    }
}

/// A Get of the Inbox.
pub(in crate::rules) fn get_inbox(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let naming = cx.message.profile.naming();
    for address in addressed(cx).filter(|address| address.node(naming).lies_in("./Inbox", naming)) {
        let text = format!("this Get is of {}; expected another node: the Inbox cannot be read", quoted(address.uri));
        out.at(cx.message.index, address.element, text);
    }
}

/// A Delete of the root, or of a node that is always there.
pub(in crate::rules) fn delete_root(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let naming = cx.message.profile.naming();
    let more: &[&str] = if cx.message.profile == Profile::Windows { &PERMANENT_ON_WINDOWS } else { &["./Vendor"] };
    for address in addressed(cx).filter(|address| !address.shows(sign::query)) {
        let key = address.key(naming);
        if PERMANENT.iter().chain(more).any(|node| Key::of(node, naming) == key) {
            let text = format!("this Delete is of {}, which cannot be deleted", quoted(address.uri));
            out.at(cx.message.index, address.element, text);
        }
    }
}

/// A command of the server that would change the device information.
pub(in crate::rules) fn write_to_devinfo(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if cx.message.side() != Some(Side::Server) {
        return;
    }
    let naming = cx.message.profile.naming();
    for address in addressed(cx).filter(|address| !address.shows(sign::query)) {
        let key = address.key(naming);
        let is_in = |node| key.lies_in(node, naming);
        let whole = cx.element.tag() == Tag::Delete && Key::same(address.uri, "./DevInfo", naming);
        if is_in("./DevInfo") && !is_in("./DevInfo/Ext") && !whole {
            let text = format!("this {} is of {}, which can only be read", cx.element.name(), quoted(address.uri));
            out.at(cx.message.index, address.element, text);
        }
    }
}

/// One node written twice in a message, in no certain order.
pub(in crate::rules) fn duplicate_target_in_message(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let naming = cx.profile.naming();
    let writes = |address: &&Address<'_>| {
        matches!(address.command.tag(), Tag::Add | Tag::Copy | Tag::Delete | Tag::Replace) && address.end == Tag::Target
    };
    let mut seen: HashMap<Key<'_>, Command<'_>> = HashMap::with_capacity(of_commands(*cx).filter(writes).count());
    for address in of_commands(*cx).filter(writes) {
        let command = address.command;
        let Some(before) = seen.insert(address.key(naming), command) else { continue };
        let together = block(command).is_some_and(|block| self::block(before) == Some(block));
        if before != command && !together {
            let (first, second) = (before.0.name(), command.0.name());
            let text = format!("this {second} is of {}, as is a {first} before it; the client may take them in any order", quoted(address.uri));
            out.at(cx.index, address.element, text).related(cx.at(before.0), "the other command");
        }
    }
}

fn is_unscoped(uri: &str) -> bool {
    let mut names = names(uri);
    let mut is = |name: &str| names.next().is_some_and(|next| next.eq_ignore_ascii_case(name));
    is(".") && is("Vendor") && is("MSFT") && names.next().is_some_and(|object| is_one_of(object, &SCOPED))
}

/// The outermost container around a command.
fn block(command: Command<'_>) -> Option<Element<'_>> {
    let above = std::iter::successors(command.0.parent(), |element| element.parent());
    above.take_while(|element| element.tag().is_container()).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_scope_matters() {
        assert!(is_unscoped("./Vendor/MSFT/Policy/Config/A/B") && is_unscoped("./vendor/msft/policy"));
        assert!(!is_unscoped("./User/Vendor/MSFT/Policy/Config/A/B") && !is_unscoped("./Vendor/MSFT/DMClient"));
        assert!(!is_unscoped("./Vendor/MSFT"));
    }
}
