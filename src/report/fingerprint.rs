//! What makes two findings the same one: so that a fault is known again in the next recording.
//!
//! In: a finding and its session. Out: 16 hexadecimal digits, made of the rule, the host of the server, who sent the
//! message, the command and the LocURI. Ids, times, order, and what differs from device to device are left out.

use sha2::{Digest as _, Sha256};

use super::Lint;
use crate::rules::Finding;
use crate::syncml::{Side, uri};

/// The fingerprint of a finding.
pub fn fingerprint(lint: &Lint, finding: &Finding) -> String {
    let location = &finding.location;
    let server = lint.session(location.session.as_deref()).and_then(|row| row.server.as_deref());
    let host = server.and_then(uri::host).unwrap_or_default().to_ascii_lowercase();
    let parts = [
        finding.rule.id,
        &host,
        location.side.map_or("", Side::name),
        location.command.unwrap_or_default(),
        &location.target.as_deref().map(pattern).unwrap_or_default(),
        &location.path.as_deref().map(without_positions).unwrap_or_default(),
    ];
    // Versioned: another recipe gives other fingerprints, never some that are equal by chance.
    let digest = Sha256::digest(format!("1\0{}", parts.join("\0")).as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
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
}
