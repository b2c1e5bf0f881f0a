"""Stored files as they lie on the disk, for programs: whole, or the part of one whose download broke off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.utils.http import http_date, parse_etags, quote_etag

from catalog.web.streamed import Streamed

_BLOCK_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def answer_file(request: HttpRequest, path: Path, name: str, content_type: str) -> HttpResponseBase:
    """Return a file under a name, or what a `Range` asks of it (RFC 9110, one range); 304 where it is known already."""
    known = path.stat()
    etag = quote_etag(f"{known.st_mtime_ns:x}-{known.st_size:x}")
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        answer: HttpResponseBase = HttpResponseNotModified()
    else:
        answer = _content(request, path, known.st_size, etag)
        answer.headers.setdefault("Content-Type", content_type)
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        answer["Last-Modified"] = http_date(known.st_mtime)
    answer["ETag"] = etag
    answer["Accept-Ranges"] = "bytes"
    answer["Cache-Control"] = "private, no-cache"
    return answer


def _content(request: HttpRequest, path: Path, size: int, etag: str) -> HttpResponseBase:
    asked = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    # A part of the file as it was is no part of the file as it is.
    is_same = request.headers.get("If-Range", etag) == etag
    first, past = _bounds(asked, size) if asked and is_same else (0, size)
    if first >= past and asked and is_same:
        refusal = HttpResponse(status=416)
        refusal["Content-Range"] = f"bytes */{size}"
        return refusal
    answer = Streamed(_parts(path, first, past), status=200 if (first, past) == (0, size) else 206)
    del answer.headers["Content-Type"]
    answer["Content-Length"] = str(past - first)
    if answer.status_code == 206:
        answer["Content-Range"] = f"bytes {first}-{past - 1}/{size}"
    return answer


def _bounds(asked: re.Match[str], size: int) -> tuple[int, int]:
    """Return the first byte and the one past the last; an empty span where there are none of them."""
    first, last = asked.groups()
    if not first:
        return (max(size - int(last), 0), size) if last and int(last) else (size, size)
    return int(first), min(int(last) + 1, size) if last else size


def _parts(path: Path, first: int, past: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        while first < past and (part := file.read(min(_BLOCK_BYTES, past - first))):
            first += len(part)
            yield part
