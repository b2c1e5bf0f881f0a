"""Orbits between the database and arrays: more than a million at once, so by COPY and not row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
_HEAD_BYTES = 19
_PIECE_BYTES = 4 << 20
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
        table = np.concatenate([np.empty((0, len(_COLUMNS))), *_tables(copy)])
    columns = dict(zip(_COLUMNS, table.T, strict=True))
    return KeptOrbits(
        columns["id"].astype(np.int64),
        Orbits(*(np.ascontiguousarray(columns[name]) for name in _ELEMENTS)),
        np.ascontiguousarray(columns["days"]),
        np.ascontiguousarray(columns["parameter"]),
    )


def _tables(blocks: Iterable[bytes | memoryview]) -> Iterator[NDArray[np.float64]]:
    """Yield (n, columns) of what comes in PostgreSQL's binary form, in pieces: the whole of it is never held."""
    held = bytearray()
    is_begun = False
    for block in blocks:
        held += block
        if not is_begun and len(held) >= _HEAD_BYTES:
            del held[:_HEAD_BYTES]
            is_begun = True
        if len(held) >= _PIECE_BYTES:
            yield _table(held)
            del held[: len(held) // _ROW.itemsize * _ROW.itemsize]
    # What is left beyond whole rows says that there are no more.
    yield _table(held)


def _table(held: bytearray) -> NDArray[np.float64]:
    rows = np.frombuffer(bytes(held), dtype=_ROW, count=len(held) // _ROW.itemsize)
    return np.stack([rows[f"value_{name}"] for name in _COLUMNS], axis=-1).astype(np.float64)
