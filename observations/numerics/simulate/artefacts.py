"""What looks like a star for one exposure and is none: the faults that calibration leaves, and that people reject."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from observations.numerics.simulate.sources import Array, MoffatPsf, point_sources

# A satellite above the equator stays where it is over the ground while the stars go by, from east to west, at the sky's
# rate of 15 arcsec/s: in a frame that follows the stars its flashes stand in a row along the lines of declination.
_FLASH_SLOPE = 0.03


@dataclass(frozen=True)
class Strays:
    """How often there is what, for a frame of 1024 x 1024 px unless said otherwise.

    flash_spacing_px : between the flashes of a tumbling satellite: 15 arcsec/s for its period, here 20 s. flash_e :
    least and most electrons of one.
    hits : particles that stop in the depth of the detector, whose charge has spread on its way until it looks like a
    star in good seeing. hit_e : least and most electrons; hit_fwhm_px : their width.
    ghost_share : of a star's light that comes back from the filter, nearly in focus, mirrored at the optical axis.
    ghost_of_e : only of stars that give more electrons than this.
    """

    flash_spacing_px: float = 250.0
    flash_e: tuple[float, float] = (2_500.0, 10_000.0)
    hits: float = 0.5
    hit_e: tuple[float, float] = (2_000.0, 8_000.0)
    hit_fwhm_px: tuple[float, float] = (2.0, 2.8)
    ghost_share: float = 1e-3
    ghost_of_e: float = 1e6


TYPICAL_STRAYS = Strays()


@dataclass(frozen=True)
class Artefact:
    """The truth about one of them: 0-based position in the raw grid, total flux."""

    kind: str
    x: float
    y: float
    flux: float


def strays_of(
    strays: Strays,
    rng: np.random.Generator,
    psf: MoffatPsf,
    stars: tuple[Array, Array, Array],
    *,
    has_flashes: bool,
) -> tuple[Array, tuple[Artefact, ...]]:
    """Draw the electrons of everything in one frame that looks like a star and is none.

    Parameters
    ----------
    stars : x, y [px] and electrons, as they fall on this frame.
    has_flashes : whether a tumbling satellite goes through it.

    Returns
    -------
    (ny, nx) electrons with their photon noise, and the truth about them in electrons.
    """
    sharp = [*(_flashes(strays, rng, psf.shape) if has_flashes else ())]
    image = _drawn(sharp, psf)
    hits = _hits(strays, rng, psf.shape)
    for hit in hits:
        image += _drawn([hit], MoffatPsf(rng.uniform(*strays.hit_fwhm_px), psf.shape, beta=5.0))
    ghosts = _ghosts(strays, stars, psf.shape)
    image += _drawn(ghosts, MoffatPsf(1.3 * psf.fwhm_px, psf.shape, psf.beta, psf.e1, psf.e2))
    return rng.poisson(image).astype(float), (*sharp, *hits, *ghosts)


def _drawn(artefacts: list[Artefact], psf: MoffatPsf) -> Array:
    x, y, flux = (np.array([getattr(each, name) for each in artefacts]) for name in ("x", "y", "flux"))
    return point_sources(psf.shape, x, y, flux, psf)


def _flashes(strays: Strays, rng: np.random.Generator, shape: tuple[int, int]) -> list[Artefact]:
    """Place the flashes of one tumbling satellite in a row across the frame; each time another facet glints."""
    ny, nx = shape
    x = np.arange(rng.uniform(0.1, 0.9) * min(strays.flash_spacing_px, nx), nx - 1, strays.flash_spacing_px)
    y = rng.uniform(0.3, 0.7) * ny + rng.uniform(-1, 1) * _FLASH_SLOPE * x
    flux = _between(rng, strays.flash_e, x.size)
    return [Artefact("satellite flash", *map(float, each)) for each in zip(x, y, flux, strict=True)]


def _hits(strays: Strays, rng: np.random.Generator, shape: tuple[int, int]) -> list[Artefact]:
    ny, nx = shape
    count = int(rng.poisson(strays.hits * ny * nx / 1024**2))
    x, y = rng.uniform(0, nx - 1, count), rng.uniform(0, ny - 1, count)
    flux = _between(rng, strays.hit_e, count)
    return [Artefact("particle hit", *map(float, each)) for each in zip(x, y, flux, strict=True)]


def _ghosts(strays: Strays, stars: tuple[Array, Array, Array], shape: tuple[int, int]) -> list[Artefact]:
    x, y, flux = (column[stars[2] > strays.ghost_of_e] for column in stars)
    x, y = shape[1] - 1 - x, shape[0] - 1 - y
    inside = (x > 0) & (x < shape[1] - 1) & (y > 0) & (y < shape[0] - 1) & (strays.ghost_share > 0)
    seen = zip(x[inside], y[inside], strays.ghost_share * flux[inside], strict=True)
    return [Artefact("ghost", *map(float, each)) for each in seen]


def _between(rng: np.random.Generator, ends: tuple[float, float], n: int) -> Array:
    """Return n numbers, even in their logarithm, between two."""
    return np.exp(rng.uniform(math.log(ends[0]), math.log(ends[1]), n))
