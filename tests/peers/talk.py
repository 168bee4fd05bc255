#!/usr/bin/env python3
"""Talks over TLS on loopback, so that a test can record it: both ends are here, the TLS is that of real libraries.

    talk.py ADDRESS FOLDER < PLAN > TOLD

PLAN is JSON: `scenarios`, and `exchanges`, a list of pairs of base64, what the client says and what the server answers.
FOLDER has the certificates and keys (rsa.pem, rsa.key, ecdsa.pem, ecdsa.key, client.pem, client.key) and gets the key
logs. TOLD is JSON: what each library says of the last connection of each scenario.
"""

import base64
import json
import socket
import sys
import threading

sys.dont_write_bytecode = True
import gnutls
import openssl
import programs

TIMEOUT = 20


class Plain:
    """No TLS: what the others are compared with."""

    def __init__(self, plan, folder):
        pass

    def accept(self, sock):
        return Wire(sock)

    connect = accept


class Wire:
    def __init__(self, sock):
        self.sock = sock

    def send(self, data):
        self.sock.sendall(data)

    def receive(self, count):
        return self.sock.recv(count)

    def close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def told(self):
        return {}


LIBRARIES = {"plain": Plain, "openssl": openssl.Library, "gnutls": gnutls.Library}


def read(end, length):
    data = b""
    while len(data) < length:
        part = end.receive(length - len(data))
        if not part:
            raise EOFError(f"{len(data)} of {length} bytes came")
        data += part
    return data


def write(end, data, size):
    for at in range(0, len(data), size):
        end.send(data[at : at + size])


def parts(exchanges, connections):
    """The exchanges of each connection: one for each but the last, which has the rest."""
    first = [[exchange] for exchange in exchanges[: connections - 1]]
    return first + [exchanges[connections - 1 :]]


class Scenario:
    def __init__(self, plan, exchanges, address, folder):
        self.plan = plan
        self.parts = parts(exchanges, plan.get("connections", 1))
        self.size = plan.get("write", 1 << 20)
        self.library = LIBRARIES[plan["library"]](plan, folder)
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, plan["port"]))
        self.listener.listen()
        self.failure = None

    def serve(self):
        try:
            for exchanges in self.parts:
                sock, _ = self.listener.accept()
                sock.settimeout(TIMEOUT)
                if self.plan.get("proxy"):
                    self.agree(sock)
                end = self.library.accept(sock)
                for request, response in exchanges:
                    assert read(end, len(request)) == request, "the server got something else"
                    write(end, response, self.size)
                end.close()
                sock.close()
        except Exception as error:
            self.failure = error
        finally:
            self.listener.close()

    def agree(self, sock):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

    def ask(self):
        told = {}
        for exchanges in self.parts:
            sock = socket.socket()
            sock.settimeout(TIMEOUT)
            sock.connect(self.listener.getsockname())
            if self.plan.get("proxy"):
                sock.sendall(b"CONNECT mdm.example.test:443 HTTP/1.1\r\nHost: mdm.example.test:443\r\n\r\n")
                assert b" 200 " in sock.recv(1000)
            end = self.library.connect(sock)
            for turn, (request, response) in enumerate(exchanges):
                if turn > 0:
                    for change in self.plan.get("change", []):
                        getattr(end, change)()
                write(end, request, self.size)
                assert read(end, len(response)) == response, "the client got something else"
            told = end.told()
            end.close()
            sock.close()
        return told

    def run(self):
        server = threading.Thread(target=self.serve, daemon=True)
        server.start()
        try:
            told = self.ask()
        except Exception as error:
            server.join(1)
            raise RuntimeError(f"{self.plan['name']}: {error!r}, the server: {self.failure!r}")
        server.join(TIMEOUT)
        if self.failure:
            raise RuntimeError(f"{self.plan['name']}: the server: {self.failure!r}")
        return told


def main():
    address, folder = sys.argv[1:]
    plan = json.load(sys.stdin)
    exchanges = [tuple(base64.b64decode(side) for side in pair) for pair in plan["exchanges"]]
    told = {}
    for scenario in plan["scenarios"]:
        if scenario["library"] == "programs":
            told[scenario["name"]] = programs.run(scenario, exchanges, address, folder)
        else:
            told[scenario["name"]] = Scenario(scenario, exchanges, address, folder).run()
    json.dump(told, sys.stdout)


main()
