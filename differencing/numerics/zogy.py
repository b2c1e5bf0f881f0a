"""Proper image subtraction: Zackay, Ofek & Gal-Yam 2016, ApJ 830, 27 (doi:10.3847/0004-637X/830/1/27).

Symbols as in the paper: N, R new (science) and reference image; P_n, P_r their PSFs; F_n = F_r = 1 after the
reference is brought to science counts; D difference, P_D its PSF, S score, S_corr score over its own noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from differencing.numerics.background import sky_of_difference
from differencing.numerics.noise import noise_power
from differencing.numerics.pair import Pair, PsfInput, Side, prepare
from differencing.numerics.parameters import ZogyParameters
from differencing.numerics.tie import Surface
from differencing.numerics.tiles import TileGrid, Tiles, filters, psf_transforms, shift_ramp, transform
from observations.numerics.frame import Frame, Image, Mask, PsfFunction
from preprocessing.numerics.photometry import psf_radius_px

__all__ = ["Difference", "ZogyParameters", "subtract"]


# A star of S/N 50 shows a model error of 2 % over its noise; ten of them give its median to a third.
STAR_SNR = 50.0
FEWEST_MODEL_STARS = 10
# Beyond this the residuals are no model error any more: they shall be seen.
LARGEST_MODEL_ERROR = 0.1
# Pixels of blank sky beyond which every third in each axis does.
LARGE_SAMPLE = 300_000
# A pixel is blank where the fainter of both frames' signals is below this.
BLANK_SIGMA = 3.0
# The error of what fills a saturated core, as a share of its signal: where no rim of one can be measured, and the most.
FILL_ERROR = 2.0
LARGEST_FILL_ERROR = 4.0
# Beyond the frame's end the sky counts as empty; the mirror image of what lies inside tells what may be missing. Half
# of it, since the error of a fill is counted twice and this one is no error of a fill but the light itself.
GUESS_OUTSIDE = 0.5
GUESS_SIGMA = 3.0


@dataclass(frozen=True)
class Diagnostics:
    """Numbers that tell how well a subtraction went.

    score_median : of the blank sky, sigma; 0 is right. flux_scale_median : reference counts times this are science
    counts; flux_scale_scatter : of single stars about it, relative. registration_rms_px : scatter of the stars after
    the shift; shift_scatter_px : what of it their own errors do not explain, in one axis. sigma_science,
    sigma_reference : median noise of a pixel, science counts. blank_share : of pixels without source or mask.
    model_error : share of a star's signal that counts as error of PSF and flux scale. fill_error : of what fills the
    masks that counts as its error, 0 without any.
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


