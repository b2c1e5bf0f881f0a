"""Pairs as a survey delivers them, with truth: as many galaxies as stars, distortion, defects, sources that fade.

Where `pair` makes the plain pairs that tests want, this one makes those on which a subtraction is measured: nothing
in them is kinder than the sky. What an ideal subtraction may know is kept: the expected light of both frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from observations.numerics.frame import Frame, Image, Mask, MaskBit
from observations.numerics.simulate.detector import bleed, cosmic_rays
from observations.numerics.simulate.pair import matched_filter_snr, power_law_fluxes, sky_surface
from observations.numerics.simulate.sources import Array, Galaxies, MoffatPsf, Shape, galaxies, point_sources

Rng = np.random.Generator

# Positions are kept from the edge by so much, so that every transient can be found.
MARGIN_PX = 30.0
# Two transients closer than this could be taken for each other.
APART_PX = 12.0
# Where a pixel counts as full, of the full well: the charge that has bled along a column lies just below it.
FULL = 0.98
# What a column with a trap reads of its light.
BAD_COLUMN_RESPONSE = 0.35
# Colours are drawn in steps of this, in units of their scatter, and no source is further off than the second number.
COLOUR_STEP, COLOUR_MOST = 0.5, 2.5


@dataclass(frozen=True)
class SurveyParameters:
    """What a pair shall be; fluxes in electrons of the science exposure, numbers per Mpx.

    saturated_per_mpx : stars on top of the others that overflow. galaxy_radius_px : least and largest half-light
    radius, even in its logarithm: the smallest cannot be told from stars. fading_share : of the transients that are in
    the reference only. transient_snr : range of the ideal S/N in the difference on empty sky, even in its logarithm.
    variation_science, variation_reference : relative change of the FWHM from the centre to the worst corner, with the
    change of ellipticity that goes with it (see `MoffatPsf.local`). aureole : share of a source's light in a halo.
    reference_share : of the science frame's light that the reference has. reference_frames : of which it is the mean,
    each dithered by parts of a pixel and resampled linearly, which correlates the noise.
    offset_px, distortion_px : where a star of the science frame is found in the reference: moved by the offset in a
    random direction, and away from the optical axis by the third power of the distance, `distortion_px` in the corners.
    colour_fwhm, colour_flux : relative change of the FWHM of both frames, and of the light in the reference, of a
    source one standard deviation redder than the mean. cosmic_rays, bad_columns, bad_pixels : per Mpx and frame.
    """

    seed: int
    shape: Shape = (1024, 1024)
    stars_per_mpx: int = 700
    saturated_per_mpx: int = 0
    galaxies_per_mpx: int = 700
    transients_per_mpx: int = 220
    host_share: float = 0.5
    fading_share: float = 0.15
    transient_snr: tuple[float, float] = (2.6, 40.0)
    star_e: tuple[float, float] = (300.0, 4e5)
    saturated_e: tuple[float, float] = (1.6e6, 8e6)
    galaxy_e: tuple[float, float] = (400.0, 3e5)
    galaxy_radius_px: tuple[float, float] = (0.3, 8.0)
    fwhm_science_px: float = 3.4
    fwhm_reference_px: float = 2.8
    ellipticity: float = 0.05
    variation_science: float = 0.0
    variation_reference: float = 0.0
    aureole: float = 0.0
    reference_share: float = 1.25
    reference_frames: int = 1
    science_sky_e: float = 900.0
    reference_sky_e: float = 800.0
    sky_gradient: float = 0.05
    gain_e_per_adu: float = 1.5
    read_noise_e: float = 9.0
    full_well_e: float = 88_500.0
    offset_px: float = 0.0
    distortion_px: float = 0.0
    colour_fwhm: float = 0.0
    colour_flux: float = 0.0
    cosmic_rays: int = 0
    bad_columns: int = 0
    bad_pixels: int = 0

    def count(self, per_mpx: float) -> int:
        """Return how many there are in the frame at a density per Mpx."""
        return round(per_mpx * self.shape[0] * self.shape[1] / 2**20)


@dataclass(frozen=True)
class SurveyTransients:
    """What has changed, arrays (n,): 0-based x, y in science pixels, flux in science ADU, negative where it faded.

    snr : ideal S/N on empty sky, of local PSFs.
    """

    x: Array
    y: Array
    flux: Array
    snr: Array
    is_on_host: NDArray[np.bool_]

    @property
    def is_fading(self) -> NDArray[np.bool_]:
        return self.flux < 0


@dataclass(frozen=True)
class SurveySide:
    """One frame in ADU, background included, and all that is known about it; images in its ADU.

    frame : its mask says what is saturated, hit or broken, no more. psf : of a source of mean colour. sky : the true
    one. static : expected light of the sky and of all that does not change, as a perfect detector would collect it (a
    saturated star goes on rising). changes : expected light of transients, at their place in the science frame.
    noise : what the frame holds beside its expected light, meaningless in masked pixels. dithers_px : how far the
    frames of a stack were moved, each by linear interpolation; empty for a single exposure.
    """

    frame: Frame
    psf: MoffatPsf
    sky: Image
    static: Image
    changes: Image
    noise: Image
    dithers_px: tuple[tuple[float, float], ...] = ()

    @property
    def variance(self) -> Image:
        """The true variance of every pixel's noise, ADU², before any resampling."""
        gain, read_noise = self.frame.gain or 1.0, self.frame.read_noise or 0.0
        return self.static / np.float32(gain) + np.float32((read_noise / gain) ** 2)


