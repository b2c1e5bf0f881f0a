"""Frames with their pointing and scale forgotten, and catalogues that are as bad as catalogues get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from observations.numerics.sphere import project
from preprocessing.numerics.astrometry.solution import Catalogue, Pointing
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.trailed_stars import find_lines

Column = NDArray[np.float64]
Points = NDArray[np.float64]

# What the claim is off by: in each axis of the sky, and in scale.
POINTING_DEG, SCALE_SHARE = 1.0, 0.1
# What is wrong with the catalogue.
DROPPED, POSITION_ARCSEC, MAGNITUDE = 0.4, 0.3, 0.2
# A frame's band is not the catalogue's: stars of other colours change places in the order of brightness.
COLOUR_SCATTER_MAG = 0.3
# Counts of stars rise by a factor of two a magnitude outside of the Milky Way.
COUNTS_SLOPE = 0.35
SHAPES = ((1024, 1024), (1024, 1024), (900, 1500), (2048, 2048), (500, 650))
SCALES_ARCSEC = (0.3, 20.0)
STARS = (15, 500)
KINDS = ("plain", "plain", "half-clouded", "trailed", "shallow catalogue", "deep catalogue")
ELSEWHERE = "another frame's sky"
# A catalogue that ends above a frame's limit knows a third of its stars: of fewer too few are left for any solver.
FEWEST_STARS_OF_SHALLOW = 60
TRAIL_PX = (15.0, 40.0)
# A plain number of them is enough for any solver, and a catalogue of millions is nobody's.
MOST_CATALOGUE_STARS = 1_000_000


@dataclass(frozen=True)
class Problem:
    """A frame's stars, what is claimed of its place, the catalogue, and the truth."""

    name: str
    kind: str
    xy: Points
    flux: Column
    shape: tuple[int, int]
    pointing: Pointing
    catalogue: Catalogue
    truth: WCS

    @property
    def is_elsewhere(self) -> bool:
        """Whether the frame does not lie in its catalogue's sky at all."""
        return self.kind == ELSEWHERE

    @property
    def group(self) -> str:
        """What its figures are put together with."""
        folder, _, _ = self.name.partition("/")
        return self.kind if self.is_elsewhere or folder == self.name else f"{folder}, {self.kind}"

    def miss_px(self, found: WCS) -> float:
        """Return by how many pixels a solution is off at the worst of middle and corners."""
        ny, nx = self.shape
        x = np.array([(nx - 1) / 2, 0, nx - 1, 0, nx - 1])
        y = np.array([(ny - 1) / 2, 0, 0, ny - 1, ny - 1])
        apart = found.celestial.pixel_to_world(x, y).icrs.separation(self.truth.celestial.pixel_to_world(x, y).icrs)
        return float(apart.arcsec.max() / scale_of(self.truth))


def scale_of(wcs: WCS) -> float:
    """Return arcseconds a pixel."""
    return float(np.sqrt(abs(np.linalg.det(wcs.celestial.pixel_scale_matrix))) * 3600)


