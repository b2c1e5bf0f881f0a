"""From the transforms of a pair to its difference and score: what every way of matching the PSFs has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from differencing.numerics.background import sky_of_difference
from differencing.numerics.halos import Halos, take_off
from differencing.numerics.maps import Maps
from differencing.numerics.noise import robust_sigma
from differencing.numerics.pair import Pair
from differencing.numerics.parameters import ZogyParameters
from differencing.numerics.responses import Responses
from differencing.numerics.tie import Surface
from differencing.numerics.tiles import Tensor, TileGrid
from observations.numerics.frame import Image, Mask, PsfFunction

# A star of S/N 50 shows a model error of 2 % over its noise; ten of them give its median to a third.
STAR_SNR = 50.0
FEWEST_MODEL_STARS = 10
# Beyond this the residuals are no model error any more: they shall be seen.
LARGEST_MODEL_ERROR = 0.1
# So many pixels of blank sky tell the score's noise to half a per cent.
LARGE_SAMPLE = 300_000
# Two frames whose difference has less of the noise that they have are one frame twice, within rounding.
LEAST_NOISE = 1e-3
# A pixel is blank where the fainter of both frames' signals is below this.
BLANK_SIGMA = 3.0
# The error of what fills a saturated core, as a share of its signal: where no rim of one can be measured, and the most.
FILL_ERROR = 2.0
LARGEST_FILL_ERROR = 4.0
LEAST_FILL_ERROR = 0.5
FEWEST_RIM_PIXELS = 100
# An even number of rows that are worked on together.
BAND_ROWS = 128


@dataclass(frozen=True)
class Diagnostics:
    """Numbers that tell how well a subtraction went.

    score_median : of the blank sky, sigma; 0 is right. flux_scale_median : reference counts times this are science
    counts; flux_scale_scatter : of single stars about it, relative. registration_rms_px : scatter of the stars after
    the shift; shift_scatter_px : what of it their own errors do not explain, in one axis. sigma_science,
    sigma_reference : median noise of a pixel, science counts. blank_share : of pixels without source or mask.
    model_error : share of a star's signal that counts as error of PSF and flux scale. fill_error : of what fills the
    masks that counts as its error, 0 without any. psfs_measured : of both PSFs; what is not is
    a guess from the width of the sources.
    """

    score_median: float
    flux_scale_median: float
    flux_scale_scatter: float
    shift_scatter_px: float
    registration_rms_px: float
    matched_stars: float
    sigma_science: float
    sigma_reference: float
    blank_share: float
    model_error: float
    fill_error: float
    psfs_measured: float


@dataclass(frozen=True)
class Difference:
    """What the subtraction gives; images are (ny, nx) float32 on the science grid.

    difference : D in science counts. score : S_corr in sigma, signed. flux, flux_error : PSF flux at each pixel
    and its error, science counts. psf_d : callable (x, y) -> PSF of D, sum 1. mask : True = bad in either frame.
    spike : callable (x, y, is_in_reference) -> what one count in one pixel of a frame becomes in D, in the sign of that
    frame. noise : sigma of a pixel of D on blank sky.
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
    spike: Callable[[float, float, bool], NDArray[np.float64]]
    noise: float
    flux_scale: Surface
    shift_px: tuple[float, float]
    noise_rescale: float
    science: Image
    reference: Image
    psf_science: PsfFunction
    psf_reference: PsfFunction
    diagnostics: Diagnostics


def finish(maps: Maps, pair: Pair, grid: TileGrid, p: ZogyParameters, responses: Responses) -> Difference:
    """Take off the sky, add the variance of registration, model and guesses, normalise: in the maps' own memory."""
    mask = torch.from_numpy(pair.mask).to(maps.score.device)
    blank = _blank(maps, torch.from_numpy(pair.empty).to(maps.score.device), mask)
    _take_off_sky(maps, grid, blank, pair.fwhm_px)
    # Errors of the PSF's width leave rings around a star: its signal counts as far as its core reaches.
    near = _Highest.of(maps.static, round(pair.fwhm_px))
    epsilon = _model_error(maps, near, mask, p.model_error)
    fill_error = _fill_error(maps, mask)
    significance = maps.static.div_(float(maps.variance[::8, ::8].median().sqrt()))
    del maps.static
    variance = maps.variance.add_(maps.slope, alpha=pair.tie.shift_scatter_px**2)
    del maps.slope
    for rows in _bands(variance):
        highest = near.rows(rows)
        variance[rows].addcmul_(highest, highest, value=epsilon**2)
    _widen_by_guesses(variance, maps.guessed, round(0.5 * pair.fwhm_px), fill_error)
    del maps.guessed
    error = variance.sqrt_()
    _take_off_halos(maps, error, significance, pair.mask, pair.fwhm_px)
    del significance
    middle, rescale = _middle_and_spread(maps.score, error, blank)
    error.mul_(rescale)
    score = torch.div(maps.score, error).masked_fill_(mask, torch.nan)
    for i in range(grid.count[0]):
        norm = grid.spread(maps.flux_norm[i])
        maps.score[grid.rows(i)] /= norm
        error[grid.rows(i)] /= norm
    return Difference(
        difference=maps.difference.cpu().numpy(),
        score=score.cpu().numpy(),
        flux=maps.score.cpu().numpy(),
        flux_error=error.cpu().numpy(),
        mask=pair.mask,
        psf_d=responses.psf_d,
        spike=responses.spike,
        noise=robust_sigma(_some(maps.difference, blank)),
        flux_scale=pair.tie.flux_scale,
        shift_px=pair.shift_px,
        noise_rescale=rescale,
        science=pair.new.image,
        reference=pair.ref.image,
        psf_science=pair.new.psf,
        psf_reference=pair.ref.psf,
        diagnostics=_diagnostics(
            pair,
            score_median=middle / rescale,
            blank_share=float(blank.float().mean()),
            model_error=epsilon,
            fill_error=fill_error,
        ),
    )


