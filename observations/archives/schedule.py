"""When archives are asked, and for which span of time."""

from __future__ import annotations

import datetime as dt

from observations.archives.courtesy import rest_after
from observations.archives.found import Window
from observations.models import Archive

# Clocks of telescopes and archives may be ahead of ours.
_AHEAD = dt.timedelta(days=1)
# What was not finished goes on soon, after others had their turn.
SOON = dt.timedelta(minutes=1)
# Whoever asks for something else asks for all of it, from its begin.
OF_QUESTION = ("kind", "folder", "question", "begins_at")


def next_time(archive: Archive, now: dt.datetime) -> dt.datetime | None:
    """Return when an archive is asked next, None where it is by hand alone. Times that were missed are one."""
    if not archive.is_on:
        return None
    if archive.every_minutes is not None:
        return now + dt.timedelta(minutes=archive.every_minutes)
    if archive.nightly_at is None:
        return None
    today = dt.datetime.combine(now.astimezone(dt.UTC).date(), archive.nightly_at, dt.UTC)
    return today if today > now else today + dt.timedelta(days=1)


def after_failure(archive: Archive, now: dt.datetime, retry_after_s: float | None) -> dt.datetime | None:
    """Return when an archive that gave no answer is asked again: longer each time, and not before it wants to be.

    None where it is by hand alone.
    """
    if next_time(archive, now) is None:
        return None
    rest_s = max(rest_after(archive.failures), retry_after_s or 0.0)
    return now + dt.timedelta(seconds=rest_s)


def is_same(archive: Archive, before: Archive) -> bool:
    """Tell whether an archive is asked when and for what it was before; whoever changes that says when it is next."""
    when = all(getattr(archive, name) == getattr(before, name) for name in ("is_on", "every_minutes", "nightly_at"))
    return when and asks_the_same(archive, before)


def asks_the_same(archive: Archive, before: Archive) -> bool:
    """Tell whether an archive is asked for what it was before, at the same place."""
    return all(getattr(archive, name) == getattr(before, name) for name in (*OF_QUESTION, "address"))


def window_of(archive: Archive, now: dt.datetime) -> Window:
    """Return which times of observation to ask for: from before the newest image found until now.

    The archive's own times count, not when it was asked: what it takes in days later is still found, as long as that is
    within the overlap.
    """
    if archive.goes_on_at is not None:
        return Window(min(archive.goes_on_at, now), now + _AHEAD)
    seen = min(archive.seen_until or archive.begins_at, now)
    start = max(archive.begins_at, seen - dt.timedelta(hours=archive.overlap_hours))
    return Window(min(start, now), now + _AHEAD)


def seen_until(archive: Archive, times: list[dt.datetime], now: dt.datetime) -> dt.datetime | None:
    """Return how far an archive is known by now; a time in the future is a wrong clock's and moves nothing."""
    believable = [time for time in times if time <= now]
    return max([*believable, *([archive.seen_until] if archive.seen_until else [])], default=None)
