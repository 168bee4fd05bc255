//! Discovery (MS-MDE2 3.1): who asks, and where the server sends it.

use super::soap::{self, child, children, value};
use crate::syncml::Element;

/// The action of a Discover request.
pub const ACTION: &str =
    "http://schemas.microsoft.com/windows/management/2012/01/enrollment/IDiscoveryService/Discover";
/// The action of its response.
pub const RESPONSE_ACTION: &str =
    "http://schemas.microsoft.com/windows/management/2012/01/enrollment/IDiscoveryService/DiscoverResponse";

/// `Discover`: the content of a request's body.
#[derive(Clone, Copy, Debug)]
pub struct Discover<'a>(pub Element<'a>);

impl<'a> Discover<'a> {
    /// The element that holds the fields: `request`.
    pub fn request(self) -> Element<'a> {
        child(self.0, "request").unwrap_or(self.0)
    }

    /// A field.
    pub fn field(self, name: &str) -> Option<Element<'a>> {
        child(self.request(), name)
    }

    /// `EmailAddress`: the user, as typed in.
    pub fn email(self) -> Option<&'a str> {
        value(self.request(), "EmailAddress")
    }

    /// `RequestVersion`: `6.0`.
    pub fn request_version(self) -> Option<&'a str> {
        value(self.request(), "RequestVersion")
    }

    /// `DeviceType`: `CIMClient_Windows`.
    pub fn device_type(self) -> Option<&'a str> {
        value(self.request(), "DeviceType")
    }

    /// `ApplicationVersion`: the build of Windows.
    pub fn application_version(self) -> Option<&'a str> {
        value(self.request(), "ApplicationVersion")
    }

    /// `OSEdition`.
    pub fn os_edition(self) -> Option<&'a str> {
        value(self.request(), "OSEdition")
    }

    /// `AuthPolicies`.
    pub fn auth_policies(self) -> Option<Element<'a>> {
        self.field("AuthPolicies")
    }

    /// The ways to authenticate that the device offers.
    pub fn offered(self) -> impl Iterator<Item = Element<'a>> {
        self.auth_policies().into_iter().flat_map(|policies| children(policies, "AuthPolicy"))
    }
}

/// `DiscoverResponse`: the content of a response's body.
#[derive(Clone, Copy, Debug)]
pub struct DiscoverResponse<'a>(pub Element<'a>);

impl<'a> DiscoverResponse<'a> {
    /// The element that holds the fields: `DiscoverResult`.
    pub fn result(self) -> Element<'a> {
        child(self.0, "DiscoverResult").unwrap_or(self.0)
    }

    /// A field.
    pub fn field(self, name: &str) -> Option<Element<'a>> {
        child(self.result(), name)
    }

    /// `AuthPolicy`: `Federated`, `OnPremise` or `Certificate`.
    pub fn auth_policy(self) -> Option<&'a str> {
        value(self.result(), "AuthPolicy")
    }

    /// `EnrollmentVersion`.
    pub fn version(self) -> Option<&'a str> {
        value(self.result(), "EnrollmentVersion")
    }

    /// `AuthenticationServiceUrl`: the page where the user signs in.
    pub fn authentication_url(self) -> Option<&'a str> {
        value(self.result(), "AuthenticationServiceUrl")
    }

    /// `EnrollmentPolicyServiceUrl`.
    pub fn policy_url(self) -> Option<&'a str> {
        value(self.result(), "EnrollmentPolicyServiceUrl")
    }

    /// `EnrollmentServiceUrl`.
    pub fn enrollment_url(self) -> Option<&'a str> {
        value(self.result(), "EnrollmentServiceUrl")
    }

    /// The elements that name a service.
    pub fn urls(self) -> impl Iterator<Item = Element<'a>> {
        self.result().children().filter(|field| soap::is_url_field(*field))
    }
}

#[cfg(test)]
mod tests {
    use super::super::soap::{Envelope, doc};
    use super::*;

    #[test]
    fn a_discovery_says_who_asks_and_where_to_go() {
        let request = doc("<e:Envelope xmlns:e='e'><e:Body><Discover><request><EmailAddress>a@b.test</EmailAddress>\
            <RequestVersion>6.0</RequestVersion><AuthPolicies><AuthPolicy>OnPremise</AuthPolicy><AuthPolicy>Federated</AuthPolicy>\
            </AuthPolicies></request></Discover></e:Body></e:Envelope>");
        let discover = Envelope::of(&request).and_then(Envelope::content).map(Discover).expect("a request");
        assert_eq!((discover.email(), discover.request_version()), (Some("a@b.test"), Some("6.0")));
        assert_eq!(discover.offered().filter_map(Element::value).collect::<Vec<_>>(), ["OnPremise", "Federated"]);
        let response = doc(
            "<e:Envelope xmlns:e='e'><e:Body><DiscoverResponse><DiscoverResult><AuthPolicy>OnPremise</AuthPolicy>\
            <EnrollmentServiceUrl>\n https://m.test/E.svc\n</EnrollmentServiceUrl></DiscoverResult></DiscoverResponse></e:Body></e:Envelope>",
        );
        let response = Envelope::of(&response).and_then(Envelope::content).map(DiscoverResponse).expect("a response");
        assert_eq!(
            (response.auth_policy(), response.enrollment_url()),
            (Some("OnPremise"), Some("https://m.test/E.svc"))
        );
        assert_eq!((response.policy_url(), response.urls().count()), (None, 1));
    }
}
