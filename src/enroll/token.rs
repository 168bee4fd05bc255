//! Security tokens: who asks (WS-Security header), the certificate request and its answer (MS-WSTEP 3.1.4).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::signature::{Signature, Timestamp};
use super::soap::{below, child, children, is, value};
use crate::syncml::Element;
use crate::x509::{CertificateRequest, SignedMessage};

/// The action of a RequestSecurityToken request.
pub const ACTION: &str = "http://schemas.microsoft.com/windows/pki/2009/01/enrollment/RST/wstep";
/// The action of its response.
pub const RESPONSE_ACTION: &str = "http://schemas.microsoft.com/windows/pki/2009/01/enrollment/RSTRC/wstep";
/// The token type of device enrollment.
pub const DEVICE_TOKEN: &str =
    "http://schemas.microsoft.com/5.0.0.0/ConfigurationManager/Enrollment/DeviceEnrollmentToken";
/// The value type of a provisioning document.
pub const PROVISION_DOC: &str =
    "http://schemas.microsoft.com/5.0.0.0/ConfigurationManager/Enrollment/DeviceEnrollmentProvisionDoc";

/// The value type of the token of a federated sign-in.
pub const USER_TOKEN: &str =
    "http://schemas.microsoft.com/5.0.0.0/ConfigurationManager/Enrollment/DeviceEnrollmentUserToken";
/// The value type of a certificate.
pub const X509_TOKEN: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3";
/// The encoding type of tokens. Windows writes it so; the standard has a capital letter and another address.
pub const BASE64: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd#base64binary";

/// What a binary token holds, by its `ValueType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A certificate request.
    Pkcs10,
    /// A signed message around one: the device proves itself by the certificate that it has.
    Pkcs7,
    /// A certificate.
    X509,
    /// A provisioning document.
    ProvisionDoc,
    /// The token of a federated sign-in.
    UserToken,
    /// A JSON web token, as Entra gives it.
    Jwt,
    /// Something else, or nothing is said.
    Other,
}

/// `BinarySecurityToken`.
#[derive(Clone, Copy, Debug)]
pub struct Binary<'a>(pub Element<'a>);

impl<'a> Binary<'a> {
    /// `ValueType`.
    pub fn value_type(self) -> Option<&'a str> {
        self.0.attribute("ValueType").map(str::trim)
    }

    /// `EncodingType`.
    pub fn encoding_type(self) -> Option<&'a str> {
        self.0.attribute("EncodingType").map(str::trim)
    }

    /// What it holds, by its `ValueType`.
    pub fn content(self) -> Content {
        let Some(value_type) = self.value_type() else { return Content::Other };
        let kind = value_type.rsplit(['#', '/', ':']).next().unwrap_or_default();
        let kinds = [
            ("PKCS10", Content::Pkcs10),
            ("PKCS7", Content::Pkcs7),
            ("X509v3", Content::X509),
            ("DeviceEnrollmentProvisionDoc", Content::ProvisionDoc),
            ("DeviceEnrollmentUserToken", Content::UserToken),
            ("jwt", Content::Jwt),
        ];
        let known = kinds.iter().find(|(name, _)| kind.eq_ignore_ascii_case(name));
        known.map_or(Content::Other, |(_, content)| *content)
    }

    /// Its text, decoded; `None` when it is empty or no base64. White space in it does not count.
    pub fn decoded(self) -> Option<Vec<u8>> {
        decode(self.0.value()?)
    }

    /// The signed message (PKCS#7) that it holds. A renewal that the user began encodes it twice.
    pub fn signed_message(self) -> Option<SignedMessage> {
        let bytes = self.decoded()?;
        let again = || decode(std::str::from_utf8(&bytes).ok()?);
        SignedMessage::read(&bytes).or_else(|| SignedMessage::read(&again()?))
    }

    /// The certificate request (PKCS#10) that it holds, by itself or in a signed message.
    pub fn certificate_request(self) -> Option<CertificateRequest> {
        match self.content() {
            Content::Pkcs7 => CertificateRequest::read(&self.signed_message()?.content?),
            _ => CertificateRequest::read(&self.decoded()?),
        }
    }
}

/// Base64 with or without padding, white space left out.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(&packed).or_else(|_| STANDARD_NO_PAD.decode(&packed)).ok()
}

/// `Security` of WS-Security.
#[derive(Clone, Copy, Debug)]
pub struct Security<'a>(pub Element<'a>);

impl<'a> Security<'a> {
    /// Its binary token.
    pub fn binary(self) -> Option<Binary<'a>> {
        child(self.0, "BinarySecurityToken").map(Binary)
    }

    /// `UsernameToken`.
    pub fn username_token(self) -> Option<Element<'a>> {
        child(self.0, "UsernameToken")
    }

    /// The user of the `UsernameToken`.
    pub fn username(self) -> Option<&'a str> {
        value(self.username_token()?, "Username")
    }

    /// The `Password` of the `UsernameToken`: an element whose text is a secret.
    pub fn password(self) -> Option<Element<'a>> {
        child(self.username_token()?, "Password")
    }

    /// `Timestamp`.
    pub fn timestamp(self) -> Option<Timestamp<'a>> {
        child(self.0, "Timestamp").map(Timestamp)
    }

    /// `Signature` of XML-DSig.
    pub fn signature(self) -> Option<Signature<'a>> {
        child(self.0, "Signature").map(Signature)
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestType {
    /// A first certificate.
    Issue,
    /// A new certificate in place of one that expires.
    Renew,
    /// A device that is known comes again.
    Recovery,
    /// Something else, or nothing is said.
    Other,
}

