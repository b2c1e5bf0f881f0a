"""Proper image subtraction: Zackay, Ofek & Gal-Yam 2016, ApJ 830, 27 (doi:10.3847/0004-637X/830/1/27).

Symbols as in the paper: N, R new (science) and reference image; P_n, P_r their PSFs; F_n = F_r = 1 after the
reference is brought to science counts; D difference, P_D its PSF, S score, S_corr score over its own noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from differencing.numerics.noise import noise_power
from differencing.numerics.pair import Pair, PsfInput, Side, ZogyParameters, prepare
from differencing.numerics.tie import Surface
from observations.numerics.frame import Frame, Image, Mask, PsfFunction

__all__ = ["Difference", "ZogyParameters", "subtract", "transform_tile"]


# A star of S/N 50 shows a model error of 2 % over its noise; ten of them give its median to a third.
STAR_SNR = 50.0
FEWEST_MODEL_STARS = 10
# The largest of nine correlated pixels of pure noise is 1.5 sigma, on average.
NOISE_PEAK_SIGMA = 1.5
# Beyond this the residuals are no model error any more: they shall be seen.
LARGEST_MODEL_ERROR = 0.1


@dataclass(frozen=True)
class Diagnostics:
    """Numbers that tell how well a subtraction went.

    score_median : of the blank sky, sigma; 0 is right. flux_scale_median : reference counts times this are science
    counts; flux_scale_scatter : of single stars about it, relative. registration_rms_px : scatter of the stars after
    the shift; shift_scatter_px : what of it their own errors do not explain, in one axis. sigma_science,
    sigma_reference : median noise of a pixel, science counts. blank_share : of pixels without source or mask.
    model_error : share of a star's signal that counts as error of PSF and flux scale.
    """

    score_median: float
    flux_scale_median: float
    flux_scale_scatter: float
    shift_scatter_px: float
    registration_rms_px: float
    matched_stars: float
    sigma_science: float
    sigma_reference: float
    blank_share: float
    model_error: float


@dataclass(frozen=True)
class Difference:
    """What the subtraction gives; images are (ny, nx) float32 on the science grid.

    difference : D in science counts. score : S_corr in sigma, signed. flux, flux_error : PSF flux at each pixel
    and its error, science counts. psf_d : callable (x, y) -> PSF of D, sum 1. mask : True = bad in either frame.
    flux_scale : reference counts times this are science counts. shift_px : mean shift of reference against
    science that was found (and corrected). noise_rescale : robust sigma of the score before it was divided by it.
    science, reference : the matched images that were subtracted (sky 0, science counts), for stamps and ghosts.
    """

    difference: Image
    score: Image
    flux: Image
    flux_error: Image
    mask: Mask
    psf_d: PsfFunction
    flux_scale: Surface
    shift_px: tuple[float, float]
    noise_rescale: float
    science: Image
    reference: Image
    psf_science: PsfFunction
    psf_reference: PsfFunction
    diagnostics: Diagnostics


class Tile(NamedTuple):
    """A piece of one side that is small enough for one sigma (science counts) and one PSF (odd square, sum 1)."""

    image: Image
    variance: Image
    correlation: NDArray[np.float64]
    sigma: float
    psf: NDArray[np.float64]


class Transformed(NamedTuple):
    """What the transform of two tiles gives; images of the tiles' shape."""

    difference: Image
    score: Image
    score_n: Image
    score_r: Image
    variance: Image
    flux_norm: float
    psf_d: NDArray[np.float64]


