"""Pairs of calibrated frames in memory, with truth: the quickest way to put a subtraction to the test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Frame, MaskBit
from observations.numerics.simulate.sources import Array, Galaxies, MoffatPsf, Shape, galaxies, point_sources


@dataclass(frozen=True)
class PairParameters:
    """What a simulated pair shall be; fluxes in electrons of the science exposure, densities per image.

    The reference sees `reference_flux_share` of the science frame's flux per source and `reference_sky_e` of sky.
    offset_px, rotation_deg : where the reference's grid stands: a star at (x, y) of the science frame is found in the
    reference at the position rotated about the frame's centre and moved by the offset.
    transient_snr : range of the ideal S/N in the difference (background only), drawn evenly in its logarithm.
    n_galaxies : at 19 mag, where the faintest of them are, a real field has as many as stars.
    """

    seed: int
    shape: Shape = (512, 512)
    n_stars: int = 300
    n_galaxies: int = 40
    n_transients: int = 12
    host_share: float = 0.5
    transient_snr: tuple[float, float] = (8.0, 60.0)
    brightest_e: float = 4e5
    faintest_e: float = 100.0
    fwhm_science_px: float = 3.0
    fwhm_reference_px: float = 3.4
    ellipticity: float = 0.05
    psf_variation: float = 0.0
    reference_flux_share: float = 1.0
    science_sky_e: float = 900.0
    reference_sky_e: float = 900.0
    sky_gradient: float = 0.05
    gain_e_per_adu: float = 1.5
    read_noise_e: float = 9.0
    saturation_adu: float = 60000.0
    offset_px: tuple[float, float] = (0.0, 0.0)
    rotation_deg: float = 0.0
    noise: bool = True
    pixel_scale_arcsec: float = 1.2


@dataclass(frozen=True)
class PairTransients:
    """The injected transients as arrays (n,): x, y in science pixels (0-based), flux in science ADU, ideal S/N."""

    x: Array
    y: Array
    flux: Array
    snr: Array
    is_on_host: NDArray[np.bool_]


@dataclass(frozen=True)
class Pair:
    """A science and a reference frame in ADU, background included, with truth.

    The true point-spread functions are callables (x, y) -> odd square, each in its own frame's pixels. Saturated
    pixels are masked. Stars are kept (x, y in science pixels, flux in science ADU) for tests of photometry.
    """

    science: Frame
    reference: Frame
    transients: PairTransients
    psf_science: MoffatPsf
    psf_reference: MoffatPsf
    star_x: Array
    star_y: Array
    star_flux: Array


def power_law_fluxes(rng: np.random.Generator, n: int, faintest: float, brightest: float, slope: float = 0.6) -> Array:
    """Return n fluxes whose cumulative counts fall as flux**-slope: 0.6 is a Euclidean sky, and near enough to ours."""
    low, high = faintest**-slope, brightest**-slope
    return (high + rng.random(n) * (low - high)) ** (-1 / slope)


def move(x: Array, y: Array, shape: Shape, offset_px: tuple[float, float], rotation_deg: float) -> tuple[Array, Array]:
    """Return positions rotated (from +x towards +y) about the centre of `shape` and moved by offset_px (dx, dy)."""
    cx, cy = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    c, s = math.cos(math.radians(rotation_deg)), math.sin(math.radians(rotation_deg))
    return (cx + c * (x - cx) - s * (y - cy) + offset_px[0], cy + s * (x - cx) + c * (y - cy) + offset_px[1])


def sky_surface(shape: Shape, level: float, gradient: float, angle: float) -> Array:
    """Return a sky (ny, nx) of mean `level`, tilted by the share `gradient` from side to side towards `angle` [rad]."""
    y, x = np.mgrid[-0.5 : 0.5 : shape[0] * 1j, -0.5 : 0.5 : shape[1] * 1j]
    return level * (1 + gradient * (x * math.cos(angle) + y * math.sin(angle)))


def matched_filter_snr(
    flux: Array, psf_science: Array, psf_reference: Array, noise_science: float, noise_reference: float
) -> Array:
    """Return the S/N a source of `flux` reaches in an ideal proper difference on empty sky.

    Zackay, Ofek & Gal-Yam (2016, ApJ 830, 27): the score is a matched filter on white noise, whose S/N squared is
    flux² times the integral of |P_n|²|P_r|² / (sigma_n²|P_r|² + sigma_r²|P_n|²), both images of flux scale 1.

    Parameters
    ----------
    flux : (n,). psf_* : square stamps of sum 1. noise_* : rms per pixel, in the unit of flux.
    """
    size = 2 * max(psf_science.shape[0], psf_reference.shape[0])
    p_n = np.abs(np.fft.fft2(psf_science, (size, size))) ** 2
    p_r = np.abs(np.fft.fft2(psf_reference, (size, size))) ** 2
    denominator = noise_science**2 * p_r + noise_reference**2 * p_n
    share = np.divide(p_n * p_r, denominator, out=np.zeros_like(p_n), where=denominator > 0)
    return flux * math.sqrt(share.mean())


def simulate_pair(parameters: PairParameters) -> Pair:
    """Simulate a calibrated pair: stars, galaxies and sky in both frames, transients in the science frame only.

    On one common pixel grid unless an offset or a rotation is asked for. No detector defects but saturation. The
    same parameters give the same pixels.

    Returns
    -------
    Pair : frames of unit ADU whose noise is Poisson plus read noise, exactly as `gain` and `read_noise` say.
    """
    p = parameters
    rng = np.random.default_rng([p.seed, 1])
    psf_science = _psf(rng, p, p.fwhm_science_px)
    psf_reference = _psf(rng, p, p.fwhm_reference_px)
    x, y = _positions(rng, p, p.n_stars, -20.0)
    flux = power_law_fluxes(rng, p.n_stars, p.faintest_e, p.brightest_e)
    hosts = _galaxies(rng, p)
    found = _transients(rng, p, hosts, (psf_science, psf_reference))
    science = point_sources(
        p.shape, np.append(x, found.x), np.append(y, found.y), np.append(flux, found.flux), psf_science
    ) + galaxies(p.shape, hosts, psf_science)
    rx, ry = move(x, y, p.shape, p.offset_px, p.rotation_deg)
    gx, gy = move(hosts.x, hosts.y, p.shape, p.offset_px, p.rotation_deg)
    turned = Galaxies(
        gx, gy, hosts.flux, hosts.radius_px, hosts.index, hosts.axis_ratio, hosts.angle + math.radians(p.rotation_deg)
    )
    reference = point_sources(p.shape, rx, ry, flux, psf_reference) + galaxies(p.shape, turned, psf_reference)
    angles = rng.uniform(0, 2 * math.pi, 2)
    sky_n = sky_surface(p.shape, p.science_sky_e, p.sky_gradient, angles[0])
    sky_r = sky_surface(p.shape, p.reference_sky_e, p.sky_gradient, angles[1])
    transients = PairTransients(found.x, found.y, found.flux / p.gain_e_per_adu, found.snr, found.is_on_host)
    return Pair(
        _expose(np.random.default_rng([p.seed, 2]), science + sky_n, p, psf_science),
        _expose(np.random.default_rng([p.seed, 3]), reference * p.reference_flux_share + sky_r, p, psf_reference),
        transients,
        psf_science,
        psf_reference,
        x,
        y,
        flux / p.gain_e_per_adu,
    )


def _psf(rng: np.random.Generator, p: PairParameters, fwhm_px: float) -> MoffatPsf:
    angle = rng.uniform(0, 2 * math.pi)
    return MoffatPsf(
        fwhm_px, p.shape, 3.0, p.ellipticity * math.cos(angle), p.ellipticity * math.sin(angle), p.psf_variation
    )


def _positions(rng: np.random.Generator, p: PairParameters, n: int, margin: float) -> tuple[Array, Array]:
    return (rng.uniform(margin, p.shape[1] - 1 - margin, n), rng.uniform(margin, p.shape[0] - 1 - margin, n))


def _galaxies(rng: np.random.Generator, p: PairParameters) -> Galaxies:
    n = p.n_galaxies
    x, y = _positions(rng, p, n, 30.0)
    flux = power_law_fluxes(rng, n, 3e3, 1e5, 0.8)
    return Galaxies(
        x,
        y,
        flux,
        rng.uniform(1.5, 5.0, n),
        rng.choice([1.0, 1.5, 2.5, 4.0], n),
        rng.uniform(0.4, 1.0, n),
        rng.uniform(0, math.pi, n),
    )


def _transients(
    rng: np.random.Generator, p: PairParameters, hosts: Galaxies, psfs: tuple[MoffatPsf, MoffatPsf]
) -> PairTransients:
    """Place transients, on hosts within a half-light radius as far as there are hosts, with the S/N asked for."""
    n = p.n_transients
    x, y = _positions(rng, p, n, 30.0)
    on_host = np.arange(n) < min(round(n * p.host_share), hosts.x.size)
    which = rng.permutation(hosts.x.size)[: int(on_host.sum())]
    distance = rng.uniform(0, 1, which.size) * hosts.radius_px[which]
    angle = rng.uniform(0, 2 * math.pi, which.size)
    x[on_host] = hosts.x[which] + distance * np.cos(angle)
    y[on_host] = hosts.y[which] + distance * np.sin(angle)
    cx, cy = (p.shape[1] - 1) / 2, (p.shape[0] - 1) / 2
    noise_n = math.sqrt(p.science_sky_e + p.read_noise_e**2)
    noise_r = math.sqrt(p.reference_sky_e + p.read_noise_e**2) / p.reference_flux_share
    unit = matched_filter_snr(np.ones(1), psfs[0](cx, cy), psfs[1](cx, cy), noise_n, noise_r)[0]
    snr = np.exp(rng.uniform(math.log(p.transient_snr[0]), math.log(p.transient_snr[1]), n))
    return PairTransients(x, y, snr / unit, snr, on_host)


def _expose(rng: np.random.Generator, electrons: Array, p: PairParameters, psf: MoffatPsf) -> Frame:
    """Return the frame that an ideal, calibrated detector makes of expected electrons per pixel."""
    if p.noise:
        electrons = rng.poisson(electrons) + rng.normal(0, p.read_noise_e, p.shape)
    data = (electrons / p.gain_e_per_adu).astype(np.float32)
    saturated = data >= p.saturation_adu
    bits = np.where(saturated, np.uint16(MaskBit.SATURATED), np.uint16(0))
    return Frame(
        np.minimum(data, np.float32(p.saturation_adu)),
        saturated,
        bits,
        gain=p.gain_e_per_adu,
        read_noise=p.read_noise_e,
        saturation=p.saturation_adu,
        psf=psf,
        exposure_s=180.0,
        band="R",
        pixel_scale_arcsec=p.pixel_scale_arcsec,
    )
