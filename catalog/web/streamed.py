"""Answers that are written while they are sent, however long they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse


class StreamedFile(StreamingHttpResponse):
    """A file to be saved, made part by part: Django's own answer would make all of it before it sends the first."""

    def __init__(self, parts: Iterable[str], name: str, content_type: str) -> None:
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
        super().__init__(parts, content_type=content_type, headers=headers)
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = iter(self._parts)
        while (part := await sync_to_async(lambda: next(parts, None))()) is not None:
            yield self.make_bytes(part)
