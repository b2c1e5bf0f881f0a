"""Clients that wait for alerts, without a thread or a connection to the database for each.

Django answers at once, always. Where it says that there is nothing yet, or that a stream goes on, this layer in front
of it keeps the client, and asks Django again when the publisher has told the database: with the same headers, so that a
token that was revoked meanwhile gets nothing more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql

from astrid_site.site.bodies import Message, Receive, Scope, Send, answer
from astrid_site.site.serving import Site
from catalog.web.rest.problems import PREFIX, problem
from curation.alerts.api import FOLLOW, HOLD, MORE
from curation.alerts.publishing import CHANNEL
from curation.models import AlertPublication

logger = logging.getLogger(__name__)

_PATHS = (f"{PREFIX}alerts/feed/", f"{PREFIX}alerts/stream")
# Where no word comes, as through a pool of connections, what was published is looked for so often.
_LOOK_SECONDS = 3.0
_RETRY_SECONDS = 2.0
# A line without meaning, so that proxies keep a silent stream open, and one that was left is noticed.
_ALIVE_SECONDS = 15.0
_ALIVE = b": nothing new\n\n"
# Clients that are woken together ask a few at a time: each has a connection of its own meanwhile.
_AT_ONCE = 8
_RETRY_AFTER = "5"
# What Django gives its own connections, and libpq does not know.
_NOT_OF_LIBPQ = frozenset({"context", "cursor_factory", "prepare_threshold", "pool"})


class Bell:
    """Rings when something was published; who looks at `count` before they ask miss no ring."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def ring(self) -> None:
        self.count += 1
        rung, self._next = self._next, asyncio.Event()
        rung.set()

    async def after(self, count: int) -> None:
        """Wait for a ring after the one of that number."""
        if self.count == count:
            await self._next.wait()


