//! How a request is signed (XML-DSig), and for how long it holds (WS-Security `Timestamp`).

use super::soap::{child, children};
use crate::syncml::Element;
use crate::time::Time;

/// Exclusive canonicalization.
pub const EXCLUSIVE_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// RSA with SHA-256.
pub const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
/// SHA-256.
pub const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// `Signature`. It is not verified.
#[derive(Clone, Copy, Debug)]
pub struct Signature<'a>(pub Element<'a>);

impl<'a> Signature<'a> {
    /// `SignedInfo`: what is signed, and how.
    pub fn info(self) -> Option<Element<'a>> {
        child(self.0, "SignedInfo")
    }

    /// `CanonicalizationMethod`.
    pub fn canonicalization(self) -> Option<Element<'a>> {
        child(self.info()?, "CanonicalizationMethod")
    }

    /// `SignatureMethod`.
    pub fn method(self) -> Option<Element<'a>> {
        child(self.info()?, "SignatureMethod")
    }

    /// The `Reference` to the document as a whole.
    pub fn whole(self) -> Option<Element<'a>> {
        children(self.info()?, "Reference").find(|reference| reference.attribute("URI").is_some_and(str::is_empty))
    }
}

/// `Timestamp`.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp<'a>(pub Element<'a>);

impl<'a> Timestamp<'a> {
    /// `Created`.
    pub fn created(self) -> Option<Element<'a>> {
        child(self.0, "Created")
    }

    /// `Expires`.
    pub fn expires(self) -> Option<Element<'a>> {
        child(self.0, "Expires")
    }

    /// Both as times, where both can be read.
    pub fn life(self) -> Option<(Time, Time)> {
        let time = |element: Option<Element<'_>>| Time::parse(element?.value()?);
        time(self.created()).zip(time(self.expires()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::soap::{Envelope, doc};
    use super::*;

    #[test]
    fn a_signature_says_what_is_signed_and_how() {
        let doc = doc("<e:Envelope xmlns:e='e'><e:Header><Security><Timestamp><Created>2026-01-02T00:00:00Z</Created>\
            <Expires>2026-01-02T00:05:00Z</Expires></Timestamp><Signature><SignedInfo><SignatureMethod Algorithm='a'/>\
            <Reference URI='#_0'/><Reference URI=''><DigestMethod Algorithm='d'/></Reference></SignedInfo></Signature></Security>\
            </e:Header></e:Envelope>");
        let security = Envelope::of(&doc).and_then(Envelope::security).expect("security");
        let signature = security.signature().expect("a signature");
        assert_eq!(signature.method().and_then(|method| method.attribute("Algorithm")), Some("a"));
        assert!(signature.canonicalization().is_none());
        assert!(signature.whole().is_some_and(|whole| child(whole, "DigestMethod").is_some()));
        let (from, until) = security.timestamp().and_then(Timestamp::life).expect("times");
        assert_eq!(until.since(from).as_secs(), 300);
    }
}
