"""How full the disk under the data root is, and how fast it fills."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import dataclass

from catalog.files import storage

# Of this machine, as the disk is.
_RECORD = "run/disk_use.json"
_DAYS_KEPT = 30
# The last week tells of the days to come; half a day tells of nothing but itself.
_DAYS_TOLD = 7
_LEAST_SECONDS = 20 * 3600.0
_DAY_SECONDS = 86400.0


@dataclass(frozen=True)
class DiskUse:
    """The disk that holds the data root, in bytes, with whatever else lies on it; free: what may still be written."""

    used_bytes: int
    free_bytes: int

    @property
    def free_gb(self) -> float:
        return self.free_bytes / 1e9

    @property
    def used_share(self) -> float:
        """The part of the disk that is in use, 0 to 1."""
        whole = self.used_bytes + self.free_bytes
        return self.used_bytes / whole if whole else 1.0


@dataclass(frozen=True)
class Growth:
    """How much more of the disk is in use each day, on the mean of so many days."""

    bytes_per_day: float
    days: float

    def days_left(self, use: DiskUse) -> float | None:
        """Return in how many days it is full; None where it does not grow."""
        return use.free_bytes / self.bytes_per_day if self.bytes_per_day > 0 else None


def use() -> DiskUse:
    """Return the disk's use now. OSError where the data root is gone."""
    found = shutil.disk_usage(storage.data_root())
    return DiskUse(found.used, found.free)


def free_gb() -> float | None:
    """Return how many gigabytes may still be written, None where the data root is gone."""
    try:
        return use().free_gb
    except OSError:
        return None


def note(now: dt.datetime) -> bool:
    """Put down the disk's use once a day, and return whether this was the time."""
    days = _noted()
    if days and days[-1][0].date() == now.date():
        return False
    kept = [*days, (now, use().used_bytes)][-_DAYS_KEPT:]
    lines = [{"at": at.isoformat(), "used_bytes": used} for at, used in kept]
    storage.write_atomically(_RECORD, json.dumps(lines).encode())
    return True


def growth(now: dt.datetime) -> Growth | None:
    """Return how the disk's use grew in the last week; None before there is a day to compare with."""
    earliest = now - dt.timedelta(days=_DAYS_TOLD, hours=12)
    first = next(((at, used) for at, used in _noted() if earliest <= at <= now), None)
    if first is None or (now - first[0]).total_seconds() < _LEAST_SECONDS:
        return None
    days = (now - first[0]).total_seconds() / _DAY_SECONDS
    return Growth((use().used_bytes - first[1]) / days, days)


def _noted() -> list[tuple[dt.datetime, int]]:
    """Return what was put down, the oldest first; what cannot be read is put down anew."""
    try:
        lines = json.loads(storage.resolve(_RECORD).read_text())
        found = [(dt.datetime.fromisoformat(line["at"]), int(line["used_bytes"])) for line in lines]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return []
    return sorted(found)