def subtract(
    science: Frame,
    reference: Frame,
    *,
    parameters: ZogyParameters,
    psf_science: PsfInput = None,
    psf_reference: PsfInput = None,
) -> Difference:
    """Subtract the reference from the science frame and score every pixel for a new point source.

    Both frames are on one pixel grid, background in or out. The flux scale and what is left of the shift are
    measured on common stars as smooth surfaces; the reference is resampled once more only where that shift
    exceeds `shift_floor_px`. Masked and non-finite pixels are filled and carry the square of half their filled
    value as variance; outside the frame the sky is empty. The score's variance holds the sky noise (measured,
    with its correlation), the sources' own photon noise where the gain is known, the scatter of the
    registration and the model error; what is left of a deviation from unit variance is divided out and
    reported as `noise_rescale`.

        D^ = (P_r^ N^ - P_n^ R^) / sqrt(sigma_n² W_n |P_r^|² + sigma_r² W_r |P_n^|²)
        S  = k_n * N - k_r * R,  k_n^ = conj(P_n^)|P_r^|² / denominator,  k_r^ = conj(P_r^)|P_n^|² / denominator
        S_corr = S / sqrt(V_n * k_n² + V_r * k_r² + V_ast + epsilon² min(|S_n|, |S_r|)²)

    with W the noise power spectrum (1 for white noise), * convolution and ^ the Fourier transform.
    Equations 12-16 and 25-30 of the paper; we depart from it in W, in the model error and in giving D in
    science counts (divided by its zero point F_D).

    Parameters
    ----------
    science, reference : Frame of one shape; `gain` in electrons per count of that frame.
    psf_science, psf_reference : callable (x, y) -> odd square array of sum 1, or one array, or None: then the
        frame's own `psf`, else estimated from its stars. The reference's is that of the resampled reference.

    Returns
    -------
    Difference.

    Raises
    ------
    ValueError : shapes differ, or every pixel is masked. NoFluxScale : the stars' flux ratios scatter too much.
    TooFewStars : fewer than `min_stars` common stars.
    """
    pair = prepare(science, reference, (psf_science, psf_reference), parameters)
    return _finish(_all_tiles(pair.new, pair.ref, parameters), pair, parameters)


def _all_tiles(new: Side, ref: Side, p: ZogyParameters) -> dict[str, Image]:
    """Run the transform tile by tile and lay the cores side by side."""
    ny, nx = new.image.shape
    names = ("difference", "score", "score_n", "score_r", "variance", "flux_norm")
    maps = {name: np.zeros((ny, nx), dtype=np.float32) for name in names}
    pad = p.overlap_px
    for y0 in range(0, ny, p.tile_px):
        for x0 in range(0, nx, p.tile_px):
            y1, x1 = min(y0 + p.tile_px, ny), min(x0 + p.tile_px, nx)
            tile = transform_tile(*_cut(new, ref, (y0, y1, x0, x1), pad))
            core = (slice(pad, pad + y1 - y0), slice(pad, pad + x1 - x0))
            for name in names[:-1]:
                maps[name][y0:y1, x0:x1] = getattr(tile, name)[core]
            maps["flux_norm"][y0:y1, x0:x1] = tile.flux_norm
    return maps


def _cut(new: Side, ref: Side, box: tuple[int, int, int, int], pad: int) -> tuple[Tile, Tile]:
    """Cut a padded tile of both sides, at a size that transforms fast; outside the frame the sky is empty."""
    y0, y1, x0, x1 = box
    ny, nx = new.image.shape
    shape = (fft.next_fast_len(y1 - y0 + 2 * pad, real=True), fft.next_fast_len(x1 - x0 + 2 * pad, real=True))
    ya, yb, xa, xb = max(0, y0 - pad), min(ny, y0 - pad + shape[0]), max(0, x0 - pad), min(nx, x0 - pad + shape[1])
    inner = (slice(ya - y0 + pad, yb - y0 + pad), slice(xa - x0 + pad, xb - x0 + pad))
    centre = (0.5 * (x0 + x1 - 1), 0.5 * (y0 + y1 - 1))
    out = []
    for side in (new, ref):
        image = np.zeros(shape, dtype=np.float32)
        image[inner] = side.image[ya:yb, xa:xb]
        sigma = np.float32(np.median(side.sigma[y0:y1, x0:x1]))
        variance = np.full(shape, sigma**2, dtype=np.float32)
        variance[inner] = side.variance[ya:yb, xa:xb]
        out.append(Tile(image, variance, side.correlation, float(sigma), side.psf(*centre)))
    return out[0], out[1]


