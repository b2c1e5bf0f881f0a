"""The star catalogue of a place: a file, or what was fetched of the sky there, or the bright stars of wide fields.

The file is named by the setting ASTRID_STAR_CATALOG, read once, kept under the data root sorted by declination, and
asked for a cone. It holds positions at the epoch of the frames; its proper motions are not applied, those of what was
fetched are.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from catalog.files import storage
from observations.numerics.sphere import separation_deg
from preprocessing import bright_stars
from preprocessing.kept_stars import key_of, map_file, moved, unpack
from preprocessing.models import StarCatalogField
from preprocessing.numerics.astrometry.solution import Catalogue
from preprocessing.star_table import StarCatalogRefused, read_table

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """A column of magnitudes: its band, and AB, Vega or "" where the catalogue does not say."""

    name: str
    system: str


@dataclass(frozen=True)
class StarCatalog:
    """Stars of known position, ICRS degrees (n,), and magnitudes (m, n), NaN where unknown, in the order of `bands`.

    colours : (k, n) mag, in the order of `colour_names`, where the catalogue holds any as such.
    """

    name: str
    sha256: str
    ra_deg: Column
    dec_deg: Column
    magnitudes: Column
    bands: tuple[Band, ...]
    colours: Column | None = None
    colour_names: tuple[str, ...] = ()

    def cone(self, ra_deg: float, dec_deg: float, radius_deg: float) -> StarCatalog:
        """Return the stars within a radius; declination has been sorted, so only its strip is read."""
        first, last = np.searchsorted(self.dec_deg, [dec_deg - radius_deg, dec_deg + radius_deg])
        apart = separation_deg(self.ra_deg[first:last], self.dec_deg[first:last], ra_deg, dec_deg)
        near = first + np.flatnonzero(apart <= radius_deg)
        colours = None if self.colours is None else self.colours[:, near]
        place = {"ra_deg": self.ra_deg[near], "dec_deg": self.dec_deg[near]}
        return replace(self, **place, magnitudes=self.magnitudes[:, near], colours=colours)

    @property
    def stars(self) -> Catalogue:
        """The stars with one magnitude each, for their order: of the first band that knows it."""
        magnitude = self.magnitudes[0]
        for column in self.magnitudes[1:]:
            magnitude = np.where(np.isfinite(magnitude), magnitude, column)
        return Catalogue(self.ra_deg, self.dec_deg, magnitude)

    def photometry(self, filter_band: str) -> tuple[Column, Band]:
        """Return the magnitudes to compare a frame's fluxes with, and the band and system of the zero point.

        Where the catalogue has the frame's band, its system holds. Otherwise, as for "Clear", the first band serves,
        and the zero point is instrumental: no system's band is what the frame saw.
        """
        for column, band in zip(self.magnitudes, self.bands, strict=True):
            if band.name and band.name == filter_band:
                return column, replace(band, system=band.system or INSTRUMENTAL)
        return self.magnitudes[0], replace(self.bands[0], system=INSTRUMENTAL)

    def colour(self) -> tuple[str, Column] | None:
        """Return the stars' colour and its name: the best known of those that its bands or its columns make."""
        rows = {band.name: row for band, row in zip(self.bands, self.magnitudes, strict=True)}
        made = {f"{blue}-{red}": rows[blue] - rows[red] for blue, red in COLOURS if blue in rows and red in rows}
        given = {} if self.colours is None else dict(zip(self.colour_names, self.colours, strict=True))
        known = given | made
        ranked = [colour for pair in COLOURS if (colour := "-".join(pair)) in known]
        best = next(iter([*ranked, *known]), None)
        return None if best is None else (best, known[best])


# From the ones with the longest lever to the shortest.
COLOURS = (
    ("BP", "RP"),
    ("g", "i"),
    ("g", "r"),
    ("B", "V"),
    ("V", "I"),
    ("V", "R"),
    ("BT", "VT"),
    ("r", "i"),
    ("R", "I"),
)
INSTRUMENTAL = "instrumental"
GAIA_SYSTEM = "Vega"
MJD_OF_J2000 = 51_544.5
_DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Place:
    """Where and when stars are wanted: a frame's middle (ICRS degrees), half its diagonal, its side, and its time.

    reach_deg, side_deg : None where the frame's scale is not known.
    """

    ra_deg: float
    dec_deg: float
    reach_deg: float | None
    side_deg: float | None
    mjd_utc: float

    @property
    def year(self) -> float:
        return 2000.0 + (self.mjd_utc - MJD_OF_J2000) / _DAYS_PER_YEAR


def catalog_at(place: Place) -> StarCatalog | None:
    """Return the star catalogue of a place: that of the settings, else what was fetched, else bright stars.

    The bright stars serve wide fields. None where there is none that could serve. Raises
    StarCatalogRefused as `open_catalog` does.
    """
    if settings.ASTRID_STAR_CATALOG:
        return open_catalog()
    fetched = StarCatalogField.objects.all().covering(place.ra_deg, place.dec_deg, place.reach_deg or 0.0)
    if fetched is not None:
        return _fetched(fetched, place.year)
    if place.side_deg is None or place.side_deg < bright_stars.SMALLEST_FIELD_DEG:
        return None
    return _bright()


def _fetched(row: StarCatalogField, year: float) -> StarCatalog:
    kept, bands = unpack(row), tuple(Band(name, system) for name, system in row.bands)
    ra, dec = moved(kept.ra_deg, kept.dec_deg, kept.motion, year - row.epoch_year)
    order = np.argsort(dec, kind="stable")
    magnitudes = np.asarray(kept.magnitudes, dtype=np.float64)[:, order]
    return StarCatalog(row.name, row.sha256, ra[order], dec[order], magnitudes, bands)


def _bright() -> StarCatalog:
    dec, ra, magnitudes = bright_stars.bright_stars()
    bands = tuple(Band(name, GAIA_SYSTEM) for name in bright_stars.BANDS)
    return StarCatalog(bright_stars.NAME, bright_stars.identity(), ra, dec, magnitudes, bands)


def open_catalog() -> StarCatalog | None:
    """Return the star catalogue of the settings, None where none is set.

    Raises StarCatalogRefused, with a sentence, where the file is missing or is no star catalogue.
    """
    if not settings.ASTRID_STAR_CATALOG:
        return None
    path = Path(settings.ASTRID_STAR_CATALOG)
    try:
        key = key_of(path)
    except OSError as error:
        raise StarCatalogRefused(f"The star catalogue {path.name} cannot be read: {error.strerror}.") from error
    if not storage.exists(f"{key}.json"):
        _keep(path, key)
    return _kept(key)


def _keep(path: Path, key: str) -> None:
    """Read the file and store it: rows declination, right ascension, magnitudes, colours; its description last."""
    table = read_table(path)
    order = np.argsort(table.dec_deg, kind="stable")
    rows = np.vstack([table.dec_deg, table.ra_deg, *table.magnitudes, *table.colours.values()])[:, order]
    buffer = io.BytesIO()
    np.save(buffer, rows)
    content = buffer.getvalue()
    storage.write_atomically(f"{key}.npy", content)
    about = {
        "name": table.name, "bands": table.bands, "colours": list(table.colours),
        "sha256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip
    storage.write_atomically(f"{key}.json", json.dumps(about, sort_keys=True).encode())


def _kept(key: str) -> StarCatalog:
    about, rows = map_file(key)
    bands = tuple(Band(name, system) for name, system in about["bands"])
    first = 2 + len(bands)
    place = rows[1], rows[0], rows[2:first]
    return StarCatalog(about["name"], about["sha256"], *place, bands, rows[first:], tuple(about["colours"]))
