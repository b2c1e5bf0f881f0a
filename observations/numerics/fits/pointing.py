"""Where the telescope stood and pointed, as header keywords claim it."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

import astropy.units as u
from astropy.coordinates import FK4, FK5, ICRS, BaseCoordinateFrame, SkyCoord
from astropy.time import Time
from erfa import ErfaWarning

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS, POINTING_KEYWORDS
from observations.numerics.site import LongitudeEvidence, east_longitude, greenwich_sidereal_deg, sun_altitude_deg
from observations.numerics.sphere import separation_deg

_SEXAGESIMAL = re.compile(
    r"([+-]?)\s*(\d{1,3})[:\s hd°]+(\d{1,2})(?:[:\s m']+(\d{1,2}(?:\.\d*)?))?\s*[s\"]?\s*([NSEW]?)$", re.I
)
_PLAIN = re.compile(r"([+-]?)\s*(\d+(?:\.\d*)?)\s*([NSEW])$", re.I)
_HOURS = re.compile(r"\b(hours?|hrs?|h|hms)\b", re.I)
_DEGREES = re.compile(r"\bdeg", re.I)
# Two pointings this far apart are two targets, not two catalogues' opinions of one.
_POINTING_CONFLICT_DEG = 0.1
# Lights are taken in twilight, never with the Sun up; a degree for refraction and for the site's rounding.
_HIGHEST_SUN_DEG = 1.0
# An hour: the sidereal time of some headers is that of the start of a series.
_SIDEREAL_AGREES_DEG = 15.0
# The highest observatory stands at 5640 m; below the Dead Sea's shore there is none.
_HEIGHTS_M = (-430.0, 6000.0)


@dataclass(frozen=True)
class Site:
    """Place on Earth; longitude counted eastward."""

    latitude_deg: float | None = None
    longitude_deg: float | None = None
    height_m: float | None = None


def parse_angle(text: str) -> tuple[float, bool, str] | None:
    """Return value, whether it was sexagesimal, and a trailing N, S, E or W; None where it is no angle."""
    match = _SEXAGESIMAL.match(text.strip())
    if match:
        if int(match[3]) > 59 or float(match[4] or 0) >= 60.5:
            return None
        value = int(match[2]) + int(match[3]) / 60 + float(match[4] or 0) / 3600
        return (-value if match[1] == "-" else value), True, match[5].upper()
    plain = _PLAIN.match(text.strip())
    if plain:
        return (-1 if plain[1] == "-" else 1) * float(plain[2]), False, plain[3].upper()
    try:
        return float(text), False, ""
    except ValueError:
        return None


def _angle(cards: Cards, keyword: str) -> tuple[float, bool, str] | None:
    number = cards.number(keyword)
    if number is not None:
        return number, False, ""
    text = cards.text(keyword)
    return None if text is None else parse_angle(text)


def _ascension_deg(cards: Cards, keyword: str) -> float | None:
    """Right ascension in degrees: sexagesimal is hours unless it cannot be, a number degrees unless it says hours."""
    angle = _angle(cards, keyword)
    if angle is None:
        return None
    value, is_sexagesimal, _ = angle
    comment = cards.comment(keyword)
    is_hours = bool(_HOURS.search(comment)) and not _DEGREES.search(comment)
    if is_sexagesimal:
        is_hours = value < 24 and not ("deg" in comment.lower() and "hour" not in comment.lower() and not is_hours)
    value = value * 15 if is_hours else value
    return value if 0 <= value < 360.0000001 else None


def find_pointing(cards: Cards, mjd_utc: float | None, notes: Notes) -> tuple[float, float] | None:
    """Return ICRS (ra, dec) in degrees from the pointing keywords, or None; several that disagree are noted."""
    found: dict[str, tuple[float, float]] = {}
    for ra_keyword, dec_keyword in POINTING_KEYWORDS:
        position = _one_pointing(cards, ra_keyword, dec_keyword, mjd_utc, notes)
        if position is not None:
            found[ra_keyword] = position
    if not found:
        return None
    chosen_keyword, chosen = next(iter(found.items()))
    others = {
        keyword: position
        for keyword, position in found.items()
        if separation_deg(*position, *chosen) > _POINTING_CONFLICT_DEG
    }
    for keyword, position in others.items():
        apart = separation_deg(*found[keyword], *chosen)
        notes.doubt(
            "pointing_contradicted", "position", keyword, f"{position[0]:.5f} {position[1]:+.5f}",
            f"{keyword} points {apart:.2f} degrees away from {chosen_keyword}, which was used.",
        )  # fmt: skip
    notes.came_from("pointing", chosen_keyword, cards.text(chosen_keyword))
    return chosen


def _one_pointing(
    cards: Cards, ra_keyword: str, dec_keyword: str, mjd_utc: float | None, notes: Notes
) -> tuple[float, float] | None:
    if cards.get(ra_keyword) is None or cards.get(dec_keyword) is None:
        return None
    ra, dec = _ascension_deg(cards, ra_keyword), _angle(cards, dec_keyword)
    if ra is None or dec is None or not -90 <= dec[0] <= 90:
        written = f"{cards.text(ra_keyword)} {cards.text(dec_keyword)}"
        notes.doubt(
            "impossible_value", "position", ra_keyword, written,
            f"{ra_keyword} = {cards.text(ra_keyword)}, {dec_keyword} = {cards.text(dec_keyword)} is not a position "
            "and was not used.",
        )  # fmt: skip
        return None
    if ra == 0 and dec[0] == 0:
        notes.doubt(
            "unset_value", "position", ra_keyword, 0.0,
            f"{ra_keyword} and {dec_keyword} are both 0, as in a header that nobody filled in, and were not used.",
        )  # fmt: skip
        return None
    return _to_icrs(ra % 360, dec[0], _frame(cards, ra_keyword, mjd_utc))


def _frame(cards: Cards, ra_keyword: str, mjd_utc: float | None) -> BaseCoordinateFrame:
    """The frame of a pointing: its comment first, then RADESYS and EQUINOX; J2000 where nothing is said."""
    comment = cards.comment(ra_keyword).lower()
    if "2000" in comment:
        return FK5()
    system = (cards.first_text(("RADESYS", "RADECSYS", "RADESYSA")) or "").upper()
    of_date = ra_keyword in ("TELRA",) or "of date" in comment or "jnow" in comment
    names = (cards.text("OBJEQUIN") or "", cards.text("EQUINOX") or "")
    if of_date or any(name.upper() in ("JNOW", "APPARENT", "OF DATE") for name in names) or system == "GAPPT":
        return FK5() if mjd_utc is None else FK5(equinox=Time(mjd_utc, format="mjd"))
    if system == "ICRS":
        return ICRS()
    years = map(cards.number, ("OBJEQUIN", "EQUINOX", "EPOCH"))
    equinox = next((year for year in years if year is not None and 1800 < year < 2100), None)
    if system.startswith("FK4") or (equinox is not None and equinox < 1984 and system != "FK5"):
        return FK4(equinox=f"B{equinox or 1950.0}")
    return FK5(equinox=f"J{equinox}") if equinox is not None else FK5()


def _to_icrs(ra_deg: float, dec_deg: float, frame: BaseCoordinateFrame) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ErfaWarning)
        icrs = SkyCoord(ra_deg * u.deg, dec_deg * u.deg, frame=frame).icrs
    return float(icrs.ra.deg) % 360.0, float(icrs.dec.deg)


def find_site(cards: Cards, evidence: LongitudeEvidence, notes: Notes) -> Site:
    """Return the observatory's place; the sign of the longitude is decided by evidence, not by the header alone."""
    latitude = _site_angle(cards, KEYWORDS["latitude"], 90.0, notes)
    longitude = _site_angle(cards, KEYWORDS["longitude"], 360.0, notes)
    # (0, 0) is in the Gulf of Guinea: an unset site.
    if latitude is None or longitude is None or (latitude[1] == 0 and longitude[1] == 0):
        return Site()
    return Site(latitude[1], _east(cards, longitude, latitude[1], evidence, notes), _height(cards))


