"""Star catalogues as people have them: CSV, FITS tables or Parquet, with columns of many names."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from astropy.io import ascii as text_tables
from astropy.table import Column as TableColumn
from astropy.table import Table
from astropy.units import Unit, UnitsError
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import NDArray

Column = NDArray[np.float64]

RA_NAMES = ("ra", "ra_deg", "radeg", "ra_icrs", "raj2000", "_raj2000", "_ra", "_ra_icrs", "right_ascension")
DEC_NAMES = ("dec", "dec_deg", "decdeg", "de", "de_icrs", "dec_icrs", "dej2000", "decj2000", "_dej2000", "_de",
             "_de_icrs", "declination")  # fmt: skip
PM_RA_NAMES = ("pmra", "pm_ra", "pmra_cosdec")
PM_DEC_NAMES = ("pmdec", "pm_dec", "pmde", "pm_de")
# One letter's case tells the system: G is Gaia's, g is Sloan's.
SYSTEM_OF_BAND = {
    **dict.fromkeys(("u", "g", "r", "i", "z", "y"), "AB"),
    **dict.fromkeys(("U", "B", "V", "R", "I", "J", "H", "K", "Ks", "G", "BP", "RP", "BT", "VT"), "Vega"),
}
# Where a frame's own band is not there, what is nearest to a bare detector's response serves.
NEAREST_TO_CLEAR = ("G", "r", "R", "V", "g", "VT", "RP", "i", "I")
BAND_OF_COLUMN = {"phot_g_mean_mag": "G", "phot_bp_mean_mag": "BP", "phot_rp_mean_mag": "RP"}
PLAIN_MAGNITUDES = ("mag", "magnitude")
# What columns such as bp_rp, g-r or B-V hold; the case of a single letter tells the system, where both have it.
COLOURS = (
    "BP-RP", "G-RP", "BP-G", "u-g", "g-r", "g-i", "r-i", "i-z", "U-B", "B-V", "V-R", "V-I", "R-I", "BT-VT", "J-H",
    "J-K", "H-K",
)  # fmt: skip
NO_VALUE = [(text, "0") for text in ("", "null", "NULL", "nan", "NaN", "--")]
FITS_ENDINGS = (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fts.gz")
# The columns of the database that take the names.
LONGEST_NAME, LONGEST_BAND, LONGEST_SYSTEM = 64, 32, 16


class StarCatalogRefused(Exception):
    """The file cannot serve as a star catalogue; the sentence says why and what to give."""


@dataclass(frozen=True)
class StarTable:
    """What a file holds: ICRS degrees (n,), magnitudes of each band (n,), bands as (name, system).

    motion : in right ascension (times cos dec) and declination, mas a year, (n,) each; 0 where unknown.
    colours : what the file holds as colours, by name, (n,) mag.
    """

    name: str
    ra_deg: Column
    dec_deg: Column
    magnitudes: list[Column]
    bands: list[tuple[str, str]]
    motion: tuple[Column, Column]
    colours: dict[str, Column] = field(default_factory=dict)


def read_table(path: Path) -> StarTable:
    """Read a star catalogue; rows without position or any magnitude are left out.

    Lines `# name: ...`, `# band: ...`, `# system: ...` above a CSV table, or the same words in a FITS table's header,
    name the catalogue and say what its column `mag` is.

    Raises StarCatalogRefused where the file cannot be read or lacks a position or a magnitude.
    """
    table, about = _read(path)
    name = str(about.get("name") or path.name.split(".")[0])[:LONGEST_NAME]
    return stars_of_table(table, about, name, path.name)


def stars_of_table(table: Table, about: dict[str, str], name: str, source: str) -> StarTable:
    """Return the stars of a table, `source` naming where it is from in sentences.

    Raises StarCatalogRefused where it lacks a position or a magnitude, or has none on the sky.
    """
    ra_name, dec_name = _named(table, RA_NAMES), _named(table, DEC_NAMES)
    bands = _bands(table.colnames, about)
    if ra_name is None or dec_name is None or not bands:
        lacking = "a magnitude (mag)" if ra_name and dec_name else "ra and dec"
        raise StarCatalogRefused(
            f"The star catalogue {source} has no column for {lacking} among {', '.join(table.colnames)}: name the "
            "columns ra, dec (degrees) and mag."
        )
    ra, dec = (_numbers(table[column], source, "deg") for column in (ra_name, dec_name))
    magnitudes = [_numbers(table[column], source) for column in bands]
    good = np.isfinite(ra) & np.isfinite(dec) & np.isfinite(magnitudes).any(axis=0)
    if not good.any():
        raise StarCatalogRefused(f"The star catalogue {source} has no star with position and magnitude.")
    if (np.abs(dec[good]) > 90).any() or ((ra[good] < -180) | (ra[good] > 360)).any():
        raise StarCatalogRefused(f"The star catalogue {source} has positions outside the sky: give degrees.")
    motions = [
        np.zeros(len(table)) if (column := _named(table, names)) is None else _numbers(table[column], source, "mas/yr")
        for names in (PM_RA_NAMES, PM_DEC_NAMES)
    ]
    moving = np.isfinite(motions).all(axis=0)
    motions = [np.where(moving, motion, 0.0)[good] for motion in motions]
    values = [magnitude[good] for magnitude in magnitudes]
    named = {column: _colour(column) for column in table.colnames}
    colours = {colour: _numbers(table[column], source)[good] for column, colour in named.items() if colour}
    place = ra[good] % 360.0, dec[good]
    return StarTable(name, *place, values, list(bands.values()), (motions[0], motions[1]), colours)


def _read(path: Path) -> tuple[Table, dict[str, str]]:
    """Return the table, only its columns of use where that is quicker, and what it says about itself."""
    lower = path.name.casefold()
    try:
        with warnings.catch_warnings():
            # Remarks on units and names of columns that are not read.
            warnings.simplefilter("ignore", AstropyWarning)
            if lower.endswith(FITS_ENDINGS):
                table = Table.read(path, format="fits")
                return table, {str(key).casefold(): str(value) for key, value in table.meta.items()}
            if lower.endswith((".parquet", ".pq")):
                return Table.read(path, format="parquet"), {}
            return _read_csv(path)
    except ImportError as error:
        raise StarCatalogRefused(
            f"The star catalogue {path.name} is Parquet, which pyarrow reads: install it, or give CSV or FITS."
        ) from error
    except (OSError, ValueError, TypeError, IndexError, text_tables.InconsistentTableError) as error:
        raise StarCatalogRefused(f"The star catalogue {path.name} cannot be read: {error}") from error


def _read_csv(path: Path) -> tuple[Table, dict[str, str]]:
    about: dict[str, str] = {}
    columns: list[str] = []
    with path.open(encoding="utf-8-sig") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                columns = [name.strip().strip('"') for name in line.split(",")]
                break
            key, _, value = line.lstrip("#").partition(":")
            about[key.strip().casefold()] = value.strip()
    if not columns:
        raise StarCatalogRefused(f"The star catalogue {path.name} is empty.")
    known = (*RA_NAMES, *DEC_NAMES, *PLAIN_MAGNITUDES)
    wanted = [c for c in columns if c.casefold() in known or _band(c) or _colour(c)]
    table = text_tables.read(
        path, format="csv", guess=False, comment="#", fill_values=NO_VALUE, include_names=wanted or columns
    )
    return table, about


def _named(table: Table, names: tuple[str, ...]) -> str | None:
    """Return the column of the first of these names that the table has, in any case."""
    folded = {column.casefold(): column for column in table.colnames}
    return next((folded[name] for name in names if name in folded), None)


def _band(column: str) -> str | None:
    """Return the band of a column such as rmag, mag_r, g'mag, phot_g_mean_mag; None where it is no magnitude."""
    if column.casefold() in BAND_OF_COLUMN:
        return BAND_OF_COLUMN[column.casefold()]
    found = re.fullmatch(r"(?:(\w{1,2}?)_?'?_?mag|mag_(\w{1,2}))", column)
    band = (found[1] or found[2]) if found else None
    return band if band in SYSTEM_OF_BAND else None