@dataclass
class Answer:
    """What Django answered, as a whole."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)

    async def receive(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    def take(self, name: str) -> str | None:
        """Return a header that is meant for this layer, and keep it from the client."""
        key = name.lower().encode()
        found = next((value for header, value in self.headers if header.lower() == key), None)
        self.headers = [(header, value) for header, value in self.headers if header.lower() != key]
        return None if found is None else found.decode()


class Waiting:
    """The layer in front of Django: one for each process."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._bell = Bell()
        # How many clients wait now.
        self.kept = 0
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._listener: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in _PATHS:
            await self._serve(scope, receive, send)
        else:
            await self._site(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Begin and end with the server."""
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.wait([self._listener])
        self._site.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        heard = self._bell.count
        first = await self._ask(scope)
        seconds, cursor = first.take(HOLD), first.take(FOLLOW)
        if seconds is None and cursor is None:
            await _pass_on(send, first)
        elif self.kept >= settings.ASTRID_MOST_WAITING:
            refusal = problem(
                503, "too_many_waiting", "Too many clients are waiting for alerts: ask again, without `wait`."
            )
            refusal["Retry-After"] = _RETRY_AFTER
            await answer(send, refusal)
        else:
            await self._keep(_Kept(scope, send, heard, first), _left(receive), seconds, cursor)

    async def _keep(
        self, kept: _Kept, leaving: Coroutine[object, object, None], seconds: str | None, cursor: str | None
    ) -> None:
        """Keep a client until it has what it waits for, or goes."""
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())
        self.kept += 1
        gone = asyncio.create_task(leaving)
        try:
            if seconds is not None:
                kept.scope = _from(kept.scope, cursor or "")
                await self._hold(kept, gone, time.monotonic() + float(seconds))
            else:
                await self._follow(kept, gone, cursor or "")
        finally:
            self.kept -= 1
            gone.cancel()

    async def _hold(self, kept: _Kept, gone: asyncio.Task[None], deadline: float) -> None:
        """Answer when there is something, or when the time is over."""
        last = kept.first
        while (left := deadline - time.monotonic()) > 0.0:
            if await self._rang(kept.heard, gone, left):
                kept.heard = self._bell.count
                last = await self._ask_again(kept.scope)
                last.take(FOLLOW)
                if last.take(HOLD) is None:
                    break
            if gone.done():
                return
        await _pass_on(kept.send, last)

    async def _follow(self, kept: _Kept, gone: asyncio.Task[None], cursor: str) -> None:
        """Send each event when it comes."""
        last, has_more = kept.first, kept.first.take(MORE) is not None
        unlimited = [(name, value) for name, value in last.headers if name.lower() != b"content-length"]
        headers = [*unlimited, (b"x-accel-buffering", b"no")]
        await kept.send({"type": "http.response.start", "status": last.status, "headers": headers})
        # At once, so that a client knows that it is heard.
        await _send_more(kept.send, last.body or _ALIVE)
        while not gone.done():
            # After a page there may be another one; after nothing one waits.
            if not last.body and not has_more and not await self._rang(kept.heard, gone, _ALIVE_SECONDS):
                if not gone.done():
                    await _send_more(kept.send, _ALIVE)
                continue
            kept.heard = self._bell.count
            last = await self._ask_again(_from(kept.scope, cursor))
            if last.status != 200:
                break
            cursor, has_more = last.take(FOLLOW) or cursor, last.take(MORE) is not None
            if last.body:
                await _send_more(kept.send, last.body)
        if not gone.done():
            await kept.send({"type": "http.response.body", "body": b""})

    async def _rang(self, heard: int, gone: asyncio.Task[None], seconds: float) -> bool:
        """Wait for a ring; False where the time is over before, or the client has gone."""
        bell = asyncio.create_task(self._bell.after(heard))
        try:
            await asyncio.wait({bell, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return bell.done()
        finally:
            bell.cancel()

    async def _ask_again(self, scope: Scope) -> Answer:
        async with self._turns:
            return await self._ask({**scope, "astrid.repeat": True})

    async def _ask(self, scope: Scope) -> Answer:
        """Let Django answer, without its knowing of the client's connection."""
        found = Answer()
        await self._site(scope, _silent(), found.receive)
        return found

    async def _listen(self) -> None:
        """Ring whenever something was published, for ever."""
        while True:
            try:
                await self._listen_once()
            except (psycopg.Error, OSError) as error:
                logger.warning("The database tells of no publications (%s): trying again", error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _listen_once(self) -> None:
        given = connections["default"].get_connection_params()
        parameters = {name: value for name, value in given.items() if name not in _NOT_OF_LIBPQ}
        latest = sql.SQL("SELECT max(sequence) FROM {}").format(sql.Identifier(AlertPublication._meta.db_table))
        connection = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
        async with connection:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
            known: object = ()
            while True:
                async with asyncio.timeout(_LOOK_SECONDS):
                    found = await (await connection.execute(latest)).fetchone()
                if found != known:
                    known = found
                    self._bell.ring()
                async for _ in connection.notifies(timeout=_LOOK_SECONDS, stop_after=1):
                    pass  # The look at the table tells.


@dataclass
class _Kept:
    """A client that is kept: what it asked, and the ring before its last answer."""

    scope: Scope
    send: Send
    heard: int
    first: Answer


def _silent() -> Receive:
    """Return what Django hears from a client that says nothing and stays."""
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody answers this")

    return receive


async def _left(receive: Receive) -> None:
    """Wait until the client goes."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _pass_on(send: Send, found: Answer) -> None:
    await send({"type": "http.response.start", "status": found.status, "headers": found.headers})
    await send({"type": "http.response.body", "body": bytes(found.body)})


async def _send_more(send: Send, body: bytes | bytearray) -> None:
    with contextlib.suppress(OSError):
        await send({"type": "http.response.body", "body": bytes(body), "more_body": True})


def _from(scope: Scope, cursor: str) -> Scope:
    """Return the same request for what comes after a cursor."""
    others = [(name, value) for name, value in scope["headers"] if name.lower() != b"last-event-id"]
    return {**scope, "headers": [*others, (b"last-event-id", cursor.encode())]}
