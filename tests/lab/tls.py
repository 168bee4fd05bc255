"""An authority with certificates for server and device, and the sessions over TLS that are recorded with them."""

import datetime
import http.client
import os
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import dm

HOST = "mdm.contoso.test"


class Authority:
    """Issues certificates into a folder, as PEM files with key and certificate."""

    def __init__(self, folder, name="Contoso Device Root"):
        self.folder = folder
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.name = _name(name)
        self.root = self._issue(name, self.name, self.key, [], (-1, 3650), authority=True)

    def issue(self, common_name, hosts=(), days=(-1, 3650), usage=ExtendedKeyUsageOID.SERVER_AUTH):
        """The path of a certificate that is valid from and until so many days from today."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return self._issue(common_name, _name(common_name), key, hosts, days, usage)

    def _issue(self, common_name, subject, key, hosts, days, usage=None, authority=False):
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        first, last = (now + datetime.timedelta(days=count) for count in days)
        builder = x509.CertificateBuilder(self.name, subject, key.public_key(), x509.random_serial_number(), first, last)
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        if hosts:
            names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        path = os.path.join(self.folder, f"{common_name.replace(' ', '-')}.pem")
        plain = (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
        with open(path, "wb") as out:
            out.write(key.private_bytes(*plain))
            out.write(certificate.public_bytes(serialization.Encoding.PEM))
        return path


def _name(common_name):
    parts = [(NameOID.COMMON_NAME, common_name), (NameOID.ORGANIZATION_NAME, "Contoso")]
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])


def connect(port, authority, certificate=None, key_log=None):
    """Opens the device's connection, which checks the server as Windows does: chain, dates, name."""
    context = ssl.create_default_context(cafile=authority.root)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if certificate:
        context.load_cert_chain(certificate)
    if key_log:
        context.keylog_filename = key_log
    connection = http.client.HTTPSConnection(HOST, port, timeout=10, context=context)
    connection._create_connection = lambda address, *rest: _loopback(port)
    return connection


def _loopback(port):
    import socket

    return socket.create_connection(("127.0.0.1", port), timeout=10)


def session(tree, packages, folder, recording, key_log=None, days=(-1, 3650)):
    """One session by mutual TLS, recorded; the server's certificate is valid from and until so many days from today."""
    authority = Authority(folder)
    server = authority.issue(HOST, [HOST], days)
    device = authority.issue("6F1D0C52-8A0E-4C5B-9D53-2F7F5B1C9A10", days=(-1, 365), usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    lab = dm.Server(packages=packages, tls=server, authority=authority.root)
    with recording(lab.port):
        try:
            opened = lambda: connect(lab.port, authority, device, key_log)
            dm.Client(tree=tree).session(f"https://{HOST}:{lab.port}/omadm", opened)
        except ssl.SSLCertVerificationError as refused:
            print(refused)
    lab.close()
