//! What an error number means, what causes it, and what to do: for a bare code, and for the stories that end with one.
//!
//! In: a number as users copy it (`0x80180014`, `80180014`, `-2145910764`), the name of a SOAP subcode, or an HTTP status. Out: an
//! [`Explained`]. From MS-MDE2 2.2.10, the table of enrollment errors of Windows, and the way other numbers are made up.

use crate::enroll::fault;
use crate::syncml::{hresult, status};

/// What there is to say of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The code in its usual form: `0x80180014`.
    pub code: String,
    /// What it means.
    pub meaning: String,
    /// What causes it, the likeliest first.
    pub causes: Vec<String>,
    /// What to do.
    pub next: Vec<String>,
}

/// A code with causes and advice of its own.
struct Advice {
    code: u32,
    causes: &'static [&'static str],
    next: &'static [&'static str],
}

/// The HRESULT in which Windows tells an HTTP status.
pub fn of_http(status: u16) -> u32 {
    0x8019_0000 | u32::from(status)
}

/// A number in its usual form.
pub fn written(code: u32) -> String {
    format!("0x{code:08X}")
}

/// Explains what a user has in hand; `None` for what is no code that is known.
pub fn explain(text: &str) -> Option<Explained> {
    let text = text.trim();
    if let Some(known) = fault::lookup(text) {
        let mut explained = of_number(known.hresult)?;
        explained.meaning = format!("SOAP subcode {}: {}", known.name, explained.meaning);
        return Some(explained);
    }
    let number = number(text)?;
    match number {
        100..=599 => of_number(of_http(u16::try_from(number).ok()?)),
        number => of_number(number),
    }
}

/// A number as it is copied out of a dialog, a log or a registry: hexadecimal with or without `0x`, decimal with or
/// without sign. Up to three digits are an HTTP status.
fn number(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    if let Some(digits) = digits {
        return u32::from_str_radix(digits, 16).ok();
    }
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return u32::from_str_radix(text, 16).ok();
    }
    let number: i64 = text.parse().ok()?;
    i32::try_from(number).map(i32::cast_unsigned).or_else(|_| u32::try_from(number)).ok()
}

/// Explains a number.
pub fn of_number(code: u32) -> Option<Explained> {
    let written = written(code);
    let meaning = hresult::meaning(&written)?;
    let own = ADVICE.iter().find(|advice| advice.code == code);
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let (causes, next) = match (own, code >> 16) {
        (Some(own), _) => (owned(own.causes), owned(own.next)),
        (None, 0x8019) => of_status(u16::try_from(code & 0xFFFF).unwrap_or_default()),
        (None, 0x87D1) => of_syncml(u16::try_from(code & 0xFFFF).unwrap_or_default()),
        _ => (Vec::new(), owned(&["Capture the enrollment with its TLS keys and run `dmscope diagnose` on it."])),
    };
    Some(Explained { code: written, meaning, causes, next })
}

fn of_syncml(code: u16) -> (Vec<String>, Vec<String>) {
    let causes = status::lookup(code).map(|status| status.windows.to_owned()).filter(|cause| !cause.is_empty());
    let next = "Find the command that got this status: `dmscope show` pairs each with its answer.";
    (causes.into_iter().collect(), vec![next.to_owned()])
}

/// What an HTTP status in place of an answer says.
pub fn of_status(code: u16) -> (Vec<String>, Vec<String>) {
    let (causes, next): (&[&str], &[&str]) = match code {
        200 => (
            &[
                "a web page or something else stands in place of SOAP: a catch-all route, a captive portal, a proxy's page",
                "a proxy took the body away",
            ],
            &[
                "Send the same POST with curl from the device's network and look at the body.",
                "Check that the path of the service is routed to the enrollment server, and exempt the host from inspection.",
            ],
        ),
        400 => (
            &[
                "the server could not read the request: an empty or changed body, a length that does not fit",
                "the server rejects the user: several services answer 400 where a licence is missing",
            ],
            &[
                "Look at the body of the answer and at the server's log at that time.",
                "Check the user's licence and group.",
            ],
        ),
        401 | 403 => (
            &[
                "the user's password or token was refused",
                "the service wants a client certificate",
                "a firewall or gateway forbids the request",
            ],
            &["Check the account, and what stands in front of the service."],
        ),
        404 | 405 => (
            &[
                "there is no service under this address or for this method",
                "the record enterpriseenrollment.<domain> leads to another server",
            ],
            &["Check the CNAME and the route to /EnrollmentServer/Discovery.svc, for GET and for POST."],
        ),
        407 => (
            &["a proxy asks for credentials, which Windows does not give during enrollment"],
            &["Let the enrollment and management hosts pass the proxy without authentication."],
        ),
        408 | 504 => (
            &["the service behind a gateway did not answer in time"],
            &["Look at the server's load and the gateway's timeout."],
        ),
        413 => (
            &["the request is larger than the web server takes"],
            &["Raise the limit of the web server for request bodies."],
        ),
        429 => {
            (&["the server limits how often a device may come"], &["Wait, and look for devices that retry in a loop."])
        }
        502 | 503 => {
            (&["the service behind a gateway is down or restarting"], &["Look whether the enrollment service runs."])
        }
        500..=599 => {
            (&["the server failed before it could make a SOAP fault"], &["Look at the server's log at that time."])
        }
        _ => (&[], &["Look at the answer and at the server's log at that time."]),
    };
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    (owned(causes), owned(next))
}

