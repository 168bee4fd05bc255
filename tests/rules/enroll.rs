//! Enrollment messages of examples: SOAP envelopes and provisioning documents with `…` filled in, certificates by name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dmscope::syncml::Side;
use sha1::{Digest as _, Sha1};

use super::compose::{Sent, take_marks};
use super::page::Block;

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
const MDE: &str = "http://schemas.microsoft.com/windows/management/2012/01/enrollment";
const XCEP: &str = "http://schemas.microsoft.com/windows/pki/2009/01/enrollmentpolicy";
const WSTEP: &str = "http://schemas.microsoft.com/windows/pki/2009/01/enrollment";
const TRUST: &str = "http://docs.oasis-open.org/ws-sx/ws-trust/200512";
const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const SCCM: &str = "http://schemas.microsoft.com/5.0.0.0/ConfigurationManager/Enrollment";
const REST: &str = "…";

/// The steps that an info line may name.
const STEPS: [&str; 6] = ["probe", "discover", "sign-in", "policy", "token", "renew"];

/// Whether a block is a message of enrollment.
pub(crate) fn is_enrollment(block: &Block) -> bool {
    block.soap || block.wap || step(block).is_some()
}

fn step(block: &Block) -> Option<&'static str> {
    STEPS.into_iter().chain(["fault"]).find(|step| *step == block.msg_id)
}

/// The names that stand for certificates and requests in examples: base64, and thumbprints.
fn material() -> Vec<(String, String)> {
    let files: [(&str, &[u8]); 6] = [
        ("root", include_bytes!("certificates/root.der")),
        ("device", include_bytes!("certificates/device.der")),
        ("other", include_bytes!("certificates/other.der")),
        ("request", include_bytes!("certificates/request.der")),
        ("weak-request", include_bytes!("certificates/weak-request.der")),
        ("renewal", include_bytes!("certificates/renewal.der")),
    ];
    let hex = |der: &[u8]| Sha1::digest(der).iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let named = |(name, der): (&str, &[u8])| {
        [(format!("{{{name}}}"), STANDARD.encode(der)), (format!("{{{name}-sha1}}"), hex(der))]
    };
    files.into_iter().flat_map(named).collect()
}

fn with_material(mut text: String) -> String {
    for (name, value) in material() {
        if text.contains(&name) {
            text = text.replace(&name, &value);
        }
    }
    text
}