def random_wcs(rng: np.random.Generator, shape: tuple[int, int], scale_arcsec: float) -> WCS:
    """Place a frame anywhere on the sky, turned by any angle; half of all are mirrored."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-0.98, 0.98)))]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    angle, mirror = rng.uniform(0, 2 * np.pi), rng.choice([-1.0, 1.0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.cd = turn @ np.diag([mirror, 1.0]) * scale_arcsec / 3600
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.set()
    return wcs


def claim(rng: np.random.Generator, truth: WCS, shape: tuple[int, int]) -> Pointing:
    """Return the pointing of a frame, made wrong."""
    middle = truth.celestial.pixel_to_world((shape[1] - 1) / 2, (shape[0] - 1) / 2).icrs
    dec = float(np.clip(middle.dec.deg + rng.uniform(-POINTING_DEG, POINTING_DEG), -89.9, 89.9))
    ra = middle.ra.deg + rng.uniform(-POINTING_DEG, POINTING_DEG) / np.cos(np.radians(middle.dec.deg))
    return Pointing(float(ra % 360), dec, scale_of(truth) * (1 + rng.uniform(-SCALE_SHARE, SCALE_SHARE)))


def spoilt(rng: np.random.Generator, sky: Catalogue, false_ra: Column, false_dec: Column) -> Catalogue:
    """Drop stars of a catalogue, put as many false ones at given places, and blur positions and magnitudes."""
    kept = rng.random(sky.ra_deg.size) >= DROPPED
    count = min(int((~kept).sum()), false_ra.size)
    ra = np.concatenate([sky.ra_deg[kept], false_ra[:count]])
    dec = np.concatenate([sky.dec_deg[kept], false_dec[:count]])
    magnitude = np.concatenate([sky.magnitude[kept], rng.choice(sky.magnitude, count)])
    dec = dec + rng.normal(0, POSITION_ARCSEC / 3600, dec.size)
    ra = ra + rng.normal(0, POSITION_ARCSEC / 3600, ra.size) / np.cos(np.radians(dec))
    return Catalogue(ra % 360, np.clip(dec, -90, 90), magnitude + rng.normal(0, MAGNITUDE, magnitude.size))


def around(rng: np.random.Generator, truth: WCS, shape: tuple[int, int], reach_deg: float, count: int) -> Points:
    """Return positions (n, 2) in pixels of a frame, evenly over the sky within a distance of its middle."""
    reach = reach_deg * 3600 / scale_of(truth)
    radius, angle = np.tan(np.radians(reach_deg)) * np.sqrt(rng.random(count)), rng.uniform(0, 2 * np.pi, count)
    far = radius * reach / np.radians(reach_deg)
    return np.column_stack([far * np.cos(angle), far * np.sin(angle)]) + (np.array(shape[::-1]) - 1) / 2


def reach_deg(truth: WCS, shape: tuple[int, int]) -> float:
    """Return how far from a frame's middle its catalogue has to go: the claim's corner, and the frame about it."""
    return 1.6 * POINTING_DEG + 1.3 * float(np.hypot(*shape)) * scale_of(truth) / 3600


def simulated(seed: int) -> Problem:
    """Return a simulated field; its kind, scale, shape, stars and orientation follow from the seed."""
    rng = np.random.default_rng([seed, 11])
    kind = KINDS[seed % len(KINDS)]
    shape = SHAPES[0] if kind == "trailed" else SHAPES[rng.integers(len(SHAPES))]
    scale, wanted = np.exp(rng.uniform(*np.log(SCALES_ARCSEC))), int(np.exp(rng.uniform(*np.log(STARS))))
    wanted = max(wanted, FEWEST_STARS_OF_SHALLOW) if kind == "shallow catalogue" else wanted
    truth = random_wcs(rng, shape, scale)
    reach = reach_deg(truth, shape)
    frame_share = shape[0] * shape[1] * (scale / 3600) ** 2 / (np.pi * reach**2)
    depth = {"shallow catalogue": -0.7, "deep catalogue": 1.5}.get(kind, 0.3)
    density = wanted * max(1.0, 10 ** (COUNTS_SLOPE * depth)) * (2 if kind == "half-clouded" else 1)
    count = int(min(density / frame_share, MOST_CATALOGUE_STARS))
    xy = around(rng, truth, shape, reach, count)
    magnitude = np.log10(rng.random(count)) / COUNTS_SLOPE
    seen, flux = _seen(rng, kind, xy, magnitude + rng.normal(0, COLOUR_SCATTER_MAG, count), shape, wanted)
    limit = np.inf if depth > 0 else np.quantile(magnitude, 10 ** (COUNTS_SLOPE * depth))
    ra, dec = truth.all_pix2world(xy[:, 0], xy[:, 1], 0)
    known = np.flatnonzero(magnitude < limit)
    false_ra, false_dec = truth.all_pix2world(*around(rng, truth, shape, reach, known.size).T, 0)
    sky = spoilt(rng, Catalogue(ra[known], dec[known], magnitude[known]), false_ra, false_dec)
    pointing = claim(rng, truth, shape)
    return Problem(f"simulated {seed}", kind, seen, flux, shape, pointing, _cone(sky, pointing, reach), truth)


def _cone(sky: Catalogue, pointing: Pointing, reach: float) -> Catalogue:
    xi, eta = project(sky.ra_deg, sky.dec_deg, pointing.ra_deg, pointing.dec_deg)
    near = np.flatnonzero(np.hypot(xi, eta) < reach)
    return replace(sky, ra_deg=sky.ra_deg[near], dec_deg=sky.dec_deg[near], magnitude=sky.magnitude[near])


def _seen(
    rng: np.random.Generator, kind: str, xy: Points, magnitude: Column, shape: tuple[int, int], wanted: int
) -> tuple[Points, Column]:
    """Return the stars that a frame shows, with the errors of their centroids, and a few that are none."""
    ny, nx = shape
    on = np.flatnonzero(((xy > 0) & (xy < (nx - 1, ny - 1))).all(axis=1))
    if kind == "half-clouded":
        angle = rng.uniform(0, 2 * np.pi)
        side = (xy[on] - ((nx - 1) / 2, (ny - 1) / 2)) @ (np.cos(angle), np.sin(angle))
        magnitude = magnitude.copy()
        magnitude[on[side > 0]] += 3.0
    on = on[np.argsort(magnitude[on])][:wanted]
    flux = 10 ** (-0.4 * magnitude[on])
    if kind == "trailed":
        return _trailed(rng, xy[on], flux / flux.min(), shape)
    error = np.hypot(0.05, 0.3 * np.sqrt(flux.min() / flux))[:, None]
    false = rng.random((max(1, on.size // 20), 2)) * (nx, ny)
    seen = np.concatenate([xy[on] + rng.normal(0, 1, (on.size, 2)) * error, false])
    return seen, np.concatenate([flux, rng.choice(flux, len(false))])


def _trailed(rng: np.random.Generator, xy: Points, flux: Column, shape: tuple[int, int]) -> tuple[Points, Column]:
    """Return what is found as stars on an image where every star is a line and the telescope followed a comet."""
    length, angle, sigma = rng.uniform(*TRAIL_PX), rng.uniform(0, np.pi), 1.3
    image = np.zeros(shape)
    steps = np.arange(-length / 2, length / 2 + 0.25, 0.5)
    # The faintest stars' lines stand three sigma above the sky.
    noise = 1.0 / (2.5 * sigma * length) / 3.0
    for (x, y), light in zip(xy, flux, strict=True):
        reach = int(length / 2 + 5 * sigma) + 1
        rows = np.arange(max(0, int(y) - reach), min(shape[0], int(y) + reach + 1))
        columns = np.arange(max(0, int(x) - reach), min(shape[1], int(x) + reach + 1))
        line = np.zeros((rows.size, columns.size))
        for step in steps:
            dy, dx = rows - y - step * np.sin(angle), columns - x - step * np.cos(angle)
            line += np.exp(-0.5 * (dy / sigma) ** 2)[:, None] * np.exp(-0.5 * (dx / sigma) ** 2)[None, :]
        image[np.ix_(rows, columns)] += line * light / (2 * np.pi * sigma**2 * steps.size)
    data = (1000.0 + (image + rng.normal(0, noise, shape)) * 10.0 / noise).astype(np.float32)
    bad = np.zeros(shape, dtype=bool)
    sky = estimate_background(data, bad)
    lines = find_lines(data, bad, background=sky.level, noise=sky.noise)
    return lines.xy, lines.flux


def simulations(first: int, count: int) -> Iterator[Problem]:
    for seed in range(first, first + count):
        yield simulated(seed)
