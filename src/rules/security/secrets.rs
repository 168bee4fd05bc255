//! DM-SEC-008: secrets that a server writes in clear.

use crate::rules::{ElementCx, Sink, quoted};
use crate::syncml::uri::path;
use crate::syncml::{Command, Element, Item, Side, secret};

/// Ends of the names by which nodes and elements of payloads are known to hold a password or a key.
const NAMES: [&str; 6] = ["password", "psk", "passphrase", "sharedkey", "sharedsecret", "keymaterial"];
/// What a WLAN profile says beside a key that only the device can read.
const PROTECTED: &str = "<protected>true</protected>";

/// A password or a key in a value that is written.
pub(in crate::rules) fn secret_in_data(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if cx.message.side() == Some(Side::Client) {
        return;
    }
    for item in cx.command().items() {
        let (Some(uri), Some(data)) = (item.target(), item.data()) else { continue };
        if is_secret_node(uri) && data.value().is_some() {
            if !is_encrypted(cx, uri) {
                let text = format!("Data of {} is a secret in clear; expected a certificate, or an encrypted value", quoted(uri));
                out.report(cx.message.at(data), text);
            }
        } else if let Some(name) = inside(data) {
            let text = format!("Data of {} has a secret in clear ({name}); expected a certificate profile", quoted(uri));
            out.report(cx.message.at(data), text);
        }
    }
}

/// Whether a node is a secret by its name. Policies about passwords are numbers.
fn is_secret_node(uri: &str) -> bool {
    let path = path(uri).trim_end_matches('/');
    is_secret_name(path) && !path.split('/').rev().skip(1).any(|name| name.eq_ignore_ascii_case("Policy"))
}

fn is_secret_name(name: &str) -> bool {
    let ends_with = |end: &&str| {
        let tail = name.len().checked_sub(end.len()).and_then(|from| name.as_bytes().get(from..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
    };
    NAMES.iter().any(ends_with)
}

/// Whether the message says that the password of a certificate is encrypted for the device.
fn is_encrypted(cx: &ElementCx<'_>, uri: &str) -> bool {
    let says = |item: Item<'_>| {
        let node = item.target().map(path).and_then(|node| node.rsplit_once('/'));
        let same = node.zip(path(uri).rsplit_once('/')).is_some_and(|((above, name), (parent, _))| {
            above.eq_ignore_ascii_case(parent) && name.eq_ignore_ascii_case("PFXCertPasswordEncryptionType")
        });
        same && item.data().and_then(Element::value).is_some_and(|how| how != "0")
    };
    cx.message.commands().flat_map(Command::items).any(says)
}

/// The element of a payload that holds a secret.
fn inside(data: Element<'_>) -> Option<String> {
    let named = data.descendants().find(|element| is_secret_name(element.name()) && element.value().is_some());
    if let Some(element) = named {
        let is_protected = |sibling: Element<'_>| sibling.name() == "protected" && sibling.value() == Some("true");
        let protected = element.parent().is_some_and(|above| above.children().any(is_protected));
        return (!protected).then(|| element.name().to_owned());
    }
    let text = data.text();
    let secrets = secret::in_bytes(text.as_bytes());
    let names = secrets.iter().filter(|span| !span.is_empty()).filter_map(|span| name_before(text.get(..span.start as usize)?));
    names.into_iter().find(|name| is_secret_name(name)).filter(|_| !text.contains(PROTECTED)).map(str::to_owned)
}

/// The name of the tag that a text ends with.
fn name_before(text: &str) -> Option<&str> {
    let tag = text.rsplit(['<', ';']).next()?;
    let name = tag.split(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, ':' | '_' | '-' | '.'))).next()?;
    Some(name.rsplit(':').next().unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::syncml::Tag;

    #[test]
    fn nodes_are_secret_by_their_last_name_outside_of_policies() {
        for uri in ["./Device/Vendor/MSFT/Accounts/Users/kiosk/Password", "./V/VPNv2/a/NativeProfile/L2tpPsk", "./A/presharedKey/"] {
            assert!(is_secret_node(uri), "{uri}");
        }
        for uri in ["./Device/Vendor/MSFT/Policy/Config/DeviceLock/AllowSimpleDevicePassword", "./A/PasswordAge", "./A/PFXCertBlob"] {
            assert!(!is_secret_node(uri), "{uri}");
        }
    }

    #[test]
    fn payloads_hold_secrets_in_elements_escaped_or_not() {
        let found = |data: &str| {
            let doc = crate::xml::parse(&format!("<Item><Data>{data}</Data></Item>").as_bytes().into(), &Limits::default());
            doc.root().and_then(|item| inside(item.child(Tag::Data)?))
        };
        let key = "&lt;sharedKey&gt;&lt;protected&gt;false&lt;/protected&gt;&lt;keyMaterial&gt;abc&lt;/keyMaterial&gt;&lt;/sharedKey&gt;";
        assert_eq!(found(key).as_deref(), Some("keyMaterial"));
        assert_eq!(found(&key.replace("false", "true")), None);
        assert_eq!(found("<a><w:Password>abc</w:Password></a>").as_deref(), Some("Password"));
        assert_eq!(found("<a><Password/></a>"), None);
        assert_eq!(found("<![CDATA[<PresharedKey>abc</PresharedKey>]]>").as_deref(), Some("PresharedKey"));
    }
}
