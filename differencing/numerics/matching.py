"""The kernel that turns the sharper image of a pair into the wider one, from the static sources of both.

Alard & Lupton 1998, ApJ 503, 325 (doi:10.1086/305984), and Alard 2000, A&AS 144, 363, for its variation over the frame.
No PSF enters but by a first guess of both widths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft as sizes

from differencing.numerics.kernel import (
    LARGEST_CHANGE,
    MARGIN_FWHM,
    REACH_FWHM,
    RELATIVE_ERROR,
    choose_sources,
    cut_stamps,
    disc_of,
    equations,
    solve_best,
    terms_of,
    within,
)
from differencing.numerics.pair import Pair, Side
from differencing.numerics.tie import TooFewStars
from differencing.numerics.tiles import Tensor, shift_ramp
from observations.numerics.statistics import FWHM_PER_SIGMA

Array = NDArray[np.float64]
CPU = torch.device("cpu")

# Widths of the kernel's Gaussians in units of the one between both images, and how many slopes each has.
WIDTHS, ORDERS = (0.5, 1.0, 2.0), (4, 3, 2)
# Images of one width still need a kernel's grain: so many sigma of the wider one.
LEAST_WIDTH = 0.7
# How far a coefficient may stand from 0, as tried: much where many sources say so, little where few do.
PRIORS = (0.03, 0.3)
# A source counts as being in both images where its light differs by less than this share.
PRESENT = 0.7


class Width(NamedTuple):
    """Sigma of the Gaussian that has the noise area of each PSF at the frame's middle, pixels."""

    new: float
    ref: float

    @classmethod
    def of(cls, pair: Pair) -> Width:
        return cls(*(_sigma_of(side, pair) for side in (pair.new, pair.ref)))

    @property
    def wider(self) -> float:
        return max(self.new, self.ref)

    @property
    def between(self) -> float:
        """Return the sigma of the Gaussian that turns the sharper into the wider one."""
        return math.sqrt(abs(self.new**2 - self.ref**2))


def _sigma_of(side: Side, pair: Pair) -> float:
    stamp = side.psf(*pair.middle)
    return math.sqrt(1.0 / (4.0 * math.pi * float((stamp * stamp).sum())))


@dataclass(frozen=True)
class MatchingKernel:
    """The kernel K = G + sum_b c_b(x, y) B_b, of the reference or of the science frame (`convolves_science`).

    coefficients : (terms of a polynomial of `degree`, functions). widths_px : of the Gaussians. first_px : sigma of G.
    sources : that it was fitted to.
    """

    coefficients: Array
    degree: int
    shape: tuple[int, int]
    widths_px: tuple[float, ...]
    first_px: float
    convolves_science: bool
    sources: int

    def factors(self, x: Array, y: Array, side: tuple[int, int], device: torch.device) -> Tensor:
        """Return the transforms (m, h, w // 2 + 1) at m places."""
        terms = terms_of(x, y, self.degree, self.shape)
        amplitudes = torch.from_numpy(terms @ self.coefficients).to(device, torch.complex64)
        functions = _functions(side, self.widths_px).to(device)
        return _gaussian(side, self.first_px).to(device) + torch.tensordot(amplitudes, functions, dims=1)

    def flux_at(self, x: Array, y: Array) -> Array:
        """Return the kernel's integral at m places: the first function's amplitude is all that adds to it."""
        return np.asarray(1.0 + terms_of(x, y, self.degree, self.shape) @ self.coefficients[:, 0])


def _frequencies(side: tuple[int, int]) -> tuple[Tensor, Tensor]:
    return torch.fft.fftfreq(side[0])[:, None], torch.fft.rfftfreq(side[1])[None, :]


def _gaussian(side: tuple[int, int], sigma_px: float) -> Tensor:
    fy, fx = _frequencies(side)
    return torch.exp(-2 * math.pi**2 * sigma_px**2 * (fx**2 + fy**2))