def _kernel_transform(stamp: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.complex64]:
    """Return the transform of a PSF stamp whose centre is moved to pixel (0, 0), cut where it exceeds the tile."""
    half = (stamp.shape[0] - 1) // 2
    keep = min(half, (min(shape) - 1) // 2)
    kernel = np.zeros(shape, dtype=np.float32)
    index = np.arange(-keep, keep + 1)
    kernel[np.ix_(index % shape[0], index % shape[1])] = stamp[
        half - keep : half + keep + 1, half - keep : half + keep + 1
    ]
    return fft.rfft2(kernel)


def transform_tile(new: Tile, ref: Tile) -> Transformed:
    """Compute D, S and the variance of S on one tile (equations in `subtract`)."""
    shape = new.image.shape
    p_n, p_r = _kernel_transform(new.psf, shape), _kernel_transform(ref.psf, shape)
    n_hat, r_hat = fft.rfft2(new.image), fft.rfft2(ref.image)
    power_n = noise_power(new.correlation, shape) * np.float32(new.sigma) ** 2
    power_r = noise_power(ref.correlation, shape) * np.float32(ref.sigma) ** 2
    absolute_n, absolute_r = np.abs(p_n) ** 2, np.abs(p_r) ** 2
    denominator = power_n * absolute_r + power_r * absolute_n
    # Where both PSFs have no power left, float32 noise of the transforms would be divided by nearly nothing.
    denominator = np.maximum(denominator, 1e-7 * float(denominator.max()))
    root = np.sqrt(denominator)
    zero = float(root[0, 0])  # 1/F_D: turns D into science counts
    difference = fft.irfft2((p_r * n_hat - p_n * r_hat) * (zero / root), shape)
    k_n, k_r = np.conj(p_n) * absolute_r / denominator, np.conj(p_r) * absolute_n / denominator
    score_n, score_r = fft.irfft2(k_n * n_hat, shape), fft.irfft2(k_r * r_hat, shape)
    variance = _convolved_variance(new, k_n, power_n) + _convolved_variance(ref, k_r, power_r)
    flux_norm = float(fft.irfft2(absolute_n * absolute_r / denominator, shape)[0, 0])
    psf_d = fft.fftshift(fft.irfft2(p_n * p_r * (zero / root), shape))
    return Transformed(difference, score_n - score_r, score_n, score_r, variance, flux_norm, psf_d)


def _convolved_variance(tile: Tile, k_hat: NDArray[np.complexfloating], power: Image) -> Image:
    """Return V * k², corrected for correlated noise by the ratio of the kernel's noise with and without it."""
    shape = tile.image.shape
    kernel = fft.irfft2(k_hat, shape)
    variance = fft.irfft2(fft.rfft2(tile.variance) * fft.rfft2(kernel**2), shape)
    weight = np.abs(k_hat) ** 2
    white = float(np.sum(weight)) * tile.sigma**2
    coloured = float(np.sum(weight * power)) / white if white > 0 else 1.0
    floor = float(np.sum(kernel**2)) * tile.sigma**2 * 0.25  # rounding must not make a variance vanish
    return np.maximum(variance, floor) * np.float32(coloured)


def _finish(maps: dict[str, Image], pair: Pair, p: ZogyParameters) -> Difference:
    """Add the astrometric and model variance, normalise the score, and collect the results."""
    new, ref, mask, found = pair.new, pair.ref, pair.mask, pair.tie
    score_n, score_r, norm = maps["score_n"], maps["score_r"], maps["flux_norm"]
    gradient = np.minimum(_slope_squared(score_n), _slope_squared(score_r))
    sky_variance = maps["variance"]
    static = np.minimum(np.abs(score_n), np.abs(score_r))
    epsilon = _model_error(maps["score"], np.where(mask, 0.0, static), sky_variance, p)
    model = (np.float32(epsilon) * static) ** 2
    variance = sky_variance + np.float32(found.shift_scatter_px**2) * gradient + model
    raw = maps["score"] / np.sqrt(variance)
    blank = ~mask & (static < 3.0 * np.sqrt(sky_variance))
    # Percentiles of the blank sky: sources of the difference must not widen their own threshold.
    low, middle, high = np.percentile(raw[blank], [15.87, 50.0, 84.13]) if blank.any() else (-1.0, 0.0, 1.0)
    rescale = float(high - low) / 2.0
    if not np.isfinite(rescale) or rescale <= 0.0:
        raise ValueError("the score has no noise to compare with: the frames hold too few good pixels")
    score = (raw / np.float32(rescale)).astype(np.float32)
    score[mask] = np.nan
    diagnostics = Diagnostics(
        score_median=float(middle) / rescale,
        flux_scale_median=float(np.median(found.flux_scale.image())),
        flux_scale_scatter=found.flux_scatter,
        shift_scatter_px=found.shift_scatter_px,
        registration_rms_px=found.shift_rms_px,
        matched_stars=float(found.matched_stars),
        sigma_science=float(np.median(new.sigma)),
        sigma_reference=float(np.median(ref.sigma)),
        blank_share=float(blank.mean()),
        model_error=epsilon,
    )
    return Difference(
        difference=maps["difference"],
        score=score,
        flux=maps["score"] / norm,
        flux_error=np.sqrt(variance) * np.float32(rescale) / norm,
        mask=mask,
        psf_d=_psf_d_function(new, ref, p),
        flux_scale=found.flux_scale,
        shift_px=pair.shift_px,
        noise_rescale=rescale,
        science=new.image,
        reference=ref.image,
        psf_science=new.psf,
        psf_reference=ref.psf,
        diagnostics=diagnostics,
    )


def _model_error(score: Image, static: Image, variance: Image, p: ZogyParameters) -> float:
    """Measure what share of a static star's signal is left after subtraction, at least `p.model_error`.

    The median over the stars of S/N > 50 that both frames hold, of the largest residual within a pixel of the peak,
    less what the noise alone would leave there. Undersampled frames (FWHM 2 px) leave 5 %, good ones below 1 %.
    """
    significance = static / np.sqrt(variance)
    peak = (significance == ndimage.maximum_filter(significance, size=5)) & (significance > STAR_SNR)
    if np.count_nonzero(peak) < FEWEST_MODEL_STARS:
        return p.model_error
    residual = ndimage.maximum_filter(np.abs(score), size=3)[peak] / static[peak]
    noise = NOISE_PEAK_SIGMA / significance[peak]
    left = float(np.median(np.sqrt(np.maximum(residual.astype(np.float64) ** 2 - noise**2, 0.0))))
    return float(np.clip(left, p.model_error, LARGEST_MODEL_ERROR))


def _slope_squared(image: Image) -> Image:
    """Return the squared gradient, per px²."""
    dy, dx = np.gradient(image)
    return np.asarray(dy**2 + dx**2, dtype=np.float32)


def _psf_d_function(new: Side, ref: Side, p: ZogyParameters) -> PsfFunction:
    """Return P_D as a function of position, an odd square array of sum 1 as large as the PSFs allow."""

    def psf_d(x: float, y: float) -> NDArray[np.float64]:
        size = p.tile_px
        row, column = (int(np.clip(round(v), 0, s - 1)) for v, s in zip((y, x), new.sigma.shape, strict=True))
        zero = np.zeros((size, size), dtype=np.float32)
        tiles = [Tile(zero, zero, s.correlation, float(s.sigma[row, column]), s.psf(x, y)) for s in (new, ref)]
        full = transform_tile(tiles[0], tiles[1]).psf_d
        half = min((new.psf(x, y).shape[0] - 1) // 2, size // 2 - 1)
        centre = size // 2
        stamp = full[centre - half : centre + half + 1, centre - half : centre + half + 1].astype(np.float64)
        return stamp / stamp.sum()

    return psf_d
