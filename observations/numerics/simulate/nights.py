"""Seeded synthetic nights with truth: one field, the nights it is observed, and what changes between them.

The first night holds nothing that changes and serves as the reference of the later ones. From the second night on
there are new transients (on and off hosts), a star of another brightness, an asteroid, one clouded frame, and in the
last frame of each night the flashes of a tumbling satellite. Every frame has ghosts and particle hits. Where they are
asked for, many more things move, most of them fainter than a single frame shows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from observations.numerics.simulate.artefacts import TYPICAL_STRAYS, Artefact, Strays, strays_of
from observations.numerics.simulate.detector import Detector, expose, make_detector
from observations.numerics.simulate.pair import move, power_law_fluxes
from observations.numerics.simulate.sources import Array, Galaxies, MoffatPsf, galaxies, point_sources

# The nominal S/N counts the sky's and the read noise of so many pixels. A Moffat of FWHM 3 px spreads over 35 (1 / sum
# of P²), and haze dims it: the S/N of an ideal difference is 0.5 to 0.9 of the nominal one.
_NOISE_PIXELS = 20.0
# A trail is drawn as points no farther apart than this: it differs from a line by less than 1 % of a star's width.
_TRAIL_STEP_PX = 0.7
# So many draws for each transient, before the field counts as too crowded; one to four do at the default density.
_PLACES_TRIED = 200


@dataclass(frozen=True)
class NightParameters:
    """What is simulated; fluxes in electrons of one exposure at full transparency.

    frames : good frames of each night; from the second night on one clouded frame comes on top.
    transient_snr : range of the nominal S/N (see _NOISE_PIXELS) in one frame against a stack of four, drawn evenly in
    its logarithm.
    galaxy_e : range of the galaxies' fluxes, half of all sources at 20 mag and more below. galaxy_radius_px : least and
    largest half-light radius, even in its logarithm: the smallest cannot be told from stars.
    rate_px_per_min : the asteroid's motion. dither_px, rotation_deg : largest offset and rotation of a frame.
    zero_point_mag : magnitude of one electron; a 0.4 m telescope collects it from R = 27.7 in three minutes, and 900 a
    pixel from a suburban sky of 20.7 a square arcsecond.
    strays : the rates of what looks like a star and is none.
    movers : how many more things move in each later night, others every night, in all of its frames. mover_snr : as
    transient_snr. mover_rate_px_per_min : range of their motions, drawn evenly; they are trails, as long as they move
    in an exposure.
    """

    seed: int = 1
    size: int = 1024
    nights: int = 2
    frames: int = 4
    stars_per_mpx: int = 700
    galaxies_per_mpx: int = 700
    transients: int = 12
    transient_snr: tuple[float, float] = (8.0, 60.0)
    faintest_e: float = 300.0
    brightest_e: float = 4e6
    galaxy_e: tuple[float, float] = (400.0, 3e5)
    galaxy_radius_px: tuple[float, float] = (0.3, 8.0)
    sky_e: float = 900.0
    exposure_s: float = 180.0
    cadence_min: float = 15.0
    rate_px_per_min: float = 0.3
    dither_px: float = 25.0
    rotation_deg: float = 0.2
    fwhm_px: tuple[float, float] = (2.6, 3.6)
    pixel_scale_arcsec: float = 1.2
    ra_deg: float = 150.1
    dec_deg: float = 22.2
    first_mjd_utc: float = 61050.1
    zero_point_mag: float = 27.7
    strays: Strays = TYPICAL_STRAYS
    movers: int = 0
    mover_snr: tuple[float, float] = (1.5, 15.0)
    mover_rate_px_per_min: tuple[float, float] = (0.06, 0.8)

    def magnitude(self, electrons: Array) -> Array:
        """Return the magnitudes of sources that give so many electrons in one exposure at full transparency."""
        return self.zero_point_mag - 2.5 * np.log10(electrons)


@dataclass(frozen=True)
class Source:
    """The truth about one thing that changes: 0-based position in the frame's raw grid, total flux in ADU.

    magnitude : of what has changed, above the atmosphere; what a difference image shows.
    """

    name: str
    kind: str
    x: float
    y: float
    flux_adu: float
    change_adu: float
    is_on_host: bool
    magnitude: float


@dataclass(frozen=True)
class Light:
    """One raw exposure: (ny, nx) uint16 ADU, when and how it was taken, and what is in it.

    offset_px, rotation_deg : where the field's grid went (see `pair.move`). defects : True where a pixel holds
    no true sky: saturated, bad, hit, or under an artefact. artefacts : those that look like stars, fluxes in ADU.
    mjd_utc : start of the exposure.
    """

    name: str
    data: NDArray[np.uint16]
    mjd_utc: float
    fwhm_px: float
    transparency: float
    offset_px: tuple[float, float]
    rotation_deg: float
    is_clouded: bool
    sources: tuple[Source, ...]
    artefacts: tuple[Artefact, ...]
    defects: NDArray[np.bool_]


@dataclass(frozen=True)
class Night:
    """Lights and calibration frames of one night."""

    number: int
    lights: tuple[Light, ...]
    bias: tuple[NDArray[np.uint16], ...]
    dark: tuple[NDArray[np.uint16], ...]
    flat: tuple[NDArray[np.uint16], ...]
    detector: Detector = field(repr=False)


# How a frame sees the field: offset, rotation, transparency, electrons per count.
_Seen = tuple[tuple[float, float], float, float, float]


@dataclass(frozen=True)
class _Sky:
    """What is in the field, in its own grid; changes are (x, y, flux in electrons, kind, host)."""

    x: Array
    y: Array
    flux: Array
    hosts: Galaxies
    transient_x: Array
    transient_y: Array
    transient_flux: Array
    is_on_host: NDArray[np.bool_]
    variable: int
    asteroid: tuple[float, float, float, float, float]  # x, y, flux, px per minute in x and y


def simulate_nights(parameters: NightParameters) -> list[Night]:
    """Simulate every night of one field; the same parameters give the same pixels.

    Returns
    -------
    Nights in order. Positions of truth are those of the frame's own raw grid.

    Raises
    ------
    ValueError : the field is too small, or too crowded, for the transients asked for.
    """
    p = parameters
    sky = _field(p)
    detector = make_detector(np.random.default_rng([p.seed, 101]), (p.size, p.size), p.exposure_s)
    return [_night(p, sky, detector, number) for number in range(p.nights)]


def stars_of(parameters: NightParameters) -> tuple[Array, Array, Array]:
    """Return the stars of the first night: x, y in the field's own grid, electrons of one exposure."""
    sky = _field(parameters)
    return sky.x, sky.y, sky.flux


