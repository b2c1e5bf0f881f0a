"""Combine aligned frames of one field and band into a deeper reference that keeps nothing that moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from differencing.numerics.tie import Surface, TooFewStars, fit_surface
from observations.numerics.compiled import by_strips, compiled
from observations.numerics.frame import Image, Mask, Stars
from preprocessing.numerics.stars import point_like

Stamp = NDArray[np.float64]
Rows = Callable[[int, int], Image]

# With fewer common stars than three none can be told to be variable, and the scale would be its own.
FEWEST_STARS = 3
# Two hundred stars fix a quadratic surface to 0.1 %.
MOST_STARS = 200
FAINTEST_SNR = 10.0
# Relative scatter of star fluxes that no photon noise explains (flat, colour).
FLUX_FLOOR = 0.01
# Pixels of all members held at a time: 24 MB for each float32 image of them.
STRIP_PIXELS = 6_000_000
FEWEST_ROWS = 64
# Rows that a thread sorts at a time.
MIDDLE_ROWS = 64
# The comparison is made this much wider than the worst seeing, so that every member is smoothed by at least half of it.
COMMON_WIDTH = 1.15
# Sigma of the Gaussians that are tried, in px: beyond 6 px a PSF fills its stamp.
WIDEST_SIGMA_PX = 6.0
# How far a sharp member's peak may stand above what its PSF's does over the usual one.
SHARPNESS = 1.25
# Wings are smooth: they are predicted for blocks, as far out as stars just below saturation are seen.
BLOCK_PX, WING_REACH_BLOCKS = 4, 10
# What hangs together with an outlier leaves with it down to this much noise.
FADING_SIGMA = 1.5


@dataclass(frozen=True)
class StackParameters:
    """When a pixel is left out; the tolerances are shares of the brightest median nearby.

    clip_sigma : noise by which a pixel, or the light about it, may differ from the middle of the members.
    pixel_tolerance : of single pixels, where members differ by all that their seeing does; more where a member's peak
        stands higher. Clipping on the pixel's own median cut the stars' cores of the sharper frames and left a score
        noise of 3 where seeing went from 2.7 to 4.4.
    light_tolerance : of the light about a pixel at one common seeing, where what is left is the PSFs' shape: at .12 one
        star in a thousand of equal Moffats lost a pixel, at .15 none, nor of 2.6 to 4.4 px.
    wing_tolerance : of what the wings of sources are predicted to differ by at that common seeing, which is as much as
        the wings themselves: left out, a bright star's were those of the sharper frames alone, and no PSF described it.
    reach_px : what counts as nearby.
    """

    clip_sigma: float
    pixel_tolerance: float = 1.0
    light_tolerance: float = 0.15
    wing_tolerance: float = 2.0
    reach_px: int = 2


@dataclass(frozen=True)
class StackMember:
    """One frame on the grid of the stack, in the counts of the first member, without sky.

    rows : (first, last) -> float32 (last - first, nx), NaN where bad. sigma : noise of a pixel of empty sky.
    gain : electrons per count of the first, None where unknown. psf : (k, k) of sum 1, k odd.
    """

    rows: Rows
    sigma: float
    gain: float | None
    psf: Stamp


@dataclass(frozen=True)
class Stacked:
    """data, variance : (ny, nx) float32, no sky. mask : True where no member had a good pixel. gain : electrons per
    count, None where a member's is unknown. sigma : noise of a pixel of empty sky that all members see."""

    data: Image
    variance: Image
    mask: Mask
    gain: float | None
    sigma: float


