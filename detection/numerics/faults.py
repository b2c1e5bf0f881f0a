"""What goes wrong on detectors and in the sky, drawn onto frames so that a network learns what bogus looks like.

A good subtraction leaves few false peaks, so most faults here are ones that a pipeline's masks missed. Amplitudes are
given in sigmas of the frame's sky noise. Every function returns a new image of what it adds (counts), touching nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.frame import Image
from observations.numerics.simulate.sources import MoffatPsf, point_sources
from observations.numerics.statistics import FWHM_PER_SIGMA

Array = NDArray[np.float64]
Rng = np.random.Generator
Shape = tuple[int, int]

# Steps between flashes, in FWHM: as they come, and such that the next one can be seen in the wide view of a stamp.
WIDEST_STEP_FWHM, SEEN_STEP_FWHM = 20.0, 12.0


@dataclass(frozen=True)
class Faults:
    """How much of each fault a frame gets; counts per frame, amplitudes in sigma of the sky.

    masked_share : probability that a defect was found by the pipeline and is masked.
    warp_px : rms of the registration's local error. psf_error : relative error of the assumed FWHM.
    """

    cosmic_rays: int = 0
    hot_pixels: int = 0
    bad_columns: int = 0
    trails: int = 0
    flash_trains: int = 0
    dust_rings: int = 0
    blobs: int = 0
    spikes: int = 0
    banding_sigma: float = 0.0
    masked_share: float = 0.3
    warp_px: float = 0.0
    psf_error: float = 0.0
    saturation_adu: float | None = None
    is_saturation_masked: bool = True


def draw_faults(rng: Rng) -> Faults:
    """Draw one frame's faults: each kind is absent from most frames, so that clean subtractions are learned too."""

    def count(probability: float, most: int) -> int:
        return int(rng.integers(1, most + 1)) if rng.random() < probability else 0

    return Faults(
        cosmic_rays=count(0.6, 12),
        hot_pixels=count(0.5, 10),
        bad_columns=count(0.2, 2),
        trails=count(0.15, 1),
        flash_trains=count(0.5, 3),
        dust_rings=count(0.15, 3),
        blobs=count(0.15, 4),
        spikes=count(0.25, 4),
        banding_sigma=float(rng.uniform(0.1, 0.5)) if rng.random() < 0.1 else 0.0,
        masked_share=float(rng.uniform(0.0, 0.6)),
        warp_px=float(rng.uniform(0.05, 0.6)) if rng.random() < 0.5 else 0.0,
        psf_error=float(rng.normal(0.0, 0.08)) if rng.random() < 0.5 else 0.0,
        saturation_adu=float(10 ** rng.uniform(3.6, 4.6)) if rng.random() < 0.5 else None,
        is_saturation_masked=bool(rng.random() < 0.6),
    )


def cosmic_rays(rng: Rng, shape: Shape, count: int, sigma: float) -> list[Image]:
    """Draw cosmic rays: straight tracks of 1 to 12 px with uneven charge, no wider than the charge's diffusion."""
    images = []
    for _ in range(count):
        image = np.zeros(shape, dtype=np.float32)
        length = 1 if rng.random() < 0.5 else int(rng.integers(2, 13))
        angle = rng.uniform(0, np.pi)
        y, x = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        amplitude = sigma * 10 ** rng.uniform(0.9, 2.8)
        steps = np.arange(0, length, 0.5)
        rows = np.rint(y + steps * np.sin(angle)).astype(int)
        columns = np.rint(x + steps * np.cos(angle)).astype(int)
        inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        image[rows[inside], columns[inside]] = amplitude * rng.uniform(0.3, 1.0, int(inside.sum()))
        # Diffusion into the neighbours: none in thin CCDs, up to half a pixel in thick ones.
        images.append(ndimage.gaussian_filter(image, rng.uniform(0.0, 0.5)))
    return images


def hot_pixels(rng: Rng, shape: Shape, count: int, sigma: float) -> list[Image]:
    """Draw hot, and some dead, pixels: single ones and pairs."""
    images = []
    for _ in range(count):
        image = np.zeros(shape, dtype=np.float32)
        row, column = int(rng.integers(shape[0])), int(rng.integers(shape[1] - 1))
        sign = 1.0 if rng.random() < 0.75 else -1.0
        image[row, column] = sign * sigma * 10 ** rng.uniform(0.8, 2.3)
        if rng.random() < 0.25:
            image[row, column + 1] = image[row, column] * rng.uniform(0.3, 1.0)
        images.append(image)
    return images


def bad_columns(rng: Rng, shape: Shape, count: int, sigma: float) -> list[Image]:
    """Draw columns whose charge is wrong from some row on."""
    images = []
    for _ in range(count):
        image = np.zeros(shape, dtype=np.float32)
        first, column, width = int(rng.integers(shape[0])), int(rng.integers(shape[1])), int(rng.integers(1, 3))
        level = rng.choice([-1.0, 1.0]) * sigma * rng.uniform(1.5, 12.0)
        image[first:, column : column + width] = level
        images.append(image)
    return images


