"""Django behind an ASGI server: each request as a whole in one thread, which keeps its connection to the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import IO, cast

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_started
from django.db import connections
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from astrid_site.site.bodies import Receive, Scope, Send

# So many are answered at once, the others wait: each has a connection to the database.
_MOST_AT_ONCE = 64
# So many stay for the next requests, the last one first. More come and go with a rush.
KEPT = 8


class Site(ASGIHandler):
    """Django, which answers one request in one thread, whole.

    Every view is synchronous. Django itself would change between its loop and a thread five times for each request and
    twice for each middleware, which takes as long as the middlewares; and it would make a thread for each request, with
    a connection to the database.
    """

    def __init__(self) -> None:
        super(ASGIHandler, self).__init__()
        self.load_middleware(is_async=False)
        self._threads = _Threads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Nobody's slow line keeps a thread before the request is here.
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        async with self._threads.one() as thread, ThreadSensitiveContext(executor=thread):
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(thread, copy_context().run, self._answer, scope, body)
            if isinstance(response, StreamingHttpResponse):
                await self._stream(response, receive, send)
        if not response.streaming:
            await self.send_response(response, send)

    def _answer(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        """Answer a request, in its thread; what is not streamed is over with that."""
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        response = cast(HttpResponseBase, refusal if request is None else self.get_response(request))
        response._handler_class = type(self)  # type: ignore[attr-defined]
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if not response.streaming:
            response.close()
            body.close()
        return response

    async def _stream(self, response: StreamingHttpResponse, receive: Receive, send: Send) -> None:
        """Send what comes bit by bit, until its reader has gone."""
        tasks = [
            asyncio.create_task(self.send_response(response, send)),
            asyncio.create_task(self.listen_for_disconnect(receive)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        sent, _ = await asyncio.gather(*tasks, return_exceptions=True)
        await sync_to_async(response.close)()
        if isinstance(sent, Exception):
            raise sent

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
