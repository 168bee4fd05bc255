#!/usr/bin/env python3
"""Makes the samples: runs the lab's server and client over loopback and records them.

    tests/lab/make.py [NAME ...]

Needs tcpdump (and the right to capture on the loopback interface), for proxy.har openssl and mitmdump, for http2.pcap
nginx and the Python package h2, and for those over TLS the Python package cryptography.
"""

import contextlib
import http.client
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import dm

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SAMPLES = os.path.join(ROOT, "samples")
SCREEN_LOCK = "./Device/Vendor/MSFT/Policy/Config/DeviceLock/DevicePasswordEnabled"
FIREWALL = "./Vendor/MSFT/Firewall/MdmStore/PublicProfile/EnableFirewall"
SERIAL = "./DevDetail/Ext/Microsoft/DeviceName"


def get(uri):
    return lambda ids: dm.command("Get", next(ids), dm.item(uri))


def replace(uri, form, data):
    return lambda ids: dm.command("Replace", next(ids), dm.item(uri, form, data))


def atomic(*inner):
    def make(ids):
        own = next(ids)
        return f"<Atomic><CmdID>{own}</CmdID>{''.join(command(ids) for command in inner)}</Atomic>"

    return make


def unenroll_alert(cmd_id):
    meta = (
        f'<Meta><Type xmlns="{dm.METINF}">com.microsoft:mdm.unenrollment.userrequest</Type>'
        f'<Format xmlns="{dm.METINF}">int</Format><Mark xmlns="{dm.METINF}">critical</Mark></Meta>'
    )
    return f"<Alert><CmdID>{cmd_id}</CmdID><Data>1226</Data><Item>{meta}<Data>1</Data></Item></Alert>"


TREE = {SERIAL: "LAB-7", FIREWALL: "false", SCREEN_LOCK: "1"}
TWO_ROUNDS = [[get(SERIAL), replace(FIREWALL, "bool", "true")], [get(FIREWALL)]]

ACCOUNT = ("lab-7", "open sesame")
# Where devices listen for pushes.
PUSH = 2948

# name: (server arguments, client arguments, session arguments)
SCENARIOS = {
    "clean": ({"packages": TWO_ROUNDS}, {}, {}),
    "msgid-skipped": ({"packages": TWO_ROUNDS, "msg_ids": [1, 2, 5]}, {}, {}),
    "alert-unanswered": ({"packages": [[get(SERIAL)]], "forget_alert": True}, {}, {}),
    "atomic-rolled-back": (
        {"packages": [[atomic(replace(FIREWALL, "bool", "true"), replace(SCREEN_LOCK, "int", "0"))]]},
        {"read_only": (SCREEN_LOCK,)},
        {},
    ),
    "md5-sessions": ({"packages": TWO_ROUNDS, "account": ACCOUNT}, {"account": ACCOUNT}, {"sessions": ("3", "4")}),
    "md5-nonce-not-decoded": ({"packages": TWO_ROUNDS, "account": ACCOUNT}, {"account": (*ACCOUNT, True)}, {}),
    "user-unenrollment": ({"packages": []}, {}, {"session_id": "2", "alerts": (unenroll_alert,)}),
}

# The example of docs/examples/ci: a server that skips a number and turns the firewall off.
EXAMPLE = os.path.join(ROOT, "docs", "examples", "ci", "recordings", "sync.pcap")
FAULTY = {"packages": [[get(SERIAL), replace(FIREWALL, "bool", "false")], [get(FIREWALL)]], "msg_ids": [1, 2, 5]}


def run(server, client, session, path="/omadm"):
    url = f"http://127.0.0.1:{server.port}{path}"
    device = dm.Client(tree=TREE, **client)
    for session_id in session.pop("sessions", [None]):
        named = {"session_id": session_id} if session_id else {}
        device.session(url, dm.plain(server.port), **session, **named)


@contextlib.contextmanager
def recording(name, port):
    target = EXAMPLE if name == "sync" else os.path.join(SAMPLES, f"{name}.pcap")
    tcpdump = ["tcpdump", "-i", "lo", "-U", "-s", "0", "-w", target, f"tcp port {port} or udp port {PUSH}"]
    recorder = subprocess.Popen(tcpdump, stderr=subprocess.PIPE, text=True)
    recorder.stderr.readline()
    time.sleep(0.5)
    yield
    time.sleep(0.5)
    recorder.terminate()
    recorder.wait()


