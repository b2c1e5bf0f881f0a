"""Combine aligned frames of one field and band into a deeper reference that keeps nothing that moved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from differencing.numerics.align import fill_masked
from differencing.numerics.noise import robust_sigma, source_mask
from differencing.numerics.tie import TooFewStars, tie
from observations.numerics.frame import Frame, Image, Mask
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.photometry import psf_photometry
from preprocessing.numerics.psf import fit_psf
from preprocessing.numerics.stars import find_stars

# With fewer common stars than three none can be told to be variable, and the scale would be its own.
FEWEST_STARS = 3


@dataclass(frozen=True)
class StackParameters:
    """clip_sigma : a pixel further from the median than this much noise is left out.

    seeing_tolerance : share of the brightest median within `seeing_reach_px` by which members may differ besides,
        because their PSFs do. Clipping on the pixel's own median cut the stars' cores of the sharper frames and left
        a score noise of 3 where seeing went from 2.7 to 4.4 px.
    """

    clip_sigma: float
    seeing_tolerance: float = 1.0
    seeing_reach_px: int = 2


@dataclass(frozen=True)
class _Member:
    image: Image
    mask: Mask
    sigma: float
    gain: float | None


def stack(frames: list[Frame], *, parameters: StackParameters) -> Frame:
    """Stack frames on one grid: flux-scaled to the first, sky removed, outliers rejected, weighted by depth.

    A pixel of a member is rejected where it differs from the median of the members by more than
    `clip_sigma` noise plus `seeing_tolerance` of the brightest median nearby: what stands in one frame only (an
    asteroid, a satellite, a cosmic ray that was missed) does not reach the stack when there are three members or more.

    Parameters
    ----------
    frames : at least one Frame, all of one shape. The first sets the counts, the band and the sky level.

    Returns
    -------
    Frame in counts of the first member: sky of the first member put back as its median, variance of the weighted
    mean (photon noise included where every gain is known), effective gain, mask where no member had a good
    pixel, mean mid-exposure time; without PSF and stars (the caller measures them).

    Raises
    ------
    ValueError : no frame, or differing shapes. TooFewStars : a member shares too few stars with the first.
    """
    if not frames:
        raise ValueError("a stack needs at least one frame")
    if len({frame.shape for frame in frames}) != 1:
        raise ValueError("the frames of a stack are on one grid")
    first, sky = frames[0], float(np.median(frames[0].data[~frames[0].mask]))
    members = _members(frames)
    images = np.stack([np.where(m.mask, np.nan, m.image) for m in members])
    with np.errstate(invalid="ignore"):
        keep = _kept(images, np.array([m.sigma for m in members]), parameters)
    weights = np.array([1.0 / m.sigma**2 for m in members], dtype=np.float32)[:, None, None] * keep
    total = weights.sum(axis=0)
    empty = total <= 0.0
    data = np.where(empty, 0.0, (weights * np.where(keep, images, 0.0)).sum(axis=0) / np.where(empty, 1.0, total))
    variance = np.where(empty, 1.0 / weights.max(), 1.0 / np.where(empty, 1.0, total))
    gain = _effective_gain(members)
    if gain is not None:
        variance = variance + np.maximum(data, 0.0) / gain
    times = [frame.mjd_utc for frame in frames if frame.mjd_utc is not None]
    return replace(
        first,
        data=(data + sky).astype(np.float32),
        mask=empty,
        mask_bits=None,
        variance=variance.astype(np.float32),
        gain=gain,
        read_noise=None,
        mjd_utc=float(np.mean(times)) if len(times) == len(frames) else None,
        psf=None,
        stars=None,
    )


def _members(frames: list[Frame]) -> list[_Member]:
    """Bring every frame to the counts of the first, sky 0, with the noise of its empty sky."""
    out = []
    first = frames[0]
    background = estimate_background(first.data, first.mask)
    stars = find_stars(first.data, first.mask, background=background.level, noise=background.noise)
    pick = np.flatnonzero(~stars.is_saturated & stars.is_isolated)
    pick = pick[np.argsort(-stars.flux[pick])][:200]  # two hundred stars fix a quadratic surface to 0.1 %
    base = None
    scale: Image | np.float32
    for frame in frames:
        sky = estimate_background(frame.data, frame.mask)
        image = fill_masked(frame.data, frame.mask) - sky.level.astype(np.float32)
        own = find_stars(frame.data, frame.mask, background=sky.level, noise=sky.noise)
        psf = fit_psf(frame.data, frame.mask, own, background=sky.level, noise=sky.noise)
        measured = psf_photometry(image, frame.mask, sky.noise, psf, stars.x[pick], stars.y[pick])
        if base is None:
            base, scale = measured, np.float32(1.0)
        else:
            found = tie(base, measured, frame.shape, min_stars=FEWEST_STARS)
            scale = found.flux_scale.image()
        image = image * scale
        sigma = robust_sigma(image[~source_mask(image, frame.mask)])
        gain = None if frame.gain is None else float(frame.gain / np.median(scale))
        out.append(_Member(image.astype(np.float32), frame.mask, sigma, gain))
    return out


def _kept(images: NDArray[np.floating], sigmas: NDArray[np.floating], p: StackParameters) -> NDArray[np.bool_]:
    """Tell which pixels of which member enter the stack."""
    finite = np.isfinite(images)
    if len(images) == 1:
        return finite
    ordered = np.sort(images, axis=0)  # NaN last
    count = np.maximum(finite.sum(axis=0), 1)
    # Of two values the lower is the middle, since what only one frame holds adds light; it lies below the truth by
    # about half a sigma, which the limit absorbs.
    middle = np.take_along_axis(ordered, ((count - 1) // 2)[None], axis=0)[0]
    nearby = ndimage.maximum_filter(np.abs(np.nan_to_num(middle)), size=2 * p.seeing_reach_px + 1)
    limit = p.clip_sigma * sigmas[:, None, None] + p.seeing_tolerance * nearby
    return finite & (np.abs(images - middle) <= limit)


def _effective_gain(members: list[_Member]) -> float | None:
    """Return electrons per count of the weighted mean, None where any member's gain is unknown."""
    gains = [m.gain for m in members]
    if any(g is None for g in gains):
        return None
    weights = np.array([1.0 / m.sigma**2 for m in members])
    share = weights / weights.sum()
    # Var = sum(w² F / g) for flux F: the gain that gives the same variance to the mean.
    return float(1.0 / np.sum(share**2 / np.array(gains, dtype=float)))


__all__ = ["StackParameters", "TooFewStars", "stack"]
