//! What Windows says besides a status code: `msft:originalerror`, a result of its configuration manager (MS-MDM).

/// The meaning of a value such as `0x86000002`; `None` for one that is not on the list.
pub fn meaning(value: &str) -> Option<&'static str> {
    let digits = value.trim().strip_prefix("0x").or_else(|| value.trim().strip_prefix("0X"))?;
    let meaning = match u32::from_str_radix(digits, 16).ok()? {
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
        assert_eq!(meaning("0x86000002"), Some("node not found"));
        assert_eq!(meaning(" 0X8600000a "), Some("cleaning up failed"));
        assert_eq!(meaning("0x80004005"), None);
        assert_eq!(meaning("86000002"), None);
    }
}
