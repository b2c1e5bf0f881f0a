"""Answers that are made and sent part by part: no more of them is in memory than one part."""

from __future__ import annotations

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse


class Streamed(StreamingHttpResponse):
    """Parts of an iterator that asks the database: each is made in the thread of the request.

    Django's own gathers all of them first where the server is asynchronous.
    """

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = iter(self)

        def following() -> bytes | None:
            return next(parts, None)

        while (part := await sync_to_async(following)()) is not None:
            yield part
