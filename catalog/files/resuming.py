"""Downloads that go on where they were cut, over the one door for requests to other machines.

What came so far lies in a file of the caller's, beside it a note of which version of what it is: the server's strong
ETag or the time of its last change. The rest is asked for only if it is still that version (`Range` with `If-Range`,
RFC 9110); a server that cannot do this, or whose file has changed, sends all of it, and what came before is dropped.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

import httpx

from catalog.files.outgoing import Limits, Patience, Progress, check_status, client_of, get, write_body

_PARTIAL, _NOT_SATISFIABLE = httpx.codes.PARTIAL_CONTENT, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE


def fetch_on(
    url: str,
    target: Path,
    limits: Limits,
    progress: Progress | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    turn: Callable[[str], object] | None = None,
) -> int:
    """Write what lies at a URL to a file, from where the last try was cut, and return its bytes.

    `target` comes to be when all is there, and holds nothing else. turn : called with each address before it is asked,
    those of redirects included; how long it waits is not counted. Raises as `outgoing.fetch` and `turn` do; what came
    until then is kept for the next try.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    patience = Patience(limits)
    with _part_of(target) as (path, file), client_of(patience) as client:
        if turn is not None:
            client.event_hooks = {"request": [_taking(turn, patience)]}
        start, version = _left_by_the_last(path, file, url)
        asked = dict(headers or {})
        if start:
            asked |= {"Range": f"bytes={start}-", "If-Range": version}
        response = get(client, url, asked)
        if start and not _goes_on(response, start):
            start = 0
            if response.status_code in (_PARTIAL, _NOT_SATISFIABLE):
                # Another part than was asked for, or none: nothing fits together.
                response.close()
                response = get(client, url, headers)
        with closing(response):
            check_status(response, _PARTIAL if start else httpx.codes.OK)
            file.seek(start)
            file.truncate()
            _note_of(path).write_text(json.dumps({"url": url, "version": _version_of(response)}))
            count = write_body(response, file, patience, progress, start)
        file.flush()
        path.replace(target)
    _note_of(path).unlink(missing_ok=True)
    return count


def _taking(turn: Callable[[str], object], patience: Patience) -> Callable[[httpx.Request], None]:
    """Return what is done before each request."""

    def take(request: httpx.Request) -> None:
        turn(str(request.url))
        patience.begin()

    return take


def give_up(target: Path) -> None:
    """Drop what came so far of a file."""
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    _note_of(part).unlink(missing_ok=True)


@contextmanager
def _part_of(target: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Give the file of what came so far, for this process alone.

    A try that was thought dead may still write to it: then this one begins at another file, which goes with it.
    """
    path = target.with_name(f"{target.name}.part")
    while True:
        with path.open("ab+") as file:
            if not _is_ours(file):
                break
            # Who held it may have moved it to its place meanwhile.
            if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
                yield path, file
                return
    path = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        with path.open("ab+") as file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)
        _note_of(path).unlink(missing_ok=True)


def _is_ours(file: IO[bytes]) -> bool:
    """Take a file for this process alone; it is let go when it is closed, or the process dies."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _note_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _left_by_the_last(path: Path, file: IO[bytes], url: str) -> tuple[int, str]:
    """Return how many bytes came before, and of which version of what lies at a URL; 0 where that is not known."""
    try:
        noted = json.loads(_note_of(path).read_text())
        version = str(noted["version"]) if noted["url"] == url else ""
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        version = ""
    return (file.seek(0, 2), version) if version else (0, "")


def _version_of(response: httpx.Response) -> str:
    """Return what `If-Range` may name: a strong ETag, else the last change; "" where the server tells neither."""
    etag = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return str(etag)
    return str(response.headers.get("Last-Modified", ""))


def _goes_on(response: httpx.Response, start: int) -> bool:
    """Tell whether an answer is what follows after so many bytes."""
    unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
    return response.status_code == _PARTIAL and unit == "bytes" and rest.partition("-")[0] == str(start)
