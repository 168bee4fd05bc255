#!/usr/bin/env python3
"""Enrollments of the lab, recorded: a small enrollment server and a client that speaks like Windows, over TLS on loopback.

    tests/lab/enroll.py FOLDER [NAME ...]

Writes NAME.pcap and NAME.keys for each scenario into FOLDER. Needs openssl and tcpdump, and the right to capture on the
loopback interface. The hosts do not exist: all of them are this machine.
"""

import base64
import hashlib
import http.client
import http.server
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

sys.dont_write_bytecode = True
import dm

DISCOVERY = "EnterpriseEnrollment.example.test"
MDM = "mdm.example.test"
SOAP = "application/soap+xml; charset=utf-8"
ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
MDE = "http://schemas.microsoft.com/windows/management/2012/01/enrollment"
XCEP = "http://schemas.microsoft.com/windows/pki/2009/01/enrollmentpolicy"
WSTEP = "http://schemas.microsoft.com/windows/pki/2009/01/enrollment"
TRUST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
SCCM = "http://schemas.microsoft.com/5.0.0.0/ConfigurationManager/Enrollment"
DEVICE_ID = dm.DEVICE.rsplit(":", 1)[1].replace("-", "").upper()
SUBCODES = ["MessageFormat", "Authentication", "Authorization", "CertificateRequest", "EnrollmentServer"]
INTERNAL = ["InternalServiceFault", "InvalidSecurity"]
DETAILS = [
    "DeviceCapReached",
    "DeviceNotSupported",
    "NotSupported",
    "NotEligibleToRenew",
    "InMaintenance",
    "UserLicense",
    "InvalidEnrollmentData",
    "CustomServerError",
]


