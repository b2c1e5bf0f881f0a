"""Where the telescope stood, as header keywords claim it, and whether the clock fits the place."""

from __future__ import annotations

import re
from dataclasses import dataclass

import astropy.units as u
from astropy.coordinates import EarthLocation

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS
from observations.numerics.fits.pointing import angle_of, ascension_deg
from observations.numerics.fits.universal import is_said_universal
from observations.numerics.site import LongitudeEvidence, east_longitude, greenwich_sidereal_deg, sun_altitude_deg

# Lights are taken in twilight, never with the Sun up; a degree for refraction and for the site's rounding.
_HIGHEST_SUN_DEG = 1.0
# An hour: the sidereal time of some headers is that of the start of a series.
_SIDEREAL_AGREES_DEG = 15.0
# The highest observatory stands at 5640 m; below the Dead Sea's shore there is none.
_HEIGHTS_M = (-430.0, 6000.0)
# Two places that lie farther apart (5 km) are two sites and not two roundings of one.
_SAME_SITE_DEG = 0.05
_HOURS = re.compile(r"\b(hours?|hrs?|h|hms)\b", re.I)
_METRES = re.compile(r"\[m\]|\bmet(?:re|er)s?\b|\bsea\b|\bm\b", re.I)


@dataclass(frozen=True)
class Site:
    """Place on Earth; longitude counted eastward."""

    latitude_deg: float | None = None
    longitude_deg: float | None = None
    height_m: float | None = None


def find_site(cards: Cards, evidence: LongitudeEvidence, notes: Notes) -> Site:
    """Return the observatory's place; the sign of the longitude is decided by evidence, not by the header alone."""
    latitude = _site_angle(cards, KEYWORDS["latitude"], 90.0, notes)
    longitude = _site_angle(cards, KEYWORDS["longitude"], 360.0, notes)
    # (0, 0) is in the Gulf of Guinea: an unset site.
    if latitude is None or longitude is None or (latitude[1] == 0 and longitude[1] == 0):
        return _from_centre_of_earth(cards, notes)
    east = _east(cards, longitude, latitude[1], evidence, notes)
    _note_other_sites(cards, latitude[0], latitude[1], notes)
    _note_other_sites(cards, longitude[0], east, notes)
    return Site(latitude[1], east, _height(cards))


def _from_centre_of_earth(cards: Cards, notes: Notes) -> Site:
    """The place of OBSGEO-X, -Y and -Z, which are metres from the centre of the Earth."""
    x, y, z = (cards.number(f"OBSGEO-{axis}") for axis in "XYZ")
    if x is None or y is None or z is None:
        return Site()
    place = EarthLocation.from_geocentric(x, y, z, unit=u.m)
    height_m = float(place.height.to_value(u.m))
    if not _HEIGHTS_M[0] <= height_m <= _HEIGHTS_M[1]:
        return Site()
    notes.came_from("site", "OBSGEO-X", x, "with OBSGEO-Y and OBSGEO-Z")
    return Site(float(place.lat.deg), float(place.lon.deg), height_m)


def _note_other_sites(cards: Cards, chosen: str, value: float, notes: Notes) -> None:
    """Doubt a site that another keyword puts elsewhere, whichever way it counts."""
    keywords = KEYWORDS["latitude" if chosen in KEYWORDS["latitude"] else "longitude"]
    for keyword in keywords:
        angle = angle_of(cards, keyword)
        if keyword == chosen or angle is None or angle[0] == 0:
            continue
        apart = min(abs((sign * angle[0] - value + 180) % 360 - 180) for sign in (1, -1))
        if apart > _SAME_SITE_DEG:
            notes.doubt(
                "site_contradicted", "site", keyword, cards.text(keyword),
                f"{keyword} = {cards.text(keyword)} lies {apart:.2f} degrees from {chosen} = {cards.text(chosen)}, "
                "which was used.",
            )  # fmt: skip


