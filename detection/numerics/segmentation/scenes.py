"""Difference images to learn trails and artefacts from: simulated subtractions, with what is sought drawn onto them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from detection.numerics import faults as draw
from detection.numerics.faults import Rng, Shape
from detection.numerics.segmentation.prepare import binning, noise_of, planes_of
from detection.numerics.training_set import TrainingSetParameters, add_changes, draw_pair, register, spoil
from differencing.numerics.tie import NoFluxScale
from differencing.numerics.zogy import subtract
from observations.numerics.frame import Image, Mask
from observations.numerics.simulate.pair import simulate_pair
from observations.numerics.statistics import FWHM_PER_SIGMA

Array = NDArray[np.float64]
TRAIL, ARTEFACT = 0, 1


@dataclass(frozen=True)
class Plain:
    """A subtraction without any trail: sigmas (ny, nx), mask, seeing in px, and its stars (x, y, flux).

    What is in it is no trail and no artefact: changes in the sky, and what the subtraction leaves of stars, of
    cosmic rays and of hot pixels.
    """

    sigmas: Image
    mask: Mask
    fwhm_px: float
    stars: tuple[Array, Array, Array]


def make_plain(parameters: TrainingSetParameters, index: int) -> Plain | None:
    """Simulate, spoil and subtract one pair; None where its stars give no flux scale."""
    rng = np.random.default_rng([parameters.seed, index, 7])
    recipe = draw_pair(rng, parameters, index)
    # What is better sampled is binned before the network sees it.
    recipe = replace(recipe, fwhm_science_px=float(rng.uniform(1.8, 4.5)))
    recipe = replace(recipe, fwhm_reference_px=max(1.8, recipe.fwhm_science_px * float(rng.uniform(0.75, 1.35))))
    pair = simulate_pair(recipe)
    science, reference, _ = add_changes(rng, pair, recipe)
    faults = [_without_what_is_drawn_later(draw.draw_faults(rng)) for _ in range(2)]
    science, reference = spoil(rng, science, faults[0], pair), spoil(rng, reference, faults[1], pair)
    reference = register(rng, reference, recipe, faults[1].warp_px)
    psfs = [
        draw.mistaken_psf(psf, fault.psf_error, rng.normal(0.0, 0.04) if fault.psf_error else 0.0)
        for psf, fault in zip((pair.psf_science, pair.psf_reference), faults, strict=True)
    ]
    try:
        made = subtract(science, reference, parameters=parameters.zogy, psf_science=psfs[0], psf_reference=psfs[1])
    except NoFluxScale:
        return None
    fwhm = pair.psf_science.fwhm_px
    step = binning(fwhm)
    noise = noise_of(made.difference, made.mask, step)
    everything = (slice(0, noise.shape[0]), slice(0, noise.shape[1]))
    sigmas, mask = planes_of(made.difference, made.mask, noise, everything)
    stars = (pair.star_x / step, pair.star_y / step, pair.star_flux)
    return Plain(sigmas.astype(np.float16), mask, fwhm / step, stars)


def _without_what_is_drawn_later(faults: draw.Faults) -> draw.Faults:
    """Return the faults that are neither trail nor artefact; what is saturated is masked, as the pipeline does."""
    none = {"trails": 0, "flash_trains": 0, "spikes": 0, "blobs": 0, "dust_rings": 0, "bad_columns": 0}
    return replace(faults, **none, is_saturation_masked=True)


@dataclass(frozen=True)
class Scene:
    """What the network learns from: sigmas (ny, nx), mask, what is to be called (2, ny, nx) and what is left open."""

    sigmas: Image
    mask: Mask
    classes: NDArray[np.bool_]
    is_open: Mask


@dataclass(frozen=True)
class Trail:
    """A trail on the grid: sigmas that it adds, each pixel's distance from its axis, px (infinite beyond its ends)."""

    image: Image
    distance: Image
    fwhm_px: float
    snr: float


# A trail is called to so far from its axis, in its own FWHM; one beneath this S/N as a whole is left open.
HALF_WIDTH_FWHM = 0.75
LEAST_SNR = 9.0
# What an artefact adds less than, in sigma of a pixel, is left open.
LEAST_ARTEFACT = 0.5
# What is no longer is the trail of an asteroid, at most, and no satellite's.
SHORTEST_FWHM = 20.0


