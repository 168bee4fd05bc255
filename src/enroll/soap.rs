//! SOAP envelopes, 1.1 and 1.2, with the headers of WS-Addressing and WS-Security.

use super::fault::Fault;
use super::token::{Binary, Security};
use crate::syncml::{Doc, Element};

/// Namespace of SOAP 1.2 envelopes.
pub const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";
/// Namespace of SOAP 1.1 envelopes.
pub const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// The first child of that local name, without case.
pub fn child<'a>(element: Element<'a>, name: &str) -> Option<Element<'a>> {
    element.children().find(|child| is(*child, name))
}

/// All children of that local name, without case.
pub fn children<'a>(element: Element<'a>, name: &str) -> impl Iterator<Item = Element<'a>> {
    element.children().filter(move |child| is(*child, name))
}

/// The first element of that local name below, without case.
pub fn below<'a>(element: Element<'a>, name: &str) -> Option<Element<'a>> {
    element.descendants().find(|below| is(*below, name))
}

/// The value of the first child of that local name.
pub fn value<'a>(element: Element<'a>, name: &str) -> Option<&'a str> {
    child(element, name)?.value()
}

/// Whether an element has that local name, without case.
pub fn is(element: Element<'_>, name: &str) -> bool {
    element.name().eq_ignore_ascii_case(name)
}

/// Whether an element says that it has no value (`xsi:nil`).
pub fn is_nil(element: Element<'_>) -> bool {
    element.attribute("nil").is_some_and(|nil| matches!(nil.trim(), "true" | "1"))
}

/// Whether an element gives the address of a service: its name ends in `Url`.
pub fn is_url_field(element: Element<'_>) -> bool {
    let name = element.name();
    name.len() > 3 && name.get(name.len() - 3..).is_some_and(|end| end.eq_ignore_ascii_case("url"))
}

/// A SOAP envelope.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a>(pub Element<'a>);

impl<'a> Envelope<'a> {
    /// The envelope that a document is.
    pub fn of(doc: &'a Doc) -> Option<Envelope<'a>> {
        doc.root().filter(|root| is(*root, "Envelope")).map(Envelope)
    }

    /// Its `Header`.
    pub fn header(self) -> Option<Element<'a>> {
        child(self.0, "Header")
    }

    /// Its `Body`.
    pub fn body(self) -> Option<Element<'a>> {
        child(self.0, "Body")
    }

    /// The first element in its body: what the message is about.
    pub fn content(self) -> Option<Element<'a>> {
        self.body()?.children().next()
    }

    /// The fault that it brings.
    pub fn fault(self) -> Option<Fault<'a>> {
        self.content().filter(|content| is(*content, "Fault")).map(Fault)
    }

    /// `Action` of WS-Addressing.
    pub fn action(self) -> Option<Element<'a>> {
        child(self.header()?, "Action")
    }

    /// `MessageID` of WS-Addressing. Windows always sends the same ones, so they tell nothing of which enrollment it is.
    pub fn message_id(self) -> Option<Element<'a>> {
        child(self.header()?, "MessageID")
    }

    /// `RelatesTo` of WS-Addressing.
    pub fn relates_to(self) -> Option<Element<'a>> {
        child(self.header()?, "RelatesTo")
    }

    /// `To` of WS-Addressing: the address of the service.
    pub fn to(self) -> Option<Element<'a>> {
        child(self.header()?, "To")
    }

    /// `Security` of WS-Security: who asks.
    pub fn security(self) -> Option<Security<'a>> {
        child(self.header()?, "Security").map(Security)
    }

    /// The first token in its body: of a request the certificate request, of a response the provisioning document.
    pub fn token(self) -> Option<Binary<'a>> {
        below(self.body()?, "BinarySecurityToken").map(Binary)
    }
}

#[cfg(test)]
pub(super) fn doc(text: &str) -> Doc {
    crate::xml::parse(&text.as_bytes().into(), &crate::limits::Limits::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_read_in_any_case_of_letters() {
        for text in [
            "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' xmlns:a='w'><s:Header><a:Action> x </a:Action>\
             <a:MessageID>m</a:MessageID></s:Header><s:Body><Discover/></s:Body></s:Envelope>",
            "<s:envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' xmlns:a='w'><s:header><a:action> x </a:action>\
             <a:messageid>m</a:messageid></s:header><s:body><discover/></s:body></s:envelope>",
        ] {
            let doc = doc(text);
            let envelope = Envelope::of(&doc).expect("an envelope");
            assert_eq!(envelope.0.namespace(), SOAP_12);
            assert_eq!(envelope.action().and_then(Element::value), Some("x"));
            assert_eq!(envelope.message_id().and_then(Element::value), Some("m"));
            assert!(envelope.content().is_some_and(|content| is(content, "Discover")));
            assert!(envelope.fault().is_none() && envelope.security().is_none() && envelope.token().is_none());
        }
    }

    #[test]
    fn other_documents_are_no_envelopes() {
        assert!(Envelope::of(&doc("<a><Envelope/></a>")).is_none());
        assert!(Envelope::of(&doc("")).is_none());
        let cut = doc("<Envelope><Header>");
        assert!(Envelope::of(&cut).is_some_and(|envelope| envelope.content().is_none()));
    }
}
