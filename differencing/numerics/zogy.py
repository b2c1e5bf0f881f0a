"""Proper image subtraction: Zackay, Ofek & Gal-Yam 2016, ApJ 830, 27 (doi:10.3847/0004-637X/830/1/27).

Symbols as in the paper: N, R new (science) and reference image; P_n, P_r their PSFs; F_n = F_r = 1 after the
reference is brought to science counts; D difference, P_D its PSF, S score, S_corr score over its own noise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from differencing.numerics.align import fill_masked, resample
from differencing.numerics.background import difference_background, noise_map
from differencing.numerics.flux_scale import Surface, Tie, psf_photometry, tie
from differencing.numerics.noise import correlation, noise_power, robust_sigma, source_mask
from observations.numerics.frame import Frame, Image, Mask, PsfFunction
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.psf import fit_psf
from preprocessing.numerics.stars import Stars, find_stars

PsfInput = PsfFunction | NDArray[np.floating] | None


@dataclass(frozen=True)
class ZogyParameters:
    """What the subtraction may be told; every value is recorded with the run.

    tile_px, overlap_px : the PSF is constant within a tile; smaller tiles follow it better, and the overlap
        must exceed the PSF's half size (measured on simulated pairs: 256 px beats 512 px in both depth and time).
    model_error : relative error of PSF and flux scale, as epsilon² min(|S_n|, |S_r|)² in the variance; 0.005
        silences residuals of bright stars, 0.02 would lose transients on hosts.
    max_stars : stars measured for the tie. min_stars : fewest that make one.
    shift_floor_px : a shift field below this stays uncorrected: its effect is under the model error.
    """

    tile_px: int = 256
    overlap_px: int = 32
    model_error: float = 0.005
    max_stars: int = 200
    min_stars: int = 3
    shift_floor_px: float = 0.02


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
    diagnostics: dict[str, float] = field(default_factory=dict)


class _Side(NamedTuple):
    """One image ready for the transform: sky 0, science counts, no hole."""

    image: Image
    variance: Image
    power: NDArray[np.float64]
    sigma: Image
    psf: PsfFunction


class _Tile(NamedTuple):
    """Outputs of one tile, each of the tile's core size."""

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
    psf_science: PsfInput = None,
    psf_reference: PsfInput = None,
    parameters: ZogyParameters | None = None,
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
    ValueError : shapes differ, or every pixel is masked.
    TooFewStars : fewer than `min_stars` common stars.
    """
    p = parameters or ZogyParameters()
    if science.shape != reference.shape:
        raise ValueError(f"science {science.shape} and reference {reference.shape} are not on one grid")
    psf_n, psf_r = _psf_of(science, psf_science), _psf_of(reference, psf_reference)
    star_list = _stars(science)
    found = _measure_tie(science, reference, psf_n, psf_r, star_list, p)
    shift = (found.shift_x.image(), found.shift_y.image())
    mean_shift = (float(shift[0].mean()), float(shift[1].mean()))
    if found.shift_is_significant and max(float(np.abs(s).max()) for s in shift) > p.shift_floor_px:
        reference = _shifted(reference, shift)
        psf_r = _psf_of(reference, psf_reference)
        found = _measure_tie(science, reference, psf_n, psf_r, star_list, p)
    mask = science.mask | reference.mask | ~np.isfinite(science.data) | ~np.isfinite(reference.data)
    new, ref = _sides(science, reference, mask, found, psf_n, psf_r)
    maps = _all_tiles(new, ref, p)
    return _finish(maps, new, ref, mask, found, mean_shift, p)


def _psf_of(frame: Frame, given: PsfInput) -> PsfFunction:
    """Return the PSF as a function of position: as given, the frame's, or fitted to the frame's stars."""
    if callable(given):
        return given
    if given is not None:
        array = np.asarray(given, dtype=np.float64)
        if array.ndim != 2 or array.shape[0] != array.shape[1] or array.shape[0] % 2 == 0:
            raise ValueError(f"a PSF is an odd square array, this one has shape {array.shape}")
        return lambda x, y: array
    if frame.psf is not None:
        return frame.psf
    background = estimate_background(frame.data, frame.mask)
    stars = find_stars(frame.data, frame.mask, background=background.level, noise=background.noise)
    return fit_psf(frame.data, frame.mask, stars, background=background.level, noise=background.noise)


def _stars(frame: Frame) -> Stars:
    known = frame.extras.get("stars")
    if known is not None:
        return known
    background = estimate_background(frame.data, frame.mask)
    return find_stars(frame.data, frame.mask, background=background.level, noise=background.noise)


def _measure_tie(
    science: Frame, reference: Frame, psf_n: PsfFunction, psf_r: PsfFunction, stars: Stars, p: ZogyParameters
) -> Tie:
    """Measure the brightest usable stars of the science frame in both frames."""
    usable = np.flatnonzero(~stars.is_saturated & stars.is_isolated)
    if usable.size < 3 * p.min_stars:  # crowded or tiny frames: neighbours bias both frames alike
        usable = np.flatnonzero(~stars.is_saturated)
    best = usable[np.argsort(-stars.flux[usable])][: p.max_stars]
    sides = []
    for frame, psf in ((science, psf_n), (reference, psf_r)):
        sky = robust_sigma((frame.data - ndimage.uniform_filter(frame.data, 3))[~frame.mask][::7]) * 1.06
        filled = fill_masked(frame.data, frame.mask)
        sides.append(psf_photometry(filled, frame.mask, sky, psf, stars.x[best], stars.y[best]))
    return tie(sides[0], sides[1], science.shape, min_stars=p.min_stars)


def _shifted(reference: Frame, shift: tuple[Image, Image]) -> Frame:
    """Resample the reference by the shift field (reference minus science position, pixels)."""
    y, x = np.indices(reference.shape, dtype=np.float64)
    sky = np.float32(np.median(reference.data[~reference.mask]))
    data = resample(fill_masked(reference.data, reference.mask) - sky, (x + shift[0], y + shift[1])) + sky
    return replace(reference, data=data, psf=None)


def _sides(
    science: Frame, reference: Frame, mask: Mask, found: Tie, psf_n: PsfFunction, psf_r: PsfFunction
) -> tuple[_Side, _Side]:
    """Bring both images to science counts with sky 0 and give each its variance and noise power."""
    scale = found.flux_scale.image()
    n, r = fill_masked(science.data, mask), fill_masked(reference.data, mask) * scale
    sky_r = estimate_background(r, mask).level.astype(np.float32)
    r = r - sky_r
    n = n - sky_r - difference_background(n - sky_r - r, mask)
    sides = []
    for image, frame, factor, psf in ((n, science, None, psf_n), (r, reference, scale, psf_r)):
        empty = ~source_mask(image, mask)
        sigma = noise_map(image, empty)
        variance = sigma**2 + _source_variance(image, frame, factor)
        variance[mask] += (0.5 * image[mask]) ** 2 + 3.0 * sigma[mask] ** 2
        sides.append(_Side(image, variance, correlation(image, empty), sigma, psf))
    return sides[0], sides[1]


def _source_variance(image: Image, frame: Frame, factor: Image | None) -> Image:
    """Return the photon variance of the sources alone, in science counts²; 0 where the gain is unknown.

    The image is smoothed by a pixel first: a variance that follows a pixel's own noise biases the score.
    """
    signal = np.maximum(ndimage.gaussian_filter(image, 1.0), 0.0)
    scale = np.float32(1.0) if factor is None else factor
    if frame.gain:
        return signal * scale / np.float32(frame.gain)
    return np.zeros_like(signal)


def _all_tiles(new: _Side, ref: _Side, p: ZogyParameters) -> dict[str, Image]:
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


def _cut(new: _Side, ref: _Side, box: tuple[int, int, int, int], pad: int) -> tuple[_Side, _Side]:
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
        stamp = side.psf(*centre)
        out.append(_Side(image, variance, side.power, sigma, lambda x, y, stamp=stamp: stamp))
    return out[0], out[1]


def _kernel_transform(stamp: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.complex64]:
    """Return the transform of a PSF stamp whose centre is moved to pixel (0, 0), cut where it exceeds the tile."""
    half = (stamp.shape[0] - 1) // 2
    keep = min(half, (min(shape) - 1) // 2)
    kernel = np.zeros(shape, dtype=np.float32)
    index = np.arange(-keep, keep + 1)
    kernel[np.ix_(index % shape[0], index % shape[1])] = stamp[half - keep : half + keep + 1, half - keep : half + keep + 1]
    return fft.rfft2(kernel)


def transform_tile(new: _Side, ref: _Side) -> _Tile:
    """Compute D, S and the variance of S on one tile (equations in `subtract`)."""
    shape = new.image.shape
    stamp_n, stamp_r = new.psf(0.0, 0.0), ref.psf(0.0, 0.0)
    p_n, p_r = _kernel_transform(stamp_n, shape), _kernel_transform(stamp_r, shape)
    n_hat, r_hat = fft.rfft2(new.image), fft.rfft2(ref.image)
    power_n = noise_power(new.power, shape) * np.float32(new.sigma) ** 2
    power_r = noise_power(ref.power, shape) * np.float32(ref.sigma) ** 2
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
    return _Tile(difference, score_n - score_r, score_n, score_r, variance, flux_norm, psf_d)


def _convolved_variance(side: _Side, k_hat: NDArray[np.complexfloating], power: Image) -> Image:
    """Return V * k², corrected for correlated noise by the ratio of the kernel's noise with and without it."""
    shape = side.image.shape
    kernel = fft.irfft2(k_hat, shape)
    variance = fft.irfft2(fft.rfft2(side.variance) * fft.rfft2(kernel**2), shape)
    weight = np.abs(k_hat) ** 2
    white = float(np.sum(weight)) * float(side.sigma) ** 2
    coloured = float(np.sum(weight * power)) / white if white > 0 else 1.0
    floor = float(np.sum(kernel**2)) * float(side.sigma) ** 2 * 0.25  # rounding must not make a variance vanish
    return np.maximum(variance, floor) * np.float32(coloured)


