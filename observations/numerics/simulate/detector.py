"""A CCD camera with its faults: what stands between the light of a simulated sky and the numbers in a file."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.simulate.sources import Array, Shape
from observations.numerics.statistics import FWHM_PER_SIGMA

Raw = NDArray[np.uint16]


@dataclass(frozen=True)
class Detector:
    """One camera: electrons in, ADU out.

    response : relative sensitivity, mean about 1 (vignetting, dust rings, pixel response). dark_e : electrons of one
    light's exposure, hot pixels included. bias_adu : level with its pattern. bad_columns : columns that read wrong.
    full_well_e : where a pixel overflows along its column.
    """

    response: Array
    dark_e: Array
    bias_adu: Array
    bad_columns: tuple[int, ...]
    gain_e_per_adu: float = 1.5
    read_noise_e: float = 9.0
    full_well_e: float = 88_500.0
    saturation_adu: float = 60_000.0

    def read_out(self, rng: np.random.Generator, electrons: Array) -> Raw:
        """Turn collected electrons into the file's integers: read noise, gain, bias, bad columns, ceiling."""
        noisy = electrons + rng.normal(0.0, self.read_noise_e, electrons.shape)
        adu = noisy / self.gain_e_per_adu + self.bias_adu
        for column in self.bad_columns:
            adu[:, column] = self.bias_adu[:, column] + 0.35 * (adu[:, column] - self.bias_adu[:, column])
        return np.clip(np.rint(adu), 0.0, self.saturation_adu).astype(np.uint16)

    def bias(self, rng: np.random.Generator) -> Raw:
        """Return a bias frame."""
        return self.read_out(rng, np.zeros(self.response.shape))

    def dark(self, rng: np.random.Generator) -> Raw:
        """Return a dark frame of the lights' exposure."""
        return self.read_out(rng, rng.poisson(self.dark_e).astype(float))

    def flat_field(self, rng: np.random.Generator, *, level_e: float) -> Raw:
        """Return a twilight flat of the given mean, exposed too briefly for dark current."""
        return self.read_out(rng, rng.poisson(level_e * self.response).astype(float))


