"""Counting what a score image finds, against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from benchmarks.differencing.scenarios import Case
from observations.numerics.frame import Image, Mask
from observations.numerics.simulate.survey import SurveyTransients

Array = NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)

# Peaks below this cannot pass any threshold that matters: there are thousands of them.
LOWEST_PEAK_SIGMA = 3.0
# A transient was found where a peak of its sign is so near: half of the narrowest FWHM and a bit.
MATCH_PX = 2.0
# A peak so near to a transient is of its making, and no false one.
OWN_PX = 6.0
SHIPPED_SIGMA = 5.0
FAR_FROM_MASKS_PX = 20.0
# Sky counts as blank where all sources together give less than this of its noise in a pixel, and so far around.
BLANK_SIGMA = 0.1
BLANK_MARGIN_PX = 3
BLANK_FROM_MASKS_PX = 10.0
# Fluxes are compared where noise does not rule; no one bright transient rules either.
FLUX_SNR = 10.0
FLUX_FLOOR = 0.02


@dataclass(frozen=True)
class Peaks:
    """Local maxima of a score and minima: 0-based positions, height in sigma with its sign."""

    x: Array
    y: Array
    height: Array


def find_peaks(score: Image) -> Peaks:
    """Return the peaks of both signs, heights and positions from parabolas through three pixels in each axis."""
    found = [_one_sign(score, sign) for sign in (1.0, -1.0)]
    return Peaks(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _one_sign(score: Image, sign: float) -> tuple[Array, Array, Array]:
    signed = np.where(np.isfinite(score), sign * score, -np.inf)
    top = (signed == ndimage.maximum_filter(signed, size=5, mode="constant", cval=-np.inf)) & (
        signed > LOWEST_PEAK_SIGMA
    )
    top[[0, -1]], top[:, [0, -1]] = False, False
    y, x = np.nonzero(top)
    height = signed[y, x].astype(np.float64)
    moved = []
    for dy, dx in ((0, 1), (1, 0)):
        before, after = signed[y - dy, x - dx].astype(np.float64), signed[y + dy, x + dx].astype(np.float64)
        bend = before + after - 2 * signed[y, x]
        usable = np.isfinite(bend) & (bend < 0)
        slope = np.where(usable, (after - before) / 2, 0.0)
        step = -slope / np.where(usable, bend, -1.0)
        moved.append(step)
        height = height + 0.5 * slope * step
    return x + moved[0], y + moved[1], sign * height


def heights_of(peaks: Peaks, t: SurveyTransients) -> Array:
    """Return the height of the highest peak of each transient's sign within reach of it, unsigned; 0 for none."""
    out = np.zeros(t.x.size)
    if peaks.x.size == 0:
        return out
    near = cKDTree(np.column_stack([peaks.x, peaks.y])).query_ball_point(np.column_stack([t.x, t.y]), MATCH_PX)
    for k, found in enumerate(near):
        heights = np.sign(t.flux[k]) * peaks.height[found]
        out[k] = max(0.0, heights.max(initial=0.0))
    return out


def false_peaks(peaks: Peaks, t: SurveyTransients) -> NDArray[np.bool_]:
    """Return which peaks no transient has made."""
    if peaks.x.size == 0 or t.x.size == 0:
        return np.ones(peaks.x.size, dtype=bool)
    distance, _ = cKDTree(np.column_stack([t.x, t.y])).query(np.column_stack([peaks.x, peaks.y]))
    return np.asarray(distance > OWN_PX)


def threshold_for(heights: Array, allowed: float) -> float:
    """Return the lowest threshold that no more than `allowed` of the (positive) heights exceed."""
    ordered = np.sort(heights)[::-1]
    allowed = int(allowed)
    return float(max(ordered[allowed], LOWEST_PEAK_SIGMA)) if ordered.size > allowed else LOWEST_PEAK_SIGMA


@dataclass(frozen=True)
class Region:
    """Where is looked: pixels that count, and whether each transient lies in one."""

    pixels: Mask
    transients: NDArray[np.bool_]

    @property
    def mpx(self) -> float:
        return float(np.count_nonzero(self.pixels)) / 2**20


def region(pixels: Mask, t: SurveyTransients) -> Region:
    return Region(pixels, at(pixels, t.x, t.y))


def at(image: NDArray[Scalar], x: Array, y: Array) -> NDArray[Scalar]:
    """Return the pixels nearest to positions."""
    row, column = np.rint(y).astype(int), np.rint(x).astype(int)
    return image[np.clip(row, 0, image.shape[0] - 1), np.clip(column, 0, image.shape[1] - 1)]


@dataclass(frozen=True)
class Grounds:
    """The parts of a pair that are judged apart from each other."""

    whole: Region
    far: Region
    blank: Mask


def grounds_of(case: Case) -> Grounds:
    pair, mask = case.pair, case.mask
    distance = ndimage.distance_transform_edt(~mask) if mask.any() else np.full(mask.shape, np.inf, dtype=np.float64)
    light = np.zeros(mask.shape, dtype=bool)
    for sky, static, changes, frame in (
        (pair.sky_science, pair.static_science, pair.changes_science, pair.science),
        (pair.sky_reference, pair.static_reference, pair.changes_reference, pair.reference),
    ):
        light |= static + changes - sky > BLANK_SIGMA * _sky_noise(sky, frame.gain, frame.read_noise)
    light = ndimage.binary_dilation(light, iterations=BLANK_MARGIN_PX)
    t = pair.transients
    return Grounds(
        region(~mask, t), region(distance >= FAR_FROM_MASKS_PX, t), ~light & (distance >= BLANK_FROM_MASKS_PX)
    )


