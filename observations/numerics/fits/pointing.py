"""Where the telescope pointed, as header keywords claim it."""

from __future__ import annotations

import re
import warnings

import astropy.units as u
from astropy.coordinates import FK4, FK5, ICRS, BaseCoordinateFrame, SkyCoord
from astropy.time import Time
from erfa import ErfaWarning

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS, MOUNT_POINTINGS, POINTING_KEYWORDS
from observations.numerics.sphere import separation_deg

_SEXAGESIMAL = re.compile(
    r"([+-]?)\s*(\d{1,3})[:\s hd°]+(\d{1,2})(?:[:\s m']+(\d{1,2}(?:\.\d*)?))?\s*[s\"]?\s*([NSEW]?)$", re.I
)
_PLAIN = re.compile(r"([+-]?)\s*(\d+(?:\.\d*)?)\s*([NSEW])$", re.I)
_HOURS = re.compile(r"\b(hours?|hrs?|h|hms|hh?\.?h+|hh[: ]?mm.*|0-24)\b", re.I)
_OF_DATE = re.compile(
    r"\b(?:of ?date|j\.?now|now|apparent|topocentric|observed|eod|current epoch)\b|^(?:current|local|date)$",
    re.I,
)
_FK4 = re.compile(r"\b(?:b ?1950(?:\.0)?|fk4)\b", re.I)
# What a comment says of an angle that is neither degrees nor hours.
_UNITS_DEG = ((re.compile(r"\brad(?:ians?)?\b", re.I), 57.29577951308232), (re.compile(r"\barc-?sec", re.I), 1 / 3600))
_DEGREES = re.compile(r"\bdeg", re.I)
_NUMBER = re.compile(r"\d+\.\d+")
_EQUINOX = re.compile(r"([BJ]?)\s*(\d{4}(?:\.\d*)?)$", re.I)
# Two pointings this far apart are two targets, not two catalogues' opinions of one.
_POINTING_CONFLICT_DEG = 0.1
# A hundredth of the precession since 2000 is a second; sidereal times are written to one or finer.
_SAME_ASCENSION_S = 2.0
# Where a mount says which equinox it counts from.
_MOUNT_SYSTEM = {"MNT-RA": "MNTRDSYS"}
# SBFITSEXT 1.0 knows OBJCTRA in hours only; mounts that write a sidereal time in hours write the rest so.
_HOURS_BY_NAME = ("OBJCTRA",)
_DEGREES_BY_NAME = ("RA_DEG", "RA-D", "OBJRAD")


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


def is_of_date(words: str) -> bool:
    """Tell whether a position is said to be of the equinox of the date."""
    return bool(_OF_DATE.search(words.strip()))


def angle_of(cards: Cards, keyword: str) -> tuple[float, bool, str] | None:
    number, comment = cards.number(keyword), cards.comment(keyword)
    if number is not None:
        is_plain = _DEGREES.search(comment) or _HOURS.search(comment)
        factor = 1.0 if is_plain else next((unit for pattern, unit in _UNITS_DEG if pattern.search(comment)), 1.0)
        return number * factor, False, ""
    text = cards.text(keyword)
    return None if text is None else parse_angle(text)


def ascension_deg(cards: Cards, keyword: str) -> float | None:
    """Right ascension in degrees: sexagesimal is hours unless it cannot be, a number degrees unless it says hours."""
    angle = angle_of(cards, keyword)
    if angle is None:
        return None
    value, is_sexagesimal, _ = angle
    is_hours = _is_hours(cards, keyword, value, is_sexagesimal)
    value = value * 15 if is_hours else value
    return value if 0 <= value < 360.0000001 else None


def _is_hours(cards: Cards, keyword: str, value: float, is_sexagesimal: bool) -> bool:
    comment = cards.comment(keyword)
    # A comment that repeats the value tells its unit by that, whatever its words.
    repeated = [float(number) for number in _NUMBER.findall(comment)]
    if is_sexagesimal and any(abs(number - 15 * value) < 0.1 for number in repeated if value > 1):
        return True
    says_hours = bool(_HOURS.search(comment)) and not _DEGREES.search(comment)
    if is_sexagesimal:
        return value < 24 and not ("deg" in comment.lower() and "hour" not in comment.lower() and not says_hours)
    # Where another keyword has the same number, which counts degrees, this one does.
    degrees = [cards.number(other) for other in ("RA", "RA_DEG", "CRVAL1") if other != keyword]
    if any(number is not None and abs(number - value) < _POINTING_CONFLICT_DEG for number in degrees):
        return says_hours
    return says_hours or (_is_hours_by_name(cards, keyword) and value < 24 and not _DEGREES.search(comment))


