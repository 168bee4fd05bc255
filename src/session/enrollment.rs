//! An enrollment as what it is: a few exchanges, each one step.

use super::{Flavor, Session};
use crate::enroll::discovery::{Discover, DiscoverResponse};
use crate::enroll::policy::PoliciesResponse;
use crate::enroll::token::{TokenRequest, TokenResponse};
use crate::enroll::{Address, Envelope, Fault, Provisioning, Step, soap};
use crate::syncml::{Element, Kind, Message, Side};

/// One exchange of an enrollment: indices of its messages in the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What it is for.
    pub step: Step,
    /// The request.
    pub request: Option<usize>,
    /// The response.
    pub response: Option<usize>,
    /// The provisioning document that the response brings.
    pub document: Option<usize>,
}

/// See the module's head. It borrows a session of [`Flavor::Enrollment`].
#[derive(Clone, Debug)]
pub struct Enrollment<'a> {
    /// The session.
    pub session: &'a Session,
    /// Its exchanges, in the order of their requests.
    pub exchanges: Vec<Asked>,
}

impl<'a> Enrollment<'a> {
    /// The enrollment that a session is; `None` for one of device management.
    pub fn of(session: &'a Session) -> Option<Enrollment<'a>> {
        if session.flavor != Flavor::Enrollment {
            return None;
        }
        let mut enrollment = Enrollment { session, exchanges: Vec::new() };
        for (index, message) in session.messages.iter().enumerate() {
            enrollment.take(index, message);
        }
        enrollment.find_steps();
        Some(enrollment)
    }

    fn take(&mut self, index: usize, message: &Message) {
        let session = self.session;
        let of_same =
            |asked: &Asked| asked.request.is_some_and(|request| is_exchange(&session.messages[request], message));
        let none = Asked { step: Step::Discover, request: None, response: None, document: None };
        if message.side != Some(Side::Server) {
            return self.exchanges.push(Asked { request: Some(index), ..none });
        }
        if message.kind == Kind::Provisioning {
            let brings = |asked: &&mut Asked| message.in_token && asked.response == index.checked_sub(1);
            match self.exchanges.iter_mut().rev().find(brings) {
                Some(asked) => asked.document = Some(index),
                None => self.exchanges.push(Asked { document: Some(index), response: Some(index), ..none }),
            }
            return;
        }
        let open = |asked: &&mut Asked| asked.response.is_none() && asked.request.is_some();
        match self.exchanges.iter_mut().rev().filter(open).find(|asked| of_same(asked)) {
            Some(asked) => asked.response = Some(index),
            None => self.exchanges.push(Asked { response: Some(index), ..none }),
        }
    }

    /// What a message is by itself; else the service that its address is of, by what discovery told; else a page for
    /// signing in, which may be anywhere.
    fn find_steps(&mut self) {
        let message = |index: Option<usize>| index.and_then(|index| self.session.messages.get(index));
        let steps: Vec<Step> = self
            .exchanges
            .iter()
            .map(|asked| {
                let by_itself = |index| message(index).and_then(Step::of);
                let by_address = || {
                    let http = message(asked.request.or(asked.response))?.http.as_ref()?;
                    self.service_at(&Address::of_request(http.request_head()?))
                };
                let by_content = message(asked.request).filter(|request| request.kind == Kind::Soap).and_then(Step::of);
                let found = by_content.or_else(by_address).or_else(|| by_itself(asked.request));
                found.or_else(|| by_itself(asked.response)).unwrap_or(Step::SignIn)
            })
            .collect();
        for (asked, step) in self.exchanges.iter_mut().zip(steps) {
            asked.step = step;
        }
    }

    fn service_at(&self, address: &Address) -> Option<Step> {
        let (_, discovered) = self.discovered()?;
        let services = [
            (discovered.policy_url(), Step::Policies),
            (discovered.enrollment_url(), Step::Token),
            (discovered.authentication_url(), Step::SignIn),
        ];
        let is_at = |url: Option<&str>| url.and_then(Address::of).is_some_and(|known| known.is_at(address));
        services.iter().find(|(url, _)| is_at(*url)).map(|(_, step)| *step)
    }

    /// A message by its index.
    pub fn message(&self, index: Option<usize>) -> Option<&'a Message> {
        self.session.messages.get(index?)
    }

    /// The exchanges of a step.
    pub fn of_step(&self, step: Step) -> impl Iterator<Item = &Asked> {
        self.exchanges.iter().filter(move |asked| asked.step == step)
    }

    /// The content of a request's body when it has that name, and its message's index.
    fn asked(&self, name: &str) -> Option<(usize, Element<'a>)> {
        self.named(name, |asked| asked.request)
    }

    fn answered(&self, name: &str) -> Option<(usize, Element<'a>)> {
        self.named(name, |asked| asked.response)
    }

    fn named(&self, name: &str, half: impl Fn(&Asked) -> Option<usize>) -> Option<(usize, Element<'a>)> {
        self.exchanges.iter().rev().filter_map(half).find_map(|index| {
            let content = Envelope::of(&self.session.messages.get(index)?.doc)?.content()?;
            soap::is(content, name).then_some((index, content))
        })
    }

    /// The last Discover, and its message.
    pub fn discover(&self) -> Option<(usize, Discover<'a>)> {
        self.asked("Discover").map(|(index, content)| (index, Discover(content)))
    }