@dataclass(frozen=True)
class Difference:
    """What the subtraction gives; images are (ny, nx) float32 on the science grid.

    difference : D in science counts. score : S_corr in sigma, signed. flux, flux_error : PSF flux at each pixel
    and its error, science counts. psf_d : callable (x, y) -> PSF of D, sum 1. mask : True = bad in either frame.
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
    flux_scale: Surface
    shift_px: tuple[float, float]
    noise_rescale: float
    science: Image
    reference: Image
    psf_science: PsfFunction
    psf_reference: PsfFunction
    diagnostics: Diagnostics


@dataclass(frozen=True)
class _Maps:
    """What the tiles give, laid side by side; (ny, nx) float32. Units as in `tiles.Transformed`."""

    difference: Image
    score: Image
    static: Image
    slope: Image
    variance: Image
    guessed: Image
    flux_norm: Image
    score_of_sky: Image


def subtract(
    science: Frame,
    reference: Frame,
    *,
    parameters: ZogyParameters,
    psf_science: PsfInput = None,
    psf_reference: PsfInput = None,
) -> Difference:
    """Subtract the reference from the science frame and score every pixel for a new point source.

    Both frames are on one pixel grid, background in or out. The flux scale and what is left of the shift are
    measured on common stars as smooth surfaces; the reference is resampled once more only where that shift
    exceeds `shift_floor_px`. Masked and non-finite pixels are filled and carry the square of half their filled
    value as variance; outside the frame the sky is empty. The score's variance holds the sky noise (measured,
    with its correlation), the sources' own photon noise where the gain is known, the scatter of the
    registration and the model error; what is left of a deviation from unit variance is divided out and
    reported as `noise_rescale`.

        D^ = (P_r^ N^ - P_n^ R^) / sqrt(sigma_n² W_n |P_r^|² + sigma_r² W_r |P_n^|²)
        S  = k_n * N - k_r * R,  k_n^ = conj(P_n^)|P_r^|² / denominator,  k_r^ = conj(P_r^)|P_n^|² / denominator
        S_corr = S / sqrt(V_n * k_n² + V_r * k_r² + V_ast + epsilon² min(|S_n|, |S_r|)²)

    with W the noise power spectrum (1 for white noise), * convolution and ^ the Fourier transform.
    Equations 12-16 and 25-30 of the paper; we depart from it in W, in the model error and in giving D in
    science counts (divided by its zero point F_D).

    Parameters
    ----------
    science, reference : Frame of one shape; `gain` in electrons per count of that frame.
    psf_science, psf_reference : callable (x, y) -> odd square array of sum 1, or one array, or None: then the
        frame's own `psf`, else estimated from its stars. The reference's is that of the resampled reference.

    Returns
    -------
    Difference.

    Raises
    ------
    ValueError : shapes differ, or every pixel is masked. NoFluxScale : the stars' flux ratios scatter too much.
    TooFewStars : fewer than `min_stars` common stars.
    """
    pair = prepare(science, reference, (psf_science, psf_reference), parameters)
    return _finish(_all_tiles(pair, parameters), pair, parameters)


def _all_tiles(pair: Pair, p: ZogyParameters) -> _Maps:
    """Run the transform row by row of tiles and lay the cores side by side."""
    grid = TileGrid.of(pair.mask.shape, p.tile_px, p.overlap_px)
    names = ("difference", "score", "static", "slope", "variance", "flux_norm", "score_of_sky")
    maps = {name: torch.empty(grid.shape, dtype=torch.float32) for name in names}
    guessed = torch.zeros(grid.shape, dtype=torch.float32)
    power = [_power(side, grid.side) for side in (pair.new, pair.ref)]
    for i in range(grid.count[0]):
        new, ref = (_tiles(side, grid, i, spectrum) for side, spectrum in zip((pair.new, pair.ref), power, strict=True))
        out = transform(new, ref, _adjustment(pair, grid, i))
        whole = out.difference.shape
        found = {
            "difference": out.difference,
            "score": out.score_n - out.score_r,
            "static": torch.minimum(out.score_n.abs(), out.score_r.abs()),
            "slope": torch.minimum(_slope_squared(out.score_n), _slope_squared(out.score_r)),
            "variance": out.variance,
            "flux_norm": out.flux_norm.expand(whole),
            "score_of_sky": out.score_of_sky.expand(whole),
        }
        for name, tiles in found.items():
            grid.lay(tiles, i, maps[name])
        if out.guessed is not None:
            grid.lay(out.guessed, i, guessed)
    return _Maps(guessed=guessed.numpy(), **{k: v.numpy() for k, v in maps.items()})


def _power(side: Side, shape: tuple[int, int]) -> torch.Tensor | None:
    """Return the spectrum of the side's noise, None where it is white."""
    is_white = np.count_nonzero(side.correlation) == 1
    return None if is_white else torch.from_numpy(noise_power(side.correlation, shape))


def _tiles(side: Side, grid: TileGrid, i: int, power: torch.Tensor | None) -> Tiles:
    """Cut row i of one side; outside of the frame the sky is empty, with the noise of the tile."""
    x, y = grid.centres(i)
    rows = grid.rows(i)
    edges = np.minimum(np.arange(grid.count[1] + 1) * grid.step[1], grid.shape[1])
    cells = [side.sigma[rows, a:b] for a, b in pairwise(edges)]
    sigma = torch.tensor([float(np.median(cell[::4, ::4])) for cell in cells], dtype=torch.float32)
    image = grid.cut(torch.from_numpy(side.image), i)
    variance = grid.cut(torch.from_numpy(side.variance), i)
    variance = torch.where(variance > 0, variance, sigma[:, None, None].square())
    guessed = GUESS_OUTSIDE * grid.cut_outside(torch.from_numpy(side.image), i)
    within = slice(max(rows.start - grid.pad, 0), rows.stop + grid.side[0])
    if side.filled[within].any():
        guessed += image * grid.cut(torch.from_numpy(side.filled), i)
    # Light within the noise is no star's: most tiles at the frame's end, and single defects, have none.
    guessed[guessed.abs() < GUESS_SIGMA * sigma[:, None, None]] = 0
    held = guessed if guessed.any() else None
    return Tiles(image, variance, held, sigma, power, psf_transforms(side.psf, x, y, grid.side))


