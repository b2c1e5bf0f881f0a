"""What was published, read in order from any point in the past.

A cursor names the last publication that its reader has, by number and by key: where the numbers were given anew, as
after a restored backup, that number belongs to another publication or to none, and the reader is told. Who may not see
what is of some survey goes past it, and is told of no key that is hidden: by number, and the key of the first of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Count, Max, QuerySet, TextField
from django.db.models.functions import Cast

from catalog.cursors import CursorRefused, packed, unpacked
from catalog.hiding import hidden_from
from catalog.models import User
from curation.alerts.criteria import Criteria, matches, told
from curation.models import AlertPublication

# Of publications that are read at once.
_MOST_PUBLICATIONS = 1000
# Of a feed that is narrowed: in a twentieth of a second.
_MOST_LOOKED_AT = 3000
# Of publications that a reader from whom surveys are hidden goes past at once.
_MOST_PASSED = 100_000
_DIGITS = 18  # of a number that the database can hold
_RENUMBERED = (
    "The feed was numbered anew after this cursor was handed out, most likely because a backup was restored. Begin at "
    "a time before that, with `published_from`, or at the beginning, with an empty `since`, and skip the alerts that "
    "you have already, by their `alert`."
)

# Asked with every page, and by a loop that waits: that Django writes it anew each time takes longer than the answer.
_LANDMARKS = """
SELECT sequence, id FROM curation_alertpublication
WHERE sequence IN (1, %(sequence)s) OR sequence = (SELECT max(sequence) FROM curation_alertpublication)
"""


class OtherNumbering(CursorRefused):
    """The cursor lies in another numbering of the feed, or beyond its end."""


# What readers are told of each publication, by the names that they have, and where a row has it.
ENTRY: Mapping[str, str] = MappingProxyType(
    {
        "sequence": "sequence", "alert": "alert_id", "version": "version", "kind": "kind",
        "published_at": "published_at", "payload": "payload",
    }
)  # fmt: skip


class Entry(NamedTuple):
    """One publication as it goes out; its payload as the text that the database wrote of it."""

    sequence: int
    publication: UUID
    alert: UUID
    version: int
    kind: str
    published_at: datetime
    payload: str
    status: str


@dataclass(frozen=True)
class FeedPage:
    """Publications in order, and the cursor after them.

    numbering : the key of the feed's first publication; another one is another feed. None while there is none.
    latest : the number of the last publication, 0 while there is none. lag : how many come after this page.
    """

    rows: list[Entry]
    next_since: str
    numbering: UUID | None
    latest: int
    lag: int


class _Place(NamedTuple):
    """The last publication that a reader has; cursors of earlier versions know its number alone, 0 is none.

    numbering : instead of its key, which may be hidden from the reader, that of the first publication.
    """

    sequence: int
    publication: UUID | None = None
    numbering: UUID | None = None


def feed_page(
    since: str,
    page_size: int,
    user: User,
    *,
    published_from: datetime | None = None,
    wanted: Criteria | None = None,
) -> FeedPage:
    """Return what was published after a cursor, or from a time on, in order; without either, from the beginning.

    wanted : of these only, by what was published of them. So many are looked at: a page may hold few, or none, though
    more follow, and its cursor leads on behind what was looked at.

    Raises CursorRefused for what is no cursor, OtherNumbering for
    one that is not of this numbering.
    """
    place = _place(since) if since or published_from is None else _before(published_from)
    known, latest = _landmarks(place.sequence)
    if place.sequence:
        _check(place, known)
    rows_shown, hidden = AlertPublication.objects.visible_to(user), hidden_from(user)
    after = rows_shown.filter(sequence__gt=place.sequence).order_by("sequence")
    if hidden:
        after = after.filter(sequence__lte=place.sequence + _MOST_PASSED)
    shown = after.values_list(
        "sequence", "pk", "alert", "version", "kind", "published_at", Cast("payload", TextField()), "alert__status"
    )
    most = min(page_size, _MOST_PUBLICATIONS)
    looked_at = [Entry(*row) for row in shown[: most if wanted is None else _MOST_LOOKED_AT]]
    rows = looked_at if wanted is None else _wanted(looked_at, wanted, most)
    # Behind the last one that is given where the page is full, else behind the last that was looked at.
    end = rows[-1:] if len(rows) == most else looked_at[-1:]
    last = end[0].sequence if end else place.sequence
    if not hidden:
        reached = cursor_after(end[0]) if end else since or _cursor(place)
        return FeedPage(rows, reached, known.get(1), latest, max(latest - last, 0))
    passed = min(place.sequence + _MOST_PASSED, latest)
    if len(rows) < most and len(looked_at) < (most if wanted is None else _MOST_LOOKED_AT):
        last = max(last, passed)
    reached = cursor_after(end[0]) if end and last == end[0].sequence else _passing(last, known.get(1))
    return FeedPage(rows, reached, known.get(1), *_left(rows_shown, looked_at, last, has_more=passed < latest))


def _left(
    shown: QuerySet[AlertPublication], looked_at: Sequence[Entry], last: int, *, has_more: bool
) -> tuple[int, int]:
    """Return the number of the last publication that a reader may see, and how many of these come after a place.

    has_more : whether there are others than were gone past, which nobody has looked at.
    """
    later = shown.filter(sequence__gt=last, sequence__lte=last + _MOST_PASSED)
    found = later.aggregate(latest=Max("sequence"), lag=Count("pk"))
    latest = found["latest"] or max((row.sequence for row in looked_at), default=0)
    if not latest:
        before = shown.filter(sequence__lte=last, sequence__gt=last - _MOST_PASSED).order_by("-sequence")
        latest = before.values_list("sequence", flat=True).first() or 0
    return latest, max(found["lag"], int(has_more))


def _wanted(looked_at: Sequence[Entry], wanted: Criteria, most: int) -> list[Entry]:
    # What alerts were automatic was decided when they were published.
    fitting = (row for row in looked_at if matches(wanted, told(orjson.loads(row.payload)), is_automatic_on=True))
    return list(islice(fitting, most))


def end_of_feed(user: User) -> str:
    """Return the cursor after what is published now: who begins there reads what comes."""
    last = AlertPublication.objects.order_by("-sequence").values_list("sequence", "pk").first()
    if last and hidden_from(user):
        return _passing(last[0], _landmarks(last[0])[0].get(1))
    return _cursor(_Place(*last)) if last else ""


def cursor_after(row: Entry) -> str:
    """Return the cursor after a publication."""
    return _cursor(_Place(row.sequence, row.publication))


def _landmarks(sequence: int) -> tuple[dict[int, UUID], int]:
    """Return the keys of the first publication and of that one, by number, and the number of the last."""
    with connection.cursor() as cursor:
        cursor.execute(_LANDMARKS, {"sequence": sequence})
        found = dict(cursor.fetchall())
    return found, max(found, default=0)


def _check(place: _Place, known: Mapping[int, UUID]) -> None:
    """Refuse a place where there is no publication, or another one than its reader has, or in another numbering."""
    key = known.get(place.sequence)
    if key is None or place.publication not in (None, key) or place.numbering not in (None, known.get(1)):
        raise OtherNumbering(_RENUMBERED)


def _before(moment: datetime) -> _Place:
    """Return the last publication before a time; it is looked for from the end, as far as the reader has to read."""
    rows = AlertPublication.objects.filter(published_at__lt=moment).order_by("-sequence")
    return _Place(*(rows.values_list("sequence", "pk").first() or (0, None)))


def _cursor(place: _Place) -> str:
    return packed(f"p{place.sequence}.{place.publication}") if place.sequence else ""


def _passing(sequence: int, numbering: UUID | None) -> str:
    return packed(f"n{sequence}.{numbering}") if sequence else ""


def _place(cursor: str) -> _Place:
    """Read a cursor; "" is the beginning.

    `p` with number and key, `n` with number and numbering, or `s` with the number alone, as they were once.
    """
    if not cursor:
        return _Place(0)
    try:
        text = unpacked(cursor)
        number, _, key = text[1:].partition(".")
        if text[:1] not in ("p", "n", "s") or not (number.isascii() and number.isdecimal()) or len(number) > _DIGITS:
            raise ValueError(text)
        if text[0] == "n":
            return _Place(int(number), numbering=UUID(key))
        return _Place(int(number), UUID(key) if text[0] == "p" else None)
    except ValueError as error:
        raise CursorRefused("This is not a cursor of the feed: use `next_since` of an earlier answer.") from error
