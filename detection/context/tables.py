"""Catalogues of stars, variables and galaxies as people and services have them, read into the columns that are kept."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import ascii as text_tables
from astropy.table import Column as TableColumn
from astropy.table import Table
from astropy.units import Unit, UnitsError
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import NDArray

from preprocessing.star_table import (
    BAND_OF_COLUMN,
    DEC_NAMES,
    FITS_ENDINGS,
    NEAREST_TO_CLEAR,
    NO_VALUE,
    PLAIN_MAGNITUDES,
    PM_DEC_NAMES,
    PM_RA_NAMES,
    RA_NAMES,
    SYSTEM_OF_BAND,
)

Column = NDArray[np.float64]

GAIA_EPOCH_YEAR, OTHER_EPOCH_YEAR = 2016.0, 2000.0
LONGEST_TEXT = 64
_NAMES = (
    "name", "designation", "source_id", "gaia", "oid", "main_id", "objname", "object", "objid", "pgc", "tns_name", "id",
)  # fmt: skip
_TYPES = ("type", "vartype", "var_type", "class", "best_class_name", "otype", "objtype", "morphtype", "morph")
_PARALLAXES, _REDSHIFTS = ("parallax", "plx", "parallax_mas"), ("redshift", "zsp", "z_spec", "zspec", "z_best")
_MAGNITUDES = (*PLAIN_MAGNITUDES, "max", "vmag", "btmag", "bt")
_SEMI_MAJOR = (
    "semi_major_arcsec",
    "shape_r",
    "r_eff",
    "re",
    "r_e",
    "rhalf",
    "r_half",
    "petror50_r",
    "semi_major",
    "rmaj",
)
_AXIS_RATIOS = ("axis_ratio", "ba", "b_a", "b/a", "sup_ba", "expab_r")
_ANGLES = ("angle_deg", "pa", "pa_deg", "posang", "position_angle", "sup_phi", "expphi_r")
_EPOCHS = ("ref_epoch", "epoch", "epoch_year")
# The names of what is kept as it is told; a plain number is in the unit of the second.
_NUMBERS = {
    "ra": (RA_NAMES, "deg"), "dec": (DEC_NAMES, "deg"), "parallax_mas": (_PARALLAXES, "mas"),
    "pm_ra_mas_per_year": (PM_RA_NAMES, "mas/yr"), "pm_dec_mas_per_year": (PM_DEC_NAMES, "mas/yr"),
    "redshift": (_REDSHIFTS, ""), "semi_major_arcsec": (_SEMI_MAJOR, "arcsec"), "axis_ratio": (_AXIS_RATIOS, ""),
    "angle_deg": (_ANGLES, "deg"),
}  # fmt: skip
NUMBERS = (*_NUMBERS, "mag")


class TableRefused(ValueError):
    """This is no catalogue that can be loaded; the text says why."""


@dataclass(frozen=True)
class ContextTable:
    """What was read, (n,) each: numbers by the names of `NUMBERS`, NaN where unknown, and words.

    columns : which column was taken for what. skipped : rows without a position.
    """

    numbers: dict[str, Column]
    names: list[str]
    types: list[str]
    band: str
    epoch_year: float
    columns: dict[str, str]
    skipped: int

    def __len__(self) -> int:
        return len(self.names)


def read_file(path: Path) -> Table:
    """Read CSV, a FITS table or a VOTable by its name or content. Raises TableRefused."""
    lower = path.name.casefold()
    try:
        with warnings.catch_warnings():
            # Remarks on units and names of columns, which are looked at below.
            warnings.simplefilter("ignore", AstropyWarning)
            if lower.endswith(FITS_ENDINGS):
                return Table.read(path, format="fits")
            if lower.endswith((".xml", ".vot", ".votable")):
                return Table.read(path, format="votable")
            with path.open(encoding="utf-8-sig") as lines:
                if not any(line.strip() and not line.startswith("#") for line in lines):
                    raise TableRefused(f"{path.name} is empty.")
            return text_tables.read(path, format="csv", guess=False, comment="#", fill_values=NO_VALUE)
    except TableRefused:
        raise
    except (OSError, ValueError, TypeError, IndexError, text_tables.InconsistentTableError) as error:
        words = " ".join(str(error).split())
        raise TableRefused(f"{path.name} cannot be read as CSV, FITS or VOTable: {words[:200]}") from error


def context_table(table: Table, source: str) -> ContextTable:
    """Return what is kept of a table; `source` names it in sentences. Raises TableRefused."""
    columns = {key: column for key, (names, _) in _NUMBERS.items() if (column := _named(table, names))}
    if "ra" not in columns or "dec" not in columns:
        raise TableRefused(
            f"{source} has no columns for right ascension and declination among {', '.join(table.colnames)[:300]}: "
            "name them ra and dec, in degrees (ICRS)."
        )
    numbers = {
        key: _numbers(table[columns[key]], unit, source) if key in columns else np.full(len(table), np.nan)
        for key, (_, unit) in _NUMBERS.items()
    }
    magnitude, band = _magnitude(table)
    numbers["mag"] = _numbers(table[magnitude], "", source) if magnitude else np.full(len(table), np.nan)
    if magnitude:
        columns["mag"] = magnitude
    _add_old_shape(table, numbers, columns, source)
    for key, names in (("name", _NAMES), ("type_name", _TYPES)):
        if column := _named(table, names):
            columns[key] = column
    is_good = np.isfinite(numbers["ra"]) & np.isfinite(numbers["dec"])
    _check_positions(numbers, is_good, source)
    words = {key: _words(table, columns.get(key), is_good) for key in ("name", "type_name")}
    kept = {key: np.where(np.isfinite(column), column, np.nan)[is_good] for key, column in numbers.items()}
    kept["ra"] %= 360.0
    for key in ("semi_major_arcsec", "axis_ratio"):
        kept[key] = np.where(kept[key] > 0.0, kept[key], np.nan)
    skipped = int(np.count_nonzero(~is_good))
    return ContextTable(kept, words["name"], words["type_name"], band, _epoch(table), columns, skipped)


def _check_positions(numbers: dict[str, Column], is_good: NDArray[np.bool_], source: str) -> None:
    if len(is_good) and not is_good.any():
        raise TableRefused(f"No row of {source} has a position.")
    ra, dec = numbers["ra"][is_good], numbers["dec"][is_good]
    if (np.abs(dec) > 90.0).any() or ((ra < -180.0) | (ra > 360.0)).any():
        raise TableRefused(f"{source} has positions outside the sky: give right ascension and declination in degrees.")
    if len(ra) > 100 and ra.max() <= 24.0 and ra.min() >= 0.0 and np.ptp(ra) > 12.0 and np.ptp(dec) > 60.0:
        raise TableRefused(f"The right ascensions of {source} seem to be hours: give degrees.")


def _named(table: Table, names: Sequence[str]) -> str | None:
    """Return the column of the first of these names that the table has, in any case."""
    folded = {column.casefold(): column for column in table.colnames}
    return next((folded[name] for name in names if name in folded), None)


def _magnitude(table: Table) -> tuple[str | None, str]:
    """Return the column of the magnitude that tells most, and its band; "" where nobody says which."""
    bands = {column: band for column in table.colnames if (band := _band(column))}
    ranked = [band for band in (*NEAREST_TO_CLEAR, *SYSTEM_OF_BAND) if band in bands.values()]
    if ranked:
        return next(column for column, band in bands.items() if band == ranked[0]), ranked[0]
    plain = _named(table, _MAGNITUDES)
    return plain, "B" if plain and plain.casefold().startswith("bt") else ""


def _band(column: str) -> str | None:
    """Return the band of a column such as rmag, mag_r or phot_g_mean_mag; None where it is no magnitude."""
    if column.casefold() in BAND_OF_COLUMN:
        return BAND_OF_COLUMN[column.casefold()]
    found = re.fullmatch(r"(?:([A-Za-z]{1,2}?)_?mag|mag_([A-Za-z]{1,2}))", column)
    band = (found[1] or found[2]) if found else None
    return band if band in SYSTEM_OF_BAND else None


def _add_old_shape(table: Table, numbers: dict[str, Column], columns: dict[str, str], source: str) -> None:
    """Read the logarithms of the Third Reference Catalogue, log d25 and log r25, where no other shape is given."""
    size, ratio = _named(table, ("logd25",)), _named(table, ("logr25",))
    if "semi_major_arcsec" in columns or size is None:
        return
    # The isophote's diameter in tenths of an arcminute. Half the light of discs lies within a third of its radius.
    numbers["semi_major_arcsec"] = 10.0 ** _numbers(table[size], "", source) * 6.0 / 2.0 / 3.0
    columns["semi_major_arcsec"] = size
    if ratio is not None:
        numbers["axis_ratio"] = 10.0 ** -_numbers(table[ratio], "", source)
        columns["axis_ratio"] = ratio


def _numbers(column: TableColumn, unit: str, source: str) -> Column:
    """Return a column as floats in a unit, NaN where there is no value."""
    try:
        numbers: Column = np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
        stated = getattr(column, "unit", None)
        return numbers * float(Unit(stated).to(unit)) if unit and stated is not None else numbers
    except (ValueError, TypeError, UnitsError) as error:
        raise TableRefused(f"The column {column.name} of {source} holds no numbers in {unit or 'one unit'}.") from error


def _words(table: Table, column: str | None, is_good: NDArray[np.bool_]) -> list[str]:
    if column is None:
        return [""] * int(np.count_nonzero(is_good))
    values = table[column]
    if column.casefold() == "pgc":
        return [f"PGC {value}" for value in values[is_good]]
    blank = getattr(values, "mask", np.zeros(len(table), dtype=bool))
    told = zip(np.asarray(values)[is_good], np.broadcast_to(blank, len(table))[is_good], strict=True)
    return ["" if is_blank else " ".join(_text(value).split())[:LONGEST_TEXT] for value, is_blank in told]


def _text(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.replace("\x00", "")


def _epoch(table: Table) -> float:
    named = _named(table, _EPOCHS)
    if named is not None and np.issubdtype(table[named].dtype, np.number):
        years = np.ma.filled(np.ma.asarray(table[named], dtype=np.float64), np.nan)
        if np.isfinite(years).any() and 1900.0 < float(np.nanmedian(years)) < 2100.0:
            return float(np.nanmedian(years))
    is_gaia = {"phot_g_mean_mag", "ra_icrs", "source_id"} & {name.casefold() for name in table.colnames}
    return GAIA_EPOCH_YEAR if is_gaia else OTHER_EPOCH_YEAR