def record(name, server, client, session):
    lab = dm.Server(**server)
    with recording(name, lab.port):
        run(lab, client, session)
    lab.close()


def notification():
    """The server calls the device by a push; the device writes the number of the session in small letters."""
    lab = dm.Server(packages=[[get(SERIAL)]])
    with recording("notification", lab.port), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.bind(("127.0.0.1", PUSH))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.sendto(dm.push(dm.notification("mdm.example.test", "sesame too", 0x1F)), ("127.0.0.1", PUSH))
        session = int.from_bytes(device.recv(1500)[-19:-17], "big")
        url = f"http://127.0.0.1:{lab.port}/omadm"
        dm.Client(tree=TREE).session(url, dm.plain(lab.port), session_id=f"{session:x}", asked=True)
    lab.close()


def http2():
    """The clean session by HTTP/2 in clear text, nginx before the lab's server."""
    lab = dm.Server(packages=TWO_ROUNDS)
    port = 18080
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "nginx.conf")
        places = "".join(f"{kind}_temp_path {folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(config, "w", encoding="ascii") as out:
            out.write(
                f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/log; events {{}} "
                f"http {{ access_log off; {places} server {{ listen 127.0.0.1:{port} http2; "
                f"location / {{ proxy_pass http://127.0.0.1:{lab.port}; proxy_set_header Host $http_host; }} }} }}"
            )
        server = subprocess.Popen(["nginx", "-c", config], stderr=subprocess.DEVNULL)
        time.sleep(1)
        with recording("http2", port):
            dm.Client(tree=TREE).session(f"http://127.0.0.1:{port}/omadm", lambda: dm.Http2(port))
        server.terminate()
        server.wait()
    lab.close()


def server_log():
    """The clean session again, as a verbose server writes it."""
    target = os.path.join(SAMPLES, "server.log")
    if os.path.exists(target):
        os.remove(target)
    lab = dm.Server(packages=TWO_ROUNDS, log=target)
    run(lab, {}, {})
    lab.close()


def proxy_har():
    """The session with the skipped MsgID through mitmproxy, TLS on both sides, saved as HAR."""
    target = os.path.join(SAMPLES, "proxy.har")
    with tempfile.TemporaryDirectory() as folder:
        key = os.path.join(folder, "server.pem")
        openssl = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
        subprocess.run([*openssl.split(), "-keyout", key, "-out", key + ".crt"], check=True, capture_output=True)
        with open(key, "a", encoding="ascii") as both, open(key + ".crt", encoding="ascii") as certificate:
            both.write(certificate.read())
        lab = dm.Server(packages=TWO_ROUNDS, msg_ids=[1, 2, 5], tls=key)
        mode = f"reverse:https://127.0.0.1:{lab.port}"
        options = ["--set", f"confdir={folder}", "--set", f"hardump={target}", "--ssl-insecure", "-q"]
        proxy = subprocess.Popen(["mitmdump", "--mode", mode, "--listen-port", "18443", *options])
        time.sleep(4)
        context = ssl._create_unverified_context()
        connect = lambda: http.client.HTTPSConnection("127.0.0.1", 18443, timeout=10, context=context)
        dm.Client(tree=TREE).session(f"https://127.0.0.1:{lab.port}/omadm", connect)
        proxy.terminate()
        proxy.wait()
        lab.close()


def over_tls():
    """The clean session by mutual TLS, with its key log beside it."""
    import tls

    key_log = os.path.join(SAMPLES, "mutual-tls.keylog")
    if os.path.exists(key_log):
        os.remove(key_log)
    with tempfile.TemporaryDirectory() as folder:
        tls.session(TREE, TWO_ROUNDS, folder, lambda port: recording("mutual-tls", port), key_log=key_log)


def expired():
    """The device refuses a server whose certificate has expired."""
    import tls

    with tempfile.TemporaryDirectory() as folder:
        recorded = lambda port: recording("tls-certificate-expired", port)
        tls.session(TREE, TWO_ROUNDS, folder, recorded, days=(-400, -35))


def main(names):
    for name, parts in SCENARIOS.items():
        if not names or name in names:
            record(name, *parts)
    others = {
        "sync": lambda: record("sync", FAULTY, {}, {}),
        "notification": notification,
        "http2": http2,
        "server.log": server_log,
        "proxy.har": proxy_har,
        "mutual-tls": over_tls,
        "tls-certificate-expired": expired,
    }
    for name, make in others.items():
        if not names or name in names:
            make()


if __name__ == "__main__":
    main(sys.argv[1:])
