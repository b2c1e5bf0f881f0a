"""The stored cutouts of candidates as pictures for pages."""

from __future__ import annotations

import io
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from PIL import Image as PictureFile

from catalog import storage
from detection.numerics.compass import Direction, north_and_east
from detection.numerics.display import Colours, Image, panels, side_by_side
from observations.models import Observation, WcsQuality


def path_of(observation_id: UUID, candidate_id: UUID) -> str:
    """Return where the detection stage keeps the cutouts of a candidate, scored high or low."""
    return f"cutouts/{observation_id}/{candidate_id}.npy"


# Pixels on a side and dots per pixel: all of it on a page of its own, the middle in a list.
_WHOLE, _SMALL = {"size": 63, "scale": 3}, {"size": 41, "scale": 2}
# Of one image that a page shows large.
_LARGE = {"size": 63, "scale": 6}
# Bars that show the scale; the first that is at least ten pixels long is drawn.
_BARS_ARCSEC = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
# The images of a cutout, in their order.
PARTS = ("science", "reference", "difference")


def picture(path: str, *, is_small: bool) -> bytes | None:
    """Return science, reference and difference beside each other as a PNG; None where the file is gone or no cutout."""
    cutouts = _stored(path)
    return None if cutouts is None else _png(side_by_side(cutouts, **(_SMALL if is_small else _WHOLE)))


def part(path: str, name: str) -> bytes | None:
    """Return one of `PARTS` as a large PNG, in the greys that it shares with the others; None as above."""
    cutouts = _stored(path)
    return None if cutouts is None else _png(panels(cutouts, **_LARGE)[PARTS.index(name)])


def version_of(path: str) -> str | None:
    """Return what changes when the file is written anew; None where it is gone."""
    try:
        known = storage.open_stored(path).stat()
    except (FileNotFoundError, storage.OutsideStorage, storage.StorageUnreachable):
        return None
    return f"{known.st_mtime_ns:x}-{known.st_size:x}"


def _stored(path: str) -> Image | None:
    try:
        cutouts: Image = np.load(storage.open_stored(path), allow_pickle=False)
    except (FileNotFoundError, ValueError, storage.OutsideStorage, storage.StorageUnreachable):
        return None
    return cutouts if cutouts.ndim == 3 and cutouts.shape[0] == 4 else None


def _png(colours: Colours) -> bytes:
    buffer = io.BytesIO()
    PictureFile.fromarray(colours).save(buffer, format="png")
    return buffer.getvalue()


@dataclass(frozen=True)
class Overlay:
    """What is drawn over a cutout, in its pixels, y downwards as on a screen.

    bar_px, bar_arcsec : length of the bar that shows the scale; None where the pixel scale is not known.
    north, east : directions, length 1; None where the position is from pointing and optics only.
    """

    size_px: int = _WHOLE["size"]
    bar_px: float | None = None
    bar_arcsec: float | None = None
    north: Direction | None = None
    east: Direction | None = None


def overlay_of(observation: Observation) -> Overlay:
    """Return scale and compass of the cutouts of a frame, as far as they are known."""
    scale = observation.pixel_scale
    bar = None if not scale else next(bar for bar in _BARS_ARCSEC if bar >= 10.0 * scale or bar == _BARS_ARCSEC[-1])
    directions = None
    if observation.wcs_quality != WcsQuality.NOMINAL:
        directions = north_and_east(observation.footprint, observation.image_width, observation.image_height)
    north, east = ((x, -y) for x, y in directions) if directions else (None, None)
    return Overlay(bar_px=bar / scale if bar and scale else None, bar_arcsec=bar, north=north, east=east)