def _is_hours_by_name(cards: Cards, keyword: str) -> bool:
    return keyword in _HOURS_BY_NAME or (keyword == "MNT-RA" and (cards.number("MNT-SIDT") or 24.0) < 24)


def find_pointing(
    cards: Cards, mjd_utc: float | None, notes: Notes, *, is_position: bool = True
) -> tuple[float, float] | None:
    """Return ICRS (ra, dec) in degrees from the pointing keywords, or None; several that disagree are noted.

    is_position : the frame's position is made of it, so that a doubt about it may move that.
    """
    found: dict[str, tuple[float, float]] = {}
    for ra_keyword, dec_keyword in POINTING_KEYWORDS:
        may_move = is_position and ra_keyword not in MOUNT_POINTINGS
        position = _one_pointing(cards, (ra_keyword, dec_keyword), mjd_utc, notes, may_move=may_move)
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
            blocks=is_position and keyword not in MOUNT_POINTINGS,
        )  # fmt: skip
    notes.came_from("pointing", chosen_keyword, cards.text(chosen_keyword))
    if is_position:
        _doubt_unit(cards, chosen_keyword, notes)
    return chosen


def _doubt_unit(cards: Cards, keyword: str, notes: Notes) -> None:
    """Doubt a number that was read as degrees and may be hours, where neither words nor other keywords tell."""
    angle, comment = angle_of(cards, keyword), cards.comment(keyword)
    if angle is None or angle[1] or not 0 <= angle[0] < 24 or keyword in _DEGREES_BY_NAME:
        return
    if _is_hours(cards, keyword, angle[0], False) or _DEGREES.search(comment) or _is_confirmed(cards, keyword):
        return
    if _by_sidereal_time(cards, angle[0]) or any(abs(float(n) * 15 - angle[0]) < 0.1 for n in _NUMBER.findall(comment)):
        return
    sentence = f"{keyword} = {angle[0]:g} has no unit, and may be hours: it was read as degrees."
    notes.doubt("degrees_assumed", "position", keyword, angle[0], sentence, blocks=True)


def _is_confirmed(cards: Cards, keyword: str) -> bool:
    """Whether another keyword has the same right ascension in hours, minutes and seconds."""
    own = ascension_deg(cards, keyword)
    for other, _ in POINTING_KEYWORDS:
        angle = None if other == keyword else angle_of(cards, other)
        value = ascension_deg(cards, other) if angle is not None and angle[1] else None
        if own is not None and value is not None and abs(value - own) < _POINTING_CONFLICT_DEG:
            return True
    return False


def _by_sidereal_time(cards: Cards, degrees: float) -> bool:
    """Whether sidereal time less hour angle is that many degrees, and not hours."""
    sidereal, hour_angle = (_first_clock(cards, KEYWORDS[fact]) for fact in ("sidereal_time", "hour_angle"))
    if sidereal is None or hour_angle is None:
        return False
    return abs(((sidereal - hour_angle) * 15 - degrees + 180) % 360 - 180) < 1.0


def _one_pointing(
    cards: Cards, keywords: tuple[str, str], mjd_utc: float | None, notes: Notes, *, may_move: bool
) -> tuple[float, float] | None:
    ra_keyword, dec_keyword = keywords
    if cards.get(ra_keyword) is None or cards.get(dec_keyword) is None:
        return None
    ra, dec = ascension_deg(cards, ra_keyword), angle_of(cards, dec_keyword)
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
    angle = angle_of(cards, ra_keyword)
    is_number = angle is not None and not angle[1] and not _HOURS.search(cards.comment(ra_keyword))
    if angle is not None and is_number and ra != angle[0]:
        notes.doubt(
            "hours_assumed", "position", ra_keyword, angle[0],
            f"{ra_keyword} = {angle[0]:g} has no unit; it was read as hours, as programs of its kind write it.",
            blocks=may_move and not _is_confirmed(cards, ra_keyword),
        )  # fmt: skip
    frame = _frame(cards, ra_keyword, dec_keyword, mjd_utc)
    if frame is None:
        frame = _frame_by_sidereal_time(cards, ra_keyword, (ra % 360, dec[0]), mjd_utc, notes)
    return _to_icrs(ra % 360, dec[0], frame)


