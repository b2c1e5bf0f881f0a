"""Where and when on Earth: sidereal time, the Sun, the observing night, and which way a longitude was counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial

MJD_J2000 = 51544.5
_MJD_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)


def mjd_of(time: datetime) -> float:
    """Return the Modified Julian Date (UTC) of an aware datetime."""
    return (time - _MJD_EPOCH) / timedelta(days=1)


def time_of(mjd_utc: float) -> datetime:
    """Return the aware UTC datetime of a Modified Julian Date, to the microsecond."""
    return _MJD_EPOCH + timedelta(days=mjd_utc)


def night_of(time: datetime, site_longitude_deg: float | None) -> date:
    """Return the civil date on which the night began: local noon to local noon, UTC where the site is unknown.

    Local time is mean solar time at the east-positive longitude.
    """
    hours = 0.0 if site_longitude_deg is None else site_longitude_deg / 15.0
    return (time.astimezone(UTC) + timedelta(hours=hours - 12.0)).date()


def greenwich_sidereal_deg(mjd_utc: float) -> float:
    """Return Greenwich mean sidereal time in degrees (Meeus 1998, eq. 12.4, linear terms: 0.1 s per century)."""
    return (280.46061837 + 360.98564736629 * (mjd_utc - MJD_J2000)) % 360.0


def sun_altitude_deg(mjd_utc: float, latitude_deg: float, longitude_deg: float) -> float:
    """Return the Sun's altitude in degrees, good to 0.05° from 1950 to 2050 (Astronomical Almanac, page C5)."""
    days = mjd_utc - MJD_J2000
    anomaly = math.radians(357.528 + 0.9856003 * days)
    ecliptic = math.radians(280.460 + 0.9856474 * days + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    obliquity = math.radians(23.439 - 4e-7 * days)
    declination = math.asin(math.sin(obliquity) * math.sin(ecliptic))
    ascension = math.atan2(math.cos(obliquity) * math.sin(ecliptic), math.cos(ecliptic))
    hour_angle = math.radians(greenwich_sidereal_deg(mjd_utc) + longitude_deg) - ascension
    latitude = math.radians(latitude_deg)
    sine = math.sin(latitude) * math.sin(declination)
    return math.degrees(math.asin(sine + math.cos(latitude) * math.cos(declination) * math.cos(hour_angle)))


@dataclass(frozen=True)
class LongitudeEvidence:
    """What else a header says about where it was night; all optional.

    sidereal_deg : local sidereal times at `mjd_utc`, degrees. utc_offset_hours : local civil time minus UTC.
    is_light : the sky was observed, so the Sun was down.
    """

    mjd_utc: float | None = None
    latitude_deg: float | None = None
    sidereal_deg: tuple[float, ...] = ()
    utc_offset_hours: float | None = None
    is_light: bool = False


# Five minutes: a sidereal time that was read for this exposure, at its start or at its end.
_EXACT_SIDEREAL_DEG = 1.25


def _separation_deg(first: float, second: float) -> float:
    return abs((first - second + 180.0) % 360.0 - 180.0)


def east_longitude(claim_deg: float, evidence: LongitudeEvidence) -> tuple[float, str | None]:
    """Return the east-positive longitude that the evidence supports, and the evidence by name (None: there is none).

    Headers count longitudes both ways. Each kind of evidence votes for one sign only where that sign fits and the
    other does not; sidereal time is trusted before civil time, civil time before the Sun. Near Greenwich both signs fit
    a sidereal time: there the clearly better one counts. Without evidence the FITS standard stands: east is positive.
    """
    east = claim_deg if -180.0 <= claim_deg <= 180.0 else (claim_deg + 180.0) % 360.0 - 180.0
    for name, misfit, tolerance in _misfits(evidence):
        kept, turned = misfit(east), misfit(-east)
        if min(kept, turned) <= tolerance < max(kept, turned):
            return (east if kept < turned else -east), name
        is_exact = name == "sidereal time" and min(kept, turned) <= _EXACT_SIDEREAL_DEG
        if is_exact and max(kept, turned) > 3 * _EXACT_SIDEREAL_DEG:
            return (east if kept < turned else -east), name
    return east, None


def _misfits(evidence: LongitudeEvidence) -> Iterator[tuple[str, Callable[[float], float], float]]:
    """Name, misfit of a longitude in degrees, and the misfit that is still an agreement."""
    mjd = evidence.mjd_utc
    if mjd is not None:
        greenwich = greenwich_sidereal_deg(mjd)
        for sidereal in evidence.sidereal_deg:
            # 15 degrees: a sidereal time frozen at the start of a series may be up to an hour old.
            yield "sidereal time", partial(_separation_deg, sidereal - greenwich), 15.0
    if evidence.utc_offset_hours is not None:
        civil_deg = evidence.utc_offset_hours * 15.0
        # 40 degrees: civil time strays from the sun by up to 2.6 hours (western China), summer time included.
        yield "local civil time", partial(_separation_deg, civil_deg), 40.0
    if mjd is not None and evidence.is_light and evidence.latitude_deg is not None:
        # Altitude above the horizon as misfit; a light frame may be taken in twilight, never at -1 degree and above.
        yield "the Sun", partial(sun_altitude_deg, mjd, evidence.latitude_deg), -1.0
