//! What rules on enrollment are given: the enrollment, one of its exchanges, a provisioning document.

use super::{MessageCx, SessionCx};
use crate::enroll::provisioning::{Application, Characteristic};
use crate::enroll::{Address, Envelope, Provisioning, Step};
use crate::http::Head;
use crate::session::{Asked, At, Enrollment};
use crate::syncml::{Element, Kind};

/// For rules on an enrollment as a whole.
#[derive(Clone, Copy)]
pub struct EnrollmentCx<'a> {
    /// The session that it is.
    pub session: SessionCx<'a>,
    /// The enrollment.
    pub enrollment: &'a Enrollment<'a>,
}

/// For rules on one exchange of an enrollment.
#[derive(Clone, Copy)]
pub struct ExchangeCx<'a> {
    /// The enrollment.
    pub whole: EnrollmentCx<'a>,
    /// The exchange.
    pub asked: Asked,
}

/// For rules on a provisioning document, in a token or alone in a file.
#[derive(Clone, Copy)]
pub struct ProvisioningCx<'a> {
    /// The message that it is.
    pub message: MessageCx<'a>,
    /// The document.
    pub document: Provisioning<'a>,
    /// The enrollment that it belongs to.
    pub whole: EnrollmentCx<'a>,
}

impl<'a> EnrollmentCx<'a> {
    /// Its exchanges, in the order of their requests.
    pub fn exchanges(self) -> impl Iterator<Item = ExchangeCx<'a>> {
        self.enrollment.exchanges.iter().map(move |asked| ExchangeCx { whole: self, asked: *asked })
    }

    /// The exchanges of a step.
    pub fn of_step(self, step: Step) -> impl Iterator<Item = ExchangeCx<'a>> {
        self.exchanges().filter(move |cx| cx.asked.step == step)
    }

    /// Its provisioning documents, those that were captured whole and are well-formed: in a token, or by themselves.
    pub fn documents(self) -> impl Iterator<Item = ProvisioningCx<'a>> {
        let documents = self.session.messages().filter(|cx| cx.message.kind == Kind::Provisioning && is_readable(*cx));
        documents.filter_map(move |message| {
            Some(ProvisioningCx { message, document: Provisioning::of(&message.message.doc)?, whole: self })
        })
    }
}

/// Whether a document was captured whole and is well-formed.
fn is_readable(cx: MessageCx<'_>) -> bool {
    cx.message.judged().is_ok() && cx.message.is_well_formed()
}

impl<'a> ExchangeCx<'a> {
    /// What it is for.
    pub fn step(self) -> Step {
        self.asked.step
    }

    /// The request, when it was captured.
    pub fn request(self) -> Option<MessageCx<'a>> {
        self.message(self.asked.request)
    }

    /// The response, when it was captured.
    pub fn response(self) -> Option<MessageCx<'a>> {
        self.message(self.asked.response)
    }

    fn message(self, index: Option<usize>) -> Option<MessageCx<'a>> {
        self.whole.session.message(index?).filter(|cx| cx.message.kind != Kind::Missing)
    }

    /// The request's envelope, when it was captured whole and is well-formed.
    pub fn asks(self) -> Option<Envelope<'a>> {
        envelope(self.request()?)
    }

    /// The response's envelope, when it was captured whole and is well-formed.
    pub fn answers(self) -> Option<Envelope<'a>> {
        envelope(self.response()?)
    }

    /// The request's head.
    pub fn request_head(self) -> Option<&'a Head> {
        let of_request = self.request().and_then(|cx| cx.message.http.as_ref());
        let http = of_request.or_else(|| self.response()?.message.http.as_ref())?;
        http.request_head()
    }

    /// The response's head.
    pub fn response_head(self) -> Option<&'a Head> {
        let http = self.response()?.message.http.as_ref()?;
        (!self.response()?.message.in_token).then_some(&*http.head)
    }

    /// The response's HTTP status.
    pub fn status(self) -> Option<u16> {
        self.response_head().map(|head| head.status).filter(|status| *status != 0)
    }

    /// Where the request goes.
    pub fn address(self) -> Option<Address> {
        self.request_head().map(Address::of_request)
    }

    /// The content of the request's body when it has that name, without case.
    pub fn asks_for(self, name: &str) -> Option<Element<'a>> {
        self.asks()?.content().filter(|content| crate::enroll::soap::is(*content, name))
    }

    /// The content of the response's body when it has that name, without case.
    pub fn answers_with(self, name: &str) -> Option<Element<'a>> {
        self.answers()?.content().filter(|content| crate::enroll::soap::is(*content, name))
    }

    /// The place of an element of the request.
    pub fn in_request(self, element: Element<'_>) -> At {
        At { message: self.asked.request.unwrap_or_default(), node: element.id() }
    }

    /// The place of an element of the response.
    pub fn in_response(self, element: Element<'_>) -> At {
        At { message: self.asked.response.unwrap_or_default(), node: element.id() }
    }
}

fn envelope(cx: MessageCx<'_>) -> Option<Envelope<'_>> {
    Some(cx).filter(|cx| is_readable(*cx)).and_then(|cx| Envelope::of(&cx.message.doc))
}

impl<'a> ProvisioningCx<'a> {
    /// The place of an element of the document.
    pub fn at(self, element: Element<'_>) -> At {
        self.message.at(element)
    }

    /// Whether it enrolls: operators send such documents for other things, which MS-MDE2 does not speak of.
    pub fn enrolls(self) -> bool {
        let sets_up = |top: Characteristic<'_>| top.is("CertificateStore") || top.is("DMClient");
        let manages = || self.document.application().is_some_and(|account| account.is_w7());
        self.message.message.in_token || self.document.top().any(sets_up) || manages()
    }

    /// Whether it enrolls a device and not apps alone (MAM): those need neither certificates nor credentials. What the
    /// request does not say is seen by the certificates.
    pub fn enrolls_device(self) -> bool {
        let request = self.whole.enrollment.token_request();
        match request.and_then(|(_, request)| request.context("EnrollmentType")) {
            Some(kind) => ["Full", "Device"].iter().any(|known| kind.eq_ignore_ascii_case(known)),
            None => self.document.top().any(|top| top.is("CertificateStore")),
        }
    }

    /// Whether it answers a renewal: then it need not hold more than the new certificate. Where the request was not captured,
    /// or it lies alone in a file, its account tells: that of a renewal has a name and nothing else.
    pub fn renews(self) -> bool {
        let is_bare = |account: Application<'_>| account.0.value("APPID").is_none() && account.addr().is_none();
        let alone = self.request().is_none() && self.document.client_certificate().is_some();
        self.whole.enrollment.renews() || (alone && self.document.application().is_some_and(is_bare))
    }

    /// The request that it answers, when it was captured.
    fn request(self) -> Option<MessageCx<'a>> {
        let answers = |cx: &ExchangeCx<'_>| cx.asked.document == Some(self.message.index);
        self.whole.exchanges().find(answers).and_then(ExchangeCx::request)
    }
}
