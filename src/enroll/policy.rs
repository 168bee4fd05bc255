//! The certificate enrollment policy (MS-XCEP 3.1.4.1): what key and hash the device has to use.

use super::soap::{below, child, children, is, is_nil, value};
use crate::syncml::Element;

/// The action of a GetPolicies request.
pub const ACTION: &str = "http://schemas.microsoft.com/windows/pki/2009/01/enrollmentpolicy/IPolicy/GetPolicies";
/// The action of its response.
pub const RESPONSE_ACTION: &str =
    "http://schemas.microsoft.com/windows/pki/2009/01/enrollmentpolicy/IPolicy/GetPoliciesResponse";

/// `GetPolicies`: the content of a request's body.
#[derive(Clone, Copy, Debug)]
pub struct GetPolicies<'a>(pub Element<'a>);

impl<'a> GetPolicies<'a> {
    /// `client`; `None` also when it says that it has no value.
    pub fn client(self) -> Option<Element<'a>> {
        child(self.0, "client").filter(|client| !is_nil(*client))
    }
}

/// `GetPoliciesResponse`: the content of a response's body.
#[derive(Clone, Copy, Debug)]
pub struct PoliciesResponse<'a>(pub Element<'a>);

impl<'a> PoliciesResponse<'a> {
    /// The policies.
    pub fn policies(self) -> impl Iterator<Item = Policy<'a>> {
        self.0.descendants().filter(|element| is(*element, "policy")).map(Policy)
    }

    /// The object identifiers that policies refer to.
    pub fn oids(self) -> impl Iterator<Item = Element<'a>> {
        below(self.0, "oIDs").into_iter().flat_map(|oids| children(oids, "oID"))
    }

    /// The object identifier that a reference names, as dotted numbers.
    pub fn oid(self, reference: &str) -> Option<&'a str> {
        let oid = self.oids().find(|oid| value(*oid, "oIDReferenceID") == Some(reference))?;
        value(oid, "value")
    }

    /// `nextUpdateHours`.
    pub fn next_update(self) -> Option<Element<'a>> {
        below(self.0, "nextUpdateHours")
    }
}

/// One `policy`.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a>(pub Element<'a>);

impl<'a> Policy<'a> {
    /// `attributes`.
    pub fn attributes(self) -> Option<Element<'a>> {
        child(self.0, "attributes")
    }

    /// `policySchema`.
    pub fn schema(self) -> Option<Element<'a>> {
        child(self.attributes()?, "policySchema")
    }

    /// `minimalKeyLength`, in bits.
    pub fn key_bits(self) -> Option<u32> {
        value(child(self.attributes()?, "privateKeyAttributes")?, "minimalKeyLength")?.parse().ok()
    }

    /// `hashAlgorithmOIDReference`; `None` also when it says that it has no value.
    pub fn hash(self) -> Option<Element<'a>> {
        child(self.attributes()?, "hashAlgorithmOIDReference").filter(|reference| !is_nil(*reference))
    }

    /// `algorithmOIDReference` of the private key; `None` also when it says that it has no value.
    pub fn key_algorithm(self) -> Option<Element<'a>> {
        let key = child(self.attributes()?, "privateKeyAttributes")?;
        child(key, "algorithmOIDReference").filter(|reference| !is_nil(*reference))
    }
}

#[cfg(test)]
mod tests {
    use super::super::soap::doc;
    use super::*;

    #[test]
    fn references_are_resolved() {
        let doc = doc(
            "<GetPoliciesResponse><response><nextUpdateHours i:nil='true' xmlns:i='i'/><policies><policy><attributes>\
            <policySchema>3</policySchema><privateKeyAttributes><minimalKeyLength>2048</minimalKeyLength>\
            <algorithmOIDReference i:nil='true' xmlns:i='i'/></privateKeyAttributes><hashAlgorithmOIDReference>0\
            </hashAlgorithmOIDReference></attributes></policy></policies></response><oIDs><oID><value>1.3.14.3.2.29</value>\
            <oIDReferenceID>0</oIDReferenceID></oID></oIDs></GetPoliciesResponse>",
        );
        let response = PoliciesResponse(doc.root().expect("a root"));
        let policy = response.policies().next().expect("a policy");
        assert_eq!((policy.schema().and_then(Element::value), policy.key_bits()), (Some("3"), Some(2048)));
        let hash = policy.hash().and_then(Element::value).expect("a reference");
        assert_eq!((response.oid(hash), response.oid("7")), (Some("1.3.14.3.2.29"), None));
        assert!(policy.key_algorithm().is_none() && response.next_update().is_some_and(is_nil));
    }
}