def _adjustment(pair: Pair, grid: TileGrid, i: int) -> torch.Tensor | None:
    """Return the factors of the reference's transform on row i: its shift, and the kernel that its sources ask for."""
    x, y = grid.centres(i)
    factors = None
    if pair.shift is not None:
        dx, dy = (torch.from_numpy(s(x, y)).float() for s in pair.shift)
        factors = shift_ramp(dx, dy, grid.side)
    if pair.kernel is not None:
        own = pair.kernel.factors(x, y, grid.side)
        factors = own if factors is None else factors * own
    return factors


def _finish(maps: _Maps, pair: Pair, p: ZogyParameters) -> Difference:
    """Take off the sky, add the variance of registration, model and fills, normalise, and collect the results."""
    new, ref, mask, found = pair.new, pair.ref, pair.mask, pair.tie
    ny, nx = mask.shape
    fwhm_px = 2.0 * max(psf_radius_px(side.psf(nx / 2, ny / 2)) for side in (new, ref))
    noise = np.sqrt(maps.variance)
    blank = pair.empty & (maps.static < BLANK_SIGMA * noise)
    if not blank.any():
        blank = ~mask
    sky = sky_of_difference(maps.difference, ~blank, fwhm_px=fwhm_px)
    difference, score = maps.difference - sky, maps.score - sky * maps.score_of_sky
    # Errors of the PSF's width leave rings around a star: its signal counts as far as its core reaches.
    reach = round(fwhm_px)
    near = _highest(maps.static, reach)
    epsilon = _model_error(score, (maps.static == near) & ~mask, maps.static, noise, p.model_error, reach)
    variance = maps.variance + np.float32(found.shift_scatter_px**2) * maps.slope + (np.float32(epsilon) * near) ** 2
    fill_error = _fill_error(score, maps.guessed, maps.variance, mask)
    variance += np.float32(fill_error**2) * maps.guessed
    raw = score / np.sqrt(variance)
    # Percentiles of the blank sky: sources of the difference must not widen their own threshold. Neighbours are alike.
    sample = raw[::3, ::3][blank[::3, ::3]] if np.count_nonzero(blank) > LARGE_SAMPLE else raw[blank]
    low, middle, high = np.percentile(sample, [15.87, 50.0, 84.13])
    rescale = float(high - low) / 2.0
    if not np.isfinite(rescale) or rescale <= 0.0:
        raise ValueError("the score has no noise to compare with: the frames hold too few good pixels")
    normal = (raw / np.float32(rescale)).astype(np.float32)
    normal[mask] = np.nan
    diagnostics = Diagnostics(
        score_median=float(middle) / rescale,
        flux_scale_median=float(np.median(found.flux_scale.coarse())),
        flux_scale_scatter=found.flux_scatter,
        shift_scatter_px=found.shift_scatter_px,
        registration_rms_px=found.shift_rms_px,
        matched_stars=float(found.matched_stars),
        sigma_science=float(np.median(new.sigma)),
        sigma_reference=float(np.median(ref.sigma)),
        blank_share=float(blank.mean()),
        model_error=epsilon,
        fill_error=fill_error,
    )
    return Difference(
        difference=difference,
        score=normal,
        flux=score / maps.flux_norm,
        flux_error=np.sqrt(variance) * np.float32(rescale) / maps.flux_norm,
        mask=mask,
        psf_d=_psf_d_function(new, ref, p),
        flux_scale=found.flux_scale,
        shift_px=pair.shift_px,
        noise_rescale=rescale,
        science=new.image,
        reference=ref.image,
        psf_science=new.psf,
        psf_reference=ref.psf,
        diagnostics=diagnostics,
    )


