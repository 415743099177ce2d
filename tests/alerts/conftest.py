"""An environment with a ledger, and a receiver of messages on loopback."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from audiencehub.ledger import Ledger
from audiencehub.settings import load

SETTINGS = """
[company]
name = "Acme"
[sources.hubspot]
connector = "hubspot"
[sources.builtwith]
connector = "builtwith"
"""


class Sink:
    """A real HTTP receiver; `answers` are the statuses it gives next, then 200."""

    def __init__(self):
        self.got, self.answers = [], []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.got.append((self.path, dict(self.headers), body))
                status = sink.answers.pop(0) if sink.answers else 200
                if status == 0:
                    self.connection.close()
                    return
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def of(self, path):
        return [one for one in self.got if one[0].startswith(path)]

    def said(self):
        return [json.loads(body) for _, _, body in self.of("/hook")]

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def now():
    return datetime(2026, 11, 16, 9, tzinfo=UTC)


@pytest.fixture
def sink():
    made = Sink()
    yield made
    made.close()


@pytest.fixture
def environment(tmp_path):
    """`environment(more)`: the settings of `prod`, with more lines of TOML."""

    def make(more=""):
        (tmp_path / "deployments").mkdir(exist_ok=True)
        (tmp_path / "deployments/prod.toml").write_text(SETTINGS + more, "utf-8")
        return load("prod", tmp_path)

    return make


@pytest.fixture
def ledger(environment):
    made = Ledger.open(environment().folder)
    yield made
    made.close()
