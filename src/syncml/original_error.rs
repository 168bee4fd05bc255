//! What Windows says besides a status code: `msft:originalerror`, a result of its configuration manager (MS-MDM).

use std::borrow::Cow;

/// The meaning of a value such as `0x86000002`: of the configuration manager's own as its list says, of other results by
/// the part of Windows they come from; `None` for what is neither.
pub fn meaning(value: &str) -> Option<Cow<'static, str>> {
    let digits = value.trim().strip_prefix("0x").or_else(|| value.trim().strip_prefix("0X"))?;
    let value = u32::from_str_radix(digits, 16).ok()?;
    listed(value).map(Cow::Borrowed).or_else(|| result(value))
}

/// What an HRESULT says of itself: bits 16 to 26 are the part of Windows it comes from, the low ones its code.
fn result(value: u32) -> Option<Cow<'static, str>> {
    let known = match value {
        0x8000_4005 => "unspecified failure",
        0x8000_FFFF => "unexpected failure",
        0x8007_0002 => "file not found",
        0x8007_0003 => "path not found",
        0x8007_0005 => "access denied",
        0x8007_000E => "out of memory",
        0x8007_0032 => "not supported",
        0x8007_0057 => "invalid parameter",
        _ => "",
    };
    let source = match (value >> 16) & 0x7FF {
        0x007 => "Win32",
        0x009 => "cryptography",
        0x00B => "certificates",
        0x018 => "MDM enrollment",
        0x019 => "HTTP",
        0x024 => "Windows Update",
        0x600 => "configuration manager",
        _ => "",
    };
    match (known, source) {
        _ if value & 0x8000_0000 == 0 => None,
        ("", "") => None,
        ("", source) => Some(Cow::Owned(format!("{source} error {}", value & 0xFFFF))),
        (known, _) => Some(Cow::Borrowed(known)),
    }
}

fn listed(value: u32) -> Option<&'static str> {
    let meaning = match value {
        0x8600_0000 => "invalid node options",
        0x8600_0001 => "invalid data type",
        0x8600_0002 => "node not found",
        0x8600_0003 => "illegal operation in a transaction",
        0x8600_0004 => "illegal operation outside a transaction",
        0x8600_0005 => "one or more executions failed",
        0x8600_0006 => "cancelling failed",
        0x0600_0007 => "rolled back",
        0x8600_0008 => "commit failed",
        0x8600_0009 => "roll-back failed",
        0x8600_000A => "cleaning up failed",
        0x8600_000B => "wrong state of the node",
        0x8600_000C => "registration of the CSP is corrupt",
        0x8600_000D => "the node could not be cancelled",
        0x8600_000E => "an operation it depends on failed",
        0x8600_000F => "the CSP node is in an illegal state",
        0x8600_0010 => "the CSP needs transactions of its own",
        0x8600_0011 => "command not allowed",
        0x8600_0012 => "operation between CSPs",
        0x8600_0013 => "property not supported",
        0x8600_0014 => "invalid semantic type",
        0x8600_0015 => "forbidden segment in the URI",
        0x8600_0016 => "read or write access denied",
        0x8600_0017 => "access to secret data denied",
        0x8600_0018 => "the XML could not be parsed",
        0x8600_0019 => "the command took too long",
        0x8600_0020 => "impersonation failed",
        0x8600_0021 => "WMI operation failed",
        0x8600_0022 => "no user to impersonate",
        0x8600_0023 => "the resource is owned already",
        _ => return None,
    };
    Some(meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_any_case() {
        assert_eq!(meaning("0x86000002").as_deref(), Some("node not found"));
        assert_eq!(meaning(" 0X8600000a ").as_deref(), Some("cleaning up failed"));
        assert_eq!(meaning("86000002"), None);
    }

    #[test]
    fn other_results_name_their_source() {
        assert_eq!(meaning("0x80070005").as_deref(), Some("access denied"));
        assert_eq!(meaning("0x80070491").as_deref(), Some("Win32 error 1169"));
        assert_eq!(meaning("0x86000099").as_deref(), Some("configuration manager error 153"));
        assert_eq!(meaning("0x87D1FDE8"), None);
        assert_eq!(meaning("0x00070005"), None);
    }
}
