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


@dataclass(frozen=True)
class SurveyParameters:
    """What a pair shall be; fluxes in electrons of the science exposure, numbers per Mpx.

    saturated_per_mpx : stars on top of the others that overflow. galaxy_radius_px : least and largest half-light
    radius, even in its logarithm: the smallest cannot be told from stars. fading_share : of the transients that are in
    the reference only. transient_snr : range of the ideal S/N in the difference on empty sky, even in its logarithm.
    variation_science, variation_reference : relative change of the FWHM from the centre to the worst corner, with the
    change of ellipticity that goes with it (see `MoffatPsf.local`).
    reference_share : of the science frame's light that the reference has. offset_px, distortion_px : where a star of
    the science frame is found in the reference: moved by the offset in a random direction, and away from the optical
    axis by the third power of the distance, `distortion_px` in the corners.
    cosmic_rays, bad_columns, bad_pixels : per Mpx and frame.
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
    reference_share: float = 1.25
    science_sky_e: float = 900.0
    reference_sky_e: float = 800.0
    sky_gradient: float = 0.05
    gain_e_per_adu: float = 1.5
    read_noise_e: float = 9.0
    full_well_e: float = 88_500.0
    offset_px: float = 0.0
    distortion_px: float = 0.0
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
class SurveyPair:
    """Two frames in ADU, background included, and all that is known about them.

    sky_science, sky_reference : true sky, ADU. static_science, static_reference : expected ADU of sky and all that does not change, as a perfect detector would
    collect it (a saturated star goes on rising). changes_science, changes_reference : expected ADU of transients, those
    that fade at their place in the science frame. noise_science, noise_reference : what the frame holds
    beside its expected light, meaningless in masked pixels. The masks say what is saturated, hit or broken, no more.
    flux_scale : reference counts times this are science counts.
    """

    science: Frame
    reference: Frame
    transients: SurveyTransients
    psf_science: MoffatPsf
    psf_reference: MoffatPsf
    sky_science: Image
    sky_reference: Image
    static_science: Image
    static_reference: Image
    changes_science: Image
    changes_reference: Image
    noise_science: Image
    noise_reference: Image
    flux_scale: float


@dataclass(frozen=True)
class _Sky:
    """What is there: stars, galaxies, transients; fluxes in electrons of the science exposure."""

    x: Array
    y: Array
    flux: Array
    hosts: Galaxies
    transients: SurveyTransients


def simulate_survey_pair(parameters: SurveyParameters) -> SurveyPair:
    """Simulate a calibrated pair on nearly one pixel grid; the same parameters give the same pixels.

    Distortion and offset are drawn into the reference, whose pixels are never resampled.

    Returns
    -------
    SurveyPair : frames of unit ADU whose noise is Poisson plus read noise, exactly as `gain` and `read_noise` say.
    """
    p = parameters
    rng = np.random.default_rng([p.seed, 11])
    psf_n, psf_r = psfs_of(p)
    sky = _sky(rng, p, psf_n, psf_r)
    direction = rng.uniform(0, 2 * math.pi)
    sky_n, sky_r = skies_of(p)
    t, fading = sky.transients, sky.transients.is_fading

    def changes(which: NDArray[np.bool_], x: Array, y: Array, psf: MoffatPsf) -> Array:
        return point_sources(p.shape, x[which], y[which], np.abs(t.flux[which]), psf)

    rx, ry = distorted(sky.x, sky.y, p, direction)
    gx, gy = distorted(sky.hosts.x, sky.hosts.y, p, direction)
    tx, ty = distorted(t.x, t.y, p, direction)
    light_n = point_sources(p.shape, sky.x, sky.y, sky.flux, psf_n) + galaxies(p.shape, sky.hosts, psf_n)
    light_r = point_sources(p.shape, rx, ry, sky.flux, psf_r) + galaxies(p.shape, replace(sky.hosts, x=gx, y=gy), psf_r)
    new = changes(~fading, t.x, t.y, psf_n)
    old = changes(fading, t.x, t.y, psf_r) * p.reference_share
    old_there = changes(fading, tx, ty, psf_r) * p.reference_share
    static_n, static_r = light_n + sky_n, light_r * p.reference_share + sky_r
    science, noise_n = _expose(np.random.default_rng([p.seed, 12]), static_n + new, p)
    reference, noise_r = _expose(np.random.default_rng([p.seed, 13]), static_r + old_there, p)
    images = (sky_n, sky_r, static_n, static_r, new, old, noise_n, noise_r)
    images = [(e / p.gain_e_per_adu).astype(np.float32) for e in images]
    return SurveyPair(
        science, reference, replace(t, flux=t.flux / p.gain_e_per_adu), psf_n, psf_r, *images, 1 / p.reference_share
    )


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
    return (
        _psf(rng, p, p.fwhm_science_px, p.variation_science),
        _psf(rng, p, p.fwhm_reference_px, p.variation_reference),
    )


def skies_of(p: SurveyParameters) -> tuple[Array, Array]:
    """Return the true sky of both frames in electrons, each tilted its own way."""
    tilts = np.random.default_rng([p.seed, 14]).uniform(0, 2 * math.pi, 2)
    return (
        sky_surface(p.shape, p.science_sky_e, p.sky_gradient, tilts[0]),
        sky_surface(p.shape, p.reference_sky_e, p.sky_gradient, tilts[1]),
    )


def _psf(rng: Rng, p: SurveyParameters, fwhm_px: float, variation: float) -> MoffatPsf:
    angle = rng.uniform(0, 2 * math.pi)
    return MoffatPsf(fwhm_px, p.shape, 3.0, p.ellipticity * math.cos(angle), p.ellipticity * math.sin(angle), variation)


def _places(rng: Rng, p: SurveyParameters, n: int, margin: float) -> tuple[Array, Array]:
    return rng.uniform(margin, p.shape[1] - 1 - margin, n), rng.uniform(margin, p.shape[0] - 1 - margin, n)


def _sky(rng: Rng, p: SurveyParameters, psf_n: MoffatPsf, psf_r: MoffatPsf) -> _Sky:
    stars, saturated = p.count(p.stars_per_mpx), p.count(p.saturated_per_mpx)
    x, y = _places(rng, p, stars + saturated, -20.0)
    flux = np.append(power_law_fluxes(rng, stars, *p.star_e), _between(rng, p.saturated_e, saturated))
    n = p.count(p.galaxies_per_mpx)
    gx, gy = _places(rng, p, n, -20.0)
    hosts = Galaxies(
        gx,
        gy,
        power_law_fluxes(rng, n, *p.galaxy_e, 0.8),
        _between(rng, p.galaxy_radius_px, n),
        rng.choice([0.5, 1.0, 1.5, 2.5, 4.0], n),
        rng.uniform(0.4, 1.0, n),
        rng.uniform(0, math.pi, n),
    )
    return _Sky(x, y, flux, hosts, _transients(rng, p, hosts, (psf_n, psf_r)))


def _between(rng: Rng, ends: tuple[float, float], n: int) -> Array:
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
    noise_r = math.sqrt(p.reference_sky_e + p.read_noise_e**2) / p.reference_share
    unit = [matched_filter_snr(np.ones(1), *(psf(x[k], y[k]) for psf in psfs), noise_n, noise_r)[0] for k in chosen]
    return SurveyTransients(x[chosen], y[chosen], sign * snr / np.array(unit), snr, chosen < which.size)


def _expose(rng: Rng, expected: Array, p: SurveyParameters) -> tuple[Frame, Array]:
    """Return the calibrated frame that a real detector makes of expected electrons, and its noise in electrons."""
    electrons = rng.poisson(expected) + rng.normal(0, p.read_noise_e, p.shape)
    noise = electrons - expected
    hits = cosmic_rays(rng, p.shape, p.count(p.cosmic_rays))
    bits = np.zeros(p.shape, dtype=np.uint16)
    broken = _broken(rng, p)
    electrons = np.where(broken, BAD_COLUMN_RESPONSE * electrons, electrons)
    bled = bleed(electrons + hits, p.full_well_e)
    bits[broken] |= np.uint16(MaskBit.BAD)
    bits[hits > 0] |= np.uint16(MaskBit.COSMIC_RAY)
    bits[bled >= FULL * p.full_well_e] |= np.uint16(MaskBit.SATURATED)
    return calibrated((bled / p.gain_e_per_adu).astype(np.float32), bits, p), noise


def calibrated(data: Image, bits: NDArray[np.uint16], p: SurveyParameters) -> Frame:
    """Return pixels in ADU and their mask bits as a frame of the simulated camera."""
    return Frame(
        data,
        bits != 0,
        bits,
        gain=p.gain_e_per_adu,
        read_noise=p.read_noise_e,
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
