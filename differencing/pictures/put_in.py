"""Sources that are not in the stored images of a subtraction, put into what is drawn of them for one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from differencing.numerics.display import block_mean
from differencing.numerics.pyramid import Image, Plane

_FWHM_PER_SIGMA = 2.0 * float(np.sqrt(2.0 * np.log(2.0)))


@dataclass(frozen=True)
class Put:
    """One such source, and the pixels that it makes.

    name : changes when the pixels do. x, y : where it is, 0-based pixels. planes : by kind, (n, n) with n odd, the
    pixels about the one that it is in; NaN leaves what is stored. significance : of its peak, in sigma. fwhm_px : of
    the frame's PSF.
    """

    name: str
    x: float
    y: float
    planes: Mapping[str, Image]
    significance: float
    fwhm_px: float

    @property
    def half(self) -> int:
        """Return how many pixels lie to each side of the middle one."""
        return self.planes["science"].shape[0] // 2


def put_into(shown: Image, plane: Plane, kind: str, put: Sequence[Put], step: int, corner: tuple[int, int]) -> None:
    """Put sources into means of `step` x `step` pixels of a plane, the first at this row and column of means."""
    height, width = plane.values.shape
    for one in put:
        rows, columns = _touched(one.y, one.half, step, height), _touched(one.x, one.half, step, width)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            continue
        pixels = _with(one, plane, kind, rows, columns)
        means, _ = block_mean(pixels, plane.causes[rows, columns], step)
        _lay(shown, means, rows.start // step - corner[0], columns.start // step - corner[1])


def _touched(centre: float, half: int, step: int, whole: int) -> slice:
    """Return the pixels of an axis that a square touches, from the first of a mean to the last of one."""
    first, last = round(centre) - half, round(centre) + half + 1
    return slice(max(first // step * step, 0), min(-(-last // step) * step, whole))


def _with(one: Put, plane: Plane, kind: str, rows: slice, columns: slice) -> Image:
    """Return some pixels of a plane with a source in them."""
    pixels = np.array(plane.values[rows, columns], dtype=np.float32)
    if kind in one.planes:
        square = np.full_like(pixels, np.nan)
        _lay(square, one.planes[kind], round(one.y) - one.half - rows.start, round(one.x) - one.half - columns.start)
        return np.where(np.isfinite(square), square, pixels)
    # The score is the difference matched with the PSF: of a point source a Gaussian, sqrt(2) times as wide.
    middle = float(plane.values[_clipped(one.y, rows), _clipped(one.x, columns)])
    added = one.significance - middle if np.isfinite(middle) else 0.0
    y, x = np.ogrid[rows, columns]
    squared = (y - one.y) ** 2 + (x - one.x) ** 2
    return pixels + np.float32(added) * np.exp(-squared / 4.0 * (_FWHM_PER_SIGMA / one.fwhm_px) ** 2).astype(np.float32)


def _clipped(centre: float, within: slice) -> int:
    return min(max(round(centre), within.start), within.stop - 1)


def _lay(under: Image, over: Image, top: int, left: int) -> None:
    """Lay an image over another at a row and column, as far as it lies inside."""
    first_row, first_column = max(top, 0), max(left, 0)
    last_row, last_column = min(top + over.shape[0], under.shape[0]), min(left + over.shape[1], under.shape[1])
    if first_row < last_row and first_column < last_column:
        inside = over[first_row - top : last_row - top, first_column - left : last_column - left]
        under[first_row:last_row, first_column:last_column] = inside