class Authority:
    """A CA by openssl, in a folder."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-sha256", "-subj", f"/CN={name}",
                 "-keyout", self.path("ca.key"), "-out", self.path("ca.pem"))

    def path(self, name):
        return os.path.join(self.folder, f"{self.name.split()[0].lower()}-{name}")

    @staticmethod
    def run(*arguments, stdin=None):
        return subprocess.run(["openssl", *arguments], input=stdin, check=True, capture_output=True).stdout

    def server(self):
        """Key and certificate of the two hosts, in one file."""
        names = self.path("names")
        with open(names, "w", encoding="ascii") as out:
            out.write(f"subjectAltName=DNS:{DISCOVERY},DNS:{MDM}\n")
        self.run("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={MDM}", "-keyout", self.path("server.key"),
                 "-out", self.path("server.csr"))
        self.sign("server.csr", "server.pem", "-extfile", names)
        both = self.path("server.both")
        with open(both, "w", encoding="ascii") as out:
            for part in ("server.pem", "server.key"):
                with open(self.path(part), encoding="ascii") as one:
                    out.write(one.read())
        return both

    def sign(self, request, certificate, *more):
        self.run("x509", "-req", "-in", self.path(request), "-CA", self.path("ca.pem"), "-CAkey", self.path("ca.key"),
                 "-CAcreateserial", "-days", "30", "-sha256", "-out", self.path(certificate), *more)

    def issue(self, der):
        """A certificate in DER for a request in DER."""
        with open(self.path("device.csr"), "wb") as out:
            out.write(self.run("req", "-inform", "DER", stdin=der))
        self.sign("device.csr", "device.pem")
        return self.der(self.path("device.pem"))

    def der(self, path):
        return self.run("x509", "-in", path, "-outform", "DER")

    def root(self):
        return self.der(self.path("ca.pem"))


def envelope(header, body):
    return (
        f'<s:Envelope xmlns:s="{ENVELOPE}" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>{header}</s:Header>'
        f'<s:Body xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{body}</s:Body></s:Envelope>'
    ).encode()


def parm(name, value, datatype=None):
    kind = f' datatype="{datatype}"' if datatype else ""
    return f'<parm name="{name}" value="{escape(value, {chr(34): "&quot;"})}"{kind}/>'


def node(kind, *inner):
    return f'<characteristic type="{kind}">{"".join(inner)}</characteristic>'


def certificate(der):
    return node(hashlib.sha1(der).hexdigest().upper(), parm("EncodedCertificate", base64.b64encode(der).decode()))


def provisioning(root, own, addr):
    def auth(level, *more):
        return node("APPAUTH", parm("AAUTHLEVEL", level), parm("AAUTHTYPE", "DIGEST"), *more,
                    parm("AAUTHSECRET", "lab s3cret"), parm("AAUTHDATA", base64.b64encode(os.urandom(16)).decode()))

    poll = [("NumberOfFirstRetries", 5), ("IntervalForFirstSetOfRetries", 3), ("NumberOfSecondRetries", 8),
            ("IntervalForSecondSetOfRetries", 15), ("NumberOfRemainingScheduledRetries", 0),
            ("IntervalForRemainingScheduledRetries", 1440)]
    renew = node("Renew", parm("ROBOSupport", "true", "boolean"), parm("RenewPeriod", "42", "integer"),
                 parm("RetryInterval", "7", "integer"))
    return "".join([
        '<wap-provisioningdoc version="1.1">',
        node("CertificateStore",
             node("Root", node("System", certificate(root))),
             node("My", node("User", certificate(own), node("PrivateKeyContainer")), node("WSTEP", renew))),
        node("APPLICATION", parm("APPID", "w7"), parm("PROVIDER-ID", "LabMDM"), parm("NAME", "Lab"),
             *([parm("ADDR", addr)] if addr else []),
             parm("CONNRETRYFREQ", "6"), parm("INITIALBACKOFFTIME", "30000"), parm("MAXBACKOFFTIME", "120000"),
             '<parm name="BACKCOMPATRETRYDISABLED"/>', parm("DEFAULTENCODING", "application/vnd.syncml.dm+xml"),
             parm("SSLCLIENTCERTSEARCHCRITERIA", "Subject=CN%3DLabDevice&Stores=My%5CUser").replace("&Stores", "&amp;Stores"),
             auth("CLIENT"), auth("APPSRV", parm("AAUTHNAME", "lab-device"))),
        node("DMClient", node("Provider", node("LabMDM", parm("EntDMID", DEVICE_ID, "string"),
             node("Poll", *(parm(name, str(value), "integer") for name, value in poll))))),
        "</wap-provisioningdoc>",
    ])


class Server:
    """The enrollment server of one scenario, over TLS; as a proxy in clear text, it refuses."""

    def __init__(self, scenario, authority, tls):
        self.scenario, self.authority = scenario, authority
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            server_version = "lab-enroll"
            sys_version = ""

            def do_GET(self):
                outer.send(self, 200, "", b"")

            def do_CONNECT(self):
                self.send_response(407, "Proxy Authentication Required")
                self.send_header("Proxy-Authenticate", "Negotiate")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_POST(self):
                request = self.rfile.read(int(self.headers["Content-Length"]))
                outer.send(self, *outer.answer(self.path, request))

            def log_message(self, *_):
                pass

        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.httpd.handle_error = lambda *_: None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            # As Windows' enrollment client speaks it; its alerts can be read.
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.load_cert_chain(tls)
            self.httpd.socket = context.wrap_socket(self.httpd.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.httpd.server_address[1]
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    def send(self, handler, code, kind, body):
        chunked = self.scenario.get("chunked") and handler.path.endswith("Policy.svc")
        handler.send_response(code)
        if kind:
            handler.send_header("Content-Type", kind)
        handler.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))))
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body)

    def answer(self, path, request):
        step = path.rsplit("/", 1)[-1]
        if step == self.scenario.get("empty"):
            return 200, "", b""
        if step == self.scenario.get("html"):
            page = b"<!DOCTYPE html><html><head><title>Welcome to the guest network</title></head><body>Sign in</body></html>"
            return 200, "text/html; charset=utf-8", page
        if step == self.scenario.get("refuses"):
            return 400, self.scenario.get("kind", ""), self.scenario.get("says", b"")
        if step == self.scenario.get("fault_at", "Enrollment.svc") and "fault" in self.scenario:
            return 500, SOAP, self.fault(request)
        return {"Discovery.svc": self.discover, "Policy.svc": self.policy, "Enrollment.svc": self.enroll}.get(step, self.manage)(request)

    def header(self, action, request):
        relates = re.search(rb"MessageID>([^<]+)<", request).group(1).decode()
        return f'<a:Action s:mustUnderstand="1">{action}</a:Action><a:RelatesTo>{relates}</a:RelatesTo>'

    def fault(self, request):
        subcode, detail, message = self.scenario["fault"]
        prefix = "a" if subcode in INTERNAL else "s"
        text = message or "The lab refuses"
        more = (
            f'<s:Detail><DeviceEnrollmentServiceError xmlns="{WSTEP}"><ErrorType>{detail}</ErrorType><Message>{text}</Message>'
            f"<TraceId>lab-{detail.lower()}</TraceId></DeviceEnrollmentServiceError></s:Detail>" if detail else ""
        )
        body = (
            f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{prefix}:{subcode}</s:Value></s:Subcode></s:Code>"
            f'<s:Reason><s:Text xml:lang="en-us">{text}</s:Text></s:Reason>{more}</s:Fault>'
        )
        return envelope(self.header(f"{MDE}/IDiscoveryService/WindowsDeviceEnrollmentServiceErrorFault", request), body)

    def discover(self, request):
        body = (
            f'<DiscoverResponse xmlns="{MDE}"><DiscoverResult><AuthPolicy>{self.scenario.get("auth", "OnPremise")}</AuthPolicy>'
            f"<EnrollmentVersion>5.0</EnrollmentVersion>"
            f"<EnrollmentPolicyServiceUrl>https://{MDM}/EnrollmentServer/Policy.svc</EnrollmentPolicyServiceUrl>"
            f"<EnrollmentServiceUrl>https://{MDM}/EnrollmentServer/Enrollment.svc</EnrollmentServiceUrl>"
            f"</DiscoverResult></DiscoverResponse>"
        )
        return 200, SOAP, envelope(self.header(f"{MDE}/IDiscoveryService/DiscoverResponse", request), body)

    def policy(self, request):
        body = (
            f'<GetPoliciesResponse xmlns="{XCEP}"><response><policyID/><nextUpdateHours xsi:nil="true"/><policies><policy>'
            f"<policyOIDReference>0</policyOIDReference><attributes><policySchema>3</policySchema><privateKeyAttributes>"
            f'<minimalKeyLength>2048</minimalKeyLength><algorithmOIDReference xsi:nil="true"/></privateKeyAttributes>'
            f"<hashAlgorithmOIDReference>1</hashAlgorithmOIDReference></attributes></policy></policies></response>"
            f'<cAs xsi:nil="true"/><oIDs><oID><value>1.3.6.1.4.1.311.20.2</value><group>1</group><oIDReferenceID>0</oIDReferenceID>'
            f"<defaultName>Template</defaultName></oID><oID><value>2.16.840.1.101.3.4.2.1</value><group>1</group>"
            f"<oIDReferenceID>1</oIDReferenceID><defaultName>sha256</defaultName></oID></oIDs></GetPoliciesResponse>"
        )
        return 200, SOAP, envelope(self.header(f"{XCEP}/IPolicy/GetPoliciesResponse", request), body)

    def enroll(self, request):
        der = base64.b64decode(re.search(rb"#PKCS10[^>]*>([^<]+)<", request).group(1))
        own = self.authority.issue(self.scenario["other_key"] if "other_key" in self.scenario else der)
        addr = None if self.scenario.get("no_addr") else f"https://{MDM}/manage"
        document = provisioning(self.authority.root(), own, addr)
        body = (
            f'<RequestSecurityTokenResponseCollection xmlns="{TRUST}"><RequestSecurityTokenResponse>'
            f"<TokenType>{SCCM}/DeviceEnrollmentToken</TokenType><RequestedSecurityToken>"
            f'<BinarySecurityToken xmlns="{WSSE}" ValueType="{SCCM}/DeviceEnrollmentProvisionDoc" EncodingType="{WSSE}#base64binary">'
            f"{base64.b64encode(document.encode()).decode()}</BinarySecurityToken></RequestedSecurityToken>"
            f'<RequestID xmlns="{WSTEP}">0</RequestID></RequestSecurityTokenResponse></RequestSecurityTokenResponseCollection>'
        )
        return 200, SOAP, envelope(self.header(f"{WSTEP}/RSTRC/wstep", request), body)

    def manage(self, request):
        """Ends the session at once: all is answered, nothing is asked."""
        document = ET.fromstring(request)
        numbers = iter(range(1, 100))
        msg_id = dm.text(document, "SyncHdr/MsgID")
        out = [dm.status(next(numbers), msg_id, 0, "SyncHdr", 200)]
        for name, element, _ in dm.top_level(request):
            if name not in ("Status", "Results", "Final"):
                out.append(dm.status(next(numbers), msg_id, dm.text(element, "CmdID"), name, 200))
        source, target = (dm.text(document, f"SyncHdr/{end}/LocURI") for end in ("Source", "Target"))
        return 200, dm.TYPE, dm.message(dm.text(document, "SyncHdr/SessionID"), msg_id, source, target, out)

    def close(self):
        self.httpd.shutdown()
        self.httpd.server_close()


class Connection(http.client.HTTPSConnection):
    """To a host that does not exist, which is this machine."""

    def __init__(self, host, port, context):
        super().__init__(host, 443, timeout=10, context=context)
        self.real, self.tls = port, context

    def connect(self):
        self.sock = self.tls.wrap_socket(socket.create_connection(("127.0.0.1", self.real), 10), server_hostname=self.host)


class Client:
    """A device that enrolls as Windows does: it stops where Windows stops."""

    def __init__(self, port, context, folder, version, proxy):
        self.port, self.context, self.folder, self.version, self.proxy = port, context, folder, version, proxy

    def request(self, host, method, path, body=None):
        if self.proxy:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            connection.set_tunnel(host, 443, {"User-Agent": "ENROLLClient"})
        else:
            connection = Connection(host, self.port, self.context)
        headers = {"User-Agent": "ENROLLClient", "Accept": "*/*"}
        if body is not None:
            headers["Content-Type"] = SOAP
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def soap(self, host, path, action, message_id, body, security=""):
        header = (
            f'<a:Action s:mustUnderstand="1">{action}</a:Action><a:MessageID>urn:uuid:{message_id}</a:MessageID>'
            f"<a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo>"
            f'<a:To s:mustUnderstand="1">https://{host}:443{path}</a:To>{security}'
        )
        response, answer = self.request(host, "POST", path, envelope(header, body))
        chunked = response.headers.get("Transfer-Encoding") == "chunked"
        return answer.decode() if response.status == 200 and b"Envelope" in answer and not chunked else None

    def enroll(self):
        path = "/EnrollmentServer/Discovery.svc"
        if self.request(DISCOVERY, "GET", path)[0].status != 200:
            return
        found = self.soap(DISCOVERY, path, f"{MDE}/IDiscoveryService/Discover", "748132ec-a575-4329-b01b-6171a9cf8478", (
            f'<Discover xmlns="{MDE}"><request><EmailAddress>user@example.test</EmailAddress>'
            f"<RequestVersion>{self.version}</RequestVersion><DeviceType>CIMClient_Windows</DeviceType>"
            f"<ApplicationVersion>10.0.26100.2033</ApplicationVersion><OSEdition>72</OSEdition><AuthPolicies>"
            f"<AuthPolicy>OnPremise</AuthPolicy><AuthPolicy>Federated</AuthPolicy></AuthPolicies></request></Discover>"
        ))
        if not found or "<AuthPolicy>OnPremise<" not in found:
            return
        user = (
            f'<wsse:Security s:mustUnderstand="1" xmlns:wsse="{WSSE}"><wsse:UsernameToken><wsse:Username>user@example.test</wsse:Username>'
            f'<wsse:Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText">'
            f"lab Pa55word</wsse:Password></wsse:UsernameToken></wsse:Security>"
        )
        policy = self.soap(MDM, "/EnrollmentServer/Policy.svc", f"{XCEP}/IPolicy/GetPolicies",
            "72048B64-0F19-448F-8C2E-B4C661860AA0",
            f'<GetPolicies xmlns="{XCEP}"><client><lastUpdate xsi:nil="true"/><preferredLanguage xsi:nil="true"/></client>'
            f'<requestFilter xsi:nil="true"/></GetPolicies>', user)
        if not policy:
            return
        key = os.path.join(self.folder, "device.key")
        request = Authority.run("req", "-new", "-newkey", "rsa:2048", "-nodes", "-sha256", "-subj", "/CN=LabDevice",
                                "-keyout", key, "-outform", "DER")
        items = {"OSEdition": "72", "OSVersion": "10.0.26100.2033", "DeviceName": "LAB-7", "EnrollmentType": "Full",
                 "DeviceType": "CIMClient_Windows", "ApplicationVersion": "10.0.26100.2033", "DeviceID": DEVICE_ID}
        context = "".join(f'<ac:ContextItem Name="{name}"><ac:Value>{value}</ac:Value></ac:ContextItem>' for name, value in items.items())
        answer = self.soap(MDM, "/EnrollmentServer/Enrollment.svc", f"{WSTEP}/RST/wstep", "0d5a1441-5891-453b-becf-a2e5f6ea3749", (
            f'<wst:RequestSecurityToken xmlns:wst="{TRUST}" xmlns:ac="http://schemas.xmlsoap.org/ws/2006/12/authorization">'
            f"<wst:TokenType>{SCCM}/DeviceEnrollmentToken</wst:TokenType><wst:RequestType>{TRUST}/Issue</wst:RequestType>"
            f'<wsse:BinarySecurityToken xmlns:wsse="{WSSE}" ValueType="{WSTEP}#PKCS10" EncodingType="{WSSE}#base64binary">'
            f"{base64.b64encode(request).decode()}</wsse:BinarySecurityToken>"
            f"<ac:AdditionalContext>{context}</ac:AdditionalContext></wst:RequestSecurityToken>"
        ), user)
        if answer and self.takes(answer, key):
            device = dm.Client()
            device.session(f"https://{MDM}/manage", lambda: Connection(MDM, self.port, self.context))

    def takes(self, answer, key):
        """Whether Windows would take the provisioning document: the certificate is for its key, and there is a server."""
        document = base64.b64decode(re.search(r"DeviceEnrollmentProvisionDoc[^>]*>([^<]+)<", answer).group(1)).decode()
        own = re.search(r'type="User"><characteristic type="[0-9A-F]+"><parm name="EncodedCertificate" value="([^"]+)"', document)
        public = Authority.run("x509", "-inform", "DER", "-noout", "-pubkey", stdin=base64.b64decode(own.group(1)))
        return public == Authority.run("pkey", "-in", key, "-pubout") and 'name="ADDR"' in document


def scenarios():
    yield "success", {}
    for subcode in SUBCODES + INTERNAL:
        yield f"fault-{subcode}", {"fault": (subcode, None, None)}
    for detail in DETAILS:
        yield f"fault-{detail}", {"fault": ("EnrollmentServer", detail, None)}
    yield "discovery-html", {"html": "Discovery.svc"}
    yield "chunked", {"chunked": True}
    yield "wrong-auth-policy", {"auth": "Certificate"}
    yield "request-version", {
        "version": "9.0", "fault_at": "Discovery.svc", "fault": ("InternalServiceFault", None, "Unsupported RequestVersion"),
    }
    yield "other-key", {"other_key": True}
    yield "no-addr", {"no_addr": True}
    yield "tls", {"foreign": True}
    yield "proxy", {"proxy": True}
    yield "empty", {"empty": "Enrollment.svc"}
    yield "http-400", {"refuses": "Policy.svc", "kind": "application/json", "says": b'{"error":"no licence for user@example.test"}'}
    yield "http-400-silent", {"refuses": "Policy.svc"}


def record(name, scenario, target, folder, authority, foreign):
    if scenario.get("other_key"):
        scenario["other_key"] = Authority.run("req", "-new", "-newkey", "rsa:2048", "-nodes", "-sha256", "-subj", "/CN=LabDevice",
                                              "-keyout", os.path.join(folder, "other.key"), "-outform", "DER")
    proxy = scenario.get("proxy", False)
    server = Server(scenario, authority, None if proxy else (foreign if scenario.get("foreign") else authority).path("server.both"))
    keys = os.path.join(target, f"{name}.keys")
    open(keys, "w", encoding="ascii").close()
    context = ssl.create_default_context(cafile=authority.path("ca.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.keylog_filename = keys
    dump = ["tcpdump", "-i", "lo", "-U", "-s", "0", "--immediate-mode", "-B", "65536", "-w", os.path.join(target, f"{name}.pcap"), f"tcp port {server.port}"]
    recorder = subprocess.Popen(dump, stderr=subprocess.PIPE, text=True)
    first = recorder.stderr.readline()
    while first and "listening" not in first:
        first = recorder.stderr.readline()
    time.sleep(0.1)
    try:
        Client(server.port, context, folder, scenario.get("version", "6.0"), proxy).enroll()
    except (OSError, http.client.HTTPException):
        pass
    time.sleep(0.3)
    recorder.terminate()
    recorder.wait()
    server.close()


def main(target, names):
    with tempfile.TemporaryDirectory() as folder:
        authority, foreign = Authority(folder, "Lab CA"), Authority(folder, "Foreign CA")
        authority.server()
        foreign.server()
        for name, scenario in scenarios():
            if not names or name in names:
                record(name, scenario, target, folder, authority, foreign)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