def _diagnostics(pair: Pair, **found: float) -> Diagnostics:
    """Return what was found, with what the pair says of itself."""
    return Diagnostics(
        flux_scale_median=float(np.median(pair.tie.flux_scale.coarse())),
        flux_scale_scatter=pair.tie.flux_scatter,
        shift_scatter_px=pair.tie.shift_scatter_px,
        registration_rms_px=pair.tie.shift_rms_px,
        matched_stars=float(pair.tie.matched_stars),
        sigma_science=pair.new.noise.median,
        sigma_reference=pair.ref.noise.median,
        psfs_measured=float(sum(pair.psfs_measured)),
        **found,
    )


def _bands(image: Tensor) -> Iterator[slice]:
    """Yield all rows of an image, some at a time: what is worked out of them is small beside it."""
    for top in range(0, len(image), BAND_ROWS):
        yield slice(top, min(top + BAND_ROWS, len(image)))


def _blank(maps: Maps, empty: Tensor, mask: Tensor) -> Tensor:
    """Return which pixels show nothing: those that are empty and have no signal in both frames; else all good ones."""
    blank = torch.empty_like(empty)
    for rows in _bands(empty):
        faint = maps.static[rows].square().sub_(maps.variance[rows], alpha=BLANK_SIGMA**2)
        torch.logical_and(empty[rows], faint < 0, out=blank[rows])
    return blank if blank.any() else ~mask


def _take_off_sky(maps: Maps, grid: TileGrid, blank: Tensor, fwhm_px: float) -> None:
    """Measure the sky of D on its blank pixels, and take it from D and from S."""
    sky = sky_of_difference(maps.difference.cpu().numpy(), ~blank.cpu().numpy(), fwhm_px=fwhm_px)
    for i in range(grid.count[0]):
        rows = grid.rows(i)
        level = torch.from_numpy(sky.rows(rows)).to(maps.score.device)
        maps.difference[rows] -= level
        maps.score[rows] -= level * grid.spread(maps.score_of_sky[i])


def _take_off_halos(maps: Maps, error: Tensor, significance: Tensor, mask: Mask, fwhm_px: float) -> None:
    """Take off what halos leave around bright stars, and widen the error by their scatter."""
    tensors = (maps.difference, maps.score, error)
    images = [tensor.cpu().numpy() for tensor in tensors]  # on the processor the same memory
    take_off(Halos(images[0], images[1], images[2], mask), significance.cpu().numpy(), fwhm_px)
    if error.device.type != "cpu":
        for tensor, image in zip(tensors, images, strict=True):
            tensor.copy_(torch.from_numpy(image))


def _middle_and_spread(score: Tensor, error: Tensor, blank: Tensor) -> tuple[float, float]:
    """Return median and robust sigma of the blank sky's score over its error.

    Percentiles: sources of the difference must not widen their own threshold.
    """
    sample = _some(score, blank) / _some(error, blank)
    low, middle, high = np.percentile(sample, [15.87, 50.0, 84.13])
    rescale = float(high - low) / 2.0
    if not rescale > LEAST_NOISE:
        raise ValueError("the score has no noise to compare with: the frames hold too few good pixels")
    return float(middle), rescale


def _some(image: Tensor, chosen: Tensor) -> NDArray[np.float32]:
    """Return the chosen pixels of an image: neighbours are alike, so that of large frames some tell enough."""
    step = max(1, round((chosen.numel() / LARGE_SAMPLE) ** 0.5))
    if not chosen[::step, ::step].any():
        step = 1
    return np.asarray(image[::step, ::step].cpu().numpy()[chosen[::step, ::step].cpu().numpy()])


