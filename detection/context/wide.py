"""What lies around a detection: three arcminutes of its frame and of the reference, from the subtraction's images."""

from __future__ import annotations

import contextlib
import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PictureFile

from catalog.files import storage
from detection.cutouts.pictures import stored
from detection.models import Detection
from detection.numerics.orientation import Turn
from detection.numerics.stamps import STAMP_SIZE_PX
from differencing.numerics import display
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.mapped import Pixels, map_images

SIDE_ARCSEC = 180.0
KINDS = ("science", "reference")
# Dots on a side of a picture: as many as a page shows.
MOST_PX = 540
# Wider than this nothing is cut, whatever a header claims: pixels that small would fill the memory.
_MOST_SIDE_PX = 4000
# Counted up when the same pixels are to look different.
_RECIPE = 1
_GONE = (FileNotFoundError, storage.OutsideStorage, storage.StorageUnreachable, FitsRefused)
_IMAGES = {"science": "SCIENCE", "reference": "SCI"}

Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Window:
    """Pixels about a detection, (n, n), first row at the bottom, the detection at `x`, `y` (0-based); NaN: no data."""

    science: NDArray[np.float32]
    reference: NDArray[np.float32]
    mask: NDArray[np.bool_]
    x: float
    y: float


def why_not(detection: Detection) -> str:
    """Return why there is nothing to cut; "" where there should be."""
    if detection.candidate is None or detection.candidate.is_imported:
        return "It came from another alert stream, without a frame."
    if not detection.observation.pixel_scale:
        return "How large the frame’s pixels are on the sky is not known."
    if _half_px(detection, SIDE_ARCSEC) is None:
        return "The frame’s pixels are said to be too small for that."
    if version_of(detection) is None:
        return "The images of its subtraction are gone: process the frame again."
    return ""


def version_of(detection: Detection) -> str | None:
    """Return what changes when a picture does; None where the images are gone."""
    try:
        known = [storage.open_stored(path).stat() for path in _paths(detection)]
    except _GONE:
        return None
    return "-".join([f"{_RECIPE}", *(f"{one.st_mtime_ns:x}-{one.st_size:x}" for one in known)]) if known else None


def picture(detection: Detection, kind: str, turn: Turn, version: str) -> bytes | None:
    """Return what lies around it as a PNG, turned as its cutouts are; None where no image can be read.

    Both kinds share one grey scale and are made and kept together.
    """
    with contextlib.suppress(FileNotFoundError, storage.StorageUnreachable):
        return storage.open_stored(_place(detection, kind, version)).read_bytes()
    found = window_of(detection, SIDE_ARCSEC)
    if found is None:
        return None
    made = {name: _png(_turned(codes, turn)) for name, codes in zip(KINDS, codes_of(found), strict=True)}
    for name, content in made.items():
        _keep(detection, name, version, content)
    return made[kind]


def window_of(detection: Detection, side_arcsec: float) -> Window | None:
    """Cut so much of the sky around a detection; None where the images are gone, or the scale is not known."""
    half = _half_px(detection, side_arcsec)
    try:
        images = [map_images(storage.open_stored(path)).images for path in _paths(detection)]
    except _GONE:
        return None
    if half is None or len(images) != 2 or "MASK" not in images[0] or not set(_IMAGES.values()) <= images[1].keys():
        return None
    side = 2 * half + 1
    left, bottom = round(detection.pixel_x) - half, round(detection.pixel_y) - half
    science, reference = (_cut(images[1][_IMAGES[kind]], left, bottom, side) for kind in KINDS)
    mask = np.nan_to_num(_cut(images[0]["MASK"], left, bottom, side)) > 0
    if detection.is_injected:
        _paste(detection, science, half)
    return Window(science, reference, mask, detection.pixel_x - left, detection.pixel_y - bottom)


def codes_of(window: Window) -> tuple[Codes, Codes]:
    """Return science and reference as codes of `display.palette`, the first row at the top, no larger than a page."""
    factor = display.factor_for(window.mask.shape, MOST_PX)
    means = [display.block_mean(image, window.mask, factor) for image in (window.science, window.reference)]
    return display.shared_codes(means[0], means[1])


def _half_px(detection: Detection, side_arcsec: float) -> int | None:
    """Return how many pixels lie to each side of the middle one; None where nobody knows, or there are too many."""
    scale = detection.observation.pixel_scale
    half = round(side_arcsec / scale / 2.0) if scale else None
    return half if half is not None and 2 * half < _MOST_SIDE_PX else None


def _paths(detection: Detection) -> tuple[str, ...]:
    """Return the files it is made from: the mask lies with the difference, the matched pair in one."""
    if detection.candidate is None:
        return ()
    run = detection.candidate.difference_run
    paths = run.difference_image_path, run.reference_aligned_path
    return paths if all(paths) else ()


def _cut(image: Pixels, left: int, bottom: int, side: int) -> NDArray[np.float32]:
    """Return a square of an image, NaN beyond its edges; only what is cut out is read."""
    cut = np.full((side, side), np.nan, dtype=np.float32)
    rows = slice(max(bottom, 0), min(bottom + side, image.shape[0]))
    columns = slice(max(left, 0), min(left + side, image.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        there = slice(rows.start - bottom, rows.stop - bottom), slice(columns.start - left, columns.stop - left)
        cut[there] = image[rows, columns]
    return cut


def _paste(detection: Detection, image: NDArray[np.float32], half: int) -> None:
    """Put the cutout of an injected source where its frame, which does not hold it, was cut."""
    cutouts = stored(detection.cutouts_path)
    if cutouts is not None and (reach := min(half, STAMP_SIZE_PX // 2)):
        own = STAMP_SIZE_PX // 2
        middle = cutouts[0, own - reach : own + reach + 1, own - reach : own + reach + 1]
        image[half - reach : half + reach + 1, half - reach : half + reach + 1] = middle


def _turned(codes: Codes, turn: Turn) -> Codes:
    """Turn a picture as cutouts are turned: their first row is at the bottom."""
    upright = codes[::-1]
    if turn.is_flipped:
        upright = upright[:, ::-1]
    return np.ascontiguousarray(np.rot90(upright, turn.quarter_turns)[::-1])


def _png(codes: Codes) -> bytes:
    painted = PictureFile.fromarray(codes, mode="P")
    painted.putpalette(display.palette())
    # Pixels stay pixels: few of them are drawn large.
    times = max(math.floor(MOST_PX / max(codes.shape)), 1)
    buffer = io.BytesIO()
    painted.resize((times * codes.shape[1], times * codes.shape[0]), PictureFile.Resampling.NEAREST).save(
        buffer, format="png", compress_level=1
    )
    return buffer.getvalue()


def _place(detection: Detection, kind: str, version: str) -> str:
    return f"previews/context/{detection.pk}/{kind}-{version}.png"


def _keep(detection: Detection, kind: str, version: str, content: bytes) -> None:
    """Keep a picture in the place of its older versions; where there is no room it is made again the next time."""
    try:
        path = storage.resolve(storage.write_atomically(_place(detection, kind, version), content))
    except (storage.StorageFull, storage.StorageUnreachable):
        return
    for old in path.parent.glob(f"{kind}-*.png"):
        if old != path:
            old.unlink(missing_ok=True)
