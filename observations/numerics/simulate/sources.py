"""Point sources and galaxies as a telescope's optics show them: seeded nights are drawn with these."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.optimize import nnls

Array = NDArray[np.float64]
Shape = tuple[int, int]

# Three Gauss-Legendre nodes per pixel and axis integrate a Moffat of FWHM 2.5 px to 2e-5 of its flux (tested at 1e-4).
NODES, WEIGHTS = (node / 2 for node in np.polynomial.legendre.leggauss(3))
# A star's image never ends inside this many FWHM: 0.3 % of a Moffat of beta 3 lies beyond, and less for bright stars.
SMALLEST_RADIUS_FWHM = 4.0
# The stamp of a point-spread function reaches this far: 0.07 % of a Moffat of beta 3 lies beyond.
PSF_RADIUS_FWHM = 6.0
# An aureole (dust, scattering in air and optics) falls as the fourth power of the radius, where a Moffat of beta 3
# falls as the sixth; it is so much wider than the core, and stamps that hold it reach twice as far.
AUREOLE_BETA = 2.0
AUREOLE_WIDTH = 8.0
AUREOLE_REACH = 2.0


@dataclass(frozen=True)
class MoffatPsf:
    """A Moffat point-spread function that varies smoothly over the field; callable (x, y) -> odd square, sum 1.

    fwhm_px : FWHM at the field's centre (geometric mean of the axes). shape : (ny, nx) of the field.
    beta : the Moffat exponent. e1, e2 : ellipticity 1 - b/a times cos and sin of twice the position angle (from +x
    towards +y). variation : relative change of the FWHM between the centre and the worst corner. aureole : share of
    the light in a wide round halo, see `AUREOLE_BETA`.
    """

    fwhm_px: float
    shape: Shape
    beta: float = 3.0
    e1: float = 0.0
    e2: float = 0.0
    variation: float = 0.0
    aureole: float = 0.0

    def local(self, x: float, y: float) -> tuple[float, float, float]:
        """Return FWHM [px], e1 and e2 at the 0-based position (x, y)."""
        ny, nx = self.shape
        u = (x - (nx - 1) / 2) / (nx / 2)
        v = (y - (ny - 1) / 2) / (ny / 2)
        fwhm = self.fwhm_px * (1 + self.variation * (0.35 * u - 0.2 * v + 0.225 * (u * u + v * v)))
        e1 = self.e1 + self.variation * (0.3 * u + 0.2 * (u * u - v * v))
        return fwhm, e1, self.e2 + self.variation * 0.4 * u * v

    def stamp(self, x: float, y: float, half: int) -> Array:
        """Return the share of a source's flux in each pixel of the square of `half` px around the pixel nearest (x, y).

        The profile is integrated over each pixel and normalised over the infinite plane, so that the sum is what
        falls on the square. Moffat (1969, A&A 3, 455).
        """
        core = self._moffat(x, y, half)
        if self.aureole == 0.0:
            return core
        halo = MoffatPsf(AUREOLE_WIDTH * self.local(x, y)[0], (1, 1), AUREOLE_BETA)
        return (1 - self.aureole) * core + self.aureole * halo.stamp(x, y, half)

    def _moffat(self, x: float, y: float, half: int) -> Array:
        fwhm, e1, e2 = self.local(x, y)
        alpha = _alpha(fwhm, self.beta)
        xx, xy, yy = _quadratic_form(e1, e2)
        pixel = np.arange(-half, half + 1, dtype=np.float64)[:, None] + NODES
        dx = (pixel + (round(x) - x)).ravel() / alpha
        dy = ((pixel + (round(y) - y)).ravel() / alpha)[:, None]
        q = 1 + xx * dx * dx + (2 * xy * dx + yy * dy) * dy
        value = q**-self.beta
        k = 2 * half + 1
        weights = np.outer(WEIGHTS, WEIGHTS)
        norm = (self.beta - 1) / (math.pi * alpha**2)
        return norm * np.einsum("iajb,ab->ij", value.reshape(k, 3, k, 3), weights)

    def __call__(self, x: float, y: float) -> Array:
        """Return the centred, odd, square stamp of sum 1 at the 0-based position (x, y)."""
        reach = PSF_RADIUS_FWHM * (AUREOLE_REACH if self.aureole else 1.0)
        stamp = self.fixed(x, y).stamp(0.0, 0.0, math.ceil(reach * self.fwhm_px))
        return stamp / stamp.sum()

    def fixed(self, x: float, y: float, zoom: float = 1.0) -> MoffatPsf:
        """Return a PSF that is everywhere as this one is at (x, y), on pixels `zoom` times smaller."""
        fwhm, e1, e2 = self.local(x, y)
        return replace(self, fwhm_px=zoom * fwhm, shape=(1, 1), e1=e1, e2=e2, variation=0.0)

    def transform(self, x: float, y: float, kx: NDArray[np.floating], ky: NDArray[np.floating]) -> Array:
        """Return the Fourier transform at (x, y), centred, before pixels integrate it; kx, ky in cycles per pixel."""
        fwhm, e1, e2 = self.local(x, y)
        xx, xy, yy = _quadratic_form(e1, e2)
        k2 = (yy * kx - 2 * xy * ky) * kx + xx * ky * ky  # of the inverse form: its determinant is 1
        core = np.interp(2 * math.pi * _alpha(fwhm, self.beta) * np.sqrt(k2), *_moffat_transform(self.beta))
        if self.aureole == 0.0:
            return core
        reach = 2 * math.pi * _alpha(AUREOLE_WIDTH * fwhm, AUREOLE_BETA) * np.sqrt(kx * kx + ky * ky)
        return (1 - self.aureole) * core + self.aureole * np.interp(reach, *_moffat_transform(AUREOLE_BETA))

    def radius_px(self, flux: float, faintest: float) -> int:
        """Return the radius [px] beyond which a source of `flux` is fainter than `faintest` per pixel."""
        reach = _reach_px(abs(flux), faintest, self.fwhm_px, self.beta)
        if self.aureole:
            reach = max(
                reach, _reach_px(self.aureole * abs(flux), faintest, AUREOLE_WIDTH * self.fwhm_px, AUREOLE_BETA)
            )
        return math.ceil(max(reach, SMALLEST_RADIUS_FWHM * self.fwhm_px))


def _alpha(fwhm_px: float, beta: float) -> float:
    return fwhm_px / (2 * math.sqrt(2 ** (1 / beta) - 1))


@lru_cache(maxsize=4)
def _moffat_transform(beta: float) -> tuple[Array, Array]:
    """Return nodes, 2 pi alpha times cycles per pixel, and a round Moffat's transform: 2 (v/2)^n K_n(v) / Gamma(n).

    n is beta - 1. Linear interpolation errs by less than 1e-5.
    """
    nodes = np.linspace(0, 40, 8001)
    values = 2 * (nodes[1:] / 2) ** (beta - 1) * special.kv(beta - 1, nodes[1:]) / math.gamma(beta - 1)
    return nodes, np.append(1.0, values)


def _reach_px(flux: float, faintest: float, fwhm_px: float, beta: float) -> float:
    alpha = _alpha(fwhm_px, beta)
    peak = flux * (beta - 1) / (math.pi * alpha**2)
    return alpha * math.sqrt(max((peak / faintest) ** (1 / beta) - 1, 0.0))


def _quadratic_form(e1: float, e2: float) -> tuple[float, float, float]:
    """Return xx, xy, yy of the area-preserving quadratic form of an ellipse with 1 - b/a = hypot(e1, e2)."""
    ratio = 1 - math.hypot(e1, e2)
    angle = math.atan2(e2, e1) / 2
    c, s = math.cos(angle), math.sin(angle)
    return ratio * c * c + s * s / ratio, (ratio - 1 / ratio) * c * s, ratio * s * s + c * c / ratio


def point_sources(shape: Shape, x: Array, y: Array, flux: Array, psf: MoffatPsf, *, faintest: float = 0.5) -> Array:
    """Draw point sources onto an empty image.

    Sources may lie beyond the edges; what falls outside is lost. Negative fluxes are drawn as they are.

    Parameters
    ----------
    shape : (ny, nx) of the image.
    x, y : (n,) 0-based positions [px]; a whole number is a pixel's centre.
    flux : (n,) total flux, in the unit the image will have.
    faintest : surface brightness per pixel, in the same unit, below which a source's wings are cut off.

    Returns
    -------
    (ny, nx) float64 image.
    """
    image = np.zeros(shape)
    for xi, yi, fi in zip(x.tolist(), y.tolist(), flux.tolist(), strict=True):
        half = psf.radius_px(fi, faintest)
        _add(image, fi * psf.stamp(xi, yi, half), round(xi) - half, round(yi) - half)
    return image


def _add(image: NDArray[np.floating], stamp: Array, left: int, bottom: int) -> None:
    """Add the stamp to the image we are drawing, its lower left pixel at (left, bottom), cut at the edges."""
    ny, nx = image.shape
    x0, x1 = max(left, 0), min(left + stamp.shape[1], nx)
    y0, y1 = max(bottom, 0), min(bottom + stamp.shape[0], ny)
    if x0 < x1 and y0 < y1:
        image[y0:y1, x0:x1] += stamp[y0 - bottom : y1 - bottom, x0 - left : x1 - left]


@dataclass(frozen=True)
class Galaxies:
    """Sérsic galaxies as arrays (n,): x, y [px], flux, half-light radius [px], index, axis ratio, angle [rad]."""

    x: Array
    y: Array
    flux: Array
    radius_px: Array
    index: Array
    axis_ratio: Array
    angle: Array


@lru_cache(maxsize=16)
def sersic_gaussians(index: float) -> tuple[Array, Array]:
    """Fit a Sérsic profile by a sum of round Gaussians, so that a galaxy has an exact Fourier transform.

    The profile is followed between 0.02 and 6 half-light radii, and has no cusp inside; a cusp sampled on pixels would
    differ between two dithered frames and leave a false residual. After Hogg & Lang (2013, PASP 125, 719,
    doi:10.1086/671228), with our own least-squares weights.

    Parameters
    ----------
    index : Sérsic index n, 0.5 to 4.

    Returns
    -------
    weights (m,) of sum 1, sigmas (m,) in half-light radii.
    """
    b = 2 * index - 1 / 3 + 4 / (405 * index)  # Ciotti & Bertin (1999, A&A 352, 447), eq. 18
    r = np.geomspace(0.02, 6, 160)
    profile = np.exp(-b * (r ** (1 / index) - 1))
    sigmas = np.geomspace(0.015, 4, 15)
    basis = np.exp(-0.5 * (r[:, None] / sigmas) ** 2) / (2 * math.pi * sigmas**2)
    # Relative errors count, except far out, below 0.1 % of the brightness at the half-light radius.
    importance = 1 / (profile + 1e-3)
    weights, _ = nnls(basis * importance[:, None], profile * importance, maxiter=2000)
    kept = weights > 0
    return weights[kept] / weights.sum(), sigmas[kept]


@lru_cache(maxsize=16)
def _sersic_transform(index: float) -> tuple[Array, Array]:
    """Return nodes [half-light radii times cycles] and the transform of a round Sérsic profile of sum 1 at them."""
    weights, sigmas = sersic_gaussians(index)
    # Closest where the wings fall off; beyond 20 nothing is left. Linear interpolation errs by less than 3e-5.
    nodes = np.linspace(0, math.sqrt(20), 4001) ** 2
    return nodes, np.exp(-2 * (math.pi * np.outer(nodes, sigmas)) ** 2) @ weights


def galaxies(shape: Shape, sources: Galaxies, psf: MoffatPsf, *, faintest: float = 0.5) -> Array:
    """Draw Sérsic galaxies, convolved with the point-spread function at their place, onto an empty (ny, nx) image.

    faintest : as in `point_sources`.
    """
    image = np.zeros(shape)
    for i in range(sources.x.size):
        x, y = float(sources.x[i]), float(sources.y[i])
        half = math.ceil(6 * float(sources.radius_px[i])) + psf.radius_px(float(sources.flux[i]), faintest)
        if not (-half < x < shape[1] + half and -half < y < shape[0] + half):
            continue
        _add(image, _galaxy_stamp(sources, i, psf, half), round(x) - half, round(y) - half)
    return image


def _galaxy_stamp(sources: Galaxies, i: int, psf: MoffatPsf, half: int) -> Array:
    """Return galaxy `i` as seen: its transform times those of the point-spread function and the pixel.

    Frequencies reach one cycle per pixel: a Moffat of FWHM 2 px has 4e-5 of its peak left there. What lies beyond the
    stamp is folded into it.
    """
    x, y = float(sources.x[i]), float(sources.y[i])
    k, q = 2 * half + 1, float(sources.axis_ratio[i])
    ky, kx = np.fft.fftfreq(2 * k, 0.5)[:, None], np.fft.rfftfreq(2 * k, 0.5)
    c, s = math.cos(float(sources.angle[i])), math.sin(float(sources.angle[i]))
    k2 = (c * kx + s * ky) ** 2 / q + q * (c * ky - s * kx) ** 2
    transform = np.interp(float(sources.radius_px[i]) * np.sqrt(k2), *_sersic_transform(float(sources.index[i])))
    transform *= psf.transform(x, y, kx, ky) * (np.sinc(kx) * np.sinc(ky))
    phase = np.exp(-2j * np.pi * kx * (half + x - round(x))) * np.exp(-2j * np.pi * ky * (half + y - round(y)))
    seen = np.fft.irfft2(transform * phase, s=(2 * k, 2 * k))
    return 4 * float(sources.flux[i]) * seen[::2, ::2]