def draw_scene(rng: Rng, plain: Plain, side: int) -> Scene:
    """Cut a square out of a subtraction, turn it, and draw trails, artefacts and what is neither onto it."""
    sigmas, mask, stars = _cut(rng, plain, side)
    shape, fwhm = sigmas.shape, plain.fwhm_px
    classes, is_open = np.zeros((2, *shape), dtype=bool), np.zeros(shape, dtype=bool)
    sigmas = sigmas + _neither(rng, shape, fwhm)
    for image in _artefacts(rng, shape, fwhm, stars):
        sigmas = sigmas + image
        strength = np.abs(image)
        classes[ARTEFACT] |= strength > LEAST_ARTEFACT
        is_open |= (strength > 0.3 * LEAST_ARTEFACT) & (strength <= LEAST_ARTEFACT)
    for _ in range(int(rng.choice(4, p=[0.25, 0.45, 0.2, 0.1]))):
        trail = draw_trail(rng, shape, fwhm)
        sigmas = sigmas + trail.image
        inside = trail.distance <= max(HALF_WIDTH_FWHM * trail.fwhm_px, 1.5)
        classes[TRAIL] |= inside & (trail.snr >= LEAST_SNR)
        rim = (trail.distance <= max(1.5 * trail.fwhm_px, 4.0)) & ~inside
        is_open |= rim if trail.snr >= LEAST_SNR else inside | rim
        if rng.random() < 0.1:
            # The pipeline found some of it.
            mask = mask | (trail.distance <= rng.uniform(0.3, 1.5) * trail.fwhm_px)
    mask, glow = _with_gaps(rng, mask)
    sigmas = sigmas + glow
    # Of what is masked nobody can say what it was.
    classes &= ~mask
    is_open = (is_open | mask) & ~classes.any(axis=0)
    return Scene(np.where(mask, 0, sigmas).astype(np.float32), mask, classes, is_open)


def _cut(rng: Rng, plain: Plain, side: int) -> tuple[Image, Mask, tuple[Array, Array, Array]]:
    """Return a part of the subtraction under one of the eight symmetries and of either sign."""
    ny, nx = plain.sigmas.shape
    top, left = int(rng.integers(0, ny - side + 1)), int(rng.integers(0, nx - side + 1))
    part = np.s_[top : top + side, left : left + side]
    sigmas, mask = plain.sigmas[part].astype(np.float32), plain.mask[part]
    x, y, flux = plain.stars[0] - left, plain.stars[1] - top, plain.stars[2]
    if rng.random() < 0.5:
        sigmas, mask, x = sigmas[:, ::-1], mask[:, ::-1], side - 1 - x
    for _ in range(int(rng.integers(4))):
        sigmas, mask, x, y = np.rot90(sigmas), np.rot90(mask), y, side - 1 - x
    inside = (x > 0) & (x < side - 1) & (y > 0) & (y < side - 1)
    return sigmas * rng.choice([-1.0, 1.0]), mask.copy(), (x[inside], y[inside], flux[inside])


def draw_trail(rng: Rng, shape: Shape, fwhm_px: float, peak: float | None = None) -> Trail:
    """Draw a satellite's trail: of any angle, whole or with ends, even or flashing, straight or slightly bent.

    Its profile is a Gaussian of 1 to 1.6 times the seeing; its peak 0.5 to 20 sigma of a pixel, of either sign (that
    of the reference's trails is negative), unless `peak` says which.
    """
    y, x = (axis.astype(np.float32) for axis in np.ogrid[: shape[0], : shape[1]])
    angle, width = rng.uniform(0, np.pi), fwhm_px * rng.uniform(1.0, 1.6)
    x0, y0 = rng.uniform(0.05, 0.95) * shape[1], rng.uniform(0.05, 0.95) * shape[0]
    along = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)
    across = (x - x0) * np.sin(angle) - (y - y0) * np.cos(angle)
    if rng.random() < 0.3:
        across = across - along**2 * (rng.uniform(-1, 1) * 0.06 / max(shape))
    shown = np.ones(shape, dtype=np.float32)
    if rng.random() < 0.4:
        # It begins in the frame, or the shutter closed while it crossed.
        length = rng.uniform(SHORTEST_FWHM * fwhm_px, max(shape))
        start = -rng.uniform(0.2, 0.8) * length
        shown = ((along > start) & (along < start + length)).astype(np.float32)
    height = float(np.exp(rng.uniform(np.log(0.5), np.log(20.0)))) if peak is None else peak
    light = height * shown * _flicker(rng, along)
    image = light * np.exp(-0.5 * (across * FWHM_PER_SIGMA / width) ** 2)
    if peak is None and rng.random() < 0.2:
        image = -image
    distance = np.where(shown > 0, np.abs(across), np.float32(np.inf))
    return Trail(image.astype(np.float32), distance.astype(np.float32), width, float(np.sqrt((image**2).sum())))


