"""What the two PSFs leave unmatched, from everything that both frames hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft as sizes

from differencing.numerics.tie import Surface
from differencing.numerics.tiles import Tensor, psf_transforms, shift_ramp
from observations.numerics import polynomial
from observations.numerics.frame import Image, Mask, PsfFunction, Stars
from observations.numerics.statistics import MAD_TO_SIGMA

Array = NDArray[np.float64]
CPU = torch.device("cpu")

# Sources are taken evenly over the frame, the brightest of each of 8 x 8 cells: three hundred fix the terms to 1e-3.
CELLS, PER_CELL = 8, 5
FEWEST_SOURCES = 12
# Degrees of the kernel's variation over the frame that are tried, where so many sources stand for each of their terms.
DEGREES, SOURCES_PER_TERM = (0, 1, 2), 10
# The kernel is taken whose misfit on sources that it was not fitted to is least, if less than without any by this.
FOLDS, GAIN = 5, 0.05
# A source whose light differs by more is a variable or a transient.
LARGEST_CHANGE = 0.2
# A source fainter than this tells nothing beyond noise.
FAINTEST_SNR = 20.0
# The residual is compared within this many FWHM; a stamp reaches as far as the PSFs beyond.
REACH_FWHM, MARGIN_FWHM = 2.0, 3.0
# No source may weigh more than one whose light has this relative error: flat field, colour.
RELATIVE_ERROR = 0.005
# Widths (sigma) of the kernel's functions.
CORE_FWHM, WING_FWHM = 0.35, 0.8
ROUNDS = 4
CLIP_SIGMA = 4.0
# Coefficients are held back as if each were known to be 0 within this: sources without news must not invent any.
PRIOR = 0.1


@dataclass(frozen=True)
class Kernel:
    """A correction of the reference's transform, 1 + sum_b c_b(x, y) B_b, that lets static sources cancel.

    coefficients : (terms of a polynomial of `degree`, functions). widths_px : of the functions (see `_functions`).
    sources : that it was fitted to. residual : their robust residual after it, as a share of their peak.
    """

    coefficients: Array
    degree: int
    shape: tuple[int, int]
    widths_px: tuple[float, float]
    sources: int

    def factors(self, x: Array, y: Array, side: tuple[int, int], device: torch.device) -> Tensor:
        """Return the factors (m, h, w // 2 + 1) at m places."""
        terms = terms_of(x, y, self.degree, self.shape)
        amplitudes = torch.from_numpy(terms @ self.coefficients).to(device, torch.complex64)
        functions = _functions(side, self.widths_px).to(device)
        return 1.0 + torch.tensordot(amplitudes, functions, dims=1)


def terms_of(x: Array, y: Array, degree: int, shape: tuple[int, int]) -> Array:
    ny, nx = shape
    return polynomial.terms(2.0 * x / max(nx - 1, 1) - 1.0, 2.0 * y / max(ny - 1, 1) - 1.0, degree)


def _functions(side: tuple[int, int], widths_px: tuple[float, float]) -> Tensor:
    """Return the transforms (b, h, w // 2 + 1) of the kernel's functions.

    Flux (a point), position (two slopes), width and ellipticity (three curvatures, smoothed by the first width, and of
    unit size there), and a Gaussian of the second width for the wings, less a point of the same flux. A wider one could
    not be told from the sky.
    """
    fy = torch.fft.fftfreq(side[0])[:, None]
    fx = torch.fft.rfftfreq(side[1])[None, :]
    squared = fx**2 + fy**2
    core, near = (torch.exp(-2 * math.pi**2 * s**2 * squared) for s in widths_px)
    s = 2 * math.pi * widths_px[0]
    one = torch.ones_like(squared)
    zero = torch.zeros_like(squared)
    curvatures = (-(s**2) * squared * core, s**2 * (fx**2 - fy**2) * core, s**2 * fx * fy * core)
    real = torch.stack([one, zero, zero, *curvatures, near - one])
    imaginary = torch.stack([zero, s * fx * core, s * fy * core, zero, zero, zero, zero])
    return torch.complex(real, imaginary)


def fit_kernel(  # noqa: PLR0913 - two sides of a pair and what is common to them
    images: tuple[Image, Image],
    psfs: tuple[PsfFunction, PsfFunction],
    noise: tuple[float, float],
    shift: tuple[Surface, Surface] | None,
    stars: Stars,
    bad: Mask,
    fwhm_px: float,
) -> Kernel | None:
    """Fit the kernel with which P_r * N = P_n * R * kernel, to all sources alike: galaxies obey it as stars do.

    Parameters
    ----------
    images : science and reference (ny, nx), sky 0, one flux scale. psfs : of both. noise : of their sky. shift : where
    the reference's sources stand. stars : sources of the science frame. bad : masked in either. fwhm_px : of the wider.

    Returns
    -------
    Kernel, or None with too few sources.
    """
    reach = max(3, round(REACH_FWHM * fwhm_px))
    half = reach + round(MARGIN_FWHM * fwhm_px)
    side = (sizes.next_fast_len(2 * half + 1, real=True),) * 2
    chosen = choose_sources(stars, bad, reach, half)
    if chosen.size < FEWEST_SOURCES:
        return None
    x, y = stars.x[chosen], stars.y[chosen]
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    n_hat, r_hat = (torch.fft.rfft2(cut_stamps(image, column, row, half, side)) for image in images)
    p_n, p_r = (psf_transforms(psf, column.astype(float), row.astype(float), side, CPU) for psf in psfs)
    if shift is not None:
        dx, dy = (torch.from_numpy(s(column.astype(float), row.astype(float))).float() for s in shift)
        r_hat = r_hat * shift_ramp(dx, dy, side)
    widths = (CORE_FWHM * fwhm_px, WING_FWHM * fwhm_px)
    matched = p_n * r_hat
    disc = disc_of(half, reach, side)
    target = within(torch.fft.irfft2(p_r * n_hat - matched, s=side), disc)
    basis = torch.stack([within(torch.fft.irfft2(matched * f, s=side), disc) for f in _functions(side, widths)], -1)
    model = within(torch.fft.irfft2(matched, s=side), disc, centre=False)
    variance = _matched_variance(p_n, p_r, noise, side)[:, None] + (RELATIVE_ERROR * model.amax(1, keepdim=True)) ** 2
    own = model - model.mean(1, keepdim=True)
    flux = (target * own).sum(1) / own.square().sum(1)
    keep = (flux.abs() < LARGEST_CHANGE).numpy()
    if keep.sum() < FEWEST_SOURCES:
        return None
    found = solve_best(equations(target, basis, variance), keep, (x, y), bad.shape)
    return None if found is None else Kernel(found[0], found[1], bad.shape, widths, int(keep.sum()))


def choose_sources(stars: Stars, bad: Mask, reach: int, half: int) -> NDArray[np.intp]:
    """Return the brightest sources of each cell that stand whole and unmasked in the frame."""
    ny, nx = bad.shape
    snr = stars.flux / np.maximum(stars.flux_error, 1e-30)
    margin = half + 1
    inside = (stars.x > margin) & (stars.y > margin) & (stars.x < nx - 1 - margin) & (stars.y < ny - 1 - margin)
    good = np.flatnonzero(inside & ~stars.is_saturated & (snr > FAINTEST_SNR))
    good = good[np.argsort(-stars.flux[good], kind="stable")]
    column, row = np.rint(stars.x[good]).astype(int), np.rint(stars.y[good]).astype(int)
    near = (reach + half) // 2
    windows = (bad[y - near : y + near + 1, x - near : x + near + 1] for y, x in zip(row, column, strict=True))
    touched = np.fromiter((window.any() for window in windows), dtype=bool, count=good.size)
    good, column, row = good[~touched], column[~touched], row[~touched]
    cell = (row * CELLS // ny) * CELLS + column * CELLS // nx
    order = np.argsort(cell, kind="stable")
    rank = np.arange(order.size) - np.searchsorted(cell[order], cell[order])
    return np.asarray(good[order[rank < PER_CELL]])


def cut_stamps(
    image: Image, column: NDArray[np.int_], row: NDArray[np.int_], half: int, side: tuple[int, int]
) -> Tensor:
    span = np.arange(-half, half + 1)
    out = np.zeros((column.size, *side), dtype=np.float32)
    out[:, : span.size, : span.size] = image[row[:, None, None] + span[:, None], column[:, None, None] + span]
    return torch.from_numpy(out)


def disc_of(half: int, reach: int, side: tuple[int, int]) -> Tensor:
    y, x = np.indices(side) - half
    return torch.from_numpy(np.flatnonzero((x**2 + y**2 <= reach**2).ravel()))


def within(stamps: Tensor, disc: Tensor, *, centre: bool = True) -> Tensor:
    """Return the pixels of the disc (n, pixels), by default less their mean: a sky is no business of the kernel."""
    values = stamps.flatten(1)[:, disc]
    return values - values.mean(1, keepdim=True) if centre else values


def _matched_variance(p_n: Tensor, p_r: Tensor, noise: tuple[float, float], side: tuple[int, int]) -> Tensor:
    """Return the variance of a pixel of P_r * N - P_n * R on empty sky, (n,)."""
    size = side[0] * side[1]
    powers = []
    for p in (p_r, p_n):
        squared = torch.view_as_real(p).square().sum(-1)
        powers.append((2 * squared.sum((1, 2)) - squared[..., 0].sum(1)) / size)
    return noise[0] ** 2 * powers[0] + noise[1] ** 2 * powers[1]


@dataclass(frozen=True)
class Sources:
    """Normal equations of each source alone, from which every fit is a sum.

    own : (n, b, b). right : (n, b). power : (n,) misfit without a kernel, per pixel. pixels : of a source.
    """

    own: Array
    right: Array
    power: Array
    pixels: int

    def misfit(self, local: Array) -> Array:
        """Return chi² per pixel of each source with these coefficients, (n, b)."""
        cross = np.einsum("na,na->n", local, self.right)
        square = np.einsum("na,nab,nb->n", local, self.own, local)
        return np.maximum((self.power - 2 * cross + square) / self.pixels, 0.0)

    def solve(self, terms: Array, which: NDArray[np.bool_], prior: float) -> Array:
        """Return the coefficients (terms, b) that fit some sources best, each held back to 0 within the prior."""
        size = terms.shape[1] * self.right.shape[1]
        normal = np.einsum("ni,nj,nab->iajb", terms[which], terms[which], self.own[which], optimize=True)
        matrix = normal.reshape(size, size) + np.eye(size) / prior**2
        vector = np.einsum("ni,na->ia", terms[which], self.right[which]).ravel()
        return np.linalg.solve(matrix, vector).reshape(terms.shape[1], -1)


def equations(target: Tensor, basis: Tensor, variance: Tensor) -> Sources:
    weighted = basis / variance[..., None]
    own = torch.einsum("npa,npb->nab", weighted, basis).double().numpy()
    right = torch.einsum("npa,np->na", weighted, target).double().numpy()
    power = (target.square() / variance).sum(1).double().numpy()
    return Sources(own, right, power, target.shape[1])


def solve_best(
    sources: Sources,
    keep: NDArray[np.bool_],
    xy: tuple[Array, Array],
    shape: tuple[int, int],
    priors: tuple[float, ...] = (PRIOR,),
) -> tuple[Array, int] | None:
    """Return coefficients and degree of the kernel that predicts best, None where none is better than nothing."""
    best, least = None, (1.0 - GAIN) * _typical(sources.misfit(np.zeros_like(sources.right)), keep)
    for degree, prior in product(DEGREES, priors):
        terms = terms_of(*xy, degree, shape)
        if degree and keep.sum() < SOURCES_PER_TERM * terms.shape[1]:
            break
        misfit = _typical(sources.misfit(_predicted(sources, terms, keep, prior)), keep)
        if misfit < least:
            best, least = (degree, prior), (1.0 - GAIN) * misfit
    if best is None:
        return None
    degree, prior = best
    terms = terms_of(*xy, degree, shape)
    coefficients = sources.solve(terms, keep, prior)
    for _ in range(ROUNDS):
        rms = np.sqrt(sources.misfit(terms @ coefficients))
        middle = np.median(rms[keep])
        limit = middle + CLIP_SIGMA * max(MAD_TO_SIGMA * float(np.median(np.abs(rms[keep] - middle))), 0.1)
        coefficients = sources.solve(terms, keep & (rms < limit), prior)
    return coefficients, degree


def _predicted(sources: Sources, terms: Array, keep: NDArray[np.bool_], prior: float) -> Array:
    """Return the coefficients (n, b) at each source as the others have them."""
    fold = np.arange(keep.size) % FOLDS
    out = np.zeros_like(sources.right)
    for k in range(FOLDS):
        out[fold == k] = terms[fold == k] @ sources.solve(terms, keep & (fold != k), prior)
    return out


def _typical(misfit: Array, keep: NDArray[np.bool_]) -> float:
    """Return the mean chi² of the better nine tenths: single variables decide nothing."""
    ordered = np.sort(misfit[keep])
    return float(ordered[: max(1, int(0.9 * ordered.size))].mean())
