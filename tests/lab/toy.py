#!/usr/bin/env python3
"""A toy MDM server with faults, and a device that syncs with it once: something for a linter to find.

    tests/lab/toy.py FOLDER

Prints the server's port, waits for a line on standard input (so that a recorder can be started), runs the session, and
leaves FOLDER/server.log, as a verbose server writes it.
"""

import os
import sys

sys.dont_write_bytecode = True
import dm
import make

# What the server gets wrong: a MsgID is skipped, the Alert for the login is not answered, one Atomic cannot succeed, and
# nodes are named that the device does not have, among them one whose name is awkward for every report.
AWKWARD = "./Vendor/MSFT/Lab/100%,a:b|<c>`d`"
MISSING = [f"./Vendor/MSFT/Lab/Node{number}" for number in range(1, 13)]
PACKAGES = [
    [make.get(make.SERIAL), make.get(AWKWARD), *(make.replace(uri, "chr", "x") for uri in MISSING)],
    [make.atomic(make.replace(make.FIREWALL, "bool", "true"), make.replace(make.SCREEN_LOCK, "int", "0"))],
]


def main(folder):
    server = dm.Server(PACKAGES, msg_ids=[1, 2, 5], forget_alert=True, log=os.path.join(folder, "server.log"))
    print(server.port, flush=True)
    sys.stdin.readline()
    make.run(server, {"read_only": (make.SCREEN_LOCK,)}, {})
    server.close()


if __name__ == "__main__":
    main(sys.argv[1])
