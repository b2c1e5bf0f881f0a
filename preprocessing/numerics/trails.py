"""Satellite and aircraft trails: straight lines across a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.frame import Image, Mask

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
ALL_NEIGHBOURS = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True)
class Line:
    """The line x cos(angle) + y sin(angle) = offset, px of the image, with its half width in px."""

    angle: float
    offset: float
    half_width: float = 0.0

    def distance(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
        return x * np.float32(np.cos(self.angle)) + y * np.float32(np.sin(self.angle)) - np.float32(self.offset)


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
    clipped = np.clip(residual / np.maximum(noise, np.float32(1e-30)), -5, 5)
    pull: Image = np.where(bad, np.nan, clipped).astype(np.float32)
    found = np.zeros(pull.shape, dtype=bool)
    bins, weight = _binned(pull)
    if min(bins.shape) < 8:
        return found
    x, y = (axis.astype(np.float32) for axis in np.meshgrid(np.arange(pull.shape[1]), np.arange(pull.shape[0])))
    for _ in range(MOST_TRAILS):
        line = _brightest_line(bins, weight)
        if line is None:
            break
        line = _refined(pull, x, y, line)
        distance = np.abs(line.distance(x, y))
        half_width = _half_width(pull, distance, fwhm_px)
        if half_width == 0.0:
            break
        found |= distance <= half_width
        seen = ~found[: bins.shape[0] * BIN_PX : BIN_PX, : bins.shape[1] * BIN_PX : BIN_PX]
        weight = weight * ndimage.binary_erosion(seen, ALL_NEIGHBOURS, iterations=2, border_value=1)
    return found


def _binned(pull: Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 4 x 4 bins in sigma, clipped, and their weight: 0 where they are bad or hold a star."""
    ny, nx = (n // BIN_PX for n in pull.shape)
    blocks = pull[: ny * BIN_PX, : nx * BIN_PX].reshape(ny, BIN_PX, nx, BIN_PX)
    count = np.isfinite(blocks).sum(axis=(1, 3))
    bins = np.nansum(blocks, axis=(1, 3)) / np.sqrt(np.maximum(count, 1))
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


def _brightest_line(bins: NDArray[np.float64], weight: NDArray[np.float64]) -> Line | None:
    """Return the straight line that stands out most and along its whole length, or None."""
    rows, columns = np.nonzero(weight > 0)
    if rows.size == 0:
        return None
    value = bins[rows, columns]
    spread = max(float(value.std()), 1.0)
    best: tuple[float, Line, NDArray[np.intp]] | None = None
    x, y = (columns / STRIP_BINS).astype(np.float32), (rows / STRIP_BINS).astype(np.float32)
    first = np.float32(np.ceil(x.max()))  # no strip has a number below zero, so that casting rounds down
    for angle in np.arange(ANGLES) * np.pi / ANGLES:
        strip = (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)) + first).astype(np.intp)
        count = np.bincount(strip)
        total = np.bincount(strip, value) / (spread * np.sqrt(np.maximum(count, 1)))
        total[count < STRIP_BINS * SHORTEST_PX / BIN_PX * 0.5] = 0
        k = int(np.argmax(total))
        if total[k] > LINE_SIGMA and (best is None or total[k] > best[0]):
            members = np.flatnonzero(strip == k)
            offset = columns[members] * np.cos(angle) + rows[members] * np.sin(angle)
            best = (float(total[k]), Line(angle, float(np.median(offset))), members)
    if best is None:
        return None
    _, line, members = best
    along = -columns[members] * np.sin(line.angle) + rows[members] * np.cos(line.angle)
    piece = np.floor((along - along.min()) / (np.ptp(along) + 1e-9) * PIECES).astype(int)
    count = np.bincount(piece, minlength=PIECES)
    mean = np.bincount(piece, value[members], minlength=PIECES) / (spread * np.sqrt(np.maximum(count, 1)))
    if np.count_nonzero(mean > PIECE_SIGMA) < FEWEST_PIECES:
        return None
    return Line(line.angle, (line.offset + 0.5 * (np.cos(line.angle) + np.sin(line.angle))) * BIN_PX - 0.5)


def _refined(pull: Image, x: NDArray[np.float32], y: NDArray[np.float32], line: Line) -> Line:
    """Fit the line to the bright pixels near it, weighted by how far they stand up."""
    for reach in (8.0, 5.0, 4.0):
        distance = line.distance(x, y)
        near = np.abs(distance) < reach
        weight = np.clip(np.nan_to_num(pull[near]), 0, 3).astype(float)
        along = (-x[near] * np.sin(line.angle) + y[near] * np.cos(line.angle)).astype(float)
        # What noise adds on average is the same on both sides: it draws towards the line as it is, hence the rounds.
        weight = np.maximum(weight - 0.4, 0)
        middle = np.average(along, weights=weight)
        slope = np.sum(weight * (along - middle) * distance[near]) / np.sum(weight * (along - middle) ** 2)
        shift = np.average(distance[near], weights=weight)
        angle = line.angle - float(np.arctan(slope))
        centre = np.array([np.cos(line.angle), np.sin(line.angle)]) * (line.offset + shift)
        centre += middle * np.array([-np.sin(line.angle), np.cos(line.angle)])
        line = Line(angle, float(centre @ np.array([np.cos(angle), np.sin(angle)])))
    return line


def _half_width(pull: Image, distance: NDArray[np.float32], fwhm_px: float) -> float:
    """Return where the median profile across the line falls to the sky, px; 0 where that is nowhere."""
    near = (distance <= WIDEST_PX + 0.5) & np.isfinite(pull)
    ring, values = np.round(distance[near]).astype(int), pull[near]
    # A ring without pixels says nothing: half a pixel off a line along the columns every other one is empty.
    profile = np.array([np.median(values[ring == d]) if (ring == d).any() else np.nan for d in range(WIDEST_PX + 1)])
    if not float(np.fmax(profile[0], profile[1])) >= PROFILE_SIGMA:
        return 0.0
    below = np.flatnonzero(profile < PROFILE_SIGMA / 2)
    # What is wider than 48 px is cloud, halo or stray light.
    return max(float(below[0]) + 1.0, fwhm_px) if below.size else 0.0
