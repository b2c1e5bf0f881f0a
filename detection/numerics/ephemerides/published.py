"""Orbits as they are published: the Minor Planet Center's text lines of asteroids and of comets, and its JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from detection.numerics.ephemerides.orbits import GM_SUN

_MJD_ORDINAL = date(1858, 11, 17).toordinal()
_JD_OF_MJD_0 = 2400000.5
_CENTURIES = {"I": 1800, "J": 1900, "K": 2000, "L": 2100}
# Months and days of a packed date: 1 to 9, then A for 10 and so on.
_PACKED = {letter: value for value, letter in enumerate("123456789ABCDEFGHIJKLMNOPQRSTUV", start=1)}
# Comets' elements come without any word on their quality. They are fitted to the last months, and jets push a comet:
# taken for those of an orbit that may run off by six arcminutes in ten years.
COMET_PARAMETER = 4
# Of a comet's slope parameter, where the list gives none.
_LEAST_LINE, _LEAST_COMET_LINE = 103, 103


class OrbitRefused(ValueError):
    """A line or an entry is no orbit; the text says why."""


class PublishedOrbit(NamedTuple):
    """One orbit: osculating, about the Sun, ecliptic and equinox of J2000; degrees, au and MJD (dynamical time)."""

    designation: str
    is_comet: bool
    perihelion_au: float
    eccentricity: float
    inclination_deg: float
    node_deg: float
    argument_deg: float
    perihelion_mjd: float
    epoch_mjd: float
    absolute_mag: float | None
    slope: float | None
    uncertainty_parameter: int | None
    rms_arcsec: float | None
    last_observed_mjd: float | None


def read_asteroid_line(line: str) -> PublishedOrbit:
    """Read a line of MPCORB.DAT, by the columns of the Minor Planet Center's export format for minor planets."""
    if len(line) < _LEAST_LINE:
        raise OrbitRefused("the line is too short")
    try:
        return _ellipse(
            line[166:194].strip() or line[:7].strip(),
            epoch_mjd=packed_date(line[20:25]),
            elements=(line[92:103], line[70:79], line[59:68], line[48:57], line[37:46], line[26:35]),
            beside=(line[8:13], line[14:19], line[105:106], line[137:141]),
            last_observed_mjd=_plain_date(line[194:202]),
        )
    except (ValueError, KeyError) as error:
        raise OrbitRefused(f"a column holds no number ({error})") from error


def read_asteroid_entry(entry: Mapping[str, object]) -> PublishedOrbit:
    """Read an entry of mpcorb_extended.json."""
    name = " ".join(str(entry[key]) for key in ("Number", "Name") if entry.get(key))
    if "Name" not in entry or not name:
        name = " ".join(str(entry[key]) for key in ("Number", "Principal_desig") if entry.get(key))
    seen = str(entry.get("Last_obs") or "").replace("-", "")
    try:
        return _ellipse(
            name,
            epoch_mjd=float(str(entry["Epoch"])) - _JD_OF_MJD_0,
            elements=tuple(str(entry[key]) for key in ("a", "e", "i", "Node", "Peri", "M")),
            beside=tuple(str(entry.get(key, "")) for key in ("H", "G", "U", "rms")),
            last_observed_mjd=_plain_date(seen),
        )
    except (ValueError, KeyError) as error:
        raise OrbitRefused(f"it lacks an element, or one is no number ({error})") from error


def read_comet_line(line: str) -> PublishedOrbit:
    """Read a line of CometEls.txt, by the columns of the Minor Planet Center's export format for comets."""
    if len(line) < _LEAST_COMET_LINE:
        raise OrbitRefused("the line is too short")
    try:
        perihelion = _date_of(line[14:18], line[19:21], line[22:29])
        epoch = _date_of(line[81:85], line[85:87], line[87:89]) if line[81:89].strip() else perihelion
        orbit = PublishedOrbit(
            line[102:158].strip(), True, float(line[30:39]), float(line[41:49]), float(line[71:79]),
            float(line[61:69]), float(line[51:59]), perihelion, epoch,
            _optional(line[91:95]), _optional(line[96:100]), COMET_PARAMETER, None, None,
        )  # fmt: skip
    except (ValueError, KeyError) as error:
        raise OrbitRefused(f"a column holds no number ({error})") from error
    return _checked(orbit)


def _ellipse(
    name: str, *, epoch_mjd: float, elements: tuple[str, ...], beside: tuple[str, ...], last_observed_mjd: float | None
) -> PublishedOrbit:
    """Make an orbit of a, e, i, node, argument and mean anomaly, and of H, G, U and rms."""
    a, e, tilt, node, argument, anomaly = map(float, elements)
    magnitude, slope, parameter, rms = beside
    if not (a > 0.0 and 0.0 <= e < 1.0):
        raise OrbitRefused("it is no ellipse")
    since = math.radians((anomaly + 180.0) % 360.0 - 180.0) * math.sqrt(a**3 / GM_SUN)
    orbit = PublishedOrbit(
        name, False, a * (1.0 - e), e, tilt, node, argument, epoch_mjd - since, epoch_mjd,
        _optional(magnitude), _optional(slope), int(parameter) if parameter.isdigit() else None, _optional(rms),
        last_observed_mjd,
    )  # fmt: skip
    return _checked(orbit)


def _checked(orbit: PublishedOrbit) -> PublishedOrbit:
    """Refuse what no body about the Sun can have."""
    if not all(map(math.isfinite, orbit[2:9])) or orbit.perihelion_au <= 0.0 or orbit.eccentricity < 0.0:
        raise OrbitRefused("an element is out of range")
    if not orbit.designation:
        raise OrbitRefused("it has no designation")
    return orbit


def _optional(text: str) -> float | None:
    """Return a number that may be missing, or that is given as one which is none."""
    text = text.strip()
    if not text or text == "None":
        return None
    value = float(text)
    return value if math.isfinite(value) else None


@lru_cache(maxsize=4096)
def packed_date(text: str) -> float:
    """Return the MJD of a date as the Minor Planet Center packs it: K239D is 2023-09-13."""
    year = _CENTURIES[text[0]] + int(text[1:3])
    return float(date(year, _PACKED[text[3]], _PACKED[text[4]]).toordinal() - _MJD_ORDINAL)


@lru_cache(maxsize=65536)
def _plain_date(text: str) -> float | None:
    """Return the MJD of YYYYMMDD; None where there is none."""
    if not text.strip().isdigit():
        return None
    # A date of the observers' calendar, no time: its zone does not matter.
    day = datetime.strptime(text.strip(), "%Y%m%d").date()  # noqa: DTZ007
    return float(day.toordinal() - _MJD_ORDINAL)


def _date_of(year: str, month: str, day: str) -> float:
    """Return the MJD of a date with a fraction of its day."""
    whole = date(int(year), int(month), 1).toordinal() - _MJD_ORDINAL
    return whole + float(day) - 1.0
