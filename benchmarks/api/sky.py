"""Cones over millions of positions: how long the database takes, and whether it finds what a look at all rows does."""

from __future__ import annotations

import random
import re
import statistics

from django.db import connection

from detection.models import Detection

RADIUS_ARCSEC, REPEATS = 60.0, 200
# Where indexes of the sky go wrong: the poles, and where right ascension begins anew.
_HARD = ((0.0, 89.9), (180.0, -89.9), (0.001, 10.0), (359.999, -45.0))
_HARD_RADIUS_ARCSEC = 3600.0
_ALL = """SELECT count(*) FROM detection_detection WHERE
    2.0 * asind(least(1.0, sqrt(power(sind((dec - %s) / 2.0), 2)
    + cosd(dec) * cosd(%s) * power(sind((ra - %s) / 2.0), 2)))) <= %s"""


def cone_ms() -> float:
    """Return the median time of planning and execution of a cone in the database."""
    rng, times = random.Random(1), []
    with connection.cursor() as cursor:
        for _ in range(REPEATS):
            rows = Detection.objects.cone(rng.uniform(0, 360), rng.uniform(-80, 80), RADIUS_ARCSEC)
            sql, parameters = rows.order_by().values_list("pk").query.sql_with_params()
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {sql}", parameters)
            told = " ".join(line for (line,) in cursor.fetchall())
            times.append(sum(float(found) for found in re.findall(r"(?:Planning|Execution) Time: ([\d.]+) ms", told)))
    return statistics.median(times)


def differences() -> list[tuple[tuple[float, float], int, int]]:
    """Return where a cone finds another number of rows than a look at all of them does."""
    found = []
    with connection.cursor() as cursor:
        for ra, dec in _HARD:
            by_index = Detection.objects.cone(ra, dec, _HARD_RADIUS_ARCSEC).count()
            cursor.execute(_ALL, [dec, dec, ra, _HARD_RADIUS_ARCSEC / 3600.0])
            (by_all,) = cursor.fetchone()
            found.append(((ra, dec), by_index, by_all))
    return [one for one in found if one[1] != one[2]]
