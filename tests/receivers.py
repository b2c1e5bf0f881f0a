"""Receivers of alerts on this machine: each path answers as a test tells it, and what came is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        return self.headers["webhook-id"]


Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Receivers:
    """Where they are, what came, and how each path answers next; one that is told nothing accepts.

    after : the answers of a path in order, of which the last is given for ever.
    """

    host: str = ""
    came: list[Received] = field(default_factory=list)
    after: dict[str, list[Answer]] = field(default_factory=dict)
    connections: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def at(self, path: str) -> list[Received]:
        return [one for one in self.came if one.path == path]


def saying(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
    """Answer with a status."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@contextmanager
def receiving() -> Iterator[Receivers]:
    """Receive until the block ends."""
    receivers, lock = Receivers(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            with lock:
                receivers.connections += 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                receivers.came.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                answers = receivers.after.get(self.path, [saying(204)])
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
            answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads, request_queue_size = True, 64

        def handle_error(self, *_: object) -> None:
            """Say nothing: senders die, as the tests want it."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    receivers.host = f"127.0.0.1:{server.server_port}"
    try:
        yield receivers
    finally:
        receivers.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def hanging(receivers: Receivers) -> Answer:
    """Accept what comes and answer nothing until the end."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        receivers.ended.wait(30.0)
        handler.close_connection = True

    return answer
