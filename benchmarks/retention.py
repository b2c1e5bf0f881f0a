"""How fast old candidates are deleted from ten million, in how much memory, and what readers notice meanwhile.

    python -m benchmarks.retention [CANDIDATES] [--seconds N] [--go-on]

In a database of its own beside the configured one, which is dropped afterwards. One candidate in ten has a score, one
in a hundred is kept since it is in a tracklet, and a fifth of them are too new to go. `--seconds` ends the deletion
after so long, and `--go-on` takes the database that a run left which was killed.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import threading
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from astrid_site.running import postgres  # noqa: E402
from benchmarks import bulk  # noqa: E402
from catalog.configuration.values import set_value  # noqa: E402
from catalog.models import RetentionPass  # noqa: E402
from catalog.people.audit import MACHINE  # noqa: E402
from catalog.retention import foreseeing, sweeping  # noqa: E402
from detection.models import CandidateScore  # noqa: E402
from differencing.models import Candidate, Tracklet  # noqa: E402
from tests.factories import (  # noqa: E402
    CandidateFactory,
    CandidateScoreFactory,
    TrackletFactory,
)

DAYS = 90
# What readers ask: the candidates of one subtraction, the most significant first.
_ASKED = """
SELECT id, significance FROM differencing_candidate WHERE significance < %s ORDER BY significance DESC, id LIMIT 50
"""
_KEY = "(lpad(to_hex(1600000000000 + number), 12, '0') || '70008000' || lpad(to_hex(number), 12, '0'))::uuid"
_SCORE_KEY = "(lpad(to_hex(1600000000000 + number), 12, '0') || '70009000' || lpad(to_hex(number), 12, '0'))::uuid"
_READ_SECONDS = 20.0


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("candidates", type=int, nargs="?", default=10_000_000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--go-on", action="store_true")
    given = parser.parse_args()
    if settings.EMBEDDED_POSTGRES:
        postgres.ensure_running()
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False, keepdb=given.go_on)
    try:
        start = time.perf_counter()
        if not given.go_on:
            _fill(given.candidates)
            print(f"{given.candidates:,} candidates written in {time.perf_counter() - start:.0f} s", flush=True)
        set_value("retention.candidate_days", DAYS, MACHINE)
        start = time.perf_counter()
        (found,) = (one for one in foreseeing.foresee() if one.days)
        print(f"foreseen in {time.perf_counter() - start:.1f} s: {found.first_line} {found.reasons}", flush=True)
        _read("nothing is deleted", threading.Event(), _READ_SECONDS)
        _delete(given.seconds)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def _fill(count: int) -> None:
    score = CandidateScoreFactory(candidate=CandidateFactory(status="rejected"))
    template, tracklet = score.candidate, TrackletFactory()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE fresh AS SELECT number FROM generate_series(1, %s) number", [count])
    # A fifth at the end is new.
    at = f"now() - interval '1 day' * CASE WHEN number <= {count} * 0.8 THEN 365 ELSE 1 END"
    strength = "5 + 1000.0 * (number::bigint * 7919 %% 100003)"
    columns = {"id": _KEY, "created_at": at, "updated_at": at, "significance": strength}
    with bulk.without_indexes(Candidate, CandidateScore):
        bulk.write(template, columns)
        bulk.write(score, {"id": _SCORE_KEY, "candidate_id": _KEY}, "number %% 10 = 0")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO differencing_tracklet_members (tracklet_id, candidate_id) "
            f"SELECT %s, {_KEY} FROM fresh WHERE number %% 100 = 1",
            [tracklet.pk],
        )
        cursor.execute("DROP TABLE fresh")
        cursor.execute("VACUUM ANALYZE")
    assert Tracklet.objects.count()


def _delete(seconds: float) -> None:
    ended = threading.Event()
    reader = threading.Thread(target=_read, args=("rows are deleted", ended, float("inf")))
    reader.start()
    before = _memory_mb()
    start, longest, gone = time.perf_counter(), 0.0, 0
    while True:
        turn = time.perf_counter()
        gone += sweeping.take_turn(2.0)
        longest = max(longest, time.perf_counter() - turn)
        if time.perf_counter() - start > seconds or not RetentionPass.objects.filter(ended_at=None).exists():
            break
    seconds = time.perf_counter() - start
    ended.set()
    reader.join()
    print(
        f"{gone:,} candidates deleted in {seconds:.0f} s, {gone / seconds:,.0f} a second; the longest turn took "
        f"{longest:.1f} s; memory {before:.0f} MB before, at most {_memory_mb():.0f} MB; {Candidate.objects.count():,} "
        f"candidates and {CandidateScore.objects.count():,} scores are left"
    )


def _read(when: str, ended: threading.Event, seconds: float) -> None:
    taken: list[float] = []
    number, end = 0, time.perf_counter() + seconds
    while not ended.is_set() and time.perf_counter() < end:
        number += 1
        start = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(_ASKED, [1e8 * ((number * 7919) % 1000) / 1000])
            cursor.fetchall()
        taken.append(time.perf_counter() - start)
        time.sleep(0.02)
    connection.close()
    centiles = [1000 * centile for centile in statistics.quantiles(taken, n=100)]
    print(
        f"readers while {when}: half within {centiles[49]:.1f} ms, 99 % within {centiles[98]:.1f} ms, all within "
        f"{1000 * max(taken):.0f} ms",
        flush=True,
    )


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