def _field(p: NightParameters) -> _Sky:
    """Draw stars and galaxies with a margin around the frame, and place what will change well inside it."""
    rng = np.random.default_rng([p.seed, 100])
    margin = p.dither_px + 10.0
    share = ((p.size + 2 * margin) / 1024.0) ** 2
    n, m = round(p.stars_per_mpx * share), round(p.galaxies_per_mpx * share)
    x, y = rng.uniform(-margin, p.size + margin, (2, n))
    flux = power_law_fluxes(rng, n, p.faintest_e, p.brightest_e)
    gx, gy = rng.uniform(-margin, p.size + margin, (2, m))
    hosts = Galaxies(
        gx,
        gy,
        power_law_fluxes(rng, m, *p.galaxy_e, 0.8),
        np.exp(rng.uniform(math.log(p.galaxy_radius_px[0]), math.log(p.galaxy_radius_px[1]), m)),
        rng.choice([0.5, 1.0, 1.5, 2.5, 4.0], m),
        rng.uniform(0.4, 1.0, m),
        rng.uniform(0, math.pi, m),
    )
    inner = (2.5 * p.dither_px + 10.0, p.size - 2.5 * p.dither_px - 10.0)
    if inner[1] <= inner[0]:
        raise ValueError(f"a frame of {p.size} px is too small for a dither of {p.dither_px} px")
    tx, ty, on_host = _transient_places(rng, p, hosts, (x, y, flux), inner)
    low, high = (math.log(v) for v in p.transient_snr)
    unit = _unit(p)
    transient_flux = np.exp(rng.uniform(low, high, p.transients)) * unit
    inside = (x > inner[0]) & (x < inner[1]) & (y > inner[0]) & (y < inner[1])
    # A star of this flux has a photon noise of 0.6 %: half a magnitude is beyond doubt and nothing saturates.
    variable = int(np.flatnonzero(inside)[np.argmin(np.abs(np.log(flux[inside] / 3e4)))])
    angle = rng.uniform(0, 2 * math.pi)
    start = rng.uniform(0.4 * p.size, 0.6 * p.size, 2)
    asteroid = (
        float(start[0]), float(start[1]), 30.0 * unit,
        p.rate_px_per_min * math.cos(angle), p.rate_px_per_min * math.sin(angle),
    )  # fmt: skip
    return _Sky(x, y, flux, hosts, tx, ty, transient_flux, on_host, variable, asteroid)


