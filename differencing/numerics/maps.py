"""The transform of a whole pair, row by row of tiles: what of it is one image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from differencing.numerics.noise import noise_power
from differencing.numerics.pair import Pair, Side
from differencing.numerics.spectrum import colour_of, ring_powers, rows_to_look_at
from differencing.numerics.tiles import (
    Filters,
    Guess,
    Subtracted,
    Tensor,
    TileGrid,
    Tiles,
    difference_of,
    psf_transforms,
    score_of,
    shift_ramp,
)
from observations.numerics.compiled import by_strips

# The kernels of tiles of both sides whose middles stand at x and y, for the colour of D's noise.
FiltersOf = Callable[[Tiles, Tiles, NDArray[np.float64], NDArray[np.float64], Tensor | None], Filters]

# Beyond the frame's end the sky counts as empty; the mirror image of what lies inside tells what may be missing. Half
# of it, since the error of a fill is counted twice and this one is no error of a fill but the light itself.
GUESS_OUTSIDE = 0.5
GUESS_SIGMA = 3.0


@dataclass
class Maps:
    """What the tiles give, laid side by side; (ny, nx) float32 on one device, units as in `tiles.Scored`.

    Each has memory of its own, which may be given back.

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
    """Transform a pair by the kernels of an algorithm; only parts of rows of tiles are in memory beside the maps."""
    difference, score, static, slope, variance = (
        torch.empty(grid.shape, dtype=torch.float32, device=device) for _ in range(5)
    )
    # Zeros of numpy take no memory until something is written there.
    guessed = torch.from_numpy(np.zeros(grid.shape, dtype=np.float32)).to(device)
    norm, sky = torch.empty((2, *grid.count), dtype=torch.float32, device=device)
    rows = _Rows.of(pair, grid, filters_of, device)
    looked_at = {i: list(rows.subtracted(i, None)) for i in rows_to_look_at(grid)}
    colour = _colour(looked_at, pair, grid)

    def transform_row(i: int, _end: int) -> None:
        is_looked_at = i in looked_at
        for part, tiles, kernels in looked_at.pop(i) if is_looked_at else rows.subtracted(i, colour):
            if colour is not None and is_looked_at:
                # The colour changes the kernels of S alone.
                kernels = filters_of(tiles.new, tiles.ref, *grid.centres(i, part), colour)
            out = score_of(tiles, kernels, colour)
            score_n, score_r = (grid.cores(s, 1) for s in (out.score_n, out.score_r))
            inner_n, inner_r = (s[:, 1:-1, 1:-1] for s in (score_n, score_r))
            grid.lay(grid.cores(tiles.difference), i, part, difference)
            grid.lay(inner_n - inner_r, i, part, score)
            grid.lay(torch.minimum(inner_n.abs(), inner_r.abs()), i, part, static)
            grid.lay(torch.minimum(_slope_squared(score_n), _slope_squared(score_r)), i, part, slope)
            grid.lay(grid.cores(out.variance), i, part, variance)
            if out.guessed is not None:
                grid.lay(grid.cores(out.guessed), i, part, guessed)
            norm[i, part], sky[i, part] = kernels.flux_norm[:, 0, 0], kernels.score_of_sky[:, 0, 0]

    by_strips(transform_row, grid.count[0], 1)
    return Maps(difference, score, static, slope, variance, guessed, norm, sky, colour)


def _colour(rows: dict[int, list[_Part]], pair: Pair, grid: TileGrid) -> Tensor | None:
    """Return the colour of D's noise, as some rows of tiles tell it."""
    powers = []
    for i, parts in rows.items():
        empty = grid.cut(torch.from_numpy(pair.empty[grid.seen(i)]).to(parts[0].tiles.difference.device), i)
        powers += [ring_powers(tiles.difference, kernels.white, empty[part]) for part, tiles, kernels in parts]
    return colour_of(torch.cat(powers), grid.side)


def noise_spectrum(side: Side, shape: tuple[int, int], device: torch.device) -> Tensor | None:
    """Return the spectrum of the side's noise, None where it is white."""
    is_white = np.count_nonzero(side.correlation) == 1
    return None if is_white else torch.from_numpy(noise_power(side.correlation, shape)).to(device)


