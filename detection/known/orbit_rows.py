"""Orbits between the database and arrays: more than a million at once, so by COPY and not row by row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from detection.models import Orbit, OrbitSet
from detection.numerics.ephemerides.orbits import Orbits
from detection.numerics.ephemerides.published import PublishedOrbit

_TABLE = Orbit._meta.db_table
_ELEMENTS = (
    "perihelion_au", "eccentricity", "inclination_deg", "node_deg", "argument_deg", "perihelion_mjd", "epoch_mjd",
)  # fmt: skip
# PostgreSQL's binary form of a row of doubles: their number, then length and value of each.
_HEAD_BYTES, _TAIL_BYTES = 19, 2
_COLUMNS = ("id", *_ELEMENTS, "days", "parameter")
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        *((f"{kind}_{name}", form) for name in _COLUMNS for kind, form in (("size", ">i4"), ("value", ">f8"))),
    ]
)
# A key as a double is exact up to 2⁵³; what is null stands for NaN.
_READ = """
    COPY (
        SELECT orbit.id::float8, {elements}, coalesce(last_observed_mjd, 'NaN'::float8),
               coalesce(uncertainty_parameter::float8, 'NaN'::float8)
        FROM {table} AS orbit JOIN {sets} AS orbits ON orbits.id = orbit.orbit_set_id
        WHERE orbits.is_complete ORDER BY orbit.id
    ) TO STDOUT (FORMAT BINARY)
"""


@dataclass(frozen=True)
class KeptOrbits:
    """All orbits that count, (n,) each: keys of rows, elements, last observation (MJD) and parameter; NaN for none."""

    keys: NDArray[np.int64]
    orbits: Orbits
    last_observed_mjd: NDArray[np.float64]
    uncertainty_parameter: NDArray[np.float64]


def write(orbit_set: OrbitSet, orbits: Iterable[PublishedOrbit]) -> None:
    """Append orbits to a set, in the transaction of the caller."""
    columns = ", ".join(PublishedOrbit._fields)
    # Only names of our own are put into the text.
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {_TABLE} (orbit_set_id, {columns}) FROM STDIN") as copy,
    ):
        key = str(orbit_set.pk)
        for orbit in orbits:
            copy.write_row((key, *orbit))


def read_all() -> KeptOrbits:
    """Return every orbit of the sets that are complete."""
    sql = _READ.format(elements=", ".join(_ELEMENTS), table=_TABLE, sets=OrbitSet._meta.db_table)
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        content = b"".join(bytes(block) for block in copy)
    rows = np.frombuffer(
        content, dtype=_ROW, offset=_HEAD_BYTES, count=(len(content) - _HEAD_BYTES - _TAIL_BYTES) // _ROW.itemsize
    )
    columns = {name: rows[f"value_{name}"].astype(np.float64) for name in _COLUMNS}
    return KeptOrbits(
        columns["id"].astype(np.int64),
        Orbits(*(columns[name] for name in _ELEMENTS)),
        columns["days"],
        columns["parameter"],
    )