def flux_scale(first: Stars, member: Stars, pairs: NDArray[np.intp], shape: tuple[int, int]) -> Surface:
    """Return what brings a member's counts to those of the first, from the same stars measured in both.

    Parameters
    ----------
    first, member : the stars of each, with total fluxes. pairs : (n, 2) of indices, of the first and of the member.
        Only unsaturated point sources above 10 sigma count, the brightest 200.
    shape : (ny, nx) of the first's grid, in whose pixels the surface is.

    Raises
    ------
    TooFewStars : fewer than 3 are left.
    """
    good = _usable(first)[pairs[:, 0]] & _usable(member)[pairs[:, 1]]
    if int(good.sum()) < FEWEST_STARS:
        raise TooFewStars(f"only {int(good.sum())} stars are measurable in both frames; {FEWEST_STARS} are needed")
    base, own = first[pairs[good, 0]], member[pairs[good, 1]]
    pick = np.argsort(-base.flux, kind="stable")[:MOST_STARS]
    base, own = base[pick], own[pick]
    ratio = base.flux / own.flux
    relative = np.sqrt((base.flux_error / base.flux) ** 2 + (own.flux_error / own.flux) ** 2 + FLUX_FLOOR**2)
    return fit_surface(base.x, base.y, ratio, ratio * relative, shape)[0]


def _usable(stars: Stars) -> NDArray[np.bool_]:
    is_bright = (stars.flux > 0) & (stars.flux > FAINTEST_SNR * stars.flux_error)
    return np.asarray(is_bright & ~stars.is_saturated & point_like(stars))


