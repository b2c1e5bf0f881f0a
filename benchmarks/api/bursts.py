"""Alerts that many write at once: how soon they are published, and pushed; and a reader that is killed meanwhile."""

from __future__ import annotations

import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction

from benchmarks.api.reader import begin_at
from catalog.models import User
from catalog.people import audit
from curation.alerts.criteria import Criteria
from curation.alerts.publishing import publish_pending
from curation.models import Alert, AlertPublication, Delivery, DeliveryStatus, Destination, Subscription
from curation.push.keeping import Wish, end, subscribe
from detection.models import Detection
from tests.receivers import Receivers, hanging

WRITERS, BURST, LONG = 8, 1000, 10_000
_PATIENCE_SECONDS = 300.0
_KILLED_EVERY_SECONDS = (0.5, 4.0)


def burst(receivers: Receivers) -> dict[str, float]:
    """Write a burst for five subscribers, of which one never answers; return seconds by what was waited for."""
    owner = User.objects.get(username="administrator")
    paths = [f"/{number}" for number in range(5)]
    receivers.after[paths[-1]] = [hanging(receivers)]
    wishes = [
        Wish(f"bench {time.time()} {path}", Criteria(), Destination.WEBHOOK, receivers.url(path)) for path in paths
    ]
    rows = [subscribe(owner, wish, audit.MACHINE)[0] for wish in wishes]
    keys = write(BURST)
    _wait(lambda: AlertPublication.objects.filter(alert__in=keys).count() == BURST)
    published = AlertPublication.objects.filter(alert__in=keys).values_list("alert__created_at", "published_at")
    waits = [(later - earlier).total_seconds() for earlier, later in published]
    living = rows[:-1]
    _wait(lambda: _arrived(living, keys) == 4 * BURST)
    pushed = [
        (delivered - created).total_seconds()
        for created, delivered in Delivery.objects.filter(
            subscription__in=living, publication__alert__in=keys, delivered_at__isnull=False
        ).values_list("publication__alert__created_at", "delivered_at")
    ]
    lost = 4 * BURST - len({(one.path, one.key) for one in receivers.came if one.path != paths[-1]})
    for row in rows:
        end(row, audit.MACHINE, "The benchmark is over.")
    return {
        "published p98": _p98(waits),
        "pushed p98": _p98(pushed),
        "pushed max": max(pushed, default=float("inf")),
        "lost": float(lost),
    }


def follow(address: str, token: str, since: str) -> dict[str, int]:
    """Kill a reader again and again while very many alerts are written; return what it missed and had twice.

    since : the cursor that it begins at.
    """
    begin = AlertPublication.objects.order_by("-sequence").values_list("sequence", flat=True)[0]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        database = Path(folder) / "seen.db"
        begin_at(database, since)
        reader = _reader(address, token, database)
        writing, rng, kills = pool.submit(write, LONG), random.Random(1), 0
        while not writing.done():
            time.sleep(rng.uniform(*_KILLED_EVERY_SECONDS))
            reader.kill()
            reader.wait()
            kills += 1
            reader = _reader(address, token, database)
        keys = writing.result()
        _wait(lambda: AlertPublication.objects.filter(alert__in=keys).count() == LONG)
        expected = list(
            AlertPublication.objects.filter(sequence__gt=begin).order_by("sequence").values_list("sequence", flat=True)
        )
        _wait(lambda: len(_seen(database)) >= len(expected))
        reader.kill()
        reader.wait()
        seen = _seen(database)
    return {
        "kills": kills,
        "missed": len(set(expected) - set(seen)),
        "twice": len(seen) - len(set(seen)),
        "out of order": sum(1 for one, other in pairwise(seen) if other < one),
    }


def write(count: int) -> list[UUID]:
    """Write alerts by several writers, each in a transaction of its own that is published when it ends."""
    detections = list(Detection.objects.order_by("-id").values_list("pk", flat=True)[:count])
    parts = [detections[number::WRITERS] for number in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        return [key for keys in pool.map(_write_each, parts) for key in keys]


def _write_each(detections: Sequence[UUID]) -> list[UUID]:
    keys = []
    try:
        for key in detections:
            with transaction.atomic():
                facts = {"basis": "human", "score": 0.9}
                alert = Alert(detection_id=key, title="Of a burst", alert_metadata=facts)
                alert.save(force_insert=True)
                transaction.on_commit(publish_pending, robust=True)
            keys.append(alert.pk)
    finally:
        connection.close()
    return keys


def _reader(address: str, token: str, database: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.api.reader", address, token, str(database)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _seen(database: Path) -> list[int]:
    with sqlite3.connect(database, timeout=30) as kept:
        rows = kept.execute("SELECT sequence FROM seen WHERE sequence IS NOT NULL ORDER BY number")
        return [sequence for (sequence,) in rows]


def _arrived(subscriptions: Sequence[Subscription], keys: Sequence[UUID]) -> int:
    rows = Delivery.objects.filter(subscription__in=subscriptions, publication__alert__in=keys)
    return rows.filter(status=DeliveryStatus.DELIVERED).count()


def _wait(is_over: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not is_over() and time.monotonic() < until:
        time.sleep(0.5)


def _p98(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=50)[-1] if len(values) > 1 else float("inf")