def _sky_noise(sky: Image, gain: float | None, read_noise: float | None) -> float:
    g = gain or 1.0
    return float(np.sqrt(sky.mean() / g + ((read_noise or 0.0) / g) ** 2))


@dataclass(frozen=True)
class Found:
    """What one method makes of a pair; images of its shape, NaN where it has none.

    score : sigma. flux, flux_error : PSF flux at each pixel, science ADU. rescale : what the score was divided by at
    the end to have unit noise. shipped : the peaks beyond 5 sigma where the method has its own way of finding them.
    """

    score: Image
    flux: Image
    flux_error: Image
    rescale: float = 1.0
    shipped: Peaks | None = None


@dataclass(frozen=True)
class Figures:
    """How one method did on one pair. Shares are of transients whose pixel no mask holds.

    share, far, host : found at the threshold that leaves five false peaks of positive sign per Mpx, of those that
    appear: anywhere, at least 20 px from masks, on hosts. plus, minus, false : at 5 sigma, found of those that appear
    and that fade, false peaks of both signs per Mpx. bias, bias_error : of fluxes, relative. noise, noise_before,
    mean : of the score on blank sky, as it is and before the last rescaling. blank : share of the frame.
    """

    share: float
    far: float
    host: float
    plus: float
    minus: float
    false: float
    bias: float
    bias_error: float
    noise: float
    noise_before: float
    mean: float
    blank: float


def judge(found: Found, case: Case, grounds: Grounds, *, per_mpx: float = 5.0) -> Figures:
    """Compare what was found with the truth."""
    t = case.pair.transients
    score = np.where(case.mask, np.float32(np.nan), found.score)
    peaks = find_peaks(score)
    heights, wrong = heights_of(peaks, t), false_peaks(peaks, t)
    new = ~t.is_fading
    shares = []
    for where in (grounds.whole, grounds.far):
        counted = wrong & at(where.pixels, peaks.x, peaks.y) & (peaks.height > 0)
        over = heights > threshold_for(peaks.height[counted], per_mpx * where.mpx)
        shares.append(over[new & where.transients].mean())
        if where is grounds.whole:
            on_host = over[new & where.transients & t.is_on_host].mean()
    shipped = found.shipped or peaks
    sure = np.where(np.abs(shipped.height) > SHIPPED_SIGMA, shipped.height, 0.0)
    seen = heights_of(Peaks(shipped.x, shipped.y, sure), t) > 0
    false = np.count_nonzero((sure != 0) & false_peaks(shipped, t)) / grounds.whole.mpx
    values = score[grounds.blank & np.isfinite(score)]
    low, high = np.percentile(values, [15.87, 84.13]) if values.size > 1000 else (np.nan, np.nan)
    noise = float(high - low) / 2
    bias, bias_error = flux_bias(found, case)
    usable = grounds.whole.transients
    return Figures(
        share=float(shares[0]),
        far=float(shares[1]),
        host=float(on_host),
        plus=float(seen[new & usable].mean()),
        minus=float(seen[~new & usable].mean()),
        false=float(false),
        bias=bias,
        bias_error=bias_error,
        noise=noise,
        noise_before=noise * found.rescale,
        mean=float(np.clip(values, -4, 4).mean()) if values.size else float("nan"),
        blank=float(grounds.blank.mean()),
    )


def flux_bias(found: Found, case: Case) -> tuple[float, float]:
    """Return the mean relative error of the fluxes at the true places of well seen transients, and its own error.

    Only of transients that appear, far from masks' influence or not, each weighted by its error with a floor.
    """
    t = case.pair.transients
    chosen = np.flatnonzero((t.flux > 0) & (t.snr > FLUX_SNR) & ~at(case.mask, t.x, t.y))
    flux = _between_pixels(found.flux, t.x[chosen], t.y[chosen])
    ratio = flux / t.flux[chosen] - 1
    error = np.hypot(at(found.flux_error, t.x[chosen], t.y[chosen]) / t.flux[chosen], FLUX_FLOOR)
    keep = np.isfinite(ratio) & np.isfinite(error)
    for _ in range(4):
        weight = np.where(keep, error, np.inf) ** -2.0
        mean = float(np.sum(weight * np.nan_to_num(ratio)) / np.sum(weight)) if keep.any() else float("nan")
        keep = np.isfinite(ratio) & np.isfinite(error) & (np.abs(ratio - mean) < 4 * error)
    return mean, float(np.sum(weight) ** -0.5)


def _between_pixels(image: Image, x: Array, y: Array) -> Array:
    """Return the image at positions between its pixels, by a cubic spline through 13 x 13 of them."""
    out = np.full(x.size, np.nan)
    for k in range(x.size):
        column, row = round(x[k]), round(y[k])
        patch = image[row - 6 : row + 7, column - 6 : column + 7].astype(np.float64)
        if patch.shape == (13, 13) and np.isfinite(patch).all():
            out[k] = ndimage.map_coordinates(patch, [[y[k] - row + 6], [x[k] - column + 6]], order=3)[0]
    return out
