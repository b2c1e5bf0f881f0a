"""What a viewer of a detection's cutouts needs beside the pixels: where it lies in them, and where north is."""

from __future__ import annotations

import warnings
from functools import lru_cache

from astropy import units
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS

from catalog import storage
from detection.models import Detection
from detection.numerics.orientation import Turn, turn_to_north_up
from observations.models import WcsQuality


def place_in(detection: Detection, size: int) -> tuple[float, float]:
    """Return where a detection lies in its cutout of `size` px, 0-based; the middle pixel holds it."""
    half = size // 2
    return half + detection.pixel_x - round(detection.pixel_x), half + detection.pixel_y - round(detection.pixel_y)


def turn_of(detection: Detection) -> Turn:
    """Find north and east where the detection is, from the world coordinates of its difference image.

    A nominal position is not turned, and gets no compass: nobody knows where north is.
    """
    candidate = detection.candidate
    if detection.observation.wcs_quality == WcsQuality.NOMINAL or candidate is None:
        return Turn()
    wcs = _wcs(candidate.difference_run.difference_image_path)
    if wcs is None:
        return Turn()
    here = SkyCoord(detection.ra, detection.dec, unit="deg")
    ends = here.directional_offset_by([0, 90] * units.deg, 1 * units.arcsec)
    (x, y), (ends_x, ends_y) = wcs.world_to_pixel(here), wcs.world_to_pixel(ends)
    north, east = ((float(ends_x[k] - x), float(ends_y[k] - y)) for k in (0, 1))
    return turn_to_north_up(north, east)


def version_of(path: str) -> str | None:
    """Return what changes when a file of cutouts is written anew; None where it is gone."""
    try:
        known = storage.open_stored(path).stat() if path else None
    except (FileNotFoundError, storage.OutsideStorage):
        return None
    return f"{known.st_mtime_ns:x}-{known.st_size:x}" if known else None


@lru_cache(maxsize=64)
def _wcs(path: str) -> WCS | None:
    """Return the world coordinates of a stored image, None where it is gone or has none."""
    if not path:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        try:
            wcs = WCS(fits.getheader(storage.open_stored(path)))
        except OSError:  # gone, or not readable any more
            return None
    return wcs if wcs.has_celestial else None