class _Highest(NamedTuple):
    """The largest value within `reach` pixels in each axis, or one more: looked for in bins of 2 x 2 pixels."""

    bins: Tensor
    reach: int
    width: int

    @classmethod
    def of(cls, image: Tensor, reach: int) -> _Highest:
        half = (reach + 1) // 2
        planes = functional.max_pool2d(image[None, None], 2, ceil_mode=True)
        planes = functional.max_pool2d(planes, (2 * half + 1, 1), stride=1, padding=(half, 0))
        planes = functional.max_pool2d(planes, (1, 2 * half + 1), stride=1, padding=(0, half))
        return cls(planes[0, 0], reach, image.shape[1])

    def rows(self, rows: slice) -> Tensor:
        """Return it for some rows of the image, the first of which is an even one."""
        bins = self.bins[rows.start // 2 : (rows.stop + 1) // 2]
        return bins.repeat_interleave(2, 0)[: rows.stop - rows.start].repeat_interleave(2, 1)[:, : self.width]


def _widen_by_guesses(variance: Tensor, guessed: Tensor, reach: int, fill_error: float) -> None:
    """Add the squared error of what is guessed, or of what is about it: a core lacks no exact multiple of its fill.

    The score of the fill has zeros where the error has none.
    """
    for rows in _bands(variance):
        first = max(rows.start - reach, 0)
        near = guessed[first : rows.stop + reach]
        if near.any():
            around = _mean(near, reach)[rows.start - first :][: rows.stop - rows.start]
            variance[rows].add_(torch.maximum(guessed[rows], around), alpha=fill_error**2)


def _mean(image: Tensor, reach: int) -> Tensor:
    """Return the mean within `reach` pixels in each axis, of an image that is 0 beyond its ends."""
    for axis in (0, 1):
        total = image.clone()
        for k in range(1, min(reach, image.shape[axis] - 1) + 1):
            rest = image.shape[axis] - k
            total.narrow(axis, k, rest).add_(image.narrow(axis, 0, rest))
            total.narrow(axis, 0, rest).add_(image.narrow(axis, k, rest))
        image = total.div_(2 * reach + 1)
    return image


def _model_error(maps: Maps, near: _Highest, mask: Tensor, least: float) -> float:
    """Measure what share of a static star's signal is left after subtraction, at least `least`.

    The median over the stars of S/N > 50 that both frames hold, of the rms residual within one FWHM of the peak, less
    what the noise alone would leave there. Undersampled frames (FWHM 2 px) leave 5 %, good ones below 1 %.
    """
    ny, nx = maps.score.shape
    reach, places = near.reach, []
    for rows in _bands(mask):
        static = maps.static[rows]
        is_bright = static.square() > STAR_SNR**2 * maps.variance[rows]
        places.append(torch.nonzero(is_bright & ~mask[rows] & (static == near.rows(rows))))
        places[-1][:, 0] += rows.start
    y, x = torch.cat(places).T
    inside = (torch.minimum(x, nx - 1 - x) >= reach) & (torch.minimum(y, ny - 1 - y) >= reach)
    y, x = y[inside], x[inside]
    if y.numel() < FEWEST_MODEL_STARS:
        return least
    span = torch.arange(-reach, reach + 1, device=y.device)
    left = maps.score[y[:, None, None] + span[:, None], x[:, None, None] + span].double()
    squared = left.square().mean((1, 2)) - maps.variance[y, x].double()
    share = squared.clamp(min=0.0).sqrt() / maps.static[y, x].double()
    return float(share.median().clamp(least, LARGEST_MODEL_ERROR))


def _fill_error(maps: Maps, mask: Tensor) -> float:
    """Measure the error of light that is guessed, as a share of its own score, in the pixels around it.

    Filled pixels are wrong together, by a factor that is the same for a whole core, so that their error is that share
    of the score of the fill, and not the sum of independent pixels.
    """
    shares = []
    for rows in _bands(mask):
        score, variance, guessed = maps.score[rows], maps.variance[rows], maps.guessed[rows]
        rim = ~mask[rows] & (guessed > 9.0 * variance)
        shares.append(((score[rim].square() - variance[rim]).clamp(min=0.0) / guessed[rim]).sqrt())
    share = torch.cat(shares)
    if share.numel() < FEWEST_RIM_PIXELS:
        return FILL_ERROR
    return float(np.clip(np.percentile(share.cpu().numpy(), 90.0), LEAST_FILL_ERROR, LARGEST_FILL_ERROR))