def _finish(
    maps: dict[str, Image], new: _Side, ref: _Side, mask: Mask, found: Tie, shift: tuple[float, float], p: ZogyParameters
) -> Difference:
    """Add the astrometric and model variance, normalise the score, and collect the results."""
    score_n, score_r, norm = maps["score_n"], maps["score_r"], maps["flux_norm"]
    gradient = np.minimum(*(np.add(*(g**2 for g in np.gradient(s))) for s in (score_n, score_r)))
    model = (p.model_error * np.minimum(np.abs(score_n), np.abs(score_r))) ** 2
    sky_variance = maps["variance"]
    variance = sky_variance + np.float32(found.shift_scatter_px**2) * gradient + model
    raw = maps["score"] / np.sqrt(variance)
    blank = ~mask & (np.minimum(np.abs(score_n), np.abs(score_r)) < 3.0 * np.sqrt(sky_variance))
    # Percentiles of the blank sky: sources of the difference must not widen their own threshold.
    low, middle, high = np.percentile(raw[blank], [15.87, 50.0, 84.13]) if blank.any() else (-1.0, 0.0, 1.0)
    rescale = float(high - low) / 2.0
    if not np.isfinite(rescale) or rescale <= 0.0:
        raise ValueError("the score has no noise to compare with: the frames hold too few good pixels")
    score = (raw / np.float32(rescale)).astype(np.float32)
    score[mask] = np.nan
    diagnostics = {
        "score_median": float(middle) / rescale,
        "flux_scale_median": float(np.median(found.flux_scale.image())),
        "flux_scale_scatter": found.flux_scatter,
        "shift_scatter_px": found.shift_scatter_px,
        "registration_rms_px": found.shift_rms_px,
        "matched_stars": float(found.matched_stars),
        "sigma_science": float(np.median(new.sigma)),
        "sigma_reference": float(np.median(ref.sigma)),
        "blank_share": float(blank.mean()),
    }
    return Difference(
        difference=maps["difference"],
        score=score,
        flux=maps["score"] / norm,
        flux_error=np.sqrt(variance) * np.float32(rescale) / norm,
        mask=mask,
        psf_d=_psf_d_function(new, ref, p),
        flux_scale=found.flux_scale,
        shift_px=shift,
        noise_rescale=rescale,
        science=new.image,
        reference=ref.image,
        psf_science=new.psf,
        psf_reference=ref.psf,
        diagnostics=diagnostics,
    )


def _psf_d_function(new: _Side, ref: _Side, p: ZogyParameters) -> PsfFunction:
    """Return P_D as a function of position, an odd square array of sum 1 as large as the PSFs allow."""

    def psf_d(x: float, y: float) -> NDArray[np.float64]:
        size = p.tile_px
        row, column = (int(np.clip(round(v), 0, s - 1)) for v, s in zip((y, x), new.sigma.shape, strict=True))
        zero = np.zeros((size, size), dtype=np.float32)
        sides = (
            _Side(zero, zero, s.power, s.sigma[row, column], lambda u, v, stamp=s.psf(x, y): stamp) for s in (new, ref)
        )
        full = transform_tile(*sides).psf_d
        half = min((new.psf(x, y).shape[0] - 1) // 2, size // 2 - 1)
        centre = size // 2
        stamp = full[centre - half : centre + half + 1, centre - half : centre + half + 1].astype(np.float64)
        return stamp / stamp.sum()

    return psf_d
