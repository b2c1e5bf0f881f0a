"""Answers that are made while they are sent, each part in the thread of their request, with its connection."""

from __future__ import annotations

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse


class Streamed(StreamingHttpResponse):
    """What an iterator of bytes gives; Django would gather all of it before it sent the first."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = iter(self)
        following = sync_to_async(lambda: next(parts, None))
        while (part := await following()) is not None:
            yield part