def _east(
    cards: Cards, longitude: tuple[str, float, str], latitude_deg: float, evidence: LongitudeEvidence, notes: Notes
) -> float:
    keyword, claim, letter = longitude
    if letter in ("E", "W"):
        return claim
    full = LongitudeEvidence(
        evidence.mjd_utc,
        latitude_deg,
        (*sidereal_times(cards), *evidence.sidereal_deg),
        evidence.utc_offset_hours,
        evidence.is_light,
    )
    east, name = east_longitude(claim, full)
    is_clock = name == "the Sun" and not is_said_universal(cards)
    is_said = "east" in cards.comment(keyword).lower() or keyword in ("OBSGEO-L", "ESO TEL GEOLON")
    if name is not None and abs(east - ((claim + 180) % 360 - 180)) > 1e-9:
        notes.doubt(
            "longitude_turned", "site", keyword, claim,
            f"{name[0].upper() + name[1:]} says that {keyword} = {claim:g} is counted westward: {east:+g} was used"
            + (". It may as well be that the clock is not UTC, which nothing says." if is_clock else "."),
            blocks=is_clock,
        )  # fmt: skip
    is_guess = name is None and not is_said
    notes.came_from("site", keyword, claim, "nothing confirms that it is counted eastward" if is_guess else "")
    return east


def doubt_clock(cards: Cards, site: Site, mjd_utc: float | None, notes: Notes) -> None:
    """Doubt the clock of a light that would have been taken by day, or whose sidereal time is another."""
    if mjd_utc is None or site.latitude_deg is None or site.longitude_deg is None:
        return
    altitude = sun_altitude_deg(mjd_utc, site.latitude_deg, site.longitude_deg)
    if altitude > _HIGHEST_SUN_DEG:
        notes.doubt(
            "sun_is_up", "time", "DATE-OBS", round(altitude, 1),
            f"At the time and the site of the header the Sun stood {altitude:.0f} degrees above the horizon: the clock "
            "is not UTC, or the site is another.", blocks=True,
        )  # fmt: skip
    here = greenwich_sidereal_deg(mjd_utc) + site.longitude_deg
    sidereal = sidereal_times(cards)
    apart = min((abs((one - here + 180.0) % 360.0 - 180.0) for one in sidereal), default=0.0)
    if apart > _SIDEREAL_AGREES_DEG:
        notes.doubt(
            "sidereal_time_differs", "time", "LST", round(apart / 15.0, 2),
            f"The header's sidereal time differs by {apart / 15.0:.1f} h from that of its time and site: the clock or "
            "the site is wrong.", blocks=True,
        )  # fmt: skip


def _site_angle(cards: Cards, keywords: tuple[str, ...], limit: float, notes: Notes) -> tuple[str, float, str] | None:
    for keyword in keywords:
        angle = angle_of(cards, keyword)
        if angle is None:
            continue
        if abs(angle[0]) > limit:
            sentence = f"{keyword} = {cards.text(keyword)} is not a place on Earth and was not used."
            notes.doubt("impossible_value", "site", keyword, cards.text(keyword), sentence)
            continue
        value = -abs(angle[0]) if angle[2] in ("S", "W") else angle[0]
        return keyword, value, angle[2]
    return None


def _height(cards: Cards) -> float | None:
    for keyword in KEYWORDS["height_m"]:
        height = cards.number(keyword)
        # ALTITUDE is in most headers the telescope's angle above the horizon, said or unsaid.
        is_angle = height is not None and keyword == "ALTITUDE" and abs(height) <= 90
        if height is None or (is_angle and not _METRES.search(cards.comment(keyword))):
            continue
        if _HEIGHTS_M[0] <= height <= _HEIGHTS_M[1]:
            return height
    return None


def sidereal_times(cards: Cards) -> tuple[float, ...]:
    """Return local sidereal times in degrees: as written, and as right ascension plus hour angle."""
    times = []
    for keyword in KEYWORDS["sidereal_time"]:
        angle = angle_of(cards, keyword)
        if angle is None:
            continue
        if angle[1] or (0 <= angle[0] < 24 and _HOURS.search(cards.comment(keyword))):
            times.append(angle[0] * 15)
        elif 360 < angle[0] <= 86400 or keyword == "ESO GEN EXPO LST":
            # Seconds of the day.
            times.append(angle[0] / 240)
    ra = next((ra for ra in (ascension_deg(cards, k) for k in ("RA", "OBJCTRA", "TELRA")) if ra is not None), None)
    for keyword in KEYWORDS["hour_angle"]:
        angle = angle_of(cards, keyword)
        if angle is not None and ra is not None:
            times.append((ra + (angle[0] * 15 if angle[1] else angle[0])) % 360)
    return tuple(times)