def _frame(cards: Cards, ra_keyword: str, dec_keyword: str, mjd_utc: float | None) -> BaseCoordinateFrame | None:
    """The frame of a pointing: its comment first, then RADESYS and EQUINOX; None where nothing is said."""
    comment = f"{cards.comment(ra_keyword)} {cards.comment(dec_keyword)}"
    if "2000" in comment:
        return FK5()
    if _FK4.search(comment):
        return FK4(equinox="B1950")
    system = (cards.first_text(("RADESYS", "RADECSYS", "RADESYSA")) or "").upper()
    names = [cards.text(key) for key in ("OBJEQUIN", "EQUINOX", "EPOCH", _MOUNT_SYSTEM.get(ra_keyword, "COORDSYS"))]
    named = next((name for name in names if name is not None), "")
    if ra_keyword == "TELRA" or any(is_of_date(words) for words in (comment, named, system)) or system == "GAPPT":
        return _of_date(mjd_utc)
    # An EPOCH that is said to be that of the pointing leaves EQUINOX to the world coordinates.
    keywords = ("EPOCH",) if re.search(r"\bRA\b", cards.comment("EPOCH")) else ("OBJEQUIN", "EQUINOX", "EPOCH")
    years = [_EQUINOX.match(cards.text(keyword) or "") for keyword in keywords]
    equinox = next((float(year[2]) for year in years if year and 1800 < float(year[2]) < 2100), None)
    if system == "ICRS" and keywords != ("EPOCH",):
        return ICRS()
    if not system and equinox is None:
        return None
    if system.startswith("FK4") or (equinox is not None and equinox < 1984 and system != "FK5"):
        return FK4(equinox=f"B{equinox or 1950.0}")
    return FK5(equinox=f"J{equinox}") if equinox is not None else FK5()


def _of_date(mjd_utc: float | None) -> BaseCoordinateFrame:
    return FK5() if mjd_utc is None else FK5(equinox=Time(mjd_utc, format="mjd"))


def _frame_by_sidereal_time(
    cards: Cards, ra_keyword: str, position: tuple[float, float], mjd_utc: float | None, notes: Notes
) -> BaseCoordinateFrame:
    """Of date where sidereal time less hour angle is the right ascension as it was written; else J2000."""
    sidereal, hour_angle = (_first_clock(cards, KEYWORDS[fact]) for fact in ("sidereal_time", "hour_angle"))
    if sidereal is None or hour_angle is None or mjd_utc is None:
        return FK5()
    now = SkyCoord(*position, unit="deg", frame=FK5()).transform_to(_of_date(mjd_utc))
    apparent_deg = (sidereal - hour_angle) * 15
    miss_s, shift_s = (abs((deg - position[0] + 180) % 360 - 180) * 240 for deg in (apparent_deg, float(now.ra.deg)))
    if miss_s > _SAME_ASCENSION_S or shift_s < 5 * _SAME_ASCENSION_S:
        return FK5()
    notes.doubt(
        "equinox_of_date", "position", ra_keyword, cards.text(ra_keyword),
        f"{ra_keyword} = {cards.text(ra_keyword)} is sidereal time less hour angle: it was read as a position of date, "
        "though the header names no equinox.",
    )  # fmt: skip
    return _of_date(mjd_utc)


def _first_clock(cards: Cards, keywords: tuple[str, ...]) -> float | None:
    """The first of these that is written in hours, minutes and seconds, in hours."""
    angles = (angle_of(cards, keyword) for keyword in keywords)
    return next((angle[0] for angle in angles if angle is not None and angle[1]), None)


def _to_icrs(ra_deg: float, dec_deg: float, frame: BaseCoordinateFrame) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ErfaWarning)
        icrs = SkyCoord(ra_deg * u.deg, dec_deg * u.deg, frame=frame).icrs
    return float(icrs.ra.deg) % 360.0, float(icrs.dec.deg)
