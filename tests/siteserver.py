"""The whole site behind a real web server, in this process, on the tests' database."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from astrid_site.site.bodies import bounded
from astrid_site.site.serving import Site
from astrid_site.streaming.waiting import Waiting
from tests.waiting import PATIENCE_SECONDS


@contextmanager
def serving_site(door: Waiting | None = None) -> Iterator[str]:
    """Serve until the block ends; give the address, such as http://127.0.0.1:40123. `door` is where clients wait."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    # So that nobody is refused who comes before the server is ready.
    listening.listen()
    config = uvicorn.Config(
        bounded(door or Waiting(Site())), lifespan="on", log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=PATIENCE_SECONDS)
        listening.close()
        assert not thread.is_alive()