/// Codes with causes and advice of their own.
static ADVICE: &[Advice] = &[
    Advice {
        code: 0x8007_2EE2,
        causes: &[
            "a firewall drops the packets, or the server is down",
            "the name leads to an address that is no longer the server's",
        ],
        next: &[
            "Try the address from the device's network: `curl -v https://<host>/`.",
            "Let port 443 to the enrollment and management hosts pass.",
        ],
    },
    Advice {
        code: 0x8007_2EE7,
        causes: &[
            "the name does not exist for the resolver that the device asks: no CNAME enterpriseenrollment.<domain>, or another view of DNS",
            "the resolver itself cannot be reached, or is not the one it should be",
        ],
        next: &[
            "Ask the same resolver from the device's network: `nslookup <host>`.",
            "Create the CNAME, or let the user type the server's address.",
        ],
    },
    Advice {
        code: 0x8007_2EFD,
        causes: &["nothing listens on that port of the server", "a firewall refuses the connection"],
        next: &[
            "Check that the service runs, and that the name leads to its address.",
            "Let port 443 to the enrollment and management hosts pass.",
        ],
    },
    Advice {
        code: 0x8018_0001,
        causes: &[
            "namespaces or XML of the request are not what the server expects",
            "a proxy changed or emptied the body",
        ],
        next: &[
            "Compare the request with a working one: `dmscope show`.",
            "Look at the server's log for the parser's message.",
        ],
    },
    Advice {
        code: 0x8018_0002,
        causes: &[
            "user name or password is wrong, or the token is not for this server",
            "the server reads another kind of token than its AuthPolicy asks for",
        ],
        next: &["Check the account.", "Let AuthPolicy name the kind of credentials that the server reads."],
    },
    Advice {
        code: 0x8018_0003,
        causes: &["the user is not in the group that may enroll", "enrollment of personal devices is blocked"],
        next: &["Check the enrollment scope and the platform restrictions for this user."],
    },
    Advice {
        code: 0x8018_0004,
        causes: &[
            "the CA is down, or its template does not allow the request",
            "key length or hash of the request is refused",
        ],
        next: &["Look at the CA's failed requests.", "Compare the policy's key length with the template."],
    },
    Advice {
        code: 0x8018_0005,
        causes: &["the management server failed, its database for instance"],
        next: &["Search the server's log for the TraceId of the fault."],
    },
    Advice {
        code: 0x8018_0006,
        causes: &[
            "the service failed with an exception",
            "it rejects a RequestVersion that it does not know, as newer Windows sends it",
        ],
        next: &[
            "Search the server's log for the TraceId of the fault.",
            "Let discovery accept any higher RequestVersion and answer with its own.",
        ],
    },
    Advice {
        code: 0x8018_0007,
        causes: &[
            "the security header is not of the kind that the server reads",
            "the token expired, or the clocks differ",
        ],
        next: &["Compare AuthPolicy of the discovery answer with the token in the request.", "Check the clocks."],
    },
    Advice {
        code: 0x8018_0008,
        causes: &["the client could not make sense of the answer: no known subcode, a broken provisioning document"],
        next: &["Run `dmscope lint` on the capture: the rules DM-ENR and DM-PRV name what is wrong with the answer."],
    },
    Advice {
        code: 0x8018_000A,
        causes: &["the device has an enrollment already, perhaps a left-over one"],
        next: &[
            "Remove the old enrollment: Settings > Accounts > Access work or school, then its registry keys and tasks.",
        ],
    },
    Advice {
        code: 0x8018_000F,
        causes: &["the sign-in page failed, or did not give its token back to ms-app"],
        next: &["Open AuthenticationServiceUrl in a browser, and look for the form with the hidden field wresult."],
    },
    Advice {
        code: 0x8018_0010,
        causes: &[
            "enterpriseenrollment.<domain> has no DNS record",
            "the server is not reachable, or the GET on the discovery service gets no 200",
        ],
        next: &["Resolve the name on the device, and GET https://<host>/EnrollmentServer/Discovery.svc."],
    },
    Advice {
        code: 0x8018_0012,
        causes: &[
            "the server's certificate is for another name, expired, or of an authority that the device does not trust",
            "a proxy intercepts TLS",
        ],
        next: &["Look at the certificate that the device is shown, on the device's network."],
    },
    Advice {
        code: 0x8018_0013,
        causes: &["the user has enrolled as many devices as allowed"],
        next: &["Remove devices that are no longer used, or raise the limit."],
    },
    Advice {
        code: 0x8018_0014,
        causes: &[
            "restrictions on platform, version or ownership exclude the device",
            "MDM is not on for this platform",
        ],
        next: &["Check the enrollment restrictions for Windows and the device's build."],
    },
    Advice {
        code: 0x8018_0015,
        causes: &["the tenant has no MDM, or it is not set up"],
        next: &["Check the MDM authority and scope of the tenant."],
    },
    Advice {
        code: 0x8018_0016,
        causes: &[
            "the server does not renew this device's certificate: it is not the device it knows, or its state forbids it",
        ],
        next: &["Look at the device in the server's console; enroll it anew if it is gone."],
    },
    Advice { code: 0x8018_0017, causes: &["the account is in maintenance"], next: &["Wait, and try again."] },
    Advice {
        code: 0x8018_0018,
        causes: &["the user has no licence for device management"],
        next: &["Assign a licence, and try again after some minutes."],
    },
    Advice {
        code: 0x8018_0019,
        causes: &["the server rejects what the device says of itself"],
        next: &["Look at AdditionalContext of the request, and at the server's log."],
    },
    Advice {
        code: 0x8018_001A,
        causes: &["discovery or a service is redirected to plain http, often by a load balancer that ends TLS"],
        next: &["Let the redirection lead to https."],
    },
    Advice {
        code: 0x8018_001E,
        causes: &[
            "a certificate's thumbprint does not fit, or it is no base64 of DER",
            "the issued certificate is not for the key of the request",
        ],
        next: &["Run `dmscope lint --select DM-PRV` on the capture."],
    },
    Advice {
        code: 0x8018_001F,
        causes: &["the APPLICATION lacks ADDR, PROVIDER-ID or credentials, or has a value that Windows does not take"],
        next: &["Run `dmscope lint --select DM-PRV` on the capture."],
    },
    Advice {
        code: 0x8018_0020,
        causes: &["the provider's name under DMClient differs from PROVIDER-ID, or a poll value is not allowed"],
        next: &["Run `dmscope lint --select DM-PRV` on the capture."],
    },
    Advice {
        code: 0x8018_0023,
        causes: &[
            "the provisioning document cannot be read, or a part is refused that has no code of its own",
            "the nonces (AAUTHDATA) are missing",
        ],
        next: &["Run `dmscope lint --select DM-PRV,DM-ENR` on the capture."],
    },
    Advice {
        code: 0x8018_0024,
        causes: &["no certificate on the device has the subject and store that SSLCLIENTCERTSEARCHCRITERIA names"],
        next: &["Let the criteria name the subject of the issued certificate, escaped."],
    },
    Advice {
        code: 0x8018_0026,
        causes: &["a policy of the device or of the organisation blocks MDM enrollment"],
        next: &["Check the policies DisableRegistration and AllowManualMDMEnrollment."],
    },
    Advice {
        code: 0x8018_0029,
        causes: &["the server answered 200 without a body", "a proxy took the body away"],
        next: &[
            "Send the same POST with curl from the device's network.",
            "Look at the server's log: an exception after the head was sent leaves an empty body.",
        ],
    },
    Advice {
        code: 0x8018_002A,
        causes: &["the user closed the dialog; pages and headers give this number and 0x80180030 for it"],
        next: &["Try again."],
    },
    Advice {
        code: 0x8018_002B,
        causes: &["MDM is not set up for the user or tenant; pages and headers give this number and 0x80180031 for it"],
        next: &["Check the MDM scope and the user's UPN suffix."],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_in_all_its_spellings() {
        for text in
            ["0x80180014", "80180014", "-2145910764", "2149056532", "DeviceNotSupported", "s:devicenotsupported"]
        {
            let explained = explain(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(explained.code, "0x80180014", "{text}");
            assert!(
                explained.meaning.contains("platform") && !explained.causes.is_empty() && !explained.next.is_empty()
            );
        }
    }

    #[test]
    fn numbers_that_are_made_of_others_are_taken_apart() {
        assert!(explain("0x80190190").is_some_and(|found| found.meaning.contains("400") && found.causes.len() == 2));
        assert!(explain("407").is_some_and(|found| found.code == "0x80190197" && found.next[0].contains("proxy")));
        assert!(explain("0x87D10194").is_some_and(|found| found.meaning.contains("404")));
        assert!(explain("0x86000002").is_some());
        for unknown in ["", "hello", "0x", "7", "-1x", "0x00000000"] {
            assert_eq!(explain(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn every_advice_is_of_a_known_code() {
        for advice in ADVICE {
            assert!(of_number(advice.code).is_some_and(|found| !found.causes.is_empty()), "{:x}", advice.code);
        }
    }
}