@dataclass(frozen=True)
class SurveyPair:
    """Two frames nearly on one grid, and what changed. flux_scale : reference counts times this are science counts."""

    science: SurveySide
    reference: SurveySide
    transients: SurveyTransients
    flux_scale: float


@dataclass(frozen=True)
class _Sky:
    """What is there: stars, galaxies and their colours, transients; fluxes in electrons of the science exposure."""

    x: Array
    y: Array
    flux: Array
    colour: Array
    hosts: Galaxies
    host_colour: Array
    transients: SurveyTransients


def simulate_survey_pair(parameters: SurveyParameters) -> SurveyPair:
    """Simulate a calibrated pair on nearly one pixel grid; the same parameters give the same pixels.

    Distortion and offset are drawn into the reference, whose light is never resampled: of a stack only the noise is.

    Returns
    -------
    SurveyPair : frames of unit ADU whose noise is Poisson plus read noise, exactly as `gain` and `read_noise` say.
    """
    p = parameters
    rng = np.random.default_rng([p.seed, 11])
    psfs = psfs_of(p)
    sky = _sky(rng, p, psfs)
    direction = rng.uniform(0, 2 * math.pi)
    t = sky.transients

    def changed(which: NDArray[np.bool_], place: tuple[Array, Array], psf: MoffatPsf) -> Array:
        return point_sources(p.shape, place[0][which], place[1][which], np.abs(t.flux[which]), psf)

    there = {name: distorted(*place, p, direction) for name, place in (("stars", (sky.x, sky.y)),
             ("hosts", (sky.hosts.x, sky.hosts.y)), ("transients", (t.x, t.y)))}  # fmt: skip
    seen = replace(
        sky,
        x=there["stars"][0],
        y=there["stars"][1],
        flux=sky.flux * (1 + p.colour_flux * sky.colour),
        hosts=replace(
            sky.hosts,
            x=there["hosts"][0],
            y=there["hosts"][1],
            flux=sky.hosts.flux * (1 + p.colour_flux * sky.host_colour),
        ),
    )
    light = _drawn(sky, p, psfs[0]), p.reference_share * _drawn(seen, p, psfs[1])
    new = changed(~t.is_fading, (t.x, t.y), psfs[0])
    old = p.reference_share * changed(t.is_fading, (t.x, t.y), psfs[1])
    old_there = p.reference_share * changed(t.is_fading, there["transients"], psfs[1])
    science = _side(p, light[0], (new, new), psfs[0], is_reference=False)
    reference = _side(p, light[1], (old_there, old), psfs[1], is_reference=True)
    return SurveyPair(science, reference, replace(t, flux=t.flux / p.gain_e_per_adu), 1 / p.reference_share)


def distorted(x: Array, y: Array, p: SurveyParameters, direction: float) -> tuple[Array, Array]:
    """Return where positions of the science frame are in the reference; direction : of the offset, radians."""
    cx, cy = (p.shape[1] - 1) / 2, (p.shape[0] - 1) / 2
    corner = math.hypot(cx, cy)
    stretch = p.distortion_px * np.hypot(x - cx, y - cy) ** 2 / corner**3
    return (
        x + p.offset_px * math.cos(direction) + stretch * (x - cx),
        y + p.offset_px * math.sin(direction) + stretch * (y - cy),
    )