class _Part(NamedTuple):
    """Which tiles of a row, both sides of them subtracted, and by what kernels."""

    part: slice
    tiles: Subtracted
    kernels: Filters


class _Row(NamedTuple):
    """One row of tiles of one side, (count, *side), as views of strips.

    filled : 1 where the image is no measurement. outside : what may lie beyond the frame. touched : (count,) tiles that
    hold anything filled.
    """

    image: Tensor
    variance: Tensor
    filled: Tensor
    outside: Tensor
    touched: NDArray[np.bool_]


class _Rows(NamedTuple):
    """Where rows of tiles are cut from. images, power : of both sides."""

    pair: Pair
    grid: TileGrid
    filters_of: FiltersOf
    images: list[Tensor]
    power: list[Tensor | None]

    @classmethod
    def of(cls, pair: Pair, grid: TileGrid, filters_of: FiltersOf, device: torch.device) -> _Rows:
        sides = (pair.new, pair.ref)
        images = [torch.from_numpy(side.image).to(device) for side in sides]
        return cls(pair, grid, filters_of, images, [noise_spectrum(side, grid.side, device) for side in sides])

    def subtracted(self, i: int, colour: Tensor | None) -> Iterator[_Part]:
        """Cut row i of both sides and subtract it part by part, by kernels for a colour of D's noise."""
        sides = list(zip((self.pair.new, self.pair.ref), self.images, self.power, strict=True))
        rows = [self._row(side, i, image) for side, image, _ in sides]
        for part in self.grid.parts():
            x, y = self.grid.centres(i, part)
            new, ref = (self._one(sides[k][0], rows[k], i, part, sides[k][2]) for k in (0, 1))
            kernels = self.filters_of(new, ref, x, y, colour)
            factors = adjustment(self.pair, x, y, self.grid.side, new.image.device)
            yield _Part(part, difference_of(new, ref, kernels, factors), kernels)

    def _row(self, side: Side, i: int, image: Tensor) -> _Row:
        grid, rows = self.grid, self.grid.seen(i)
        filled = side.filled[rows]
        arrays = side.variance(self.pair.mask, rows), filled
        variance, no_measurement = (grid.cut(torch.from_numpy(array).to(image.device), i) for array in arrays)
        touched = grid.touched(np.asarray(filled.any(axis=0)))
        return _Row(grid.cut(image[rows], i), variance, no_measurement, grid.cut_outside(image, i), touched)

    def _one(self, side: Side, row: _Row, i: int, part: slice, power: Tensor | None) -> Tiles:
        """Return some tiles of a row of one side; outside of the frame the sky is empty, with the noise of the tile."""
        device = row.image.device
        x, y = self.grid.centres(i, part)
        sigma = torch.from_numpy(side.noise.at(x, y)).to(device)
        tiles, variance = row.image[part].contiguous(), row.variance[part].contiguous()
        beyond = self.grid.reach_outside(i)[part]
        end = torch.from_numpy(np.flatnonzero(beyond)).to(device)
        variance[end] = torch.where(variance[end] > 0, variance[end], sigma[end, None, None].square())
        which = torch.from_numpy(np.flatnonzero(beyond | row.touched[part])).to(device)
        guessed = row.outside[part][which].mul_(GUESS_OUTSIDE).addcmul_(tiles[which], row.filled[part][which])
        # Light within the noise is no star's: most tiles at the frame's end, and single defects, have none.
        guessed.masked_fill_(guessed.abs() < GUESS_SIGMA * sigma[which, None, None], 0)
        held = torch.nonzero(guessed.flatten(1).any(1))[:, 0]
        guess = Guess(which[held], guessed[held]) if held.numel() else None
        return Tiles(tiles, variance, guess, sigma, power, psf_transforms(side.psf, x, y, self.grid.side, device))


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
    """Return the squared gradient, per px², of all but the outermost pixels."""
    along = (tiles[:, 2:, 1:-1] - tiles[:, :-2, 1:-1]).square_()
    across = (tiles[:, 1:-1, 2:] - tiles[:, 1:-1, :-2]).square_()
    return along.add_(across).mul_(0.25)
