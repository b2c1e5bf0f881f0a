"""Images of sky surveys as they are handed out: linear counts, with band, epoch and zero point where these are said.

A frame of one's own needs a time and an exposure; a stack of years has neither, and serves for comparison all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from observations.numerics.bands import normalise_band
from observations.numerics.fits.blocks import Unit, walk
from observations.numerics.fits.bounds import bounded
from observations.numerics.fits.cards import Cards
from observations.numerics.fits.durations import find_exposure
from observations.numerics.fits.facts import FitsRefused, Notes, ReadLimits
from observations.numerics.fits.keywords import KEYWORDS, PRODUCT_KEYWORD
from observations.numerics.fits.pixels import image_header, read_plane
from observations.numerics.fits.times import find_times
from observations.numerics.fits.wcs import header_wcs
from observations.numerics.frame import Image

# An asinh magnitude of 50 is 1e20 times the softening: such values are counts, whatever the header says.
_LARGEST_ASINH_MAG = 50.0
_MAG_PER_E_FOLD = 2.5 / math.log(10.0)


@dataclass(frozen=True)
class SurveyImage:
    """One image of a survey.

    data : (ny, nx) float32 linear counts, NaN where there is nothing. survey : who made it, "" where that is not said.
    band : its filter, None where that is not said. zero_point_mag : magnitude of one count. mjd_utc : of its
    exposure or of one of them; None where that is not said.
    """

    data: Image
    wcs: WCS
    survey: str
    band: str | None
    zero_point_mag: float | None
    mjd_utc: float | None


@dataclass(frozen=True)
class _Survey:
    """How one survey writes: its name, how its headers are known, its filter, and its zero point."""

    name: str
    is_this: Callable[[Cards], bool]
    band: Callable[[Cards], str | None]
    zero_point_mag: Callable[[Cards], float | None]


def read_survey_image(path: str | Path, *, band: str | None = None, limits: ReadLimits | None = None) -> SurveyImage:
    """Read the first image of a file of Pan-STARRS, SkyMapper, the Legacy Surveys, or any with a WCS.

    The asinh magnitudes of Pan-STARRS become counts again, v = a asinh((S - BOFFSET) / (2 BSOFTEN)) with
    a = 2.5 / ln 10 (Waters et al. 2020, ApJS 251, 4); a cutout that has been made linear already stays so.

    Parameters
    ----------
    band : plane of a cube of several bands that is read; the first where None.

    Raises
    ------
    FitsRefused : as `scan_images` does, `no_wcs` without world coordinates, `no_band` where a cube lacks the band.
    """
    path, limits = Path(path), limits or ReadLimits()
    units = list(walk(path, limits, is_hashed=False))
    unit = next((u for u in units if u.is_image and len(u.image_shape) >= 2 and _is_in(u, limits)), None)
    if unit is None:
        raise FitsRefused("no_image", "The file holds no image of the sky.")
    header, notes = image_header(unit), Notes()
    cards = Cards(header, units[0].header if unit.index > 0 else None)
    if cards.get(PRODUCT_KEYWORD) is not None:
        raise FitsRefused("unsupported_header", "This is a processed product, not an image as a survey gives it.")
    shape = (unit.image_shape[-2], unit.image_shape[-1])
    wcs = header_wcs(header, shape, notes)
    if wcs is None:
        why = " ".join(doubt.message for doubt in notes.doubts) or "The header has none."
        raise FitsRefused("no_wcs", f"The image has no world coordinates by which it could be placed. {why}")
    survey = next(known for known in _SURVEYS if known.is_this(cards))
    plane, own_band = _plane(unit, cards, band, survey)
    data = _linear(read_plane(path, unit, plane), cards)
    exposure = find_exposure(cards, notes)
    return SurveyImage(
        data=data,
        wcs=wcs,
        survey=survey.name or cards.first_text(KEYWORDS["telescope_name"]) or "",
        band=own_band,
        zero_point_mag=survey.zero_point_mag(cards),
        mjd_utc=find_times(cards, exposure, notes).mid_mjd_utc,
    )


def _is_in(unit: Unit, limits: ReadLimits) -> bool:
    ny, nx = unit.image_shape[-2:]
    return min(ny, nx) >= limits.min_axis_px and max(ny, nx) <= limits.max_axis_px


def _plane(unit: Unit, cards: Cards, band: str | None, survey: _Survey) -> tuple[int, str | None]:
    """Return which plane is read, and its band; an image has one plane."""
    count = math.prod(unit.image_shape[:-2])
    if count == 1:
        return 0, survey.band(cards)
    bands = [normalise_band(cards.text(f"BAND{k}") or "") for k in range(count)]
    if band is None or normalise_band(band) not in bands:
        named = ", ".join(name or "?" for name in bands)
        raise FitsRefused("no_band", f"The file holds {count} images ({named}): say which by --band.")
    return bands.index(normalise_band(band)), normalise_band(band)


def _linear(values: NDArray[np.float32], cards: Cards) -> Image:
    softening, offset = cards.number("BSOFTEN"), cards.number("BOFFSET")
    values = np.where(np.isfinite(values), values, np.float32(np.nan))
    if not softening or offset is None or not np.isfinite(values).any():
        return values
    if float(np.nanmax(np.abs(values))) > _LARGEST_ASINH_MAG:
        return values
    counts = offset + 2.0 * softening * np.sinh(values.astype(np.float64) / _MAG_PER_E_FOLD)
    return counts.astype(np.float32)


def _text_has(*words: str) -> Callable[[Cards], bool]:
    keywords = ("SURVEY", "TELESCOP", "FPA.TELESCOPE", "OBSERVAT", "INSTRUME", "FPA.INSTRUMENT", "ORIGIN")

    def is_this(cards: Cards) -> bool:
        said = " ".join(cards.text(keyword) or "" for keyword in keywords).casefold()
        return any(word in said for word in words)

    return is_this


def _filter(cards: Cards) -> str | None:
    text = cards.first_text(KEYWORDS["filter"])
    return None if text is None else normalise_band(text)


def _panstarrs_filter(cards: Cards) -> str | None:
    # "r.00000": the filter and the number of its copy.
    text = cards.text("FPA.FILTER") or cards.text("FPA.FILTERID") or cards.first_text(KEYWORDS["filter"])
    return None if text is None else normalise_band(text.split(".")[0])


def _panstarrs_zero_point(cards: Cards) -> float | None:
    exposure = cards.number("EXPTIME")
    return 25.0 + 2.5 * math.log10(exposure) if exposure and exposure > 0 else None


def _legacy_band(cards: Cards) -> str | None:
    text = cards.text("BAND0") or cards.text("BANDS") or cards.first_text(KEYWORDS["filter"])
    return None if text is None else normalise_band(text)


def _stated_zero_point(cards: Cards) -> float | None:
    return bounded(cards, "zero_point_mag", "zero_point_mag", Notes())


def _is_panstarrs(cards: Cards) -> bool:
    return cards.number("BSOFTEN") is not None or _text_has("ps1", "pan-starrs", "panstarrs")(cards)


_SURVEYS = (
    _Survey("Pan-STARRS", _is_panstarrs, _panstarrs_filter, _panstarrs_zero_point),
    _Survey("SkyMapper", _text_has("skymapper"), _filter, _stated_zero_point),
    # Nanomaggies.
    _Survey("Legacy Surveys", _text_has("legacysurvey", "legacy survey", "ls-dr"), _legacy_band, lambda _: 22.5),
    _Survey("", lambda _: True, _filter, _stated_zero_point),
)
