"""Bring two frames on one grid to common counts: PSFs, flux scale, shift, sky, noise."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.align import fill_masked
from differencing.numerics.background import COARSE_PX, NoiseMesh, coarse_level, measure_noise, noise_of_variance
from differencing.numerics.confusion import OwnNoise, own_noise
from differencing.numerics.kernel import Kernel, fit_kernel
from differencing.numerics.noise import robust_sigma, source_mask, white_correlation
from differencing.numerics.parameters import ZogyParameters
from differencing.numerics.tie import NoFluxScale, Surface, Tie, TooFewStars, tie
from differencing.numerics.uneven import Uneven
from observations.numerics.compiled import compiled
from observations.numerics.frame import Frame, Image, Mask, PsfFunction, Stars
from preprocessing.numerics.background import estimate_background, rough_background
from preprocessing.numerics.photometry import psf_photometry, psf_radius_px
from preprocessing.numerics.psf import PsfError, fit_psf
from preprocessing.numerics.stars import find_stars, point_like

PsfInput = PsfFunction | NDArray[np.floating] | None
Between = tuple[NDArray[np.int64], NDArray[np.int64], Image]

# Where no PSF can be measured, sources above this S/N tell its width: none is narrower, but for a few by noise.
GUESS_SNR, NARROW_PERCENT = 30.0, 20.0
# Cells of the sky along one of the noise, which takes more pixels to know.
CELLS_PER_NOISE = 2
# What is smoothed tells 1.4 times its scatter and more; light of sources adds a few per cent.
SMOOTHED = 1.25


class Side(NamedTuple):
    """One whole image ready to be subtracted: sky 0, science counts, no hole.

    filled : True where the image is no measurement of this side: its own mask. noise : of the empty sky.
    correlation : of the noise, as `noise.correlation_of` gives it. photon_counts : science counts² of variance for each
    count of light, None where the gain is unknown. psf : callable (x, y) -> stamp of sum 1. uneven :
    pixels that the frame knows to be worse than others, None without any.
    """

    image: Image
    filled: Mask
    noise: NoiseMesh
    correlation: NDArray[np.float64]
    photon_counts: Surface | None
    psf: PsfFunction
    uneven: Uneven | None

    def variance(self, mask: Mask, rows: slice) -> Image:
        """Return the variance of the pixels of some rows: of the sky, of the sources' photons, and of fills besides."""
        _, nx = self.image.shape
        out = np.empty((rows.stop - rows.start, nx), dtype=np.float32)
        lines = np.arange(rows.start, rows.stop, dtype=np.float64)
        across, along = self.noise.between(1, np.arange(nx, dtype=np.float64)), self.noise.between(0, lines)
        photons = np.zeros((1, 1), dtype=np.float32)
        if self.photon_counts is not None:
            photons = self.photon_counts.rows(rows)
        _variance(self.image, mask, (self.noise.sigma, along, across), photons, rows.start, out)
        if self.uneven is not None:
            self.uneven.widen(out, rows)
        return out


class Pair(NamedTuple):
    """Two frames ready to be subtracted.

    mask : of either. empty : True where neither shows a source nor is masked. shift_px : mean shift of the reference;
    shift : its field in x and y where it is to be corrected. stars : sources of the science frame. psfs_measured :
    whether each side's PSF is known, or a guess from the width of its sources. tied_on_points : whether the flux scale
    stands on point sources. fwhm_px : of the wider PSF at the frame's middle. kernel : what lets static sources cancel,
    where known.
    """

    new: Side
    ref: Side
    mask: Mask
    empty: Mask
    tie: Tie
    shift_px: tuple[float, float]
    shift: tuple[Surface, Surface] | None
    stars: Stars
    psfs_measured: tuple[bool, bool]
    tied_on_points: bool
    fwhm_px: float
    kernel: Kernel | None = None

    @property
    def middle(self) -> tuple[float, float]:
        """Return x and y of the middle of the grid."""
        ny, nx = self.mask.shape
        return nx / 2, ny / 2

    @property
    def trust(self) -> tuple[float, float]:
        """Return the weights of both PSFs where they tell of the same: a guess is nothing beside what was measured."""
        new, ref = self.psfs_measured
        return (0.5, 0.5) if new == ref else (float(new), float(ref))


