"""PSF-matched subtraction: the sharper image convolved with a fitted kernel (Alard & Lupton 1998, ApJ 503, 325).

N, R new (science) and reference image; K the kernel; P the PSF of the wider image, in which both are compared.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft as sizes

from differencing.numerics.cutting import grid_of
from differencing.numerics.difference import Difference, finish
from differencing.numerics.maps import FiltersOf, transform_pair
from differencing.numerics.matching import MatchingKernel, fit_matching
from differencing.numerics.pair import Pair, PsfInput, finite, prepare
from differencing.numerics.parameters import ZogyParameters
from differencing.numerics.responses import Responses
from differencing.numerics.tie import Surface, fit_surface
from differencing.numerics.tiles import Filters, Tensor, Tiles, mean_of_half_plane, psf_transforms, stamp_of
from observations.numerics.frame import Frame, PsfFunction

Array = NDArray[np.float64]
CPU = torch.device("cpu")


def subtract(
    science: Frame,
    reference: Frame,
    *,
    parameters: ZogyParameters,
    psf_science: PsfInput = None,
    psf_reference: PsfInput = None,
    device: str = "cpu",
) -> Difference:
    """Subtract the reference from the science frame, the sharper of both convolved to the width of the other.

    The kernel is fitted to the static sources of the pair, galaxies as well as stars, so that no error of a PSF leaves
    anything of them; the PSFs only shape the filter that looks for new sources. Where neither the one nor the other PSF
    can be measured, a Moffat of the sources' width stands in, and where the frames share too few point sources for a
    flux scale, the kernel's integral is the scale. Sky, noise, masks, guesses and normalisation as in `zogy.subtract`.

        D^ = (N^ - K^ R^) sqrt(V(0) / V),  S^ = conj(P^) (N^ - K^ R^) / V,  V = sigma_n² W_n + sigma_r² W_r |K^|²

    where the reference is the sharper one; else K convolves N, D and S change accordingly, and D is divided by the
    integral of K. V makes the noise of D white. P is the mean of the wider image's PSF and of the sharper one's under
    K. The score is that of proper subtraction when K is P_n / P_r.

    Alard & Lupton 1998 (doi:10.1086/305984); V after Reiss & Lupton 2016 (DMTN-021). The variance of S departs from
    both as in `zogy.subtract`.

    Parameters, returns and errors
    ------------------------------
    As in `zogy.subtract`; TooFewStars : fewer than `min_stars` common sources, stars or galaxies.
    """
    pair = prepare(finite(science), finite(reference), (psf_science, psf_reference), parameters, is_rough=True)
    return subtract_pair(pair, fit_matching(pair, fewest=parameters.min_stars), parameters, device)


def subtract_pair(pair: Pair, kernel: MatchingKernel, p: ZogyParameters, device: str) -> Difference:
    """Subtract a pair that is prepared, by a kernel that is known."""
    grid = grid_of(pair, kernel, p)
    pair, filters = pair._replace(kernel=None), filters_of(pair, kernel)
    maps = transform_pair(pair, grid, filters, torch.device(device))
    scale = _scale(pair, kernel)
    known_n, known_r = pair.psfs_measured
    psf = _wide_psf(pair, kernel)
    is_wide_known = known_r if kernel.convolves_science else known_n
    psf_n, psf_r = pair.new.psf, pair.ref.psf
    if not is_wide_known:
        psf_n, psf_r = (psf_n, psf) if kernel.convolves_science else (psf, psf_r)
    difference = finish(maps, pair, grid, p, Responses(pair, grid, filters))
    reference = pair.ref.image.copy()
    scale.scale(reference, pair.tie.flux_scale)
    return replace(
        difference,
        flux_scale=scale,
        reference=reference,
        psf_science=psf_n,
        psf_reference=psf_r,
        diagnostics=replace(difference.diagnostics, flux_scale_median=float(np.median(scale.coarse()))),
    )


def filters_of(pair: Pair, kernel: MatchingKernel) -> FiltersOf:
    """Return the kernels of D and S as a function of tiles and places (equations in `subtract`)."""

    def filters(new: Tiles, ref: Tiles, x: Array, y: Array, colour: Tensor | None) -> Filters:
        k = kernel.factors(x, y, (new.image.shape[-2], new.image.shape[-1]), new.image.device)
        flux = k[:, :1, :1].real
        sharp, wide = (new, ref) if kernel.convolves_science else (ref, new)
        noise = [t.sigma[:, None, None].square() * (1.0 if t.power is None else t.power) for t in (sharp, wide)]
        denominator = noise[1] + noise[0] * torch.view_as_real(k).square().sum(-1)
        zero = denominator[:, :1, :1].sqrt()
        d_scale = zero / denominator.sqrt()
        if colour is not None:
            denominator = denominator * colour
        psf = _mean_psf(sharp.psf * (k / flux), wide.psf, _trust(pair, kernel))
        k_wide = psf.conj() / denominator
        norm = mean_of_half_plane(torch.view_as_real(psf).square().sum(-1) / denominator, new.image.shape[-1])
        one, of_sky = torch.ones_like(flux), 1.0 / denominator[:, :1, :1]
        if kernel.convolves_science:
            white = (zero / flux).square()
            return Filters(k, one, d_scale / flux, k_wide * k, k_wide, norm * flux, of_sky * flux, white)
        return Filters(one, k, d_scale, k_wide, k_wide * k, norm, of_sky, zero.square())

    return filters


def _trust(pair: Pair, kernel: MatchingKernel) -> tuple[float, float]:
    """Return the weights of the sharper and of the wider image's PSF."""
    new, ref = pair.trust
    return (new, ref) if kernel.convolves_science else (ref, new)


def _mean_psf(sharp: Tensor, wide: Tensor, trust: tuple[float, float]) -> Tensor:
    return sharp * trust[0] + wide * trust[1]


def _wide_psf(pair: Pair, kernel: MatchingKernel) -> PsfFunction:
    """Return the PSF that both images are compared in, as a function of position."""
    sharp, wide = (pair.new, pair.ref) if kernel.convolves_science else (pair.ref, pair.new)
    half = max((side.psf(*pair.middle).shape[0] - 1) // 2 for side in (sharp, wide))
    side = (sizes.next_fast_len(4 * half + 1, real=True),) * 2

    def psf(x: float, y: float) -> Array:
        at = np.array([x]), np.array([y])
        k = kernel.factors(*at, side, CPU)
        of_sharp, of_wide = (psf_transforms(one.psf, *at, side, CPU) for one in (sharp, wide))
        stamp = stamp_of(_mean_psf(of_sharp * (k / k[:, :1, :1]), of_wide, _trust(pair, kernel)), side, half)
        return stamp / stamp.sum()

    return psf


def _scale(pair: Pair, kernel: MatchingKernel) -> Surface:
    """Return the flux scale of the tie as the kernel's integral corrects it."""
    ny, nx = pair.mask.shape
    y, x = (a.ravel() for a in np.meshgrid(np.linspace(0, ny - 1, 17), np.linspace(0, nx - 1, 17), indexing="ij"))
    factor = kernel.flux_at(x, y)
    value = pair.tie.flux_scale(x, y) * (1.0 / factor if kernel.convolves_science else factor)
    return fit_surface(x, y, value, np.full(x.size, 1e-3) * np.median(value), pair.mask.shape)[0]
