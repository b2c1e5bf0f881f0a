"""The transform of a whole pair, row by row of tiles: what of it is one image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from differencing.numerics.noise import noise_power
from differencing.numerics.pair import Pair, Side
from differencing.numerics.spectrum import colour_of, ring_powers, rows_to_look_at
from differencing.numerics.tiles import (
    Filters,
    Tensor,
    TileGrid,
    Tiles,
    Transformed,
    psf_transforms,
    shift_ramp,
    transform,
)

# The kernels of tiles of both sides whose middles stand at x and y, for the colour of D's noise.
FiltersOf = Callable[[Tiles, Tiles, NDArray[np.float64], NDArray[np.float64], Tensor | None], Filters]

# Beyond the frame's end the sky counts as empty; the mirror image of what lies inside tells what may be missing. Half
# of it, since the error of a fill is counted twice and this one is no error of a fill but the light itself.
GUESS_OUTSIDE = 0.5
GUESS_SIGMA = 3.0


@dataclass(frozen=True)
class Maps:
    """What the tiles give, laid side by side; (ny, nx) float32 on one device, units as in `tiles.Transformed`.

    static : the fainter of both terms of S. slope : squared gradient of the flatter one, per px². guessed : squared
    score of light that is guessed. flux_norm, score_of_sky : of each tile, (rows, columns). colour : of D's noise on
    the half plane of a tile, where it is not white.
    """

    difference: Tensor
    score: Tensor
    static: Tensor
    slope: Tensor
    variance: Tensor
    guessed: Tensor
    flux_norm: Tensor
    score_of_sky: Tensor
    colour: Tensor | None


def transform_pair(pair: Pair, grid: TileGrid, filters_of: FiltersOf, device: torch.device) -> Maps:
    """Transform a pair by the kernels of an algorithm; only rows of tiles are in memory beside the maps."""
    difference, score, static, slope, variance = torch.empty((5, *grid.shape), dtype=torch.float32, device=device)
    guessed = torch.zeros(grid.shape, dtype=torch.float32, device=device)
    numbers: list[tuple[Tensor, Tensor]] = []
    power = [noise_spectrum(side, grid.side, device) for side in (pair.new, pair.ref)]
    images = [torch.from_numpy(side.image).to(device) for side in (pair.new, pair.ref)]

    def row(i: int, colour: Tensor | None) -> Transformed:
        new, ref = (
            _tiles(side, pair, grid, i, image, spectrum)
            for side, image, spectrum in zip((pair.new, pair.ref), images, power, strict=True)
        )
        x, y = grid.centres(i)
        kernels = filters_of(new, ref, x, y, colour)
        return transform(new, ref, kernels, adjustment(pair, x, y, grid.side, device), colour)

    blank = [_blank_powers(row(i, None), pair, grid, i) for i in rows_to_look_at(grid)]
    colour = colour_of(torch.cat(blank), grid.side)
    for i in range(grid.count[0]):
        out = row(i, colour)
        grid.lay(out.difference, i, difference)
        grid.lay(out.score_n - out.score_r, i, score)
        grid.lay(torch.minimum(out.score_n.abs(), out.score_r.abs()), i, static)
        grid.lay(torch.minimum(_slope_squared(out.score_n), _slope_squared(out.score_r)), i, slope)
        grid.lay(out.variance, i, variance)
        if out.guessed is not None:
            grid.lay(out.guessed, i, guessed)
        numbers.append((out.flux_norm[:, 0, 0], out.score_of_sky[:, 0, 0]))
    norm, sky = (torch.stack(rows) for rows in zip(*numbers, strict=True))
    return Maps(difference, score, static, slope, variance, guessed, norm, sky, colour)


def _blank_powers(out: Transformed, pair: Pair, grid: TileGrid, i: int) -> Tensor:
    empty = torch.from_numpy(pair.empty[grid.seen(i)]).to(out.difference.device)
    return ring_powers(out, grid.cut(empty, i))


def noise_spectrum(side: Side, shape: tuple[int, int], device: torch.device) -> Tensor | None:
    """Return the spectrum of the side's noise, None where it is white."""
    is_white = np.count_nonzero(side.correlation) == 1
    return None if is_white else torch.from_numpy(noise_power(side.correlation, shape)).to(device)


def _tiles(side: Side, pair: Pair, grid: TileGrid, i: int, image: Tensor, power: Tensor | None) -> Tiles:
    """Cut row i of one side; outside of the frame the sky is empty, with the noise of the tile."""
    x, y = grid.centres(i)
    rows, device = grid.seen(i), image.device
    sigma = torch.from_numpy(side.noise.at(x, y)).to(device)
    sky = sigma[:, None, None]
    tiles = grid.cut(image[rows], i)
    variance = grid.cut(torch.from_numpy(side.variance(pair.mask, rows)).to(device), i)
    variance = torch.where(variance > 0, variance, sky.square())
    guessed = GUESS_OUTSIDE * grid.cut_outside(image, i)
    if side.filled[rows].any():
        guessed += tiles * grid.cut(torch.from_numpy(side.filled[rows]).to(device), i)
    # Light within the noise is no star's: most tiles at the frame's end, and single defects, have none.
    guessed[guessed.abs() < GUESS_SIGMA * sky] = 0
    held = guessed if guessed.any() else None
    return Tiles(tiles, variance, held, sigma, power, psf_transforms(side.psf, x, y, grid.side, device))


def empty_tile(side: Side, x: float, y: float, shape: tuple[int, int]) -> Tiles:
    """Return a tile of one side without light, for the filters at one place."""
    at, cpu = (np.array([x]), np.array([y])), torch.device("cpu")
    nothing, sigma = torch.zeros((1, *shape)), torch.from_numpy(side.noise.at(*at))
    return Tiles(
        nothing, nothing, None, sigma, noise_spectrum(side, shape, cpu), psf_transforms(side.psf, *at, shape, cpu)
    )


def adjustment(
    pair: Pair, x: NDArray[np.float64], y: NDArray[np.float64], shape: tuple[int, int], device: torch.device
) -> Tensor | None:
    """Return the factors of the reference's transform at m places: its shift, and the kernel of its sources."""
    factors = None
    if pair.shift is not None:
        dx, dy = (torch.from_numpy(s(x, y)).float().to(device) for s in pair.shift)
        factors = shift_ramp(dx, dy, shape)
    if pair.kernel is not None:
        own = pair.kernel.factors(x, y, shape, device)
        factors = own if factors is None else factors * own
    return factors


def _slope_squared(tiles: Tensor) -> Tensor:
    """Return the squared gradient, per px²; 0 at the tiles' rims."""
    out = torch.zeros_like(tiles)
    inner = out[:, 1:-1, 1:-1]
    inner.copy_((tiles[:, 2:, 1:-1] - tiles[:, :-2, 1:-1]).square_())
    inner.add_((tiles[:, 1:-1, 2:] - tiles[:, 1:-1, :-2]).square_()).mul_(0.25)
    return out
