"""The colour of a difference's noise: what its spectrum has beyond the white one that theory gives it."""

from __future__ import annotations

import numpy as np
import torch

from differencing.numerics.tiles import Tensor, TileGrid
from observations.numerics import polynomial

# Tiles whose spectrum is looked at, how many tell something, and how much of one must be blank.
ENOUGH_TILES, FEWEST_TILES, BLANK_SHARE = 16, 6, 0.5
# Borders of the rings of frequency (cycles per px) in which the spectrum is measured, finest where the structure of a
# sky lies. What is slower than the first is the sky's own, which is taken off.
RINGS = np.geomspace(0.016, 0.51, 16)
# The colour is 1 + A / (1 + (f / f_0)²): smooth, since a filter with steps rings around every star. The corner f_0
# (cycles per px) is one of these, and an amplitude below the least, or below so many of its errors, is none.
CORNERS = np.geomspace(0.01, 0.15, 15)
LEAST_AMPLITUDE, SURE_SIGMA = 0.5, 4.0
# Rings above this frequency are of pixels and not of the sky; none is known to better than this.
HIGHEST, RING_ERROR = 0.2, 0.05
# The sky of a tile is fitted to every third pixel in each axis: noise of D is alike over some pixels.
SKY_STEP = 3
# Pixels of a tile are held within so many sigma: a transient is no structure of the sky.
CLIP_SIGMA = 4.0


def rows_to_look_at(grid: TileGrid) -> range:
    """Return rows of tiles, evenly over the frame, that hold as many tiles as are looked at."""
    wanted = max(1, ENOUGH_TILES // grid.count[1])
    return range(0, grid.count[0], max(1, grid.count[0] // wanted))


def ring_powers(difference: Tensor, white: Tensor, empty: Tensor) -> Tensor:
    """Return the power of D over that of white noise in each ring, for the tiles (k, rings) that are blank enough.

    Parameters
    ----------
    difference : tiles of D, (m, h, w). white : the variance of a pixel that theory gives it, (m, 1, 1).
    empty : (m, h, w), 1 where neither frame has a source nor a mask, else 0.
    """
    enough = empty.mean((1, 2)) >= BLANK_SHARE
    if not enough.any():
        return torch.empty((0, len(RINGS) - 1), device=empty.device)
    difference, use, white = difference[enough], empty[enough], white[enough]
    side = (difference.shape[-2], difference.shape[-1])
    windows = (torch.hann_window(n, periodic=False, device=difference.device) for n in side)
    window = torch.outer(*windows)
    weight = window * use
    values = (difference - _smooth_part(difference, weight)) * use
    limit = CLIP_SIGMA * white.sqrt()
    values = torch.minimum(torch.maximum(values, -limit), limit) * window
    power = torch.view_as_real(torch.fft.rfft2(values)).square().sum(-1)
    power /= weight.square().sum((1, 2))[:, None, None] * white
    ring = _ring_of(side, difference.device)
    out_of = torch.zeros((len(power), len(RINGS) + 1), device=power.device)
    return (out_of.index_add_(1, ring, power.flatten(1)) / _count(ring).clamp(min=1))[:, 1:-1]


def colour_of(lines: Tensor, side: tuple[int, int]) -> Tensor | None:
    """Return the colour on the half plane of a tile from the powers of many, None where it cannot be told from white.

    Structure of the sky that no flat field took away, fringes, what stacks have in common beyond neighbours: a filter
    that knows it looks where it is quiet, and its noise is as predicted.

    Parameters
    ----------
    lines : (tiles, rings) as `ring_powers` gives them. side : of a tile.
    """
    if len(lines) < FEWEST_TILES:
        return None
    count = _count(_ring_of(side, lines.device))[1:-1].cpu().numpy()
    rings = lines.median(0).values.cpu().numpy().astype(np.float64)
    middles = np.sqrt(RINGS[:-1] * RINGS[1:])
    # The scatter of a mean of exponentially distributed powers, and what a ring is wider than a point.
    error = np.hypot(1.25 / np.sqrt(np.maximum(2.0 * count * len(lines), 1.0)), RING_ERROR) * np.maximum(rings, 1.0)
    weight = np.where((count > 0) & (middles < HIGHEST), error**-2.0, 0.0)
    # One fit of the amplitude for each corner, all at once: (corners, rings).
    shapes = 1.0 / (1.0 + (middles / CORNERS[:, None]) ** 2)
    norms = (weight * shapes**2).sum(axis=1)
    amplitudes = (weight * shapes * (rings - 1.0)).sum(axis=1) / norms
    best = int(np.argmin((weight * (rings - 1.0 - amplitudes[:, None] * shapes) ** 2).sum(axis=1)))
    if amplitudes[best] < max(LEAST_AMPLITUDE, SURE_SIGMA * norms[best] ** -0.5):
        return None
    falling = 1.0 + (_frequency(side, lines.device) / float(CORNERS[best])).square()
    return 1.0 + float(amplitudes[best]) / falling


def _smooth_part(tiles: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted quadratic surface of each tile: the sky, which is no noise, and which some pixels tell."""
    _, h, w = tiles.shape
    v, u = np.meshgrid(np.linspace(-1, 1, h), np.linspace(-1, 1, w), indexing="ij")
    terms = torch.from_numpy(polynomial.terms(u, v, 2)).float().to(tiles.device)
    some = terms[::SKY_STEP, ::SKY_STEP].reshape(-1, 6)
    weighted = weight[:, ::SKY_STEP, ::SKY_STEP].flatten(1)
    normal = (weighted[:, None] * some.T) @ some
    right = (weighted * tiles[:, ::SKY_STEP, ::SKY_STEP].flatten(1)) @ some
    return (torch.linalg.solve(normal, right) @ terms.reshape(-1, 6).T).reshape(tiles.shape)


def _ring_of(side: tuple[int, int], device: torch.device) -> Tensor:
    """Return the ring of each element of the half plane: 0 and the last are below and above the borders."""
    borders = torch.from_numpy(RINGS).float().to(device)
    return torch.bucketize(_frequency(side, device), borders).flatten()


def _count(ring: Tensor) -> Tensor:
    return torch.bincount(ring, minlength=len(RINGS) + 1).float()


def _frequency(side: tuple[int, int], device: torch.device) -> Tensor:
    """Return the frequency of each element of the half plane, cycles per px."""
    fy, fx = torch.fft.fftfreq(side[0], device=device), torch.fft.rfftfreq(side[1], device=device)
    return torch.hypot(*torch.meshgrid(fy, fx, indexing="ij"))
