"""Long answers, sent bit by bit as they are read: neither this process nor its reader ever holds the whole."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from http import HTTPStatus

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import quote_etag

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Streamed(StreamingHttpResponse):
    """What an iterator yields, each bit read in the request's thread when the one before has gone out.

    Django itself would read all of an iterator before it sent anything through an asynchronous server.
    """

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = iter(self)
        following = sync_to_async(lambda: next(parts, None))
        # A part may be empty, which is no end.
        while (part := await following()) is not None:
            yield part


def range_of(request: HttpRequest, size_bytes: int, tag: str) -> tuple[int, int] | None:
    """Return from which byte on, and before which, a client wants something; None for all of it.

    What is no single range counts for nothing, as does one of another version of the thing. One beyond its end is
    returned as it is: its beginning is not before its end.
    """
    match = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    condition = request.headers.get("If-Range")
    if match is None or match[0] == "bytes=-" or (condition is not None and condition != quote_etag(tag)):
        return None
    first, last = match.groups()
    if not first:
        return max(size_bytes - int(last), 0), size_bytes
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size_bytes) if last else size_bytes


def beyond_end(size_bytes: int) -> HttpResponse:
    """Refuse a range that begins beyond the end."""
    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    return HttpResponse(status=status, headers={"Content-Range": f"bytes */{size_bytes}"})


def partial_headers(wanted: tuple[int, int] | None, size_bytes: int, answer: HttpResponseBase) -> None:
    """Say in an answer which part of the whole it is."""
    first, end = wanted or (0, size_bytes)
    answer["Content-Length"] = str(end - first)
    answer["Accept-Ranges"] = "bytes"
    if wanted is not None:
        answer.status_code = HTTPStatus.PARTIAL_CONTENT
        answer["Content-Range"] = f"bytes {first}-{end - 1}/{size_bytes}"
