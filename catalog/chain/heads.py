"""Heads of the chain noted outside the database: what tells that its end was cut off, or all of it made anew."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"(\S+) ([1-9]\d*) ([0-9a-f]{64})")


class HeadsRefused(ValueError):
    """A file does not hold noted heads; the text says where."""


@dataclass(frozen=True)
class Head:
    """How the chain ended at a time, in UTC: its last position and that link's hash."""

    position: int
    hash: str
    noted_at: dt.datetime

    def __str__(self) -> str:
        return f"{self.noted_at:%Y-%m-%dT%H:%M:%SZ} {self.position} {self.hash}"


def read_heads(path: Path) -> list[Head]:
    """Return what a file holds, a line "time position hash" for each head; raise HeadsRefused or OSError."""
    return list(_parsed(path.read_text(encoding="utf-8", errors="replace").splitlines(), path))


def _parsed(lines: Iterable[str], path: Path) -> Iterable[Head]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line.strip())
        try:
            if found is None:
                raise ValueError(line)
            noted_at = dt.datetime.fromisoformat(found[1]).astimezone(dt.UTC)
        except ValueError as error:
            raise HeadsRefused(
                f"Line {number} of {path} is not a noted head, “time position hash”: {line[:120]!r}"
            ) from error
        yield Head(int(found[2]), found[3], noted_at)


def note_head(path: Path, head: Head) -> None:
    """Add a head to a file, as a line at its end; raise OSError."""
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{head}\n")