def _highest(image: Image, reach: int) -> Image:
    """Return the largest value within `reach` pixels in each axis."""
    planes = torch.from_numpy(image)[None, None]
    rows = functional.max_pool2d(planes, (2 * reach + 1, 1), stride=1, padding=(reach, 0))
    return functional.max_pool2d(rows, (1, 2 * reach + 1), stride=1, padding=(0, reach))[0, 0].numpy()


def _model_error(score: Image, peak: Mask, static: Image, noise: Image, least: float, reach: int) -> float:
    """Measure what share of a static star's signal is left after subtraction, at least `least`.

    The median over the stars of S/N > 50 that both frames hold, of the rms residual within one FWHM of the peak, less
    what the noise alone would leave there. Undersampled frames (FWHM 2 px) leave 5 %, good ones below 1 %.
    """
    y, x = np.nonzero(peak)
    span = np.arange(-reach, reach + 1)
    ny, nx = score.shape
    chosen = (static[y, x] > STAR_SNR * noise[y, x]) & (np.minimum(x, nx - 1 - x) >= reach)
    chosen &= np.minimum(y, ny - 1 - y) >= reach
    y, x = y[chosen], x[chosen]
    if y.size < FEWEST_MODEL_STARS:
        return least
    left = score[y[:, None, None] + span[:, None], x[:, None, None] + span].astype(np.float64)
    squared = (left**2).mean(axis=(1, 2)) - noise[y, x].astype(np.float64) ** 2
    share = np.sqrt(np.maximum(squared, 0.0)) / static[y, x]
    return float(np.clip(np.median(share), least, LARGEST_MODEL_ERROR))


def _fill_error(score: Image, guessed: Image, variance: Image, mask: Mask) -> float:
    """Measure the error of light that is guessed, as a share of its own score, in the pixels around it.

    Filled pixels are wrong together, by a factor that is the same for a whole core, so that their error is that share
    of the score of the fill, and not the sum of independent pixels.
    """
    rim = ~mask & (guessed > 9.0 * variance)
    if np.count_nonzero(rim) < 100:
        return FILL_ERROR
    share = np.sqrt(np.maximum(score[rim] ** 2 - variance[rim], 0.0) / guessed[rim])
    return float(np.clip(np.percentile(share, 90.0), 0.5, LARGEST_FILL_ERROR))


def _slope_squared(tiles: torch.Tensor) -> torch.Tensor:
    """Return the squared gradient, per px²; 0 at the tiles' rims."""
    out = torch.zeros_like(tiles)
    inner = out[:, 1:-1, 1:-1]
    inner.copy_((tiles[:, 2:, 1:-1] - tiles[:, :-2, 1:-1]).square_())
    inner.add_((tiles[:, 1:-1, 2:] - tiles[:, 1:-1, :-2]).square_()).mul_(0.25)
    return out


def _psf_d_function(new: Side, ref: Side, p: ZogyParameters) -> PsfFunction:
    """Return P_D as a function of position, an odd square array of sum 1 as large as the PSFs allow."""
    shape = new.sigma.shape
    side = TileGrid.of(shape, p.tile_px, p.overlap_px).side

    def psf_d(x: float, y: float) -> NDArray[np.float64]:
        row, column = (int(np.clip(round(v), 0, s - 1)) for v, s in zip((y, x), shape, strict=True))
        nothing = torch.zeros((1, *side))
        new_tile, ref_tile = (
            Tiles(
                nothing,
                nothing,
                None,
                torch.tensor([float(s.sigma[row, column])]),
                _power(s, side),
                psf_transforms(s.psf, np.array([x]), np.array([y]), side),
            )
            for s in (new, ref)
        )
        d_scale = filters(new_tile, ref_tile).d_scale
        full = torch.fft.irfft2(new_tile.psf * ref_tile.psf * d_scale, s=side)[0].numpy()
        half = min((new.psf(x, y).shape[0] - 1) // 2, (min(side) - 1) // 2)
        index = np.arange(-half, half + 1)
        stamp = full[np.ix_(index % side[0], index % side[1])].astype(np.float64)
        return stamp / stamp.sum()

    return psf_d
