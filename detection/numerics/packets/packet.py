"""What an alert of another survey tells, in one form for all surveys; what it does not tell is None."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detection.numerics.stamps import CHANNELS, STAMP_SIZE_PX, Stamps
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.stamps import StampFile, read_stamp

Record = Mapping[str, object]
# Whole numbers up to this are told apart in a fraction of double precision.
_EXACT_TO = 2.0**53
SCIENCE, REFERENCE, DIFFERENCE = "cutoutScience", "cutoutTemplate", "cutoutDifference"


class PacketRefused(ValueError):
    """A packet cannot be imported; the sentence says why, in words of whoever brought it."""


@dataclass(frozen=True)
class TheirScore:
    """A real/bogus score of the survey's own: 1 = real, 0 = bogus."""

    name: str
    value: float
    version: str = ""


@dataclass(frozen=True)
class Exposure:
    """The exposure of one detector that an alert is from.

    name : the survey's own, with the detector. start_mjd_utc : None where only the middle is told. zero_point_mag :
    magnitude of one unit of the flux, AB. fwhm_px : of a star.
    """

    name: str
    mjd_utc: float
    start_mjd_utc: float | None
    band: str
    exposure_s: float | None = None
    zero_point_mag: float | None = None
    zero_point_error: float | None = None
    limiting_mag: float | None = None
    fwhm_px: float | None = None
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """What a survey measured of one peak of its difference image.

    Fluxes, significance and S/N are signed: negative for what is fainter than in the reference. fwhm_px, ellipticity :
    of the peak itself. masked_share : of its core.
    """

    ra: float
    dec: float
    pixel_x: float
    pixel_y: float
    is_negative: bool
    flux: float | None = None
    flux_error: float | None = None
    significance: float | None = None
    snr: float | None = None
    mag: float | None = None
    mag_error: float | None = None
    position_error_px: float | None = None
    fwhm_px: float | None = None
    ellipticity: float | None = None
    masked_share: float | None = None
    is_saturated: bool = False
    is_edge: bool = False
    is_dipole: bool = False


@dataclass(frozen=True)
class Packet:
    """One alert.

    survey : "ZTF" or "LSST". key : the survey's number of the alert. object_name : of what it belongs to, "" where the
    survey joins it to no object. known_body : of the solar system, as the survey names it. earlier_detections,
    earlier_undetected : entries of its history, which stays in the packet: detections, and limits or forced
    measurements. stamps : (4, 63, 63) float32 as of our own
    candidates, science minus reference in the third. is_turned : the sign of the difference was turned for that.
    """

    survey: str
    key: str
    object_name: str
    exposure: Exposure
    measured: Measured
    scores: tuple[TheirScore, ...]
    stamps: Stamps
    flux_unit: str
    is_turned: bool = False
    known_body: str = ""
    earlier_detections: int = 0
    earlier_undetected: int = 0
    schema: str = ""
    publisher: str = ""


def part_of(record: Record, name: str) -> Record:
    """Return a part of a record. Raises PacketRefused where there is none."""
    found = record.get(name)
    if not isinstance(found, Mapping):
        raise PacketRefused(f"it has no `{name}`")
    return found


def number(record: Record, name: str) -> float | None:
    """Return a finite number of a record; None where there is none."""
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not math.isfinite(value):
        return None
    return float(value)


def positive(record: Record, name: str) -> float | None:
    """Return a number above 0; None where there is none. Surveys write 0 and -999 where nothing is known."""
    value = number(record, name)
    return value if value is not None and value > 0.0 else None


def needed(record: Record, name: str) -> float:
    """Return a number. Raises PacketRefused where the packet lacks what no row can do without."""
    value = number(record, name)
    if value is None:
        raise PacketRefused(f"it does not give `{name}`")
    return value


def whole(record: Record, name: str) -> int | None:
    """Return a whole number of a record, which tables may hold as a fraction; None where there is none."""
    value = record.get(name)
    if isinstance(value, bool):
        return None
    if isinstance(value, int | np.integer):
        return int(value)
    as_number = number(record, name)
    is_exact = as_number is not None and as_number.is_integer() and abs(as_number) < _EXACT_TO
    return int(as_number) if as_number is not None and is_exact else None


def text(record: Record, name: str) -> str:
    """Return a text of a record, "" where there is none."""
    value = record.get(name)
    return value.strip() if isinstance(value, str) else ""


def entries(record: Record, name: str) -> list[Record]:
    """Return the entries of a list of records; none where there is no list."""
    value = record.get(name)
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list | tuple) else []


def place_of(record: Record) -> tuple[float, float]:
    """Return right ascension and declination, ICRS degrees. Raises PacketRefused where they are none."""
    ra, dec = needed(record, "ra"), needed(record, "dec")
    if not (0.0 <= ra < 360.0 and -90.0 <= dec <= 90.0):
        raise PacketRefused(f"ra = {ra:g}, dec = {dec:g} is no place in the sky")
    return ra, dec


def stamp_of(record: Record, name: str) -> StampFile:
    """Return one cutout of a packet. Raises PacketRefused where it has none that can be read."""
    found = record.get(name)
    content = found.get("stampData") if isinstance(found, Mapping) else found
    if not isinstance(content, bytes) or not content:
        raise PacketRefused(f"it has no `{name}`")
    try:
        return read_stamp(content)
    except FitsRefused as refusal:
        raise PacketRefused(f"`{name}` cannot be read: {refusal}") from refusal


def framed(image: NDArray[np.float32], x: int, y: int) -> NDArray[np.float32]:
    """Return the 63 x 63 pixels about a pixel of an image: cut where it is larger, NaN where it is not there.

    Parameters
    ----------
    image : (ny, nx). x, y : column and row that come to the middle, 0-based; they may lie beyond the image.
    """
    half = STAMP_SIZE_PX // 2
    out = np.full((STAMP_SIZE_PX, STAMP_SIZE_PX), np.nan, dtype=np.float32)
    rows, columns = (np.arange(middle - half, middle + half + 1) for middle in (y, x))
    is_row, is_column = (rows >= 0) & (rows < image.shape[0]), (columns >= 0) & (columns < image.shape[1])
    out[np.ix_(is_row, is_column)] = image[np.ix_(rows[is_row], columns[is_column])]
    return out


def stacked(science: NDArray[np.float32], reference: NDArray[np.float32], difference: NDArray[np.float32]) -> Stamps:
    """Return the stamps of a candidate, (4, 63, 63); the mask is 1 where one of the images is not known."""
    stamps: Stamps = np.empty((len(CHANNELS), STAMP_SIZE_PX, STAMP_SIZE_PX), dtype=np.float32)
    for k, image in enumerate((science, reference, difference)):
        stamps[k] = np.where(np.isfinite(image), image, np.nan)
    stamps[3] = np.isnan(stamps[:3]).any(axis=0)
    return stamps