def _flicker(rng: Rng, along: Image) -> Image | float:
    """Return what share of its light a trail shows along its way: that of most is even, some turn and flash."""
    if rng.random() < 0.6:
        return 1.0
    period, phase = np.exp(rng.uniform(np.log(15.0), np.log(250.0))), rng.uniform(0, 2 * np.pi)
    depth = rng.uniform(0.2, 1.0)
    wave = 0.5 + 0.5 * np.sin(along * (2 * np.pi / period) + phase)
    return 1.0 - depth + depth * wave ** rng.choice([1.0, 1.0, 3.0])


def _artefacts(rng: Rng, shape: Shape, fwhm: float, stars: tuple[Array, Array, Array]) -> list[Image]:
    """Draw what optics and detectors add: ghosts, halos, dust, spikes, bleeds, bad columns."""
    images: list[Image] = []
    if rng.random() < 0.2:
        images += [_ghost(rng, shape, fwhm) for _ in range(int(rng.integers(1, 3)))]
    if rng.random() < 0.2:
        images += [_column(rng, shape, fwhm) for _ in range(int(rng.integers(1, 3)))]
    if rng.random() < 0.25 and stars[0].size:
        for star in np.argsort(-stars[2])[: int(rng.integers(1, 4))]:
            chosen = tuple(column[star : star + 1] for column in stars)
            images.append(draw.spikes(rng, shape, chosen, 1, rng.choice([-1.0, 1.0]) * rng.uniform(0.7, 4)))  # type: ignore[arg-type]
    if rng.random() < 0.15 and stars[0].size:
        star = int(np.argmax(stars[2]))
        images.append(_bleed(rng, shape, float(stars[0][star]), float(stars[1][star])))
    return images


def _ghost(rng: Rng, shape: Shape, fwhm: float) -> Image:
    """Draw what is out of focus, a star's light that optics threw back or dust: a disc, a ring or an arc, soft-edged.

    Dust that has moved since the reference, or the flat, is there twice, once of each sign.
    """
    y, x = (axis.astype(np.float32) for axis in np.ogrid[: shape[0], : shape[1]])
    outer = fwhm * np.exp(rng.uniform(np.log(4.0), np.log(30.0)))
    inner = outer * rng.choice([0.0, rng.uniform(0.2, 0.9)])
    x, y = x - np.float32(rng.uniform(0, shape[1])), (y - np.float32(rng.uniform(0, shape[0]))) * rng.uniform(0.8, 1.25)
    radius, soft = np.hypot(x, y), rng.uniform(1.0, 4.0)
    disc = 1 / (1 + np.exp((radius - outer) / soft)) - (1 / (1 + np.exp((radius - inner) / soft)) if inner else 0)
    if inner and rng.random() < 0.4:
        towards = np.cos(np.arctan2(y, x) - rng.uniform(0, 2 * np.pi))
        disc = disc / (1 + np.exp((rng.uniform(-0.5, 0.9) - towards) * 8))
    if rng.random() < 0.3:
        disc = disc - np.roll(disc, rng.integers(-8, 9, 2), (0, 1))
    return (rng.choice([-1.0, 1.0]) * np.exp(rng.uniform(np.log(0.6), np.log(8.0))) * disc).astype(np.float32)


def _column(rng: Rng, shape: Shape, fwhm: float) -> Image:
    """Draw a column, or a row, whose charge is off along some way, blurred as the subtraction does."""
    image = np.zeros(shape, dtype=np.float32)
    middle, width = int(rng.integers(shape[1])), int(rng.integers(1, 3))
    first, last = sorted(rng.integers(0, shape[0], 2))
    rows = slice(first, last if rng.random() < 0.3 else None)
    image[rows, middle : middle + width] = rng.choice([-1.0, 1.0]) * np.exp(rng.uniform(np.log(0.6), np.log(15)))
    image = ndimage.gaussian_filter1d(image, rng.uniform(0.1, 0.5) * fwhm, axis=1)
    return image.T if rng.random() < 0.3 and shape[0] == shape[1] else image


def _bleed(rng: Rng, shape: Shape, x: float, y: float) -> Image:
    """Draw what is left of charge that ran along a column of a bright star, or along a row: images are turned."""
    image = np.zeros(shape, dtype=np.float32)
    reach, width = int(rng.integers(8, 80)), int(rng.integers(1, 4))
    rows = slice(max(0, int(y) - reach), int(y) + int(rng.integers(1, reach)))
    image[rows, max(0, int(x)) : int(x) + width] = rng.choice([-1.0, 1.0]) * np.exp(rng.uniform(np.log(3), np.log(60)))
    return image.T if rng.random() < 0.5 and shape[0] == shape[1] else image


def _neither(rng: Rng, shape: Shape, fwhm: float) -> Image:
    """Draw what looks like one and is none: trailed asteroids, comets, residuals of galaxies, uneven sky."""
    image = np.zeros(shape, dtype=np.float32)
    for _ in range(int(rng.integers(0, 5))):
        _asteroid(rng, image, fwhm)
    if rng.random() < 0.25:
        image += _comet(rng, shape, fwhm)
    if rng.random() < 0.4:
        image += rng.uniform(0.05, 0.4) * _waves(rng, shape)
    return image


