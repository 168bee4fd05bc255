//! SOAP faults, and what their subcodes tell the device (MS-MDE2 2.2.10).

use super::soap::{below, child, value};
use crate::syncml::Element;

/// What Windows shows the user for a class of errors (error table of the mobile device enrollment page).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The server could not be reached, or failed.
    Connectivity,
    /// The user was not recognized.
    Authentication,
    /// The user may not enroll.
    Authorization,
    /// No certificate could be had.
    Certificate,
    /// The user has too many devices.
    DeviceLimit,
    /// The server does not manage such devices.
    NotSupported,
    /// The certificate is not renewed.
    RenewalRejected,
    /// The account is in maintenance.
    Maintenance,
    /// A licence is missing.
    Licence,
    /// The server rejects what the device said.
    Configuration,
    /// What the server itself says.
    Custom,
}

impl Class {
    /// What the user reads, in a few words.
    pub fn name(self) -> &'static str {
        match self {
            Class::Connectivity => "server connectivity",
            Class::Authentication => "authentication failure",
            Class::Authorization => "authorization failure",
            Class::Certificate => "certificate error",
            Class::DeviceLimit => "device limit",
            Class::NotSupported => "MDM not supported",
            Class::RenewalRejected => "renewal rejected",
            Class::Maintenance => "account maintenance",
            Class::Licence => "licence error",
            Class::Configuration => "invalid server configuration",
            Class::Custom => "the server's own message",
        }
    }
}

/// A subcode that Windows knows.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Its name, without prefix.
    pub name: &'static str,
    /// The error that the device shows.
    pub hresult: u32,
    /// What the user is told.
    pub class: Class,
    /// What it means, and where to look.
    pub meaning: &'static str,
    /// Whether it stands in the detail, not in the subcode.
    pub in_detail: bool,
}

const fn known(name: &'static str, hresult: u32, class: Class, meaning: &'static str) -> Known {
    Known { name, hresult, class, meaning, in_detail: false }
}

const fn detail(name: &'static str, hresult: u32, class: Class, meaning: &'static str) -> Known {
    Known { name, hresult, class, meaning, in_detail: true }
}

/// All subcodes that Windows knows.
pub static KNOWN: &[Known] = &[
    known("MessageFormat", 0x8018_0001, Class::Connectivity, "the server could not understand the request"),
    known("Authentication", 0x8018_0002, Class::Authentication, "the server does not recognize the user"),
    known("Authorization", 0x8018_0003, Class::Authorization, "the user may not enroll"),
    known("CertificateRequest", 0x8018_0004, Class::Certificate, "the CA or its template gave no certificate"),
    known(
        "EnrollmentServer",
        0x8018_0005,
        Class::Connectivity,
        "the management server failed, its database for instance",
    ),
    known(
        "InternalServiceFault",
        0x8018_0006,
        Class::Connectivity,
        "the service failed with an exception that it did not handle",
    ),
    known("InvalidSecurity", 0x8018_0007, Class::Authentication, "the server could not read the security header"),
    detail("DeviceCapReached", 0x8018_0013, Class::DeviceLimit, "the user has as many devices as allowed"),
    detail("DeviceNotSupported", 0x8018_0014, Class::NotSupported, "the server does not take this platform or version"),
    detail("NotSupported", 0x8018_0015, Class::NotSupported, "the tenant has no MDM"),
    detail("NotEligibleToRenew", 0x8018_0016, Class::RenewalRejected, "the certificate may not be renewed"),
    detail("InMaintenance", 0x8018_0017, Class::Maintenance, "the account is in maintenance"),
    detail("UserLicense", 0x8018_0018, Class::Licence, "the user has no licence"),
    detail("InvalidEnrollmentData", 0x8018_0019, Class::Configuration, "the server rejects the data of the device"),
    detail("CustomServerError", 0x8018_0032, Class::Custom, "the server gives a message of its own"),
];

/// The subcode of that name, without prefix and case.
pub fn lookup(name: &str) -> Option<&'static Known> {
    let name = name.rsplit(':').next().unwrap_or_default().trim();
    // .NET's long form of the same.
    let name = if name.eq_ignore_ascii_case("InternalServiceFaultException") { "InternalServiceFault" } else { name };
    KNOWN.iter().find(|known| known.name.eq_ignore_ascii_case(name))
}

/// A SOAP fault.
#[derive(Clone, Copy, Debug)]
pub struct Fault<'a>(pub Element<'a>);

