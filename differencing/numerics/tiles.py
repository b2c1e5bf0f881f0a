"""The transform of proper image subtraction, on many overlapping tiles at once.

Zackay, Ofek & Gal-Yam 2016, ApJ 830, 27 (doi:10.3847/0004-637X/830/1/27). Symbols as in the paper: N, R new (science)
and reference image; P_n, P_r their PSFs; F_n = F_r = 1 after the reference is brought to science counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft as sizes

from observations.numerics.frame import PsfFunction
from preprocessing.numerics.photometry import psf_stamps

Tensor = torch.Tensor

# Where both PSFs have no power left, float32 noise of the transforms would be divided by nearly nothing.
LEAST_POWER = 1e-7
# Tiles that are transformed together hold so many pixels: what is larger is fetched from the system and given back at
# every step, which takes as long as the transforms.
MOST_PX = 2**20


@dataclass(frozen=True)
class TileGrid:
    """How a frame is cut: `count` cores of `step` pixels, each in the middle of a tile of `side` pixels.

    shape, step, side, count : (y, x). pad : pixels of a tile before its core; behind it are as many or a few more.
    """

    shape: tuple[int, int]
    step: tuple[int, int]
    side: tuple[int, int]
    count: tuple[int, int]
    pad: int

    @classmethod
    def of(cls, shape: tuple[int, int], tile_px: int, overlap_px: int) -> TileGrid:
        """Cut a frame into cores of about `tile_px`, all of one size that transforms fast with its overlap."""
        count = tuple(max(1, round(n / tile_px)) for n in shape)
        step = tuple(math.ceil(n / c) for n, c in zip(shape, count, strict=True))
        side = tuple(sizes.next_fast_len(s + 2 * overlap_px, real=True) for s in step)
        return cls(shape, (step[0], step[1]), (side[0], side[1]), (count[0], count[1]), overlap_px)

    def rows(self, i: int) -> slice:
        """Return the rows of the frame that the cores of row i cover."""
        return slice(i * self.step[0], min((i + 1) * self.step[0], self.shape[0]))

    def centres(self, i: int, part: slice = slice(None)) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return x and y of the middles of the cores of row i, or of a part of it, each within the frame."""
        middle = [(np.arange(c) + 0.5) * s - 0.5 for c, s in zip(self.count, self.step, strict=True)]
        x = np.minimum(middle[1], self.shape[1] - 1.0)[part]
        return x, np.full(x.size, min(middle[0][i], self.shape[0] - 1.0))

    def seen(self, i: int) -> slice:
        """Return the rows of the frame that the tiles of row i reach."""
        first = i * self.step[0] - self.pad
        return slice(max(first, 0), min(first + self.side[0], self.shape[0]))

    def parts(self) -> list[slice]:
        """Return which tiles of a row are transformed together."""
        most = max(1, MOST_PX // math.prod(self.side))
        parts = math.ceil(self.count[1] / most)
        ends = [self.count[1] * k // parts for k in range(parts + 1)]
        return [slice(*pair) for pair in pairwise(ends)]

    def cut(self, rows: Tensor, i: int) -> Tensor:
        """Return the tiles of row i of an image from its rows `seen`, (count, *side); 0 outside of the frame.

        They are views of one strip.
        """
        nx = self.shape[1]
        width = (self.count[1] - 1) * self.step[1] + self.side[1]
        strip = torch.zeros((self.side[0], width), dtype=torch.float32, device=rows.device)
        before = self.seen(i).start - (i * self.step[0] - self.pad)
        within = min(nx, width - self.pad)
        strip[before : before + len(rows), self.pad : self.pad + within] = rows[:, :within]
        return self._unfold(strip)

    def reach_outside(self, i: int) -> NDArray[np.bool_]:
        """Tell which tiles of row i reach beyond the frame, (count,)."""
        first = [np.arange(c) * s - self.pad for c, s in zip(self.count, self.step, strict=True)]
        outside = [(f < 0) | (f + n > length) for f, n, length in zip(first, self.side, self.shape, strict=True)]
        return np.asarray(outside[1] | outside[0][i])

    def touched(self, columns: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which tiles of a row reach one of the frame's columns that are True, (count,)."""
        before = np.concatenate([[0], np.cumsum(columns)])
        first = np.arange(self.count[1]) * self.step[1] - self.pad
        low, high = (np.clip(ends, 0, self.shape[1]) for ends in (first, first + self.side[1]))
        return np.asarray(before[high] > before[low])

    def cut_outside(self, image: Tensor, i: int) -> Tensor:
        """Return the same tiles with what lies outside of the frame: its mirror image, and 0 inside."""
        rows = torch.arange(self.side[0], device=image.device) + i * self.step[0] - self.pad
        width = (self.count[1] - 1) * self.step[1] + self.side[1]
        columns = torch.arange(width, device=image.device) - self.pad
        outside = [(k < 0) | (k >= n) for k, n in zip((rows, columns), self.shape, strict=True)]
        strip = torch.zeros((rows.numel(), columns.numel()), dtype=torch.float32, device=image.device)
        mirror = [_mirrored(k, n) for k, n in zip((rows, columns), self.shape, strict=True)]
        strip[:, outside[1]] = image[mirror[0][:, None], mirror[1][outside[1]]]
        strip[outside[0]] = image[mirror[0][outside[0], None], mirror[1]]
        return self._unfold(strip)

    def _unfold(self, strip: Tensor) -> Tensor:
        return strip.unfold(1, self.side[1], self.step[1]).permute(1, 0, 2)

    def cores(self, tiles: Tensor, margin: int = 0) -> Tensor:
        """Return the cores of tiles, with so many pixels around them."""
        low = self.pad - margin
        return tiles[:, low : low + self.step[0] + 2 * margin, low : low + self.step[1] + 2 * margin]

    def lay(self, cores: Tensor, i: int, part: slice, out: Tensor) -> None:
        """Write the cores of a part of row i side by side into an image."""
        rows = out[self.rows(i), part.start * self.step[1] : part.stop * self.step[1]]
        whole, rest = divmod(rows.shape[1], self.step[1])
        across = rows[:, : whole * self.step[1]].unflatten(1, (whole, self.step[1]))
        across.copy_(cores[:whole, : len(rows)].transpose(0, 1))
        if rest:
            rows[:, -rest:] = cores[whole, : len(rows), :rest]

    def spread(self, values: Tensor) -> Tensor:
        """Return numbers of the tiles of a row, (count,), at each column of the frame."""
        return values.repeat_interleave(self.step[1])[: self.shape[1]]


def _mirrored(position: Tensor, length: int) -> Tensor:
    """Return the positions within the frame that continue an axis beyond its ends like a mirror."""
    folded = position.abs() % max(2 * length - 2, 1)
    return torch.where(folded < length, folded, 2 * length - 2 - folded)


class Guess(NamedTuple):
    """Light that is no measurement, of those tiles that hold any. which : (k,) their places; light : (k, h, w)."""

    which: Tensor
    light: Tensor


class Tiles(NamedTuple):
    """Tiles of one side, science counts.

    image, variance : (m, h, w). guessed : light that is no measurement of this side (under its mask, beyond the frame's
    end); None where there is none.
    sigma : (m,) noise of the sky. power : its spectrum on the half plane, None where it is white.
    psf : (m, h, w // 2 + 1) transform of the PSF, centred on pixel (0, 0), of sum 1; one for all where it is constant.
    """

    image: Tensor
    variance: Tensor
    guessed: Guess | None
    sigma: Tensor
    power: Tensor | None
    psf: Tensor


class Subtracted(NamedTuple):
    """Tiles of both sides, D in science counts (m, h, w), and the transforms of both images, the reference adjusted."""

    new: Tiles
    ref: Tiles
    difference: Tensor
    n_hat: Tensor
    r_hat: Tensor


class Scored(NamedTuple):
    """The two terms of S, its variance from sky and sources, and the squared score of the light that is guessed.

    Each (m, h, w); guessed : None without any.
    """

    score_n: Tensor
    score_r: Tensor
    variance: Tensor
    guessed: Tensor | None


class Filters(NamedTuple):
    """The kernels of two sides as transforms: D = d_scale (d_n N - d_r R), S = k_n N - k_r R; two numbers, (m, 1, 1).

    flux_norm : S of a source of one count. score_of_sky : S of a sky of one count in D. white : variance of a pixel of
    D where noise is as told.
    """

    d_n: Tensor
    d_r: Tensor
    d_scale: Tensor
    k_n: Tensor
    k_r: Tensor
    flux_norm: Tensor
    score_of_sky: Tensor
    white: Tensor


def psf_transforms(
    psf: PsfFunction, x: NDArray[np.float64], y: NDArray[np.float64], side: tuple[int, int], device: torch.device
) -> Tensor:
    """Return the transforms (m, h, w // 2 + 1) of a PSF at m places, its centre at pixel (0, 0), cut to the tile.

    Of a PSF that is the same at all places there is one, (1, h, w // 2 + 1).
    """
    stamps = psf_stamps(psf, x, y)
    if (stamps[1:] == stamps[0]).all():
        stamps = stamps[:1]
    half = (stamps.shape[-1] - 1) // 2
    keep = min(half, (min(side) - 1) // 2)
    index = np.arange(-keep, keep + 1)
    kernel = np.zeros((len(stamps), *side), dtype=np.float32)
    middle = slice(half - keep, half + keep + 1)
    kernel[:, (index % side[0])[:, None], (index % side[1])[None, :]] = stamps[:, middle, middle]
    return torch.fft.rfft2(torch.from_numpy(kernel).to(device))


def stamp_of(transform: Tensor, side: tuple[int, int], half: int) -> NDArray[np.float64]:
    """Return the odd square around pixel (0, 0) of what has this transform (1, h, w // 2 + 1)."""
    full = torch.fft.irfft2(transform, s=side)[0].numpy()
    index = np.arange(-half, half + 1)
    return np.asarray(full[np.ix_(index % side[0], index % side[1])], dtype=np.float64)


def shift_ramp(dx: Tensor, dy: Tensor, side: tuple[int, int]) -> Tensor:
    """Return the factors (m, h, w // 2 + 1) that move what stands at (x + dx, y + dy) to (x, y)."""
    fy = torch.fft.fftfreq(side[0], device=dx.device)
    fx = torch.fft.rfftfreq(side[1], device=dx.device)
    turns_y, turns_x = 2 * math.pi * dy[:, None] * fy, 2 * math.pi * dx[:, None] * fx
    one = torch.ones((), device=dx.device)
    return torch.polar(one, turns_y)[:, :, None] * torch.polar(one, turns_x)[:, None, :]


def mean_of_half_plane(values: Tensor, width: int) -> Tensor:
    """Return the mean over the whole plane (m, 1, 1) of real values given on the half plane of `rfft2`."""
    total = 2 * values.sum((-2, -1)) - values[..., 0].sum(-1)
    if width % 2 == 0:
        total = total - values[..., -1].sum(-1)
    return (total / (values.shape[-2] * width))[:, None, None]


def filters(new: Tiles, ref: Tiles, colour: Tensor | None = None) -> Filters:
    """Compute the kernels of proper subtraction (equations in `zogy.subtract`); `colour` is of D's noise, for S."""
    squared_n, squared_r = (torch.view_as_real(t.psf).square().sum(-1) for t in (new, ref))
    noise = [t.sigma[:, None, None].square() * (1.0 if t.power is None else t.power) for t in (new, ref)]
    denominator = noise[0] * squared_r + noise[1] * squared_n
    denominator = torch.maximum(denominator, LEAST_POWER * denominator.amax((-2, -1), keepdim=True))
    root = denominator.sqrt()
    zero = root[:, :1, :1].clone()  # 1/F_D: turns D into science counts
    if colour is not None:
        denominator *= colour
    k_n = new.psf.conj() * (squared_r / denominator)
    k_r = ref.psf.conj() * (squared_n / denominator)
    norm = mean_of_half_plane(squared_n * squared_r / denominator, new.image.shape[-1])
    return Filters(ref.psf, new.psf, zero / root, k_n, k_r, norm, 1.0 / denominator[:, :1, :1], zero.square())


def difference_of(new: Tiles, ref: Tiles, kernels: Filters, adjust: Tensor | None) -> Subtracted:
    """Compute D on m tiles.

    Parameters
    ----------
    new, ref : Tiles of one shape. kernels : of both sides. adjust : (m, h, w // 2 + 1) factors of the reference's
        transform: its shift, and what else lets static sources cancel.
    """
    n_hat, r_hat = torch.fft.rfft2(new.image), torch.fft.rfft2(ref.image)
    if adjust is not None:
        r_hat = r_hat.mul_(adjust)
    d_hat = (kernels.d_n * n_hat - kernels.d_r * r_hat).mul_(kernels.d_scale)
    return Subtracted(new, ref, torch.fft.irfft2(d_hat, s=new.image.shape[-2:]), n_hat, r_hat)


def score_of(tiles: Subtracted, kernels: Filters, colour: Tensor | None) -> Scored:
    """Compute S and its variance; `colour` is of D's noise on the half plane, None where it is white."""
    new, ref, difference, n_hat, r_hat = tiles
    side = difference.shape[-2:]
    score_n, score_r = (torch.fft.irfft2(k * i, s=side) for k, i in ((kernels.k_n, n_hat), (kernels.k_r, r_hat)))
    sides = ((new, kernels.k_n), (ref, kernels.k_r))
    return Scored(score_n, score_r, _variance_of_score(sides, colour), _score_of_guesses(sides))


def _score_of_guesses(sides: tuple[tuple[Tiles, Tensor], ...]) -> Tensor | None:
    """Return the squared score of the light that is guessed, summed over the sides; None where nothing is."""
    total = None
    for tiles, k_hat in sides:
        if tiles.guessed is None:
            continue
        which, light = tiles.guessed
        if total is None:
            total = torch.zeros_like(tiles.image)
        own = torch.fft.irfft2(k_hat[which] * torch.fft.rfft2(light), s=tiles.image.shape[-2:])
        total.index_add_(0, which, own.square_())
    return total


def _variance_of_score(sides: tuple[tuple[Tiles, Tensor], ...], colour: Tensor | None) -> Tensor:
    """Return V_n * k_n² + V_r * k_r², each corrected for correlated noise by its kernel's noise with and without it."""
    shape = sides[0][0].image.shape[-2:]
    total, floor = torch.zeros(()), torch.zeros(())
    for tiles, k_hat in sides:
        kernel = torch.fft.irfft2(k_hat, s=shape).square_()
        coloured: Tensor | float = 1.0
        spectra = [spectrum for spectrum in (tiles.power, colour) if spectrum is not None]
        if spectra:
            weight = torch.view_as_real(k_hat).square().sum(-1)
            power = math.prod(spectra[1:], start=spectra[0])
            coloured = mean_of_half_plane(weight * power, shape[1]) / mean_of_half_plane(weight, shape[1])
        sky = kernel.sum((-2, -1), keepdim=True) * tiles.sigma[:, None, None].square()
        total = total + torch.fft.rfft2(tiles.variance).mul_(torch.fft.rfft2(kernel)).mul_(coloured)
        floor = floor + 0.25 * sky * coloured  # rounding must not make a variance vanish
    return torch.maximum(torch.fft.irfft2(total, s=shape), floor)
