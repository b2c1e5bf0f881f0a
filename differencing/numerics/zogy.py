"""Proper image subtraction: Zackay, Ofek & Gal-Yam 2016, ApJ 830, 27 (doi:10.3847/0004-637X/830/1/27).

Symbols as in the paper: N, R new (science) and reference image; P_n, P_r their PSFs; F_n = F_r = 1 after the
reference is brought to science counts; D difference, P_D its PSF, S score, S_corr score over its own noise.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from differencing.numerics.cutting import grid_of
from differencing.numerics.difference import Difference, finish
from differencing.numerics.maps import transform_pair
from differencing.numerics.pair import Pair, PsfInput, finite, prepare, with_kernel
from differencing.numerics.parameters import ZogyParameters
from differencing.numerics.responses import Responses
from differencing.numerics.tiles import Filters, Tensor, Tiles, filters
from observations.numerics.frame import Frame

__all__ = ["ZogyParameters", "filters_of", "subtract", "subtract_pair"]

Array = NDArray[np.float64]


def subtract(
    science: Frame,
    reference: Frame,
    *,
    parameters: ZogyParameters,
    psf_science: PsfInput = None,
    psf_reference: PsfInput = None,
    device: str = "cpu",
) -> Difference:
    """Subtract the reference from the science frame and score every pixel for a new point source.

    Both frames are on one pixel grid, background in or out. The flux scale and what is left of the shift are
    measured on common stars as smooth surfaces; the shift is corrected by a phase where it exceeds
    `shift_floor_px`, and with it what the two PSFs leave unmatched (`kernel.fit_kernel`). The sky that is left is
    taken from D, where the PSFs are matched, and with it from S. Masked and non-finite pixels are filled; what is
    guessed so, or lies beyond the frame's end, is one coherent error. The score's variance holds the sky noise
    (measured, with its correlation), the sources' own photon noise where the gain is known, the scatter of the
    registration, the model error and the guesses; what is left of a deviation from unit variance is divided out
    and reported as `noise_rescale`.

        D^ = (P_r^ N^ - P_n^ R^ K^) / sqrt(sigma_n² W_n |P_r^|² + sigma_r² W_r |P_n^|²)
        S  = k_n * N - k_r * R * K,  k_n^ = conj(P_n^)|P_r^|² / denominator,  k_r^ = conj(P_r^)|P_n^|² / denominator
        S_corr = S / sqrt(V_n * k_n² + V_r * k_r² + V_ast + epsilon² max(min(|S_n|, |S_r|))² + c² V_guess)

    with W the noise power spectrum (1 for white noise), K the kernel (1 for perfect PSFs), the maximum over one FWHM,
    V_guess = (k_n * G_n)² + (k_r * G_r)² of the light G that is guessed, * convolution and ^ the Fourier transform.
    Equations 12-16 and 25-30 of the paper; we depart from it in W, K, the model error, the guesses, and in giving
    D in science counts (divided by its zero point F_D).

    Parameters
    ----------
    science, reference : Frame of one shape; `gain` in electrons per count of that frame.
    psf_science, psf_reference : callable (x, y) -> odd square array of sum 1, or one array, or None: then the
        frame's own `psf`, else estimated from its stars. The reference's is that of the resampled reference.
    device : where torch transforms; what it gives is the same within rounding.

    Returns
    -------
    Difference.

    Raises
    ------
    ValueError : shapes differ, or every pixel is masked. NoFluxScale : the stars' flux ratios scatter too much.
    TooFewStars : fewer than `min_stars` common stars.
    """
    pair = prepare(finite(science), finite(reference), (psf_science, psf_reference), parameters)
    return subtract_pair(with_kernel(pair), parameters, device)


def subtract_pair(pair: Pair, p: ZogyParameters, device: str) -> Difference:
    """Subtract a pair that is prepared, with its kernel."""
    grid = grid_of(pair, pair.kernel, p)
    maps = transform_pair(pair, grid, filters_of, torch.device(device))
    return finish(maps, pair, grid, p, Responses(pair, grid, filters_of))


def filters_of(new: Tiles, ref: Tiles, _x: Array, _y: Array, colour: Tensor | None) -> Filters:
    """Return the kernels of D and S: the place tells nothing that the tiles' PSFs do not."""
    return filters(new, ref, colour)