def prepare(
    science: Frame,
    reference: Frame,
    psfs: tuple[PsfInput, PsfInput],
    p: ZogyParameters,
    *,
    is_rough: bool = False,
) -> Pair:
    """Measure how the frames relate and bring the reference to the science frame's counts, position and sky.

    Arguments and errors as in `zogy.subtract`, of frames without holes (`finite`). is_rough : where PSFs cannot be
    measured, or too few point sources are there for a flux scale, guesses from all sources will do: a fitted kernel
    puts them right to some per cent.
    """
    if science.shape != reference.shape:
        raise ValueError(f"science {science.shape} and reference {reference.shape} are not on one grid")
    (psf_n, known_n), (psf_r, known_r) = (
        _psf_or_guess(frame, given, may_guess=is_rough) for frame, given in ((science, psfs[0]), (reference, psfs[1]))
    )
    star_list = _stars(science)
    point = point_like(star_list)
    try:
        found, on_points = _measure_tie(science, reference, (psf_n, psf_r), star_list, point, p), True
    except TooFewStars:
        if not is_rough:
            raise
        found, on_points = _rough_tie(science, reference, (psf_n, psf_r), star_list, p), False
    if not found.flux_scatter <= p.max_flux_scatter:
        raise NoFluxScale(
            f"the flux ratios of {found.matched_stars} stars scatter by {found.flux_scatter:.0%}: no common scale"
        )
    mask = science.mask | reference.mask
    new, ref, empty = _sides(science, reference, mask, found, (psf_n, psf_r))
    # The fits let every star's position float, so that flux scale, scatter and PSF hold after the shift as before.
    maps = (found.shift_x.coarse(), found.shift_y.coarse())
    is_shifted = found.shift_is_significant and max(float(np.abs(s).max()) for s in maps) > p.shift_floor_px
    shift = (found.shift_x, found.shift_y) if is_shifted else None
    mean_shift = (float(maps[0].mean()), float(maps[1].mean()))
    ny, nx = mask.shape
    fwhm_px = 2.0 * max(psf_radius_px(psf(nx / 2, ny / 2)) for psf in (psf_n, psf_r))
    measured = (known_n, known_r)
    return Pair(new, ref, mask, empty, found, mean_shift, shift, star_list, measured, on_points, fwhm_px)


def with_kernel(pair: Pair) -> Pair:
    """Return the pair with what its PSFs leave unmatched, from its static sources."""
    new, ref = pair.new, pair.ref
    noise = (new.noise.median, ref.noise.median)
    images, psfs = (new.image, ref.image), (new.psf, ref.psf)
    return pair._replace(kernel=fit_kernel(images, psfs, noise, pair.shift, pair.stars, pair.mask, pair.fwhm_px))


def finite(frame: Frame) -> Frame:
    """Return the frame with its holes filled and marked, so that nothing after this meets a NaN.

    Raises ValueError where every pixel is masked or not finite.
    """
    mask = frame.mask | ~np.isfinite(frame.data)
    return replace(frame, data=fill_masked(frame.data, mask) if mask.any() else frame.data, mask=mask)


def constant_psf(stamp: NDArray[np.float64]) -> PsfFunction:
    """Return a PSF that is the same everywhere."""
    return lambda _x, _y: stamp


def _psf_of(frame: Frame, given: PsfInput) -> PsfFunction:
    """Return the PSF as a function of position: as given, the frame's, or fitted to the frame's stars."""
    if callable(given):
        return given
    if given is not None:
        array = np.asarray(given, dtype=np.float64)
        if array.ndim != 2 or array.shape[0] != array.shape[1] or array.shape[0] % 2 == 0:
            raise ValueError(f"a PSF is an odd square array, this one has shape {array.shape}")
        return constant_psf(array)
    if frame.psf is not None:
        return frame.psf
    background = estimate_background(frame.data, frame.mask)
    stars = find_stars(frame.data, frame.mask, background=background.level, noise=background.noise)
    return fit_psf(frame.data, frame.mask, stars, background=background.level, noise=background.noise)