def psfs_of(p: SurveyParameters) -> tuple[MoffatPsf, MoffatPsf]:
    """Return the true PSFs of the science frame and of the reference, each in its own pixels."""
    rng = np.random.default_rng([p.seed, 10])
    out = []
    for fwhm, variation in ((p.fwhm_science_px, p.variation_science), (p.fwhm_reference_px, p.variation_reference)):
        angle = rng.uniform(0, 2 * math.pi)
        e1, e2 = p.ellipticity * math.cos(angle), p.ellipticity * math.sin(angle)
        out.append(MoffatPsf(fwhm, p.shape, 3.0, e1, e2, variation, p.aureole))
    return out[0], out[1]


def skies_of(p: SurveyParameters) -> tuple[Array, Array]:
    """Return the true sky of both frames in electrons, each tilted its own way."""
    tilts = np.random.default_rng([p.seed, 14]).uniform(0, 2 * math.pi, 2)
    return (
        sky_surface(p.shape, p.science_sky_e, p.sky_gradient, tilts[0]),
        sky_surface(p.shape, p.reference_sky_e, p.sky_gradient, tilts[1]),
    )


def dithers_of(p: SurveyParameters) -> tuple[tuple[float, float], ...]:
    """Return by how much the frames of the reference were moved in x and y, pixels; nothing for a single one."""
    if p.reference_frames == 1:
        return ()
    moves = np.random.default_rng([p.seed, 15]).uniform(0, 1, (p.reference_frames, 2))
    return tuple((float(dx), float(dy)) for dx, dy in moves)


def dithered(image: NDArray[np.floating], move_px: tuple[float, float]) -> NDArray[np.floating]:
    """Return the image moved by parts of a pixel by linear interpolation, its edges joined."""
    dx, dy = move_px
    moved = (1 - dx) * image + dx * np.roll(image, 1, axis=1)
    return (1 - dy) * moved + dy * np.roll(moved, 1, axis=0)


def _places(rng: Rng, p: SurveyParameters, n: int, margin: float) -> tuple[Array, Array]:
    return rng.uniform(margin, p.shape[1] - 1 - margin, n), rng.uniform(margin, p.shape[0] - 1 - margin, n)


def _sky(rng: Rng, p: SurveyParameters, psfs: tuple[MoffatPsf, MoffatPsf]) -> _Sky:
    stars, saturated = p.count(p.stars_per_mpx), p.count(p.saturated_per_mpx)
    x, y = _places(rng, p, stars + saturated, -20.0)
    flux = np.append(power_law_fluxes(rng, stars, *p.star_e), _between(rng, p.saturated_e, saturated))
    n = p.count(p.galaxies_per_mpx)
    hosts = Galaxies(
        *_places(rng, p, n, -20.0),
        power_law_fluxes(rng, n, *p.galaxy_e, 0.8),
        _between(rng, p.galaxy_radius_px, n),
        rng.choice([0.5, 1.0, 1.5, 2.5, 4.0], n),
        rng.uniform(0.4, 1.0, n),
        rng.uniform(0, math.pi, n),
    )
    transients = _transients(rng, p, hosts, psfs)
    colours = [np.clip(rng.normal(size=count), -COLOUR_MOST, COLOUR_MOST) for count in (x.size, n)]
    return _Sky(x, y, flux, colours[0], hosts, colours[1], transients)


def _between(rng: Rng, ends: tuple[float, float], n: int) -> Array:
    """Return n numbers, even in their logarithm, between two."""
    return np.exp(rng.uniform(math.log(ends[0]), math.log(ends[1]), n))


def _transients(rng: Rng, p: SurveyParameters, hosts: Galaxies, psfs: tuple[MoffatPsf, MoffatPsf]) -> SurveyTransients:
    """Place transients apart from each other, on hosts within a half-light radius as far as there are hosts."""
    n = p.count(p.transients_per_mpx)
    x, y = _places(rng, p, 2 * n, MARGIN_PX)
    inside = np.abs(hosts.x - (p.shape[1] - 1) / 2) < p.shape[1] / 2 - MARGIN_PX
    inside &= np.abs(hosts.y - (p.shape[0] - 1) / 2) < p.shape[0] / 2 - MARGIN_PX
    which = rng.permutation(np.flatnonzero(inside))[: round(2 * n * p.host_share)]
    distance, angle = rng.uniform(0, 1, which.size) * hosts.radius_px[which], rng.uniform(0, 2 * math.pi, which.size)
    x[: which.size] = hosts.x[which] + distance * np.cos(angle)
    y[: which.size] = hosts.y[which] + distance * np.sin(angle)
    order = rng.permutation(2 * n)
    close = cKDTree(np.column_stack([x, y])[order]).query_pairs(APART_PX, output_type="ndarray")
    chosen = np.delete(order, np.unique(close.max(axis=1)))[:n] if len(close) else order[:n]
    snr = _between(rng, p.transient_snr, chosen.size)
    sign = np.where(rng.random(chosen.size) < p.fading_share, -1.0, 1.0)
    noise_n = math.sqrt(p.science_sky_e + p.read_noise_e**2)
    noise_r = math.sqrt((p.reference_sky_e + p.read_noise_e**2) / p.reference_frames) / p.reference_share
    unit = [
        matched_filter_snr(np.ones(1), psfs[0](x[k], y[k]), psfs[1](x[k], y[k]), noise_n, noise_r)[0] for k in chosen
    ]
    return SurveyTransients(x[chosen], y[chosen], sign * snr / np.array(unit), snr, chosen < which.size)


