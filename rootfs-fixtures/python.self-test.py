#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The python fixture's entrypoint: serves the current directory on port 8000.

With --once it asks itself for one page, prints what came, and ends; without, it serves until a
signal ends it.
"""
import functools
import http.server
import os
import sys
import threading
import urllib.request

PORT = 8000


def fetch_once():
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=30) as answer:
        body = answer.read().decode()
        print(f"{answer.status} {answer.headers['Server']} uid {os.getuid()}: {body.strip()}")
        return 0 if answer.status == 200 and "Hello from Python" in body else 1


def main():
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=".")
    server = http.server.ThreadingHTTPServer(("", PORT), handler)
    if "--once" not in sys.argv[1:]:
        server.serve_forever()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return fetch_once()


if __name__ == "__main__":
    sys.exit(main())
