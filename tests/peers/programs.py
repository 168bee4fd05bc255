"""The programs s_server and s_client of OpenSSL, steered through their standard input."""

import os
import subprocess
import threading
import time

TIMEOUT = 20


class Program:
    def __init__(self, arguments):
        command = ["openssl", *arguments]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        self.said, self.at = b"", 0
        self.more = threading.Condition()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while data := os.read(self.process.stdout.fileno(), 1 << 16):
            with self.more:
                self.said += data
                self.more.notify_all()

    def wait_for(self, text):
        deadline = time.monotonic() + TIMEOUT
        with self.more:
            while (found := self.said.find(text, self.at)) < 0:
                if not self.more.wait(deadline - time.monotonic()):
                    raise RuntimeError(f"{text[:60]!r} was not said, but {self.said[self.at :][-600:]!r}")
            self.at = found + len(text)

    def say(self, data):
        self.process.stdin.write(data)
        time.sleep(0.05)

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run(plan, exchanges, address, folder):
    where = f"{address}:{plan['port']}"
    log = ["-keylogfile", f"{folder}/programs.log", "-tls" + plan["version"].replace(".", "_")]
    connections = plan.get("connections", 1)
    serve = ["s_server", "-accept", where, "-naccept", str(connections), *log, *plan.get("server", [])]
    if "-nocert" not in serve:
        serve += ["-cert", f"{folder}/rsa.pem", "-key", f"{folder}/rsa.key"]
    ask = ["s_client", "-connect", where, "-servername", "mdm.example.test", *log, *plan.get("client", [])]
    session = f"{folder}/{plan['port']}.session"
    server = Program(serve)
    try:
        server.wait_for(b"ACCEPT")
        for number in range(connections):
            last = number + 1 == connections
            turns = exchanges[number:] if last else exchanges[number : number + 1]
            more = [] if connections == 1 else ["-sess_in", session] if number > 0 else ["-sess_out", session]
            early = plan.get("early") and number > 0
            if early:
                with open(f"{folder}/early", "wb") as file:
                    file.write(turns[0][0])
                more += ["-early_data", f"{folder}/early"]
            converse(Program(ask + more), server, turns, plan, early and plan["early"][number - 1])
    finally:
        server.end()
    return {}


def converse(client, server, turns, plan, early):
    """`early`: what becomes of the first request, which was given to the client as early data."""
    try:
        if early == "refused":
            server.wait_for(b"Early data was rejected")
        for turn, (request, response) in enumerate(turns):
            if turn > 0:
                for letter in plan.get("change", []):
                    client.say(letter.encode() + b"\n")
                    client.wait_for(b"RENEGOTIATING" if letter == "R" else b"KEYUPDATE")
            if turn > 0 or early != "accepted":
                client.say(request)
            server.wait_for(request)
            server.say(response)
            client.wait_for(response)
        client.say(b"Q\n")
    finally:
        client.end()
