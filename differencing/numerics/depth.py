"""How deep a subtraction will go, predicted at the static sources of the pair before any of it is transformed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft as sizes

from differencing.numerics.kernel import FEWEST_SOURCES, LARGEST_CHANGE, MARGIN_FWHM, choose_sources, cut_stamps
from differencing.numerics.maps import FiltersOf, adjustment, noise_spectrum
from differencing.numerics.pair import Pair, Side
from differencing.numerics.tiles import Tiles, difference_of, psf_transforms, score_of

Array = NDArray[np.float64]
CPU = torch.device("cpu")

# Sources that tell the depth to some per cent; the worst of them decide nothing: variables, defects.
MOST_SOURCES, LEFT_OUT = 120, 0.05
DEPTH_SIGMA = 5.0
# Noise can leave a source's residual emptier than noise is; its variance is not below this share of what it should be.
LEAST_VARIANCE = 0.25


@dataclass(frozen=True)
class Depth:
    """What is predicted of an algorithm.

    flux : that stands at 5 sigma on empty sky at the median place, science counts, by the algorithm's own PSF.
    snr : of static sources, if they were new and the same had been there before, typical (mean of logarithms); so the
    flux of a transient upon one of them, in a unit that no PSF enters. snr_at_best : if nothing of them were left.
    """

    flux: float
    snr: float
    snr_at_best: float


@dataclass(frozen=True)
class Predicted:
    """A depth, and what it is the mean of: the S/N of each source, NaN where it is in one image only, (n,)."""

    depth: Depth
    snr: Array

    def gain_over(self, other: Predicted) -> tuple[float, float]:
        """Return the mean logarithm of this S/N over the other's at the same sources, and its error."""
        ratio = np.log(self.snr / other.snr)
        ratio = ratio[np.isfinite(ratio)]
        if ratio.size < FEWEST_SOURCES:
            return 0.0, float("inf")
        return float(ratio.mean()), float(ratio.std() / math.sqrt(ratio.size))


@dataclass(frozen=True)
class Sample:
    """Static sources of a pair cut out for a prediction. new, ref : their tiles. x, y : of the tiles' middles."""

    new: Tiles
    ref: Tiles
    x: Array
    y: Array
    half: int
    reach: int

    @classmethod
    def of(cls, pair: Pair, fwhm_px: float) -> Sample:
        """Cut out sources spread over the frame; none where none stands whole in both images."""
        reach = max(2, round(fwhm_px))
        half = reach + round(MARGIN_FWHM * fwhm_px)
        side = (sizes.next_fast_len(2 * half + 1, real=True),) * 2
        chosen = choose_sources(pair.stars, pair.mask, reach, half)
        chosen = chosen[:: max(1, -(-chosen.size // MOST_SOURCES))]
        column, row = (np.rint(a[chosen]).astype(int) for a in (pair.stars.x, pair.stars.y))
        new, ref = (_tiles(s, column, row, half, side) for s in (pair.new, pair.ref))
        return cls(new, ref, column.astype(float), row.astype(float), half, reach)

    def predict(self, pair: Pair, filters_of: FiltersOf) -> Predicted:
        """Predict the depth of an algorithm."""
        kernels = filters_of(self.new, self.ref, self.x, self.y, None)
        side = self.new.image.shape[-2:]
        factors = adjustment(pair, self.x, self.y, (side[0], side[1]), CPU)
        out = score_of(difference_of(self.new, self.ref, kernels, factors), kernels, None)
        near = slice(self.half - self.reach, self.half + self.reach + 1)
        in_new, in_ref = (score[:, self.half, self.half] for score in (out.score_n, out.score_r))
        own = out.variance[:, self.half, self.half]
        left = (out.score_n - out.score_r)[:, near, near].square() - out.variance[:, near, near]
        whole = torch.maximum(own + left.mean((1, 2)), LEAST_VARIANCE * own)
        static = (in_new > 0) & ((in_new - in_ref).abs() < LARGEST_CHANGE * in_new)
        flux = DEPTH_SIGMA * out.variance.amin((1, 2)).sqrt() / kernels.flux_norm[:, 0, 0]
        snr, at_best = (
            torch.where(static, in_new / variance.sqrt(), torch.nan).double().numpy() for variance in (whole, own)
        )
        return Predicted(Depth(float(flux.median()), _typical(snr), _typical(at_best)), snr)


def _typical(snr: Array) -> float:
    """Return the mean of logarithms without the lowest, NaN of none."""
    ordered = np.sort(snr[np.isfinite(snr)])
    kept = ordered[round(LEFT_OUT * ordered.size) :]
    return float(np.exp(np.log(kept).mean())) if kept.size else float("nan")


def _tiles(side: Side, column: NDArray[np.int_], row: NDArray[np.int_], half: int, shape: tuple[int, int]) -> Tiles:
    x, y = column.astype(float), row.astype(float)
    image = cut_stamps(side.image, column, row, half, shape)
    sigma = torch.from_numpy(side.noise.at(x, y))
    variance = sigma.square()[:, None, None].expand_as(image).clone()
    if side.photon_counts is not None:
        variance += image.clamp(min=0.0) * torch.from_numpy(side.photon_counts(x, y)).float()[:, None, None]
    return Tiles(
        image, variance, None, sigma, noise_spectrum(side, shape, CPU), psf_transforms(side.psf, x, y, shape, CPU)
    )
