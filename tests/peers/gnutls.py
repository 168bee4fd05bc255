"""GnuTLS, called through ctypes: it has what other libraries gave up (RC4, 3DES) and lets a program steer the protocol."""

import ctypes
import socket
import struct
import time
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_ssize_t, c_uint, c_void_p, create_string_buffer

try:
    lib = ctypes.CDLL("libgnutls.so.30")
except OSError:
    lib = None

SERVER, CLIENT = 1, 2
CERTIFICATES, PEM, DNS, REQUIRE, ASK_PEER = 1, 1, 1, 2, 1
AGAIN, INTERRUPTED, REHANDSHAKE = -28, -52, -37
TIMEOUT = 10


class Datum(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("size", c_uint)]


if lib:
    lib.gnutls_record_send.restype = lib.gnutls_record_recv.restype = c_ssize_t
    lib.gnutls_record_send.argtypes = lib.gnutls_record_recv.argtypes = [c_void_p, c_void_p, c_size_t]
    lib.gnutls_strerror.restype = lib.gnutls_session_get_desc.restype = c_char_p
    lib.gnutls_session_get_desc.argtypes = [c_void_p]
    lib.gnutls_session_set_data.argtypes = [c_void_p, c_void_p, c_size_t]
    lib.gnutls_credentials_set.argtypes = [c_void_p, c_int, c_void_p]
    lib.gnutls_server_name_set.argtypes = [c_void_p, c_int, c_char_p, c_size_t]
    lib.gnutls_record_set_max_size.argtypes = [c_void_p, c_size_t]


def check(code):
    if code < 0:
        raise RuntimeError(lib.gnutls_strerror(code).decode())
    return code


def patiently(call, *arguments):
    """Calls until it is done: AGAIN comes after a message of the protocol too, and after a wait in vain."""
    deadline = time.monotonic() + TIMEOUT
    while (code := call(*arguments)) in (AGAIN, INTERRUPTED) and time.monotonic() < deadline:
        pass
    return code


class Library:
    def __init__(self, plan, folder):
        self.plan, self.session = plan, None
        kind = plan.get("certificate", "rsa")
        self.server = self.credentials(f"{folder}/{kind}")
        self.client = self.credentials(f"{folder}/client" if plan.get("client_certificate") else None)
        if plan.get("client_certificate"):
            check(lib.gnutls_certificate_set_x509_trust_file(self.server, f"{folder}/client.pem".encode(), PEM))
        self.ticket_key = Datum()
        check(lib.gnutls_session_ticket_key_generate(byref(self.ticket_key)))

    def credentials(self, name):
        made = c_void_p()
        check(lib.gnutls_certificate_allocate_credentials(byref(made)))
        if name:
            files = f"{name}.pem".encode(), f"{name}.key".encode()
            check(lib.gnutls_certificate_set_x509_key_file(made, *files, PEM))
        return made

    def begin(self, sock, side, credentials, priority):
        session = c_void_p()
        check(lib.gnutls_init(byref(session), side))
        check(lib.gnutls_priority_set_direct(session, priority.encode(), None))
        check(lib.gnutls_credentials_set(session, CERTIFICATES, credentials))
        # Blocking for the library, up to a time.
        sock.setblocking(True)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", TIMEOUT, 0))
        lib.gnutls_transport_set_int2(session, sock.fileno(), sock.fileno())
        if "record" in self.plan:
            check(lib.gnutls_record_set_max_size(session, self.plan["record"]))
        if "alpn" in self.plan:
            name = create_string_buffer(self.plan["alpn"].encode())
            datum = Datum(ctypes.cast(name, c_void_p), len(self.plan["alpn"]))
            check(lib.gnutls_alpn_set_protocols(session, byref(datum), 1, 0))
        return session

    def accept(self, sock):
        session = self.begin(sock, SERVER, self.server, self.plan.get("server", self.plan["priority"]))
        check(lib.gnutls_session_ticket_enable_server(session, byref(self.ticket_key)))
        if self.plan.get("client_certificate"):
            lib.gnutls_certificate_server_set_request(session, REQUIRE)
        end = End(self, session)
        end.handshake()
        return end

    def connect(self, sock):
        session = self.begin(sock, CLIENT, self.client, self.plan["priority"])
        name = b"mdm.example.test"
        check(lib.gnutls_server_name_set(session, DNS, name, len(name)))
        if self.session:
            check(lib.gnutls_session_set_data(session, self.session, len(self.session)))
        end = End(self, session)
        end.handshake()
        return end


class End:
    def __init__(self, library, session):
        self.library, self.session = library, session

    def handshake(self):
        check(patiently(lib.gnutls_handshake, self.session))

    def send(self, data):
        while data:
            data = data[check(patiently(lib.gnutls_record_send, self.session, data, len(data))) :]

    def receive(self, count):
        buffer = create_string_buffer(count)
        while (got := patiently(lib.gnutls_record_recv, self.session, buffer, count)) == REHANDSHAKE:
            self.handshake()
        return buffer.raw[: check(got)]

    def update(self):
        """A new key for each side (TLS 1.3)."""
        check(lib.gnutls_session_key_update(self.session, ASK_PEER))

    renegotiate = handshake

    def close(self):
        data = Datum()
        if lib.gnutls_session_get_data2(self.session, byref(data)) >= 0:
            self.library.session = ctypes.string_at(data.data, data.size)
        lib.gnutls_bye(self.session, 0)
        lib.gnutls_deinit(self.session)

    def told(self):
        resumed = lib.gnutls_session_is_resumed(self.session) != 0
        return {"description": lib.gnutls_session_get_desc(self.session).decode(), "resumed": resumed}