def _colour(column: str) -> str | None:
    """Return the colour of a column such as bp_rp, g-r, (B-V), b_v, color_bp_rp; None where it is none.

    Two letters in lower case are Sloan's unless only Johnson's make a colour of them.
    """
    found = re.fullmatch(r"\(?(?:colou?r_)?([A-Za-z]{1,2})['_]?[-_]([A-Za-z]{1,2})'?\)?", column)
    if found is None:
        return None
    names = f"{found[1]}-{found[2]}", f"{found[1]}-{found[2]}".upper()
    return next((name for name in names if name in COLOURS), None)


def _bands(columns: list[str], about: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return the columns of magnitudes with band and system, best for unfiltered light first.

    A plain `mag` is what the file says that it is.
    """
    bands: dict[str, tuple[str, str]] = {}
    rank = {band: number for number, band in enumerate(NEAREST_TO_CLEAR)}
    for column in columns:
        if column.casefold() in PLAIN_MAGNITUDES:
            said = about.get("band", "")[:LONGEST_BAND]
            bands[column] = (said, (about.get("system") or "")[:LONGEST_SYSTEM])
        elif (band := _band(column)) is not None:
            bands[column] = (band, SYSTEM_OF_BAND[band])
    return dict(sorted(bands.items(), key=lambda entry: rank.get(entry[1][0], len(rank))))


def _numbers(column: TableColumn, source: str, unit: str = "") -> Column:
    """Return a column as floats, NaN where there is no value, in the unit that was asked for."""
    try:
        numbers = np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
        stated = getattr(column, "unit", None)
        return numbers * float(Unit(stated).to(unit)) if unit and stated is not None else numbers
    except (ValueError, TypeError, UnitsError) as error:
        raise StarCatalogRefused(
            f"The star catalogue {source} has no plain numbers in degrees and magnitudes: {error}"
        ) from error
