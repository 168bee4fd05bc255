"""A little OMA DM 1.2 server and client, enough to record honest sessions over real sockets.

The server sends the packages of a scenario and answers what the client says; the client keeps a small management
tree and answers what the server asks, in the form that Windows' client uses. Both know nothing of the recorder.
"""

import base64
import hashlib
import http.client
import http.server
import os
import re
import socket
import ssl
import threading
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

SYNCML = "SYNCML:SYNCML1.2"
METINF = "syncml:metinf"
TYPE = "application/vnd.syncml.dm+xml"
DEVICE = "urn:uuid:6f1d0c52-8a0e-4c5b-9d53-2f7f5b1c9a10"
DEVINFO = {
    "./DevInfo/DevId": DEVICE,
    "./DevInfo/Man": "Contoso",
    "./DevInfo/Mod": "Lab Laptop 7",
    "./DevInfo/DmV": "1.3",
    "./DevInfo/Lang": "en-US",
}


def q(name):
    return "{%s}%s" % (SYNCML, name)


def text(element, path, default=None):
    found = element.find("/".join(q(step) for step in path.split("/")))
    return default if found is None or found.text is None else found.text.strip()


def message(session, msg_id, target, source, commands, final=True, user=None, cred=""):
    """One SyncML document, on one line, as both ends send it."""
    name = f"<LocName>{escape(user)}</LocName>" if user else ""
    return (
        f'<SyncML xmlns="{SYNCML}"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>'
        f"<SessionID>{session}</SessionID><MsgID>{msg_id}</MsgID>"
        f"<Target><LocURI>{escape(target)}</LocURI></Target><Source><LocURI>{escape(source)}</LocURI>{name}</Source>{cred}</SyncHdr>"
        f"<SyncBody>{''.join(commands)}{'<Final/>' if final else ''}</SyncBody></SyncML>"
    ).encode()


def status(cmd_id, msg_ref, cmd_ref, cmd, code, chal=""):
    return (
        f"<Status><CmdID>{cmd_id}</CmdID><MsgRef>{msg_ref}</MsgRef><CmdRef>{cmd_ref}</CmdRef>"
        f"<Cmd>{cmd}</Cmd>{chal}<Data>{code}</Data></Status>"
    )


def meta(form, kind=None):
    kind = f'<Type xmlns="{METINF}">{kind}</Type>' if kind else ""
    return f'<Meta><Format xmlns="{METINF}">{form}</Format>{kind}</Meta>'


def b64_md5(data):
    return base64.b64encode(hashlib.md5(data).digest())


def notification(server, secret, session, nonce=bytes(4)):
    """Package 0: digest, version 1.1, in the background, by the server, the session, the server's name."""
    fields = 11 << 54 | 1 << 52 | 1 << 51 | session << 8 | len(server)
    trigger = fields.to_bytes(8, "big") + server.encode()
    account = b64_md5(f"{server}:{secret}".encode())
    return hashlib.md5(account + b":" + nonce + b":" + b64_md5(trigger)).digest() + trigger


def push(content):
    """A push PDU of WSP with the codes of a notification: content type 0x44, application 0x07."""
    return bytes([1, 6, 3, 0xC4, 0xAF, 0x87]) + content


class Account:
    """A user with a secret and the nonce for the next digest (RP 5.3). One that is `hasty` does not decode nonces."""

    def __init__(self, user, secret, hasty=False):
        self.user = user
        self.secret = secret
        self.hasty = hasty
        self.nonce = None

    def digest(self):
        nonce = base64.b64encode(self.nonce) if self.hasty else self.nonce
        return b64_md5(b64_md5(f"{self.user}:{self.secret}".encode()) + b":" + nonce).decode()

    def cred(self):
        """The client's credentials; none as long as it has no nonce."""
        return f"<Cred>{meta('b64', 'syncml:auth-md5')}<Data>{self.digest()}</Data></Cred>" if self.nonce else ""

    def challenge(self):
        """The server's challenge, with a nonce of its own."""
        self.nonce = os.urandom(16)
        nonce = base64.b64encode(self.nonce).decode()
        form = meta("b64", "syncml:auth-md5").replace("</Meta>", f'<NextNonce xmlns="{METINF}">{nonce}</NextNonce></Meta>')
        return f"<Chal>{form}</Chal>"

    def learn(self, document):
        """Takes the nonce that a server's message brings."""
        nonce = ET.fromstring(document).find(".//{%s}NextNonce" % METINF)
        if nonce is not None:
            self.nonce = base64.b64decode(nonce.text)


def item(uri, form=None, data=None):
    inner = f"<Target><LocURI>{escape(uri)}</LocURI></Target>"
    if form:
        inner += meta(form)
    if data is not None:
        inner += f"<Data>{escape(data)}</Data>"
    return f"<Item>{inner}</Item>"


def command(name, cmd_id, *items):
    return f"<{name}><CmdID>{cmd_id}</CmdID>{''.join(items)}</{name}>"