/// `RequestSecurityToken`: the content of a request's body.
#[derive(Clone, Copy, Debug)]
pub struct TokenRequest<'a>(pub Element<'a>);

impl<'a> TokenRequest<'a> {
    /// `TokenType`.
    pub fn token_type(self) -> Option<Element<'a>> {
        child(self.0, "TokenType")
    }

    /// `RequestType`, as an element.
    pub fn request_type_element(self) -> Option<Element<'a>> {
        child(self.0, "RequestType")
    }

    /// `RequestType`: the last part of its URI decides.
    pub fn request_type(self) -> RequestType {
        let uri = self.request_type_element().and_then(Element::value).unwrap_or_default();
        match uri.rsplit('/').next().unwrap_or_default() {
            "Issue" => RequestType::Issue,
            "Renew" => RequestType::Renew,
            "Recovery" => RequestType::Recovery,
            _ => RequestType::Other,
        }
    }

    /// The certificate request.
    pub fn token(self) -> Option<Binary<'a>> {
        child(self.0, "BinarySecurityToken").or_else(|| below(self.0, "BinarySecurityToken")).map(Binary)
    }

    /// `AdditionalContext`.
    pub fn additional_context(self) -> Option<Element<'a>> {
        child(self.0, "AdditionalContext")
    }

    /// Its items: name and element.
    pub fn context_items(self) -> impl Iterator<Item = (&'a str, Element<'a>)> {
        let items = self.additional_context().into_iter().flat_map(|context| children(context, "ContextItem"));
        items.filter_map(|item| Some((item.attribute("Name")?, item)))
    }

    /// The `Value` of an item.
    pub fn context_item(self, name: &str) -> Option<Element<'a>> {
        let (_, item) = self.context_items().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        child(item, "Value")
    }

    /// The value of an item.
    pub fn context(self, name: &str) -> Option<&'a str> {
        self.context_item(name)?.value()
    }
}

/// The first `RequestSecurityTokenResponse` in a response's body.
#[derive(Clone, Copy, Debug)]
pub struct TokenResponse<'a>(pub Element<'a>);

impl<'a> TokenResponse<'a> {
    /// From the content of a body: the response, or the collection around it.
    pub fn of(content: Element<'a>) -> Option<TokenResponse<'a>> {
        const NAME: &str = "RequestSecurityTokenResponse";
        match is(content, NAME) {
            true => Some(TokenResponse(content)),
            false if is(content, "RequestSecurityTokenResponseCollection") => below(content, NAME).map(TokenResponse),
            false => None,
        }
    }

    /// `TokenType`.
    pub fn token_type(self) -> Option<Element<'a>> {
        below(self.0, "TokenType")
    }

    /// The token in `RequestedSecurityToken`.
    pub fn token(self) -> Option<Binary<'a>> {
        below(child(self.0, "RequestedSecurityToken")?, "BinarySecurityToken").map(Binary)
    }

    /// `RequestID`.
    pub fn request_id(self) -> Option<Element<'a>> {
        child(self.0, "RequestID")
    }
}

#[cfg(test)]
mod tests {
    use super::super::soap::{Envelope, doc};
    use super::*;

    #[test]
    fn a_request_brings_the_certificate_request_and_tells_of_the_device() {
        let doc = doc(
            "<e:Envelope xmlns:e='e'><e:Header><Security><UsernameToken><Username>u</Username><Password>p</Password>\
            </UsernameToken></Security></e:Header><e:Body><RequestSecurityToken><TokenType>t</TokenType>\
            <RequestType>http://docs.oasis-open.org/ws-sx/ws-trust/200512/Renew</RequestType>\
            <BinarySecurityToken ValueType='http://schemas.microsoft.com/windows/pki/2009/01/enrollment#PKCS7'>QUJD\r\nREVG</BinarySecurityToken>\
            <AdditionalContext><ContextItem Name='DeviceID'><Value>D1</Value></ContextItem></AdditionalContext>\
            </RequestSecurityToken></e:Body></e:Envelope>",
        );
        let envelope = Envelope::of(&doc).expect("an envelope");
        let security = envelope.security().expect("security");
        assert_eq!((security.username(), security.binary().is_none()), (Some("u"), true));
        let request = TokenRequest(envelope.content().expect("content"));
        assert_eq!(request.request_type(), RequestType::Renew);
        let token = request.token().expect("a token");
        assert_eq!((token.content(), token.decoded().as_deref()), (Content::Pkcs7, Some(&b"ABCDEF"[..])));
        assert_eq!((request.context("deviceid"), request.context("IMEI")), (Some("D1"), None));
    }

    #[test]
    fn a_response_brings_the_provisioning_document() {
        let doc = doc("<RequestSecurityTokenResponseCollection><RequestSecurityTokenResponse><TokenType>t</TokenType>\
            <RequestedSecurityToken><BinarySecurityToken ValueType='http://schemas.microsoft.com/5.0.0.0/ConfigurationManager/Enrollment/DeviceEnrollmentProvisionDoc'>\
            !</BinarySecurityToken></RequestedSecurityToken><RequestID>0</RequestID></RequestSecurityTokenResponse>\
            </RequestSecurityTokenResponseCollection>");
        let response = doc.root().and_then(TokenResponse::of).expect("a response");
        let token = response.token().expect("a token");
        assert_eq!((token.content(), token.decoded()), (Content::ProvisionDoc, None));
        assert_eq!(response.request_id().and_then(Element::value), Some("0"));
    }
}
