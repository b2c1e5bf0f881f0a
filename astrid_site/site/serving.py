"""Django behind an ASGI server: each request as a whole in one thread, which keeps its connection to the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import IO

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from astrid_site.site.bodies import Receive, Scope, Send

# So many are answered at once, the others wait: each has a connection to the database.
_MOST_AT_ONCE = 64
# So many stay for the next requests, the last one first. More come and go with a rush.
KEPT = 8

_body: ContextVar[IO[bytes]] = ContextVar("body")


class Site(ASGIHandler):
    """Django, which answers one request in one thread.

    Every view is synchronous. Django itself would change between its loop and a thread twice for each middleware, which
    takes as long as the middlewares; and it would make a thread for each request, with a connection to the database.
    """

    def __init__(self) -> None:
        super(ASGIHandler, self).__init__()
        self.load_middleware(is_async=False)
        self._threads = _Threads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Nobody's slow line keeps a thread before the request is here.
        try:
            _body.set(await super().read_body(receive))
        except RequestAborted:
            return
        async with self._threads.one() as thread, ThreadSensitiveContext(executor=thread):
            await self.handle(scope, receive, send)

    async def read_body(self, receive: Receive) -> IO[bytes]:
        """Return what was read already."""
        return _body.get()

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)

    def close(self) -> None:
        """Let go of the threads and their connections; who comes later gets new ones."""
        self._threads.close()


class _Threads:
    """Single threads that are lent, each to one request at a time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_MOST_AT_ONCE)
        self._idle: list[ThreadPoolExecutor] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[ThreadPoolExecutor]:
        async with self._turns:
            thread = self._idle.pop() if self._idle else ThreadPoolExecutor(1, "request")
            try:
                yield thread
            finally:
                self._idle.append(thread)
                if len(self._idle) > KEPT:
                    _end(self._idle.pop(0))

    def close(self) -> None:
        while self._idle:
            _end(self._idle.pop())


def _end(thread: ThreadPoolExecutor) -> None:
    thread.submit(connections.close_all)
    thread.shutdown(wait=False)