def _psf_or_guess(frame: Frame, given: PsfInput, *, may_guess: bool) -> tuple[PsfFunction, bool]:
    """Return the PSF and whether it is measured; else it is a Moffat as wide as the narrowest sources are."""
    try:
        return _psf_of(frame, given), True
    except PsfError:
        stars = _stars(frame)
        snr = stars.flux / np.maximum(stars.flux_error, 1e-30)
        widths = stars.fwhm[~stars.is_saturated & (snr > GUESS_SNR)]
        if not may_guess or widths.size == 0:
            raise
        return constant_psf(moffat(float(np.percentile(widths, NARROW_PERCENT)))), False


def moffat(fwhm_px: float) -> NDArray[np.float64]:
    """Return a round PSF of the usual shape (index 3, as turbulence and optics together leave it), of sum 1."""
    half = min(math.ceil(4 * fwhm_px), 31)
    y, x = np.indices((2 * half + 1, 2 * half + 1)) - half
    alpha = fwhm_px / (2.0 * math.sqrt(2.0 ** (1 / 3) - 1.0))
    stamp = (1.0 + (x**2 + y**2) / alpha**2) ** -3.0
    return np.asarray(stamp / stamp.sum())


def _stars(frame: Frame) -> Stars:
    if frame.stars is not None:
        return frame.stars
    background = estimate_background(frame.data, frame.mask)
    return find_stars(frame.data, frame.mask, background=background.level, noise=background.noise)