/// The text of a block as it is sent, marks still in it.
pub(crate) fn document(block: &Block, side: Side, content: &str, before: &[Sent<'_>]) -> String {
    let bare = take_marks(content).0;
    let start = bare.trim_start();
    let whole = ["<s:Envelope", "<s:envelope", "<?xml", "<!", "<html", "<wap-provisioningdoc"];
    let text = match step(block) {
        _ if block.raw => content.to_owned(),
        // The root may be given, with the rest left to be filled in.
        _ if block.wap => wap(content),
        _ if whole.iter().any(|root| start.starts_with(root)) || !start.starts_with(['<', '…']) => content.to_owned(),
        Some("probe" | "sign-in") | None => content.to_owned(),
        Some(step) => envelope(step, side, content, before),
    };
    with_material(text)
}

/// The body that travels: a provisioning document lies in the token of a response.
pub(crate) fn on_the_wire(block: &Block, body: &[u8]) -> Option<Vec<u8>> {
    (block.wap && !block.alone).then(|| response_with(&STANDARD.encode(body)).into_bytes())
}

/// The head that a message travels with.
pub(crate) fn head(block: &Block, side: Side, body: &[u8]) -> Option<String> {
    let step = step(block).or_else(|| block.wap.then_some("token"))?;
    if block.alone {
        return Some("HTTP/1.1 200 OK\nContent-Type: text/vnd.wap.connectivity-xml".into());
    }
    let media = "Content-Type: application/soap+xml; charset=utf-8";
    let (host, path) = match step {
        "probe" | "discover" => ("EnterpriseEnrollment.example.test", "Discovery"),
        "policy" => ("mdm.example.test", "Policy"),
        "sign-in" => ("mdm.example.test", "Login"),
        _ => ("mdm.example.test", "Enrollment"),
    };
    let method = if matches!(step, "probe" | "sign-in") { "GET" } else { "POST" };
    let request =
        format!("{method} /EnrollmentServer/{path}.svc HTTP/1.1\nHost: {host}\nUser-Agent: ENROLLClient\nAccept: */*");
    Some(match side {
        Side::Client if method == "GET" => request,
        Side::Client => format!("{request}\n{media}"),
        Side::Server if method == "GET" && body.is_empty() => "HTTP/1.1 200 OK".into(),
        Side::Server if step == "fault" => format!("HTTP/1.1 500 Internal Server Error\n{media}"),
        Side::Server if body.starts_with(b"<html") || body.starts_with(b"<!") => {
            "HTTP/1.1 200 OK\nContent-Type: text/html".into()
        }
        Side::Server => format!("HTTP/1.1 200 OK\n{media}"),
    })
}

/// A part that stands where `…` is unless the block has it: its name, and its text.
type Part = (&'static str, String);

fn envelope(step: &str, side: Side, content: &str, before: &[Sent<'_>]) -> String {
    let said = |needle: &str| before.iter().any(|sent| memchr::memmem::find(&sent.body, needle.as_bytes()).is_some());
    let federated = said("<AuthPolicy>Federated</AuthPolicy>\n<");
    let (header, body) = match content.find("</s:Header>").filter(|_| content.trim_start().starts_with("<s:Header>")) {
        Some(end) => {
            let end = end + "</s:Header>".len();
            // A mark on the header itself belongs to it.
            let line = content[end..].find('\n').map_or(content.len(), |line| end + line + 1);
            content.split_at(if content[end..line].trim_start().starts_with("<!--") { line } else { end })
        }
        None => ("", content),
    };
    let header = match header {
        "" => format!("<s:Header>\n{REST}\n</s:Header>"),
        given => given.trim_end().to_owned(),
    };
    let header = fill(&header, &header_parts(step, side, federated));
    let (open, parts, close) = body_parts(step, side);
    let body = body.trim_matches('\n');
    // What stands in a known wrapper, unless the block brings the wrapper itself.
    let body = match wrapper(step, side).iter().any(|name| has(body, name)) {
        true => body.to_owned(),
        false => format!("{open}\n{}\n{close}", fill(body, &parts).trim_matches('\n')),
    };
    format!(
        "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:a=\"http://www.w3.org/2005/08/addressing\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n\
         {header}\n<s:Body>\n{body}\n</s:Body>\n</s:Envelope>"
    )
}

fn wrapper(step: &str, side: Side) -> &'static [&'static str] {
    match (step, side) {
        ("discover", Side::Client) => &["Discover"],
        ("discover", Side::Server) => &["DiscoverResponse"],
        ("policy", Side::Client) => &["GetPolicies"],
        ("policy", Side::Server) => &["GetPoliciesResponse"],
        ("fault", _) => &["Fault", "fault"],
        (_, Side::Client) => &["RequestSecurityToken"],
        (_, Side::Server) => &["RequestSecurityTokenResponseCollection", "RequestSecurityTokenResponse"],
    }
}

/// Windows sends the same MessageIDs in every enrollment.
fn message_id(step: &str) -> &'static str {
    match step {
        "discover" => "urn:uuid:748132ec-a575-4329-b01b-6171a9cf8478",
        "policy" => "urn:uuid:72048B64-0F19-448F-8C2E-B4C661860AA0",
        _ => "urn:uuid:0d5a1441-5891-453b-becf-a2e5f6ea3749",
    }
}

fn header_parts(step: &str, side: Side, federated: bool) -> Vec<Part> {
    let response = if side == Side::Server { "Response" } else { "" };
    let action = match (step, side) {
        ("discover", _) => format!("{MDE}/IDiscoveryService/Discover{response}"),
        ("policy", _) => format!("{XCEP}/IPolicy/GetPolicies{response}"),
        ("fault", _) => format!("{MDE}/IDiscoveryService/WindowsDeviceEnrollmentServiceErrorFault"),
        (_, Side::Client) => format!("{WSTEP}/RST/wstep"),
        (_, Side::Server) => format!("{WSTEP}/RSTRC/wstep"),
    };
    let mut parts = vec![("Action", format!("<a:Action s:mustUnderstand=\"1\">{action}</a:Action>\n"))];
    let id = message_id(step);
    if side == Side::Server {
        parts.push(("RelatesTo", format!("<a:RelatesTo>{id}</a:RelatesTo>\n")));
        return parts;
    }
    let (host, path) = match step {
        "discover" => ("EnterpriseEnrollment.example.test", "Discovery"),
        "policy" => ("mdm.example.test", "Policy"),
        _ => ("mdm.example.test", "Enrollment"),
    };
    let anonymous = "http://www.w3.org/2005/08/addressing/anonymous";
    parts.push(("MessageID", format!("<a:MessageID>{id}</a:MessageID>\n")));
    parts.push(("ReplyTo", format!("<a:ReplyTo><a:Address>{anonymous}</a:Address></a:ReplyTo>\n")));
    let to = format!("https://{host}:443/EnrollmentServer/{path}.svc");
    parts.push(("To", format!("<a:To s:mustUnderstand=\"1\">{to}</a:To>\n")));
    if matches!(step, "policy" | "token") {
        let token = match federated {
            true => format!(
                "<wsse:BinarySecurityToken ValueType=\"{SCCM}/DeviceEnrollmentUserToken\" EncodingType=\"{WSSE}#base64binary\">c2lnbmVkIGlu</wsse:BinarySecurityToken>"
            ),
            false => "<wsse:UsernameToken><wsse:Username>user@example.test</wsse:Username><wsse:Password \
                 Type=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText\">\
                 Pa55w0rd!</wsse:Password></wsse:UsernameToken>"
                .to_owned(),
        };
        let security = format!("<wsse:Security s:mustUnderstand=\"1\" xmlns:wsse=\"{WSSE}\">{token}</wsse:Security>\n");
        parts.push(("Security", security));
    }
    parts
}

/// What stands around the parts of a body, the parts, and what closes it.
fn body_parts(step: &str, side: Side) -> (String, Vec<Part>, &'static str) {
    let element = |name: &'static str, value: &str| (name, format!("<{name}>{value}</{name}>\n"));
    match (step, side) {
        ("discover", Side::Client) => (
            format!("<Discover xmlns=\"{MDE}\">\n<request>"),
            vec![
                element("EmailAddress", "user@example.test"),
                element("RequestVersion", "6.0"),
                element("DeviceType", "CIMClient_Windows"),
                element("ApplicationVersion", "10.0.22621.3155"),
                element("OSEdition", "72"),
                element("AuthPolicies", "<AuthPolicy>OnPremise</AuthPolicy><AuthPolicy>Federated</AuthPolicy>"),
            ],
            "</request>\n</Discover>",
        ),
        ("discover", Side::Server) => (
            format!("<DiscoverResponse xmlns=\"{MDE}\">\n<DiscoverResult>"),
            vec![
                element("AuthPolicy", "OnPremise"),
                element("EnrollmentVersion", "5.0"),
                element("EnrollmentPolicyServiceUrl", "https://mdm.example.test/EnrollmentServer/Policy.svc"),
                element("EnrollmentServiceUrl", "https://mdm.example.test/EnrollmentServer/Enrollment.svc"),
            ],
            "</DiscoverResult>\n</DiscoverResponse>",
        ),
        ("policy", Side::Client) => (
            format!("<GetPolicies xmlns=\"{XCEP}\">"),
            vec![
                ("client", "<client><lastUpdate xsi:nil=\"true\"/><preferredLanguage xsi:nil=\"true\"/></client>\n".into()),
                ("requestFilter", "<requestFilter xsi:nil=\"true\"/>\n".into()),
            ],
            "</GetPolicies>",
        ),
        ("policy", Side::Server) => (
            format!("<GetPoliciesResponse xmlns=\"{XCEP}\">"),
            vec![
                (
                    "response",
                    "<response>\n<policyID/>\n<nextUpdateHours xsi:nil=\"true\"/>\n<policies>\n<policy>\n<policyOIDReference>0</policyOIDReference>\n\
                     <attributes>\n<policySchema>3</policySchema>\n<privateKeyAttributes>\n<minimalKeyLength>2048</minimalKeyLength>\n\
                     <algorithmOIDReference xsi:nil=\"true\"/>\n</privateKeyAttributes>\n\
                     <hashAlgorithmOIDReference>1</hashAlgorithmOIDReference>\n</attributes>\n</policy>\n</policies>\n</response>\n"
                        .into(),
                ),
                ("cAs", "<cAs xsi:nil=\"true\"/>\n".into()),
                (
                    "oIDs",
                    "<oIDs>\n<oID><value>1.3.6.1.4.1.311.20.2</value><group>1</group><oIDReferenceID>0</oIDReferenceID></oID>\n\
                     <oID><value>2.16.840.1.101.3.4.2.1</value><group>1</group><oIDReferenceID>1</oIDReferenceID></oID>\n</oIDs>\n"
                        .into(),
                ),
            ],
            "</GetPoliciesResponse>",
        ),
        ("fault", _) => (
            "<s:Fault>".into(),
            vec![
                (
                    "Code",
                    "<s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>s:Authorization</s:Value></s:Subcode></s:Code>\n".into(),
                ),
                ("Reason", "<s:Reason><s:Text xml:lang=\"en-us\">The user may not enroll devices</s:Text></s:Reason>\n".into()),
            ],
            "</s:Fault>",
        ),
        (_, Side::Client) => {
            let (kind, value_type, token) = match step {
                "renew" => ("Renew", "PKCS7", "{renewal}"),
                _ => ("Issue", "PKCS10", "{request}"),
            };
            (
                format!(
                    "<wst:RequestSecurityToken xmlns:wst=\"{TRUST}\" xmlns:wsse=\"{WSSE}\" \
                     xmlns:ac=\"http://schemas.xmlsoap.org/ws/2006/12/authorization\">"
                ),
                vec![
                    ("TokenType", format!("<wst:TokenType>{SCCM}/DeviceEnrollmentToken</wst:TokenType>\n")),
                    ("RequestType", format!("<wst:RequestType>{TRUST}/{kind}</wst:RequestType>\n")),
                    (
                        "BinarySecurityToken",
                        format!(
                            "<wsse:BinarySecurityToken ValueType=\"{WSTEP}#{value_type}\" EncodingType=\"{WSSE}#base64binary\">{token}</wsse:BinarySecurityToken>\n"
                        ),
                    ),
                    ("AdditionalContext", additional_context()),
                ],
                "</wst:RequestSecurityToken>",
            )
        }
        (_, Side::Server) => (
            format!(
                "<RequestSecurityTokenResponseCollection xmlns=\"{TRUST}\" xmlns:wsse=\"{WSSE}\">\n<RequestSecurityTokenResponse>"
            ),
            vec![
                ("TokenType", format!("<TokenType>{SCCM}/DeviceEnrollmentToken</TokenType>\n")),
                (
                    "RequestedSecurityToken",
                    format!(
                        "<RequestedSecurityToken><wsse:BinarySecurityToken ValueType=\"{SCCM}/DeviceEnrollmentProvisionDoc\" \
                         EncodingType=\"{WSSE}#base64binary\">{}</wsse:BinarySecurityToken></RequestedSecurityToken>\n",
                        STANDARD.encode(with_material(wap(REST)))
                    ),
                ),
                ("RequestID", "<RequestID xmlns=\"http://schemas.microsoft.com/windows/pki/2009/01/enrollment\">0</RequestID>\n".into()),
            ],
            "</RequestSecurityTokenResponse>\n</RequestSecurityTokenResponseCollection>",
        ),
    }
}

fn additional_context() -> String {
    let items = [
        ("OSEdition", "72"),
        ("OSVersion", "10.0.22621.3155"),
        ("DeviceName", "DESKTOP-EXAMPLE"),
        ("EnrollmentType", "Full"),
        ("DeviceType", "CIMClient_Windows"),
        ("ApplicationVersion", "10.0.22621.3155"),
        ("DeviceID", "5F0C4D1E7A3B4C559D2E1B6A8E94C7F0"),
    ];
    let item =
        |(name, value)| format!("<ac:ContextItem Name=\"{name}\"><ac:Value>{value}</ac:Value></ac:ContextItem>\n");
    format!("<ac:AdditionalContext>\n{}</ac:AdditionalContext>\n", items.map(item).concat())
}

/// A response whose token is `token`.
fn response_with(token: &str) -> String {
    let (open, parts, close) = body_parts("token", Side::Server);
    let text: String = parts
        .iter()
        .map(|(name, text)| match *name {
            "RequestedSecurityToken" => {
                let (start, rest) = text.split_once("base64binary\">").unwrap_or((text, ""));
                let end = rest.split_once('<').map_or("", |(_, end)| end);
                format!("{start}base64binary\">{token}<{end}")
            }
            _ => text.clone(),
        })
        .collect();
    let header = fill(REST, &header_parts("token", Side::Server, false));
    format!(
        "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:a=\"http://www.w3.org/2005/08/addressing\">\n<s:Header>\n{header}</s:Header>\n\
         <s:Body>\n{open}\n{text}{close}\n</s:Body>\n</s:Envelope>"
    )
}

/// Whether an element of that name stands in a text, with any prefix.
fn has(text: &str, name: &str) -> bool {
    text.split('<').skip(1).any(|tag| {
        let word =
            tag.split(|letter: char| letter.is_whitespace() || matches!(letter, '>' | '/')).next().unwrap_or_default();
        word.rsplit(':').next() == Some(name)
    })
}

/// Replaces the first line that is `…` by the parts that the text does not have.
fn fill(text: &str, parts: &[Part]) -> String {
    let rest = || parts.iter().filter(|(name, _)| !has(text, name)).map(|(_, part)| part.as_str()).collect::<String>();
    match text.split_inclusive('\n').find(|line| take_marks(line).0.trim() == REST) {
        Some(line) => {
            let marks = line.trim().trim_start_matches(REST);
            text.replacen(line, &format!("{}{marks}\n", rest().trim_end()), 1)
        }
        None => text.to_owned(),
    }
}

/// What a node of a correct provisioning document holds, by its type: key and text. The key is a type, a name, or type
/// and level of an APPAUTH.
const NODES: &[(&str, &[(&str, &str)])] = &[
    ("", &[("CertificateStore", ""), ("APPLICATION", ""), ("DMClient", "")]),
    ("CertificateStore", &[("Root", ""), ("My", "")]),
    ("Root", &[("System", "")]),
    ("System", &[("{root-sha1}", r#"<parm name="EncodedCertificate" value="{root}"/>"#)]),
    ("My", &[("User", ""), ("WSTEP", "")]),
    (
        "User",
        &[("{device-sha1}", r#"<parm name="EncodedCertificate" value="{device}"/>"#), ("PrivateKeyContainer", " ")],
    ),
    ("WSTEP", &[("Renew", "")]),
    (
        "Renew",
        &[
            ("ROBOSupport", r#"<parm name="ROBOSupport" value="true" datatype="boolean"/>"#),
            ("RenewPeriod", r#"<parm name="RenewPeriod" value="42" datatype="integer"/>"#),
            ("RetryInterval", r#"<parm name="RetryInterval" value="7" datatype="integer"/>"#),
        ],
    ),
    (
        "APPLICATION",
        &[
            ("APPID", r#"<parm name="APPID" value="w7"/>"#),
            ("PROVIDER-ID", r#"<parm name="PROVIDER-ID" value="ExampleMDM"/>"#),
            ("NAME", r#"<parm name="NAME" value="Example"/>"#),
            ("ADDR", r#"<parm name="ADDR" value="https://mdm.example.test/manage"/>"#),
            ("CONNRETRYFREQ", r#"<parm name="CONNRETRYFREQ" value="6"/>"#),
            ("INITIALBACKOFFTIME", r#"<parm name="INITIALBACKOFFTIME" value="30000"/>"#),
            ("MAXBACKOFFTIME", r#"<parm name="MAXBACKOFFTIME" value="120000"/>"#),
            ("BACKCOMPATRETRYDISABLED", r#"<parm name="BACKCOMPATRETRYDISABLED"/>"#),
            ("DEFAULTENCODING", r#"<parm name="DEFAULTENCODING" value="application/vnd.syncml.dm+wbxml"/>"#),
            (
                "SSLCLIENTCERTSEARCHCRITERIA",
                r#"<parm name="SSLCLIENTCERTSEARCHCRITERIA" value="Subject=CN%3Ddev1&amp;Stores=My%5CUser"/>"#,
            ),
            (
                "APPAUTH CLIENT",
                r#"<characteristic type="APPAUTH">
<parm name="AAUTHLEVEL" value="CLIENT"/>
<parm name="AAUTHTYPE" value="DIGEST"/>
<parm name="AAUTHSECRET" value="server-s3cret"/>
<parm name="AAUTHDATA" value="Tm9uY2VOb25jZU5vbmNlIQ=="/>
</characteristic>"#,
            ),
            (
                "APPAUTH APPSRV",
                r#"<characteristic type="APPAUTH">
<parm name="AAUTHLEVEL" value="APPSRV"/>
<parm name="AAUTHTYPE" value="DIGEST"/>
<parm name="AAUTHNAME" value="dev1"/>
<parm name="AAUTHSECRET" value="client-s3cret"/>
<parm name="AAUTHDATA" value="VGhlT3RoZXJOb25jZSEhIQ=="/>
</characteristic>"#,
            ),
        ],
    ),
    ("DMClient", &[("Provider", "")]),
    ("Provider", &[("ExampleMDM", "")]),
    ("ExampleMDM", &[("EntDMID", r#"<parm name="EntDMID" value="1234" datatype="string"/>"#), ("Poll", "")]),
    (
        "Poll",
        &[
            ("NumberOfFirstRetries", r#"<parm name="NumberOfFirstRetries" value="5" datatype="integer"/>"#),
            (
                "IntervalForFirstSetOfRetries",
                r#"<parm name="IntervalForFirstSetOfRetries" value="3" datatype="integer"/>"#,
            ),
            ("NumberOfSecondRetries", r#"<parm name="NumberOfSecondRetries" value="8" datatype="integer"/>"#),
            (
                "IntervalForSecondSetOfRetries",
                r#"<parm name="IntervalForSecondSetOfRetries" value="15" datatype="integer"/>"#,
            ),
            (
                "NumberOfRemainingScheduledRetries",
                r#"<parm name="NumberOfRemainingScheduledRetries" value="0" datatype="integer"/>"#,
            ),
            (
                "IntervalForRemainingScheduledRetries",
                r#"<parm name="IntervalForRemainingScheduledRetries" value="1440" datatype="integer"/>"#,
            ),
        ],
    ),
];

/// A whole node of a correct document.
fn node(kind: &str, text: &str) -> String {
    if text.starts_with("<characteristic") || (text.starts_with("<parm") && !kind.starts_with('{')) {
        return format!("{text}\n");
    }
    let content = match text.trim() {
        "" => NODES.iter().find(|(known, _)| *known == kind).map_or(String::new(), |(_, parts)| {
            parts.iter().filter(|_| text.is_empty()).map(|(key, text)| node(key, text)).collect()
        }),
        text => format!("{text}\n"),
    };
    format!("<characteristic type=\"{kind}\">\n{content}</characteristic>\n")
}

/// A provisioning document: each `…` line stands for what the node around it has besides.
fn wap(content: &str) -> String {
    let bare = take_marks(content).0;
    let content = match bare.trim_start().starts_with("<wap-provisioningdoc") || bare.trim_start().starts_with("<?xml")
    {
        true => content.to_owned(),
        false => {
            format!("<wap-provisioningdoc version=\"1.1\">\n{}\n</wap-provisioningdoc>", content.trim_matches('\n'))
        }
    };
    let mut text = content;
    while let Some(at) = text.find(REST) {
        let around = around(&text[..at]);
        let own = own(&text, at);
        let parts = NODES.iter().find(|(kind, _)| *kind == around).map_or(&[][..], |(_, parts)| parts);
        let filled: String =
            parts.iter().filter(|(key, _)| !is_there(&own, key)).map(|(key, text)| node(key, text)).collect();
        text.replace_range(at..at + REST.len(), filled.trim_end());
    }
    text
}

/// The type of the innermost node that is open at the end of a text; empty at the top.
fn around(text: &str) -> String {
    let mut open: Vec<&str> = Vec::new();
    for tag in text.split('<').skip(1) {
        if tag.starts_with("/characteristic") {
            open.pop();
        } else if tag.starts_with("characteristic") && !tag.split('>').next().unwrap_or_default().ends_with('/') {
            open.push(tag.split('"').nth(1).unwrap_or_default());
        }
    }
    open.last().map(|kind| (*kind).to_owned()).unwrap_or_default()
}

/// What stands in the node around byte `at`, without the content of nodes below: their opening tags stay, and the level of
/// an APPAUTH.
fn own(text: &str, at: usize) -> String {
    let (mut start, mut open) = (0, Vec::new());
    for (place, tag) in text[..at].match_indices('<').map(|(place, _)| (place, &text[place..])) {
        if tag.starts_with("</characteristic") {
            start = open.pop().unwrap_or(0);
        } else if tag.starts_with("<characteristic") && !tag.split('>').next().unwrap_or_default().ends_with('/') {
            open.push(start);
            start = place + tag.find('>').unwrap_or(0) + 1;
        }
    }
    let (mut level, mut out) = (0i64, String::new());
    for piece in text[start..].split_inclusive('>') {
        let tag = piece.trim_start_matches(|letter| letter != '<');
        if tag.starts_with("</characteristic") || tag.starts_with("</wap") {
            level -= 1;
            if level < 0 {
                break;
            }
        } else if tag.starts_with("<characteristic") {
            if level == 0 {
                out += tag;
            }
            level += i64::from(!tag.ends_with("/>"));
        } else if level == 0 || tag.contains("AAUTHLEVEL") {
            out += tag;
        }
    }
    out
}

fn is_there(own: &str, key: &str) -> bool {
    let named = |value: &str| own.to_ascii_lowercase().contains(&format!("\"{}\"", value.to_ascii_lowercase()));
    match key.split_once(' ') {
        Some((_, level)) => named(level),
        None => named(key),
    }
}

#[cfg(test)]
mod tests {
    use dmscope::enroll::{Envelope, Provisioning};
    use dmscope::limits::Limits;
    use dmscope::xml;

    use super::*;

    fn block(soap: bool, step: &str) -> Block {
        Block { soap, wap: !soap, msg_id: step.into(), ..Block::default() }
    }

    #[test]
    fn the_rest_of_a_request_is_filled_in() {
        let text = "<RequestVersion>9.0</RequestVersion>\n…";
        let text = document(&block(true, "discover"), Side::Client, text, &[]);
        let doc = xml::parse(&text.as_bytes().into(), &Limits::default());
        let envelope = Envelope::of(&doc).expect("an envelope");
        let discover = dmscope::enroll::discovery::Discover(envelope.content().expect("content"));
        assert_eq!((discover.request_version(), discover.email()), (Some("9.0"), Some("user@example.test")));
        assert_eq!(text.matches("<RequestVersion>").count(), 1);
        assert!(doc.notes.is_empty() && envelope.action().is_some() && discover.offered().count() == 2);
    }

    #[test]
    fn the_rest_of_a_document_is_filled_in_at_any_depth() {
        let text =
            "<characteristic type=\"APPLICATION\">\n<parm name=\"ADDR\" value=\"http://a\"/>\n…\n</characteristic>\n…";
        let text = document(&block(false, ""), Side::Server, text, &[]);
        let doc = xml::parse(&text.as_bytes().into(), &Limits::default());
        let document = Provisioning::of(&doc).expect("a document");
        let account = document.application().expect("an account");
        assert_eq!(account.0.parms().filter(|parm| parm.name() == "ADDR").count(), 1);
        assert_eq!((account.addr().and_then(|parm| parm.value()), account.auths().count()), (Some("http://a"), 2));
        assert_eq!((document.certificates().count(), document.top().count()), (2, 3));
        let own = document.client_certificate().expect("one");
        assert!(own.der().is_some() && own.key_container().is_some() && own.thumbprint().len() == 40);
        assert!(
            document.poll().is_some_and(|poll| poll.words().starts_with("every 3 minutes"))
                && document.renew().is_some()
        );
        assert!(doc.notes.is_empty(), "{:?}", doc.notes);
    }
}
