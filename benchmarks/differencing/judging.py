"""How a subtraction did, against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.differencing.peaks import Array, Matched, Peaks, find_peaks, is_false, match, threshold_for
from benchmarks.differencing.scenarios import Case
from observations.numerics.frame import Image, Mask
from observations.numerics.simulate.survey import SurveySide, SurveyTransients
from observations.numerics.statistics import MAD_TO_SIGMA

Scalar = TypeVar("Scalar", bound=np.generic)

SHIPPED_SIGMA = 5.0
FALSE_PER_MPX = 5.0
FAR_FROM_MASKS_PX = 20.0
# Sky counts as blank where each frame's sources together give less than this of its noise in a pixel, and so far
# around: a weak source that noise has hidden in one frame is no blank sky of the other.
BLANK_SIGMA = 0.1
BLANK_MARGIN_PX = 3
BLANK_FROM_MASKS_PX = 10.0
FEWEST_BLANK = 1000
# Fluxes and positions are compared where noise does not rule, and no one bright transient does either.
WELL_SEEN_SNR = 10.0
FLUX_FLOOR = 0.02
FAINT_SNR = 8.0


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
    """How one method did on one pair. Shares are of transients that appear and whose pixel no mask holds.

    share, share_1, share_20 : found at the threshold that leaves 5, 1, 20 false peaks of positive sign per Mpx. far :
    the same at 5, at least 20 px from masks. host, faint : of the first, those on hosts, those of ideal S/N below 8.
    plus, minus : found at 5 sigma, of those that appear, that fade. false : peaks beyond 5 sigma of both signs per Mpx.
    bias, bias_error : of fluxes, relative. position_px : scatter in one axis of well seen transients. noise,
    noise_before, mean : of the score on blank sky, as it is and before the last rescaling. blank : that sky's share.
    """

    share: float
    share_1: float
    share_20: float
    far: float
    host: float
    faint: float
    plus: float
    minus: float
    false: float
    bias: float
    bias_error: float
    position_px: float
    noise: float
    noise_before: float
    mean: float
    blank: float


@dataclass(frozen=True)
class Region:
    """Where is looked: pixels that count, and whether each transient lies in one."""

    pixels: Mask
    transients: NDArray[np.bool_]

    @property
    def mpx(self) -> float:
        return float(np.count_nonzero(self.pixels)) / 2**20


@dataclass(frozen=True)
class Grounds:
    """The parts of a pair that are judged apart from each other."""

    whole: Region
    far: Region
    blank: Mask


def grounds_of(case: Case) -> Grounds:
    """Return the parts of a pair."""
    mask, t = case.mask, case.pair.transients
    distance = ndimage.distance_transform_edt(~mask) if mask.any() else np.full(mask.shape, np.inf)
    light = _is_lit(case.pair.science) | _is_lit(case.pair.reference)
    light = ndimage.binary_dilation(light, iterations=BLANK_MARGIN_PX)
    whole, far = ~mask, distance >= FAR_FROM_MASKS_PX
    return Grounds(
        Region(whole, at(whole, t.x, t.y)),
        Region(far, at(far, t.x, t.y)),
        ~light & (distance >= BLANK_FROM_MASKS_PX),
    )


def _is_lit(side: SurveySide) -> Mask:
    noise = np.sqrt(side.variance.min())
    return np.asarray(side.static + side.changes - side.sky > BLANK_SIGMA * noise)


def at(image: NDArray[Scalar], x: Array, y: Array) -> NDArray[Scalar]:
    """Return the pixels nearest to positions."""
    row, column = np.rint(y).astype(int), np.rint(x).astype(int)
    return image[np.clip(row, 0, image.shape[0] - 1), np.clip(column, 0, image.shape[1] - 1)]


def _found(matched: Matched, peaks: Peaks, where: Region, t: SurveyTransients, per_mpx: float) -> NDArray[np.bool_]:
    """Return which transients stand above the threshold that leaves `per_mpx` false peaks of positive sign per Mpx."""
    counted = is_false(peaks, t) & at(where.pixels, peaks.x, peaks.y) & (peaks.height > 0)
    return np.asarray(matched.height > threshold_for(peaks.height[counted], per_mpx * where.mpx))


def judge(found: Found, case: Case, grounds: Grounds) -> Figures:
    """Compare what was found with the truth."""
    t, whole, far = case.pair.transients, grounds.whole, grounds.far
    score = np.where(case.mask, np.float32(np.nan), found.score)
    peaks = find_peaks(score)
    matched = match(peaks, t)
    new = ~t.is_fading & whole.transients
    over, over_1, over_20 = (_found(matched, peaks, whole, t, n) for n in (FALSE_PER_MPX, 1.0, 20.0))
    shipped = found.shipped or peaks
    shipped = shipped[np.abs(shipped.height) > SHIPPED_SIGMA]
    seen = match(shipped, t).height > 0
    noise, mean = noise_of(score[grounds.blank])
    bias, bias_error = flux_bias(found, case)
    good = over & whole.transients & (t.snr > WELL_SEEN_SNR)
    offsets = np.concatenate([matched.dx[good], matched.dy[good]])
    return Figures(
        share=_mean(over[new]),
        share_1=_mean(over_1[new]),
        share_20=_mean(over_20[new]),
        far=_mean(_found(matched, peaks, far, t, FALSE_PER_MPX)[new & far.transients]),
        host=_mean(over[new & t.is_on_host]),
        faint=_mean(over[new & (t.snr < FAINT_SNR)]),
        plus=_mean(seen[new]),
        minus=_mean(seen[t.is_fading & whole.transients]),
        false=np.count_nonzero(is_false(shipped, t) & at(whole.pixels, shipped.x, shipped.y)) / whole.mpx,
        bias=bias,
        bias_error=bias_error,
        position_px=float(MAD_TO_SIGMA * np.median(np.abs(offsets))) if offsets.size else float("nan"),
        noise=noise,
        noise_before=noise * found.rescale,
        mean=mean,
        blank=float(grounds.blank.mean()),
    )


def _mean(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if values.size else float("nan")


def noise_of(values: Image) -> tuple[float, float]:
    """Return the robust sigma of a score and its mean without outliers; NaN where there is too little sky."""
    values = values[np.isfinite(values)]
    if values.size < FEWEST_BLANK:
        return float("nan"), float("nan")
    low, high = np.percentile(values, [15.87, 84.13])
    return float(high - low) / 2, float(values[np.abs(values) < 4].mean())


def flux_bias(found: Found, case: Case) -> tuple[float, float]:
    """Return the mean relative error of fluxes at the true places of well seen transients, and its own error.

    Only of those that appear; each weighs by its error, with a floor.
    """
    t = case.pair.transients
    chosen = np.flatnonzero((t.flux > 0) & (t.snr > WELL_SEEN_SNR) & ~at(case.mask, t.x, t.y))
    ratio = _between_pixels(found.flux, t.x[chosen], t.y[chosen]) / t.flux[chosen] - 1
    error = np.hypot(at(found.flux_error, t.x[chosen], t.y[chosen]) / t.flux[chosen], FLUX_FLOOR)
    usable = np.isfinite(ratio) & np.isfinite(error)
    ratio, error = ratio[usable], error[usable]
    if ratio.size == 0:
        return float("nan"), float("nan")
    keep = np.ones(ratio.size, dtype=bool)
    mean = float(np.median(ratio))
    for _ in range(4):
        keep = np.abs(ratio - mean) < 4 * error
        mean = float(np.average(ratio[keep], weights=error[keep] ** -2)) if keep.any() else mean
    return mean, float(np.sum(error[keep] ** -2) ** -0.5) if keep.any() else float("nan")


def _between_pixels(image: Image, x: Array, y: Array) -> Array:
    """Return the image at positions between its pixels, by a cubic spline through 13 x 13 of them."""
    out = np.full(x.size, np.nan)
    for k in range(x.size):
        column, row = round(x[k]), round(y[k])
        patch = image[row - 6 : row + 7, column - 6 : column + 7].astype(np.float64)
        if patch.shape == (13, 13) and np.isfinite(patch).all():
            out[k] = ndimage.map_coordinates(patch, [[y[k] - row + 6], [x[k] - column + 6]], order=3)[0]
    return out