def _transient_places(
    rng: np.random.Generator,
    p: NightParameters,
    hosts: Galaxies,
    stars: tuple[Array, Array, Array],
    inner: tuple[float, float],
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Place half of the transients on hosts, none on the glare of a bright star and none beside another."""
    inside = np.flatnonzero((hosts.x > inner[0]) & (hosts.x < inner[1]) & (hosts.y > inner[0]) & (hosts.y < inner[1]))
    chosen = list(rng.permutation(inside))
    x: list[float] = []
    y: list[float] = []
    on_host: list[bool] = []
    bright = stars[2] > 2e5  # saturates, or nearly: its surroundings will be masked
    for _ in range(_PLACES_TRIED * p.transients):
        if len(x) == p.transients:
            break
        is_host = len(x) % 2 == 0 and bool(chosen)
        if is_host:
            k = chosen.pop()
            distance, angle = rng.uniform(0, 1) * hosts.radius_px[k], rng.uniform(0, 2 * math.pi)
            cx, cy = hosts.x[k] + distance * math.cos(angle), hosts.y[k] + distance * math.sin(angle)
        else:
            cx, cy = rng.uniform(*inner, 2)
        clear = np.hypot(stars[0] - cx, stars[1] - cy) > np.where(bright, 45.0, 5.0)
        apart = all(math.hypot(cx - a, cy - b) > 25.0 for a, b in zip(x, y, strict=True))
        if clear.all() and apart:
            x.append(float(cx))
            y.append(float(cy))
            on_host.append(is_host)
    if len(x) < p.transients:
        raise ValueError(f"{p.transients} transients have no room in {p.size} px with a dither of {p.dither_px} px")
    return np.array(x), np.array(y), np.array(on_host)


def _night(p: NightParameters, sky: _Sky, detector: Detector, number: int) -> Night:
    rng = np.random.default_rng([p.seed, 200 + number])
    start = p.first_mjd_utc + (0.0 if number == 0 else 7.0 + 3.0 * number)
    count = p.frames + (1 if number > 0 else 0)
    clouded = count // 2 if number > 0 else -1
    lights = tuple(_light(p, sky, detector, rng, (number, k, start, k == clouded)) for k in range(count))
    return Night(
        number,
        lights,
        tuple(detector.bias(rng) for _ in range(5)),
        tuple(detector.dark(rng) for _ in range(3)),
        tuple(detector.flat_field(rng, level_e=45_000.0) for _ in range(5)),
        detector,
    )


def _light(
    p: NightParameters, sky: _Sky, detector: Detector, rng: np.random.Generator, which: tuple[int, int, float, bool]
) -> Light:
    """Take one exposure of the field: where it pointed, how it saw, what was there."""
    number, k, start, is_clouded = which
    minutes = k * p.cadence_min
    offset = (float(rng.uniform(-1, 1) * p.dither_px), float(rng.uniform(-1, 1) * p.dither_px))
    rotation = float(rng.uniform(-1, 1) * p.rotation_deg)
    fwhm = float(rng.uniform(*p.fwhm_px))
    transparency = 0.02 if is_clouded else float(rng.uniform(0.75, 1.0))
    angle = rng.uniform(0, 2 * math.pi)
    psf = MoffatPsf(fwhm, (p.size, p.size), 3.0, 0.05 * math.cos(angle), 0.05 * math.sin(angle), 0.1)
    seen = (offset, rotation, transparency, detector.gain_e_per_adu)
    sources, extra = _changes(p, sky, number, minutes, seen)
    movers, trails = _movers(p, number, minutes, seen)
    sources, extra = sources + movers, np.hstack([extra, trails])
    flux = sky.flux.copy()
    if number > 0:
        flux[sky.variable] *= 10**0.2
    x, y = move(sky.x, sky.y, (p.size, p.size), offset, rotation)
    ex, ey = move(extra[0], extra[1], (p.size, p.size), offset, rotation)
    hosts = sky.hosts
    hx, hy = move(hosts.x, hosts.y, (p.size, p.size), offset, rotation)
    turned = Galaxies(
        hx, hy, hosts.flux, hosts.radius_px, hosts.index, hosts.axis_ratio, hosts.angle + math.radians(rotation)
    )
    shape = (p.size, p.size)
    light = point_sources(shape, np.append(x, ex), np.append(y, ey), np.append(flux, extra[2]), psf)
    light = (light + galaxies(shape, turned, psf)) * transparency
    brightness = p.sky_e * (3.0 if is_clouded else float(rng.uniform(0.9, 1.3)))
    has_trail = number > 0 and k == 0
    has_flashes = number > 0 and k == p.frames
    # Of their own random numbers: the sky's stay what they are when these change.
    stray_rng = np.random.default_rng([p.seed, 300 + number, k])
    stray_e, artefacts = strays_of(p.strays, stray_rng, psf, (x, y, flux * transparency), has_flashes=has_flashes)
    data, defects = expose(rng, detector, light, brightness, fwhm if has_trail else None, stray_e)
    name = f"night{number + 1}_light{k + 1:02d}"
    mjd = start + minutes / 1440.0
    artefacts = tuple(replace(each, flux=each.flux / detector.gain_e_per_adu) for each in artefacts)
    return Light(name, data, mjd, fwhm, transparency, offset, rotation, is_clouded, tuple(sources), artefacts, defects)


def _changes(
    p: NightParameters,
    sky: _Sky,
    number: int,
    minutes: float,
    seen: _Seen,
) -> tuple[list[Source], Array]:
    """Return the truth of what differs from the first night, and x, y, electrons of the points to draw (field grid)."""
    if number == 0:
        return [], np.zeros((3, 0))
    fading = 0.7 ** (number - 1)  # a third night still sees the transients, fainter
    middle = minutes + p.exposure_s / 120.0
    ax, ay, aflux, vx, vy = sky.asteroid
    # Each later night the asteroid has gone on to another part of the field.
    ax, ay = ax + vx * middle + 40.0 * (number - 1), ay + vy * middle
    x = np.append(sky.transient_x, ax)
    y = np.append(sky.transient_y, ay)
    flux = np.append(sky.transient_flux * fading, aflux)
    offset, rotation, transparency, gain = seen
    names = [(f"transient{i + 1:02d}", "transient", bool(h)) for i, h in enumerate(sky.is_on_host)]
    names.append(("asteroid", "asteroid", False))
    star = float(sky.flux[sky.variable])
    tx, ty = np.append(x, sky.x[sky.variable]), np.append(y, sky.y[sky.variable])
    total = np.append(flux, star * 10**0.2) * transparency / gain
    change_e = np.append(flux, star * (10**0.2 - 1.0))
    change, magnitude = change_e * transparency / gain, p.magnitude(change_e)
    names.append(("variable", "variable", False))
    fx, fy = move(tx, ty, (p.size, p.size), offset, rotation)
    sources = [
        Source(name, kind, float(fx[i]), float(fy[i]), float(total[i]), float(change[i]), host, float(magnitude[i]))
        for i, (name, kind, host) in enumerate(names)
    ]
    return sources, np.stack([x, y, flux])


def _movers(p: NightParameters, number: int, minutes: float, seen: _Seen) -> tuple[list[Source], Array]:
    """Return the truth of a night's faint movers in one exposure, and x, y, electrons of the points of their trails."""
    if number == 0 or p.movers == 0:
        return [], np.zeros((3, 0))
    x, y, vx, vy, flux = _drawn_movers(p, number)
    exposure = p.exposure_s / 60.0
    middle = minutes + 0.5 * exposure - 0.5 * _span_min(p)
    pieces = max(1, math.ceil(exposure * p.mover_rate_px_per_min[1] / _TRAIL_STEP_PX))
    times = middle + exposure * ((np.arange(pieces) + 0.5) / pieces - 0.5)
    trails = [start + np.outer(times, v) for start, v in ((x, vx), (y, vy))]
    offset, rotation, transparency, gain = seen
    fx, fy = move(x + vx * middle, y + vy * middle, (p.size, p.size), offset, rotation)
    counts, magnitudes = flux * transparency / gain, p.magnitude(flux)
    sources = [
        Source(f"mover{i + 1:03d}", "mover", float(fx[i]), float(fy[i]), float(counts[i]), float(counts[i]), False, m)
        for i, m in enumerate(magnitudes.tolist())
    ]
    return sources, np.stack([trails[0].ravel(), trails[1].ravel(), np.tile(flux / pieces, pieces)])


def _span_min(p: NightParameters) -> float:
    """Return the minutes from the first exposure's beginning to the last one's end, the clouded one counted."""
    return p.frames * p.cadence_min + p.exposure_s / 60.0


def _drawn_movers(p: NightParameters, number: int) -> tuple[Array, Array, Array, Array, Array]:
    """Draw places in the middle of a night, motions in px per minute, and electrons; all stay inside in every frame."""
    rng = np.random.default_rng([p.seed, 400 + number])
    rate = rng.uniform(*p.mover_rate_px_per_min, p.movers)
    angle = rng.uniform(0.0, 2.0 * math.pi, p.movers)
    vx, vy = rate * np.cos(angle), rate * np.sin(angle)
    places = []
    for v in (vx, vy):
        margin = p.dither_px + 15.0 + 0.5 * np.abs(v) * _span_min(p)
        if (2.0 * margin >= p.size).any():
            raise ValueError(f"a frame of {p.size} px is too small for such motions")
        places.append(margin + (p.size - 2.0 * margin) * rng.uniform(size=p.movers))
    low, high = (math.log(v) for v in p.mover_snr)
    snr = np.exp(rng.uniform(low, high, p.movers))
    return places[0], places[1], vx, vy, snr * _unit(p)


def _unit(p: NightParameters) -> float:
    """Return the electrons of a nominal S/N of 1."""
    # 81: read noise²; 1.25: a stack of four as reference.
    return math.sqrt(_NOISE_PIXELS * (p.sky_e + 81.0) * 1.25)