def top_level(document):
    """The commands of a document in order, with those inside containers after their container."""
    body = ET.fromstring(document).find(q("SyncBody"))
    for element in body:
        name = element.tag.split("}")[1]
        yield name, element, None
        if name in ("Atomic", "Sequence"):
            for child in element:
                child_name = child.tag.split("}")[1]
                if child.find(q("CmdID")) is not None:
                    yield child_name, child, element


class Server:
    """A management server over HTTP or HTTPS. `packages` are lists of command makers, one list a message. With an
    account it wants to know who is there first."""

    def __init__(self, packages, msg_ids=None, forget_alert=False, log=None, tls=None, account=None, authority=None):
        self.packages = packages
        self.account = account and Account(*account)
        self.known = set()
        self.msg_ids = msg_ids or list(range(1, 100))
        self.forget_alert = forget_alert
        self.log = log
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            server_version = "lab-mdm"
            sys_version = ""

            def do_POST(self):
                request = self.rfile.read(int(self.headers["Content-Length"]))
                response = outer.answer(request)
                self.send_response(200)
                self.send_header("Content-Type", TYPE)
                self.send_header("Content-Length", str(len(response)))
                self.end_headers()
                self.wfile.write(response)
                outer.record(self, request, response)

            def log_message(self, *_):
                pass

        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            if authority:
                context.load_verify_locations(authority)
                context.verify_mode = ssl.CERT_REQUIRED
            self.httpd.socket = context.wrap_socket(self.httpd.socket, server_side=True)
        self.port = self.httpd.server_address[1]
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    def answer(self, request):
        document = ET.fromstring(request)
        client_msg = int(text(document, "SyncHdr/MsgID"))
        cmd_id = iter(range(1, 1000))
        code, chal = self.judge(document)
        out = [status(next(cmd_id), client_msg, 0, "SyncHdr", code, chal)]
        for name, element, _ in top_level(request):
            if name in ("Status", "Results", "Final"):
                continue
            if self.forget_alert and name == "Alert" and text(element, "Data") == "1224":
                continue
            out.append(status(next(cmd_id), client_msg, text(element, "CmdID"), name, 200 if code == 212 else code))
        package = client_msg - 1 - self.refused
        if code in (200, 212) and package < len(self.packages):
            out += [make(cmd_id) for make in self.packages[package]]
        return message(
            text(document, "SyncHdr/SessionID"),
            self.msg_ids[client_msg - 1],
            text(document, "SyncHdr/Source/LocURI"),
            text(document, "SyncHdr/Target/LocURI"),
            out,
        )

    def judge(self, document):
        """The code for the header, and a challenge: 407 without credentials, 212 and the next nonce with the right ones."""
        session = text(document, "SyncHdr/SessionID")
        if text(document, "SyncHdr/MsgID") == "1":
            self.refused = 0
        if not self.account or session in self.known:
            return 200, ""
        data = text(document, "SyncHdr/Cred/Data")
        if data is None or self.account.nonce is None or data != self.account.digest():
            self.refused += 1
            return (407 if data is None else 401), self.account.challenge()
        self.known.add(session)
        return 212, self.account.challenge()

    def record(self, handler, request, response):
        """A verbose server's log: request and response, heads and bodies."""
        if not self.log:
            return
        with open(self.log, "a", encoding="utf-8") as out:
            bar = "=" * 30
            heads = "".join(f"{name}: {value}\n" for name, value in handler.headers.items())
            out.write(f"\n{bar} Input Request {bar}\n----------- Input Header -----------\n")
            out.write(f" {handler.command} {handler.path} {handler.request_version}\n{heads}\n")
            out.write(f"----------- Input Body -----------\n{request.decode()}\n{bar}\n")
            out.write(f"\n{bar} Output Response {bar}\n----------- Response Header -----------\n")
            out.write(f" HTTP/1.1 200 OK\nContent-Type: {TYPE}\nContent-Length: {len(response)}\n\n")
            out.write(f"----------- Response Body -----------\n{response.decode()}\n{bar}\n")

    def close(self):
        self.httpd.shutdown()
        self.httpd.server_close()