def _drawn(sky: _Sky, p: SurveyParameters, psf: MoffatPsf) -> Array:
    """Draw stars and galaxies, each with the PSF of its colour."""
    image = np.zeros(p.shape)
    steps = [np.round(c / COLOUR_STEP) * (p.colour_fwhm > 0) for c in (sky.colour, sky.host_colour)]
    for step in np.unique(np.concatenate(steps)):
        own = replace(psf, fwhm_px=psf.fwhm_px * (1 + p.colour_fwhm * COLOUR_STEP * float(step)))
        stars, hosts = (s == step for s in steps)
        image += point_sources(p.shape, sky.x[stars], sky.y[stars], sky.flux[stars], own)
        g = sky.hosts
        columns = (g.x, g.y, g.flux, g.radius_px, g.index, g.axis_ratio, g.angle)
        image += galaxies(p.shape, Galaxies(*(column[hosts] for column in columns)), own)
    return image


def _side(
    p: SurveyParameters, light: Array, changes: tuple[Array, Array], psf: MoffatPsf, *, is_reference: bool
) -> SurveySide:
    """Expose one frame. changes : electrons as they are seen, and at their place in the science frame."""
    rng = np.random.default_rng([p.seed, 13 if is_reference else 12])
    sky = skies_of(p)[is_reference]
    dithers = dithers_of(p) if is_reference else ()
    expected = light + sky + changes[0]
    exposures = [
        dithered(rng.poisson(expected) - expected + rng.normal(0, p.read_noise_e, p.shape), move)
        for move in dithers or ((0.0, 0.0),)
    ]
    noise = np.mean(exposures, axis=0)
    frame = calibrated(*_read_out(rng, expected + noise, p), p, frames=len(exposures))
    in_adu = ((e / p.gain_e_per_adu).astype(np.float32) for e in (sky, light + sky, changes[1], noise))
    level, static, changed, left = in_adu
    return SurveySide(frame, psf, level, static, changed, left, dithers)


def _read_out(rng: Rng, electrons: Array, p: SurveyParameters) -> tuple[Image, NDArray[np.uint16]]:
    """Return what a real detector makes of the electrons, in ADU, and the mask bits of what it spoils."""
    hits = cosmic_rays(rng, p.shape, p.count(p.cosmic_rays))
    bits = np.zeros(p.shape, dtype=np.uint16)
    broken = _broken(rng, p)
    bled = bleed(np.where(broken, BAD_COLUMN_RESPONSE * electrons, electrons) + hits, p.full_well_e)
    bits[broken] |= np.uint16(MaskBit.BAD)
    bits[hits > 0] |= np.uint16(MaskBit.COSMIC_RAY)
    bits[bled >= FULL * p.full_well_e] |= np.uint16(MaskBit.SATURATED)
    return (bled / p.gain_e_per_adu).astype(np.float32), bits


def calibrated(data: Image, bits: NDArray[np.uint16], p: SurveyParameters, *, frames: int = 1) -> Frame:
    """Return pixels in ADU and their mask bits as a frame of the simulated camera, or as the mean of several."""
    return Frame(
        data,
        bits != 0,
        bits,
        gain=p.gain_e_per_adu * frames,
        read_noise=p.read_noise_e * math.sqrt(frames),
        saturation=FULL * p.full_well_e / p.gain_e_per_adu,
        exposure_s=180.0,
        band="R",
        pixel_scale_arcsec=1.2,
    )


def _broken(rng: Rng, p: SurveyParameters) -> Mask:
    """Draw bad columns, which begin somewhere and go on to the top, and single bad pixels."""
    ny, nx = p.shape
    broken = np.zeros(p.shape, dtype=bool)
    for column in rng.integers(0, nx, p.count(p.bad_columns)):
        broken[rng.integers(0, ny) :, column] = True
    n = p.count(p.bad_pixels)
    broken[rng.integers(0, ny, n), rng.integers(0, nx, n)] = True
    return broken