impl<'a> Fault<'a> {
    /// The code: `s:Receiver`; of SOAP 1.1 the `faultcode`.
    pub fn code(self) -> Option<Element<'a>> {
        child(self.0, "Code").and_then(|code| child(code, "Value")).or_else(|| child(self.0, "faultcode"))
    }

    /// The subcode: `s:Authentication`; of SOAP 1.1 the `faultcode`, which stands for both.
    pub fn subcode(self) -> Option<Element<'a>> {
        let of_code = child(self.0, "Code").and_then(|code| child(code, "Subcode"));
        of_code.and_then(|subcode| child(subcode, "Value")).or_else(|| child(self.0, "faultcode"))
    }

    /// What the server says in words.
    pub fn reason(self) -> Option<&'a str> {
        let of_reason = child(self.0, "Reason").and_then(|reason| value(reason, "Text").or_else(|| reason.value()));
        of_reason.or_else(|| value(self.0, "faultstring"))
    }

    /// `DeviceEnrollmentServiceError` in the detail.
    pub fn detail(self) -> Option<Element<'a>> {
        let detail = child(self.0, "Detail")?;
        below(detail, "DeviceEnrollmentServiceError").or(Some(detail))
    }

    /// `ErrorType` in the detail.
    pub fn error_type(self) -> Option<Element<'a>> {
        child(self.detail()?, "ErrorType")
    }

    /// `Message` in the detail.
    pub fn message(self) -> Option<&'a str> {
        value(self.detail()?, "Message")
    }

    /// `TraceId` in the detail: by it the server's log can be searched.
    pub fn trace_id(self) -> Option<&'a str> {
        value(self.detail()?, "TraceId")
    }

    /// What it means to Windows: the detail is more exact than the subcode.
    pub fn known(self) -> Option<&'static Known> {
        let of_detail = self.error_type().and_then(Element::value).and_then(lookup).filter(|known| known.in_detail);
        of_detail.or_else(|| self.subcode().and_then(Element::value).and_then(lookup))
    }
}

#[cfg(test)]
mod tests {
    use super::super::soap::{Envelope, doc};
    use super::*;

    fn fault(content: &str) -> Option<(Option<u32>, Option<String>, Option<String>)> {
        let doc = doc(&format!("<s:Envelope xmlns:s='s'><s:Body>{content}</s:Body></s:Envelope>"));
        let fault = Envelope::of(&doc)?.fault()?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Some((fault.known().map(|known| known.hresult), owned(fault.reason()), owned(fault.trace_id())))
    }

    #[test]
    fn the_detail_is_more_exact_than_the_subcode() {
        let text = |detail: &str| {
            format!(
                "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>s:Authorization</s:Value></s:Subcode></s:Code>\
                 <s:Reason><s:Text xml:lang='en-us'>no</s:Text></s:Reason>{detail}</s:Fault>"
            )
        };
        let detail = "<s:Detail><DeviceEnrollmentServiceError><ErrorType>DeviceCapReached</ErrorType><Message>m</Message>\
            <TraceId>t1</TraceId></DeviceEnrollmentServiceError></s:Detail>";
        assert_eq!(fault(&text(detail)), Some((Some(0x8018_0013), Some("no".into()), Some("t1".into()))));
        assert_eq!(fault(&text("")), Some((Some(0x8018_0003), Some("no".into()), None)));
    }

    #[test]
    fn soap_1_1_and_letters_of_any_case() {
        let old = "<s:Fault><faultcode>s:Authentication</faultcode><faultstring>who</faultstring></s:Fault>";
        assert_eq!(fault(old), Some((Some(0x8018_0002), Some("who".into()), None)));
        let lower = "<s:fault><s:code><s:value>s:receiver</s:value><s:subcode><s:value>s:certificaterequest</s:value>\
            </s:subcode></s:code></s:fault>";
        assert_eq!(fault(lower), Some((Some(0x8018_0004), None, None)));
        assert_eq!(fault("<s:Fault/>"), Some((None, None, None)));
    }

    #[test]
    fn every_subcode_has_a_meaning_of_its_own() {
        for known in KNOWN {
            let number = format!("{:#010x}", known.hresult);
            assert!(crate::syncml::hresult::meaning(&number).is_some_and(|meaning| meaning.contains(' ')), "{number}");
            assert_eq!(lookup(&format!("a:{}", known.name.to_lowercase())).map(|found| found.name), Some(known.name));
        }
        assert!(lookup("s:Sender").is_none());
    }
}
