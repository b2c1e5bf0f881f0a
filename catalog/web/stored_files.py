"""Stored files as they lie on the disk, for programs: whole, or the part of one whose download broke off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.http import HttpRequest, HttpResponseBase, HttpResponseNotModified
from django.utils.http import http_date, parse_etags, quote_etag

from catalog.web.streamed import Streamed, beyond_end, partial_headers, range_of

_BLOCK_BYTES = 256 * 1024


def answer_file(request: HttpRequest, path: Path, name: str, content_type: str) -> HttpResponseBase:
    """Return a file under a name, or what a `Range` asks of it (RFC 9110, one range); 304 where it is known already."""
    known = path.stat()
    tag = f"{known.st_mtime_ns:x}-{known.st_size:x}"
    wanted = range_of(request, known.st_size, tag)
    first, end = wanted or (0, known.st_size)
    if quote_etag(tag) in parse_etags(request.headers.get("If-None-Match", "")):
        answer: HttpResponseBase = HttpResponseNotModified()
    elif wanted is not None and first >= end:
        return beyond_end(known.st_size)
    else:
        answer = Streamed(_parts(path, first, end), content_type=content_type)
        partial_headers(wanted, known.st_size, answer)
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        answer["Last-Modified"] = http_date(known.st_mtime)
    answer["ETag"] = quote_etag(tag)
    answer["Cache-Control"] = "private, no-cache"
    return answer


def _parts(path: Path, first: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        while first < end and (part := file.read(min(_BLOCK_BYTES, end - first))):
            first += len(part)
            yield part
