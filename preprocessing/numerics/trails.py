"""Satellite and aircraft trails: straight lines across a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.compiled import by_strips, compiled
from observations.numerics.frame import Image, Mask

Grid = NDArray[np.float64]
Column = NDArray[np.float32]

BIN_PX = 4
# Bins count at most this many sigma, so that a row of stars is no trail.
BIN_CLIP = 3.0
# Compact bright spots are stars: bins above 4 sigma in groups of less than 48 px take no part, nor do their neighbours.
# The group is what hangs together above 2.5 sigma: where a trail lies between two bins, each has half of it.
SPOT_SIGMA = 4.0
GROUP_SIGMA = 2.5
LONGEST_SPOT_BINS = 12
SURROUNDINGS_BINS = 13
RIM_BINS = 5
ANGLES = 360
# Noise reaches 4.7 sigma; what is higher at the coarse scale is looked at in the fine one.
COARSE_SIGMA = 5.0
# Two bins wide: a trail of 4 px falls into two rows of bins as often as into one.
STRIP_BINS = 1.5
# Over 360 x 512 lines noise alone reaches 4.7 sigma; faint stars and residual structure about 7 on the real frames.
LINE_SIGMA = 10.0
SHORTEST_PX = 150.0
# A trail is bright along its length: of sixteen pieces three quarters stand up, where stars make two or three.
PIECES = 16
FEWEST_PIECES = 12
PIECE_SIGMA = 1.5
MOST_TRAILS = 3
WIDEST_PX = 24
PROFILE_SIGMA = 0.2
# A line is fitted to what lies within these distances of it, px, one after the other.
REFINING_PX = (8.0, 5.0, 4.0)
# What one thread takes at a time.
STRIP_ROWS, ANGLES_AT_A_TIME = 64, 10
ALL_NEIGHBOURS = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True)
class Line:
    """The line x cos(angle) + y sin(angle) = offset, px of the image."""

    angle: float
    offset: float


def find_trails(residual: Image, noise: Image, bad: Mask, fwhm_px: float) -> Mask:
    """Mask straight trails that cross the frame.

    The image is clipped, binned by 4, cleared of compact spots and summed along all straight lines; a line that stands
    out by 10 sigma and does so along three quarters of its length is masked over the width of its median profile.
    Trails that cover less than that of their line are not found.

    Parameters
    ----------
    residual : (ny, nx) image less sky. noise : (ny, nx) rms per pixel. bad : True = bad, takes no part.
    fwhm_px : seeing: a trail is masked at least one FWHM to both sides.

    Returns
    -------
    (ny, nx) bool.
    """
    found = np.zeros(residual.shape, dtype=bool)
    if min(residual.shape) < 8 * BIN_PX:
        return found
    bins, weight = _binned(residual, noise, bad)
    for _ in range(MOST_TRAILS):
        line = _brightest_line(bins, weight)
        if line is None:
            break
        for reach in REFINING_PX:
            line = _refined(_near(line, residual, noise, bad, reach), line)
        near = _near(line, residual, noise, bad, WIDEST_PX + 0.5)
        half_width = _half_width(near, fwhm_px)
        if half_width == 0.0:
            break
        inside = _near(line, residual, noise, bad, half_width)
        found[inside.y, inside.x] = True
        seen = ~found[: bins.shape[0] * BIN_PX : BIN_PX, : bins.shape[1] * BIN_PX : BIN_PX]
        weight = weight * ndimage.binary_erosion(seen, ALL_NEIGHBOURS, iterations=2, border_value=1)
    return found


@dataclass(frozen=True)
class _Near:
    """The pixels near a line: where they are, how far from it, and what they hold in sigma, clipped; NaN where bad."""

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    distance: NDArray[np.float64]
    pull: NDArray[np.float32]


def _near(line: Line, residual: Image, noise: Image, bad: Mask, reach: float) -> _Near:
    """Collect the pixels up to `reach` px from a line."""
    c, s = np.cos(line.angle), np.sin(line.angle)
    is_steep = abs(c) >= abs(s)  # then it crosses every row, else every column
    along, across = (residual.shape[0], residual.shape[1]) if is_steep else residual.shape[::-1]
    run = np.arange(along)
    middle = (line.offset - run * (s if is_steep else c)) / (c if is_steep else s)
    span = int(np.ceil(reach * np.sqrt(2))) + 1
    other = np.rint(middle).astype(np.int64)[:, None] + np.arange(-span, span + 1)
    run = np.broadcast_to(run[:, None], other.shape)
    x, y = (other, run) if is_steep else (run, other)
    distance = x * c + y * s - line.offset
    keep = (np.abs(distance) <= reach) & (other >= 0) & (other < across)
    x, y, distance = x[keep], y[keep], distance[keep]
    pull = np.clip(residual[y, x] / np.maximum(noise[y, x], np.float32(1e-30)), -5, 5)
    return _Near(x, y, distance, np.where(bad[y, x], np.float32(np.nan), pull))


def _binned(residual: Image, noise: Image, bad: Mask) -> tuple[Grid, Grid]:
    """Return the 4 x 4 bins in sigma, clipped, and their weight: 0 where they are bad or hold a star."""
    ny, nx = (n // BIN_PX for n in residual.shape)
    bins, count = np.empty((ny, nx)), np.empty((ny, nx), dtype=np.int64)
    by_strips(lambda a, b: _bin(residual, noise, bad, bins[a:b], count[a:b], a), ny, STRIP_ROWS)
    labels, _ = ndimage.label(bins > GROUP_SIGMA, ALL_NEIGHBOURS)
    boxes = ndimage.find_objects(labels)
    long = [max(b[0].stop - b[0].start, b[1].stop - b[1].start) >= LONGEST_SPOT_BINS for b in boxes]
    spots = (bins > SPOT_SIGMA) & ~np.array([False, *long])[labels]
    usable = (count >= BIN_PX**2 // 2) & ~ndimage.binary_dilation(spots, ALL_NEIGHBOURS)
    # The outermost 20 px of real chips glow or fade by a sigma: straight, long and thin.
    usable &= np.pad(np.ones((max(ny - 2 * RIM_BINS, 0), max(nx - 2 * RIM_BINS, 0)), dtype=bool), RIM_BINS)[:ny, :nx]
    weight = usable.astype(np.float64)
    # Clouds, halos and what the background mesh left are broad; a trail is a few bins wide at most.
    clipped = np.clip(bins, -BIN_CLIP, BIN_CLIP) * weight
    share = np.maximum(ndimage.uniform_filter(weight, SURROUNDINGS_BINS), 1e-3)
    broad = ndimage.uniform_filter(clipped, SURROUNDINGS_BINS) / share
    return (clipped - broad) * weight, weight


@compiled
def _bin(residual: Image, noise: Image, bad: Mask, bins: Grid, count: NDArray[np.int64], top: int) -> None:
    """Sum the good pixels of each bin of the rows that begin at `top`, in sigma of the sum, and count them."""
    for row in range(bins.shape[0]):
        for column in range(bins.shape[1]):
            total, n = 0.0, 0
            for y in range((top + row) * BIN_PX, (top + row + 1) * BIN_PX):
                for x in range(column * BIN_PX, (column + 1) * BIN_PX):
                    if not bad[y, x]:
                        pull = residual[y, x] / max(noise[y, x], np.float32(1e-30))
                        total += min(max(pull, np.float32(-5)), np.float32(5))
                        n += 1
            bins[row, column] = total / np.sqrt(max(n, 1))
            count[row, column] = n


@dataclass(frozen=True)
class _Points:
    """Usable bins: where they are in widths of a strip, their values, and the spread of these, noise or more."""

    x: Column
    y: Column
    value: Grid
    spread: float

    @classmethod
    def of(cls, bins: Grid, weight: Grid) -> _Points:
        rows, columns = np.nonzero(weight > 0)
        value = bins[rows, columns]
        x, y = (columns / STRIP_BINS).astype(np.float32), (rows / STRIP_BINS).astype(np.float32)
        return cls(x, y, value, max(float(value.std()), 1.0) if value.size else 1.0)


def _brightest_line(bins: Grid, weight: Grid) -> Line | None:
    """Return the straight line that stands out most and along its whole length, or None."""
    coarse, points = _Points.of(*_halved(bins, weight)), _Points.of(bins, weight)
    if not coarse.value.size:
        return None
    # What stands out by ten sigma in single bins does by seven in bins of twice the size, at half of the angles.
    chosen = np.repeat(_strips(coarse, np.arange(0, ANGLES, 2), 2 * BIN_PX)[0] > COARSE_SIGMA, 2)
    chosen |= np.roll(chosen, -1) | np.roll(chosen, 1)
    angles = np.flatnonzero(chosen)
    height, strip = _strips(points, angles, BIN_PX)
    best = int(np.argmax(height)) if height.size else 0
    if not height.size or not height[best] > LINE_SIGMA:
        return None
    angle = angles[best] * np.pi / ANGLES
    c, s = float(np.cos(angle)), float(np.sin(angle))
    numbers = points.x * np.float32(c) + points.y * np.float32(s) + np.ceil(points.x.max())
    members = np.flatnonzero(numbers.astype(np.int64) == strip[best])
    x, y, value = STRIP_BINS * points.x[members], STRIP_BINS * points.y[members], points.value[members]
    offset = float(np.median(x * c + y * s))
    along = -x * s + y * c
    piece = np.floor((along - along.min()) / (np.ptp(along) + 1e-9) * PIECES).astype(int)
    count = np.bincount(piece, minlength=PIECES)
    mean = np.bincount(piece, value, minlength=PIECES) / (points.spread * np.sqrt(np.maximum(count, 1)))
    if np.count_nonzero(mean > PIECE_SIGMA) < FEWEST_PIECES:
        return None
    return Line(angle, (offset + 0.5 * (c + s)) * BIN_PX - 0.5)


def _halved(bins: Grid, weight: Grid) -> tuple[Grid, Grid]:
    """Return bins of twice the size, in sigma, and where they hold anything."""
    ny, nx = (n // 2 * 2 for n in bins.shape)
    starts = np.arange(0, ny, 2), np.arange(0, nx, 2)
    total, count = (
        np.add.reduceat(np.add.reduceat(grid[:ny, :nx], starts[0], axis=0), starts[1], axis=1)
        for grid in (bins * weight, weight)
    )
    return total / np.sqrt(np.maximum(count, 1)), np.minimum(count, 1)


def _strips(points: _Points, angles: NDArray[np.intp], bin_px: int) -> tuple[Grid, NDArray[np.int64]]:
    """Return, for each angle (in steps of half a degree), the height of the best strip in sigma, and its number."""
    turn = angles * np.pi / ANGLES
    height, strip = np.zeros(angles.size), np.zeros(angles.size, dtype=np.int64)
    cosines, sines = np.cos(turn).astype(np.float32), np.sin(turn).astype(np.float32)
    least = STRIP_BINS * SHORTEST_PX / bin_px * 0.5
    x, y = points.x, points.y

    def search(a: int, b: int) -> None:
        _sum_strips(x, y, points.value, (cosines[a:b], sines[a:b]), least, (height[a:b], strip[a:b]))

    by_strips(search, angles.size, ANGLES_AT_A_TIME)
    return height / points.spread, strip


@compiled
def _sum_strips(
    x: Column, y: Column, value: Grid, turn: tuple[Column, Column], least: float, best: tuple[Grid, NDArray[np.int64]]
) -> None:
    """Sum the values along parallel strips at each angle; keep the highest sum over the root of its count."""
    cosines, sines = turn
    heights, strips = best
    first = np.float32(np.ceil(x.max()))  # no strip has a number below zero, so that casting rounds down
    total, count = np.empty(int(2 * first + y.max()) + 3), np.empty(int(2 * first + y.max()) + 3, dtype=np.int64)
    for k in range(cosines.size):
        total[:] = 0
        count[:] = 0
        for i in range(x.size):
            strip = np.int64(x[i] * cosines[k] + y[i] * sines[k] + first)
            total[strip] += value[i]
            count[strip] += 1
        heights[k] = 0
        for number in range(total.size):
            if count[number] >= least and total[number] > heights[k] * np.sqrt(count[number]):
                heights[k], strips[k] = total[number] / np.sqrt(count[number]), number


def _refined(near: _Near, line: Line) -> Line:
    """Fit the line to the bright pixels near it, weighted by how far they stand up."""
    weight = np.clip(np.nan_to_num(near.pull), 0, 3).astype(float)
    along = -near.x * np.sin(line.angle) + near.y * np.cos(line.angle)
    # What noise adds on average is the same on both sides: it draws towards the line as it is, hence the rounds.
    weight = np.maximum(weight - 0.4, 0)
    middle = np.average(along, weights=weight)
    slope = np.sum(weight * (along - middle) * near.distance) / np.sum(weight * (along - middle) ** 2)
    shift = np.average(near.distance, weights=weight)
    angle = line.angle - float(np.arctan(slope))
    centre = np.array([np.cos(line.angle), np.sin(line.angle)]) * (line.offset + shift)
    centre += middle * np.array([-np.sin(line.angle), np.cos(line.angle)])
    return Line(angle, float(centre @ np.array([np.cos(angle), np.sin(angle)])))


def _half_width(near: _Near, fwhm_px: float) -> float:
    """Return where the median profile across the line falls to the sky, px; 0 where that is nowhere."""
    known = np.isfinite(near.pull)
    ring, values = np.round(np.abs(near.distance[known])).astype(int), near.pull[known]
    # A ring without pixels says nothing: half a pixel off a line along the columns every other one is empty.
    profile = np.array([np.median(values[ring == d]) if (ring == d).any() else np.nan for d in range(WIDEST_PX + 1)])
    if not float(np.fmax(profile[0], profile[1])) >= PROFILE_SIGMA:
        return 0.0
    below = np.flatnonzero(profile < PROFILE_SIGMA / 2)
    # What is wider than 48 px is cloud, halo or stray light.
    return max(float(below[0]) + 1.0, fwhm_px) if below.size else 0.0
