//! The names by which secrets are known: nodes of the management tree, elements and parameters of payloads.

use std::ops::Range;

/// Elements of payloads and of SOAP whose content is secret.
const ELEMENTS: &[&str] = &[
    "binarysecuritytoken",
    "keymaterial",
    "l2tppsk",
    "nextnonce",
    "passphrase",
    "password",
    "pfxcertblob",
    "pfxcertpassword",
    "presharedkey",
    "sharedsecret",
    "wresult",
];

/// Parameters: of provisioning documents (`AAUTHSECRET`), of forms and URLs (`wresult`, `token`).
const PARAMETERS: &[&str] = &[
    "aauthdata",
    "aauthsecret",
    "access_token",
    "authsecret",
    "basauth-pw",
    "client_assertion",
    "client_secret",
    "code",
    "id_token",
    "password",
    "proxy-pw",
    "pxauth-pw",
    "refresh_token",
    "sig",
    "token",
    "wresult",
];

/// Last segments of nodes that are secret, besides those that end in `Password`, `Secret` or `Psk`.
const NODES: &[&str] = &[
    "aauthdata",
    "accesstoken",
    "authtoken",
    "challenge",
    "changeproductkey",
    "newpinvalue",
    "passphrase",
    "pfxcertblob",
    "presharedkey",
    "refreshtoken",
    "sharedkey",
    "token",
    "updateproductkey",
    "upgradeeditionwithproductkey",
];

/// Nodes whose payload has secrets inside; when it is encoded they cannot be told apart from the rest.
const HOLDERS: &[&str] = &["wlanxml", "profilexml", "eaphostuserdata", "eapconfiguration", "lanxml"];

/// Ends of node names that are secret, outside the policy tree (where `AllowSimpleDevicePassword` is a number).
const ENDINGS: &[&str] = &["password", "secret", "psk"];

/// Whether an element of that local name holds a secret. Names are compared without case.
pub(super) fn is_secret_element(local: &[u8]) -> bool {
    is_in(ELEMENTS, local)
}

/// Whether a parameter of that name has a secret value.
pub(super) fn is_secret_parameter(name: &[u8]) -> bool {
    is_in(PARAMETERS, name)
}

/// Whether the node at a LocURI is secret.
pub(super) fn is_secret_node(uri: &[u8]) -> bool {
    let last = last_segment(uri);
    is_in(NODES, last) || (!in_policy_tree(uri) && ENDINGS.iter().any(|ending| ends_with(last, ending)))
}

/// Whether the payload of the node at a LocURI may have a secret in it.
pub(super) fn may_hold_secret(uri: &[u8]) -> bool {
    is_in(HOLDERS, last_segment(uri))
}

/// Where the values of secret parameters stand in a URL or a form: `a=1&token=…`.
pub(super) fn parameters(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    for part in text.split(['?', '&', '#', ';', ' ', '"']) {
        if let Some((name, value)) = part.split_once('=')
            && !value.is_empty()
            && is_secret_parameter(name.as_bytes())
        {
            found.push(at + name.len() + 1..at + part.len());
        }
        at += part.len() + 1;
    }
    found
}

fn is_in(list: &[&str], name: &[u8]) -> bool {
    list.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

fn ends_with(name: &[u8], ending: &str) -> bool {
    let from = name.len().checked_sub(ending.len());
    from.and_then(|from| name.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(ending.as_bytes()))
}

fn last_segment(uri: &[u8]) -> &[u8] {
    let path = uri.split(|byte| *byte == b'?').next().unwrap_or_default().trim_ascii();
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

fn in_policy_tree(uri: &[u8]) -> bool {
    uri.split(|byte| *byte == b'/').any(|segment| segment.eq_ignore_ascii_case(b"policy"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_known_by_their_last_segment() {
        assert!(is_secret_node(b"./Device/Vendor/MSFT/Accounts/Users/kiosk/Password"));
        assert!(is_secret_node(b"./Vendor/MSFT/ClientCertificateInstall/PFXCertInstall/a/PFXCertBlob?prop=Format"));
        assert!(is_secret_node(b"./SyncML/DMAcc/x/AppAuth/y/AAuthSecret"));
        assert!(!is_secret_node(b"./Vendor/MSFT/Policy/Config/DeviceLock/AllowSimpleDevicePassword"));
        assert!(!is_secret_node(b"./DevInfo/DevId"));
        assert!(!is_secret_node(b""));
    }

    #[test]
    fn parameters_of_a_url() {
        let url = "/enroll?user=a&token=abc&wresult=x";
        let values: Vec<&str> = parameters(url).into_iter().map(|range| &url[range]).collect();
        assert_eq!(values, ["abc", "x"]);
        assert!(parameters("/omadm?mode=Maintenance").is_empty());
    }
}
