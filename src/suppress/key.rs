//! What makes two findings the same one, in whatever recording: so that a fault is known again.
//!
//! In: a finding. Out: its rule, the host of the server, who sent the message, the command, its LocURI and the element. Ids,
//! times, order, and what differs from device to device are left out.

use crate::rules::{Finding, Rule};
use crate::syncml::{Side, uri};

/// See the module's head. What is not known is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The rule's id.
    pub rule: String,
    /// The server's host, in lower case.
    pub server: String,
    /// Who sent the message: `client` or `server`.
    pub from: String,
    /// The command, Status or Results.
    pub command: String,
    /// What that is about, with `*` for what names one device, user or object.
    pub locuri: String,
    /// The element's path, without the numbers of sisters.
    pub path: String,
}

impl Key {
    /// The key of a finding.
    pub fn of(finding: &Finding) -> Key {
        let (location, about) = (&finding.location, finding.about());
        Key {
            rule: finding.rule.id.to_owned(),
            server: finding.server.as_deref().map(host).unwrap_or_default(),
            from: location.side.map_or("", Side::name).to_owned(),
            command: about.command.unwrap_or_default().to_owned(),
            locuri: match about.target.as_deref() {
                Some(target) if Some(target) == finding.device.as_deref() => "*".to_owned(),
                target => target.map(pattern).unwrap_or_default(),
            },
            path: location.path.as_deref().map(without_positions).unwrap_or_default(),
        }
    }

    /// The key of findings of which only the rule and the server are known.
    pub fn of_rule(rule: &Rule, server: Option<&str>) -> Key {
        Key { rule: rule.id.to_owned(), server: server.map(host).unwrap_or_default(), ..Key::default() }
    }

    /// In a few words, for messages: `DM-MSG-003 of mdm.example.test · server · Replace ./Vendor/*`.
    pub fn words(&self) -> String {
        let about = format!("{} {}", self.command, self.locuri);
        let place = if self.command.is_empty() { self.path.as_str() } else { about.trim_end() };
        let parts = [self.server.as_str(), self.from.as_str(), place].into_iter().filter(|part| !part.is_empty());
        let place = parts.collect::<Vec<_>>().join(" · ");
        if place.is_empty() { self.rule.clone() } else { format!("{} of {place}", self.rule) }
    }
}

/// The host of an address, or a host, in lower case. Empty for what is neither.
pub fn host(server: &str) -> String {
    let bare = |server: &str| !server.contains([':', '/']) || server.parse::<std::net::IpAddr>().is_ok();
    let host = uri::host(server).or_else(|| Some(server).filter(|server| bare(server)));
    host.unwrap_or_default().to_ascii_lowercase()
}

/// A LocURI in which what names one device, user or object is `*`: segments with a digit in them, and those in braces.
pub fn pattern(uri: &str) -> String {
    let is_name = |segment: &str| segment.bytes().any(|byte| byte.is_ascii_digit() || byte == b'{' || byte == b'%');
    let segments = uri.split('/').map(|segment| if is_name(segment) { "*" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// A path without the numbers of sisters: `/SyncML/SyncBody/Status/Data`.
fn without_positions(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for part in path.split('[') {
        out.push_str(part.split_once(']').map_or(part, |(_, rest)| rest));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_from_run_to_run_is_left_out() {
        assert_eq!(without_positions("/SyncML/SyncBody/Status[12]/Data"), "/SyncML/SyncBody/Status/Data");
        let uri = "./Device/Vendor/MSFT/ClientCertificateInstall/SCEP/8d6f-11/Install";
        assert_eq!(pattern(uri), "./Device/Vendor/MSFT/ClientCertificateInstall/SCEP/*/Install");
        assert_eq!(pattern("./User/{a-b}/Name"), "./User/*/Name");
    }

    #[test]
    fn servers_are_known_by_their_hosts() {
        assert_eq!(host("https://MDM.example.test:8443/manage"), "mdm.example.test");
        assert_eq!(
            (host("MDM.example.test"), host("::1"), host("urn:x")),
            ("mdm.example.test".into(), "::1".into(), String::new())
        );
    }

    #[test]
    fn keys_are_told_in_words() {
        let key = |command: &str| Key {
            rule: "DM-MSG-003".into(),
            server: "a.test".into(),
            from: "server".into(),
            command: command.into(),
            locuri: if command.is_empty() { String::new() } else { "./Vendor/*".into() },
            path: "/SyncML/SyncHdr/MsgID".into(),
        };
        assert_eq!(key("Get").words(), "DM-MSG-003 of a.test · server · Get ./Vendor/*");
        assert_eq!(key("").words(), "DM-MSG-003 of a.test · server · /SyncML/SyncHdr/MsgID");
        assert_eq!(Key { rule: "DM-MSG-003".into(), ..Key::default() }.words(), "DM-MSG-003");
    }
}
