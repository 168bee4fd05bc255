//! What Windows' error numbers mean: HRESULTs, as they stand in `msft:originalerror`, in the values of nodes such as
//! `LastError`, and in what users read out of a dialog.
//!
//! In: the number as text. Out: a few words. Numbers that are made from others (SyncML codes, HTTP status, Win32 errors) are
//! taken apart. From MS-MDM 2.2.6.1 (configuration manager), Microsoft's table of enrollment errors, and winerror.h.

use super::status;

/// The meaning of a number such as `0x86000002` or `-2147024891`; `None` for what is no failure that Windows would tell.
pub fn meaning(value: &str) -> Option<String> {
    let number = parse(value)?;
    if let Ok(at) = NAMED.binary_search_by_key(&number, |(number, _)| *number) {
        return NAMED.get(at).map(|(_, meaning)| (*meaning).to_owned());
    }
    let code = number & 0xFFFF;
    match number >> 16 {
        0x87D1 => Some(format!("SyncML {}", status::describe(&code.to_string()))),
        0x8019 if (100..600).contains(&code) => Some(format!("the server answered with HTTP status {code}")),
        0x8019 => Some(win32(code).map_or_else(|| format!("enrollment error {code}"), str::to_owned)),
        0x8007 => Some(win32(code).map_or_else(|| format!("Win32 error {code}"), str::to_owned)),
        0x8009 => Some(format!("cryptography error {code}")),
        0x800B => Some(format!("certificate error {code}")),
        0x8600 => Some(format!("error {code} of the configuration manager")),
        0x8018 => Some(format!("error {code} of the enrollment client")),
        0x801C => Some(format!("error {code} of device registration")),
        0x8024 => Some(format!("error {code} of Windows Update")),
        _ => None,
    }
}

/// Eight hexadecimal digits behind `0x`, or a decimal number of a failure, with or without sign.
fn parse(value: &str) -> Option<u32> {
    let value = value.trim();
    if let Some(digits) = value.strip_prefix("0x").or_else(|| value.strip_prefix("0X")) {
        let is_whole = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        return if is_whole { u32::from_str_radix(digits, 16).ok() } else { None };
    }
    let number: i64 = value.parse().ok()?;
    let number = i32::try_from(number).map(i32::cast_unsigned).or_else(|_| u32::try_from(number)).ok()?;
    (number >= 0x8000_0000).then_some(number)
}

/// Win32 errors, those of WinHTTP among them.
fn win32(code: u32) -> Option<&'static str> {
    let at = WIN32.binary_search_by_key(&code, |(code, _)| *code).ok()?;
    WIN32.get(at).map(|(_, meaning)| *meaning)
}

/// HRESULTs with a meaning of their own, in order.
static NAMED: &[(u32, &str)] = &[
    (0x0018_0011, "the enrollment was suspended"),
    (0x0600_0007, "rolled back"),
    (0x8000_4001, "not implemented"),
    (0x8000_4002, "no such interface"),
    (0x8000_4004, "aborted"),
    (0x8000_4005, "unspecified failure"),
    (0x8000_FFFF, "unexpected failure"),
    (0x8009_000B, "the key is not in a state that allows this"),
    (0x8009_000F, "the key exists already"),
    (0x8009_0016, "the key container does not exist"),
    (0x8009_0029, "the key provider does not support this"),
    (0x8009_2004, "the certificate or key was not found"),
    (0x800B_0101, "the certificate is not valid now"),
    (0x800B_0109, "the root of the certificate chain is not trusted"),
    (0x800B_010F, "the certificate is for another name"),
    (0x8018_0001, "enrollment: the server could not read the message"),
    (0x8018_0002, "enrollment: the server does not know the user"),
    (0x8018_0003, "enrollment: the user may not enroll"),
    (0x8018_0004, "enrollment: the server could not get a certificate, look at the CA and its template"),
    (0x8018_0005, "enrollment: the management server failed"),
    (0x8018_0006, "enrollment: the service failed with an exception that it did not handle"),
    (0x8018_0007, "enrollment: the server could not read the security header"),
    (0x8018_0008, "enrollment: an error that the client has no name for"),
    (0x8018_0009, "enrollment: another one is in progress"),
    (0x8018_000A, "enrollment: the device is enrolled already"),
    (0x8018_000B, "the device is not enrolled"),
    (0x8018_000D, "enrollment: the certificate of the discovery server is not valid now"),
    (0x8018_000E, "enrollment: a password is needed"),
    (0x8018_000F, "enrollment: the web page for signing in failed"),
    (0x8018_0010, "enrollment: no connection (DNS, TCP or HTTP)"),
    (0x8018_0012, "enrollment: the certificate of the server was not accepted"),
    (0x8018_0013, "enrollment: the user has too many devices"),
    (0x8018_0014, "enrollment: the server does not take this platform or version"),
    (0x8018_0015, "enrollment: the tenant has no MDM"),
    (0x8018_0016, "the server refused to renew the certificate"),
    (0x8018_0017, "enrollment: the account is in maintenance"),
    (0x8018_0018, "enrollment: the user has no licence"),
    (0x8018_0019, "enrollment: the server rejected the data"),
    (0x8018_001A, "enrollment: the server redirected to plain http"),
    (0x8018_001B, "enrollment: the system is in the wrong state"),
    (0x8018_001C, "enrollment: a licence error"),
    (0x8018_001D, "enrollment: an unknown error"),
    (0x8018_001E, "provisioning document: CertificateStore was not accepted"),
    (0x8018_001F, "provisioning document: APPLICATION (w7) was not accepted"),
    (0x8018_0020, "provisioning document: DMClient was not accepted"),
    (0x8018_0021, "provisioning document: the part that Windows calls PFW was not accepted"),
    (0x8018_0022, "provisioning document: another part was not accepted"),
    (0x8018_0023, "provisioning document: not accepted as a whole"),
    (0x8018_0024, "provisioning document: no certificate fits SSLCLIENTCERTSEARCHCRITERIA"),
    (0x8018_0025, "provisioning document: the part for app management was not accepted"),
    (0x8018_0026, "enrollment: a policy of the device forbids management"),
    (0x8018_0027, "enrollment: the private key could not be made, look at the key attributes of the policy"),
    (0x8018_0028, "enrollment: the certificate was not found"),
    (0x8018_0029, "enrollment: the server's answer was empty"),
    (0x8018_002A, "enrollment: the user cancelled"),
    (0x8018_002B, "enrollment: MDM is not set up for this user or tenant"),
    (0x8018_0030, "enrollment: the user cancelled"),
    (0x8018_0031, "enrollment: MDM is not set up for this user or tenant"),
    (0x8018_0032, "enrollment: an error of the server's own, with its message"),
    (0x8019_00C8, "the server answered with HTTP status 200, but not with SOAP"),
    (0x8375_0005, "provisioning document: a part that the client does not take"),
    (0x8600_0000, "invalid node options"),
    (0x8600_0001, "invalid data type"),
    (0x8600_0002, "node not found"),
    (0x8600_0003, "illegal operation in a transaction"),
    (0x8600_0004, "illegal operation outside a transaction"),
    (0x8600_0005, "one or more executions failed"),
    (0x8600_0006, "cancelling failed"),
    (0x8600_0008, "commit failed"),
    (0x8600_0009, "roll-back failed"),
    (0x8600_000A, "cleaning up failed"),
    (0x8600_000B, "wrong state of the node"),
    (0x8600_000C, "registration of the CSP is corrupt"),
    (0x8600_000D, "the node could not be cancelled"),
    (0x8600_000E, "an operation it depends on failed"),
    (0x8600_000F, "the CSP node is in an illegal state"),
    (0x8600_0010, "the CSP needs transactions of its own"),
    (0x8600_0011, "command not allowed"),
    (0x8600_0012, "operation between CSPs"),
    (0x8600_0013, "property not supported"),
    (0x8600_0014, "invalid semantic type"),
    (0x8600_0015, "forbidden segment in the URI"),
    (0x8600_0016, "read or write access denied"),
    (0x8600_0017, "access to secret data denied"),
    (0x8600_0018, "the XML could not be parsed"),
    (0x8600_0019, "the command took too long"),
    (0x8600_0020, "impersonation failed"),
    (0x8600_0021, "WMI operation failed"),
    (0x8600_0022, "no user to impersonate"),
    (0x8600_0023, "the resource is owned already"),
    (0x87D1_FDE8, "the value read back is not the value that was set"),
];

