//! What makes two findings the same one, as 16 hexadecimal digits: so that a fault is known again in the next recording.
//!
//! In: a finding. Out: a digest of its [`Key`].

use sha2::{Digest as _, Sha256};

use crate::rules::Finding;
use crate::suppress::Key;

/// The fingerprint of a finding.
pub fn fingerprint(finding: &Finding) -> String {
    let Key { rule, server, from, command, locuri, path } = Key::of(finding);
    let parts = [rule, server, from, command, locuri, path];
    // Versioned: another recipe gives other fingerprints, never some that are equal by chance.
    let digest = Sha256::digest(format!("1\0{}", parts.join("\0")).as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