def _waves(rng: Rng, shape: Shape) -> Image:
    """Draw an uneven sky: waves of 50 to 400 px."""
    image = np.zeros(shape)
    for _ in range(3):
        y, x = (np.cos(np.arange(n) * 2 * np.pi / rng.uniform(50, 400) + rng.uniform(0, 2 * np.pi)) for n in shape)
        image += np.outer(y, x)
    return image.astype(np.float32)


def _asteroid(rng: Rng, image: Image, fwhm: float) -> None:
    """Add a point that moved by 0 to 10 FWHM, as bright as it likes."""
    angle, half = rng.uniform(0, np.pi), 0.5 * fwhm * rng.uniform(0, 10)
    x0, y0 = (rng.uniform(0, n) for n in (image.shape[1], image.shape[0]))
    near, x, y = _window(image.shape, x0, y0, half + 3 * fwhm)
    along, across = x * np.cos(angle) + y * np.sin(angle), x * np.sin(angle) - y * np.cos(angle)
    beyond = np.maximum(np.abs(along) - half, 0)
    profile = np.exp(-0.5 * (across**2 + beyond**2) * (FWHM_PER_SIGMA / fwhm) ** 2)
    image[near] += rng.choice([-1.0, 1.0, 1.0]) * np.exp(rng.uniform(np.log(1.5), np.log(40))) * profile


def _window(shape: Shape, x0: float, y0: float, reach: float) -> tuple[tuple[slice, slice], Array, Array]:
    """Return what lies within `reach` px of a place along both axes, and how far from it, x and y."""
    top, left = (max(0, int(place - reach)) for place in (y0, x0))
    near = (slice(top, int(y0 + reach) + 1), slice(left, int(x0 + reach) + 1))
    y, x = np.ogrid[top : min(near[0].stop, shape[0]), left : min(near[1].stop, shape[1])]
    return near, x - x0, y - y0


def _comet(rng: Rng, shape: Shape, fwhm: float) -> Image:
    """Draw a head with a coma that falls as one over the radius, and mostly a tail that widens and fades."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    x, y = x - np.float32(rng.uniform(0, shape[1])), y - np.float32(rng.uniform(0, shape[0]))
    radius = np.hypot(x, y)
    reach = fwhm * rng.uniform(2, 8)
    image = rng.uniform(5, 40) / (1 + radius / (0.5 * fwhm)) * np.exp(-radius / reach)
    if rng.random() < 0.7:
        angle, length = rng.uniform(0, 2 * np.pi), fwhm * rng.uniform(5, 25)
        along, across = x * np.cos(angle) + y * np.sin(angle), x * np.sin(angle) - y * np.cos(angle)
        width = fwhm * (0.6 + 0.15 * np.maximum(along, 0) / fwhm)
        tail = np.exp(-np.maximum(along, 0) / length - 0.5 * (across / width) ** 2) * (along > 0)
        image = image + rng.uniform(1, 6) * tail
    return image.astype(np.float32)


def _with_gaps(rng: Rng, mask: Mask) -> tuple[Mask, Image]:
    """Mask more: what lies beyond an edge, straight or round, of any angle, and discs; and what glows along edges."""
    ny, nx = mask.shape
    mask, glow = mask.copy(), np.zeros(mask.shape, dtype=np.float32)
    if rng.random() < 0.35:
        y, x = (axis - half for axis, half in zip(np.ogrid[:ny, :nx], (ny / 2, nx / 2), strict=True))
        angle = rng.choice(4) * np.pi / 2 + rng.normal(0, 0.02) if rng.random() < 0.4 else rng.uniform(0, 2 * np.pi)
        beyond = x * np.cos(angle) + y * np.sin(angle) - rng.uniform(0.0, 0.5) * min(ny, nx)
        if rng.random() < 0.5:
            beyond = beyond + (x * np.sin(angle) - y * np.cos(angle)) ** 2 / (rng.uniform(1, 6) * max(ny, nx))
        mask |= beyond > 0
        if rng.random() < 0.5:
            height = rng.choice([-1.0, 1.0]) * rng.uniform(0.2, 3)
            glow = (height * np.exp(np.minimum(beyond, 0) / rng.uniform(1, 15))).astype(np.float32)
    for _ in range(int(rng.choice([0, 0, 1, 3]))):
        reach, x0, y0 = rng.uniform(3, 25), rng.uniform(0, nx), rng.uniform(0, ny)
        near, x, y = _window(mask.shape, x0, y0, reach)
        mask[near] |= np.hypot(x, y) < reach
    return mask, glow
