"""The stars that positions are solved by, looked up where they are kept already."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from catalog.files import storage
from observations.numerics.sphere import separation_deg
from preprocessing import bright_stars
from preprocessing.kept_stars import KeptStars, key_of, map_file, moved, unpack
from preprocessing.models import MOST_RADIUS_DEG, StarCatalogField

Column = NDArray[np.float64]

# Light of brighter ones reaches this far on most frames: their haloes, spikes and ghosts are what is mistaken.
BRIGHT_REACH_DEG = 0.25
# One milliarcsecond a year matters less than a pixel in a century; ten arcseconds a year is the fastest star.
_FASTEST_ARCSEC_PER_YEAR = 10.4


@dataclass(frozen=True)
class KeptStar:
    """A star near a place, at the time that was asked for; motions in mas a year, None where they are not known."""

    ra: float
    dec: float
    mag: float | None
    band: str
    motion: tuple[float, float] | None


@dataclass(frozen=True)
class KeptNear:
    """The stars of a place by one catalogue, which holds all down to `faintest_mag` (None: it does not say)."""

    catalogue: str
    faintest_mag: float | None
    loaded_at: datetime | None
    stars: tuple[KeptStar, ...]


def fields_about(decs: Collection[float]) -> list[StarCatalogField]:
    """Return the fetched fields that may hold places of these declinations; none where a file is set for all."""
    if settings.ASTRID_STAR_CATALOG or not decs:
        return []
    strip = min(decs) - MOST_RADIUS_DEG, max(decs) + MOST_RADIUS_DEG
    return list(StarCatalogField.objects.filter(dec__range=strip).defer("stars"))


def kept_near(
    ra: float, dec: float, radius_arcsec: float, year: float, fields: Collection[StarCatalogField]
) -> KeptNear | None:
    """Return the kept stars of a place as they stood in a year; None where no catalogue is kept for it.

    fields : those of `fields_about`.
    """
    if settings.ASTRID_STAR_CATALOG:
        return _of_file(Path(settings.ASTRID_STAR_CATALOG), ra, dec, radius_arcsec)
    holding = [row for row in fields if row.holds(ra, dec, radius_arcsec / 3600.0)]
    row = max(holding, key=lambda one: (one.faintest_mag, one.fetched_at), default=None)
    if row is None:
        return None
    kept = _unpacked(row.pk, row.sha256) if row.star_count else None
    if kept is None:
        return KeptNear(row.name, row.faintest_mag, row.fetched_at, ())
    years = year - row.epoch_year
    reach_deg = (radius_arcsec + _FASTEST_ARCSEC_PER_YEAR * abs(years)) / 3600.0
    strip = slice(*np.searchsorted(kept.dec_deg, [dec - reach_deg, dec + reach_deg]))
    motion = kept.motion[0][strip], kept.motion[1][strip]
    east, north = moved(kept.ra_deg[strip], kept.dec_deg[strip], motion, years)
    near = np.flatnonzero(separation_deg(east, north, ra, dec) <= radius_arcsec / 3600.0)
    band = row.bands[0][0] if row.bands else ""
    stars = (
        KeptStar(float(east[i]), float(north[i]), _number(kept.magnitudes[0][strip][i]), band,
                 (float(motion[0][i]), float(motion[1][i])))
        for i in near.tolist()
    )  # fmt: skip
    return KeptNear(row.name, row.faintest_mag, row.fetched_at, tuple(stars))


def _of_file(path: Path, ra: float, dec: float, radius_arcsec: float) -> KeptNear | None:
    """Return the stars of the settings' file; None where no frame has been solved by it yet."""
    try:
        about, rows = map_file(key_of(path))
    except (OSError, storage.StorageUnreachable):
        return None
    reach_deg = radius_arcsec / 3600.0
    strip = slice(*np.searchsorted(rows[0], [dec - reach_deg, dec + reach_deg]))
    near = np.flatnonzero(separation_deg(rows[1][strip], rows[0][strip], ra, dec) <= reach_deg)
    band = about["bands"][0][0]
    stars = (
        KeptStar(float(rows[1][strip][i]), float(rows[0][strip][i]), _number(rows[2][strip][i]), band, None)
        for i in near.tolist()
    )
    return KeptNear(about["name"], None, None, tuple(stars))


@lru_cache(maxsize=4)
def _unpacked(key: UUID, _sha256: str) -> KeptStars | None:
    """Unpack a field's stars once: a night's detections lie in few of them."""
    row = StarCatalogField.objects.filter(pk=key).first()
    return unpack(row) if row is not None else None


@dataclass(frozen=True)
class BrightStar:
    """The bright star that is nearest to a place."""

    mag: float
    separation_arcsec: float


def nearest_bright(ra: float, dec: float) -> BrightStar | None:
    """Return the nearest star brighter than G 10; None where none is within a quarter of a degree.

    The seventy brightest of the sky are not in the list, which people know without it.
    """
    decs, ras, magnitudes = bright_stars.bright_stars()
    strip = slice(*np.searchsorted(decs, [dec - BRIGHT_REACH_DEG, dec + BRIGHT_REACH_DEG]))
    apart = separation_deg(ras[strip], decs[strip], ra, dec)
    if not apart.size or float(apart.min()) > BRIGHT_REACH_DEG:
        return None
    nearest = int(apart.argmin())
    return BrightStar(float(magnitudes[0][strip][nearest]), 3600.0 * float(apart[nearest]))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
