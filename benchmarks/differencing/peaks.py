"""Peaks of a score image, and which of them are transients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from observations.numerics.frame import Image
from observations.numerics.simulate.survey import SurveyTransients

Array = NDArray[np.float64]

# Peaks below this cannot pass any threshold that matters: there are thousands of them.
LOWEST_PEAK_SIGMA = 3.0
# A transient was found where a peak of its sign is so near: at S/N 4 a position scatters by 0.4 px.
MATCH_PX = 2.0
# A peak so near to a transient is of its making, and no false one.
OWN_PX = 6.0


@dataclass(frozen=True)
class Peaks:
    """Local maxima of a score and minima: 0-based positions, height in sigma with its sign."""

    x: Array
    y: Array
    height: Array

    def __getitem__(self, which: NDArray[np.bool_]) -> Peaks:
        return Peaks(self.x[which], self.y[which], self.height[which])

    @property
    def xy(self) -> Array:
        return np.column_stack([self.x, self.y])


def find_peaks(score: Image) -> Peaks:
    """Return the peaks of both signs, heights and positions from parabolas through three pixels in each axis.

    As in the pipeline, a pixel that touches a masked one (NaN) is no peak: the extremum may lie under the mask.
    """
    found = [_one_sign(score, sign) for sign in (1.0, -1.0)]
    return Peaks(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _one_sign(score: Image, sign: float) -> tuple[Array, Array, Array]:
    signed = np.where(np.isfinite(score), sign * score, -np.inf)
    highest = ndimage.maximum_filter(signed, size=5, mode="constant", cval=-np.inf)
    top = (signed == highest) & (signed > LOWEST_PEAK_SIGMA)
    top &= ndimage.minimum_filter(signed, size=3, mode="constant", cval=-np.inf) > -np.inf
    y, x = np.nonzero(top)
    middle = signed[y, x].astype(np.float64)
    height, moved = middle, []
    for dy, dx in ((0, 1), (1, 0)):
        before, after = signed[y - dy, x - dx].astype(np.float64), signed[y + dy, x + dx].astype(np.float64)
        bend = before + after - 2 * middle
        step = np.where(bend < 0, (before - after) / np.where(bend < 0, 2 * bend, 1.0), 0.0)
        moved.append(step)
        height = height - 0.5 * bend * step**2
    return x.astype(np.float64) + moved[0], y.astype(np.float64) + moved[1], sign * height


@dataclass(frozen=True)
class Matched:
    """What a score shows of each transient, arrays (n,): height of the highest peak of its sign within reach, unsigned,
    0 where there is none; and how far that peak is off in x and y, NaN where there is none."""

    height: Array
    dx: Array
    dy: Array


def match(peaks: Peaks, t: SurveyTransients) -> Matched:
    """Look for each transient's peak."""
    height, dx, dy = np.zeros(t.x.size), np.full(t.x.size, np.nan), np.full(t.x.size, np.nan)
    if peaks.x.size:
        near = cKDTree(peaks.xy).query_ball_point(np.column_stack([t.x, t.y]), MATCH_PX)
        for k, found in enumerate(near):
            signed = np.sign(t.flux[k]) * peaks.height[found]
            if signed.max(initial=0.0) > 0:
                best = found[int(np.argmax(signed))]
                height[k], dx[k], dy[k] = signed.max(), peaks.x[best] - t.x[k], peaks.y[best] - t.y[k]
    return Matched(height, dx, dy)


def is_false(peaks: Peaks, t: SurveyTransients) -> NDArray[np.bool_]:
    """Return which peaks no transient has made."""
    if peaks.x.size == 0 or t.x.size == 0:
        return np.ones(peaks.x.size, dtype=bool)
    distance, _ = cKDTree(np.column_stack([t.x, t.y])).query(peaks.xy)
    return np.asarray(distance > OWN_PX)


def threshold_for(heights: Array, allowed: float) -> float:
    """Return the lowest threshold that no more than `allowed` of the heights exceed, at least that of any peak."""
    ordered = np.sort(heights)[::-1]
    return float(ordered[int(allowed)]) if ordered.size > int(allowed) else LOWEST_PEAK_SIGMA