/// Win32 errors that device management meets, in order.
static WIN32: &[(u32, &str)] = &[
    (2, "file not found"),
    (3, "path not found"),
    (5, "access denied"),
    (6, "invalid handle"),
    (8, "not enough memory"),
    (13, "invalid data"),
    (14, "not enough memory"),
    (31, "a device does not work"),
    (32, "the file is in use"),
    (50, "not supported"),
    (80, "the file exists already"),
    (87, "invalid parameter"),
    (112, "the disk is full"),
    (122, "the buffer is too small"),
    (183, "exists already"),
    (234, "more data is available"),
    (1168, "element not found"),
    (1223, "cancelled by the user"),
    (1326, "wrong user name or password"),
    (1340, "the access control list cannot be used"),
    (1460, "timeout"),
    (1603, "the installer failed"),
    (1605, "the product is not installed"),
    (1618, "another installation is running"),
    (1638, "another version of the product is installed"),
    (3010, "a restart is needed"),
    (12_002, "the server did not answer in time"),
    (12_007, "the name of the server was not found"),
    (12_029, "no connection to the server"),
    (12_030, "the connection to the server broke"),
    (12_037, "the server's certificate is not valid now"),
    (12_038, "the server's certificate is for another name"),
    (12_044, "the server asks for a client certificate"),
    (12_045, "the root of the server's certificate is not trusted"),
    (12_152, "the server's answer is not HTTP"),
    (12_175, "TLS with the server failed"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn said(value: &str) -> String {
        meaning(value).unwrap_or_default()
    }

    #[test]
    fn tables_are_sorted_so_that_they_can_be_searched() {
        assert!(NAMED.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(WIN32.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn numbers_are_read_in_all_forms_that_windows_prints() {
        assert_eq!(said("0x86000002"), "node not found");
        assert_eq!(said(" 0X8600000a "), "cleaning up failed");
        assert_eq!((said("-2147024891"), said("2147942405")), ("access denied".into(), "access denied".into()));
        assert!(
            ["86000002", "0x860002", "0", "404", "0x+8600000", "99999999999999999999"]
                .iter()
                .all(|v| meaning(v).is_none())
        );
    }

    #[test]
    fn numbers_made_from_others_are_taken_apart() {
        assert_eq!(said("0x87D10194"), "SyncML 404 not found (the node does not exist)");
        assert_eq!(said("0x87d10205"), "SyncML 517 atomic response too large");
        assert_eq!(said("0x80190190"), "the server answered with HTTP status 400");
        assert_eq!(said("0x80192ee2"), said("0x80072EE2"));
        assert_eq!(said("0x80070057"), "invalid parameter");
        assert_eq!((said("0x80071234"), meaning("0x89990001")), ("Win32 error 4660".into(), None));
    }
}
