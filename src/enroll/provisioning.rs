//! Provisioning documents (MS-MDE2 2.2.9.1): certificates, the account of the management server, the poll schedule.
//!
//! Types and names are compared without case: Windows does so for some and not for others, which is for a rule to say.

use super::schedule::Poll;
use super::token;
use crate::syncml::{Doc, Element};

/// A `characteristic`: a node with a type, parameters and nodes below it.
#[derive(Clone, Copy, Debug)]
pub struct Characteristic<'a>(pub Element<'a>);

impl<'a> Characteristic<'a> {
    /// Its `type`; empty when it has none.
    pub fn kind(self) -> &'a str {
        self.0.attribute("type").unwrap_or_default()
    }

    /// Whether it has that type, without case.
    pub fn is(self, kind: &str) -> bool {
        self.kind().eq_ignore_ascii_case(kind)
    }

    /// The nodes below it.
    pub fn children(self) -> impl Iterator<Item = Characteristic<'a>> {
        self.0.children().filter(|child| is_characteristic(*child)).map(Characteristic)
    }

    /// The nodes of that type below it.
    pub fn all(self, kind: &str) -> impl Iterator<Item = Characteristic<'a>> {
        self.children().filter(move |child| child.is(kind))
    }

    /// The first node of that type below it.
    pub fn child(self, kind: &str) -> Option<Characteristic<'a>> {
        self.children().find(|child| child.is(kind))
    }

    /// Its parameters.
    pub fn parms(self) -> impl Iterator<Item = Parm<'a>> {
        self.0.children().filter(|child| child.name().eq_ignore_ascii_case("parm")).map(Parm)
    }

    /// The first parameter of that name, without case.
    pub fn parm(self, name: &str) -> Option<Parm<'a>> {
        self.parms().find(|parm| parm.name().eq_ignore_ascii_case(name))
    }

    /// The value of a parameter.
    pub fn value(self, name: &str) -> Option<&'a str> {
        self.parm(name)?.value()
    }
}

fn is_characteristic(element: Element<'_>) -> bool {
    element.name().eq_ignore_ascii_case("characteristic")
}

/// A `parm`: a parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parm<'a>(pub Element<'a>);

impl<'a> Parm<'a> {
    /// Its `name`; empty when it has none.
    pub fn name(self) -> &'a str {
        self.0.attribute("name").unwrap_or_default()
    }

    /// Its `value`.
    pub fn value(self) -> Option<&'a str> {
        self.0.attribute("value")
    }

    /// Its `datatype`.
    pub fn datatype(self) -> Option<&'a str> {
        self.0.attribute("datatype")
    }
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// The root that the device shall trust.
    Root,
    /// An intermediate one.
    Ca,
    /// The device's own.
    My,
}

/// A certificate of the document.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    /// What it is for.
    pub store: Store,
    /// `System` or `User`, as written.
    pub scope: &'a str,
    /// The node that is named after its thumbprint.
    pub node: Characteristic<'a>,
    /// The node around that.
    pub around: Characteristic<'a>,
}

impl<'a> Certificate<'a> {
    /// The thumbprint that the document gives.
    pub fn thumbprint(self) -> &'a str {
        self.node.kind()
    }

    /// `EncodedCertificate`.
    pub fn encoded(self) -> Option<Parm<'a>> {
        self.node.parm("EncodedCertificate")
    }

    /// The certificate itself; `None` when it is missing or no base64.
    pub fn der(self) -> Option<Vec<u8>> {
        token::decode(self.encoded()?.value()?)
    }

    /// `PrivateKeyContainer`, below it or beside it: both are found in the field.
    pub fn key_container(self) -> Option<Characteristic<'a>> {
        self.node.child("PrivateKeyContainer").or_else(|| self.around.child("PrivateKeyContainer"))
    }
}

/// A provisioning document.
#[derive(Clone, Copy, Debug)]
pub struct Provisioning<'a>(pub Element<'a>);

impl<'a> Provisioning<'a> {
    /// The document, when its root says so in any case of letters.
    pub fn of(doc: &'a Doc) -> Option<Provisioning<'a>> {
        doc.root().filter(|root| root.name().eq_ignore_ascii_case("wap-provisioningdoc")).map(Provisioning)
    }

    /// `version`.
    pub fn version(self) -> Option<&'a str> {
        self.0.attribute("version")
    }