def depth_weights(members: Sequence[StackMember]) -> NDArray[np.float64]:
    """Return the weights of the mean in which a point source is deepest, of sum 1.

    The S/N of a matched filter on the mean is w'Gw / w'Vw with G_ij = sum(P_i P_j) and V = diag(sigma²): the largest
    eigenvector of V^-1/2 G V^-1/2. It reaches 98 to 99.5 % of the S/N of the members one by one (all that the proper
    coaddition of Zackay & Ofek 2017, ApJ 836, 188, keeps), where 1/sigma² reaches 91 to 98 and 1/(sigma FWHM)² 92 to
    98 %, and the noise stays white.
    """
    sigma = np.array([m.sigma for m in members])
    size = max(m.psf.shape[0] for m in members)
    stamps = np.stack([np.pad(m.psf, (size - m.psf.shape[0]) // 2).ravel() for m in members])
    _, vectors = np.linalg.eigh((stamps @ stamps.T) / np.outer(sigma, sigma))
    weights = np.abs(vectors[:, -1]) / sigma
    return np.asarray(weights / weights.sum())


def stack(members: Sequence[StackMember], shape: tuple[int, int], *, parameters: StackParameters) -> Stacked:
    """Average the members by their depth, without what stands in few of them only; in strips, to hold few at a time.

    A pixel of a member is left out where it, or the light about it at a seeing common to all, differs from the middle
    of the members by more than their noise and PSFs explain, with all that hangs together with it: an asteroid, a
    satellite, a cosmic ray that was missed, a transient in fewer than half of the frames, wings and all.

    Parameters
    ----------
    members : at least one, the first of which sets the counts. shape : (ny, nx) of the grid.

    Returns
    -------
    Stacked : in counts of the first member; the variance is that of the weighted mean, with the photon noise of
    sources where every gain is known.

    Raises
    ------
    ValueError : no member.
    """
    if not members:
        raise ValueError("a stack needs at least one frame")
    weights, gain, widths = depth_weights(members), _effective_gain(members), _smoothing(members)
    data, variance = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)
    mask = np.empty(shape, dtype=bool)
    margin = (WING_REACH_BLOCKS + 1) * BLOCK_PX
    rows = max(FEWEST_ROWS, STRIP_PIXELS // (len(members) * shape[1]) - 2 * margin) // BLOCK_PX * BLOCK_PX
    for top in range(0, shape[0], rows):
        bottom = min(top + rows, shape[0])
        low, high = max(0, top - margin), min(shape[0], bottom + margin)
        images = np.stack([m.rows(low, high) for m in members])
        keep = _kept(images, members, widths, parameters)
        inner = np.s_[top - low : bottom - low]
        data[top:bottom], variance[top:bottom], mask[top:bottom] = _mean(
            images[:, inner], keep[:, inner], weights, np.array([m.sigma for m in members])
        )
    if gain is not None:
        variance += np.maximum(data, 0.0) / np.float32(gain)
    sigma = float(np.sqrt(np.sum((weights * [m.sigma for m in members]) ** 2)))
    return Stacked(data, variance, mask, gain, sigma)


def _mean(
    images: NDArray[np.float32], keep: NDArray[np.bool_], weights: NDArray[np.float64], sigma: NDArray[np.float64]
) -> tuple[Image, Image, Mask]:
    """Return the weighted mean of what is kept, its variance on empty sky, and where there is nothing."""
    total, light, noise = (np.zeros(images.shape[1:], dtype=np.float32) for _ in range(3))
    for image, kept, weight, own in zip(images, keep, weights.astype(np.float32), sigma, strict=True):
        total += weight * kept
        light += weight * np.where(kept, image, np.float32(0.0))
        noise += np.float32((weight * own) ** 2) * kept
    empty = total <= 0.0
    total[empty] = 1.0
    return light / total, np.where(empty, np.float32((sigma**2).max()), noise / total**2), empty


def _kept(
    images: NDArray[np.float32], members: Sequence[StackMember], widths: NDArray[np.float64], p: StackParameters
) -> NDArray[np.bool_]:
    """Tell which pixels of which member enter the stack."""
    keep = np.isfinite(images)
    if len(images) == 1:
        return keep
    middle = np.nan_to_num(_middle(images))
    nearby = _nearby(middle, p.reach_px)
    smooth = np.stack(
        [ndimage.gaussian_filter(np.where(k, i, middle), w) for i, k, w in zip(images, keep, widths, strict=True)]
    )
    common = _middle(smooth)
    about = p.light_tolerance * _nearby(common, p.reach_px)
    peaks = np.array([m.psf.max() for m in members])
    usual = np.sort(peaks)[(len(peaks) - 1) // 2]
    sources = _in_blocks(np.maximum(common - p.clip_sigma * _noise_of(members, widths).min(), 0.0))
    wings = [_wing(peak, width) for peak, width in zip(peaks, widths, strict=True)]
    middle_wing = wings[int(np.argsort(peaks)[(len(peaks) - 1) // 2])]
    for k, member in enumerate(members):
        by_seeing = p.pixel_tolerance * max(1.0, SHARPNESS * (peaks[k] / usual - 1.0))
        glare = signal.fftconvolve(sources, np.abs(wings[k] - middle_wing), mode="same").astype(np.float32)
        excess = np.abs(smooth[k] - common) - about - p.wing_tolerance * _out_of_blocks(glare, common.shape)
        with np.errstate(invalid="ignore"):
            alone = np.abs(images[k] - middle) > p.clip_sigma * member.sigma + by_seeing * nearby
        keep[k] &= ~(alone | _hanging_together(excess, float(_noise_of(members, widths)[k]), p))
    return keep


def _noise_of(members: Sequence[StackMember], widths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the noise that Gaussian means leave of the members' white noise."""
    return np.array([m.sigma for m in members]) / (2.0 * np.sqrt(np.pi) * widths)


def _wing(peak: float, width: float) -> Stamp:
    """Return a Moffat of index 3 and this peak after a Gaussian, in blocks: what a star of flux 1 adds to each."""
    reach = WING_REACH_BLOCKS * BLOCK_PX + BLOCK_PX // 2
    span = np.arange(-reach, reach) + 0.5
    radius2 = span[:, None] ** 2 + span**2
    scale2 = 2.0 / (np.pi * peak)
    stamp = ndimage.gaussian_filter((1.0 + radius2 / scale2) ** -3.0 * peak, width)
    return np.asarray(_in_blocks(stamp) * BLOCK_PX**2)


def _in_blocks(image: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the means of blocks; the last ones are filled up with nothing."""
    ny, nx = (-(-n // BLOCK_PX) for n in image.shape)
    padded = np.pad(image, [(0, n * BLOCK_PX - m) for n, m in zip((ny, nx), image.shape, strict=True)])
    return np.asarray(padded.reshape(ny, BLOCK_PX, nx, BLOCK_PX).mean(axis=(1, 3)))


def _out_of_blocks(blocks: Image, shape: tuple[int, ...]) -> Image:
    whole = blocks.repeat(BLOCK_PX, axis=0).repeat(BLOCK_PX, axis=1)
    return np.asarray(whole[: shape[0], : shape[1]])


def _hanging_together(excess: Image, noise: float, p: StackParameters) -> Mask:
    """Mark what exceeds the clipping limit, and all about it down to where it fades."""
    seeds = excess > p.clip_sigma * noise
    if not seeds.any():
        return seeds
    label, count = ndimage.label(excess > FADING_SIGMA * noise)
    has_seed = np.zeros(count + 1, dtype=bool)
    has_seed[label[seeds]] = True
    return np.asarray(ndimage.binary_dilation(has_seed[label], iterations=p.reach_px))


def _middle(images: NDArray[np.float32]) -> Image:
    """Return the median of the finite values; of two middle ones the lower, since what few frames hold adds light.

    It lies below the truth by about half a sigma for two frames, which the limits absorb. NaN where there is none.
    """
    out = np.empty((images.shape[1], images.shape[2]), dtype=np.float32)
    by_strips(lambda first, last: _lower_middle(images[:, first:last], out[first:last]), out.shape[0], MIDDLE_ROWS)
    return out


@compiled
def _lower_middle(images: NDArray[np.float32], out: Image) -> None:
    """Sort the few values of each pixel by insertion and take the middle one."""
    n, ny, nx = images.shape
    values = np.empty(n, dtype=np.float32)
    for y in range(ny):
        for x in range(nx):
            count = 0
            for k in range(n):
                value = images[k, y, x]
                if np.isfinite(value):
                    j = count
                    while j > 0 and values[j - 1] > value:
                        values[j] = values[j - 1]
                        j -= 1
                    values[j] = value
                    count += 1
            out[y, x] = values[(count - 1) // 2] if count > 0 else np.nan


def _nearby(image: Image, reach_px: int) -> Image:
    return np.asarray(ndimage.maximum_filter(np.abs(image), size=2 * reach_px + 1))


def _smoothing(members: Sequence[StackMember]) -> NDArray[np.float64]:
    """Return the Gaussians, sigma in px, that give the members' PSFs one and the same peak, all of them smoothed."""
    sigmas = np.linspace(0.3, WIDEST_SIGMA_PX, 58)
    peaks = np.array([[_peak(m.psf, s) for s in sigmas] for m in members])
    least = np.array([np.sqrt(1.0 / m.psf.max()) for m in members]).max()
    floor = 0.25 * COMMON_WIDTH * least
    target = min(np.interp(floor, sigmas, row) for row in peaks)
    return np.array([np.interp(-target, -row, sigmas) for row in peaks])


def _peak(psf: Stamp, sigma: float) -> float:
    """Return the middle pixel of a PSF after a Gaussian."""
    span = np.arange(psf.shape[0]) - psf.shape[0] // 2
    weight = np.exp(-0.5 * (span / sigma) ** 2)
    weight /= weight.sum()
    return float(weight @ psf @ weight)


def _effective_gain(members: Sequence[StackMember]) -> float | None:
    """Return electrons per count of the weighted mean, None where any member's gain is unknown."""
    gains = [m.gain for m in members if m.gain is not None]
    if len(gains) < len(members):
        return None
    # Var = sum(w² F / g) for flux F: the gain that gives the same variance to the mean.
    return float(1.0 / np.sum(depth_weights(members) ** 2 / np.array(gains)))


__all__ = [
    "StackMember", "StackParameters", "Stacked", "TooFewStars", "depth_weights", "flux_scale", "stack",
]  # fmt: skip