class Client:
    """A device: a small tree of nodes, and a session with one server."""

    def __init__(self, tree=None, read_only=(), account=None):
        self.account = account and Account(*account)
        self.tree = {"./DevDetail/SwV": "10.0.26100.2033", **DEVINFO, **(tree or {})}
        self.read_only = read_only

    def session(self, url, connect, session_id="1", alerts=(), asked=False):
        """Runs one session; `connect` opens an http.client connection."""
        connection = connect()
        cmd_id = iter(range(2, 1000))
        package_1 = [f"<Alert><CmdID>{next(cmd_id)}</CmdID><Data>{1200 if asked else 1201}</Data></Alert>"]
        login = f'<Meta><Type xmlns="{METINF}">com.microsoft/MDM/LoginStatus</Type></Meta>'
        package_1.append(f"<Alert><CmdID>{next(cmd_id)}</CmdID><Data>1224</Data><Item>{login}<Data>user</Data></Item></Alert>")
        package_1 += [alert(next(cmd_id)) for alert in alerts]
        items = "".join(
            f"<Item><Source><LocURI>{uri}</LocURI></Source><Data>{escape(value)}</Data></Item>"
            for uri, value in DEVINFO.items()
        )
        package_1.append(f"<Replace><CmdID>{next(cmd_id)}</CmdID>{items}</Replace>")
        body, msg_id = package_1, 1
        user, cred = (self.account.user, self.account.cred()) if self.account else (None, "")
        while True:
            document = message(session_id, msg_id, url, DEVICE, body, user=user, cred=cred)
            response = self.post(connection, url, document)
            body, commands = self.execute(response)
            code = text(ET.fromstring(response), "SyncBody/Status/Data")
            if self.account:
                self.account.learn(response)
                cred = self.account.cred() if code in ("401", "407") else ""
            if cred and code == "401" and msg_id > 1:
                connection.close()
                return
            if cred:
                body += package_1
            elif not commands:
                connection.close()
                return
            msg_id += 1

    def post(self, connection, url, document):
        path = re.sub(r"^https?://[^/]+", "", url)
        headers = {
            "Content-Type": TYPE,
            "Accept": "application/vnd.syncml.dm+xml, application/vnd.syncml.dm+wbxml, application/octet-stream",
            "Accept-Charset": "UTF-8",
            "User-Agent": "MSFT OMA DM Client/1.2.0.1",
        }
        connection.request("POST", path + "?mode=Maintenance&Platform=WoA", document, headers)
        return connection.getresponse().read()

    def execute(self, document):
        """The answers to a server message, and whether it held commands."""
        msg_ref = text(ET.fromstring(document), "SyncHdr/MsgID")
        cmd_id = iter(range(1, 1000))
        out = [status(next(cmd_id), msg_ref, 0, "SyncHdr", 200)]
        commands = 0
        atomic_failed = {}
        for name, element, container in top_level(document):
            if name in ("Status", "Final"):
                continue
            commands += 1
            code, results = self.outcome(name, element, container, atomic_failed)
            ref = text(element, "CmdID")
            out.append(status(next(cmd_id), msg_ref, ref, name, code))
            if results:
                out.append(
                    f"<Results><CmdID>{next(cmd_id)}</CmdID><MsgRef>{msg_ref}</MsgRef><CmdRef>{ref}</CmdRef>"
                    f"{results}</Results>"
                )
        return out, commands

    def outcome(self, name, element, container, atomic_failed):
        if name == "Atomic":
            children = [child for child in element if child.find(q("CmdID")) is not None]
            failed = any(text(child, "Item/Target/LocURI") in self.read_only for child in children)
            atomic_failed[element] = failed
            return (507 if failed else 200), None
        uri = text(element, "Item/Target/LocURI")
        if container is not None and atomic_failed.get(container):
            return (405 if uri in self.read_only else 216), None
        if name == "Get":
            if uri not in self.tree:
                return 404, None
            value = self.tree[uri]
            form = format_of(value)
            kind = meta(form) if form != "chr" else ""
            return 200, f"<Item><Source><LocURI>{uri}</LocURI></Source>{kind}<Data>{escape(value)}</Data></Item>"
        if name == "Replace" and uri not in self.tree:
            return 404, None
        self.tree[uri] = text(element, "Item/Data", "")
        return 200, None


def format_of(value):
    """The format of a node of the lab's tree, which holds no texts that look like something else."""
    return "bool" if value in ("true", "false") else "int" if value.isdigit() else "chr"


def plain(port):
    return lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=10)


class Http2:
    """A connection in the manner of http.client, by HTTP/2 with prior knowledge. Needs the package h2."""

    def __init__(self, port):
        import h2.connection

        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.authority = f"127.0.0.1:{port}"
        self.http = h2.connection.H2Connection()
        self.http.initiate_connection()
        self.stream = None

    def request(self, method, path, body, headers):
        self.stream = self.http.get_next_available_stream_id()
        start = [(":method", method), (":scheme", "http"), (":path", path), (":authority", self.authority)]
        fields = [(name.lower(), value) for name, value in headers.items()]
        self.http.send_headers(self.stream, start + fields + [("content-length", str(len(body)))])
        size = self.http.max_outbound_frame_size
        for at in range(0, len(body), size):
            self.http.send_data(self.stream, body[at : at + size])
        self.http.end_stream(self.stream)
        self.socket.sendall(self.http.data_to_send())

    def getresponse(self):
        return self

    def read(self):
        import h2.events

        body = b""
        while True:
            for event in self.http.receive_data(self.socket.recv(65536)):
                if isinstance(event, h2.events.DataReceived):
                    body += event.data
                    self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded) and event.stream_id == self.stream:
                    return body
            self.socket.sendall(self.http.data_to_send())

    def close(self):
        self.http.close_connection()
        self.socket.sendall(self.http.data_to_send())
        self.socket.close()
