"""Positions as people write them."""

from __future__ import annotations

import re

# Around a position for which no radius is given.
_RADIUS_ARCSEC = 10.0
# Ten degrees: a wider search is no search.
_MOST_RADIUS_ARCSEC = 36000.0
_BETWEEN = re.compile(r"[\s,:hdms°'\"]+")
# What is copied from papers and from this site's own pages.
_AS_TYPED = str.maketrans({"−": "-", "–": "-", "″": '"', "′": "'", "ʰ": "h", "ᵐ": "m", "ˢ": "s"})
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?\Z")


def parse_position(text: str) -> tuple[float, float, float] | None:
    """Return right ascension, declination (degrees) and radius (arcseconds) that a text gives; None where it is none.

    Degrees, or hours, minutes and seconds with degrees, minutes and seconds; a number after these is the radius.
    """
    words = [word for word in _BETWEEN.split(text.translate(_AS_TYPED).strip()) if word]
    if not all(_NUMBER.match(word) for word in words):
        return None
    values = [float(word) for word in words]
    if len(values) in (6, 7):
        sign = -1.0 if words[3].startswith("-") else 1.0
        ra = 15.0 * (values[0] + values[1] / 60.0 + values[2] / 3600.0)
        dec = sign * (abs(values[3]) + values[4] / 60.0 + values[5] / 3600.0)
    elif len(values) in (2, 3):
        ra, dec = values[:2]
    else:
        return None
    radius = values[-1] if len(values) in (3, 7) else _RADIUS_ARCSEC
    is_on_sky = 0.0 <= ra < 360.0 and -90.0 <= dec <= 90.0 and 0.0 < radius <= _MOST_RADIUS_ARCSEC
    return (ra, dec, radius) if is_on_sky else None
