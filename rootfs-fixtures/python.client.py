#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Waits for the HTTP server on port 8000 of its machine, and prints the page it serves and the user of
the container's first process. Exit code 0 when the page is right."""
import os
import sys
import time
import urllib.error
import urllib.request


def fetch():
    for _ in range(300):
        try:
            return urllib.request.urlopen("http://127.0.0.1:8000/", timeout=30)
        except urllib.error.URLError:
            time.sleep(0.1)
    sys.exit("client: no answer")


with fetch() as answer:
    body = answer.read().decode().strip()
    print(f"{answer.status} {answer.headers['Server']} uid {os.stat('/proc/1').st_uid}: {body}")
    sys.exit(0 if answer.status == 200 and "Hello from Python" in body else 1)