def make_detector(rng: np.random.Generator, shape: Shape, exposure_s: float) -> Detector:
    """Draw a camera: 15 % vignetting, six dust rings of 2 to 5 %, 1 % pixel response, hot pixels, two bad columns."""
    ny, nx = shape
    y, x = np.mgrid[0:ny, 0:nx].astype(float)
    radius = np.hypot((x - nx / 2) / (nx / 2), (y - ny / 2) / (ny / 2))
    response = 1.0 - 0.075 * radius**2
    for _ in range(6):
        cx, cy, size = rng.uniform(0, nx), rng.uniform(0, ny), rng.uniform(10.0, 25.0)
        distance = np.hypot(x - cx, y - cy)
        response *= 1.0 - rng.uniform(0.02, 0.05) * np.exp(-0.5 * ((distance - size) / (0.2 * size)) ** 2)
    response *= 1.0 + 0.01 * rng.normal(size=shape)
    dark = np.full(shape, 0.05 * exposure_s)
    hot = rng.integers(0, ny * nx, round(3e-4 * ny * nx))
    dark.ravel()[hot] += exposure_s * 10 ** rng.uniform(0.0, 2.0, hot.size)
    rows = ndimage.gaussian_filter1d(rng.normal(size=ny), 3.0) * 2.0
    bias = 1000.0 + rows[:, None] + 3.0 * x / nx
    columns = tuple(int(c) for c in rng.choice(np.arange(nx // 10, nx - nx // 10), 2, replace=False))
    return Detector(response / response.mean(), dark, bias, columns)


def expose(
    rng: np.random.Generator,
    detector: Detector,
    light_e: Array,
    sky_e: float,
    trail_fwhm_px: float | None,
    stray_e: Array,
) -> tuple[Raw, NDArray[np.bool_]]:
    """Expose the detector to a sky and read it out.

    Parameters
    ----------
    light_e : (ny, nx) expected electrons of all sources. sky_e : electrons per pixel of the sky, tilted by 5 %.
    trail_fwhm_px : width of a satellite's trail across the frame, None for none.
    stray_e : (ny, nx) electrons that are no star's, drawn already.

    Returns
    -------
    The frame in ADU, and the pixels that hold no true sky (saturated and bled, hit by a cosmic ray, bad, trailed,
    or under stray light).
    """
    ny, nx = light_e.shape
    y, x = np.mgrid[-0.5 : 0.5 : ny * 1j, -0.5 : 0.5 : nx * 1j]
    angle = rng.uniform(0, 2 * math.pi)
    expected = light_e + sky_e * (1.0 + 0.05 * (x * math.cos(angle) + y * math.sin(angle)))
    defects = np.zeros(light_e.shape, dtype=bool)
    if trail_fwhm_px is not None:
        trail = _trail(rng, (ny, nx), trail_fwhm_px, 12.0 * math.sqrt(sky_e))
        expected = expected + trail
        defects |= trail > math.sqrt(sky_e)
    electrons = rng.poisson(np.maximum(expected, 0.0) * detector.response + detector.dark_e).astype(float)
    electrons += stray_e
    defects |= stray_e > math.sqrt(sky_e)
    hits = cosmic_rays(rng, (ny, nx), round(25 * ny * nx / 1024**2))
    bled = bleed(electrons + hits, detector.full_well_e)
    defects |= (hits > 0.0) | (bled >= 0.98 * detector.full_well_e)
    defects[:, list(detector.bad_columns)] = True
    return detector.read_out(rng, bled), defects


def bleed(electrons: Array, full_well_e: float) -> Array:
    """Let pixels overflow up and down their column, charge conserved, until none holds more than the full well.

    What reaches the first or last row is lost there, as on a real CCD.
    """
    out = electrons.copy()
    for column in np.unique(np.nonzero(out > full_well_e)[1]):
        line = out[:, column]
        for direction in (1, -1):
            carry = 0.0
            excess = np.maximum(line - full_well_e, 0.0) * (0.5 if direction == 1 else 1.0)
            for row in range(len(line))[::direction]:
                line[row] -= excess[row]
                room = max(full_well_e - line[row], 0.0)
                taken = min(carry, room)
                line[row] += taken
                carry += excess[row] - taken
        out[:, column] = np.minimum(line, full_well_e)
    return out


def _trail(rng: np.random.Generator, shape: Shape, fwhm_px: float, peak_e: float) -> Array:
    """Draw a straight trail through the frame's inner part."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    angle = rng.uniform(0, math.pi)
    cx, cy = rng.uniform(0.15, 0.35) * shape[1], rng.uniform(0.15, 0.35) * shape[0]
    across = (x - cx) * math.sin(angle) - (y - cy) * math.cos(angle)
    return peak_e * np.exp(-0.5 * (across / (fwhm_px / FWHM_PER_SIGMA)) ** 2)


def cosmic_rays(rng: np.random.Generator, shape: Shape, count: int) -> Array:
    """Draw cosmic rays: tracks of 1 to 12 px of 300 to 8 000 electrons a pixel, sharper than any star."""
    hits = np.zeros(shape)
    for _ in range(count):
        length, angle = (1 if rng.random() < 0.5 else int(rng.integers(2, 13))), rng.uniform(0, math.pi)
        steps = np.arange(length)
        rows = np.rint(rng.uniform(0, shape[0] - 1) + steps * math.sin(angle)).astype(int)
        columns = np.rint(rng.uniform(0, shape[1] - 1) + steps * math.cos(angle)).astype(int)
        inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        hits[rows[inside], columns[inside]] += 10 ** rng.uniform(2.5, 3.9)
    return hits
