"""How much of the sky a pixel covers, as keywords of camera and optics claim it in their units and binnings."""

from __future__ import annotations

import re

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.detector import binning
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import BOUNDS, KEYWORDS

# The range of scales that the astrometric solution searches.
SCALE_AGREES = 0.1
# Units of a pixel's width on the sky, in arcseconds; a number that no comment puts into one of them is arcseconds.
_UNITS_ARCSEC = (
    (re.compile(r"\b(?:mas|milli-?arc-?sec\w*)\b", re.I), 1e-3),
    (re.compile(r"\barc-?sec|\b(?:asec|as)\b|\"", re.I), 1.0),
    (re.compile(r"\barc-?min", re.I), 60.0),
    (re.compile(r"\bdeg", re.I), 3600.0),
)
# The scale of a plate, a number of pixels, a factor of the pixels' values: none is the width of a pixel.
_NO_WIDTH = re.compile(
    r"(?:/|\bper\b|\bby\b)\s*mm\b|\b(?:um|micro\w*|mm|pix\w*|px)\s*(?:/|per)\s*(?:arc|\")|\bfactor\b|\bstretch|\bintensity\b",
    re.I,
)
_UNBINNED = re.compile(
    r"\bunbinned\b|\bnative\b|\bbefore binning\b|\bwithout binning\b|\b(?:at|for) 1 ?x ?1\b|\b1 ?x ?1 bin", re.I
)
_BINNED = re.compile(r"\bbinned\b|\bwith binning\b|\bafter binning\b", re.I)
_LENGTHS_MM = (
    (re.compile(r"\[m\]|\bmet(?:re|er)s?\b", re.I), 1000.0),
    (re.compile(r"\bcm\b|\bcentimet(?:re|er)s?\b", re.I), 10.0),
    (re.compile(r"\binch(?:es)?\b", re.I), 25.4),
)


def binning_factor(cards: Cards) -> float:
    """Return how many of the detector's pixels one of the image's is wide."""
    return float((binning(cards) or "1x1").split("x")[0])


def find_scale(cards: Cards, notes: Notes) -> float | None:
    """Pixel scale without a WCS: as fitted or stated, else unbinned scale times binning, else from the optics.

    A stated scale is the unbinned one where its comment, or camera and optics, say so; where it may be either, and
    where the optics deny it, it is doubted.
    """
    factor = binning_factor(cards)
    optics = _optical_scale(cards, factor, notes)
    for keyword in KEYWORDS["pixel_scale_arcsec"]:
        stated = _stated(cards, keyword, notes)
        if stated is not None:
            notes.came_from("scale", keyword, cards.text(keyword))
            return _binned(cards, keyword, stated, optics, notes)
    for keyword in KEYWORDS["unbinned_scale_arcsec"]:
        stated = _stated(cards, keyword, notes)
        if stated is not None:
            notes.came_from("scale", keyword, cards.text(keyword), "times the binning")
            return stated * factor
    if optics is not None:
        length = next(keyword for keyword in KEYWORDS["focal_length_mm"] if cards.number(keyword))
        notes.came_from("scale", length, cards.text(length), "from pixel size and focal length")
    return optics


def _stated(cards: Cards, keyword: str, notes: Notes) -> float | None:
    """Arcseconds by one keyword; None where it gives no width of a pixel."""
    value, comment = cards.number(keyword), cards.comment(keyword)
    if value is None or _NO_WIDTH.search(comment):
        return None
    value *= next((arcsec for pattern, arcsec in _UNITS_ARCSEC if pattern.search(comment)), 1.0)
    low, high = BOUNDS["pixel_scale_arcsec"]
    if low <= value <= high:
        return value
    notes.impossible("pixel_scale_arcsec", keyword, cards.text(keyword))
    return None


def _binned(cards: Cards, keyword: str, stated: float, optics: float | None, notes: Notes) -> float:
    """The stated scale, or that times the binning where it is of unbinned pixels."""
    factor = binning_factor(cards)
    if factor > 1 and _UNBINNED.search(cards.comment(keyword)):
        return stated * factor
    if optics is None:
        if factor > 1:
            notes.doubt(
                "scale_of_unknown_binning", "scale", keyword, stated,
                f"{keyword} = {stated:g} arcsec does not say whether it is of the binned pixels, and no focal "
                "length tells: "
                f"it was taken for that; else it is {factor:g} times as much.",
            )  # fmt: skip
        return stated
    # The optics may be those of unbinned pixels.
    if min(abs(stated / one - 1) for one in (optics, optics * factor)) < SCALE_AGREES:
        return stated
    if factor > 1 and abs(stated * factor / optics - 1) < SCALE_AGREES:
        notes.doubt(
            "scale_not_binned", "scale", keyword, stated,
            f"{keyword} = {stated:g} arcsec is the scale of unbinned pixels by the camera and the focal length: "
            f"it was multiplied by the binning of {factor:g}.",
        )  # fmt: skip
        return stated * factor
    notes.doubt(
        "scale_contradicted", "scale", keyword, round(stated, 4),
        f"By {keyword} a pixel is {stated:.4g} arcsec, by its size and the focal length {optics:.4g}: {keyword} "
        "was used.",
        blocks=True,
    )  # fmt: skip
    return stated


def _optical_scale(cards: Cards, factor: float, notes: Notes) -> float | None:
    focal_mm = next((mm for mm in (_focal_mm(cards, key) for key in KEYWORDS["focal_length_mm"]) if mm), None)
    width_um = _width_um(cards, factor, notes)
    if not focal_mm or not width_um or focal_mm <= 0 or width_um <= 0:
        return None
    scale = 206264.806 * width_um / 1000 / focal_mm
    low, high = BOUNDS["pixel_scale_arcsec"]
    return scale if low <= scale <= high else None


def _width_um(cards: Cards, factor: float, notes: Notes) -> float | None:
    """Width of a pixel of the image: XPIXSZ is that after binning (SBFITSEXT 1.0), PIXSIZE the detector's own."""
    after, own = next((key for key in ("XPIXSZ", "XPIXELSZ") if cards.number(key)), None), cards.number("PIXSIZE1")
    if after is None:
        before = cards.number("PIXSIZE") or own
        return before * factor if before else None
    width = cards.number(after) or 0.0
    if factor > 1 and _UNBINNED.search(cards.comment(after)):
        return width * factor
    is_said = bool(_BINNED.search(cards.comment(after)))
    if factor > 1 and own is not None and not is_said and abs(width / own - 1) < 0.01:
        notes.doubt(
            "scale_of_unknown_binning", "scale", after, width,
            f"{after} = {width:g} is PIXSIZE1 as well, though the pixels are binned: it was taken for the width before "
            "binning.", blocks=True,
        )  # fmt: skip
        return width * factor
    return width


def _focal_mm(cards: Cards, keyword: str) -> float | None:
    length, comment = cards.number(keyword), cards.comment(keyword)
    factor = next((mm for pattern, mm in _LENGTHS_MM if pattern.search(comment)), 1.0)
    return None if length is None else length * factor