    /// The last DiscoverResponse, and its message.
    pub fn discovered(&self) -> Option<(usize, DiscoverResponse<'a>)> {
        self.answered("DiscoverResponse").map(|(index, content)| (index, DiscoverResponse(content)))
    }

    /// The last GetPoliciesResponse, and its message.
    pub fn policies(&self) -> Option<(usize, PoliciesResponse<'a>)> {
        self.answered("GetPoliciesResponse").map(|(index, content)| (index, PoliciesResponse(content)))
    }

    /// The last RequestSecurityToken, and its message.
    pub fn token_request(&self) -> Option<(usize, TokenRequest<'a>)> {
        self.asked("RequestSecurityToken").map(|(index, content)| (index, TokenRequest(content)))
    }

    /// The last answer to that, and its message.
    pub fn token_response(&self) -> Option<(usize, TokenResponse<'a>)> {
        let indices = self.exchanges.iter().rev().filter_map(|asked| asked.response);
        indices.into_iter().find_map(|index| {
            let content = Envelope::of(&self.session.messages.get(index)?.doc)?.content()?;
            Some((index, TokenResponse::of(content)?))
        })
    }

    /// The last provisioning document, and its message.
    pub fn provisioning(&self) -> Option<(usize, Provisioning<'a>)> {
        let indices = self.exchanges.iter().rev().filter_map(|asked| asked.document);
        indices.into_iter().find_map(|index| Some((index, Provisioning::of(&self.session.messages.get(index)?.doc)?)))
    }

    /// The last fault, and its message.
    pub fn fault(&self) -> Option<(usize, Fault<'a>)> {
        let indices = self.exchanges.iter().rev().filter_map(|asked| asked.response);
        indices
            .into_iter()
            .find_map(|index| Some((index, Envelope::of(&self.session.messages.get(index)?.doc)?.fault()?)))
    }

    /// Whether it renews a certificate.
    pub fn renews(&self) -> bool {
        self.exchanges.iter().any(|asked| asked.step == Step::Renew)
    }
}

/// Whether a request and a response are the halves of one exchange; documents in files are taken in their order.
fn is_exchange(request: &Message, response: &Message) -> bool {
    match (&request.http, &response.http) {
        (Some(a), Some(b)) => {
            (request.input, a.connection.number, a.exchange) == (response.input, b.connection.number, b.exchange)
        }
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Body, InputId};
    use crate::limits::Limits;
    use crate::origin::Origin;
    use crate::session::Assembler;
    use crate::transcript::Document;

    fn sessions(texts: &[String]) -> Vec<Session> {
        let (mut sessions, limits) = (Vec::new(), Limits::default());
        let mut assembler = Assembler::new(&limits);
        for text in texts {
            let body = Body::whole(text.as_bytes(), Origin::file(0));
            let document = Document { body, side: None, at: None, position: None };
            assembler
                .document(Message::from_document(document, InputId(0), &limits), &mut |session| sessions.push(session));
        }
        assembler.finish(&mut |session| sessions.push(session));
        sessions
    }

    fn soap(body: &str) -> String {
        format!("<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>{body}</s:Body></s:Envelope>")
    }

    fn discover(email: &str) -> String {
        soap(&format!("<Discover><request><EmailAddress>{email}</EmailAddress></request></Discover>"))
    }

    #[test]
    fn documents_make_one_enrollment_with_the_document_in_the_token() {
        // <wap-provisioningdoc version="1.1"/>
        let token = "PHdhcC1wcm92aXNpb25pbmdkb2MgdmVyc2lvbj0iMS4xIi8+";
        let response = format!(
            "<RequestSecurityTokenResponseCollection><RequestSecurityTokenResponse><RequestedSecurityToken>\
             <BinarySecurityToken>{token}</BinarySecurityToken></RequestedSecurityToken></RequestSecurityTokenResponse>\
             </RequestSecurityTokenResponseCollection>"
        );
        let sessions = sessions(&[
            discover("a@b.test"),
            soap("<DiscoverResponse><DiscoverResult/></DiscoverResponse>"),
            soap("<RequestSecurityToken/>"),
            soap(&response),
        ]);
        assert_eq!((sessions.len(), sessions[0].outcome), (1, crate::session::Outcome::Complete));
        let enrollment = Enrollment::of(&sessions[0]).expect("an enrollment");
        let steps: Vec<_> =
            enrollment.exchanges.iter().map(|asked| (asked.step, asked.request, asked.response)).collect();
        assert_eq!(steps, [(Step::Discover, Some(0), Some(1)), (Step::Token, Some(2), Some(3))]);
        assert_eq!(enrollment.discover().and_then(|(_, discover)| discover.email()), Some("a@b.test"));
        let (index, document) = enrollment.provisioning().expect("a document");
        assert_eq!((index, document.version()), (4, Some("1.1")));
        assert!(sessions[0].messages[4].in_token && !sessions[0].messages[3].in_token);
    }

    #[test]
    fn users_enroll_apart() {
        let answer = soap("<DiscoverResponse/>");
        let both = sessions(&[discover("a@b.test"), answer.clone(), discover("c@b.test"), answer.clone()]);
        assert_eq!(both.len(), 2);
        let again = sessions(&[discover("a@b.test"), answer.clone(), discover("a@b.test"), answer]);
        assert_eq!(again.len(), 1);
    }
}
