"""OpenSSL, as Python's ssl module has it."""

import ssl
import warnings

warnings.simplefilter("ignore", DeprecationWarning)
VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
# Options that the module has no names for (openssl/ssl.h).
OPTIONS = {"no-ems": 1 << 0, "no-etm": 1 << 19, "no-ticket": 1 << 14}


class Library:
    def __init__(self, plan, folder):
        kind = plan.get("certificate", "rsa")
        self.server = self.context(ssl.PROTOCOL_TLS_SERVER, plan, folder)
        self.server.load_cert_chain(f"{folder}/{kind}.pem", f"{folder}/{kind}.key")
        self.client = self.context(ssl.PROTOCOL_TLS_CLIENT, plan, folder)
        self.client.check_hostname = False
        self.client.verify_mode = ssl.CERT_NONE
        if plan.get("client_certificate"):
            self.server.verify_mode = ssl.CERT_REQUIRED
            self.server.load_verify_locations(f"{folder}/client.pem")
            self.client.load_cert_chain(f"{folder}/client.pem", f"{folder}/client.key")
        if plan.get("retry"):
            # The client's first guess is another group.
            self.server.set_ecdh_curve("secp384r1")
        if plan.get("dh"):
            self.server.load_dh_params(f"{folder}/dh.pem")
        self.session = None

    def context(self, side, plan, folder):
        context = ssl.SSLContext(side)
        context.minimum_version = context.maximum_version = VERSIONS[plan["version"]]
        context.set_ciphers(plan.get("cipher", "ALL") + ":@SECLEVEL=0")
        context.keylog_filename = f"{folder}/openssl.log"
        for option in plan.get("options", []):
            context.options |= OPTIONS[option]
        if "alpn" in plan:
            context.set_alpn_protocols([plan["alpn"]])
        return context

    def accept(self, sock):
        return End(self, self.server.wrap_socket(sock, server_side=True))

    def connect(self, sock):
        secure = self.client.wrap_socket(sock, server_hostname="mdm.example.test", session=self.session)
        return End(self, secure)


class End:
    def __init__(self, library, sock):
        self.library, self.sock = library, sock

    def send(self, data):
        self.sock.sendall(data)

    def receive(self, count):
        return self.sock.recv(count)

    def close(self):
        if not self.sock.server_side:
            self.library.session = self.sock.session
        try:
            self.sock.unwrap()
        except (ssl.SSLError, OSError):
            pass
        self.sock.close()

    def told(self):
        name, _, _ = self.sock.cipher()
        return {"version": self.sock.version(), "cipher": name, "resumed": self.sock.session_reused}