def _measure_tie(
    science: Frame,
    reference: Frame,
    psfs: tuple[PsfFunction, PsfFunction],
    stars: Stars,
    point: NDArray[np.bool_],
    p: ZogyParameters,
) -> Tie:
    """Measure the brightest usable stars of the science frame in both frames, which are finite.

    The PSF's flux of a galaxy depends on the seeing: a scale tied on galaxies is wrong by 10 % and more.
    """
    point = point & ~stars.is_saturated
    usable = np.flatnonzero(point & stars.is_isolated)
    if usable.size < 3 * p.min_stars:  # crowded or tiny frames: neighbours bias both frames alike
        usable = np.flatnonzero(point)
    best = usable[np.argsort(-stars.flux[usable])][: p.max_stars]
    sides = []
    for frame, psf in zip((science, reference), psfs, strict=True):
        # Pixels so far apart share no noise, and nearly all of their sky.
        rows = slice(None, None, max(1, frame.shape[0] // 100))
        sky = robust_sigma(frame.data[rows, 4:] - frame.data[rows, :-4]) / np.sqrt(2.0)
        sides.append(psf_photometry(frame.data, frame.mask, sky, psf, stars.x[best], stars.y[best]))
    return tie(sides[0], sides[1], science.shape, min_stars=p.min_stars)


def _sides(
    science: Frame, reference: Frame, mask: Mask, found: Tie, psfs: tuple[PsfFunction, PsfFunction]
) -> tuple[Side, Side, Mask]:
    """Bring both images to science counts with sky near 0; tell where neither shows a source."""
    # A scale that varies would make a gradient of the level alone.
    r = reference.data - np.median(reference.data[::4, ::4])
    found.flux_scale.scale(r)
    sky = rough_background(r, mask)
    level, finer_px = sky.level, sky.finer_px
    del sky
    r -= level
    # Sources of the science frame alone are few and clipped; what the sky has in detail is taken from the difference.
    source_r = source_mask(r, mask)
    n = np.subtract(science.data, level, out=level)
    coarse_level(n - r, source_r).take_off(n)
    source_n = source_mask(n, mask)
    one = Surface.constant(1.0, mask.shape)
    empty = ~(source_n | source_r)
    x, y = mask.shape[1] / 2, mask.shape[0] / 2
    own_n, own_r = own_noise((n, r), empty, (psfs[0](x, y), psfs[1](x, y)))
    # Where the sky is a galaxy's light its photons are the noise, and change with it.
    cell_px = COARSE_PX if finer_px is None else CELLS_PER_NOISE * finer_px
    noises = measure_noise(n, source_n, cell_px=cell_px), measure_noise(r, source_r, cell_px=cell_px)
    new = _side((n, source_n, mask), noises[0], science, one, psfs[0], own_n)
    ref = _side((r, source_r, mask), noises[1], reference, found.flux_scale, psfs[1], own_r)
    return new, ref, empty


def _side(
    pixels: tuple[Image, Mask, Mask], scatter: NoiseMesh, frame: Frame, scale: Surface, psf: PsfFunction, own: OwnNoise
) -> Side:
    """Give an image in science counts, where it holds sources and where either is bad, what is known of its noise."""
    image, sources, mask = pixels
    photons = replace(scale, coefficients=scale.coefficients / frame.gain) if frame.gain else None
    share, correlation = own.share, own.correlation
    told = smoothed_noise(frame, sources, scatter.median / float(np.median(scale.coarse())))
    if told is not None:
        # As if white: a filter that undid the smoothing would see again what pixels alias.
        share, correlation = told**2, white_correlation()
    noise = replace(scatter, sigma=scatter.sigma * np.float32(np.sqrt(share)))
    return Side(image, frame.mask, noise, correlation, photons, psf, Uneven.of(frame, sources, mask))


def smoothed_noise(frame: Frame, sources: Mask, scatter: float) -> float | None:
    """Return by how much the noise that a frame tells is above its pixels' scatter; None where it was not smoothed.

    scatter : of a pixel of empty sky, in the frame's counts. What preprocessing smooths, because pixels are too large
    for its stars, tells the noise of a pixel as sums of pixels have it.
    """
    told = None if frame.variance is None else noise_of_variance(frame.variance, sources)
    if told is None or told.median < SMOOTHED * scatter:
        return None
    return told.median / scatter


def _rough_tie(
    science: Frame, reference: Frame, psfs: tuple[PsfFunction, PsfFunction], stars: Stars, p: ZogyParameters
) -> Tie:
    """Measure all sources by one PSF in both frames, the wider one: what it gets wrong it gets wrong in both.

    One number for the whole frame: how the scale varies is for a kernel to say, which these fluxes do not mislead.
    """
    ny, nx = science.shape
    wide = max(psfs, key=lambda psf: psf_radius_px(psf(nx / 2, ny / 2)))
    found = _measure_tie(science, reference, (wide, wide), stars, np.ones(len(stars), dtype=bool), p)
    middle = float(np.median(found.flux_scale.coarse()))
    return replace(found, flux_scale=Surface.constant(middle, science.shape))


@compiled
def _variance(
    image: Image, mask: Mask, noise: tuple[Image, Between, Between], photons: Image, first: int, out: Image
) -> None:
    """Write the variance of the rows from `first` on.

    The sources' light is smoothed over 5 x 5 pixels first (sigma of a pixel): a variance that follows a pixel's own
    noise biases the score.
    """
    ny, nx = image.shape
    sigma, along, across = noise
    line = np.empty(nx, dtype=np.float32)
    one = photons.size == 1
    for k in range(out.shape[0]):
        y = first + k
        below2, below, above, above2 = max(y - 2, 0), max(y - 1, 0), min(y + 1, ny - 1), min(y + 2, ny - 1)
        for x in range(nx):
            line[x] = image[below2, x] + image[above2, x] + 4 * (image[below, x] + image[above, x]) + 6 * image[y, x]
        low, high, share = along[0][k], along[1][k], along[2][k]
        for x in range(nx):
            light = line[max(x - 2, 0)] + line[min(x + 2, nx - 1)] + 6 * line[x]
            light += 4 * (line[max(x - 1, 0)] + line[min(x + 1, nx - 1)])
            i, j, t = across[0][x], across[1][x], across[2][x]
            rms = (sigma[low, i] * (1 - t) + sigma[low, j] * t) * (1 - share)
            rms += (sigma[high, i] * (1 - t) + sigma[high, j] * t) * share
            sky = rms * rms * (np.float32(4) if mask[y, x] else np.float32(1))
            out[k, x] = sky + max(light, np.float32(0)) / np.float32(256) * (photons[0, 0] if one else photons[k, x])
