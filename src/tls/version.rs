//! Versions of SSL and TLS, by the number on the wire.

use std::fmt;

/// A version. Drafts of TLS 1.3 lie above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize)]
pub struct Version(pub u16);

impl Version {
    /// SSL 3.0.
    pub const SSL3: Version = Version(0x0300);
    /// TLS 1.0.
    pub const TLS10: Version = Version(0x0301);
    /// TLS 1.1.
    pub const TLS11: Version = Version(0x0302);
    /// TLS 1.2.
    pub const TLS12: Version = Version(0x0303);
    /// TLS 1.3.
    pub const TLS13: Version = Version(0x0304);

    /// The number of a draft of TLS 1.3.
    pub(super) fn draft(self) -> Option<u8> {
        let [high, low] = self.0.to_be_bytes();
        (high == 0x7f).then_some(low)
    }

    /// TLS 1.3 or one of its drafts.
    pub fn is_13(self) -> bool {
        self == Version::TLS13 || self.draft().is_some()
    }

    /// Whether it is one that is known here.
    pub(super) fn is_known(self) -> bool {
        (Version::SSL3..=Version::TLS13).contains(&self) || self.draft().is_some()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self, self.draft()) {
            (_, Some(draft)) => write!(f, "TLS 1.3 draft {draft}"),
            (Version::SSL3, _) => f.write_str("SSL 3.0"),
            (Version(number @ 0x0301..=0x0304), _) => write!(f, "TLS 1.{}", number - 0x0301),
            (Version(number), _) => write!(f, "version 0x{number:04x}"),
        }
    }
}