    /// The nodes at the top.
    pub fn top(self) -> impl Iterator<Item = Characteristic<'a>> {
        Characteristic(self.0).children()
    }

    /// The certificates, in order.
    pub fn certificates(self) -> impl Iterator<Item = Certificate<'a>> {
        let stores = self.top().filter(|top| top.is("CertificateStore")).flat_map(Characteristic::children);
        let known = stores.filter_map(|store| {
            let stores = [("Root", Store::Root), ("CA", Store::Ca), ("My", Store::My)];
            let (_, kind) = stores.iter().find(|(name, _)| store.is(name))?;
            Some((*kind, store))
        });
        known.flat_map(|(store, node)| {
            let scopes = node.children().filter(|scope| scope.is("System") || scope.is("User"));
            scopes.flat_map(move |around| {
                let named = around.children().filter(|node| !node.is("PrivateKeyContainer"));
                let scope = around.kind();
                named.map(move |node| Certificate { store, scope, node, around })
            })
        })
    }

    /// The device's own certificate.
    pub fn client_certificate(self) -> Option<Certificate<'a>> {
        self.certificates().find(|certificate| certificate.store == Store::My)
    }

    /// `CertificateStore/My/WSTEP/Renew`: how the certificate is renewed.
    pub fn renew(self) -> Option<Characteristic<'a>> {
        let my =
            self.top().filter(|top| top.is("CertificateStore")).find_map(|store| store.child("My")?.child("WSTEP"))?;
        my.child("Renew")
    }

    /// The account of the management server: `APPLICATION` with APPID `w7`, else the first one.
    pub fn application(self) -> Option<Application<'a>> {
        let applications = || self.top().filter(|top| top.is("APPLICATION")).map(Application);
        applications().find(|application| application.is_w7()).or_else(|| applications().next())
    }

    /// `DMClient/Provider` with the providers below it.
    pub fn providers(self) -> impl Iterator<Item = Characteristic<'a>> {
        let clients = self.top().filter(|top| top.is("DMClient"));
        clients.flat_map(|client| client.child("Provider")).flat_map(Characteristic::children)
    }

    /// The poll schedule of the first provider that has one.
    pub fn poll(self) -> Option<Poll<'a>> {
        self.providers().find_map(|provider| provider.child("Poll")).map(Poll)
    }
}

/// `APPLICATION` of type w7: the account of the management server.
#[derive(Clone, Copy, Debug)]
pub struct Application<'a>(pub Characteristic<'a>);

impl<'a> Application<'a> {
    /// Whether its APPID is `w7`: OMA DM.
    pub fn is_w7(self) -> bool {
        self.0.value("APPID").is_some_and(|id| id.trim().eq_ignore_ascii_case("w7"))
    }

    /// `PROVIDER-ID`.
    pub fn provider_id(self) -> Option<&'a str> {
        self.0.value("PROVIDER-ID").filter(|id| !id.is_empty())
    }

    /// `ADDR`: where the device goes for management. As a parameter, or below APPADDR as older documents have it.
    pub fn addr(self) -> Option<Parm<'a>> {
        self.0.parm("ADDR").or_else(|| self.0.child("APPADDR")?.parm("ADDR"))
    }

    /// The blocks `APPAUTH`.
    pub fn auths(self) -> impl Iterator<Item = Characteristic<'a>> {
        self.0.all("APPAUTH")
    }

    /// The block of that AAUTHLEVEL: `CLIENT` (how the server proves itself) or `APPSRV` (how the client does).
    pub fn auth(self, level: &str) -> Option<Characteristic<'a>> {
        self.auths().find(|auth| auth.value("AAUTHLEVEL").is_some_and(|value| value.eq_ignore_ascii_case(level)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::soap::doc;
    use super::*;

    const DOC: &str = r#"<wap-provisioningdoc version="1.1">
      <characteristic type="CertificateStore">
        <characteristic type="Root"><characteristic type="System"><characteristic type="AA"><parm name="EncodedCertificate" value="QUI="/></characteristic></characteristic></characteristic>
        <characteristic type="My">
          <characteristic type="User"><characteristic type="BB"><parm name="EncodedCertificate" value="!"/></characteristic><characteristic type="PrivateKeyContainer"/></characteristic>
          <characteristic type="WSTEP"><characteristic type="Renew"><parm name="RenewPeriod" value="42" datatype="integer"/></characteristic></characteristic>
        </characteristic>
      </characteristic>
      <characteristic type="APPLICATION"><parm name="APPID" value="w7"/><parm name="PROVIDER-ID" value="M"/><parm name="ADDR" value="https://m.test/manage"/>
        <characteristic type="APPAUTH"><parm name="AAUTHLEVEL" value="CLIENT"/></characteristic>
        <characteristic type="APPAUTH"><parm name="AAUTHLEVEL" value="APPSRV"/></characteristic>
      </characteristic>
      <characteristic type="DMClient"><characteristic type="Provider"><characteristic type="M"><characteristic type="Poll"/></characteristic></characteristic></characteristic>
    </wap-provisioningdoc>"#;

    #[test]
    fn a_document_has_certificates_an_account_and_a_schedule() {
        let doc = doc(DOC);
        let document = Provisioning::of(&doc).expect("a document");
        assert_eq!(document.version(), Some("1.1"));
        let certificates: Vec<_> =
            document.certificates().map(|one| (one.store, one.scope, one.thumbprint())).collect();
        assert_eq!(certificates, [(Store::Root, "System", "AA"), (Store::My, "User", "BB")]);
        let own = document.client_certificate().expect("one");
        assert!(own.der().is_none() && own.key_container().is_some());
        assert_eq!(document.certificates().next().and_then(Certificate::der).as_deref(), Some(&b"AB"[..]));
        assert_eq!(document.renew().and_then(|renew| renew.value("RenewPeriod")), Some("42"));
        let account = document.application().expect("an account");
        assert_eq!(
            (account.provider_id(), account.addr().and_then(Parm::value)),
            (Some("M"), Some("https://m.test/manage"))
        );
        assert!(account.is_w7() && account.auths().count() == 2 && account.auth("appsrv").is_some());
        assert_eq!((document.providers().count(), document.poll().is_some()), (1, true));
    }

    #[test]
    fn an_empty_document_has_nothing() {
        let doc = doc("<wap-provisioningdoc/>");
        let document = Provisioning::of(&doc).expect("a document");
        assert!(document.application().is_none() && document.poll().is_none() && document.renew().is_none());
        assert!(document.client_certificate().is_none() && document.version().is_none());
    }
}
