"""What a filter would have given: read over what was published, before a subscription goes live and after."""

from __future__ import annotations

import datetime as dt
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from catalog.configuration.values import snapshot
from catalog.models import Visitor
from catalog.writing import duration
from curation.alerts.automatic import automatic
from curation.alerts.criteria import Criteria, matches, told
from curation.models import AlertPublication
from curation.push.reading import last_published

NIGHTS = (1, 7, 30, 90)
# A page waits for the answer: older ones are not read, and it says so.
_MOST_READ = 20_000
_CHUNK = 200
_MOST_SHOWN = 50
_DAY_SECONDS = 86400.0


@dataclass(frozen=True)
class Given:
    """One publication that would have been sent."""

    sequence: int
    alert: UUID
    kind: str
    title: str
    published_at: datetime


@dataclass(frozen=True)
class History:
    """What would have been sent in the last nights: how many publications, about how many objects, the newest ones.

    short : a sentence that says why this is not the whole answer, "" where it is.
    """

    nights: int
    read: int
    alerts: int
    objects: int
    newest: tuple[Given, ...]
    short: str

    @property
    def per_night(self) -> float:
        return self.alerts / self.nights


def history(criteria: Criteria, nights: int, user: Visitor) -> History:
    """Return what a filter would have given a person over so many nights, each of 24 hours until now."""
    now, last, is_on = timezone.now(), last_published(), automatic(snapshot()).is_on
    start = now - dt.timedelta(days=nights)
    shown: QuerySet[AlertPublication] = AlertPublication.objects.visible_to(user)
    rows = shown.filter(published_at__gte=start, sequence__gt=last - _MOST_READ).order_by("sequence")
    read = alerts = 0
    about: set[str] = set()
    got: set[UUID] = set()
    newest: deque[Given] = deque(maxlen=_MOST_SHOWN)
    oldest: datetime | None = None
    fields = rows.values_list("sequence", "alert", "kind", "published_at", "payload")
    for sequence, alert, kind, published_at, payload in fields.iterator(_CHUNK):
        read, oldest, said = read + 1, oldest or published_at, told(payload)
        if got & set(said.follows) or matches(criteria, said, is_automatic_on=is_on):
            got.add(alert)
            about.add(said.about)
            alerts += 1
            newest.appendleft(Given(sequence, alert, kind, said.title, published_at))
    return History(nights, read, alerts, len(about), tuple(newest), _short(now, start, oldest, read, shown))


def _short(
    now: datetime, start: datetime, oldest: datetime | None, read: int, shown: QuerySet[AlertPublication]
) -> str:
    """Return what is missing of the answer."""
    if read >= _MOST_READ and oldest is not None:
        since = duration((now - oldest).total_seconds())
        return f"Only the newest {_MOST_READ} publications were read, which go back {since}."
    first = shown.order_by("sequence").values_list("published_at", flat=True).first()
    if first is None:
        return "Nothing has been published yet: there is no history to look at."
    if (first - start).total_seconds() > _DAY_SECONDS:
        return (
            f"There is too little history: the first alert was published {duration((now - first).total_seconds())} ago."
        )
    return ""