def trails(rng: Rng, shape: Shape, count: int, sigma: float, fwhm_px: float) -> list[Image]:
    """Draw satellite or aircraft trails across the frame, some of which flash along their way."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    images = []
    for _ in range(count):
        angle = rng.uniform(0, np.pi)
        across = (x - rng.uniform(0, shape[1])) * np.sin(angle) - (y - rng.uniform(0, shape[0])) * np.cos(angle)
        along = x * np.cos(angle) + y * np.sin(angle)
        width = fwhm_px / FWHM_PER_SIGMA * rng.uniform(1.0, 1.6)
        image = sigma * rng.uniform(0.7, 8.0) * np.exp(-0.5 * (across / width) ** 2)
        if rng.random() < 0.5:
            image *= 1.0 + rng.uniform(0.2, 1.0) * np.sin(along * 2 * np.pi / rng.uniform(20, 120))
        images.append(image.astype(np.float32))
    return images


def flashes(
    rng: Rng, shape: Shape, count: int, sigma: float, fwhm_px: float, *, widest_fwhm: float = WIDEST_STEP_FWHM
) -> Image:
    """Draw rows of 3 to 12 flashes of tumbling satellites, as sharp as stars, at equal steps of 3 FWHM and more.

    Each by itself is a new star: that there are others in a row is all that tells. With wide steps no stamp shows it.
    """
    image = np.zeros(shape)
    psf = MoffatPsf(fwhm_px, shape)
    for _ in range(count):
        angle, step = rng.uniform(0, 2 * np.pi), fwhm_px * np.exp(rng.uniform(np.log(3.0), np.log(widest_fwhm)))
        number = np.arange(int(rng.integers(3, 13)))
        x = rng.uniform(0, shape[1]) + number * step * np.cos(angle)
        y = rng.uniform(0, shape[0]) + number * step * np.sin(angle)
        # Now and then none of its faces glints.
        seen = (x > 0) & (x < shape[1] - 1) & (y > 0) & (y < shape[0] - 1) & (rng.random(number.size) < 0.9)
        area = 1.13 * fwhm_px**2  # of a Gaussian: flux over peak
        flux = sigma * area * 10 ** rng.uniform(0.4, 1.8) * rng.uniform(0.5, 1.5, number.size)
        image += point_sources(shape, x[seen], y[seen], flux[seen], psf)
    return image.astype(np.float32)


def dust_rings(rng: Rng, image: Image, count: int) -> Image:
    """Draw what a flat field leaves when dust has moved: rings of some per cent of the sky and of the stars."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    factor = np.zeros(image.shape)
    for _ in range(count):
        radius = np.hypot(x - rng.uniform(0, image.shape[1]), y - rng.uniform(0, image.shape[0]))
        outer = rng.uniform(6, 30)
        factor -= rng.uniform(0.01, 0.08) * ((radius < outer) & (radius > rng.uniform(0.0, 0.6) * outer))
    return (image * ndimage.gaussian_filter(factor, 1.0)).astype(np.float32)


def blobs(rng: Rng, shape: Shape, count: int, sigma: float, fwhm_px: float) -> Image:
    """Draw smooth patches wider than a star: scattered light, cirrus, ghosts of bright stars."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for _ in range(count):
        width = fwhm_px / FWHM_PER_SIGMA * rng.uniform(2.0, 6.0)
        squared = (x - rng.uniform(0, shape[1])) ** 2 + (y - rng.uniform(0, shape[0])) ** 2
        image += rng.choice([-1.0, 1.0]) * sigma * rng.uniform(0.3, 2.5) * np.exp(-0.5 * squared / width**2)
    return image.astype(np.float32)


def spikes(rng: Rng, shape: Shape, stars: tuple[Array, Array, Array], count: int, sigma: float) -> Image:
    """Draw diffraction spikes on the brightest stars, which turn between exposures on an alt-az mount."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    star_x, star_y, star_flux = stars
    angle = rng.uniform(0, np.pi / 2)
    for star in np.argsort(-star_flux)[:count]:
        for turn in (0.0, np.pi / 2):
            dx, dy = x - star_x[star], y - star_y[star]
            across = dx * np.sin(angle + turn) - dy * np.cos(angle + turn)
            along = np.abs(dx * np.cos(angle + turn) + dy * np.sin(angle + turn))
            image += sigma * rng.uniform(1, 8) * np.exp(-0.5 * (across / 0.8) ** 2 - along / rng.uniform(8, 40))
    return image.astype(np.float32)


def banding(rng: Rng, shape: Shape, sigma: float) -> Image:
    """Draw row noise of the read-out."""
    return np.broadcast_to(rng.normal(0.0, sigma, (shape[0], 1)), shape).astype(np.float32)


def bleeds(rng: Rng, data: Image, saturation: float) -> tuple[Image, NDArray[np.bool_]]:
    """Clip at saturation and let the lost charge run along the columns.

    Returns
    -------
    The clipped image and the (ny, nx) bool pixels that are saturated.
    """
    over = data > saturation
    reach = int(rng.integers(0, 25))
    if reach and over.any():
        # Only stars far beyond saturation bleed: three times is where one pixel's excess fills two neighbours.
        source = data > 3.0 * saturation
        over = over | ndimage.binary_dilation(source, np.ones((2 * reach + 1, 1), dtype=bool))
    return np.where(over, np.float32(saturation), data).astype(np.float32), over


def warp(rng: Rng, shape: Shape, rms_px: float) -> tuple[Array, Array]:
    """Draw a local registration error that no low-order surface can take out: waves of 40 to 150 px."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    error = []
    for _ in range(2):
        k = 2 * np.pi / rng.uniform(40, 150, 2)
        phase = rng.uniform(0, 2 * np.pi, 2)
        error.append(2.0 * rms_px * np.sin(k[0] * x + phase[0]) * np.sin(k[1] * y + phase[1]))
    return error[0], error[1]


def mistaken_psf(psf: MoffatPsf, relative_error: float, ellipticity: float) -> MoffatPsf:
    """Return the PSF as a pipeline with bad stars would have it: too wide or narrow, and elongated."""
    return replace(psf, fwhm_px=psf.fwhm_px * (1.0 + relative_error), e1=psf.e1 + ellipticity)
