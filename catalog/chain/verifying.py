"""Walks the chain and compares each link with the line that it covers, a page at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django.db import connection
from django.utils import timezone

from catalog.chain.content import BEGINNING, CONTENT, FIELDS, LATE, digest_of, link_of, microseconds
from catalog.chain.heads import Head

_AT_ONCE = 2000
# So many faults are told one by one; of more the number.
MOST_TOLD = 20
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LATE = LATE // dt.timedelta(microseconds=1)
_AT, _WHAT, _WHO = FIELDS.index("created_at"), FIELDS.index("action"), FIELDS.index("user")
_TYPE, _KEY = FIELDS.index("entity_type"), FIELDS.index("entity_id")

_LINKS = f"""
SELECT seal.position, seal.id::text, {microseconds("seal.created_at")}, seal.digest, seal.hash, {CONTENT}
FROM catalog_auditseal seal LEFT JOIN catalog_auditlog line ON line.id = seal.id
WHERE seal.position > %s ORDER BY seal.position LIMIT {_AT_ONCE}
"""  # noqa: S608
_AT_POSITION = f"""
SELECT seal.hash, {microseconds("least(seal.created_at, line.created_at)")}
FROM catalog_auditseal seal LEFT JOIN catalog_auditlog line ON line.id = seal.id WHERE seal.position = %s
"""  # noqa: S608
_NO_SEAL = "NOT EXISTS (SELECT 1 FROM catalog_auditseal seal WHERE seal.id = line.id)"
_WAITING = f"SELECT count(*), min(line.created_at) FROM catalog_auditlog line WHERE {_NO_SEAL}"  # noqa: S608
_INSERTED = f"""
SELECT {CONTENT} FROM catalog_auditlog line WHERE line.created_at < %s AND {_NO_SEAL}
ORDER BY line.created_at, line.id LIMIT {MOST_TOLD}
"""  # noqa: S608

Content = Sequence[str | None]


@dataclass(frozen=True)
class Link:
    """One link as it is stored, with what the line that it covers holds now; times in microseconds since 1970."""

    position: int
    key: str
    sealed_at: int
    digest: str
    hash: str
    content: Content

    @property
    def is_without_line(self) -> bool:
        return self.content[0] is None


@dataclass
class Report:
    """What a walk found: the first faults in words, in the order of the chain, and what waits to be sealed."""

    begun_after: int = 0
    links: int = 0
    position: int = 0
    hash: str = BEGINNING
    fault_count: int = 0
    faults: list[str] = field(default_factory=list)
    waiting: int = 0
    waiting_since: dt.datetime | None = None

    @property
    def head(self) -> Head:
        return Head(self.position, self.hash, timezone.now())

    @property
    def waits_too_long(self) -> bool:
        """Say whether nobody seals: lines wait for longer than any transaction takes."""
        return self.waiting_since is not None and self.waiting_since < timezone.now() - LATE

    def tell(self, sentence: str) -> None:
        self.fault_count += 1
        if len(self.faults) < MOST_TOLD:
            self.faults.append(sentence)


def verify(heads: Iterable[Head] = (), begin: Head | None = None) -> Report:
    """Walk the chain, from the beginning or after a noted head; compare it with every noted head.

    Each page is read for itself, so that the sealer and its writers go on meanwhile, and memory does not grow.
    """
    report = Report()
    if begin is not None:
        report.begun_after, report.position, report.hash = begin.position, begin.position, begin.hash
    noted = {
        position: list(same)
        for position, same in groupby(sorted(heads, key=lambda head: head.position), lambda head: head.position)
    }
    walk = _Walk(report, noted)
    if begin is not None:
        walk.begin_after(begin)
    for link in _links(report.position):
        walk.look_at(link)
    walk.end()
    _look_for_unsealed(report, walk.newest)
    return report


class _Walk:
    """Where a walk stands, and what it goes by."""

    def __init__(self, report: Report, noted: dict[int, list[Head]]) -> None:
        self.report, self.noted = report, noted
        # The latest time at which a line was certainly written, in microseconds.
        self.newest = 0

    def begin_after(self, head: Head) -> None:
        """Take what a head stands for as it was when it was noted, if the chain still has that head."""
        with connection.cursor() as cursor:
            cursor.execute(_AT_POSITION, [head.position])
            found = cursor.fetchone()
        if found is None:
            self.report.tell(f"Position {head.position} is missing, where a head was noted{_when(head)}: {_CUT}")
        else:
            stored, self.newest = found
            if stored != head.hash:
                self.report.tell(_rewritten(head))

    def look_at(self, link: Link) -> None:
        report = self.report
        report.links += 1
        expected = report.position + 1
        if link.position != expected:
            last = link.position - 1
            report.tell(f"{_positions(expected, last)} missing: removed, or moved to where it is out of order.")
        self._compare(link, follows=link.position == expected)
        for head in self.noted.pop(link.position, []):
            if head.hash != link.hash:
                report.tell(_rewritten(head))
        report.position, report.hash = link.position, link.hash

    def _compare(self, link: Link, *, follows: bool) -> None:
        if link.is_without_line:
            sealed = _in_words(link.sealed_at)
            self.report.tell(f"Position {link.position}: the line {link.key}, sealed {sealed}, was removed.")
            return
        if digest_of(link.content) != link.digest:
            self.report.tell(f"Position {link.position}: {described(link.content)} was altered after it was sealed.")
            return
        if follows and link_of(self.report.hash, link.position, link.sealed_at, link.digest) != link.hash:
            self.report.tell(
                f"Position {link.position}: {described(link.content)} is as it was sealed, but its seal was moved "
                "here or altered."
            )
        written = int(link.content[_AT] or 0)
        if written < self.newest - _LATE:
            self.report.tell(_inserted(link.content, f"Position {link.position}: "))
        # A line from a clock that is fast counts from when it was there.
        self.newest = max(self.newest, min(written, link.sealed_at))

    def end(self) -> None:
        """Compare with heads that were noted beyond the end."""
        for position, heads in sorted(self.noted.items()):
            if position > self.report.position:
                self.report.tell(
                    f"The chain ends at position {self.report.position}, but its head was noted at {position}"
                    f"{_when(heads[0])}: {_CUT}"
                )


_CUT = "its end was cut off, or lines and seals were removed together."


def described(content: Content) -> str:
    """Return which line that is, in words."""
    at, who = _in_words(int(content[_AT] or 0)), content[_WHO] or "a machine"
    return f"the line {content[0]} ({at}, {who}, {content[_WHAT]} {content[_TYPE]} {content[_KEY]})"


def _inserted(content: Content, where: str = "") -> str:
    return f"{where}{described(content)} is dated before lines that were sealed long before it was there: inserted."


def _rewritten(head: Head) -> str:
    return (
        f"Position {head.position}: the hash is not the one that was noted{_when(head)}: lines at or before it were "
        "changed, and their seals made anew."
    )


def _when(head: Head) -> str:
    return f" on {head.noted_at:%Y-%m-%d %H:%M} UTC"


def _positions(first: int, last: int) -> str:
    return f"Position {first} is" if first == last else f"Positions {first} to {last} are"


def _in_words(microseconds_since: int) -> str:
    return f"{_EPOCH + dt.timedelta(microseconds=microseconds_since):%Y-%m-%d %H:%M:%S} UTC"


def _links(after: int) -> Iterator[Link]:
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_LINKS, [after])
            rows = cursor.fetchall()
        for position, key, sealed_at, digest, link_hash, *content in rows:
            yield Link(position, key, sealed_at, digest, link_hash, content)
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1][0]


def _look_for_unsealed(report: Report, newest: int) -> None:
    """Count lines without a seal; those older than what is sealed for long were put in afterwards."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        report.waiting, report.waiting_since = cursor.fetchone()
        if report.waiting and newest:
            cursor.execute(_INSERTED, [_EPOCH + dt.timedelta(microseconds=newest - _LATE)])
            for content in cursor.fetchall():
                report.tell(_inserted(content))
