"""What a viewer of a detection's cutouts needs beside the pixels: where it lies in them, and where north is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import hypot
from typing import TYPE_CHECKING

from catalog.files import storage
from detection.models import Detection
from detection.numerics.orientation import Turn, turn_to_north_up
from detection.numerics.stamps import STAMP_SIZE_PX
from observations.models import WcsQuality
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.mapped import map_images
from observations.numerics.sphere import project

if TYPE_CHECKING:
    from astropy.wcs import WCS

Direction = tuple[float, float]
# Bars that show the scale; the first that is at least ten pixels long is drawn.
_BARS_ARCSEC = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)


def place_in(detection: Detection) -> tuple[float, float]:
    """Return where a detection lies in its cutout, 0-based; the middle pixel holds it."""
    half = STAMP_SIZE_PX // 2
    return half + detection.pixel_x - round(detection.pixel_x), half + detection.pixel_y - round(detection.pixel_y)


def turn_of(detection: Detection) -> Turn:
    """Find how the cutout of a detection comes north up, east left; not turned where nobody knows where north is."""
    directions = _north_and_east(detection)
    return turn_to_north_up(*directions) if directions else Turn()


@dataclass(frozen=True)
class Overlay:
    """What is drawn over a cutout that is not turned, in its pixels, y downwards as on a screen.

    bar_px, bar_arcsec : length of the bar that shows the scale; None where the pixel scale is not known.
    north, east : directions, length 1; None where nobody knows where north is.
    """

    size_px: int = STAMP_SIZE_PX
    bar_px: float | None = None
    bar_arcsec: float | None = None
    north: Direction | None = None
    east: Direction | None = None


def overlay_of(detection: Detection) -> Overlay:
    """Return scale and compass of a detection's cutouts, as far as they are known."""
    scale = detection.observation.pixel_scale
    bar = None if not scale else next(bar for bar in _BARS_ARCSEC if bar >= 10.0 * scale or bar == _BARS_ARCSEC[-1])
    lengths = [((x, -y), hypot(x, y)) for x, y in _north_and_east(detection) or ()]
    north, east = [(x / length, y / length) for (x, y), length in lengths] or (None, None)
    return Overlay(bar_px=bar / scale if bar and scale else None, bar_arcsec=bar, north=north, east=east)


def local_wcs(detection: Detection) -> dict[str, float] | None:
    """Return the projection of a detection's cutout by the keywords of a header; None where nobody knows it.

    It is flat and exact at the detection; over a cutout the frame's own distortion changes nothing that is seen.
    """
    matrix = _matrix(detection)
    if matrix is None:
        return None
    x, y = place_in(detection)
    (cd1_1, cd1_2), (cd2_1, cd2_2) = matrix
    return {
        "CRVAL1": detection.ra, "CRVAL2": detection.dec, "CRPIX1": x + 1.0, "CRPIX2": y + 1.0,
        "CD1_1": cd1_1, "CD1_2": cd1_2, "CD2_1": cd2_1, "CD2_2": cd2_2,
    }  # fmt: skip


def _north_and_east(detection: Detection) -> tuple[Direction, Direction] | None:
    """Return the steps in pixels, y upwards, of an arcsecond to the north and to the east where the detection is."""
    matrix = _matrix(detection)
    if matrix is None:
        return None
    (a, b), (c, d) = matrix
    unit = 1.0 / 3600.0 / (a * d - b * c)
    return (-b * unit, a * unit), (d * unit, -c * unit)


def _matrix(detection: Detection) -> tuple[Direction, Direction] | None:
    """Return degrees to the east and to the north for a pixel to the right and one upwards, where the detection is.

    They are from the world coordinates of its difference image. A nominal position tells no direction.
    """
    candidate = detection.candidate
    if detection.observation.wcs_quality == WcsQuality.NOMINAL or candidate is None:
        return None
    wcs = _wcs(candidate.difference_run.difference_image_path)
    if wcs is None:
        return None
    x, y = detection.pixel_x, detection.pixel_y
    ra, dec = wcs.all_pix2world([x, x + 1.0, x], [y, y, y + 1.0], 0)
    (east_x, east_y), (north_x, north_y) = (axis.tolist() for axis in project(ra[1:], dec[1:], ra[0], dec[0]))
    return (east_x, east_y), (north_x, north_y)


@lru_cache(maxsize=64)
def _wcs(path: str) -> WCS | None:
    """Return the world coordinates of a stored image, None where it is gone or has none."""
    if not path:
        return None
    try:
        wcs = map_images(storage.open_stored(path)).wcs()
    except (OSError, FitsRefused):  # gone, or not readable any more
        return None
    return wcs if wcs is not None and wcs.has_celestial else None