def _east(
    cards: Cards, longitude: tuple[str, float, str], latitude_deg: float, evidence: LongitudeEvidence, notes: Notes
) -> float:
    keyword, claim, letter = longitude
    if letter in ("E", "W"):
        return claim
    full = LongitudeEvidence(
        evidence.mjd_utc,
        latitude_deg,
        (*_sidereal_times(cards), *evidence.sidereal_deg),
        evidence.utc_offset_hours,
        evidence.is_light,
    )
    east, name = east_longitude(claim, full)
    is_said = "east" in cards.comment(keyword).lower() or keyword in ("OBSGEO-L", "ESO TEL GEOLON")
    if name is not None and abs(east - ((claim + 180) % 360 - 180)) > 1e-9:
        notes.doubt(
            "longitude_turned", "site", keyword, claim,
            f"{name[0].upper() + name[1:]} says that {keyword} = {claim:g} is counted westward: {east:+g} was used.",
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
    sidereal = _sidereal_times(cards)
    apart = min((abs((one - here + 180.0) % 360.0 - 180.0) for one in sidereal), default=0.0)
    if apart > _SIDEREAL_AGREES_DEG:
        notes.doubt(
            "sidereal_time_differs", "time", "LST", round(apart / 15.0, 2),
            f"The header's sidereal time differs by {apart / 15.0:.1f} h from that of its time and site: the clock or "
            "the site is wrong.", blocks=True,
        )  # fmt: skip


def _site_angle(cards: Cards, keywords: tuple[str, ...], limit: float, notes: Notes) -> tuple[str, float, str] | None:
    for keyword in keywords:
        angle = _angle(cards, keyword)
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
        # ALTITUDE is in some headers the telescope's elevation angle.
        if height is None or (keyword == "ALTITUDE" and "deg" in cards.comment(keyword).lower()):
            continue
        if _HEIGHTS_M[0] <= height <= _HEIGHTS_M[1]:
            return height
    return None


def _sidereal_times(cards: Cards) -> tuple[float, ...]:
    """Local sidereal times in degrees: as written, and as right ascension plus hour angle."""
    times = []
    for keyword in KEYWORDS["sidereal_time"]:
        angle = _angle(cards, keyword)
        if angle is None:
            continue
        if angle[1] or (0 <= angle[0] < 24 and _HOURS.search(cards.comment(keyword))):
            times.append(angle[0] * 15)
        elif keyword == "ESO GEN EXPO LST":
            times.append(angle[0] / 240)
    ra = next((ra for ra in (_ascension_deg(cards, k) for k in ("RA", "OBJCTRA", "TELRA")) if ra is not None), None)
    for keyword in KEYWORDS["hour_angle"]:
        angle = _angle(cards, keyword)
        if angle is not None and ra is not None:
            times.append((ra + (angle[0] * 15 if angle[1] else angle[0])) % 360)
    return tuple(times)
