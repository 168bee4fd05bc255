//! Which step of enrollment an exchange is.

use super::address::Address;
use super::soap::{Envelope, is};
use super::token::{RequestType, TokenRequest};
use super::{discovery, policy, token};
use crate::http::Head;
use crate::syncml::{Doc, Element, Kind, Message};

/// A step of enrollment, in the order in which a device takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// CONNECT: a proxy is asked for the way to the server.
    Tunnel,
    /// GET on the discovery service: is there a server?
    Probe,
    /// Discover: where are the services?
    Discover,
    /// The web page where the user signs in.
    SignIn,
    /// GetPolicies: what key is wanted?
    Policies,
    /// RequestSecurityToken: a certificate, and with it the provisioning document.
    Token,
    /// The same in place of a certificate that expires.
    Renew,
}

impl Step {
    /// The word of reports.
    pub fn name(self) -> &'static str {
        match self {
            Step::Tunnel => "proxy",
            Step::Probe | Step::Discover => "discovery",
            Step::SignIn => "sign-in",
            Step::Policies => "policy",
            Step::Token => "certificate",
            Step::Renew => "renewal",
        }
    }

    /// The step of a message, by its content, else by its address; `None` when it is no enrollment.
    pub fn of(message: &Message) -> Option<Step> {
        let by_content = match message.kind {
            Kind::Soap => of_doc(&message.doc),
            Kind::Provisioning => Some(Step::Token),
            _ => None,
        };
        by_content.or_else(|| message.http.as_ref().and_then(|http| http.request_head()).and_then(of_request))
    }
}

/// The step of an envelope, by the element in its body, else by its action.
pub fn of_doc(doc: &Doc) -> Option<Step> {
    let envelope = Envelope::of(doc)?;
    envelope.content().and_then(of_content).or_else(|| of_action(envelope.action()?.value()?))
}

fn of_content(content: Element<'_>) -> Option<Step> {
    let named = |names: &[&str]| names.iter().any(|name| is(content, name));
    if named(&["Discover", "DiscoverResponse"]) {
        return Some(Step::Discover);
    }
    if named(&["GetPolicies", "GetPoliciesResponse"]) {
        return Some(Step::Policies);
    }
    if named(&["RequestSecurityToken"]) {
        let renews = TokenRequest(content).request_type() == RequestType::Renew;
        return Some(if renews { Step::Renew } else { Step::Token });
    }
    named(&["RequestSecurityTokenResponse", "RequestSecurityTokenResponseCollection"]).then_some(Step::Token)
}

fn of_action(action: &str) -> Option<Step> {
    let actions = [
        (discovery::ACTION, Step::Discover),
        (discovery::RESPONSE_ACTION, Step::Discover),
        (policy::ACTION, Step::Policies),
        (policy::RESPONSE_ACTION, Step::Policies),
        (token::ACTION, Step::Token),
        (token::RESPONSE_ACTION, Step::Token),
    ];
    actions.iter().find(|(known, _)| action.eq_ignore_ascii_case(known)).map(|(_, step)| *step)
}

/// The step of a request, by its head: Windows asks for discovery at a fixed path, and calls itself by a name.
pub fn of_request(head: &Head) -> Option<Step> {
    let address = Address::of_request(head);
    if head.method == "CONNECT" {
        return is_enrollment_host(&address.host).then_some(Step::Tunnel);
    }
    if address.ends_with("/discovery.svc") {
        return Some(if head.method == "GET" { Step::Probe } else { Step::Discover });
    }
    let agent = head.header("user-agent").unwrap_or_default();
    let below_server = address.path.to_ascii_lowercase().contains("/enrollmentserver/");
    if !(below_server || agent.eq_ignore_ascii_case("ENROLLClient")) {
        return None;
    }
    match head.method.as_str() {
        "GET" => Some(Step::SignIn),
        _ if address.ends_with("policy.svc") => Some(Step::Policies),
        _ if address.ends_with("enrollment.svc") => Some(Step::Token),
        _ if below_server => Some(Step::SignIn),
        _ => Some(Step::Token),
    }
}

/// Whether a host has the name that Windows makes of the user's domain (MS-MDE2 3.1).
pub fn is_enrollment_host(host: &str) -> bool {
    host.get(..21).is_some_and(|start| start.eq_ignore_ascii_case("enterpriseenrollment."))
}

#[cfg(test)]
mod tests {
    use super::super::soap::doc;
    use super::*;

    #[test]
    fn the_body_tells_the_step_else_the_action() {
        let steps = [
            ("<Discover/>", Some(Step::Discover)),
            ("<getpolicies/>", Some(Step::Policies)),
            ("<RequestSecurityToken/>", Some(Step::Token)),
            ("<RequestSecurityToken><RequestType>a/Renew</RequestType></RequestSecurityToken>", Some(Step::Renew)),
            ("<RequestSecurityTokenResponseCollection/>", Some(Step::Token)),
            ("<Fault/>", None),
            ("<GetStockPrice/>", None),
        ];
        for (body, step) in steps {
            assert_eq!(of_doc(&doc(&format!("<Envelope><Body>{body}</Body></Envelope>"))), step, "{body}");
        }
        let action = format!("<Envelope><Header><Action>{}</Action></Header><Body/></Envelope>", policy::ACTION);
        assert_eq!(of_doc(&doc(&action)), Some(Step::Policies));
    }

    #[test]
    fn the_head_tells_the_step() {
        let step = |method: &str, target: &str, agent: &str| {
            let headers = vec![("Host".to_owned(), "m.test".to_owned()), ("User-Agent".to_owned(), agent.to_owned())];
            of_request(&Head { method: method.into(), target: target.into(), headers, ..Head::default() })
        };
        assert_eq!(step("GET", "/EnrollmentServer/Discovery.svc", ""), Some(Step::Probe));
        assert_eq!(step("POST", "/enrollmentserver/discovery.svc", ""), Some(Step::Discover));
        assert_eq!(step("POST", "/EnrollmentServer/Policy.svc", ""), Some(Step::Policies));
        assert_eq!(step("POST", "/x", "ENROLLClient"), Some(Step::Token));
        assert_eq!(step("CONNECT", "EnterpriseEnrollment.b.test:443", ""), Some(Step::Tunnel));
        assert_eq!(
            (step("CONNECT", "b.test:443", ""), step("POST", "/manage", "MSFT OMA DM Client/1.2.0.1")),
            (None, None)
        );
    }
}
