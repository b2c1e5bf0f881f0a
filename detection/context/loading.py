"""Catalogues into the database: one part of the sky at a time, in place of what was loaded of it before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.db import connection
from django.utils import timezone

from catalog.ids import uuid7
from catalog.people import audit
from catalog.work import jobs
from detection.context.fields import WHOLE_SKY, Part
from detection.context.tables import ContextTable, TableRefused, context_table, read_file
from detection.models import WHOLE_SKY_DEG, ContextArea, ContextKind, ContextSource
from observations.numerics.healpix import position_index
from observations.numerics.sphere import separation_deg

_TABLE = ContextSource._meta.db_table
_NUMBERS = (
    "ra", "dec", "mag", "parallax_mas", "pm_ra_mas_per_year", "pm_dec_mas_per_year", "redshift", "semi_major_arcsec",
    "axis_ratio", "angle_deg",
)  # fmt: skip
_COLUMNS = ("id", "created_at", "updated_at", "area_id", "healpix", "name", "type_name", "band", *_NUMBERS)
# Rounded outwards: the outermost source lies within.
_ROOM_DEG = 1e-6


@dataclass(frozen=True)
class Origin:
    """Which catalogue it is, what it lists, and where it came from."""

    kind: ContextKind
    catalogue: str
    origin: str
    sha256: str


def load_file(path: Path, kind: ContextKind, catalogue: str, part: Part | None) -> ContextArea:
    """Load a file: all that the catalogue has in a part of the sky. Raises TableRefused.

    Without a part it is said of what is in the file that it is there, and of nothing that it is not.
    """
    table = context_table(read_file(path), path.name)
    if not len(table):
        raise TableRefused(f"{path.name} holds no rows.")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return store(table, Origin(kind, catalogue, path.name, digest), part, is_complete=part is not None)


def store(table: ContextTable, origin: Origin, part: Part | None, *, is_complete: bool) -> ContextArea:
    """Store sources in place of those of the same catalogue and part of the sky, in one transaction."""
    part = part or _around(table)
    place = {"ra": part.ra_deg % 360.0, "dec": part.dec_deg, "radius_deg": part.radius_deg}
    motion = np.hypot(table.numbers["pm_ra_mas_per_year"], table.numbers["pm_dec_mas_per_year"])
    area = ContextArea(
        kind=origin.kind,
        catalogue=origin.catalogue,
        origin=origin.origin[:500],
        **place,
        epoch_year=table.epoch_year,
        is_complete=is_complete,
        source_count=len(table),
        fastest_mas_per_year=float(np.nanmax(motion)) if np.isfinite(motion).any() else 0.0,
        columns=table.columns,
        sha256=origin.sha256,
        loaded_at=timezone.now(),
    )
    with jobs.writing():
        # What is read meanwhile sees either the former rows or these.
        ContextArea.objects.filter(kind=origin.kind, catalogue=origin.catalogue, **place).delete()
        area.save(force_insert=True)
        _copy(area, table)
        audit.record(area, "load_context", actor=audit.MACHINE, summary=f"{area.source_count} sources: {area}")
    return area


def _around(table: ContextTable) -> Part:
    """Return the circle about all sources, of which nobody says that it is filled."""
    ra, dec = np.radians(table.numbers["ra"]), np.radians(table.numbers["dec"])
    middle = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)]).mean(axis=1)
    if np.linalg.norm(middle) < 1e-3:
        return WHOLE_SKY
    ra_deg = float(np.degrees(np.arctan2(middle[1], middle[0]))) % 360.0
    dec_deg = float(np.degrees(np.arctan2(middle[2], np.hypot(middle[0], middle[1]))))
    apart = separation_deg(table.numbers["ra"], table.numbers["dec"], ra_deg, dec_deg)
    return Part(ra_deg, dec_deg, min(float(apart.max()) + _ROOM_DEG, WHOLE_SKY_DEG))


def _copy(area: ContextArea, table: ContextTable) -> None:
    """Write the rows by COPY: catalogues of variables hold millions."""
    # Only names of our own are put into the text.
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {_TABLE} ({', '.join(_COLUMNS)}) FROM STDIN") as copy,
    ):
        for row in _rows(area, table):
            copy.write_row(row)


def _rows(area: ContextArea, table: ContextTable) -> Iterator[tuple[object, ...]]:
    cells = position_index(table.numbers["ra"], table.numbers["dec"]).tolist()
    columns = [table.numbers[name].tolist() for name in _NUMBERS]
    at, key = area.loaded_at, area.pk
    for index, cell in enumerate(cells):
        numbers = (column[index] for column in columns)
        band = table.band if columns[2][index] == columns[2][index] else ""
        words = (table.names[index], table.types[index], band)
        # NaN stands for nothing, and is nothing in the database.
        yield (uuid7(), at, at, key, cell, *words, *(None if value != value else value for value in numbers))