def _functions(side: tuple[int, int], widths_px: tuple[float, ...]) -> Tensor:
    """Return the transforms (b, h, w // 2 + 1) of the kernel's functions.

    A point, which alone has flux; of each width a Gaussian less that point, and its slopes up to an order.
    """
    fy, fx = _frequencies(side)
    out = [torch.ones(side[0], side[1] // 2 + 1, dtype=torch.complex64)]
    for sigma, order in zip(widths_px, ORDERS, strict=True):
        core, s = _gaussian(side, sigma), 2 * math.pi * sigma
        out.append((core - 1.0).to(torch.complex64))
        for n in range(1, order + 1):
            for i in range(n + 1):
                size = math.sqrt(math.factorial(i) * math.factorial(n - i))
                out.append(1j**n / size * core * (s * fx) ** i * (s * fy) ** (n - i))
    return torch.stack(out)


def fit_matching(pair: Pair, *, fewest: int) -> MatchingKernel:
    """Fit the kernel that lets the static sources of a pair cancel, galaxies and stars alike.

    Both images are smoothed by a Gaussian of the wider PSF first, which is what the score will look at.

    Parameters
    ----------
    pair : as `pair.prepare` leaves it, one flux scale to some per cent. fewest : sources that make a kernel.

    Returns
    -------
    MatchingKernel.

    Raises
    ------
    TooFewStars : fewer sources stand whole and unmasked in both images.
    """
    width = Width.of(pair)
    fwhm_px = FWHM_PER_SIGMA * width.wider
    reach = max(3, round(REACH_FWHM * fwhm_px))
    half = reach + round(MARGIN_FWHM * fwhm_px)
    side = (sizes.next_fast_len(2 * half + 1, real=True),) * 2
    chosen = choose_sources(pair.stars, pair.mask, reach, half)
    if chosen.size < fewest:
        raise TooFewStars(f"only {chosen.size} sources stand whole in both frames; {fewest} are needed")
    x, y = pair.stars.x[chosen], pair.stars.y[chosen]
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    smooth = _gaussian(side, width.wider)
    n_hat, r_hat = (
        smooth * torch.fft.rfft2(cut_stamps(s.image, column, row, half, side)) for s in (pair.new, pair.ref)
    )
    if pair.shift is not None:
        dx, dy = (torch.from_numpy(s(column.astype(float), row.astype(float))).float() for s in pair.shift)
        r_hat = r_hat * shift_ramp(dx, dy, side)
    convolves_science = width.new < width.ref
    sharp, wide = (n_hat, r_hat) if convolves_science else (r_hat, n_hat)
    first_px, grain_px = width.between, max(width.between, LEAST_WIDTH * width.wider)
    widths = tuple(share * grain_px for share in WIDTHS)
    disc = disc_of(half, reach, side)
    guess = _gaussian(side, first_px)
    matched = sharp * guess
    target = within(torch.fft.irfft2(wide - matched, s=side), disc)
    basis = torch.stack([within(torch.fft.irfft2(sharp * f, s=side), disc) for f in _functions(side, widths)], -1)
    model = within(torch.fft.irfft2(matched, s=side), disc)
    noise = _noise(pair, (smooth, guess), convolves_science=convolves_science)
    variance = noise**2 + (RELATIVE_ERROR * model.amax(1, keepdim=True)) ** 2
    change = ((target * model).sum(1) / model.square().sum(1)).numpy()
    # What is new in one frame may be most of its sources: it says nothing of how much the others changed by.
    in_both = np.abs(change) < PRESENT
    keep = in_both & (np.abs(change - np.median(change[in_both])) < LARGEST_CHANGE) if in_both.any() else in_both
    if keep.sum() < fewest:
        raise TooFewStars(f"only {int(keep.sum())} sources are as bright in both frames; {fewest} are needed")
    found = solve_best(equations(target, basis, variance), keep, (x, y), pair.mask.shape, PRIORS)
    coefficients, degree = found or (np.zeros((1, basis.shape[-1])), 0)
    sources = int(keep.sum())
    return MatchingKernel(coefficients, degree, pair.mask.shape, widths, first_px, convolves_science, sources)


def _noise(pair: Pair, filters: tuple[Tensor, Tensor], *, convolves_science: bool) -> float:
    """Return the noise of a pixel of the smoothed difference on empty sky."""
    smooth, guess = filters
    powers = []
    for spectrum in (smooth, smooth * guess):
        squared = spectrum.square()
        powers.append(float((2 * squared.sum() - squared[:, 0].sum()) / spectrum.shape[0] ** 2))
    wide, sharp = (pair.ref, pair.new) if convolves_science else (pair.new, pair.ref)
    return math.sqrt(wide.noise.median**2 * powers[0] + sharp.noise.median**2 * powers[1])
