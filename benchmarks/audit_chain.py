"""How fast the audit log is sealed, verified and exported, in how much memory; whether 32 writers wait for the sealer.

    python -m benchmarks.audit_chain [LINES]

In a database of its own beside the configured one, which is dropped afterwards.
"""

from __future__ import annotations

import io
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from astrid_site.running import postgres  # noqa: E402
from catalog.chain import sealing  # noqa: E402
from catalog.chain.verifying import verify  # noqa: E402
from catalog.people import audit  # noqa: E402

_FILL = """
INSERT INTO catalog_auditlog (id, created_at, updated_at, entity_type, entity_id, action, "user", user_id, old_values,
    new_values, change_summary, reason, "group", ip_address, user_agent)
SELECT (lpad(to_hex(1700000000000 + number), 12, '0') || '70008000' || lpad(to_hex(number), 12, '0'))::uuid, at, at,
    'detection', gen_random_uuid()::text, 'validated', 'ada', gen_random_uuid()::text,
    '{"status": "pending", "label": null}', jsonb_build_object('status', 'validated', 'label', 'asteroid',
    'confidence', number * 0.000001), '', '', NULL, '192.0.2.1',
    'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
FROM (SELECT number, timestamptz '2024-03-01 21:00Z' + number * interval '1 second' AS at
    FROM generate_series(1, %s) number) numbers
"""
# A verdict takes a person longer than this.
WRITERS, SECONDS, PAUSE = 32, 20.0, 0.1
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
# As the clock of the site has it sealed, but oftener.
_SEALER = """
import os, time, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = "{}"
from catalog.chain import sealing
ends = time.perf_counter() + {}
while time.perf_counter() < ends:
    sealing.seal()
    time.sleep(0.2)
"""


class Nowhere(io.TextIOBase):
    """Takes text, and keeps none."""

    def write(self, text: str) -> int:
        return len(text)


def main() -> None:
    """Measure, and print a line for each."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if settings.EMBEDDED_POSTGRES:
        postgres.ensure_running()
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_FILL, [count])
            cursor.execute("VACUUM ANALYZE catalog_auditlog")
        _time("seal", count, lambda: sealing.seal(seconds=float("inf")))
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE catalog_auditseal")
        _time("seal when nothing is new", 1, sealing.seal)
        _time("look at all for what came late", count, lambda: sealing.seal(everything=True))
        _time("verify", count, verify)
        for kind in ("jsonl", "csv"):
            arguments = ("export_audit", "-", "--format", kind)
            _time(f"export as {kind}", count, partial(call_command, *arguments, stdout=Nowhere()))
        for is_sealing in (False, True, False, True):
            _write(is_sealing)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def _time(what: str, count: int, work: Callable[[], object]) -> None:
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {seconds:.2f} s, {count / seconds:,.0f} lines/s, at most {memory:.0f} MB")


def _write(is_sealing: bool) -> None:
    """Let 32 writers add lines for a while, with the sealer at work in a process beside them or not."""
    ends, taken, waits, lock = time.perf_counter() + SECONDS, [], [], threading.Lock()

    def writer() -> None:
        own = []
        while time.perf_counter() < ends:
            start = time.perf_counter()
            audit.record(("night", "2024-03-01"), "look", new={"a": 1})
            own.append(time.perf_counter() - start)
            time.sleep(PAUSE)
        connection.close()
        with lock:
            taken.extend(own)

    def watcher() -> None:
        while time.perf_counter() < ends:
            with connection.cursor() as cursor:
                cursor.execute(_WAITING)
                waits.append(cursor.fetchone()[0])
            time.sleep(0.02)
        connection.close()

    sealer = subprocess.Popen([sys.executable, "-c", _SEALER.format(connection.settings_dict["NAME"], SECONDS)])
    if not is_sealing:
        sealer.kill()
    threads = [threading.Thread(target=work) for work in (*[writer] * WRITERS, watcher)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealer.wait()
    centiles = [1000 * centile for centile in statistics.quantiles(taken, n=100)]
    print(
        f"{WRITERS} writers{' beside the sealer' if is_sealing else ''}: {len(taken) / SECONDS:,.0f} lines/s, half "
        f"within {centiles[49]:.1f} ms, 99 % within {centiles[98]:.1f} ms, all within {1000 * max(taken):.1f} ms; "
        f"{sum(waits)} waited for a lock in {len(waits)} looks",
        flush=True,
    )


if __name__ == "__main__":
    main()
